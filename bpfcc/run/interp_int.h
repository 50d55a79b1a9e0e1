/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter's files among themselves. Whatever can trap returns 0 or -EFAULT after
 * interp_trap(), and the first trap stops everything.
 */
#ifndef INLAY_BPFCC_RUN_INTERP_INT_H
#define INLAY_BPFCC_RUN_INTERP_INT_H

#include <errno.h>

#include "bpfcc/isa.h"
#include "bpfcc/run/interp.h"

#define STACK_BYTES 512
#define MAX_FRAMES 8
#define MAX_TAIL_CALLS 33
#define DYNPTR_BYTES 16
#define ITER_BYTES 8

enum thing_kind {
	THING_STACK,
	THING_CTX,
	THING_MAP,		/* map instance `instance` */
	THING_VALUE,		/* of map instance `instance` */
	THING_KEY,
	THING_MEM,
	THING_RECORD,		/* of a ring buffer; to be given back */
	THING_FUNC,
	THING_OPAQUE,		/* of the kernel's; no bytes */
	THING_DYNPTR,		/* one that a callback is given; no bytes */
	THING_ARENA,		/* that of map instance `instance`; no bytes, see interp_arena.c */
};

/* Something that pointers point into. Never moved or reused: a stale pointer stays stale. */
struct thing {
	enum thing_kind kind;
	bool is_gone, is_read_only, is_write_only;
	bool is_shared;		/* others write it at any time */
	bool owns_data;
	uint32_t parent;	/* thing whose memory it is a part of, gone when that is; 0: none */
	uint32_t instance, func, dynptr, frame;
	uint64_t base, bytes;	/* address of data[0], for the program */
	uint8_t *data;
	bool *is_set;		/* of each byte; NULL: all are */
	uint64_t *marks;	/* of each byte: part of a pointer, dynptr or iterator; NULL: numbers only */
};

/* A register's value. */
struct value {
	uint64_t num;
	uint32_t thing;		/* points into it, at num - base; 0: a number */
	bool is_set;
};

struct element {
	uint8_t *key;
	uint32_t thing;		/* its value; maps of maps: the inner map */
};

struct arena {
	uint32_t thing;
	uint32_t next;		/* as the runtime's hint: pages before it are not free */
	bool *is_live;		/* of each page */
	uint8_t *data;
};

struct instance {
	const struct bpfcc_map *map;
	uint32_t index;		/* in object->maps; of an inner map: the outer one's */
	uint32_t thing;		/* THING_MAP */
	uint32_t *by_index;	/* arrays: thing of each value, 0: not touched yet */
	struct element *elements; /* others, oldest first */
	uint32_t nr_elements, max_elements;
	struct arena *arena;
};

struct dynptr {
	bool is_live, is_read_only;
	uint32_t thing;		/* 0: it could not be made */
	uint64_t off, bytes;
	uint32_t record;	/* to be given back, 0: none */
	bool is_held;		/* has to be given back, record or not */
	uint32_t clone_of;	/* the first of them: given back together */
};

/* numbers, one after the other */
struct iter {
	uint32_t item;		/* thing: the number that was given last */
	int64_t next, end;
};

struct frame {
	struct frame *below;
	uint32_t func, insn, number;
	uint32_t stack;		/* thing */
	int arena;		/* instance of the program's arena; -1: none */
	struct value regs[11];
	uint64_t may_goto_left;
};

/* of the kernel's, which do nothing here */
enum section { SECTION_RCU, SECTION_PREEMPT, NR_SECTIONS };

struct bpfcc_interp {
	const struct bpfcc_object *object;
	struct bpfcc_interp_opts opts;
	struct thing *things;	/* [0] is none */
	uint32_t nr_things, max_things;
	struct instance *instances; /* object->maps first, then inner ones */
	uint32_t nr_instances, max_instances;
	struct dynptr *dynptrs;
	uint32_t nr_dynptrs, max_dynptrs;
	struct iter *iters;
	uint32_t nr_iters, max_iters;
	struct frame *frame;	/* the innermost */
	uint32_t nr_frames, nr_held, nr_tail_calls;
	uint32_t nr_sections[NR_SECTIONS];	/* entered and not left */
	struct value second;	/* r2 at the start: set if the program is run on memory */
	bool has_no_ctx;	/* r1 started as 0 */
	uint32_t lock_thing;
	uint64_t lock_off;
	uint32_t cookie;	/* thing of the session cookie */
	uint64_t next_address, address_bits, random, clock, steps;
	struct bpfcc_trap trap;
};

