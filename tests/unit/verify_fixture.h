/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the verifier's numbers share: random numbers, and how long a test runs. */
#ifndef INLAY_TEST_VERIFY_FIXTURE_H
#define INLAY_TEST_VERIFY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* INLAY_TEST_LONG=1 runs wider and longer; INLAY_TEST_SEED=N repeats a run. */
static inline bool test_is_long(void)
{
	const char *text = getenv("INLAY_TEST_LONG");

	return text && *text && *text != '0';
}

static uint64_t test_random_state;

static inline uint64_t test_random(void)
{
	uint64_t x = test_random_state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static inline void test_seed(uint64_t fallback)
{
	const char *text = getenv("INLAY_TEST_SEED");

	test_random_state = text ? strtoull(text, NULL, 0) : fallback;
	print_message("INLAY_TEST_SEED=%#llx\n", (unsigned long long)test_random_state);
}

#endif /* INLAY_TEST_VERIFY_FIXTURE_H */
