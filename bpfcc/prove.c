/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves an object, or says loudly that nothing was proved.
 */
#include "bpfcc/prove.h"

#include <errno.h>
#include <string.h>

#include "bpfcc/check.h"
#include "bpfcc/handle.h"
#include "bpfcc/isa.h"
#include "bpfcc/verify/verify.h"

static int verify(struct inlay_bpfcc_object *h, const struct bpfcc_object *object,
		  struct bpfcc_arena *arena, struct bpfcc_diag *diag,
		  struct inlay_bpfcc_stats *ret_stats, const struct bpfcc_kinds **ret_kinds)
{
	const struct inlay_bpfcc_opts *o = &h->opts;
	const struct bpfcc_verify_opts opts = {
		.ctx_kind = o->context == INLAY_BPFCC_CONTEXT_MEMORY ? BPFCC_CTX_MEMORY
								     : BPFCC_CTX_PT_REGS,
		.ctx_bytes = h->ctx_bytes,
		.allow_override = o->allow_override,
		.allow_write = o->allow_write,
		.is_kernel_set = o->kernel_helpers && o->defer_verify,
		.max_insns = o->max_insns,
		.max_jumps = o->max_jumps,
		.max_bytes = o->max_state_bytes,
		.on_trace = o->on_trace,
		.trace_arg = o->on_trace_arg,
	};
	struct bpfcc_verify *proof;
	int err = bpfcc_verify_new(object, &opts, arena, diag, &proof);

	*ret_kinds = !err ? bpfcc_verify_kinds(proof) : NULL;
	if (proof && ret_stats) {
		const struct bpfcc_verify_stats *s = bpfcc_verify_stats(proof, 0);

		ret_stats->insns_walked = s->nr_insns_walked;
		ret_stats->states = s->nr_states;
		ret_stats->states_pruned = s->nr_pruned;
		ret_stats->stack_bytes = s->stack_bytes;
		ret_stats->state_bytes = s->bytes;
	}
	bpfcc_verify_free(proof);
	return err;
}

/* ---- types that are not known here ---- */

/* The function and all that it refers to: the first message about a type, or NULL. */
static const char *first_missing(const struct bpfcc_object *o, uint32_t index, bool *seen)
{
	const struct bpfcc_func *f = &o->funcs[index];
	const char *text = f->missing_type;

	seen[index] = true;
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		const struct bpf_insn *in = &f->insns[i];
		bool is_ref = (bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_CALL) ||
			      (bpfcc_insn_is_lddw(in) && in->src_reg == BPF_PSEUDO_FUNC);
		const char *other = NULL;

		if (is_ref && (uint32_t)in->imm < o->nr_funcs && !seen[in->imm])
			other = first_missing(o, (uint32_t)in->imm, seen);
		text = text ? text : other;
		i += bpfcc_insn_is_lddw(in);
	}
	return text;
}

struct first_error {
	struct bpfcc_arena *arena;
	const char *text;
};

static void keep_first_error(void *arg, const struct inlay_bpfcc_message *m)
{
	struct first_error *first = arg;

	if (m->severity == INLAY_BPFCC_ERROR && !first->text)
		first->text = bpfcc_arena_strdup(first->arena, m->text);
}

/* return 0 */
static void make_empty(struct bpfcc_func *f)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};

	if (!f->hash_insns) {
		f->hash_insns = f->insns;
		f->nr_hash_insns = f->nr_insns;
	}
	f->insns = insns;
	f->nr_insns = 2;
}

/*
 * A program that is refused, and that needs a type that is not known, is made empty; so are functions
 * that only such programs use. One that asks first whether the type exists is proved without it.
 */
static int leave_out_unresolved(struct inlay_bpfcc_object *h)
{
	struct bpfcc_object *o = &h->data;
	bool *is_used = bpfcc_arena_alloc(o->arena, o->nr_funcs + 1);
	bool *seen = bpfcc_arena_alloc(o->arena, o->nr_funcs + 1);
	const struct bpfcc_kinds *kinds;

	if (!is_used || !seen)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->nr_progs; i++) {
		struct bpfcc_prog *prog = &o->progs[i];
		struct bpfcc_object one = *o;
		struct first_error first = {.arena = o->arena};
		struct bpfcc_diag diag = {
			.fn = keep_first_error, .arg = &first, .path = o->path, .object = o};
		const char *missing;
		int err = 0;

		memset(seen, 0, o->nr_funcs);
		missing = first_missing(o, prog->func->index, seen);
		one.progs = prog;
		one.nr_progs = 1;
		if (missing)
			err = verify(h, &one, o->arena, &diag, NULL, &kinds);
		if (err && err != -EINVAL)
			return err;
		if (err) {
			prog->unresolved = first.text ? first.text : missing;
			make_empty(&o->funcs[prog->func->index]);
			continue;
		}
		for (uint32_t k = 0; k < o->nr_funcs; k++)
			is_used[k] |= seen[k];
	}
	for (uint32_t i = o->nr_progs; i < o->nr_funcs; i++)
		if (!is_used[i])
			make_empty(&o->funcs[i]);
	return 0;
}

