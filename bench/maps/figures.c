/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs and the figures: one row to add either. */
#include "bench/maps/bench.h"

#include <string.h>

#include "maps.h" /* made by bpfcc --emit=header */

#define PROGRAMS(X)                                                                                \
	X(empty)                                                                                   \
	X(choose)                                                                                  \
	X(array)                                                                                   \
	X(percpu_array)                                                                            \
	X(array_one)                                                                               \
	X(percpu_array_one)                                                                        \
	X(hash8)                                                                                   \
	X(hash16)                                                                                  \
	X(hash32)                                                                                  \
	X(hash64)                                                                                  \
	X(percpu_hash)                                                                             \
	X(lru)                                                                                     \
	X(lru_fill)                                                                                \
	X(hash8_fill)                                                                              \
	X(hash16_fill)                                                                             \
	X(hash32_fill)                                                                             \
	X(hash64_fill)                                                                             \
	X(percpu_hash_fill)                                                                        \
	X(hash_update)                                                                             \
	X(timestamps)                                                                              \
	X(requests)                                                                                \
	X(ring)                                                                                    \
	X(ring_two)                                                                                \
	X(ring_alone)                                                                              \
	X(ktime)                                                                                   \
	X(pid_tgid)                                                                                \
	X(probe_read)

#define NATIVE(name)                                                                               \
	static int native_##name(uint64_t rounds, uint64_t address)                                \
	{                                                                                          \
		return maps_##name##_args(rounds, address, 0, 0, 0, 0);                            \
	}
PROGRAMS(NATIVE)

#define ROW(n) {.name = #n, .native = native_##n, .kernel_fd = -1},
struct bench_program bench_programs[] = {PROGRAMS(ROW)};
const size_t bench_nr_programs = sizeof(bench_programs) / sizeof(bench_programs[0]);

#define LOOKUPS(program_name) .program = #program_name, .fill = #program_name "_fill", \
	.loop = "choose", .rounds = 100000, .is_counted = true, .max_of_kernel = 1

struct bench_figure bench_figures[] = {
	{.key = "array", .what = "array: lookup and add", .program = "array", .loop = "empty",
	 .rounds = 1000000, .max_ns = 0.5},
	{.key = "percpu_array", .what = "per-CPU array: lookup and add", .program = "percpu_array",
	 .loop = "empty", .rounds = 1000000, .max_ns = 0.5},
	{.key = "array_one", .what = "array: always the same value", .program = "array_one",
	 .loop = "empty", .rounds = 1000000},
	{.key = "percpu_array_one", .what = "per-CPU array: always the same",
	 .program = "percpu_array_one", .loop = "empty", .rounds = 1000000},
	{.key = "hash8", .what = "hash: lookup and add, 8-byte key", LOOKUPS(hash8)},
	{.key = "hash16", .what = "hash: lookup and add, 16-byte key", LOOKUPS(hash16)},
	{.key = "hash32", .what = "hash: lookup and add, 32-byte key", LOOKUPS(hash32)},
	{.key = "hash64", .what = "hash: lookup and add, 64-byte key", LOOKUPS(hash64)},
	{.key = "percpu_hash", .what = "per-CPU hash: lookup and add", LOOKUPS(percpu_hash)},
	{.key = "lru", .what = "LRU hash: lookup and add", LOOKUPS(lru)},
	{.key = "hash_update", .what = "hash: update of a live key", .program = "hash_update",
	 .fill = "hash8_fill", .loop = "choose", .rounds = 30000, .is_counted = true},
	{.key = "timestamps", .what = "hash: insert, lookup, delete", .program = "timestamps",
	 .loop = "empty", .rounds = 30000, .is_counted = true, .max_of_kernel = 0.5},
	{.key = "requests", .what = "hash: the same, always another key", .program = "requests",
	 .loop = "choose", .rounds = 30000, .is_counted = true},
	{.key = "ring", .what = "ring buffer: reserve, submit 64 bytes", .program = "ring",
	 .loop = "empty", .rounds = 6000, .has_ring = true, .is_counted = true,
	 .max_of_kernel = 0.25},
	{.key = "ktime", .what = "bpf_ktime_get_ns", .program = "ktime", .loop = "empty",
	 .rounds = 100000, .is_counted = true, .max_ns = 10},
	{.key = "pid_tgid", .what = "bpf_get_current_pid_tgid", .program = "pid_tgid",
	 .loop = "empty", .rounds = 1000000, .is_counted = true, .max_ns = 1},
	{.key = "probe_read", .what = "bpf_probe_read_user of 8 bytes", .program = "probe_read",
	 .loop = "empty", .rounds = 100000, .is_address = true, .is_counted = true, .max_ns = 3},
	{.key = "threads", .what = "per-CPU counters from 2 threads", .program = "percpu_array_one",
	 .rounds = 4000000, .min_gain = 1.95},
	{.key = "ring_threads", .what = "ring buffer from 2 threads", .program = "ring_two",
	 .alone = "ring_alone", .rounds = 2000, .has_ring = true, .min_gain = 1.8},
};
const size_t bench_nr_figures = sizeof(bench_figures) / sizeof(bench_figures[0]);

struct bench_program *bench_find_program(const char *name)
{
	for (size_t i = 0; i < bench_nr_programs; i++)
		if (!strcmp(bench_programs[i].name, name))
			return &bench_programs[i];
	return NULL;
}
