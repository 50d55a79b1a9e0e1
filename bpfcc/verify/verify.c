/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier's entry: walks every program of an object and keeps what was found.
 */
#include "bpfcc/verify/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/verify/facts.h"

/* The kernel's (BPF_COMPLEXITY_LIMIT_INSNS, BPF_COMPLEXITY_LIMIT_JMP_SEQ). */
#define MAX_WALKED 1000000u
#define MAX_JUMPS 8192u
#define MAX_BYTES (480ull << 20)

static void set_limits(struct bpfcc_verify_opts *o)
{
	if (!o->max_insns)
		o->max_insns = MAX_WALKED;
	if (!o->max_jumps)
		o->max_jumps = MAX_JUMPS;
	if (!o->max_bytes)
		o->max_bytes = MAX_BYTES;
}

/* ---- the stack of a whole chain of calls ---- */

/* A function that `in` calls or hands over as a callback, or -1. */
static int64_t callee_of(const struct bpfcc_object *o, const struct bpf_insn *in)
{
	bool is_call = bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_CALL;

	if (!is_call && !(bpfcc_insn_is_lddw(in) && in->src_reg == BPF_PSEUDO_FUNC))
		return -1;
	return (uint32_t)in->imm < o->nr_funcs ? in->imm : -1;
}

/*
 * Bytes of a function and of the deepest chain of calls that it makes; kept in `need`, 0: not
 * known. A callback may be handed over by a function that it calls: it counts once, then. There is
 * no limit but what follows from 8 functions of 512 bytes, as in kernels since 6.13, which give the
 * functions of such programs stacks of their own.
 */
static uint32_t chain_bytes(const struct bpfcc_verify *b, uint32_t index, uint32_t *need,
			    uint32_t depth)
{
	const struct bpfcc_func *f = &b->object->funcs[index];
	/* rounded as the kernel does when it compiles */
	uint32_t own = (bpfcc_kinds_stack_bytes(b->kinds, index) + 15) / 16 * 16, deepest = 0;

	if (need[index] || depth > VERIFY_MAX_FRAMES)
		return need[index];
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		int64_t callee = callee_of(b->object, &f->insns[i]);
		uint32_t bytes;

		i += bpfcc_insn_is_lddw(&f->insns[i]);
		if (callee < 0)
			continue;
		bytes = chain_bytes(b, (uint32_t)callee, need, depth + 1);
		deepest = bytes > deepest ? bytes : deepest;
	}
	need[index] = (own ? own : 16) + deepest;
	return need[index];
}

#define MAX_TAIL_CALLER_BYTES 256

/* The first tail call of a function that control gets to, or -1. */
static int64_t tail_call_in(const struct bpfcc_verify *b, uint32_t index)
{
	const struct bpfcc_func *f = &b->object->funcs[index];

	for (uint32_t i = 0; i < f->nr_insns; i++) {
		const struct bpf_insn *in = &f->insns[i];

		if (bpfcc_insn_is_call(in) && !in->src_reg && in->imm == BPF_FUNC_tail_call &&
		    bpfcc_kinds_before(b->kinds, index, i)->r[10].kind != BPFCC_KIND_UNREACHED)
			return i;
		i += bpfcc_insn_is_lddw(in);
	}
	return -1;
}

/*
 * Attack: a tail call in a subprogram leaves the frames of its callers, and the program that runs
 * then does the same, 33 times. So they may be small only, as in kernels. `before`: bytes of the
 * frames below; deepest[]: the most so far + 1, no function is looked at again for less.
 */
static int check_tail_callers(struct bpfcc_verify *b, uint32_t index, uint32_t before,
			      uint32_t *deepest, uint32_t depth)
{
	const struct bpfcc_func *f = &b->object->funcs[index];
	uint32_t own = (bpfcc_kinds_stack_bytes(b->kinds, index) + 15) / 16 * 16;
	int64_t tail = depth && before >= MAX_TAIL_CALLER_BYTES ? tail_call_in(b, index) : -1;

	if (deepest[index] > before || depth == VERIFY_MAX_FRAMES)
		return 0;
	deepest[index] = before + 1;
	if (tail >= 0)
		return bpfcc_error(b->v.diag, &(struct bpfcc_where){.func = f, .insn = (int)tail},
				   "make it in the program itself, or use less stack there",
				   "a subprogram makes a tail call, and its callers have %u bytes of "
				   "stack: %u and more are not allowed",
				   before, MAX_TAIL_CALLER_BYTES);
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		int64_t callee = callee_of(b->object, &f->insns[i]);
		int err = 0;

		if (callee >= 0 && bpfcc_insn_is_call(&f->insns[i]))
			err = check_tail_callers(b, (uint32_t)callee, before + own, deepest,
						 depth + 1);
		if (err)
			return err;
		i += bpfcc_insn_is_lddw(&f->insns[i]);
	}
	return 0;
}

static int verify_all(struct bpfcc_verify *b)
{
	const struct bpfcc_object *o = b->object;
	struct verify *v = &b->v;
	uint32_t *need = bpfcc_arena_array(v->arena, o->nr_funcs, sizeof(*need));
	uint32_t *deepest = bpfcc_arena_array(v->arena, o->nr_funcs, sizeof(*deepest));
	int result = 0;

	if (!need || !deepest)
		return -ENOMEM;
	for (uint32_t i = 0; i < (o->nr_progs ? o->nr_progs : 1); i++) {
		const struct bpfcc_func *f = o->nr_progs ? o->progs[i].func : &o->funcs[0];

		v->prog = o->nr_progs ? &o->progs[i] : NULL;
		b->results[i] = verify_walk_prog(v, f);
		b->stats[i] = b->walk.stats;
		if (b->results[i] == -ENOMEM)
			return -ENOMEM;
	}
	/* a function that two programs call has the stack that either needs */
	for (uint32_t i = 0; i < (o->nr_progs ? o->nr_progs : 1); i++) {
		const struct bpfcc_func *f = o->nr_progs ? o->progs[i].func : &o->funcs[0];

		b->stats[i].stack_bytes = chain_bytes(b, f->index, need, 0);
		memset(deepest, 0, o->nr_funcs * sizeof(*deepest));
		if (!b->results[i])
			b->results[i] = check_tail_callers(b, f->index, 0, deepest, 0);
		result = result ? result : b->results[i];
	}
	return result;
}

