/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutations that know what an instruction is: most random bytes are no program, and never get past
 * the first check. Fields take values that matter (insn.c); whole pieces of programs, with what verifiers
 * ask for (a test for NULL, a bound, a release), are put in; jumps and calls go on leading to where
 * they led when something is put in or taken out before it.
 */
#include <string.h>

#include "bpfcc/isa.h"
#include "tests/fuzz/dice.h"
#include "tests/fuzz/fuzz.h"

/* ---- putting in and taking out ---- */

static bool has_off_target(const uint8_t *insn)
{
	struct bpf_insn in = {.code = insn[0]};

	return bpfcc_insn_is_branch(&in) || in.code == (BPF_JMP | BPF_JA);
}

static bool has_imm_target(const uint8_t *insn)
{
	return insn[0] == (BPF_JMP32 | BPF_JA) ||
	       (insn[0] == (BPF_JMP | BPF_CALL) && insn[1] >> 4 == BPF_PSEUDO_CALL) ||
	       (insn[0] == BPFCC_LDDW && insn[1] >> 4 == BPF_PSEUDO_FUNC);
}

/*
 * Instructions [at, at + nr) are about to be put in (nr > 0) or taken out (nr < 0): every distance
 * across changes. What leads to `at` itself leads to what is put in, so that loops run through it.
 */
static void shift_targets(uint8_t *insns, int64_t nr_insns, int64_t at, int64_t nr)
{
	for (int64_t i = 0; i < nr_insns; i++) {
		uint8_t *insn = insns + 8 * i;
		int64_t from = i + 1, to;
		int16_t off;
		int32_t imm;

		memcpy(&off, insn + 2, sizeof(off));
		memcpy(&imm, insn + 4, sizeof(imm));
		if (!has_off_target(insn) && !has_imm_target(insn))
			continue;
		to = from + (has_off_target(insn) ? off : imm);
		if (to > at)
			to = to + nr < at ? at : to + nr;
		if (i >= at)
			from += nr;
		off = (int16_t)(to - from);
		imm = (int32_t)(to - from);
		if (has_off_target(insn))
			memcpy(insn + 2, &off, sizeof(off));
		else
			memcpy(insn + 4, &imm, sizeof(imm));
	}
}

static size_t put_in(uint8_t *data, size_t bytes, size_t max_bytes, size_t at,
		     const uint8_t *insns, size_t nr)
{
	if (bytes + 8 * nr > max_bytes)
		return bytes;
	shift_targets(data + 1, (int64_t)(bytes - 1) / 8, (int64_t)at, (int64_t)nr);
	memmove(data + 1 + 8 * (at + nr), data + 1 + 8 * at, bytes - 1 - 8 * at);
	memcpy(data + 1 + 8 * at, insns, 8 * nr);
	return bytes + 8 * nr;
}

static size_t take_out(uint8_t *data, size_t bytes, size_t at, size_t nr)
{
	if (8 * (at + nr) >= bytes - 1)
		return bytes;
	shift_targets(data + 1, (int64_t)(bytes - 1) / 8, (int64_t)at, -(int64_t)nr);
	memmove(data + 1 + 8 * at, data + 1 + 8 * (at + nr), bytes - 1 - 8 * (at + nr));
	return bytes - 8 * nr;
}

/* ---- pieces of programs ---- */

#define I(c, d, s, o, i) {.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)}
#define LDDW(d, kind, low, high) I(BPFCC_LDDW, d, kind, 0, low), I(0, 0, 0, 0, high)
#define CALL(id) I(0x85, 0, 0, 0, id)
#define KCALL(index) I(0x85, 0, BPF_PSEUDO_KFUNC_CALL, 0, index) /* in rt/helpers.def */
#define MOV(d, s) I(0xbf, d, s, 0, 0)
#define NUM(d, i) I(0xb7, d, 0, 0, i)
#define ADD(d, i) I(0x07, d, 0, 0, i)
#define LOAD(d, s, o) I(0x79, d, s, o, 0)
#define STORE(d, o, s) I(0x7b, d, s, o, 0)
#define KEY(slot) I(0x7a, 10, 0, -8 * (slot), 0), MOV(2, 10), ADD(2, -8 * (slot))

#define PIECE_INSNS 14

