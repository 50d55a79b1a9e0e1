/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of libc's names: that a search finds what the table holds, and shifted arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pass/plan.h"

static const struct pass_alias expected[] = {
	{ "__confstr_chk", "confstr", NULL }, /* first and last row */
	{ "versionsort64", "versionsort", NULL },
	{ "pread64", "pread", NULL },
	{ "open64", "open", NULL },
	{ "__isoc99_sscanf", "sscanf", NULL },
	{ "__read_chk", "read", NULL },
	{ "__fprintf_chk", "fprintf", "02" },
	{ "__fgets_chk", "fgets", "023" },
	{ "__recvfrom_chk", "recvfrom", "012456" },
};

static void test_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct pass_alias *found = alias_find(expected[i].name);

		assert_non_null(found);
		assert_string_equal(found->function, expected[i].function);
		if (expected[i].args)
			assert_string_equal(found->args, expected[i].args);
		else
			assert_null(found->args);
	}
}

static void test_not_found(void **state)
{
	(void)state;
	assert_null(alias_find("read"));
	assert_null(alias_find(""));
	assert_null(alias_find("zzz"));
	assert_null(alias_find("open6"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
