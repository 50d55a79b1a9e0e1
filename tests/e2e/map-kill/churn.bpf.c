/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes two small maps as often as it is called. */
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

SEC("uprobe/churn")
int BPF_UPROBE(churn, __u64 key, int is_delete)
{
	struct value value = { key, { key, key, key } };

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
