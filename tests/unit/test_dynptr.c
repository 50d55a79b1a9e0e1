/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynptrs of memory against the kernel's: the same random operations, answers and bytes. */
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

#include "rt/inline/dynptr.h"
#include "dynptr_kernel.h"

static uint64_t random_state = 88172645463325252ull;

static uint32_t dice(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20) % n;
}

/* As in dynptr_kernel.bpf.c, where results have 32 bits. */
static __s64 our_kfunc_step(const struct dynptr_op *op, struct inlay_dynptr *ptr,
			    struct inlay_dynptr *other)
{
	struct inlay_dynptr clone;
	unsigned char *slice;
	__s64 ret;

	switch (op->kind) {
	case DYNPTR_OP_ADJUST:
		return __inlay_bpf_dynptr_adjust(ptr, op->offset, op->bytes);
	case DYNPTR_OP_SIZE:
		return __inlay_bpf_dynptr_size(ptr);
	case DYNPTR_OP_IS_NULL:
		return (__s64)__inlay_bpf_dynptr_is_null(ptr);
	case DYNPTR_OP_IS_RDONLY:
		return (__s64)__inlay_bpf_dynptr_is_rdonly(ptr);
	case DYNPTR_OP_CLONE:
		ret = __inlay_bpf_dynptr_clone(ptr, &clone);
		__inlay_bpf_dynptr_adjust(&clone, op->offset, op->bytes);
		return ret * 1000 + __inlay_bpf_dynptr_size(&clone);
	case DYNPTR_OP_SLICE:
		slice = __inlay_bpf_dynptr_slice(ptr, op->offset, NULL, DYNPTR_SLICE);
		return slice ? slice[0] * 256 + slice[DYNPTR_SLICE - 1] : -1;
	case DYNPTR_OP_COPY:
		return __inlay_bpf_dynptr_copy(ptr, op->offset, other, op->at, op->bytes);
	case DYNPTR_OP_COPY_BACK:
		return __inlay_bpf_dynptr_copy(other, op->at, ptr, op->offset, op->bytes);
	default:
		return __inlay_bpf_dynptr_memset(ptr, op->offset, op->bytes, op->at);
	}
}

static __s64 our_step(const struct dynptr_op *op, struct inlay_dynptr *ptr,
		      struct inlay_dynptr *other, struct dynptr_memory *m)
{
	uint32_t at = op->at & (DYNPTR_BUFFER - 1), bytes = op->bytes & DYNPTR_BUFFER_BYTES_MASK;
	unsigned char *slice;

	switch (op->kind) {
	case DYNPTR_OP_READ:
		return __inlay_dynptr_read(&m->all[at], bytes, ptr, op->offset, op->flags);
	case DYNPTR_OP_WRITE:
		return __inlay_dynptr_write(ptr, op->offset, &m->all[at], bytes, op->flags);
	case DYNPTR_OP_DATA:
		slice = __inlay_dynptr_data(ptr, op->offset, DYNPTR_SLICE);
		if (!slice)
			return 0;
		slice[0] ^= 0x5a;
		slice[DYNPTR_SLICE - 1] += 7;
		return 1;
	default:
		return our_kfunc_step(op, ptr, other);
	}
}

static void our_ops(struct dynptr_call *call, struct dynptr_memory *m)
{
	struct inlay_dynptr ptr, other;

	call->ret = __inlay_dynptr_from_mem(&m->all[call->at & (DYNPTR_BUFFER - 1)],
					    call->bytes & DYNPTR_BUFFER_BYTES_MASK, call->flags,
					    &ptr);
	__inlay_dynptr_from_mem(&m->all[call->other_at & (DYNPTR_BUFFER - 1)],
				call->other_bytes & DYNPTR_BUFFER_BYTES_MASK, 0, &other);
	for (int i = 0; i < DYNPTR_OPS; i++)
		call->ops[i].ret = our_step(&call->ops[i], &ptr, &other, m);
}

static void random_call(struct dynptr_call *call)
{
	static const uint64_t odd[] = { 0xffffffffu, 1ull << 32, (1ull << 32) + 3, ~0ull, 1 };

	memset(call, 0, sizeof(*call));
	call->at = dice(64);
	call->bytes = dice(4) ? dice(128) : dice(3);
	call->other_at = dice(64);
	call->other_bytes = dice(4) ? dice(128) : dice(3);
	call->flags = dice(16) ? 0 : 1ull << dice(64);
	for (int i = 0; i < DYNPTR_OPS; i++) {
		struct dynptr_op *op = &call->ops[i];

		op->kind = dice(DYNPTR_OP_NR);
		op->at = dice(64);
		op->bytes = dice(3) ? dice(32) : dice(128);
		op->offset = dice(8) ? dice(call->bytes + 3) : odd[dice(5)];
		op->flags = dice(12) ? 0 : 1ull << dice(64);
	}
}

