/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dst OP src over ranges. Each operation is written once, for numbers of any width as parts
 * (range_num.h); 64-bit additions and their like run a second time on the low halves, of which the
 * result's low half is made alone. Division, shifts and the bitwise bounds are in range_ops.c.
 */
#include "bpfcc/isa.h"
#include "bpfcc/verify/range_ops.h"

typedef __int128 wide;

static struct tnum cut(struct tnum t, unsigned int bits)
{
	return (struct tnum){t.value & num_mask(bits), t.mask & num_mask(bits)};
}

/* Adds the numbers from lo to hi, which may be outside of the width: they wrap together. */
static void add_wide_arc(struct num *n, wide lo, wide hi)
{
	if (hi - lo >= (wide)num_mask(n->bits))
		num_add_arc(n, 0, num_mask(n->bits));
	else
		num_add_arc(n, (uint64_t)lo, (uint64_t)hi);
}

static struct num add(const struct num *a, const struct num *b)
{
	struct num n = num_none(a->bits);

	FOR_PARTS (x, a)
		FOR_PARTS (y, b)
			add_wide_arc(&n, (wide)x->lo + y->lo, (wide)x->hi + y->hi);
	n.tn = cut(tnum_add(a->tn, b->tn), n.bits);
	return n;
}

static struct num sub(const struct num *a, const struct num *b)
{
	struct num n = num_none(a->bits);

	FOR_PARTS (x, a)
		FOR_PARTS (y, b)
			add_wide_arc(&n, (wide)x->lo - y->hi, (wide)x->hi - y->lo);
	n.tn = cut(tnum_sub(a->tn, b->tn), n.bits);
	return n;
}

/*
 * Factors as signed numbers, then as unsigned ones: the product is the same modulo 2^bits, and which
 * reading gives the shorter span depends on the factors.
 */
static struct num mul(const struct num *a, const struct num *b)
{
	struct num n = num_none(a->bits), u = n;
	unsigned int bits = n.bits;

	FOR_PARTS (x, a) {
		FOR_PARTS (y, b) {
			wide xl = num_signed(x->lo, bits), xh = num_signed(x->hi, bits);
			wide yl = num_signed(y->lo, bits), yh = num_signed(y->hi, bits);
			wide p[4] = {xl * yl, xl * yh, xh * yl, xh * yh}, lo = p[0], hi = p[0];
			unsigned __int128 ulo, uhi;

			for (int i = 1; i < 4; i++) {
				lo = p[i] < lo ? p[i] : lo;
				hi = p[i] > hi ? p[i] : hi;
			}
			add_wide_arc(&n, lo, hi);
			ulo = (unsigned __int128)x->lo * y->lo;
			uhi = (unsigned __int128)x->hi * y->hi;
			if (uhi - ulo >= num_mask(bits))
				num_add_arc(&u, 0, num_mask(bits));
			else
				num_add_arc(&u, (uint64_t)ulo, (uint64_t)uhi);
		}
	}
	num_meet(&n, &u);
	n.tn = cut(tnum_mul(a->tn, b->tn), bits);
	return n;
}

static struct num modular(uint8_t op, const struct num *a, const struct num *b)
{
	struct num zero;

	switch (op) {
	case BPF_ADD:
		return add(a, b);
	case BPF_SUB:
		return sub(a, b);
	case BPF_MUL:
		return mul(a, b);
	case BPF_NEG:
		zero = num_none(a->bits);
		num_add_arc(&zero, 0, 0);
		zero.tn = tnum_const(0);
		return sub(&zero, a);
	default:
		return num_bitwise(op, a, b);
	}
}

static struct num other(uint8_t op, bool is_signed, const struct num *a, const struct num *b)
{
	switch (op) {
	case BPF_DIV:
		return is_signed ? num_sdiv(a, b) : num_udiv(a, b);
	case BPF_MOD:
		return is_signed ? num_smod(a, b) : num_umod(a, b);
	default:
		return num_shift(op, a, b);
	}
}

/* a 32-bit result fills the register with zeros above */
static struct range zero_extended(const struct num *low)
{
	struct num whole = num_none(64);
	struct range r;

	FOR_PARTS (p, low)
		num_add_arc(&whole, p->lo, p->hi);
	whole.tn = tnum_cast(low->tn, 4);
	r = range_of_num64(&whole);
	/* both parts of the low half lie in one of the whole's, which has no gap between them */
	range_narrow(&r, low);
	range_deduce(&r);
	return r;
}

static struct range sign_extended(const struct range *src, unsigned int from, unsigned int to)
{
	struct num whole = num_of(src, 64), low = num_of(src, 32), n = num_none(from);
	struct num half = n, r = num_none(to);
	uint64_t mask = num_mask(from);

