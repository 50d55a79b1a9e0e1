/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the three compilations of programs.bpf.c see behind PROGRAM, ROUND, LOOP, VALUES and LOOKUP.
 */
#ifndef INLAY_BENCH_CODEGEN_PROGRAMS_H
#define INLAY_BENCH_CODEGEN_PROGRAMS_H

#include <linux/types.h>

/* A round: returns 0 to go on. */
#define ROUND(name) static long name(__u32 round __attribute__((unused)), \
				     void *arg __attribute__((unused)))

#ifdef __bpf__

#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define LOOP(rounds, round, arg) bpf_loop(rounds, round, arg, 0)

#define VALUES(name, value_type, nr)                                                                     \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(max_entries, nr);                                                           \
		__type(key, __u32);                                                                \
		__type(value, value_type);                                                             \
	} name SEC(".maps")
#define LOOKUP(name, index) bpf_map_lookup_elem(&name, &(index))

#ifdef BENCH_KERNEL
struct bench_ctx {
	__u64 rounds;
};
#define PROGRAM(name)                                                                              \
	static __always_inline int name##_body(__u32 rounds);                                      \
	SEC("syscall") int name(struct bench_ctx *ctx)                                             \
	{                                                                                          \
		return name##_body((__u32)ctx->rounds);                                            \
	}                                                                                          \
	static __always_inline int name##_body(__u32 rounds)
#else
#include <bpf/bpf_tracing.h>
#define PROGRAM(name)                                                                              \
	static __always_inline int name##_body(__u32 rounds);                                      \
	SEC("uprobe") int name(struct pt_regs *ctx)                                                \
	{                                                                                          \
		return name##_body((__u32)PT_REGS_PARM1(ctx));                                     \
	}                                                                                          \
	static __always_inline int name##_body(__u32 rounds)
#endif

#else /* plain C */

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))

/* the kernel's bpf_loop(); the compiler knows the function */
static __always_inline long bench_loop(__u32 nr, long (*round)(__u32, void *), void *arg)
{
	for (__u32 i = 0; i < nr; i++)
		if (round(i, arg))
			return i + 1;
	return nr;
}

#define LOOP(rounds, round, arg) bench_loop(rounds, round, arg)

/* visible, or what is written to it would be dropped */
#define VALUES(name, value_type, nr) value_type name[nr]
#define LOOKUP(name, index) ((index) < sizeof(name) / sizeof(name[0]) ? &name[index] : 0)

#define PROGRAM(name)                                                                              \
	int bench_c_##name(__u32 rounds);                                                          \
	__attribute__((noinline)) int bench_c_##name(__u32 rounds)

#endif
#endif /* INLAY_BENCH_CODEGEN_PROGRAMS_H */
