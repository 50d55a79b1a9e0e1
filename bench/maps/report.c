/* SPDX-License-Identifier: BSD-2-Clause */
/* The table, the promises, and the same as JSON. */
#include "bench/maps/bench.h"

#include <stdio.h>

#include <jansson.h>

static const char *const sides[BENCH_SIDES] = {
	[BENCH_NATIVE] = "inlay", [BENCH_KERNEL] = "kernel"};

/* -1: nothing to compare with */
static double ratio(const struct bench_figure *f)
{
	return f->times[BENCH_KERNEL].nr && f->net[BENCH_KERNEL] > 0
		       ? f->net[BENCH_NATIVE] / f->net[BENCH_KERNEL]
		       : -1;
}

bool bench_is_met(const struct bench_figure *f)
{
	if (f->min_gain)
		return f->net[BENCH_NATIVE] >= f->min_gain;
	return !(f->max_ns && f->net[BENCH_NATIVE] > f->max_ns) &&
	       !(f->max_of_kernel && ratio(f) > f->max_of_kernel);
}

static void print_bound(const struct bench_figure *f)
{
	if (f->min_gain)
		printf("  %6.2f times, at least %.2f", f->net[BENCH_NATIVE], f->min_gain);
	else if (f->max_ns)
		printf("  at most %.1f ns", f->max_ns);
	else if (ratio(f) < 0)
		printf("  nothing to compare with");
	else if (f->max_of_kernel)
		printf("  %4.2f of the kernel's, at most %.2f", ratio(f), f->max_of_kernel);
	else
		printf("  %4.2f of the kernel's", ratio(f));
	if (f->min_gain || f->max_ns || (f->max_of_kernel && ratio(f) >= 0))
		fputs(bench_is_met(f) ? ": met" : ": MISSED", stdout);
	putchar('\n');
}

/* What two threads are compared with: rows of their own. */
static void print_one_thread(const struct bench_figure *f)
{
	static const char *const places[2] = {
		"    alone, ring emptied beside it", "    alone, ring emptied elsewhere"};

	if (!f->alone)
		return;
	printf("%-34s %7.2f (%7.2f)\n", "    one of them",
	       f->loop_times[BENCH_NATIVE].median, f->loop_times[BENCH_NATIVE].min);
	for (int i = 0; i < 2; i++)
		printf("%-34s %7.2f (%7.2f)\n", places[i], f->alone_times[i].median,
		       f->alone_times[i].min);
}

bool bench_report(const struct bench_figure *figures, size_t nr, const char *no_kernel)
{
	bool is_good = true;

	printf("%-34s %26s %26s\n", "nanoseconds a round", "inlay: all (min), net",
	       "kernel: all (min), net");
	for (size_t i = 0; i < nr; i++) {
		const struct bench_figure *f = &figures[i];

		printf("%-34s", f->what);
		for (int side = 0; side < BENCH_SIDES; side++) {
			const struct bench_times *t = &f->times[side];

			if (!t->nr || (f->min_gain && side))
				printf(" %26s", "-");
			else if (f->min_gain)
				printf(" %7.2f (%7.2f) %8s", t->median, t->min, "");
			else
				printf(" %7.2f (%7.2f) %8.2f", t->median, t->min, f->net[side]);
		}
		print_bound(f);
		print_one_thread(f);
		is_good &= bench_is_met(f);
	}
	if (no_kernel)
		printf("no kernel side: %s\n", no_kernel);
	return is_good;
}

static json_t *figure_json(const struct bench_figure *f)
{
	json_t *j = json_pack("{s:s, s:s, s:i, s:b}", "key", f->key, "what", f->what, "rounds",
			      (int)f->rounds, "is_met", bench_is_met(f));

	for (int side = 0; side < BENCH_SIDES; side++) {
		json_t *s;

		if (!f->times[side].nr)
			continue;
		s = bench_times_json(&f->times[side]);
		if (f->min_gain) {
			/* two threads, and one */
			json_object_set_new(s, "one_thread", bench_times_json(&f->loop_times[side]));
			if (f->alone) {
				json_object_set_new(s, "alone",
						    bench_times_json(&f->alone_times[0]));
				json_object_set_new(s, "alone_emptied_elsewhere",
						    bench_times_json(&f->alone_times[1]));
			}
		} else {
			json_object_set_new(s, "net_ns", json_real(f->net[side]));
			json_object_set_new(s, "loop", bench_times_json(&f->loop_times[side]));
		}
		json_object_set_new(j, sides[side], s);
	}
	if (f->min_gain)
		json_object_set_new(j, "gain", json_real(f->net[BENCH_NATIVE]));
	else if (ratio(f) >= 0)
		json_object_set_new(j, "of_kernel", json_real(ratio(f)));
	if (f->max_ns)
		json_object_set_new(j, "max_ns", json_real(f->max_ns));
	if (f->max_of_kernel)
		json_object_set_new(j, "max_of_kernel", json_real(f->max_of_kernel));
	if (f->min_gain)
		json_object_set_new(j, "min_gain", json_real(f->min_gain));
	return j;
}

int bench_report_json(const struct bench_figure *figures, size_t nr, unsigned int samples,
		      const char *no_kernel, const char *path)
{
	json_t *list = json_array(), *root;

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(list, figure_json(&figures[i]));
	root = json_pack("{s:i, s:o}", "samples", (int)samples, "figures", list);
	if (no_kernel)
		json_object_set_new(root, "no_kernel", json_string(no_kernel));
	return bench_json_write(root, path);
}
