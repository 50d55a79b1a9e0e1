/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic and conditions of RFC 9669 on concrete values, written from the standard and apart from
 * the verifier's ranges. Adding a number to a pointer, or taking one away, gives a pointer;
 * everything else gives a number.
 */
#include "bpfcc/run/interp_int.h"

#define SIGNED_DIV 1

static uint64_t divide(bool is_wide, bool is_mod, bool is_signed, uint64_t x, uint64_t y)
{
	int64_t sx = is_wide ? (int64_t)x : (int32_t)x, sy = is_wide ? (int64_t)y : (int32_t)y;

	if (!y)
		return is_mod ? x : 0;
	if (!is_signed)
		return is_mod ? x % y : x / y;
	if (sy == -1)
		return is_mod ? 0 : 0 - (uint64_t)sx;
	return (uint64_t)(is_mod ? sx % sy : sx / sy);
}

static uint64_t sign_extend(uint64_t x, unsigned int bits)
{
	uint64_t sign = (uint64_t)1 << (bits - 1), mask = 2 * sign - 1;

	return ((x & mask) ^ sign) - sign;
}

static uint64_t byte_order(const struct bpf_insn *in, uint64_t x)
{
	bool swaps = BPF_CLASS(in->code) == BPF_ALU64 || BPF_SRC(in->code) == BPF_TO_BE;

	switch (in->imm) {
	case 16:
		return swaps ? __builtin_bswap16((uint16_t)x) : (uint16_t)x;
	case 32:
		return swaps ? __builtin_bswap32((uint32_t)x) : (uint32_t)x;
	default:
		return swaps ? __builtin_bswap64(x) : x;
	}
}

static bool compute(const struct bpf_insn *in, bool is_wide, uint64_t x, uint64_t y, uint64_t *ret)
{
	unsigned int count = y & (is_wide ? 63 : 31);

	switch (BPF_OP(in->code)) {
	case BPF_ADD:
		*ret = x + y;
		return true;
	case BPF_SUB:
		*ret = x - y;
		return true;
	case BPF_MUL:
		*ret = x * y;
		return true;
	case BPF_DIV:
	case BPF_MOD:
		*ret = divide(is_wide, BPF_OP(in->code) == BPF_MOD, in->off == SIGNED_DIV, x, y);
		return true;
	case BPF_OR:
		*ret = x | y;
		return true;
	case BPF_AND:
		*ret = x & y;
		return true;
	case BPF_XOR:
		*ret = x ^ y;
		return true;
	case BPF_LSH:
		*ret = x << count;
		return true;
	case BPF_RSH:
		*ret = x >> count;
		return true;
	case BPF_ARSH:
		*ret = is_wide ? (uint64_t)((int64_t)x >> count)
			       : (uint64_t)((int64_t)(int32_t)x >> count);
		return true;
	case BPF_NEG:
		*ret = 0 - x;
		return true;
	case BPF_MOV:
		*ret = in->off == 8 || in->off == 16 || in->off == 32
			       ? sign_extend(y, (unsigned int)in->off)
			       : y;
		return true;
	default:
		return false;
	}
}

/* Which of the operands' things the result points into. */
static uint32_t thing_of(const struct bpf_insn *in, const struct value *dst, const struct value *src)
{
	if (BPF_CLASS(in->code) != BPF_ALU64)
		return 0;
	switch (BPF_OP(in->code)) {
	case BPF_MOV:
		return in->off ? 0 : src->thing;
	case BPF_ADD:
		return !src->thing ? dst->thing : !dst->thing ? src->thing : 0;
	case BPF_SUB:
		return src->thing ? 0 : dst->thing;
	default:
		return 0;
	}
}

bool interp_alu(const struct bpf_insn *in, struct value *dst, const struct value *src)
{
	bool is_wide = BPF_CLASS(in->code) == BPF_ALU64;
	uint64_t x = is_wide ? dst->num : (uint32_t)dst->num;
	uint64_t y = is_wide ? src->num : (uint32_t)src->num, result;
	uint32_t thing = thing_of(in, dst, src);

	if (BPF_OP(in->code) == BPF_END)
		result = byte_order(in, dst->num);
	else if (!compute(in, is_wide, x, y, &result))
		return false;
	else if (!is_wide)
		result = (uint32_t)result;
	*dst = (struct value){.num = result, .thing = thing, .is_set = true};
	return true;
}

int interp_condition(const struct bpf_insn *in, uint64_t x, uint64_t y)
{
	int64_t sx = (int64_t)x, sy = (int64_t)y;

	if (BPF_CLASS(in->code) == BPF_JMP32) {
		x = (uint32_t)x;
		y = (uint32_t)y;
		sx = (int32_t)x;
		sy = (int32_t)y;
	}
	switch (BPF_OP(in->code)) {
	case BPF_JEQ:
		return x == y;
	case BPF_JNE:
		return x != y;
	case BPF_JSET:
		return (x & y) != 0;
	case BPF_JGT:
		return x > y;
	case BPF_JGE:
		return x >= y;
	case BPF_JLT:
		return x < y;
	case BPF_JLE:
		return x <= y;
	case BPF_JSGT:
		return sx > sy;
	case BPF_JSGE:
		return sx >= sy;
	case BPF_JSLT:
		return sx < sy;
	case BPF_JSLE:
		return sx <= sy;
	default:
		return -1;
	}
}
