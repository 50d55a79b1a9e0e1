/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One turn of a loop over changes: what stays the same from turn to turn, what grows by a known
 * step, what only gets less known. A branch between values that stay goes the same way in every
 * turn; one between values that move goes the same way for a number of turns that can be counted.
 *
 * Nothing is accepted because of what is found here. It must be right all the same: a loop that
 * would end within the limits is not to be refused. So whatever is not understood gives it up.
 */
#include <string.h>

#include "bpfcc/verify/mem.h"
#include "bpfcc/verify/turn.h"

static void limit(struct verify_turn *t, uint64_t turns)
{
	if (turns < t->turns)
		t->turns = turns;
}

static struct verify_turn_value same(void)
{
	return (struct verify_turn_value){
		.change = CHANGE_NONE, .reg = {.type = VT_SCALAR, .num = range_unknown()}};
}

static struct verify_turn_value same_number(uint64_t number)
{
	return (struct verify_turn_value){.change = CHANGE_NONE, .is_exact = true,
					  .reg = {.type = VT_SCALAR, .num = range_const(number)}};
}

static struct verify_turn_value any(void)
{
	return (struct verify_turn_value){
		.change = CHANGE_ANY, .reg = {.type = VT_SCALAR, .num = range_unknown()}};
}

static bool is_number(const struct verify_turn_value *a)
{
	return a->reg.type == VT_SCALAR;
}

/* A number that is known: it stays, or moves by a.step. */
static bool is_known(const struct verify_turn_value *a)
{
	return is_number(a) && range_is_const(&a->reg.num) &&
	       (a->change == CHANGE_STEP || (a->change == CHANGE_NONE && a->is_exact));
}

static bool is_known_same(const struct verify_turn_value *a)
{
	return is_known(a) && a->change == CHANGE_NONE;
}

static struct verify_turn_value moving(uint64_t number, int64_t step)
{
	struct verify_turn_value a = same_number(number);

	if (step) {
		a.change = CHANGE_STEP;
		a.step = step;
	}
	return a;
}

/* Turns until a number leaves the low `bits` bits, taken as unsigned or signed. */
static uint64_t turns_inside(uint64_t number, int64_t step, unsigned int bits, bool is_signed)
{
	__int128 x, lo = 0, hi = bits == 64 ? UINT64_MAX : (1ull << bits) - 1, n;

	x = is_signed ? (int64_t)(number << (64 - bits)) >> (64 - bits) : (__int128)number;
	if (is_signed) {
		lo = -((__int128)1 << (bits - 1));
		hi = -lo - 1;
	}
	if (!step)
		return UINT64_MAX;
	n = step > 0 ? (hi - x) / step : (x - lo) / -(__int128)step;
	return n > UINT64_MAX ? UINT64_MAX : (uint64_t)n;
}

/* The low half, zero-extended. */
static struct verify_turn_value low_half(struct verify_turn *t, const struct verify_turn_value *a)
{
	uint64_t number = (uint32_t)a->reg.num.umin;
	int64_t step = (int32_t)a->step;

	limit(t, turns_inside(number, step, 32, false));
	return moving(number, step);
}

/*
 * Comparing one copy narrows the others: here, what is known of them then, is not exact any more. So
 * all of them have the same id, as the walk gives it, and perhaps some more that it would not.
 */
static void give_id(struct verify_turn *t, struct verify_turn_value *a)
{
	if (is_number(a) && !a->reg.id && !range_is_const(&a->reg.num))
		a->reg.id = ~t->nr_ids++;
}

/* ---- arithmetic ---- */

static struct verify_turn_value shift_right(struct verify_turn *t,
					    const struct verify_turn_value *a, unsigned int by,
					    bool is_signed)
{
	uint64_t number = a->reg.num.umin, mask = (1ull << by) - 1;

	limit(t, turns_inside(number, a->step, 64, is_signed));
	if ((number & mask) || ((uint64_t)a->step & mask)) {
		/* it stays what it is for a while: until the bits below overflow */
		number &= mask;
		limit(t, a->step > 0 ? (mask - number) / (uint64_t)a->step
				     : number / -(uint64_t)a->step);
		number = a->reg.num.umin;
		return same_number(is_signed ? (uint64_t)((int64_t)number >> by) : number >> by);
	}
	return moving(is_signed ? (uint64_t)((int64_t)number >> by) : number >> by,
		      a->step >> by);
}

