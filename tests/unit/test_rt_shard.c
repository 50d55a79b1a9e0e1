/* SPDX-License-Identifier: BSD-2-Clause */
/* Shards: threads that come and go, signal handlers, fork in all its forms, and the killed. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/unit/fixture_object.h"
#include "tests/unit/segment_read.h"
#include "rt/inlay_rt_internal.h"

FIXTURE_PERCPU_ARRAY(0, waves, 8, 2)
FIXTURE_PERCPU_ARRAY(1, signals, 8, 2)
FIXTURE_PERCPU_ARRAY(2, forks, 8, 2)
FIXTURE_PERCPU_ARRAY(3, killed, 8, 2)
FIXTURE_PERCPU_ARRAY(4, raw, 8, 2)
FIXTURE_PERCPU_ARRAY(5, storm, 8, 2)
FIXTURE_PERCPU_ARRAY(6, late, 8, 2)
FIXTURE_PERCPU_ARRAY(7, silent, 8, 2)
FIXTURE_PERCPU_ARRAY(8, vforks, 8, 2)
FIXTURE_ARRAY(9, shared, 8, 4)
FIXTURE_PERCPU_ARRAY(10, full, 8, 2)
FIXTURE_PERCPU_ARRAY(11, skipped, 8, 2)
FIXTURE_PERCPU_ARRAY(12, own, 8, 2)
FIXTURE_OBJECT("shards", 0x5a, FIXTURE_MAP(waves), FIXTURE_MAP(signals), FIXTURE_MAP(forks),
	       FIXTURE_MAP(killed), FIXTURE_MAP(raw), FIXTURE_MAP(storm), FIXTURE_MAP(late),
	       FIXTURE_MAP(silent), FIXTURE_MAP(vforks), FIXTURE_MAP(shared),
	       FIXTURE_MAP(full), FIXTURE_MAP(skipped), FIXTURE_MAP(own))

static int seg_fd;

static void hit(const struct inlay_map_desc *desc, unsigned int times)
{
	while (times--)
		if (!fixture_percpu_add(desc, 0, 1))
			abort();
}

/* ---- threads ---------------------------------------------------------------------------- */

enum { WAVES = 250, WAVE_THREADS = 8, WAVE_HITS = 1000 };

static void *wave_thread(void *arg)
{
	hit(&fixture_desc_waves, WAVE_HITS);
	return arg;
}

static void test_threads_by_the_thousand(void **state)
{
	pthread_t threads[WAVE_THREADS];
	int wave, i;

	(void)state;
	for (wave = 0; wave < WAVES; wave++) {
		for (i = 0; i < WAVE_THREADS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, wave_thread, NULL), 0);
		for (i = 0; i < WAVE_THREADS; i++)
			pthread_join(threads[i], NULL);
	}
	assert_int_equal(segment_value(seg_fd, "waves", 0), WAVES * WAVE_THREADS * WAVE_HITS);
	/* handed on, not heaped up */
	assert_in_range(segment_nr_shards(seg_fd, "waves", INLAY_SHARD_FREE), 1, WAVE_THREADS);
	assert_int_equal(segment_nr_shards(seg_fd, "waves", INLAY_SHARD_OWNED), 0);
}

static void *own_thread(void *arg)
{
	int *turn = arg;

	hit(&fixture_desc_own, 1);
	store_release(turn, 1);
	while (load_acquire(turn) != 2)
		sched_yield();
	return arg;
}

/* A second library with the same object: its slot gets the thread's own shard, not a free one. */
static void test_own_shard_first(void **state)
{
	pthread_t thread;
	char *shard;
	int turn = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, own_thread, &turn), 0);
	while (!load_acquire(&turn))
		sched_yield();
	hit(&fixture_desc_own, 1);
	store_release(&turn, 2);
	pthread_join(thread, NULL);
	assert_int_equal(segment_nr_shards(seg_fd, "own", INLAY_SHARD_IDLE), 1);
	shard = fixture_tls_own;
	fixture_tls_own = NULL;
	hit(&fixture_desc_own, 1);
	assert_ptr_equal(fixture_tls_own, shard);
}

#ifndef RT_TEST_TSAN /* which follows no thread beyond its own destructor */
/* A destructor of the application that runs after the runtime's. */
static pthread_key_t late_key;

static void late_destructor(void *value)
{
	uintptr_t round = (uintptr_t)value;

	hit(&fixture_desc_late, 10);
	if (round < 3)
		pthread_setspecific(late_key, (void *)(round + 1));
}

static void *late_thread(void *arg)
{
	hit(&fixture_desc_late, 10);
	pthread_setspecific(late_key, (void *)1);
	return arg;
}

