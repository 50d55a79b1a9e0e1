/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges against the sets that they stand for. All intervals and all tnums of a small width, placed
 * where numbers of 8, 16, 32 and 64 bits change sign or carry, through every operation, branch and
 * refinement: what a concrete value does must be possible for its range. Random runs over all 64
 * bits, the laws of sets, and deductions that must be made.
 *
 * INLAY_TEST_LONG=1: wider and longer. INLAY_TEST_SEED=N: that random run.
 */
#include "verify_fixture.h"

#include <string.h>

#include "bpfcc/isa.h"
#include "bpfcc/verify/range.h"

/* ---- the instructions on concrete numbers, after RFC 9669 ---- */

static uint64_t do_div(bool is_signed, bool is_mod, unsigned int bits, uint64_t x, uint64_t y)
{
	int64_t sx = bits == 64 ? (int64_t)x : (int32_t)x, sy = bits == 64 ? (int64_t)y : (int32_t)y;

	if (bits == 32) {
		x = (uint32_t)x;
		y = (uint32_t)y;
	}
	if (!y)
		return is_mod ? x : 0;
	if (!is_signed)
		return is_mod ? x % y : x / y;
	if (sy == -1)
		return is_mod ? 0 : -(uint64_t)sx;
	return (uint64_t)(is_mod ? sx % sy : sx / sy);
}

static uint64_t do_alu(uint8_t code, int16_t off, int32_t imm, uint64_t x, uint64_t y)
{
	unsigned int bits = BPF_CLASS(code) == BPF_ALU64 ? 64 : 32, count = y & (bits - 1);
	uint64_t r;

	switch (BPF_OP(code)) {
	case BPF_ADD:
		r = x + y;
		break;
	case BPF_SUB:
		r = x - y;
		break;
	case BPF_MUL:
		r = x * y;
		break;
	case BPF_DIV:
		r = do_div(off, false, bits, x, y);
		break;
	case BPF_MOD:
		r = do_div(off, true, bits, x, y);
		break;
	case BPF_OR:
		r = x | y;
		break;
	case BPF_AND:
		r = x & y;
		break;
	case BPF_XOR:
		r = x ^ y;
		break;
	case BPF_LSH:
		r = x << count;
		break;
	case BPF_RSH:
		r = (bits == 32 ? (uint32_t)x : x) >> count;
		break;
	case BPF_ARSH:
		r = (uint64_t)((bits == 32 ? (int32_t)x : (int64_t)x) >> count);
		break;
	case BPF_NEG:
		r = -x;
		break;
	case BPF_MOV:
		r = off == 8 ? (uint64_t)(int8_t)y
		    : off == 16 ? (uint64_t)(int16_t)y
		    : off == 32 ? (uint64_t)(int32_t)y
				: y;
		break;
	default: /* BPF_END */
		if (BPF_CLASS(code) == BPF_ALU && BPF_SRC(code) == BPF_TO_LE)
			return imm == 16 ? (uint16_t)x : imm == 32 ? (uint32_t)x : x;
		return imm == 16   ? __builtin_bswap16((uint16_t)x)
		       : imm == 32 ? __builtin_bswap32((uint32_t)x)
				   : __builtin_bswap64(x);
	}
	return bits == 32 ? (uint32_t)r : r;
}

static bool do_branch(uint8_t code, uint64_t x, uint64_t y)
{
	int64_t sx = (int64_t)x, sy = (int64_t)y;

	if (BPF_CLASS(code) == BPF_JMP32) {
		sx = (int32_t)x;
		sy = (int32_t)y;
		x = (uint32_t)x;
		y = (uint32_t)y;
	}
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return x == y;
	case BPF_JNE:
		return x != y;
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
		return x & y;
	}
}

struct op {
	uint8_t code;
	int16_t off;
	int32_t imm;
};

