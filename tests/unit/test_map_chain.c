/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues and stacks under fire: threads of one process, and processes that are killed at random
 * times. No element is lost, met twice, torn, or out of a queue's order. Built twice, the second
 * time with ThreadSanitizer.
 */
#include "map_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rt/inlay_rt.h"

enum {
	NR_THREADS = 3, NR_PUSHES = 15000, MAX_ENTRIES = 40, NR_CHILDREN = 3, NR_KILLS = 60,
};

static struct fixture map;
static __u8 seen[NR_THREADS][NR_PUSHES];

struct value {
	__u64 who, number, again[2];
};

static void check_value(const struct value *v)
{
	if (v->again[0] != v->number || v->again[1] != v->who)
		abort();
}

/* What one thread pops of another one's is in its order, if nobody else pops or it is a queue. */
static void check_order(const struct value *v, __u64 *last)
{
	if (map.desc.type != INLAY_MAP_TYPE_QUEUE)
		return;
	if (v->number < last[v->who])
		abort();
	last[v->who] = v->number + 1;
}

static void note_seen(const struct value *v)
{
	if (v->who >= NR_THREADS || v->number >= NR_PUSHES ||
	    __atomic_exchange_n(&seen[v->who][v->number], 1, __ATOMIC_RELAXED))
		abort();
}

static void *push_and_pop(void *arg)
{
	__u64 who = (uintptr_t)arg, seed = who + 1, number = 0, last[NR_THREADS] = { 0 };
	struct value v;

	while (number < NR_PUSHES) {
		v = (struct value){ who, number, { number, who } };
		number += !__inlay_map_push_elem_v1(&map.desc, &v, 0);
		if (!__inlay_map_peek_elem_v1(&map.desc, &v))
			check_value(&v);
		/* about as many pops as pushes: now full, now empty */
		for (__u64 n = fixture_random(&seed) % 3; n; n--)
			if (!__inlay_map_pop_elem_v1(&map.desc, &v)) {
				check_value(&v);
				check_order(&v, last);
				note_seen(&v);
			}
	}
	return NULL;
}

static void run_threads(__u32 type)
{
	pthread_t ids[NR_THREADS];
	struct value v;

	memset(seen, 0, sizeof(seen));
	fixture_init(&map, type, 0, sizeof(struct value), MAX_ENTRIES);
	for (uintptr_t i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, push_and_pop, (void *)i), 0);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(ids[i], NULL);
	while (!__inlay_map_pop_elem_v1(&map.desc, &v))
		note_seen(&v);
	for (int i = 0; i < NR_THREADS; i++)
		for (int k = 0; k < NR_PUSHES; k++)
			assert_int_equal(seen[i][k], 1);
	fixture_check(&map.desc, false);
	fixture_fini(&map);
}

/* Every push finds room: the oldest goes. */
static void *push_over(void *arg)
{
	__u64 who = (uintptr_t)arg;

	for (__u64 number = 0; number < NR_PUSHES; number++) {
		struct value v = { who, number, { number, who } };
		__s64 err = __inlay_map_push_elem_v1(&map.desc, &v, INLAY_BPF_EXIST);

		if (err && err != -INLAY_EBUSY)
			abort();
		if (!__inlay_map_peek_elem_v1(&map.desc, &v))
			check_value(&v);
	}
	return NULL;
}

static void run_replace(__u32 type)
{
	pthread_t ids[NR_THREADS];

	fixture_init(&map, type, 0, sizeof(struct value), MAX_ENTRIES);
	for (uintptr_t i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, push_over, (void *)i), 0);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(ids[i], NULL);
	assert_int_equal(fixture_count(&map.desc).live, MAX_ENTRIES);
	fixture_check(&map.desc, false);
	fixture_fini(&map);
}

static void threads(void **state)
{
	(void)state;
	run_threads(INLAY_MAP_TYPE_QUEUE);
	run_threads(INLAY_MAP_TYPE_STACK);
	run_replace(INLAY_MAP_TYPE_QUEUE);
	run_replace(INLAY_MAP_TYPE_STACK);
}

/* ---- Killed processes ------------------------------------------------------------------- */

static struct counts {
	__u64 pushed, popped;
} *counts;

static pid_t start_child(__u32 row)
{
	__u64 seed = row * 104729 + (__u64)getpid(), number = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	fixture_row = row;
	fixture_forget();
	for (;;) {
		struct value v = { row, number, { number, row } };

		number++;
		if (fixture_random(&seed) & 1) {
			if (!__inlay_map_push_elem_v1(&map.desc, &v, 0))
				__atomic_fetch_add(&counts->pushed, 1, __ATOMIC_RELAXED);
		} else if (!__inlay_map_pop_elem_v1(&map.desc, &v)) {
			__atomic_fetch_add(&counts->popped, 1, __ATOMIC_RELAXED);
			check_value(&v);
		}
	}
}

static void run_killed(__u32 type)
{
	pid_t pids[NR_CHILDREN];
	__u64 seed = (__u64)getpid() + 1, drained = 0;
	__u32 row, rows[NR_CHILDREN], i;
	struct value v;
	__s64 lost;

	memset(fixture_procs, 0, sizeof(*fixture_procs));
	memset(counts, 0, sizeof(*counts));
	fixture_init(&map, type, 0, sizeof(struct value), MAX_ENTRIES);
	for (i = 0; i < NR_CHILDREN; i++)
		pids[i] = start_child(rows[i] = 1 + i);
	row = 1 + NR_CHILDREN;
	for (int kills = 0; kills < NR_KILLS; kills++, row++) {
		struct timespec ts = { .tv_nsec = (long)(fixture_random(&seed) % 3000000) };
		int status;

		nanosleep(&ts, NULL);
		i = (__u32)(fixture_random(&seed) % NR_CHILDREN);
		kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		/* not ended by itself, on a torn value */
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		__atomic_store_n(&fixture_procs->is_dead[rows[i]], 1, __ATOMIC_RELEASE);
		rows[i] = row;
		pids[i] = start_child(row);
	}
	for (i = 0; i < NR_CHILDREN; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	for (row = 1; row < INLAY_SEGMENT_MAX_PROCS; row++)
		fixture_procs->is_dead[row] = 1;
	fixture_row = 0;
	fixture_forget();
	fixture_check(&map.desc, true);
	while (!__inlay_map_pop_elem_v1(&map.desc, &v)) {
		check_value(&v);
		drained++;
	}
	/* who was killed between an operation and counting it, or had an element in its hands */
	lost = (__s64)(counts->pushed - counts->popped - drained);
	assert_in_range(lost + NR_KILLS + NR_CHILDREN, 0, 2 * (NR_KILLS + NR_CHILDREN));
	/* all of max_entries can be had, once the search for the dead's nodes has come round */
	for (i = 0; i < 4 * inlay_hash_nr_nodes(&map.desc); i++)
		__inlay_map_push_elem_v1(&map.desc, &v, 0);
	assert_int_equal(fixture_count(&map.desc).live, MAX_ENTRIES);
	fixture_check(&map.desc, true);
	fixture_fini(&map);
}

static void killed_processes(void **state)
{
	size_t bytes;

	(void)state;
	fixture_procs = (struct fixture_procs *)(fixture_pages(sizeof(*fixture_procs), &bytes) +
						 INLAY_PAGE_BYTES);
	counts = (struct counts *)(fixture_pages(sizeof(*counts), &bytes) + INLAY_PAGE_BYTES);
	run_killed(INLAY_MAP_TYPE_QUEUE);
	run_killed(INLAY_MAP_TYPE_STACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads),
		cmocka_unit_test(killed_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
