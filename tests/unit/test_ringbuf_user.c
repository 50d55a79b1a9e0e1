/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draining a ring that is written from outside, against the kernel's: the same bytes and positions in both,
 * right and wrong ones, and the same drains. Also: whose turn it is.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "ring_stubs.h"
#include "ringbuf_ops.h"
#include "rt/inline/dynptr.h"
#include "rt/map_ringbuf.h"
#include "skip.h"

enum { PAGE = 4096, RING_BYTES = 4096, ROUNDS = 20000 };

struct kernel_ring {
	struct bpf_object *object;
	int prog_fd;
	const __u64 *consumer_pos;
	__u64 *producer_pos;
	char *data;
};

static struct stub_map map;
static struct inlay_ring_header *header;
static __u64 clock_ns = 1;

__u64 __inlay_monotonic_ns(void)
{
	return clock_ns;
}

static bool kernel_open(struct kernel_ring *k)
{
	char *pages;
	int fd;

	k->object = bpf_object__open(RINGBUF_USER_KERNEL_OBJECT);
	assert_non_null(k->object);
	if (bpf_object__load(k->object)) {
		print_message("no user ring buffers in this kernel, or no permission\n");
		bpf_object__close(k->object);
		return false;
	}
	k->prog_fd = bpf_program__fd(bpf_object__find_program_by_name(k->object, "run"));
	fd = bpf_map__fd(bpf_object__find_map_by_name(k->object, "ring"));
	pages = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(pages != MAP_FAILED);
	k->consumer_pos = (const __u64 *)(void *)pages;
	pages = mmap(NULL, PAGE + 2 * RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	assert_true(pages != MAP_FAILED);
	k->producer_pos = (__u64 *)(void *)pages;
	k->data = pages + PAGE;
	return true;
}

static void kernel_close(struct kernel_ring *k)
{
	munmap((void *)(uintptr_t)k->consumer_pos, PAGE);
	munmap(k->producer_pos, PAGE + 2 * RING_BYTES);
	bpf_object__close(k->object);
}

static void kernel_drain(struct kernel_ring *k, struct ringbuf_drain *d)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = d, .ctx_size_in = sizeof(*d));

	assert_int_equal(bpf_prog_test_run_opts(k->prog_fd, &opts), 0);
}

/* What bpfcc makes of a drain. */
static void our_drain(struct ringbuf_drain *d)
{
	struct inlay_user_drain drain;
	struct inlay_dynptr ptr;
	bool is_stopped = false;

	d->nr = d->sum = 0;
	d->ret = __inlay_user_ringbuf_begin_v1(&map.desc, d->flags, &drain);
	if (d->ret)
		return;
	while (!is_stopped && __inlay_user_ringbuf_next_v1(&drain, &ptr)) {
		__u64 value;

		d->nr++;
		if (!__inlay_dynptr_read(&value, sizeof(value), &ptr, 0, 0))
			d->sum += value;
		is_stopped = d->nr == d->stop_after;
		__inlay_user_ringbuf_done_v1(&drain);
	}
	d->ret = __inlay_user_ringbuf_end_v1(&drain);
}

/* Puts a sample into both rings, if it fits; `flags`: of its header. */
static void put(struct kernel_ring *k, __u64 bytes, __u32 flags, __u64 value)
{
	__u64 pos = *k->producer_pos, total = (bytes + 8 + 7) / 8 * 8;
	char *theirs = k->data + pos % RING_BYTES;
	char *ours = (char *)(header + 1) + pos % RING_BYTES;
	__u32 len = (__u32)bytes | flags;

	if (pos + total - *k->consumer_pos > RING_BYTES)
		return;
	memcpy(theirs, &len, 4);
	memcpy(ours, &len, 4);
	if (bytes >= 8) {
		memcpy(theirs + 8, &value, 8);
		memcpy(ours + 8, &value, 8);
	}
	*k->producer_pos = header->producer_pos = pos + total;
}

