/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic and 64-bit immediates: on numbers as range.h says, on pointers as far as the result
 * still points into the same thing. An operation that makes no pointer of a pointer gives a number
 * of which nothing is known: that is harmless, because an access through it is refused.
 *
 * An offset may be anything while it is only computed; what counts is that an access is inside of
 * what it points into (mem.c). Offsets are exact modulo 2^64 as addresses are, so that a check of
 * the interval at the access holds whatever was computed before.
 */
#include <string.h>

#include "bpfcc/verify/walk.h"

static bool is_wide(const struct bpf_insn *in)
{
	return BPF_CLASS(in->code) == BPF_ALU64;
}

/*
 * Copies of a number are narrowed together from here on: if (y < 8) of y = x bounds x, too. One that
 * was related by its low half is not any more: what is added to its copies is more often 64 bits wide.
 */
void verify_give_id(struct verify *v, struct verify_reg *r)
{
	if (r->type == VT_SCALAR && (!r->id || (r->flags & VF_LOW)) && !range_is_const(&r->num)) {
		r->id = verify_new_id(v);
		r->add = 0;
		r->flags &= (uint16_t)~VF_LOW;
	}
}

/* Numbers that a move of the low `bits` with extension leaves as they are. */
static bool is_kept(const struct range *num, uint32_t bits, bool is_signed)
{
	if (!is_signed)
		return num->umax <= UINT32_MAX;
	return num->smin >= -(int64_t)(1ull << (bits - 1)) &&
	       num->smax < (int64_t)(1ull << (bits - 1));
}

static int move(struct verify *v, const struct bpf_insn *in, struct verify_reg *dst)
{
	struct verify_reg *src = verify_reg(v, in->src_reg);
	struct range num;
	bool is_copy;
	uint32_t id;
	int32_t add;
	uint8_t low;
	int err;

	if (BPF_SRC(in->code) == BPF_K) {
		num = range_const(is_wide(in) ? (uint64_t)(int64_t)in->imm : (uint32_t)in->imm);
		verify_set_scalar(v, dst, &num, NULL, NULL);
		return v->err;
	}
	err = verify_read_reg(v, in->src_reg);
	if (err)
		return err;
	if (is_wide(in) && !in->off) {
		verify_give_id(v, src);
		if (dst != src)
			*dst = *src;
		return 0;
	}
	if (src->type != VT_SCALAR) {
		/* a part of an address is no pointer any more */
		num = range_unknown();
		num = range_alu(in->code & ~BPF_X, in->off, 0, &num, &num);
		verify_set_scalar(v, dst, &num, NULL, NULL);
		return v->err;
	}
	is_copy = in->off ? is_wide(in) && is_kept(&src->num, (uint32_t)in->off, true)
			  : is_kept(&src->num, 32, false);
	if (is_copy)
		verify_give_id(v, src);
	num = range_alu(in->code & ~BPF_X, in->off, 0, &src->num, &src->num);
	id = is_copy ? src->id : 0;
	add = id ? src->add : 0;
	/* Attack: a constant, whose id stays, and a copy of it that seems to be related as a whole. */
	low = id ? src->flags & VF_LOW : 0;
	verify_set_scalar(v, dst, &num, src->use, NULL);
	dst->id = id;
	dst->add = add;
	dst->flags |= low;
	return v->err;
}

/* ---- pointers ---- */

static int or_null(struct verify *v, int reg)
{
	return verify_refuse(v, "test it first: if (!p) return 0;",
			     "r%d may be NULL, and an offset from NULL would pass for a pointer",
			     reg);
}

/* The offset of a pointer grows (or shrinks) by `num`, which is in `from` if that is not NULL. */
static int add_to_pointer(struct verify *v, struct verify_reg *dst, const struct verify_reg *ptr,
			  const struct range *num, struct verify_reg *from, bool is_sub)
{
	struct verify_reg result = *ptr;
	const uint8_t code = BPF_ALU64 | (is_sub ? BPF_SUB : BPF_ADD);
	int32_t off;
	int64_t by = (int64_t)num->umin;

	/* from here on: of a pointer that is read, comparison looks at the offset whatever its marks */
	if (from)
		verify_mark_precise(v, from);
	/* a constant goes to the fixed part, as long as it fits there */
	if (range_is_const(num) && by >= -(1 << 29) && by <= 1 << 29 &&
	    !__builtin_add_overflow(ptr->off, (int32_t)(is_sub ? -by : by), &off))
		result.off = off;
	else
		result.num = range_alu(code, 0, 0, &ptr->num, num);
	result.use = verify_use_new(v, ptr->use, from ? from->use : NULL);
	*dst = result;
	return v->err;
}

static bool is_same_object(const struct verify_reg *a, const struct verify_reg *b)
{
	return a->type == b->type && a->frame == b->frame && a->map == b->map;
}

