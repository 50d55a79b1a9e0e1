/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls: of helpers, by the argument kinds of rt/helpers.def; of kernel functions; of subprograms,
 * through summaries of what they take, return and do to memory of their callers.
 */
#include <inttypes.h>

#include "bpfcc/isa.h"
#include "bpfcc/kinds_int.h"

static const char *const arg_names[] = {"the first argument", "the second argument",
					"the third argument", "the fourth argument",
					"the fifth argument"};

static void forget_scratch(struct state *s)
{
	for (int reg = 0; reg <= 5; reg++)
		s->r[reg] = (struct bpfcc_reg){.kind = BPFCC_KIND_UNINIT, .map = -1};
}

/* ---- helpers ---- */

struct helper_call {
	const struct bpfcc_helper *helper;
	const char *name;
	const struct bpfcc_map *map;	/* of the MAP argument, if it is one */
};

/* The most that a SIZE argument can be, or -1. */
static int64_t size_of(struct step *st, const struct helper_call *c, int arg)
{
	const struct bpfcc_reg *size = &st->s->r[arg + 1];

	if (size->kind != BPFCC_KIND_SCALAR) {
		step_error(st, NULL, "%s of %s, a size, is a pointer", arg_names[arg], c->name);
		return -1;
	}
	if (size->off_is_known && (size->off > INT32_MAX || size->off < 0)) {
		step_error(st, NULL, "%s of %s, a size, is %" PRId64, arg_names[arg], c->name,
			   size->off);
		return -1;
	}
	if (!size->max && c->helper->args[arg] == BPFCC_ARG_SIZE)
		step_error(st, NULL, "%s of %s, a size, is 0", arg_names[arg], c->name);
	return size->min < 0 || size->max > INT32_MAX ? -1 : size->max;
}

static void check_memory(struct step *st, const struct helper_call *c, int arg, int64_t bytes,
			 unsigned int access)
{
	const struct bpfcc_reg *reg = &st->s->r[arg + 1];
	char what[96];

	/* a NULL buffer of no bytes */
	if (!bytes && reg_is_const(reg, 0))
		return;

	snprintf(what, sizeof(what), "%s through %s", c->name, arg_names[arg]);
	if (reg->kind == BPFCC_KIND_CTX) {
		step_error(st, "copy what is needed to the stack first",
			   "%s of %s must be memory of the program, not ctx", arg_names[arg],
			   c->name);
		return;
	}
	mem_access(st, reg, 0, bytes, access, what);
	if (access & ACCESS_WRITE)
		mem_store(st, reg, 0, bytes, NULL);
}

static void check_map(struct step *st, struct helper_call *c, int arg)
{
	const struct bpfcc_reg *reg = &st->s->r[arg + 1];

	if (reg->kind != BPFCC_KIND_MAP) {
		step_error(st, "pass the address of a map: &my_map", "%s of %s must be a map",
			   arg_names[arg], c->name);
		return;
	}
	if (reg->map < 0) {
		step_error(st, "call the helper on each path",
			   "%s of %s is a different map on different paths", arg_names[arg],
			   c->name);
		return;
	}
	c->map = &st->k->object->maps[reg->map];
}

/*
 * BPF_CORE_READ(ctx, member) and PT_REGS_PARM1_CORE(ctx): bpf_probe_read_kernel() of a part of ctx.
 * The lowering makes loads of it, and so must know which. Elsewhere the kernel reads user memory
 * only, where ctx is not.
 */
static void check_ctx_read(struct step *st, const struct helper_call *c, int arg)
{
	const struct bpfcc_reg *reg = &st->s->r[arg + 1], *size = &st->s->r[2];

	if (c->helper->id != BPF_FUNC_probe_read_kernel && c->helper->id != BPF_FUNC_probe_read)
		step_error(st, "read ctx directly, or with bpf_probe_read_kernel()",
			   "%s reads the target's memory, and %s is the program's ctx", c->name,
			   arg_names[arg]);
	else if (!reg->off_is_known || size->kind != BPFCC_KIND_SCALAR ||
		 !size->off_is_known)
		step_error(st, "read one member at a time",
			   "%s of ctx needs a constant offset and size", c->name);
	else if (reg->off < 0 || size->off < 0 ||
		 (uint64_t)reg->off + (uint64_t)size->off > st->k->opts.ctx_bytes)
		step_error(st, NULL, "%s of %lld bytes at ctx%+lld is outside of struct pt_regs",
			   c->name, (long long)size->off, (long long)reg->off);
}