#define BOTH(op, off)                                                                              \
	{BPF_ALU64 | (op), off, 0},                                                                \
	{                                                                                          \
		BPF_ALU | (op), off, 0                                                             \
	}
static const struct op ops[] = {
    BOTH(BPF_ADD, 0),	BOTH(BPF_SUB, 0),  BOTH(BPF_MUL, 0), BOTH(BPF_DIV, 0),
    BOTH(BPF_DIV, 1),	BOTH(BPF_MOD, 0),  BOTH(BPF_MOD, 1), BOTH(BPF_OR, 0),
    BOTH(BPF_AND, 0),	BOTH(BPF_XOR, 0),  BOTH(BPF_LSH, 0), BOTH(BPF_RSH, 0),
    BOTH(BPF_ARSH, 0),
};
static const struct op unary_ops[] = {
    BOTH(BPF_NEG, 0),
    BOTH(BPF_MOV, 0),
    BOTH(BPF_MOV, 8),
    BOTH(BPF_MOV, 16),
    {BPF_ALU64 | BPF_MOV, 32, 0},
    {BPF_ALU | BPF_END | BPF_TO_LE, 0, 16},
    {BPF_ALU | BPF_END | BPF_TO_LE, 0, 32},
    {BPF_ALU | BPF_END | BPF_TO_LE, 0, 64},
    {BPF_ALU | BPF_END | BPF_TO_BE, 0, 16},
    {BPF_ALU | BPF_END | BPF_TO_BE, 0, 32},
    {BPF_ALU | BPF_END | BPF_TO_BE, 0, 64},
    {BPF_ALU64 | BPF_END, 0, 16},
    {BPF_ALU64 | BPF_END, 0, 32},
    {BPF_ALU64 | BPF_END, 0, 64},
};
static const uint8_t conditions[] = {BPF_JEQ,  BPF_JNE,	 BPF_JGT,  BPF_JGE,  BPF_JLT, BPF_JLE,
				     BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE, BPF_JSET};
#define NR(a) (sizeof(a) / sizeof((a)[0]))

/* ---- sets of a few numbers around a place ---- */

#define MAX_SET 16

struct set {
	struct range range;
	uint64_t x[MAX_SET]; /* exactly the small numbers of the range */
	int nr;
};

static const uint64_t places[] = {
    0, 1ull << 7, 1ull << 15, 1ull << 31, 1ull << 32, 1ull << 63, 3ull << 31, ~0ull << 31, ~0ull << 32,
};

/* Every range of base - n/2 .. base + n/2 - 1 that an interval or a tnum describes. */
static struct set *make_sets(int n, const uint64_t *at, size_t nr_at, int *ret_nr)
{
	struct set *sets = calloc(nr_at * 400, sizeof(*sets));
	int nr = 0;

	assert_non_null(sets);
	for (size_t p = 0; p < nr_at; p++) {
		uint64_t base = at[p] - (uint64_t)n / 2;

		for (int lo = 0; lo < n; lo++) {
			for (int hi = lo; hi < n; hi++) {
				struct set *s = &sets[nr++];

				s->range = range_between_u(base + (uint64_t)lo, base + (uint64_t)hi);
				for (int x = lo; x <= hi; x++)
					s->x[s->nr++] = base + (uint64_t)x;
			}
		}
		for (uint64_t mask = 1; mask < (uint64_t)n; mask++) {
			for (uint64_t value = 0; value < (uint64_t)n; value++) {
				struct set *s = &sets[nr];
				struct range bits = range_unknown();

				if (mask & value)
					continue;
				bits.bits = (struct tnum){at[p] | value, mask};
				s->range = bits;
				range_deduce(&s->range);
				for (uint64_t x = 0; x < (uint64_t)n; x++)
					if ((x & ~mask) == value)
						s->x[s->nr++] = at[p] | x;
				nr++;
			}
		}
	}
	*ret_nr = nr;
	return sets;
}