/* Both are known, one of them moves at least. */
static struct verify_turn_value alu_known(struct verify_turn *t, const struct bpf_insn *in,
					  const struct verify_turn_value *a,
					  const struct verify_turn_value *b)
{
	uint64_t x = a->reg.num.umin, y = b->reg.num.umin, p = (uint64_t)a->step,
		 q = (uint64_t)b->step;
	bool is_wide = BPF_CLASS(in->code) == BPF_ALU64, is_by_same = b->change == CHANGE_NONE;
	struct verify_turn_value r;

	switch (BPF_OP(in->code)) {
	case BPF_ADD:
		r = moving(x + y, (int64_t)(p + q));
		break;
	case BPF_SUB:
		r = moving(x - y, (int64_t)(p - q));
		break;
	case BPF_MUL:
		if (!is_by_same)
			return any();
		r = moving(x * y, (int64_t)(p * y));
		break;
	case BPF_LSH:
		if (!is_by_same)
			return any();
		y &= is_wide ? 63 : 31;
		r = moving(x << y, (int64_t)(p << y));
		break;
	case BPF_RSH:
	case BPF_ARSH:
		return is_by_same && is_wide
			   ? shift_right(t, a, y & 63, BPF_OP(in->code) == BPF_ARSH) : any();
	case BPF_AND:
		return is_by_same && y == UINT32_MAX ? low_half(t, a) : any();
	default:
		return any();
	}
	return is_wide ? r : low_half(t, &r);
}

static bool is_offset_op(const struct bpf_insn *in)
{
	return BPF_CLASS(in->code) == BPF_ALU64 &&
	       (BPF_OP(in->code) == BPF_ADD || BPF_OP(in->code) == BPF_SUB);
}

/* A pointer and a number, or something that makes a number of a pointer. */
static struct verify_turn_value alu_pointer(const struct bpf_insn *in,
					    const struct verify_turn_value *a,
					    const struct verify_turn_value *b)
{
	const struct verify_turn_value *p = is_number(a) ? b : a, *by = p == a ? b : a;
	bool is_sub = BPF_OP(in->code) == BPF_SUB;
	struct verify_turn_value r = *p;

	if (!is_offset_op(in) || !is_number(by) || (is_sub && p == b)) {
		r = same();
		r.change = a->change == CHANGE_NONE && b->change == CHANGE_NONE ? CHANGE_NONE
										: CHANGE_ANY;
		return r;
	}
	r.is_exact = false;
	if (by->change == CHANGE_ANY || p->change == CHANGE_ANY) {
		r.change = CHANGE_ANY;
	} else if (by->change == CHANGE_STEP || p->change == CHANGE_STEP) {
		if (by->change == CHANGE_MORE || p->change == CHANGE_MORE) {
			r.change = CHANGE_ANY;
			return r;
		}
		r.step = is_sub ? p->step - by->step : p->step + by->step;
		r.change = r.step ? CHANGE_STEP : CHANGE_NONE;
	} else if (by->change == CHANGE_MORE) {
		r.change = CHANGE_MORE;
	} else if (p->change == CHANGE_NONE && p->is_exact && is_known_same(by) &&
		   (int64_t)by->reg.num.umin == (int32_t)by->reg.num.umin) {
		r.is_exact = !__builtin_add_overflow(p->reg.off,
						     is_sub ? -(int64_t)by->reg.num.umin
							    : (int64_t)by->reg.num.umin,
						     &r.reg.off);
	}
	return r;
}

