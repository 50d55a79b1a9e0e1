/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loader against damaged files: truncated at every length, with bits flipped, with whole fields
 * replaced by values that break arithmetic. It may refuse or accept; it may not crash, and when it
 * refuses it says why. The sequence of random numbers is fixed, so that a failure can be repeated.
 */
#include "bpfcc_fixture.h"

static uint64_t random_state;

static uint32_t random_u32(void)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(random_state >> 33);
}

/* What happened: opened or refused. */
static void open_copy(const unsigned char *data, size_t bytes, unsigned int *ret_opened)
{
	struct messages messages = {0};
	struct inlay_bpfcc_opts opts = {.sz = sizeof(opts),
					.on_message = keep_message,
					.on_message_arg = &messages};
	struct inlay_bpfcc_object *object;
	int err = inlay_bpfcc_object_open("hostile.bpf.o", data, bytes, &opts, &object);

	if (err) {
		assert_null(object);
		if (!messages.nr_errors)
			fail_msg("refused with %d and without a message", err);
		return;
	}
	++*ret_opened;
	inlay_bpfcc_object_free(object);
}

static void test_truncated(void **unused)
{
	size_t bytes, step;
	unsigned char *good = read_whole(BPFCC_PROBE, &bytes);
	unsigned int opened = 0;

	(void)unused;
	open_copy(good, bytes, &opened);
	assert_int_equal(opened, 1);
	/* every length of the headers, then a spread */
	for (size_t n = 0; n < bytes; n += step) {
		/* a buffer of exactly that size, so that a read behind its end is seen by ASan */
		unsigned char *copy = malloc(n ? n : 1);

		assert_non_null(copy);
		memcpy(copy, good, n);
		open_copy(copy, n, &opened);
		free(copy);
		step = n < 128 ? 1 : 37;
	}
	/* the section headers are at the end: nothing that is cut can be complete */
	assert_int_equal(opened, 1);
	free(good);
}

static void damage(unsigned char *copy, size_t bytes, unsigned int how)
{
	static const uint32_t values[] = {0, 1, 7, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8};
	size_t at = random_u32() % bytes;
	uint32_t value;

	switch (how % 3) {
	case 0:
		copy[at] ^= (unsigned char)(1u << random_u32() % 8);
		break;
	case 1:
		copy[at] = (unsigned char)random_u32();
		break;
	case 2:
		at &= ~(size_t)3;
		if (at + 4 > bytes)
			return;
		value = values[random_u32() % (sizeof(values) / sizeof(values[0]))];
		memcpy(copy + at, &value, sizeof(value));
		break;
	}
}

static void test_damaged(void **unused)
{
	size_t bytes;
	unsigned char *good = read_whole(BPFCC_PROBE, &bytes), *copy = malloc(bytes);
	unsigned int opened = 0, rounds = BPFCC_HOSTILE_ROUNDS;
	const char *seed = getenv("BPFCC_HOSTILE_SEED");

	(void)unused;
	assert_non_null(copy);
	random_state = seed ? strtoull(seed, NULL, 0) : 1;
	for (unsigned int round = 0; round < rounds; round++) {
		memcpy(copy, good, bytes);
		for (uint32_t n = 1 + random_u32() % 4; n; n--)
			damage(copy, bytes, random_u32());
		open_copy(copy, bytes, &opened);
	}
	/* the test would be worth nothing if all were refused, or none, at the first check */
	assert_in_range(opened, rounds / 50, rounds - rounds / 50);
	free(copy);
	free(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
