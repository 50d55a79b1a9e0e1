/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk over all paths of a program: depth first, one path at a time, the others waiting on a
 * stack. Where paths join, a path stops if a kept state holds its own; if none does, it may leave
 * its state there for others. The argument for each stop is in README.md.
 */
#include <errno.h>
#include <inttypes.h>

#include "bpfcc/encoding.h"
#include "bpfcc/verify/walk.h"

/* ---- paths ---- */

void verify_note(struct verify *v, uint32_t next)
{
	struct verify_walk *w = v->walk;
	struct verify_step *step = verify_pool_alloc(v, sizeof(*step));

	if (!step)
		return;
	*step = (struct verify_step){w->steps, w->func, v->insn, next};
	w->steps = step;
}

struct verify_state *verify_push(struct verify *v, uint32_t insn)
{
	struct verify_walk *w = v->walk;
	const struct verify_step *here = w->steps;
	struct verify_state *s;

	if (w->nr_pending == w->opts.max_jumps) {
		verify_limit(v, "split the program into functions that are tail called, or make "
				"its loops simpler",
			     "more than %u branches wait to be walked", w->opts.max_jumps);
		return NULL;
	}
	if (w->nr_pending == w->max_pending) {
		uint32_t max = w->max_pending ? 2 * w->max_pending : 64;
		struct verify_pending *pending = verify_grow(v, w->pending,
							     w->max_pending * sizeof(*pending),
							     max * sizeof(*pending));

		if (!pending)
			return NULL;
		w->pending = pending;
		w->max_pending = max;
	}
	s = verify_state_copy(v, v->cur);
	if (!s)
		return NULL;
	s->insn = insn;
	verify_note(v, insn);
	w->pending[w->nr_pending++] =
		(struct verify_pending){s, w->parent, w->steps, w->watch.nr_insns};
	w->steps = here;
	if (w->parent)
		w->parent->nr_open++;
	return s;
}

/* The state that the marks of `k` still wait for, or NULL. */
static struct verify_kept *waits_for(struct verify_kept *k)
{
	while (k->loop) {
		k = k->loop;
		if (k->nr_open)
			return k;
	}
	return NULL;
}

static void depend_on(struct verify_kept *k, struct verify_kept *loop)
{
	struct verify_kept *now;

	if (!k || !loop || loop == k || loop->depth >= k->depth)
		return;
	now = k->loop ? waits_for(k) : NULL;
	if (!now || loop->depth < now->depth)
		k->loop = loop;
}

/* Open states are those of one path, and so the last that was kept is the first that is done. */
static void move_to_done(struct verify_walk *w, struct verify_kept *k)
{
	struct verify_kept_at *at = &w->kept[k->func][k->insn];

	at->open = k->next;
	k->next = at->done;
	at->done = k;
}

/* The current path ends; states from which nothing is left to be walked are complete. */
static void end_path(struct verify *v)
{
	struct verify_kept *k = v->walk->parent;

	while (k && !--k->nr_open) {
		struct verify_kept *loop = waits_for(k);

		/* what a state in a loop waits for, those before it in the loop wait for, too */
		depend_on(k->parent, loop);
		move_to_done(v->walk, k);
		k = k->parent;
	}
	verify_state_free(v, v->cur);
	v->cur = NULL;
}

static bool next_path(struct verify *v)
{
	struct verify_walk *w = v->walk;
	struct verify_pending *p;

	if (!w->nr_pending)
		return false;
	p = &w->pending[--w->nr_pending];
	v->cur = p->state;
	w->parent = p->parent;
	w->steps = p->steps;
	w->watch.nr_insns = p->nr_watched;
	w->is_back = false;
	return true;
}

/* ---- joins ---- */

static void forget_dead(struct verify *v)
{
	uint32_t live = verify_live(v, v->cur, v->cur->nr_frames - 1);
	struct verify_frame *f = verify_frame(v);

	for (int reg = 0; reg < 10; reg++)
		if (!(live & 1u << reg))
			verify_set_uninit(&f->regs[reg]);
}

