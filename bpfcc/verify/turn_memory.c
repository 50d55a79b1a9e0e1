/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads, stores and calls of helpers in one turn of a loop over changes (turn.c).
 */
#include "bpfcc/verify/turn_int.h"

/* ---- memory ---- */

/*
 * Where in the top frame, [*ret_at, *ret_at + bytes) of its 512; -1: elsewhere; false: unknown. An
 * access elsewhere whose offset changes is inside in each turn, or the program is refused for it.
 */
static bool find_place(const struct verify_turn *t, const struct verify_turn_value *p, int16_t off,
		       uint32_t bytes, int64_t *ret_at)
{
	*ret_at = -1;
	/* it will be for that, and better be told so */
	if (p->change == CHANGE_STEP)
		return false;
	if (p->reg.type != VT_STACK)
		return p->reg.type == VT_CTX || p->reg.type == VT_MAP_VALUE ||
		       p->reg.type == VT_MAP_KEY || p->reg.type == VT_MEM;
	if (p->change != CHANGE_NONE || !p->is_exact || !range_is_const(&p->reg.num))
		return false;
	if (p->reg.frame != t->frame)
		return false;
	*ret_at = VERIFY_STACK_BYTES + verify_known_off(&p->reg) + off;
	return *ret_at >= 0 && *ret_at + bytes <= VERIFY_STACK_BYTES;
}

/* What a part of the values in the halves of [at, at + bytes) is. */
static enum verify_change change_of_part(const struct verify_turn *t, int64_t at, uint32_t bytes)
{
	for (int64_t i = at / 4; i <= (at + bytes - 1) / 4; i++) {
		const struct verify_turn_half *h = &t->s.halves[i];

		if (h->kind == HALF_HIGH)
			h--;
		if (h->value.change != CHANGE_NONE)
			return CHANGE_ANY;
	}
	return CHANGE_NONE;
}

static struct verify_turn_value load_stack(const struct verify_turn *t, int64_t at, uint32_t bytes,
					   bool is_signed)
{
	const struct verify_turn_half *h = &t->s.halves[at / 4];
	struct verify_turn_value r = turn_same();

	if (!(at % 4) && !is_signed && ((bytes == 4 && h->kind == HALF_WHOLE) ||
					(bytes == 8 && h->kind == HALF_LOW)))
		return h->value;
	r.change = change_of_part(t, at, bytes);
	return r;
}

/* [at, at + bytes) becomes bytes of which nothing is known but that they are `change`. */
static void smear(struct verify_turn *t, int64_t at, int64_t bytes, enum verify_change change)
{
	for (int64_t i = at / 4; i < VERIFY_NR_HALVES && i <= (at + bytes - 1) / 4; i++) {
		struct verify_turn_half *h = &t->s.halves[i], *other = NULL;
		bool is_whole = 4 * i >= at && 4 * i + 4 <= at + bytes;

		if (h->kind == HALF_LOW)
			other = h + 1;
		else if (h->kind == HALF_HIGH)
			other = h - 1;
		if (other) {
			/* the half that is left of a value of eight bytes */
			const enum verify_change was = (h->kind == HALF_LOW ? h : other)->value.change;

			*h = *other = (struct verify_turn_half){.kind = HALF_BYTES, .value = turn_same()};
			h->value.change = other->value.change =
			    was == CHANGE_NONE ? CHANGE_NONE : CHANGE_ANY;
		}
		if (!is_whole && h->value.change != CHANGE_NONE)
			change = CHANGE_ANY;
		*h = (struct verify_turn_half){.kind = HALF_BYTES, .value = turn_same()};
		h->value.change = change;
	}
}

static void store_stack(struct verify_turn *t, int64_t at, uint32_t bytes,
			const struct verify_turn_value *value)
{
	struct verify_turn_half *h = &t->s.halves[at / 4];
	bool is_small = turn_is_number(value) && value->reg.num.umax <= UINT32_MAX;

	smear(t, at, bytes, value->change == CHANGE_NONE ? CHANGE_NONE : CHANGE_ANY);
	if (at % 4 || bytes < 4 || (bytes == 8 && at % 8))
		return;
	if (bytes == 4 && value->change == CHANGE_STEP && turn_is_known(value)) {
		*h = (struct verify_turn_half){.kind = HALF_WHOLE, .value = turn_low_half(t, value)};
	} else if (bytes == 4 && is_small) {
		*h = (struct verify_turn_half){.kind = HALF_WHOLE, .value = *value};
	} else if (bytes == 8) {
		h[0] = (struct verify_turn_half){.kind = HALF_LOW, .value = *value};
		h[1] = (struct verify_turn_half){.kind = HALF_HIGH, .value = turn_same()};
	}
}

/* What is read may be a constant, another one at each place. */
static bool is_frozen(const struct verify_turn *t, const struct verify_turn_value *p)
{
	return p->reg.type == VT_MAP_VALUE &&
	       verify_map_is_frozen(&t->v->object->maps[p->reg.map]);
}

bool turn_load(struct verify_turn *t, const struct bpf_insn *in)
{
	uint32_t bytes = (uint32_t)bpfcc_insn_bytes(in->code);
	const struct verify_turn_value *p = &t->s.regs[in->src_reg];
	bool is_signed = BPF_MODE(in->code) == BPFCC_MEMSX;
	struct verify_turn_value r = turn_same();
	int64_t at;

	if (!find_place(t, p, in->off, bytes, &at))
		return false;
	if (at >= 0) {
		r = load_stack(t, at, bytes, is_signed);
	} else if (p->change == CHANGE_ANY && is_frozen(t, p)) {
		r = turn_any();
	} else if (!(p->reg.flags & (VF_RDONLY | VF_INNER)) &&
		   !is_frozen(t, p)) {
		r.reg.num = range_of_load(bytes, is_signed);
		r.is_exact = true;
	}
	t->s.regs[in->dst_reg] = r;
	return true;
}

