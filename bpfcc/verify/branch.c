/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jumps: which sides can be taken, and what each side knows. A side that is left out because the
 * numbers say so rests on them: they become precise.
 */
#include <string.h>

#include "bpfcc/verify/walk.h"

#define JCOND 0xe0 /* BPF_JCOND: may_goto */

static bool is_wide(const struct bpf_insn *in)
{
	return BPF_CLASS(in->code) == BPF_JMP;
}

/* ---- every register and spill of a state ---- */

typedef void (*reg_fn)(struct verify *v, struct verify_reg *r, void *arg);

static void each_reg(struct verify *v, struct verify_state *s, reg_fn fn, void *arg)
{
	for (uint32_t i = 0; i < s->nr_frames; i++) {
		struct verify_frame *f = s->frames[i];

		for (int reg = 0; reg < 10; reg++)
			fn(v, &f->regs[reg], arg);
		for (uint32_t k = 0; k < f->nr_slots; k++)
			if (f->slots[k].spill.type != VT_UNINIT)
				fn(v, &f->slots[k].spill, arg);
	}
}

/* ---- NULL ---- */

struct know_null {
	uint32_t id;
	bool is_null;
	uint32_t ref;
};

static void know_null_reg(struct verify *v, struct verify_reg *r, void *arg)
{
	struct know_null *k = arg;
	const struct range zero = range_const(0);
	struct verify_use *use;

	if (!verify_is_pointer(r) || !(r->flags & VF_OR_NULL) || r->id != k->id)
		return;
	if (k->is_null) {
		/* Attack: a slice of a record that is NULL gives nothing back */
		if (r->flags & VF_RECORD)
			k->ref = r->ref;
		use = r->use;
		verify_set_scalar(v, r, &zero, NULL, NULL);
		/* Attack: a copy that is read as 0, and was never set on a path that comes later. */
		r->use = verify_use_same(v, use, NULL);
	} else {
		r->flags &= (uint16_t)~VF_OR_NULL;
		r->id = 0;
	}
}

void verify_know_null(struct verify *v, struct verify_state *s, uint32_t id, bool is_null)
{
	struct know_null k = {.id = id, .is_null = is_null};

	each_reg(v, s, know_null_reg, &k);
	/* nothing was taken: there is nothing to give back */
	for (uint32_t i = 0; k.ref && i < s->nr_refs; i++) {
		if (s->refs[i].id != k.ref)
			continue;
		memmove(&s->refs[i], &s->refs[i + 1], (s->nr_refs - i - 1) * sizeof(s->refs[0]));
		s->nr_refs--;
		break;
	}
}

/* ---- numbers ---- */

struct linked {
	const struct verify_reg *known;
};

/* r = known + (r->add - known->add), exactly; or so in their low halves, if one of them is VF_LOW */
static void narrow_linked(struct verify *v, struct verify_reg *r, void *arg)
{
	const struct verify_reg *known = ((struct linked *)arg)->known;
	int64_t by = (int64_t)r->add - known->add;
	struct range num = range_const((uint64_t)by);

	if (r == known || r->type != VT_SCALAR || r->id != known->id)
		return;
	if (!((r->flags | known->flags) & VF_LOW))
		num = range_alu(BPF_ALU64 | BPF_ADD, 0, 0, &known->num, &num);
	else if ((r->flags & VF_LOW) || r->num.umax <= UINT32_MAX)
		num = range_alu(BPF_ALU | BPF_ADD, 0, 0, &known->num, &num);
	else
		return;
	if (range_holds(&num, &r->num))
		return;
	num = range_meet(&num, &r->num);
	if (range_is_empty(&num))
		return; /* control cannot get here; the next comparison finds out */
	r->num = num;
	r->use = verify_use_same(v, r->use, known->use);
}

