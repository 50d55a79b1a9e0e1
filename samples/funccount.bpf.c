/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts calls per function.
 *
 * FUNCTIONS lists the functions, one program each (here three of redis; another list:
 * clang ... '-DFUNCTIONS(F)=F(kv_get) F(kv_set)'). The program `count_matching` has a bare section: give
 * it a glob when you build, with inlay-cc -finlay-attach='count_matching:kv_*'.
 *
 *	inlay dump calls --sym
 */
#include <inlay/inlay.bpf.h>

#ifndef FUNCTIONS
#define FUNCTIONS(F) F(call) F(processCommand) F(dictFind)
#endif

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);	/* address of the function */
	__type(value, __u64);
} calls SEC(".maps");

static __always_inline int count(void *ctx)
{
	__u64 ip = bpf_get_func_ip(ctx), zero = 0;
	__u64 *n = inlay_map_lookup_or_init(&calls, &ip, &zero);

	if (n)
		(*n)++;
	return 0;
}

#define COUNT(function)                                                                            \
	SEC("uprobe/" #function)                                                                   \
	int count_##function(struct pt_regs *ctx)                                                  \
	{                                                                                          \
		return count(ctx);                                                                 \
	}
FUNCTIONS(COUNT)

SEC("uprobe.multi")
int count_matching(struct pt_regs *ctx)
{
	return count(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
