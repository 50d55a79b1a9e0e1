/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of libc's failures: sorted, as the search needs, and right for the well-known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pass/libc.c" /* the tables themselves */

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void check_sorted(const char *const *names, size_t nr)
{
	for (size_t i = 1; i < nr; i++)
		assert_true(strcmp(names[i - 1], names[i]) < 0);
}

static void test_sorted(void **state)
{
	(void)state;
	check_sorted(minus_one, LENGTH(minus_one));
	check_sorted(zero, LENGTH(zero));
	for (size_t i = 0; i < LENGTH(zero); i++)
		assert_int_equal(libc_failure_of(zero[i]), LIBC_FAILS_ZERO);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *name;
		enum libc_failure failure;
	} rows[] = {
		{ "accept", LIBC_FAILS_MINUS_ONE }, { "writev", LIBC_FAILS_MINUS_ONE },
		{ "fsync", LIBC_FAILS_MINUS_ONE },  { "mmap", LIBC_FAILS_MINUS_ONE },
		{ "malloc", LIBC_FAILS_ZERO },	    { "fopen", LIBC_FAILS_ZERO },
		{ "fwrite", LIBC_FAILS_ZERO },	    { "pthread_create", LIBC_UNKNOWN },
		{ "memcpy", LIBC_UNKNOWN },	    { "my_submit", LIBC_UNKNOWN },
		{ "posix_memalign", LIBC_UNKNOWN }, { "", LIBC_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(libc_failure_of(rows[i].name), rows[i].failure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
