/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic in one turn of a loop over changes (turn.c).
 */
#include "bpfcc/verify/turn_int.h"

uint64_t turn_inside(uint64_t number, int64_t step, unsigned int bits, bool is_signed)
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

struct verify_turn_value turn_low_half(struct verify_turn *t, const struct verify_turn_value *a)
{
	uint64_t number = (uint32_t)a->reg.num.umin;
	int64_t step = (int32_t)a->step;

	turn_limit(t, turn_inside(number, step, 32, false));
	return turn_moving(number, step);
}

void turn_give_id(struct verify_turn *t, struct verify_turn_value *a)
{
	if (turn_is_number(a) && !a->reg.id && !range_is_const(&a->reg.num))
		a->reg.id = ~t->nr_ids++;
}

/* ---- arithmetic ---- */

static struct verify_turn_value shift_right(struct verify_turn *t,
					    const struct verify_turn_value *a, unsigned int by,
					    bool is_signed)
{
	uint64_t number = a->reg.num.umin, mask = (1ull << by) - 1;

	turn_limit(t, turn_inside(number, a->step, 64, is_signed));
	if ((number & mask) || ((uint64_t)a->step & mask)) {
		/* it stays what it is for a while: until the bits below overflow */
		number &= mask;
		turn_limit(t, a->step > 0 ? (mask - number) / (uint64_t)a->step
				     : number / -(uint64_t)a->step);
		number = a->reg.num.umin;
		return turn_same_number(is_signed ? (uint64_t)((int64_t)number >> by) : number >> by);
	}
	return turn_moving(is_signed ? (uint64_t)((int64_t)number >> by) : number >> by,
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
		r = turn_moving(x + y, (int64_t)(p + q));
		break;
	case BPF_SUB:
		r = turn_moving(x - y, (int64_t)(p - q));
		break;
	case BPF_MUL:
		if (!is_by_same)
			return turn_any();
		r = turn_moving(x * y, (int64_t)(p * y));
		break;
	case BPF_LSH:
		if (!is_by_same)
			return turn_any();
		y &= is_wide ? 63 : 31;
		r = turn_moving(x << y, (int64_t)(p << y));
		break;
	case BPF_RSH:
	case BPF_ARSH:
		return is_by_same && is_wide
			   ? shift_right(t, a, y & 63, BPF_OP(in->code) == BPF_ARSH) : turn_any();
	case BPF_AND:
		return is_by_same && y == UINT32_MAX ? turn_low_half(t, a) : turn_any();
	default:
		return turn_any();
	}
	return is_wide ? r : turn_low_half(t, &r);
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
	const struct verify_turn_value *p = turn_is_number(a) ? b : a, *by = p == a ? b : a;
	bool is_sub = BPF_OP(in->code) == BPF_SUB;
	struct verify_turn_value r = *p;

	if (!is_offset_op(in) || !turn_is_number(by) || (is_sub && p == b)) {
		r = turn_same();
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
	} else if (p->change == CHANGE_NONE && p->is_exact && turn_is_known_same(by) &&
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
	struct verify_turn_value r = turn_same();

	if (!turn_is_number(a) || !turn_is_number(b))
		return alu_pointer(in, a, b);
	if (a->change == CHANGE_ANY || b->change == CHANGE_ANY)
		return turn_any();
	if (a->change == CHANGE_STEP || b->change == CHANGE_STEP)
		return turn_is_known(a) && turn_is_known(b) ? alu_known(t, in, a, b) : turn_any();
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
		return turn_is_known(a) && !in->off ? turn_low_half(t, a) : turn_any();
	r = turn_same();
	r.change = a->change;
	if (turn_is_number(a))
		r.reg.id = a->reg.id;
	if (a->change == CHANGE_NONE && a->is_exact && turn_is_number(a)) {
		r.is_exact = true;
		r.reg.num = range_alu(in->code & (uint8_t)~BPF_X, in->off, 0, &a->reg.num,
				      &a->reg.num);
	}
	return r;
}

void turn_alu(struct verify_turn *t, const struct bpf_insn *in)
{
	struct verify_turn_value *dst = &t->s.regs[in->dst_reg], a = *dst, r = turn_same();
	struct verify_turn_value b = turn_same_number(BPF_CLASS(in->code) == BPF_ALU64
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
			turn_give_id(t, &t->s.regs[in->src_reg]);
		b = t->s.regs[in->src_reg];
	}
	if (op == BPF_MOV)
		*dst = move(t, in, &b);
	else if (BPF_SRC(in->code) == BPF_X && in->dst_reg == in->src_reg &&
		 (op == BPF_XOR || op == BPF_SUB))
		*dst = turn_same_number(0);
	else
		*dst = alu_two(t, in, &a, &b);
}