/* The header of the sample that would come next, in both. */
static void set_next(struct kernel_ring *k, __u32 len)
{
	__u64 off = *k->consumer_pos % RING_BYTES;

	memcpy(k->data + off, &len, 4);
	memcpy((char *)(header + 1) + off, &len, 4);
}

static __u32 get_next(struct kernel_ring *k)
{
	__u32 len;

	memcpy(&len, k->data + *k->consumer_pos % RING_BYTES, 4);
	return len;
}

static void like_the_kernel(void **state)
{
	__u64 seed = 3, nr = 0, nr_errors = 0;
	struct kernel_ring k;
	int i;

	(void)state;
	if (!kernel_open(&k))
		skip_because("no ring of the kernel to compare with");
	for (i = 0; i < ROUNDS; i++) {
		struct ringbuf_drain ours = { .flags = stub_random(&seed) % 8 ?
						       stub_random(&seed) % 3 : 5 }, theirs;
		__u32 was = 0;
		__u64 end = *k.producer_pos;
		int what = (int)(stub_random(&seed) % 16);

		for (int n = (int)(stub_random(&seed) % 8); n; n--) {
			__u32 flags = stub_random(&seed) % 4 ? 0 : BPF_RINGBUF_DISCARD_BIT;

			put(&k, stub_random(&seed) % 4 ? stub_random(&seed) % 64 :
							 stub_random(&seed) % 2000,
			    flags, stub_random(&seed));
		}
		ours.stop_after = stub_random(&seed) % 6;
		end = *k.producer_pos;
		if (what < 5)
			was = get_next(&k);
		switch (what) {
		case 0: /* being written */
			set_next(&k, was | BPF_RINGBUF_BUSY_BIT);
			break;
		case 1: /* longer than what is there */
			set_next(&k, 4000 + (__u32)(stub_random(&seed) % 200));
			break;
		case 2: /* longer than everything */
			set_next(&k, (__u32)stub_random(&seed));
			break;
		case 3:
			*k.producer_pos = header->producer_pos = end + 1 + stub_random(&seed) % 7;
			break;
		case 4: /* far ahead */
			*k.producer_pos = header->producer_pos = end + (1u << 30);
			set_next(&k, 4080 + (__u32)(stub_random(&seed) % 40000000));
			break;
		}
		theirs = ours;
		header->waiting = 1;
		our_drain(&ours);
		kernel_drain(&k, &theirs);
		assert_int_equal(ours.ret, theirs.ret);
		assert_int_equal(ours.nr, theirs.nr);
		assert_int_equal(ours.sum, theirs.sum);
		assert_int_equal(header->consumer_pos, *k.consumer_pos);
		nr += ours.nr;
		nr_errors += ours.ret < 0;
		if (what < 5 && *k.consumer_pos <= end) {
			/* as it was, unless it was consumed */
			*k.producer_pos = header->producer_pos = end;
			if (ours.ret <= 0)
				set_next(&k, was);
		}
	}
	assert_true(nr > ROUNDS && nr_errors > ROUNDS / 10);
	kernel_close(&k);
}

/* One at a time, until the one is dead; and the producer is told. */
static void turns(void **state)
{
	struct inlay_user_drain drain;
	struct ringbuf_drain d = { 0 };
	__u64 len = 8;

	(void)state;
	memset(map.desc.region, 0, map.desc.region_bytes);
	stub_owner = 1;
	assert_int_equal(__inlay_user_ringbuf_begin_v1(&map.desc, 0, &drain), 0);
	our_drain(&d);
	assert_int_equal(d.ret, -16);
	stub_owner = 2;
	our_drain(&d);
	assert_int_equal(d.ret, -16);
	stub_owners->is_dead[1] = 1;
	our_drain(&d);
	assert_int_equal(d.ret, 0);
	stub_owners->is_dead[1] = 0;

	memcpy(header + 1, &len, 8);
	header->producer_pos = 16;
	header->waiting = 1;
	d.flags = INLAY_BPF_RB_NO_WAKEUP;
	our_drain(&d);
	assert_int_equal(d.ret, 1);
	assert_int_equal(header->waiting, 1);
	d.flags = 0;
	our_drain(&d);
	assert_int_equal(header->waiting, 1); /* nothing was drained */
	d.flags = INLAY_BPF_RB_FORCE_WAKEUP;
	our_drain(&d);
	assert_int_equal(header->waiting, 0);
	assert_int_equal(header->wakeups, 1);
}