/* One side of a comparison: false if it cannot be. `src` NULL: the immediate. */
static bool refine(struct verify *v, struct verify_state *s, const struct bpf_insn *in,
		   bool is_taken)
{
	struct verify_frame *f = s->frames[s->nr_frames - 1];
	struct verify_reg *dst = &f->regs[in->dst_reg], *src = NULL;
	struct range a = dst->num, b = range_const((uint64_t)(int64_t)in->imm);
	struct verify_use *a_use = dst->use, *b_use = NULL;
	uint8_t code = in->code & (uint8_t)~BPF_X;
	struct linked linked;

	if (BPF_SRC(in->code) == BPF_X) {
		src = &f->regs[in->src_reg];
		b = src->num;
		b_use = src->use;
	}
	range_refine(code, is_taken, &a, &b);
	if (range_is_empty(&a) || range_is_empty(&b))
		return false;
	if (!range_equal(&a, &dst->num)) {
		dst->num = a;
		dst->use = verify_use_same(v, a_use, b_use);
	}
	if (src && !range_equal(&b, &src->num)) {
		src->num = b;
		src->use = verify_use_same(v, b_use, a_use);
	}
	if (dst->id) {
		linked.known = dst;
		each_reg(v, s, narrow_linked, &linked);
	}
	if (src && src->id && src->id != dst->id) {
		linked.known = src;
		each_reg(v, s, narrow_linked, &linked);
	}
	return true;
}

/* ---- which side ---- */

static void go(struct verify *v, bool is_taken, const struct bpf_insn *in)
{
	uint32_t next = is_taken ? (uint32_t)bpfcc_insn_target(in, v->insn) : v->insn + 1;

	verify_note(v, next);
	v->cur->insn = next;
}

/* Only one side can be, and the numbers of both operands say so. */
static int decided(struct verify *v, const struct bpf_insn *in, bool is_taken)
{
	verify_mark_precise(v, verify_reg(v, in->dst_reg));
	if (BPF_SRC(in->code) == BPF_X)
		verify_mark_precise(v, verify_reg(v, in->src_reg));
	go(v, is_taken, in);
	return v->err;
}

/* Waits at the other side; the caller walks on where the condition is false. */
static struct verify_state *fork_taken(struct verify *v, const struct bpf_insn *in)
{
	return verify_push(v, (uint32_t)bpfcc_insn_target(in, v->insn));
}

static int branch_numbers(struct verify *v, const struct bpf_insn *in)
{
	struct verify_reg *dst = verify_reg(v, in->dst_reg);
	struct range src = range_const((uint64_t)(int64_t)in->imm);
	struct verify_state *other;
	uint32_t target = (uint32_t)bpfcc_insn_target(in, v->insn);
	int taken;

	if (BPF_SRC(in->code) == BPF_X)
		src = verify_reg(v, in->src_reg)->num;
	taken = range_branch(in->code & (uint8_t)~BPF_X, &dst->num, &src);
	if (taken >= 0)
		return decided(v, in, taken);
	{
		/* what the intervals do not tell at once, narrowing may */
		struct range a = dst->num, b = src;

		range_refine(in->code & (uint8_t)~BPF_X, true, &a, &b);
		if (range_is_empty(&a) || range_is_empty(&b))
			return decided(v, in, false);
		a = dst->num;
		b = src;
		range_refine(in->code & (uint8_t)~BPF_X, false, &a, &b);
		if (range_is_empty(&a) || range_is_empty(&b))
			return decided(v, in, true);
	}
	if (target == v->insn + 1) {
		go(v, false, in);
		return v->err;
	}
	other = fork_taken(v, in);
	if (!other)
		return v->err;
	refine(v, other, in, true);
	refine(v, v->cur, in, false);
	go(v, false, in);
	return v->err;
}

static bool is_zero(const struct verify_reg *r)
{
	return r->type == VT_SCALAR && range_is_const(&r->num) && !r->num.umin;
}

/*
 * A pointer is compared. What can be said: with 0, whether it is NULL; with a pointer that is not
 * NULL, that it is none either where they are equal.
 */
