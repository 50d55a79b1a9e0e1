/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program takes and has to give back: ring buffer records, dynptrs of records, locks. Each
 * has an id that is unique on its path; registers that came from it carry the id, so that giving
 * it back takes all of them away.
 */
#include <string.h>

#include "bpfcc/verify/call.h"
#include "bpfcc/verify/walk.h"

static const char *ref_name(const struct verify_ref *ref)
{
	switch (ref->kind) {
	case REF_RECORD:
		return "a ring buffer record";
	case REF_DYNPTR:
		return "a dynptr of a ring buffer record";
	case REF_LOCK:
		return "a lock";
	case REF_ITER:
		return "an iterator";
	case REF_RCU:
		return "the RCU read lock";
	case REF_PREEMPT:
		return "the disabling of preemption";
	default:
		return "something";
	}
}

static const char *ref_hint(const struct verify_ref *ref)
{
	switch (ref->kind) {
	case REF_RECORD:
		return "bpf_ringbuf_submit() or bpf_ringbuf_discard() on every path";
	case REF_DYNPTR:
		return "bpf_ringbuf_submit_dynptr() or bpf_ringbuf_discard_dynptr() on every path, "
		       "also if it could not be reserved";
	case REF_ITER:
		return "bpf_iter_num_destroy() on every path, also if it could not be made; bpf_for() "
		       "sees to it";
	case REF_RCU:
		return "bpf_rcu_read_unlock() on every path";
	case REF_PREEMPT:
		return "bpf_preempt_enable() on every path";
	default:
		return "bpf_spin_unlock() on every path";
	}
}

int verify_ref_take(struct verify *v, enum verify_ref_kind kind)
{
	struct verify_state *s = v->cur;
	uint32_t id;

	if (s->nr_refs == VERIFY_MAX_REFS)
		return verify_refuse(v, "give some of them back first",
				     "more than %d records, dynptrs, iterators and locks are held at once",
				     VERIFY_MAX_REFS);
	id = verify_new_id(v);
	s->refs[s->nr_refs++] = (struct verify_ref){.id = id,
						    .insn = v->insn,
						    .func = verify_frame(v)->func,
						    .kind = (uint8_t)kind};
	return (int)id;
}

struct verify_ref *verify_ref_find(struct verify *v, uint32_t id)
{
	for (uint32_t i = 0; id && i < v->cur->nr_refs; i++)
		if (v->cur->refs[i].id == id)
			return &v->cur->refs[i];
	return NULL;
}

/* The last one of a kind that was taken; NULL: none. */
static struct verify_ref *last_of(struct verify *v, enum verify_ref_kind kind)
{
	for (uint32_t i = v->cur->nr_refs; i-- > 0;)
		if (v->cur->refs[i].kind == kind)
			return &v->cur->refs[i];
	return NULL;
}

/* They do nothing in a process; kernels want them in pairs, the first kind not one in the other. */
int verify_section(struct verify *v, struct verify_call *c)
{
	const struct verify_ref *rcu = last_of(v, REF_RCU), *preempt = last_of(v, REF_PREEMPT);
	int ref = 0;

	switch (c->helper->kfunc) {
	case BPFCC_KFUNC_bpf_rcu_read_lock:
		if (rcu)
			return verify_refuse(v, NULL, "the RCU read lock is taken while it is held");
		ref = verify_ref_take(v, REF_RCU);
		break;
	case BPFCC_KFUNC_bpf_preempt_disable:
		ref = verify_ref_take(v, REF_PREEMPT);
		break;
	case BPFCC_KFUNC_bpf_rcu_read_unlock:
		if (!rcu)
			return verify_refuse(v, NULL, "the RCU read lock is released, and it is not held");
		c->release = rcu->id;
		break;
	case BPFCC_KFUNC_bpf_preempt_enable:
		if (!preempt)
			return verify_refuse(v, NULL, "preemption is enabled, and was not disabled");
		c->release = preempt->id;
		break;
	default:
		break;
	}
	return ref < 0 ? ref : v->err;
}

/* A number of which nothing is known, that still is what it was: reading it counts for what was there. */
static void make_number(struct verify *v, struct verify_reg *r)
{
	struct verify_use *use = r->use;

	verify_set_unknown(v, r);
	r->use = verify_use_same(v, use, NULL);
}

void verify_forget(struct verify *v, bool (*is_of)(const struct verify_reg *r, uint32_t id),
		   uint32_t id)
{
	for (uint32_t i = 0; i < v->cur->nr_frames; i++) {
		struct verify_frame *f = v->cur->frames[i];

		for (int reg = 0; reg < BPF_REG_10; reg++)
			if (is_of(&f->regs[reg], id))
				make_number(v, &f->regs[reg]);
		for (uint32_t k = 0; k < f->nr_slots; k++)
			if (f->slots[k].byte[7] == VB_SPILL && is_of(&f->slots[k].spill, id))
				make_number(v, &f->slots[k].spill);
	}
}

static bool has_ref(const struct verify_reg *r, uint32_t ref)
{
	return verify_is_pointer(r) && r->ref == ref;
}

/* Attack: a record that was submitted is the consumer's, and another producer's next; a copy of the
 * pointer in another register or on the stack of a caller would still write to it. */
int verify_ref_release(struct verify *v, uint32_t ref)
{
	struct verify_ref *held = verify_ref_find(v, ref);
	struct verify_state *s = v->cur;
	size_t behind;

	if (!held)
		return verify_refuse(v, NULL, "what is given back here is not held");
	behind = (size_t)(&s->refs[s->nr_refs] - held) - 1;
	memmove(held, held + 1, behind * sizeof(*held));
	s->nr_refs--;
	verify_dynptr_release(v, ref);
	verify_forget(v, has_ref, ref);
	return v->err;
}

/* Attack: what is never given back stops every consumer (a record) or every other probe (a lock). */
int verify_refs_none(struct verify *v, const char *where)
{
	const struct verify_ref *ref = &v->cur->refs[0];
	const struct bpfcc_func *f;

	if (!v->cur->nr_refs)
		return 0;
	f = &v->object->funcs[ref->func];
	if (f->line_nrs && f->line_nrs[ref->insn])
		return verify_refuse(v, ref_hint(ref), "%s is still held %s, taken in line %u",
				     ref_name(ref), where, f->line_nrs[ref->insn]);
	return verify_refuse(v, ref_hint(ref),
			     "%s is still held %s, taken by instruction %u of %s", ref_name(ref),
			     where, ref->insn, f->name);
}
