/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs that the verifier has a chance to accept, and mutants of programs. A generator
 * writes statements and knows roughly what each register holds, so that most of what it writes is
 * right and some of it nearly: bounds are checked, often exactly, at times one off.
 */
#ifndef INLAY_TEST_ORACLE_GEN_H
#define INLAY_TEST_ORACLE_GEN_H

#include "oracle_gen_calls.h"

/* A condition that nobody knows, around one instruction. */
static inline void gen_maybe(struct gen_func *f)
{
	int reg = gen_number(f);

	if (gen_below(2))
		gen_emit(f, gen_condition() | BPF_K, reg, 0, 1, gen_imm());
	else
		gen_emit(f, BPF_JMP | BPF_JSET | BPF_K, reg, 0, 1, 1 << gen_below(8));
}

static inline void gen_keep(struct gen_func *f, int *reg, int slot)
{
	int bytes;

	/* the value goes another way: a copy, through the stack, through arithmetic and back */
	switch (gen_below(6)) {
	case 0:
		bytes = gen_below(2) ? 8 : 4;
		gen_emit(f, BPF_STX | BPF_MEM | (bytes == 8 ? BPF_DW : BPF_W), 10, *reg, -8 * slot, 0);
		gen_block(f, (int)gen_below(2));
		gen_emit(f, BPF_LDX | BPF_MEM | (bytes == 8 ? BPF_DW : BPF_W), *reg, 10, -8 * slot, 0);
		break;
	case 1: {
		int to = 7 + (int)gen_below(3);

		gen_emit(f, (gen_below(2) ? BPF_ALU64 : BPF_ALU) | BPF_MOV | BPF_X, to, *reg, 0, 0);
		f->regs[*reg] = GEN_NUMBER;
		*reg = to;
		break;
	}
	case 2:
		gen_emit(f, BPF_ALU64 | BPF_ADD | BPF_K, *reg, 0, 0, 5);
		gen_block(f, (int)gen_below(2));
		gen_emit(f, BPF_ALU64 | BPF_SUB | BPF_K, *reg, 0, 0, 5);
		break;
	case 3: {
		/* two numbers, of which the choice is the sum */
		int to = 7 + (int)gen_below(3);

		if (to == *reg)
			break;
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, 1);
		gen_maybe(f);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, 2);
		gen_emit(f, BPF_ALU64 | BPF_ADD | BPF_X, *reg, to, 0, 0);
		f->regs[to] = GEN_NUMBER;
		break;
	}
	default:
		break;
	}
	f->regs[*reg] = GEN_UNSET;
}

/*
 * A number that is one of two, depending on something unknown; other things; then a use of it that
 * is right for both or for one of them only. States that are cut off wrongly are seen here.
 */
