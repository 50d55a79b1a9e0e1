/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form in which range*.c compute: a number of `bits` bits (32 or 64; others inside of
 * sign extension) as a tnum and two unsigned intervals, of what has a clear sign bit and of what
 * has a set one. An unsigned and a signed interval of one number say exactly as much as these two
 * parts do, and each operation needs to look at intervals without a seam only.
 */
#ifndef INLAY_BPFCC_VERIFY_RANGE_NUM_H
#define INLAY_BPFCC_VERIFY_RANGE_NUM_H

#include "bpfcc/verify/range.h"

struct part {
	uint64_t lo, hi;	/* lo > hi: empty */
};

struct num {
	unsigned int bits;
	struct tnum tn;
	struct part part[2];	/* [0] sign bit clear, [1] set; values below 1 << bits */
};

static inline uint64_t num_mask(unsigned int bits)
{
	return ~(uint64_t)0 >> (64 - bits);
}

static inline uint64_t num_sign(unsigned int bits)
{
	return (uint64_t)1 << (bits - 1);
}

static inline int64_t num_signed(uint64_t x, unsigned int bits)
{
	return (int64_t)(x << (64 - bits)) >> (64 - bits);
}

static inline bool part_is_empty(struct part p)
{
	return p.lo > p.hi;
}

static inline bool num_is_empty(const struct num *n)
{
	return part_is_empty(n->part[0]) && part_is_empty(n->part[1]);
}

/* of a number that is not empty */
static inline uint64_t num_umin(const struct num *n)
{
	return n->part[part_is_empty(n->part[0])].lo;
}

static inline uint64_t num_umax(const struct num *n)
{
	return n->part[!part_is_empty(n->part[1])].hi;
}

static inline int64_t num_smin(const struct num *n)
{
	return num_signed(n->part[!part_is_empty(n->part[1])].lo, n->bits);
}

static inline int64_t num_smax(const struct num *n)
{
	return num_signed(n->part[part_is_empty(n->part[0])].hi, n->bits);
}

static inline bool num_is_const(const struct num *n)
{
	return !num_is_empty(n) && num_umin(n) == num_umax(n);
}

struct num num_none(unsigned int bits);	/* no number; its tnum is unknown */
struct num num_all(unsigned int bits);
/* Adds lo, lo + 1 ... hi, modulo 1 << bits: hi < lo goes over the seam. Less than a full circle. */
void num_add_arc(struct num *n, uint64_t lo, uint64_t hi);
void num_clip_u(struct num *n, uint64_t lo, uint64_t hi);
void num_clip_s(struct num *n, int64_t lo, int64_t hi);
/* what is in both, parts and bits */
void num_meet(struct num *n, const struct num *other);
/* x cannot be: trims the ends of the parts */
void num_exclude(struct num *n, uint64_t x);
/* Bits and parts tell each other what they know. */
void num_deduce(struct num *n);

/* between the forms; num_of: the whole (64) or the low half (32) */
struct num num_of(const struct range *r, unsigned int bits);
struct range range_of_num64(const struct num *n);
/* Narrows r to what holds of it (64) or of its low half (32); without range_deduce(). */
void range_narrow(struct range *r, const struct num *n);
struct range range_empty(void);

#endif /* INLAY_BPFCC_VERIFY_RANGE_NUM_H */
