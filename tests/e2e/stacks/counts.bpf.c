/* SPDX-License-Identifier: BSD-2-Clause */
/* What profilers count by: the id alone, and a struct with the id in it. */
#include <inlay/inlay.bpf.h>

struct key {
	__u32 pid;
	__s32 kern_stack_id;
	__s32 user_stack_id;
	char comm[16];
};

struct value {
	__u64 hits;
	__u64 sum;
};

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 1 << 16); /* addresses are random: no two stacks may want one place */
	__uint(key_size, 4);
	__uint(value_size, 16 * 8);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, __s32);
	__type(value, __u64);
} by_id SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct key);
	__type(value, struct value);
} by_task SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u32);
} by_place SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} by_number SEC(".maps");

SEC("uprobe//target:leaf")
int on_leaf(struct pt_regs *ctx)
{
	__u32 number = 1u << 20 | (__u32)PT_REGS_PARM1(ctx);
	__u64 zero = 0, *count;

	bpf_map_update_elem(&by_number, &number, &zero, BPF_NOEXIST);
	count = bpf_map_lookup_elem(&by_number, &number);
	if (count)
		__sync_fetch_and_add(count, 1);
	number = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	bpf_map_update_elem(&by_id, &number, &zero, BPF_NOEXIST);
	count = bpf_map_lookup_elem(&by_id, &number);
	if (count)
		*count += 1;
	return 0;
}

struct allocation {
	__u64 size;
	__s32 stack_id;
	__u32 line;
};

/* by its address; ids are in the values */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1000);
	__type(key, __u64);
	__type(value, struct allocation);
} allocations SEC(".maps");

__u64 nr_allocations;

SEC("uprobe//target:middle")
int on_middle(struct pt_regs *ctx)
{
	struct allocation a = {
		.size = 10,
		.stack_id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK),
		.line = 3,
	};
	__u64 address = __sync_fetch_and_add(&nr_allocations, 1) * 64;

	bpf_map_update_elem(&allocations, &address, &a, BPF_ANY);
	return 0;
}

/* a function that the compiler has to inline */
SEC("uprobe//target:wrapped")
int on_wrapped(struct pt_regs *ctx)
{
	__u64 id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	__u32 one = 1, *count = bpf_map_lookup_elem(&by_place, &id);

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&by_place, &id, &one, BPF_NOEXIST);
	return 0;
}

SEC("uprobe//target:outside")
int on_call(struct pt_regs *ctx)
{
	struct value zero = {}, *value;
	struct key key = {
		.pid = bpf_get_current_pid_tgid() >> 32,
		.kern_stack_id = bpf_get_stackid(ctx, &stacks, 0),
		.user_stack_id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK),
	};
	__s32 id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK | 255);

	bpf_get_current_comm(key.comm, sizeof(key.comm));
	bpf_map_update_elem(&by_task, &key, &zero, BPF_NOEXIST);
	value = bpf_map_lookup_elem(&by_task, &key);
	if (value) {
		__sync_fetch_and_add(&value->hits, 1);
		__sync_fetch_and_add(&value->sum, 100);
	}
	/* an error is counted as well */
	bpf_map_update_elem(&by_id, &id, &zero.hits, BPF_NOEXIST);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
