/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounds of bitwise operations, shifts, divisions and remainders of numbers given as parts.
 *
 * Bitwise bounds are exact for intervals. They are found from the top bit down: where the operands'
 * bits may still be chosen, the choice that helps the result is taken if the rest of the interval
 * allows it, which leaves all bits below free.
 */
#include <linux/bpf.h>

#include "bpfcc/verify/range_ops.h"

static unsigned int top_bit(uint64_t x)
{
	return 63 - (unsigned int)__builtin_clzll(x);
}

/*
 * The least x | y: raising x (or y) at a bit that the other has anyway, and clearing what is below,
 * costs nothing and saves x's lower bits. The first bit where it is possible is the best one.
 */
static uint64_t least_or(struct part x, struct part y)
{
	for (uint64_t open = x.lo ^ y.lo; open;) {
		uint64_t bit = (uint64_t)1 << top_bit(open);
		struct part *p = x.lo & bit ? &y : &x;
		uint64_t raised = (p->lo | bit) & -bit;

		if (raised <= p->hi) {
			p->lo = raised;
			break;
		}
		open &= ~bit;
	}
	return x.lo | y.lo;
}

/*
 * The greatest x | y: where both upper ends have a bit, one of them is enough; lowering the other
 * there lets all of its bits below be set.
 */
static uint64_t greatest_or(struct part x, struct part y)
{
	for (uint64_t both = x.hi & y.hi; both;) {
		uint64_t bit = (uint64_t)1 << top_bit(both);
		uint64_t low_x = (x.hi - bit) | (bit - 1), low_y = (y.hi - bit) | (bit - 1);

		if (low_x >= x.lo) {
			x.hi = low_x;
			break;
		}
		if (low_y >= y.lo) {
			y.hi = low_y;
			break;
		}
		both &= ~bit;
	}
	return x.hi | y.hi;
}

/* The least x ^ y: bits that differ are made equal from the top down. */
static uint64_t least_xor(struct part x, struct part y)
{
	for (uint64_t open = x.lo ^ y.lo; open;) {
		uint64_t bit = (uint64_t)1 << top_bit(open);
		struct part *p = x.lo & bit ? &y : &x;
		uint64_t raised = (p->lo | bit) & -bit;

		if (raised <= p->hi)
			p->lo = raised;
		/* lower bits of p changed: look again at all of them */
		open = (x.lo ^ y.lo) & (bit - 1);
	}
	return x.lo ^ y.lo;
}

static uint64_t greatest_xor(struct part x, struct part y)
{
	for (uint64_t both = x.hi & y.hi; both;) {
		uint64_t bit = (uint64_t)1 << top_bit(both);
		uint64_t low_x = (x.hi - bit) | (bit - 1), low_y = (y.hi - bit) | (bit - 1);

		if (low_x >= x.lo)
			x.hi = low_x;
		else if (low_y >= y.lo)
			y.hi = low_y;
		both = x.hi & y.hi & (bit - 1);
	}
	return x.hi ^ y.hi;
}

static struct part complement(struct part p)
{
	return (struct part){~p.hi, ~p.lo};
}

struct num num_bitwise(uint8_t op, const struct num *a, const struct num *b)
{
	struct num n = num_none(a->bits);

	FOR_PARTS (x, a) {
		FOR_PARTS (y, b) {
			struct part r;

			if (op == BPF_OR) {
				r = (struct part){least_or(*x, *y), greatest_or(*x, *y)};
			} else if (op == BPF_AND) {
				struct part nx = complement(*x), ny = complement(*y);

				r = (struct part){~greatest_or(nx, ny), ~least_or(nx, ny)};
			} else {
				r = (struct part){least_xor(*x, *y), greatest_xor(*x, *y)};
			}
			num_add_arc(&n, r.lo, r.hi);
		}
	}
	n.tn = op == BPF_OR	 ? tnum_or(a->tn, b->tn)
	       : op == BPF_AND ? tnum_and(a->tn, b->tn)
			       : tnum_xor(a->tn, b->tn);
	return n;
}

static struct num shift_by(uint8_t op, const struct num *a, unsigned int count)
{
	struct num n = num_none(a->bits);
	uint64_t mask = num_mask(n.bits);

	FOR_PARTS (p, a) {
		switch (op) {
		case BPF_LSH:
			/* a span that fits is moved as a whole, over the seam if need be */
			if (p->hi - p->lo <= mask >> count)
				num_add_arc(&n, p->lo << count, p->hi << count);
			else
				num_add_arc(&n, 0, mask);
			break;
		case BPF_RSH:
			num_add_arc(&n, p->lo >> count, p->hi >> count);
			break;
		default:
			num_add_arc(&n, (uint64_t)(num_signed(p->lo, n.bits) >> count),
				    (uint64_t)(num_signed(p->hi, n.bits) >> count));
		}
	}
	n.tn = op == BPF_LSH   ? tnum_shl(a->tn, count)
	       : op == BPF_RSH ? tnum_shr(a->tn, count)
			       : tnum_sar(a->tn, count, n.bits);
	n.tn.value &= mask;
	n.tn.mask &= mask;
	num_deduce(&n);
	return n;
}

/* `count`, masked, is a value that b's low bits can have */
static bool may_count(const struct num *b, unsigned int count)
{
	unsigned int top = b->bits - 1;

	if ((count & ~b->tn.mask & top) != (b->tn.value & top))
		return false;
	FOR_PARTS (p, b)
		if (((count - p->lo) & top) <= p->hi - p->lo)
			return true;
	return false;
}

struct num num_shift(uint8_t op, const struct num *a, const struct num *b)
{
	struct num n = num_none(a->bits);
	bool is_first = true;

