/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of instructions before any walk: where paths join, and which registers may still be
 * read from there on. A register that nothing reads any more is the same as one that holds nothing:
 * states that differ in it alone are equal.
 */
#include <errno.h>
#include <stdlib.h>

#include "bpfcc/verify/walk.h"

#define ARGS 0x3eu	/* r1 to r5 */
#define JCOND 0xe0

static uint32_t call_reads(const struct bpf_insn *in)
{
	const struct bpfcc_helper *helper;

	if (in->src_reg == BPF_PSEUDO_CALL)
		return ARGS;
	helper = in->src_reg == BPF_PSEUDO_KFUNC_CALL ? bpfcc_kfunc_by_index(in->imm)
						      : bpfcc_helper_by_id(in->imm);
	return helper ? ((1u << helper->nr_args) - 1) << 1 : ARGS;
}

uint32_t verify_reads(const struct bpf_insn *in)
{
	uint32_t dst = 1u << in->dst_reg, src = 1u << in->src_reg;

	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_OP(in->code) == BPF_MOV)
			return BPF_SRC(in->code) == BPF_X ? src : 0;
		if (BPF_OP(in->code) == BPF_END || BPF_OP(in->code) == BPF_NEG)
			return dst;
		return dst | (BPF_SRC(in->code) == BPF_X ? src : 0);
	case BPF_LDX:
		return src;
	case BPF_ST:
		return dst;
	case BPF_STX:
		if (BPF_MODE(in->code) == BPF_ATOMIC && in->imm == BPF_LOAD_ACQ)
			return src;
		if (BPF_MODE(in->code) == BPF_ATOMIC && in->imm == BPF_CMPXCHG)
			return dst | src | 1;
		return dst | src;
	case BPF_JMP:
	case BPF_JMP32:
		if (BPF_OP(in->code) == JCOND)
			return 0;
		if (bpfcc_insn_is_branch(in))
			return dst | (BPF_SRC(in->code) == BPF_X ? src : 0);
		if (bpfcc_insn_is_exit(in))
			return 1;
		if (bpfcc_insn_is_callx(in))
			return ARGS | 1u << bpfcc_insn_callx_reg(in);
		return bpfcc_insn_is_call(in) ? call_reads(in) : 0;
	default:
		return 0;
	}
}

static uint32_t writes(const struct bpf_insn *in)
{
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
	case BPF_LDX:
	case BPF_LD:
		return 1u << in->dst_reg;
	case BPF_STX:
		if (BPF_MODE(in->code) != BPF_ATOMIC)
			return 0;
		if (in->imm == BPF_LOAD_ACQ)
			return 1u << in->dst_reg;
		if (in->imm == BPF_CMPXCHG)
			return 1;
		return in->imm != BPF_STORE_REL && (in->imm & BPF_FETCH) ? 1u << in->src_reg : 0;
	case BPF_JMP:
		return bpfcc_insn_is_call(in) || bpfcc_insn_is_callx(in) ? ARGS | 1 : 0;
	default:
		return 0;
	}
}

/* Ways of control, backwards: of each instruction the ways that lead to it, as lists. */
struct ways {
	uint32_t *first;	/* by instruction: its first way + 1, 0: none */
	uint32_t *next;		/* by way: the next one of the list; way 2 * i + k comes from i */
	uint32_t *todo;		/* instructions to be looked at, a stack */
	bool *is_todo;
	uint32_t nr_todo;
};

static void look_at(struct ways *w, uint32_t insn)
{
	if (w->is_todo[insn])
		return;
	w->is_todo[insn] = true;
	w->todo[w->nr_todo++] = insn;
}

/*
 * Attack: blocks in an order in which rounds over all instructions learn of one block each. So an
 * instruction is looked at again only when one behind it has changed, 11 times at most.
 */
