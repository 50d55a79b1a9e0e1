/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For oracle_gen.h: what a random function is made of, and its plain statements: arithmetic, and
 * accesses through pointers that it has.
 */
#ifndef INLAY_TEST_ORACLE_GEN_BASE_H
#define INLAY_TEST_ORACLE_GEN_BASE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "verify_fixture.h"

#include "bpfcc/isa.h"
#include "bpfcc/object.h"
#include "inlay/abi.h"

#define GEN_MAX_INSNS 400
#define GEN_MAP_ARRAY 0
#define GEN_MAP_HASH 1
#define GEN_MAP_CONST 2
#define GEN_MAP_RING 3
#define GEN_MAP_QUEUE 4
#define GEN_MAP_PERCPU 5
#define GEN_NR_NATIVE_MAPS 3	/* those that the runtime has */
#define GEN_NR_MAPS 6
#define GEN_VALUE_BYTES 48
#define GEN_CTX_BYTES 64

enum gen_type {
	GEN_UNSET,
	GEN_NUMBER,
	GEN_STACK,	/* r10 - 8 * n */
	GEN_CTX,
	GEN_VALUE,	/* start of a value of the array or hash map */
};

struct gen_func {
	struct bpf_insn insns[GEN_MAX_INSNS];
	int nr;
	enum gen_type regs[10];
	int depth;
	bool is_sub, is_native;	/* is_native: nothing whose answer is not the same natively */
};

#define GEN_NR_FUNCS 4

struct gen {
	struct gen_func funcs[GEN_NR_FUNCS];	/* the program, a subprogram, callbacks of
						 * bpf_loop() and bpf_for_each_map_elem() */
	struct bpfcc_func func_rows[GEN_NR_FUNCS];
	struct bpfcc_prog prog;
	struct bpfcc_map maps[GEN_NR_MAPS];
	struct bpfcc_object object;
};

static const uint8_t gen_const_data[GEN_VALUE_BYTES] = "0123456789abcdefghijklmnopqrstuvwxyz";

static inline uint32_t gen_below(uint32_t n)
{
	return (uint32_t)(test_random() % n);
}

static inline void gen_emit(struct gen_func *f, uint8_t code, int dst, int src, int off, int32_t imm)
{
	if (f->nr < GEN_MAX_INSNS - 2)
		f->insns[f->nr++] = (struct bpf_insn){.code = code,
						      .dst_reg = (uint8_t)(dst & 15),
						      .src_reg = (uint8_t)(src & 15),
						      .off = (int16_t)off,
						      .imm = imm};
}

static inline void gen_lddw(struct gen_func *f, int dst, int src, int32_t low, int32_t high)
{
	gen_emit(f, BPFCC_LDDW, dst, src, 0, low);
	gen_emit(f, 0, 0, 0, 0, high);
}

/* A register of r0, r6 to r9, or r1 to r5, that holds `type`; -1: none does. */
static inline int gen_find(const struct gen_func *f, enum gen_type type)
{
	int start = (int)gen_below(10);

	for (int i = 0; i < 10; i++)
		if (f->regs[(start + i) % 10] == type)
			return (start + i) % 10;
	return -1;
}

/* A register to be written; numbers are given up before pointers are. */
static inline int gen_pick(const struct gen_func *f)
{
	for (int tries = 0; tries < 4; tries++) {
		int reg = (int)gen_below(10);

		if (f->regs[reg] <= GEN_NUMBER)
			return reg;
	}
	return (int)gen_below(10);
}

static inline int gen_number(struct gen_func *f)
{
	int reg = gen_find(f, GEN_NUMBER);

	if (reg < 0) {
		reg = gen_pick(f);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, (int32_t)gen_below(100));
		f->regs[reg] = GEN_NUMBER;
	}
	return reg;
}

