/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which functions could come back to a may_goto without going through one: by its jump, which is taken
 * for ever when the budget is used up. In those the rounds of each path are counted (walk.c); in the
 * others any cycle through a may_goto uses up some of the budget. README.md, "Loops".
 *
 * The strongly connected components of the instructions without the ways through may_gotos, by Tarjan's
 * algorithm; with a stack of its own, as functions are long.
 */
#include <errno.h>
#include <stdlib.h>

#include "bpfcc/verify/walk.h"

struct node {
	uint32_t order;		/* in which it was found; 0: not yet */
	uint32_t low;		/* the first one found that can be reached and is not in a component yet */
	uint32_t from;		/* from where it was found, + 1 */
	uint8_t nr_tried;	/* of its ways on */
	bool is_waiting;	/* on the stack of those without a component */
};

struct search {
	const struct bpfcc_func *func;
	struct node *nodes;
	uint32_t *waiting;
	uint32_t nr_waiting, nr_found;
	bool is_cycle;		/* found: one with a may_goto */
};

static int ways_on(const struct bpfcc_func *func, uint32_t insn, uint32_t next[2])
{
	const struct bpf_insn *in = &func->insns[insn];

	if (!bpfcc_insn_is_may_goto(in))
		return bpfcc_insn_next(in, insn, next);
	next[0] = (uint32_t)bpfcc_insn_target(in, insn);
	return 1;
}

static void find(struct search *s, uint32_t insn, uint32_t from)
{
	s->nodes[insn] = (struct node){.from = from, .is_waiting = true};
	s->nodes[insn].order = s->nodes[insn].low = ++s->nr_found;
	s->waiting[s->nr_waiting++] = insn;
}

/* All that is reached from `insn` was found; if it reaches nothing before it, it is a component's first. */
static void finish(struct search *s, uint32_t insn)
{
	struct node *n = &s->nodes[insn];
	bool has_may_goto = false;
	uint32_t member, nr = 0, next[2];

	if (n->from && n->low < s->nodes[n->from - 1].low)
		s->nodes[n->from - 1].low = n->low;
	if (n->low != n->order)
		return;
	do {
		member = s->waiting[--s->nr_waiting];
		s->nodes[member].is_waiting = false;
		has_may_goto |= bpfcc_insn_is_may_goto(&s->func->insns[member]);
		nr++;
	} while (member != insn);
	s->is_cycle |= has_may_goto && (nr > 1 || (ways_on(s->func, insn, next) && next[0] == insn));
}

static void search_from(struct search *s, uint32_t insn)
{
	uint32_t at = insn, next[2];

	find(s, insn, 0);
	for (;;) {
		struct node *n = &s->nodes[at];

		if (n->nr_tried < ways_on(s->func, at, next)) {
			uint32_t to = next[n->nr_tried++];

			if (!s->nodes[to].order) {
				find(s, to, at + 1);
				at = to;
			} else if (s->nodes[to].is_waiting && s->nodes[to].order < n->low) {
				n->low = s->nodes[to].order;
			}
			continue;
		}
		finish(s, at);
		if (!n->from)
			return;
		at = n->from - 1;
	}
}

int verify_budget_of(const struct bpfcc_func *func, enum verify_budget *ret_budget)
{
	struct search s = {.func = func};

	*ret_budget = BUDGET_NONE;
	for (uint32_t i = 0; i < func->nr_insns; i++)
		if (bpfcc_insn_is_may_goto(&func->insns[i]))
			*ret_budget = BUDGET_SPENT;
	if (*ret_budget == BUDGET_NONE)
		return 0;
	s.nodes = calloc(func->nr_insns, sizeof(*s.nodes));
	s.waiting = calloc(func->nr_insns, sizeof(*s.waiting));
	if (s.nodes && s.waiting)
		search_from(&s, 0);
	free(s.waiting);
	free(s.nodes);
	if (!s.nr_found)
		return -ENOMEM;
	if (s.is_cycle)
		*ret_budget = BUDGET_COUNTED;
	return 0;
}
