/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A case that lacks what it needs says so, and the whole test then exits with 77, for ctest to see:
 * where nothing may be missing a skipped test is a failed one. Include after cmocka.h.
 */
#ifndef INLAY_TESTS_SKIP_H
#define INLAY_TESTS_SKIP_H

static int skipped_cases;

#define skip_because(...)                           \
	do {                                        \
		print_message("skipped: " __VA_ARGS__); \
		print_message("\n");                \
		skipped_cases++;                    \
		skip();                             \
	} while (0)

static inline int exit_code(int failed)
{
	return failed ? 1 : skipped_cases ? 77 : 0;
}

#endif /* INLAY_TESTS_SKIP_H */
