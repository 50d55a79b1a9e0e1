/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The register-kind analysis: blocks of each function are run until their states at the start no
 * longer change, functions until what they pass to each other no longer changes. Then one more pass
 * over what was reached keeps the registers before every instruction and says what is wrong.
 *
 * A subprogram is analysed once for all of its calls: arguments are joined. Only conditions that
 * are constant cut a path off; a loop is not unrolled.
 */
#include "bpfcc/kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/arena.h"
#include "bpfcc/encoding.h"
#include "bpfcc/isa.h"
#include "bpfcc/kinds_int.h"

/* changes of a block's state before its intervals are widened */
#define MAX_EXACT_VISITS 6

void kinds_queue(struct func_info *f)
{
	f->is_queued = true;
}

/* ---- blocks ---- */

/*
 * An interval that still grows after some visits grows to the next number that the function
 * compares with, so that a loop's counter stops at its bound, and a fixpoint is reached.
 */
void kinds_widen(const struct func_info *f, const struct bpfcc_reg *old, struct bpfcc_reg *joined)
{
	int64_t min = joined->min, max = joined->max;

	if (old->kind != joined->kind || (min == old->min && max == old->max))
		return;
	if (max > old->max)
		for (uint32_t i = 0; i < f->nr_thresholds; i++)
			if (f->thresholds[i] >= max) {
				max = f->thresholds[i];
				break;
			}
	if (min < old->min)
		for (uint32_t i = f->nr_thresholds; i-- > 0;)
			if (f->thresholds[i] <= min) {
				min = f->thresholds[i];
				break;
			}
	reg_set_range(joined, min, max);
}

static void flow_to(struct step *st, uint32_t target, const struct state *s)
{
	struct state *old = st->f->leaders[target];
	bool changed = false;

	if (st->is_report)
		return;
	if (!old) {
		st->f->leaders[target] = bpfcc_arena_memdup(st->k->arena, s, sizeof(*s));
		if (!st->f->leaders[target])
			st->err = -ENOMEM;
		st->f->is_dirty[target] = 1;
		return;
	}
	for (uint32_t i = 0; i < NR_REGS + NR_SLOTS; i++) {
		struct bpfcc_reg *to = i < NR_REGS ? &old->r[i] : &old->slot[i - NR_REGS];
		const struct bpfcc_reg *from = i < NR_REGS ? &s->r[i] : &s->slot[i - NR_REGS];
		struct bpfcc_reg joined;

		if (reg_equal(to, from))
			continue;
		joined = reg_join(to, from, place_of(target, i));
		if (st->f->nr_visits[target] >= MAX_EXACT_VISITS)
			kinds_widen(st->f, to, &joined);
		changed |= !reg_equal(&joined, to);
		*to = joined;
	}
	if (changed) {
		st->f->is_dirty[target] = 1;
		if (st->f->nr_visits[target] < MAX_EXACT_VISITS)
			st->f->nr_visits[target]++;
	}
}

static void leave(struct step *st)
{
	struct func_info *f = st->f;
	struct bpfcc_reg joined;

	joined = reg_join(&f->ret, &st->s->r[0], place_of(0, PLACE_CALL));
	/* what is passed between functions has no exact visits: callers change often */
	if (f->ret.kind != BPFCC_KIND_UNREACHED)
		kinds_widen(f, &f->ret, &joined);
	if (!reg_equal(&joined, &f->ret) && !st->is_report) {
		f->ret = joined;
		for (uint32_t i = 0; i < st->k->object->nr_funcs; i++)
			if (st->k->funcs[i].is_called)
				kinds_queue(&st->k->funcs[i]);
	}
}

/* What this analysis does not follow. */
static const char *kinds_problem(const struct bpf_insn *in, const char **ret_hint)
{
	if (bpfcc_insn_is_func_address(in))
		return "callbacks are not supported yet";
	if (!bpfcc_insn_is_may_goto(in))
		return NULL;
	*ret_hint = "write a loop with a constant bound";
	return "may_goto (can_loop, cond_break) is not supported yet";
}

