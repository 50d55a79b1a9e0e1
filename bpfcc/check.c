/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structural checks, before any analysis: each instruction is one of ISA v1 to v4 with its unused
 * fields zero (RFC 9669), control stays inside of the function, every instruction can be reached
 * and none falls off the end. Then the call graph: no recursion, at most 8 frames.
 *
 * Loops are accepted here: that they end is for the verifier to prove, which is not here yet.
 */
#include "bpfcc/check.h"

#include <errno.h>
#include <string.h>

#include "bpfcc/arena.h"
#include "bpfcc/diag.h"
#include "bpfcc/encoding.h"
#include "bpfcc/helpers.h"
#include "bpfcc/isa.h"

#define MAX_INSNS 1000000u
#define MAX_FRAMES 8

struct checker {
	struct bpfcc_object *object;
	struct bpfcc_arena *arena;
	struct bpfcc_diag *diag;
	const struct bpfcc_func *func;
};

static int refuse(struct checker *c, uint32_t insn, const char *hint, const char *text)
{
	const struct bpfcc_where where = {.func = c->func, .insn = (int)insn};

	return bpfcc_error(c->diag, &where, hint, "%s", text);
}

static int check_encoding(struct checker *c,
			  const char *(*problem_of)(const struct bpfcc_func *, uint32_t,
						    const char **))
{
	const struct bpfcc_func *f = c->func;
	const char *problem, *hint;

	if (!f->nr_insns || f->nr_insns > MAX_INSNS)
		return refuse(c, 0, NULL, "the function has no instructions, or too many");
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		problem = problem_of(f, i, &hint);
		if (problem && !bpfcc_encoding_has_meaning(problem))
			return refuse(c, i, hint, problem);
		i += bpfcc_insn_is_lddw(&f->insns[i]);
	}
	return 0;
}

/* Marks second halves of lddw in `half`, then looks at every jump. */
static int check_jumps(struct checker *c, uint8_t *half)
{
	const struct bpfcc_func *f = c->func;

	for (uint32_t i = 0; i < f->nr_insns; i++)
		if (bpfcc_insn_is_lddw(&f->insns[i]))
			half[++i] = 1;
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		const struct bpf_insn *in = &f->insns[i];
		int64_t target;

		if (half[i] || (!bpfcc_insn_is_goto(in) && !bpfcc_insn_is_branch(in)))
			continue;
		target = bpfcc_insn_target(in, i);
		if (target < 0 || target >= f->nr_insns)
			return refuse(c, i, NULL, "the jump leaves the function");
		if (half[target])
			return refuse(c, i, NULL,
				      "the jump goes into the middle of a 16-byte instruction");
	}
	return 0;
}

/* Depth first over the instructions; `seen` becomes 1 for what can be reached. */
static int mark_reached(struct checker *c, uint8_t *seen)
{
	const struct bpfcc_func *f = c->func;
	uint32_t *stack = bpfcc_arena_array(c->arena, f->nr_insns, sizeof(*stack));
	uint32_t nr = 0, next[2];

	if (!stack)
		return -ENOMEM;
	stack[nr++] = 0;
	seen[0] = 1;
	while (nr) {
		uint32_t i = stack[--nr];
		int nr_next = bpfcc_insn_next(&f->insns[i], i, next);

		for (int k = 0; k < nr_next; k++) {
			if (next[k] >= f->nr_insns)
				return refuse(c, i, "end it with a return",
					      "control runs off the end of the function");
			if (seen[next[k]])
				continue;
			seen[next[k]] = 1;
			stack[nr++] = next[k];
		}
	}
	return 0;
}

/* What never runs has no meaning, but is there, and is looked at by what comes later. */
static int blank(struct checker *c, struct bpfcc_func *f, const uint8_t *seen)
{
	struct bpf_insn *insns =
	    bpfcc_arena_memdup(c->arena, f->insns, f->nr_insns * sizeof(*insns));

	if (!insns)
		return -ENOMEM;
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		if (!seen[i])
			insns[i] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
		else
			i += bpfcc_insn_is_lddw(&insns[i]);
	}
	f->insns = insns;
	return 0;
}

static int check_flow(struct checker *c, struct bpfcc_func *f)
{
	uint8_t *half = bpfcc_arena_alloc(c->arena, f->nr_insns);
	uint8_t *seen = bpfcc_arena_alloc(c->arena, f->nr_insns);
	int err;

	if (!half || !seen)
		return -ENOMEM;
	err = check_jumps(c, half);
	if (!err)
		err = mark_reached(c, seen);
	for (uint32_t i = 0; i < f->nr_insns && !err; i++)
		if (!seen[i] && !half[i] && !c->object->is_plain)
			err = refuse(c, i, NULL, "the instruction can never be reached");
		else if (!seen[i] && !half[i])
			return blank(c, f, seen);
	return err;
}

/* ---- call graph ---- */

static uint32_t fixed_args(const struct bpfcc_helper *helper)
{
	uint32_t nr = helper->nr_args;

	if (helper->flags & BPFCC_HELPER_F_VARIADIC_SCALARS)
		while (nr && helper->args[nr - 1] == BPFCC_ARG_SCALAR)
			nr--;
	return nr;
}

