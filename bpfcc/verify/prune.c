/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a path can stop because another has shown what comes: comparison of states where paths join,
 * and the widening of loops that the run time ends. Why each answer is right: README.md, "Pruning".
 */
#include <string.h>

#include "bpfcc/verify/mem.h"

/* ---- ids: what is the same in the old state must be the same in the current one ---- */

enum id_space { ID_SCALAR, ID_NULL, ID_REF, ID_UID };

#define MAX_IDS 256

struct id_pair {
	uint32_t space, old, cur;
	int64_t add;
};

struct compare {
	struct verify *v;
	enum verify_compare how;
	struct id_pair ids[MAX_IDS];
	uint32_t nr_ids;
	uint32_t next_none;	/* ids for "none", each different from all others */
};

/*
 * `cur` 0: related to nothing. References must not be mixed up in either direction: two records
 * that are held are two. Of the others it is enough that what was equal is equal.
 */
static bool same_id(struct compare *c, enum id_space space, uint32_t old, uint32_t cur, int64_t add)
{
	if (!old)
		return space == ID_REF ? !cur : true;
	if (!cur) {
		if (space == ID_REF)
			return false;
		cur = --c->next_none;
	}
	for (uint32_t i = 0; i < c->nr_ids; i++) {
		const struct id_pair *p = &c->ids[i];

		if (p->space != space)
			continue;
		if (p->old == old)
			return p->cur == cur && p->add == add;
		if (space == ID_REF && p->cur == cur)
			return false;
	}
	if (c->nr_ids == MAX_IDS)
		return false;
	c->ids[c->nr_ids++] = (struct id_pair){space, old, cur, add};
	return true;
}

/* ---- one register ---- */

/* The whole offset as a range, for two pointers with different fixed parts. */
static struct range whole_offset(const struct verify_reg *r)
{
	const struct range off = range_const((uint64_t)(int64_t)r->off);

	return range_alu(BPF_ALU64 | BPF_ADD, 0, 0, &r->num, &off);
}

static bool scalar_safe(struct compare *c, const struct verify_reg *old,
			const struct verify_reg *cur, bool is_precise)
{
	int64_t add = (int64_t)cur->add - old->add;
	/* of another kind, it is related to nothing */
	uint32_t id = ((old->flags ^ cur->flags) & VF_LOW) ? 0 : cur->id;

	if (c->how == COMPARE_EQUAL)
		return range_equal(&old->num, &cur->num) &&
		       same_id(c, ID_SCALAR, old->id, id, add);
	if (c->how == COMPARE_MARKS && !is_precise)
		return true;
	return range_holds(&old->num, &cur->num) && same_id(c, ID_SCALAR, old->id, id, add);
}

static bool pointer_safe(struct compare *c, const struct verify_reg *old,
			 const struct verify_reg *cur)
{
	if (old->flags != cur->flags || old->frame != cur->frame || old->map != cur->map ||
	    old->func != cur->func || old->bytes != cur->bytes)
		return false;
	if (!same_id(c, ID_REF, old->ref, cur->ref, 0) ||
	    !same_id(c, ID_UID, old->uid, cur->uid, 0))
		return false;
	if ((old->flags & VF_OR_NULL) && !same_id(c, ID_NULL, old->id, cur->id, 0))
		return false;
	if (c->how == COMPARE_EQUAL)
		return old->off == cur->off && range_equal(&old->num, &cur->num);
	if (old->off == cur->off)
		return range_holds(&old->num, &cur->num);
	if (range_is_const(&old->num) && range_is_const(&cur->num))
		return old->num.umin + (uint64_t)(int64_t)old->off ==
		       cur->num.umin + (uint64_t)(int64_t)cur->off;
	{
		const struct range a = whole_offset(old), b = whole_offset(cur);

		return range_holds(&a, &b);
	}
}

