/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The place that a call's unwinding passes, and no other: where the exit programs of a call site
 * run that are tagged so. A call gets a cleanup of its own; an invoke's landing pad that others
 * share is doubled for it. Exceptions of the Itanium ABI only, as on every system that the pass
 * takes.
 */
#include "pass/plan.h"

static bool may_throw(LLVMValueRef call)
{
	return !LLVMGetCallSiteEnumAttribute(call, LLVMAttributeFunctionIndex,
					     attr_kind("nounwind")) &&
	       !has_fn_attr(direct_callee(call), "nounwind");
}

/* ---- a call becomes an invoke ---- */

static void copy_call_attributes(struct pass_run *run, LLVMValueRef from, LLVMValueRef to)
{
	/* return value 0, arguments from 1, the function itself ~0u */
	for (unsigned int i = 0, n = LLVMGetNumArgOperands(from) + 2; i < n; i++) {
		LLVMAttributeIndex index = i == n - 1 ? LLVMAttributeFunctionIndex : i;
		unsigned int nr = LLVMGetCallSiteAttributeCount(from, index);
		LLVMAttributeRef *attrs = run_alloc(run, nr * sizeof(LLVMAttributeRef));

		LLVMGetCallSiteAttributes(from, index, attrs);
		for (unsigned int k = 0; k < nr; k++)
			LLVMAddCallSiteAttribute(to, index, attrs[k]);
	}
	LLVMSetInstructionCallConv(to, LLVMGetInstructionCallConv(from));
}

static void copy_metadata(struct pass_run *run, LLVMValueRef from, LLVMValueRef to)
{
	size_t nr;
	LLVMValueMetadataEntry *all = LLVMInstructionGetAllMetadataOtherThanDebugLoc(from, &nr);

	for (unsigned int i = 0; i < nr; i++)
		LLVMSetMetadata(
		    to, LLVMValueMetadataEntriesGetKind(all, i),
		    LLVMMetadataAsValue(run->context, LLVMValueMetadataEntriesGetMetadata(all, i)));
	LLVMDisposeValueMetadataEntries(all);
	LLVMInstructionSetDebugLoc(to, LLVMInstructionGetDebugLoc(from));
}

static LLVMValueRef build_invoke(struct pass_run *run, LLVMBuilderRef b, LLVMValueRef call,
				 LLVMBasicBlockRef next, LLVMBasicBlockRef pad)
{
	unsigned int nr = LLVMGetNumArgOperands(call), nr_bundles = LLVMGetNumOperandBundles(call);
	LLVMValueRef *args = run_alloc(run, nr * sizeof(LLVMValueRef)), invoke;
	LLVMOperandBundleRef *bundles = run_alloc(run, nr_bundles * sizeof(*bundles));

	for (unsigned int i = 0; i < nr; i++)
		args[i] = LLVMGetOperand(call, i);
	for (unsigned int i = 0; i < nr_bundles; i++)
		bundles[i] = LLVMGetOperandBundleAtIndex(call, i);
	invoke = LLVMBuildInvokeWithOperandBundles(b, LLVMGetCalledFunctionType(call),
						   LLVMGetCalledValue(call), args, nr, next, pad,
						   bundles, nr_bundles, "");
	for (unsigned int i = 0; i < nr_bundles; i++)
		LLVMDisposeOperandBundle(bundles[i]);
	return invoke;
}

static LLVMValueRef make_invoke(struct pass_run *run, LLVMBuilderRef b, LLVMValueRef call,
				LLVMBasicBlockRef pad)
{
	LLVMBasicBlockRef block = LLVMGetInstructionParent(call);
	LLVMBasicBlockRef next = ir_split_block(LLVMGetNextInstruction(call));
	LLVMValueRef invoke;

	LLVMInstructionEraseFromParent(LLVMGetBasicBlockTerminator(block));
	LLVMPositionBuilderAtEnd(b, block);
	invoke = build_invoke(run, b, call, next, pad);
	copy_call_attributes(run, call, invoke);
	copy_metadata(run, call, invoke);
	LLVMReplaceAllUsesWith(call, invoke);
	LLVMInstructionEraseFromParent(call);
	return invoke;
}

/* The type of every C and C++ landing pad: the exception and what selects a handler. */
static LLVMTypeRef pad_type(struct pass_run *run)
{
	LLVMTypeRef fields[2] = {LLVMPointerTypeInContext(run->context, 0),
				 LLVMInt32TypeInContext(run->context)};

	return LLVMStructTypeInContext(run->context, fields, 2, false);
}

/* C++ code has its personality; any other gets C's, which knows cleanups only. */
static void need_personality(struct pass_run *run, LLVMValueRef fn)
{
	static const char name[] = "__gcc_personality_v0";
	LLVMValueRef personality = LLVMGetNamedFunction(run->module, name);
	LLVMTypeRef i32 = LLVMInt32TypeInContext(run->context);

	if (LLVMHasPersonalityFn(fn))
		return;
	if (!personality)
		personality =
		    LLVMAddFunction(run->module, name, LLVMFunctionType(i32, NULL, 0, true));
	LLVMSetPersonalityFn(fn, personality);
}

