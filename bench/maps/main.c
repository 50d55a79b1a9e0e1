/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-maps: what map operations and helpers cost in native code made by bpfcc, and in the kernel, in
 * alternating samples. All rounds of a sample run inside the program. Times are the thread's CPU
 * time, which a busy machine disturbs least.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/maps/bench.h"

static const char usage[] =
	"usage: bench-maps [--samples N] [--only KEY,...] [--json FILE] [--check]\n"
	"Map operations and helpers in native code of bpfcc and in the kernel, in alternating\n"
	"samples.\n"
	"  --samples N   samples of each figure and side (31; at most 201)\n"
	"  --only KEYS   these figures only, by their names in the JSON\n"
	"  --json FILE   where the JSON goes (bench-maps.json in the current folder)\n"
	"  --check       exit with 1 if a promised figure is missed\n"
	"  --once PROGRAM:ROUNDS\n"
	"                run one program natively once and print its result\n";

static uint64_t some_memory = 1;

static int run(const struct bench_program *p, enum bench_side side, uint32_t rounds,
	       uint64_t address, int *ret_result)
{
	if (side == BENCH_KERNEL)
		return bench_kernel_run(p, rounds, address, ret_result);
	*ret_result = p->native(rounds, address);
	return 0;
}

/* One sample of a program; 0 or 1, with a message. */
static int sample(const struct bench_figure *f, const struct bench_program *p,
		  enum bench_side side, struct bench_times *times, bool is_counted)
{
	uint64_t address = f->is_address ? (uint64_t)(uintptr_t)&some_memory : 0;
	double start = bench_cpu_ns();
	int result, err = run(p, side, f->rounds, address, &result);

	times->ns[times->nr++] = (bench_cpu_ns() - start) / f->rounds;
	if (f->has_ring)
		bench_ring_empty(side);
	if (!err && is_counted && (uint32_t)result != f->rounds) {
		fprintf(stderr, "bench-maps: %s, side %d: %d good rounds of %u\n", f->key,
			(int)side, result, f->rounds);
		return 1;
	}
	if (err)
		fprintf(stderr, "bench-maps: %s: %s\n", f->key, strerror(-err));
	return !!err;
}

static int fill(const struct bench_figure *f, enum bench_side side)
{
	const struct bench_program *p = bench_find_program(f->fill);
	int result = 0, err = run(p, side, BENCH_ENTRIES, 0, &result);

	if (!err && (uint32_t)result == BENCH_ENTRIES)
		return 0;
	fprintf(stderr, "bench-maps: %s, side %d: filled with %d entries, %s\n", f->key, (int)side,
		result, strerror(-err));
	return 1;
}

static int measure(struct bench_figure *f, unsigned int samples)
{
	const struct bench_program *program = bench_find_program(f->program);
	const struct bench_program *loop = bench_find_program(f->loop);

	for (int side = 0; side < BENCH_SIDES; side++)
		if (f->fill && (side == BENCH_NATIVE || program->kernel_fd >= 0) &&
		    fill(f, (enum bench_side)side))
			return 1;
	for (unsigned int i = 0; i < samples; i++)
		for (int side = 0; side < BENCH_SIDES; side++) {
			if (side == BENCH_KERNEL && program->kernel_fd < 0)
				continue;
			if (sample(f, loop, (enum bench_side)side, &f->loop_times[side], false) ||
			    sample(f, program, (enum bench_side)side, &f->times[side],
				   f->is_counted))
				return 1;
		}
	for (int side = 0; side < BENCH_SIDES; side++) {
		bench_summarise(&f->times[side]);
		bench_summarise(&f->loop_times[side]);
		f->net[side] = f->times[side].median - f->loop_times[side].median;
	}
	return 0;
}

/* ---- The command ------------------------------------------------------------------------ */

static int run_once(const struct bench_settings *settings)
{
	char name[32];
	uint32_t rounds;
	const struct bench_program *p;

	if (sscanf(settings->once, "%31[^:]:%u", name, &rounds) != 2)
		return bench_bad_usage(settings, "--once takes PROGRAM:ROUNDS");
	p = bench_find_program(name);
	if (!p)
		return bench_bad_usage(settings, "no such program");
	printf("%d\n", p->native(rounds, (uint64_t)(uintptr_t)&some_memory));
	return 0;
}

int main(int argc, char **argv)
{
	struct bench_settings o = {.command = "bench-maps", .usage = usage, .samples = 31,
				   .json = "bench-maps.json"};
	char object[PATH_MAX + 32];
	const char *no_kernel;
	size_t nr = 0;
	int status = bench_settings_read(argc, argv, &o);
	bool is_good;

	if (status >= 0)
		return status;
	if (o.once)
		return run_once(&o);
	if (bench_beside("maps-kernel.bpf.o", object, sizeof(object)))
		return 1;
	no_kernel = bench_kernel_open(object);
	for (size_t i = 0; i < bench_nr_figures; i++) {
		struct bench_figure *f = &bench_figures[nr];

		if (!bench_is_chosen(o.only, bench_figures[i].key))
			continue;
		*f = bench_figures[i];
		nr++;
		if (f->min_gain)
			bench_threads_measure(f, o.samples);
		else if (measure(f, o.samples))
			return 1;
	}
	if (!nr)
		return bench_bad_usage(&o, "--only names no figure");
	is_good = bench_report(bench_figures, nr, no_kernel);
	if (bench_report_json(bench_figures, nr, o.samples, no_kernel, o.json)) {
		fprintf(stderr, "bench-maps: cannot write %s\n", o.json);
		return 1;
	}
	return o.is_check && !is_good;
}
