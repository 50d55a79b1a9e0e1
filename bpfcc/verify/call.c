/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls and returns: of helpers, by rt/helpers.def; of kernel functions; of subprograms, into which
 * the path goes on as the machine would. After any call r1 to r5 hold nothing and r6 to r9 what
 * they held: each frame has registers of its own.
 */
#include "bpfcc/verify/call.h"
#include "bpfcc/verify/walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_ERRNO 4095
#define MAX_CPUS 8192	/* of any Linux */
#define MAX_ALLOC_BYTES (UINT32_MAX / 4) /* the kernel's RINGBUF_MAX_RECORD_SZ; more is never had */

static void clobber(struct verify *v)
{
	for (int reg = BPF_REG_0; reg <= BPF_REG_5; reg++)
		verify_set_uninit(verify_reg(v, reg));
}

static void set_range(struct verify *v, struct verify_reg *r, struct range num)
{
	verify_set_scalar(v, r, &num, NULL, NULL);
}

/* ---- who may call what ---- */

static bool is_sleepable(const struct bpfcc_prog *prog)
{
	const char *slash = prog && prog->section ? strchr(prog->section, '/') : NULL;
	size_t bytes = !prog || !prog->section ? 0
		       : slash ? (size_t)(slash - prog->section) : strlen(prog->section);

	return bytes > 2 && !strncmp(prog->section + bytes - 2, ".s", 2);
}

static int may_call(struct verify *v, const struct verify_call *c)
{
	const struct bpfcc_object *o = v->object;
	uint32_t flags = c->helper->flags;

	const char *reason = bpfcc_helper_absent_reason(c->helper);

	if (c->helper->class == BPFCC_HELPER_ABSENT && !v->opts->is_kernel_set && reason)
		return verify_refuse(v, NULL, "%s cannot be had in a process: %s", c->name, reason);
	if (c->helper->class == BPFCC_HELPER_ABSENT && !v->opts->is_kernel_set)
		return verify_refuse(v, "bpfcc --helpers lists what there is",
				     "Inlay's runtime does not have %s yet", c->name);
	/* kernels give all of their functions to such programs only */
	if (((flags & BPFCC_HELPER_F_GPL) || !c->helper->id) && !o->is_gpl_compatible)
		return verify_refuse(
		    v, "char LICENSE[] SEC(\"license\") = \"GPL\"; or \"Dual BSD/GPL\"",
		    "%s is for programs of a GPL-compatible licence, and this object's is \"%s\"",
		    c->name, o->license ? o->license : "");
	if ((flags & BPFCC_HELPER_F_OVERRIDE) && !v->opts->allow_override)
		return verify_refuse(
		    v, "--allow-override accepts it (inlay-cc: -finlay-allow-override)",
		    "%s changes what the target does", c->name);
	if ((flags & BPFCC_HELPER_F_OVERRIDE) && v->prog && v->prog->kind == INLAY_PROG_RETURN)
		return verify_refuse(v, "use SEC(\"uprobe\") or SEC(\"uprobe.session\")",
				     "%s has no meaning when a function returns", c->name);
	if ((flags & BPFCC_HELPER_F_WRITE) && !v->opts->allow_write)
		return verify_refuse(
		    v, "--allow-write accepts it (inlay-cc: -finlay-allow-write)",
		    "%s writes to the target's memory", c->name);
	if ((flags & BPFCC_HELPER_F_SLEEPABLE) && !is_sleepable(v->prog))
		return verify_refuse(v, "use SEC(\"uprobe.s\")",
				     "%s may sleep, and this program may not", c->name);
	if (c->helper->id != BPF_FUNC_spin_lock && c->helper->id != BPF_FUNC_spin_unlock)
		return verify_lock_calls(v, c->name);
	return 0;
}

/* ---- results ---- */

