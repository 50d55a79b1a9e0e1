/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_probe_write_user() and bpf_copy_from_user(): the kernel's results, and never a fault.
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
#include "kernel_ask.h"

static void test_places(void **state)
{
	char text[80];

	(void)state;
	for (unsigned int i = 0; i < sizeof(text); i++)
		text[i] = (char)(0x80 + i);
	for (unsigned int bytes = 1; bytes <= 64; bytes++) {
		for (unsigned int gap = 0; gap <= 72; gap++) {
			char *to = bad - gap;

			memset(bad - 80, 0x55, 80);
			if (bytes <= gap) {
				assert_int_equal(
					__inlay_probe_write_user_v1((uint64_t)to, text, bytes), 0);
				assert_memory_equal(to, text, bytes);
				for (char *at = to + bytes; at < bad; at++)
					assert_int_equal(*at, 0x55);
			} else {
				assert_int_equal(
					__inlay_probe_write_user_v1((uint64_t)to, text, bytes),
					-EFAULT);
			}
			for (char *at = bad - 80; at < to; at++)
				assert_int_equal(*at, 0x55);
		}
	}
}

static void test_nowhere(void **state)
{
	static const char constant[16] = "stays";
	static const uint64_t addrs[] = { 0, 8, NON_CANONICAL, 0xffff888000000000ull, ~0ull,
					  0x7ffffffff000ull };
	uint64_t word = 1;

	(void)state;
	for (unsigned int i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++)
		assert_int_equal(__inlay_probe_write_user_v1(addrs[i], &word, 8), -EFAULT);
	/* what may be read only */
	assert_int_equal(__inlay_probe_write_user_v1((uint64_t)constant, &word, 8), -EFAULT);
	assert_string_equal(constant, "stays");
	assert_int_equal(reads_work(), 1);
}

/* The helper may be left out of a kernel; it is not offered to locked down ones either. */
static void test_write_against_kernel(void **state)
{
	static const enum ask_arg kinds[5] = { ASK_NUM, ASK_BUF, ASK_SIZE };
	unsigned int seed = 99;
	struct ask ask;
	int err = ask_open(&ask, BPF_FUNC_probe_write_user, kinds, NULL, NULL);

	(void)state;
	if (err) {
		print_message("the kernel has no bpf_probe_write_user(): %s\n", strerror(-err));
		return;
	}
	for (int i = 0; i < 500; i++) {
		uint32_t bytes = 1 + (uint32_t)rand_r(&seed) % 60, gap = (uint32_t)rand_r(&seed) % 70;
		struct ask_call call = { .args = { (uint64_t)(bad - gap), 0, bytes } };
		char ours[80];

		memset(call.buf[0], 0x33, ASK_BYTES);
		memset(bad - 80, 0x55, 80);
		err = (int)__inlay_probe_write_user_v1((uint64_t)(bad - gap), call.buf[0], bytes);
		memcpy(ours, bad - 80, 80);
		memset(bad - 80, 0x55, 80);
		assert_int_equal(ask_run(&ask, &call), 0);
		assert_int_equal(err, call.ret);
		if (!err) /* how far it comes before a fault is the processor's copying */
			assert_memory_equal(ours, bad - 80, 80);
	}
	ask_close(&ask);
}

static void test_copy_from_user(void **state)
{
	static const enum ask_arg kinds[5] = { ASK_BUF, ASK_SIZE0, ASK_NUM };
	unsigned int seed = 4711;
	struct ask ask;
	int err = ask_open(&ask, BPF_FUNC_copy_from_user, kinds, NULL, NULL);

	(void)state;
	if (err)
		skip_because("cannot ask the kernel: %s\n%s", strerror(-err), ask.log);
	for (int i = 0; i < 2000; i++) {
		struct ask_call call = { .args = { 0, (uint64_t)(rand_r(&seed) % 40),
						   (uint64_t)(bad - rand_r(&seed) % 40) } };
		uint8_t got[ASK_BYTES];

		if (i % 50 == 0)
			call.args[2] = i % 100 ? NON_CANONICAL : 0x7ffffffff001ull;
		memset(got, 0x55, sizeof(got));
		memset(call.buf[0], 0x55, sizeof(got));
		assert_int_equal(ask_run(&ask, &call), 0);
		assert_int_equal(__inlay_copy_from_user_v1(got, call.args[1], call.args[2]),
				 call.ret);
		assert_memory_equal(got, call.buf[0], sizeof(got));
	}
	ask_close(&ask);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_write_against_kernel),
		cmocka_unit_test(test_copy_from_user),
	};

	return exit_code(cmocka_run_group_tests(tests, setup, NULL));
}
