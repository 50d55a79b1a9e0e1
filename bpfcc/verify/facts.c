/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the lowering may rely upon: registers before each instruction, joined over every visit.
 *
 * A visit that was cut off brings other numbers than those that were walked, but never other ones
 * where a proof rests on them. So a number is a fact only where its node was precise in each visit.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpfcc/kinds.h"
#include "bpfcc/verify/facts.h"

struct fact_func {
	struct bpfcc_regs *regs;	/* by instruction */
	uint32_t stack_bytes;
	uint64_t zero_slots;
};

struct bpfcc_kinds {
	const struct bpfcc_object *object;
	struct fact_func *funcs;
	/* numbers that the current instruction reads: are they precise when it was walked? */
	struct {
		const struct verify_use *use;
		struct bpfcc_reg *reg;
		struct range num;
	} numbers[11];
	uint32_t nr_numbers;
};

struct bpfcc_kinds *verify_facts_new(const struct bpfcc_object *object, struct bpfcc_arena *arena)
{
	struct bpfcc_kinds *k = bpfcc_arena_alloc(arena, sizeof(*k));

	if (!k)
		return NULL;
	k->object = object;
	k->funcs = bpfcc_arena_array(arena, object->nr_funcs, sizeof(*k->funcs));
	if (!k->funcs)
		return NULL;
	for (uint32_t i = 0; i < object->nr_funcs; i++) {
		k->funcs[i].regs = bpfcc_arena_array(arena, object->funcs[i].nr_insns,
						     sizeof(*k->funcs[i].regs));
		if (!k->funcs[i].regs)
			return NULL;
	}
	return k;
}

/* ---- one register as a fact ---- */

static uint8_t kind_of(const struct verify_reg *r)
{
	switch (r->type) {
	case VT_UNINIT:
		return BPFCC_KIND_UNINIT;
	case VT_SCALAR:
		return BPFCC_KIND_SCALAR;
	case VT_STACK:
		return BPFCC_KIND_STACK;
	case VT_CTX:
		return BPFCC_KIND_CTX;
	case VT_MAP:
		return BPFCC_KIND_MAP;
	case VT_MAP_VALUE:
	case VT_MAP_KEY:
		return BPFCC_KIND_MAP_VALUE;
	case VT_MEM:
		/* a slice may be of a map's value, and is accessed as what others change meanwhile */
		return r->flags & VF_SLICE ? BPFCC_KIND_POINTER : BPFCC_KIND_MEM;
	case VT_ARENA:
		return BPFCC_KIND_ARENA;
	default:
		return BPFCC_KIND_POINTER;
	}
}

static void set_offset(struct bpfcc_reg *fact, const struct verify_reg *r)
{
	fact->off_is_known = range_is_const(&r->num) &&
			     !__builtin_add_overflow((int64_t)r->num.umin, (int64_t)r->off,
						     &fact->off);
	if (fact->off_is_known) {
		fact->min = fact->max = fact->off;
	} else {
		fact->off = 0;
		if (__builtin_add_overflow(r->num.smin, (int64_t)r->off, &fact->min) ||
		    __builtin_add_overflow(r->num.smax, (int64_t)r->off, &fact->max)) {
			fact->min = INT64_MIN;
			fact->max = INT64_MAX;
		}
	}
}

static struct bpfcc_reg fact_of(const struct verify *v, const struct verify_reg *r)
{
	struct bpfcc_reg fact = {.kind = kind_of(r), .map = -1};