static const struct bpf_insn pieces[][PIECE_INSNS] = {
	{LOAD(6, 1, 112), LOAD(7, 1, 0)},
	{MOV(6, 1), NUM(0, 0)},
	/* spilled and filled, whole and in parts */
	{STORE(10, -16, 6), LOAD(8, 10, -16)},
	{STORE(10, -16, 6), I(0x61, 8, 10, -16, 0)},
	{I(0x63, 10, 6, -16, 0), I(0x63, 10, 7, -12, 0), LOAD(8, 10, -16)},
	/* a bound, in each width */
	{I(0x25, 6, 0, 1, 39), I(0x05, 0, 0, 1, 0), NUM(6, 3)},
	{I(0x65, 6, 0, 1, 39), I(0x75, 6, 0, 1, 0), NUM(6, 3)},
	{I(0x57, 6, 0, 0, 31)},
	{I(0x54, 6, 0, 0, 0x3f), I(0x77, 6, 0, 0, 1)},
	{I(0x97, 6, 0, 0, 40)},
	{I(0xbc, 7, 6, 0, 0), I(0x26, 7, 0, 1, 16), I(0x16, 7, 0, 1, 5), NUM(7, 3)},
	{MOV(8, 6), I(0x07, 8, 0, 0, 4), I(0x25, 8, 0, 1, 20), I(0x05, 0, 0, 1, 0), NUM(6, 1)},
	{I(0xbc, 8, 6, 0, 0), I(0x04, 8, 0, 0, -4), I(0x26, 8, 0, 1, 20), I(0x05, 0, 0, 1, 0),
	 NUM(6, 5)},
	{I(0xbc, 8, 6, 0, 0), I(0x04, 8, 0, 0, 8), I(0xa6, 8, 0, 1, 20), NUM(6, 5), MOV(7, 6)},
	{I(0x1d, 6, 7, 1, 0), MOV(6, 7)},
	{I(0x2d, 7, 6, 1, 0), I(0xbd, 7, 6, 1, 0), NUM(6, 0)},
	/* sign extensions, swaps, products */
	{I(0xbf, 6, 6, 8, 0), I(0xbf, 7, 6, 32, 0)},
	{I(0x67, 6, 0, 0, 56), I(0xc7, 6, 0, 0, 56)},
	{I(0xd7, 6, 0, 0, 16), I(0x2f, 6, 6, 0, 0)},
	/* a value of the array, at a number */
	{KEY(1), LDDW(1, 1, 0, 0), CALL(1), I(0x15, 0, 0, 3, 0), I(0x57, 6, 0, 0, 31),
	 I(0x0f, 0, 6, 0, 0), I(0x73, 0, 6, 16, 0)},
	{KEY(1), LDDW(1, 1, 1, 0), CALL(1), I(0x55, 0, 0, 1, 0), I(0x95, 0, 0, 0, 0), MOV(9, 0),
	 LOAD(7, 9, 8)},
	/* the globals, at a number */
	{LDDW(8, 2, 5, 8), I(0x57, 6, 0, 0, 0xff), I(0x0f, 8, 6, 0, 0), I(0x71, 7, 8, 0, 0)},
	{LDDW(8, 2, 5, 0), I(0xdb, 8, 7, 8, 1), I(0xdb, 8, 6, 16, 0xe1), I(0xdb, 8, 0, 0, 0xf1)},
	{LDDW(7, 2, 4, 8), LOAD(7, 7, 0)},
	/* the stack, at a number */
	{I(0x57, 6, 0, 0, 7), MOV(7, 10), I(0x0f, 7, 6, 0, 0), I(0x73, 7, 6, -16, 0),
	 LOAD(8, 10, -16)},
	/* an update, and a record */
	{KEY(1), I(0x7a, 10, 0, -32, 7), I(0x7a, 10, 0, -24, 7), I(0x7a, 10, 0, -16, 7), MOV(3, 10),
	 ADD(3, -32), NUM(4, 0), LDDW(1, 1, 1, 0), CALL(2)},
	{LDDW(1, 1, 6, 0), NUM(2, 16), NUM(3, 0), CALL(131), I(0x15, 0, 0, 4, 0), MOV(1, 0),
	 STORE(1, 8, 1), NUM(2, 0), CALL(132)},
	{LDDW(1, 1, 6, 0), MOV(2, 10), ADD(2, -16), NUM(3, 16), NUM(4, 0), CALL(130)},
	{MOV(1, 6), LDDW(2, 1, 11, 0), NUM(3, -1), MOV(4, 10), ADD(4, -16), NUM(5, 16), CALL(25)},
	/* maps without keys, and a trie's key */
	{I(0x7a, 10, 0, -16, 7), MOV(2, 10), ADD(2, -16), LDDW(1, 1, 13, 0), NUM(3, 2), CALL(87)},
	{MOV(2, 10), ADD(2, -16), LDDW(1, 1, 13, 0), CALL(88), LOAD(7, 10, -16)},
	{I(0x7a, 10, 0, -16, 7), MOV(2, 10), ADD(2, -16), LDDW(1, 1, 15, 0), CALL(89)},
	{I(0x62, 10, 0, -8, 32), I(0x63, 10, 6, -4, 0), MOV(2, 10), ADD(2, -8), LDDW(1, 1, 14, 0),
	 CALL(1)},
	/* loops */
	{NUM(6, 0), ADD(6, 1), I(0xa5, 6, 0, -2, 9)},
	{I(0xe5, 0, 0, 2, 0), ADD(6, 1), I(0x05, 0, 0, -3, 0)},
	{NUM(7, 0), I(0xe5, 0, 0, 3, 0), I(0x07, 7, 0, 0, 1), I(0xa5, 7, 0, -3, 12)},
	/* a call, and a callback; the function is to be found by fields that change */
	{MOV(1, 6), MOV(2, 10), ADD(2, -8), I(0x85, 0, 1, 0, 3)},
	{NUM(1, 5), LDDW(2, 4, 8, 0), MOV(3, 10), ADD(3, -16), NUM(4, 0), CALL(181)},
	{LDDW(1, 1, 0, 0), LDDW(2, 4, 6, 0), MOV(3, 10), NUM(4, 0), CALL(164)},
	/* calls of what a register holds: a helper's number, a function's address */
	{NUM(6, 5), I(0x8d, 6, 0, 0, 0)},
	{MOV(1, 6), LDDW(7, 4, 4, 0), I(0x8d, 7, 0, 0, 0)},
	/* an end, and the beginnings of a function and of a callback */
	{NUM(0, 0), I(0x95, 0, 0, 0, 0)},
	{NUM(0, 0), I(0x95, 0, 0, 0, 0), STORE(2, 0, 1), MOV(0, 1), I(0x95, 0, 0, 0, 0)},
	{NUM(0, 0), I(0x95, 0, 0, 0, 0), LOAD(3, 2, 0), ADD(3, 1), STORE(2, 0, 3), NUM(0, 0),
	 I(0x95, 0, 0, 0, 0)},
	/* memory of the target, numbers in text, a tail call */
	{MOV(1, 10), ADD(1, -16), NUM(2, 16), MOV(3, 6), CALL(112), LOAD(7, 10, -16)},
	{MOV(1, 10), ADD(1, -16), NUM(2, 16), MOV(3, 6), CALL(114), I(0x65, 0, 0, 1, 16)},
	{MOV(1, 10), ADD(1, -16), NUM(2, 16), NUM(3, 0), MOV(4, 10), ADD(4, -8), CALL(105)},
	{MOV(1, 6), LDDW(2, 1, 8, 0), NUM(3, 0), CALL(12)},
	/* a dynptr */
	{LDDW(1, 2, 5, 0), NUM(2, 64), NUM(3, 0), MOV(4, 10), ADD(4, -24), CALL(197), MOV(1, 10),
	 ADD(1, -24), NUM(2, 8), NUM(3, 16), CALL(203)},
	{I(0x15, 0, 0, 1, 0), LOAD(7, 0, 8)},
	/* a loop through an iterator */
	{MOV(1, 10), ADD(1, -40), NUM(2, 0), NUM(3, 5), KCALL(4), MOV(1, 10), ADD(1, -40), KCALL(5),
	 I(0x15, 0, 0, 2, 0), I(0x61, 6, 0, 0, 0), I(0x05, 0, 0, -6, 0), MOV(1, 10), ADD(1, -40),
	 KCALL(6)},
	/* pages of an arena, and addresses in it */
	{LDDW(1, 1, 20, 0), NUM(2, 0), NUM(3, 1), NUM(4, -1), NUM(5, 0), KCALL(2),
	 I(0xbf, 0, 0, 1, 1), STORE(0, 8, 6), LOAD(7, 0, 0), MOV(9, 0)},
	{LDDW(1, 1, 20, 0), MOV(2, 9), NUM(3, 1), KCALL(3)},
	{I(0xbf, 6, 9, 1, 1), I(0x79, 7, 6, 16, 0), I(0x71, 8, 6, 4095, 0)},
	{I(0xbf, 9, 6, 1, 1 << 16), I(0x0f, 9, 7, 0, 0)},
	/* what a dynptr's kernel functions take */
	{MOV(1, 10), ADD(1, -24), NUM(2, 8), NUM(3, 24), KCALL(7)},
	{MOV(1, 10), ADD(1, -24), MOV(2, 10), ADD(2, -64), KCALL(11)},
	{MOV(1, 10), ADD(1, -24), NUM(2, 8), MOV(3, 10), ADD(3, -80), NUM(4, 8), KCALL(12),
	 I(0x15, 0, 0, 1, 0), LOAD(7, 0, 0)},
	{MOV(1, 10), ADD(1, -24), NUM(2, 0), MOV(3, 10), ADD(3, -64), NUM(4, 4), NUM(5, 16), KCALL(14)},
	{MOV(1, 10), ADD(1, -24), NUM(2, 4), NUM(3, 8), NUM(4, 171), KCALL(15)},
	/* strings, and sections without preemption */
	{I(0x7a, 10, 0, -16, 0x62616261), MOV(1, 10), ADD(1, -16), MOV(2, 10), ADD(2, -14), KCALL(26),
	 I(0x65, 0, 0, 1, 16)},
	{MOV(1, 10), ADD(1, -64), NUM(2, 16), MOV(3, 6), NUM(4, 0), KCALL(28)},
	{KCALL(29), KCALL(31), LOAD(7, 10, -8), KCALL(32), KCALL(30)},
	{KCALL(0), I(0x15, 0, 0, 3, 0), KCALL(1), LOAD(7, 0, 0), STORE(0, 0, 6)},
};