static void complain(const char *what, uint8_t code, int16_t off, const struct range *a,
		     const struct range *b, uint64_t x, uint64_t y, const struct range *r, uint64_t z)
{
	char text[3][128];

	fail_msg("%s: code 0x%02x off %d, %s and %s: %#llx, %#llx give %#llx, which is not in %s", what,
		 code, off, range_format(a, text[0], 128), range_format(b, text[1], 128),
		 (unsigned long long)x, (unsigned long long)y, (unsigned long long)z,
		 range_format(r, text[2], 128));
}

static void assert_closed(const struct range *r)
{
	struct range again = *r;

	range_deduce(&again);
	assert_true(range_equal(&again, r));
}

static void check_alu(const struct op *op, const struct set *a, const struct set *b)
{
	struct range r = range_alu(op->code, op->off, op->imm, &a->range, &b->range);

	assert_closed(&r);
	for (int i = 0; i < a->nr; i++) {
		for (int k = 0; k < b->nr; k++) {
			uint64_t z = do_alu(op->code, op->off, op->imm, a->x[i], b->x[k]);

			if (!range_has(&r, z))
				complain("alu", op->code, op->off, &a->range, &b->range, a->x[i],
					 b->x[k], &r, z);
		}
	}
}

static void check_branch(uint8_t code, const struct set *a, const struct set *b)
{
	struct range left[2] = {a->range, a->range}, right[2] = {b->range, b->range};
	int way = range_branch(code, &a->range, &b->range);

	for (int taken = 0; taken < 2; taken++) {
		range_refine(code, taken, &left[taken], &right[taken]);
		assert_closed(&left[taken]);
		assert_closed(&right[taken]);
		assert_true(range_holds(&a->range, &left[taken]));
		assert_true(range_holds(&b->range, &right[taken]));
	}
	for (int i = 0; i < a->nr; i++) {
		for (int k = 0; k < b->nr; k++) {
			bool taken = do_branch(code, a->x[i], b->x[k]);

			if ((way >= 0 && way != taken) || !range_has(&left[taken], a->x[i]) ||
			    !range_has(&right[taken], b->x[k]))
				complain(taken ? "taken" : "not taken", code, 0, &a->range,
					 &b->range, a->x[i], b->x[k], &left[taken], a->x[i]);
		}
	}
}

static void check_laws(const struct set *a, const struct set *b)
{
	struct range join = range_join(&a->range, &b->range), meet = range_meet(&a->range, &b->range);
	struct range back = range_join(&b->range, &a->range);

	assert_closed(&join);
	assert_closed(&meet);
	assert_true(range_equal(&join, &back));
	assert_true(range_holds(&join, &a->range));
	assert_true(range_holds(&join, &b->range));
	assert_true(range_holds(&a->range, &meet));
	assert_true(range_holds(&b->range, &meet));
	if (range_holds(&a->range, &b->range)) {
		assert_true(range_equal(&join, &a->range));
		assert_true(range_equal(&meet, &b->range));
		for (int k = 0; k < b->nr; k++)
			assert_true(range_has(&a->range, b->x[k]));
	}
	for (int k = 0; k < b->nr; k++) {
		assert_true(range_has(&join, b->x[k]));
		assert_int_equal(range_has(&meet, b->x[k]), range_has(&a->range, b->x[k]));
	}
}