static struct verify_turn_value alu_two(struct verify_turn *t, const struct bpf_insn *in,
					const struct verify_turn_value *a,
					const struct verify_turn_value *b)
{
	uint8_t code = in->code & (uint8_t)~BPF_X;
	struct verify_turn_value r = same();

	if (!is_number(a) || !is_number(b))
		return alu_pointer(in, a, b);
	if (a->change == CHANGE_ANY || b->change == CHANGE_ANY)
		return any();
	if (a->change == CHANGE_STEP || b->change == CHANGE_STEP)
		return is_known(a) && is_known(b) ? alu_known(t, in, a, b) : any();
	if (a->change == CHANGE_MORE || b->change == CHANGE_MORE) {
		r.change = CHANGE_MORE;
		return r;
	}
	/* the sum of a copy and a constant is related to it */
	r.reg.id = a->reg.id;
	r.is_exact = a->is_exact && b->is_exact;
	if (r.is_exact)
		r.reg.num = range_alu(code, in->off, in->imm, &a->reg.num, &b->reg.num);
	return r;
}

static struct verify_turn_value move(struct verify_turn *t, const struct bpf_insn *in,
				     const struct verify_turn_value *a)
{
	struct verify_turn_value r = *a;

	if (BPF_CLASS(in->code) == BPF_ALU64 && !in->off)
		return r;
	if (a->change == CHANGE_STEP)
		return is_known(a) && !in->off ? low_half(t, a) : any();
	r = same();
	r.change = a->change;
	if (is_number(a))
		r.reg.id = a->reg.id;
	if (a->change == CHANGE_NONE && a->is_exact && is_number(a)) {
		r.is_exact = true;
		r.reg.num = range_alu(in->code & (uint8_t)~BPF_X, in->off, 0, &a->reg.num,
				      &a->reg.num);
	}
	return r;
}

static void alu(struct verify_turn *t, const struct bpf_insn *in)
{
	struct verify_turn_value *dst = &t->s.regs[in->dst_reg], a = *dst, r = same();
	struct verify_turn_value b = same_number(BPF_CLASS(in->code) == BPF_ALU64
						     ? (uint64_t)(int64_t)in->imm
						     : (uint32_t)in->imm);
	uint8_t op = BPF_OP(in->code);

	if (op == BPF_NEG || op == BPF_END) {
		r.change = a.change == CHANGE_STEP ? CHANGE_ANY : a.change;
		*dst = r;
		return;
	}
	if (BPF_SRC(in->code) == BPF_X) {
		if (op == BPF_MOV)
			give_id(t, &t->s.regs[in->src_reg]);
		b = t->s.regs[in->src_reg];
	}
	if (op == BPF_MOV)
		*dst = move(t, in, &b);
	else if (BPF_SRC(in->code) == BPF_X && in->dst_reg == in->src_reg &&
		 (op == BPF_XOR || op == BPF_SUB))
		*dst = same_number(0);
	else
		*dst = alu_two(t, in, &a, &b);
}

/* ---- branches ---- */

/* A comparison narrowed one of these: copies of it are narrowed, too. */
static void narrowed(struct verify_turn *t, const struct verify_turn_value *value, bool is_moving)
{
	uint32_t id = value->reg.id;

	for (uint32_t i = 0; i < 11 + VERIFY_NR_HALVES; i++) {
		struct verify_turn_value *a = i < 11 ? &t->s.regs[i]
						     : &t->s.halves[i - 11].value;

		if (a != value && (!id || !is_number(a) || a->reg.id != id))
			continue;
		if (a->change != CHANGE_NONE || range_is_const(&a->reg.num))
			continue;
		a->is_exact = false;
		if (is_moving)
			a->change = CHANGE_ANY;
	}
}

struct comparison {
	uint8_t code;
	bool is_taken;
	struct range a, b;	/* where neither moves any further */
	int64_t a_step, b_step;
};

static struct range later(const struct range *num, int64_t step, uint64_t turns)
{
	return step ? range_const(num->umin + (uint64_t)step * turns) : *num;
}

/* The side that the loop takes can be taken `turns` turns later, too. */
static bool is_possible(const struct comparison *c, uint64_t turns)
{
	struct range a = later(&c->a, c->a_step, turns), b = later(&c->b, c->b_step, turns);
	int taken = range_branch(c->code, &a, &b);

	if (taken >= 0)
		return taken == c->is_taken;
	range_refine(c->code, c->is_taken, &a, &b);
	return !range_is_empty(&a) && !range_is_empty(&b);
}

