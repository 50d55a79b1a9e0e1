/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One turn of a loop over changes: what stays the same from turn to turn, what grows by a known
 * step, what only gets less known. A branch between values that stay goes the same way in every
 * turn; one between values that move goes the same way for a number of turns that can be counted.
 *
 * Nothing is accepted because of what is found here. It must be right all the same: a loop that
 * would end within the limits is not to be refused. So whatever is not understood gives it up.
 */
#include <string.h>

#include "bpfcc/verify/turn_int.h"

/* ---- branches ---- */

/* A comparison narrowed one of these: copies of it are narrowed, too. */
static void narrowed(struct verify_turn *t, const struct verify_turn_value *value, bool is_moving)
{
	uint32_t id = value->reg.id;

	for (uint32_t i = 0; i < 11 + VERIFY_NR_HALVES; i++) {
		struct verify_turn_value *a = i < 11 ? &t->s.regs[i]
						     : &t->s.halves[i - 11].value;

		if (a != value && (!id || !turn_is_number(a) || a->reg.id != id))
			continue;
		if (a->change != CHANGE_NONE || range_is_const(&a->reg.num))
			continue;
		a->is_exact = false;
		if (is_moving)
			a->change = CHANGE_ANY;
	}
}

struct comparison {
	uint8_t code;
	bool is_taken;
	struct range a, b;	/* where neither moves any further */
	int64_t a_step, b_step;
};

static struct range later(const struct range *num, int64_t step, uint64_t turns)
{
	return step ? range_const(num->umin + (uint64_t)step * turns) : *num;
}

/* The side that the loop takes can be taken `turns` turns later, too. */
static bool is_possible(const struct comparison *c, uint64_t turns)
{
	struct range a = later(&c->a, c->a_step, turns), b = later(&c->b, c->b_step, turns);
	int taken = range_branch(c->code, &a, &b);

	if (taken >= 0)
		return taken == c->is_taken;
	range_refine(c->code, c->is_taken, &a, &b);
	return !range_is_empty(&a) && !range_is_empty(&b);
}

/* Turns in which two numbers that are known are never equal. */
static uint64_t turns_apart(const struct comparison *c, unsigned int bits)
{
	uint64_t mask = bits == 64 ? UINT64_MAX : UINT32_MAX;
	__int128 apart = (__int128)(c->b.umin & mask) - (__int128)(c->a.umin & mask);
	__int128 by = (__int128)c->a_step - c->b_step, turns;

	if (!by)
		return apart ? UINT64_MAX : 0;
	if (apart % by)
		return UINT64_MAX;
	turns = apart / by;
	if (turns < 0 || turns > UINT64_MAX)
		return UINT64_MAX;
	return (uint64_t)turns;
}

/*
 * Turns in which the branch can go the way it goes, while nothing wraps around: numbers that move
 * in steps cross a bound once.
 */
static void count_turns(struct verify_turn *t, const struct comparison *c)
{
	uint8_t op = BPF_OP(c->code);
	bool is_signed = op == BPF_JSGT || op == BPF_JSGE || op == BPF_JSLT || op == BPF_JSLE;
	unsigned int bits = BPF_CLASS(c->code) == BPF_JMP ? 64 : 32;
	uint64_t lo = 0, hi;

	/* low halves that are compared and wrap around: as above */
	if (c->a_step)
		turn_limit(t, turn_inside(bits == 64 ? c->a.umin : (uint32_t)c->a.umin, c->a_step, bits,
				      is_signed));
	if (c->b_step)
		turn_limit(t, turn_inside(bits == 64 ? c->b.umin : (uint32_t)c->b.umin, c->b_step, bits,
				      is_signed));
	if (!is_possible(c, 0)) {
		turn_limit(t, 0);
		return;
	}
	if ((op == BPF_JEQ && !c->is_taken) || (op == BPF_JNE && c->is_taken)) {
		if (range_is_const(&c->a) && range_is_const(&c->b))
			turn_limit(t, turns_apart(c, bits));
		return;
	}
	hi = t->turns;
	while (lo < hi) {
		uint64_t middle = lo + (hi - lo + 1) / 2;

		if (is_possible(c, middle))
			lo = middle;
		else
			hi = middle - 1;
	}
	turn_limit(t, lo);
}

static bool branch_moving(struct verify_turn *t, const struct bpf_insn *in, bool is_taken,
			  struct verify_turn_value *a, struct verify_turn_value *b)
{
	const struct comparison c = {.code = in->code & (uint8_t)~BPF_X, .is_taken = is_taken,
				     .a = a->reg.num, .b = b->reg.num, .a_step = a->step,
				     .b_step = b->step};

	if (BPF_OP(in->code) == BPF_JSET || !turn_is_number(a) || !turn_is_number(b) ||
	    a->change == CHANGE_MORE || b->change == CHANGE_MORE ||
	    (a->change == CHANGE_NONE && !a->is_exact) ||
	    (b->change == CHANGE_NONE && !b->is_exact))
		return false;
	count_turns(t, &c);
	narrowed(t, a, true);
	narrowed(t, b, true);
	return true;
}

static bool may_be_null(const struct verify_turn_value *a)
{
	return turn_is_number(a) && range_has(&a->reg.num, 0);
}