static inline int32_t gen_imm(void)
{
	uint64_t r = test_random();

	switch (r & 7) {
	case 0:
		return (int32_t)(r >> 32);
	case 1:
		return (int32_t)(1u << (r >> 8 & 31));
	case 2:
		return (int32_t)((1u << (r >> 8 & 31)) - 1);
	case 3:
		return -(int32_t)(r >> 8 & 63);
	default:
		return (int32_t)(r >> 8 & 63);
	}
}

static inline void gen_alu(struct gen_func *f)
{
	static const uint8_t codes[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,   BPF_AND,
					BPF_LSH, BPF_RSH, BPF_NEG, BPF_MOD, BPF_XOR,  BPF_MOV,
					BPF_ARSH, BPF_END, BPF_ADD, BPF_AND, BPF_AND, BPF_RSH};
	static const int widths[] = {16, 32, 64};
	uint8_t op = codes[gen_below(sizeof(codes))];
	uint8_t class = gen_below(2) ? BPF_ALU64 : BPF_ALU;
	int dst = gen_number(f), src = gen_number(f), off = 0;
	int32_t imm = gen_imm();

	if (op == BPF_END) {
		gen_emit(f, class | BPF_END | (class == BPF_ALU && gen_below(2) ? BPF_X : 0), dst, 0,
			 0, widths[gen_below(3)]);
		return;
	}
	if (op == BPF_NEG) {
		gen_emit(f, class | BPF_NEG, dst, 0, 0, 0);
		return;
	}
	if ((op == BPF_DIV || op == BPF_MOD) && gen_below(2))
		off = 1;
	if (gen_below(2)) {
		if (op == BPF_MOV && gen_below(2)) {
			off = gen_below(2) ? 8 : 16;
			if (class == BPF_ALU64 && gen_below(3) == 0)
				off = 32;
		}
		gen_emit(f, class | op | BPF_X, dst, src, off, 0);
		return;
	}
	if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
		imm = (int32_t)gen_below(class == BPF_ALU64 ? 64 : 32);
	if ((op == BPF_DIV || op == BPF_MOD) && !imm)
		imm = 3;
	gen_emit(f, class | op | BPF_K, dst, 0, off, imm);
}

static inline uint8_t gen_size(int *ret_bytes)
{
	static const uint8_t sizes[] = {BPF_B, BPF_H, BPF_W, BPF_DW};
	uint32_t i = gen_below(4);

	*ret_bytes = 1 << i;
	return sizes[i];
}

static inline uint8_t gen_condition(void)
{
	static const uint8_t ops[] = {BPF_JEQ,	BPF_JNE,  BPF_JGT,  BPF_JGE,  BPF_JLT, BPF_JLE,
				      BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE, BPF_JSET};

	return (gen_below(3) ? BPF_JMP : BPF_JMP32) | ops[gen_below(sizeof(ops))];
}

/* Loads and stores at fixed offsets: stack, context, map value. */
static inline void gen_access(struct gen_func *f)
{
	static const enum gen_type types[] = {GEN_STACK, GEN_STACK, GEN_CTX, GEN_VALUE};
	enum gen_type type = types[gen_below(4)];
	int base = type == GEN_STACK && gen_below(2) ? 10 : gen_find(f, type), bytes, off, most;
	uint8_t size = gen_size(&bytes);

	if (base < 0)
		return;
	most = type == GEN_VALUE ? GEN_VALUE_BYTES : GEN_CTX_BYTES;
	off = (int)gen_below((uint32_t)(most / bytes)) * bytes;
	if (gen_below(16) == 0)
		off += (int)gen_below(8);
	if (type == GEN_STACK)
		off = base == 10 ? -off - bytes : off - 8;
	switch (gen_below(5)) {
	case 0:
		gen_emit(f, BPF_ST | BPF_MEM | size, base, 0, off, gen_imm());
		break;
	case 1:
	case 2:
		gen_emit(f, BPF_STX | BPF_MEM | size, base,
			 base == 10 && gen_below(4) == 0 ? (int)gen_below(10) : gen_number(f), off,
			 0);
		break;
	default: {
		int dst = gen_pick(f);
		bool is_signed = bytes < 8 && gen_below(4) == 0;

		gen_emit(f, BPF_LDX | size | (is_signed ? BPFCC_MEMSX : BPF_MEM), dst, base, off, 0);
		f->regs[dst] = GEN_NUMBER;
	}
	}
}