/* Turns in which two numbers that are known are never equal. */
static uint64_t turns_apart(const struct comparison *c, unsigned int bits)
{
	uint64_t mask = bits == 64 ? UINT64_MAX : UINT32_MAX;
	__int128 apart = (__int128)(c->b.umin & mask) - (__int128)(c->a.umin & mask);
	__int128 by = (__int128)c->a_step - c->b_step, turns;

	if (!by)
		return apart ? UINT64_MAX : 0;
	if (apart % by)
		return UINT64_MAX;
	turns = apart / by;
	if (turns < 0 || turns > UINT64_MAX)
		return UINT64_MAX;
	return (uint64_t)turns;
}

/*
 * Turns in which the branch can go the way it goes, while nothing wraps around: numbers that move
 * in steps cross a bound once.
 */
static void count_turns(struct verify_turn *t, const struct comparison *c)
{
	uint8_t op = BPF_OP(c->code);
	bool is_signed = op == BPF_JSGT || op == BPF_JSGE || op == BPF_JSLT || op == BPF_JSLE;
	unsigned int bits = BPF_CLASS(c->code) == BPF_JMP ? 64 : 32;
	uint64_t lo = 0, hi;

	/* low halves that are compared and wrap around: as above */
	if (c->a_step)
		limit(t, turns_inside(bits == 64 ? c->a.umin : (uint32_t)c->a.umin, c->a_step, bits,
				      is_signed));
	if (c->b_step)
		limit(t, turns_inside(bits == 64 ? c->b.umin : (uint32_t)c->b.umin, c->b_step, bits,
				      is_signed));
	if (!is_possible(c, 0)) {
		limit(t, 0);
		return;
	}
	if ((op == BPF_JEQ && !c->is_taken) || (op == BPF_JNE && c->is_taken)) {
		if (range_is_const(&c->a) && range_is_const(&c->b))
			limit(t, turns_apart(c, bits));
		return;
	}
	hi = t->turns;
	while (lo < hi) {
		uint64_t middle = lo + (hi - lo + 1) / 2;

		if (is_possible(c, middle))
			lo = middle;
		else
			hi = middle - 1;
	}
	limit(t, lo);
}

static bool branch_moving(struct verify_turn *t, const struct bpf_insn *in, bool is_taken,
			  struct verify_turn_value *a, struct verify_turn_value *b)
{
	const struct comparison c = {.code = in->code & (uint8_t)~BPF_X, .is_taken = is_taken,
				     .a = a->reg.num, .b = b->reg.num, .a_step = a->step,
				     .b_step = b->step};

	if (BPF_OP(in->code) == BPF_JSET || !is_number(a) || !is_number(b) ||
	    a->change == CHANGE_MORE || b->change == CHANGE_MORE ||
	    (a->change == CHANGE_NONE && !a->is_exact) ||
	    (b->change == CHANGE_NONE && !b->is_exact))
		return false;
	count_turns(t, &c);
	narrowed(t, a, true);
	narrowed(t, b, true);
	return true;
}

static bool may_be_null(const struct verify_turn_value *a)
{
	return is_number(a) && range_has(&a->reg.num, 0);
}

static bool branch(struct verify_turn *t, const struct bpf_insn *in, bool is_taken)
{
	struct verify_turn_value imm = same_number((uint64_t)(int64_t)in->imm), *b = &imm;
	struct verify_turn_value *a = &t->s.regs[in->dst_reg];

	if (BPF_OP(in->code) == BPFCC_JCOND)
		return false;
	if (BPF_SRC(in->code) == BPF_X)
		b = &t->s.regs[in->src_reg];
	if (a->change == CHANGE_ANY || b->change == CHANGE_ANY)
		return false;
	if (!is_number(a) || !is_number(b))
		/* where addresses lie is not known: either way, unless one may be NULL */
		return (a->change != CHANGE_STEP && b->change != CHANGE_STEP) ||
		       (!may_be_null(a) && !may_be_null(b));
	if (a->change == CHANGE_STEP || b->change == CHANGE_STEP)
		return branch_moving(t, in, is_taken, a, b);
	if (a->change == CHANGE_MORE || b->change == CHANGE_MORE) {
		/* each is bounded by what may grow */
		a->change = range_is_const(&a->reg.num) ? a->change : CHANGE_MORE;
		b->change = range_is_const(&b->reg.num) ? b->change : CHANGE_MORE;
	}
	narrowed(t, a, false);
	narrowed(t, b, false);
	return true;
}

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
	struct verify_turn_value r = same();

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

			*h = *other = (struct verify_turn_half){.kind = HALF_BYTES, .value = same()};
			h->value.change = other->value.change =
			    was == CHANGE_NONE ? CHANGE_NONE : CHANGE_ANY;
		}
		if (!is_whole && h->value.change != CHANGE_NONE)
			change = CHANGE_ANY;
		*h = (struct verify_turn_half){.kind = HALF_BYTES, .value = same()};
		h->value.change = change;
	}
}

