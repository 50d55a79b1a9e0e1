/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies of map helpers for one map each. A helper's body holds the code of every map type; folding that
 * away at each call would take longer than all the rest of a compilation, so it is done once for each
 * map: calls go to a copy that knows the map, and what is left of the copy is inlined. Not where a map has
 * very many calls and something big is left: then all go to the one body, as they would be more
 * code than a cache holds.
 */
#include "bpfcc/ll/impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Transforms/PassBuilder.h>

enum { INLINED_CALLS_MAX = 16, SMALL_INSTRUCTIONS = 24 };

struct copies {
	LLVMValueRef v_generic;
	struct copy {
		LLVMValueRef v_map, v_fn;
		size_t nr_calls;
	} *copies;
	size_t nr, max;
};

static int copy_new(struct lower *l, struct copies *copies, LLVMValueRef v_map)
{
	LLVMTypeRef t_fn = LLVMGlobalGetValueType(copies->v_generic);
	LLVMBuilderRef builder;
	LLVMValueRef v_copy, v_call, v_args[8];
	unsigned int nr_args = LLVMCountParamTypes(t_fn);
	size_t len;

	if (nr_args > sizeof(v_args) / sizeof(v_args[0]))
		return -EINVAL;
	if (copies->nr == copies->max) {
		size_t max = copies->max ? 2 * copies->max : 16;
		struct copy *more = reallocarray(copies->copies, max, sizeof(*more));

		if (!more)
			return -ENOMEM;
		copies->copies = more;
		copies->max = max;
	}
	v_copy = LLVMAddFunction(l->module, LLVMGetValueName2(copies->v_generic, &len), t_fn);
	LLVMSetLinkage(v_copy, LLVMInternalLinkage);
	builder = LLVMCreateBuilderInContext(l->context);
	LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(l->context, v_copy, ""));
	LLVMGetParams(v_copy, v_args);
	v_args[0] = v_map;
	v_call = LLVMBuildCall2(builder, t_fn, copies->v_generic, v_args, nr_args, "");
	LLVMBuildRet(builder, v_call);
	LLVMDisposeBuilder(builder);
	copies->copies[copies->nr++] = (struct copy){ .v_map = v_map, .v_fn = v_copy };
	return 0;
}

static int l_copy_calls(struct lower *l, struct copies *copies)
{
	LLVMUseRef use = LLVMGetFirstUse(copies->v_generic);

	while (use) {
		LLVMValueRef v_call = LLVMGetUser(use), v_map;
		size_t i;

		use = LLVMGetNextUse(use);
		if (!LLVMIsACallInst(v_call) || LLVMGetCalledValue(v_call) != copies->v_generic)
			continue;
		v_map = LLVMGetOperand(v_call, 0);
		if (!LLVMIsAGlobalVariable(v_map))
			continue;
		for (i = 0; i < copies->nr && copies->copies[i].v_map != v_map; i++)
			;
		if (i == copies->nr) {
			int err = copy_new(l, copies, v_map);

			if (err)
				return err;
		}
		LLVMSetOperand(v_call, (unsigned int)LLVMGetNumOperands(v_call) - 1,
			       copies->copies[i].v_fn);
		copies->copies[i].nr_calls++;
	}
	return 0;
}

static bool has_attr(LLVMValueRef v_fn, const char *name)
{
	unsigned int kind = LLVMGetEnumAttributeKindForName(name, strlen(name));

	return LLVMGetEnumAttributeAtIndex(v_fn, LLVMAttributeFunctionIndex, kind);
}

/* Passes leave functions with this pair alone; bpfcc gives it to none for another reason. */
static void l_shield(struct lower *l, const struct copies *copies, bool is_on)
{
	for (LLVMValueRef v = LLVMGetFirstFunction(l->module); v; v = LLVMGetNextFunction(v)) {
		bool is_copy = false;

		for (size_t i = 0; i < copies->nr; i++)
			is_copy |= copies->copies[i].v_fn == v;
		if (LLVMIsDeclaration(v) || is_copy || has_attr(v, "alwaysinline"))
			continue;
		if (is_on && !has_attr(v, "noinline") && !has_attr(v, "optnone")) {
			ll_add_attr(v, LLVMAttributeFunctionIndex, "noinline");
			ll_add_attr(v, LLVMAttributeFunctionIndex, "optnone");
		} else if (!is_on && has_attr(v, "optnone")) {
			ll_remove_attr(v, LLVMAttributeFunctionIndex, "optnone");
			ll_remove_attr(v, LLVMAttributeFunctionIndex, "noinline");
		}
	}
}

static bool is_small(LLVMValueRef v_fn)
{
	unsigned int nr = 0;

	for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(v_fn); block;
	     block = LLVMGetNextBasicBlock(block))
		for (LLVMValueRef v = LLVMGetFirstInstruction(block); v;
		     v = LLVMGetNextInstruction(v))
			nr++;
	return nr <= SMALL_INSTRUCTIONS;
}

/* "__inlay_desc_H_M" gives the one body "__inlay_lookup_H_M". */
static void l_place_copy(struct lower *l, const struct copy *copy, const char *name)
{
	static const char desc[] = "__inlay_desc_";
	char symbol[256];
	const char *map;
	size_t len;

	map = LLVMGetValueName2(copy->v_map, &len);
	if (copy->nr_calls <= INLINED_CALLS_MAX || is_small(copy->v_fn) ||
	    strncmp(map, desc, sizeof(desc) - 1)) {
		ll_add_attr(copy->v_fn, LLVMAttributeFunctionIndex, "alwaysinline");
		return;
	}
	snprintf(symbol, sizeof(symbol), "__inlay_%s_%s", name, map + sizeof(desc) - 1);
	LLVMSetValueName2(copy->v_fn, symbol, strlen(symbol));
	ll_add_attr(copy->v_fn, LLVMAttributeFunctionIndex, "noinline");
	ll_make_odr(l->module, copy->v_fn, NULL);
}

int l_specialise(struct lower *l, const char *helper, const char *short_name)
{
	static const char passes[] =
	    "always-inline,function(sroa,early-cse,instcombine<no-verify-fixpoint>,"
	    "simplifycfg,loop-simplify,lcssa,loop(loop-rotate,loop-unroll-full),sroa,"
	    "early-cse,instcombine<no-verify-fixpoint>,simplifycfg,adce)";
	LLVMPassBuilderOptionsRef options;
	struct copies copies = {0};
	LLVMErrorRef error;
	char name[160];
	int err;

	snprintf(name, sizeof(name), HELPER_PREFIX "%s", helper);
	copies.v_generic = LLVMGetNamedFunction(l->module, name);
	if (!copies.v_generic || LLVMIsDeclaration(copies.v_generic))
		return 0;
	err = l_copy_calls(l, &copies);
	if (!err && copies.nr) {
		options = LLVMCreatePassBuilderOptions();
		l_shield(l, &copies, true);
		error = LLVMRunPasses(l->module, passes, l->machine, options);
		l_shield(l, &copies, false);
		LLVMDisposePassBuilderOptions(options);
		if (error) {
			LLVMConsumeError(error);
			err = -EINVAL;
		}
	}
	for (size_t i = 0; i < copies.nr; i++)
		l_place_copy(l, &copies.copies[i], short_name);
	free(copies.copies);
	return err ? bpfcc_error(&l->handle->diag, NULL, NULL,
				 "preparing the bodies of helper 'bpf_%s' failed", helper) : 0;
}