int bpfcc_verify_new(const struct bpfcc_object *object, const struct bpfcc_verify_opts *opts,
		     struct bpfcc_arena *arena, struct bpfcc_diag *diag,
		     struct bpfcc_verify **ret_verify)
{
	struct bpfcc_verify *b = bpfcc_arena_alloc(arena, sizeof(*b));
	uint32_t nr = object->nr_progs ? object->nr_progs : 1;
	int err = 0;

	*ret_verify = NULL;
	if (!b)
		return -ENOMEM;
	b->object = object;
	b->results = bpfcc_arena_array(arena, nr, sizeof(*b->results));
	b->stats = bpfcc_arena_array(arena, nr, sizeof(*b->stats));
	b->kinds = verify_facts_new(object, arena);
	if (!b->results || !b->stats || !b->kinds)
		return -ENOMEM;
	b->walk.result = b;
	b->walk.opts = *opts;
	set_limits(&b->walk.opts);
	b->v = (struct verify){.object = object, .opts = &b->walk.opts, .arena = arena,
			       .diag = diag, .walk = &b->walk};
	err = verify_places_new(&b->v);
	if (!err && object->nr_funcs)
		err = verify_all(b);
	verify_watch_free(&b->walk);
	free(b->walk.marks);
	free(b->walk.pending);
	b->walk.marks = NULL;
	b->walk.pending = NULL;
	b->walk.nr_marks = b->walk.max_marks = b->walk.max_pending = 0;
	if (err == -ENOMEM) {
		bpfcc_verify_free(b);
		return err;
	}
	*ret_verify = b;
	return err;
}

void bpfcc_verify_free(struct bpfcc_verify *b)
{
	struct verify_walk *w;

	if (!b)
		return;
	w = &b->walk;
	for (uint32_t i = 0; w->kept && i < b->object->nr_funcs; i++)
		for (uint32_t k = 0; w->kept[i] && k < b->object->funcs[i].nr_insns; k++)
			verify_kept_free(&b->v, &w->kept[i][k]);
	verify_pool_free(&w->pool);
}

const struct bpfcc_kinds *bpfcc_verify_kinds(const struct bpfcc_verify *b)
{
	return b->kinds;
}

int bpfcc_verify_result(const struct bpfcc_verify *b, uint32_t prog)
{
	return b->results[prog];
}

const struct bpfcc_verify_stats *bpfcc_verify_stats(const struct bpfcc_verify *b, uint32_t prog)
{
	return &b->stats[prog];
}

/* ---- the oracle's question ---- */

static bool has_kind(const struct verify_reg *r, uint8_t kind, uint64_t value, int64_t off)
{
	uint8_t want;

	switch (r->type) {
	case VT_SCALAR:
		/* an address that was spilled is a number to who takes the slot's bytes for one */
		return !(r->use->flags & USE_PRECISE) || range_has(&r->num, value);
	case VT_STACK:
		want = BPFCC_KIND_STACK;
		break;
	case VT_CTX:
		want = BPFCC_KIND_CTX;
		break;
	case VT_MAP_VALUE:
		want = BPFCC_KIND_MAP_VALUE;
		break;
	case VT_MEM:
		want = BPFCC_KIND_MEM;
		break;
	case VT_MAP:
		return kind == BPFCC_KIND_MAP ||
		       ((r->flags & VF_OR_NULL) && kind == BPFCC_KIND_SCALAR && !value);
	default:
		return true;
	}
	if ((r->flags & VF_OR_NULL) && kind == BPFCC_KIND_SCALAR && !value)
		return true;
	return kind == want && range_has(&r->num, (uint64_t)off - (uint64_t)(int64_t)r->off);
}

static bool state_has(const struct verify_state *s, uint32_t func, const uint64_t regs[11],
		      const uint8_t kinds[11], const int64_t offs[11])
{
	const struct verify_frame *f = s->frames[s->nr_frames - 1];

	if (f->func != func)
		return false;
	for (int i = 0; i < 11; i++) {
		const struct verify_reg *r = &f->regs[i];

		/* what nothing looked at may be anything */
		if (r->type == VT_UNINIT || !(r->use->flags & USE_READ))
			continue;
		if (!has_kind(r, kinds[i], regs[i], offs[i]))
			return false;
	}
	return true;
}

static bool kept_has(const struct verify_kept *k, uint32_t func, const uint64_t regs[11],
		     const uint8_t kinds[11], const int64_t offs[11])
{
	for (; k; k = k->next)
		if (state_has(k->state, func, regs, kinds, offs))
			return true;
	return false;
}

bool bpfcc_verify_has(const struct bpfcc_verify *b, uint32_t func, uint32_t insn,
		      const uint64_t regs[11], const uint8_t kinds[11], const int64_t offs[11])
{
	const struct verify_kept_at *at;

	if (func >= b->object->nr_funcs || insn >= b->object->funcs[func].nr_insns)
		return false;
	at = &b->walk.kept[func][insn];
	if (!at->open && !at->done)
		return true;
	return kept_has(at->open, func, regs, kinds, offs) ||
	       kept_has(at->done, func, regs, kinds, offs);
}
