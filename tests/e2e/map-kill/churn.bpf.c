/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes two small maps as often as it is called, and counts its calls in both kinds of arrays. */
#include <inlay/inlay.bpf.h>

enum { MAX_ENTRIES = 40 };

struct value {
	__u64 key, again[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_ENTRIES);
	__type(key, __u64);
	__type(value, struct value);
} whole SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, MAX_ENTRIES);
	__type(key, __u64);
	__type(value, __u64);
} parts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} calls_by_thread SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} calls SEC(".maps");

static void count(void)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&calls_by_thread, &zero);

	if (n)
		(*n)++;
	n = bpf_map_lookup_elem(&calls, &zero);
	if (n)
		__sync_fetch_and_add(n, 1);
}

SEC("uprobe/churn")
int BPF_UPROBE(churn, __u64 key, int is_delete)
{
	struct value value = { key, { key, key, key } };

	count();
	if (is_delete) {
		bpf_map_delete_elem(&whole, &key);
		bpf_map_delete_elem(&parts, &key);
	} else {
		bpf_map_update_elem(&whole, &key, &value, BPF_ANY);
		bpf_map_update_elem(&parts, &key, &key, BPF_ANY);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
