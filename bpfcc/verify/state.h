/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The abstract state of one path of a program: frames with registers and stack, and what was taken
 * and not given back. Copied where paths part; kept where paths join, to be compared with.
 *
 * Uses. Every register and stack slot carries a node that remembers whether what it holds mattered
 * later: READ (the value was looked at), PRECISE (the proof rests on the number's range: an offset,
 * a size, a branch that was cut off). A node points to the nodes that its value came from, so a
 * mark travels back by itself to every kept state on the path, without walking the path again. At
 * each kept state all nodes are renewed (a new node whose `from` is the old one), so that a kept
 * state knows only what mattered after it. Two states are compared by what mattered alone.
 */
#ifndef INLAY_BPFCC_VERIFY_STATE_H
#define INLAY_BPFCC_VERIFY_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "bpfcc/verify/range.h"

#define VERIFY_MAX_FRAMES 8
#define VERIFY_STACK_BYTES 512
#define VERIFY_NR_SLOTS (VERIFY_STACK_BYTES / 8)
#define VERIFY_MAX_REFS 64	/* records, locks … held at once */

enum verify_use_flags {
	USE_READ = 1u << 0,
	USE_PRECISE = 1u << 1,
	USE_SAME = 1u << 2,	/* `from` are this very value, seen earlier: READ travels on too */
	USE_LOOP = 1u << 3,	/* marks may still come, when all paths from here were walked: from
				 * a loop around them; see README.md, "Loops" */
};

struct verify_use {
	uint32_t flags;		/* enum verify_use_flags */
	uint32_t nr_from;
	struct verify_use *from[2];
};

enum verify_type {
	VT_UNINIT = 0,
	VT_SCALAR,
	VT_STACK,	/* r10 of frame `frame` + off + num */
	VT_CTX,		/* + off + num */
	VT_MAP,		/* map `map`, or an inner map like its template (is_inner) */
	VT_MAP_VALUE,	/* value of map `map` + off + num */
	VT_MAP_KEY,	/* a key that the map passes to a callback: read-only, + off + num */
	VT_MEM,		/* `bytes` bytes: session cookie, ring buffer record, dynptr slice … */
	VT_FUNC,	/* function `func`, a callback */
	VT_DYNPTR,	/* a dynptr that is not on the program's stack (callback argument) */
	VT_OPAQUE,	/* a kernel object: only helpers may take it */
	VT_ITER,	/* an iterator: of slots only, see iter.c */
	VT_ARENA,	/* arena memory: any offset is valid, faults are fixed up */
};

enum verify_reg_flags {
	VF_OR_NULL = 1u << 0,	/* may be NULL; not to be dereferenced before a check */
	VF_RDONLY = 1u << 1,
	VF_RECORD = 1u << 2,	/* MEM: a reserved ring buffer record, `ref` must be given back */
	VF_INNER = 1u << 3,	/* MAP, MAP_VALUE: of an inner map; uid tells lookups apart */
	VF_ON_STACK_ARG = 1u << 4, /* private to call.c: a dynptr or iterator slot's address */
	VF_WHOLE = 1u << 5,	/* MEM: a load of all of its bytes, and nothing else */
	VF_LOW = 1u << 6,	/* scalars with id: the low half of the common value + add, and no more */
	VF_SLICE = 1u << 7,	/* MEM: of a dynptr, so perhaps of what others change meanwhile */
	VF_ODD = 1u << 8,	/* MEM, and the slots of a dynptr: perhaps at no multiple of 8 */
};

struct verify_reg {
	uint8_t type;		/* enum verify_type */
	uint8_t frame;		/* STACK: number of the frame it points into */
	uint16_t flags;		/* enum verify_reg_flags */
	int32_t off;		/* pointers: fixed part of the offset, bytes */
	uint32_t map;		/* MAP, MAP_VALUE, MAP_KEY: index; INNER: of the outer map */
	uint32_t func;		/* FUNC */
	uint32_t bytes;		/* MEM: size; MAP_VALUE and MAP_KEY: size of the value or key */
	uint32_t id;		/* scalars: equal for copies of one value (see `add`), 0 of none;
				 * pointers: equal for copies of one pointer that may be NULL */
	int32_t add;		/* scalars with id: this one is the common value + add (VF_LOW: its low
				 * half, zero-extended) */
	uint32_t ref;		/* what has to be given back, see verify_state.refs; 0: nothing */
	uint32_t uid;		/* INNER: lookups with different uids may be different maps; MEM: id of
				 * the dynptr that it is a slice of; MAP_KEY, DYNPTR: callback_uid of
				 * the callback; MAP_VALUE with a lock: which value */
	struct range num;	/* SCALAR: the number; pointers: the variable part of the offset */
	struct verify_use *use;	/* never NULL where type is not UNINIT */
};

