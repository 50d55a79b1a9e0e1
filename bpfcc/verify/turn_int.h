/* SPDX-License-Identifier: BSD-2-Clause */
/* What turn.c is made of: values over the turns, and rules of instructions in other files. */
#ifndef INLAY_BPFCC_VERIFY_TURN_INT_H
#define INLAY_BPFCC_VERIFY_TURN_INT_H

#include "bpfcc/verify/mem.h"
#include "bpfcc/verify/turn.h"

/* ---- values ---- */

static inline void turn_limit(struct verify_turn *t, uint64_t turns)
{
	if (turns < t->turns)
		t->turns = turns;
}

static inline struct verify_turn_value turn_same(void)
{
	return (struct verify_turn_value){
		.change = CHANGE_NONE, .reg = {.type = VT_SCALAR, .num = range_unknown()}};
}

static inline struct verify_turn_value turn_same_number(uint64_t number)
{
	return (struct verify_turn_value){.change = CHANGE_NONE, .is_exact = true,
					  .reg = {.type = VT_SCALAR, .num = range_const(number)}};
}

static inline struct verify_turn_value turn_any(void)
{
	return (struct verify_turn_value){
		.change = CHANGE_ANY, .reg = {.type = VT_SCALAR, .num = range_unknown()}};
}

static inline bool turn_is_number(const struct verify_turn_value *a)
{
	return a->reg.type == VT_SCALAR;
}

/* A number that is known: it stays, or moves by a.step. */
static inline bool turn_is_known(const struct verify_turn_value *a)
{
	return turn_is_number(a) && range_is_const(&a->reg.num) &&
	       (a->change == CHANGE_STEP || (a->change == CHANGE_NONE && a->is_exact));
}

static inline bool turn_is_known_same(const struct verify_turn_value *a)
{
	return turn_is_known(a) && a->change == CHANGE_NONE;
}

static inline struct verify_turn_value turn_moving(uint64_t number, int64_t step)
{
	struct verify_turn_value a = turn_same_number(number);

	if (step) {
		a.change = CHANGE_STEP;
		a.step = step;
	}
	return a;
}

/* ---- turn_alu.c ---- */
/* Turns until a number leaves the low `bits` bits, taken as unsigned or signed. */
uint64_t turn_inside(uint64_t number, int64_t step, unsigned int bits, bool is_signed);
/* The low half, zero-extended. */
struct verify_turn_value turn_low_half(struct verify_turn *t, const struct verify_turn_value *a);
/*
 * Comparing one copy narrows the others: here, what is known of them then, is not exact any more. So
 * all of them have the same id, as the walk gives it, and perhaps some more that it would not.
 */
void turn_give_id(struct verify_turn *t, struct verify_turn_value *a);
void turn_alu(struct verify_turn *t, const struct bpf_insn *in);

/* ---- turn_memory.c; false: something of which nothing is said here ---- */
bool turn_load(struct verify_turn *t, const struct bpf_insn *in);
bool turn_store(struct verify_turn *t, const struct bpf_insn *in);
bool turn_atomic(struct verify_turn *t, const struct bpf_insn *in);
/* A helper, which may read and write the stack. */
bool turn_call(struct verify_turn *t, const struct bpf_insn *in);

#endif /* INLAY_BPFCC_VERIFY_TURN_INT_H */