/* Nobody will end that turn. What it does later, all the same, is not its turn any more. */
static void left(void **state)
{
	const struct {
		__u32 owner;
		__u64 limit_ns;
	} rows[] = { { 1, 10000000000 }, { 0, 1000000000 } };
	struct inlay_user_drain gone, other;
	struct ringbuf_drain d = { 0 };
	struct inlay_dynptr ptr;
	__u64 len = 8;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		memset(map.desc.region, 0, map.desc.region_bytes);
		for (__u32 k = 0; k < 4; k++)
			memcpy((char *)(header + 1) + 16 * k, &len, 8);
		header->producer_pos = 64;
		stub_owner = rows[i].owner;
		assert_int_equal(__inlay_user_ringbuf_begin_v1(&map.desc, 0, &gone), 0);
		assert_int_equal(__inlay_user_ringbuf_next_v1(&gone, &ptr), 1);
		our_drain(&d);
		assert_int_equal(d.ret, -16);
		clock_ns += rows[i].limit_ns;
		our_drain(&d);
		assert_int_equal(d.ret, -16);
		/* it does go on, so its time begins again */
		__inlay_user_ringbuf_done_v1(&gone);
		assert_int_equal(__inlay_user_ringbuf_next_v1(&gone, &ptr), 1);
		clock_ns += rows[i].limit_ns;
		our_drain(&d);
		assert_int_equal(d.ret, -16);
		clock_ns += rows[i].limit_ns + 1;
		assert_int_equal(__inlay_user_ringbuf_begin_v1(&map.desc, 0, &other), 0);
		assert_int_equal(__inlay_user_ringbuf_next_v1(&other, &ptr), 1);
		__inlay_user_ringbuf_done_v1(&gone);
		assert_int_equal(header->consumer_pos, 16);
		assert_int_equal(__inlay_user_ringbuf_next_v1(&gone, &ptr), 0);
		assert_int_equal(__inlay_user_ringbuf_end_v1(&gone), -16);
		our_drain(&d);
		assert_int_equal(d.ret, -16);
		__inlay_user_ringbuf_done_v1(&other);
		assert_int_equal(__inlay_user_ringbuf_end_v1(&other), 1);
		our_drain(&d);
		assert_int_equal(d.ret, 2);
	}
	stub_owner = 1;
}

static jmp_buf out;

static __attribute__((noinline)) void drain_and_leave(void)
{
	struct inlay_user_drain drain;

	assert_int_equal(__inlay_user_ringbuf_begin_v1(&map.desc, 0, &drain), 0);
	longjmp(out, 1);
}

static void set_up_two(void)
{
	__u64 len = 8;

	memset(map.desc.region, 0, map.desc.region_bytes);
	memcpy(header + 1, &len, 8);
	memcpy((char *)(header + 1) + 16, &len, 8);
	header->producer_pos = 32;
}

/* A thread that has left its own turn need not wait for it. */
static void left_by_longjmp(void **state)
{
	struct inlay_user_drain drain, other;
	struct inlay_dynptr ptr;

	(void)state;
	set_up_two();
	if (!setjmp(out))
		drain_and_leave();
	assert_int_equal(__inlay_user_ringbuf_begin_v1(&map.desc, 0, &drain), 0);
	assert_int_equal(__inlay_user_ringbuf_next_v1(&drain, &ptr), 1);
	__inlay_user_ringbuf_done_v1(&drain);
	/* another process's turn is not to be told from one that goes on */
	stub_owner = 2;
	assert_int_equal(__inlay_user_ringbuf_begin_v1(&map.desc, 0, &other), -16);
	stub_owner = 1;
	assert_int_equal(__inlay_user_ringbuf_end_v1(&drain), 1);
	assert_int_equal(header->drain_owner >> 31, 0);
}

