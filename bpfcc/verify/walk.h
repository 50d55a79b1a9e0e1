/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exploration's own data: waiting paths, kept states, limits, what is known of each instruction
 * before the walk. Shared by walk.c, prune.c, use.c, state.c, facts.c, explain.c and verify.c; the
 * rules do not look in here.
 */
#ifndef INLAY_BPFCC_VERIFY_WALK_H
#define INLAY_BPFCC_VERIFY_WALK_H

#include "bpfcc/verify/impl.h"

/* A decision on the way to the current instruction, for messages. */
struct verify_step {
	const struct verify_step *before;
	uint32_t func, insn;
	uint32_t next;		/* where control went */
};

/* A state that was kept where paths join. */
struct verify_kept {
	struct verify_state *state;
	struct verify_kept *next;	/* at the same instruction */
	struct verify_kept *parent;	/* kept before it on its path */
	/*
	 * Not NULL: a path from here was cut off at `loop`, a state on the way to this one, whose
	 * marks were not complete then; so this one's are not before loop's are.
	 */
	struct verify_kept *loop;
	uint32_t depth;			/* of the chain of parents */
	uint32_t func, insn;
	uint32_t hash;			/* of what equal states have in common */
	uint32_t nr_open;		/* paths from here that are still to be walked */
	uint32_t nr_hits, nr_misses;
};

/* The states that were kept at one instruction, the newest first. */
struct verify_kept_at {
	struct verify_kept *open;	/* on the current path */
	struct verify_kept *done;	/* all paths from there were walked */
};

/* A path that waits. */
struct verify_pending {
	struct verify_state *state;
	struct verify_kept *parent;
	const struct verify_step *steps;
	uint32_t nr_watched;	/* instructions of the watch that are of this path, too */
};

enum verify_point {
	POINT_JOIN = 1u << 0,	/* states are compared here, and kept now and then */
	POINT_FORCE = 1u << 1,	/* kept always */
	POINT_CALLBACK = 1u << 2, /* a call of a helper that runs a callback */
	POINT_MAY_GOTO = 1u << 3,
	POINT_ITER = 1u << 4,	/* a step of an iterator */
};

/* Through what an instruction accesses memory. */
enum verify_seen { SEEN_CTX = 1u << 0, SEEN_OTHER = 1u << 1, SEEN_ARENA = 1u << 2 };

/* What is known of a function's budget for may_goto. */
enum verify_budget {
	BUDGET_NONE,	/* it has no may_goto */
	BUDGET_SPENT,	/* any cycle through a may_goto uses up some of it */
	BUDGET_COUNTED,	/* a cycle may pass one by its jump; paths count how often they go through */
};

/* Of one instruction, before any walk. */
struct verify_place {
	uint8_t point;		/* enum verify_point */
	bool is_checked;	/* its encoding, by the first path that came */
	uint8_t seen;		/* enum verify_seen, by all paths so far */
	uint16_t live;		/* registers that may be read from here on, as a mask */
	int32_t callee;		/* callx: VERIFY_A_FUNCTION or a helper's id; 0: not walked yet */
};

#define VERIFY_A_FUNCTION (-1)

struct verify_pool {
	struct verify_chunk *chunks;
	size_t used;		/* of the first chunk */
	uint64_t bytes;		/* of all chunks */
};

struct verify_mark {
	struct verify_use *use;
	uint32_t flags;
};

/* The way from a kept state to where control comes to its place again; see loop.c. */
struct verify_watch {
	const struct verify_kept *from;	/* NULL: nothing is watched */
	uint32_t next;			/* instructions walked when it may be again */
	uint32_t nr_insns, *insns;	/* of the current path, since */
	uint32_t nr_visits;
	uint32_t nr_steps;		/* instructions that turn.c has gone through for it */
	uint32_t nr_frames, nr_pending;	/* at the start */
};

/* An operation on numbers that was done. */
struct verify_memo {
	const struct bpf_insn *in;
	struct range a, b, result;
};

#define VERIFY_NR_MEMOS 32

struct verify_walk {
	struct bpfcc_verify *result;
	struct bpfcc_verify_opts opts;	/* with the limits filled in */
	struct verify_place **places;	/* by function and instruction */
	enum verify_budget *budgets;	/* by function */
	struct verify_kept_at **kept;	/* by function and instruction */
	struct verify_kept *parent;	/* of the current path */
	const struct verify_step *steps; /* of the current path */
	struct verify_pending *pending;
	uint32_t nr_pending, max_pending;
	struct verify_pool pool;	/* uses, kept, steps: freed with the walk */
	struct verify_mark *marks;	/* work list of use.c */
	uint32_t nr_marks, max_marks;
	struct verify_memo memos[VERIFY_NR_MEMOS];
	uint64_t bytes;			/* states and their parts */
	uint32_t func;			/* of v->insn; the rules may have pushed a frame since */
	struct verify_watch watch;
	struct verify_kept *fresh;	/* kept at the current instruction, just now */
	bool is_back;			/* a callback has just returned to the call that runs it */
	uint32_t nr_jumps;		/* walked */
	uint32_t nr_misses;		/* of done states that were compared with */
	uint32_t last_jumps, last_insns; /* when a state was kept */
	struct bpfcc_verify_stats stats;
};

