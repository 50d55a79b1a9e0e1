/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a program of bench/maps is written: once, for Inlay (a uprobe program, its rounds and an address
 * are the first two arguments) and for the kernel (a syscall program, they are in the context).
 */
#ifndef INLAY_BENCH_MAPS_PROGRAMS_H
#define INLAY_BENCH_MAPS_PROGRAMS_H

#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct bench {
	__u64 rounds;
	__u64 address;	/* 8 bytes of the process's memory */
	__u64 result;
};

/* A round: returns 0 to go on. */
#define ROUND(name) static long name(__u32 round __attribute__((unused)), \
				     struct bench *bench __attribute__((unused)))

#define MAP(name, map_type, entries, key_type, value_type)                                         \
	struct {                                                                                   \
		__uint(type, map_type);                                                            \
		__uint(max_entries, entries);                                                      \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

#ifdef BENCH_KERNEL
#define PROGRAM(name, round)                                                                       \
	SEC("syscall") int name(struct bench *ctx)                                                 \
	{                                                                                          \
		struct bench bench = {.rounds = ctx->rounds, .address = ctx->address};             \
                                                                                                   \
		bpf_loop(bench.rounds, round, &bench, 0);                                          \
		return (int)bench.result;                                                          \
	}
#else
#include <bpf/bpf_tracing.h>
#define PROGRAM(name, round)                                                                       \
	SEC("uprobe") int name(struct pt_regs *ctx)                                                \
	{                                                                                          \
		struct bench bench = {.rounds = PT_REGS_PARM1(ctx),                                \
				      .address = PT_REGS_PARM2(ctx)};                              \
                                                                                                   \
		bpf_loop(bench.rounds, round, &bench, 0);                                          \
		return (int)bench.result;                                                          \
	}
#endif

#endif /* INLAY_BENCH_MAPS_PROGRAMS_H */