static bool reg_safe(struct compare *c, const struct verify_reg *old, const struct verify_reg *cur,
		     bool is_read, bool is_precise)
{
	if (c->how == COMPARE_MARKS && !is_read)
		return true;
	if (old->type == VT_UNINIT)
		return c->how != COMPARE_EQUAL || cur->type == VT_UNINIT;
	if (cur->type == VT_UNINIT)
		return false;
	if (old->type == VT_SCALAR) {
		/* an address is a number, too, where nothing rests on which */
		if (cur->type != VT_SCALAR)
			return c->how == COMPARE_MARKS && !is_precise &&
			       /* one in an arena is treated otherwise by arithmetic, see facts.c */
			       cur->type != VT_ARENA;
		return scalar_safe(c, old, cur, is_precise);
	}
	return old->type == cur->type && pointer_safe(c, old, cur);
}

static bool has(const struct verify_use *use, uint32_t flag)
{
	return use && (use->flags & flag);
}

static bool is_zero(const struct verify_reg *r)
{
	return r->type == VT_SCALAR && range_is_const(&r->num) && !r->num.umin;
}

/* ---- the stack ---- */

static bool is_number_byte(uint8_t byte)
{
	return byte != VB_DYNPTR && byte != VB_ITER;
}

/* The SPILL bytes of both are in the same places. */
static bool same_extent(const struct verify_slot *a, const struct verify_slot *b)
{
	for (uint32_t i = 0; i < 8; i++)
		if ((a->byte[i] == VB_SPILL) != (b->byte[i] == VB_SPILL))
			return false;
	return true;
}

/* The old spill's bytes as the current state has them, where it has no such spill. */
static bool spill_from_bytes(const struct verify_slot *old, const struct verify_slot *cur,
			     struct verify_reg *ret)
{
	bool zero = true;
	uint32_t n = 0;

	for (uint32_t i = 0; i < 8; i++) {
		if (old->byte[i] != VB_SPILL)
			continue;
		n++;
		if (!is_number_byte(cur->byte[i]) || cur->byte[i] == VB_UNINIT)
			return false;
		zero &= cur->byte[i] == VB_ZERO ||
			(cur->byte[i] == VB_SPILL && is_zero(&cur->spill));
	}
	*ret = (struct verify_reg){.type = VT_SCALAR, .num = range_unknown()};
	if (zero)
		ret->num = range_const(0);
	else if (n < 8)
		ret->num = range_between_u(0, (1ull << 8 * n) - 1);
	return true;
}

static bool slot_safe(struct compare *c, const struct verify_slot *old,
		      const struct verify_slot *cur)
{
	bool is_precise = has(old->use, USE_PRECISE), is_spill_precise, done = false;

	if (c->how == COMPARE_MARKS && !has(old->use, USE_READ))
		return true;
	if (c->how == COMPARE_EQUAL && memcmp(old->byte, cur->byte, sizeof(old->byte)))
		return false;
	is_spill_precise = c->how != COMPARE_MARKS || is_precise ||
			   has(old->spill.use, USE_PRECISE);
	for (uint32_t i = 0; i < 8; i++) {
		uint8_t a = old->byte[i], b = cur->byte[i];
		struct verify_reg made;

		switch (a) {
		case VB_UNINIT:
			break;
		case VB_ZERO:
			if (c->how != COMPARE_MARKS || is_precise) {
				if (b != VB_ZERO && !(b == VB_SPILL && is_zero(&cur->spill)))
					return false;
				break;
			}
			/* fall through */
		case VB_MISC:
			/* UNINIT: zero at the start of the function, see verify_take_marks() */
			if (!is_number_byte(b))
				return false;
			break;
		case VB_SPILL:
			if (old->spill.type == VT_SCALAR && !is_spill_precise) {
				if (!is_number_byte(b))
					return false;
				break;
			}
			if (done)
				break;
			done = true;
			if (same_extent(old, cur)) {
				if (!reg_safe(c, &old->spill, &cur->spill, true, is_spill_precise))
					return false;
				break;
			}
			if (old->spill.type != VT_SCALAR || !spill_from_bytes(old, cur, &made) ||
			    !reg_safe(c, &old->spill, &made, true, is_spill_precise))
				return false;
			break;
		default:
			if (a != b)
				return false;
			if (done)
				break;
			done = true;
			if (c->how == COMPARE_EQUAL && old->spill.add != cur->spill.add)
				return false;
			if (!verify_special_equal(old, cur) ||
			    !same_id(c, ID_REF, old->spill.ref, cur->spill.ref, 0) ||
			    !same_id(c, ID_UID, old->spill.id, cur->spill.id, 0))
				return false;
		}
	}
	return true;
}

