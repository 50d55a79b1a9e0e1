/* SPDX-License-Identifier: BSD-2-Clause */
/* Children, some of them killed, count in the maps of their parent, and are who they are. */
#include <inlay/inlay.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} rounds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} per_cpu SEC(".maps");

__u64 parent, children, distinct, last_child, single_threads;

SEC("uprobe/kv_run_children")
int BPF_UPROBE(begin)
{
	parent = bpf_get_current_pid_tgid();
	return 0;
}

SEC("uretprobe/kv_run_children")
int BPF_URETPROBE(end, int ret)
{
	/* numbers that differ from run to run are gone when the maps are compared */
	single_threads += parent == bpf_get_current_pid_tgid();
	parent = last_child = 0;
	return 0;
}

SEC("uprobe/kv_child")
int BPF_UPROBE(child, unsigned int nth)
{
	__u64 id = bpf_get_current_pid_tgid();

	__sync_fetch_and_add(&children, 1);
	if (id != parent && id != last_child)
		distinct++;
	last_child = id;
	single_threads += id >> 32 == (__u32)id;
	return 0;
}

SEC("uprobe/kv_work")
int BPF_UPROBE(work, unsigned int worker, unsigned long round)
{
	__u64 zero = 0, *n = inlay_map_lookup_or_init(&rounds, &worker, &zero);

	if (n)
		__sync_fetch_and_add(n, 1);
	n = inlay_map_lookup_or_init(&per_cpu, &worker, &zero);
	if (n)
		*n += round + 1;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