static LLVMValueRef add_cleanup(struct pass_run *run, LLVMValueRef *call)
{
	LLVMBasicBlockRef block = LLVMGetInstructionParent(*call), pad;
	LLVMValueRef fn = LLVMGetBasicBlockParent(block), v, resume;
	LLVMBuilderRef b = LLVMCreateBuilderInContext(run->context);

	need_personality(run, fn);
	pad = LLVMAppendBasicBlockInContext(run->context, fn, "inlay.unwind");
	LLVMPositionBuilderAtEnd(b, pad);
	v = LLVMBuildLandingPad(b, pad_type(run), NULL, 0, "");
	LLVMSetCleanup(v, true);
	resume = LLVMBuildResume(b, v);
	LLVMInstructionSetDebugLoc(resume, site_inst_loc(run, *call));
	*call = make_invoke(run, b, *call, pad);
	LLVMDisposeBuilder(b);
	return resume;
}

/* ---- an invoke gets a landing pad of its own ---- */

static unsigned int nr_ways_in(LLVMBasicBlockRef block)
{
	unsigned int nr = 0;

	for (LLVMUseRef u = LLVMGetFirstUse(LLVMBasicBlockAsValue(block)); u; u = LLVMGetNextUse(u))
		nr++;
	return nr;
}

static void merge(LLVMBuilderRef b, LLVMBasicBlockRef rest, LLVMValueRef old, LLVMValueRef v1,
		  LLVMBasicBlockRef from1, LLVMValueRef v2, LLVMBasicBlockRef from2)
{
	LLVMValueRef phi;

	LLVMPositionBuilderBefore(b, LLVMGetFirstInstruction(rest));
	phi = LLVMBuildPhi(b, LLVMTypeOf(old), "");
	LLVMReplaceAllUsesWith(old, phi);
	if (v2 == old) /* a phi that was its own input */
		v2 = phi;
	LLVMAddIncoming(phi, (LLVMValueRef[]){v1, v2}, (LLVMBasicBlockRef[]){from1, from2}, 2);
}

/* The phi without what comes from `from`, which is returned. */
static LLVMValueRef take_incoming(LLVMBuilderRef b, LLVMValueRef old, LLVMBasicBlockRef from,
				  LLVMValueRef *ret_phi)
{
	LLVMValueRef taken = NULL;

	LLVMPositionBuilderBefore(b, old);
	*ret_phi = LLVMBuildPhi(b, LLVMTypeOf(old), "");
	for (unsigned int i = 0; i < LLVMCountIncoming(old); i++) {
		LLVMBasicBlockRef block = LLVMGetIncomingBlock(old, i);
		LLVMValueRef v = LLVMGetIncomingValue(old, i);

		if (block == from)
			taken = v;
		else
			LLVMAddIncoming(*ret_phi, &v, &block, 1);
	}
	return taken;
}

/*
 *	shared: phis, landing pad, rest   ->   shared: phis, landing pad, br
 *	                                       own:    landing pad, br
 *	                                       rest:   phis of what the two have
 */
static LLVMValueRef split_pad(struct pass_run *run, LLVMValueRef invoke)
{
	LLVMBasicBlockRef shared = LLVMGetUnwindDest(invoke), own, rest;
	LLVMBasicBlockRef from = LLVMGetInstructionParent(invoke);
	LLVMBuilderRef b = LLVMCreateBuilderInContext(run->context);
	LLVMValueRef pad = LLVMGetFirstInstruction(shared), copy, phi, next, end;

	while (LLVMIsAPHINode(pad))
		pad = LLVMGetNextInstruction(pad);
	rest = ir_split_block(LLVMGetNextInstruction(pad));
	own = LLVMInsertBasicBlockInContext(run->context, rest, "inlay.unwind");
	LLVMPositionBuilderAtEnd(b, own);
	copy = LLVMInstructionClone(pad);
	LLVMInsertIntoBuilder(b, copy);
	end = LLVMBuildBr(b, rest);
	LLVMInstructionSetDebugLoc(end, site_inst_loc(run, invoke));
	LLVMSetUnwindDest(invoke, own);
	for (LLVMValueRef i = LLVMGetFirstInstruction(shared); i != pad; i = next) {
		LLVMValueRef taken = take_incoming(b, i, from, &phi);

		next = LLVMGetNextInstruction(i);
		merge(b, rest, i, phi, shared, taken, own);
		LLVMInstructionEraseFromParent(i);
	}
	merge(b, rest, pad, pad, shared, copy, own);
	LLVMDisposeBuilder(b);
	return end;
}

LLVMValueRef unwind_place(struct pass_run *run, LLVMValueRef *call, const char **ret_why)
{
	LLVMValueRef fn = LLVMGetBasicBlockParent(LLVMGetInstructionParent(*call)), at;

	*ret_why = NULL;
	if (!may_throw(*call))
		return NULL;
	if (LLVMIsAInvokeInst(*call)) {
		if (nr_ways_in(LLVMGetUnwindDest(*call)) > 1)
			return split_pad(run, *call);
		at = LLVMGetFirstInstruction(LLVMGetUnwindDest(*call));
		while (!LLVMIsALandingPadInst(at))
			at = LLVMGetNextInstruction(at);
		return LLVMGetNextInstruction(at);
	}
	if (has_fn_attr(fn, "nounwind")) {
		*ret_why = "the caller is compiled without exceptions: nothing unwinds through it";
		return NULL;
	}
	return add_cleanup(run, call);
}
