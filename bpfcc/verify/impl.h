/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier's files among themselves. Rules (functions that look at one instruction in the
 * current state) return 0, or -EINVAL after verify_refuse(), or -ENOMEM. They change v->cur only.
 */
#ifndef INLAY_BPFCC_VERIFY_IMPL_H
#define INLAY_BPFCC_VERIFY_IMPL_H

#include "bpfcc/arena.h"
#include "bpfcc/diag.h"
#include "bpfcc/helpers.h"
#include "bpfcc/isa.h"
#include "bpfcc/object.h"
#include "bpfcc/verify/state.h"
#include "bpfcc/verify/verify.h"

struct verify {
	const struct bpfcc_object *object;
	const struct bpfcc_verify_opts *opts;
	struct bpfcc_arena *arena;	/* of what outlives the walk */
	struct bpfcc_diag *diag;
	struct verify_state *cur;	/* the path being walked */
	const struct bpfcc_prog *prog;	/* being verified; may be NULL */
	int32_t arena_map;		/* the arena that it uses; -1: none; see arenas.c */
	uint32_t insn;			/* being walked, in the current function */
	int err;			/* first -ENOMEM or -EINVAL */
	struct verify_walk *walk;	/* walk.c's own: stack of states, kept states, limits */
};

static inline struct verify_frame *verify_frame(struct verify *v)
{
	return v->cur->frames[v->cur->nr_frames - 1];
}

static inline struct verify_reg *verify_reg(struct verify *v, int reg)
{
	return &verify_frame(v)->regs[reg];
}

static inline const struct bpfcc_func *verify_func(struct verify *v)
{
	return &v->object->funcs[verify_frame(v)->func];
}

static inline const struct bpf_insn *verify_insn(struct verify *v)
{
	return &verify_func(v)->insns[v->insn];
}

/* ---- explain.c (core) ---- */
/*
 * Refuses at the current instruction: an error with source line, then notes: what is known of the
 * registers that the instruction reads, and the branches that led here. -EINVAL.
 */
int verify_refuse(struct verify *v, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "a pointer to the value of map 'counts' (8 bytes), offset 0..64", "a number, 0..255" … */
const char *verify_reg_format(struct verify *v, const struct verify_reg *r, char *buf, size_t bytes);

/* ---- state.c (core): registers ---- */
/* The register is looked at: refuses UNINIT, marks READ. Every rule starts with it. */
int verify_read_reg(struct verify *v, int reg);
void verify_set_scalar(struct verify *v, struct verify_reg *r, const struct range *num,
		       struct verify_use *from_a, struct verify_use *from_b);
void verify_set_unknown(struct verify *v, struct verify_reg *r);
void verify_set_uninit(struct verify_reg *r);
/* A pointer with offset 0 and a use of its own; the caller fills in what the type needs. */
void verify_set_pointer(struct verify *v, struct verify_reg *r, enum verify_type type,
			uint32_t flags);
void verify_mark_precise(struct verify *v, struct verify_reg *r);
uint32_t verify_new_id(struct verify *v);

/* ---- mem.c (core): memory ---- */
enum verify_access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_RAW = 4 /* write; need not be set before */ };
/*
 * `bytes` bytes at r + off (constant size) may be accessed: kind of pointer, null, bounds, stack set
 * (ACCESS_READ), read-only. For ACCESS_WRITE|ACCESS_RAW by a helper the stack becomes MISC.
 * `what` names the access in a refusal ("the key of map 'm'").
 */
int verify_helper_memory(struct verify *v, int reg, uint64_t bytes, uint32_t access,
			 const char *what);
/* The same with the size in register `size_reg` (SIZE, SIZE0): 0..umax; marks it precise. */
int verify_helper_memory_sized(struct verify *v, int reg, int size_reg, bool may_be_zero,
			       uint32_t access, const char *what);
