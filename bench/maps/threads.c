/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What two threads do on two processors at once, and what one does. Of a ring buffer the lines that are
 * written to are in the cache of whoever emptied it: that is done on either processor in turn.
 */
#include "bench/maps/bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NR_THREADS = 2, SPINS_MAX = 10000, WARM_ROUNDS = 500, LAP_SAMPLES = 7, NR_BLOCKS = 4,
       REST_ROUNDS = 50, RESTS_MAX = 20, NO_CPU = -1 };

struct worker {
	pthread_t thread;
	const struct bench_figure *figure;
	int cpu;		/* or NO_CPU: anywhere */
	unsigned int nr, *nr_ready;	/* threads of the sample; how often any said that it may begin */
	unsigned int *nr_done;
	double ns;		/* a round */
};

double bench_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void run_on(int cpu)
{
	cpu_set_t set;

	if (cpu == NO_CPU)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned int)cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static double time_rounds(const struct bench_program *p, uint32_t rounds)
{
	double start = bench_cpu_ns();

	p->native(rounds, 0);
	return (bench_cpu_ns() - start) / rounds;
}

/*
 * Waits for the others without sleeping: to be woken takes longer than many a sample, and then threads
 * would follow each other. It sleeps if they do not come, as there may be no processor for them.
 */
static void meet(const struct worker *w, unsigned int times)
{
	unsigned int spins = 0;

	__atomic_add_fetch(w->nr_ready, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(w->nr_ready, __ATOMIC_ACQUIRE) < times * w->nr)
		if (++spins % SPINS_MAX == 0)
			sched_yield();
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const struct bench_program *p = bench_find_program(w->figure->program);

	run_on(w->cpu);
	meet(w, 1);
	/* the thread's shard; and they know of each other */
	p->native(WARM_ROUNDS, 0);
	meet(w, 2);
	w->ns = time_rounds(p, w->figure->rounds);
	__atomic_add_fetch(w->nr_done, 1, __ATOMIC_ACQ_REL);
	/* the slower one is not to have the memory for itself at the end */
	for (int i = 0; i < RESTS_MAX && __atomic_load_n(w->nr_done, __ATOMIC_ACQUIRE) < w->nr; i++)
		p->native(REST_ROUNDS, 0);
	return NULL;
}

/* A thread on each of the processors at once; the time of a round if each did as much as both do on
 * average: of what is emptied on one processor, the thread on it writes faster. */
static double threads_sample(const struct bench_figure *f, const int *cpus, unsigned int nr)
{
	struct worker workers[NR_THREADS];
	unsigned int nr_ready = 0, nr_done = 0;
	double rates = 0;

	for (unsigned int i = 0; i < nr; i++) {
		workers[i] = (struct worker){
			.figure = f, .cpu = cpus[i], .nr = nr, .nr_ready = &nr_ready,
			.nr_done = &nr_done};
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
			/* others would wait for it for good */
			fprintf(stderr, "bench-maps: no thread can be made\n");
			exit(1);
		}
	}
	for (unsigned int i = 0; i < nr; i++) {
		pthread_join(workers[i].thread, NULL);
		rates += 1 / workers[i].ns;
	}
	return nr / rates;
}

/* The thread that alone ever writes to a ring of its own is the main one. */
static double alone_sample(const struct bench_figure *f, int cpu)
{
	const struct bench_program *p = bench_find_program(f->alone);

	run_on(cpu);
	p->native(WARM_ROUNDS, 0);
	return time_rounds(p, f->rounds);
}

/* The first processors that we may use. */
static void choose_cpus(int *cpus, cpu_set_t *ret_all)
{
	int nr = 0;

	for (int i = 0; i < NR_THREADS; i++)
		cpus[i] = NO_CPU;
	if (sched_getaffinity(0, sizeof(*ret_all), ret_all) || CPU_COUNT(ret_all) < NR_THREADS)
		return;
	for (unsigned int i = 0; i < CPU_SETSIZE && nr < NR_THREADS; i++)
		if (CPU_ISSET(i, ret_all))
			cpus[nr++] = (int)i;
}

/* What writes to a ring before it is emptied. */
enum writers { ONE, TWO, ALONE_THERE, ALONE_ELSEWHERE, NR_WRITERS };

static double sample(const struct bench_figure *f, enum writers writers, const int *cpus,
		     unsigned int place, unsigned int i)
{
	switch (writers) {
	case ONE:
		return threads_sample(f, &cpus[i % NR_THREADS], 1);
	case TWO:
		return threads_sample(f, cpus, NR_THREADS);
	default:
		return alone_sample(f, cpus[(place + (writers == ALONE_ELSEWHERE)) % NR_THREADS]);
	}
}

/*
 * Some samples of each kind with the ring emptied in one place. The first ones find what was emptied
 * elsewhere, until they have been all around it, and do not count.
 */
static void measure_block(struct bench_figure *f, const int *cpus, unsigned int place,
			  unsigned int nr)
{
	struct bench_times *times[NR_WRITERS] = {
		[ONE] = &f->loop_times[BENCH_NATIVE], [TWO] = &f->times[BENCH_NATIVE],
		[ALONE_THERE] = &f->alone_times[0], [ALONE_ELSEWHERE] = &f->alone_times[1]};
	unsigned int nr_first = f->has_ring ? LAP_SAMPLES : 0;

	for (int w = 0; w < (f->alone ? NR_WRITERS : ALONE_THERE); w++)
		for (unsigned int i = 0; i < nr_first + nr; i++) {
			double ns = sample(f, (enum writers)w, cpus, place, i);

			if (i >= nr_first)
				times[w]->ns[times[w]->nr++] = ns;
			run_on(cpus[place]);
			if (f->has_ring)
				bench_ring_empty(BENCH_NATIVE);
		}
}

void bench_threads_measure(struct bench_figure *f, unsigned int samples)
{
	struct bench_times *one = &f->loop_times[BENCH_NATIVE], *two = &f->times[BENCH_NATIVE];
	int cpus[NR_THREADS];
	double best;
	cpu_set_t all;

	choose_cpus(cpus, &all);
	for (unsigned int b = 0; b < NR_BLOCKS; b++)
		measure_block(f, cpus, b % NR_THREADS,
			      samples * (b + 1) / NR_BLOCKS - samples * b / NR_BLOCKS);
	if (cpus[0] != NO_CPU)
		sched_setaffinity(0, sizeof(all), &all);
	bench_summarise(one);
	bench_summarise(two);
	best = one->median;
	for (int i = 0; f->alone && i < 2; i++) {
		bench_summarise(&f->alone_times[i]);
		if (f->alone_times[i].median < best)
			best = f->alone_times[i].median;
	}
	f->net[BENCH_NATIVE] = NR_THREADS * best / two->median;
}