static int set_record(struct verify *v, const struct verify_call *c, struct verify_reg *r)
{
	int ref;

	if (c->alloc_bytes > MAX_ALLOC_BYTES) {
		set_range(v, r, range_const(0));
		return v->err;
	}
	ref = verify_ref_take(v, REF_RECORD);
	if (ref < 0)
		return ref;
	verify_set_pointer(v, r, VT_MEM, VF_RECORD | VF_OR_NULL);
	r->bytes = (uint32_t)c->alloc_bytes;
	r->ref = (uint32_t)ref;
	r->id = (uint32_t)ref;
	return v->err;
}

static int set_result(struct verify *v, const struct verify_call *c)
{
	struct verify_reg *r = verify_reg(v, BPF_REG_0);

	switch (c->helper->ret) {
	case BPFCC_RET_PTR_VALUE_OR_NULL:
		return verify_set_value(v, c, r);
	case BPFCC_RET_RECORD_OR_NULL:
		return set_record(v, c, r);
	case BPFCC_RET_SLICE_OR_NULL:
	case BPFCC_RET_SLICE_R_OR_NULL:
		verify_set_pointer(v, r, VT_MEM,
				   VF_OR_NULL | VF_SLICE | c->dynptr_flags |
				   (c->helper->ret == BPFCC_RET_SLICE_R_OR_NULL
						     ? VF_RDONLY : 0));
		r->ref = c->dynptr_ref;
		/* Attack: a size of 2^32 + 8 is one of 8 to the helper, which takes 32 bits */
		r->bytes = (uint32_t)c->alloc_bytes;
		r->uid = c->dynptr;
		r->id = verify_new_id(v);
		return v->err;
	case BPFCC_RET_PTR_MEM:
		verify_set_pointer(v, r, VT_MEM, 0);
		r->bytes = 8;
		return v->err;
	case BPFCC_RET_OBJECT:
		verify_set_pointer(v, r, VT_OPAQUE, VF_RDONLY);
		return v->err;
	case BPFCC_RET_ITEM_OR_NULL:
		return verify_iter_step(v, c, r);
	case BPFCC_RET_VOID:
		return 0;
	case BPFCC_RET_BOOL:
		set_range(v, r, range_between_u(0, 1));
		return v->err;
	case BPFCC_RET_INT:
		break;
	}
	if (c->helper->flags & BPFCC_HELPER_F_SIZED)
		set_range(v, r, range_between_s(-MAX_ERRNO, (int64_t)c->max_bytes));
	else if (c->helper->id == BPF_FUNC_get_smp_processor_id)
		set_range(v, r, range_between_u(0, MAX_CPUS - 1));
	else
		verify_set_unknown(v, r);
	return v->err;
}

/* ---- tail calls ---- */

/* The instruction by which `caller` called `f`. */
static const struct bpf_insn *call_of(struct verify *v, const struct verify_frame *caller,
				      const struct verify_frame *f)
{
	return &v->object->funcs[caller->func].insns[f->return_to - 1];
}

/*
 * On success the other program runs instead of the rest of this function. In a subprogram that is
 * a return to its caller, with a result that nobody knows.
 */
static int tail_call(struct verify *v)
{
	struct verify_state *s = v->cur;
	struct verify_frame *f;
	int err = verify_refs_none(v, "at the tail call");

	if (err)
		return err;
	for (uint32_t i = 0; i < s->nr_frames; i++) {
		if (s->frames[i]->is_callback)
			return verify_refuse(v, "make it after the call that runs the callback",
					     "a callback makes a tail call");
		/* the compiled function takes a count of them, which its caller must know */
		if (i && bpfcc_insn_is_callx(call_of(v, s->frames[i - 1], s->frames[i])))
			return verify_refuse(v, "call the function by its name",
					     "a function that is called by its address makes a tail "
					     "call");
	}
	if (s->nr_frames == 1)
		return 0;
	f = verify_frame(v);
	s = verify_push(v, f->return_to);
	if (!s)
		return v->err;
	verify_pop_frame(v, s);
	s->insn = f->return_to;
	verify_set_unknown(v, &s->frames[s->nr_frames - 1]->regs[BPF_REG_0]);
	return v->err;
}