/* Kept state and path go on with nodes of their own for every value. */
static void renew_uses(struct verify *v)
{
	struct verify_state *s = v->cur;

	for (uint32_t i = 0; i < s->nr_frames; i++) {
		struct verify_frame *f = s->frames[i];

		for (int reg = 0; reg < 10; reg++)
			if (f->regs[reg].use)
				f->regs[reg].use = verify_use_same(v, f->regs[reg].use, NULL);
		for (uint32_t k = 0; k < f->nr_slots; k++) {
			struct verify_slot *slot = &f->slots[k];

			if (slot->use)
				slot->use = verify_use_same(v, slot->use, NULL);
			if (slot->spill.use)
				slot->spill.use = verify_use_same(v, slot->spill.use, NULL);
		}
	}
}

/*
 * Of the registers of the function on top, which are what differs. States of one place that are
 * equal (COMPARE_EQUAL) have the same.
 */
static uint32_t hash_of(struct verify *v)
{
	const struct verify_frame *f = verify_frame(v);
	uint64_t hash = v->cur->nr_frames;

	for (int i = 0; i < 10; i++) {
		const struct verify_reg *r = &f->regs[i];

		if (r->type == VT_UNINIT)
			continue;
		hash ^= r->num.umin + ((uint64_t)r->type << 56) + (uint32_t)i;
		hash *= 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
		hash += r->num.umax;
		if (verify_is_pointer(r))
			hash ^= (uint64_t)(uint32_t)r->off << 32;
	}
	return (uint32_t)((hash * 0x9e3779b97f4a7c15ull) >> 32);
}

static int keep(struct verify *v, struct verify_kept_at *at, uint32_t hash)
{
	struct verify_walk *w = v->walk;
	struct verify_kept *k = verify_pool_alloc(v, sizeof(*k));

	if (!k)
		return v->err;
	renew_uses(v);
	k->state = v->err ? NULL : verify_state_keep(v, v->cur);
	if (!k->state)
		return v->err;
	k->func = w->func;
	k->insn = v->insn;
	k->hash = hash;
	k->next = at->open;
	at->open = k;
	k->parent = w->parent;
	k->depth = w->parent ? w->parent->depth + 1 : 0;
	k->nr_open = 1; /* this path */
	w->parent = w->fresh = k;
	w->last_jumps = w->nr_jumps;
	w->last_insns = w->stats.nr_insns_walked;
	w->stats.nr_states++;
	return 0;
}

/* The calls of helpers that run callbacks now are the very same ones; at such a call, that one too. */
static bool same_calls(const struct verify_state *a, const struct verify_state *b, uint8_t point)
{
	if (a->nr_frames != b->nr_frames)
		return false;
	for (uint32_t i = 0; i < a->nr_frames; i++) {
		bool is_running = i + 1 < a->nr_frames ? a->frames[i + 1]->is_callback
						       : (point & POINT_CALLBACK);

		if (is_running && a->frames[i]->call_id != b->frames[i]->call_id)
			return false;
	}
	return true;
}

/*
 * The runs of functions with may_goto are the very same ones, whose budgets are used up together; and where a
 * path counts, the current one went through as many may_gotos as the old one.
 */
static bool same_runs(const struct verify_walk *w, const struct verify_state *old,
		      const struct verify_state *cur)
{
	for (uint32_t i = 0; i < old->nr_frames && i < cur->nr_frames; i++) {
		const struct verify_frame *f = old->frames[i], *g = cur->frames[i];
		enum verify_budget budget = w->budgets[f->func];

		if (budget == BUDGET_NONE)
			continue;
		if (f->run_id != g->run_id ||
		    (budget == BUDGET_COUNTED && f->may_goto_depth > g->may_goto_depth))
			return false;
	}
	return true;
}

/* This run of the function on top went through a may_goto since. */
static bool has_gone_through(const struct verify_state *old, const struct verify_state *cur)
{
	return old->nr_frames == cur->nr_frames &&
	       old->frames[old->nr_frames - 1]->may_goto_depth <
	       cur->frames[cur->nr_frames - 1]->may_goto_depth;
}

/*
 * The path came by here before, and stops if nothing new can come of going round once more. Attack:
 * a loop that never ends. So stopping takes a loop that the run time ends: the run of a callback
 * within one and the same call of the helper, one and the same iterator, or a may_goto that was gone
 * through in one and the same run of its function. Nothing that ends a loop around this one may have
 * begun anew, or that one never ends.
 */