/* state.c */
/* Zeroed memory that counts for the limit; NULL: out of memory or above it, a message was given */
void *verify_alloc(struct verify *v, size_t bytes);
void *verify_grow(struct verify *v, void *old, size_t old_bytes, size_t bytes);
void verify_free(struct verify *v, void *mem, size_t bytes);
struct verify_state *verify_state_new(struct verify *v);
/* A copy that is only compared with: nothing can be taken in it. */
struct verify_state *verify_state_keep(struct verify *v, const struct verify_state *from);
/* From the pool: lives as long as the walk. */
void *verify_pool_alloc(struct verify *v, size_t bytes);
void verify_pool_free(struct verify_pool *pool);

/* use.c */
/* `use` is the same value as `other`: what is marked on `use`, now and later, is on `other` too. */
void verify_use_link(struct verify *v, struct verify_use *use, struct verify_use *other);
/* A new node for the same value, for a register or slot of the state that goes on. */
struct verify_use *verify_use_same(struct verify *v, struct verify_use *use,
				   struct verify_use *also);

/* alu.c: a number that is about to be copied; what one copy is compared with, all are */
void verify_give_id(struct verify *v, struct verify_reg *r);

/* prune.c */
enum verify_compare {
	COMPARE_MARKS,	/* what mattered after the old state, whose marks are complete */
	COMPARE_LOOP,	/* so where no more marks can come (USE_LOOP), else WITHIN */
	COMPARE_WITHIN,	/* everything: each value of the current one is one of the old one's */
	COMPARE_EQUAL,	/* everything is the same */
};
/* The current state (at a join) is held by the old one. */
bool verify_compare(struct verify *v, const struct verify_state *old,
		    const struct verify_state *cur, enum verify_compare how);
/* The marks of `old`, now and later, are those of `cur`, which is held by it. */
void verify_take_marks(struct verify *v, struct verify_state *old, struct verify_state *cur,
		       bool is_complete);
/* A path stops at `s`, which is open: marks of its values may come after those that rest on them
 * were walked. */
void verify_expect_marks(struct verify *v, struct verify_state *s);
/* Registers of frame `frame` that control may read on, as a mask. */
uint32_t verify_live(struct verify *v, const struct verify_state *s, uint32_t frame);

/* places.c */
int verify_places_new(struct verify *v);
/* Registers that an instruction reads, as a mask. */
uint32_t verify_reads(const struct bpf_insn *in);

/* cycles.c */
/* 0, or -ENOMEM; of a function whose jumps were checked */
int verify_budget_of(const struct bpfcc_func *func, enum verify_budget *ret_budget);

/* iter.c */
/* Both states are at a step of the very same iterator, which has gone on since. */
bool verify_iter_is_stepped_on(const struct verify_state *old, const struct verify_state *cur);
/* The iterators of both are the very same ones. */
bool verify_iter_same(const struct verify_state *a, const struct verify_state *b);

/* walk.c */
int verify_walk_prog(struct verify *v, const struct bpfcc_func *func);
void verify_kept_free(struct verify *v, struct verify_kept_at *at);
/* A decision: control goes on at `next` of v->insn's function. */
void verify_note(struct verify *v, uint32_t next);

/* loop.c */
void verify_watch_start(struct verify *v, const struct verify_kept *k);
void verify_watch_stop(struct verify_walk *w);
void verify_watch_free(struct verify_walk *w);
/* The current instruction is about to be walked. */
void verify_watch_insn(struct verify *v);
/* Control comes to a join: -EINVAL if it is that of a loop that will not end within the limits. */
int verify_watch_visit(struct verify *v);

/* facts.c */
struct bpfcc_kinds *verify_facts_new(const struct bpfcc_object *object, struct bpfcc_arena *arena);
/* Before the step: kinds of all registers. After it: numbers that turned out to be relied upon. */
void verify_facts_before(struct verify *v);
void verify_facts_after(struct verify *v);
/* A frame's stack is used down to `bytes` below r10. */
void verify_facts_stack(struct verify *v, uint32_t func, uint32_t bytes);
/* The slot is read although not all of it was written: it must be zero when the function starts. */
void verify_facts_zero(struct verify *v, uint32_t func, uint32_t slot);

/* explain.c */
int verify_limit(struct verify *v, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void verify_trace(struct verify *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
void verify_trace_regs(struct verify *v, const struct verify_reg before[11], uint32_t frames);

#endif /* INLAY_BPFCC_VERIFY_WALK_H */
