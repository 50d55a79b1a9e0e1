/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the bytes of a function's stack hold: spilled registers, zeros, anything, nothing.
 *
 * Bytes that were never written may be read: the lowering puts zero there when the function starts,
 * in exactly those slots that verify_facts_zero() named. So no program ever sees what was on the
 * target's stack, and what the kernel accepts of root is accepted here.
 */
#include <errno.h>
#include <string.h>

#include "bpfcc/verify/mem.h"

static uint32_t slot_of(int32_t off)
{
	return (uint32_t)(-off - 1) / 8;
}

static uint32_t byte_of(int32_t off)
{
	return (uint32_t)(off + VERIFY_STACK_BYTES) % 8;
}

struct verify_slot *verify_slot_at(struct verify *v, struct verify_frame *f, int32_t off)
{
	uint32_t slot = slot_of(off);

	if (slot >= f->nr_slots) {
		struct verify_slot *slots = verify_grow(v, f->slots,
							f->nr_slots * sizeof(*slots),
							(slot + 1) * sizeof(*slots));

		if (!slots)
			return NULL;
		f->slots = slots;
		f->nr_slots = slot + 1;
	}
	return &f->slots[slot];
}

static void need(struct verify *v, const struct verify_frame *f, int64_t lo)
{
	verify_facts_stack(v, f->func, (uint32_t)-lo);
}

/* First byte of the spill, and how many it has. */
static uint32_t spill_extent(const struct verify_slot *s, uint32_t *ret_bytes)
{
	uint32_t first = 0, n = 0;

	while (first < 8 && s->byte[first] != VB_SPILL)
		first++;
	while (first + n < 8 && s->byte[first + n] == VB_SPILL)
		n++;
	*ret_bytes = n;
	return first;
}

static bool is_zero(const struct verify_reg *r)
{
	return r->type == VT_SCALAR && range_is_const(&r->num) && !r->num.umin;
}

/* Some of the spill's bytes are about to change: the rest is not a value any more. */
static void break_spill(struct verify *v, struct verify_slot *s)
{
	uint8_t rest = is_zero(&s->spill) ? VB_ZERO : VB_MISC;

	if (rest == VB_ZERO)
		s->use = verify_use_same(v, s->use, s->spill.use);

	for (uint32_t i = 0; i < 8; i++)
		if (s->byte[i] == VB_SPILL)
			s->byte[i] = rest;
	memset(&s->spill, 0, sizeof(s->spill));
}

static bool has_special(const struct verify_slot *s)
{
	for (uint32_t i = 0; i < 8; i++)
		if (s->byte[i] == VB_DYNPTR || s->byte[i] == VB_ITER)
			return true;
	return false;
}

/* Before bytes [lo, hi) change. */
static int before_write(struct verify *v, struct verify_frame *f, int32_t lo, int32_t hi)
{
	for (uint32_t i = slot_of(hi - 1); i <= slot_of(lo) && i < f->nr_slots; i++)
		if (has_special(&f->slots[i]))
			return verify_overwrite_special(v, f, lo, (uint32_t)(hi - lo));
	return 0;
}

/* The slot's new node after a write of bytes [first, first + n): the old one if others stay. */
static void renew(struct verify *v, struct verify_slot *s, uint32_t first, uint32_t n,
		  struct verify_use *from)
{
	bool is_rest = false;

	for (uint32_t i = 0; i < 8; i++)
		is_rest |= (i < first || i >= first + n) && s->byte[i] != VB_UNINIT;
	if (!is_rest || !s->use) {
		s->use = verify_use_new(v, from, NULL);
		return;
	}
	if (from)
		s->use = verify_use_same(v, s->use, from);
}

/* ---- writes ---- */

