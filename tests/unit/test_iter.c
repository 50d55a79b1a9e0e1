/* SPDX-License-Identifier: BSD-2-Clause */
/* Iterators over numbers against the kernel's: the same ranges, odd ones first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "skip.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "rt/inline/iter.h"
#include "iter_kernel.h"

static uint64_t random_state = 88172645463325252ull;

static uint32_t dice(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20) % n;
}

/* The program of iter_kernel.bpf.c with our functions. */
static void our_range(struct iter_call *call)
{
	struct inlay_iter_num it;
	const __s32 *item;

	/* above 32 bits there may be anything: it is not theirs */
	call->err = (__s32)__inlay_bpf_iter_num_new(&it, (__u32)call->start | (__u64)dice(9) << 32,
						    (__u32)call->end | (__u64)dice(9) << 32);
	while ((item = __inlay_bpf_iter_num_next(&it))) {
		call->hash = call->hash * 31 + (__u32)*item;
		call->last = *item;
		call->nr++;
		if (call->nr == call->most)
			break;
	}
	call->is_at_end = !__inlay_bpf_iter_num_next(&it);
	__inlay_bpf_iter_num_destroy(&it);
	assert_null(__inlay_bpf_iter_num_next(&it));
}

static const __s32 odd[] = {
	0, 1, 2, 7, 100, -1, -2, -100, INT32_MAX, INT32_MAX - 1, INT32_MAX - 100, INT32_MIN,
	INT32_MIN + 1, INT32_MIN + 100, INLAY_ITER_MAX, INLAY_ITER_MAX + 1, INLAY_ITER_MAX - 1,
	INT32_MIN + INLAY_ITER_MAX, INT32_MIN + INLAY_ITER_MAX + 1, -INLAY_ITER_MAX,
	INT32_MAX - INLAY_ITER_MAX, INT32_MAX - INLAY_ITER_MAX - 1, 1 - INLAY_ITER_MAX,
};
#define NR_ODD (sizeof(odd) / sizeof(odd[0]))

static void compare(int prog_fd, __s32 start, __s32 end, __u32 most, unsigned int *errors)
{
	struct iter_call ours = { .start = start, .end = end, .most = most }, kernels = ours;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &kernels, .ctx_size_in = sizeof(kernels));

	assert_int_equal(bpf_prog_test_run_opts(prog_fd, &opts), 0);
	our_range(&ours);
	if (memcmp(&ours, &kernels, sizeof(ours)))
		fail_msg("%d to %d, %u rounds: %d, %u to %d; the kernel's %d, %u to %d", start, end,
			 most, ours.err, ours.nr, ours.last, kernels.err, kernels.nr, kernels.last);
	*errors += ours.err != 0;
}

static void test_as_the_kernel(void **state)
{
	struct bpf_object *object = bpf_object__open_file(ITER_PROGRAM, NULL);
	unsigned int errors = 0;
	int prog_fd, err;

	(void)state;
	assert_non_null(object);
	err = bpf_object__load(object);
	if (err) {
		bpf_object__close(object);
		skip_because("the kernel does not load it: %s", strerror(-err));
	}
	prog_fd = bpf_program__fd(bpf_object__find_program_by_name(object, "iter_range"));
	for (size_t i = 0; i < NR_ODD; i++)
		for (size_t k = 0; k < NR_ODD; k++)
			compare(prog_fd, odd[i], odd[k], 1 + dice(1000), &errors);
	assert_true(errors > NR_ODD && errors < NR_ODD * NR_ODD);
	/* to their ends */
	compare(prog_fd, -1, INLAY_ITER_MAX - 1, 0, &errors);
	compare(prog_fd, INT32_MAX - 1000, INT32_MAX, 0, &errors);
	compare(prog_fd, INT32_MIN, INT32_MIN + 1000, 0, &errors);
	for (int round = 0; round < 1000; round++) {
		__s32 start = (__s32)(dice(1u << 31) << 1);

		compare(prog_fd, start, (__s32)((__u32)start + dice(3000) - 10), dice(4) ? 0 : dice(9),
			&errors);
	}
	bpf_object__close(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_kernel),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