static void test_hits_in_thread_destructors(void **state)
{
	pthread_t thread;
	int i;

	(void)state;
	assert_int_equal(pthread_key_create(&late_key, late_destructor), 0);
	for (i = 0; i < 20; i++) {
		assert_int_equal(pthread_create(&thread, NULL, late_thread, NULL), 0);
		pthread_join(thread, NULL);
	}
	assert_int_equal(segment_value(seg_fd, "late", 0), 20 * 40);
	assert_int_equal(segment_nr_shards(seg_fd, "late", INLAY_SHARD_FREE), 1);
	pthread_key_delete(late_key);
}

/*
 * Threads that end by the bare system call run no destructor; their shards are found by their
 * ids.
 */
static void *silent_pthread(void *arg)
{
	hit(&fixture_desc_silent, 10);
	store_release((int *)arg, 1);
	syscall(SYS_exit, 0);
	return NULL;
}

static void test_threads_that_end_without_a_word(void **state)
{
	struct inlay_seg_shard *shards = __inlay_rt.head->shards;
	__u32 tid = 0, row;
	pthread_t thread;
	int done = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, silent_pthread, &done), 0);
	while (!load_acquire(&done))
		sched_yield();
	for (row = 0; row < __inlay_rt.head->seg.shards.nr; row++)
		if (shards[row].map == 7)
			tid = shards[row].tid;
	assert_true(tid != 0);
	while (!syscall(SYS_tgkill, getpid(), tid, 0))
		sched_yield();
	/* a full table: the next thread must find the one left behind */
	row = __inlay_rt.head->seg.shards.nr;
	__inlay_rt.head->seg.shards.nr = INLAY_SEGMENT_MAX_SHARDS;
	hit(&fixture_desc_silent, 5);
	__inlay_rt.head->seg.shards.nr = row;
	assert_int_equal(segment_value(seg_fd, "silent", 0), 15);
	assert_int_equal(segment_nr_shards(seg_fd, "silent", INLAY_SHARD_FREE), 1);
}
#endif

static void full_hit(int *got)
{
	*got += fixture_percpu_add(&fixture_desc_full, 0, 1);
}

static void test_full_table_drops_and_counts(void **state)
{
	struct inlay_seg_map map;
	__u32 nr = __inlay_rt.head->seg.shards.nr;
	int got = 0, i;

	(void)state;
	__inlay_rt.head->seg.shards.nr = INLAY_SEGMENT_MAX_SHARDS;
	for (i = 0; i < 10; i++)
		full_hit(&got);
	assert_int_equal(got, 0);
	assert_int_equal(segment_map(seg_fd, "full", &map), 10);
	assert_int_equal(map.drops, 10);
	/* room again: found after a while, as most hits do not search */
	__inlay_rt.head->seg.shards.nr = nr;
	for (i = 0; i < 1000; i++)
		full_hit(&got);
	assert_int_equal(segment_map(seg_fd, "full", &map), 10);
	assert_in_range(got, 1, 1000);
	assert_int_equal(map.drops, 1010 - got);
	assert_int_equal(segment_value(seg_fd, "full", 0), got);
}

#if defined(__x86_64__) && !defined(RT_TEST_TSAN)
/*
 * A handler takes the last of the hits to be skipped, at each instruction of a hit that is about
 * to: the count of those must not go below zero, or no hit would look for a shard any more.
 */
static volatile int steps_left;

static void on_step(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	if (--steps_left)
		return;
	fixture_percpu_add(&fixture_desc_skipped, 0, 1);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100;
}