	FOR_PARTS (p, &whole) {
		if (p->hi - p->lo >= mask)
			n = num_all(from);
		else
			num_add_arc(&n, p->lo, p->hi);
	}
	FOR_PARTS (p, &low) {
		if (p->hi - p->lo >= mask)
			half = num_all(from);
		else
			num_add_arc(&half, p->lo, p->hi);
	}
	num_meet(&n, &half);
	n.tn = cut(src->bits, from);
	num_deduce(&n);
	FOR_PARTS (p, &n)
		num_add_arc(&r, (uint64_t)num_signed(p->lo, from), (uint64_t)num_signed(p->hi, from));
	r.tn = cut(tnum_sign_extend(n.tn, from), to);
	return to == 32 ? zero_extended(&r) : range_of_num64(&r);
}

/* Conversions to or from an order of bytes; the machines that we compile for are little-endian. */
static struct range byte_order(uint8_t code, int32_t imm, const struct range *dst)
{
	unsigned int bytes = (unsigned int)imm / 8;
	bool swaps = BPF_CLASS(code) == BPF_ALU64 || BPF_SRC(code) == BPF_TO_BE;
	struct num n = num_all(64);

	if (!swaps && bytes == 8)
		return *dst;
	if (!swaps && bytes == 4) {
		n = num_of(dst, 32);
		return zero_extended(&n);
	}
	n.tn = swaps ? tnum_bswap(dst->bits, bytes) : tnum_cast(dst->bits, bytes);
	if (!swaps) {
		struct range low = range_const(num_mask(bytes * 8));

		return range_alu(BPF_ALU64 | BPF_AND, 0, 0, dst, &low);
	}
	return range_of_num64(&n);
}

static struct range move(bool is_wide, int16_t off, const struct range *src)
{
	struct num low;

	if (off)
		return sign_extended(src, (unsigned int)off, is_wide ? 64 : 32);
	if (is_wide)
		return *src;
	low = num_of(src, 32);
	return zero_extended(&low);
}

/*
 * Both operands are known, as the counters of loops are: the operation itself. False: one of those
 * that are not common enough for a second way.
 */
static bool known(uint8_t code, uint64_t x, uint64_t y, uint64_t *ret)
{
	bool is_wide = BPF_CLASS(code) == BPF_ALU64;
	unsigned int count = y & (is_wide ? 63 : 31);

	switch (BPF_OP(code)) {
	case BPF_ADD:
		*ret = x + y;
		break;
	case BPF_SUB:
		*ret = x - y;
		break;
	case BPF_MUL:
		*ret = x * y;
		break;
	case BPF_AND:
		*ret = x & y;
		break;
	case BPF_OR:
		*ret = x | y;
		break;
	case BPF_XOR:
		*ret = x ^ y;
		break;
	case BPF_LSH:
		*ret = x << count;
		break;
	case BPF_RSH:
		*ret = (is_wide ? x : (uint32_t)x) >> count;
		break;
	default:
		return false;
	}
	if (!is_wide)
		*ret = (uint32_t)*ret;
	return true;
}

struct range range_alu(uint8_t code, int16_t off, int32_t imm, const struct range *dst,
		       const struct range *src)
{
	bool is_wide = BPF_CLASS(code) == BPF_ALU64;
	unsigned int bits = is_wide ? 64 : 32;
	uint8_t op = BPF_OP(code);
	struct num a, b, n, low;
	struct range r;
	uint64_t value;

	if (range_is_const(dst) && range_is_const(src) && known(code, dst->umin, src->umin, &value))
		return range_const(value);
	if (op == BPF_MOV)
		return range_is_empty(src) ? range_empty() : move(is_wide, off, src);
	if (range_is_empty(dst))
		return range_empty();
	if (op == BPF_END)
		return byte_order(code, imm, dst);
	a = num_of(dst, bits);
	if (op == BPF_NEG) {
		b = a;
	} else {
		if (range_is_empty(src))
			return range_empty();
		b = num_of(src, bits);
	}
	if (op == BPF_DIV || op == BPF_MOD || op == BPF_RSH || op == BPF_ARSH) {
		n = other(op, off == 1, &a, &b);
		return is_wide ? range_of_num64(&n) : zero_extended(&n);
	}
	n = op == BPF_LSH ? num_shift(op, &a, &b) : modular(op, &a, &b);
	if (!is_wide)
		return zero_extended(&n);
	r = range_unknown();
	range_narrow(&r, &n);
	/* the low half of the result depends on the low halves only */
	a = num_of(dst, 32);
	b = op == BPF_NEG ? a : num_of(src, 32);
	if (op != BPF_LSH) {
		low = modular(op, &a, &b);
		range_narrow(&r, &low);
	} else if (range_is_const(src) && (src->umin & 63) < 32) {
		low = num_shift(op, &a, &b);
		range_narrow(&r, &low);
	}
	range_deduce(&r);
	return r;
}
