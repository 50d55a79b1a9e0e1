/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target that goes through what makes the runtime call the kernel, one thing after the other; see
 * calls.c. `calls-target wait` waits for a consumer of its events first.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asked.h"

enum { PHASE_START, PHASE_FIRST, PHASE_MAPS, PHASE_READS, PHASE_FORK, PHASE_EVENTS, PHASE_EXIT };

static void begin(int phase)
{
	close(-1000 - phase);
}

static void hit_all(unsigned int slot, int times)
{
	for (int i = 0; i < times; i++) {
		u64 key = 1 + slot * STORM_KEYS + (unsigned int)i % STORM_KEYS, n = i + 1;

		do_hash(STORM_PUT, key, n);
		do_lru(STORM_PUT, key, n);
		do_trie(STORM_PUT, key, n);
		do_parts(STORM_PUT, key, n);
		do_lru_parts(STORM_PUT, key, n);
		do_count_by_thread(slot);
		do_count(slot, 1);
		do_inner(slot, 1);
		do_locked(0, slot, 1);
		do_bloom(STORM_PUT, key);
		do_queue(STORM_PUT, slot, n);
		do_queue(STORM_DELETE, 0, 0);
		do_stack(STORM_PUT, slot, n);
		do_stack(STORM_DELETE, 0, 0);
		do_hash(STORM_DELETE, key, 0);
		do_ring(slot, n);
		do_events(slot, n);
	}
}

static void *thread_main(void *arg)
{
	begin(PHASE_FIRST);
	hit_all(2, 1000);
	begin(PHASE_MAPS);
	hit_all(2, 1000);
	begin(PHASE_FIRST); /* its end */
	return arg;
}

int main(int argc, char **argv)
{
	static long readable;
	pthread_t thread;
	pid_t child;

	begin(PHASE_FIRST);
	hit_all(1, 1000);
	begin(PHASE_MAPS);
	hit_all(1, 1000);
	if (!pthread_create(&thread, NULL, thread_main, NULL))
		pthread_join(thread, NULL);
	begin(PHASE_READS);
	for (int i = 0; i < 5000; i++) {
		do_trace();
		do_helpers(i % 2 ? &readable : NULL);
	}
	begin(PHASE_FORK);
	child = fork();
	if (!child) {
		hit_all(3, 10);
		do_trace();
		do_helpers(&readable);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		puts("ready");
		fflush(stdout);
		begin(PHASE_EVENTS);
		for (int i = 0; i < 300; i++) {
			do_ring(1, i);
			do_events(1, i);
			usleep(5000);
		}
	}
	begin(PHASE_EXIT);
	return 0;
}
