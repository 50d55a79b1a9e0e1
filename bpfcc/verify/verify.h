/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier: proves that a program touches nothing but what it owns, ends, and releases what it
 * takes, by walking every path over abstract states; and gives what it found to the lowering.
 * Input: an object that check.c accepted (well-formed instructions, jumps inside of functions, no
 * recursion). No LLVM, no kernel. See bpfcc/verify/README.md.
 */
#ifndef INLAY_BPFCC_VERIFY_VERIFY_H
#define INLAY_BPFCC_VERIFY_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpfcc/object.h"

struct bpfcc_arena;
struct bpfcc_diag;
struct bpfcc_kinds;
struct verify_state;

enum bpfcc_ctx_kind {
	BPFCC_CTX_PT_REGS,	/* r1: struct pt_regs, read-only, ctx_bytes */
	BPFCC_CTX_MEMORY,	/* r1: ctx_bytes of plain memory, read and write; r2: its length */
};

struct bpfcc_verify_opts {
	enum bpfcc_ctx_kind ctx_kind;
	uint32_t ctx_bytes;
	bool allow_override;	/* bpf_override_return() */
	bool allow_write;	/* bpf_probe_write_user() */
	bool is_kernel_set;	/* also helpers and map types that the kernel offers to uprobe
				 * programs and that Inlay's runtime does not have (class ABSENT) */
	/* limits; 0: the default, see verify.c. A refusal says which one was hit. */
	uint32_t max_insns;	/* instructions walked, of all paths */
	uint32_t max_jumps;	/* branches waiting to be walked */
	uint64_t max_bytes;	/* memory for states */
	/* -v: one line of text for each instruction walked, and for each decision; may be NULL */
	void (*on_trace)(void *arg, const char *line);
	void *trace_arg;
	bool no_facts;		/* nobody will ask for bpfcc_verify_kinds(): a quarter faster */
	bool keep_states;	/* for the oracle: bpfcc_verify_has() works on the result */
};

struct bpfcc_verify_stats {
	uint32_t nr_insns_walked, nr_states, nr_pruned, max_depth;
	uint32_t stack_bytes;	/* of the deepest chain of calls */
	uint64_t bytes;		/* most memory in use */
};

struct bpfcc_verify;	/* what is known of one object; the arena's, states are its own */

/*
 * Verifies every program of the object (object->progs; with none of them: funcs[0], taken as one).
 * Messages go to `diag` (may be NULL): one error per refused program, with the path that led there
 * as notes. 0; -EINVAL refused; -ENOMEM. *ret_verify also on -EINVAL (statistics), NULL on -ENOMEM.
 */
int bpfcc_verify_new(const struct bpfcc_object *object, const struct bpfcc_verify_opts *opts,
		     struct bpfcc_arena *arena, struct bpfcc_diag *diag,
		     struct bpfcc_verify **ret_verify);
void bpfcc_verify_free(struct bpfcc_verify *verify);

/* What each register holds before each instruction, joined over all paths: for the lowering. */
const struct bpfcc_kinds *bpfcc_verify_kinds(const struct bpfcc_verify *verify);
/* 0 or -EINVAL, of program `prog` (index in object->progs) */
int bpfcc_verify_result(const struct bpfcc_verify *verify, uint32_t prog);
const struct bpfcc_verify_stats *bpfcc_verify_stats(const struct bpfcc_verify *verify,
						    uint32_t prog);

/*
 * The oracle's question (keep_states only): is there a state of the walk at instruction `insn` of
 * function `func` in which register i may hold regs[i]? Only numbers on which the proof rests are
 * compared (see "precise" in the README); a pointer register is compared by what the caller says of
 * it: `kinds[i]` enum bpfcc_kind of the concrete value, SCALAR for numbers; `offs[i]` offset from
 * the start of what it points into (stack: from r10 of its frame). True where the walk keeps no
 * states (it keeps them where paths join).
 */
bool bpfcc_verify_has(const struct bpfcc_verify *verify, uint32_t func, uint32_t insn,
		      const uint64_t regs[11], const uint8_t kinds[11], const int64_t offs[11]);

#endif /* INLAY_BPFCC_VERIFY_VERIFY_H */
