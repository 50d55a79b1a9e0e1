/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers against the kernel's: the same random calls of the helpers, by programs in the kernel and
 * from native code, and the same looks by a consumer. Results, wake-ups, positions and records
 * must be equal.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "inlay/ring.h"
#include "ring_stubs.h"
#include "ringbuf_ops.h"
#include "rt/inline/dynptr.h"
#include "skip.h"

enum { PAGE = 4096, ROUNDS = 30000 };

struct kernel_ring {
	struct bpf_object *object;
	int prog_fd, map_fd, epoll_fd;
	__u64 *consumer_pos;
	const __u64 *producer_pos;
	const char *data;
	__u64 size;
};

static char copy[RINGBUF_DATA_BYTES];

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static bool kernel_open(struct kernel_ring *k, __u32 size)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	char *map;

	libbpf_set_print(quiet);
	k->object = bpf_object__open(RINGBUF_KERNEL_OBJECT);
	assert_non_null(k->object);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(k->object, "ring"), size);
	if (bpf_object__load(k->object)) {
		print_message("no ring buffers in this kernel, or no permission\n");
		bpf_object__close(k->object);
		return false;
	}
	k->prog_fd = bpf_program__fd(bpf_object__find_program_by_name(k->object, "run"));
	k->map_fd = bpf_map__fd(bpf_object__find_map_by_name(k->object, "ring"));
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, k->map_fd, 0);
	assert_true(map != MAP_FAILED);
	k->consumer_pos = (__u64 *)(void *)map;
	map = mmap(NULL, PAGE + 2ul * size, PROT_READ, MAP_SHARED, k->map_fd, PAGE);
	assert_true(map != MAP_FAILED);
	k->producer_pos = (const __u64 *)(void *)map;
	k->data = map + PAGE;
	k->size = size;
	k->epoll_fd = epoll_create1(0);
	assert_true(k->epoll_fd >= 0);
	assert_int_equal(epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, k->map_fd, &event), 0);
	return true;
}

static void kernel_close(struct kernel_ring *k)
{
	munmap(k->consumer_pos, PAGE);
	munmap((void *)(uintptr_t)k->producer_pos, PAGE + 2 * k->size);
	close(k->epoll_fd);
	bpf_object__close(k->object);
}

/* Whether somebody who waited would have been woken since the last question. */
static bool kernel_was_woken(struct kernel_ring *k)
{
	struct epoll_event event;

	return epoll_wait(k->epoll_fd, &event, 1, 0) == 1;
}

static void kernel_run(struct kernel_ring *k, struct ringbuf_op *op)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = op, .ctx_size_in = sizeof(*op));

	assert_int_equal(bpf_prog_test_run_opts(k->prog_fd, &opts), 0);
	assert_int_equal(opts.retval, 0);
}

/* The next record, or NULL; discarded ones are passed by. */
static const char *kernel_next(struct kernel_ring *k, __u32 *ret_bytes)
{
	__u64 cons = *k->consumer_pos, prod = __atomic_load_n(k->producer_pos, __ATOMIC_ACQUIRE);

	while (cons < prod) {
		const char *at = k->data + (cons & (k->size - 1));
		__u32 len = __atomic_load_n((const __u32 *)(const void *)at, __ATOMIC_ACQUIRE);

		assert_false(len & BPF_RINGBUF_BUSY_BIT);
		*ret_bytes = len & ~BPF_RINGBUF_DISCARD_BIT;
		cons += (*ret_bytes + 8 + 7) / 8 * 8;
		__atomic_store_n(k->consumer_pos, cons, __ATOMIC_RELEASE);
		if (!(len & BPF_RINGBUF_DISCARD_BIT))
			return at + 8;
	}
	return NULL;
}

/* ---- Ours ------------------------------------------------------------------------------- */

static void our_commit(void *record, const struct ringbuf_op *op)
{
	if (op->is_discard)
		__inlay_ringbuf_discard_v1(record, op->commit_flags);
	else
		__inlay_ringbuf_submit_v1(record, op->commit_flags);
}

static void our_nest(const struct inlay_map_desc *desc, struct ringbuf_op *op)
{
	__u64 *first = __inlay_ringbuf_reserve_v1(desc, 24, 0), *second;

	op->ret = 0;
	if (!first)
		return;
	op->ret = 1;
	*first = op->value;
	second = __inlay_ringbuf_reserve_v1(desc, 40, 0);
	if (second) {
		op->ret = 2;
		*second = op->value + 1;
		__inlay_ringbuf_submit_v1(second, op->commit_flags);
	}
	op->ret |= __inlay_ringbuf_query_v1(desc, 0) << 8;
	our_commit(first, op);
}

