/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 32-bit rotations in 64-bit registers. Without 32-bit instructions (ISA v1 and v2) clang computes
 * with 32-bit numbers in whole registers and lets the upper halves be anything, as long as nobody
 * looks. To LLVM a rotation is then two shifts of a 64-bit number, which it neither recognises
 * nor narrows, because values go around loops.
 *
 * For each 64-bit value the bits that somebody looks at are computed, backwards to a fixpoint.
 * Where those are low ones only, and the value is connected to a rotation, it is computed with 32
 * bits instead. Elsewhere 64 bits cost nothing, and indexes of loops are better off with them.
 */
#include "bpfcc/ll/narrow.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LOW 0xffffffffull
#define ALL UINT64_MAX
#define NONE UINT32_MAX

struct value {
	LLVMValueRef v, v_low; /* v_low: what replaces it */
	uint64_t demanded;     /* bits that somebody looks at */
	uint32_t group;	       /* union-find over narrow values */
	bool is_queued, has_rotation;
};

struct narrow {
	LLVMTypeRef t_i32, t_i64;
	LLVMBuilderRef b;
	struct value *values; /* i64 instructions of the function */
	uint32_t nr, *slots, nr_slots, *queue, nr_queue;
};

static uint32_t hash_of(LLVMValueRef v)
{
	uint64_t n = (uintptr_t)v;

	return (uint32_t)((n >> 4) * 0x9e3779b97f4a7c15ull >> 32);
}

static uint32_t index_of(const struct narrow *n, LLVMValueRef v)
{
	for (uint32_t i = hash_of(v) & (n->nr_slots - 1);; i = (i + 1) & (n->nr_slots - 1)) {
		if (n->slots[i] == NONE || n->values[n->slots[i]].v == v)
			return n->slots[i];
	}
}

static bool is_constant(LLVMValueRef v, uint64_t *ret_number)
{
	if (!LLVMIsAConstantInt(v))
		return false;
	*ret_number = LLVMConstIntGetZExtValue(v);
	return true;
}

/* All bits up to the highest one: what a carry may come from. */
static uint64_t up_to_highest(uint64_t bits)
{
	return bits ? ALL >> __builtin_clzll(bits) : 0;
}

/* Bits of operand `operand` that decide the bits `demanded` of the result. */
static uint64_t demanded_of(LLVMValueRef v, unsigned int operand, uint64_t demanded)
{
	uint64_t number;

	switch (LLVMGetInstructionOpcode(v)) {
	case LLVMTrunc:
		return ALL >> (64 - LLVMGetIntTypeWidth(LLVMTypeOf(v)));
	case LLVMAdd:
	case LLVMSub:
	case LLVMMul:
		return up_to_highest(demanded);
	case LLVMAnd:
		if (is_constant(LLVMGetOperand(v, !operand), &number))
			return demanded & number;
		return demanded;
	case LLVMOr:
	case LLVMXor:
	case LLVMPHI:
		return demanded;
	case LLVMSelect:
		return operand ? demanded : ALL;
	case LLVMShl:
		if (!operand && is_constant(LLVMGetOperand(v, 1), &number) && number < 64)
			return demanded >> number;
		return ALL;
	case LLVMLShr:
		if (!operand && is_constant(LLVMGetOperand(v, 1), &number) && number < 64)
			return demanded << number;
		return ALL;
	default:
		return ALL;
	}
}

static void demand(struct narrow *n, LLVMValueRef v, uint64_t bits)
{
	uint32_t i = LLVMIsAInstruction(v) ? index_of(n, v) : NONE;
	struct value *value;

	if (i == NONE)
		return;
	value = &n->values[i];
	if (!(bits & ~value->demanded))
		return;
	value->demanded |= bits;
	if (!value->is_queued) {
		value->is_queued = true;
		n->queue[n->nr_queue++] = i;
	}
}