/* How one value is compared whose marks are `use` and, of a slot's spill, `more`. */
static enum verify_compare how_to(enum verify_compare how, const struct verify_use *use,
				  const struct verify_use *more)
{
	if (how != COMPARE_LOOP)
		return how;
	return has(use, USE_LOOP) || has(more, USE_LOOP) ? COMPARE_WITHIN : COMPARE_MARKS;
}

static bool stack_safe(struct compare *c, enum verify_compare how, const struct verify_frame *old,
		       const struct verify_frame *cur)
{
	static const struct verify_slot nothing;

	const uint32_t nr = how == COMPARE_EQUAL && cur->nr_slots > old->nr_slots
				? cur->nr_slots : old->nr_slots;

	for (uint32_t i = 0; i < nr; i++) {
		const struct verify_slot *slot = i < old->nr_slots ? &old->slots[i] : &nothing;

		c->how = how_to(how, slot->use, slot->spill.use);
		if (!slot_safe(c, slot, i < cur->nr_slots ? &cur->slots[i] : &nothing))
			return false;
	}
	return true;
}

/* ---- states ---- */

uint32_t verify_live(struct verify *v, const struct verify_state *s, uint32_t frame)
{
	const struct verify_place *places = v->walk->places[s->frames[frame]->func];
	const struct verify_frame *callee;

	if (frame + 1 == s->nr_frames)
		return places[s->insn].live;
	callee = s->frames[frame + 1];
	/* the call that runs the callback is made again, with its arguments */
	if (callee->is_callback)
		return places[callee->callback_call].live | places[callee->callback_call + 1].live;
	return places[callee->return_to].live & ~0x3fu;
}

static bool same_frames(const struct verify_state *a, const struct verify_state *b)
{
	if (a->nr_frames != b->nr_frames)
		return false;
	for (uint32_t i = 0; i < a->nr_frames; i++) {
		const struct verify_frame *f = a->frames[i], *g = b->frames[i];

		if (f->func != g->func || f->is_callback != g->is_callback)
			return false;
		if (i && !f->is_callback && f->return_to != g->return_to)
			return false;
		if (f->is_callback && f->callback_call != g->callback_call)
			return false;
	}
	return true;
}

static bool same_refs(struct compare *c, const struct verify_state *old,
		      const struct verify_state *cur)
{
	if (old->nr_refs != cur->nr_refs)
		return false;
	for (uint32_t i = 0; i < old->nr_refs; i++) {
		const struct verify_ref *a = &old->refs[i], *b = &cur->refs[i];

		if (a->kind != b->kind || a->map != b->map || a->off != b->off ||
		    !same_id(c, ID_REF, a->id, b->id, 0) || !same_id(c, ID_UID, a->uid, b->uid, 0))
			return false;
	}
	return true;
}