static void store_stack(struct verify_turn *t, int64_t at, uint32_t bytes,
			const struct verify_turn_value *value)
{
	struct verify_turn_half *h = &t->s.halves[at / 4];
	bool is_small = is_number(value) && value->reg.num.umax <= UINT32_MAX;

	smear(t, at, bytes, value->change == CHANGE_NONE ? CHANGE_NONE : CHANGE_ANY);
	if (at % 4 || bytes < 4 || (bytes == 8 && at % 8))
		return;
	if (bytes == 4 && value->change == CHANGE_STEP && is_known(value)) {
		*h = (struct verify_turn_half){.kind = HALF_WHOLE, .value = low_half(t, value)};
	} else if (bytes == 4 && is_small) {
		*h = (struct verify_turn_half){.kind = HALF_WHOLE, .value = *value};
	} else if (bytes == 8) {
		h[0] = (struct verify_turn_half){.kind = HALF_LOW, .value = *value};
		h[1] = (struct verify_turn_half){.kind = HALF_HIGH, .value = same()};
	}
}

/* What is read may be a constant, another one at each place. */
static bool is_frozen(const struct verify_turn *t, const struct verify_turn_value *p)
{
	return p->reg.type == VT_MAP_VALUE &&
	       verify_map_is_frozen(&t->v->object->maps[p->reg.map]);
}

static bool load(struct verify_turn *t, const struct bpf_insn *in)
{
	uint32_t bytes = (uint32_t)bpfcc_insn_bytes(in->code);
	const struct verify_turn_value *p = &t->s.regs[in->src_reg];
	bool is_signed = BPF_MODE(in->code) == BPFCC_MEMSX;
	struct verify_turn_value r = same();
	int64_t at;

	if (!find_place(t, p, in->off, bytes, &at))
		return false;
	if (at >= 0) {
		r = load_stack(t, at, bytes, is_signed);
	} else if (p->change == CHANGE_ANY && is_frozen(t, p)) {
		r = any();
	} else if (!(p->reg.flags & (VF_RDONLY | VF_INNER)) &&
		   !is_frozen(t, p)) {
		r.reg.num = range_of_load(bytes, is_signed);
		r.is_exact = true;
	}
	t->s.regs[in->dst_reg] = r;
	return true;
}

static bool store(struct verify_turn *t, const struct bpf_insn *in)
{
	const struct verify_turn_value imm = same_number((uint64_t)(int64_t)in->imm);
	const struct verify_turn_value *p = &t->s.regs[in->dst_reg];
	uint32_t bytes = (uint32_t)bpfcc_insn_bytes(in->code);
	int64_t at;

	if (!find_place(t, p, in->off, bytes, &at))
		return false;
	if (BPF_CLASS(in->code) != BPF_ST)
		give_id(t, &t->s.regs[in->src_reg]);
	if (at >= 0)
		store_stack(t, at, bytes,
			    BPF_CLASS(in->code) == BPF_ST ? &imm : &t->s.regs[in->src_reg]);
	return true;
}

static bool atomic(struct verify_turn *t, const struct bpf_insn *in)
{
	int64_t at;

	if (in->imm == BPF_LOAD_ACQ || in->imm == BPF_STORE_REL ||
	    !find_place(t, &t->s.regs[in->dst_reg], in->off, 8, &at) || at >= 0)
		return false;
	if (in->imm == BPF_CMPXCHG)
		t->s.regs[BPF_REG_0] = same();
	else if (in->imm & BPF_FETCH)
		t->s.regs[in->src_reg] = same();
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
	    is_known_same(next) && next->reg.num.umin <= VERIFY_STACK_BYTES)
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