static void demand_operands(struct narrow *n, LLVMValueRef v, uint64_t demanded)
{
	unsigned int nr = (unsigned int)LLVMGetNumOperands(v);

	if (LLVMIsAPHINode(v)) {
		for (unsigned int i = 0; i < LLVMCountIncoming(v); i++)
			demand(n, LLVMGetIncomingValue(v, i), demanded);
		return;
	}
	for (unsigned int i = 0; i < nr; i++)
		demand(n, LLVMGetOperand(v, i), demanded_of(v, i, demanded));
}

/* Does nothing but compute its result. */
static bool is_pure(LLVMValueRef v)
{
	return LLVMIsABinaryOperator(v) || LLVMIsAPHINode(v) || LLVMIsASelectInst(v) ||
	       LLVMIsACastInst(v);
}

/* From all that is not i64, or does more than compute; then backwards. */
static void find_demanded(struct narrow *n, LLVMValueRef v_fn)
{
	for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(v_fn); b; b = LLVMGetNextBasicBlock(b))
		for (LLVMValueRef v = LLVMGetFirstInstruction(b); v; v = LLVMGetNextInstruction(v))
			if (index_of(n, v) == NONE || !is_pure(v))
				demand_operands(n, v, ALL);
	while (n->nr_queue) {
		struct value *value = &n->values[n->queue[--n->nr_queue]];

		value->is_queued = false;
		demand_operands(n, value->v, value->demanded);
	}
}

static bool can_narrow(const struct value *value)
{
	uint64_t number;

	if (value->demanded & ~LOW || !value->demanded)
		return false;
	switch (LLVMGetInstructionOpcode(value->v)) {
	case LLVMAdd:
	case LLVMSub:
	case LLVMMul:
	case LLVMAnd:
	case LLVMOr:
	case LLVMXor:
	case LLVMPHI:
	case LLVMSelect:
		return true;
	case LLVMShl:
		return is_constant(LLVMGetOperand(value->v, 1), &number) && number < 32;
	case LLVMLShr:
		/* nothing comes down from the upper half */
		return is_constant(LLVMGetOperand(value->v, 1), &number) && number < 32 &&
		       !(value->demanded << number & ~LOW);
	default:
		return false;
	}
}

/* ---- groups ---- */

static uint32_t group_of(struct narrow *n, uint32_t i)
{
	while (n->values[i].group != i) {
		n->values[i].group = n->values[n->values[i].group].group;
		i = n->values[i].group;
	}
	return i;
}

static void join(struct narrow *n, uint32_t i, LLVMValueRef v)
{
	uint32_t k = LLVMIsAInstruction(v) ? index_of(n, v) : NONE;

	if (k == NONE || !can_narrow(&n->values[k]))
		return;
	i = group_of(n, i);
	k = group_of(n, k);
	n->values[k].group = i;
	n->values[i].has_rotation |= n->values[k].has_rotation;
}

/* The number that `v`, perhaps masked, is shifted by; 0 if it is not. */
static uint64_t shift_in(LLVMValueRef v, LLVMOpcode opcode, LLVMValueRef *ret_v)
{
	uint64_t number;

	if (LLVMIsAInstruction(v) && LLVMGetInstructionOpcode(v) == LLVMAnd)
		v = LLVMGetOperand(v, 0);
	if (!LLVMIsAInstruction(v) || LLVMGetInstructionOpcode(v) != opcode ||
	    !is_constant(LLVMGetOperand(v, 1), &number))
		return 0;
	*ret_v = LLVMGetOperand(v, 0);
	if (LLVMIsAInstruction(*ret_v) && LLVMGetInstructionOpcode(*ret_v) == LLVMAnd)
		*ret_v = LLVMGetOperand(*ret_v, 0);
	return number;
}

static bool is_rotation(LLVMValueRef v)
{
	LLVMValueRef v_left = NULL, v_right = NULL;

	if (LLVMGetInstructionOpcode(v) != LLVMOr)
		return false;
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t left = shift_in(LLVMGetOperand(v, i), LLVMShl, &v_left);
		uint64_t right = shift_in(LLVMGetOperand(v, !i), LLVMLShr, &v_right);

		if (left && right && left + right == 32 && v_left == v_right)
			return true;
	}
	return false;
}