	if (r->type == VT_SCALAR) {
		/* numbers() says more, if more is known */
		fact.min = INT64_MIN;
		fact.max = INT64_MAX;
		return fact;
	}
	if (!verify_is_pointer(r))
		return fact;
	if (r->type == VT_ARENA) {
		fact.map = (int32_t)r->map;
		return fact;
	}
	fact.is_or_null = r->flags & VF_OR_NULL;
	fact.is_read_only = (r->flags & VF_RDONLY) || r->type == VT_MAP_KEY;
	if ((r->type == VT_MAP || r->type == VT_MAP_VALUE) && !(r->flags & VF_INNER))
		fact.map = (int32_t)r->map;
	if (r->type == VT_MAP_VALUE && !(r->flags & VF_INNER) &&
	    (v->object->maps[r->map].map_flags & BPF_F_RDONLY_PROG))
		fact.is_read_only = true;
	if (r->type == VT_MAP_VALUE || r->type == VT_MAP_KEY || r->type == VT_MEM)
		fact.bytes = r->bytes;
	if (r->type == VT_STACK)
		fact.base = (uint8_t)(v->cur->nr_frames - 1 - r->frame);
	set_offset(&fact, r);
	return fact;
}

static bool is_pointer_kind(uint8_t kind)
{
	return kind >= BPFCC_KIND_STACK && kind <= BPFCC_KIND_POINTER;
}

static void join(struct bpfcc_reg *a, const struct bpfcc_reg *b)
{
	if (a->kind == BPFCC_KIND_UNREACHED) {
		*a = *b;
		return;
	}
	if (a->kind != b->kind || a->base != b->base) {
		uint8_t kind = BPFCC_KIND_MIXED;

		if (a->kind == BPFCC_KIND_UNINIT || b->kind == BPFCC_KIND_UNINIT)
			kind = BPFCC_KIND_UNINIT;
		else if (a->kind == BPFCC_KIND_STACK && b->kind == BPFCC_KIND_STACK)
			kind = BPFCC_KIND_STACK;
		else if (is_pointer_kind(a->kind) && is_pointer_kind(b->kind))
			kind = BPFCC_KIND_POINTER;
		*a = (struct bpfcc_reg){.kind = kind,
					.base = a->base > b->base ? a->base : b->base,
					.map = -1,
					.is_or_null = a->is_or_null || b->is_or_null,
					.is_read_only = a->is_read_only || b->is_read_only,
					.min = INT64_MIN, .max = INT64_MAX};
		return;
	}
	a->is_or_null |= b->is_or_null;
	a->is_read_only |= b->is_read_only;
	a->off_is_known = a->off_is_known && b->off_is_known && a->off == b->off;
	if (!a->off_is_known)
		a->off = 0;
	if (a->map != b->map)
		a->map = -1;
	if (b->bytes < a->bytes)
		a->bytes = b->bytes;
	if (b->min < a->min)
		a->min = b->min;
	if (b->max > a->max)
		a->max = b->max;
}

void verify_facts_before(struct verify *v)
{
	struct bpfcc_kinds *k = v->walk->result->kinds;
	struct bpfcc_regs *regs = &k->funcs[v->walk->func].regs[v->insn];
	uint32_t reads = verify_reads(verify_insn(v));

	k->nr_numbers = 0;
	for (int i = 0; i < 11; i++) {
		const struct verify_reg *r = verify_reg(v, i);
		struct bpfcc_reg *fact = &regs->r[i], now;

		if (r->type == VT_SCALAR && (reads & 1u << i)) {
			k->numbers[k->nr_numbers].use = r->use;
			k->numbers[k->nr_numbers].reg = fact;
			k->numbers[k->nr_numbers++].num = r->num;
			continue;
		}
		now = fact_of(v, r);
		join(fact, &now);
	}
}

void verify_facts_after(struct verify *v)
{
	struct bpfcc_kinds *k = v->walk->result->kinds;

	for (uint32_t i = 0; i < k->nr_numbers; i++) {
		struct bpfcc_reg now = {.kind = BPFCC_KIND_SCALAR, .map = -1, .min = INT64_MIN,
					.max = INT64_MAX};
		const struct range *num = &k->numbers[i].num;

		if (k->numbers[i].use->flags & USE_PRECISE) {
			now.min = num->smin;
			now.max = num->smax;
			now.off_is_known = range_is_const(num);
			now.off = now.off_is_known ? (int64_t)num->umin : 0;
		}
		join(k->numbers[i].reg, &now);
	}
	k->nr_numbers = 0;
}