static bool is_bounded_again(struct verify *v, const struct verify_state *old, uint8_t point)
{
	const struct verify_state *cur = v->cur;

	if (!verify_iter_same(old, cur) || !same_runs(v->walk, old, cur))
		return false;
	if ((point & POINT_CALLBACK) && v->walk->is_back)
		return same_calls(old, cur, point) &&
		       verify_compare(v, old, cur, COMPARE_WITHIN);
	if (point & POINT_ITER)
		return same_calls(old, cur, point) && verify_iter_is_stepped_on(old, cur) &&
		       verify_compare(v, old, cur, COMPARE_WITHIN);
	if (point & POINT_MAY_GOTO)
		return has_gone_through(old, cur) &&
		       verify_compare(v, old, cur, COMPARE_WITHIN);
	return false;
}

/*
 * All paths from `old` were walked. While those of a loop around it were not, what mattered is not
 * known of values that the loop carries round, and the loop must be bounded with this path in it, too: the
 * same call of the helper that runs the callback, the same iterators, the same runs of functions with may_goto.
 */
static bool is_covered(struct verify *v, uint8_t point, const struct verify_state *old,
		       const struct verify_kept *loop)
{
	if (!loop)
		return verify_compare(v, old, v->cur, COMPARE_MARKS);
	return same_calls(old, v->cur, point) && verify_iter_same(old, v->cur) &&
	       same_runs(v->walk, old, v->cur) &&
	       verify_compare(v, old, v->cur, COMPARE_LOOP);
}

static int endless(struct verify *v)
{
	return verify_refuse(v,
			     "bound it with a counter: for (i = 0; i < N; i++); or use bpf_loop()",
			     "the loop does not end: control comes here again, and nothing has "
			     "changed");
}

static void stop_at(struct verify *v, struct verify_kept *k, struct verify_kept *loop)
{
	struct verify_walk *w = v->walk;

	depend_on(w->parent, loop);
	/* it is open: what its values are used for is not known yet */
	if (k == loop)
		verify_expect_marks(v, k->state);
	verify_take_marks(v, k->state, v->cur, !loop);
	k->nr_hits++;
	w->stats.nr_pruned++;
	if (w->opts.on_trace)
		verify_trace(v, "%u: covered by what was walked from here before", v->insn);
}

/*
 * How far apart states are kept: so that few paths are walked twice, and that the proof of a long
 * program has room.
 */
static bool is_worth_keeping(const struct verify_walk *w, uint8_t point)
{
	const uint64_t bytes = w->bytes + w->pool.bytes;
	uint32_t apart = 8;

	if ((point & POINT_FORCE) || w->opts.keep_states)
		return true;
	if (bytes > w->opts.max_bytes / 2)
		apart = 128;
	else if (bytes > w->opts.max_bytes / 4)
		apart = 32;
	return w->nr_jumps - w->last_jumps >= apart / 4 &&
	       w->stats.nr_insns_walked - w->last_insns >= apart;
}

/*
 * Compared with this many of its own path, a loop that never ends shows; or it hits a limit. More
 * where the run time ends it: what comes round in turns is found, and thousands of rounds are no
 * square of it.
 */
#define MAX_OWN 16

/* States on the way to here. Sets *ret_is_stop; 0 or an error. */
static int visit_open(struct verify *v, uint8_t point, struct verify_kept *k, uint32_t hash,
		      bool *ret_is_stop)
{
	bool is_bounded = point & (POINT_CALLBACK | POINT_MAY_GOTO | POINT_ITER);

	for (uint32_t i = 0; k && i < (is_bounded ? 4 * MAX_OWN : MAX_OWN); i++, k = k->next) {
		if (is_bounded_again(v, k->state, point)) {
			stop_at(v, k, k);
			*ret_is_stop = true;
			return v->err;
		}
		if (k->hash == hash && verify_compare(v, k->state, v->cur, COMPARE_EQUAL))
			return endless(v);
	}
	return 0;
}

/*
 * One that is found too seldom costs more than it saves. But where the run time ends loops, the turns of an
 * inner one are each compared with all turns of its last time, in vain until the first is found: that is let
 * pass while it costs little beside the walk.
 */
#define MISSES_PER_INSN 16u

