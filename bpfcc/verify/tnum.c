/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic on tristate numbers. Every operation is sound: for each x of a and y of b, x OP y is
 * one of the result. add, sub, and, or, xor, union, intersect and the shifts are also the smallest
 * tnum that is.
 */
#include "bpfcc/verify/tnum.h"

static inline uint64_t low_bits(unsigned int bits)
{
	return bits >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << bits) - 1;
}

static inline struct tnum known_but(uint64_t value, uint64_t unknown)
{
	return (struct tnum){value & ~unknown, unknown};
}

struct tnum tnum_range(uint64_t min, uint64_t max)
{
	uint64_t differ = min ^ max;

	/* all bits from the first in which the ends differ take both values in between */
	return known_but(min, differ ? low_bits(64 - (unsigned int)__builtin_clzll(differ)) : 0);
}

struct tnum tnum_add(struct tnum a, struct tnum b)
{
	uint64_t least = a.value + b.value;
	uint64_t most = least + a.mask + b.mask;

	/* a carry into a bit is unknown where the sums with all and with no unknown bits differ */
	return known_but(least, (least ^ most) | a.mask | b.mask);
}

struct tnum tnum_sub(struct tnum a, struct tnum b)
{
	uint64_t middle = a.value - b.value;

	return known_but(middle,
			 ((middle + a.mask) ^ (middle - b.mask)) | a.mask | b.mask);
}

struct tnum tnum_and(struct tnum a, struct tnum b)
{
	uint64_t ones = a.value & b.value;
	uint64_t maybe = (a.value | a.mask) & (b.value | b.mask);

	return (struct tnum){ones, maybe & ~ones};
}

struct tnum tnum_or(struct tnum a, struct tnum b)
{
	uint64_t ones = a.value | b.value;

	return (struct tnum){ones, (a.mask | b.mask) & ~ones};
}

struct tnum tnum_xor(struct tnum a, struct tnum b)
{
	return known_but(a.value ^ b.value, a.mask | b.mask);
}

struct tnum tnum_union(struct tnum a, struct tnum b)
{
	return known_but(a.value, a.mask | b.mask | (a.value ^ b.value));
}

struct tnum tnum_intersect(struct tnum a, struct tnum b, bool *ret_is_empty)
{
	*ret_is_empty = (a.value ^ b.value) & ~a.mask & ~b.mask;
	return known_but(a.value | b.value, a.mask & b.mask);
}

/* Long multiplication; an unknown bit of a joins the sums with and without b. */
static struct tnum mul_by_bits(struct tnum a, struct tnum b)
{
	struct tnum sum = tnum_const(0);

	for (; a.value | a.mask; a = tnum_shr(a, 1), b = tnum_shl(b, 1)) {
		if (a.value & 1)
			sum = tnum_add(sum, b);
		else if (a.mask & 1)
			sum = tnum_union(sum, tnum_add(sum, b));
	}
	return sum;
}

struct tnum tnum_mul(struct tnum a, struct tnum b)
{
	struct tnum ab;
	bool is_empty;

	if (tnum_is_const(a) && tnum_is_const(b))
		return tnum_const(a.value * b.value);
	/* Which factor gives the bits matters to the precision: what both orders say holds. */
	ab = mul_by_bits(a, b);
	return tnum_intersect(ab, mul_by_bits(b, a), &is_empty);
}

struct tnum tnum_shl(struct tnum a, unsigned int shift)
{
	return (struct tnum){a.value << shift, a.mask << shift};
}

struct tnum tnum_shr(struct tnum a, unsigned int shift)
{
	return (struct tnum){a.value >> shift, a.mask >> shift};
}

struct tnum tnum_sar(struct tnum a, unsigned int shift, unsigned int bits)
{
	a = tnum_sign_extend(a, bits);
	a.value = (uint64_t)((int64_t)a.value >> shift) & low_bits(bits);
	a.mask = (uint64_t)((int64_t)a.mask >> shift) & low_bits(bits);
	return a;
}

struct tnum tnum_cast(struct tnum a, unsigned int bytes)
{
	return (struct tnum){a.value & low_bits(bytes * 8), a.mask & low_bits(bytes * 8)};
}

struct tnum tnum_sign_extend(struct tnum a, unsigned int bits)
{
	unsigned int above = 64 - bits;

	/* An unknown sign is a bit of the mask: extended, all bits above are unknown. */
	a.value = (uint64_t)((int64_t)(a.value << above) >> above);
	a.mask = (uint64_t)((int64_t)(a.mask << above) >> above);
	return a;
}

struct tnum tnum_bswap(struct tnum a, unsigned int bytes)
{
	unsigned int above = 64 - bytes * 8;

	return (struct tnum){__builtin_bswap64(a.value << above),
			     __builtin_bswap64(a.mask << above)};
}

bool tnum_holds(struct tnum a, struct tnum b)
{
	return !(b.mask & ~a.mask) && (b.value & ~a.mask) == a.value;
}

bool tnum_is_aligned(struct tnum a, uint64_t bytes)
{
	return !((a.value | a.mask) & (bytes - 1));
}
