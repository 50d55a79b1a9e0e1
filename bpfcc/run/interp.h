/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checking interpreter: executes a function of an object, instruction by instruction, on memory
 * of its own, and stops with a trap at the first thing that a verified program must never do. It
 * believes nothing that the verifier says and shares no code with it: it is what the verifier is
 * tested against, and `bpfcc run --interp`.
 *
 * Every pointer carries what it points into; a number is never one, whatever its value. Registers
 * and stack bytes know whether they were set. Helpers are modelled here, deterministically from a
 * seed: no clock, no other memory than what is given, no system call.
 *
 * No LLVM. One bpfcc_interp is used by one thread at a time; several share an object.
 */
#ifndef INLAY_BPFCC_RUN_INTERP_H
#define INLAY_BPFCC_RUN_INTERP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpfcc/object.h"

struct bpfcc_interp;

/* What every instruction sees: the registers before it. */
struct bpfcc_interp_view {
	uint32_t func, insn;	/* insn: slot in the function, as in bpfcc_func.insns */
	uint32_t depth;		/* frames below this one */
	uint64_t regs[11];
	bool is_set[11];
	uint8_t kinds[11];	/* enum bpfcc_kind of the concrete value; UNINIT if not set */
	int64_t offs[11];	/* pointers: from the start of what it points into; stack: from r10 of
				 * its frame */
	uint32_t frames[11];	/* STACK: which frame, 0 is the program's */
	uint32_t maps[11];	/* MAP, MAP_VALUE: index of the map; a key of one: UINT32_MAX */
};

struct bpfcc_interp_opts {
	uint64_t seed;		/* of what helpers answer */
	uint64_t address_seed;	/* of where things lie: a result that changes with it is an address */
	uint64_t max_steps;	/* instructions of one call; 0: ten million */
	/*
	 * The worst that the world may do: contents of maps are different at each read, helpers answer
	 * with anything that they may answer with. Else maps hold what was written and a helper's
	 * answer is the plainest one.
	 */
	bool is_wild;
	bool shows_maps;	/* the first bytes of a map can be read, as in kernels */
	bool traps_misaligned;
	/* reading stack that was never written, which is 0 without it (the lowering makes it so) */
	bool traps_unset_stack;
	/* memory that bpf_probe_read() finds at `target_address`; all else cannot be read */
	uint64_t target_address, target_bytes;
	const void *target;
	/* before each instruction; other than 0 stops: TRAP_ASKED */
	int (*on_insn)(void *arg, const struct bpfcc_interp_view *view);
	void *arg;
};

enum bpfcc_trap_kind {
	BPFCC_TRAP_NONE,
	BPFCC_TRAP_BOUNDS,	/* outside of what the pointer points into */
	BPFCC_TRAP_POINTER,	/* a number, NULL or a pointer of another kind where one is needed */
	BPFCC_TRAP_UNSET,	/* a register or stack bytes that were never set */
	BPFCC_TRAP_READ_ONLY,
	BPFCC_TRAP_STALE,	/* what it pointed into is gone: a record given back, a frame left */
	BPFCC_TRAP_ALIGNMENT,
	BPFCC_TRAP_ARGUMENT,	/* a helper's argument that it does not take */
	BPFCC_TRAP_HELD,	/* left with a record, dynptr or lock; or taken twice */
	BPFCC_TRAP_DEPTH,	/* calls within calls */
	BPFCC_TRAP_STEPS,	/* max_steps: nothing is wrong but its length */
	BPFCC_TRAP_UNKNOWN,	/* an instruction, helper or map that is not modelled */
	BPFCC_TRAP_ASKED,	/* on_insn said so */
	BPFCC_TRAP_MEMORY,	/* the interpreter's own */
};

struct bpfcc_trap {
	enum bpfcc_trap_kind kind;
	uint32_t func, insn;
	char text[200];
};

/* What r1 and r2 are at the start. */
struct bpfcc_interp_ctx {
	void *data;		/* NULL: r1 is 0 */
	size_t bytes;
	bool is_read_only;	/* else written back */
	bool has_length;	/* r2 = bytes; else it is not set, as the kernel starts programs */
};

/* -ENOMEM. The object must live as long. */
int bpfcc_interp_new(const struct bpfcc_object *object, const struct bpfcc_interp_opts *opts,
		     struct bpfcc_interp **ret_interp);
void bpfcc_interp_free(struct bpfcc_interp *interp);

/*
 * Runs object->funcs[func] as a program. Maps keep what was written from call to call. 0; -EFAULT: a
 * trap, *ret_trap says which (may be NULL); nothing can be called after one.
 */
int bpfcc_interp_call(struct bpfcc_interp *interp, uint32_t func,
		      const struct bpfcc_interp_ctx *ctx, uint64_t *ret_r0,
		      struct bpfcc_trap *ret_trap);

/*
 * The value of an element of map `map`, value_size bytes; NULL if there is none (array elements that
 * were never touched hold zeros and are NULL too).
 */
const void *bpfcc_interp_value(const struct bpfcc_interp *interp, uint32_t map, const void *key);

/* "out of bounds", ...: what a kind of trap means */
const char *bpfcc_trap_name(enum bpfcc_trap_kind kind);

#endif /* INLAY_BPFCC_RUN_INTERP_H */
