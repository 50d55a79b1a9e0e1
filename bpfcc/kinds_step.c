/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one instruction does to the state.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "bpfcc/isa.h"
#include "bpfcc/kinds_int.h"

void step_error(struct step *st, const char *hint, const char *format, ...)
{
	const struct bpfcc_where where = {.func = st->f->func, .insn = (int)st->insn};
	char text[512];
	va_list args;

	if (!st->is_report || st->err)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	st->err = bpfcc_error(st->k->diag, &where, hint, "%s", text);
}

void step_warning(struct step *st, const char *hint, const char *format, ...)
{
	const struct bpfcc_where where = {.func = st->f->func, .insn = (int)st->insn};
	char text[512];
	va_list args;

	if (!st->is_report || st->err)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	bpfcc_report(st->k->diag, INLAY_BPFCC_WARNING, &where, hint, "%s", text);
}

const struct bpfcc_reg *step_read(struct step *st, int reg)
{
	const struct bpfcc_reg *r = &st->s->r[reg];

	if (r->kind == BPFCC_KIND_UNINIT)
		step_error(st, reg <= 5 ? "r1 to r5 are lost in a call; was a variable left unset?"
					: "was a variable left unset?",
			   "r%d is read, but nothing was put into it on some path here", reg);
	return r;
}

/* A number and its copy share an id: what a comparison says of one is then known of both. */
static void link_copies(struct step *st, struct bpfcc_reg *reg)
{
	if (reg->kind == BPFCC_KIND_SCALAR && !reg->off_is_known && !reg->id)
		reg->id = place_of(st->insn, PLACE_COPY);
}

/* The second operand of an ALU instruction or a branch. */
static struct bpfcc_reg operand(struct step *st, const struct bpf_insn *in)
{
	if (BPF_SRC(in->code) == BPF_X)
		return *step_read(st, in->src_reg);
	return reg_const((uint64_t)(int64_t)in->imm);
}

static void alu(struct step *st, const struct bpf_insn *in)
{
	struct bpfcc_reg *dst = &st->s->r[in->dst_reg], src;
	uint8_t op = BPF_OP(in->code);

	if (op == BPF_END || op == BPF_NEG)
		src = reg_const(0);
	else
		src = operand(st, in);
	if (op != BPF_MOV)
		step_read(st, in->dst_reg);
	/* after an error that an earlier pass does not say, go on with a number */
	if (src.kind == BPFCC_KIND_UNINIT || (op != BPF_MOV && dst->kind == BPFCC_KIND_UNINIT)) {
		*dst = reg_scalar();
		return;
	}
	if (in->code == (BPF_ALU64 | BPF_MOV | BPF_X) && !in->off && in->src_reg != in->dst_reg) {
		link_copies(st, &st->s->r[in->src_reg]);
		src = st->s->r[in->src_reg];
	}
	*dst = reg_alu(in, dst, &src);
	/* an address that is made may be used through a pointer of unknown kind later */
	if (dst->kind == BPFCC_KIND_STACK && !dst->base)
		mem_need_stack(st, dst->min < -STACK_BYTES ? -STACK_BYTES : dst->min);
}

static void load_constant(struct step *st, const struct bpf_insn *in)
{
	const struct bpfcc_object *o = st->k->object;
	struct bpfcc_reg *dst = &st->s->r[in->dst_reg];

	if (!in->src_reg) {
		*dst = reg_const((uint64_t)(uint32_t)in[1].imm << 32 | (uint32_t)in->imm);
		return;
	}
	*dst = reg_scalar();
	if (in->imm < 0 || (uint32_t)in->imm >= o->nr_maps) {
		step_error(st, NULL, "a reference to map %d, which does not exist", in->imm);
		return;
	}
	dst->map = in->imm;
	reg_set_range(dst, 0, 0);
	if (in->src_reg == BPF_PSEUDO_MAP_FD) {
		dst->kind = BPFCC_KIND_MAP;
		return;
	}
	dst->kind = BPFCC_KIND_MAP_VALUE;
	reg_set_range(dst, (uint32_t)in[1].imm, (uint32_t)in[1].imm);
	dst->bytes = o->maps[in->imm].value_size;
	dst->is_read_only = (o->maps[in->imm].flags & INLAY_MAP_RODATA) ||
			    (o->maps[in->imm].map_flags & BPF_F_RDONLY_PROG);
}

static void load(struct step *st, const struct bpf_insn *in)
{
	const struct bpfcc_reg *src = step_read(st, in->src_reg);
	int bytes = bpfcc_insn_bytes(in->code);

	mem_access(st, src, in->off, bytes, ACCESS_READ, "the load");
	st->s->r[in->dst_reg] =
		mem_load(st, src, in->off, bytes, BPF_MODE(in->code) == BPFCC_MEMSX);
}

static void store(struct step *st, const struct bpf_insn *in)
{
	const struct bpfcc_reg *dst = step_read(st, in->dst_reg);
	int bytes = bpfcc_insn_bytes(in->code);
	struct bpfcc_reg value;

	if (BPF_CLASS(in->code) == BPF_STX) {
		value = *step_read(st, in->src_reg);
		if (bytes == 8 && value.kind == BPFCC_KIND_SCALAR) {
			link_copies(st, &st->s->r[in->src_reg]);
			value = st->s->r[in->src_reg];
		}
	} else {
		value = reg_const((uint64_t)(int64_t)in->imm);
	}
	if (value.kind == BPFCC_KIND_UNINIT)
		value = reg_scalar();
	mem_access(st, dst, in->off, bytes, ACCESS_WRITE, "the store");
	mem_store(st, dst, in->off, bytes, &value);
}