/* ---- interp.c ---- */
int interp_trap(struct bpfcc_interp *it, enum bpfcc_trap_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Something is held where nothing may be: a trap. */
int interp_holds_nothing(struct bpfcc_interp *it, const char *where);
/* Runs a function in a new frame; args: r1 to r5. */
int interp_function(struct bpfcc_interp *it, uint32_t func, const struct value args[5],
		    struct value *ret);
struct value interp_number(uint64_t num);
uint64_t interp_random(struct bpfcc_interp *it);
/* A number that programs trip over: small, a power of two, near the ends, anything. */
uint64_t interp_odd_number(struct bpfcc_interp *it);

/* ---- interp_alu.c ---- */
/* False: no such operation. */
bool interp_alu(const struct bpf_insn *in, struct value *dst, const struct value *src);
/* 1 taken, 0 not, -1: no such condition */
int interp_condition(const struct bpf_insn *in, uint64_t dst, uint64_t src);

/* ---- interp_mem.c ---- */
/* 0: out of memory, trapped. `data` NULL: zeros of its own, none if bytes is 0. */
uint32_t interp_thing(struct bpfcc_interp *it, enum thing_kind kind, void *data, uint64_t bytes);
void interp_drop(struct bpfcc_interp *it, uint32_t thing);
struct value interp_pointer(struct bpfcc_interp *it, uint32_t thing, uint64_t off);
int interp_load(struct bpfcc_interp *it, const struct value *address, int64_t off,
		unsigned int bytes, bool is_signed, struct value *ret);
int interp_store(struct bpfcc_interp *it, const struct value *address, int64_t off,
		 unsigned int bytes, const struct value *value);
int interp_atomic(struct bpfcc_interp *it, const struct bpf_insn *in);
/* For helpers: `bytes` bytes that a pointer points to, for reading (is_write false) or writing. */
int interp_memory(struct bpfcc_interp *it, const struct value *address, uint64_t bytes,
		  bool is_write, const char *what, uint8_t **ret_data);
/* A dynptr on the stack: marks its bytes, or finds which one it is. */
int interp_put_dynptr(struct bpfcc_interp *it, const struct value *address, uint32_t dynptr);
int interp_get_dynptr(struct bpfcc_interp *it, const struct value *address, uint32_t *ret_dynptr);

/* The same of an iterator; one that was ended is none. */
int interp_put_iter(struct bpfcc_interp *it, const struct value *address, uint32_t iter);
int interp_get_iter(struct bpfcc_interp *it, const struct value *address, uint32_t *ret_iter);
int interp_end_iter(struct bpfcc_interp *it, const struct value *address);

/* ---- interp_map.c ---- */
int interp_maps_init(struct bpfcc_interp *it);
void interp_maps_fini(struct bpfcc_interp *it);
/* the value of element 0, for an lddw */
int interp_map_address(struct bpfcc_interp *it, uint32_t map, uint32_t off, struct value *ret);
int interp_map_lookup(struct bpfcc_interp *it, uint32_t instance, const uint8_t *key,
		      struct value *ret);
int64_t interp_map_update(struct bpfcc_interp *it, uint32_t instance, const uint8_t *key,
			  const uint8_t *value, uint64_t flags);
int64_t interp_map_delete(struct bpfcc_interp *it, uint32_t instance, const uint8_t *key);
int64_t interp_map_push(struct bpfcc_interp *it, uint32_t instance, const uint8_t *value,
			uint64_t flags);
int64_t interp_map_pop(struct bpfcc_interp *it, uint32_t instance, bool is_peek, uint8_t *value);
/* 0: is not there; -EFAULT: trapped; 1: *ret is the value */
int interp_map_nth(struct bpfcc_interp *it, uint32_t instance, uint32_t n, const uint8_t **ret_key,
		   struct value *ret, uint8_t key_room[4]);

/* ---- interp_call.c, interp_helper.c ---- */
struct bpfcc_helper;
int interp_call(struct bpfcc_interp *it, const struct bpf_insn *in);

struct arg {
	struct value v;
	uint8_t *data;		/* memory arguments */
	uint64_t bytes;
	uint32_t instance;	/* MAP */
	uint32_t dynptr;	/* DYNPTR */
	uint32_t iter;		/* ITER */
};

/* interp_string.c */
int interp_string(struct bpfcc_interp *it, const struct bpfcc_helper *kfunc, struct arg args[5]);
/* A live one, at `at` of the stack unless that is NULL; its number is nr_dynptrs - 1 then. */
int interp_new_dynptr(struct bpfcc_interp *it, const struct dynptr *from, const struct value *at);
/* The bytes of a dynptr; NULL: not that many, or trapped. */
uint8_t *interp_dynptr_bytes(struct bpfcc_interp *it, const struct dynptr *d, uint64_t off,
			     uint64_t bytes);
/* r0: a part of its memory, which lives as long; NULL: there is none */
int interp_dynptr_slice(struct bpfcc_interp *it, const struct dynptr *d, uint64_t off,
			uint64_t bytes, bool is_write);

/* interp_kfunc.c: what a kernel function does, if it is one that programs see the doing of */
int interp_kfunc(struct bpfcc_interp *it, const struct bpfcc_helper *kfunc, struct arg args[5],
		 bool *ret_is_done);
/* What the helper does, with arguments that were checked. r0 is the frame's. */
int interp_helper(struct bpfcc_interp *it, const struct bpfcc_helper *helper, struct arg args[5]);

/* ---- interp_arena.c ---- */
bool interp_is_arena(const struct bpfcc_map *map);
int interp_arena_init(struct bpfcc_interp *it, uint32_t instance);
void interp_arena_fini(struct instance *in);
/* The arena of a program that begins with a function, or -1 */
int interp_arena_of(const struct bpfcc_interp *it, uint32_t func);
int interp_cast(struct bpfcc_interp *it, const struct bpf_insn *in);
/* Behind an operation whose result is *dst, which pointed into thing `was`. */
void interp_arena_result(const struct bpfcc_interp *it, const struct bpf_insn *in, uint32_t was,
			 struct value *dst);
/* The bytes of an access through a pointer into an arena; NULL: they are not there. */
uint8_t *interp_arena_at(const struct bpfcc_interp *it, const struct value *address, int64_t off,
			 unsigned int bytes);
int interp_arena_kfunc(struct bpfcc_interp *it, const struct bpfcc_helper *kfunc,
		       const struct arg args[5]);

#endif /* INLAY_BPFCC_RUN_INTERP_INT_H */
