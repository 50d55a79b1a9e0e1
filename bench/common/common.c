/* SPDX-License-Identifier: BSD-2-Clause */
/* See common.h. */
#include "bench/common/common.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- samples ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double bench_median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(values[0]), compare);
	return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

void bench_summarise(struct bench_times *times)
{
	double sorted[BENCH_MAX_SAMPLES];

	if (!times->nr)
		return;
	memcpy(sorted, times->ns, times->nr * sizeof(sorted[0]));
	times->median = bench_median(sorted, times->nr);
	times->min = sorted[0];
	times->max = sorted[times->nr - 1];
}

/* ---- JSON ---- */

int bench_times_add(json_t *object, const struct bench_times *times)
{
	json_t *all = json_array();
	int err = 0;

	for (unsigned int i = 0; i < times->nr; i++)
		err |= json_array_append_new(all, json_real(times->ns[i]));
	err |= json_object_set_new(object, "min_ns", json_real(times->min));
	err |= json_object_set_new(object, "median_ns", json_real(times->median));
	err |= json_object_set_new(object, "max_ns", json_real(times->max));
	return err | json_object_set_new(object, "ns", all);
}

json_t *bench_times_json(const struct bench_times *times)
{
	json_t *object = json_object();

	bench_times_add(object, times);
	return object;
}

int bench_json_write(json_t *root, const char *path)
{
	char temporary[PATH_MAX + 8];
	struct stat st;
	int err;

	/* a device or a pipe is written to, not replaced */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		err = json_dump_file(root, path, JSON_INDENT(2));
	} else {
		snprintf(temporary, sizeof(temporary), "%s.tmp", path);
		err = json_dump_file(root, temporary, JSON_INDENT(2)) || rename(temporary, path);
	}
	json_decref(root);
	return err ? -EIO : 0;
}

/* ---- options ---- */

bool bench_is_chosen(const char *only, const char *key)
{
	size_t n = strlen(key);

	for (const char *s = only; s && *s; s += strcspn(s, ","), s += *s == ',')
		if (strcspn(s, ",") == n && strncmp(s, key, n) == 0)
			return true;
	return !only;
}

int bench_bad_usage(const struct bench_settings *settings, const char *problem)
{
	fprintf(stderr, "%s: %s\n%s", settings->command, problem, settings->usage);
	return 2;
}

int bench_settings_read(int argc, char **argv, struct bench_settings *settings)
{
	static const struct option longs[] = {
		{"samples", required_argument, NULL, 's'}, {"only", required_argument, NULL, 'o'},
		{"json", required_argument, NULL, 'j'},	   {"once", required_argument, NULL, '1'},
		{"check", no_argument, NULL, 'c'},	   {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	char *end, problem[64];
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 's':
			settings->samples = (unsigned int)strtoul(optarg, &end, 10);
			if (*end || !settings->samples || settings->samples > BENCH_MAX_SAMPLES) {
				snprintf(problem, sizeof(problem),
					 "--samples takes a number from 1 to %d", BENCH_MAX_SAMPLES);
				return bench_bad_usage(settings, problem);
			}
			break;
		case 'o':
			settings->only = optarg;
			break;
		case 'j':
			settings->json = optarg;
			break;
		case '1':
			settings->once = optarg;
			break;
		case 'c':
			settings->is_check = true;
			break;
		case 'h':
			fputs(settings->usage, stdout);
			return 0;
		default:
			return bench_bad_usage(settings, "unknown option");
		}
	}
	return optind == argc ? -1 : bench_bad_usage(settings, "unexpected argument");
}

int bench_beside(const char *name, char *path, size_t size)
{
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int n;

	if (len < 0)
		return -errno;
	exe[len] = '\0';
	n = snprintf(path, size, "%s/%s", dirname(exe), name);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}
