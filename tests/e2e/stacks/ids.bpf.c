/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of reached() by build ids and offsets, as get_stack and get_stackid give them. */
#include <inlay/inlay.bpf.h>

#define DEPTH 16

struct stack {
	__s64 ret;
	struct bpf_stack_build_id ids[DEPTH];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct stack);
} whole SEC(".maps"), skipped SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 1 << 14); /* addresses are random: no two stacks may want one place */
	__uint(map_flags, BPF_F_STACK_BUILD_ID);
	__uint(key_size, 4);
	__uint(value_size, DEPTH * sizeof(struct bpf_stack_build_id));
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 2);
	__uint(map_flags, BPF_F_STACK_BUILD_ID);
	__uint(key_size, 4);
	__uint(value_size, DEPTH * sizeof(struct bpf_stack_build_id));
} small SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __s32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __s64);
} results SEC(".maps");

__u32 nr;

static __always_inline void result(__u32 at, __s64 value)
{
	bpf_map_update_elem(&results, &at, &value, BPF_ANY);
}

SEC("uprobe//target:reached")
int on_reached(struct pt_regs *ctx)
{
	__s32 id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	__u64 one = 1, *count = bpf_map_lookup_elem(&counts, &id);
	__u32 at = nr++ & 63;
	struct stack *s;

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&counts, &id, &one, BPF_NOEXIST);
	s = bpf_map_lookup_elem(&whole, &at);
	if (s)
		s->ret = bpf_get_stack(ctx, s->ids, sizeof(s->ids), BPF_F_USER_STACK | BPF_F_USER_BUILD_ID);
	s = bpf_map_lookup_elem(&skipped, &at);
	if (s)
		s->ret = bpf_get_stack(ctx, s->ids, 2 * sizeof(s->ids[0]),
				       BPF_F_USER_STACK | BPF_F_USER_BUILD_ID | 1);
	return 0;
}

SEC("uprobe//target:other")
int on_other(struct pt_regs *ctx)
{
	struct bpf_stack_build_id ids[2] = {};

	/* (in a full map a kernel has nothing to compare with; rt/map_stack.c compares) */
	result(0, bpf_get_stackid(ctx, &small, BPF_F_USER_STACK));
	result(1, bpf_get_stackid(ctx, &small, BPF_F_USER_STACK));
	result(2, bpf_get_stackid(ctx, &small, BPF_F_USER_STACK | 1));
	result(3, bpf_get_stackid(ctx, &small, BPF_F_USER_STACK | BPF_F_FAST_STACK_CMP));
	result(4, bpf_get_stackid(ctx, &small, 0));
	result(5, bpf_get_stackid(ctx, &small, BPF_F_USER_STACK | 200));
	result(6, bpf_get_stack(ctx, ids, 48, BPF_F_USER_STACK | BPF_F_USER_BUILD_ID));
	result(7, bpf_get_stack(ctx, ids, sizeof(ids), BPF_F_USER_BUILD_ID));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
