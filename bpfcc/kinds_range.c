/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signed 64-bit intervals: arithmetic and comparisons. Each result holds every value that the
 * operation can give on values of the operands, which test_bpfcc_range.c tries out; where that is
 * not easily said it holds all. Constants are intervals of one value and always exact (RFC 9669
 * section 4.1).
 */
#include <byteswap.h>

#include "bpfcc/isa.h"
#include "bpfcc/kinds_int.h"

static const struct range all = {INT64_MIN, INT64_MAX};
static const struct range all_u32 = {0, UINT32_MAX};

static bool is_const(struct range r)
{
	return r.min == r.max;
}

/* ---- constants ---- */

static uint64_t divide(uint64_t a, uint64_t b, bool is64, bool is_signed, bool is_mod)
{
	int64_t sa = is64 ? (int64_t)a : (int32_t)a, sb = is64 ? (int64_t)b : (int32_t)b;

	if (!is64)
		a = (uint32_t)a, b = (uint32_t)b;
	if (!b)
		return is_mod ? a : 0;
	if (!is_signed)
		return is_mod ? a % b : a / b;
	if (sb == -1)
		return is_mod ? 0 : -(uint64_t)sa;
	return is_mod ? (uint64_t)(sa % sb) : (uint64_t)(sa / sb);
}

static uint64_t swap(const struct bpf_insn *in, uint64_t a)
{
	uint64_t cut = in->imm == 64 ? a : in->imm == 32 ? (uint32_t)a : (uint16_t)a;

	/* "to little-endian" only cuts: every host that Inlay supports is little-endian */
	if (BPF_CLASS(in->code) == BPF_ALU && BPF_SRC(in->code) == BPF_TO_LE)
		return cut;
	if (in->imm == 16)
		return bswap_16((uint16_t)a);
	return in->imm == 32 ? bswap_32((uint32_t)a) : bswap_64(a);
}

static uint64_t sign_extend(uint64_t a, int bits)
{
	return bits == 8    ? (uint64_t)(int8_t)a
	       : bits == 16 ? (uint64_t)(int16_t)a
			    : (uint64_t)(int32_t)a;
}

static uint64_t fold(const struct bpf_insn *in, uint64_t a, uint64_t b)
{
	bool is64 = BPF_CLASS(in->code) == BPF_ALU64;
	unsigned int shift = (unsigned int)b & (is64 ? 63 : 31);
	uint64_t r = 0;

	switch (BPF_OP(in->code)) {
	case BPF_END:
		return swap(in, a);
	case BPF_ADD:
		r = a + b;
		break;
	case BPF_SUB:
		r = a - b;
		break;
	case BPF_MUL:
		r = a * b;
		break;
	case BPF_DIV:
	case BPF_MOD:
		r = divide(a, b, is64, in->off == 1, BPF_OP(in->code) == BPF_MOD);
		break;
	case BPF_OR:
		r = a | b;
		break;
	case BPF_AND:
		r = a & b;
		break;
	case BPF_XOR:
		r = a ^ b;
		break;
	case BPF_NEG:
		r = -a;
		break;
	case BPF_MOV:
		r = BPF_SRC(in->code) == BPF_X && in->off ? sign_extend(b, in->off) : b;
		break;
	case BPF_LSH:
		r = a << shift;
		break;
	case BPF_RSH:
		r = (is64 ? a : (uint32_t)a) >> shift;
		break;
	case BPF_ARSH:
		r = is64 ? (uint64_t)((int64_t)a >> shift) : (uint64_t)((int32_t)a >> shift);
		break;
	}
	return is64 ? r : (uint32_t)r;
}

/* ---- intervals ---- */

/* All ones up to the highest bit of n >= 0. */
static int64_t fill_bits(int64_t n)
{
	return n ? (int64_t)(UINT64_MAX >> __builtin_clzll((uint64_t)n)) : 0;
}

static struct range bits(struct range a, struct range b, uint8_t op)
{
	struct range r = {0, 0};

	if (op == BPF_AND) {
		/* one operand without the sign bit clears it and all above its own bits */
		if (a.min < 0 && b.min < 0)
			return all;
		r.max = a.min < 0 ? b.max : b.min < 0 || a.max < b.max ? a.max : b.max;
		return r;
	}
	if (a.min < 0 || b.min < 0)
		return all;
	r.max = fill_bits(a.max > b.max ? a.max : b.max);
	return r;
}

