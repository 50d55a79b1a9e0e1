/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lattice of register kinds, and arithmetic on it. Joins only ever go up, which is why the fixpoint
 * ends: a constant becomes unknown, an offset unknown, a kind POINTER, MIXED and at last UNINIT.
 */
#include <byteswap.h>
#include <stdio.h>
#include <string.h>

#include "bpfcc/isa.h"
#include "bpfcc/kinds_int.h"

struct bpfcc_reg reg_scalar(void)
{
	return (struct bpfcc_reg){.kind = BPFCC_KIND_SCALAR, .map = -1};
}

struct bpfcc_reg reg_const(uint64_t value)
{
	return (struct bpfcc_reg){
		.kind = BPFCC_KIND_SCALAR, .map = -1, .off_is_known = true, .off = (int64_t)value};
}

bool reg_is_const(const struct bpfcc_reg *reg, uint64_t value)
{
	return reg->kind == BPFCC_KIND_SCALAR && reg->off_is_known && (uint64_t)reg->off == value;
}

bool reg_equal(const struct bpfcc_reg *a, const struct bpfcc_reg *b)
{
	return a->kind == b->kind && a->base == b->base && a->is_or_null == b->is_or_null &&
	       a->off_is_known == b->off_is_known && a->is_read_only == b->is_read_only &&
	       a->map == b->map && a->off == b->off && a->bytes == b->bytes && a->id == b->id;
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

	if (!b->off_is_known || !a->off_is_known || a->off != b->off) {
		r.off_is_known = false;
		r.off = 0;
	}
	if (a->map != b->map)
		r.map = -1;
	if (b->bytes < r.bytes)
		r.bytes = b->bytes;
	r.is_read_only |= b->is_read_only;
	r.is_or_null |= b->is_or_null;
	r.id = !r.is_or_null ? 0 : a->id == b->id ? a->id : place;
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

/* ---- arithmetic on constants, RFC 9669 section 4.1 ---- */

static uint64_t divide(uint64_t a, uint64_t b, bool is64, bool is_signed, bool is_mod)
{
	int64_t sa = is64 ? (int64_t)a : (int32_t)a, sb = is64 ? (int64_t)b : (int32_t)b;

	if (!is64)
		a = (uint32_t)a, b = (uint32_t)b;
	if (!b)
		return is_mod ? a : 0;
	if (!is_signed)
		return is_mod ? a % b : a / b;
	if (sb == -1)
		return is_mod ? 0 : -(uint64_t)sa;
	return is_mod ? (uint64_t)(sa % sb) : (uint64_t)(sa / sb);
}

static uint64_t swap(const struct bpf_insn *in, uint64_t a)
{
	uint64_t cut = in->imm == 64 ? a : in->imm == 32 ? (uint32_t)a : (uint16_t)a;

	/* "to little-endian" only cuts: every host that Inlay supports is little-endian */
	if (BPF_CLASS(in->code) == BPF_ALU && BPF_SRC(in->code) == BPF_TO_LE)
		return cut;
	if (in->imm == 16)
		return bswap_16((uint16_t)a);
	return in->imm == 32 ? bswap_32((uint32_t)a) : bswap_64(a);
}

static uint64_t sign_extend(uint64_t a, int bits)
{
	return bits == 8 ? (uint64_t)(int8_t)a : bits == 16 ? (uint64_t)(int16_t)a
							     : (uint64_t)(int32_t)a;
}

static uint64_t fold(const struct bpf_insn *in, uint64_t a, uint64_t b)
{
	bool is64 = BPF_CLASS(in->code) == BPF_ALU64;
	unsigned int shift = (unsigned int)b & (is64 ? 63 : 31);
	uint64_t r = 0;

	switch (BPF_OP(in->code)) {
	case BPF_END:
		return swap(in, a);
	case BPF_ADD:
		r = a + b;
		break;
	case BPF_SUB:
		r = a - b;
		break;
	case BPF_MUL:
		r = a * b;
		break;
	case BPF_DIV:
	case BPF_MOD:
		r = divide(a, b, is64, in->off == 1, BPF_OP(in->code) == BPF_MOD);
		break;
	case BPF_OR:
		r = a | b;
		break;
	case BPF_AND:
		r = a & b;
		break;
	case BPF_XOR:
		r = a ^ b;
		break;
	case BPF_NEG:
		r = -a;
		break;
	case BPF_MOV:
		r = BPF_SRC(in->code) == BPF_X && in->off ? sign_extend(b, in->off) : b;
		break;
	case BPF_LSH:
		r = a << shift;
		break;
	case BPF_RSH:
		r = (is64 ? a : (uint32_t)a) >> shift;
		break;
	case BPF_ARSH:
		r = is64 ? (uint64_t)((int64_t)a >> shift) : (uint64_t)((int32_t)a >> shift);
		break;
	}
	return is64 ? r : (uint32_t)r;
}

/* pointer + number or pointer - number; the pointer stays what it was, elsewhere */
static struct bpfcc_reg move_pointer(struct bpfcc_reg p, const struct bpfcc_reg *by, bool is_sub)
{
	int64_t off;

	if (p.off_is_known && by->kind == BPFCC_KIND_SCALAR && by->off_is_known &&
	    !(is_sub ? __builtin_sub_overflow(p.off, by->off, &off)
		     : __builtin_add_overflow(p.off, by->off, &off))) {
		p.off = off;
		return p;
	}
	p.off_is_known = false;
	p.off = 0;
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
	if (needs_dst && (dst->kind != BPFCC_KIND_SCALAR || !dst->off_is_known))
		return reg_scalar();
	if (needs_src && (src->kind != BPFCC_KIND_SCALAR || !src->off_is_known))
		return reg_scalar();
	return reg_const(fold(in, (uint64_t)dst->off, (uint64_t)src->off));
}

int reg_branch(const struct bpf_insn *in, const struct bpfcc_reg *dst, const struct bpfcc_reg *src)
{
	bool is64 = BPF_CLASS(in->code) == BPF_JMP;
	uint64_t a = (uint64_t)dst->off, b = (uint64_t)src->off;
	int64_t sa, sb;

	/* what is no NULL is not 0 */
	if (is64 && bpfcc_kind_is_pointer(dst) && !dst->is_or_null && reg_is_const(src, 0)) {
		if (BPF_OP(in->code) == BPF_JEQ)
			return 0;
		if (BPF_OP(in->code) == BPF_JNE)
			return 1;
	}
	if (dst->kind != BPFCC_KIND_SCALAR || !dst->off_is_known ||
	    src->kind != BPFCC_KIND_SCALAR || !src->off_is_known)
		return -1;
	if (!is64)
		a = (uint32_t)a, b = (uint32_t)b;
	sa = is64 ? (int64_t)a : (int32_t)a;
	sb = is64 ? (int64_t)b : (int32_t)b;
	switch (BPF_OP(in->code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JSET:
		return (a & b) != 0;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSGT:
		return sa > sb;
	case BPF_JSGE:
		return sa >= sb;
	case BPF_JSLT:
		return sa < sb;
	case BPF_JSLE:
		return sa <= sb;
	}
	return -1;
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
	char base[8] = "", off[32] = "", null[] = "_or_null";

	if (object && reg->map >= 0 && (uint32_t)reg->map < object->nr_maps)
		map = object->maps[reg->map].name;
	if (!reg->is_or_null)
		null[0] = '\0';
	if (reg->base)
		snprintf(base, sizeof(base), "(arg%u)", reg->base);
	if (reg->kind == BPFCC_KIND_SCALAR) {
		if (reg->off_is_known)
			snprintf(buf, bytes, "%lld", (long long)reg->off);
		else
			snprintf(buf, bytes, "scalar");
		return buf;
	}
	if (reg->kind >= BPFCC_KIND_STACK && reg->kind <= BPFCC_KIND_MEM) {
		if (!reg->off_is_known)
			snprintf(off, sizeof(off), "+?");
		else if (reg->off || reg->kind == BPFCC_KIND_STACK)
			snprintf(off, sizeof(off), "%+lld", (long long)reg->off);
	}
	snprintf(buf, bytes, "%s%s%s%s%s%s%s", names[reg->kind], null, base, *map ? "(" : "", map,
		 *map ? ")" : "", off);
	return buf;
}
