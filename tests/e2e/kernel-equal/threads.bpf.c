/* SPDX-License-Identifier: BSD-2-Clause */
/* Many threads at once: atomic counts in shared maps, plain counts in per-CPU ones. */
#include <inlay/inlay.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} rounds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} per_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} shared SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, __u64);
} tids SEC(".maps");

__u64 total, round_sum;

SEC("uprobe/kv_work")
int BPF_UPROBE(work, unsigned int worker, unsigned long round)
{
	__u64 zero = 0, *n = inlay_map_lookup_or_init(&rounds, &worker, &zero);
	__u32 slot = worker & 255;

	if (n)
		__sync_fetch_and_add(n, 1);
	n = bpf_map_lookup_elem(&per_cpu, &slot);
	if (n)
		*n += round;
	n = bpf_map_lookup_elem(&shared, &slot);
	if (n)
		__sync_fetch_and_add(n, round);
	__sync_fetch_and_add(&total, 1);
	__sync_fetch_and_add(&round_sum, round);
	return 0;
}

/* Several threads count in one value: every thread's hits are there. */
SEC("uretprobe/kv_work")
int work_end(struct pt_regs *ctx)
{
	__u64 key = 1, zero = 0, *n = inlay_map_lookup_or_init(&tids, &key, &zero);

	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
