/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops that will not end within the limits, found before the limits are. A long walk is watched:
 * the instructions from a kept state to the next visit of the same place are a turn of a loop; what
 * differs between the two states is followed through one more turn (turn.c). If nothing that
 * decides about the turn changes, the loop has no end; if it can be counted how many turns are
 * still to come, and they are too many, the limit is as good as hit.
 *
 * This refuses only. Why no program that would be accepted is: README.md, "Loops that go on".
 */
#include <stdlib.h>
#include <string.h>

#include "bpfcc/verify/turn.h"

/* Walks shorter than this are not watched, and from one watch to the next it is as long. */
#define WATCH_AFTER 2048u
/* Longest turn, in instructions; times that a place is come to before it is let go, as the turn of a
 * loop may be two or three of the way from there to there. */
#define MAX_TURN 2048u
#define MAX_VISITS 4u

/* ---- what differs ---- */

static bool same_but_offset(const struct verify_reg *a, const struct verify_reg *b)
{
	return a->type == b->type && a->flags == b->flags && a->frame == b->frame &&
	       a->map == b->map && a->func == b->func && a->bytes == b->bytes;
}

static struct verify_turn_value difference(const struct verify_reg *before,
					   const struct verify_reg *now)
{
	struct verify_turn_value d = {.change = CHANGE_ANY, .reg = *now};

	if (!same_but_offset(before, now))
		return d;
	if (before->off == now->off && range_equal(&before->num, &now->num)) {
		d.change = CHANGE_NONE;
		d.is_exact = true;
	} else if (range_is_const(&before->num) && range_is_const(&now->num)) {
		d.change = CHANGE_STEP;
		d.step = verify_known_off(now) - verify_known_off(before);
		if (!d.step)
			d.change = CHANGE_NONE;
	} else if (before->off == now->off && range_holds(&now->num, &before->num)) {
		d.change = CHANGE_MORE;
	}
	return d;
}

static uint32_t spill_bytes(const struct verify_slot *s)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < 8; i++)
		mask |= (uint32_t)(s->byte[i] == VB_SPILL) << i;
	return mask;
}

static bool is_special(const struct verify_slot *s)
{
	for (uint32_t i = 0; i < 8; i++)
		if (s->byte[i] == VB_DYNPTR || s->byte[i] == VB_ITER)
			return true;
	return false;
}

/* The two halves of a slot, the lower address first. */
static void slot_difference(const struct verify_slot *before, const struct verify_slot *now,
			    struct verify_turn_half h[2])
{
	struct verify_turn_value d = difference(&before->spill, &now->spill);
	uint32_t mask = spill_bytes(now);
	bool is_same = spill_bytes(before) == mask && !is_special(before) && !is_special(now);

	h[0] = h[1] = (struct verify_turn_half){.kind = HALF_BYTES};
	if (is_same && mask == 0xff) {
		h[0] = (struct verify_turn_half){.kind = HALF_LOW, .value = d};
		h[1].kind = HALF_HIGH;
		return;
	}
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t part = mask & 0xfu << 4 * i;

		h[i].value.reg = (struct verify_reg){.type = VT_SCALAR, .num = range_unknown()};
		if (is_same && part == 0xfu << 4 * i && mask == part)
			h[i] = (struct verify_turn_half){.kind = HALF_WHOLE, .value = d};
		else if (!is_same || memcmp(&before->byte[4 * i], &now->byte[4 * i], 4) ||
			 (part && d.change != CHANGE_NONE))
			h[i].value.change = CHANGE_ANY;
	}
}

static void state_difference(const struct verify_frame *before, const struct verify_frame *now,
			     struct verify_turn_state *ret)
{
	static const struct verify_slot nothing;

	for (int i = 0; i < 11; i++)
		ret->regs[i] = difference(&before->regs[i], &now->regs[i]);
	for (uint32_t i = 0; i < VERIFY_NR_SLOTS; i++)
		slot_difference(i < before->nr_slots ? &before->slots[i] : &nothing,
				i < now->nr_slots ? &now->slots[i] : &nothing,
				&ret->halves[VERIFY_NR_HALVES - 2 * (i + 1)]);
}

/* ---- does the turn lead to a state that differs in the same way? ---- */

/* False: `start` said more than what the turn came to; it says less now. */
static bool agree(struct verify_turn_value *start, const struct verify_turn_value *end)
{
	if (start->change == CHANGE_ANY ||
	    (start->change == end->change &&
	     (start->change != CHANGE_STEP || start->step == end->step)) ||
	    (start->change == CHANGE_MORE && end->change == CHANGE_NONE))
		return true;
	start->change = CHANGE_ANY;
	return false;
}

static bool agree_half(struct verify_turn_half *start, const struct verify_turn_half *end)
{
	if (start->kind == end->kind)
		return start->kind == HALF_HIGH || agree(&start->value, &end->value);
	if (start->kind == HALF_BYTES && start->value.change == CHANGE_ANY)
		return true;
	if (start->kind == HALF_BYTES && start->value.change == CHANGE_NONE &&
	    end->kind == HALF_WHOLE && end->value.change == CHANGE_NONE)
		return true;
	start->kind = HALF_BYTES;
	start->value = (struct verify_turn_value){
		.change = CHANGE_ANY, .reg = {.type = VT_SCALAR, .num = range_unknown()}};
	return false;
}