static void find_live_in(const struct bpfcc_func *f, struct verify_place *places, struct ways *w)
{
	uint32_t next[2];

	for (uint32_t i = 0; i < f->nr_insns; i++) {
		if (i && bpfcc_insn_is_lddw(&f->insns[i - 1]))
			continue;
		for (int k = bpfcc_insn_next(&f->insns[i], i, next); k-- > 0;) {
			w->next[2 * i + (uint32_t)k] = w->first[next[k]];
			w->first[next[k]] = 2 * i + (uint32_t)k + 1;
		}
		look_at(w, i);
	}
	while (w->nr_todo) {
		uint32_t i = w->todo[--w->nr_todo], live = 0;
		const struct bpf_insn *in = &f->insns[i];

		w->is_todo[i] = false;
		for (int k = bpfcc_insn_next(in, i, next); k-- > 0;)
			live |= places[next[k]].live;
		/* the run of a callback comes back to its call, whose arguments it finds */
		live = (live & ~writes(in)) | verify_reads(in);
		if (live == places[i].live)
			continue;
		places[i].live = (uint16_t)live;
		for (uint32_t way = w->first[i]; way; way = w->next[way - 1])
			look_at(w, (way - 1) / 2);
	}
}

static int find_live(const struct bpfcc_func *f, struct verify_place *places)
{
	struct ways w = {
	    .first = calloc(f->nr_insns + 1, sizeof(*w.first)),
	    .next = calloc(f->nr_insns + 1, 2 * sizeof(*w.next)),
	    .todo = calloc(f->nr_insns + 1, sizeof(*w.todo)),
	    .is_todo = calloc(f->nr_insns + 1, sizeof(*w.is_todo)),
	};
	int err = w.first && w.next && w.todo && w.is_todo ? 0 : -ENOMEM;

	if (!err)
		find_live_in(f, places, &w);
	free(w.first);
	free(w.next);
	free(w.todo);
	free(w.is_todo);
	return err;
}

static bool runs_callback(const struct bpf_insn *in)
{
	const struct bpfcc_helper *helper;

	if (!bpfcc_insn_is_call(in) || in->src_reg)
		return false;
	helper = bpfcc_helper_by_id(in->imm);
	for (uint32_t i = 0; helper && i < helper->nr_args; i++)
		if (helper->args[i] == BPFCC_ARG_FUNC)
			return true;
	return false;
}

static bool steps_iterator(const struct bpf_insn *in)
{
	const struct bpfcc_helper *kfunc = NULL;

	if (bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_KFUNC_CALL)
		kfunc = bpfcc_kfunc_by_index(in->imm);
	return kfunc && kfunc->ret == BPFCC_RET_ITEM_OR_NULL;
}

static void find_points(const struct bpfcc_func *f, struct verify_place *places)
{
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		const struct bpf_insn *in = &f->insns[i];

		if (bpfcc_insn_is_lddw(in)) {
			i++;
			continue;
		}
		if (runs_callback(in))
			places[i].point |= POINT_JOIN | POINT_FORCE | POINT_CALLBACK;
		else if (steps_iterator(in))
			places[i].point |= POINT_JOIN | POINT_FORCE | POINT_ITER;
		else if (bpfcc_insn_is_callx(in) ||
			 (bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_CALL))
			places[i + 1].point |= POINT_JOIN;
		if (bpfcc_insn_is_branch(in)) {
			places[i].point |= POINT_JOIN;
			if (BPF_OP(in->code) == JCOND)
				places[i].point |= POINT_FORCE | POINT_MAY_GOTO;
		}
		if (bpfcc_insn_is_branch(in) || bpfcc_insn_is_goto(in))
			places[bpfcc_insn_target(in, i)].point |= POINT_JOIN;
	}
}

int verify_places_new(struct verify *v)
{
	const struct bpfcc_object *o = v->object;
	struct verify_walk *w = v->walk;

	w->places = bpfcc_arena_array(v->arena, o->nr_funcs, sizeof(*w->places));
	w->kept = bpfcc_arena_array(v->arena, o->nr_funcs, sizeof(*w->kept));
	w->budgets = bpfcc_arena_array(v->arena, o->nr_funcs, sizeof(*w->budgets));
	if (!w->places || !w->kept || !w->budgets)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->nr_funcs; i++) {
		const struct bpfcc_func *f = &o->funcs[i];

		w->places[i] = bpfcc_arena_array(v->arena, f->nr_insns + 1, sizeof(**w->places));
		w->kept[i] = bpfcc_arena_array(v->arena, f->nr_insns + 1, sizeof(**w->kept));
		if (!w->places[i] || !w->kept[i])
			return -ENOMEM;
		if (find_live(f, w->places[i]) || verify_budget_of(f, &w->budgets[i]))
			return -ENOMEM;
		find_points(f, w->places[i]);
	}
	return 0;
}
