/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory accesses: may the program touch that, and what does the own stack hold afterwards.
 *
 * An offset that is not constant must be bounded by its interval. Where it is not, the stack is
 * refused: what is beside it is the target's. A map's value is only warned of until the verifier is
 * here: programs that the kernel can prove, and intervals cannot, would not build.
 */
#include <inttypes.h>
#include <string.h>

#include "bpfcc/kinds_int.h"

void mem_need_stack(struct step *st, int64_t off)
{
	if (off < 0 && off >= -STACK_BYTES && (uint32_t)-off > st->f->stack_bytes)
		st->f->stack_bytes = (uint32_t)-off;
}

static void extend(struct reach *reach, int64_t lo, int64_t hi)
{
	if (reach->lo == reach->hi) {
		reach->lo = lo;
		reach->hi = hi;
		return;
	}
	reach->lo = lo < reach->lo ? lo : reach->lo;
	reach->hi = hi > reach->hi ? hi : reach->hi;
}

/* What goes through a pointer that the caller passed is checked, and undone, at the call. */
static void note_reach(struct step *st, const struct bpfcc_reg *reg, int64_t off, int64_t bytes,
		       unsigned int access)
{
	const int64_t far = INT32_MAX;
	struct reach *r;

	for (unsigned int a = ACCESS_READ; a <= ACCESS_WRITE; a <<= 1) {
		if (!(access & a))
			continue;
		r = a == ACCESS_READ ? &st->f->read[reg->base] : &st->f->written[reg->base];
		/* with an offset that is known, it is in `off` already */
		if (bytes < 0 || reg->min < -far || reg->max > far)
			r->is_any = true;
		else if (reg->off_is_known)
			extend(r, off, off + bytes);
		else
			extend(r, reg->min + off, reg->max + off + bytes);
	}
}

static void stack_access(struct step *st, const struct bpfcc_reg *reg, int64_t off, int64_t bytes,
			 unsigned int access, const char *what)
{
	if (reg->base) {
		note_reach(st, reg, off, bytes, access);
		return;
	}
	if (bytes < 0) {
		step_error(st, "bound the size: if (size > sizeof(buffer)) size = sizeof(buffer);",
			   "%s is of a size that is not known to stay inside of the stack", what);
		return;
	}
	if (!reg->off_is_known) {
		int64_t min, max;

		if (__builtin_add_overflow(reg->min, off, &min) ||
		    __builtin_add_overflow(reg->max, off, &max) || min < -STACK_BYTES ||
		    max > -bytes)
			step_error(
			    st, "bound the index: if (i < 0 || i >= N) return 0;",
			    "%s of %" PRId64
			    " bytes is at an offset that is not known to stay inside of the stack",
			    what, bytes);
		mem_need_stack(st, min < -STACK_BYTES ? -STACK_BYTES : min);
		return;
	}
	if (off < -STACK_BYTES || off > 0 || bytes > -off)
		step_error(st, "a function's stack is r10-512 to r10-1",
			   "%s of %" PRId64 " bytes at r10%+" PRId64 " is outside of the stack",
			   what, bytes, off);
	mem_need_stack(st, off);
}

static void ctx_access(struct step *st, const struct bpfcc_reg *reg, int64_t off, int64_t bytes,
		       unsigned int access, const char *what)
{
	if (access & ACCESS_WRITE)
		step_error(st, "a probe may not change the registers of the target",
			   "%s writes to ctx, which is read-only", what);
	else if (!reg->off_is_known || bytes < 0)
		step_error(st, NULL, "%s reads ctx at an offset that is not constant", what);
	else if (off < 0 || off + bytes > st->k->opts.ctx_bytes)
		step_error(st, "is the object compiled for this architecture? "
			       "(-D__TARGET_ARCH_x86, -D__TARGET_ARCH_arm64)",
			   "%s of %" PRId64 " bytes at ctx%+" PRId64
			   " is outside of struct pt_regs, which has %u",
			   what, bytes, off, st->k->opts.ctx_bytes);
	else if (bytes && off % bytes)
		step_error(st, NULL, "%s of %" PRId64 " bytes at ctx%+" PRId64 " is misaligned",
			   what, bytes, off);
}

/* true for a constant offset, of which the caller says more */
static bool is_inside(const struct bpfcc_reg *reg, int64_t off, int64_t bytes)
{
	int64_t min, max;

	if (reg->off_is_known)
		return true;
	return !__builtin_add_overflow(reg->min, off, &min) &&
	       !__builtin_add_overflow(reg->max, off, &max) && min >= 0 &&
	       max <= (int64_t)reg->bytes - bytes;
}

static void value_access(struct step *st, const struct bpfcc_reg *reg, int64_t off, int64_t bytes,
			 unsigned int access, const char *what)
{
	const struct bpfcc_map *map = reg->map >= 0 ? &st->k->object->maps[reg->map] : NULL;
	const char *name = map ? map->name : reg->kind == BPFCC_KIND_MEM ? "session cookie" : "map";

	if (reg->is_or_null)
		step_error(st, "test it first: if (!value) return 0;",
			   "%s goes through a pointer that may be NULL, from \"%s\"", what, name);
	else if ((access & ACCESS_WRITE) && reg->is_read_only)
		step_error(st, "put the variable into .data or .bss: drop its \"const\"",
			   "%s changes \"%s\", which is read-only", what, name);
	else if ((access & ACCESS_READ) && map && (map->map_flags & BPF_F_WRONLY_PROG))
		step_error(st, NULL, "%s reads map \"%s\", which is write-only for programs", what,
			   name);
	else if (bytes < 0 || !is_inside(reg, off, bytes))
		step_warning(
		    st, "bound it: if (i >= N) return 0;",
		    "%s is not known to stay inside of the value of \"%s\", which has %u bytes",
		    what, name, reg->bytes);
	else if (reg->off_is_known &&
		 (off < 0 || off > reg->bytes || (bytes > 0 && bytes > reg->bytes - off)))
		step_error(st, NULL,
			   "%s of %" PRId64 " bytes at offset %" PRId64
			   " is outside of the value of \"%s\", which has %u bytes",
			   what, bytes, off, name, reg->bytes);
}