/* A pointer plus a number that was made small: by a mask, a remainder, a shift or a branch. */
static inline void gen_indexed(struct gen_func *f)
{
	int pointer = gen_find(f, gen_below(3) ? GEN_VALUE : GEN_CTX), index, at, bytes, room, scale;
	uint8_t size = gen_size(&bytes);
	bool is_stack = pointer < 0 || gen_below(3) == 0, is_spread = gen_below(2);
	uint32_t nr;

	room = is_stack ? 32 : pointer >= 0 && f->regs[pointer] == GEN_CTX ? GEN_CTX_BYTES
									   : GEN_VALUE_BYTES;
	scale = is_spread ? bytes : 1;
	index = gen_pick(f);
	gen_emit(f, (gen_below(2) ? BPF_ALU64 : BPF_ALU) | BPF_MOV | BPF_X, index, gen_number(f), 0,
		 0);
	f->regs[index] = GEN_NUMBER;
	/* indexes below nr are right; at times it is one too many */
	nr = (uint32_t)(room - bytes) / (uint32_t)scale + 1;
	if (gen_below(8) == 0)
		nr++;
	switch (gen_below(4)) {
	case 0: {
		uint32_t mask = 1;

		while (2 * mask <= nr)
			mask *= 2;
		gen_emit(f, (gen_below(2) ? BPF_ALU64 : BPF_ALU) | BPF_AND | BPF_K, index, 0, 0,
			 (int32_t)mask - 1);
		break;
	}
	case 1:
		gen_emit(f, (gen_below(2) ? BPF_ALU64 : BPF_ALU) | BPF_MOD | BPF_K, index, 0, 0,
			 (int32_t)nr);
		break;
	case 2:
		gen_emit(f, BPF_JMP | (gen_below(2) ? BPF_JLE : BPF_JSLE) | BPF_K, index, 0, 1,
			 (int32_t)nr - 1);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, index, 0, 0, 0);
		break;
	default:
		gen_emit(f, BPF_JMP32 | BPF_JLT | BPF_K, index, 0, 1, (int32_t)nr);
		gen_emit(f, BPF_ALU | BPF_MOV | BPF_K, index, 0, 0, 0);
		break;
	}
	if (is_spread && bytes > 1)
		gen_emit(f, BPF_ALU64 | BPF_LSH | BPF_K, index, 0, 0, __builtin_ctz((uint32_t)bytes));
	at = gen_pick(f);
	if (at == index || at == pointer)
		return;
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, at, is_stack ? 10 : pointer, 0, 0);
	gen_emit(f, BPF_ALU64 | BPF_ADD | BPF_X, at, index, 0, 0);
	if (gen_below(2)) {
		int dst = gen_pick(f);

		gen_emit(f, BPF_LDX | BPF_MEM | size, dst, at, is_stack ? -room : 0, 0);
		f->regs[at] = GEN_UNSET;
		f->regs[dst] = GEN_NUMBER;
	} else {
		gen_emit(f, BPF_STX | BPF_MEM | size, at, index, is_stack ? -room : 0, 0);
		f->regs[at] = GEN_UNSET;
	}
}

static inline void gen_clobber(struct gen_func *f)
{
	for (int i = 1; i <= 5; i++)
		f->regs[i] = GEN_UNSET;
	f->regs[0] = GEN_NUMBER;
}

static inline void gen_key(struct gen_func *f, int reg, int slot)
{
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, reg, 10, 0, 0);
	gen_emit(f, BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, 0, -8 * slot);
}

/* oracle_gen.h: a few statements of any kind */
static inline void gen_block(struct gen_func *f, int nr);

#endif /* INLAY_TEST_ORACLE_GEN_BASE_H */
