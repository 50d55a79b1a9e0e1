/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open-coded iterators (bpf_for(), bpf_repeat()): 8 bytes of stack that one kernel function makes, one
 * steps on and one ends, and only they may look into. In a state the slot has ITER bytes and a `spill`
 * with: type ITER, bytes = enum iter_state, add = steps so far, id = the iterator's own id, ref = what
 * must be given back. What a step gives is a MEM register with that id as its uid.
 *
 * A step parts the path: on one the iterator has come to its end, on the other there is an item. The
 * number of items is finite, so a path may stop when it comes back to the step of the same iterator
 * (walk.c); why that is right, and why the ids of all iterators must be the same then: README.md, "Loops".
 */
#include <string.h>

#include "bpfcc/verify/call.h"
#include "bpfcc/verify/walk.h"

#define ITER_BYTES 8
#define ITEM_BYTES 4	/* an int */

enum iter_state { ITER_ACTIVE = 1, ITER_DRAINED };

static bool is_item_of(const struct verify_reg *r, uint32_t id)
{
	return r->type == VT_MEM && r->uid == id;
}

static bool is_iter(const struct verify_slot *s)
{
	return s->byte[0] == VB_ITER;
}

/* The slot that a register points to; -1: it is no place for an iterator. */
static int64_t slot_of(const struct verify_reg *r)
{
	int64_t off = verify_known_off(r);

	if (r->type != VT_STACK || !range_is_const(&r->num) || off % ITER_BYTES ||
	    off < -VERIFY_STACK_BYTES || off > -ITER_BYTES)
		return -1;
	return -off / ITER_BYTES - 1;
}

static int place_of(struct verify *v, struct verify_call *c, int arg)
{
	struct verify_reg *r = verify_arg(v, arg);
	int64_t slot = slot_of(r);

	if (slot < 0)
		return verify_refuse_arg(v, c, arg,
					 "a struct bpf_iter_num is a variable of a function",
					 "the address of an iterator, 8 bytes of stack, aligned to 8");
	c->iter_frame = r->frame;
	c->iter_slot = (uint32_t)slot;
	return 0;
}

int verify_iter_new(struct verify *v, struct verify_call *c, int arg)
{
	struct verify_slot *s;
	int ref, err = place_of(v, c, arg);

	/* Attack: over another iterator, which nobody could end then. */
	if (!err)
		err = verify_helper_memory(v, arg + 1, ITER_BYTES, ACCESS_WRITE | ACCESS_RAW,
					   "the iterator");
	if (err)
		return err;
	ref = verify_ref_take(v, REF_ITER);
	if (ref < 0)
		return ref;
	s = &v->cur->frames[c->iter_frame]->slots[c->iter_slot];
	memset(s->byte, VB_ITER, sizeof(s->byte));
	memset(&s->spill, 0, sizeof(s->spill));
	s->spill.type = VT_ITER;
	s->spill.bytes = ITER_ACTIVE;
	s->spill.id = verify_new_id(v);
	s->spill.ref = (uint32_t)ref;
	s->spill.use = verify_use_new(v, NULL, NULL);
	s->use = verify_use_new(v, NULL, NULL);
	return v->err;
}

static struct verify_slot *find(struct verify_state *s, const struct verify_call *c)
{
	struct verify_frame *f = s->frames[c->iter_frame];

	return c->iter_slot < f->nr_slots && is_iter(&f->slots[c->iter_slot])
		   ? &f->slots[c->iter_slot]
		   : NULL;
}

int verify_iter_use(struct verify *v, struct verify_call *c, int arg)
{
	bool is_end = c->helper->args[arg] == BPFCC_ARG_ITER_END;
	struct verify_slot *s;
	int err = place_of(v, c, arg);

	if (err)
		return err;
	/* Attack: a callee's stack, after it has returned. */
	s = c->iter_frame < v->cur->nr_frames ? find(v->cur, c) : NULL;
	if (!s)
		return verify_refuse(v, "bpf_iter_num_new() makes one; bpf_for() does all of it",
				     "%s of %s points to memory that is no iterator",
				     verify_arg_name(arg), c->name);
	verify_use_mark(v, s->use, USE_READ);
	verify_use_mark(v, s->spill.use, USE_READ);
	if (!is_end)
		return v->err;
	c->release = s->spill.ref;
	/* Attack: an item that is looked at when its iterator's bytes are something else. */
	verify_forget(v, is_item_of, s->spill.id);
	memset(s->byte, VB_MISC, sizeof(s->byte));
	memset(&s->spill, 0, sizeof(s->spill));
	return v->err;
}

int verify_iter_step(struct verify *v, const struct verify_call *c, struct verify_reg *r)
{
	struct verify_slot *s = find(v->cur, c), *next;
	const struct range zero = range_const(0);
	const struct verify_state *before;
	struct verify_state *again;

	if (s->spill.bytes == ITER_ACTIVE) {
		before = verify_previous(v, v->insn);
		again = verify_push(v, v->insn + 1);
		if (!again)
			return v->err;
		next = find(again, c);
		next->spill.add++;
		/* another round: what differs from the one before and does not matter becomes unknown */
		if (before)
			verify_widen(v, before, again, (uint32_t)next->spill.add, false);
		r = &again->frames[again->nr_frames - 1]->regs[BPF_REG_0];
		verify_set_pointer(v, r, VT_MEM, VF_RDONLY);
		r->bytes = ITEM_BYTES;
		r->uid = s->spill.id;
		/* here it has come to its end; also as a part of what is held, for loops around it */
		s->spill.bytes = ITER_DRAINED;
		verify_ref_find(v, s->spill.ref)->off = ITER_DRAINED;
		r = verify_reg(v, BPF_REG_0);
	}
	verify_set_scalar(v, r, &zero, NULL, NULL);
	return v->err;
}

/* ---- loops ---- */

/* The iterator that the step at which `s` is was given; NULL: none. */
static const struct verify_reg *stepped(const struct verify_state *s)
{
	const struct verify_reg *r = &s->frames[s->nr_frames - 1]->regs[BPF_REG_1];
	int64_t slot = slot_of(r);

	if (slot < 0 || r->frame >= s->nr_frames || slot >= s->frames[r->frame]->nr_slots ||
	    !is_iter(&s->frames[r->frame]->slots[slot]))
		return NULL;
	return &s->frames[r->frame]->slots[slot].spill;
}

bool verify_iter_is_stepped_on(const struct verify_state *old, const struct verify_state *cur)
{
	const struct verify_reg *a = stepped(old), *b = stepped(cur);

	return a && b && a->id == b->id && a->bytes == ITER_ACTIVE && b->bytes == ITER_ACTIVE &&
	       a->add < b->add;
}

bool verify_iter_same(const struct verify_state *a, const struct verify_state *b)
{
	if (a->nr_refs != b->nr_refs)
		return false;
	for (uint32_t i = 0; i < a->nr_refs; i++)
		if ((a->refs[i].kind == REF_ITER || b->refs[i].kind == REF_ITER) &&
		    (a->refs[i].kind != b->refs[i].kind || a->refs[i].id != b->refs[i].id))
			return false;
	return true;
}
