/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long functions take: a log2 histogram per function, in nanoseconds.
 *
 * One session program runs at entry and return; the start time travels in the session's cookie, so
 * that nested and recursive calls need no map to find their start. FUNCTIONS and `time_matching` are
 * as in funccount.bpf.c.
 *
 *	inlay hist latency_ns --sym
 */
#include <inlay/inlay.bpf.h>

#ifndef FUNCTIONS
#define FUNCTIONS(F) F(call) F(processCommand) F(dictFind)
#endif

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);	/* address of the function */
	__type(value, struct inlay_hist);
} latency_ns SEC(".maps");

static const struct inlay_hist empty;

static __always_inline int measure(void *ctx)
{
	__u64 *start = bpf_session_cookie(), ip;
	struct inlay_hist *hist;

	if (!bpf_session_is_return()) {
		*start = bpf_ktime_get_ns();
		return 0;
	}
	ip = bpf_get_func_ip(ctx);
	hist = inlay_map_lookup_or_init(&latency_ns, &ip, &empty);
	if (hist)
		inlay_hist_add(hist, bpf_ktime_get_ns() - *start);
	return 0;
}

#define TIME(function)                                                                             \
	SEC("uprobe.session/" #function)                                                           \
	int time_##function(struct pt_regs *ctx)                                                   \
	{                                                                                          \
		return measure(ctx);                                                             \
	}
FUNCTIONS(TIME)

SEC("uprobe.session")
int time_matching(struct pt_regs *ctx)
{
	return measure(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
