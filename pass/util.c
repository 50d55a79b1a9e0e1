/* SPDX-License-Identifier: BSD-2-Clause */
/* Small things that every file of the pass uses: memory of a run, names, attributes. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pass/plan.h"

static void *must(void *p)
{
	if (p)
		return p;
	fputs("inlay-pass.so: out of memory\n", stderr);
	abort(); /* as LLVM does, in whose process we are */
}

void *run_grow(void *array, unsigned int *nr, unsigned int *cap, size_t bytes)
{
	void **base = array;
	char *element;

	if (*nr == *cap) {
		*cap = *cap ? *cap * 2 : 16;
		*base = must(reallocarray(*base, *cap, bytes));
	}
	element = (char *)*base + (size_t)*nr * bytes;
	memset(element, 0, bytes);
	++*nr;
	return element;
}

void *run_alloc(struct pass_run *run, size_t bytes)
{
	void **slot = run_grow(&run->blocks, &run->nr_blocks, &run->cap_blocks, sizeof(void *));

	return *slot = must(calloc(1, bytes ? bytes : 1));
}

char *run_printf(struct pass_run *run, const char *format, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	text = run_alloc(run, (size_t)n + 1);
	va_start(ap, format);
	vsnprintf(text, (size_t)n + 1, format, ap);
	va_end(ap);
	return text;
}

const char *value_name(LLVMValueRef value)
{
	size_t n;
	const char *name = LLVMGetValueName2(value, &n);

	return n && name[0] == '\1' ? name + 1 : name;
}

bool is_ours(const char *name)
{
	return !strncmp(name, "__inlay_", strlen("__inlay_"));
}

unsigned int attr_kind(const char *name)
{
	return LLVMGetEnumAttributeKindForName(name, strlen(name));
}

bool has_fn_attr(LLVMValueRef fn, const char *name)
{
	return LLVMGetEnumAttributeAtIndex(fn, LLVMAttributeFunctionIndex, attr_kind(name));
}

bool has_fn_string_attr(LLVMValueRef fn, const char *name)
{
	return LLVMGetStringAttributeAtIndex(fn, LLVMAttributeFunctionIndex, name,
					     (unsigned int)strlen(name));
}

bool is_call(LLVMValueRef inst)
{
	return LLVMIsACallInst(inst) || LLVMIsAInvokeInst(inst);
}

bool is_coroutine(LLVMValueRef fn)
{
	return has_fn_attr(fn, "presplitcoroutine");
}

LLVMValueRef direct_callee(LLVMValueRef call)
{
	return LLVMIsAFunction(LLVMGetCalledValue(call));
}
