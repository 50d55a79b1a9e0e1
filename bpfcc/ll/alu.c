/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic, moves, byte swaps and conditions (RFC 9669 section 4). Every operation is defined for
 * every operand, as the RFC says: division by zero, the overflow of signed division, shifts.
 */
#include "bpfcc/ll/impl.h"

#include <string.h>

#include "bpfcc/isa.h"

static bool is_wide(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_ALU64 || BPF_CLASS(insn->code) == BPF_JMP;
}

static LLVMValueRef l_narrow(struct lower_func *lf, LLVMValueRef v, bool wide)
{
	return wide ? v : LLVMBuildTrunc(lf->l->builder, v, lf->l->t_i32, "");
}

/* The source operand in the operation's width; immediates are sign-extended. */
static LLVMValueRef l_source(struct lower_func *lf, const struct bpf_insn *insn)
{
	bool wide = is_wide(insn);
	struct lower *l = lf->l;

	if (BPF_SRC(insn->code) == BPF_X)
		return l_narrow(lf, l_get_num(lf, insn->src_reg), wide);
	return LLVMConstInt(wide ? l->t_i64 : l->t_i32, (unsigned long long)(int64_t)insn->imm,
			    true);
}

/*
 * Division and modulo. By zero: the quotient is 0, the remainder the dividend. The most negative
 * number by -1: the quotient is itself, the remainder 0. LLVM's instructions are undefined there,
 * so the divisor is replaced by 1 and the result chosen afterwards.
 */
static LLVMValueRef l_divide(LLVMBuilderRef b, LLVMValueRef v_dst, LLVMValueRef v_src, bool mod,
			     bool is_signed)
{
	LLVMTypeRef t = LLVMTypeOf(v_dst);
	LLVMValueRef v_zero = LLVMConstInt(t, 0, false), v_one = LLVMConstInt(t, 1, false);
	LLVMValueRef v_minus = LLVMConstAllOnes(t);
	LLVMValueRef v_is_zero = LLVMBuildICmp(b, LLVMIntEQ, v_src, v_zero, "");
	LLVMValueRef v_is_minus = NULL, v_div, v_res;

	v_div = LLVMBuildSelect(b, v_is_zero, v_one, v_src, "");
	if (is_signed) {
		v_is_minus = LLVMBuildICmp(b, LLVMIntEQ, v_src, v_minus, "");
		v_div = LLVMBuildSelect(b, v_is_minus, v_one, v_div, "");
	}
	if (is_signed)
		v_res =
		    mod ? LLVMBuildSRem(b, v_dst, v_div, "") : LLVMBuildSDiv(b, v_dst, v_div, "");
	else
		v_res =
		    mod ? LLVMBuildURem(b, v_dst, v_div, "") : LLVMBuildUDiv(b, v_dst, v_div, "");
	if (is_signed)
		v_res = LLVMBuildSelect(b, v_is_minus, mod ? v_zero : LLVMBuildNeg(b, v_dst, ""),
					v_res, "");
	return LLVMBuildSelect(b, v_is_zero, mod ? v_dst : v_zero, v_res, "");
}

static LLVMValueRef l_bswap(struct lower *l, LLVMValueRef v)
{
	LLVMTypeRef t = LLVMTypeOf(v);
	unsigned int id = LLVMLookupIntrinsicID("llvm.bswap", strlen("llvm.bswap"));
	LLVMValueRef v_fn = LLVMGetIntrinsicDeclaration(l->module, id, &t, 1);

	return LLVMBuildCall2(l->builder, LLVMIntrinsicGetType(l->context, id, &t, 1), v_fn, &v, 1,
			      "");
}

/* le, be (class ALU) and bswap (class ALU64): truncates to imm bits, swaps or not, zero-extends. */
static int l_end(struct lower_func *lf, const struct bpf_insn *insn)
{
	struct lower *l = lf->l;
	bool swap = BPF_CLASS(insn->code) == BPF_ALU64 ||
		    (BPF_SRC(insn->code) == BPF_TO_BE) != l->is_big_endian;
	LLVMValueRef v;

	if (insn->imm != 16 && insn->imm != 32 && insn->imm != 64)
		return l_error(lf, NULL, "byte swap of %d bits", insn->imm);
	v = LLVMBuildTrunc(l->builder, l_get_num(lf, insn->dst_reg),
			   LLVMIntTypeInContext(l->context, (unsigned int)insn->imm), "");
	if (swap)
		v = l_bswap(l, v);
	l_set_num(lf, insn->dst_reg, LLVMBuildZExt(l->builder, v, l->t_i64, ""));
	return 0;
}

