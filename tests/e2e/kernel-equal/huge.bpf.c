/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps that are too large to be part of the program's image. */
#include <inlay/inlay.bpf.h>

struct value {
	__u64 calls;
	char text[56];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 20000);
	__type(key, __u64);
	__type(value, struct value);
} large SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 40000);
	__type(key, __u32);
	__type(value, __u64);
} per_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 6000);
	__type(key, __u32);
	__type(value, struct value);
} array SEC(".maps");

__u64 refused;

SEC("uprobe/kv_work")
int BPF_UPROBE(work, unsigned int worker, unsigned long round)
{
	__u64 key = ((__u64)worker << 32 | round) * 0x9e3779b97f4a7c15, *n, one = 1;
	struct value value = { .calls = 1, .text = "a value" }, *v;
	__u32 slot = (worker * 997 + (__u32)round * 13) % 6100, hashed = (__u32)(key >> 32);

	value.text[20] = (char)round;
	if (bpf_map_update_elem(&large, &key, &value, BPF_ANY))
		__sync_fetch_and_add(&refused, 1);
	if (round % 3 == 0)
		bpf_map_delete_elem(&large, &key);
	n = bpf_map_lookup_elem(&per_cpu, &hashed);
	if (n)
		*n += 1;
	else
		bpf_map_update_elem(&per_cpu, &hashed, &one, BPF_ANY);
	v = bpf_map_lookup_elem(&array, &slot);
	if (v)
		__sync_fetch_and_add(&v->calls, round);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
