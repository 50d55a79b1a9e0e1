/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges as sets: making, comparing, joining, and the deductions between a number and its low half.
 * Every range that a function here gives is deduced. Sound: no number is lost; closed: deducing
 * again changes nothing.
 */
#include "bpfcc/verify/range_num.h"

struct range range_unknown(void)
{
	return (struct range){TNUM_UNKNOWN, 0,		UINT64_MAX, INT64_MIN, INT64_MAX,
			      0,	    UINT32_MAX, INT32_MIN,  INT32_MAX};
}

struct range range_empty(void)
{
	/* one form for all; the bits that contradict themselves hold no number either */
	return (struct range){{UINT64_MAX, UINT64_MAX}, 1, 0, 1, 0, 1, 0, 1, 0};
}

struct range range_const(uint64_t value)
{
	uint32_t low = (uint32_t)value;

	return (struct range){tnum_const(value), value, value, (int64_t)value, (int64_t)value,
			      low, low, (int32_t)low, (int32_t)low};
}

struct range range_between_u(uint64_t low, uint64_t high)
{
	struct range r = range_unknown();

	if (low > high)
		return range_between_s((int64_t)low, (int64_t)high);
	r.umin = low;
	r.umax = high;
	range_deduce(&r);
	return r;
}

struct range range_between_s(int64_t low, int64_t high)
{
	struct range r = range_unknown();

	r.smin = low;
	r.smax = high;
	range_deduce(&r);
	return r;
}

struct range range_of_load(unsigned int bytes, bool is_signed)
{
	uint64_t mask = num_mask(bytes * 8);

	if (is_signed)
		return range_between_s(-(int64_t)(mask >> 1) - 1, (int64_t)(mask >> 1));
	return range_between_u(0, mask);
}

bool range_equal(const struct range *a, const struct range *b)
{
	/* called for every pair of states: differences are collected, without a branch for each */
	return !((a->bits.value ^ b->bits.value) | (a->bits.mask ^ b->bits.mask) |
		 (a->umin ^ b->umin) | (a->umax ^ b->umax) |
		 (uint64_t)((a->smin ^ b->smin) | (a->smax ^ b->smax)) |
		 ((a->u32_min ^ b->u32_min) | (a->u32_max ^ b->u32_max)) |
		 (uint32_t)((a->s32_min ^ b->s32_min) | (a->s32_max ^ b->s32_max)));
}

bool range_is_unknown(const struct range *r)
{
	struct range all = range_unknown();

	return !~r->bits.mask && range_equal(r, &all);
}

bool range_is_empty(const struct range *r)
{
	return r->umin > r->umax || r->smin > r->smax || r->u32_min > r->u32_max ||
	       r->s32_min > r->s32_max || (r->bits.value & r->bits.mask);
}

bool range_has(const struct range *r, uint64_t x)
{
	uint32_t low = (uint32_t)x;

	return tnum_has(r->bits, x) && x >= r->umin && x <= r->umax && (int64_t)x >= r->smin &&
	       (int64_t)x <= r->smax && low >= r->u32_min && low <= r->u32_max &&
	       (int32_t)low >= r->s32_min && (int32_t)low <= r->s32_max;
}

bool range_holds(const struct range *a, const struct range *b)
{
	if (range_is_empty(b))
		return true;
	if (range_is_empty(a))
		return false;
	return tnum_holds(a->bits, b->bits) && a->umin <= b->umin && a->umax >= b->umax &&
	       a->smin <= b->smin && a->smax >= b->smax && a->u32_min <= b->u32_min &&
	       a->u32_max >= b->u32_max && a->s32_min <= b->s32_min && a->s32_max >= b->s32_max;
}

#define LEAST(a, b) ((a) < (b) ? (a) : (b))
#define MOST(a, b) ((a) > (b) ? (a) : (b))

struct range range_join(const struct range *a, const struct range *b)
{
	struct range r;

	if (range_is_empty(a))
		return *b;
	if (range_is_empty(b))
		return *a;
	r = (struct range){
	    .bits = tnum_union(a->bits, b->bits),
	    .umin = LEAST(a->umin, b->umin),
	    .umax = MOST(a->umax, b->umax),
	    .smin = LEAST(a->smin, b->smin),
	    .smax = MOST(a->smax, b->smax),
	    .u32_min = LEAST(a->u32_min, b->u32_min),
	    .u32_max = MOST(a->u32_max, b->u32_max),
	    .s32_min = LEAST(a->s32_min, b->s32_min),
	    .s32_max = MOST(a->s32_max, b->s32_max),
	};
	range_deduce(&r);
	return r;
}