int verify_load(struct verify *v, const struct bpf_insn *in);
int verify_store(struct verify *v, const struct bpf_insn *in);
int verify_atomic(struct verify *v, const struct bpf_insn *in);
/* Slots of a frame that a dynptr or iterator covers; grows frame->slots. NULL: out of memory */
struct verify_slot *verify_slot_at(struct verify *v, struct verify_frame *f, int32_t off);

/* ---- alu.c, branch.c (core) ---- */
int verify_alu(struct verify *v, const struct bpf_insn *in);
int verify_lddw(struct verify *v, const struct bpf_insn *in);
int verify_branch(struct verify *v, const struct bpf_insn *in); /* may push the other side */
/* Every copy of the pointer with `id`, in all frames and slots, is (not) NULL now. */
void verify_know_null(struct verify *v, struct verify_state *s, uint32_t id, bool is_null);

/* ---- arenas.c ---- */
/* Finds the program's arena: v->arena_map. */
int verify_arena_find(struct verify *v, const struct bpfcc_func *func);
/* addr_space_cast */
int verify_cast(struct verify *v, const struct bpf_insn *in);
/* Arithmetic on an arena's address, or of a number and one: whether that is it, and it was done. */
bool verify_arena_alu(struct verify *v, const struct bpf_insn *in, struct verify_reg *dst,
		      const struct verify_reg *src);

/* ---- walk.c (core) ---- */
/* Adds a path: a copy of v->cur that goes on at `insn` of its top frame. NULL: limit or memory,
 * v->err is set and a message was given. The caller may change the copy. */
struct verify_state *verify_push(struct verify *v, uint32_t insn);
/* A call of a subprogram or the entry of a callback: a new top frame, r10 set, r1-r5 as the caller
 * of this function fills them in afterwards (all UNINIT), insn 0. NULL: too deep, message given. */
struct verify_frame *verify_push_frame(struct verify *v, struct verify_state *s, uint32_t func);
void verify_pop_frame(struct verify *v, struct verify_state *s);
/* The last state of this path that was kept at `insn` of the function on top, with the same frames;
 * NULL: none. For loops whose end the run time sees to: what changes while they go round. */
const struct verify_state *verify_previous(struct verify *v, uint32_t insn);
/*
 * Numbers of `s` that differ from `old` and on which no proof rests (yet) become unknown; after many
 * rounds the others, too, if there are not few altogether: a proof that needs each of them would not come
 * to an end.
 */
void verify_widen(struct verify *v, const struct verify_state *old, struct verify_state *s,
		  uint32_t rounds, bool are_few);

/* ---- call.c, callback.c, refs.c, dynptr.c, lock.c, map_rules.c (calls) ---- */
/* Helper, kfunc or pseudo call: checks arguments, releases and takes, sets r0, clobbers r1-r5; for
 * callbacks pushes the frame. Leaves v->cur->insn where the walk goes on. */
int verify_call(struct verify *v, const struct bpf_insn *in);
/* exit of a subprogram or callback: checks its result, pops, sets the caller's r0, next insn */
int verify_return(struct verify *v);
/* exit of a program: nothing may be held */
int verify_leave(struct verify *v);
/* Loads and stores must not touch locks, kptrs … in map values: [off, off + bytes) of map. */
int verify_map_fields(struct verify *v, const struct verify_reg *r, uint64_t bytes);
/* A store is about to overwrite stack bytes of a dynptr or iterator: destroys it or refuses. */
int verify_overwrite_special(struct verify *v, struct verify_frame *f, int32_t off, uint32_t bytes);
/* Same kind and equal for pruning, for slots with DYNPTR or ITER bytes. */
bool verify_special_equal(const struct verify_slot *a, const struct verify_slot *b);
int verify_ref_take(struct verify *v, enum verify_ref_kind kind); /* new id, or -EINVAL */
/* All registers and slots with `ref` become unknown; the reference is gone. -EINVAL if not held */
int verify_ref_release(struct verify *v, uint32_t ref);

#endif /* INLAY_BPFCC_VERIFY_IMPL_H */
