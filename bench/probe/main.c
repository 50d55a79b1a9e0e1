/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-probe: what a hit costs, in alternating rounds over one process per variant. The programs
 * are built beside it by bench/probe/CMakeLists.txt.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/probe/bench.h"

static struct bench_variant variants[] = {
	{ .key = "none", .what = "no probe", .program = "none" },
	{ .key = "hand-global", .what = "by hand: add to a global", .program = "hand-global" },
	{ .key = "hand-tls", .what = "by hand: thread-local add", .program = "hand-tls" },
	{ .key = "hand-tls-static", .what = "by hand: thread-local add, static",
	  .program = "hand-tls-static" },
	{ .key = "hand-atomic", .what = "by hand: atomic add", .program = "hand-atomic" },
	{ .key = "hand-latency", .what = "by hand: two rdtsc and a histogram",
	  .program = "hand-latency" },
	{ .key = "inlay-global", .what = "Inlay: count in a global", .program = "inlay-global" },
	{ .key = "inlay-array", .what = "Inlay: count in an array map", .program = "inlay-array" },
	{ .key = "inlay-percpu", .what = "Inlay: count per thread (per-CPU map)",
	  .program = "inlay-percpu" },
	{ .key = "inlay-latency", .what = "Inlay: session, latency histogram",
	  .program = "inlay-latency" },
	{ .key = "xray-count", .what = "XRay: handler that counts", .program = "xray-count" },
	{ .key = "xray-latency", .what = "XRay: handler with a histogram",
	  .program = "xray-latency" },
	{ .key = "instrument-count", .what = "-finstrument-functions: count",
	  .program = "instrument-count" },
	{ .key = "instrument-latency", .what = "-finstrument-functions: histogram",
	  .program = "instrument-latency" },
	{ .key = "uftrace", .what = "uftrace record (-pg)", .program = "uftrace",
	  .peer = BENCH_UFTRACE, .is_slow = true },
	{ .key = "lttng-ust", .what = "LTTng-UST: one event, snapshot session",
	  .program = "lttng-ust", .peer = BENCH_LTTNG, .is_slow = true },
	{ .key = "uprobe-push", .what = "kernel uprobe on a push: count", .program = "kernel-push",
	  .peer = BENCH_KERNEL, .object = "count-array.bpf.o", .is_slow = true },
	{ .key = "uprobe-nop5", .what = "kernel uprobe on a 5-byte nop: count",
	  .program = "kernel-nop5", .peer = BENCH_KERNEL, .object = "count-array.bpf.o",
	  .is_slow = true },
	{ .key = "uprobe-session", .what = "kernel uprobe.session, 5-byte nop: histogram",
	  .program = "kernel-nop5", .peer = BENCH_KERNEL, .object = "latency.bpf.o",
	  .is_slow = true },
};
#define NR_VARIANTS (sizeof(variants) / sizeof(variants[0]))

static const char usage[] =
	"usage: bench-probe [--rounds N] [--calls N] [--only KEY,...] [--json FILE] [--check]\n"
	"What a hit costs: Inlay, by hand, and other tracers, in alternating rounds.\n"
	"  --rounds N   rounds of each variant (51; at most 201)\n"
	"  --calls N    calls a round (100000: a round is shorter than a time slice)\n"
	"  --only KEYS  these variants only, by their names in the JSON\n"
	"  --json FILE  where the JSON goes (bench-probe.json in the current folder)\n"
	"  --check      exit with 1 if a promised figure is missed\n"
	"  --folder DIR where the programs are (the folder of bench-probe)\n";

static int read_options(int argc, char **argv, struct bench_options *options, bool *ret_check)
{
	static const struct option longs[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "calls", required_argument, NULL, 'c' },
		{ "only", required_argument, NULL, 'o' },
		{ "json", required_argument, NULL, 'j' },
		{ "folder", required_argument, NULL, 'f' },
		{ "check", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (option) {
		case 'r':
			options->rounds = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			options->calls = strtoul(optarg, NULL, 10);
			break;
		case 'o':
			options->only = optarg;
			break;
		case 'j':
			options->json = optarg;
			break;
		case 'f':
			options->folder = optarg;
			break;
		case 'k':
			*ret_check = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			return -1;
		}
	}
	if (optind != argc || !options->rounds || options->rounds > BENCH_MAX_SAMPLES ||
	    options->calls < 100)
		return -1;
	return 0;
}

static void remove_scratch(const char *scratch)
{
	char command[400];

	snprintf(command, sizeof(command), "rm -rf '%s'", scratch);
	if (system(command))
		fprintf(stderr, "bench-probe: cannot remove %s\n", scratch);
}

int main(int argc, char **argv)
{
	struct bench_options options = {
		.json = "bench-probe.json", .rounds = 51, .calls = 100000
	};
	char folder[PATH_MAX], scratch[] = "/tmp/inlay-bench-XXXXXX";
	bool is_checked = false, all_met;
	int err = 0;

	if (!bench_beside(".", folder, sizeof(folder)))
		options.folder = folder;
	if (read_options(argc, argv, &options, &is_checked)) {
		fputs(usage, stderr);
		return 2;
	}
	if (!mkdtemp(scratch)) {
		fprintf(stderr, "bench-probe: %s: %s\n", scratch, strerror(errno));
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < NR_VARIANTS; i++) {
		if (!bench_is_chosen(options.only, variants[i].key))
			snprintf(variants[i].skipped, sizeof(variants[i].skipped), "not chosen");
		else
			bench_variant_start(&variants[i], &options, scratch);
	}
	for (unsigned int round = 0; round < options.rounds; round++) {
		for (size_t i = 0; i < NR_VARIANTS; i++) {
			struct bench_variant *v = &variants[i];
			unsigned long calls = v->is_slow ? options.calls / 100 : options.calls;

			if (v->skipped[0])
				continue;
			if (bench_variant_run(v, calls, &v->times.ns[v->times.nr]) == 0)
				v->times.nr++;
		}
	}
	for (size_t i = 0; i < NR_VARIANTS; i++)
		if (variants[i].pid > 0)
			bench_variant_end(&variants[i]);
	for (size_t i = 0; i < NR_VARIANTS; i++)
		bench_summarise(&variants[i].times);
	bench_lttng_end();
	remove_scratch(scratch);
	all_met = bench_report(variants, NR_VARIANTS, &options);
	if (bench_write_json(variants, NR_VARIANTS, &options)) {
		fprintf(stderr, "bench-probe: cannot write %s\n", options.json);
		err = 1;
	}
	return err || (is_checked && !all_met);
}