static volatile long handled;

static void drain_in_handler(int sig)
{
	struct ringbuf_drain d = { 0 };

	(void)sig;
	our_drain(&d);
	handled = d.ret;
}

/* In the middle of a drain, on a stack above the thread's. */
static void *drain_and_raise(void *arg)
{
	stack_t stack = { .ss_sp = arg, .ss_size = 1 << 16 }, none = { .ss_flags = SS_DISABLE };
	struct sigaction act = { .sa_handler = drain_in_handler, .sa_flags = SA_ONSTACK };
	struct inlay_user_drain drain;
	struct inlay_dynptr ptr;

	if ((char *)arg < (char *)&drain || sigaltstack(&stack, NULL) ||
	    sigaction(SIGUSR1, &act, NULL) ||
	    __inlay_user_ringbuf_begin_v1(&map.desc, 0, &drain) ||
	    __inlay_user_ringbuf_next_v1(&drain, &ptr) != 1 || raise(SIGUSR1))
		return arg;
	__inlay_user_ringbuf_done_v1(&drain);
	sigaltstack(&none, NULL);
	return __inlay_user_ringbuf_end_v1(&drain) == 1 ? NULL : arg;
}

static void interrupted_on_another_stack(void **state)
{
	enum { STACK_BYTES = 1 << 20 };
	char *at = mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	pthread_attr_t attr;
	pthread_t thread;
	void *failed;

	(void)state;
	set_up_two();
	assert_true(at != MAP_FAILED);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, at, STACK_BYTES);
	assert_int_equal(pthread_create(&thread, &attr, drain_and_raise, at + STACK_BYTES), 0);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(handled, -16);
}

/* A signal handler in the callback forks and returns: the turn, and the samples, are the parent's. */
static void forked(void **state)
{
	struct inlay_user_drain parent, child;
	struct ringbuf_drain d = { 0 };
	struct inlay_dynptr ptr;
	__u64 len = 8;

	(void)state;
	memset(map.desc.region, 0, map.desc.region_bytes);
	for (__u32 i = 0; i < 3; i++)
		memcpy((char *)(header + 1) + 16 * i, &len, 8);
	header->producer_pos = 48;
	stub_owner = 1;
	assert_int_equal(__inlay_user_ringbuf_begin_v1(&map.desc, 0, &parent), 0);
	assert_int_equal(__inlay_user_ringbuf_next_v1(&parent, &ptr), 1);
	child = parent;
	__inlay_user_ringbuf_done_v1(&parent);
	assert_int_equal(__inlay_user_ringbuf_next_v1(&parent, &ptr), 1);
	__inlay_user_ringbuf_done_v1(&parent);
	assert_int_equal(header->consumer_pos, 32);
	stub_owner = 3;
	__inlay_user_ringbuf_done_v1(&child);
	assert_int_equal(header->consumer_pos, 32);
	assert_int_equal(__inlay_user_ringbuf_next_v1(&child, &ptr), 0);
	assert_int_equal(__inlay_user_ringbuf_end_v1(&child), -16);
	our_drain(&d);
	assert_int_equal(d.ret, -16);
	stub_owner = 1;
	assert_int_equal(__inlay_user_ringbuf_next_v1(&parent, &ptr), 1);
	__inlay_user_ringbuf_done_v1(&parent);
	assert_int_equal(__inlay_user_ringbuf_end_v1(&parent), 3);
	assert_int_equal(header->consumer_pos, 48);
	our_drain(&d);
	assert_int_equal(d.ret, 0);
}

static int open_map(void **state)
{
	(void)state;
	stub_map_open(&map, INLAY_MAP_TYPE_USER_RINGBUF, RING_BYTES);
	header = map.desc.region;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(like_the_kernel),
		cmocka_unit_test(turns),
		cmocka_unit_test(left),
		cmocka_unit_test(left_by_longjmp),
		cmocka_unit_test(interrupted_on_another_stack),
		cmocka_unit_test(forked),
	};

	return exit_code(cmocka_run_group_tests(tests, open_map, NULL));
}