static bool find_groups(struct narrow *n)
{
	bool has_any = false;

	for (uint32_t i = 0; i < n->nr; i++) {
		n->values[i].group = i;
		n->values[i].has_rotation =
		    can_narrow(&n->values[i]) && is_rotation(n->values[i].v);
		has_any |= n->values[i].has_rotation;
	}
	for (uint32_t i = 0; i < n->nr && has_any; i++) {
		LLVMValueRef v = n->values[i].v;

		if (!can_narrow(&n->values[i]))
			continue;
		if (LLVMIsAPHINode(v))
			for (unsigned int k = 0; k < LLVMCountIncoming(v); k++)
				join(n, i, LLVMGetIncomingValue(v, k));
		else
			for (int k = 0; k < LLVMGetNumOperands(v); k++)
				join(n, i, LLVMGetOperand(v, (unsigned int)k));
	}
	return has_any;
}

static bool is_chosen(struct narrow *n, uint32_t i)
{
	return i != NONE && can_narrow(&n->values[i]) &&
	       n->values[group_of(n, i)].has_rotation;
}

/* ---- replacement ---- */

static LLVMValueRef low_of(struct narrow *n, LLVMValueRef v, LLVMValueRef v_before);

static LLVMValueRef new_low(struct narrow *n, LLVMValueRef v)
{
	LLVMValueRef v_one, v_two;

	if (LLVMGetInstructionOpcode(v) == LLVMSelect) {
		v_one = low_of(n, LLVMGetOperand(v, 1), v);
		v_two = low_of(n, LLVMGetOperand(v, 2), v);
		LLVMPositionBuilderBefore(n->b, v);
		return LLVMBuildSelect(n->b, LLVMGetOperand(v, 0), v_one, v_two, "");
	}
	v_one = low_of(n, LLVMGetOperand(v, 0), v);
	v_two = low_of(n, LLVMGetOperand(v, 1), v);
	LLVMPositionBuilderBefore(n->b, v);
	return LLVMBuildBinOp(n->b, LLVMGetInstructionOpcode(v), v_one, v_two, "");
}

/* The low half of v for an instruction before which new code may go. */
static LLVMValueRef low_of(struct narrow *n, LLVMValueRef v, LLVMValueRef v_before)
{
	uint32_t i = LLVMIsAInstruction(v) ? index_of(n, v) : NONE;

	if (is_chosen(n, i)) {
		if (!n->values[i].v_low)
			n->values[i].v_low = new_low(n, v);
		return n->values[i].v_low;
	}
	if (LLVMIsAConstantInt(v))
		return LLVMConstInt(n->t_i32, LLVMConstIntGetZExtValue(v) & LOW, false);
	LLVMPositionBuilderBefore(n->b, v_before);
	return LLVMBuildTrunc(n->b, v, n->t_i32, "");
}

static void fill_phi(struct narrow *n, const struct value *value)
{
	for (unsigned int i = 0; i < LLVMCountIncoming(value->v); i++) {
		LLVMBasicBlockRef block = LLVMGetIncomingBlock(value->v, i);
		LLVMValueRef v = low_of(n, LLVMGetIncomingValue(value->v, i),
					LLVMGetBasicBlockTerminator(block));

		LLVMAddIncoming(value->v_low, &v, &block, 1);
	}
}

/* What nobody looks at changes: promises about it no longer hold. */
static void drop_promises(LLVMValueRef v)
{
	switch (LLVMGetInstructionOpcode(v)) {
	case LLVMAdd:
	case LLVMSub:
	case LLVMMul:
	case LLVMShl:
	case LLVMTrunc:
		LLVMSetNUW(v, false);
		LLVMSetNSW(v, false);
		break;
	case LLVMLShr:
	case LLVMAShr:
	case LLVMUDiv:
	case LLVMSDiv:
		LLVMSetExact(v, false);
		break;
	case LLVMOr:
		LLVMSetIsDisjoint(v, false);
		break;
	default:
		break;
	}
}