/* Which types may be moved about in what they point to; others become numbers. */
static bool has_offset(const struct verify_reg *r)
{
	switch (r->type) {
	case VT_STACK:
	case VT_CTX:
	case VT_MAP_VALUE:
	case VT_MAP_KEY:
	case VT_MEM:
		return true;
	default:
		return false;
	}
}

static void unknown(struct verify *v, const struct bpf_insn *in, struct verify_reg *dst,
		    struct verify_use *a, struct verify_use *b)
{
	struct range num = range_unknown();

	if (!is_wide(in)) {
		/* zero-extended */
		num = range_alu(BPF_ALU | BPF_MOV, 0, 0, &num, &num);
	}
	verify_set_scalar(v, dst, &num, a, b);
}

static int pointer_alu(struct verify *v, const struct bpf_insn *in, struct verify_reg *dst,
		       struct verify_reg *src, const struct range *imm)
{
	uint8_t op = BPF_OP(in->code);
	bool is_dst = verify_is_pointer(dst), is_src = src && verify_is_pointer(src);
	const struct verify_reg *ptr = is_dst ? dst : src;
	struct verify_reg *by = is_dst ? src : dst;

	/* nothing is added: also a map stays one */
	if (is_wide(in) && (op == BPF_ADD || (op == BPF_SUB && is_dst)) && !has_offset(ptr) &&
	    !(ptr->flags & VF_OR_NULL) && !(is_dst && is_src) &&
	    range_is_const(by ? &by->num : imm) && !(by ? &by->num : imm)->umin) {
		if (by)
			verify_mark_precise(v, by);
		if (dst != ptr)
			*dst = *ptr;
		return v->err;
	}
	if (!is_wide(in) || (op != BPF_ADD && op != BPF_SUB) ||
	    (is_dst && is_src && (op == BPF_ADD || !is_same_object(dst, src))) ||
	    (op == BPF_SUB && !is_dst) || !has_offset(ptr)) {
		unknown(v, in, dst, dst->use, src ? src->use : NULL);
		return v->err;
	}
	if (is_dst && is_src) {
		unknown(v, in, dst, dst->use, src->use);
		return v->err;
	}
	if (ptr->flags & VF_OR_NULL)
		return or_null(v, is_dst ? in->dst_reg : in->src_reg);
	if (is_dst)
		return add_to_pointer(v, dst, dst, src ? &src->num : imm, src, op == BPF_SUB);
	return add_to_pointer(v, dst, src, &dst->num, dst, false);
}

/* ---- numbers ---- */

/*
 * The copies of one value stay related through an addition of a constant: y = x + 4. One of 32 bits
 * relates low halves, as compilers test lo <= x && x < hi: if ((uint32_t)x - lo < hi - lo).
 */
static void keep_id(struct verify_reg *dst, const struct bpf_insn *in, const struct range *by,
		    const struct verify_reg *was)
{
	int64_t value = is_wide(in) ? (int64_t)by->umin : (int32_t)by->umin;
	uint8_t op = BPF_OP(in->code);
	int32_t add;

	dst->id = 0;
	dst->add = 0;
	dst->flags &= (uint16_t)~VF_LOW;
	/* a counter is taken off: each round would part the number in another way */
	if (op == BPF_SUB && BPF_SRC(in->code) == BPF_X)
		return;
	if (!was->id || (op != BPF_ADD && op != BPF_SUB) || !range_is_const(by) ||
	    (is_wide(in) && (was->flags & VF_LOW)) || value < -INT32_MAX || value > INT32_MAX ||
	    __builtin_add_overflow(was->add, (int32_t)(op == BPF_SUB ? -value : value), &add))
		return;
	dst->id = was->id;
	dst->add = add;
	if (!is_wide(in))
		dst->flags |= VF_LOW;
}

/*
 * What the instruction gave of these very operands a moment ago, or the operation itself: loops bring
 * the same unknown numbers to it again and again.
 */
static struct range compute(struct verify *v, uint8_t code, const struct bpf_insn *in,
			    const struct range *a, const struct range *b)
{
	struct verify_memo *m = &v->walk->memos[v->insn % VERIFY_NR_MEMOS];

	if (range_is_const(a) && range_is_const(b))
		return range_alu(code, in->off, in->imm, a, b);
	if (m->in == in && range_equal(&m->a, a) && range_equal(&m->b, b))
		return m->result;
	m->in = in;
	m->a = *a;
	m->b = *b;
	m->result = range_alu(code, in->off, in->imm, a, b);
	return m->result;
}