static void hit_stepping(void)
{
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq" ::: "memory", "cc");
	fixture_percpu_add(&fixture_desc_skipped, 0, 1);
	__asm__ volatile("pushfq; andl $~0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static void test_the_last_skip_in_a_handler(void **state)
{
	struct sigaction act = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO }, old;
	struct rt_head *head = __inlay_rt.head;
	__u32 nr = head->seg.shards.nr;
	int step, i, got;

	(void)state;
	assert_int_equal(sigaction(SIGTRAP, &act, &old), 0);
	for (step = 1, steps_left = 0; steps_left <= 0; step++) {
		head->seg.shards.nr = INLAY_SEGMENT_MAX_SHARDS;
		/* one refused, all but one of those that are skipped then */
		for (i = 0; i < 1000; i++)
			assert_int_equal(fixture_percpu_add(&fixture_desc_skipped, 0, 1), 0);
		steps_left = step;
		hit_stepping();
		head->seg.shards.nr = nr;
		for (i = 0, got = 0; i < 1010 && !got; i++)
			got = fixture_percpu_add(&fixture_desc_skipped, 0, 1);
		assert_int_equal(got, 1);
		/* begin again, with no skips left: the thread forgets its shard */
		head->shards[nr].map = INLAY_SEGMENT_MAX_MAPS;
		fixture_tls_skipped = NULL;
	}
	assert_true(step > 20);
	sigaction(SIGTRAP, &old, NULL);
}
#endif

/* ---- signals ---------------------------------------------------------------------------- */

static __u64 handled;

static void on_signal(int sig)
{
	(void)sig;
	/*
	 * the interrupted code is mostly inside the runtime; its hit and this one are both
	 * counted
	 */
	if (fixture_percpu_add(&fixture_desc_signals, 1, 1))
		add_relaxed(&handled, 1);
}

static void *signal_thread(void *arg)
{
	int i;

	for (i = 0; i < 200; i++) {
		/* as if the thread were new each time: the shard is claimed under signals */
		__atomic_store_n(&fixture_tls_signals, NULL, __ATOMIC_RELAXED);
		hit(&fixture_desc_signals, 1);
	}
	store_release((int *)arg, 1);
	return NULL;
}

static void test_signals_in_the_middle_of_a_claim(void **state)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction old;
	int round;

	(void)state;
	handled = 0;
	assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
	for (round = 0; round < 20; round++) {
		pthread_t thread;
		int done = 0;

		assert_int_equal(pthread_create(&thread, NULL, signal_thread, &done), 0);
		while (!load_acquire(&done))
			pthread_kill(thread, SIGUSR1);
		pthread_join(thread, NULL);
	}
	sigaction(SIGUSR1, &old, NULL);
	assert_int_equal(segment_value(seg_fd, "signals", 0), 20 * 200);
	assert_true(handled > 0);
	assert_int_equal(segment_value(seg_fd, "signals", 1), handled);
	/*
	 * one thread at a time: one shard, but for a handler that claimed while a claim was
	 * beginning
	 */
	assert_in_range(segment_nr_shards(seg_fd, "signals", INLAY_SHARD_FREE), 1, 3);
	assert_int_equal(segment_nr_shards(seg_fd, "signals", INLAY_SHARD_OWNED), 0);
}

#ifndef RT_TEST_TSAN
/* ---- processes -------------------------------------------------------------------------- */