static bool branch(struct verify_turn *t, const struct bpf_insn *in, bool is_taken)
{
	struct verify_turn_value imm = turn_same_number((uint64_t)(int64_t)in->imm), *b = &imm;
	struct verify_turn_value *a = &t->s.regs[in->dst_reg];

	if (BPF_OP(in->code) == BPFCC_JCOND)
		return false;
	if (BPF_SRC(in->code) == BPF_X)
		b = &t->s.regs[in->src_reg];
	if (a->change == CHANGE_ANY || b->change == CHANGE_ANY)
		return false;
	if (!turn_is_number(a) || !turn_is_number(b))
		/* where addresses lie is not known: either way, unless one may be NULL */
		return (a->change != CHANGE_STEP && b->change != CHANGE_STEP) ||
		       (!may_be_null(a) && !may_be_null(b));
	if (a->change == CHANGE_STEP || b->change == CHANGE_STEP)
		return branch_moving(t, in, is_taken, a, b);
	if (a->change == CHANGE_MORE || b->change == CHANGE_MORE) {
		/* each is bounded by what may grow */
		a->change = range_is_const(&a->reg.num) ? a->change : CHANGE_MORE;
		b->change = range_is_const(&b->reg.num) ? b->change : CHANGE_MORE;
	}
	narrowed(t, a, false);
	narrowed(t, b, false);
	return true;
}

/* ---- a turn ---- */

static void lddw(struct verify_turn *t, const struct bpf_insn *in)
{
	struct verify_turn_value r = turn_same();

	switch (in->src_reg) {
	case 0:
		r = turn_same_number((uint32_t)in[0].imm | (uint64_t)(uint32_t)in[1].imm << 32);
		break;
	case BPF_PSEUDO_MAP_FD:
		r.reg.type = VT_MAP;
		r.reg.map = (uint32_t)in->imm;
		break;
	case BPF_PSEUDO_MAP_VALUE:
		r.reg.type = t->v->object->maps[in->imm].type == BPF_MAP_TYPE_ARRAY ? VT_MAP_VALUE
										   : VT_ARENA;
		r.reg.map = (uint32_t)in->imm;
		break;
	default:
		r.reg.type = VT_FUNC;
	}
	t->s.regs[in->dst_reg] = r;
}

static bool step(struct verify_turn *t, uint32_t insn, uint32_t next)
{
	const struct bpf_insn *in = &t->func->insns[insn];

	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_CLASS(in->code) == BPF_ALU64 && BPF_OP(in->code) == BPF_MOV &&
		    in->off == BPFCC_CAST_OFF)
			return false;
		turn_alu(t, in);
		return true;
	case BPF_LD:
		lddw(t, in);
		return true;
	case BPF_LDX:
		return turn_load(t, in);
	case BPF_ST:
		return turn_store(t, in);
	case BPF_STX:
		return BPF_MODE(in->code) == BPF_ATOMIC ? turn_atomic(t, in) : turn_store(t, in);
	default:
		if (bpfcc_insn_is_exit(in) || bpfcc_insn_is_callx(in))
			return false;
		if (bpfcc_insn_is_goto(in))
			return true;
		if (bpfcc_insn_is_call(in))
			return turn_call(t, in);
		return bpfcc_insn_target(in, insn) == (int64_t)insn + 1 ||
		       branch(t, in, next != insn + 1);
	}
}

#define MAX_DONE 64	/* of one place that are looked at; where there are more, some hold what comes */

/* The state that was kept does not hold what comes by in later turns: a number has passed it. */
static bool is_passed(struct verify_turn *t, const struct verify_state *done)
{
	const struct verify_frame *f = done->frames[done->nr_frames - 1];

	if (done->nr_frames != t->frame + 1u)
		return true;
	for (int i = 0; i < 10; i++) {
		const struct verify_turn_value *a = &t->s.regs[i];
		const struct verify_reg *r = &f->regs[i];
		uint64_t x = a->reg.num.umin;

		if (a->change != CHANGE_STEP || !turn_is_known(a) || r->type != VT_SCALAR ||
		    !(r->use->flags & USE_PRECISE) || (a->step > 0 ? r->num.umax >= x
								   : r->num.umin <= x))
			continue;
		/* and does not come round to it again */
		turn_limit(t, turn_inside(x, a->step, 64, false));
		return true;
	}
	return false;
}

/* Of the states from which all was walked, none will cut the loop short. */
static bool all_are_passed(struct verify_turn *t, uint32_t insn)
{
	const struct verify_kept *k = t->v->walk->kept[t->func->index][insn].done;
	uint32_t left = MAX_DONE;

	while (k && left && is_passed(t, k->state)) {
		k = k->next;
		left--;
	}
	return !k;
}

bool verify_turn(struct verify_turn *t, const uint32_t *insns, uint32_t nr)
{
	t->is_uncut = true;
	for (uint32_t i = 0; i < nr; i++) {
		t->is_uncut = t->is_uncut && all_are_passed(t, insns[i]);
		if (!step(t, insns[i], insns[i + 1 < nr ? i + 1 : 0]))
			return false;
	}
	return true;
}
