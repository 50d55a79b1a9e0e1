/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probes of the benchmark, one object each by -D: the same objects run inlaid and, as kernel
 * uprobes, in the kernel.
 */
#include <inlay/inlay.bpf.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#if defined(COUNT_GLOBAL)
__u64 hits;

SEC("uprobe/bench_victim")
int probe(void *ctx)
{
	hits++;
	return 0;
}

#elif defined(COUNT_ARRAY) || defined(COUNT_PERCPU)
struct {
#ifdef COUNT_PERCPU
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
#else
	__uint(type, BPF_MAP_TYPE_ARRAY);
#endif
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

SEC("uprobe/bench_victim")
int probe(void *ctx)
{
	__u32 key = 0;
	__u64 *n = bpf_map_lookup_elem(&hits, &key);

	if (n)
		(*n)++;
	return 0;
}

#elif defined(LATENCY)
struct inlay_hist latency_ns;

SEC("uprobe.session/bench_victim")
int probe(void *ctx)
{
	__u64 *begin = bpf_session_cookie();

	if (bpf_session_is_return())
		inlay_hist_add(&latency_ns, bpf_ktime_get_ns() - *begin);
	else
		*begin = bpf_ktime_get_ns();
	return 0;
}
#endif