int verify_alu(struct verify *v, const struct bpf_insn *in)
{
	struct verify_reg *dst = verify_reg(v, in->dst_reg), *src = NULL, was;
	uint8_t op = BPF_OP(in->code), code = in->code & (uint8_t)~BPF_X;
	struct range imm = range_const(is_wide(in) ? (uint64_t)(int64_t)in->imm
						   : (uint32_t)in->imm);
	struct range by, num;
	struct verify_use *use;
	int err;

	if (bpfcc_insn_is_cast(in))
		return verify_cast(v, in);
	if (op == BPF_MOV)
		return move(v, in, dst);
	err = verify_read_reg(v, in->dst_reg);
	if (err)
		return err;
	if (op == BPF_END)
		code = in->code; /* BPF_SRC says which order */
	else if (op != BPF_NEG && BPF_SRC(in->code) == BPF_X) {
		err = verify_read_reg(v, in->src_reg);
		if (err)
			return err;
		src = verify_reg(v, in->src_reg);
	}
	if (verify_arena_alu(v, in, dst, src))
		return v->err;
	if (src == dst && (op == BPF_XOR || op == BPF_SUB)) {
		/* zero, whatever it was */
		num = range_const(0);
		verify_set_scalar(v, dst, &num, NULL, NULL);
		return v->err;
	}
	if (op == BPF_NEG || op == BPF_END) {
		/* Attack: a swap of 64 bits is of class ALU, and would pass for one of 32 */
		num = verify_is_pointer(dst) ? range_unknown() : dst->num;
		num = range_alu(code, in->off, in->imm, &num, &num);
		verify_set_scalar(v, dst, &num, dst->use, NULL);
		return v->err;
	}
	if (verify_is_pointer(dst) || (src && verify_is_pointer(src)))
		return pointer_alu(v, in, dst, src, &imm);
	by = src ? src->num : imm;
	use = src ? src->use : NULL;
	was = *dst;
	num = compute(v, code, in, &dst->num, &by);
	verify_set_scalar(v, dst, &num, dst->use, use);
	keep_id(dst, in, &by, &was);
	return v->err;
}

/* ---- 64-bit immediates ---- */

static int map_address(struct verify *v, const struct bpf_insn *in, struct verify_reg *dst)
{
	const struct bpfcc_map *map;
	uint32_t index = (uint32_t)in->imm;

	if (index >= v->object->nr_maps)
		return verify_refuse(v, NULL, "there is no map %u", index);
	map = &v->object->maps[index];
	if (in->src_reg == BPF_PSEUDO_MAP_FD) {
		verify_set_pointer(v, dst, VT_MAP, 0);
		dst->map = index;
		return v->err;
	}
	if (map->type == BPFCC_MAP_TYPE_ARENA) {
		/* the address of a variable in address space 1: a number until it is cast */
		verify_set_unknown(v, dst);
		return v->err;
	}
	if (map->type != BPF_MAP_TYPE_ARRAY)
		return verify_refuse(v, "only arrays have values at fixed addresses",
				     "the address of a value of map '%s', which is no array",
				     map->name);
	if (in[1].imm < 0 || (uint32_t)in[1].imm >= map->value_size)
		return verify_refuse(v, NULL,
				     "the address at offset %d of the value of map '%s', "
				     "which has %u bytes", in[1].imm, map->name,
				     map->value_size);
	if (map->max_entries != 1)
		return verify_refuse(v, "look the element up",
				     "the address of a value of map '%s', which has %u "
				     "elements and not one", map->name, map->max_entries);
	verify_set_pointer(v, dst, VT_MAP_VALUE,
			   map->map_flags & BPF_F_RDONLY_PROG ||
			   map->flags & INLAY_MAP_RODATA ? VF_RDONLY : 0);
	dst->bytes = map->value_size;
	dst->map = index;
	dst->off = in[1].imm;
	return v->err;
}

int verify_lddw(struct verify *v, const struct bpf_insn *in)
{
	struct verify_reg *dst = verify_reg(v, in->dst_reg);
	struct range num;

	switch (in->src_reg) {
	case 0:
		num = range_const((uint32_t)in[0].imm | (uint64_t)(uint32_t)in[1].imm << 32);
		verify_set_scalar(v, dst, &num, NULL, NULL);
		return v->err;
	case BPF_PSEUDO_MAP_FD:
	case BPF_PSEUDO_MAP_VALUE:
		return map_address(v, in, dst);
	case BPF_PSEUDO_FUNC:
		if (in->imm < 0 || (uint32_t)in->imm >= v->object->nr_funcs)
			return verify_refuse(v, NULL, "there is no function %d", in->imm);
		verify_set_pointer(v, dst, VT_FUNC, 0);
		dst->func = (uint32_t)in->imm;
		return v->err;
	default:
		return verify_refuse(v, NULL, "a 64-bit immediate of an unknown kind (%d)",
				     in->src_reg);
	}
}
