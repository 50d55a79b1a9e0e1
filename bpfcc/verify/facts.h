/* SPDX-License-Identifier: BSD-2-Clause */
/* The result of a verification, shared by verify.c and facts.c. */
#ifndef INLAY_BPFCC_VERIFY_FACTS_H
#define INLAY_BPFCC_VERIFY_FACTS_H

#include "bpfcc/kinds.h"
#include "bpfcc/verify/walk.h"

struct bpfcc_verify {
	const struct bpfcc_object *object;
	struct bpfcc_kinds *kinds;
	int *results;				/* by program */
	struct bpfcc_verify_stats *stats;	/* by program */
	struct verify v;			/* with keep_states: what the states need */
	struct verify_walk walk;
};

#endif /* INLAY_BPFCC_VERIFY_FACTS_H */