static bool call(struct verify_turn *t, const struct bpf_insn *in)
{
	const struct bpfcc_helper *helper = in->src_reg ? NULL : bpfcc_helper_by_id(in->imm);
	struct verify_turn_value r = same();

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

/* ---- a turn ---- */

static void lddw(struct verify_turn *t, const struct bpf_insn *in)
{
	struct verify_turn_value r = same();

	switch (in->src_reg) {
	case 0:
		r = same_number((uint32_t)in[0].imm | (uint64_t)(uint32_t)in[1].imm << 32);
		break;
	case BPF_PSEUDO_MAP_FD:
		r.reg.type = VT_MAP;
		r.reg.map = (uint32_t)in->imm;
		break;
	case BPF_PSEUDO_MAP_VALUE:
		r.reg.type = t->v->object->maps[in->imm].type == BPF_MAP_TYPE_ARRAY ? VT_MAP_VALUE
										   : VT_ARENA;
		r.reg.map = (uint32_t)in->imm;
		break;
	default:
		r.reg.type = VT_FUNC;
	}
	t->s.regs[in->dst_reg] = r;
}

static bool step(struct verify_turn *t, uint32_t insn, uint32_t next)
{
	const struct bpf_insn *in = &t->func->insns[insn];

	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_CLASS(in->code) == BPF_ALU64 && BPF_OP(in->code) == BPF_MOV &&
		    in->off == BPFCC_CAST_OFF)
			return false;
		alu(t, in);
		return true;
	case BPF_LD:
		lddw(t, in);
		return true;
	case BPF_LDX:
		return load(t, in);
	case BPF_ST:
		return store(t, in);
	case BPF_STX:
		return BPF_MODE(in->code) == BPF_ATOMIC ? atomic(t, in) : store(t, in);
	default:
		if (bpfcc_insn_is_exit(in) || bpfcc_insn_is_callx(in))
			return false;
		if (bpfcc_insn_is_goto(in))
			return true;
		if (bpfcc_insn_is_call(in))
			return call(t, in);
		return bpfcc_insn_target(in, insn) == (int64_t)insn + 1 ||
		       branch(t, in, next != insn + 1);
	}
}

#define MAX_DONE 64	/* of one place that are looked at; where there are more, some hold what comes */

/* The state that was kept does not hold what comes by in later turns: a number has passed it. */
static bool is_passed(struct verify_turn *t, const struct verify_state *done)
{
	const struct verify_frame *f = done->frames[done->nr_frames - 1];

	if (done->nr_frames != t->frame + 1u)
		return true;
	for (int i = 0; i < 10; i++) {
		const struct verify_turn_value *a = &t->s.regs[i];
		const struct verify_reg *r = &f->regs[i];
		uint64_t x = a->reg.num.umin;

		if (a->change != CHANGE_STEP || !is_known(a) || r->type != VT_SCALAR ||
		    !(r->use->flags & USE_PRECISE) || (a->step > 0 ? r->num.umax >= x
								   : r->num.umin <= x))
			continue;
		/* and does not come round to it again */
		limit(t, turns_inside(x, a->step, 64, false));
		return true;
	}
	return false;
}

/* Of the states from which all was walked, none will cut the loop short. */
static bool all_are_passed(struct verify_turn *t, uint32_t insn)
{
	const struct verify_kept *k = t->v->walk->kept[t->func->index][insn].done;
	uint32_t left = MAX_DONE;

	while (k && left && is_passed(t, k->state)) {
		k = k->next;
		left--;
	}
	return !k;
}

bool verify_turn(struct verify_turn *t, const uint32_t *insns, uint32_t nr)
{
	t->is_uncut = true;
	for (uint32_t i = 0; i < nr; i++) {
		t->is_uncut = t->is_uncut && all_are_passed(t, insns[i]);
		if (!step(t, insns[i], insns[i + 1 < nr ? i + 1 : 0]))
			return false;
	}
	return true;
}
