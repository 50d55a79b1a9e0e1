/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conditional jumps over ranges: which way they go, and what both operands are known to be when
 * they went one way. JMP32 compares low halves and so narrows low halves.
 */
#include "bpfcc/isa.h"
#include "bpfcc/verify/range_ops.h"

/* The condition that holds when `op` does not; JSET has none and stays. */
static uint8_t opposite(uint8_t op)
{
	switch (op) {
	case BPF_JEQ:
		return BPF_JNE;
	case BPF_JNE:
		return BPF_JEQ;
	case BPF_JGT:
		return BPF_JLE;
	case BPF_JLE:
		return BPF_JGT;
	case BPF_JGE:
		return BPF_JLT;
	case BPF_JLT:
		return BPF_JGE;
	case BPF_JSGT:
		return BPF_JSLE;
	case BPF_JSLE:
		return BPF_JSGT;
	case BPF_JSGE:
		return BPF_JSLT;
	case BPF_JSLT:
		return BPF_JSGE;
	default:
		return op;
	}
}

/* a OP b as b OP' a */
static uint8_t turned(uint8_t op)
{
	switch (op) {
	case BPF_JGT:
		return BPF_JLT;
	case BPF_JLT:
		return BPF_JGT;
	case BPF_JGE:
		return BPF_JLE;
	case BPF_JLE:
		return BPF_JGE;
	case BPF_JSGT:
		return BPF_JSLT;
	case BPF_JSLT:
		return BPF_JSGT;
	case BPF_JSGE:
		return BPF_JSLE;
	case BPF_JSLE:
		return BPF_JSGE;
	default:
		return op;
	}
}

static unsigned int width_of(uint8_t code)
{
	return BPF_CLASS(code) == BPF_JMP ? 64 : 32;
}

/* Bits that both may have. */
static uint64_t common_bits(const struct num *a, const struct num *b)
{
	return (a->tn.value | a->tn.mask) & (b->tn.value | b->tn.mask);
}

static bool is_equal_possible(const struct range *dst, const struct range *src, unsigned int bits)
{
	struct range left = *dst;
	struct num right = num_of(src, bits);

	if (bits == 64) {
		left = range_meet(dst, src);
	} else {
		range_narrow(&left, &right);
		range_deduce(&left);
	}
	return !range_is_empty(&left);
}

static int branch_jset(const struct num *a, const struct num *b)
{
	struct num both;

	if (a->tn.value & b->tn.value)
		return 1;
	if (!common_bits(a, b))
		return 0;
	both = num_bitwise(BPF_AND, a, b);
	num_deduce(&both);
	return num_umin(&both) ? 1 : -1;
}

int range_branch(uint8_t code, const struct range *dst, const struct range *src)
{
	unsigned int bits = width_of(code);
	struct num a, b;

	if (range_is_empty(dst) || range_is_empty(src))
		return -1;
	a = num_of(dst, bits);
	b = num_of(src, bits);
	switch (BPF_OP(code)) {
	case BPF_JEQ:
	case BPF_JNE:
		if (num_is_const(&a) && num_is_const(&b) && num_umin(&a) == num_umin(&b))
			return BPF_OP(code) == BPF_JEQ;
		return is_equal_possible(dst, src, bits) ? -1 : BPF_OP(code) == BPF_JNE;
	case BPF_JSET:
		return branch_jset(&a, &b);
	case BPF_JGT:
		return num_umin(&a) > num_umax(&b) ? 1 : num_umax(&a) <= num_umin(&b) ? 0 : -1;
	case BPF_JGE:
		return num_umin(&a) >= num_umax(&b) ? 1 : num_umax(&a) < num_umin(&b) ? 0 : -1;
	case BPF_JLT:
		return num_umax(&a) < num_umin(&b) ? 1 : num_umin(&a) >= num_umax(&b) ? 0 : -1;
	case BPF_JLE:
		return num_umax(&a) <= num_umin(&b) ? 1 : num_umin(&a) > num_umax(&b) ? 0 : -1;
	case BPF_JSGT:
		return num_smin(&a) > num_smax(&b) ? 1 : num_smax(&a) <= num_smin(&b) ? 0 : -1;
	case BPF_JSGE:
		return num_smin(&a) >= num_smax(&b) ? 1 : num_smax(&a) < num_smin(&b) ? 0 : -1;
	case BPF_JSLT:
		return num_smax(&a) < num_smin(&b) ? 1 : num_smin(&a) >= num_smax(&b) ? 0 : -1;
	case BPF_JSLE:
		return num_smax(&a) <= num_smin(&b) ? 1 : num_smin(&a) > num_smax(&b) ? 0 : -1;
	default:
		return -1;
	}
}

