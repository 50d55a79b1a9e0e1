/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The encoding of single instructions. A field that an instruction does not use must be zero: a
 * future instruction set may give it a meaning, and lowering that without knowing it would be wrong
 * code. The one exception is the offset of exit, which no kernel ever looked at.
 */
#include "bpfcc/encoding.h"

#include <stdbool.h>
#include <stddef.h>

#include "bpfcc/isa.h"

#define RESERVED "a field that this instruction does not use is not zero"
#define NO_REGISTER "there are registers r0 to r10 only"
static const char unknown_insn[] = "unknown instruction";
#define UNKNOWN unknown_insn
static const char division_by_zero[] = "division by zero";
static const char wide_shift[] = "the shift is wider than the register";

static const char *alu_end(const struct bpf_insn *in)
{
	if (in->src_reg || in->off)
		return RESERVED;
	if (BPF_CLASS(in->code) == BPF_ALU64 && BPF_SRC(in->code) != BPF_TO_LE)
		return UNKNOWN;
	if (in->imm != 16 && in->imm != 32 && in->imm != 64)
		return "a byte swap is of 16, 32 or 64 bits";
	return NULL;
}

static const char *alu_mov(const struct bpf_insn *in)
{
	bool is64 = BPF_CLASS(in->code) == BPF_ALU64;

	if (BPF_SRC(in->code) == BPF_K)
		return in->src_reg || in->off ? RESERVED : NULL;
	if (bpfcc_insn_is_cast(in))
		return NULL;
	if (is64 && in->off == BPFCC_CAST_OFF)
		return "addr_space_cast is from address space 1 to 0, or from 0 to 1";
	if (in->imm)
		return RESERVED;
	if (!in->off || in->off == 8 || in->off == 16 || (is64 && in->off == 32))
		return NULL;
	return "a sign-extending move is from 8, 16 or 32 bits";
}

static const char *alu(const struct bpf_insn *in, const char **ret_hint)
{
	bool is64 = BPF_CLASS(in->code) == BPF_ALU64, is_k = BPF_SRC(in->code) == BPF_K;
	uint8_t op = BPF_OP(in->code);

	if (in->dst_reg == BPF_REG_10)
		return "r10, the frame pointer, is read-only";
	switch (op) {
	case BPF_END:
		return alu_end(in);
	case BPF_MOV:
		return alu_mov(in);
	case BPF_NEG:
		if (!is_k)
			return UNKNOWN;
		return in->src_reg || in->off || in->imm ? RESERVED : NULL;
	case BPF_DIV:
	case BPF_MOD:
		if (in->off != 0 && in->off != 1)
			return RESERVED;
		break;
	case BPF_ADD: case BPF_SUB: case BPF_MUL: case BPF_OR: case BPF_AND:
	case BPF_LSH: case BPF_RSH: case BPF_XOR: case BPF_ARSH:
		if (in->off)
			return RESERVED;
		break;
	default:
		return UNKNOWN;
	}
	if (!is_k)
		return in->imm ? RESERVED : NULL;
	if (in->src_reg)
		return RESERVED;
	if ((op == BPF_DIV || op == BPF_MOD) && !in->imm) {
		*ret_hint = "the divisor is 0 in the source, or became 0 by constant folding";
		return division_by_zero;
	}
	if ((op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH) &&
	    (in->imm < 0 || in->imm >= (is64 ? 64 : 32)))
		return wide_shift;
	return NULL;
}

static const char *load_constant(const struct bpfcc_func *func, uint32_t insn,
				 const char **ret_hint)
{
	const struct bpf_insn *in = &func->insns[insn];

	if (BPF_MODE(in->code) == BPF_ABS || BPF_MODE(in->code) == BPF_IND) {
		*ret_hint = "a probe has no packet";
		return "legacy packet access is not supported";
	}
	if (in->code != BPFCC_LDDW)
		return UNKNOWN;
	if (insn + 1 >= func->nr_insns || in[1].code)
		return "the second half of a 16-byte instruction is missing";
	if (in->off || in[1].dst_reg || in[1].src_reg || in[1].off)
		return RESERVED;
	if (in->dst_reg == BPF_REG_10)
		return "r10, the frame pointer, is read-only";
	switch (in->src_reg) {
	case 0:
	case BPF_PSEUDO_MAP_VALUE:
		return NULL;
	case BPF_PSEUDO_MAP_FD:
	case BPF_PSEUDO_FUNC:
		return in[1].imm ? RESERVED : NULL;
	case BPF_PSEUDO_BTF_ID:
		return "variables of the kernel have no address here";
	case BPF_PSEUDO_MAP_IDX:
	case BPF_PSEUDO_MAP_IDX_VALUE:
		*ret_hint = "name the map, as libbpf's objects do";
		return "there is no list of maps that a number could be an index of";
	default:
		return UNKNOWN;
	}
}