static struct range shift_left(struct range a, int64_t by)
{
	if (a.min < 0 || a.max > INT64_MAX >> by)
		return all;
	return (struct range){a.min << by, a.max << by};
}

static struct range shift_right(struct range a, int64_t by)
{
	if (a.min >= 0)
		return (struct range){a.min >> by, a.max >> by};
	return by ? (struct range){0, (int64_t)(UINT64_MAX >> by)} : all;
}

/* Unsigned, by a constant that is not 0. */
static struct range divide_by(struct range a, int64_t by, bool is_mod)
{
	if (by <= 0)
		return all;
	if (is_mod)
		return a.min >= 0 && a.max < by ? a : (struct range){0, by - 1};
	if (a.min >= 0)
		return (struct range){a.min / by, a.max / by};
	return by == 1 ? all : (struct range){0, (int64_t)(UINT64_MAX / (uint64_t)by)};
}

static struct range multiply(struct range a, struct range b)
{
	struct range r;

	if (a.min < 0 || b.min < 0 || __builtin_mul_overflow(a.min, b.min, &r.min) ||
	    __builtin_mul_overflow(a.max, b.max, &r.max))
		return all;
	return r;
}

static struct range add(struct range a, struct range b)
{
	struct range r;

	if (__builtin_add_overflow(a.min, b.min, &r.min) ||
	    __builtin_add_overflow(a.max, b.max, &r.max))
		return all;
	return r;
}

static struct range subtract(struct range a, struct range b)
{
	struct range r;

	if (__builtin_sub_overflow(a.min, b.max, &r.min) ||
	    __builtin_sub_overflow(a.max, b.min, &r.max))
		return all;
	return r;
}

static struct range move(const struct bpf_insn *in, struct range a)
{
	int64_t limit;

	if (BPF_SRC(in->code) == BPF_K || !in->off)
		return a;
	limit = 1ll << (in->off - 1);
	return a.min >= -limit && a.max < limit ? a : (struct range){-limit, limit - 1};
}

/* As if on 64 bits, where the operands are known to fit. */
static struct range alu64(const struct bpf_insn *in, struct range a, struct range b)
{
	bool is_by_const = is_const(b) && b.min >= 0 && b.min < 64;

	switch (BPF_OP(in->code)) {
	case BPF_END:
		return in->imm == 64 ? all : (struct range){0, (1ll << in->imm) - 1};
	case BPF_MOV:
		return move(in, b);
	case BPF_ADD:
		return add(a, b);
	case BPF_SUB:
		return subtract(a, b);
	case BPF_MUL:
		return multiply(a, b);
	case BPF_DIV:
	case BPF_MOD:
		return in->off || !is_const(b) ? all
					       : divide_by(a, b.min, BPF_OP(in->code) == BPF_MOD);
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR:
		return bits(a, b, BPF_OP(in->code));
	case BPF_NEG:
		return subtract((struct range){0, 0}, a);
	case BPF_LSH:
		return is_by_const ? shift_left(a, b.min) : all;
	case BPF_RSH:
		if (is_by_const)
			return shift_right(a, b.min);
		return a.min >= 0 ? (struct range){0, a.max} : all;
	case BPF_ARSH:
		if (is_by_const)
			return (struct range){a.min >> b.min, a.max >> b.min};
		return a.min >= 0 ? (struct range){0, a.max} : all;
	}
	return all;
}

static struct range cut_u32(struct range r)
{
	return r.min >= 0 && r.max <= UINT32_MAX ? r : all_u32;
}

/*
 * 32 bits: operands are cut, the operation is tried on 64 bits, and what does not fit is any 32-bit
 * number. Where the sign is bit 31, operands must not have it.
 */
static struct range alu32(const struct bpf_insn *in, struct range a, struct range b)
{
	uint8_t op = BPF_OP(in->code);
	bool is_signed = op == BPF_ARSH || (op == BPF_MOV && in->off && BPF_SRC(in->code) == BPF_X);

	if (op == BPF_END)
		return alu64(in, a, b);
	a = cut_u32(a);
	/* a shift count is taken from the low bits, also of a constant: checked by encoding.c */
	b = cut_u32(b);
	if ((op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH) && is_const(b) && b.min >= 32)
		return all_u32;
	if (is_signed && (a.max > INT32_MAX || b.max > INT32_MAX))
		return all_u32;
	return cut_u32(alu64(in, a, b));
}