static int64_t signed_least(unsigned int bits)
{
	return num_signed(num_sign(bits), bits);
}

/* What `a OP b`, an ordering, says of a. */
static struct num ordered(uint8_t op, const struct num *a, const struct num *b)
{
	unsigned int bits = a->bits;
	struct num n = *a;

	switch (op) {
	case BPF_JGT:
		if (num_umin(b) == num_mask(bits))
			return num_none(bits);
		num_clip_u(&n, num_umin(b) + 1, num_mask(bits));
		break;
	case BPF_JGE:
		num_clip_u(&n, num_umin(b), num_mask(bits));
		break;
	case BPF_JLT:
		if (!num_umax(b))
			return num_none(bits);
		num_clip_u(&n, 0, num_umax(b) - 1);
		break;
	case BPF_JLE:
		num_clip_u(&n, 0, num_umax(b));
		break;
	case BPF_JSGT:
		if (num_smin(b) == ~signed_least(bits))
			return num_none(bits);
		num_clip_s(&n, num_smin(b) + 1, ~signed_least(bits));
		break;
	case BPF_JSGE:
		num_clip_s(&n, num_smin(b), ~signed_least(bits));
		break;
	case BPF_JSLT:
		if (num_smax(b) == signed_least(bits))
			return num_none(bits);
		num_clip_s(&n, signed_least(bits), num_smax(b) - 1);
		break;
	default: /* JSLE */
		num_clip_s(&n, signed_least(bits), num_smax(b));
		break;
	}
	return n;
}

/* a and b have a bit in common: what that says of a */
static struct num share_a_bit(const struct num *a, const struct num *b)
{
	uint64_t common = common_bits(a, b);
	struct num n = *a;

	if (!common)
		return num_none(a->bits);
	/* a has one of `common`, so it is not below the lowest of them */
	num_clip_u(&n, common & -common, num_mask(a->bits));
	if (!(common & (common - 1))) {
		n.tn.value |= common;
		n.tn.mask &= ~common;
	}
	return n;
}

/* a and b have no bit in common: what that says of a */
static struct num share_no_bit(const struct num *a, const struct num *b)
{
	struct num n = *a;

	if (a->tn.value & b->tn.value)
		return num_none(a->bits);
	n.tn.mask &= ~b->tn.value;
	return n;
}

static struct num narrowed(uint8_t op, bool is_taken, const struct num *a, const struct num *b)
{
	struct num n = *a;

	switch (op) {
	case BPF_JSET:
		return is_taken ? share_a_bit(a, b) : share_no_bit(a, b);
	case BPF_JEQ:
		num_meet(&n, b);
		return n;
	case BPF_JNE:
		if (num_is_const(b))
			num_exclude(&n, num_umin(b));
		return n;
	default:
		return ordered(op, a, b);
	}
}

void range_refine(uint8_t code, bool is_taken, struct range *dst, struct range *src)
{
	unsigned int bits = width_of(code);
	uint8_t op = BPF_OP(code);
	struct num a, b, left, right;

	if (range_is_empty(dst) || range_is_empty(src)) {
		*dst = *src = range_empty();
		return;
	}
	if (!is_taken)
		op = opposite(op);
	if (op == BPF_JEQ && bits == 64) {
		/* equal numbers share what is known of their low halves too */
		*dst = *src = range_meet(dst, src);
		return;
	}
	a = num_of(dst, bits);
	b = num_of(src, bits);
	left = narrowed(op, is_taken, &a, &b);
	right = narrowed(turned(op), is_taken, &b, &a);
	range_narrow(dst, &left);
	range_narrow(src, &right);
	range_deduce(dst);
	range_deduce(src);
	/* one empty: control does not go here, for neither */
	if (range_is_empty(dst) || range_is_empty(src))
		*dst = *src = range_empty();
}
