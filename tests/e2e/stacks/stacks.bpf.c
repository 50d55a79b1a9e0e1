/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_get_stack() and bpf_get_stackid() at an entry, a return and a call, with all flags, right
 * and wrong.
 */
#include <inlay/inlay.bpf.h>
#include <stdbool.h>
#include <bpf/usdt.bpf.h>

#define DEPTH 24
#define STACKS 16

struct stack {
	__s64 ret;
	__u64 ips[DEPTH];
};

struct deep {
	__s64 ret;
	__u64 ips[130];
};

#define STACK_ARRAY(name, T, n)                           \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_ARRAY);         \
		__uint(max_entries, n);                   \
		__type(key, __u32);                       \
		__type(value, T);                         \
	} name SEC(".maps")

STACK_ARRAY(entries, struct stack, STACKS);
STACK_ARRAY(returns, struct stack, STACKS);
STACK_ARRAY(skipped, struct stack, STACKS);
STACK_ARRAY(calls, struct stack, STACKS);
STACK_ARRAY(answers, struct stack, STACKS);
STACK_ARRAY(marks, struct stack, STACKS);
STACK_ARRAY(sessions, struct stack, STACKS);
STACK_ARRAY(subprograms, struct stack, STACKS);
STACK_ARRAY(deepest, struct deep, 4);
STACK_ARRAY(results, __s64, 32);

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 1 << 14); /* no two stacks of the test may want one place */
	__uint(key_size, 4);
	__uint(value_size, 127 * 8);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __s32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 8);
} single SEC(".maps");

__u32 nr_entries, nr_returns, nr_skipped, nr_calls, nr_answers, nr_deep, nr_marks, nr_sessions,
	nr_subprograms;
__u64 cookies;

/* The compiler must not merge the calls, whose flags the kernel wants to see as numbers. */
static __always_inline void take(void *ctx, void *map, __u32 nr, __u64 flags)
{
	struct stack *s = bpf_map_lookup_elem(map, &nr);

	if (s)
		s->ret = bpf_get_stack(ctx, s->ips, sizeof(s->ips), flags);
}

static __always_inline void result(__u32 nr, __s64 value)
{
	bpf_map_update_elem(&results, &nr, &value, BPF_ANY);
}

SEC("uprobe//target:leaf")
int on_entry(struct pt_regs *ctx)
{
	take(ctx, &entries, nr_entries++, BPF_F_USER_STACK);
	take(ctx, &skipped, nr_skipped++, BPF_F_USER_STACK | 2);
	return 0;
}

SEC("uretprobe//target:leaf")
int on_return(struct pt_regs *ctx)
{
	take(ctx, &returns, nr_returns++, BPF_F_USER_STACK);
	return 0;
}

SEC("uprobe//target:outside")
int on_call(struct pt_regs *ctx)
{
	take(ctx, &calls, nr_calls++, BPF_F_USER_STACK);
	return 0;
}

SEC("uretprobe//target:outside")
int on_answer(struct pt_regs *ctx)
{
	take(ctx, &answers, nr_answers++, BPF_F_USER_STACK);
	return 0;
}

SEC("usdt//target:target:mark")
int on_mark(struct pt_regs *ctx)
{
	cookies += bpf_usdt_cookie(ctx);
	take(ctx, &marks, nr_marks++, BPF_F_USER_STACK);
	return 0;
}

SEC("uprobe.session//target:wrapper")
int on_session(struct pt_regs *ctx)
{
	take(ctx, &sessions, nr_sessions++, BPF_F_USER_STACK);
	return 0;
}

static __noinline int subprogram(struct pt_regs *ctx, __u32 nr)
{
	take(ctx, &subprograms, nr, BPF_F_USER_STACK);
	take(ctx, &subprograms, nr + 1, BPF_F_USER_STACK | 1);
	return nr;
}

SEC("uprobe//target:wrapper")
int on_subprogram(struct pt_regs *ctx)
{
	nr_subprograms += subprogram(ctx, nr_subprograms) ? 2 : 4;
	subprogram(ctx, nr_subprograms);
	return 0;
}

SEC("uprobe//target:leaf")
int on_deep(struct pt_regs *ctx)
{
	__u32 nr = nr_deep++;
	struct deep *d;

	if (PT_REGS_PARM1(ctx))
		return 0;
	nr = nr & 3;
	d = bpf_map_lookup_elem(&deepest, &nr);
	if (d)
		d->ret = bpf_get_stack(ctx, d->ips, sizeof(d->ips), BPF_F_USER_STACK);
	return 0;
}

SEC("uprobe//target:leaf")
int on_count(struct pt_regs *ctx)
{
	__s32 id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	__u64 one = 1, *count = bpf_map_lookup_elem(&counts, &id);

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&counts, &id, &one, BPF_NOEXIST);
	return 0;
}

SEC("uprobe//target:outside")
int on_results(struct pt_regs *ctx)
{
	__u64 ips[6] = {};
	__s64 first, again;

	result(0, bpf_get_stack(ctx, ips, 48, 0));
	result(1, bpf_get_stack(ctx, ips, 48, 1));
	result(2, bpf_get_stack(ctx, ips, 48, BPF_F_USER_STACK | 1 << 12));
	result(3, bpf_get_stack(ctx, ips, 44, BPF_F_USER_STACK));
	result(4, bpf_get_stack(ctx, ips, 48, BPF_F_USER_STACK | 200));
	result(5, ips[0] | ips[5]);
	result(6, bpf_get_stack(ctx, ips, 48, BPF_F_USER_BUILD_ID));
	result(7, bpf_get_stack(ctx, ips, 48, BPF_F_USER_STACK | BPF_F_USER_BUILD_ID));
	result(8, bpf_get_stack(ctx, ips, 16, BPF_F_USER_STACK));
	result(9, bpf_get_stack(ctx, ips, 0, BPF_F_USER_STACK));
	result(10, bpf_get_stack(ctx, ips, 8, BPF_F_USER_STACK | 1));
	result(11, bpf_get_stackid(ctx, &stacks, 0));
	result(12, bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK | 200));
	result(13, bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK | 1 << 11));
	result(14, bpf_get_stackid(ctx, &stacks, 1 << 12));
	/* one bucket for all stacks */
	result(15, bpf_get_stackid(ctx, &single, BPF_F_USER_STACK));
	result(16, bpf_get_stackid(ctx, &single, BPF_F_USER_STACK | 1));
	result(17, bpf_get_stackid(ctx, &single, BPF_F_USER_STACK));
	/* (in a full map a kernel cannot reuse the id; rt/map_stack.c can) */
	result(18, bpf_get_stackid(ctx, &single, BPF_F_USER_STACK | BPF_F_REUSE_STACKID));
	result(19, bpf_get_stackid(ctx, &single, BPF_F_USER_STACK | BPF_F_FAST_STACK_CMP));
	first = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	again = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK | BPF_F_FAST_STACK_CMP);
	result(20, first >= 0 && first == again);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
