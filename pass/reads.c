/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a lowered program reads of its frame, from its final code, so that a site stores that and no
 * more, and a register that a place does not have is refused instead of being garbage. Of a session
 * program the two runs are told apart by folding bpf_session_is_return().
 */
#include <llvm-c/Error.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "pass/plan.h"

static bool returns_zero_only(LLVMValueRef fn)
{
	for (LLVMBasicBlockRef bb = LLVMGetFirstBasicBlock(fn); bb;
	     bb = LLVMGetNextBasicBlock(bb)) {
		LLVMValueRef ret = LLVMGetBasicBlockTerminator(bb), v;

		if (!ret || LLVMGetInstructionOpcode(ret) != LLVMRet)
			continue;
		v = LLVMGetOperand(ret, 0);
		if (!LLVMIsAConstantInt(v) || LLVMConstIntGetZExtValue(v))
			return false;
	}
	return true;
}

/* i64 name(ptr noalias frame) { frame->is_return = side; return program(frame); } */
static const char *add_run_of(struct pass_run *run, LLVMModuleRef module, LLVMValueRef program,
			      enum pass_side side)
{
	static const char *const names[] = { "inlay.run.entry", "inlay.run.return" };
	LLVMTypeRef i8 = LLVMInt8TypeInContext(run->context);
	LLVMTypeRef i32 = LLVMInt32TypeInContext(run->context);
	LLVMTypeRef i64 = LLVMInt64TypeInContext(run->context);
	LLVMTypeRef type = LLVMGlobalGetValueType(program);
	LLVMValueRef fn = LLVMAddFunction(module, names[side], type), frame = LLVMGetParam(fn, 0),
		     at, rc;
	LLVMBuilderRef b = LLVMCreateBuilderInContext(run->context);
	LLVMValueRef index =
		LLVMConstInt(i64, 8ull * (run->arch->nr_regs + FRAME_IS_RETURN), false);

	LLVMAddAttributeAtIndex(fn, 1,
				LLVMCreateEnumAttribute(run->context, attr_kind("noalias"), 0));
	LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlockInContext(run->context, fn, ""));
	at = LLVMBuildInBoundsGEP2(b, i8, frame, &index, 1, "");
	LLVMBuildStore(b, LLVMConstInt(i32, side == PASS_RETURN, false), at);
	rc = LLVMBuildCall2(b, type, program, &frame, 1, "");
	LLVMBuildRet(b, rc);
	LLVMDisposeBuilder(b);
	return names[side];
}

/* Folds is_return into a copy of the program, once for each side. */
static void specialise_session(struct pass_run *run, struct pass_probe *probe)
{
	static const char passes[] = "always-inline,function(sroa,early-cse<memssa>,gvn,sccp,"
				     "instcombine<no-verify-fixpoint>,simplifycfg,adce)";
	uint64_t regs = (1ull << run->arch->nr_regs) - 1;
	LLVMModuleRef copy = LLVMCloneModule(probe->object->lowered);
	LLVMValueRef program = LLVMGetNamedFunction(copy, probe->symbol);
	LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
	const char *runs[2];
	uint64_t reads, writes;
	LLVMErrorRef error;

	for (int side = PASS_ENTRY; side <= PASS_RETURN; side++)
		runs[side] = add_run_of(run, copy, program, side);
	error = LLVMRunPasses(copy, passes, NULL, options);
	if (error) {
		LLVMConsumeError(error); /* what was read of both sides stands for each */
	} else {
		for (int side = PASS_ENTRY; side <= PASS_RETURN; side++) {
			frame_use(run, copy, runs[side], &reads, &writes);
			probe->reads[side] = (probe->reads[side] & ~regs) | (reads & regs);
		}
		probe->suppresses =
			!returns_zero_only(LLVMGetNamedFunction(copy, runs[PASS_ENTRY]));
	}
	LLVMDisposePassBuilderOptions(options);
	LLVMDisposeModule(copy);
}

void reads_of_object(struct pass_run *run, struct pass_object *object)
{
	for (unsigned int i = 0; i < run->nr_probes; i++) {
		struct pass_probe *probe = &run->probes[i];
		uint64_t reads, writes;
		LLVMValueRef fn;

		if (probe->object != object || !probe->is_matched)
			continue;
		fn = LLVMGetNamedFunction(object->lowered, probe->symbol);
		probe->uses_frame = LLVMGetFirstUse(LLVMGetParam(fn, 0));
		frame_use(run, object->lowered, probe->symbol, &reads, &writes);
		probe->reads[PASS_ENTRY] = probe->reads[PASS_RETURN] = reads;
		probe->overrides = run->options->allow_override &&
				   writes >> (run->arch->nr_regs + FRAME_OVERRIDE_RC) & 1;
		if (probe->prog->kind != INLAY_PROG_SESSION)
			continue;
		probe->suppresses = !returns_zero_only(fn);
		if (probe->uses_frame && !reads_all(run, reads))
			specialise_session(run, probe);
	}
}
