/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another process of the user writes nonsense into header and tables while the target counts,
 * starts threads, forks and loads objects. Nothing that the target counts is right then; but it
 * must not crash, hang or leave its own memory.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/unit/fixture_object.h"
#include "tests/unit/segment_read.h"
#include "rt/inlay_rt_internal.h"

FIXTURE_ARRAY(0, counts, 8, 1000)
FIXTURE_PERCPU_ARRAY(1, a, 8, 4)
FIXTURE_PERCPU_ARRAY(2, b, 8, 4)
FIXTURE_HUGE_ARRAY(3, huge, 8, 200000)
FIXTURE_PERCPU_ARRAY(4, wide, 8, 1000000)
FIXTURE_OBJECT("hostile", 0x66, FIXTURE_MAP(counts), FIXTURE_MAP(a), FIXTURE_MAP(b),
	       FIXTURE_MAP(huge), FIXTURE_MAP(wide))

static __u64 seed = 0x9e3779b97f4a7c15ull;

static __u32 next(__u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (__u32)(seed >> 33) % below;
}

static __u64 nonsense(void)
{
	static const __u64 likely[] = { 0, 1, 2, 63, 64, 255, 256, 0xfff, 511, 512, 4095, 4096,
					0x7fffffff, 0x80000000, 0xffffffff, 1ull << 40,
					0x7ffffffffffff000ull, 0xfffffffffffff000ull, ~0ull };

	return next(3) ? likely[next(sizeof(likely) / sizeof(likely[0]))] : seed;
}

/* Mostly where the runtime looks: the header and the first rows of each table. */
static void scribble(void)
{
	static const size_t tables[] = {
		0, offsetof(struct rt_head, objects), offsetof(struct rt_head, maps),
		offsetof(struct rt_head, procs), offsetof(struct rt_head, shards),
	};
	char *head = (char *)__inlay_rt.head;
	size_t off = tables[next(5)] + next(640) / 4 * 4;
	__u64 value = nonsense();

	memcpy(head + off, &value, next(2) ? 4 : 8);
}

static __u64 counted, dropped;

static void hit(const struct inlay_map_desc *desc)
{
	add_relaxed(fixture_percpu_add(desc, 1, 1) ? &counted : &dropped, 1);
}

static void *thread_main(void *arg)
{
	int i;

	for (i = 0; i < 20; i++) {
		hit(&fixture_desc_a);
		hit(&fixture_desc_b);
		fixture_region_counts[7]++;
	}
	return arg;
}

static void round_of_life(int round)
{
	pthread_t threads[2];
	int i, status;
	pid_t pid;

	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, thread_main, NULL), 0);
	for (i = 0; i < 2; i++) {
		int hits = next(20);

		while (hits--)
			scribble();
		pthread_join(threads[i], NULL);
	}
	if (round % 8 == 0) {
		pid = fork();
		if (!pid) {
			thread_main(NULL);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	/* as a second library with the same object would */
	if (round % 4 == 0)
		__inlay_object_add(&fixture_object, NULL);
}

static void test_nonsense_in_the_tables(void **state)
{
	struct rt_head *good = malloc(sizeof(*good));
	int round;

	(void)state;
	assert_non_null(good);
	memcpy(good, __inlay_rt.head, sizeof(*good));
	for (round = 0; round < 1500; round++) {
		/*
		 * start over at times: after enough nonsense everything is refused at the first
		 * look
		 */
		if (round % 10 == 0)
			memcpy(__inlay_rt.head, good, sizeof(*good));
		round_of_life(round);
	}
	memcpy(__inlay_rt.head, good, sizeof(*good));
	free(good);
	/* both ways were taken often, or this tests nothing */
	assert_true(counted > 1000);
	assert_true(dropped > 1000);
}

/* A row that this process has mapped for one map is said to be another's, with larger shards. */
static void test_shard_of_another_map(void **state)
{
	struct inlay_seg_shard *shard = __inlay_rt.head->shards;
	int status = -1;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		hit(&fixture_desc_a);
		while (shard->tid != (__u32)getpid())
			shard++;
		shard->map = 4;
		shard->bytes = fixture_desc_wide.shard_bytes;
		_exit(!fixture_percpu_add(&fixture_desc_wide, 999999, 1));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* dropped, and not written beyond the mapping */
	assert_int_equal(status, 1 << 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shard_of_another_map),
		cmocka_unit_test(test_nonsense_in_the_tables),
	};

	(void)fixture_objref;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
