/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of bench-maps: what is measured, how, and what is said of it. */
#ifndef INLAY_BENCH_MAPS_BENCH_H
#define INLAY_BENCH_MAPS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/common/common.h"

#define BENCH_ENTRIES 10000u /* of programs.bpf.c */

enum bench_side { BENCH_NATIVE, BENCH_KERNEL, BENCH_SIDES };

/* One program of programs.bpf.c. */
struct bench_program {
	const char *name;
	int (*native)(uint64_t rounds, uint64_t address);
	int kernel_fd;	/* -1: not there */
};

/*
 * A figure: what a round of `program` takes above one of `loop`, on either side; or, with `min_gain`,
 * how many times the work of one thread two of them do in the same time. One thread is then measured as
 * the two are, and running `alone`, which only ever one thread runs; its best time counts.
 */
struct bench_figure {
	const char *key, *what;
	const char *program;
	const char *loop;	/* NULL: `program` is measured as it is */
	const char *alone;	/* NULL: it makes no difference */
	const char *fill;	/* run first, BENCH_ENTRIES rounds; NULL: nothing to fill */
	uint32_t rounds;	/* in one sample */
	bool is_address;	/* the second argument is the address of 8 bytes */
	bool has_ring;		/* it writes to the ring buffer, which is emptied behind each sample */
	bool is_counted;	/* the program returns its number of rounds, or something is wrong */
	/* what is promised; 0: printed, not judged */
	double max_ns, max_of_kernel, min_gain;
	struct bench_times times[BENCH_SIDES], loop_times[BENCH_SIDES];
	struct bench_times alone_times[2];	/* the ring emptied there, or on the other processor */
	/* above the loop, of the medians; of BENCH_NATIVE the gain with min_gain */
	double net[BENCH_SIDES];
};

/* figures.c */
extern struct bench_program bench_programs[];
extern const size_t bench_nr_programs;
extern struct bench_figure bench_figures[];
extern const size_t bench_nr_figures;
struct bench_program *bench_find_program(const char *name);

/* kernel.c: loads the object and sets each kernel_fd; NULL or why not */
const char *bench_kernel_open(const char *object);
/* 0 or -errno */
int bench_kernel_run(const struct bench_program *program, uint64_t rounds, uint64_t address,
		     int *ret_result);

/* ring.c */
void bench_ring_open(int kernel_fd);
void bench_ring_empty(enum bench_side side);

/* threads.c */
double bench_cpu_ns(void); /* of the calling thread */
/* figures with min_gain */
void bench_threads_measure(struct bench_figure *figure, unsigned int samples);

/* report.c */
bool bench_is_met(const struct bench_figure *figure);
/* prints the table; true if every promise is kept */
bool bench_report(const struct bench_figure *figures, size_t nr, const char *no_kernel);
int bench_report_json(const struct bench_figure *figures, size_t nr, unsigned int samples,
		      const char *no_kernel, const char *path);

#endif /* INLAY_BENCH_MAPS_BENCH_H */
