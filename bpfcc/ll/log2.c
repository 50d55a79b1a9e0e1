/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eBPF has no instruction for the position of the highest bit, so every histogram computes it by a
 * ladder of comparisons and shifts, some 35 dependent instructions. This file finds such
 * computations and replaces them by llvm.ctlz.
 *
 * Found by proof, not by pattern: a candidate is an expression of one value x, made of the few
 * operations below. It is evaluated over intervals, once for each position of x's highest bit (x in
 * [2^p, 2^(p+1) - 1]) and once for x = 0. If every class gives the single number p + c, and zero c,
 * then the expression equals c + (width - 1 - ctlz(x | 1)) for all x, however it was written. A
 * branch on x that leads there narrows what has to be shown.
 *
 * Nothing is removed here; what lost its users is left to the optimiser.
 */
#include "bpfcc/ll/log2.h"

#include <stdint.h>

#include "bpfcc/ll/util.h"

enum { MAX_NODES = 96, MAX_CANDIDATES = 16, MIN_COMPARISONS = 3 };

struct interval {
	uint64_t lo, hi;	/* unsigned, both inclusive */
};

/* One expression under evaluation; memo is cleared for each class of x. */
struct slice {
	LLVMValueRef v_x;
	struct interval x;
	uint32_t nr;
	LLVMValueRef v_nodes[MAX_NODES];
	struct interval memo[MAX_NODES];
};

static unsigned int width_of(LLVMValueRef v)
{
	LLVMTypeRef type = LLVMTypeOf(v);

	return LLVMGetTypeKind(type) == LLVMIntegerTypeKind ? LLVMGetIntTypeWidth(type) : 0;
}

static uint64_t mask_of(unsigned int width)
{
	return width >= 64 ? UINT64_MAX : (1ull << width) - 1;
}

static bool is_single(struct interval v)
{
	return v.lo == v.hi;
}

static bool eval(struct slice *s, LLVMValueRef v, struct interval *ret);

static bool eval_icmp(struct slice *s, LLVMValueRef v, struct interval *ret)
{
	LLVMIntPredicate predicate = LLVMGetICmpPredicate(v);
	unsigned int width = width_of(LLVMGetOperand(v, 0));
	struct interval a, b, swap;
	bool is_true, is_false;

	if (!width || width > 64 || !eval(s, LLVMGetOperand(v, 0), &a) ||
	    !eval(s, LLVMGetOperand(v, 1), &b))
		return false;
	if (predicate >= LLVMIntSGT) {
		/* numbers without sign bit compare alike either way */
		if ((a.hi | b.hi) > mask_of(width) >> 1)
			return false;
		predicate = predicate - LLVMIntSGT + LLVMIntUGT;
	}
	if (predicate == LLVMIntUGT || predicate == LLVMIntUGE) {
		swap = a;
		a = b;
		b = swap;
		predicate = predicate == LLVMIntUGT ? LLVMIntULT : LLVMIntULE;
	}
	switch (predicate) {
	case LLVMIntULT:
		is_true = a.hi < b.lo;
		is_false = a.lo >= b.hi;
		break;
	case LLVMIntULE:
		is_true = a.hi <= b.lo;
		is_false = a.lo > b.hi;
		break;
	case LLVMIntEQ:
	case LLVMIntNE:
		is_true = is_single(a) && is_single(b) && a.lo == b.lo;
		is_false = a.hi < b.lo || b.hi < a.lo;
		if (predicate == LLVMIntNE) {
			bool was_true = is_true;

			is_true = is_false;
			is_false = was_true;
		}
		break;
	default:
		return false;
	}
	ret->lo = is_true;
	ret->hi = !is_false;
	return true;
}

static bool eval_select(struct slice *s, LLVMValueRef v, struct interval *ret)
{
	struct interval condition, a, b;

	if (width_of(LLVMGetOperand(v, 0)) != 1 || !eval(s, LLVMGetOperand(v, 0), &condition))
		return false;
	/* the arm that is not taken may be anything, even what cannot be evaluated */
	if (is_single(condition))
		return eval(s, LLVMGetOperand(v, condition.lo ? 1 : 2), ret);
	if (!eval(s, LLVMGetOperand(v, 1), &a) || !eval(s, LLVMGetOperand(v, 2), &b))
		return false;
	ret->lo = a.lo < b.lo ? a.lo : b.lo;
	ret->hi = a.hi > b.hi ? a.hi : b.hi;
	return true;
}