static inline void gen_choice(struct gen_func *f)
{
	int reg = 7 + (int)gen_below(3), slot = 5 + (int)gen_below(2), at = (int)gen_below(2) + 2;
	int pointer = gen_find(f, gen_below(2) ? GEN_VALUE : GEN_CTX);
	int room = pointer < 0 ? 32 : f->regs[pointer] == GEN_CTX ? GEN_CTX_BYTES : GEN_VALUE_BYTES;
	int32_t good = (int32_t)gen_below((uint32_t)room - 3), other = good;

	switch (gen_below(3)) {
	case 0:
		other = (int32_t)gen_below((uint32_t)room + 4);
		break;
	case 1:
		other = gen_imm();
		break;
	}
	if (reg == pointer)
		return;
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, gen_below(2) ? good : other);
	f->regs[reg] = GEN_UNSET;
	gen_maybe(f);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, gen_below(2) ? other : good);
	if (gen_below(4) == 0)
		gen_emit(f, BPF_ALU | BPF_AND | BPF_K, reg, 0, 0, 63);
	gen_keep(f, &reg, slot);
	gen_block(f, (int)gen_below(3));
	/* a join of paths, where states are compared */
	gen_maybe(f);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, at, 10, 0, 0);
	f->regs[at] = GEN_UNSET;
	if (pointer >= 0 && f->regs[pointer] != GEN_VALUE && f->regs[pointer] != GEN_CTX)
		pointer = -1;
	switch (gen_below(f->is_native ? 5 : 6)) {
	case 5:
		/* how large a record is */
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 2, reg, 0, 0);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0);
		gen_lddw(f, 1, BPF_PSEUDO_MAP_FD, GEN_MAP_RING, 0);
		gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_reserve);
		gen_emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 4, 0);
		gen_emit(f, BPF_ST | BPF_MEM | BPF_B, 0, 0, good - (int)gen_below(2), 1);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 1, 0, 0, 0);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0);
		gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_discard);
		gen_clobber(f);
		f->regs[0] = GEN_UNSET;
		break;
	case 4:
		/* how often a callback runs, which uses its number as an offset */
		if (f->is_sub)
			return;
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 1, reg, 0, 0);
		gen_lddw(f, 2, BPF_PSEUDO_FUNC, 2, 0);
		gen_key(f, 3, 4);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0);
		gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_loop);
		gen_clobber(f);
		break;
	case 0:
		/* the number decides a branch, and the branch whether the access is made */
		gen_emit(f, BPF_JMP | BPF_JGT | BPF_K, reg, 0, 3, good + (int32_t)gen_below(3) - 1);
		/* fallthrough */
	case 1:
	case 2:
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, at, pointer < 0 ? 10 : pointer, 0, 0);
		gen_emit(f, BPF_ALU64 | BPF_ADD | BPF_X, at, reg, 0, 0);
		gen_emit(f, BPF_LDX | BPF_MEM | BPF_W, at, at, pointer < 0 ? -32 : 0, 0);
		f->regs[at] = GEN_UNSET;
		break;
	default:
		/* a size; the address cannot be read, and that is known natively as well */
		if (f->is_native)
			return;
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 1, 10, 0, 0);
		gen_emit(f, BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -32);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 2, reg, 0, 0);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0);
		gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_user);
		gen_clobber(f);
		break;
	}
}

/* A loop that the run time ends. */
static inline void gen_may_goto(struct gen_func *f)
{
	enum gen_type before[10];
	int start = f->nr;

	memcpy(before, f->regs, sizeof(before));
	gen_emit(f, BPF_JMP | BPFCC_JCOND, 0, BPFCC_MAY_GOTO, 0, 0);
	gen_block(f, 1 + (int)gen_below(3));
	for (int i = 0; i < 9; i++)
		if (before[i] == GEN_NUMBER && f->regs[i] != GEN_NUMBER)
			gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, i, 0, 0, i);
	if (gen_below(3) == 0)
		gen_emit(f, gen_condition() | BPF_K, gen_number(f), 0, 1, gen_imm());
	gen_emit(f, BPF_JMP | BPF_JA, 0, 0, start - f->nr - 1, 0);
	f->insns[start].off = (int16_t)(f->nr - start - 1);
	for (int i = 0; i < 10; i++)
		f->regs[i] = before[i] == GEN_NUMBER || f->regs[i] == before[i] ? before[i]
									       : GEN_UNSET;
}

/* Something that is a pointer if a flag says so, used if the flag says so; or used anyway. */
static inline void gen_flagged(struct gen_func *f)
{
	int flag = 7, pointer = 8, map = gen_below(2) ? GEN_MAP_ARRAY : GEN_MAP_HASH;
	bool in_stack = gen_below(2);

	gen_emit(f, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, (int32_t)gen_below(4));
	gen_key(f, 2, 1);
	gen_lddw(f, 1, BPF_PSEUDO_MAP_FD, map, 0);
	gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	gen_clobber(f);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, flag, 0, 0, (int32_t)(gen_below(8) == 0));
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, pointer, 0, 0, 0);
	gen_emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1, 0);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, flag, 0, 0, 1);
	if (in_stack)
		gen_emit(f, BPF_STX | BPF_MEM | BPF_DW, 10, pointer, -72, 0);
	f->regs[0] = f->regs[flag] = f->regs[pointer] = GEN_UNSET;
	gen_block(f, (int)gen_below(3));
	gen_maybe(f);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 1);
	f->regs[3] = GEN_UNSET;
	if (f->regs[flag] != GEN_UNSET || (!in_stack && f->regs[pointer] != GEN_UNSET))
		return;
	gen_emit(f, BPF_JMP | BPF_JEQ | BPF_K, flag, 0, 2, gen_below(8) ? 0 : 1);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 3, pointer, 0, 0);
	if (in_stack)
		f->insns[f->nr - 1] = (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_DW,
							.dst_reg = 3,
							.src_reg = 10,
							.off = -72};
	gen_emit(f, BPF_LDX | BPF_MEM | BPF_DW, 3, 3, 8 * (int)gen_below(6), 0);
}

