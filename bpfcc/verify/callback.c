/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that call functions of the program. Nobody knows how often, so at the call paths part: one
 * goes on behind it, one into the callback; and when the callback returns, its path comes back to
 * the call with what it changed, and parts again. What it changes in its caller's memory is widened
 * on the way, until a state comes to the call that was seen there (prune.c), and the path ends.
 */
#include "bpfcc/verify/call.h"

#include <errno.h>

#define MAX_LOOPS (8u << 20) /* bpf_loop() refuses more */
#define FEW_LOOPS 65536u

/* Most rounds that the helper makes; the proof rests on it. */
static uint64_t max_rounds(struct verify *v, const struct verify_call *c)
{
	struct verify_reg *nr = verify_arg(v, 0);

	switch (c->helper->id) {
	case BPF_FUNC_loop:
		if (nr->type != VT_SCALAR)
			return MAX_LOOPS;
		verify_mark_precise(v, nr);
		/* the helper takes 32 bits */
		return nr->num.u32_max < MAX_LOOPS ? nr->num.u32_max : MAX_LOOPS;
	case BPF_FUNC_for_each_map_elem:
		/* not the number of elements: others add some while it goes round */
		return UINT64_MAX;
	case BPF_FUNC_find_vma:
		return 1;
	default:
		return UINT64_MAX;
	}
}

/* An array's key is a variable of the loop over it; a hash map's is in the map, and as good as a value. */
static bool is_key_lent(const struct verify_call *c)
{
	switch (c->map->type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return c->map_reg.flags & VF_INNER;
	default:
		return true;
	}
}

static void give_key(struct verify *v, const struct verify_call *c, struct verify_reg *r,
		     uint32_t uid)
{
	verify_set_pointer(v, r, VT_MAP_KEY, VF_RDONLY | (c->map_reg.flags & VF_INNER));
	r->map = c->map_reg.map;
	r->bytes = c->map->key_size;
	if (is_key_lent(c))
		r->uid = uid;
}

/* r1 to r5 of the callback; `ctx` is what the program handed to the helper for it. */
static void set_args(struct verify *v, const struct verify_call *c, struct verify_state *s,
		     struct verify_frame *f, const struct verify_reg *caller, uint64_t rounds)
{
	struct verify_reg *r = f->regs;
	struct range index;

	switch (c->helper->id) {
	case BPF_FUNC_loop:
		index = range_between_u(0, rounds - 1);
		verify_set_scalar(v, &r[1], &index, caller[1].use, NULL);
		r[2] = caller[3];
		break;
	case BPF_FUNC_for_each_map_elem:
		r[1] = caller[1];
		give_key(v, c, &r[2], f->callback_uid);
		verify_point_to_value(v, c, &r[3], ++s->next_id);
		r[4] = caller[3];
		break;
	case BPF_FUNC_user_ringbuf_drain:
		verify_dynptr_given(v, &r[1], f->callback_uid);
		r[2] = caller[3];
		break;
	case BPF_FUNC_find_vma:
		r[1] = caller[1];
		verify_set_pointer(v, &r[2], VT_OPAQUE, VF_RDONLY);
		r[3] = caller[4];
		break;
	default:
		break;
	}
}

int verify_callback(struct verify *v, const struct verify_call *c)
{
	int arg = bpfcc_helper_callback_arg(c->helper);
	uint32_t func = verify_arg(v, arg)->func;
	uint64_t rounds = max_rounds(v, c);
	struct verify_frame *caller = verify_frame(v), *f;
	struct verify_state *s;

	if (caller->callback_depth >= rounds) {
		caller->callback_depth = 0;
		return v->err;
	}
	s = verify_push(v, v->insn);
	if (!s)
		return v->err;
	/* here the helper is done */
	caller->callback_depth = 0;
	f = verify_push_frame(v, s, func);
	if (!f)
		return v->err ? v->err : -EINVAL;
	caller = s->frames[s->nr_frames - 2];
	caller->callback_depth++;
	f->is_callback = true;
	f->callback_helper = c->helper->id;
	f->callback_call = v->insn;
	f->callback_refs = s->nr_refs;
	f->callback_uid = ++s->next_id;
	set_args(v, c, s, f, caller->regs, rounds);
	return v->err;
}

/* The helper makes few rounds. Kernels walk each of them, and programs are written for that. */
static bool are_few(struct verify *v, int32_t helper)
{
	const struct verify_reg *nr = verify_reg(v, BPF_REG_1);

	return helper == BPF_FUNC_loop && nr->type == VT_SCALAR && nr->num.u32_max <= FEW_LOOPS;
}

/* What the helper lent to the callback for this one round. */
static bool is_lent(const struct verify_reg *r, uint32_t uid)
{
	return (r->type == VT_MAP_KEY || r->type == VT_MEM || r->type == VT_DYNPTR) &&
	       r->uid == uid;
}

int verify_callback_return(struct verify *v)
{
	struct verify_frame *f = verify_frame(v);
	struct verify_reg *r0 = &f->regs[BPF_REG_0];
	uint32_t call = f->callback_call, uid = f->callback_uid;
	int32_t helper = f->callback_helper;
	const struct verify_state *before;
	int err = verify_read_reg(v, BPF_REG_0);
	char is[256];

	if (err)
		return err;
	/* 0 goes on, 1 stops; other results are kept for what kernels to come may mean by them */
	if (r0->type != VT_SCALAR || r0->num.umax > 1)
		return verify_refuse(v, "return 0 to go on, 1 to stop",
				     "a callback must return 0 or 1, and r0 is %s",
				     verify_reg_format(v, r0, is, sizeof(is)));
	verify_mark_precise(v, r0);
	/* Attack: it is called again and again, and takes one each time. */
	if (v->cur->nr_refs > f->callback_refs)
		return verify_refs_none(v, "when the callback returns");
	if (v->cur->nr_refs < f->callback_refs)
		return verify_refuse(v, "give it back behind the call that runs the callback",
				     "the callback gives back what its caller holds, and may be "
				     "called again");
	verify_pop_frame(v, v->cur);
	/* Attack: the callback left the address of an array's key in its caller's memory. */
	verify_forget(v, is_lent, uid);
	v->cur->insn = call;
	before = verify_previous(v, call);
	if (before)
		verify_widen(v, before, v->cur, verify_frame(v)->callback_depth, are_few(v, helper));
	return v->err;
}
