/* SPDX-License-Identifier: BSD-2-Clause */
/* The table, the promised figures, and the same as JSON. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench/probe/bench.h"

/* a <= b * factor + plus, all in nanoseconds a call */
struct figure {
	const char *what;
	const char *a, *b;
	double factor, plus;
};

static const struct figure figures[] = {
	{ "count in a global: not above by hand + 0.3 ns", "inlay-global", "hand-global", 1, 0.3 },
	{ "count in an array map: not above by hand + 0.3 ns", "inlay-array", "hand-global", 1,
	  0.3 },
	{ "count per thread: not above by hand + 0.3 ns", "inlay-percpu", "hand-tls", 1, 0.3 },
	{ "latency by session: not above 1.15 times by hand", "inlay-latency", "hand-latency", 1.15,
	  0 },
	{ "count: 100 times cheaper than the best uprobe", "inlay-array", "uprobe-nop5", 0.01, 0 },
	{ "latency: 20 times cheaper than uprobe.session", "inlay-latency", "uprobe-session", 0.05,
	  0 },
};

static const struct bench_variant *find(const struct bench_variant *variants, size_t nr,
					const char *key)
{
	for (size_t i = 0; i < nr; i++)
		if (strcmp(variants[i].key, key) == 0 && variants[i].times.nr)
			return &variants[i];
	return NULL;
}

static void machine(char *buf, size_t bytes)
{
	char line[256] = "", *model = NULL;
	FILE *file = fopen("/proc/cpuinfo", "re");
	struct utsname kernel;

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "model name", 10) == 0 && (model = strchr(line, ':')))
			break;
		model = NULL;
	}
	if (file)
		fclose(file);
	if (model)
		model[strcspn(model, "\n")] = '\0';
	uname(&kernel);
	snprintf(buf, bytes, "%s, %ld CPUs, Linux %s", model ? model + 2 : kernel.machine,
		 sysconf(_SC_NPROCESSORS_ONLN), kernel.release);
}

struct verdict {
	bool is_known;		/* both variants ran */
	bool is_met;
	double a, b;		/* medians */
	double ratio, difference;	/* medians of what each round gave */
};

/*
 * Round by round: the two were measured within milliseconds of each other, so what the machine does
 * to both (its frequency, its neighbours) cancels out.
 */
static struct verdict judge(const struct figure *f, const struct bench_variant *variants, size_t nr)
{
	const struct bench_variant *a = find(variants, nr, f->a), *b = find(variants, nr, f->b);
	double ratios[BENCH_MAX_SAMPLES], differences[BENCH_MAX_SAMPLES], excess[BENCH_MAX_SAMPLES];
	struct verdict verdict = { 0 };
	unsigned int n;

	if (!a || !b)
		return verdict;
	n = a->times.nr < b->times.nr ? a->times.nr : b->times.nr;
	for (unsigned int i = 0; i < n; i++) {
		ratios[i] = a->times.ns[i] / b->times.ns[i];
		differences[i] = a->times.ns[i] - b->times.ns[i];
		excess[i] = a->times.ns[i] - b->times.ns[i] * f->factor - f->plus;
	}
	verdict.is_known = true;
	verdict.is_met = bench_median(excess, n) <= 0;
	verdict.a = a->times.median;
	verdict.b = b->times.median;
	verdict.ratio = bench_median(ratios, n);
	verdict.difference = bench_median(differences, n);
	return verdict;
}

bool bench_report(struct bench_variant *variants, size_t nr, const struct bench_options *options)
{
	const struct bench_variant *none = find(variants, nr, "none");
	double base = none ? none->times.median : 0;
	bool all_met = true;
	char where[300];

	machine(where, sizeof(where));
	printf("%s\nns of CPU time a call, %u alternating rounds of %lu calls "
	       "(a hundredth of that where slow)\n\n"
	       "%-46s %9s %9s %9s %9s\n",
	       where, options->rounds, options->calls, "", "min", "median", "max", "added");
	for (size_t i = 0; i < nr; i++) {
		const struct bench_times *t = &variants[i].times;

		if (t->nr)
			printf("%-46s %9.2f %9.2f %9.2f %9.2f\n", variants[i].what, t->min, t->median,
			       t->max, t->median - base);
		else
			printf("%-46s skipped: %s\n", variants[i].what, variants[i].skipped);
	}
	printf("\n");
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		struct verdict v = judge(&figures[i], variants, nr);

		if (!v.is_known)
			continue;
		printf("%-8s %-52s %8.2f to %8.2f ns: %.2f times, %+.2f ns\n",
		       v.is_met ? "met" : "MISSED", figures[i].what, v.a, v.b,
		       figures[i].factor < 1 ? 1 / v.ratio : v.ratio, v.difference);
		all_met = all_met && v.is_met;
	}
	return all_met;
}

int bench_write_json(const struct bench_variant *variants, size_t nr,
		     const struct bench_options *options)
{
	json_t *root = json_object(), *rows = json_array(), *promised = json_array();
	char where[300];

	machine(where, sizeof(where));
	json_object_set_new(root, "machine", json_string(where));
	json_object_set_new(root, "rounds", json_integer(options->rounds));
	json_object_set_new(root, "calls", json_integer((json_int_t)options->calls));
	for (size_t i = 0; i < nr; i++) {
		json_t *row = json_object();

		json_object_set_new(row, "key", json_string(variants[i].key));
		json_object_set_new(row, "what", json_string(variants[i].what));
		if (variants[i].times.nr)
			bench_times_add(row, &variants[i].times);
		else
			json_object_set_new(row, "skipped", json_string(variants[i].skipped));
		json_array_append_new(rows, row);
	}
	json_object_set_new(root, "variants", rows);
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		struct verdict v = judge(&figures[i], variants, nr);
		json_t *row;

		if (!v.is_known)
			continue;
		row = json_object();
		json_object_set_new(row, "what", json_string(figures[i].what));
		json_object_set_new(row, "of", json_string(figures[i].a));
		json_object_set_new(row, "against", json_string(figures[i].b));
		json_object_set_new(row, "ratio", json_real(v.ratio));
		json_object_set_new(row, "difference_ns", json_real(v.difference));
		json_object_set_new(row, "is_met", json_boolean(v.is_met));
		json_array_append_new(promised, row);
	}
	json_object_set_new(root, "figures", promised);
	return bench_json_write(root, options->json);
}
