/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the register-kind analysis: kinds.c (fixpoint), kinds_step.c (one instruction),
 * kinds_call.c (calls), kinds_mem.c (memory accesses), kinds_reg.c (lattice and arithmetic),
 * kinds_range.c (intervals).
 */
#ifndef INLAY_BPFCC_KINDS_INT_H
#define INLAY_BPFCC_KINDS_INT_H

#include "bpfcc/diag.h"
#include "bpfcc/helpers.h"
#include "bpfcc/kinds.h"

#define STACK_BYTES 512
#define NR_SLOTS (STACK_BYTES / 8)
#define NR_REGS 11

/* Registers and the own stack, in 8-byte slots: slot[i] is at r10 - 8 * (i + 1). */
struct state {
	struct bpfcc_reg r[NR_REGS];
	struct bpfcc_reg slot[NR_SLOTS];
};

/* What a function does to memory that a pointer argument reaches: [lo, hi) from the argument. */
struct reach {
	int64_t lo, hi;		/* lo == hi: nothing */
	bool is_any;		/* at offsets that are not constant */
};

struct func_info {
	const struct bpfcc_func *func;
	uint8_t *is_leader;	/* by instruction: a block starts there */
	uint8_t *is_dirty;	/* by instruction: the block's state changed since it was run */
	uint8_t *nr_visits;	/* by instruction: how often the block's state changed */
	struct state **leaders;	/* by instruction: state at the block's start; NULL: unreached */
	struct bpfcc_regs *regs; /* result, by instruction */
	struct bpfcc_reg args[BPFCC_MAX_ARGS]; /* joined over all calls */
	struct bpfcc_reg ret;	/* r0 at the ends, joined; UNREACHED: never returns (yet) */
	struct reach read[BPFCC_MAX_ARGS + 1], written[BPFCC_MAX_ARGS + 1]; /* by `base` */
	uint32_t stack_bytes;
	uint32_t prog_kinds;	/* mask of enum inlay_prog_kind of the programs that reach it */
	bool is_called;		/* a program, or a call of it can run */
	bool is_queued;
	int64_t *thresholds;	/* ascending: where a growing interval rests; INT64_MAX last */
	uint32_t nr_thresholds;
};

struct bpfcc_kinds {
	const struct bpfcc_object *object;
	struct bpfcc_kinds_opts opts;
	struct bpfcc_arena *arena;
	struct bpfcc_diag *diag;
	struct func_info *funcs;
};

/* A number that names a place where a value that may be NULL comes from: never 0. */
static inline uint32_t place_of(uint32_t insn, uint32_t what)
{
	return 1 + insn * 128 + what;
}
enum { PLACE_CALL = 100, PLACE_ARGS = 110, PLACE_COPY = 120 };

/* The step at hand. */
struct step {
	struct bpfcc_kinds *k;
	struct func_info *f;
	uint32_t insn;
	bool is_report;		/* the last pass: errors are said, results kept */
	int err;		/* of the first error; -ENOMEM in any pass */
	struct state *s;
};

/* Says it in the last pass; before, the analysis goes on with what is sound. */
void step_error(struct step *st, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void step_warning(struct step *st, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Makes an interval that grew grow to the next threshold of the function. */
void kinds_widen(const struct func_info *f, const struct bpfcc_reg *old, struct bpfcc_reg *joined);
/* The function must be run again. */
void kinds_queue(struct func_info *f);

/* ---- kinds_reg.c ---- */
struct bpfcc_reg reg_scalar(void);
struct bpfcc_reg reg_const(uint64_t value);
struct bpfcc_reg reg_range(int64_t min, int64_t max);
/* Sets min, max and, if they are equal, the value. */
void reg_set_range(struct bpfcc_reg *reg, int64_t min, int64_t max);
/* The join of two; `place` makes a new id for a value that may be NULL. */
struct bpfcc_reg reg_join(const struct bpfcc_reg *a, const struct bpfcc_reg *b, uint32_t place);
bool reg_equal(const struct bpfcc_reg *a, const struct bpfcc_reg *b);
bool reg_is_const(const struct bpfcc_reg *reg, uint64_t value);
struct bpfcc_reg reg_alu(const struct bpf_insn *in, const struct bpfcc_reg *dst,
			 const struct bpfcc_reg *src);
/* 1: taken, 0: not taken, -1: not known */
int reg_branch(const struct bpf_insn *in, const struct bpfcc_reg *dst, const struct bpfcc_reg *src);

/* ---- kinds_range.c ---- */
struct range {
	int64_t min, max;
};
/* Result of an ALU instruction on two numbers. */
struct range kinds_range_alu(const struct bpf_insn *in, struct range dst, struct range src);
/* What is left of dst on a branch's side; false: nothing is, the side cannot be taken. */
bool kinds_range_refine(const struct bpf_insn *in, bool is_taken, struct range *dst, struct range src);

/* ---- kinds_mem.c ---- */
enum access { ACCESS_READ = 1, ACCESS_WRITE = 2 };
/* An access of `bytes` at reg + off; what: "the load", "the key" … for messages. bytes < 0:
 * unknown. */
void mem_access(struct step *st, const struct bpfcc_reg *reg, int64_t off, int64_t bytes,
		unsigned int access, const char *what);
/* After a store of an 8-byte `value`, or of something else (NULL), there. */
void mem_store(struct step *st, const struct bpfcc_reg *reg, int64_t off, int64_t bytes,
	       const struct bpfcc_reg *value);
struct bpfcc_reg mem_load(struct step *st, const struct bpfcc_reg *reg, int64_t off, int64_t bytes,
			  bool is_signed);
/* Memory of the own stack may have been changed: [lo, hi) from r10, or all of it. */
void mem_clobber(struct state *s, int64_t lo, int64_t hi);

/* The own stack is used down to this offset. */
void mem_need_stack(struct step *st, int64_t off);

/* ---- kinds_call.c ---- */
/* false: the call does not return (yet) */
bool call_step(struct step *st, const struct bpf_insn *in);

/* ---- kinds_step.c ---- */
/* Reads a register: UNINIT is an error. */
const struct bpfcc_reg *step_read(struct step *st, int reg);
/* One instruction that is no jump and no exit. false: control ends here. */
bool step_insn(struct step *st, const struct bpf_insn *in);
/* A branch: the states of both sides in ret_state[0] (next) and [1] (taken); mask of those that
 * run. */
unsigned int step_branch(struct step *st, const struct bpf_insn *in, struct state ret_state[2]);

#endif /* INLAY_BPFCC_KINDS_INT_H */