static void atomic(struct step *st, const struct bpf_insn *in)
{
	bool is_load = in->imm == BPF_LOAD_ACQ, is_store = in->imm == BPF_STORE_REL;
	const struct bpfcc_reg *place = step_read(st, is_load ? in->src_reg : in->dst_reg);
	int bytes = bpfcc_insn_bytes(in->code);
	unsigned int access = is_load ? ACCESS_READ : is_store ? ACCESS_WRITE
							       : ACCESS_READ | ACCESS_WRITE;

	if (!is_load)
		step_read(st, in->src_reg);
	if (in->imm == BPF_CMPXCHG)
		step_read(st, 0);
	if (place->kind == BPFCC_KIND_CTX)
		step_error(st, NULL, "an atomic operation on ctx");
	mem_access(st, place, in->off, bytes, access, "the atomic operation");
	/* hardware tears what is not aligned, or faults */
	if (place->off_is_known && bpfcc_kind_is_pointer(place) && (place->off + in->off) % bytes)
		step_error(st, NULL, "the atomic operation is misaligned");
	if (!is_load)
		mem_store(st, place, in->off, bytes, NULL);
	if (is_load)
		st->s->r[in->dst_reg] = reg_scalar();
	else if (in->imm == BPF_CMPXCHG)
		st->s->r[0] = reg_scalar();
	else if (!is_store && (in->imm & BPF_FETCH))
		st->s->r[in->src_reg] = reg_scalar();
}

bool step_insn(struct step *st, const struct bpf_insn *in)
{
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		alu(st, in);
		return true;
	case BPF_LD:
		load_constant(st, in);
		return true;
	case BPF_LDX:
		load(st, in);
		return true;
	case BPF_ST:
		store(st, in);
		return true;
	case BPF_STX:
		if (BPF_MODE(in->code) == BPF_ATOMIC)
			atomic(st, in);
		else
			store(st, in);
		return true;
	default:
		return call_step(st, in);
	}
}

/* Every copy of a lookup's result becomes a pointer, or NULL. */
static void refine_null(struct state *s, const struct bpfcc_reg *tested, bool is_null)
{
	uint32_t id = tested->id;

	for (int i = 0; i < NR_REGS + NR_SLOTS; i++) {
		struct bpfcc_reg *r = i < NR_REGS ? &s->r[i] : &s->slot[i - NR_REGS];

		if (!r->is_or_null || !bpfcc_kind_is_pointer(r) || r->id != id || !id)
			continue;
		if (is_null)
			*r = reg_range(r->min, r->max);
		r->is_or_null = false;
		r->id = 0;
	}
}

/* What the comparison says of a number, for all of its copies. false: the side cannot be taken. */
static bool refine_range(struct state *s, const struct bpf_insn *in, bool is_taken, int reg,
			 const struct bpfcc_reg *other)
{
	struct range range = {s->r[reg].min, s->r[reg].max};
	uint32_t id = s->r[reg].id;

	if (!kinds_range_refine(in, is_taken, &range, (struct range){other->min, other->max}))
		return false;
	for (int i = 0; i < NR_REGS + NR_SLOTS; i++) {
		struct bpfcc_reg *r = i < NR_REGS ? &s->r[i] : &s->slot[i - NR_REGS];

		if (i != reg && (!id || r->id != id || r->kind != BPFCC_KIND_SCALAR))
			continue;
		reg_set_range(r, range.min, range.max);
		/* a constant needs no copies */
		if (r->off_is_known)
			r->id = 0;
	}
	return true;
}

/* The comparison with its operands exchanged. */
static struct bpf_insn mirrored(const struct bpf_insn *in)
{
	static const struct {
		uint8_t op, mirror;
	} ops[] = {{BPF_JGT, BPF_JLT},	 {BPF_JLT, BPF_JGT},   {BPF_JGE, BPF_JLE},
		   {BPF_JLE, BPF_JGE},	 {BPF_JSGT, BPF_JSLT}, {BPF_JSLT, BPF_JSGT},
		   {BPF_JSGE, BPF_JSLE}, {BPF_JSLE, BPF_JSGE}};
	struct bpf_insn m = *in;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (BPF_OP(in->code) == ops[i].op)
			m.code = (in->code & ~0xf0) | ops[i].mirror;
	return m;
}

unsigned int step_branch(struct step *st, const struct bpf_insn *in, struct state ret_state[2])
{
	const struct bpfcc_reg dst = *step_read(st, in->dst_reg);
	struct bpfcc_reg src = operand(st, in);
	uint8_t op = BPF_OP(in->code);
	bool is_null_test = BPF_CLASS(in->code) == BPF_JMP && (op == BPF_JEQ || op == BPF_JNE) &&
			    dst.is_or_null && dst.off_is_known && !dst.off && reg_is_const(&src, 0);
	struct bpf_insn mirror = mirrored(in);
	int known = reg_branch(in, &dst, &src);

	ret_state[0] = *st->s;
	ret_state[1] = *st->s;
	if (known >= 0)
		return 1u << known;
	if (is_null_test) {
		refine_null(&ret_state[op == BPF_JEQ], &dst, true);
		refine_null(&ret_state[op != BPF_JEQ], &dst, false);
	} else if (dst.kind == BPFCC_KIND_SCALAR && src.kind == BPFCC_KIND_SCALAR) {
		/* reg_branch() saw that both sides can be taken */
		for (int side = 0; side < 2; side++) {
			refine_range(&ret_state[side], in, side, in->dst_reg, &src);
			if (BPF_SRC(in->code) == BPF_X && in->src_reg != in->dst_reg)
				refine_range(&ret_state[side], &mirror, side, in->src_reg, &dst);
		}
	}
	return 3;
}
