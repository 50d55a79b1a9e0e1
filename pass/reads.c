/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a lowered program reads of its frame, from its final code, so that a site stores that and no
 * more, and a register that a place does not have is refused instead of being garbage. Of a session
 * program the two runs are told apart by folding bpf_session_is_return().
 */
#include <string.h>

#include <llvm-c/Error.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "pass/plan.h"

#define MAX_DEPTH 16

struct walk {
	LLVMTargetDataRef layout;
	int64_t override_offset;	/* of inlay_frame.is_override */
	uint64_t reads;
	bool overrides;			/* stores to it */
	int depth;
};

static void note_read(struct walk *w, LLVMTypeRef type, int64_t offset)
{
	int64_t end = offset + (int64_t)LLVMStoreSizeOfType(w->layout, type);

	if (offset < 0 || end > 64 * 8) {
		w->reads = PASS_READS_ALL;
		return;
	}
	for (int64_t word = offset / 8; word * 8 < end; word++)
		w->reads |= 1ull << word;
}

static void walk_uses(struct walk *w, LLVMValueRef root, LLVMValueRef pointer, int64_t offset);

static void walk_call(struct walk *w, LLVMValueRef call, LLVMValueRef pointer, int64_t offset)
{
	LLVMValueRef callee = direct_callee(call);

	/* debug and lifetime markers, and nothing else, take an address without reading */
	if (callee && LLVMGetIntrinsicID(callee)) {
		if (strncmp(value_name(callee), "llvm.lifetime.", 14) &&
		    strncmp(value_name(callee), "llvm.dbg.", 9))
			w->reads = PASS_READS_ALL;
		return;
	}
	if (!callee || LLVMIsDeclaration(callee) || w->depth == MAX_DEPTH) {
		w->reads = PASS_READS_ALL;
		return;
	}
	w->depth++;
	for (unsigned int i = 0; i < LLVMGetNumArgOperands(call); i++) {
		if (LLVMGetOperand(call, i) != pointer)
			continue;
		if (i < LLVMCountParams(callee))
			walk_uses(w, LLVMGetParam(callee, i), LLVMGetParam(callee, i), offset);
		else
			w->reads = PASS_READS_ALL;
	}
	w->depth--;
}

/* `offset` is what lies between the frame and `root`; `pointer` is root or a GEP of it. */
static void walk_user(struct walk *w, LLVMValueRef root, LLVMValueRef pointer, LLVMValueRef user,
		      int64_t offset)
{
	int64_t step = 0;

	switch (LLVMGetInstructionOpcode(user)) {
	case LLVMLoad:
		note_read(w, LLVMTypeOf(user), offset);
		return;
	case LLVMStore:
		if (LLVMGetOperand(user, 0) == pointer)
			w->reads = PASS_READS_ALL;
		else if (offset <= w->override_offset &&
			 offset + 8 > w->override_offset)
			w->overrides = true;
		return;
	case LLVMGetElementPtr:
		if (ir_pointer_base(user, &step) == root)
			walk_uses(w, root, user, offset);
		else
			w->reads = PASS_READS_ALL;
		return;
	case LLVMICmp:
		return;
	case LLVMCall:
		walk_call(w, user, pointer, offset);
		return;
	default:
		w->reads = PASS_READS_ALL;
	}
}

static void walk_uses(struct walk *w, LLVMValueRef root, LLVMValueRef pointer, int64_t offset)
{
	int64_t step = 0;

	if (pointer != root)
		ir_pointer_base(pointer, &step);
	for (LLVMUseRef u = LLVMGetFirstUse(pointer); u; u = LLVMGetNextUse(u)) {
		LLVMValueRef user = LLVMGetUser(u);

		/* a GEP's own offset counts from the root again */
		if (LLVMIsAGetElementPtrInst(user))
			walk_user(w, root, pointer, user, offset);
		else
			walk_user(w, root, pointer, user, offset + step);
	}
}