static inline void gen_constant_data(struct gen_func *f)
{
	int reg = gen_pick(f), bytes;
	uint8_t size = gen_size(&bytes);

	gen_lddw(f, reg, BPF_PSEUDO_MAP_VALUE, GEN_MAP_CONST, (int32_t)gen_below(32) & -bytes);
	gen_emit(f, BPF_LDX | BPF_MEM | size, reg, reg, 0, 0);
	f->regs[reg] = GEN_NUMBER;
}

static inline void gen_atomic(struct gen_func *f)
{
	static const int32_t ops[] = {BPF_ADD, BPF_OR, BPF_AND, BPF_XOR, BPF_ADD | BPF_FETCH,
				      BPF_XOR | BPF_FETCH, BPF_XCHG, BPF_CMPXCHG};
	int32_t op = ops[gen_below(8)];
	int base = gen_below(2) ? 10 : gen_find(f, GEN_VALUE), src = gen_number(f);

	if (base < 0)
		return;
	if (op == BPF_CMPXCHG && f->regs[0] != GEN_NUMBER)
		op = BPF_ADD;
	gen_emit(f, BPF_STX | BPF_ATOMIC | (gen_below(2) ? BPF_DW : BPF_W), base, src,
		 base == 10 ? -8 * (1 + (int)gen_below(4)) : 8 * (int)gen_below(6), op);
}

/* What holds after both sides: only what both have. */
static inline void gen_merge(struct gen_func *f, const enum gen_type other[10])
{
	for (int i = 0; i < 10; i++)
		if (f->regs[i] != other[i])
			f->regs[i] = GEN_UNSET;
}

static inline void gen_if(struct gen_func *f)
{
	enum gen_type before[10];
	int at = f->nr, dst = gen_number(f);
	uint8_t op = gen_condition();

	at = f->nr;
	if (gen_below(2))
		gen_emit(f, op | BPF_K, dst, 0, 0, gen_imm());
	else
		gen_emit(f, op | BPF_X, dst, gen_number(f), 0, 0);
	/* gen_number() may have written an instruction before */
	at = f->nr - 1;
	memcpy(before, f->regs, sizeof(before));
	gen_block(f, 1 + (int)gen_below(4));
	f->insns[at].off = (int16_t)(f->nr - at - 1);
	gen_merge(f, before);
}

/* r9 counts; nothing in the body writes it, mostly */
static inline void gen_loop(struct gen_func *f)
{
	int start;

	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 9, 0, 0, 0);
	f->regs[9] = GEN_UNSET; /* out of the generator's hands */
	for (int i = 0; i < 9; i++)
		if (f->regs[i] == GEN_VALUE && gen_below(2))
			f->regs[i] = GEN_UNSET;
	start = f->nr;
	{
		enum gen_type before[10];

		memcpy(before, f->regs, sizeof(before));
		gen_block(f, 1 + (int)gen_below(4));
		/* the next round needs what this one had */
		for (int i = 0; i < 9; i++)
			if (before[i] == GEN_NUMBER && f->regs[i] != GEN_NUMBER)
				gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, i, 0, 0, i);
		gen_merge(f, before);
		for (int i = 0; i < 9; i++)
			if (before[i] == GEN_NUMBER)
				f->regs[i] = GEN_NUMBER;
	}
	gen_emit(f, BPF_ALU64 | BPF_ADD | BPF_K, 9, 0, 0, 1);
	gen_emit(f, BPF_JMP | (gen_below(2) ? BPF_JLT : BPF_JNE) | BPF_K, 9, 0, start - f->nr - 1,
		 1 + (int32_t)gen_below(12));
	f->regs[9] = GEN_NUMBER;
}