bool verify_compare(struct verify *v, const struct verify_state *old,
		    const struct verify_state *cur, enum verify_compare how)
{
	struct compare c;

	c.v = v; /* the table stays as it is: it is large, and this is called often */
	c.nr_ids = c.next_none = 0;
	if (!same_frames(old, cur) || !same_refs(&c, old, cur))
		return false;
	if (how == COMPARE_EQUAL && old->callback_rounds != cur->callback_rounds)
		return false;
	for (uint32_t i = old->nr_frames; i-- > 0;) {
		const struct verify_frame *f = old->frames[i], *g = cur->frames[i];
		uint32_t live = verify_live(v, old, i);

		if (how == COMPARE_EQUAL && (f->callback_depth != g->callback_depth ||
					     f->may_goto_depth != g->may_goto_depth))
			return false;
		/* fewer rounds were left to the old one */
		if (f->callback_depth > g->callback_depth ||
		    !same_id(&c, ID_UID, f->callback_uid, g->callback_uid, 0))
			return false;
		for (int reg = 0; reg < 10; reg++) {
			const struct verify_use *use = f->regs[reg].use;

			c.how = how_to(how, use, NULL);
			if ((live & 1u << reg) &&
			    !reg_safe(&c, &f->regs[reg], &g->regs[reg], has(use, USE_READ),
				      has(use, USE_PRECISE)))
				return false;
		}
	}
	for (uint32_t i = 0; i < old->nr_frames; i++)
		if (!stack_safe(&c, how, old->frames[i], cur->frames[i]))
			return false;
	return true;
}

static void take_slot(struct verify *v, const struct verify_frame *f, uint32_t i,
		      struct verify_slot *old, struct verify_slot *cur, bool is_complete)
{
	/* of marks that are still to come nothing is known */
	bool is_read = !is_complete || has(old->use, USE_READ);

	if (!old->use)
		return;
	for (uint32_t k = 0; k < 8 && is_read; k++)
		if (old->byte[k] != VB_UNINIT && cur->byte[k] == VB_UNINIT)
			verify_facts_zero(v, f->func, i);
	if (cur->use) {
		verify_use_link(v, old->use, cur->use);
		if (old->spill.use)
			verify_use_link(v, old->spill.use, cur->use);
	}
	if (cur->spill.use) {
		verify_use_link(v, old->use, cur->spill.use);
		if (old->spill.use)
			verify_use_link(v, old->spill.use, cur->spill.use);
	}
}

void verify_take_marks(struct verify *v, struct verify_state *old, struct verify_state *cur,
		       bool is_complete)
{
	static struct verify_slot nothing;

	for (uint32_t i = 0; i < old->nr_frames; i++) {
		struct verify_frame *f = old->frames[i], *g = cur->frames[i];

		for (int reg = 0; reg < 10; reg++)
			if (f->regs[reg].use && g->regs[reg].use)
				verify_use_link(v, f->regs[reg].use, g->regs[reg].use);
		for (uint32_t k = 0; k < f->nr_slots; k++)
			take_slot(v, g, k, &f->slots[k], k < g->nr_slots ? &g->slots[k] : &nothing,
				  is_complete);
	}
}

void verify_expect_marks(struct verify *v, struct verify_state *s)
{
	for (uint32_t i = 0; i < s->nr_frames; i++) {
		struct verify_frame *f = s->frames[i];

		for (int reg = 0; reg < 10; reg++)
			verify_use_mark(v, f->regs[reg].use, USE_LOOP);
		for (uint32_t k = 0; k < f->nr_slots; k++) {
			verify_use_mark(v, f->slots[k].use, USE_LOOP);
			verify_use_mark(v, f->slots[k].spill.use, USE_LOOP);
		}
	}
}

/* ---- loops that the run time ends ---- */

const struct verify_state *verify_previous(struct verify *v, uint32_t insn)
{
	const struct verify_kept *k = v->walk->parent;

	if (k && k == v->walk->fresh)
		k = k->parent;
	for (; k; k = k->parent)
		if (k->state && k->state->insn == insn && same_frames(k->state, v->cur))
			return k->state;
	return NULL;
}

/* Rounds until numbers are widened on which a proof rests: those that are beyond all memory; all. */
#define FAR_ROUNDS 4u
#define PRECISE_ROUNDS 2048u

enum widen { WIDEN_LOOSE, WIDEN_FAR, WIDEN_ALL };

/* One of many numbers, some of which bound no access. */
static bool is_far(const struct range *num)
{
	const int64_t far = 1ll << 32;

	return (num->smax > far || num->smin < -far) && !range_is_const(num);
}

static void widen_reg(struct verify *v, const struct verify_reg *old, struct verify_reg *r,
		      enum widen which)
{
	struct verify_use *use;

