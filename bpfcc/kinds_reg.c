/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lattice of register kinds, and arithmetic on it. Joins only ever go up, which is why the
 * fixpoint ends: an interval grows by thresholds (kinds.c), a kind becomes POINTER, MIXED and at
 * last UNINIT.
 */
#include <stdio.h>
#include <string.h>

#include "bpfcc/isa.h"
#include "bpfcc/kinds_int.h"

struct bpfcc_reg reg_scalar(void)
{
	return reg_range(INT64_MIN, INT64_MAX);
}

struct bpfcc_reg reg_range(int64_t min, int64_t max)
{
	struct bpfcc_reg r = {.kind = BPFCC_KIND_SCALAR, .map = -1};

	reg_set_range(&r, min, max);
	return r;
}

void reg_set_range(struct bpfcc_reg *reg, int64_t min, int64_t max)
{
	reg->min = min;
	reg->max = max;
	reg->off_is_known = min == max;
	reg->off = min == max ? min : 0;
}

struct bpfcc_reg reg_const(uint64_t value)
{
	return reg_range((int64_t)value, (int64_t)value);
}

bool reg_is_const(const struct bpfcc_reg *reg, uint64_t value)
{
	return reg->kind == BPFCC_KIND_SCALAR && reg->off_is_known && (uint64_t)reg->off == value;
}

bool reg_equal(const struct bpfcc_reg *a, const struct bpfcc_reg *b)
{
	return a->kind == b->kind && a->base == b->base && a->is_or_null == b->is_or_null &&
	       a->off_is_known == b->off_is_known && a->is_read_only == b->is_read_only &&
	       a->map == b->map && a->off == b->off && a->bytes == b->bytes && a->id == b->id &&
	       a->min == b->min && a->max == b->max;
}

static bool is_memory(const struct bpfcc_reg *reg)
{
	return reg->kind == BPFCC_KIND_STACK || reg->kind == BPFCC_KIND_MAP_VALUE ||
	       reg->kind == BPFCC_KIND_MEM || reg->kind == BPFCC_KIND_POINTER;
}

static struct bpfcc_reg join_same(const struct bpfcc_reg *a, const struct bpfcc_reg *b,
				  uint32_t place)
{
	struct bpfcc_reg r = *a;

	reg_set_range(&r, a->min < b->min ? a->min : b->min, a->max > b->max ? a->max : b->max);
	if (a->map != b->map)
		r.map = -1;
	if (b->bytes < r.bytes)
		r.bytes = b->bytes;
	r.is_read_only |= b->is_read_only;
	r.is_or_null |= b->is_or_null;
	/* only of what may be NULL is every joined value a new one that copies can share */
	r.id = a->id == b->id ? a->id : r.is_or_null ? place : 0;
	return r;
}

struct bpfcc_reg reg_join(const struct bpfcc_reg *a, const struct bpfcc_reg *b, uint32_t place)
{
	struct bpfcc_reg r = {.map = -1};

	if (a->kind == BPFCC_KIND_UNREACHED)
		return *b;
	if (b->kind == BPFCC_KIND_UNREACHED)
		return *a;
	if (reg_equal(a, b))
		return *a;
	if (a->kind == BPFCC_KIND_UNINIT || b->kind == BPFCC_KIND_UNINIT) {
		r.kind = BPFCC_KIND_UNINIT;
		return r;
	}
	if (a->kind == b->kind && a->base == b->base)
		return join_same(a, b, place);
	/* NULL on one path, a pointer on the other: as if a lookup had found nothing */
	if (reg_is_const(a, 0) && (b->kind == BPFCC_KIND_MAP_VALUE || b->kind == BPFCC_KIND_MEM)) {
		r = *b;
		r.is_or_null = true;
		r.id = place;
		return r;
	}
	if (reg_is_const(b, 0) && (a->kind == BPFCC_KIND_MAP_VALUE || a->kind == BPFCC_KIND_MEM))
		return reg_join(b, a, place);
	if (is_memory(a) && is_memory(b) && !a->is_or_null && !b->is_or_null) {
		r.kind = BPFCC_KIND_POINTER;
		r.is_read_only = a->is_read_only || b->is_read_only;
		return r;
	}
	r.kind = BPFCC_KIND_MIXED;
	return r;
}