static bool is_worth_its_misses(const struct verify_walk *w, uint8_t point, const struct verify_kept *k)
{
	const uint32_t patience = point & POINT_FORCE ? 64 : 3;

	if (w->opts.keep_states || k->nr_misses <= (k->nr_hits + 1) * patience)
		return true;
	return (point & POINT_FORCE) && w->nr_misses / MISSES_PER_INSN < w->stats.nr_insns_walked &&
	       w->bytes + w->pool.bytes < w->opts.max_bytes / 8;
}

/* States from which all was walked. */
static bool visit_done(struct verify *v, uint8_t point, bool is_kept, struct verify_kept **at)
{
	struct verify_walk *w = v->walk;
	/* where nothing is dropped the lists grow long */
	uint32_t most = w->opts.keep_states ? 256 : UINT32_MAX;
	struct verify_kept *k;

	while ((k = *at) && most--) {
		struct verify_kept *loop = waits_for(k);

		if (is_covered(v, point, k->state, loop)) {
			stop_at(v, k, loop);
			return true;
		}
		if (is_kept) {
			k->nr_misses++;
			w->nr_misses++;
		}
		if (is_worth_its_misses(w, point, k)) {
			at = &k->next;
			continue;
		}
		*at = k->next; /* the node itself stays: others may wait for it */
		verify_state_free(v, k->state);
		k->state = NULL;
	}
	return false;
}

/* At a join. *ret_is_stop: nothing new comes of this path. 0 or an error. */
static int visit(struct verify *v, uint8_t point, bool *ret_is_stop)
{
	struct verify_walk *w = v->walk;
	struct verify_kept_at *at = &w->kept[w->func][v->insn];
	bool is_kept = is_worth_keeping(w, point);
	uint32_t hash;
	int err;

	*ret_is_stop = false;
	forget_dead(v);
	hash = hash_of(v);
	err = visit_open(v, point, at->open, hash, ret_is_stop);
	if (err || *ret_is_stop)
		return err;
	*ret_is_stop = visit_done(v, point, is_kept, &at->done);
	if (v->err || *ret_is_stop)
		return v->err;
	if (w->watch.from)
		err = verify_watch_visit(v);
	if (!err && is_kept)
		err = keep(v, at, hash);
	/* a place that this path has been to before may be a loop's */
	if (!err && is_kept && !w->watch.from && w->stats.nr_insns_walked >= w->watch.next &&
	    at->open->next)
		verify_watch_start(v, at->open);
	return err;
}

/* ---- instructions ---- */

static int check_encoding(struct verify *v)
{
	struct verify_place *p = &v->walk->places[v->walk->func][v->insn];
	const char *hint, *problem;

	if (p->is_checked)
		return 0;
	problem = bpfcc_encoding_problem(verify_func(v), v->insn, &hint);
	/* a kernel refuses these, too; what no kernel will see is what the instruction set says */
	if (problem && v->object->is_plain && bpfcc_encoding_has_meaning(problem))
		problem = NULL;
	p->is_checked = !problem;
	return problem ? verify_refuse(v, hint, "%s", problem) : 0;
}

/* Control leaves a function. *ret_is_end: also the program. */
static int leave(struct verify *v, bool *ret_is_end)
{
	int err;

	*ret_is_end = v->cur->nr_frames == 1;
	if (*ret_is_end) {
		if (verify_reg(v, BPF_REG_0)->type == VT_UNINIT)
			return verify_refuse(v, "end it with a return",
					     "the program returns r0, but nothing was put into it "
					     "on some path");
		err = verify_read_reg(v, BPF_REG_0);
		return err ? err : verify_leave(v);
	}
	v->walk->is_back = verify_frame(v)->is_callback;
	return verify_return(v);
}

static int step(struct verify *v, bool *ret_is_end)
{
	const struct bpf_insn *in = verify_insn(v);
	int err = check_encoding(v);

	*ret_is_end = false;
	if (err)
		return err;
	v->cur->insn = v->insn + (bpfcc_insn_is_lddw(in) ? 2 : 1);
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return verify_alu(v, in);
	case BPF_LD:
		return verify_lddw(v, in);
	case BPF_LDX:
		return verify_load(v, in);
	case BPF_ST:
		return verify_store(v, in);
	case BPF_STX:
		return BPF_MODE(in->code) == BPF_ATOMIC ? verify_atomic(v, in)
							: verify_store(v, in);
	default:
		if (bpfcc_insn_is_exit(in))
			return leave(v, ret_is_end);
		v->walk->nr_jumps++;
		return BPF_OP(in->code) == BPF_CALL ? verify_call(v, in) : verify_branch(v, in);
	}
}