static size_t put_in_piece(struct dice *d, uint8_t *data, size_t bytes, size_t max_bytes, size_t at)
{
	const struct bpf_insn *piece = pieces[roll(d, sizeof(pieces) / sizeof(pieces[0]))];
	uint8_t insns[8 * PIECE_INSNS];
	size_t nr = PIECE_INSNS;

	while (nr > 1 && !piece[nr - 1].code && !(nr > 1 && piece[nr - 2].code == BPFCC_LDDW))
		nr--;
	memcpy(insns, piece, 8 * nr);
	return put_in(data, bytes, max_bytes, at, insns, nr);
}

/* ---- libFuzzer's ---- */

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t max_bytes, unsigned int seed)
{
	struct dice d = {seed};
	size_t nr = bytes > 8 ? (bytes - 1) / 8 : 0, at, other;
	uint8_t copy[8];

	if (!nr || max_bytes < 17 || !roll(&d, 32))
		return LLVMFuzzerMutate(data, bytes, max_bytes);
	bytes = 1 + 8 * nr;
	at = roll(&d, (uint32_t)nr);
	other = roll(&d, (uint32_t)nr);
	switch (roll(&d, 12)) {
	case 0:
		data[0] ^= (uint8_t)(1u << roll(&d, FUZZ_NR_CHOICES));
		return bytes;
	case 1:
		memcpy(copy, data + 1 + 8 * other, 8);
		return put_in(data, bytes, max_bytes, at, copy, 1);
	case 2:
		return take_out(data, bytes, at, 1 + roll(&d, 3));
	case 3:
		memcpy(data + 1 + 8 * at, data + 1 + 8 * other, 8);
		return bytes;
	case 4:
	case 5:
	case 6:
		return put_in_piece(&d, data, bytes, max_bytes, at);
	default:
		break;
	}
	do
		fuzz_change_insn(&d, data + 1 + 8 * (size_t)roll(&d, (uint32_t)nr));
	while (!roll(&d, 3));
	return bytes;
}

/* A stretch of the second program, put into the first. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data, size_t bytes, const uint8_t *other,
				 size_t other_bytes, uint8_t *out, size_t max_bytes,
				 unsigned int seed)
{
	struct dice d = {seed};
	size_t nr = bytes > 8 ? (bytes - 1) / 8 : 0;
	size_t nr_other = other_bytes > 8 ? (other_bytes - 1) / 8 : 0;
	size_t from, length;

	if (!nr || !nr_other || 1 + 8 * nr > max_bytes)
		return 0;
	memcpy(out, data, 1 + 8 * nr);
	from = roll(&d, (uint32_t)nr_other);
	length = 1 + roll(&d, (uint32_t)(nr_other - from));
	return put_in(out, 1 + 8 * nr, max_bytes, roll(&d, (uint32_t)nr), other + 1 + 8 * from,
		      length);
}