static void test_small(void **state)
{
	int nr, nr_wide;
	struct set *sets = make_sets(4, places, NR(places), &nr);
	struct set *wide = make_sets(test_is_long() ? 16 : 8, places, NR(places), &nr_wide);

	(void)state;
	for (int i = 0; i < nr; i++) {
		assert_closed(&sets[i].range);
		for (int k = 0; k < nr; k++) {
			for (size_t o = 0; o < NR(ops); o++)
				check_alu(&ops[o], &sets[i], &sets[k]);
			for (size_t c = 0; c < NR(conditions); c++) {
				check_branch(BPF_JMP | conditions[c], &sets[i], &sets[k]);
				check_branch(BPF_JMP32 | conditions[c], &sets[i], &sets[k]);
			}
			check_laws(&sets[i], &sets[k]);
		}
	}
	for (int i = 0; i < nr_wide; i++)
		for (size_t o = 0; o < NR(unary_ops); o++) {
			/* moves take the source, the others the destination; give both the same */
			struct set one = wide[i];

			for (int k = 0; k < wide[i].nr; k++) {
				struct range r = range_alu(unary_ops[o].code, unary_ops[o].off,
							   unary_ops[o].imm, &one.range, &one.range);
				uint64_t z = do_alu(unary_ops[o].code, unary_ops[o].off,
						    unary_ops[o].imm, one.x[k], one.x[k]);

				assert_closed(&r);
				if (!range_has(&r, z))
					complain("unary", unary_ops[o].code, unary_ops[o].off,
						 &one.range, &one.range, one.x[k], one.x[k], &r, z);
			}
		}
	free(sets);
	free(wide);
}

/* wider sets at one pair of places each: intervals that are long enough to cross everything */
static void test_wider(void **state)
{
	int n = test_is_long() ? 16 : 8;

	(void)state;
	for (size_t p = 0; p < NR(places); p++) {
		int nr_a, nr_b;
		struct set *a = make_sets(n, &places[p], 1, &nr_a);
		struct set *b = make_sets(n, places, 1, &nr_b);

		for (int i = 0; i < nr_a; i++) {
			for (int k = 0; k < nr_b; k++) {
				for (size_t o = 0; o < NR(ops); o++)
					check_alu(&ops[o], &a[i], &b[k]);
				check_laws(&a[i], &b[k]);
			}
		}
		free(a);
		free(b);
	}
}

/* ---- all 64 bits ---- */

static uint64_t corner(void)
{
	uint64_t r = test_random(), x = (uint64_t)1 << (r % 64);

	switch (r >> 8 & 7) {
	case 0:
		return test_random() >> (r >> 16 & 63);
	case 1:
		return x - 1;
	case 2:
		return -x;
	case 3:
		return ~x;
	case 4:
		return (r >> 16) % 9;
	case 5:
		return x + (r >> 16) % 9 - 4;
	case 6:
		return (x << 1) - (r >> 16) % 300;
	default:
		return x;
	}
}

/* a range that has x, from all five parts */
static struct range around(uint64_t x)
{
	struct range r = range_unknown(), part;
	uint64_t pick = test_random(), y = corner(), z = corner();

	if (pick & 1) {
		uint64_t mask = test_random() >> (test_random() & 63);

		if (pick & 2)
			mask &= test_random();
		r.bits = (struct tnum){x & ~mask, mask};
	}
	if (pick & 4) {
		r.umin = y < x ? y : x;
		r.umax = z > x ? z : x;
	}
	if (pick & 8) {
		y = corner();
		z = corner();
		r.smin = (int64_t)y < (int64_t)x ? (int64_t)y : (int64_t)x;
		r.smax = (int64_t)z > (int64_t)x ? (int64_t)z : (int64_t)x;
	}
	if (pick & 16) {
		r.u32_min = (uint32_t)y < (uint32_t)x ? (uint32_t)y : (uint32_t)x;
		r.u32_max = (uint32_t)z > (uint32_t)x ? (uint32_t)z : (uint32_t)x;
	}
	if (pick & 32) {
		r.s32_min = (int32_t)z < (int32_t)x ? (int32_t)z : (int32_t)x;
		r.s32_max = (int32_t)y > (int32_t)x ? (int32_t)y : (int32_t)x;
	}
	part = r;
	range_deduce(&r);
	if (!range_has(&r, x))
		complain("deduce", 0, 0, &part, &part, x, x, &r, x);
	assert_true(range_holds(&part, &r));
	assert_closed(&r);
	return r;
}