void verify_facts_stack(struct verify *v, uint32_t func, uint32_t bytes)
{
	struct fact_func *f = &v->walk->result->kinds->funcs[func];

	if (bytes > f->stack_bytes)
		f->stack_bytes = bytes;
}

void verify_facts_zero(struct verify *v, uint32_t func, uint32_t slot)
{
	struct fact_func *f = &v->walk->result->kinds->funcs[func];

	f->zero_slots |= 1ull << slot;
	verify_facts_stack(v, func, 8 * (slot + 1));
}

/* ---- for others: bpfcc/kinds.h ---- */

const struct bpfcc_regs *bpfcc_kinds_before(const struct bpfcc_kinds *kinds, uint32_t func,
					    uint32_t insn)
{
	return &kinds->funcs[func].regs[insn];
}

uint32_t bpfcc_kinds_stack_bytes(const struct bpfcc_kinds *kinds, uint32_t func)
{
	return kinds->funcs[func].stack_bytes;
}

uint64_t bpfcc_kinds_zero_slots(const struct bpfcc_kinds *kinds, uint32_t func)
{
	return kinds->funcs[func].zero_slots;
}

static const char *bound(int64_t value, char *buf, size_t bytes)
{
	buf[0] = '\0';
	if (value != INT64_MIN && value != INT64_MAX)
		snprintf(buf, bytes, "%lld", (long long)value);
	return buf;
}

const char *bpfcc_kind_format(const struct bpfcc_object *object, const struct bpfcc_reg *reg,
			      char *buf, size_t bytes)
{
	static const char *const names[] = {
		[BPFCC_KIND_UNREACHED] = "unreached", [BPFCC_KIND_UNINIT] = "uninit",
		[BPFCC_KIND_SCALAR] = "scalar",	      [BPFCC_KIND_STACK] = "fp",
		[BPFCC_KIND_CTX] = "ctx",	      [BPFCC_KIND_MAP] = "map",
		[BPFCC_KIND_MAP_VALUE] = "map_value", [BPFCC_KIND_MEM] = "mem",
		[BPFCC_KIND_POINTER] = "pointer",     [BPFCC_KIND_MIXED] = "mixed",
		[BPFCC_KIND_ARENA] = "arena",
	};
	const char *map = "";
	char base[16] = "", off[64] = "", null[] = "_or_null", min[24], max[24];

	if (object && (reg->kind == BPFCC_KIND_MAP || reg->kind == BPFCC_KIND_MAP_VALUE) &&
	    reg->map >= 0 && (uint32_t)reg->map < object->nr_maps)
		map = object->maps[reg->map].name;
	if (!reg->is_or_null)
		null[0] = '\0';
	if (reg->base)
		snprintf(base, sizeof(base), "(up %u)", reg->base);
	if (reg->kind == BPFCC_KIND_SCALAR) {
		if (reg->off_is_known)
			snprintf(buf, bytes, "%lld", (long long)reg->off);
		else if (reg->min == INT64_MIN && reg->max == INT64_MAX)
			snprintf(buf, bytes, "scalar");
		else
			snprintf(buf, bytes, "scalar[%s,%s]", bound(reg->min, min, sizeof(min)),
				 bound(reg->max, max, sizeof(max)));
		return buf;
	}
	if (reg->kind >= BPFCC_KIND_STACK && reg->kind <= BPFCC_KIND_MEM) {
		if (!reg->off_is_known)
			snprintf(off, sizeof(off), "+[%s,%s]", bound(reg->min, min, sizeof(min)),
				 bound(reg->max, max, sizeof(max)));
		else if (reg->off || reg->kind == BPFCC_KIND_STACK)
			snprintf(off, sizeof(off), "%+lld", (long long)reg->off);
	}
	snprintf(buf, bytes, "%s%s%s%s%s%s%s", names[reg->kind], null, base, *map ? "(" : "", map,
		 *map ? ")" : "", off);
	return buf;
}