static bool eval_binary(struct slice *s, LLVMValueRef v, struct interval *ret)
{
	uint64_t mask = mask_of(width_of(v));
	struct interval a, b;

	if (!eval(s, LLVMGetOperand(v, 0), &a) || !eval(s, LLVMGetOperand(v, 1), &b))
		return false;
	switch (LLVMGetInstructionOpcode(v)) {
	case LLVMShl:
		if (!is_single(b) || b.lo >= width_of(v) || a.hi > mask >> b.lo)
			return false;
		*ret = (struct interval){ a.lo << b.lo, a.hi << b.lo };
		return true;
	case LLVMLShr:
		if (!is_single(b) || b.lo >= width_of(v))
			return false;
		*ret = (struct interval){ a.lo >> b.lo, a.hi >> b.lo };
		return true;
	case LLVMAdd:
		if (a.hi > mask - b.hi)
			return false;
		*ret = (struct interval){ a.lo + b.lo, a.hi + b.hi };
		return true;
	case LLVMSub:
		if (a.lo < b.hi)
			return false;
		*ret = (struct interval){ a.lo - b.hi, a.hi - b.lo };
		return true;
	case LLVMOr:
		if (is_single(a) && is_single(b))
			*ret = (struct interval){ a.lo | b.lo, a.lo | b.lo };
		else if (!a.hi)
			*ret = b;
		else if (!b.hi)
			*ret = a;
		else
			return false;
		return true;
	case LLVMXor:
		if (!is_single(a) || !is_single(b))
			return false;
		*ret = (struct interval){ a.lo ^ b.lo, a.lo ^ b.lo };
		return true;
	case LLVMAnd:
		if (is_single(a) && is_single(b))
			*ret = (struct interval){ a.lo & b.lo, a.lo & b.lo };
		else if (is_single(b) && !(b.lo & (b.lo + 1)) && a.hi <= b.lo)
			*ret = a;
		else
			*ret = (struct interval){ 0, a.hi < b.hi ? a.hi : b.hi };
		return true;
	default:
		return false;
	}
}

static bool eval_inst(struct slice *s, LLVMValueRef v, struct interval *ret)
{
	switch (LLVMGetInstructionOpcode(v)) {
	case LLVMICmp:
		return eval_icmp(s, v, ret);
	case LLVMSelect:
		return eval_select(s, v, ret);
	case LLVMZExt:
		return eval(s, LLVMGetOperand(v, 0), ret);
	case LLVMTrunc:
		return eval(s, LLVMGetOperand(v, 0), ret) && ret->hi <= mask_of(width_of(v));
	case LLVMShl:
	case LLVMLShr:
	case LLVMAdd:
	case LLVMSub:
	case LLVMOr:
	case LLVMXor:
	case LLVMAnd:
		return eval_binary(s, v, ret);
	default:
		return false;
	}
}

static bool eval(struct slice *s, LLVMValueRef v, struct interval *ret)
{
	uint32_t i;

	if (v == s->v_x) {
		*ret = s->x;
		return true;
	}
	if (!width_of(v) || width_of(v) > 64)
		return false;
	if (LLVMIsAConstantInt(v)) {
		ret->lo = ret->hi = LLVMConstIntGetZExtValue(v);
		return true;
	}
	if (!LLVMIsAInstruction(v))
		return false;
	for (i = 0; i < s->nr; i++) {
		if (s->v_nodes[i] == v) {
			*ret = s->memo[i];
			return true;
		}
	}
	if (!eval_inst(s, v, ret) || s->nr == MAX_NODES)
		return false;
	s->v_nodes[s->nr] = v;
	s->memo[s->nr++] = *ret;
	return true;
}

