/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of bench-codegen: what is measured, how, and what is said of it. */
#ifndef INLAY_BENCH_CODEGEN_BENCH_H
#define INLAY_BENCH_CODEGEN_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/common/common.h"

enum bench_side { BENCH_NATIVE, BENCH_C, BENCH_KERNEL, BENCH_SIDES };

struct bench_program {
	const char *key, *what;
	uint32_t rounds; /* in one sample */
	/* what the issue promises; 0: printed, not judged */
	double max_of_c, max_of_kernel;
	int (*native)(uint64_t rounds);
	int (*c)(uint32_t rounds);
	int kernel_fd; /* -1: not there, and why_no_kernel says why */
	const char *why_no_kernel;
	uint32_t results[BENCH_SIDES];
	struct bench_times times[BENCH_SIDES];
};

/* kernel.c: loads the program of the object; sets kernel_fd or why_no_kernel */
void bench_kernel_open(struct bench_program *program, const char *object);
/* 0 or -errno */
int bench_kernel_run(const struct bench_program *program, uint32_t rounds, uint32_t *ret_result);

/* report.c: the table; true if every promise is kept */
bool bench_report(struct bench_program *programs, size_t nr);
int bench_report_json(const struct bench_program *programs, size_t nr, unsigned int samples,
		      const char *path);
extern const char *const bench_sides[BENCH_SIDES];

#endif /* INLAY_BENCH_CODEGEN_BENCH_H */
