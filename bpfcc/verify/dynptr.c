/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynptrs: 16 bytes of stack that the helpers fill in, and only they may look into. In a state both
 * slots have DYNPTR bytes and a `spill` with: type DYNPTR, bytes = enum kind, off = 0 in the lower
 * slot and 8 in the upper, id = the dynptr's own id, ref = what must be given back (RECORD). Memory
 * that bpf_dynptr_data() gives is a MEM register with that id as its uid, and with ref: it goes with the
 * dynptr, and with the record.
 *
 * A clone has an id of its own, and the ref of what it is a clone of: giving back the record through one
 * of them takes all.
 */
#include <string.h>

#include "bpfcc/verify/call.h"

#define DYNPTR_BYTES 16

enum kind { KIND_LOCAL = 1, KIND_RECORD };

static bool is_slice_of(const struct verify_reg *r, uint32_t id)
{
	return r->type == VT_MEM && r->uid == id;
}

static void destroy_half(struct verify_frame *f, uint32_t slot)
{
	struct verify_slot *s = &f->slots[slot];

	memset(s->byte, VB_MISC, sizeof(s->byte));
	memset(&s->spill, 0, sizeof(s->spill));
}

/* The dynptr of which `slot` is a half is none any more, and its slices are no memory. */
static void destroy(struct verify *v, struct verify_frame *f, uint32_t slot)
{
	uint32_t id = f->slots[slot].spill.id;
	/* the upper half is at the higher address, in the slot with the lower number */
	uint32_t other = f->slots[slot].spill.off ? slot + 1 : slot - 1;

	destroy_half(f, slot);
	destroy_half(f, other);
	verify_forget(v, is_slice_of, id);
}

/* Attack: the address and the length in a dynptr are the program's own then. */
int verify_overwrite_special(struct verify *v, struct verify_frame *f, int32_t off, uint32_t bytes)
{
	for (int32_t at = off; at < off + (int32_t)bytes; at++) {
		uint32_t slot = (uint32_t)(-at - 1) / 8;

		if (slot < f->nr_slots && f->slots[slot].byte[0] == VB_ITER)
			return verify_refuse(v, "end it first: bpf_iter_num_destroy()",
					     "an iterator is overwritten");
		if (slot >= f->nr_slots || f->slots[slot].byte[0] != VB_DYNPTR)
			continue;
		/* Attack: nobody could give the record back. */
		if (f->slots[slot].spill.ref)
			return verify_refuse(v, "submit or discard it first",
					     "the dynptr of a ring buffer record is overwritten");
		verify_use_mark(v, f->slots[slot].use, USE_READ);
		destroy(v, f, slot);
	}
	return v->err;
}

bool verify_special_equal(const struct verify_slot *a, const struct verify_slot *b)
{
	return a->spill.type == b->spill.type && a->spill.bytes == b->spill.bytes &&
	       a->spill.off == b->spill.off && a->spill.flags == b->spill.flags;
}

/* Where on the stack the argument points; -EINVAL if it is no place for a dynptr. */
static int place_of(struct verify *v, struct verify_call *c, int arg, uint32_t *ret_lower)
{
	struct verify_reg *r = verify_arg(v, arg);
	int64_t off = verify_known_off(r);

	if (r->type != VT_STACK)
		return verify_refuse_arg(v, c, arg, "a struct bpf_dynptr is a variable of a function",
					 "the address of a dynptr");
	if (!range_is_const(&r->num) || off % 8 || off < -VERIFY_STACK_BYTES ||
	    off > -DYNPTR_BYTES)
		return verify_refuse_arg(v, c, arg, NULL,
					 "the address of a dynptr, 16 bytes of stack, aligned to 8");
	*ret_lower = (uint32_t)(-off - 1) / 8;
	return 0;
}

static void put(struct verify *v, uint8_t frame, uint32_t lower, enum kind kind, uint32_t id,
		uint32_t ref, uint32_t flags)
{
	for (uint32_t half = 0; half < 2; half++) {
		struct verify_slot *s = &v->cur->frames[frame]->slots[lower - half];

		memset(s->byte, VB_DYNPTR, sizeof(s->byte));
		memset(&s->spill, 0, sizeof(s->spill));
		s->spill.type = VT_DYNPTR;
		s->spill.off = 8 * (int32_t)half;
		s->spill.bytes = kind;
		s->spill.flags = (uint16_t)flags;
		s->spill.id = id;
		s->spill.ref = ref;
		s->spill.use = verify_use_new(v, NULL, NULL);
		s->use = verify_use_new(v, NULL, NULL);
	}
}

/* VF_ODD, unless what bpf_dynptr_from_mem() is given begins at a multiple of 8, as records do. */
static uint32_t oddness_of(struct verify *v, const struct verify_call *c)
{
	const struct verify_reg *r = verify_arg(v, 0);

	if (c->helper->id != BPF_FUNC_dynptr_from_mem ||
	    (r->type == VT_MAP_VALUE &&
	     tnum_is_aligned(tnum_add(r->num.bits, tnum_const((uint64_t)(int64_t)r->off)), 8)))
		return 0;
	return VF_ODD;
}

int verify_dynptr_new(struct verify *v, struct verify_call *c, int arg)
{
	bool is_record = c->helper->args[arg] == BPFCC_ARG_DYNPTR_RECORD_NEW;
	uint32_t lower;
	int ref = 0, err = place_of(v, c, arg, &lower);

	if (!err)
		err = verify_helper_memory(v, arg + 1, DYNPTR_BYTES, ACCESS_WRITE | ACCESS_RAW,
					   "the dynptr");
	if (err)
		return err;
	if (is_record) {
		ref = verify_ref_take(v, REF_DYNPTR);
		if (ref < 0)
			return ref;
	}
	put(v, verify_arg(v, arg)->frame, lower, is_record ? KIND_RECORD : KIND_LOCAL,
	    verify_new_id(v), (uint32_t)ref, oddness_of(v, c));
	return v->err;
}