static bool has_missing(const struct bpfcc_object *o)
{
	for (uint32_t i = 0; i < o->nr_funcs; i++)
		if (o->funcs[i].missing_type)
			return true;
	return false;
}

int bpfcc_prove(struct inlay_bpfcc_object *h, uint32_t ctx_bytes)
{
	int err;

	h->ctx_bytes = h->opts.context == INLAY_BPFCC_CONTEXT_MEMORY ? h->opts.context_bytes
								    : ctx_bytes;
	h->data.is_plain = h->opts.context == INLAY_BPFCC_CONTEXT_MEMORY;
	err = bpfcc_check(&h->data, h->data.arena, &h->diag);
	if (err || h->opts.defer_verify)
		return err;
	if (h->opts.partial_types && has_missing(&h->data)) {
		err = leave_out_unresolved(h);
		if (err)
			return err;
	}
	if (!h->opts.unsafe_no_verify) {
		err = verify(h, &h->data, h->data.arena, &h->diag, NULL, &h->kinds);
		h->is_usable = !err;
		return err;
	}
	bpfcc_report(&h->diag, INLAY_BPFCC_WARNING, NULL, NULL,
		     "the programs are NOT VERIFIED: whatever they do wrong, they do in the process "
		     "that they are in");
	err = bpfcc_check_encoding(&h->data, &h->diag);
	if (err)
		return err;
	err = verify(h, &h->data, h->data.arena, NULL, NULL, &h->kinds);
	if (err == -EINVAL) {
		h->kinds = NULL;
		err = 0;
	}
	h->is_usable = !err;
	return err;
}

/* ---- one by one ---- */

/* Marks the function and all that it refers to, and adds their instructions up. */
static uint32_t count_insns(const struct bpfcc_object *o, uint32_t index, bool *seen)
{
	const struct bpfcc_func *f = &o->funcs[index];
	uint32_t nr = f->nr_insns;

	seen[index] = true;
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		const struct bpf_insn *in = &f->insns[i];
		bool is_ref = (bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_CALL) ||
			      (bpfcc_insn_is_lddw(in) && in->src_reg == BPF_PSEUDO_FUNC);

		if (is_ref && (uint32_t)in->imm < o->nr_funcs && !seen[in->imm])
			nr += count_insns(o, (uint32_t)in->imm, seen);
		i += bpfcc_insn_is_lddw(in);
	}
	return nr;
}

size_t inlay_bpfcc_object_nr_programs(const struct inlay_bpfcc_object *object)
{
	return object->data.nr_progs;
}

const char *inlay_bpfcc_object_program_name(const struct inlay_bpfcc_object *object, size_t program)
{
	return program < object->data.nr_progs ? object->data.progs[program].name : NULL;
}

int inlay_bpfcc_object_verify(struct inlay_bpfcc_object *object, size_t program,
			      struct inlay_bpfcc_stats *ret_stats)
{
	struct inlay_bpfcc_stats stats = {.sz = sizeof(stats)};
	struct bpfcc_object one = object->data;
	struct bpfcc_arena *arena;
	const struct bpfcc_kinds *kinds;
	bool *seen;
	int err;

	if (program >= one.nr_progs)
		return -ENOENT;
	arena = bpfcc_arena_new();
	seen = arena ? bpfcc_arena_alloc(arena, one.nr_funcs) : NULL;
	if (!seen) {
		bpfcc_arena_free(arena);
		return -ENOMEM;
	}
	one.progs += program;
	one.nr_progs = 1;
	stats.insns = count_insns(&one, one.progs->func->index, seen);
	err = verify(object, &one, arena, &object->diag, &stats, &kinds);
	bpfcc_arena_free(arena);
	if (ret_stats) {
		size_t bytes = ret_stats->sz < sizeof(stats) ? ret_stats->sz : sizeof(stats);

		stats.sz = ret_stats->sz;
		memcpy(ret_stats, &stats, bytes);
	}
	return err;
}