static void test_as_the_kernel(void **state)
{
	struct bpf_object *object = bpf_object__open_file(DYNPTR_PROGRAM, NULL);
	struct dynptr_call ours, kernels;
	struct dynptr_memory our_memory, kernel_memory;
	unsigned int oks = 0, slices = 0, kfuncs[DYNPTR_OP_NR] = { 0 };
	struct bpf_map *map;
	int prog_fd, err;
	__u32 zero = 0;

	(void)state;
	assert_non_null(object);
	err = bpf_object__load(object);
	if (err) {
		bpf_object__close(object);
		skip_because("the kernel does not load it: %s", strerror(-err));
	}
	prog_fd = bpf_program__fd(bpf_object__find_program_by_name(object, "dynptr_ops"));
	map = bpf_object__find_map_by_name(object, "memory");
	for (int round = 0; round < 4000; round++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts);

		for (unsigned int i = 0; i < sizeof(our_memory); i++)
			our_memory.all[i] = (unsigned char)dice(256);
		kernel_memory = our_memory;
		random_call(&ours);
		kernels = ours;
		opts.ctx_in = &kernels;
		opts.ctx_size_in = sizeof(kernels);
		assert_int_equal(bpf_map__update_elem(map, &zero, sizeof(zero), &kernel_memory,
						      sizeof(kernel_memory), BPF_ANY), 0);
		assert_int_equal(bpf_prog_test_run_opts(prog_fd, &opts), 0);
		assert_int_equal(opts.retval, 0);
		assert_int_equal(bpf_map__lookup_elem(map, &zero, sizeof(zero), &kernel_memory,
						      sizeof(kernel_memory), 0), 0);
		our_ops(&ours, &our_memory);
		assert_int_equal(ours.ret, kernels.ret);
		for (int i = 0; i < DYNPTR_OPS; i++) {
			if (ours.ops[i].ret != kernels.ops[i].ret)
				fail_msg("round %d, operation %d (%u): %lld, the kernel's %lld",
					 round, i, ours.ops[i].kind, (long long)ours.ops[i].ret,
					 (long long)kernels.ops[i].ret);
			oks += ours.ops[i].kind < DYNPTR_OP_DATA && !ours.ops[i].ret;
			kfuncs[ours.ops[i].kind] += ours.ops[i].ret >= 0;
			slices += ours.ops[i].kind == DYNPTR_OP_DATA && ours.ops[i].ret;
		}
		assert_memory_equal(&our_memory, &kernel_memory, sizeof(our_memory));
	}
	assert_true(oks > 1000 && slices > 500);
	for (int i = DYNPTR_OP_ADJUST; i < DYNPTR_OP_NR; i++)
		assert_true(kfuncs[i] > 300);
	bpf_object__close(object);
}

/* What programs cannot ask for here, and makers of read-only dynptrs can. */
static void test_limits(void **state)
{
	static char large[INLAY_DYNPTR_MAX_BYTES + 1];
	struct inlay_dynptr ptr;
	char byte = 1;

	(void)state;
	assert_int_equal(__inlay_dynptr_from_mem(large, INLAY_DYNPTR_MAX_BYTES, 0, &ptr), 0);
	assert_int_equal(__inlay_dynptr_write(&ptr, INLAY_DYNPTR_MAX_BYTES - 1, &byte, 1, 0), 0);
	assert_int_equal(large[INLAY_DYNPTR_MAX_BYTES - 1], 1);
	assert_int_equal(__inlay_dynptr_write(&ptr, INLAY_DYNPTR_MAX_BYTES, &byte, 1, 0), -E2BIG);
	/* its size is looked at before the flags */
	assert_int_equal(__inlay_dynptr_from_mem(large, INLAY_DYNPTR_MAX_BYTES + 1, 1, &ptr), -E2BIG);
	assert_int_equal(__inlay_dynptr_read(&byte, 0, &ptr, 0, 0), -EINVAL);
	assert_null(__inlay_dynptr_data(&ptr, 0, 0));
	inlay_dynptr_set(&ptr, large, 8, INLAY_DYNPTR_RDONLY);
	large[3] = 42;
	assert_int_equal(__inlay_dynptr_read(&byte, 1, &ptr, 3, 0), 0);
	assert_int_equal(byte, 42);
	assert_int_equal(__inlay_dynptr_write(&ptr, 100, &byte, 1, 1), -EINVAL);
	assert_null(__inlay_dynptr_data(&ptr, 0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_kernel),
		cmocka_unit_test(test_limits),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