static inline void gen_block(struct gen_func *f, int nr)
{
	f->depth++;
	for (int i = 0; i < nr && f->nr < GEN_MAX_INSNS - 80; i++) {
		switch (gen_below(f->is_native ? 20 : 23)) {
		case 22:
			gen_queue(f);
			break;
		case 21:
			gen_dynptr(f);
			break;
		case 20:
			gen_record(f);
			break;
		case 19:
			if (f->depth < 3)
				gen_may_goto(f);
			break;
		case 18:
			gen_flagged(f);
			break;
		case 17:
		case 16:
			gen_choice(f);
			break;
		case 0:
		case 1:
		case 2:
		case 3:
			gen_alu(f);
			break;
		case 4:
		case 5:
		case 6:
			gen_access(f);
			break;
		case 7:
		case 8:
			gen_indexed(f);
			break;
		case 9:
			gen_lookup(f);
			break;
		case 10:
			gen_update(f);
			break;
		case 11:
			gen_call(f);
			break;
		case 12:
			gen_constant_data(f);
			break;
		case 13:
			gen_atomic(f);
			break;
		case 14:
			if (f->depth < 3)
				gen_loop(f);
			break;
		default:
			if (f->depth < 4)
				gen_if(f);
			break;
		}
	}
	f->depth--;
}

static inline void gen_finish(struct gen_func *f, bool is_callback)
{
	if (is_callback) {
		gen_emit(f, BPF_ALU64 | BPF_AND | BPF_K, gen_number(f), 0, 0, 1);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, (int32_t)gen_below(2));
	} else {
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 0, gen_number(f), 0, 0);
	}
	gen_emit(f, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static inline bool gen_refers_to(const struct gen_func *f, int func)
{
	for (int i = 0; i < f->nr; i++)
		if ((f->insns[i].code == (BPF_JMP | BPF_CALL) &&
		     f->insns[i].src_reg == BPF_PSEUDO_CALL && f->insns[i].imm == func) ||
		    (f->insns[i].code == BPFCC_LDDW && f->insns[i].src_reg == BPF_PSEUDO_FUNC &&
		     f->insns[i].imm == func))
			return true;
	return false;
}

static inline void gen_maps(struct gen *g)
{
	g->maps[GEN_MAP_ARRAY] = (struct bpfcc_map){.name = "array",
						    .type = BPF_MAP_TYPE_ARRAY,
						    .key_size = 4,
						    .value_size = GEN_VALUE_BYTES,
						    .max_entries = 4};
	g->maps[GEN_MAP_HASH] = (struct bpfcc_map){.name = "hash",
						   .type = BPF_MAP_TYPE_HASH,
						   .flags = INLAY_MAP_HASH,
						   .key_size = 8,
						   .value_size = GEN_VALUE_BYTES,
						   .max_entries = 16,
						   .index = 1};
	g->maps[GEN_MAP_RING] = (struct bpfcc_map){
	    .name = "ring", .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096, .index = 3};
	g->maps[GEN_MAP_QUEUE] = (struct bpfcc_map){.name = "queue",
						    .type = BPF_MAP_TYPE_QUEUE,
						    .value_size = 16,
						    .max_entries = 4,
						    .index = 4};
	g->maps[GEN_MAP_PERCPU] = (struct bpfcc_map){.name = "percpu",
						     .type = BPF_MAP_TYPE_PERCPU_HASH,
						     .key_size = 8,
						     .value_size = GEN_VALUE_BYTES,
						     .max_entries = 16,
						     .index = 5};
	g->maps[GEN_MAP_CONST] = (struct bpfcc_map){.name = ".rodata",
						    .type = BPF_MAP_TYPE_ARRAY,
						    .key_size = 4,
						    .value_size = GEN_VALUE_BYTES,
						    .max_entries = 1,
						    .map_flags = BPF_F_RDONLY_PROG,
						    .flags = INLAY_MAP_RODATA,
						    .is_frozen = true,
						    .data = gen_const_data,
						    .index = 2};
}

/*
 * A program of about `nr` statements, whose r1 points to GEN_CTX_BYTES of memory, and the
 * subprogram and the callback that it may use. Points into itself: it must not be copied.
 */
static inline void gen_program(struct gen *g, int nr, bool is_native)
{
	static const char *const names[] = {"main", "sub", "callback", "each"};

	memset(g, 0, sizeof(*g));
	gen_maps(g);
	for (int i = 0; i < GEN_NR_FUNCS; i++) {
		struct gen_func *f = &g->funcs[i];

		f->is_sub = i;
		f->is_native = is_native;
		f->regs[1] = i == 0 ? GEN_CTX : i == 3 ? GEN_UNSET : GEN_NUMBER;
		if (i == 3) {
			f->regs[3] = GEN_VALUE;
			f->regs[4] = GEN_STACK;
		} else if (i) {
			f->regs[2] = GEN_STACK;
		}
		if (!i) {
			gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0);
			f->regs[6] = GEN_CTX;
			for (int k = 7; k < 10; k++) {
				gen_emit(f, BPF_LDX | BPF_MEM | BPF_DW, k, 1, 8 * (k - 7), 0);
				f->regs[k] = GEN_NUMBER;
			}
		}
		if (i == 2 && gen_below(2)) {
			gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 3, 2, 0, 0);
			gen_emit(f, BPF_ALU64 | BPF_ADD | BPF_X, 3, 1, 0, 0);
			gen_emit(f, BPF_LDX | BPF_MEM | BPF_B, 3, 3, 0, 0);
		}
		gen_block(f, i ? 1 + (int)gen_below(5) : nr);
		gen_finish(f, i >= 2);
		g->func_rows[i] = (struct bpfcc_func){.name = names[i],
						      .section = "uprobe",
						      .insns = f->insns,
						      .nr_insns = (uint32_t)f->nr,
						      .nr_args = i == 3 ? 4 : i ? 2 : 1,
						      .index = (uint32_t)i};
	}
	/* what nothing refers to is not part of an object; what is left keeps its number */
	g->object.nr_funcs = 1;
	for (int i = 1; i < GEN_NR_FUNCS; i++)
		if (gen_refers_to(&g->funcs[0], i))
			g->object.nr_funcs = (uint32_t)i + 1;
	g->prog = (struct bpfcc_prog){
	    .func = &g->func_rows[0], .name = "main", .section = "uprobe", .kind = INLAY_PROG_ENTRY};
	g->object.name = g->object.path = "generated";
	g->object.license = "GPL";
	g->object.is_gpl_compatible = true;
	g->object.maps = g->maps;
	g->object.nr_maps = is_native ? GEN_NR_NATIVE_MAPS : GEN_NR_MAPS;
	g->object.funcs = g->func_rows;
	g->object.progs = &g->prog;
	g->object.nr_progs = 1;
}