static void check_arg(struct step *st, struct helper_call *c, int arg)
{
	const struct bpfcc_reg *reg = step_read(st, arg + 1);

	switch (c->helper->args[arg]) {
	case BPFCC_ARG_MAP:
		check_map(st, c, arg);
		break;
	case BPFCC_ARG_KEY:
		check_memory(st, c, arg, c->map ? c->map->key_size : -1, ACCESS_READ);
		break;
	case BPFCC_ARG_VALUE:
		check_memory(st, c, arg, c->map ? c->map->value_size : -1, ACCESS_READ);
		break;
	case BPFCC_ARG_MEM_R:
		check_memory(st, c, arg, size_of(st, c, arg + 1), ACCESS_READ);
		break;
	case BPFCC_ARG_MEM_W:
		check_memory(st, c, arg, size_of(st, c, arg + 1), ACCESS_WRITE);
		break;
	case BPFCC_ARG_CTX:
		if (reg->kind == BPFCC_KIND_CTX && reg->off_is_known && !reg->off)
			break;
		if ((c->helper->flags & BPFCC_HELPER_F_CTX_NULL) && reg_is_const(reg, 0))
			break;
		step_error(st, NULL, "%s of %s must be the program's ctx", arg_names[arg], c->name);
		break;
	case BPFCC_ARG_ADDR:
		if (reg->kind == BPFCC_KIND_CTX)
			check_ctx_read(st, c, arg);
		break;
	case BPFCC_ARG_SCALAR:
	case BPFCC_ARG_SIZE:
	case BPFCC_ARG_SIZE0:
	case BPFCC_ARG_NONE:
	default:
		break;
	}
}

static void check_rules(struct step *st, const struct helper_call *c)
{
	const struct bpfcc_object *o = st->k->object;
	uint32_t flags = c->helper->flags, exits = 1u << INLAY_PROG_RETURN;

	if ((flags & BPFCC_HELPER_F_GPL) && !o->is_gpl_compatible)
		step_error(
		    st, "char LICENSE[] SEC(\"license\") = \"GPL\"; or \"Dual BSD/GPL\"",
		    "%s is for programs of a GPL-compatible licence, and this object's is \"%s\"",
		    c->name, o->license ? o->license : "");
	if ((flags & BPFCC_HELPER_F_OVERRIDE) && !st->k->opts.allow_override)
		step_error(st, "--allow-override accepts it",
			   "%s changes what the target does", c->name);
	if ((flags & BPFCC_HELPER_F_OVERRIDE) && (st->f->prog_kinds & exits))
		step_error(st, "use SEC(\"uprobe\") or SEC(\"uprobe.session\")",
			   "%s has no meaning when a function returns", c->name);
	if (c->map && (c->map->map_flags & BPF_F_RDONLY_PROG) &&
	    c->helper->ret != BPFCC_RET_PTR_VALUE_OR_NULL)
		step_error(st, NULL, "%s changes map \"%s\", which is read-only for programs",
			   c->name, c->map->name);
}

static void helper_step(struct step *st, const struct bpf_insn *in)
{
	struct helper_call c = {.helper = bpfcc_helper_by_id(in->imm),
				.name = bpfcc_kernel_helper_name(in->imm)};
	struct bpfcc_reg ret = reg_scalar();

	if (!c.helper) {
		step_error(st, "bpfcc --helpers lists what there is",
			   "helper %s (%d) is not supported", c.name ? c.name : "unknown", in->imm);
		forget_scratch(st->s);
		st->s->r[0] = ret;
		return;
	}
	if (!c.name)
		c.name = c.helper->name;
	if (c.helper->class == BPFCC_HELPER_ABSENT) {
		step_error(st, "bpfcc --helpers lists what there is",
			   "Inlay's runtime does not have %s yet", c.name);
		forget_scratch(st->s);
		st->s->r[0] = ret;
		return;
	}
	for (uint32_t arg = 0; arg < c.helper->nr_args; arg++) {
		if ((c.helper->flags & BPFCC_HELPER_F_VARIADIC_SCALARS) &&
		    c.helper->args[arg] == BPFCC_ARG_SCALAR)
			continue;
		check_arg(st, &c, (int)arg);
	}
	check_rules(st, &c);
	if (c.helper->ret == BPFCC_RET_PTR_VALUE_OR_NULL && c.map)
		ret = (struct bpfcc_reg){.kind = BPFCC_KIND_MAP_VALUE,
					 .is_or_null = true,
					 .off_is_known = true,
					 .is_read_only = c.map->map_flags & BPF_F_RDONLY_PROG,
					 .map = (int32_t)c.map->index,
					 .bytes = c.map->value_size,
					 .id = place_of(st->insn, PLACE_CALL)};
	forget_scratch(st->s);
	st->s->r[0] = ret;
}

static void kfunc_step(struct step *st, const struct bpf_insn *in)
{
	const struct bpfcc_helper *kfunc = bpfcc_kfunc_by_index(in->imm);
	struct bpfcc_reg ret = reg_scalar();

	if (!kfunc) {
		step_error(st, NULL, "a kernel function that does not exist");
	} else if (st->f->prog_kinds & ~(1u << INLAY_PROG_SESSION)) {
		step_error(st, "use SEC(\"uprobe.session\")",
			   "%s() is for uprobe.session programs only", kfunc->name);
	}
	if (kfunc && kfunc->ret == BPFCC_RET_PTR_MEM)
		ret = (struct bpfcc_reg){.kind = BPFCC_KIND_MEM, .off_is_known = true, .map = -1,
					 .bytes = 8};
	else if (kfunc && kfunc->ret == BPFCC_RET_BOOL)
		ret = reg_range(0, 1);
	forget_scratch(st->s);
	st->s->r[0] = ret;
}