static int l_mov(struct lower_func *lf, const struct bpf_insn *insn)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	bool wide = is_wide(insn);
	LLVMValueRef v;

	if (bpfcc_insn_is_cast(insn))
		return l_cast(lf, insn);
	if (wide && BPF_SRC(insn->code) == BPF_X && insn->off == 0) {
		l_set_both(lf, insn->dst_reg, l_get_num(lf, insn->src_reg),
			   l_get_ptr(lf, insn->src_reg));
		return 0;
	}
	v = l_source(lf, insn);
	if (insn->off) { /* movsx */
		if (BPF_SRC(insn->code) != BPF_X ||
		    (insn->off != 8 && insn->off != 16 && !(wide && insn->off == 32)))
			return l_error(lf, NULL, "sign-extending move of %d bits", insn->off);
		v = LLVMBuildTrunc(b, v, LLVMIntTypeInContext(l->context, (unsigned int)insn->off),
				   "");
		v = LLVMBuildSExt(b, v, wide ? l->t_i64 : l->t_i32, "");
	}
	l_set_num(lf, insn->dst_reg, wide ? v : LLVMBuildZExt(b, v, l->t_i64, ""));
	return 0;
}

/*
 * 64-bit additions and subtractions keep the pointer view: the sum is a GEP on whichever operand is
 * the pointer. Without knowledge it is taken to be the destination: right as an address in any
 * case.
 */
static void l_add_sub(struct lower_func *lf, const struct bpf_insn *insn, LLVMValueRef v_src)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	bool sub = BPF_OP(insn->code) == BPF_SUB, is_reg = BPF_SRC(insn->code) == BPF_X;
	const struct bpfcc_reg *dst = l_kind(lf, lf->insn, insn->dst_reg);
	const struct bpfcc_reg *src = is_reg ? l_kind(lf, lf->insn, insn->src_reg) : NULL;
	bool is_src_base = src && bpfcc_kind_is_pointer(src) && !bpfcc_kind_is_pointer(dst);
	LLVMValueRef v_dst = l_get_num(lf, insn->dst_reg), v_num, v_base, v_off;

	v_num = sub ? LLVMBuildSub(b, v_dst, v_src, "") : LLVMBuildAdd(b, v_dst, v_src, "");
	/* which operand is the pointer differs between paths, or the result is none */
	if ((dst && dst->kind == BPFCC_KIND_MIXED) || (src && src->kind == BPFCC_KIND_MIXED) ||
	    (is_src_base && sub) ||
	    (src && bpfcc_kind_is_pointer(src) && bpfcc_kind_is_pointer(dst))) {
		l_set_num(lf, insn->dst_reg, v_num);
		return;
	}
	v_base = l_get_ptr(lf, is_src_base ? insn->src_reg : insn->dst_reg);
	v_off = is_src_base ? v_dst : v_src;
	if (sub)
		v_off = LLVMBuildNeg(b, v_off, "");
	v_base = LLVMBuildGEP2(b, l->t_i8, v_base, &v_off, 1, "");
	if (is_src_base || (dst && bpfcc_kind_is_pointer(dst)))
		l_set_ptr(lf, insn->dst_reg, v_base);
	else
		l_set_both(lf, insn->dst_reg, v_num, v_base);
}

static LLVMValueRef l_shift(LLVMBuilderRef b, LLVMValueRef v_dst, LLVMValueRef v_src, int op)
{
	LLVMTypeRef t = LLVMTypeOf(v_dst);

	v_src = LLVMBuildAnd(b, v_src, LLVMConstInt(t, LLVMGetIntTypeWidth(t) - 1, false), "");
	switch (op) {
	case BPF_LSH:
		return LLVMBuildShl(b, v_dst, v_src, "");
	case BPF_RSH:
		return LLVMBuildLShr(b, v_dst, v_src, "");
	default:
		return LLVMBuildAShr(b, v_dst, v_src, "");
	}
}

