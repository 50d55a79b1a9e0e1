/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * places LIBRARY: hits of maps of every type and helpers of every kind from where a program is not
 * at rest: before main(), inside of malloc(), in a library that is being loaded, in signal
 * handlers, in destructors of threads and of the process; with SIGSEGV handled, blocked and replaced.
 * None is lost: what is counted is compared with what was hit. Exit 0: all right.
 *
 * With LIBRARY defined it is that library, whose constructor and destructor hit the program's
 * functions.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

void hit_from_library(void);

#ifdef LIBRARY
__attribute__((constructor)) static void on_load(void)
{
	hit_from_library();
}

__attribute__((destructor)) static void on_unload(void)
{
	hit_from_library();
}
#else
#include "asked.h"

enum { EXPECT_HELPERS = 5, BAD = 16 };

static u64 nr_hits, nr_by_thread; /* made so far */
static volatile long first_wrong_at;
static __thread int depth;
static __thread bool is_in_malloc;

static void wrong_at(int line)
{
	if (!first_wrong_at)
		first_wrong_at = line;
}

#define right(condition) ((condition) ? (void)0 : wrong_at(__LINE__))

/* Every kind once. Others may be in the middle of the same: of this thread, or of another one. */
static void hit(bool is_early)
{
	static const u64 good = 0x1234567812345678;
	u64 key, n = __atomic_add_fetch(&nr_hits, 1, __ATOMIC_RELAXED);
	long rc;

	key = 1 + n % 4;
	right(do_count(0, 1) >= 0);
	if (!do_count_by_thread(0))
		__atomic_fetch_add(&nr_by_thread, 1, __ATOMIC_RELAXED);
	else
		right(is_early);
	do_parts(STORM_PUT, key, n);
	do_lru_parts(STORM_PUT, key, n);
	right(!do_hash(STORM_PUT, key, n));
	right(do_hash(STORM_GET, 100, 0) == -ENOENT);
	right(!do_lru(STORM_PUT, key, n));
	right(!do_trie(STORM_PUT, key, n));
	rc = do_queue(STORM_PUT, 0, n);
	right(!rc || rc == -E2BIG);
	rc = do_queue(STORM_DELETE, 0, 0);
	right(rc >= 0 || rc == -ENOENT || rc == -EBUSY);
	rc = do_stack(STORM_PUT, 0, n);
	right(!rc || rc == -E2BIG);
	rc = do_stack(STORM_DELETE, 0, 0);
	right(rc >= 0 || rc == -ENOENT || rc == -EBUSY);
	right(!do_bloom(STORM_PUT, key));
	right(!do_bloom(STORM_GET, key));
	right(do_inner(0, 1) >= 0);
	right(do_locked(0, 0, 1) >= 0);
	rc = do_ring(0, n);
	right(!rc || rc == -ENOENT);
	rc = do_events(0, n);
	right(!rc || rc == -ENOSPC);
	rc = do_trace();
	right(rc >= 0 || rc == -EEXIST); /* of another stack */
	right(do_helpers(&good) == EXPECT_HELPERS + 8);
	right(do_helpers((const void *)BAD) == EXPECT_HELPERS);
}

void hit_from_library(void)
{
	hit(false);
}

/* ---- inside of malloc() ------------------------------------------------------------------ */

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t nr, size_t bytes);
static volatile bool is_awake;

static void hit_in_malloc(void)
{
	if (!is_awake || is_in_malloc)
		return;
	is_in_malloc = true;
	hit(false);
	is_in_malloc = false;
}

void *malloc(size_t bytes)
{
	hit_in_malloc();
	return __libc_malloc(bytes);
}

void *calloc(size_t nr, size_t bytes)
{
	hit_in_malloc();
	return __libc_calloc(nr, bytes);
}

/* ---- before main(), after exit() --------------------------------------------------------- */

