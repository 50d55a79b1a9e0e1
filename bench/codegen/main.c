/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-codegen: the same programs as native code made by bpfcc, as the same C compiled by clang -O2,
 * and under the kernel's JIT, in alternating samples. Each side runs all rounds of a sample inside
 * the program. The results must be equal.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/codegen/bench.h"
#include "codegen.h" /* made by bpfcc --emit=header */

#define MAX_ROUNDS (8u << 20) /* of a bpf_loop() */

#define PROGRAM(name)                                                                              \
	int bench_c_##name(uint32_t rounds);                                                       \
	static int native_##name(uint64_t rounds)                                                  \
	{                                                                                          \
		return codegen_##name##_args(rounds, 0, 0, 0, 0, 0);                               \
	}
PROGRAM(empty)
PROGRAM(counter)
PROGRAM(filter)
PROGRAM(histogram)
PROGRAM(sieve)
PROGRAM(chacha)
PROGRAM(fnv)
PROGRAM(parser)

#define SIDES(name) .key = #name, .native = native_##name, .c = bench_c_##name
static struct bench_program programs[] = {
	{SIDES(empty), .what = "empty", .rounds = 1000000},
	{SIDES(counter), .what = "counter", .rounds = 1000000},
	{SIDES(filter), .what = "filter and bucket", .rounds = 200000, .max_of_c = 1.05,
	 .max_of_kernel = 1.02},
	{SIDES(histogram), .what = "log2 histogram of 64 values", .rounds = 4000,
	 .max_of_c = 1.05, .max_of_kernel = 0.9},
	{SIDES(sieve), .what = "prime sieve", .rounds = 2000, .max_of_c = 1.05,
	 .max_of_kernel = 1.02},
	{SIDES(chacha), .what = "ChaCha20 block", .rounds = 10000, .max_of_c = 1.05,
	 .max_of_kernel = 0.9},
	{SIDES(fnv), .what = "FNV-1a of 64 bytes", .rounds = 10000, .max_of_c = 1.05,
	 .max_of_kernel = 0.9},
	{SIDES(parser), .what = "parser of a request line", .rounds = 10000, .max_of_c = 1.05,
	 .max_of_kernel = 0.9},
};
#define NR_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static const char usage[] =
	"usage: bench-codegen [--samples N] [--only KEY,...] [--json FILE] [--check]\n"
	"Native code of bpfcc, clang -O2 on the same C, and the kernel's JIT, in alternating\n"
	"samples.\n"
	"  --samples N   samples of each program and side (31; at most 201)\n"
	"  --only KEYS   these programs only, by their names in the JSON\n"
	"  --json FILE   where the JSON goes (bench-codegen.json in the current folder)\n"
	"  --check       exit with 1 if a promised ratio is missed\n"
	"  --once KEY:SIDE:ROUNDS\n"
	"                run one program on one side (native, c) once and print its result\n";

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int sample(struct bench_program *p, enum bench_side side)
{
	struct bench_times *t = &p->times[side];
	double start = now_ns();
	int err = 0;

	if (side == BENCH_NATIVE)
		p->results[side] = (uint32_t)p->native(p->rounds);
	else if (side == BENCH_C)
		p->results[side] = (uint32_t)p->c(p->rounds);
	else
		err = bench_kernel_run(p, p->rounds, &p->results[side]);
	t->ns[t->nr++] = (now_ns() - start) / p->rounds;
	return err;
}

static int measure(struct bench_program *p, unsigned int samples)
{
	for (unsigned int i = 0; i < samples; i++) {
		for (int side = 0; side < BENCH_SIDES; side++) {
			int err;

			if (side == BENCH_KERNEL && p->kernel_fd < 0)
				continue;
			err = sample(p, (enum bench_side)side);
			if (err) {
				fprintf(stderr, "bench-codegen: %s: %s: %s\n", p->key,
					bench_sides[side], strerror(-err));
				return 1;
			}
			if (p->results[side] != p->results[BENCH_NATIVE]) {
				fprintf(stderr, "bench-codegen: %s: %s says %u, inlay %u\n",
					p->key, bench_sides[side], p->results[side],
					p->results[BENCH_NATIVE]);
				return 1;
			}
		}
	}
	return 0;
}

static int run_once(const struct bench_settings *settings)
{
	char key[32], side[16];
	uint32_t rounds;

	if (sscanf(settings->once, "%31[^:]:%15[^:]:%u", key, side, &rounds) != 3 || rounds > MAX_ROUNDS)
		return bench_bad_usage(settings, "--once takes KEY:SIDE:ROUNDS");
	for (size_t i = 0; i < NR_PROGRAMS; i++) {
		if (strcmp(programs[i].key, key))
			continue;
		if (!strcmp(side, "c"))
			printf("%u\n", (uint32_t)programs[i].c(rounds));
		else if (!strcmp(side, "native"))
			printf("%u\n", (uint32_t)programs[i].native(rounds));
		else
			break;
		return 0;
	}
	return bench_bad_usage(settings, "no such program or side");
}

int main(int argc, char **argv)
{
	struct bench_settings o = {.command = "bench-codegen", .usage = usage, .samples = 31,
				   .json = "bench-codegen.json"};
	struct bench_program chosen[NR_PROGRAMS];
	char object[PATH_MAX + 32];
	size_t nr = 0;
	int status = bench_settings_read(argc, argv, &o);
	bool is_good;

	if (status >= 0)
		return status;
	if (o.once)
		return run_once(&o);
	if (bench_beside("codegen-kernel.bpf.o", object, sizeof(object)))
		return 1;
	for (size_t i = 0; i < NR_PROGRAMS; i++)
		if (bench_is_chosen(o.only, programs[i].key))
			chosen[nr++] = programs[i];
	if (!nr)
		return bench_bad_usage(&o, "--only names no program");
	for (size_t i = 0; i < nr; i++) {
		bench_kernel_open(&chosen[i], object);
		if (measure(&chosen[i], o.samples))
			return 1;
	}
	is_good = bench_report(chosen, nr);
	if (bench_report_json(chosen, nr, o.samples, o.json)) {
		fprintf(stderr, "bench-codegen: cannot write %s\n", o.json);
		return 1;
	}
	return o.is_check && !is_good;
}