static void our_run(const struct inlay_map_desc *desc, struct ringbuf_op *op)
{
	struct inlay_dynptr ptr;
	void *record;

	switch (op->op) {
	case RINGBUF_OUTPUT:
		memcpy(copy, &op->value, 8);
		op->ret = __inlay_ringbuf_output_v1(desc, copy, op->bytes, op->flags);
		break;
	case RINGBUF_RESERVE:
		record = __inlay_ringbuf_reserve_v1(desc, op->bytes, op->flags);
		op->ret = record != NULL;
		if (!record)
			break;
		if (op->bytes >= 8)
			memcpy(record, &op->value, 8);
		our_commit(record, op);
		break;
	case RINGBUF_NEST:
		our_nest(desc, op);
		break;
	case RINGBUF_DYNPTR:
		op->ret = __inlay_ringbuf_reserve_dynptr_v1(desc, op->bytes, op->flags, &ptr);
		__inlay_dynptr_write(&ptr, 0, &op->value, 8, 0);
		if (op->is_discard)
			__inlay_ringbuf_discard_dynptr_v1(&ptr, op->commit_flags);
		else
			__inlay_ringbuf_submit_dynptr_v1(&ptr, op->commit_flags);
		assert_null(ptr.data);
		break;
	case RINGBUF_QUERY:
		op->ret = __inlay_ringbuf_query_v1(desc, op->flags);
		break;
	}
}

/* ---- Both ------------------------------------------------------------------------------- */

#define SIZE(n) n,
static const __u64 sizes[] = { RINGBUF_SIZES(SIZE) };

static __u64 random_size(__u64 *seed, __u64 size)
{
	switch (stub_random(seed) % 6) {
	case 0:
		return stub_random(seed) % 16;
	case 1:
		return size - 64 + stub_random(seed) % 72;
	case 2:
		return stub_random(seed) % size;
	default:
		return stub_random(seed) % (size / 8);
	}
}

static struct ringbuf_op random_op(__u64 *seed, __u64 size)
{
	struct ringbuf_op op = { .op = stub_random(seed) % RINGBUF_OPS };

	op.value = stub_random(seed);
	op.commit_flags = stub_random(seed) % 3; /* others are for kernels to come */
	op.is_discard = stub_random(seed) % 4 == 0;
	op.flags = stub_random(seed) % 8 ? 0 : stub_random(seed) % 6;
	if (op.op == RINGBUF_RESERVE)
		op.bytes = sizes[stub_random(seed) % (sizeof(sizes) / sizeof(sizes[0]))];
	else
		op.bytes = random_size(seed, size);
	if (op.op == RINGBUF_DYNPTR && stub_random(seed) % 16 == 0)
		op.bytes = (1u << 24) - 2 + stub_random(seed) % 4;
	if (op.op == RINGBUF_OUTPUT && op.bytes > sizeof(copy))
		op.bytes = sizeof(copy);
	if (op.op == RINGBUF_OUTPUT || op.op == RINGBUF_QUERY)
		op.flags = stub_random(seed) % 6;
	return op;
}

static void compare_consumers(struct kernel_ring *k, struct inlay_ring *r, __u64 nr)
{
	while (nr--) {
		struct inlay_ring_record record;
		enum inlay_ring_found found;
		const char *theirs;
		__u32 bytes = 0;

		theirs = kernel_next(k, &bytes);
		found = inlay_ring_next(r, &record);
		assert_int_equal(found, theirs ? INLAY_RING_RECORD : INLAY_RING_EMPTY);
		if (!theirs)
			break;
		assert_int_equal(record.bytes, bytes);
		/* what nobody wrote is what lay there */
		assert_memory_equal(record.data, theirs, bytes < 8 ? 0 : 8);
		inlay_ring_pass(r, &record);
	}
	inlay_ring_release(r);
	assert_int_equal(r->header->consumer_pos, *k->consumer_pos);
	assert_int_equal(r->header->free_pos, *k->consumer_pos);
}

static void compare(__u32 size, __u64 seed)
{
	struct stub_map map;
	struct kernel_ring k;
	struct inlay_ring r;
	int i, nr_woken = 0;

	if (!kernel_open(&k, size))
		skip_because("no ring of the kernel to compare with");
	stub_map_open(&map, INLAY_MAP_TYPE_RINGBUF, size);
	inlay_ring_open(&r, map.desc.region, size, stub_is_alive, stub_barrier, NULL);
	for (i = 0; i < ROUNDS; i++) {
		struct ringbuf_op ours = random_op(&seed, size), theirs = ours;
		bool is_woken;

		r.header->waiting = 1;
		kernel_was_woken(&k);
		our_run(&map.desc, &ours);
		kernel_run(&k, &theirs);
		if (ours.ret != theirs.ret)
			print_error("op %llu of %llu bytes, flags %llu\n", ours.op, ours.bytes,
				    ours.flags);
		assert_int_equal(ours.ret, theirs.ret);
		is_woken = kernel_was_woken(&k);
		nr_woken += is_woken;
		if (is_woken != !r.header->waiting)
			print_error("op %llu of %llu bytes, flags %llu, %llu\n", ours.op,
				    ours.bytes, ours.flags, ours.commit_flags);
		assert_int_equal(!r.header->waiting, is_woken);
		if (stub_random(&seed) % 4 == 0)
			compare_consumers(&k, &r, stub_random(&seed) % 8);
	}
	compare_consumers(&k, &r, UINT64_MAX);
	assert_int_equal(r.broken, 0);
	assert_true(r.header->lost > 0);
	assert_in_range(nr_woken, ROUNDS / 20, ROUNDS - ROUNDS / 20);
	stub_map_close(&map);
	kernel_close(&k);
}

static void like_the_kernel(void **state)
{
	(void)state;
	compare(4096, 1);
	__inlay_process_v1.epoch = 1; /* the shorter way from now on */
	compare(4096, 2);
	compare(65536, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(like_the_kernel),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