static void test_random_wide(void **state)
{
	int rounds = test_is_long() ? 3000000 : 60000;

	(void)state;
	test_seed(1);
	for (int i = 0; i < rounds; i++) {
		struct set a = {.nr = 1}, b = {.nr = 1};

		a.x[0] = corner();
		b.x[0] = test_random() % 5 ? corner() : a.x[0];
		a.range = around(a.x[0]);
		b.range = test_random() % 3 ? around(b.x[0]) : range_const(b.x[0]);
		/* more members, if these happen to be some */
		for (int k = 0; k < 8; k++) {
			uint64_t x = k & 1 ? corner() : a.x[0] + test_random() % 16 - 8;

			if (a.nr < MAX_SET && range_has(&a.range, x))
				a.x[a.nr++] = x;
			x = k & 1 ? corner() : b.x[0] + test_random() % 16 - 8;
			if (b.nr < MAX_SET && range_has(&b.range, x))
				b.x[b.nr++] = x;
		}
		for (size_t o = 0; o < NR(ops); o++)
			check_alu(&ops[o], &a, &b);
		for (size_t o = 0; o < NR(unary_ops); o++)
			check_alu(&unary_ops[o], &b, &b);
		for (size_t c = 0; c < NR(conditions); c++) {
			check_branch(BPF_JMP | conditions[c], &a, &b);
			check_branch(BPF_JMP32 | conditions[c], &a, &b);
		}
		check_laws(&a, &b);
	}
}

/* ---- deductions that must be made ---- */

static struct range between(int64_t lo, int64_t hi)
{
	return range_between_s(lo, hi);
}

#define ASSERT_FORMAT(r, text)                                                                     \
	do {                                                                                       \
		char buf_[128];                                                                    \
		struct range r_ = (r);                                                             \
		assert_string_equal(range_format(&r_, buf_, sizeof(buf_)), text);                  \
	} while (0)

static struct range alu(uint8_t code, int16_t off, struct range a, struct range b)
{
	return range_alu(code, off, 0, &a, &b);
}

static void test_alu_precision(void **state)
{
	struct range all = range_unknown(), byte = range_of_load(1, false), r;
	struct range aligned = alu(BPF_ALU64 | BPF_LSH, 0, byte, range_const(3));

	(void)state;
	ASSERT_FORMAT(aligned, "0..2040, multiple of 8");
	ASSERT_FORMAT(range_of_load(2, true), "-32768..32767");
	ASSERT_FORMAT(range_of_load(8, true), "unknown");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_LSH, 0, all, range_const(3)), "unknown, multiple of 8");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_ADD, 0, between(-4, 12), between(4, 4)), "0..16");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_SUB, 0, byte, byte), "-255..255");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_AND, 0, all, range_const(0xf8)), "0..248, multiple of 8");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_AND, 0, between(-8, 20), range_const(0xff)), "0..255");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_OR, 0, between(8, 11), between(16, 17)), "24..27");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_XOR, 0, between(8, 9), between(10, 11)), "2..3");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_MUL, 0, between(-3, 5), between(-7, 2)), "-35..21");
	ASSERT_FORMAT(alu(BPF_ALU | BPF_MUL, 0, range_between_u(0, 3), range_const(0x50000000)),
		      "0..4026531840, multiple of 268435456");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_DIV, 0, byte, range_const(10)), "0..25");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_DIV, 0, between(100, 200), between(10, 20)), "5..20");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_DIV, 1, between(-100, 50), range_const((uint64_t)-7)),
		      "-7..14");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_MOD, 0, all, range_const(10)), "0..9");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_MOD, 0, between(23, 27), range_const(10)), "3..7");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_MOD, 0, all, between(1, 32)), "0..31");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_MOD, 1, all, range_const((uint64_t)-5)), "-4..4");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_MOD, 0, aligned, range_const(24)), "0..16, multiple of 8");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_LSH, 0, range_const(1), between(0, 4)), "1..16");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_RSH, 0, all, range_const(56)), "0..255");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_ARSH, 0, all, range_const(63)), "-1..0");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_NEG, 0, byte, byte), "-255..0");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_MOV, 8, all, all), "-128..127");
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_MOV, 8, all, between(0x170, 0x17f)), "112..127");
	/* the low half goes its own way: x += 4 on a 64-bit number whose low half is a byte */
	r = all;
	r.u32_max = 255;
	range_deduce(&r);
	r = alu(BPF_ALU64 | BPF_ADD, 0, r, range_const(4));
	assert_int_equal(r.u32_min, 4);
	assert_int_equal(r.u32_max, 259);
	/* shl 32, sar 32: the number again, as compilers write a sign extension */
	r = alu(BPF_ALU64 | BPF_LSH, 0, between(-3, 9), range_const(32));
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_ARSH, 0, r, range_const(32)), "-3..9");
	/* the least number / -1 is itself */
	ASSERT_FORMAT(alu(BPF_ALU64 | BPF_DIV, 1, range_const(1ull << 63), range_const(~0ull)),
		      "-9223372036854775808");
}