/* Registers read by an instruction, as a mask. */
static uint32_t reads(const struct bpfcc_object *o, const struct bpf_insn *in)
{
	const struct bpfcc_helper *helper;
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
		if (bpfcc_insn_is_branch(in))
			return dst | (BPF_SRC(in->code) == BPF_X ? src : 0);
		if (bpfcc_insn_is_exit(in))
			return 1;
		if (bpfcc_insn_is_callx(in))
			return 1u << bpfcc_insn_callx_reg(in) | 0x3e;
		if (!bpfcc_insn_is_call(in))
			return 0;
		if (in->src_reg == BPF_PSEUDO_CALL)
			return ((1u << o->funcs[in->imm].nr_args) - 1) << 1;
		helper = in->src_reg ? bpfcc_kfunc_by_index(in->imm) : bpfcc_helper_by_id(in->imm);
		return helper ? ((1u << fixed_args(helper)) - 1) << 1 : 0;
	default:
		return 0;
	}
}

/* Registers that an instruction sets, whatever happens, as a mask. */
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
		return bpfcc_insn_is_call(in) || bpfcc_insn_is_callx(in) ? 0x3f : 0;
	default:
		return 0;
	}
}

/*
 * How many arguments a subprogram takes: the registers that are live at its start. Its BTF does not
 * tell, because the compiler drops unused arguments of static functions and keeps the prototype.
 */
static int count_args(struct checker *c, struct bpfcc_func *f)
{
	uint16_t *live = bpfcc_arena_array(c->arena, f->nr_insns, sizeof(*live));
	uint32_t next[2];
	bool changed = true;

	if (!live)
		return -ENOMEM;
	while (changed) {
		changed = false;
		for (uint32_t i = f->nr_insns; i-- > 0;) {
			const struct bpf_insn *in = &f->insns[i];
			uint32_t out = 0;

			if (i && bpfcc_insn_is_lddw(in - 1))
				continue;
			for (int k = bpfcc_insn_next(in, i, next); k-- > 0;)
				out |= live[next[k]];
			out = (out & ~writes(in)) | reads(c->object, in);
			changed |= out != live[i];
			live[i] = (uint16_t)out;
		}
	}
	f->nr_args = 0;
	for (uint32_t reg = 1; reg <= BPFCC_MAX_ARGS; reg++)
		if (live[0] & 1u << reg)
			f->nr_args = reg;
	return 0;
}

enum { UNSEEN, OPEN, DONE };

/*
 * Callees first, so that a call's argument count is known when its caller is looked at. `height` is
 * the number of frames that a call of the function needs.
 */
static int visit(struct checker *c, uint32_t index, uint32_t depth, uint8_t *state, uint8_t *height)
{
	struct bpfcc_func *f = &c->object->funcs[index];
	int err;

	state[index] = OPEN;
	height[index] = 1;
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		const struct bpf_insn *in = &f->insns[i];
		uint32_t callee = (uint32_t)in->imm;

		if (bpfcc_insn_is_lddw(in)) {
			i++;
			continue;
		}
		if (!bpfcc_insn_is_call(in) || in->src_reg != BPF_PSEUDO_CALL)
			continue;
		c->func = f;
		if (callee >= c->object->nr_funcs)
			return refuse(c, i, NULL, "the call is to no function of the object");
		if (state[callee] == OPEN)
			return refuse(c, i, "write a loop", "the call is recursive");
		if (state[callee] == UNSEEN && depth < MAX_FRAMES) {
			err = visit(c, callee, depth + 1, state, height);
			if (err)
				return err;
		}
		c->func = f;
		if (depth >= MAX_FRAMES || height[callee] >= MAX_FRAMES)
			return refuse(c, i, "inline some of them: static __always_inline",
				      "calls are nested more than 8 deep");
		if (height[index] <= height[callee])
			height[index] = height[callee] + 1;
	}
	state[index] = DONE;
	/* the kernel's and our ABI: a program has its ctx, used or not */
	for (uint32_t i = 0; i < c->object->nr_progs; i++)
		if (c->object->progs[i].func == f) {
			f->nr_args = 1;
			return 0;
		}
	return count_args(c, f);
}

int bpfcc_check(struct bpfcc_object *object, struct bpfcc_arena *arena, struct bpfcc_diag *diag)
{
	struct checker c = {.object = object, .arena = arena, .diag = diag};
	uint8_t *state = bpfcc_arena_alloc(arena, object->nr_funcs);
	uint8_t *height = bpfcc_arena_alloc(arena, object->nr_funcs);
	int err = 0;

	if (!state || !height)
		return -ENOMEM;
	for (uint32_t i = 0; i < object->nr_funcs && !err; i++) {
		c.func = &object->funcs[i];
		err = check_encoding(&c, bpfcc_encoding_broken);
		if (!err)
			err = check_flow(&c, &object->funcs[i]);
	}
	for (uint32_t i = 0; i < object->nr_funcs && !err; i++)
		if (state[i] == UNSEEN)
			err = visit(&c, i, 1, state, height);
	return err;
}

int bpfcc_check_encoding(const struct bpfcc_object *object, struct bpfcc_diag *diag)
{
	struct checker c = {.diag = diag};
	int err = 0;

	for (uint32_t i = 0; i < object->nr_funcs && !err; i++) {
		c.func = &object->funcs[i];
		err = check_encoding(&c, bpfcc_encoding_problem);
	}
	return err;
}