void mem_access(struct step *st, const struct bpfcc_reg *reg, int64_t reg_off, int64_t bytes,
		unsigned int access, const char *what)
{
	/* off: of the whole, or what is to be added to the interval */
	int64_t off = reg_off;

	if (reg->off_is_known && __builtin_add_overflow(reg->off, reg_off, &off)) {
		step_error(st, NULL, "%s is at an impossible offset", what);
		return;
	}
	switch (reg->kind) {
	case BPFCC_KIND_UNREACHED:
	case BPFCC_KIND_UNINIT:
		return; /* said by step_read() */
	case BPFCC_KIND_STACK:
		stack_access(st, reg, off, bytes, access, what);
		return;
	case BPFCC_KIND_CTX:
		ctx_access(st, reg, off, bytes, access, what);
		return;
	case BPFCC_KIND_MAP_VALUE:
	case BPFCC_KIND_MEM:
		value_access(st, reg, off, bytes, access, what);
		return;
	case BPFCC_KIND_POINTER:
		if ((access & ACCESS_WRITE) && reg->is_read_only)
			step_error(st, NULL, "%s may change read-only data", what);
		return;
	case BPFCC_KIND_MAP:
		step_error(st, "get a value with bpf_map_lookup_elem()",
			   "%s goes through a map, which is no memory", what);
		return;
	case BPFCC_KIND_MIXED:
		step_error(
		    st, "use separate variables for them",
		    "%s goes through what is a pointer on one path and something else on another",
		    what);
		return;
	}
	step_error(st, "read memory of the target with bpf_probe_read_user()",
		   "%s goes through a number: the address is not a pointer that Inlay knows", what);
}

static int slot_of(int64_t off)
{
	return (int)((-off + 7) / 8) - 1;
}

void mem_clobber(struct state *s, int64_t lo, int64_t hi)
{
	const struct bpfcc_reg any = reg_scalar();

	if (lo < -STACK_BYTES)
		lo = -STACK_BYTES;
	if (hi > 0)
		hi = 0;
	for (int64_t off = lo & ~7ll; off < hi; off += 8)
		s->slot[slot_of(off)] = reg_join(&s->slot[slot_of(off)], &any, 0);
}

void mem_store(struct step *st, const struct bpfcc_reg *reg, int64_t reg_off, int64_t bytes,
	       const struct bpfcc_reg *value)
{
	int64_t off;

	if (reg->kind == BPFCC_KIND_POINTER) {
		/* one of the things that it may point to is the stack */
		mem_clobber(st->s, -STACK_BYTES, 0);
		for (int i = 1; i <= BPFCC_MAX_ARGS; i++)
			st->f->written[i].is_any = true;
		return;
	}
	if (reg->kind != BPFCC_KIND_STACK || reg->base)
		return;
	if (!reg->off_is_known || bytes < 0 || __builtin_add_overflow(reg->off, reg_off, &off)) {
		mem_clobber(st->s, -STACK_BYTES, 0);
		return;
	}
	if (off < -STACK_BYTES || off > 0 || bytes > -off)
		return;
	if (value && bytes == 8 && off % 8 == 0) {
		st->s->slot[slot_of(off)] = *value;
		return;
	}
	/* what was there is gone, at least in part: no pointer any more */
	for (int64_t at = off & ~7ll; at < off + bytes; at += 8)
		st->s->slot[slot_of(at)] = reg_scalar();
}

/* A variable that never changes: .rodata at a constant offset. */
static bool load_rodata(struct step *st, const struct bpfcc_reg *reg, int64_t off, int64_t bytes,
			bool is_signed, struct bpfcc_reg *ret)
{
	const struct bpfcc_map *map;
	uint64_t value = 0;

	if (reg->kind != BPFCC_KIND_MAP_VALUE || reg->map < 0 || !reg->off_is_known)
		return false;
	map = &st->k->object->maps[reg->map];
	off += reg->off;
	if (!(map->flags & INLAY_MAP_RODATA) || off < 0 || off > map->value_size ||
	    bytes > map->value_size - off)
		return false;
	if (map->data)
		memcpy(&value, (const char *)map->data + off, (size_t)bytes);
	if (is_signed)
		value = (uint64_t)((int64_t)(value << (64 - 8 * bytes)) >> (64 - 8 * bytes));
	*ret = reg_const(value);
	return true;
}

struct bpfcc_reg mem_load(struct step *st, const struct bpfcc_reg *reg, int64_t reg_off,
			  int64_t bytes, bool is_signed)
{
	struct bpfcc_reg ret;
	int64_t off, limit = bytes < 8 ? 1ll << (8 * bytes - is_signed) : 0;

	if (load_rodata(st, reg, reg_off, bytes, is_signed, &ret))
		return ret;
	if (reg->kind == BPFCC_KIND_STACK && !reg->base && reg->off_is_known && bytes == 8 &&
	    !__builtin_add_overflow(reg->off, reg_off, &off) && off % 8 == 0 &&
	    off >= -STACK_BYTES && off <= -8)
		return st->s->slot[slot_of(off)];
	if (bytes < 8)
		return reg_range(is_signed ? -limit : 0, limit - 1);
	return reg_scalar();
}
