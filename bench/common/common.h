/* SPDX-License-Identifier: BSD-2-Clause */
/* What the benchmarks share: their options, samples and what is said of them, JSON. */
#ifndef INLAY_BENCH_COMMON_H
#define INLAY_BENCH_COMMON_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#define BENCH_MAX_SAMPLES 201

/* One sample a round, in nanoseconds; what they come to, after bench_summarise(). */
struct bench_times {
	double ns[BENCH_MAX_SAMPLES];
	unsigned int nr;
	double min, median, max;
};
/* Of the samples so far; without one all stays 0. */
void bench_summarise(struct bench_times *times);
/* Sorts the values. n > 0. */
double bench_median(double *values, unsigned int n);

/* "min_ns", "median_ns", "max_ns" and all of them, "ns"; and the members alone, for an object. */
json_t *bench_times_json(const struct bench_times *times);
int bench_times_add(json_t *object, const struct bench_times *times);
/* Under a temporary name first. Frees root. 0 or -EIO. */
int bench_json_write(json_t *root, const char *path);

/* --samples, --only, --json, --once and --check. */
struct bench_settings {
	const char *command, *usage;	/* given */
	unsigned int samples;
	const char *json;
	const char *only;	/* keys, comma-separated; NULL: all */
	const char *once;	/* NULL: no */
	bool is_check;
};
/* -1: go on; else the exit code. Defaults are what the members hold. */
int bench_settings_read(int argc, char **argv, struct bench_settings *settings);
/* Prints what is wrong and the usage; the exit code. */
int bench_bad_usage(const struct bench_settings *settings, const char *problem);

/* Whether a list of keys has this one; NULL has all. */
bool bench_is_chosen(const char *only, const char *key);
/* The path of a file beside the executable. 0 or -errno. */
int bench_beside(const char *name, char *path, size_t size);

#endif /* INLAY_BENCH_COMMON_H */