static const char *atomic(const struct bpf_insn *in)
{
	if (BPF_SIZE(in->code) != BPF_W && BPF_SIZE(in->code) != BPF_DW &&
	    in->imm != BPF_LOAD_ACQ && in->imm != BPF_STORE_REL)
		return "an atomic operation is of 32 or 64 bits";
	switch (in->imm) {
	case BPF_ADD: case BPF_OR: case BPF_AND: case BPF_XOR:
	case BPF_STORE_REL:
		return NULL;
	case BPF_ADD | BPF_FETCH: case BPF_OR | BPF_FETCH: case BPF_AND | BPF_FETCH:
	case BPF_XOR | BPF_FETCH: case BPF_XCHG:
		return in->src_reg == BPF_REG_10 ? "r10, the frame pointer, is read-only" : NULL;
	case BPF_CMPXCHG:
		return NULL;
	case BPF_LOAD_ACQ:
		return in->dst_reg == BPF_REG_10 ? "r10, the frame pointer, is read-only" : NULL;
	default:
		return "unknown atomic operation";
	}
}

static const char *memory(const struct bpf_insn *in)
{
	uint8_t class = BPF_CLASS(in->code), mode = BPF_MODE(in->code);

	if (class == BPF_STX && mode == BPF_ATOMIC)
		return atomic(in);
	if (class == BPF_LDX && mode == BPFCC_MEMSX) {
		if (BPF_SIZE(in->code) == BPF_DW)
			return UNKNOWN;
	} else if (mode != BPF_MEM) {
		return UNKNOWN;
	}
	if (class == BPF_ST)
		return in->src_reg ? RESERVED : NULL;
	if (in->imm)
		return RESERVED;
	if (class == BPF_LDX && in->dst_reg == BPF_REG_10)
		return "r10, the frame pointer, is read-only";
	return NULL;
}

static const char *call(const struct bpf_insn *in)
{
	if (bpfcc_insn_is_callx(in)) {
		if (in->src_reg || in->off || (in->dst_reg && in->imm))
			return RESERVED;
		if (in->imm < 0 || in->imm >= BPF_REG_10 || in->dst_reg == BPF_REG_10)
			return NO_REGISTER;
		return NULL;
	}
	if (in->code != (BPF_JMP | BPF_CALL))
		return UNKNOWN;
	if (in->dst_reg || in->off)
		return RESERVED;
	if (in->src_reg > BPF_PSEUDO_KFUNC_CALL)
		return UNKNOWN;
	return NULL;
}

static const char *jump(const struct bpf_insn *in)
{
	bool is32 = BPF_CLASS(in->code) == BPF_JMP32;

	switch (BPF_OP(in->code)) {
	case BPF_JA:
		if (BPF_SRC(in->code) != BPF_K)
			return UNKNOWN;
		return in->dst_reg || in->src_reg || (is32 ? in->off : in->imm) ? RESERVED : NULL;
	case BPF_CALL:
		return call(in);
	case BPF_EXIT:
		if (in->code != (BPF_JMP | BPF_EXIT))
			return UNKNOWN;
		return in->dst_reg || in->src_reg || in->imm ? RESERVED : NULL;
	case BPF_JEQ: case BPF_JGT: case BPF_JGE: case BPF_JSET: case BPF_JNE: case BPF_JSGT:
	case BPF_JSGE: case BPF_JLT: case BPF_JLE: case BPF_JSLT: case BPF_JSLE:
		break;
	case BPFCC_JCOND:
		if (in->code != (BPF_JMP | BPFCC_JCOND))
			return UNKNOWN;
		return in->dst_reg || in->src_reg != BPFCC_MAY_GOTO || in->imm ? RESERVED : NULL;
	default:
		return UNKNOWN;
	}
	if (BPF_SRC(in->code) == BPF_K)
		return in->src_reg ? RESERVED : NULL;
	return in->imm ? RESERVED : NULL;
}

const char *bpfcc_encoding_problem(const struct bpfcc_func *func, uint32_t insn,
				   const char **ret_hint)
{
	const struct bpf_insn *in = &func->insns[insn];

	*ret_hint = NULL;
	if (in->dst_reg > BPF_REG_10 || in->src_reg > BPF_REG_10)
		return NO_REGISTER;
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return alu(in, ret_hint);
	case BPF_LD:
		return load_constant(func, insn, ret_hint);
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		return memory(in);
	default:
		return jump(in);
	}
}

bool bpfcc_encoding_has_meaning(const char *problem)
{
	return problem == division_by_zero || problem == wide_shift;
}

const char *bpfcc_encoding_broken(const struct bpfcc_func *func, uint32_t insn,
				  const char **ret_hint)
{
	const struct bpf_insn *in = &func->insns[insn];
	struct bpf_insn plain[2] = {{.code = in->code}};
	struct bpfcc_func one = {.insns = plain, .nr_insns = 1};
	const char *problem;

	*ret_hint = NULL;
	if (in->dst_reg > BPF_REG_10 || in->src_reg > BPF_REG_10)
		return NO_REGISTER;
	/* a field like any other one, but here it names a register */
	if (bpfcc_insn_is_callx(in) && !in->dst_reg && (in->imm < 0 || in->imm > BPF_REG_10))
		return NO_REGISTER;
	if (BPF_CLASS(in->code) == BPF_LD) {
		plain[0] = *in;
		plain[0].off = 0;
		plain[0].dst_reg = BPF_REG_0;
		if (insn + 1 < func->nr_insns)
			plain[one.nr_insns++] = in[1];
		return load_constant(&one, 0, ret_hint);
	}
	problem = bpfcc_encoding_problem(&one, 0, ret_hint);
	*ret_hint = NULL;
	return problem == unknown_insn ? problem : NULL;
}