static void check_counts(void)
{
	/* what a handler has begun cannot be in between: all is over, or this thread's */
	right(do_count(0, 0) == (long)__atomic_load_n(&nr_hits, __ATOMIC_RELAXED));
	right(do_inner(0, 0) == (long)__atomic_load_n(&nr_hits, __ATOMIC_RELAXED));
	right((do_locked(0, 0, 0) & 0xffffffff) == (long)(nr_hits & 0xffffffff));
}

/* Before every constructor, the runtime's too: what is kept for each thread has no place yet. */
static void before_all(void)
{
	hit(true);
}
__attribute__((section(".preinit_array"), used)) static void (*const before)(void) = before_all;

__attribute__((constructor(200))) static void before_main(void)
{
	hit(false);
	is_awake = true;
}

__attribute__((destructor(101))) static void last_of_all(void)
{
	hit(false);
	check_counts();
	if (first_wrong_at) {
		fprintf(stderr, "places.c:%ld: wrong\n", first_wrong_at);
		_exit(3);
	}
}

static void at_exit(void)
{
	hit(false);
}

/* ---- threads and their destructors ------------------------------------------------------- */

static pthread_key_t key;

static void on_thread_end(void *arg)
{
	(void)arg;
	hit(false);
}

static void *thread_main(void *arg)
{
	pthread_setspecific(key, &key);
	for (int i = 0; i < 20; i++) {
		hit(false);
		free(malloc(100));
	}
	return arg;
}

/* ---- signals ------------------------------------------------------------------------------ */

static volatile long nr_alarms, nr_faults;
static char *no_page;

static void on_alarm(int sig)
{
	(void)sig;
	nr_alarms++;
	if (depth++ < 3)
		hit(false);
	depth--;
}

static void on_segv(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	nr_faults++;
	hit(false);
	if (info->si_addr == no_page)
		mprotect(no_page, 4096, PROT_READ | PROT_WRITE);
	else
		_exit(4);
}

/* A fault of the program's own, beside those of the probes. */
static void fault(void)
{
	mprotect(no_page, 4096, PROT_NONE);
	*(volatile char *)no_page = 1;
}

static void with_segv(void)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigset_t set, old;
	stack_t stack = { .ss_sp = malloc(1 << 16), .ss_size = 1 << 16 };

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	for (int i = 0; i < 100; i++) {
		fault();
		hit(false);
	}
	right(nr_faults == 100);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGBUS);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	for (int i = 0; i < 100; i++)
		hit(false);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	signal(SIGSEGV, SIG_IGN);
	hit(false);
	signal(SIGSEGV, SIG_DFL);
	hit(false);
	sigaction(SIGSEGV, &action, NULL);
	fault();
	right(nr_faults == 101);
}

/* Past libc: the runtime finds out when it looks, and reads by system call from then on. */
static void replace_segv(void)
{
	unsigned long dfl[4] = { 0 };

	syscall(__NR_rt_sigaction, SIGSEGV, dfl, NULL, 8);
	/* looks are rare: until the next one a bad address would be the end */
	for (int i = 0; i < 5000; i++)
		do_trace();
	hit(false);
}

int main(int argc, char **argv)
{
	struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART | SA_NODEFER };
	pthread_t threads[4];
	void *library;
	int i, round;

	no_page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	atexit(at_exit);
	if (argc < 2 || no_page == MAP_FAILED || pthread_key_create(&key, on_thread_end))
		return 2;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 4; i++)
			if (pthread_create(&threads[i], NULL, thread_main, NULL))
				return 2;
		library = dlopen(argv[1], RTLD_NOW);
		right(library != NULL);
		hit(false);
		if (library)
			dlclose(library);
		for (i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
	with_segv();
	setitimer(ITIMER_REAL, &never, NULL);
	right(nr_alarms > 10);
	check_counts();
	replace_segv();
	printf("%llu hits, %llu of them by thread, %ld in handlers\n", nr_hits, nr_by_thread, nr_alarms);
	exit(0);
}
#endif
