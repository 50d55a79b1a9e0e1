/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_probe_read_user() and its string form: results equal to the kernel's, byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "skip.h"

#include <stdio.h>
#include <stdlib.h>

#include "read_fixture.h"
#include "kernel_helper.h"

static void test_sizes_and_places(void **state)
{
	char buf[64 + 16];

	(void)state;
	for (unsigned int bytes = 0; bytes <= 64; bytes++) {
		for (unsigned int gap = 0; gap <= 72; gap++) {
			const char *from = bad - gap;

			memset(buf, 0x55, sizeof(buf));
			if (bytes <= gap) {
				assert_int_equal(read_at(buf, bytes, from), 0);
				assert_memory_equal(buf, from, bytes);
			} else {
				assert_int_equal(read_at(buf, bytes, from), -EFAULT);
				for (unsigned int i = 0; i < bytes; i++)
					assert_int_equal(buf[i], 0);
			}
			for (unsigned int i = bytes; i < sizeof(buf); i++)
				assert_int_equal(buf[i], 0x55);
		}
	}
}

static void test_bad_addresses(void **state)
{
	static const uint64_t addrs[] = { 0, 8, NON_CANONICAL, 0xffff888000000000ull,
					  0xffffffffffffffffull, 0x7ffffffff000ull };

	(void)state;
	for (unsigned int i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		uint64_t word = 77;
		char text[9] = "12345678";

		assert_int_equal(__inlay_probe_read_user_v1(&word, 8, addrs[i]), -EFAULT);
		assert_int_equal(word, 0);
		assert_int_equal(__inlay_probe_read_v1(&word, 3, addrs[i]), -EFAULT);
		assert_int_equal(__inlay_probe_read_user_str_v1(text, 9, addrs[i]), -EFAULT);
		assert_int_equal(text[0] | text[7], 0);
		assert_int_equal(__inlay_probe_read_str_v1(text, 9, addrs[i]), -EFAULT);
	}
}

static void test_strings(void **state)
{
	char buf[16];

	(void)state;
	memset(buf, 0x55, sizeof(buf));
	assert_int_equal(read_string(buf, 16, "hello"), 6);
	assert_string_equal(buf, "hello");
	assert_int_equal(read_string(buf, 3, "hello"), 3);
	assert_string_equal(buf, "he");
	assert_int_equal(read_string(buf, 1, "hello"), 1);
	assert_string_equal(buf, "");
	assert_int_equal(read_string(buf, 16, ""), 1);
	buf[0] = 'x';
	assert_int_equal(read_string(buf, 0, "hello"), 0);
	assert_int_equal(buf[0], 'x');
	/* the NUL is the last readable byte */
	bad[-1] = '\0';
	assert_int_equal(read_string(buf, 16, bad - 1), 1);
	assert_int_equal(read_string(buf, 16, bad - 4), 4);
	bad[-1] = 'z';
	assert_int_equal(read_string(buf, 3, bad - 3), 3);
}

static int64_t read_kernel_at(void *dst, uint64_t bytes, const volatile void *addr)
{
	return __inlay_probe_read_kernel_v1(dst, bytes, (uint64_t)addr);
}

static int64_t read_kernel_string(void *dst, uint64_t bytes, const volatile void *addr)
{
	return __inlay_probe_read_kernel_str_v1(dst, bytes, (uint64_t)addr);
}

static const uint64_t nowhere[] = {
	0, 8, 4096, 0x7ffffffff000ull, 0x7fffffffffffull, ~0ull, ~0ull - 4095,
#if defined(__x86_64__)
	0x8000000000000000ull, 0xffffffffff600000ull,
#endif
};
#define NR_NOWHERE (sizeof(nowhere) / sizeof(nowhere[0]))