static void wait_ok(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_fork_child_has_its_own(void **state)
{
	pid_t pid;

	(void)state;
	hit(&fixture_desc_forks, 100);
	pid = fork();
	if (!pid) {
		if (load_relaxed(&fixture_tls_forks) || __inlay_rt.row == INLAY_PROC_NONE)
			_exit(1);
		hit(&fixture_desc_forks, 1000);
		_exit(__inlay_rt.head->procs[__inlay_rt.row].pid == (__u32)getpid() ? 0 : 2);
	}
	hit(&fixture_desc_forks, 100);
	wait_ok(pid);
	assert_int_equal(segment_value(seg_fd, "forks", 0), 1200);
	assert_int_equal(segment_nr_shards(seg_fd, "forks", INLAY_SHARD_FREE), 2);
}

/* Somebody who looks at the process in /proc may hold its memory, and so its lock, a moment longer. */
static bool is_dead_soon(__u32 row)
{
	int tries;

	for (tries = 0; __inlay_proc_is_alive(row) && tries < 1000; tries++)
		usleep(1000);
	return !__inlay_proc_is_alive(row);
}

static void test_the_killed_leave_their_shards(void **state)
{
	volatile __u64 *ready = fixture_region_shared;
	int round, i, status;

	(void)state;
	for (round = 0; round < 30; round++) {
		pid_t pids[4];

		ready[0] = 0;
		for (i = 0; i < 4; i++) {
			pids[i] = fork();
			if (!pids[i]) {
				hit(&fixture_desc_killed, 10);
				__atomic_fetch_add(&fixture_region_shared[0], 1, __ATOMIC_RELEASE);
				for (;;)
					pause();
			}
		}
		while (__atomic_load_n(&fixture_region_shared[0], __ATOMIC_ACQUIRE) < 4)
			sched_yield();
		for (i = 0; i < 4; i++) {
			__u32 row;

			for (row = 0; row < INLAY_SEGMENT_MAX_PROCS; row++)
				if (__inlay_rt.head->procs[row].pid == (__u32)pids[i])
					break;
			assert_true(row < INLAY_SEGMENT_MAX_PROCS);
			assert_true(__inlay_proc_is_alive(row));
			kill(pids[i], SIGKILL);
			waitpid(pids[i], &status, 0);
			assert_true(is_dead_soon(row));
		}
	}
	assert_int_equal(segment_value(seg_fd, "killed", 0), 30 * 4 * 10);
	assert_int_equal(segment_nr_shards(seg_fd, "killed", INLAY_SHARD_FREE), 4);
}

/* The parent dies first: its lock must not live on in the child. */
static void test_orphan(void **state)
{
	int pipe_fds[2], status;
	char byte = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	if (!pid) {
		__u32 parent_row = __inlay_rt.row;
		pid_t parent = getpid();

		if (fork())
			kill(getpid(), SIGKILL);
		while (getppid() == parent)
			sched_yield();
		byte = is_dead_soon(parent_row) ? 'd' : 'a';
		_exit(write(pipe_fds[1], &byte, 1) == 1 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	assert_int_equal(byte, 'd');
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void *storm_thread(void *arg)
{
	hit(&fixture_desc_storm, 50);
	return arg;
}

static void storm(int depth)
{
	pthread_t thread;
	pid_t pids[3];
	int i;

	hit(&fixture_desc_storm, 50);
	if (pthread_create(&thread, NULL, storm_thread, NULL))
		abort();
	for (i = 0; depth && i < 3; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			storm(depth - 1);
			_exit(0);
		}
	}
	for (i = 0; depth && i < 3; i++) {
		int status;

		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			abort();
	}
	pthread_join(thread, NULL);
}

static void test_fork_storm(void **state)
{
	int round;

	(void)state;
	for (round = 0; round < 3; round++)
		storm(3);
	/* 1 + 3 + 9 + 27 processes a round, two threads each */
	assert_int_equal(segment_value(seg_fd, "storm", 0), 3 * 40 * 100);
}

/* A child that no fork handler sees starts clean where it has no shard yet. */
static void test_raw_fork(void **state)
{
	pid_t pid;

	(void)state;
	hit(&fixture_desc_forks, 1);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
	if (!pid) {
		hit(&fixture_desc_raw, 10);
		syscall(SYS_exit_group, __inlay_rt.head->procs[__inlay_rt.row].pid ==
						(__u32)syscall(SYS_getpid) ? 0 : 1);
	}
	hit(&fixture_desc_raw, 10);
	wait_ok(pid);
	assert_int_equal(segment_value(seg_fd, "raw", 0), 20);
}

static void test_vfork(void **state)
{
	struct inlay_seg_map map;
	volatile int is_counted = -1;
	int row;
	pid_t pid;

	(void)state;
	pid = vfork();
	if (!pid) {
		/* a shard under the child's thread id would be lost to its parent: none is given */
		is_counted = fixture_percpu_add(&fixture_desc_vforks, 0, 1);
		_exit(0);
	}
	wait_ok(pid);
	row = segment_map(seg_fd, "vforks", &map);
	assert_true(row >= 0);
	assert_int_equal(is_counted, 0);
	assert_int_equal(map.drops, 1);
	hit(&fixture_desc_vforks, 1);
	pid = vfork();
	if (!pid) {
		is_counted = fixture_percpu_add(&fixture_desc_vforks, 0, 1);
		_exit(0);
	}
	wait_ok(pid);
	assert_int_equal(is_counted, 1);
	assert_int_equal(segment_value(seg_fd, "vforks", 0), 2);
}

/* More processes than rows: the ones without a row count all the same. */
static void test_more_processes_than_rows(void **state)
{
	enum { CHILDREN = INLAY_SEGMENT_MAX_PROCS + 20 };
	static pid_t pids[CHILDREN];
	__u64 before = segment_value(seg_fd, "storm", 1);
	int go[2], i;
	char byte;

	(void)state;
	assert_int_equal(pipe(go), 0);
	for (i = 0; i < CHILDREN; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (!pids[i]) {
			close(go[1]);
			if (!fixture_percpu_add(&fixture_desc_storm, 1, 1))
				_exit(1);
			_exit(read(go[0], &byte, 1) ? 2 : 0);
		}
	}
	close(go[1]);
	for (i = 0; i < CHILDREN; i++)
		wait_ok(pids[i]);
	close(go[0]);
	assert_int_equal(segment_value(seg_fd, "storm", 1), before + CHILDREN);
	assert_int_equal(segment_head(seg_fd).procs.nr, INLAY_SEGMENT_MAX_PROCS);
}

#endif /* RT_TEST_TSAN */

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_by_the_thousand),
		cmocka_unit_test(test_own_shard_first),
		cmocka_unit_test(test_full_table_drops_and_counts),
		cmocka_unit_test(test_signals_in_the_middle_of_a_claim),
#if defined(__x86_64__) && !defined(RT_TEST_TSAN)
		cmocka_unit_test(test_the_last_skip_in_a_handler),
#endif
#ifndef RT_TEST_TSAN /* which does not follow threads into fork children */
		cmocka_unit_test(test_hits_in_thread_destructors),
		cmocka_unit_test(test_threads_that_end_without_a_word),
		cmocka_unit_test(test_fork_child_has_its_own),
		cmocka_unit_test(test_the_killed_leave_their_shards),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_fork_storm),
		cmocka_unit_test(test_raw_fork),
		cmocka_unit_test(test_vfork),
		cmocka_unit_test(test_more_processes_than_rows),
#endif
	};

	(void)fixture_objref;
	seg_fd = dup(__inlay_rt.fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
