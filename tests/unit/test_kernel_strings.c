/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's string functions against the kernel's: random strings, long ones, bad addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "skip.h"

#include <stdio.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "read_fixture.h"
#include "strings_kernel.h"

static uint64_t random_state = 88172645463325252ull;

static uint32_t dice(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20) % n;
}

static struct strings_memory memory;

static __s64 ours(const struct strings_call *c)
{
	__u64 a = c->address[0] ? c->address[0] : (__u64)&memory.all[c->at[0]];
	__u64 b = c->address[1] ? c->address[1] : (__u64)&memory.all[c->at[1]];
	__u64 chr = (__u64)(__s64)c->c;

	switch (c->op) {
	case STRINGS_CMP:
		return __inlay_bpf_strcmp_v1(a, b);
	case STRINGS_CASECMP:
		return __inlay_bpf_strcasecmp_v1(a, b);
	case STRINGS_CHR:
		return __inlay_bpf_strchr_v1(a, chr);
	case STRINGS_CHRNUL:
		return __inlay_bpf_strchrnul_v1(a, chr);
	case STRINGS_NCHR:
		return __inlay_bpf_strnchr_v1(a, c->count, chr);
	case STRINGS_RCHR:
		return __inlay_bpf_strrchr_v1(a, chr);
	case STRINGS_LEN:
		return __inlay_bpf_strlen_v1(a);
	case STRINGS_NLEN:
		return __inlay_bpf_strnlen_v1(a, c->count);
	case STRINGS_SPN:
		return __inlay_bpf_strspn_v1(a, b);
	case STRINGS_CSPN:
		return __inlay_bpf_strcspn_v1(a, b);
	case STRINGS_STR:
		return __inlay_bpf_strstr_v1(a, b);
	default:
		return __inlay_bpf_strnstr_v1(a, b, c->count);
	}
}

struct kernel {
	struct bpf_object *object;
	struct bpf_map *map;
	int prog_fd;
};

static void open_kernel(struct kernel *k)
{
	int err;

	k->object = bpf_object__open_file(STRINGS_PROGRAM, NULL);
	assert_non_null(k->object);
	err = bpf_object__load(k->object);
	if (err) {
		bpf_object__close(k->object);
		skip_because("the kernel does not load it: %s", strerror(-err));
	}
	k->prog_fd = bpf_program__fd(bpf_object__find_program_by_name(k->object, "strings"));
	k->map = bpf_object__find_map_by_name(k->object, "memory");
}

static void give_memory(const struct kernel *k)
{
	__u32 zero = 0;

	assert_int_equal(bpf_map__update_elem(k->map, &zero, sizeof(zero), &memory, sizeof(memory),
					      BPF_ANY), 0);
}

static __s64 compare(const struct kernel *k, const struct strings_call *c)
{
	struct strings_call call = *c;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &call, .ctx_size_in = sizeof(call));
	__s64 ret = ours(c);

	assert_int_equal(bpf_prog_test_run_opts(k->prog_fd, &opts), 0);
	if (ret != call.ret)
		fail_msg("operation %u, count %llu, character %d: %lld, the kernel's %lld", c->op,
			 (unsigned long long)c->count, c->c, (long long)ret, (long long)call.ret);
	return ret;
}

static void random_strings(void)
{
	static const char some[] = "abcABCabcabcabc\xe4\xc4\xd7\xf7";

	for (unsigned int i = 0; i < sizeof(memory); i++)
		memory.all[i] = dice(12) && i < STRINGS_SHORT + 64 ? some[dice(sizeof(some) - 1)] : 0;
}

static void test_random(void **state)
{
	unsigned int oks = 0, errors = 0;
	struct kernel k;

	(void)state;
	open_kernel(&k);
	for (int round = 0; round < 40; round++) {
		random_strings();
		give_memory(&k);
		for (int i = 0; i < 500; i++) {
			struct strings_call c = { .op = dice(STRINGS_NR), .at = { dice(4096), dice(4096) },
						  .count = dice(4) ? dice(20) : ~0ull >> dice(64) };
			__s64 ret;

			/* a copy of the other now and then, or its end */
			if (!dice(4))
				c.at[1] = c.at[0] + dice(6) < 4096 ? c.at[0] + dice(6) : 0;
			c.c = dice(3) ? memory.all[c.at[0] + dice(8)] : (int)dice(1u << 10) - 300;
			ret = compare(&k, &c);
			oks += ret >= 0;
			errors += ret < -1;
		}
	}
	assert_true(oks > 5000 && errors > 1000);
	bpf_object__close(k.object);
}