/* The condition under which control first reached this block, if it has one way in. */
static LLVMValueRef guard_of(LLVMBasicBlockRef block, bool *ret_is_true)
{
	LLVMUseRef use = LLVMGetFirstUse(LLVMBasicBlockAsValue(block));
	LLVMValueRef v_branch;

	if (!use || LLVMGetNextUse(use))
		return NULL;
	v_branch = LLVMGetUser(use);
	if (!LLVMIsABranchInst(v_branch) || !LLVMIsConditional(v_branch))
		return NULL;
	*ret_is_true = LLVMGetSuccessor(v_branch, 0) == block;
	return LLVMGetCondition(v_branch);
}

/* Narrows x by `x < constant` or its negation, which holds where the expression is computed. */
static void narrow_by_guard(LLVMValueRef v_root, LLVMValueRef v_x, struct interval *x)
{
	bool is_true;
	LLVMValueRef v = guard_of(LLVMGetInstructionParent(v_root), &is_true);
	LLVMIntPredicate predicate;
	uint64_t limit;

	if (!v || !LLVMIsAICmpInst(v) || LLVMGetOperand(v, 0) != v_x ||
	    !LLVMIsAConstantInt(LLVMGetOperand(v, 1)))
		return;
	predicate = LLVMGetICmpPredicate(v);
	limit = LLVMConstIntGetZExtValue(LLVMGetOperand(v, 1));
	if (predicate == LLVMIntUGT && limit != UINT64_MAX) {
		limit++;
		is_true = !is_true;
	} else if (predicate != LLVMIntULT) {
		return;
	}
	if (is_true && limit && limit - 1 < x->hi)
		x->hi = limit - 1;
	else if (!is_true && limit > x->lo)
		x->lo = limit;
}

/* What x can be where v_root is computed, as far as its own instruction and a guard tell. */
static struct interval range_of(LLVMValueRef v_root, LLVMValueRef v_x)
{
	struct interval x = { 0, mask_of(width_of(v_x)) };
	LLVMValueRef v_by;

	if (LLVMIsAInstruction(v_x)) {
		v_by = LLVMGetNumOperands(v_x) > 1 ? LLVMGetOperand(v_x, 1) : NULL;
		switch (LLVMGetInstructionOpcode(v_x)) {
		case LLVMZExt:
			x.hi = mask_of(width_of(LLVMGetOperand(v_x, 0)));
			break;
		case LLVMAnd:
			if (LLVMIsAConstantInt(v_by))
				x.hi = LLVMConstIntGetZExtValue(v_by);
			break;
		case LLVMLShr:
			if (LLVMIsAConstantInt(v_by) &&
			    LLVMConstIntGetZExtValue(v_by) < width_of(v_x))
				x.hi >>= LLVMConstIntGetZExtValue(v_by);
			break;
		default:
			break;
		}
	}
	narrow_by_guard(v_root, v_x, &x);
	return x;
}

static bool eval_class(struct slice *s, LLVMValueRef v_root, uint64_t lo, uint64_t hi,
		       uint64_t *ret_value)
{
	struct interval result;

	s->nr = 0;
	s->x = (struct interval){ lo, hi };
	if (!eval(s, v_root, &result) || !is_single(result))
		return false;
	*ret_value = result.lo;
	return true;
}

/* Whether v_root = c + (position of the highest bit of v_x), and c for v_x = 0. */
static bool is_log2_of(struct slice *s, LLVMValueRef v_root, LLVMValueRef v_x, uint64_t *ret_c)
{
	struct interval x = range_of(v_root, v_x);
	unsigned int p, nr = 0;
	uint64_t value;

	s->v_x = v_x;
	if (!x.lo && !eval_class(s, v_root, 0, 0, ret_c))
		return false;
	for (p = 0; p < 64 && 1ull << p <= x.hi; p++) {
		uint64_t lo = 1ull << p, hi = lo + (lo - 1);

		if (hi < x.lo)
			continue;
		if (!eval_class(s, v_root, lo < x.lo ? x.lo : lo, hi < x.hi ? hi : x.hi, &value))
			return false;
		if (x.lo && !nr)
			*ret_c = value - p;
		if (value != *ret_c + p)
			return false;
		nr++;
	}
	return nr > 8; /* shorter ladders gain nothing */
}

