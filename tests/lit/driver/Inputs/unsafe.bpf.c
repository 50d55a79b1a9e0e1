/* SPDX-License-Identifier: BSD-2-Clause */
/* Works, but cannot be proved: the pointer is not compared with NULL. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 8);
} counts SEC(".maps");

SEC("uprobe/work")
int count(void *ctx)
{
	__u32 key = 3;
	__u64 first = 40, *value;

	bpf_map_update_elem(&counts, &key, &first, BPF_NOEXIST);
	value = bpf_map_lookup_elem(&counts, &key);
	*value += 2;
	return 0;
}