static void run_block(struct step *st, uint32_t start)
{
	const struct bpfcc_func *func = st->f->func;
	struct state s = *st->f->leaders[start], sides[2];
	const char *problem, *hint;
	uint32_t i = start;

	st->s = &s;
	while (!st->err) {
		const struct bpf_insn *in = &func->insns[i];

		if (i != start && st->f->is_leader[i]) {
			flow_to(st, i, &s);
			return;
		}
		st->insn = i;
		if (st->is_report)
			memcpy(st->f->regs[i].r, s.r, sizeof(s.r));
		problem = bpfcc_encoding_problem(func, i, &hint);
		if (!problem)
			problem = kinds_problem(in, &hint);
		if (problem) {
			st->err = bpfcc_error(
				st->k->diag,
				&(struct bpfcc_where){.func = func, .insn = (int)i}, hint, "%s",
				problem);
			return;
		}
		if (bpfcc_insn_is_exit(in)) {
			leave(st);
			return;
		}
		if (bpfcc_insn_is_goto(in)) {
			flow_to(st, (uint32_t)bpfcc_insn_target(in, i), &s);
			return;
		}
		if (bpfcc_insn_is_branch(in)) {
			unsigned int runs = step_branch(st, in, sides);

			if (runs & 1)
				flow_to(st, i + 1, &sides[0]);
			if (runs & 2)
				flow_to(st, (uint32_t)bpfcc_insn_target(in, i), &sides[1]);
			return;
		}
		if (!step_insn(st, in))
			return;
		i += bpfcc_insn_is_lddw(in) ? 2 : 1;
	}
}

/* ---- functions ---- */

static void enter(const struct func_info *f, bool has_ctx, struct state *s)
{
	const struct bpfcc_reg uninit = {.kind = BPFCC_KIND_UNINIT, .map = -1};

	for (int i = 0; i < NR_REGS; i++)
		s->r[i] = uninit;
	for (int i = 0; i < NR_SLOTS; i++)
		s->slot[i] = reg_scalar();
	s->r[10] = (struct bpfcc_reg){.kind = BPFCC_KIND_STACK, .off_is_known = true, .map = -1};
	if (has_ctx) {
		s->r[1] =
		    (struct bpfcc_reg){.kind = BPFCC_KIND_CTX, .off_is_known = true, .map = -1};
		return;
	}
	for (uint32_t i = 0; i < f->func->nr_args; i++)
		s->r[i + 1] = f->args[i];
}

static bool is_prog(const struct bpfcc_object *o, const struct bpfcc_func *func)
{
	for (uint32_t i = 0; i < o->nr_progs; i++)
		if (o->progs[i].func == func)
			return true;
	return false;
}

struct summary {
	struct reach read[BPFCC_MAX_ARGS + 1], written[BPFCC_MAX_ARGS + 1];
};

static void run_function(struct step *st, struct func_info *f)
{
	struct summary before, after;
	struct state start;
	bool again = true;

	st->f = f;
	f->is_queued = false;
	memcpy(before.read, f->read, sizeof(f->read));
	memcpy(before.written, f->written, sizeof(f->written));
	enter(f, is_prog(st->k->object, f->func), &start);
	flow_to(st, 0, &start);
	/* what calls return may have changed: run all */
	for (uint32_t i = 0; i < f->func->nr_insns; i++)
		f->is_dirty[i] = f->leaders[i] != NULL;
	while (again && !st->err) {
		again = false;
		for (uint32_t i = 0; i < f->func->nr_insns && !st->err; i++) {
			if (!f->is_dirty[i])
				continue;
			f->is_dirty[i] = 0;
			again = true;
			run_block(st, i);
		}
	}
	memcpy(after.read, f->read, sizeof(f->read));
	memcpy(after.written, f->written, sizeof(f->written));
	if (memcmp(&before, &after, sizeof(before)))
		for (uint32_t i = 0; i < st->k->object->nr_funcs; i++)
			if (st->k->funcs[i].is_called && &st->k->funcs[i] != f)
				kinds_queue(&st->k->funcs[i]);
}

