/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table, the promises, and the same as JSON. Ratios are of the fastest samples: everything that
 * disturbs a sample makes it slower.
 */
#include "bench/codegen/bench.h"

#include <stdio.h>

#include <jansson.h>

const char *const bench_sides[BENCH_SIDES] = {
	[BENCH_NATIVE] = "inlay", [BENCH_C] = "clang -O2", [BENCH_KERNEL] = "kernel JIT"};

/* -1: nothing to compare with */
static double ratio(const struct bench_program *p, enum bench_side side)
{
	return p->times[side].nr && p->times[side].min > 0
		       ? p->times[BENCH_NATIVE].min / p->times[side].min
		       : -1;
}

static bool is_kept(const struct bench_program *p, enum bench_side side, double max)
{
	return !max || ratio(p, side) < 0 || ratio(p, side) <= max;
}

static void print_ratio(const struct bench_program *p, enum bench_side side, double max)
{
	double r = ratio(p, side);

	if (r < 0)
		printf("  %13s", "-");
	else if (!max)
		printf("  %6.3f       ", r);
	else
		printf("  %6.3f %s %.2f", r, is_kept(p, side, max) ? "<=" : "> ", max);
}

bool bench_report(struct bench_program *programs, size_t nr)
{
	bool is_good = true;

	printf("%-34s %30s %12s %12s  %-14s %s\n", "nanoseconds a round",
	       "inlay: min, median, max", bench_sides[BENCH_C], bench_sides[BENCH_KERNEL],
	       "of clang's", " of the kernel's");
	for (size_t i = 0; i < nr; i++) {
		struct bench_program *p = &programs[i];

		for (int side = 0; side < BENCH_SIDES; side++)
			bench_summarise(&p->times[side]);
		printf("%-34s %10.3f %9.3f %9.3f %12.3f", p->what, p->times[BENCH_NATIVE].min,
		       p->times[BENCH_NATIVE].median, p->times[BENCH_NATIVE].max,
		       p->times[BENCH_C].min);
		if (p->times[BENCH_KERNEL].nr)
			printf(" %12.3f", p->times[BENCH_KERNEL].min);
		else
			printf(" %12s", "-");
		print_ratio(p, BENCH_C, p->max_of_c);
		print_ratio(p, BENCH_KERNEL, p->max_of_kernel);
		printf("%s%s\n", p->why_no_kernel ? "  kernel: " : "",
		       p->why_no_kernel ? p->why_no_kernel : "");
		is_good &= is_kept(p, BENCH_C, p->max_of_c) &&
			   is_kept(p, BENCH_KERNEL, p->max_of_kernel);
	}
	return is_good;
}

int bench_report_json(const struct bench_program *programs, size_t nr, unsigned int samples,
		      const char *path)
{
	json_t *list = json_array(), *root;

	for (size_t i = 0; i < nr; i++) {
		const struct bench_program *p = &programs[i];
		json_t *j = json_pack("{s:s, s:s, s:i, s:i}", "key", p->key, "what", p->what,
				      "rounds", (int)p->rounds, "result",
				      (int)p->results[BENCH_NATIVE]);

		for (int side = 0; side < BENCH_SIDES; side++)
			if (p->times[side].nr)
				json_object_set_new(j, bench_sides[side],
						    bench_times_json(&p->times[side]));
		if (p->why_no_kernel)
			json_object_set_new(j, "no_kernel", json_string(p->why_no_kernel));
		if (ratio(p, BENCH_C) >= 0)
			json_object_set_new(j, "of_clang", json_real(ratio(p, BENCH_C)));
		if (ratio(p, BENCH_KERNEL) >= 0)
			json_object_set_new(j, "of_kernel", json_real(ratio(p, BENCH_KERNEL)));
		if (p->max_of_c)
			json_object_set_new(j, "max_of_clang", json_real(p->max_of_c));
		if (p->max_of_kernel)
			json_object_set_new(j, "max_of_kernel", json_real(p->max_of_kernel));
		json_object_set_new(j, "is_kept",
				    json_boolean(is_kept(p, BENCH_C, p->max_of_c) &&
						 is_kept(p, BENCH_KERNEL, p->max_of_kernel)));
		json_array_append_new(list, j);
	}
	root = json_pack("{s:i, s:o}", "samples", (int)samples, "programs", list);
	return bench_json_write(root, path);
}