static LLVMValueRef behind(LLVMValueRef v)
{
	LLVMValueRef v_next = LLVMGetNextInstruction(v);

	while (LLVMIsAPHINode(v_next))
		v_next = LLVMGetNextInstruction(v_next);
	return v_next;
}

static void replace(struct narrow *n)
{
	for (uint32_t i = 0; i < n->nr; i++)
		if (is_chosen(n, i) && LLVMIsAPHINode(n->values[i].v)) {
			LLVMPositionBuilderBefore(n->b, n->values[i].v);
			n->values[i].v_low = LLVMBuildPhi(n->b, n->t_i32, "");
		}
	for (uint32_t i = 0; i < n->nr; i++)
		if (is_chosen(n, i))
			low_of(n, n->values[i].v, n->values[i].v);
	for (uint32_t i = 0; i < n->nr; i++)
		if (is_chosen(n, i) && LLVMIsAPHINode(n->values[i].v))
			fill_phi(n, &n->values[i]);
	for (uint32_t i = 0; i < n->nr; i++) {
		struct value *value = &n->values[i];

		if (value->demanded != ALL)
			drop_promises(value->v);
		if (!is_chosen(n, i))
			continue;
		for (LLVMUseRef use = LLVMGetFirstUse(value->v); use; use = LLVMGetNextUse(use))
			drop_promises(LLVMGetUser(use));
		/* who is not narrow itself gets it with an upper half that it does not look at */
		LLVMPositionBuilderBefore(n->b, behind(value->v));
		LLVMReplaceAllUsesWith(value->v,
				       LLVMBuildZExt(n->b, value->v_low, n->t_i64, ""));
	}
}

/* ---- functions ---- */

static bool l_collect(struct narrow *n, LLVMValueRef v_fn)
{
	uint32_t max = 0;

	for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(v_fn); b; b = LLVMGetNextBasicBlock(b))
		for (LLVMValueRef v = LLVMGetFirstInstruction(b); v; v = LLVMGetNextInstruction(v))
			max += LLVMTypeOf(v) == n->t_i64;
	for (n->nr_slots = 16; n->nr_slots < 2 * max;)
		n->nr_slots *= 2;
	n->values = calloc(max + 1, sizeof(*n->values));
	n->queue = calloc(max + 1, sizeof(*n->queue));
	n->slots = malloc(n->nr_slots * sizeof(*n->slots));
	if (!n->values || !n->queue || !n->slots)
		return false;
	memset(n->slots, 0xff, n->nr_slots * sizeof(*n->slots));
	for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(v_fn); b; b = LLVMGetNextBasicBlock(b))
		for (LLVMValueRef v = LLVMGetFirstInstruction(b); v;
		     v = LLVMGetNextInstruction(v)) {
			uint32_t at = hash_of(v);

			if (LLVMTypeOf(v) != n->t_i64)
				continue;
			while (n->slots[at & (n->nr_slots - 1)] != NONE)
				at++;
			n->values[n->nr].v = v;
			n->slots[at & (n->nr_slots - 1)] = n->nr++;
		}
	return true;
}

static bool narrow_function(LLVMContextRef context, LLVMValueRef v_fn)
{
	struct narrow n = {
		.t_i32 = LLVMInt32TypeInContext(context),
		.t_i64 = LLVMInt64TypeInContext(context),
		.b = LLVMCreateBuilderInContext(context),
	};
	bool changed = false;

	/* without memory the code stays as it is */
	if (l_collect(&n, v_fn)) {
		find_demanded(&n, v_fn);
		changed = find_groups(&n);
		if (changed)
			replace(&n);
	}
	free(n.values);
	free(n.slots);
	free(n.queue);
	LLVMDisposeBuilder(n.b);
	return changed;
}

bool ll_narrow(LLVMModuleRef module)
{
	bool changed = false;

	for (LLVMValueRef v_fn = LLVMGetFirstFunction(module); v_fn;
	     v_fn = LLVMGetNextFunction(v_fn))
		if (!LLVMIsDeclaration(v_fn))
			changed |= narrow_function(LLVMGetModuleContext(module), v_fn);
	return changed;
}