/* ---- helpers and kernel functions ---- */

static int call_known(struct verify *v, struct verify_call *c)
{
	int err = may_call(v, c);

	if (!err)
		err = verify_args(v, c);
	if (!err && !c->helper->id)
		err = verify_section(v, c);
	if (!err && c->helper->id == BPF_FUNC_tail_call)
		err = tail_call(v);
	if (!err && bpfcc_helper_callback_arg(c->helper) >= 0)
		err = verify_callback(v, c);
	if (!err && c->release)
		err = verify_ref_release(v, c->release);
	if (err)
		return err;
	clobber(v);
	v->cur->insn = v->insn + 1;
	return set_result(v, c);
}

static int call_helper(struct verify *v, const struct bpf_insn *in)
{
	struct verify_call c = {.helper = bpfcc_helper_by_id(in->imm),
				.name = bpfcc_kernel_helper_name(in->imm)};
	char text[64];

	if (!c.helper)
		return verify_refuse(v, "bpfcc --helpers lists what there is",
				     "helper %s (%d) is not supported",
				     c.name ? c.name : "unknown", in->imm);
	if (!c.name) {
		snprintf(text, sizeof(text), "bpf_%s", c.helper->name);
		c.name = text;
	}
	return call_known(v, &c);
}

static int call_kfunc(struct verify *v, const struct bpf_insn *in)
{
	struct verify_call c = {.helper = bpfcc_kfunc_by_index(in->imm)};

	if (!c.helper)
		return verify_refuse(v, NULL, "a kernel function that does not exist");
	c.name = c.helper->name;
	/* elsewhere there is no cookie */
	if ((c.helper->flags & BPFCC_HELPER_F_SESSION) &&
	    (!v->prog || v->prog->kind != INLAY_PROG_SESSION))
		return verify_refuse(v, "use SEC(\"uprobe.session\")",
				     "%s() is for uprobe.session programs only", c.name);
	return call_known(v, &c);
}

/* ---- subprograms ---- */

static int call_function(struct verify *v, uint32_t func)
{
	struct verify_frame *caller = verify_frame(v), *f;

	if (func >= v->object->nr_funcs)
		return verify_refuse(v, NULL, "a call of function %u of %u", func,
				     v->object->nr_funcs);
	/* by name the checker has seen it; Attack: as deep as it likes, by address */
	for (uint32_t i = 0; i < v->cur->nr_frames; i++)
		if (v->cur->frames[i]->func == func)
			return verify_refuse(v, "write a loop", "the call is recursive");
	f = verify_push_frame(v, v->cur, func);
	if (!f)
		return v->err ? v->err : -EINVAL;
	f->return_to = v->insn + 1;
	/* what the function does not declare is not handed over by compiled code either */
	for (uint32_t i = 1; i <= v->object->funcs[func].nr_args && i <= BPFCC_MAX_ARGS; i++)
		f->regs[i] = caller->regs[i];
	for (int reg = BPF_REG_0; reg <= BPF_REG_5; reg++)
		verify_set_uninit(&caller->regs[reg]);
	return v->err;
}

/* ---- calls of what a register holds ---- */

/* Attack: one path brings a function, or one helper, another path another: code is made for one. */
static int callee_is(struct verify *v, uint8_t reg, int32_t callee)
{
	struct verify_place *p = &v->walk->places[v->walk->func][v->insn];

	if (p->callee && p->callee != callee)
		return verify_refuse(v, "call helpers by their names",
				     "r%d, which is called, holds a helper's number, and something "
				     "else on another path", reg);
	p->callee = callee;
	return 0;
}

/*
 * A function whose address is known, or a helper whose number is: that is how clang calls helpers
 * without optimisation. What follows is as for a call by name.
 */