struct range kinds_range_alu(const struct bpf_insn *in, struct range dst, struct range src)
{
	bool needs_dst = BPF_OP(in->code) != BPF_MOV;

	if ((is_const(dst) || !needs_dst) && is_const(src)) {
		int64_t value = (int64_t)fold(in, (uint64_t)dst.min, (uint64_t)src.min);

		return (struct range){value, value};
	}
	return BPF_CLASS(in->code) == BPF_ALU64 ? alu64(in, dst, src) : alu32(in, dst, src);
}

/* ---- comparisons ---- */

enum relation { EQ, NE, LT, LE, GT, GE, ULT, ULE, UGT, UGE, SET, CLEAR };

static enum relation relation_of(uint8_t op, bool is_taken)
{
	switch (op) {
	case BPF_JEQ:
		return is_taken ? EQ : NE;
	case BPF_JNE:
		return is_taken ? NE : EQ;
	case BPF_JGT:
		return is_taken ? UGT : ULE;
	case BPF_JGE:
		return is_taken ? UGE : ULT;
	case BPF_JLT:
		return is_taken ? ULT : UGE;
	case BPF_JLE:
		return is_taken ? ULE : UGT;
	case BPF_JSGT:
		return is_taken ? GT : LE;
	case BPF_JSGE:
		return is_taken ? GE : LT;
	case BPF_JSLT:
		return is_taken ? LT : GE;
	case BPF_JSLE:
		return is_taken ? LE : GT;
	default:
		return is_taken ? SET : CLEAR;
	}
}

/* Unsigned relations as signed ones, where that is right; false: nothing is known. */
static bool make_signed(enum relation *relation, struct range *d, struct range s)
{
	switch (*relation) {
	case ULT:
	case ULE:
		/* below a number without the sign bit: has none itself */
		if (s.min < 0)
			return false;
		if (d->min < 0)
			d->min = 0;
		*relation = *relation == ULT ? LT : LE;
		return true;
	case UGT:
	case UGE:
		if (d->min < 0 || s.min < 0)
			return false;
		*relation = *relation == UGT ? GT : GE;
		return true;
	default:
		return true;
	}
}

static bool refine(enum relation relation, struct range *d, struct range s)
{
	if (!make_signed(&relation, d, s))
		return d->min <= d->max;
	switch (relation) {
	case EQ:
		d->min = d->min > s.min ? d->min : s.min;
		d->max = d->max < s.max ? d->max : s.max;
		break;
	case NE:
		if (!is_const(s))
			break;
		if (is_const(*d) && d->min == s.min)
			return false;
		d->min += d->min == s.min;
		d->max -= d->max == s.min;
		break;
	case LT:
		if (s.max == INT64_MIN)
			return false;
		d->max = d->max < s.max - 1 ? d->max : s.max - 1;
		break;
	case LE:
		d->max = d->max < s.max ? d->max : s.max;
		break;
	case GT:
		if (s.min == INT64_MAX)
			return false;
		d->min = d->min > s.min + 1 ? d->min : s.min + 1;
		break;
	case GE:
		d->min = d->min > s.min ? d->min : s.min;
		break;
	case SET:
	case CLEAR:
		if (is_const(*d) && is_const(s))
			return ((d->min & s.min) != 0) == (relation == SET);
		break;
	default:
		break;
	}
	return d->min <= d->max;
}

bool kinds_range_refine(const struct bpf_insn *in, bool is_taken, struct range *dst, struct range src)
{
	enum relation relation = relation_of(BPF_OP(in->code), is_taken);

	if (BPF_CLASS(in->code) == BPF_JMP)
		return refine(relation, dst, src);
	/* the low halves are compared: the whole is, where the high halves are 0 */
	if (is_const(*dst) && is_const(src)) {
		bool is_signed = relation >= LT && relation <= GE;
		struct range d, s;

		d.min = is_signed ? (int32_t)dst->min : (int64_t)(uint32_t)dst->min;
		s.min = is_signed ? (int32_t)src.min : (int64_t)(uint32_t)src.min;
		d.max = d.min;
		s.max = s.min;
		return refine(relation, &d, s);
	}
	if (dst->min < 0 || src.min < 0 || dst->max > UINT32_MAX || src.max > UINT32_MAX)
		return true;
	if (relation >= LT && relation <= GE && (dst->max > INT32_MAX || src.max > INT32_MAX))
		return true;
	return refine(relation, dst, src);
}