static int store_fixed(struct verify *v, struct verify_frame *f, int32_t off, uint32_t n,
		       const struct verify_reg *value)
{
	while (n) {
		uint32_t first = byte_of(off), part = 8 - first < n ? 8 - first : n;
		struct verify_slot *s = verify_slot_at(v, f, off);
		/* a store across two slots is two of MISC bytes */
		bool is_whole = part == n && value &&
				(n == 8 || value->type == VT_SCALAR) && byte_of(off) + n <= 8;
		bool zero = value && is_zero(value), has_spill = false;
		uint8_t kind;

		if (!s)
			return v->err;
		for (uint32_t i = 0; i < 8; i++)
			has_spill |= s->byte[i] == VB_SPILL;
		if (has_spill)
			break_spill(v, s);
		renew(v, s, first, part, zero && value ? value->use : NULL);
		kind = is_whole && !(zero && n < 8) ? VB_SPILL : zero ? VB_ZERO : VB_MISC;
		memset(s->byte + first, kind, part);
		if (kind == VB_SPILL) {
			s->spill = *value;
			if (n < 8) {
				struct range low = range_alu(BPF_ALU | BPF_MOV, 0, 0, &value->num,
							     &value->num);
				const struct range mask = range_const((1ull << 8 * n) - 1);

				low = range_alu(BPF_ALU64 | BPF_AND, 0, 0, &low, &mask);
				/* equal to the register only if nothing was cut off */
				if (value->num.umax >> 8 * n) {
					verify_set_scalar(v, &s->spill, &low, value->use, NULL);
				} else {
					s->spill.use = verify_use_new(v, value->use, NULL);
					s->spill.num = low;
				}
			}
		}
		if (v->err)
			return v->err;
		off += (int32_t)part;
		n -= part;
		value = part && n ? (zero ? value : NULL) : value;
	}
	return 0;
}

int verify_stack_store(struct verify *v, struct verify_frame *f, const struct verify_window *w,
		       uint64_t bytes, const struct verify_reg *value)
{
	int32_t lo = (int32_t)w->lo, hi = (int32_t)w->hi;
	int err;

	need(v, f, lo);
	err = before_write(v, f, lo, hi);
	if (err)
		return err;
	if (w->hi - w->lo == (__int128)bytes)
		return store_fixed(v, f, lo, (uint32_t)bytes, value);
	if (is_zero(value) && value->use) {
		/* zeros stay zeros; that it is one is relied upon in all of the window */
		verify_use_mark(v, value->use, USE_PRECISE);
	}
	for (int32_t off = lo; off < hi; off++) {
		struct verify_slot *s = verify_slot_at(v, f, off);
		uint8_t *b;

		if (!s)
			return v->err;
		b = &s->byte[byte_of(off)];
		if (*b == VB_SPILL)
			break_spill(v, s);
		if (*b == VB_UNINIT)
			verify_facts_zero(v, f->func, slot_of(off));
		if (*b != VB_ZERO || !is_zero(value))
			*b = VB_MISC;
		if (!s->use)
			s->use = verify_use_new(v, NULL, NULL);
	}
	return v->err;
}

int verify_stack_smear(struct verify *v, struct verify_frame *f, const struct verify_window *w,
		       bool is_all)
{
	int32_t lo = (int32_t)w->lo, hi = (int32_t)w->hi;
	int err = 0;

	if (lo >= hi)
		return 0;
	need(v, f, lo);
	err = before_write(v, f, lo, hi);
	if (err)
		return err;
	if (is_all)
		return store_fixed(v, f, lo, (uint32_t)(hi - lo), NULL);
	for (int32_t off = lo; off < hi; off++) {
		struct verify_slot *s = verify_slot_at(v, f, off);
		uint8_t *b;

		if (!s)
			return v->err;
		b = &s->byte[byte_of(off)];
		if (*b == VB_SPILL)
			break_spill(v, s);
		if (*b == VB_UNINIT)
			verify_facts_zero(v, f->func, slot_of(off));
		*b = VB_MISC;
		if (!s->use)
			s->use = verify_use_new(v, NULL, NULL);
	}
	return v->err;
}

/* ---- reads ---- */