static void test_without_end(void **state)
{
	struct kernel k;

	(void)state;
	open_kernel(&k);
	memset(memory.all, 'x', sizeof(memory.all));
	memory.all[0] = 'y';
	memory.all[2] = '\0';
	for (unsigned int end = 65530; end < 65542; end++) {
		memory.all[end + 4] = '\0';
		give_memory(&k);
		for (__u32 op = 0; op < STRINGS_NR; op++) {
			struct strings_call c = { .op = op, .at = { 4, 1 }, .c = 'z', .count = 65536 };

			compare(&k, &c);
			c.count = 65535;
			compare(&k, &c);
			/* quadratic: not of two long ones */
			if (op != STRINGS_SPN && op != STRINGS_CSPN) {
				c.at[1] = 4;
				c.count = 70000;
				compare(&k, &c);
			}
		}
		memory.all[end + 4] = 'x';
	}
	bpf_object__close(k.object);
}

/* Kernels read no memory of processes; what cannot be read here either has the same errors. */
static void test_bad_addresses(void **state)
{
	static const __u64 addresses[] = { 8, 4096, 0x7ffffffff000ull, 0x7fffffffffffull,
#if defined(__x86_64__)
					   /* not of 48 bits nor of 57 */
					   0x8000000000000000ull,
					   0xffffffffff600000ull,
#endif
					   ~0ull };
	struct kernel k;

	(void)state;
	open_kernel(&k);
	strcpy(memory.all, "text");
	give_memory(&k);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		for (__u32 op = 0; op < STRINGS_NR; op++) {
			struct strings_call c = { .op = op, .c = 'z', .count = 3,
						  .address = { addresses[i], 0 } };

			assert_true(compare(&k, &c) < -1);
			c.address[0] = 0;
			c.address[1] = addresses[i];
			compare(&k, &c);
		}
	bpf_object__close(k.object);
}

/* Up to the last byte that can be read, and the one behind it. */
static void test_edges(void **state)
{
	(void)state;
	assert_int_equal(__inlay_bpf_strlen_v1((__u64)bad - 5), -ERANGE);
	assert_int_equal(__inlay_bpf_strnlen_v1((__u64)bad - 5, 5), 5);
	assert_int_equal(__inlay_bpf_strnlen_v1((__u64)bad - 5, 6), -ERANGE);
	bad[-1] = '\0';
	assert_int_equal(__inlay_bpf_strlen_v1((__u64)bad - 5), 4);
	assert_int_equal(__inlay_bpf_strcmp_v1((__u64)bad - 5, (__u64)bad - 5), 0);
	assert_int_equal(__inlay_bpf_strchr_v1((__u64)bad - 5, (unsigned char)bad[-2]), 3);
	assert_int_equal(__inlay_bpf_strnlen_v1((__u64)bad, 0), 0);
}

static void test_copy(void **state)
{
	char to[16];

	(void)state;
	strcpy(memory.all, "some text");
	memset(to, 'x', sizeof(to));
	assert_int_equal(__inlay_bpf_copy_from_user_str_v1(to, 16, (__u64)memory.all, 0), 10);
	assert_string_equal(to, "some text");
	assert_int_equal(to[15], 'x');
	assert_int_equal(__inlay_bpf_copy_from_user_str_v1(to, 16, (__u64)memory.all, 1), 10);
	assert_int_equal(to[15], 0);
	assert_int_equal(__inlay_bpf_copy_from_user_str_v1(to, 5, (__u64)memory.all, 0), 5);
	assert_string_equal(to, "some");
	assert_int_equal(__inlay_bpf_copy_from_user_str_v1(to, 1, (__u64)bad, 0), 1);
	assert_int_equal(to[0], 0);
	assert_int_equal(__inlay_bpf_copy_from_user_str_v1(to, 0, (__u64)bad, 0), 0);
	assert_int_equal(__inlay_bpf_copy_from_user_str_v1(to, 16, (__u64)memory.all, 2), -EINVAL);
	memset(to, 'x', sizeof(to));
	assert_int_equal(__inlay_bpf_copy_from_user_str_v1(to, 16, (__u64)bad, 0), -EFAULT);
	assert_int_equal(to[15], 'x');
	assert_int_equal(__inlay_bpf_copy_from_user_str_v1(to, 16, (__u64)bad, 1), -EFAULT);
	assert_int_equal(to[0] | to[15], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_without_end),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test_setup(test_edges, setup),
		cmocka_unit_test_setup(test_copy, setup),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