static int call_register(struct verify *v, uint8_t reg)
{
	struct verify_reg *r = verify_reg(v, reg);
	struct bpf_insn helper = {.code = BPF_JMP | BPF_CALL};
	const struct bpfcc_helper *h;
	int err = verify_read_reg(v, reg);
	char is[256];

	if (err)
		return err;
	if (r->type == VT_FUNC) {
		err = callee_is(v, reg, VERIFY_A_FUNCTION);
		return err ? err : call_function(v, r->func);
	}
	/* Attack: a number is jumped to. */
	if (r->type != VT_SCALAR || !range_is_const(&r->num) || !r->num.umin ||
	    r->num.umin >= BPFCC_POISON)
		return verify_refuse(v,
				     "compile with -O2; call functions and helpers by their names",
				     "r%d, which is called, must be the address of a function or the "
				     "number of a helper, and is %s",
				     reg, verify_reg_format(v, r, is, sizeof(is)));
	verify_mark_precise(v, r);
	helper.imm = (int32_t)r->num.umin;
	h = bpfcc_helper_by_id(helper.imm);
	/* they are control flow, which is known before the walk */
	if (h && (helper.imm == BPF_FUNC_tail_call || bpfcc_helper_callback_arg(h) >= 0))
		return verify_refuse(v, "call it by its name; compile with -O2",
				     "bpf_%s is called through a register", h->name);
	err = callee_is(v, reg, helper.imm);
	return err ? err : call_helper(v, &helper);
}

int verify_call(struct verify *v, const struct bpf_insn *in)
{
	const char *poison;

	if (bpfcc_insn_is_callx(in))
		return call_register(v, bpfcc_insn_callx_reg(in));
	switch (in->src_reg) {
	case BPF_PSEUDO_CALL:
		return call_function(v, (uint32_t)in->imm);
	case BPF_PSEUDO_KFUNC_CALL:
		return call_kfunc(v, in);
	default:
		poison = bpfcc_poison(v->object, in);
		/* instructions without an object were not compiled from what has such tests */
		if (poison)
			return verify_refuse(v, v->object->btf ? "test for it first: "
								 "bpf_core_field_exists(), "
								 "bpf_ksym_exists()" : NULL,
					     "%s", poison);
		return call_helper(v, in);
	}
}

/* ---- returns ---- */

int verify_return(struct verify *v)
{
	struct verify_frame *f = verify_frame(v);
	struct verify_reg result = f->regs[BPF_REG_0];
	uint32_t to = f->return_to;

	if (f->is_callback)
		return verify_callback_return(v);
	/* Attack: the stack that it points to is another function's next. */
	if (result.type == VT_STACK)
		return verify_refuse(v, "return the value itself, or fill in the caller's variable",
				     "the function returns an address on the stack");
	/* compiled code has no result there */
	if (v->object->funcs[f->func].is_void)
		verify_set_uninit(&result);
	verify_pop_frame(v, v->cur);
	*verify_reg(v, BPF_REG_0) = result;
	v->cur->insn = to;
	return v->err;
}

int verify_leave(struct verify *v)
{
	struct verify_reg *r0 = verify_reg(v, BPF_REG_0);
	int err = verify_read_reg(v, BPF_REG_0);
	char is[256];

	if (!err)
		err = verify_refs_none(v, "when the program ends");
	if (err)
		return err;
	if (!v->prog || v->prog->kind != INLAY_PROG_SESSION)
		return 0;
	/* as the kernel: 1 at entry keeps the exit run away, other numbers mean nothing yet */
	if (r0->type != VT_SCALAR || r0->num.umax > 1)
		return verify_refuse(v, "return 0, or 1 at entry to leave out the exit run",
				     "a session program must return 0 or 1, and r0 is %s",
				     verify_reg_format(v, r0, is, sizeof(is)));
	verify_mark_precise(v, r0);
	return v->err;
}