int verify_stack_read(struct verify *v, struct verify_frame *f, const struct verify_window *w)
{
	int32_t lo = (int32_t)w->lo, hi = (int32_t)w->hi;

	if (lo >= hi)
		return 0;
	need(v, f, lo);
	for (int32_t off = lo; off < hi; off++) {
		struct verify_slot *s = verify_slot_at(v, f, off);
		uint8_t *b;

		if (!s)
			return v->err;
		b = &s->byte[byte_of(off)];
		if (*b == VB_DYNPTR || *b == VB_ITER)
			return verify_refuse(v, "use the helpers for it",
					     "the bytes of a dynptr or iterator at r10%+d are read "
					     "directly", off);
		if (!s->use)
			s->use = verify_use_new(v, NULL, NULL);
		if (*b == VB_UNINIT) {
			verify_facts_zero(v, f->func, slot_of(off));
			/* from now on it is what any path may find there */
			*b = VB_MISC;
		}
		verify_use_mark(v, s->use, USE_READ);
	}
	return v->err;
}

static struct range sign_extend(struct range num, uint64_t bytes, bool is_signed)
{
	if (!is_signed || bytes == 8)
		return num;
	return range_alu(BPF_ALU64 | BPF_MOV, (int16_t)(8 * bytes), 0, &num, &num);
}

/* What is loaded is a copy: a comparison narrows it in its slot, too, from where it is loaded once more. */
static void copy_spill(struct verify *v, struct verify_slot *s, struct verify_reg *dst)
{
	if (!s->spill.id)
		verify_give_id(v, &s->spill);
	*dst = s->spill;
}

/* All bytes of a load are of one spill: its value, or a part of it. False: they are not. */
static bool fill(struct verify *v, struct verify_slot *s, uint32_t first, uint64_t bytes,
		 bool is_signed, struct verify_reg *dst)
{
	uint32_t extent, at = spill_extent(s, &extent);
	struct range num;

	if (first < at || first + bytes > at + extent)
		return false;
	if (first == at && bytes == 8) {
		copy_spill(v, s, dst);
		return true;
	}
	if (s->spill.type != VT_SCALAR) {
		/* a part of an address */
		num = range_of_load((unsigned int)bytes, is_signed);
		verify_set_scalar(v, dst, &num, s->spill.use, NULL);
		return true;
	}
	if (first == at && !is_signed && !(s->spill.num.umax >> 8 * bytes)) {
		/* all of it that is not zero */
		copy_spill(v, s, dst);
		return true;
	}
	num = s->spill.num;
	if (first != at) {
		const struct range shift = range_const(8 * (first - at));

		num = range_alu(BPF_ALU64 | BPF_RSH, 0, 0, &num, &shift);
	}
	if (bytes < 8) {
		const struct range mask = range_const((1ull << 8 * bytes) - 1);

		num = range_alu(BPF_ALU64 | BPF_AND, 0, 0, &num, &mask);
	}
	num = sign_extend(num, bytes, is_signed);
	verify_set_scalar(v, dst, &num, s->spill.use, NULL);
	return true;
}

int verify_stack_load(struct verify *v, struct verify_frame *f, const struct verify_window *w,
		      uint64_t bytes, bool is_signed, struct verify_reg *dst)
{
	int32_t lo = (int32_t)w->lo, hi = (int32_t)w->hi;
	struct verify_use *use = NULL;
	struct verify_slot *s;
	struct range num;
	bool zero = true;
	int err = verify_stack_read(v, f, w);

	if (err)
		return err;
	s = &f->slots[slot_of(lo)];
	if (hi - lo == (int32_t)bytes && slot_of(lo) == slot_of(hi - 1) &&
	    fill(v, s, byte_of(lo), bytes, is_signed, dst))
		return v->err;
	/* what it is made of, for the proof that it is zero */
	for (int32_t off = lo; off < hi && zero; off++) {
		s = &f->slots[slot_of(off)];
		zero = s->byte[byte_of(off)] == VB_ZERO ||
		       (s->byte[byte_of(off)] == VB_SPILL && is_zero(&s->spill));
	}
	num = range_of_load((unsigned int)bytes, is_signed);
	if (zero) {
		num = range_const(0);
		for (uint32_t i = slot_of(hi - 1); i <= slot_of(lo); i++) {
			s = &f->slots[i];
			use = verify_use_new(v, use, s->use);
			if (use && s->spill.use)
				use = verify_use_new(v, use, s->spill.use);
		}
	}
	verify_set_scalar(v, dst, &num, use, NULL);
	return v->err;
}
