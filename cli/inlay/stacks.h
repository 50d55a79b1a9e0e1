/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stacks of a target: what is in a STACK_TRACE map, and what another map counts for each of
 * them. Numbers in both are the target's, and nothing that has to be true.
 */
#ifndef INLAY_CLI_STACKS_H
#define INLAY_CLI_STACKS_H

#include "cli/inlay/addresses.h"
#include "cli/inlay/cli.h"
#include "inlay/inlay.h"

struct trace {
	uint32_t id;
	uint32_t nr;
	struct frame *frames;	/* innermost first */
};

/* One line of the output: how often which stack. */
struct stack_count {
	int64_t id;		/* negative: the error that bpf_get_stackid() gave */
	uint64_t count;
	char *key;		/* key_size bytes; NULL where it is not a key that is counted */
	char label[64];		/* text beside the id, such as a thread's name; "" */
	const struct trace *trace;	/* NULL: there is none with that id (any more) */
};

struct stacks {
	struct inlay_reader *reader;
	struct inlay_map_info traces_info, counts_info;
	const struct btf *btf;
	bool has_counts;
	struct trace *traces;
	size_t nr_traces;
	struct stack_count *counts;	/* the most frequent first */
	size_t nr_counts;
};

/*
 * Reads the map that was chosen, a STACK_TRACE or one that counts by ids of stacks, and the one
 * that belongs to it. Returns an exit code; prints why not. The caller calls stacks_fini().
 */
int stacks_read(const struct args *args, const struct choice *choice, struct stacks *ret_stacks);
void stacks_fini(struct stacks *stacks);

#endif /* INLAY_CLI_STACKS_H */