static bool agree_all(struct verify_turn_state *start, const struct verify_turn_state *end,
		      uint32_t live)
{
	bool is_same = true;

	for (int i = 0; i < 10; i++)
		if (live & 1u << i)
			is_same &= agree(&start->regs[i], &end->regs[i]);
	for (uint32_t i = 0; i < VERIFY_NR_HALVES; i++)
		is_same &= agree_half(&start->halves[i], &end->halves[i]);
	return is_same;
}

/* Turns that certainly come after this one, UINT64_MAX: there is no end; 0: nothing is known. */
static uint64_t count_turns(struct verify *v, const struct verify_state *before)
{
	struct verify_watch *w = &v->walk->watch;
	struct verify_turn t = {.v = v, .func = verify_func(v),
				.frame = (uint8_t)(v->cur->nr_frames - 1)};
	struct verify_turn_state start;
	uint32_t live = v->walk->places[v->walk->func][v->insn].live;

	state_difference(before->frames[t.frame], verify_frame(v), &start);
	/* each round that comes to another end says less of a register or a piece of stack */
	for (uint32_t round = 0; round < 16; round++) {
		t.s = start;
		t.turns = UINT64_MAX;
		w->nr_steps += w->nr_insns;
		if (!verify_turn(&t, w->insns, w->nr_insns) || !t.turns)
			return 0;
		if (agree_all(&start, &t.s, live))
			return t.turns == UINT64_MAX || t.is_uncut ? t.turns : 0;
	}
	return 0;
}

/* ---- the watch ---- */

void verify_watch_free(struct verify_walk *w)
{
	free(w->watch.insns);
	w->watch = (struct verify_watch){0};
}

void verify_watch_stop(struct verify_walk *w)
{
	w->watch.from = NULL;
	/* Attack: turns that take long to look at. A step costs a tenth of an instruction's walk. */
	w->watch.next = w->stats.nr_insns_walked + WATCH_AFTER + w->watch.nr_steps / 2;
	w->watch.nr_steps = 0;
}

void verify_watch_start(struct verify *v, const struct verify_kept *k)
{
	struct verify_walk *w = v->walk;

	if (!w->watch.insns) {
		/* no room: the limits are hit later, that is all */
		w->watch.insns = malloc(MAX_TURN * sizeof(*w->watch.insns));
		if (!w->watch.insns)
			return;
	}
	w->watch.from = k;
	w->watch.nr_insns = 0;
	w->watch.nr_visits = 0;
	w->watch.nr_frames = v->cur->nr_frames;
	w->watch.nr_pending = w->nr_pending;
}

void verify_watch_insn(struct verify *v)
{
	struct verify_walk *w = v->walk;

	/* a turn is of one function, and of one path */
	if (!w->watch.from->state || !w->watch.from->nr_open) {
		/* not of a loop; the next state perhaps */
		w->watch.from = NULL;
		return;
	}
	if (v->cur->nr_frames != w->watch.nr_frames || w->watch.nr_insns == MAX_TURN) {
		verify_watch_stop(w);
		return;
	}
	w->watch.insns[w->watch.nr_insns++] = v->insn;
}

static bool can_compare(const struct verify_state *a, const struct verify_state *b)
{
	if (a->nr_frames != b->nr_frames || a->nr_refs != b->nr_refs ||
	    a->callback_rounds != b->callback_rounds)
		return false;
	for (uint32_t i = 0; i < a->nr_frames; i++)
		if (a->frames[i]->may_goto_depth != b->frames[i]->may_goto_depth)
			return false;
	return true;
}

int verify_watch_visit(struct verify *v)
{
	struct verify_walk *w = v->walk;
	const struct verify_kept *k = w->watch.from;
	uint64_t turns, pending = 0;

	if (v->insn != k->insn || w->func != k->func || !w->watch.nr_insns)
		return 0;
	if (!k->state || !k->nr_open || !can_compare(k->state, v->cur)) {
		verify_watch_stop(w);
		return 0;
	}
	turns = count_turns(v, k->state);
	if (turns == UINT64_MAX)
		return verify_refuse(v,
				     "bound it with a counter: for (i = 0; i < N; i++); or use "
				     "bpf_loop()",
				     "the loop does not end: control comes here again, and nothing "
				     "has changed that decides about it");
	if (w->nr_pending > w->watch.nr_pending)
		pending = w->nr_pending - w->watch.nr_pending;
	if (turns) {
		if (turns > (w->opts.max_insns - w->stats.nr_insns_walked) / w->watch.nr_insns)
			return verify_limit(v, "bound its loops with smaller constants, or use "
					       "bpf_loop()",
					    "the program is too complex: the loop goes round %llu "
					    "times more, and more than %u instructions would be "
					    "walked", (unsigned long long)turns, w->opts.max_insns);
		if (pending && turns > (w->opts.max_jumps - w->nr_pending) / pending)
			return verify_limit(v, "split the program into functions that are tail "
					       "called, or make its loops simpler",
					    "the loop goes round %llu times more, and more than %u "
					    "branches would wait to be walked",
					    (unsigned long long)turns, w->opts.max_jumps);
	}
	if (++w->watch.nr_visits == MAX_VISITS)
		verify_watch_stop(w);
	return 0;
}