/* ---- subprograms ---- */

/* What the callee sees of an argument. */
static struct bpfcc_reg pass(const struct bpfcc_reg *arg, int nr)
{
	struct bpfcc_reg r = *arg;

	if (r.kind == BPFCC_KIND_STACK)
		r = (struct bpfcc_reg){.kind = BPFCC_KIND_STACK, .base = (uint8_t)nr,
				       .off_is_known = true, .map = -1};
	r.id = r.is_or_null ? place_of(0, PLACE_ARGS + (uint32_t)nr) : 0;
	return r;
}

static void pass_args(struct step *st, struct func_info *callee)
{
	bool changed = !callee->is_called;

	for (uint32_t i = 0; i < callee->func->nr_args; i++) {
		struct bpfcc_reg arg = pass(&st->s->r[i + 1], (int)i + 1);
		struct bpfcc_reg joined = reg_join(&callee->args[i], &arg,
						   place_of(0, PLACE_ARGS + i + 1));

		if (callee->args[i].kind != BPFCC_KIND_UNREACHED)
			kinds_widen(callee, &callee->args[i], &joined);
		changed |= !reg_equal(&joined, &callee->args[i]);
		callee->args[i] = joined;
	}
	callee->is_called = true;
	if (changed)
		kinds_queue(callee);
}

/* The callee's accesses through one argument, as if the caller had made them. */
static void replay(struct step *st, const struct bpfcc_reg *arg, const struct reach *reach,
		   unsigned int access)
{
	struct bpfcc_reg reg = *arg;

	if (reg.kind != BPFCC_KIND_STACK || (reach->lo == reach->hi && !reach->is_any))
		return;
	if (reach->is_any)
		reg_set_range(&reg, INT64_MIN, INT64_MAX);
	mem_access(st, &reg, reach->lo, reach->hi - reach->lo, access,
		   "an access in the called function");
	if (access != ACCESS_WRITE)
		return;
	/* not a store for certain: what was there may also still be */
	if (reg.base)
		return;
	if (reg.off_is_known && reach->lo >= -STACK_BYTES && reach->hi <= STACK_BYTES)
		mem_clobber(st->s, reg.off + reach->lo, reg.off + reach->hi);
	else
		mem_clobber(st->s, -STACK_BYTES, 0);
}

static struct bpfcc_reg returned(const struct step *st, const struct func_info *callee,
				 const struct state *before)
{
	struct bpfcc_reg r = callee->ret;

	if (r.kind == BPFCC_KIND_STACK && r.base) {
		const struct bpfcc_reg *arg = &before->r[r.base];
		int64_t min, max;

		if (__builtin_add_overflow(r.min, arg->min, &min) ||
		    __builtin_add_overflow(r.max, arg->max, &max))
			min = INT64_MIN, max = INT64_MAX;
		r = *arg;
		reg_set_range(&r, min, max);
		return r;
	}
	/* a pointer into a frame that is gone */
	if (r.kind == BPFCC_KIND_STACK || r.kind == BPFCC_KIND_POINTER)
		return (struct bpfcc_reg){.kind = BPFCC_KIND_MIXED, .map = -1};
	r.id = r.is_or_null ? place_of(st->insn, PLACE_CALL) : 0;
	return r;
}

static bool subprogram_step(struct step *st, const struct bpf_insn *in)
{
	struct func_info *callee = &st->k->funcs[in->imm];
	struct state before = *st->s;

	for (uint32_t i = 1; i <= callee->func->nr_args; i++)
		step_read(st, (int)i);
	if (!st->is_report)
		pass_args(st, callee);
	if (callee->ret.kind == BPFCC_KIND_UNREACHED)
		return false;
	for (int i = 1; i <= BPFCC_MAX_ARGS; i++) {
		replay(st, &before.r[i], &callee->read[i], ACCESS_READ);
		replay(st, &before.r[i], &callee->written[i], ACCESS_WRITE);
	}
	forget_scratch(st->s);
	st->s->r[0] = returned(st, callee, &before);
	return true;
}

bool call_step(struct step *st, const struct bpf_insn *in)
{
	const struct bpfcc_object *o = st->k->object;

	if (in->src_reg == BPF_PSEUDO_CALL)
		return subprogram_step(st, in);
	if (in->src_reg == BPF_PSEUDO_KFUNC_CALL) {
		kfunc_step(st, in);
		return true;
	}
	if (in->imm >= BPFCC_POISON && (uint32_t)(in->imm - BPFCC_POISON) < o->nr_poisons) {
		step_error(st, "test for it first: bpf_core_field_exists(), bpf_ksym_exists()",
			   "%s", o->poisons[in->imm - BPFCC_POISON]);
		forget_scratch(st->s);
		st->s->r[0] = reg_scalar();
		return true;
	}
	helper_step(st, in);
	return true;
}