/* Changes one to three fields of instructions, to what others have or to something near. */
static inline void gen_mutate(struct bpf_insn *insns, uint32_t nr)
{
	for (uint32_t n = 1 + gen_below(3); n; n--) {
		struct bpf_insn *in = &insns[gen_below(nr)];
		const struct bpf_insn *from = &insns[gen_below(nr)];

		switch (gen_below(12)) {
		case 0:
			in->imm = (int32_t)((uint32_t)in->imm + gen_below(17) - 8);
			break;
		case 1:
			in->imm = gen_imm();
			break;
		case 2:
			in->off = (int16_t)(in->off + (int)gen_below(17) - 8);
			break;
		case 3:
			in->off = (int16_t)(in->off + (gen_below(2) ? 1 : -1) * 8);
			break;
		case 4:
			in->dst_reg = (uint8_t)(gen_below(11) & 15);
			break;
		case 5:
			in->src_reg = (uint8_t)(gen_below(11) & 15);
			break;
		case 6:
			in->code = (uint8_t)((in->code & 0x0f) | gen_below(14) << 4);
			break;
		case 7:
			in->code ^= BPF_ALU64 ^ BPF_ALU;
			break;
		case 8:
			in->code ^= BPF_X;
			break;
		case 9:
			in->code = (uint8_t)((in->code & ~0x18) | gen_below(4) << 3);
			break;
		case 10:
			*in = *from;
			break;
		default:
			in->imm = from->imm;
			break;
		}
	}
}

#endif /* INLAY_TEST_ORACLE_GEN_H */