struct range range_meet(const struct range *a, const struct range *b)
{
	struct range r;
	bool is_empty;

	if (range_is_empty(a) || range_is_empty(b))
		return range_empty();
	r = (struct range){
	    .bits = tnum_intersect(a->bits, b->bits, &is_empty),
	    .umin = MOST(a->umin, b->umin),
	    .umax = LEAST(a->umax, b->umax),
	    .smin = MOST(a->smin, b->smin),
	    .smax = LEAST(a->smax, b->smax),
	    .u32_min = MOST(a->u32_min, b->u32_min),
	    .u32_max = LEAST(a->u32_max, b->u32_max),
	    .s32_min = MOST(a->s32_min, b->s32_min),
	    .s32_max = LEAST(a->s32_max, b->s32_max),
	};
	if (is_empty)
		return range_empty();
	range_deduce(&r);
	return r;
}

/* The least x >= *x (below 2^64) whose low half is one of `low`; false: there is none. */
static bool next_with_low(const struct num *low, uint64_t *x)
{
	uint64_t half = (uint32_t)*x, high = *x >> 32;

	for (int i = 0; i < 2; i++) {
		struct part p = low->part[i];

		if (part_is_empty(p) || p.hi < half)
			continue;
		*x = high << 32 | MOST(p.lo, half);
		return true;
	}
	if (high == UINT32_MAX)
		return false;
	*x = (high + 1) << 32 | num_umin(low);
	return true;
}

/* The greatest x <= *x whose low half is one of `low`. */
static bool prev_with_low(const struct num *low, uint64_t *x)
{
	uint64_t half = (uint32_t)*x, high = *x >> 32;

	for (int i = 1; i >= 0; i--) {
		struct part p = low->part[i];

		if (part_is_empty(p) || p.lo > half)
			continue;
		*x = high << 32 | LEAST(p.hi, half);
		return true;
	}
	if (!high)
		return false;
	*x = (high - 1) << 32 | num_umax(low);
	return true;
}

/* Adds what lo..hi, low halves without a seam in between, and `low` have in common. */
static void add_common(struct num *common, uint32_t lo, uint32_t hi, const struct num *low)
{
	struct num cut = *low;

	num_clip_u(&cut, lo, hi);
	for (int i = 0; i < 2; i++)
		if (!part_is_empty(cut.part[i]))
			num_add_arc(common, cut.part[i].lo, cut.part[i].hi);
}

/* One round of what the number and its low half tell each other. */
static void deduce_round(struct range *r)
{
	struct num whole = num_of(r, 64), low = num_of(r, 32), common = num_none(32);
	bool is_short = true;

	num_deduce(&whole);
	num_deduce(&low);
	if (num_is_empty(&whole) || num_is_empty(&low)) {
		*r = range_empty();
		return;
	}
	for (int i = 0; i < 2; i++) {
		struct part *p = &whole.part[i];

		if (part_is_empty(*p))
			continue;
		if (!next_with_low(&low, &p->lo) || !prev_with_low(&low, &p->hi) ||
		    p->lo > p->hi) {
			*p = (struct part){1, 0};
		} else if (p->hi - p->lo >= UINT32_MAX) {
			is_short = false;
		} else if (p->lo >> 32 == p->hi >> 32) {
			add_common(&common, (uint32_t)p->lo, (uint32_t)p->hi, &low);
		} else {
			add_common(&common, (uint32_t)p->lo, UINT32_MAX, &low);
			add_common(&common, 0, (uint32_t)p->hi, &low);
		}
	}
	if (is_short) {
		common.tn = low.tn;
		low = common;
	}
	range_narrow(r, &whole);
	if (!range_is_empty(r))
		range_narrow(r, &low);
}

void range_deduce(struct range *r)
{
	struct range before;

	if (range_is_empty(r)) {
		*r = range_empty();
		return;
	}
	do {
		/* the common cases, and the end of many rounds */
		if (r->umin == r->umax || range_is_unknown(r)) {
			if (r->umin == r->umax)
				*r = range_has(r, r->umin) ? range_const(r->umin) : range_empty();
			return;
		}
		before = *r;
		deduce_round(r);
	} while (!range_equal(&before, r) && !range_is_empty(r));
}