/* One instruction of the current path. */
static int walk_insn(struct verify *v, bool *ret_is_end)
{
	struct verify_walk *w = v->walk;
	const uint8_t point = w->places[verify_frame(v)->func][v->cur->insn].point;
	struct verify_reg before[11];
	uint32_t frames;
	int err;

	*ret_is_end = false;
	v->insn = v->cur->insn;
	w->func = verify_frame(v)->func;
	w->fresh = NULL;
	if (point & POINT_JOIN) {
		if (w->is_back)
			v->cur->callback_rounds++;
		else if (point & POINT_CALLBACK)
			verify_frame(v)->call_id = verify_new_id(v);
		err = visit(v, point, ret_is_end);
		if (err || *ret_is_end)
			return err;
	}
	w->is_back = false;
	if (w->watch.from)
		verify_watch_insn(v);
	if (++w->stats.nr_insns_walked > w->opts.max_insns)
		return verify_limit(v, "bound its loops with smaller constants, or use bpf_loop()",
				    "the program is too complex: more than %u instructions were "
				    "walked", w->opts.max_insns);
	if (!v->opts->no_facts)
		verify_facts_before(v);
	frames = v->cur->nr_frames;
	if (w->opts.on_trace)
		for (int i = 0; i < 11; i++)
			before[i] = *verify_reg(v, i);
	err = step(v, ret_is_end);
	if (!err)
		err = v->err;
	if (!err)
		verify_facts_after(v);
	if (!err && w->opts.on_trace)
		verify_trace_regs(v, before, frames);
	return err;
}

/* ---- a program ---- */

static int start(struct verify *v, const struct bpfcc_func *func)
{
	const struct bpfcc_verify_opts *o = &v->walk->opts;
	struct verify_frame *f;
	struct range num;

	v->insn = 0;
	v->walk->func = func->index;
	v->cur = verify_state_new(v);
	if (!v->cur)
		return v->err;
	f = verify_push_frame(v, v->cur, func->index);
	if (!f)
		return v->err;
	if (o->ctx_kind == BPFCC_CTX_MEMORY && !o->ctx_bytes) {
		num = range_const(0);
		verify_set_scalar(v, &f->regs[BPF_REG_1], &num, NULL, NULL);
	} else {
		verify_set_pointer(v, &f->regs[BPF_REG_1], VT_CTX, 0);
	}
	if (o->ctx_kind == BPFCC_CTX_MEMORY) {
		num = range_const(o->ctx_bytes);
		verify_set_scalar(v, &f->regs[BPF_REG_2], &num, NULL, NULL);
	}
	return v->err;
}

void verify_kept_free(struct verify *v, struct verify_kept_at *at)
{
	struct verify_kept *lists[] = {at->open, at->done};

	for (size_t i = 0; i < 2; i++)
		for (struct verify_kept *k = lists[i]; k; k = k->next)
			verify_state_free(v, k->state);
	*at = (struct verify_kept_at){0};
}

static void free_all(struct verify *v)
{
	struct verify_walk *w = v->walk;

	if (v->cur)
		verify_state_free(v, v->cur);
	v->cur = NULL;
	while (w->nr_pending)
		verify_state_free(v, w->pending[--w->nr_pending].state);
	w->parent = NULL;
	w->steps = NULL;
	if (w->opts.keep_states)
		return;
	for (uint32_t i = 0; i < v->object->nr_funcs; i++)
		for (uint32_t k = 0; k < v->object->funcs[i].nr_insns; k++)
			verify_kept_free(v, &w->kept[i][k]);
	verify_pool_free(&w->pool);
}

int verify_walk_prog(struct verify *v, const struct bpfcc_func *func)
{
	struct verify_walk *w = v->walk;
	bool is_end;
	int err;

	w->stats = (struct bpfcc_verify_stats){0};
	w->nr_jumps = w->nr_misses = w->last_jumps = w->last_insns = 0;
	verify_watch_stop(w);
	v->err = 0;
	err = verify_arena_find(v, func);
	if (!err)
		err = start(v, func);
	while (!err && v->cur) {
		err = walk_insn(v, &is_end);
		if (err || !is_end)
			continue;
		end_path(v);
		next_path(v);
	}
	free_all(v);
	return err;
}
