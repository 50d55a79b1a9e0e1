/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes a small map of each kind as often as it is called, and counts its calls in both kinds of arrays. */
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
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, MAX_ENTRIES);
	__type(value, struct value);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, MAX_ENTRIES);
	__type(value, struct value);
} stack SEC(".maps");

struct prefix {
	__u32 bits;
	__u32 data[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_ENTRIES);
	__type(key, struct prefix);
	__type(value, struct value);
} trie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_ENTRIES);
	__type(key, __u64);
	__type(value, struct value);
} recent SEC(".maps");

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
	struct value value = { key, { key, key, key } }, popped;
	struct prefix prefix = { 64, { (__u32)key, (__u32)(key >> 32) } };

	count();
	if (is_delete) {
		bpf_map_delete_elem(&whole, &key);
		bpf_map_delete_elem(&parts, &key);
		bpf_map_delete_elem(&recent, &key);
		bpf_map_pop_elem(&queue, &popped);
		bpf_map_pop_elem(&stack, &popped);
		bpf_map_delete_elem(&trie, &prefix);
	} else {
		bpf_map_update_elem(&whole, &key, &value, BPF_ANY);
		bpf_map_update_elem(&parts, &key, &key, BPF_ANY);
		bpf_map_update_elem(&recent, &key, &value, BPF_ANY);
		bpf_map_push_elem(&queue, &value, key & 1 ? BPF_EXIST : BPF_ANY);
		bpf_map_push_elem(&stack, &value, key & 1 ? BPF_EXIST : BPF_ANY);
		bpf_map_update_elem(&trie, &prefix, &value, BPF_ANY);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
