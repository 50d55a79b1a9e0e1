/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sites after the optimiser (tag inlay:late). By then a function may have lost arguments or its
 * result, and what is left has moved: `s(int unused, int x)` is `s(i32)`. So the early run writes
 * on each parameter which registers it fills, as an attribute that the parameter keeps wherever it
 * goes and that goes with it; a promoted argument is a new parameter and has none. The late run
 * reads these and nothing else: what is gone is not available, and is never shifted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pass/plan.h"

#define ATTR_FN PASS_ATTR_LATE	/* its value is the result's type */
#define ATTR_ARG "inlay-words"	/* on parameters: "word.extend.high.field " for each register */

static void set_attr(struct pass_run *run, LLVMValueRef fn, unsigned int index, const char *name,
		     const char *value)
{
	LLVMAddAttributeAtIndex(fn, index,
				LLVMCreateStringAttribute(run->context, name,
							  (unsigned int)strlen(name), value,
							  (unsigned int)strlen(value)));
}

static char *get_attr(struct pass_run *run, LLVMValueRef fn, unsigned int index, const char *name)
{
	LLVMAttributeRef attr = LLVMGetStringAttributeAtIndex(fn, index, name,
							      (unsigned int)strlen(name));
	unsigned int n = 0;
	const char *value = attr ? LLVMGetStringAttributeValue(attr, &n) : NULL;

	return attr ? run_printf(run, "%.*s", (int)n, value) : NULL;
}

static char *result_text(struct pass_run *run, LLVMValueRef fn)
{
	char *text = LLVMPrintTypeToString(LLVMGetReturnType(LLVMGlobalGetValueType(fn)));
	char *copy = run_printf(run, "%s", text);

	LLVMDisposeMessage(text);
	return copy;
}

void late_note(struct pass_run *run, LLVMValueRef fn)
{
	struct pass_words words;

	args_at_function(run, fn, &words);
	for (unsigned int i = 0; i < LLVMCountParams(fn); i++) {
		char *text = run_printf(run, "%s", "");

		for (unsigned int w = 0; w < run->arch->nr_regs; w++)
			if (words.w[w].value == LLVMGetParam(fn, i))
				text = run_printf(run, "%s%u.%u.%u.%u ", text, w,
						  (unsigned int)words.w[w].extend,
						  words.w[w].is_high, words.w[w].field);
		if (text[0])
			set_attr(run, fn, i + 1, ATTR_ARG, text);
	}
	set_attr(run, fn, (unsigned int)LLVMAttributeFunctionIndex, ATTR_FN, result_text(run, fn));
}

bool late_is_noted(LLVMValueRef fn)
{
	return has_fn_string_attr(fn, ATTR_FN);
}

bool late_is_wanted(LLVMModuleRef module)
{
	for (LLVMValueRef fn = LLVMGetFirstFunction(module); fn; fn = LLVMGetNextFunction(fn))
		if (!LLVMIsDeclaration(fn) && late_is_noted(fn))
			return true;
	return false;
}

bool late_has_result(struct pass_run *run, LLVMValueRef fn)
{
	char *text = get_attr(run, fn, (unsigned int)LLVMAttributeFunctionIndex, ATTR_FN);

	return text && !strcmp(text, result_text(run, fn));
}

void late_args(struct pass_run *run, LLVMValueRef fn, struct pass_words *words)
{
	memset(words, 0, sizeof(*words));
	for (unsigned int i = 0; i < LLVMCountParams(fn); i++) {
		const char *text = get_attr(run, fn, i + 1, ATTR_ARG);
		unsigned int w, extend, is_high, field;
		int n;

		for (;
		     text && sscanf(text, "%u.%u.%u.%u %n", &w, &extend, &is_high, &field, &n) == 4;
		     text += n) {
			if (w >= run->arch->nr_regs)
				continue;
			words->w[w] = (struct pass_word){
				.value = LLVMGetParam(fn, i),
				.extend = (enum pass_extend)extend,
				.is_high = is_high,
				.field = field,
			};
		}
	}
}