bool turn_store(struct verify_turn *t, const struct bpf_insn *in)
{
	const struct verify_turn_value imm = turn_same_number((uint64_t)(int64_t)in->imm);
	const struct verify_turn_value *p = &t->s.regs[in->dst_reg];
	uint32_t bytes = (uint32_t)bpfcc_insn_bytes(in->code);
	int64_t at;

	if (!find_place(t, p, in->off, bytes, &at))
		return false;
	if (BPF_CLASS(in->code) != BPF_ST)
		turn_give_id(t, &t->s.regs[in->src_reg]);
	if (at >= 0)
		store_stack(t, at, bytes,
			    BPF_CLASS(in->code) == BPF_ST ? &imm : &t->s.regs[in->src_reg]);
	return true;
}

bool turn_atomic(struct verify_turn *t, const struct bpf_insn *in)
{
	int64_t at;

	if (in->imm == BPF_LOAD_ACQ || in->imm == BPF_STORE_REL ||
	    !find_place(t, &t->s.regs[in->dst_reg], in->off, 8, &at) || at >= 0)
		return false;
	if (in->imm == BPF_CMPXCHG)
		t->s.regs[BPF_REG_0] = turn_same();
	else if (in->imm & BPF_FETCH)
		t->s.regs[in->src_reg] = turn_same();
	return true;
}

/* ---- helpers ---- */

/* Bytes of stack that the helper may touch from argument `arg` on, at most. */
static int64_t bytes_of_arg(const struct verify_turn *t, const struct bpfcc_helper *helper,
			    uint32_t arg)
{
	const struct verify_turn_value *next = &t->s.regs[BPF_REG_2 + arg];
	const struct bpfcc_map *map = NULL;
	enum bpfcc_arg kind = helper->args[arg];

	for (uint32_t i = 0; i < helper->nr_args; i++)
		if (helper->args[i] == BPFCC_ARG_MAP && t->s.regs[BPF_REG_1 + i].reg.type == VT_MAP &&
		    !(t->s.regs[BPF_REG_1 + i].reg.flags & VF_INNER))
			map = &t->v->object->maps[t->s.regs[BPF_REG_1 + i].reg.map];
	if (map && kind == BPFCC_ARG_KEY)
		return map->key_size;
	if (map && (kind == BPFCC_ARG_VALUE || kind == BPFCC_ARG_VALUE_OR_NULL ||
		    kind == BPFCC_ARG_VALUE_W))
		return map->value_size;
	if (arg + 1 < helper->nr_args && (helper->args[arg + 1] == BPFCC_ARG_SIZE ||
					  helper->args[arg + 1] == BPFCC_ARG_SIZE0) &&
	    turn_is_known_same(next) && next->reg.num.umin <= VERIFY_STACK_BYTES)
		return (int64_t)next->reg.num.umin;
	return VERIFY_STACK_BYTES;
}

static uint8_t type_of_result(const struct bpfcc_helper *helper)
{
	switch (helper->ret) {
	case BPFCC_RET_PTR_VALUE_OR_NULL:
	case BPFCC_RET_PTR_MEM:
	case BPFCC_RET_RECORD_OR_NULL:
	case BPFCC_RET_SLICE_OR_NULL:
		return VT_MEM;
	case BPFCC_RET_OBJECT:
		return VT_OPAQUE;
	default:
		return VT_SCALAR;
	}
}

bool turn_call(struct verify_turn *t, const struct bpf_insn *in)
{
	const struct bpfcc_helper *helper = in->src_reg ? NULL : bpfcc_helper_by_id(in->imm);
	struct verify_turn_value r = turn_same();

	if (!helper || in->imm == BPF_FUNC_tail_call || bpfcc_helper_callback_arg(helper) >= 0)
		return false;
	for (uint32_t i = 0; i < helper->nr_args; i++) {
		const struct verify_turn_value *a = &t->s.regs[BPF_REG_1 + i];
		int64_t at, bytes;

		/* numbers that helpers take as they come make no other result */
		if (helper->args[i] != BPFCC_ARG_ADDR && helper->args[i] != BPFCC_ARG_SCALAR) {
			if (a->change == CHANGE_MORE && r.change == CHANGE_NONE)
				r.change = CHANGE_MORE;
			else if (a->change == CHANGE_STEP || a->change == CHANGE_ANY)
				r.change = CHANGE_ANY;
		}
		if (a->reg.type != VT_STACK)
			continue;
		bytes = bytes_of_arg(t, helper, i);
		if (!find_place(t, a, 0, 1, &at))
			return false;
		if (at + bytes > VERIFY_STACK_BYTES)
			bytes = VERIFY_STACK_BYTES - at;
		if (!bytes)
			continue;
		if (change_of_part(t, at, (uint32_t)bytes) != CHANGE_NONE)
			r.change = CHANGE_ANY;
		smear(t, at, bytes, r.change == CHANGE_NONE ? CHANGE_NONE : CHANGE_ANY);
	}
	r.reg.type = type_of_result(helper);
	if (r.reg.type != VT_SCALAR)
		r.reg.flags = VF_RDONLY; /* nothing is known of what is in there */
	t->s.regs[BPF_REG_0] = r;
	for (int i = BPF_REG_1; i <= BPF_REG_5; i++)
		t->s.regs[i] = (struct verify_turn_value){.change = CHANGE_NONE};
	return true;
}