static int compare_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Around each constant of a comparison, and the limits of types. */
static int find_thresholds(struct bpfcc_kinds *k, struct func_info *f)
{
	static const int64_t always[] = {INT64_MIN, INT32_MIN, -512, 0, INT32_MAX, UINT32_MAX,
					 INT64_MAX};
	size_t nr_always = sizeof(always) / sizeof(always[0]);

	f->thresholds = bpfcc_arena_array(k->arena, nr_always + 3 * (size_t)f->func->nr_insns,
					  sizeof(*f->thresholds));
	if (!f->thresholds)
		return -ENOMEM;
	memcpy(f->thresholds, always, sizeof(always));
	f->nr_thresholds = (uint32_t)nr_always;
	for (uint32_t i = 0; i < f->func->nr_insns; i++) {
		const struct bpf_insn *in = &f->func->insns[i];

		if (bpfcc_insn_is_branch(in) && BPF_SRC(in->code) == BPF_K)
			for (int64_t around = -1; around <= 1; around++)
				f->thresholds[f->nr_thresholds++] = in->imm + around;
		i += bpfcc_insn_is_lddw(in);
	}
	qsort(f->thresholds, f->nr_thresholds, sizeof(*f->thresholds), compare_i64);
	return 0;
}

static int find_leaders(struct bpfcc_kinds *k, struct func_info *f, const struct bpfcc_func *func)
{
	uint32_t nr = func->nr_insns;

	f->func = func;
	f->is_leader = bpfcc_arena_alloc(k->arena, nr + 1);
	f->is_dirty = bpfcc_arena_alloc(k->arena, nr);
	f->nr_visits = bpfcc_arena_alloc(k->arena, nr);
	f->leaders = bpfcc_arena_array(k->arena, nr, sizeof(*f->leaders));
	f->regs = bpfcc_arena_array(k->arena, nr, sizeof(*f->regs));
	if (!f->is_leader || !f->is_dirty || !f->nr_visits || !f->leaders || !f->regs)
		return -ENOMEM;
	f->is_leader[0] = 1;
	for (uint32_t i = 0; i < nr; i++) {
		const struct bpf_insn *in = &func->insns[i];

		if (bpfcc_insn_is_lddw(in)) {
			i++;
			continue;
		}
		if (!bpfcc_insn_is_goto(in) && !bpfcc_insn_is_branch(in))
			continue;
		f->is_leader[bpfcc_insn_target(in, i)] = 1;
		f->is_leader[i + 1] = 1;
	}
	return find_thresholds(k, f);
}

/* Which kinds of programs reach each function, by the call graph. */
static void spread_prog_kinds(struct bpfcc_kinds *k)
{
	const struct bpfcc_object *o = k->object;
	bool changed = true;

	for (uint32_t i = 0; i < o->nr_progs; i++) {
		struct func_info *f = &k->funcs[o->progs[i].func->index];

		f->prog_kinds |= 1u << o->progs[i].kind;
		f->is_called = true;
		kinds_queue(f);
	}
	while (changed) {
		changed = false;
		for (uint32_t n = 0; n < o->nr_funcs; n++) {
			const struct bpfcc_func *func = k->funcs[n].func;

			for (uint32_t i = 0; i < func->nr_insns; i++) {
				const struct bpf_insn *in = &func->insns[i];
				uint32_t *kinds;

				if (bpfcc_insn_is_lddw(in)) {
					i++;
					continue;
				}
				if (!bpfcc_insn_is_call(in) || in->src_reg != BPF_PSEUDO_CALL)
					continue;
				kinds = &k->funcs[in->imm].prog_kinds;
				if (k->funcs[n].prog_kinds & ~*kinds) {
					*kinds |= k->funcs[n].prog_kinds;
					changed = true;
				}
			}
		}
	}
}

/* ---- the stack of a whole chain of calls ---- */

/* Bytes of a function and of the deepest chain of calls that it makes; kept in `need`, 0 = not
 * known. */