/* Every length around words, NULs and the end of readable memory, against the kernel. */
static void test_against_kernel(void **state)
{
	static const struct {
		int id;
		int64_t (*ours)(void *, uint64_t, const volatile void *);
	} rows[] = {
		{ BPF_FUNC_probe_read_user, read_at },
		{ BPF_FUNC_probe_read_user_str, read_string },
		/* of addresses that neither can read */
		{ BPF_FUNC_probe_read_kernel, read_kernel_at },
		{ BPF_FUNC_probe_read_kernel_str, read_kernel_string },
	};
	struct kernel_helper helper;
	unsigned int seed = 4711;
	int err;

	(void)state;
	for (unsigned int row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		err = kernel_helper_open(rows[row].id, 0, &helper);
		if (err) {
			skip_because("cannot ask the kernel: %s", strerror(-err));
		}
		for (int i = 0; i < 4000; i++) {
			uint8_t expected[KERNEL_BUF], got[KERNEL_BUF];
			struct kernel_call call = { 0 };
			const char *from = bad - rand_r(&seed) % 40;
			int nul = 1 + rand_r(&seed) % 48;
			char saved = bad[-nul];

			if (i % 97 == 0)
				from = (const char *)(i % 2 ? NON_CANONICAL : 0x7ffffffff000ull);
			if (i % 101 == 0)
				from = (const char *)0x7ffffffff001ull;
			call.args[0] = (uint64_t)from;
			call.bytes = (uint32_t)rand_r(&seed) % 40;
			if (row >= 2) {
				from = (const char *)nowhere[(unsigned int)i % NR_NOWHERE];
				call.args[0] = (uint64_t)from;
				call.bytes++;
			}
			memset(expected, 0x55, sizeof(expected));
			memset(got, 0x55, sizeof(got));
			if (i % 3)
				bad[-nul] = '\0';
			assert_int_equal(kernel_helper_run(&helper, &call, expected), 0);
			assert_int_equal(rows[row].ours(got, call.bytes, from), call.ret);
			assert_memory_equal(got, expected, sizeof(got));
			bad[-nul] = saved;
		}
		kernel_helper_close(&helper);
	}
}

static void test_by_call_is_the_same(void **state)
{
	unsigned int seed = 11;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		char a[64], b[64];
		const char *from = bad - rand_r(&seed) % 40;
		unsigned int bytes = (unsigned int)rand_r(&seed) % 40;
		int nul = 1 + rand_r(&seed) % 48;
		char saved = bad[-nul];
		int64_t ret;
		long other;

		memset(a, 0x55, sizeof(a));
		memset(b, 0x55, sizeof(b));
		if (i % 3)
			bad[-nul] = '\0';
		ret = read_string(a, bytes, from);
		other = __inlay_read_string_by_call(b, (uint64_t)from, bytes);
		if (ret == -EFAULT) {
			assert_int_equal(other, -EFAULT);
		} else {
			assert_int_equal(ret, other < (long)bytes ? other + 1 : other);
			/* the NUL of a cut string is written by the caller */
			assert_memory_equal(a, b, bytes ? bytes - 1 : 0);
			assert_memory_equal(a + bytes, b + bytes, sizeof(a) - bytes);
		}
		assert_int_equal(read_at(a, bytes, from) == 0,
				 __inlay_read_by_call(b, (uint64_t)from, bytes) == 0);
		bad[-nul] = saved;
	}
	/* across pages */
	memset(pages, 'a', PAGE + 100);
	pages[PAGE + 100] = '\0';
	{
		static char big[2 * PAGE];

		assert_int_equal(__inlay_read_string_by_call(big, (uint64_t)pages, sizeof(big)),
				 PAGE + 100);
	}
}

static void test_keeps_errno(void **state)
{
	uint64_t word;

	(void)state;
	errno = 4711;
	for (int i = 0; i < 3000; i++)
		read_at(&word, 8, i % 2 ? bad : pages);
	__inlay_read_by_call(&word, (uint64_t)bad, 8);
	assert_int_equal(errno, 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_and_places),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_against_kernel),
		cmocka_unit_test(test_keeps_errno),
		cmocka_unit_test(test_by_call_is_the_same),
	};

	return exit_code(cmocka_run_group_tests(tests, setup, NULL));
}