/*
 * Where a pointer points whose offset is known (range_is_const()), in bytes: as machines add, modulo
 * 2^64, as the variable part may be any number until the pointer is used.
 */
static inline int64_t verify_known_off(const struct verify_reg *r)
{
	return (int64_t)((uint64_t)r->off + r->num.umin);
}

/* what one byte of stack holds */
enum verify_byte {
	VB_UNINIT = 0,
	VB_MISC,		/* set, unknown */
	VB_ZERO,
	VB_SPILL,		/* part of slot.spill */
	VB_DYNPTR,		/* part of a dynptr: slot.spill has its kind, see dynptr.c */
	VB_ITER,		/* an iterator, see iter.c */
};

struct verify_slot {
	uint8_t byte[8];	/* enum verify_byte; byte[0] is the lowest address */
	/* what the SPILL bytes hold, which are next to each other: 8 of them, or a number's low
	 * bytes, the first of them in the lowest address */
	struct verify_reg spill;
	struct verify_use *use;	/* of the slot, also for MISC and ZERO; NULL while all UNINIT */
};

struct verify_frame {
	uint32_t func;		/* index in object->funcs */
	uint32_t return_to;	/* instruction in the caller after the call; not for frame 0 */
	/* callback frames: the helper call that runs it. It returns to that call, which runs it again
	 * or goes on; see callback.c */
	bool is_callback;
	int32_t callback_helper; /* kernel's helper id */
	uint32_t callback_call;	/* the call instruction, in the caller */
	/* Of the frame that makes the call: times round so far. An old state holds no current one that
	 * has gone round less often. */
	uint32_t callback_depth;
	uint32_t callback_refs;	/* held when the callback was entered */
	uint32_t callback_uid;	/* of what the helper lent to the callback for this round */
	/* The call of a helper with a callback that this frame makes, unique on the path: another
	 * each time that control comes to the call, the same while its callback runs. walk.c's. */
	uint32_t call_id;
	/* This run of the function, unique on the path, and how often it has gone through a may_goto: the
	 * budget is of one run. */
	uint32_t run_id, may_goto_depth;
	struct verify_reg regs[11];
	/* slot[i] is the 8 bytes at r10 - 8 * (i + 1); owned by the state, nr_slots of them */
	struct verify_slot *slots;
	uint32_t nr_slots;	/* deepest that was touched; the rest is UNINIT */
};

enum verify_ref_kind {
	REF_RECORD, REF_LOCK, REF_DYNPTR, REF_OBJECT, REF_RCU, REF_PREEMPT, REF_ITER,
};

struct verify_ref {
	uint32_t id;		/* never reused on a path; compared through the id map */
	uint32_t insn;		/* that took it, in function `func` */
	uint32_t func;
	uint8_t kind;		/* enum verify_ref_kind */
	uint32_t map, off;	/* REF_LOCK: which lock (map, uid of the value, offset); REF_ITER:
				 * `off` is not 0 when it has come to its end */
	uint32_t uid;
};

struct verify_state {
	struct verify_frame *frames[VERIFY_MAX_FRAMES];
	uint32_t nr_frames;
	uint32_t insn;		/* to be walked next, in frames[nr_frames - 1]->func */
	uint32_t nr_refs;
	uint32_t callback_rounds; /* how often a callback has returned to its call; walk.c's */
	uint32_t next_id;	/* for id, ref and uid: unique on this path */
	uint32_t max_refs;	/* private to state.c: a kept state has no room for more */
	struct verify_ref refs[VERIFY_MAX_REFS]; /* last */
};

/* state.c */
struct verify;
struct verify_state *verify_state_copy(struct verify *v, const struct verify_state *from);
void verify_state_free(struct verify *v, struct verify_state *s);
/* use.c: NULL when out of memory (v->err is set) */
struct verify_use *verify_use_new(struct verify *v, struct verify_use *a, struct verify_use *b);
void verify_use_mark(struct verify *v, struct verify_use *use, uint32_t flags);

static inline bool verify_is_pointer(const struct verify_reg *r)
{
	return r->type > VT_SCALAR;
}

#endif /* INLAY_BPFCC_VERIFY_STATE_H */