	for (unsigned int count = 0; count < n.bits; count++) {
		struct num one;

		if (!may_count(b, count))
			continue;
		one = shift_by(op, a, count);
		FOR_PARTS (p, &one)
			num_add_arc(&n, p->lo, p->hi);
		n.tn = is_first ? one.tn : tnum_union(n.tn, one.tn);
		is_first = false;
	}
	return n;
}

static bool may_be_zero(const struct num *n)
{
	return !part_is_empty(n->part[0]) && !n->part[0].lo && !n->tn.value;
}

static bool is_power_of_two(uint64_t x)
{
	return x && !(x & (x - 1));
}

struct num num_udiv(const struct num *a, const struct num *b)
{
	struct num n = num_none(a->bits);

	n.tn = (struct tnum){0, num_mask(n.bits)};
	FOR_PARTS (y, b) {
		uint64_t least = y->lo ? y->lo : 1;

		if (y->hi)
			FOR_PARTS (x, a)
				num_add_arc(&n, x->lo / y->hi, x->hi / least);
	}
	if (may_be_zero(b))
		num_add_arc(&n, 0, 0);
	else if (num_is_const(b) && is_power_of_two(num_umin(b)))
		n.tn = tnum_shr(a->tn, top_bit(num_umin(b)));
	return n;
}

/*
 * a - q * b keeps the bits of a below the lowest bit that b can have, whatever q is: also for b = 0,
 * where the result is a.
 */
static struct tnum remainder_bits(const struct num *a, const struct num *b)
{
	uint64_t maybe = b->tn.value | b->tn.mask, mask = num_mask(a->bits), below;

	below = maybe ? (maybe & -maybe) - 1 : mask;
	return (struct tnum){a->tn.value & below, (a->tn.mask & below) | (mask & ~below)};
}

struct num num_umod(const struct num *a, const struct num *b)
{
	struct num n = num_none(a->bits);

	FOR_PARTS (x, a) {
		FOR_PARTS (y, b) {
			uint64_t d = y->lo;

			if (!d || x->hi < d) {
				/* a itself: divided by 0, or less than every divisor */
				num_add_arc(&n, x->lo, x->hi);
				if (d || !y->hi)
					continue;
				d = 1;
			}
			if (d == y->hi && x->lo / d == x->hi / d)
				num_add_arc(&n, x->lo % d, x->hi % d);
			else
				num_add_arc(&n, 0, y->hi - 1 < x->hi ? y->hi - 1 : x->hi);
		}
	}
	n.tn = remainder_bits(a, b);
	if (num_is_const(b) && is_power_of_two(num_umin(b)))
		n.tn = tnum_and(a->tn, tnum_const(num_umin(b) - 1));
	return n;
}

/* Quotients that round to 0, of intervals of signed numbers; the divisors have one sign. */
static void add_quotients(struct num *n, __int128 xl, __int128 xh, __int128 yl, __int128 yh)
{
	__int128 q[4] = {xl / yl, xl / yh, xh / yl, xh / yh}, lo = q[0], hi = q[0];

	for (int i = 1; i < 4; i++) {
		lo = q[i] < lo ? q[i] : lo;
		hi = q[i] > hi ? q[i] : hi;
	}
	/* the least number / -1 is one more than the greatest: it wraps, with its neighbours */
	num_add_arc(n, (uint64_t)lo, (uint64_t)hi);
}

struct num num_sdiv(const struct num *a, const struct num *b)
{
	struct num n = num_none(a->bits);
	unsigned int bits = n.bits;

	n.tn = (struct tnum){0, num_mask(bits)};
	FOR_PARTS (y, b) {
		int64_t yl = num_signed(y->lo, bits), yh = num_signed(y->hi, bits);

		if (!yl)
			yl = 1;
		if (yl > yh)
			continue;
		FOR_PARTS (x, a)
			add_quotients(&n, num_signed(x->lo, bits), num_signed(x->hi, bits), yl, yh);
	}
	if (may_be_zero(b))
		num_add_arc(&n, 0, 0);
	return n;
}

/* a's sign, and less than the divisor without its sign */
static void add_remainders(struct num *n, int64_t xl, int64_t xh, int64_t yl, int64_t yh)
{
	/* magnitudes in 128 bits: that of the least number is not one of its width */
	__int128 most = (yl < 0 ? -(__int128)yl : yh) - 1, least = (yl < 0 ? -(__int128)yh : yl);
	__int128 lo = xl, hi = xh;

	if (xl > -least && xh < least) {
		num_add_arc(n, (uint64_t)xl, (uint64_t)xh);
		return;
	}
	if (yl == yh && lo / yl == hi / yl) {
		num_add_arc(n, (uint64_t)(lo % yl), (uint64_t)(hi % yl));
		return;
	}
	if (xh < 0) {
		lo = lo < -most ? -most : lo;
		hi = 0;
	} else {
		lo = 0;
		hi = hi > most ? most : hi;
	}
	num_add_arc(n, (uint64_t)lo, (uint64_t)hi);
}

struct num num_smod(const struct num *a, const struct num *b)
{
	struct num n = num_none(a->bits);
	unsigned int bits = n.bits;

	FOR_PARTS (y, b) {
		int64_t yl = num_signed(y->lo, bits), yh = num_signed(y->hi, bits);

		if (!yl) {
			FOR_PARTS (x, a)
				num_add_arc(&n, x->lo, x->hi);
			yl = 1;
		}
		if (yl > yh)
			continue;
		FOR_PARTS (x, a)
			add_remainders(&n, num_signed(x->lo, bits), num_signed(x->hi, bits), yl,
				       yh);
	}
	n.tn = remainder_bits(a, b);
	return n;
}