static int branch_pointers(struct verify *v, const struct bpf_insn *in)
{
	uint8_t op = BPF_OP(in->code);
	bool is_equality = is_wide(in) && (op == BPF_JEQ || op == BPF_JNE), is_zero_test;
	struct verify_reg zero = {.type = VT_SCALAR,
				  .num = range_const((uint64_t)(int64_t)in->imm)};
	struct verify_reg *a = verify_reg(v, in->dst_reg), *b = &zero, *p, *q;
	struct verify_state *other;
	uint32_t id;

	if (BPF_SRC(in->code) == BPF_X)
		b = verify_reg(v, in->src_reg);
	p = verify_is_pointer(a) ? a : b;
	q = p == a ? b : a;
	is_zero_test = is_equality && is_zero(q);
	if (is_zero_test && !(p->flags & VF_OR_NULL)) {
		/* what a map or a helper gave is never at address 0, nor is a pointer to its first
		 * byte; of ctx and an arena that is nobody's promise */
		if ((p->type == VT_MAP_VALUE || p->type == VT_MAP_KEY || p->type == VT_MEM) &&
		    !p->off && range_is_const(&p->num) && !p->num.umin) {
			verify_mark_precise(v, q);
			go(v, op == BPF_JNE, in);
			return v->err;
		}
		is_zero_test = false;
	}
	if ((uint32_t)bpfcc_insn_target(in, v->insn) == v->insn + 1) {
		go(v, false, in);
		return v->err;
	}
	other = fork_taken(v, in);
	if (!other)
		return v->err;
	if (is_zero_test) {
		if (q != &zero)
			verify_mark_precise(v, q);
		id = p->id;
		verify_know_null(v, other, id, op == BPF_JEQ);
		verify_know_null(v, v->cur, id, op == BPF_JNE);
	} else if (is_equality && verify_is_pointer(q) &&
		   (p->flags & VF_OR_NULL) != (q->flags & VF_OR_NULL)) {
		id = p->flags & VF_OR_NULL ? p->id : q->id;
		p = p->flags & VF_OR_NULL ? q : p;
		/* only of what is at its very object: NULL + 8 could be anything */
		if (!p->off && range_is_const(&p->num) && !p->num.umin && p->type != VT_ARENA)
			verify_know_null(v, op == BPF_JEQ ? other : v->cur, id, false);
	}
	go(v, false, in);
	return v->err;
}

/*
 * may_goto: the run time counts, and leaves the loop when a budget is used up. So a loop around it
 * ends, and what changes in it is widened until nothing new comes of it.
 */
static int branch_may_goto(struct verify *v, const struct bpf_insn *in)
{
	const struct verify_state *before = verify_previous(v, v->insn);
	struct verify_state *again;
	struct verify_frame *f;

	again = verify_push(v, v->insn + 1);
	if (!again)
		return v->err;
	f = again->frames[again->nr_frames - 1];
	f->may_goto_depth++;
	if (before)
		verify_widen(v, before, again, f->may_goto_depth, false);
	go(v, true, in);
	return v->err;
}

int verify_branch(struct verify *v, const struct bpf_insn *in)
{
	struct verify_reg *dst, *src;
	int err;

	if (bpfcc_insn_is_goto(in)) {
		v->cur->insn = (uint32_t)bpfcc_insn_target(in, v->insn);
		return 0;
	}
	if (BPF_OP(in->code) == JCOND)
		return branch_may_goto(v, in);
	err = verify_read_reg(v, in->dst_reg);
	if (!err && BPF_SRC(in->code) == BPF_X)
		err = verify_read_reg(v, in->src_reg);
	if (err)
		return err;
	dst = verify_reg(v, in->dst_reg);
	src = BPF_SRC(in->code) == BPF_X ? verify_reg(v, in->src_reg) : NULL;
	if (verify_is_pointer(dst) || (src && verify_is_pointer(src)))
		return branch_pointers(v, in);
	return branch_numbers(v, in);
}
