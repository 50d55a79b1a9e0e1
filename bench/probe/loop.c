/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that calls the probed function when told to: reads a number of calls from stdin, makes
 * them, answers with the nanoseconds that they took. 0 ends it. The benchmark drives many of these
 * in turn; each is linked with another victim.
 */
#include <stdio.h>
#include <time.h>

int bench_victim(int x);
extern __thread unsigned long bench_hits;
__thread unsigned long bench_hits;
/* What a variant must do first: patch, register. 0 or an error. */
__attribute__((weak)) int bench_setup(void);

/* The thread's own time, user and kernel: what else the machine does is not the probe's. */
static unsigned long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (unsigned long long)ts.tv_sec * 1000000000ull + (unsigned long long)ts.tv_nsec;
}

static unsigned long long run(unsigned long calls)
{
	unsigned long long begin = now_ns();

	for (unsigned long i = 0; i < calls; i++) {
		int x = bench_victim((int)i);

		__asm__ volatile("" ::"r"(x));
	}
	return now_ns() - begin;
}

int main(void)
{
	unsigned long calls;

	if (bench_setup && bench_setup())
		return 1;
	while (scanf("%lu", &calls) == 1 && calls) {
		printf("%llu\n", run(calls));
		fflush(stdout);
	}
	return 0;
}