static struct walk walk_frame(const struct pass_run *run, LLVMModuleRef module, LLVMValueRef fn)
{
	struct walk w = {
		.layout = LLVMGetModuleDataLayout(module),
		.override_offset = 8ll * (run->arch->nr_regs + FRAME_IS_RETURN) + 4,
	};
	LLVMValueRef frame = LLVMGetParam(fn, 0);

	walk_uses(&w, frame, frame, 0);
	return w;
}

static bool returns_zero_only(LLVMValueRef fn)
{
	for (LLVMBasicBlockRef bb = LLVMGetFirstBasicBlock(fn); bb; bb = LLVMGetNextBasicBlock(bb)) {
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
static LLVMValueRef add_run_of(struct pass_run *run, LLVMModuleRef module, LLVMValueRef program,
			       enum pass_side side)
{
	LLVMTypeRef i8 = LLVMInt8TypeInContext(run->context);
	LLVMTypeRef i32 = LLVMInt32TypeInContext(run->context);
	LLVMTypeRef i64 = LLVMInt64TypeInContext(run->context);
	LLVMTypeRef type = LLVMGlobalGetValueType(program);
	LLVMValueRef fn = LLVMAddFunction(module, "", type), frame = LLVMGetParam(fn, 0), at, rc;
	LLVMBuilderRef b = LLVMCreateBuilderInContext(run->context);
	LLVMValueRef index = LLVMConstInt(i64, 8ull * (run->arch->nr_regs + FRAME_IS_RETURN), false);

	LLVMAddAttributeAtIndex(fn, 1, LLVMCreateEnumAttribute(run->context, attr_kind("noalias"), 0));
	LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlockInContext(run->context, fn, ""));
	at = LLVMBuildInBoundsGEP2(b, i8, frame, &index, 1, "");
	LLVMBuildStore(b, LLVMConstInt(i32, side == PASS_RETURN, false), at);
	rc = LLVMBuildCall2(b, type, program, &frame, 1, "");
	LLVMBuildRet(b, rc);
	LLVMDisposeBuilder(b);
	return fn;
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
	LLVMValueRef runs[2];
	LLVMErrorRef error;

	for (int side = PASS_ENTRY; side <= PASS_RETURN; side++)
		runs[side] = add_run_of(run, copy, program, side);
	error = LLVMRunPasses(copy, passes, NULL, options);
	if (error) {
		LLVMConsumeError(error); /* what was read of both sides stands for each */
	} else {
		for (int side = PASS_ENTRY; side <= PASS_RETURN; side++)
			probe->reads[side] = (probe->reads[side] & ~regs) |
					     (walk_frame(run, copy, runs[side]).reads & regs);
		probe->suppresses = !returns_zero_only(runs[PASS_ENTRY]);
	}
	LLVMDisposePassBuilderOptions(options);
	LLVMDisposeModule(copy);
}

void reads_of_object(struct pass_run *run, struct pass_object *object)
{
	for (unsigned int i = 0; i < run->nr_probes; i++) {
		struct pass_probe *probe = &run->probes[i];
		struct walk walk;
		LLVMValueRef fn;

		if (probe->object != object || !probe->is_matched)
			continue;
		fn = LLVMGetNamedFunction(object->lowered, probe->symbol);
		probe->uses_frame = LLVMGetFirstUse(LLVMGetParam(fn, 0));
		walk = walk_frame(run, object->lowered, fn);
		probe->reads[PASS_ENTRY] = probe->reads[PASS_RETURN] = walk.reads;
		/* where the frame escapes, what the instructions say holds */
		if (walk.reads != PASS_READS_ALL)
			probe->overrides = walk.overrides;
		if (probe->prog->kind != INLAY_PROG_SESSION)
			continue;
		probe->suppresses = !returns_zero_only(fn);
		if (probe->uses_frame && probe->reads[0] != PASS_READS_ALL)
			specialise_session(run, probe);
	}
}
