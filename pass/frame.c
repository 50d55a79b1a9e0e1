/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which words of its frame a lowered program reads or writes, from its final code, so that the pass
 * stores only those. Follows the frame's address through constant offsets and into subprograms;
 * anything else that happens to the address counts as reading all of it.
 */
#include <llvm-c/Target.h>

#include "pass/plan.h"

#define MAX_DEPTH 32

_Static_assert(PASS_MAX_REGS + FRAME_NR_EXTRA < 64, "one bit a word");

struct use {
	LLVMModuleRef module;
	LLVMTargetDataRef layout;
	unsigned int nr_words;	/* of the target's frame, which need not be this machine's */
	uint64_t reads, writes;
	bool escapes;
};

static void follow(struct use *u, LLVMValueRef v, int64_t off, unsigned int depth);

static uint64_t words(const struct use *u, int64_t off, uint64_t bytes)
{
	uint64_t mask = 0;

	for (int64_t at = off; at < off + (int64_t)bytes; at++)
		if (at >= 0 && (uint64_t)at / 8 < u->nr_words)
			mask |= 1ull << at / 8;
	return mask;
}

static bool gep_offset(struct use *u, LLVMValueRef v, int64_t *ret_off)
{
	LLVMTypeRef t = LLVMGetGEPSourceElementType(v);
	LLVMValueRef v_index = LLVMGetOperand(v, 1);

	/* opaque pointers into bytes or words; a struct GEP of a helper's frame has two indices */
	if (!LLVMIsAConstantInt(v_index))
		return false;
	*ret_off = LLVMConstIntGetSExtValue(v_index) * (int64_t)LLVMABISizeOfType(u->layout, t);
	for (unsigned int i = 2; i < (unsigned int)LLVMGetNumOperands(v); i++) {
		v_index = LLVMGetOperand(v, i);
		if (!LLVMIsAConstantInt(v_index))
			return false;
		if (LLVMGetTypeKind(t) == LLVMStructTypeKind) {
			unsigned int field = (unsigned int)LLVMConstIntGetZExtValue(v_index);

			*ret_off += (int64_t)LLVMOffsetOfElement(u->layout, t, field);
			t = LLVMStructGetTypeAtIndex(t, field);
		} else if (LLVMGetTypeKind(t) == LLVMArrayTypeKind) {
			t = LLVMGetElementType(t);
			*ret_off += LLVMConstIntGetSExtValue(v_index) *
				    (int64_t)LLVMABISizeOfType(u->layout, t);
		} else {
			return false;
		}
	}
	return true;
}

static void follow_call(struct use *u, LLVMValueRef v_call, LLVMValueRef v, int64_t off,
			unsigned int depth)
{
	LLVMValueRef v_fn = LLVMGetCalledValue(v_call);
	unsigned int nr = LLVMGetNumArgOperands(v_call);

	if (!v_fn || !LLVMIsAFunction(v_fn) || LLVMIsDeclaration(v_fn) ||
	    nr != LLVMCountParams(v_fn)) {
		u->escapes = true;
		return;
	}
	for (unsigned int i = 0; i < nr; i++)
		if (LLVMGetOperand(v_call, i) == v)
			follow(u, LLVMGetParam(v_fn, i), off, depth + 1);
}

static void follow(struct use *u, LLVMValueRef v, int64_t off, unsigned int depth)
{
	if (depth > MAX_DEPTH) {
		u->escapes = true;
		return;
	}
	for (LLVMUseRef use = LLVMGetFirstUse(v); use && !u->escapes; use = LLVMGetNextUse(use)) {
		LLVMValueRef v_user = LLVMGetUser(use);
		int64_t more = 0;

		if (LLVMIsALoadInst(v_user)) {
			u->reads |= words(u, off, LLVMABISizeOfType(u->layout, LLVMTypeOf(v_user)));
		} else if (LLVMIsAStoreInst(v_user) && LLVMGetOperand(v_user, 0) != v) {
			LLVMTypeRef type = LLVMTypeOf(LLVMGetOperand(v_user, 0));

			u->writes |= words(u, off, LLVMABISizeOfType(u->layout, type));
		} else if (LLVMIsAGetElementPtrInst(v_user) && gep_offset(u, v_user, &more)) {
			follow(u, v_user, off + more, depth + 1);
		} else if (LLVMIsACallInst(v_user)) {
			follow_call(u, v_user, v, off, depth);
		} else if (LLVMIsAICmpInst(v_user)) {
			continue; /* a null check of ctx */
		} else {
			u->escapes = true;
		}
	}
}

void frame_use(const struct pass_run *run, LLVMModuleRef module, const char *symbol,
	       uint64_t *ret_reads, uint64_t *ret_writes)
{
	LLVMValueRef v_fn = LLVMGetNamedFunction(module, symbol);
	struct use u = {
		.module = module,
		.layout = LLVMGetModuleDataLayout(module),
		.nr_words = run->arch->nr_regs + FRAME_NR_EXTRA,
	};
	uint64_t all = (1ull << u.nr_words) - 1;

	follow(&u, LLVMGetParam(v_fn, 0), 0, 0);
	*ret_reads = u.escapes ? all : u.reads;
	*ret_writes = u.escapes ? all : u.writes;
}
