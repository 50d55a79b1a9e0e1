/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of which the file has a copy only, to inline (available_externally: C99 `inline`,
 * gnu_inline, `extern template`). Whether a call of one is inlined or goes to the definition in
 * another file is the optimiser's choice, and whether that definition is probed nobody knows here.
 * So a copy that is probed becomes this file's own function, and the file's direct calls go there:
 * each counts once, in it. What takes the address still gets the definition's, and so does a copy
 * that calls itself: a gnu_inline function does so to reach the definition.
 */
#include <string.h>

#include "pass/plan.h"

bool copy_is(LLVMValueRef fn)
{
	return LLVMGetLinkage(fn) == LLVMAvailableExternallyLinkage;
}

bool copy_is_call_outside(LLVMValueRef caller, LLVMValueRef callee)
{
	return LLVMIsDeclaration(callee) || (callee == caller && copy_is(callee));
}

const char *copy_obstacle(LLVMValueRef fn)
{
	for (LLVMUseRef u = LLVMGetFirstUse(fn); u; u = LLVMGetNextUse(u))
		if (LLVMIsABlockAddress(LLVMGetUser(u)))
			return "its body is a copy of one in another file (available_externally) "
			       "and takes the address of a label";
	return NULL;
}

/* The definition in the other file; NULL at run time if there is none and nobody needs it. */
static LLVMValueRef declare_outside(struct pass_run *run, LLVMValueRef fn)
{
	struct pass_fn *f = site_fn(run, fn);

	if (!f->outside) {
		f->outside = LLVMAddFunction(run->module, "", LLVMGlobalGetValueType(fn));
		LLVMSetLinkage(f->outside, LLVMExternalWeakLinkage);
	}
	return f->outside;
}

LLVMValueRef copy_address(struct pass_run *run, LLVMBuilderRef b, LLVMValueRef fn)
{
	LLVMValueRef outside = declare_outside(run, fn);

	return LLVMBuildSelect(b, LLVMBuildIsNotNull(b, outside, ""), outside, fn, "");
}

static void copy_attributes(struct pass_run *run, LLVMValueRef from, LLVMValueRef to)
{
	/* return value 0, parameters from 1, the function itself ~0u */
	for (unsigned int i = 0, n = LLVMCountParams(from) + 2; i < n; i++) {
		LLVMAttributeIndex index = i == n - 1 ? LLVMAttributeFunctionIndex : i;
		unsigned int nr = LLVMGetAttributeCountAtIndex(from, index);
		LLVMAttributeRef *attrs = run_alloc(run, nr * sizeof(LLVMAttributeRef));

		LLVMGetAttributesAtIndex(from, index, attrs);
		for (unsigned int k = 0; k < nr; k++)
			LLVMAddAttributeAtIndex(to, index, attrs[k]);
	}
	LLVMSetFunctionCallConv(to, LLVMGetFunctionCallConv(from));
	LLVMSetVisibility(to, LLVMGetVisibility(from));
	LLVMSetUnnamedAddress(to, LLVMGetUnnamedAddress(from));
}

/* Calls of the copy from other functions of the file. */
static unsigned int direct_calls(LLVMValueRef fn, LLVMValueRef *calls)
{
	unsigned int nr = 0;

	for (LLVMUseRef u = LLVMGetFirstUse(fn); u; u = LLVMGetNextUse(u)) {
		LLVMValueRef user = LLVMGetUser(u);

		if (!is_call(user) || LLVMGetCalledValue(user) != fn ||
		    LLVMGetBasicBlockParent(LLVMGetInstructionParent(user)) == fn)
			continue;
		if (calls)
			calls[nr] = user;
		nr++;
	}
	return nr;
}

static unsigned int nr_uses(LLVMValueRef v)
{
	unsigned int nr = 0;

	for (LLVMUseRef u = LLVMGetFirstUse(v); u; u = LLVMGetNextUse(u))
		nr++;
	return nr;
}

/* copy_address() still ends in the copy, where there is no definition. */
static void restore_addresses(LLVMValueRef outside, LLVMValueRef fn)
{
	LLVMUseRef u, next;

	for (u = LLVMGetFirstUse(outside); u; u = next) {
		LLVMValueRef user = LLVMGetUser(u);

		next = LLVMGetNextUse(u);
		if (!LLVMIsASelectInst(user) || LLVMGetOperand(user, 2) != outside)
			continue;
		LLVMSetOperand(user, 2, fn);
		next = LLVMGetFirstUse(outside);
	}
}

static void keep(struct pass_run *run, LLVMValueRef fn)
{
	LLVMValueRef outside = declare_outside(run, fn), *calls;
	unsigned int nr = direct_calls(fn, NULL), ours = nr_uses(outside);
	char *local = run_printf(run, "%s.inlay", value_name(fn)), *name;
	size_t bytes;

	name = run_printf(run, "%s", LLVMGetValueName2(fn, &bytes));
	calls = run_alloc(run, nr * sizeof(LLVMValueRef));
	direct_calls(fn, calls);
	copy_attributes(run, fn, outside);
	LLVMSetValueName2(fn, local, strlen(local));
	LLVMSetValueName2(outside, name, bytes);
	LLVMReplaceAllUsesWith(fn, outside);
	for (unsigned int i = 0; i < nr; i++) /* the callee is the last operand */
		LLVMSetOperand(calls[i], (unsigned int)LLVMGetNumOperands(calls[i]) - 1, fn);
	restore_addresses(outside, fn);
	if (nr_uses(outside) > ours)
		LLVMSetLinkage(outside, LLVMExternalLinkage);
	else if (!ours)
		LLVMDeleteFunction(outside);
	LLVMSetVisibility(fn, LLVMDefaultVisibility);
	LLVMSetLinkage(fn, LLVMInternalLinkage);
}

void copies_keep(struct pass_run *run)
{
	for (unsigned int i = 0; i < run->nr_places; i++)
		if (!run->places[i].call && copy_is(run->places[i].fn))
			keep(run, run->places[i].fn);
}
