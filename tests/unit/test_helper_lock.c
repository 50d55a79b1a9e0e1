/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_spin_lock(): excludes threads and processes, is taken from who is dead or stopped, and never keeps
 * a signal handler waiting for the thread that it interrupted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "skip.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rt/inlay_rt.h"
#include "rt/inline/map.h"

#define ROUNDS 100000
#define NR_KILLS 60

/* What a map's value would be, in memory that processes share. */
struct shared {
	uint32_t lock;
	uint32_t pad0;
	uint64_t first, second;
	volatile uint32_t is_in;
};
static struct shared *shared;

static int setup(void **state)
{
	(void)state;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED;
}

static int fresh(void **state)
{
	(void)state;
	*shared = (struct shared){ 0 };
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void *adds(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		__inlay_spin_lock_v1(&shared->lock);
		shared->first++;
		shared->second += 2;
		__inlay_spin_unlock_v1(&shared->lock);
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, adds, NULL), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(shared->first, 3 * ROUNDS);
	assert_int_equal(shared->second, 6 * ROUNDS);
	assert_int_equal(shared->lock, 0);
}

static void test_processes(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		adds(NULL);
		_exit(0);
	}
	adds(NULL);
	waitpid(pid, NULL, 0);
	assert_int_equal(shared->first, 2 * ROUNDS);
	assert_int_equal(shared->lock, 0);
}

/* Killed anywhere, also with the lock held: the next one has it in time, and it works again. */
static void test_kills(void **state)
{
	unsigned int seed = 17, held = 0;

	(void)state;
	for (int i = 0; i < NR_KILLS; i++) {
		struct timespec nap = { .tv_nsec = 100000 + rand_r(&seed) % 400000 };
		uint64_t began;
		pid_t pid = fork();

		if (pid == 0) {
			for (;;)
				adds(NULL);
		}
		nanosleep(&nap, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		held += shared->lock != 0;
		began = now_ns();
		__inlay_spin_lock_v1(&shared->lock);
		assert_true(now_ns() - began < 400000000); /* 20 ms, and the machine's load */
		assert_int_equal(shared->lock, 0x80000000u | (uint32_t)syscall(SYS_gettid));
		/* what the dead one left half done differs by one step at most */
		assert_true(2 * shared->first - shared->second <= 2);
		shared->second = 2 * shared->first;
		__inlay_spin_unlock_v1(&shared->lock);
		assert_int_equal(shared->lock, 0);
	}
	print_message("%u of %d were killed with the lock held\n", held, NR_KILLS);
}

/* A holder that is stopped loses the lock, and does not release what is another's when it goes on. */
static void test_stopped(void **state)
{
	uint64_t began;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		__inlay_spin_lock_v1(&shared->lock);
		shared->is_in = 1;
		raise(SIGSTOP);
		__inlay_spin_unlock_v1(&shared->lock);
		_exit(0);
	}
	waitpid(pid, NULL, WUNTRACED);
	assert_int_equal(shared->is_in, 1);
	began = now_ns();
	__inlay_spin_lock_v1(&shared->lock);
	assert_in_range(now_ns() - began, 15000000, 1000000000);
	kill(pid, SIGCONT);
	waitpid(pid, NULL, 0);
	assert_int_equal(shared->lock, 0x80000000u | (uint32_t)syscall(SYS_gettid));
	__inlay_spin_unlock_v1(&shared->lock);
	assert_int_equal(shared->lock, 0);
}

/* A hostile process writes it all the time. */
static void *scribbles(void *arg)
{
	unsigned int seed = 3;

	while (!__atomic_load_n((int *)arg, __ATOMIC_RELAXED))
		__atomic_store_n(&shared->lock, (uint32_t)rand_r(&seed) | 1, __ATOMIC_RELAXED);
	return NULL;
}

static void test_hostile(void **state)
{
	int is_over = 0;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, scribbles, &is_over), 0);
	for (int i = 0; i < 5; i++) {
		uint64_t began = now_ns();

		__inlay_spin_lock_v1(&shared->lock);
		__inlay_spin_unlock_v1(&shared->lock);
		assert_true(now_ns() - began < 1000000000);
	}
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	shared->lock = 0;
}

static volatile sig_atomic_t nr_signals;

static void on_alarm(int sig)
{
	(void)sig;
	nr_signals++;
	__inlay_spin_lock_v1(&shared->lock);
	shared->second++;
	__inlay_spin_unlock_v1(&shared->lock);
}

/* Handlers that interrupt sections, everywhere: nobody waits, and in the end the lock is free. */
static void test_handlers(void **state)
{
	struct sigaction act = { .sa_handler = on_alarm }, old;
	struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { { 0, 0 }, { 0, 0 } };
	uint64_t began = now_ns(), longest = 0;

	(void)state;
	sigaction(SIGALRM, &act, &old);
	/* in a section, for certain */
	__inlay_spin_lock_v1(&shared->lock);
	raise(SIGALRM);
	assert_int_not_equal(shared->lock, 0);
	__inlay_spin_unlock_v1(&shared->lock);
	assert_int_equal(shared->lock, 0);
	assert_int_equal(nr_signals, 1);
	setitimer(ITIMER_REAL, &often, NULL);
	while (nr_signals < 2000 && now_ns() - began < 5000000000ull) {
		uint64_t start = now_ns(), took;

		__inlay_spin_lock_v1(&shared->lock);
		shared->first++;
		__inlay_spin_unlock_v1(&shared->lock);
		took = now_ns() - start;
		longest = took > longest ? took : longest;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &old, NULL);
	assert_int_equal(shared->lock, 0);
	assert_int_equal(shared->second, nr_signals);
	print_message("%d signals, at most %lu us\n", (int)nr_signals, longest / 1000);
}

/* The copy around a lock, wherever it is in a value of any size. */
static void test_copy_around(void **state)
{
	uint64_t to[12];
	char from[96];

	(void)state;
	for (unsigned int i = 0; i < sizeof(from); i++)
		from[i] = (char)(i + 1);
	for (uint32_t bytes = 4; bytes <= 80; bytes++) {
		for (uint32_t lock = 0; lock + 4 <= bytes; lock += 4) {
			memset(to, 0x55, sizeof(to));
			inlay_copy_around(to, from, bytes, lock);
			for (uint32_t i = 0; i < sizeof(to); i++) {
				int is_kept = i >= bytes || (i >= lock && i < lock + 4);

				assert_int_equal(((char *)to)[i], is_kept ? 0x55 : from[i]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_threads, fresh),
		cmocka_unit_test_setup(test_processes, fresh),
		cmocka_unit_test_setup(test_kills, fresh),
		cmocka_unit_test_setup(test_stopped, fresh),
		cmocka_unit_test_setup(test_hostile, fresh),
		cmocka_unit_test_setup(test_handlers, fresh),
		cmocka_unit_test(test_copy_around),
	};

	return exit_code(cmocka_run_group_tests(tests, setup, NULL));
}