/* Attack: half of a dynptr, or parts of two, or a number that was stored over one. */
static bool is_dynptr_at(const struct verify_frame *f, uint32_t lower)
{
	const struct verify_slot *low, *high;

	if (!lower || lower >= f->nr_slots)
		return false;
	low = &f->slots[lower];
	high = low - 1;
	return low->byte[0] == VB_DYNPTR && high->byte[0] == VB_DYNPTR && !low->spill.off &&
	       high->spill.off && low->spill.id == high->spill.id;
}

/* Where it begins, or a slice of it does, goes on by the second argument. */
static bool moves_oddly(struct verify *v, const struct verify_call *c)
{
	struct verify_reg *by = verify_arg(v, 1);

	if (c->helper->ret != BPFCC_RET_SLICE_OR_NULL && c->helper->ret != BPFCC_RET_SLICE_R_OR_NULL &&
	    c->helper->kfunc != BPFCC_KFUNC_bpf_dynptr_adjust)
		return false;
	if (by->type != VT_SCALAR || !tnum_is_aligned(by->num.bits, 8))
		return true;
	verify_mark_precise(v, by);
	return false;
}

int verify_dynptr_use(struct verify *v, struct verify_call *c, int arg)
{
	bool is_release = c->helper->args[arg] == BPFCC_ARG_DYNPTR_RECORD;
	struct verify_reg *r = verify_arg(v, arg);
	struct verify_slot *s;
	struct verify_frame *f;
	uint32_t lower;
	int err;

	if (r->type == VT_DYNPTR && !is_release) {
		c->dynptr = r->uid;
		c->dynptr_ref = 0;
		c->is_dynptr_lent = true;
		/* each round may be of another one, or of what a round before has adjusted */
		c->dynptr_flags = VF_ODD;
		return 0;
	}
	err = place_of(v, c, arg, &lower);
	if (err)
		return err;
	f = v->cur->frames[r->frame];
	if (!is_dynptr_at(f, lower))
		return verify_refuse(v, "bpf_ringbuf_reserve_dynptr() and bpf_dynptr_from_mem() make one",
				     "%s of %s points to memory that is no dynptr",
				     verify_arg_name(arg), c->name);
	s = &f->slots[lower];
	for (uint32_t half = 0; half < 2; half++) {
		verify_use_mark(v, s[-(int)half].use, USE_READ);
		verify_use_mark(v, s[-(int)half].spill.use, USE_READ);
	}
	c->dynptr = s->spill.id;
	c->dynptr_ref = s->spill.ref;
	c->is_dynptr_lent = false;
	c->dynptr_flags = s->spill.flags & VF_ODD;
	if (moves_oddly(v, c)) {
		c->dynptr_flags = VF_ODD;
		if (c->helper->kfunc == BPFCC_KFUNC_bpf_dynptr_adjust)
			s[0].spill.flags = s[-1].spill.flags = VF_ODD;
	}
	if (!is_release)
		return v->err;
	if (s->spill.bytes != KIND_RECORD)
		return verify_refuse(v, NULL,
				     "%s of %s is a dynptr of memory, and must be one of a ring "
				     "buffer record",
				     verify_arg_name(arg), c->name);
	c->release = s->spill.ref;
	return v->err;
}

void verify_dynptr_release(struct verify *v, uint32_t ref)
{
	for (uint32_t i = 0; i < v->cur->nr_frames; i++) {
		struct verify_frame *f = v->cur->frames[i];

		for (uint32_t slot = 1; slot < f->nr_slots; slot++)
			if (is_dynptr_at(f, slot) && f->slots[slot].spill.ref == ref)
				destroy(v, f, slot);
	}
}

/* The frame of the callback that was given the dynptr with this id. */
static uint32_t borrower(struct verify *v, uint32_t uid)
{
	uint32_t i = v->cur->nr_frames - 1;

	while (i && v->cur->frames[i]->callback_uid != uid)
		i--;
	return i;
}

int verify_dynptr_clone(struct verify *v, struct verify_call *c, int arg)
{
	uint32_t lower, ref = c->dynptr_ref;
	int err = place_of(v, c, arg, &lower);

	/* Attack: what a callback was lent for one round, in memory that lives longer. */
	if (!err && c->is_dynptr_lent && verify_arg(v, arg)->frame < borrower(v, c->dynptr))
		return verify_refuse(v, "clone it to a variable of the callback",
				     "a clone of the callback's dynptr would outlive it");
	if (!err)
		err = verify_helper_memory(v, arg + 1, DYNPTR_BYTES, ACCESS_WRITE | ACCESS_RAW,
					   "the dynptr");
	if (err)
		return err;
	/* its slices go with what was lent: they have the same id */
	put(v, verify_arg(v, arg)->frame, lower, ref ? KIND_RECORD : KIND_LOCAL,
	    c->is_dynptr_lent ? c->dynptr : verify_new_id(v), ref, c->dynptr_flags);
	return v->err;
}

void verify_dynptr_given(struct verify *v, struct verify_reg *r, uint32_t uid)
{
	verify_set_pointer(v, r, VT_DYNPTR, 0);
	r->uid = uid;
}
