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

enum { NR_THREADS = 2, SPINS_MAX = 10000, WARM_ROUNDS = 1000, NR_BLOCKS = 4, NO_CPU = -1 };

struct worker {
	pthread_t thread;
	const struct bench_figure *figure;
	int cpu;		/* or NO_CPU: anywhere */
	unsigned int nr, *nr_ready;	/* threads of the sample; how often any said that it may begin */
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
	return NULL;
}

/* A thread on each of the processors at once; the time of a round, of the slowest. */
static double threads_sample(const struct bench_figure *f, const int *cpus, unsigned int nr)
{
	struct worker workers[NR_THREADS];
	unsigned int nr_ready = 0;
	double slowest = 0;

	for (unsigned int i = 0; i < nr; i++) {
		workers[i] = (struct worker){
			.figure = f, .cpu = cpus[i], .nr = nr, .nr_ready = &nr_ready};
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
			/* others would wait for it for good */
			fprintf(stderr, "bench-maps: no thread can be made\n");
			exit(1);
		}
	}
	for (unsigned int i = 0; i < nr; i++) {
		pthread_join(workers[i].thread, NULL);
		slowest = workers[i].ns > slowest ? workers[i].ns : slowest;
	}
	return slowest;
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

static void put(struct bench_times *times, double ns, bool is_kept)
{
	if (is_kept)
		times->ns[times->nr++] = ns;
}

/* Empties the rings, on that processor. */
static void empty_on(const struct bench_figure *f, int cpu)
{
	run_on(cpu);
	if (f->has_ring)
		bench_ring_empty(BENCH_NATIVE);
}

/* `sample` of the others: every processor, and every place that rings are emptied on, comes in turn. */
static void others_block(struct bench_figure *f, const int *cpus, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		int place = cpus[i / NR_THREADS % NR_THREADS];

		put(&f->loop_times[BENCH_NATIVE], threads_sample(f, &cpus[i % NR_THREADS], 1), true);
		empty_on(f, place);
		put(&f->times[BENCH_NATIVE], threads_sample(f, cpus, NR_THREADS), true);
		empty_on(f, place);
	}
}

/* The first sample finds the ring where the block before has left it, and does not count. */
static void alone_block(struct bench_figure *f, const int *cpus, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i <= to; i++)
		for (int is_far = 0; is_far < 2; is_far++) {
			int place = cpus[i % NR_THREADS], cpu = cpus[(i + is_far) % NR_THREADS];

			put(&f->alone_times[is_far], alone_sample(f, cpu), i > from);
			empty_on(f, place);
		}
}

void bench_threads_measure(struct bench_figure *f, unsigned int samples)
{
	struct bench_times *one = &f->loop_times[BENCH_NATIVE], *two = &f->times[BENCH_NATIVE];
	int cpus[NR_THREADS];
	double best;
	cpu_set_t all;

	choose_cpus(cpus, &all);
	/* in blocks: a second-level cache may not hold both rings */
	for (unsigned int b = 0; b < NR_BLOCKS; b++) {
		unsigned int from = samples * b / NR_BLOCKS, to = samples * (b + 1) / NR_BLOCKS;

		others_block(f, cpus, from, to);
		if (f->alone)
			alone_block(f, cpus, from, to);
	}
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
