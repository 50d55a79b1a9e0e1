/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile MILLISECONDS: uses maps of every type so long, in threads and processes that come and go,
 * and believes no answer. Prints how many operations that were; a crash or a hang is what the test is
 * for.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "asked.h"

static ASKED long do_arena(unsigned int slot, u64 n) NO_ANSWER("r"(slot), "r"(n))

static volatile int is_over;
static u64 nr_done;

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static void change(unsigned int *seed)
{
	unsigned int r = (unsigned int)rand_r(seed), slot = r % STORM_SLOTS;
	u64 key = 1 + r / 8 % STORM_MAX_ENTRIES, n = r;

	do_hash(r % 3, key, n);
	do_lru(r % 3, key, n);
	do_parts(r % 3, key, n);
	do_lru_parts(r % 3, key, n);
	do_trie(r % 3, key, n);
	do_queue(r % 3, slot, n);
	do_stack(r % 3, slot, n);
	do_bloom(r & 1 ? STORM_PUT : STORM_GET, key);
	do_count(slot, 1);
	do_count_by_thread(slot);
	do_inner(slot, 1);
	/* a lock that only nonsense holds is waited for, for 20 ms at the most */
	if (r % 1024 == 0)
		do_locked(r / 1024 % STORM_LOCKS, slot, 1);
	do_ring(slot, n);
	do_events(slot, n);
	do_arena(slot, n);
	do_trace();
	do_helpers(r & 1 ? seed : NULL);
	__atomic_fetch_add(&nr_done, 1, __ATOMIC_RELAXED);
}

static void *run(void *arg)
{
	unsigned int seed = (unsigned int)(size_t)arg;

	for (int i = 0; !is_over && (seed % 2 || i < 200); i++)
		change(&seed);
	return NULL;
}

int main(int argc, char **argv)
{
	long long end = now_ms() + (argc > 1 ? atoi(argv[1]) : 1000);
	pthread_t steady, passing;
	int status = 0;

	if (pthread_create(&steady, NULL, run, (void *)1))
		return 1;
	for (size_t round = 1; now_ms() < end; round++) {
		pid_t pid;

		if (pthread_create(&passing, NULL, run, (void *)(2 * round)) ||
		    pthread_join(passing, NULL))
			return 1;
		pid = fork();
		if (!pid) {
			run((void *)(2 * round));
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status) {
			fprintf(stderr, "a child ended with %x\n", (unsigned int)status);
			return 3;
		}
	}
	is_over = 1;
	pthread_join(steady, NULL);
	printf("%llu\n", nr_done);
	return 0;
}
