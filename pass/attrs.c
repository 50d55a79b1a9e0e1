/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attributes that a program makes untrue, dropped from what was probed, from every call of it and
 * from its callers in the module, transitively: otherwise a later pass deletes or merges the calls
 * together with their programs (tests/lit/pass/attrs.test).
 */
#include "pass/plan.h"

/* `nounwind` stays: a program does not throw. */
static const char *const effects[] = {
	"memory", "nosync", "nofree", "norecurse", "willreturn", "speculatable",
};
/* Parameter attributes about accesses through the pointer, or about where the address goes. */
static const char *const pointers[] = { "nocapture", "readnone", "readonly", "writeonly" };
/* What the function promises about a result that a program may choose. */
static const char *const results[] = {
	"nonnull", "dereferenceable", "dereferenceable_or_null", "align", "range", "noalias",
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void drop_one(LLVMValueRef at, unsigned int index, const char *name)
{
	if (LLVMIsAFunction(at))
		LLVMRemoveEnumAttributeAtIndex(at, index, attr_kind(name));
	else
		LLVMRemoveCallSiteEnumAttribute(at, index, attr_kind(name));
}

/* `at` is a function or a call of it. */
static void drop(LLVMValueRef at, unsigned int nr_params, bool is_overridden)
{
	for (size_t i = 0; i < LENGTH(effects); i++)
		drop_one(at, LLVMAttributeFunctionIndex, effects[i]);
	for (unsigned int p = 1; p <= nr_params; p++) {
		for (size_t i = 0; i < LENGTH(pointers); i++)
			drop_one(at, p, pointers[i]);
		if (is_overridden)
			drop_one(at, p, "returned");
	}
	for (size_t i = 0; is_overridden && i < LENGTH(results); i++)
		drop_one(at, LLVMAttributeReturnIndex, results[i]);
}

static void visit_users(struct pass_run *run, LLVMValueRef value, bool is_overridden)
{
	for (LLVMUseRef u = LLVMGetFirstUse(value); u; u = LLVMGetNextUse(u)) {
		LLVMValueRef user = LLVMGetUser(u);

		if (LLVMIsAGlobalAlias(user)) {
			visit_users(run, user, is_overridden);
		} else if (is_call(user) && LLVMGetCalledValue(user) == value) {
			drop(user, LLVMGetNumArgOperands(user), is_overridden);
			/* new functions go to the list's end, where the loop below finds them */
			site_fn(run, LLVMGetBasicBlockParent(LLVMGetInstructionParent(user)));
		}
	}
}

void attrs_drop(struct pass_run *run)
{
	for (struct pass_fn *f = run->fns; f; f = f->next) {
		drop(f->fn, LLVMCountParams(f->fn), f->is_overridden);
		visit_users(run, f->fn, f->is_overridden);
	}
}