int l_alu(struct lower_func *lf, const struct bpf_insn *insn)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	bool wide = is_wide(insn);
	int op = BPF_OP(insn->code);
	LLVMValueRef v_dst, v_src, v;

	if (op == BPF_END)
		return l_end(lf, insn);
	if (op == BPF_MOV)
		return l_mov(lf, insn);
	v_src = l_source(lf, insn);
	if (wide && (op == BPF_ADD || op == BPF_SUB)) {
		l_add_sub(lf, insn, v_src);
		l_arena_result(lf, insn);
		return 0;
	}
	v_dst = l_narrow(lf, l_get_num(lf, insn->dst_reg), wide);
	switch (op) {
	case BPF_ADD:
		v = LLVMBuildAdd(b, v_dst, v_src, "");
		break;
	case BPF_SUB:
		v = LLVMBuildSub(b, v_dst, v_src, "");
		break;
	case BPF_MUL:
		v = LLVMBuildMul(b, v_dst, v_src, "");
		break;
	case BPF_DIV:
	case BPF_MOD:
		if (insn->off != 0 && insn->off != 1)
			return l_error(lf, NULL, "division with offset %d", insn->off);
		v = l_divide(b, v_dst, v_src, op == BPF_MOD, insn->off == 1);
		break;
	case BPF_OR:
		v = LLVMBuildOr(b, v_dst, v_src, "");
		break;
	case BPF_AND:
		v = LLVMBuildAnd(b, v_dst, v_src, "");
		break;
	case BPF_XOR:
		v = LLVMBuildXor(b, v_dst, v_src, "");
		break;
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH:
		v = l_shift(b, v_dst, v_src, op);
		break;
	case BPF_NEG:
		v = LLVMBuildNeg(b, v_dst, "");
		break;
	default:
		return l_error(lf, NULL, "unknown arithmetic opcode 0x%02x", insn->code);
	}
	l_set_num(lf, insn->dst_reg, wide ? v : LLVMBuildZExt(b, v, l->t_i64, ""));
	l_arena_result(lf, insn);
	return 0;
}

/*
 * The i1 of a conditional jump; NULL if it is none. Comparisons of a pointer with an immediate (a
 * null check) are made on the pointer view, so that they fold when the pointer is a link-time
 * address.
 */
LLVMValueRef l_condition(struct lower_func *lf, const struct bpf_insn *insn)
{
	static const struct {
		uint8_t op;
		LLVMIntPredicate predicate;
	} table[] = {
	    {BPF_JEQ, LLVMIntEQ},   {BPF_JNE, LLVMIntNE},   {BPF_JGT, LLVMIntUGT},
	    {BPF_JGE, LLVMIntUGE},  {BPF_JLT, LLVMIntULT},  {BPF_JLE, LLVMIntULE},
	    {BPF_JSGT, LLVMIntSGT}, {BPF_JSGE, LLVMIntSGE}, {BPF_JSLT, LLVMIntSLT},
	    {BPF_JSLE, LLVMIntSLE},
	};
	LLVMBuilderRef b = lf->l->builder;
	bool wide = is_wide(insn);
	int op = BPF_OP(insn->code);
	LLVMValueRef v_dst, v_src;

	if (wide && BPF_SRC(insn->code) == BPF_K && insn->imm == 0 &&
	    (op == BPF_JEQ || op == BPF_JNE)) {
		const struct bpfcc_reg *dst = l_kind(lf, lf->insn, insn->dst_reg);

		if (dst && bpfcc_kind_is_pointer(dst))
			return LLVMBuildICmp(b, op == BPF_JEQ ? LLVMIntEQ : LLVMIntNE,
					     l_get_ptr(lf, insn->dst_reg),
					     LLVMConstNull(lf->l->t_ptr), "");
	}
	v_dst = l_narrow(lf, l_get_num(lf, insn->dst_reg), wide);
	v_src = l_source(lf, insn);
	if (op == BPF_JSET)
		return LLVMBuildICmp(b, LLVMIntNE, LLVMBuildAnd(b, v_dst, v_src, ""),
				     LLVMConstInt(LLVMTypeOf(v_dst), 0, false), "");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].op == op)
			return LLVMBuildICmp(b, table[i].predicate, v_dst, v_src, "");
	return NULL;
}
