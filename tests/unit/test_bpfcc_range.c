/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intervals are sound: whatever values the operands have, the result is in the interval of the result, and
 * a branch that a value takes is one that its interval can take. Every instruction, intervals around all
 * the corners of 8, 16, 32 and 64 bits, values at their ends and inside.
 */
#include "bpfcc_fixture.h"

#include "bpfcc/kinds_int.h"

static uint64_t random_state = 1;

static uint64_t random_u64(void)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return random_state ^ random_state >> 29;
}

static int64_t corner(void)
{
	static const int64_t corners[] = {0, 7, 63, 127, 255, 32767, 65535, INT32_MAX, UINT32_MAX,
					  1ll << 40, INT64_MAX, INT64_MIN, INT32_MIN, -1, -128, -512};
	uint64_t r = random_u64();

	return (int64_t)((uint64_t)corners[r % 16] + (r >> 8) % 7 - 3);
}

static struct range some_range(void)
{
	int64_t a = corner(), b = random_u64() % 3 ? corner() : a;

	return a < b ? (struct range){a, b} : (struct range){b, a};
}

static int64_t some_value(struct range r)
{
	uint64_t span = (uint64_t)r.max - (uint64_t)r.min, pick = random_u64();

	switch (pick % 4) {
	case 0:
		return r.min;
	case 1:
		return r.max;
	default:
		return span == UINT64_MAX ? (int64_t)random_u64()
					  : (int64_t)((uint64_t)r.min + random_u64() % (span + 1));
	}
}

static struct range only(int64_t value)
{
	return (struct range){value, value};
}

static void try_alu(const struct bpf_insn *in)
{
	for (int round = 0; round < 3000; round++) {
		struct range a = some_range(), b = some_range(), r;
		int64_t x, y, z;

		if (BPF_SRC(in->code) == BPF_K && BPF_OP(in->code) != BPF_END)
			b = only(in->imm);
		r = kinds_range_alu(in, a, b);
		x = some_value(a);
		y = some_value(b);
		z = kinds_range_alu(in, only(x), only(y)).min;
		if (z < r.min || z > r.max)
			fail_msg("code %#x off %d imm %d: %lld in [%lld, %lld] and %lld in [%lld, %lld] "
				 "give %lld, not in [%lld, %lld]",
				 in->code, in->off, in->imm, (long long)x, (long long)a.min,
				 (long long)a.max, (long long)y, (long long)b.min, (long long)b.max,
				 (long long)z, (long long)r.min, (long long)r.max);
	}
}

static void test_alu(void **unused)
{
	static const uint8_t ops[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,  BPF_AND, BPF_LSH,
				      BPF_RSH, BPF_MOD, BPF_XOR, BPF_MOV, BPF_ARSH};
	static const uint8_t classes[] = {BPF_ALU64, BPF_ALU};
	static const int imms[] = {1, 2, 8, 31, -1, 255, INT32_MAX, INT32_MIN};

	(void)unused;
	for (size_t c = 0; c < 2; c++) {
		for (size_t i = 0; i < sizeof(ops); i++) {
			bool is_shift = ops[i] == BPF_LSH || ops[i] == BPF_RSH || ops[i] == BPF_ARSH;
			bool has_sign = ops[i] == BPF_DIV || ops[i] == BPF_MOD;

			for (int off = 0; off <= has_sign; off++) {
				try_alu(&INSN(classes[c] | ops[i] | BPF_X, 1, 2, off, 0));
				for (size_t k = 0; k < (is_shift ? 4 : 8); k++)
					try_alu(&INSN(classes[c] | ops[i] | BPF_K, 1, 0, off, imms[k]));
			}
		}
		for (int bits = 8; bits <= (c ? 16 : 32); bits *= 2)
			try_alu(&INSN(classes[c] | BPF_MOV | BPF_X, 1, 2, bits, 0));
		for (int bits = 16; bits <= 64; bits *= 2)
			try_alu(&INSN(classes[c] | BPF_END, 1, 0, 0, bits));
		try_alu(&INSN(classes[c] | BPF_NEG, 1, 0, 0, 0));
	}
	try_alu(&INSN(BPF_ALU | BPF_END | BPF_TO_BE, 1, 0, 0, 16));
}

static bool is_taken(const struct bpf_insn *in, int64_t x, int64_t y)
{
	bool is32 = BPF_CLASS(in->code) == BPF_JMP32;
	uint64_t a = is32 ? (uint32_t)x : (uint64_t)x, b = is32 ? (uint32_t)y : (uint64_t)y;
	int64_t s = is32 ? (int32_t)x : x, t = is32 ? (int32_t)y : y;

	switch (BPF_OP(in->code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSGT:
		return s > t;
	case BPF_JSGE:
		return s >= t;
	case BPF_JSLT:
		return s < t;
	case BPF_JSLE:
		return s <= t;
	default:
		return (a & b) != 0;
	}
}

static void test_branches(void **unused)
{
	static const uint8_t ops[] = {BPF_JEQ,	BPF_JNE,  BPF_JGT,  BPF_JGE,  BPF_JLT, BPF_JLE,
				      BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE, BPF_JSET};
	unsigned int nr_narrowed = 0;

	(void)unused;
	for (size_t i = 0; i < 2 * sizeof(ops); i++) {
		const struct bpf_insn in =
			INSN((i % 2 ? BPF_JMP : BPF_JMP32) | ops[i / 2] | BPF_X, 1, 2, 0, 0);

		for (int round = 0; round < 20000; round++) {
			struct range a = some_range(), b = some_range(), left = a;
			int64_t x = some_value(a), y = some_value(b);
			bool taken = is_taken(&in, x, y);
			bool possible = kinds_range_refine(&in, taken, &left, b);

			if (!possible || x < left.min || x > left.max)
				fail_msg("code %#x, %s: %lld in [%lld, %lld], %lld in [%lld, %lld]: "
					 "%d, [%lld, %lld]",
					 in.code, taken ? "taken" : "not taken", (long long)x,
					 (long long)a.min, (long long)a.max, (long long)y,
					 (long long)b.min, (long long)b.max, possible,
					 (long long)left.min, (long long)left.max);
			nr_narrowed += left.min != a.min || left.max != a.max;
		}
	}
	/* knowing nothing would be sound, too */
	assert_true(nr_narrowed > 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alu),
		cmocka_unit_test(test_branches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