	if (old->type != VT_SCALAR || r->type != VT_SCALAR || range_equal(&old->num, &r->num))
		return;
	if ((has(old->use, USE_PRECISE) || has(r->use, USE_PRECISE)) && which != WIDEN_ALL &&
	    !(which == WIDEN_FAR && is_far(&r->num)))
		return;
	use = r->use;
	verify_set_unknown(v, r);
	/* Attack: what is read in the loop, and was never set on a path that comes later. */
	r->use = verify_use_same(v, use, NULL);
}

static void widen_slot(struct verify *v, const struct verify_slot *old, struct verify_slot *s,
		       enum widen which)
{
	bool is_precise = has(old->use, USE_PRECISE) || has(old->spill.use, USE_PRECISE);
	uint32_t n = 0;

	for (uint32_t i = 0; i < 8; i++)
		n += s->byte[i] == VB_SPILL;
	if (n == 8) {
		if (which != WIDEN_LOOSE || !is_precise)
			widen_reg(v, &old->spill, &s->spill, which);
		return;
	}
	if (is_precise && which != WIDEN_ALL)
		return;
	for (uint32_t i = 0; i < 8; i++) {
		if (s->byte[i] == VB_ZERO && old->byte[i] != VB_ZERO && old->byte[i] != VB_UNINIT)
			s->byte[i] = VB_MISC;
		if (s->byte[i] == VB_SPILL && s->spill.type == VT_SCALAR &&
		    (!same_extent(old, s) || !range_equal(&old->spill.num, &s->spill.num)))
			s->byte[i] = VB_MISC;
	}
}

/* Some, for those that come and go: what is related in one of a few ways is found again. */
#define RELATION_ROUNDS 4u

static void widen_relation(struct compare *c, const struct verify_reg *old, struct verify_reg *r)
{
	uint32_t id = ((old->flags ^ r->flags) & VF_LOW) ? 0 : r->id;

	if (old->type != VT_SCALAR || r->type != VT_SCALAR || !old->id || !r->id ||
	    same_id(c, ID_SCALAR, old->id, id, (int64_t)r->add - old->add))
		return;
	r->id = 0;
	r->add = 0;
	r->flags &= (uint16_t)~VF_LOW;
}

/*
 * A number that is one more each round and the copy of what it was at first are a step farther apart each
 * time. Related otherwise than a round ago, copies are not related any more, which is always right.
 */
static void widen_relations(struct verify *v, const struct verify_state *old, struct verify_state *s)
{
	struct compare c;

	c.v = v;
	c.how = COMPARE_WITHIN;
	c.nr_ids = c.next_none = 0;
	for (uint32_t i = 0; i < s->nr_frames && i < old->nr_frames; i++) {
		const struct verify_frame *f = old->frames[i];
		struct verify_frame *g = s->frames[i];

		for (int reg = 0; reg < 10; reg++)
			widen_relation(&c, &f->regs[reg], &g->regs[reg]);
		for (uint32_t k = 0; k < g->nr_slots && k < f->nr_slots; k++)
			widen_relation(&c, &f->slots[k].spill, &g->slots[k].spill);
	}
}

void verify_widen(struct verify *v, const struct verify_state *old, struct verify_state *s,
		  uint32_t rounds, bool are_few)
{
	enum widen which = rounds <= FAR_ROUNDS ? WIDEN_LOOSE
			   : rounds > PRECISE_ROUNDS && !are_few ? WIDEN_ALL : WIDEN_FAR;

	if (rounds > RELATION_ROUNDS)
		widen_relations(v, old, s);
	for (uint32_t i = 0; i < s->nr_frames && i < old->nr_frames; i++) {
		const struct verify_frame *f = old->frames[i];
		struct verify_frame *g = s->frames[i];

		for (int reg = 0; reg < 10; reg++)
			widen_reg(v, &f->regs[reg], &g->regs[reg], which);
		for (uint32_t k = 0; k < g->nr_slots && k < f->nr_slots; k++)
			widen_slot(v, &f->slots[k], &g->slots[k], which);
	}
}