/* The values that the expression compares or shifts: x is one of them. */
struct candidates {
	uint32_t nr_seen, nr_comparisons, nr;
	LLVMValueRef v_seen[MAX_NODES];
	LLVMValueRef v_x[MAX_CANDIDATES];
};

static void add_candidate(struct candidates *c, LLVMValueRef v)
{
	uint32_t i;

	if (LLVMIsAConstant(v) || width_of(v) < 32 || width_of(v) > 64)
		return;
	for (i = 0; i < c->nr; i++)
		if (c->v_x[i] == v)
			return;
	if (c->nr < MAX_CANDIDATES)
		c->v_x[c->nr++] = v;
}

static void gather(struct candidates *c, LLVMValueRef v)
{
	LLVMOpcode opcode;
	uint32_t i;
	int op;

	if (!LLVMIsAInstruction(v) || !width_of(v))
		return;
	for (i = 0; i < c->nr_seen; i++)
		if (c->v_seen[i] == v)
			return;
	if (c->nr_seen == MAX_NODES)
		return;
	c->v_seen[c->nr_seen++] = v;
	opcode = LLVMGetInstructionOpcode(v);
	switch (opcode) {
	case LLVMICmp:
		c->nr_comparisons++;
		add_candidate(c, LLVMGetOperand(v, 0));
		break;
	case LLVMLShr:
		add_candidate(c, LLVMGetOperand(v, 0));
		break;
	case LLVMSelect:
	case LLVMZExt:
	case LLVMTrunc:
	case LLVMShl:
	case LLVMAdd:
	case LLVMSub:
	case LLVMOr:
	case LLVMXor:
	case LLVMAnd:
		break;
	default:
		return;
	}
	for (op = 0; op < LLVMGetNumOperands(v); op++)
		gather(c, LLVMGetOperand(v, op));
}

static LLVMValueRef b_log2(LLVMBuilderRef b, LLVMModuleRef module, LLVMValueRef v_x, uint64_t c,
			   LLVMTypeRef result_type)
{
	static const char name[] = "llvm.ctlz";
	LLVMContextRef context = LLVMGetModuleContext(module);
	LLVMTypeRef type = LLVMTypeOf(v_x);
	unsigned int id = LLVMLookupIntrinsicID(name, sizeof(name) - 1);
	LLVMValueRef v_fn = LLVMGetIntrinsicDeclaration(module, id, &type, 1);
	LLVMValueRef v_args[2], v;

	v_args[0] = LLVMBuildOr(b, v_x, LLVMConstInt(type, 1, 0), "");
	v_args[1] = LLVMConstInt(LLVMInt1TypeInContext(context), 1, 0);
	v = LLVMBuildCall2(b, LLVMIntrinsicGetType(context, id, &type, 1), v_fn, v_args, 2, "");
	/* width - 1 is all ones: the exclusive or is the subtraction, and x86's bsr as it is */
	v = LLVMBuildXor(b, v, LLVMConstInt(type, LLVMGetIntTypeWidth(type) - 1, 0), "log2");
	v = LLVMBuildIntCast2(b, v, result_type, 0, "");
	return c ? LLVMBuildAdd(b, v, LLVMConstInt(result_type, c, 0), "") : v;
}

static bool replace(LLVMModuleRef module, LLVMValueRef v_root)
{
	struct candidates candidates = { 0 };
	struct slice slice;
	uint64_t c;
	uint32_t i;

	gather(&candidates, v_root);
	if (candidates.nr_comparisons < MIN_COMPARISONS || candidates.nr_seen == MAX_NODES)
		return false;
	for (i = 0; i < candidates.nr; i++) {
		LLVMBuilderRef b;
		LLVMValueRef v;

		if (!is_log2_of(&slice, v_root, candidates.v_x[i], &c))
			continue;
		b = LLVMCreateBuilderInContext(LLVMGetModuleContext(module));
		LLVMPositionBuilderBefore(b, v_root);
		v = b_log2(b, module, candidates.v_x[i], c, LLVMTypeOf(v_root));
		LLVMReplaceAllUsesWith(v_root, v);
		LLVMDisposeBuilder(b);
		return true;
	}
	return false;
}

