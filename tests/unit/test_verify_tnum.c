/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tristate numbers against the sets that they stand for: every tnum of a small width, at the low
 * end and moved up to where carries leave 32 and 64 bits. The result of an operation must hold the
 * result for each pair of members; where the header promises the smallest tnum it must be that.
 */
#include "verify_fixture.h"

#include "bpfcc/verify/tnum.h"

#define MAX_TNUMS 729

struct place {
	unsigned int shift;
	uint64_t around; /* known bits outside of the small number */
};

static const struct place places[] = {
    {0, 0}, {29, 0}, {29, ~0ull}, {60, 0}, {60, ~0ull}, {30, 0x8000000000000001},
};

static struct tnum tnums[MAX_TNUMS];
static int nr_tnums;
static unsigned int width;

static void make_tnums(unsigned int bits)
{
	width = bits;
	nr_tnums = 0;
	for (uint64_t mask = 0; mask < 1u << bits; mask++)
		for (uint64_t value = 0; value < 1u << bits; value++)
			if (!(mask & value))
				tnums[nr_tnums++] = (struct tnum){value, mask};
}

static struct tnum put(struct tnum t, const struct place *place)
{
	uint64_t field = (((uint64_t)1 << width) - 1) << place->shift;

	return (struct tnum){t.value << place->shift | (place->around & ~field),
			     t.mask << place->shift};
}

/* the smallest tnum of what is added */
struct set {
	uint64_t ones, zeros;
};

static void set_add(struct set *set, uint64_t x)
{
	set->ones |= x;
	set->zeros |= ~x;
}

static struct tnum set_tnum(const struct set *set)
{
	uint64_t unknown = set->ones & set->zeros;

	return (struct tnum){set->ones & ~unknown, unknown};
}

/* members of t, smallest first: x = t.value; do ... while (next_member(t, &x)) */
static bool next_member(struct tnum t, uint64_t *x)
{
	uint64_t free = ((*x | ~t.mask) + 1) & t.mask;

	*x = t.value | free;
	return free;
}

static void assert_same(struct tnum got, struct tnum want)
{
	assert_true(got.value == want.value && got.mask == want.mask);
}

struct binary {
	struct tnum (*run)(struct tnum a, struct tnum b);
	uint64_t (*concrete)(uint64_t x, uint64_t y);
	bool is_best;
};

static uint64_t add(uint64_t x, uint64_t y)
{
	return x + y;
}
static uint64_t sub(uint64_t x, uint64_t y)
{
	return x - y;
}
static uint64_t and_(uint64_t x, uint64_t y)
{
	return x & y;
}
static uint64_t or_(uint64_t x, uint64_t y)
{
	return x | y;
}
static uint64_t xor_(uint64_t x, uint64_t y)
{
	return x ^ y;
}
static uint64_t mul(uint64_t x, uint64_t y)
{
	return x * y;
}

static const struct binary binaries[] = {
    {tnum_add, add, true}, {tnum_sub, sub, true},  {tnum_and, and_, true},
    {tnum_or, or_, true},  {tnum_xor, xor_, true}, {tnum_mul, mul, false},
};

static void test_binary(void **state)
{
	(void)state;
	make_tnums(test_is_long() ? 5 : 4);
	for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
		for (int i = 0; i < nr_tnums; i++) {
			for (int k = 0; k < nr_tnums; k++) {
				struct tnum a = put(tnums[i], &places[p]);
				struct tnum b = put(tnums[k], &places[p]);
				struct set sets[6] = {0};
				uint64_t x = a.value, y;

				do {
					y = b.value;
					do {
						for (int o = 0; o < 6; o++)
							set_add(&sets[o],
								binaries[o].concrete(x, y));
					} while (next_member(b, &y));
				} while (next_member(a, &x));
				for (int o = 0; o < 6; o++) {
					struct tnum got = binaries[o].run(a, b);

					assert_true(tnum_holds(got, set_tnum(&sets[o])));
					if (binaries[o].is_best)
						assert_same(got, set_tnum(&sets[o]));
				}
			}
		}
	}
}

static void test_sets(void **state)
{
	(void)state;
	make_tnums(4);
	for (int i = 0; i < nr_tnums; i++) {
		for (int k = 0; k < nr_tnums; k++) {
			struct tnum a = tnums[i], b = tnums[k], got;
			struct set either = {0}, both = {0};
			bool is_empty, any = false, all = true;

			for (uint64_t x = 0; x < 16; x++) {
				bool in_a = (x & ~a.mask) == a.value, in_b = (x & ~b.mask) == b.value;

				assert_int_equal(tnum_has(a, x), in_a);
				if (in_a || in_b)
					set_add(&either, x);
				if (in_a && in_b) {
					set_add(&both, x);
					any = true;
				}
				if (in_b && !in_a)
					all = false;
			}
			assert_same(tnum_union(a, b), set_tnum(&either));
			got = tnum_intersect(a, b, &is_empty);
			assert_int_equal(is_empty, !any);
			if (any)
				assert_same(got, set_tnum(&both));
			assert_int_equal(tnum_holds(a, b), all);
		}
	}
}

