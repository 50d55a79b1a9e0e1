/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of numbers of one width as a tnum and two intervals: see range_num.h. All of it is monotone
 * and only ever narrows or, num_add_arc(), takes the hull within a part.
 */
#include "bpfcc/verify/range_num.h"

struct num num_none(unsigned int bits)
{
	return (struct num){bits, tnum_cast(TNUM_UNKNOWN, 8), {{1, 0}, {1, 0}}};
}

struct num num_all(unsigned int bits)
{
	struct num n = {bits, {0, num_mask(bits)}, {{0, num_sign(bits) - 1},
						    {num_sign(bits), num_mask(bits)}}};

	return n;
}

static void part_add(struct part *p, uint64_t lo, uint64_t hi)
{
	if (lo > hi)
		return;
	if (part_is_empty(*p)) {
		*p = (struct part){lo, hi};
		return;
	}
	if (lo < p->lo)
		p->lo = lo;
	if (hi > p->hi)
		p->hi = hi;
}

static void part_clip(struct part *p, uint64_t lo, uint64_t hi)
{
	if (p->lo < lo)
		p->lo = lo;
	if (p->hi > hi)
		p->hi = hi;
	if (p->lo > p->hi)
		*p = (struct part){1, 0};
}

static void add_straight(struct num *n, uint64_t lo, uint64_t hi)
{
	uint64_t sign = num_sign(n->bits);

	part_add(&n->part[0], lo, hi < sign ? hi : sign - 1);
	part_add(&n->part[1], lo < sign ? sign : lo, hi);
}

void num_add_arc(struct num *n, uint64_t lo, uint64_t hi)
{
	uint64_t mask = num_mask(n->bits);

	lo &= mask;
	hi &= mask;
	if (lo <= hi) {
		add_straight(n, lo, hi);
	} else {
		add_straight(n, lo, mask);
		add_straight(n, 0, hi);
	}
}

void num_clip_u(struct num *n, uint64_t lo, uint64_t hi)
{
	part_clip(&n->part[0], lo, hi);
	part_clip(&n->part[1], lo, hi);
}

void num_clip_s(struct num *n, int64_t lo, int64_t hi)
{
	uint64_t mask = num_mask(n->bits), sign = num_sign(n->bits);

	if (hi < 0)
		part_clip(&n->part[0], 1, 0);
	else
		part_clip(&n->part[0], lo < 0 ? 0 : (uint64_t)lo, (uint64_t)hi);
	if (lo >= 0)
		part_clip(&n->part[1], 1, 0);
	else
		part_clip(&n->part[1],
			  num_signed(sign, n->bits) > lo ? sign : (uint64_t)lo & mask,
			  hi < 0 ? (uint64_t)hi & mask : mask);
}

void num_meet(struct num *n, const struct num *other)
{
	bool is_empty;

	n->tn = tnum_intersect(n->tn, other->tn, &is_empty);
	for (int i = 0; i < 2; i++)
		part_clip(&n->part[i], other->part[i].lo, other->part[i].hi);
	if (is_empty)
		*n = num_none(n->bits);
}

void num_exclude(struct num *n, uint64_t x)
{
	for (int i = 0; i < 2; i++) {
		struct part *p = &n->part[i];

		if (part_is_empty(*p))
			continue;
		if (p->lo == x && p->hi == x)
			*p = (struct part){1, 0};
		else if (p->lo == x)
			p->lo++;
		else if (p->hi == x)
			p->hi--;
	}
}

/* The least number of t that is not below x; false: there is none. */
static bool tnum_next(struct tnum t, uint64_t x, uint64_t *ret)
{
	uint64_t near = t.value | (x & t.mask), differ = near ^ x, below, up;

	if (differ) {
		below = num_mask(64 - (unsigned int)__builtin_clzll(differ));
		if (near < x) {
			/* Too small with these upper bits: the next larger ones. */
			up = t.mask & ~near & ~below;
			if (!up)
				return false;
			up &= -up;
			near |= up;
			below = up - 1;
		}
		near &= ~(t.mask & below);
	}
	*ret = near;
	return true;
}

/* The greatest number of t that is not above x. */
static bool tnum_prev(struct tnum t, uint64_t x, uint64_t *ret)
{
	/* Complements turn the order round. */
	if (!tnum_next((struct tnum){~(t.value | t.mask), t.mask}, ~x, ret))
		return false;
	*ret = ~*ret;
	return true;
}

void num_deduce(struct num *n)
{
	struct tnum parts = {0, 0};
	bool is_first = true, is_empty;

	for (int i = 0; i < 2; i++) {
		struct part *p = &n->part[i];
		struct tnum span;

		if (part_is_empty(*p))
			continue;
		if (!tnum_next(n->tn, p->lo, &p->lo) || !tnum_prev(n->tn, p->hi, &p->hi) ||
		    p->lo > p->hi) {
			*p = (struct part){1, 0};
			continue;
		}
		span = tnum_range(p->lo, p->hi);
		parts = is_first ? span : tnum_union(parts, span);
		is_first = false;
	}
	if (is_first)
		return;
	n->tn = tnum_intersect(n->tn, parts, &is_empty);
	if (is_empty)
		*n = num_none(n->bits);
}

struct num num_of(const struct range *r, unsigned int bits)
{
	struct num n = num_all(bits);

	if (range_is_empty(r))
		return num_none(bits);
	if (bits == 64) {
		n.tn = r->bits;
		num_clip_u(&n, r->umin, r->umax);
		num_clip_s(&n, r->smin, r->smax);
	} else {
		n.tn = tnum_cast(r->bits, 4);
		num_clip_u(&n, r->u32_min, r->u32_max);
		num_clip_s(&n, r->s32_min, r->s32_max);
	}
	return n;
}

void range_narrow(struct range *r, const struct num *n)
{
	struct tnum tn = n->tn;
	struct num now;
	bool is_empty;

	now = num_of(r, n->bits);
	num_meet(&now, n);
	if (num_is_empty(&now)) {
		*r = range_empty();
		return;
	}
	if (n->bits == 64) {
		r->umin = num_umin(&now);
		r->umax = num_umax(&now);
		r->smin = num_smin(&now);
		r->smax = num_smax(&now);
	} else {
		tn.mask |= ~(uint64_t)UINT32_MAX;
		r->u32_min = (uint32_t)num_umin(&now);
		r->u32_max = (uint32_t)num_umax(&now);
		r->s32_min = (int32_t)num_smin(&now);
		r->s32_max = (int32_t)num_smax(&now);
	}
	r->bits = tnum_intersect(r->bits, tn, &is_empty);
	if (is_empty)
		*r = range_empty();
}

struct range range_of_num64(const struct num *n)
{
	struct range r = range_unknown();

	range_narrow(&r, n);
	range_deduce(&r);
	return r;
}