/* pointer + number or pointer - number; the pointer stays what it was, elsewhere */
static struct bpfcc_reg move_pointer(struct bpfcc_reg p, const struct bpfcc_reg *by, bool is_sub)
{
	int64_t min, max;

	if (is_sub ? __builtin_sub_overflow(p.min, by->max, &min) ||
			     __builtin_sub_overflow(p.max, by->min, &max)
		   : __builtin_add_overflow(p.min, by->min, &min) ||
			     __builtin_add_overflow(p.max, by->max, &max))
		min = INT64_MIN, max = INT64_MAX;
	reg_set_range(&p, min, max);
	return p;
}

static bool may_be_pointer(const struct bpfcc_reg *reg)
{
	return bpfcc_kind_is_pointer(reg) || reg->kind == BPFCC_KIND_MIXED;
}

struct bpfcc_reg reg_alu(const struct bpf_insn *in, const struct bpfcc_reg *dst,
			 const struct bpfcc_reg *src)
{
	uint8_t op = BPF_OP(in->code);
	bool is64 = BPF_CLASS(in->code) == BPF_ALU64;
	bool needs_dst = op != BPF_MOV, needs_src = op != BPF_NEG && op != BPF_END;
	const struct range any = {INT64_MIN, INT64_MAX};
	struct range d = {dst->min, dst->max}, s = {src->min, src->max}, r;

	if (is64 && op == BPF_MOV && (BPF_SRC(in->code) == BPF_K || !in->off))
		return *src;
	if (is64 && (op == BPF_ADD || op == BPF_SUB)) {
		bool is_sub = op == BPF_SUB;

		if (may_be_pointer(dst) && src->kind == BPFCC_KIND_SCALAR)
			return move_pointer(*dst, src, is_sub);
		if (!is_sub && may_be_pointer(src) && dst->kind == BPFCC_KIND_SCALAR)
			return move_pointer(*src, dst, false);
		/* a number and what may be one: the sum may still hold the pointer */
		if (!is_sub && (dst->kind == BPFCC_KIND_MIXED || src->kind == BPFCC_KIND_MIXED))
			return (struct bpfcc_reg){.kind = BPFCC_KIND_MIXED, .map = -1};
	}
	/* what is no number is an address, that is any number */
	if (needs_dst && dst->kind != BPFCC_KIND_SCALAR)
		d = any;
	if (needs_src && src->kind != BPFCC_KIND_SCALAR)
		s = any;
	r = kinds_range_alu(in, d, s);
	return reg_range(r.min, r.max);
}

int reg_branch(const struct bpf_insn *in, const struct bpfcc_reg *dst, const struct bpfcc_reg *src)
{
	struct range d = {dst->min, dst->max}, s = {src->min, src->max}, taken = d, not_taken = d;

	/* what is no NULL is not 0 */
	if (BPF_CLASS(in->code) == BPF_JMP && bpfcc_kind_is_pointer(dst) && !dst->is_or_null &&
	    reg_is_const(src, 0)) {
		if (BPF_OP(in->code) == BPF_JEQ)
			return 0;
		if (BPF_OP(in->code) == BPF_JNE)
			return 1;
	}
	if (dst->kind != BPFCC_KIND_SCALAR || src->kind != BPFCC_KIND_SCALAR)
		return -1;
	if (!kinds_range_refine(in, true, &taken, s))
		return 0;
	if (!kinds_range_refine(in, false, &not_taken, s))
		return 1;
	return -1;
}

/* "" for an end that is open */
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
	};
	const char *map = "";
	char base[8] = "", off[64] = "", null[] = "_or_null", min[24], max[24];

	if (object && (reg->kind == BPFCC_KIND_MAP || reg->kind == BPFCC_KIND_MAP_VALUE) &&
	    reg->map >= 0 && (uint32_t)reg->map < object->nr_maps)
		map = object->maps[reg->map].name;
	if (!reg->is_or_null)
		null[0] = '\0';
	if (reg->base)
		snprintf(base, sizeof(base), "(arg%u)", reg->base);
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