/* The last operation of a ladder joins its steps. */
static bool is_root(LLVMValueRef v)
{
	switch (LLVMGetInstructionOpcode(v)) {
	case LLVMOr:
	case LLVMAdd:
	case LLVMSelect:
	case LLVMAnd:
		return LLVMGetFirstUse(v) && width_of(v) >= 8 && width_of(v) <= 64;
	default:
		return false;
	}
}

bool ll_recognise_log2(LLVMModuleRef module)
{
	LLVMValueRef v_fn, v;
	LLVMBasicBlockRef block;
	bool is_changed = false;

	for (v_fn = LLVMGetFirstFunction(module); v_fn; v_fn = LLVMGetNextFunction(v_fn)) {
		for (block = LLVMGetFirstBasicBlock(v_fn); block;
		     block = LLVMGetNextBasicBlock(block)) {
			/* backwards: the whole ladder before its parts */
			for (v = LLVMGetLastInstruction(block); v; v = LLVMGetPreviousInstruction(v))
				if (is_root(v) && replace(module, v))
					is_changed = true;
		}
	}
	return is_changed;
}

static bool is_ctlz(LLVMValueRef v)
{
	static const char name[] = "llvm.ctlz";

	return LLVMIsACallInst(v) && LLVMGetCalledValue(v) &&
	       LLVMIsAFunction(LLVMGetCalledValue(v)) &&
	       LLVMGetIntrinsicID(LLVMGetCalledValue(v)) ==
		       LLVMLookupIntrinsicID(name, sizeof(name) - 1);
}

/* (ctlz << s) ^ (width - 1 << s) to (ctlz ^ width - 1) << s; ctlz may have been made wider */
static void finish(LLVMBuilderRef b, LLVMValueRef v)
{
	LLVMValueRef v_shift = LLVMGetOperand(v, 0), v_mask = LLVMGetOperand(v, 1), v_ctlz, v_log2;
	uint64_t shift, width;

	if (!LLVMIsAConstantInt(v_mask) || !LLVMIsAInstruction(v_shift) ||
	    LLVMGetInstructionOpcode(v_shift) != LLVMShl ||
	    !LLVMIsAConstantInt(LLVMGetOperand(v_shift, 1)))
		return;
	v_ctlz = LLVMGetOperand(v_shift, 0);
	if (LLVMIsAZExtInst(v_ctlz))
		v_ctlz = LLVMGetOperand(v_ctlz, 0);
	if (!is_ctlz(v_ctlz))
		return;
	shift = LLVMConstIntGetZExtValue(LLVMGetOperand(v_shift, 1));
	width = LLVMGetIntTypeWidth(LLVMTypeOf(v_ctlz));
	if (shift > 32 || LLVMConstIntGetZExtValue(v_mask) != (width - 1) << shift)
		return;
	LLVMPositionBuilderBefore(b, v);
	v_log2 = LLVMBuildXor(b, v_ctlz, LLVMConstInt(LLVMTypeOf(v_ctlz), width - 1, 0), "log2");
	v_log2 = LLVMBuildIntCast2(b, v_log2, LLVMTypeOf(v), 0, "");
	LLVMReplaceAllUsesWith(v, LLVMBuildShl(b, v_log2, LLVMGetOperand(v_shift, 1), ""));
}

void ll_finish_log2(LLVMModuleRef module)
{
	LLVMBuilderRef b = LLVMCreateBuilderInContext(LLVMGetModuleContext(module));

	for (LLVMValueRef v_fn = LLVMGetFirstFunction(module); v_fn;
	     v_fn = LLVMGetNextFunction(v_fn))
		for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(v_fn); block;
		     block = LLVMGetNextBasicBlock(block))
			for (LLVMValueRef v = LLVMGetFirstInstruction(block); v;
			     v = LLVMGetNextInstruction(v))
				if (LLVMGetInstructionOpcode(v) == LLVMXor)
					finish(b, v);
	LLVMDisposeBuilder(b);
}