/* unary operations, with all their arguments */
static void check_unary(struct tnum a, int op, unsigned int arg, unsigned int bits)
{
	struct set set = {0};
	uint64_t x = a.value, y;
	struct tnum got;

	do {
		switch (op) {
		case 0:
			y = x << arg;
			break;
		case 1:
			y = x >> arg;
			break;
		case 2:
			y = bits == 64 ? (uint64_t)((int64_t)x >> arg)
				       : (uint32_t)((int32_t)(uint32_t)x >> arg);
			break;
		case 3:
			y = arg == 8 ? x : x & (((uint64_t)1 << arg * 8) - 1);
			break;
		case 4:
			y = arg == 8	? (uint64_t)(int8_t)x
			    : arg == 16 ? (uint64_t)(int16_t)x
			    : arg == 32 ? (uint64_t)(int32_t)x
					: x;
			break;
		default:
			y = arg == 2   ? __builtin_bswap16((uint16_t)x)
			    : arg == 4 ? __builtin_bswap32((uint32_t)x)
				       : __builtin_bswap64(x);
			break;
		}
		set_add(&set, y);
	} while (next_member(a, &x));
	switch (op) {
	case 0:
		got = tnum_shl(a, arg);
		break;
	case 1:
		got = tnum_shr(a, arg);
		break;
	case 2:
		got = tnum_sar(a, arg, bits);
		break;
	case 3:
		got = tnum_cast(a, arg);
		break;
	case 4:
		got = tnum_sign_extend(a, arg);
		break;
	default:
		got = tnum_bswap(a, arg);
		break;
	}
	assert_same(got, set_tnum(&set));
}

static void test_unary(void **state)
{
	static const struct place at[] = {{0, 0},	   {5, 0},    {5, ~0ull}, {13, 0},
					  {13, 0xff00ff},  {29, 0},   {29, ~0ull}, {31, 0},
					  {60, 0},	   {60, ~0ull}};

	(void)state;
	make_tnums(4);
	for (size_t p = 0; p < sizeof(at) / sizeof(at[0]); p++) {
		for (int i = 0; i < nr_tnums; i++) {
			struct tnum a = put(tnums[i], &at[p]);

			for (unsigned int shift = 0; shift < 64; shift++) {
				check_unary(a, 0, shift, 64);
				check_unary(a, 1, shift, 64);
				check_unary(a, 2, shift, 64);
				if (shift < 32)
					check_unary(a, 2, shift, 32);
			}
			for (unsigned int bytes = 1; bytes <= 8; bytes *= 2) {
				uint64_t x = a.value;
				bool aligned = true;

				check_unary(a, 3, bytes, 64);
				check_unary(a, 4, bytes * 8, 64);
				if (bytes > 1)
					check_unary(a, 5, bytes, 64);
				do
					aligned &= !(x % bytes);
				while (next_member(a, &x));
				assert_int_equal(tnum_is_aligned(a, bytes), aligned);
			}
		}
	}
}

static void test_range(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
		uint64_t base = places[p].around << 6;

		for (uint64_t lo = 0; lo < 64; lo++) {
			struct set set = {0};

			for (uint64_t hi = lo; hi < 64; hi++) {
				set_add(&set, base + hi);
				assert_same(tnum_range(base + lo, base + hi), set_tnum(&set));
			}
		}
	}
	assert_same(tnum_range(0, UINT64_MAX), TNUM_UNKNOWN);
	assert_same(tnum_range(7, 8), (struct tnum){0, 15});
	assert_same(tnum_range(UINT64_MAX, UINT64_MAX), tnum_const(UINT64_MAX));
}

static struct tnum random_tnum(void)
{
	uint64_t mask = test_random() & test_random();

	switch (test_random() % 4) {
	case 0:
		mask &= test_random() & test_random();
		break;
	case 1:
		mask >>= test_random() % 64;
		break;
	}
	return (struct tnum){test_random() >> test_random() % 64 & ~mask, mask};
}

static void test_random_wide(void **state)
{
	int rounds = test_is_long() ? 5000000 : 100000;

	(void)state;
	test_seed(1);
	for (int i = 0; i < rounds; i++) {
		struct tnum a = random_tnum(), b = random_tnum();
		uint64_t x = a.value | (test_random() & a.mask);
		uint64_t y = b.value | (test_random() & b.mask);

		for (int o = 0; o < 6; o++)
			assert_true(tnum_has(binaries[o].run(a, b), binaries[o].concrete(x, y)));
	}
}

/* Where multiplication by long addition alone would lose what the other order keeps. */
static void test_mul_precision(void **state)
{
	struct tnum low = {0, 1}, odd = {1, 6};

	(void)state;
	assert_same(tnum_mul(low, tnum_const(6)), (struct tnum){0, 6});
	assert_same(tnum_mul(tnum_const(6), low), (struct tnum){0, 6});
	assert_same(tnum_mul(odd, tnum_const(8)), (struct tnum){8, 48});
	assert_same(tnum_mul(TNUM_UNKNOWN, tnum_const(16)), (struct tnum){0, ~15ull});
	assert_same(tnum_mul(TNUM_UNKNOWN, tnum_const(0)), tnum_const(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_range),	cmocka_unit_test(test_sets),
	    cmocka_unit_test(test_unary),	cmocka_unit_test(test_binary),
	    cmocka_unit_test(test_random_wide), cmocka_unit_test(test_mul_precision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