static uint32_t chain_bytes(const struct bpfcc_kinds *k, uint32_t index, uint32_t *need)
{
	const struct bpfcc_func *func = k->funcs[index].func;
	/* rounded as the kernel does when it compiles */
	uint32_t own = (k->funcs[index].stack_bytes + 15) / 16 * 16, deepest = 0;

	if (need[index])
		return need[index];
	for (uint32_t i = 0; i < func->nr_insns; i++) {
		const struct bpf_insn *in = &func->insns[i];
		uint32_t bytes;

		if (bpfcc_insn_is_lddw(in)) {
			i++;
			continue;
		}
		if (!bpfcc_insn_is_call(in) || in->src_reg != BPF_PSEUDO_CALL)
			continue;
		bytes = chain_bytes(k, (uint32_t)in->imm, need);
		deepest = bytes > deepest ? bytes : deepest;
	}
	need[index] = (own ? own : 16) + deepest;
	return need[index];
}

static int check_stack(struct bpfcc_kinds *k)
{
	const struct bpfcc_object *o = k->object;
	uint32_t *need = bpfcc_arena_array(k->arena, o->nr_funcs, sizeof(*need));

	if (!need)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->nr_progs; i++) {
		const struct bpfcc_func *func = o->progs[i].func;
		uint32_t bytes = chain_bytes(k, func->index, need);

		if (bytes > STACK_BYTES)
			return bpfcc_error(
			    k->diag, &(struct bpfcc_where){.func = func, .insn = 0},
			    "use fewer or smaller local variables, or a per-CPU array as "
			    "a buffer",
			    "the stack of the program and of the functions that it calls "
			    "is %u bytes, and %d are the limit",
			    bytes, STACK_BYTES);
	}
	return 0;
}

/* ---- */

static int report(struct bpfcc_kinds *k)
{
	int err = 0;

	for (uint32_t n = 0; n < k->object->nr_funcs; n++) {
		struct func_info *f = &k->funcs[n];
		struct step st = {.k = k, .f = f, .is_report = true};

		for (uint32_t i = 0; i < f->func->nr_insns && !st.err; i++)
			if (f->leaders[i])
				run_block(&st, i);
		if (!st.err && f->ret.kind == BPFCC_KIND_UNINIT && is_prog(k->object, f->func))
			st.err =
			    bpfcc_error(k->diag,
					&(struct bpfcc_where){.func = f->func,
							      .insn = (int)f->func->nr_insns - 1},
					"end it with a return",
					"the program returns r0, but nothing was put into it on "
					"some path");
		err = err ? err : st.err;
	}
	return err ? err : check_stack(k);
}

int bpfcc_kinds_new(const struct bpfcc_object *object, const struct bpfcc_kinds_opts *opts,
		    struct bpfcc_arena *arena, struct bpfcc_diag *diag,
		    struct bpfcc_kinds **ret_kinds)
{
	struct bpfcc_kinds *k = bpfcc_arena_alloc(arena, sizeof(*k));
	struct step st = {.k = k};
	bool again = true;
	int err = 0;

	*ret_kinds = NULL;
	if (!k)
		return -ENOMEM;
	*k = (struct bpfcc_kinds){.object = object, .opts = *opts, .arena = arena, .diag = diag};
	k->funcs = bpfcc_arena_array(arena, object->nr_funcs, sizeof(*k->funcs));
	if (!k->funcs)
		return -ENOMEM;
	for (uint32_t i = 0; i < object->nr_funcs && !err; i++)
		err = find_leaders(k, &k->funcs[i], &object->funcs[i]);
	if (err)
		return err;
	spread_prog_kinds(k);
	while (again && !st.err) {
		again = false;
		for (uint32_t i = 0; i < object->nr_funcs && !st.err; i++) {
			if (!k->funcs[i].is_queued)
				continue;
			again = true;
			run_function(&st, &k->funcs[i]);
		}
	}
	if (st.err)
		return st.err;
	err = report(k);
	if (!err)
		*ret_kinds = k;
	return err;
}

const struct bpfcc_regs *bpfcc_kinds_before(const struct bpfcc_kinds *kinds, uint32_t func,
					    uint32_t insn)
{
	return &kinds->funcs[func].regs[insn];
}

uint32_t bpfcc_kinds_stack_bytes(const struct bpfcc_kinds *kinds, uint32_t func)
{
	return kinds->funcs[func].stack_bytes;
}