static struct range refined(uint8_t code, bool is_taken, struct range a, struct range b)
{
	range_refine(code, is_taken, &a, &b);
	return a;
}

static void test_branch_precision(void **state)
{
	struct range all = range_unknown(), byte = range_of_load(1, false), a, b, r;

	(void)state;
	ASSERT_FORMAT(refined(BPF_JMP | BPF_JGT, false, all, range_const(64)), "0..64");
	ASSERT_FORMAT(refined(BPF_JMP | BPF_JSGT, true, between(-9, 9), range_const(~0ull)), "0..9");
	ASSERT_FORMAT(refined(BPF_JMP | BPF_JNE, true, byte, range_const(0)), "1..255");
	ASSERT_FORMAT(refined(BPF_JMP | BPF_JEQ, false, byte, range_const(255)), "0..254");
	ASSERT_FORMAT(refined(BPF_JMP | BPF_JSET, false, byte, range_const(0xf0)), "0..15");
	ASSERT_FORMAT(refined(BPF_JMP | BPF_JSET, true, byte, range_const(0x80)), "128..255");
	ASSERT_FORMAT(refined(BPF_JMP | BPF_JSET, true, all, range_const(~0ull)),
		      "1..18446744073709551615");
	/* 32-bit compares narrow the whole when the upper half is known */
	ASSERT_FORMAT(refined(BPF_JMP32 | BPF_JLT, true, range_of_load(4, false), range_const(7)),
		      "0..6");
	ASSERT_FORMAT(refined(BPF_JMP32 | BPF_JSGE, true, between(-9, 9), range_const(0)), "0..9");
	/* ... and say what they can when it is not */
	ASSERT_FORMAT(refined(BPF_JMP32 | BPF_JLT, true, all, range_const(7)),
		      "unknown, low half 0..6");
	/* both sides learn */
	a = between(0, 100);
	b = between(50, 200);
	range_refine(BPF_JMP | BPF_JGT, true, &a, &b);
	ASSERT_FORMAT(a, "51..100");
	ASSERT_FORMAT(b, "50..99");
	/* equality through bits: a multiple of 8 plus 1 is no multiple of 4 */
	a = alu(BPF_ALU64 | BPF_OR, 0, alu(BPF_ALU64 | BPF_AND, 0, all, range_const(~7ull)),
		range_const(1));
	b = alu(BPF_ALU64 | BPF_LSH, 0, all, range_const(2));
	assert_int_equal(range_branch(BPF_JMP | BPF_JEQ, &a, &b), 0);
	assert_int_equal(range_branch(BPF_JMP | BPF_JNE, &a, &b), 1);
	r = range_const(1);
	assert_int_equal(range_branch(BPF_JMP | BPF_JSET, &a, &r), 1);
	r = range_const(6);
	assert_int_equal(range_branch(BPF_JMP | BPF_JSET, &a, &r), 0);
	/* -1..1 but not 0 */
	r = refined(BPF_JMP | BPF_JNE, true, between(0, 1), range_const(0));
	ASSERT_FORMAT(r, "1");
	/* a signed 32-bit error code: from 32 to 64 bits when the top is settled */
	r = refined(BPF_JMP32 | BPF_JSLT, false, between(INT32_MIN, INT32_MAX), range_const(0));
	assert_int_equal(r.smin, 0);
	/* what cannot be is empty, on both sides */
	a = byte;
	b = range_const(256);
	range_refine(BPF_JMP | BPF_JEQ, true, &a, &b);
	assert_true(range_is_empty(&a) && range_is_empty(&b));
	ASSERT_FORMAT(a, "nothing");
	a = all;
	b = range_const(~0ull);
	range_refine(BPF_JMP | BPF_JGT, true, &a, &b);
	assert_true(range_is_empty(&a));
}

