/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One turn of a loop, walked once more over what changes from turn to turn: shared by loop.c, which
 * says when that is worth it, and turn.c, which does it.
 */
#ifndef INLAY_BPFCC_VERIFY_TURN_H
#define INLAY_BPFCC_VERIFY_TURN_H

#include "bpfcc/verify/walk.h"

/* What the next turn finds at one place, beside what this turn found. */
enum verify_change {
	CHANGE_NONE,	/* the same */
	CHANGE_STEP,	/* the same plus `step`: a number that is known, or a pointer's offset */
	CHANGE_MORE,	/* every value of this turn, perhaps others, too */
	CHANGE_ANY,
};

struct verify_turn_value {
	enum verify_change change;
	bool is_exact;		/* reg.num is what the walk will have here in the coming turn */
	int64_t step;
	struct verify_reg reg;
};

/* Four bytes of stack, aligned. */
enum verify_half {
	HALF_BYTES,		/* no value of which more than `change` is known */
	HALF_WHOLE,		/* a value of four bytes */
	HALF_LOW, HALF_HIGH,	/* a value of eight bytes, in the LOW one */
};

struct verify_turn_half {
	enum verify_half kind;
	struct verify_turn_value value;
};

#define VERIFY_NR_HALVES (VERIFY_STACK_BYTES / 4)

/* The top frame, where the turn starts. */
struct verify_turn_state {
	struct verify_turn_value regs[11];
	struct verify_turn_half halves[VERIFY_NR_HALVES]; /* [0]: the lowest address */
};

struct verify_turn {
	struct verify *v;
	const struct bpfcc_func *func;
	uint8_t frame;			/* number of the top frame */
	struct verify_turn_state s;
	uint64_t turns;			/* that certainly come */
	uint32_t nr_ids;		/* given to numbers that were copied */
	bool is_uncut;			/* no state is done that might hold one of a later turn */
};

/*
 * Walks the `nr` instructions at `insns`, which come back to the first, from t->s on. False: they
 * do something of which nothing is said here.
 */
bool verify_turn(struct verify_turn *t, const uint32_t *insns, uint32_t nr);

#endif /* INLAY_BPFCC_VERIFY_TURN_H */
