/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts stacks of reached(), which a program's libraries call. */
#include <inlay/inlay.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 1 << 16); /* addresses are random: no two stacks may want one place */
	__uint(key_size, 4);
	__uint(value_size, 16 * 8);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

SEC("uprobe//target:reached")
int on_reached(struct pt_regs *ctx)
{
	__u32 id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	__u64 one = 1, *count = bpf_map_lookup_elem(&counts, &id);

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&counts, &id, &one, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