static void test_deduce_precision(void **state)
{
	struct range r = range_unknown();

	(void)state;
	/* a low half below 8 and fewer than 2^32 numbers: two places, the hull of them */
	r.umin = 0xfffffff0;
	r.umax = 0x10000000f;
	r.u32_max = 7;
	range_deduce(&r);
	assert_true(r.umin == 0x100000000 && r.umax == 0x100000007);
	/* both signs, no number below 2^31: each part is cut by itself */
	r = range_unknown();
	r.smin = INT32_MIN;
	r.smax = INT32_MAX;
	r.s32_min = 5;
	range_deduce(&r);
	assert_true(r.smin == 5 && r.umax == INT32_MAX);
	/* bits end intervals at members */
	r = range_unknown();
	r.umax = 63;
	r.umin = 3;
	r.bits.mask = ~7ull;
	range_deduce(&r);
	ASSERT_FORMAT(r, "8..56, multiple of 8");
	r.umin = 57;
	range_deduce(&r);
	assert_true(range_is_empty(&r));
	ASSERT_FORMAT(range_between_u(5, 3), "nothing");
	ASSERT_FORMAT(range_between_u((uint64_t)-5, 3), "-5..3");
}

/* What cannot happen stays so, whatever is done to it. */
static void test_empty(void **state)
{
	struct range all = range_unknown(), one = range_const(1), none, a, b;

	(void)state;
	none = range_between_u(2, 2);
	none = range_meet(&none, &one);
	assert_true(range_is_empty(&none));
	for (uint64_t x = 0; x < 3; x++)
		assert_false(range_has(&none, x));
	for (size_t o = 0; o < NR(ops); o++) {
		a = range_alu(ops[o].code, ops[o].off, 0, &none, &all);
		b = range_alu(ops[o].code, ops[o].off, 0, &all, &none);
		assert_true(range_is_empty(&a) && range_is_empty(&b));
	}
	for (size_t o = 0; o < NR(unary_ops); o++) {
		a = range_alu(unary_ops[o].code, unary_ops[o].off, unary_ops[o].imm, &none, &none);
		assert_true(range_is_empty(&a));
	}
	for (size_t c = 0; c < NR(conditions); c++) {
		a = none;
		b = all;
		range_refine(BPF_JMP | conditions[c], true, &a, &b);
		assert_true(range_is_empty(&a) && range_is_empty(&b));
	}
	a = range_join(&none, &one);
	assert_true(range_equal(&a, &one));
	a = range_meet(&none, &all);
	assert_true(range_is_empty(&a));
	assert_true(range_holds(&one, &none) && !range_holds(&none, &one));
	assert_true(range_is_unknown(&all) && !range_is_unknown(&none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_deduce_precision), cmocka_unit_test(test_alu_precision),
	    cmocka_unit_test(test_branch_precision), cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_small),	     cmocka_unit_test(test_wider),
	    cmocka_unit_test(test_random_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
