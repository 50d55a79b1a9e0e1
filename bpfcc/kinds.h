/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each register holds before each instruction, joined over all that the verifier walked
 * (bpfcc/verify): for the lowering, which decides by it which accesses are plain (stack, ctx) and
 * which are atomic in place (everything else), and which additions are pointer arithmetic.
 *
 * A fact of a register holds where the instruction reads that register, and numbers are facts only
 * where the proof rests on them. No LLVM.
 */
#ifndef INLAY_BPFCC_KINDS_H
#define INLAY_BPFCC_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpfcc/object.h"

struct bpfcc_kinds;

enum bpfcc_kind {
	BPFCC_KIND_UNREACHED = 0, /* control never gets here: every register has this kind */
	BPFCC_KIND_UNINIT,	/* not set on some path; reading it is refused */
	BPFCC_KIND_SCALAR,	/* a number; `off` is its value if off_is_known */
	BPFCC_KIND_STACK,	/* r10 of this function + off (base 0), or of the function `base`
				 * calls up the chain */
	BPFCC_KIND_CTX,		/* the program's ctx + off, also when passed to a subprogram */
	BPFCC_KIND_MAP,		/* what lddw of a map gives */
	BPFCC_KIND_MAP_VALUE,	/* into a map's value or a global section, + off */
	BPFCC_KIND_MEM,		/* other memory: the session cookie, + off */
	BPFCC_KIND_POINTER,	/* a pointer, of different kinds on different paths, or into the memory of
				 * a dynptr, which may be a map's */
	BPFCC_KIND_MIXED,	/* a pointer on one path, a number on another; not for access */
	BPFCC_KIND_ARENA,	/* an address in arena `map`, by its low 32 bits: a number to all but
				 * accesses */
};

struct bpfcc_reg {
	uint8_t kind;		/* enum bpfcc_kind */
	uint8_t base;		/* STACK: 0: of this function; else how many calls up, at most */
	bool is_or_null;	/* MAP_VALUE, MEM: may be NULL here */
	bool off_is_known;	/* off holds on every path */
	bool is_read_only;	/* MAP_VALUE, POINTER: perhaps into .rodata; stores are refused */
	int32_t map;		/* MAP, MAP_VALUE, ARENA: index, or -1 if it differs between paths */
	int64_t off;		/* bytes from the start of what it points to (STACK: from r10) */
	uint32_t bytes;		/* MAP_VALUE, MEM: size of what it points into */
	int64_t min, max;	/* SCALAR: of its value, signed; pointers: of off */
};

/* Registers before an instruction. */
struct bpfcc_regs {
	struct bpfcc_reg r[11];
};

/*
 * State before instruction `insn` (slot number: an lddw has two, of which the first counts) of
 * object->funcs[func]. Never NULL. With r[10].kind UNREACHED the instruction can never run (code
 * behind a constant condition: `.rodata` switches, CO-RE "exists" checks); it may be anything then,
 * also a call of an unknown helper, and must not be lowered: emit `unreachable` in its place.
 */
const struct bpfcc_regs *bpfcc_kinds_before(const struct bpfcc_kinds *kinds, uint32_t func,
					    uint32_t insn);

static inline bool bpfcc_kind_is_pointer(const struct bpfcc_reg *reg)
{
	return reg->kind >= BPFCC_KIND_STACK && reg->kind <= BPFCC_KIND_POINTER;
}

/* Deepest byte of its own stack that a function uses, as a positive number, 0..512. Accesses at
 * an offset that is not constant make it 512. */
uint32_t bpfcc_kinds_stack_bytes(const struct bpfcc_kinds *kinds, uint32_t func);

/*
 * 8-byte slots of its stack, bit i for r10 - 8 * (i + 1), that are read although no write comes
 * before on some path: they must be zero when the function starts, the others may be anything.
 */
uint64_t bpfcc_kinds_zero_slots(const struct bpfcc_kinds *kinds, uint32_t func);

/* "scalar", "fp-16", "ctx", "map_value(counts)+8" …: for messages and dumps. Returns buf. */
const char *bpfcc_kind_format(const struct bpfcc_object *object, const struct bpfcc_reg *reg,
			      char *buf, size_t bytes);

#endif /* INLAY_BPFCC_KINDS_H */
