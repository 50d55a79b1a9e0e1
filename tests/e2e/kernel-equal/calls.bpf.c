/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls: of subprograms, of callbacks by helpers, tail calls that are made, are not there, are too many. */
#include <inlay/inlay.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} flags_seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} array SEC(".maps");

int landed(struct pt_regs *ctx);
int around(struct pt_regs *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 5);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} programs SEC(".maps") = {
	.values = { [1] = (void *)&landed, [3] = (void *)&around },
};

__u64 looped, stopped, results[8], each_sum, each_calls, elements, keys, landings, not_taken, rounds, nested;

struct sum {
	__u64 total, last, limit;
};

static long add(__u32 i, void *ctx)
{
	struct sum *sum = ctx;

	sum->total += i * sum->limit;
	sum->last = i;
	return i == sum->limit;
}

static long outer(__u32 i, void *ctx)
{
	struct sum sum = { .limit = 3 };

	bpf_loop(i, add, &sum, 0);
	*(__u64 *)ctx += sum.total;
	return 0;
}

static long each(void *map, __u32 *key, __u64 *value, void *ctx)
{
	struct sum *sum = ctx;

	sum->total += *value;
	sum->last += *key;
	*value += 1;
	return 0;
}

static long until(void *map, __u32 *key, __u64 *value, void *ctx)
{
	*value += 1;
	return *key == 4;
}

static __attribute__((noinline)) __u64 mix(__u64 a, __u64 b, __u64 *out)
{
	*out += a ^ b;
	return a * 31 + b;
}

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value, __u16 flags)
{
	struct sum sum = { .limit = flags & 15 }, all = {};
	__u64 one = 1, *seen, local = flags, n = 0;
	__u32 bucket = flags & 31;
	long ret;

	results[0] += bpf_loop(10, add, &sum, 0);
	looped += sum.total;
	stopped += sum.last;
	results[1] += bpf_loop(flags & 7, outer, &n, 0);
	nested += n;
	results[2] = (__u64)bpf_loop(1, add, &sum, 1);
	/* kernels that inline it give the error in 32 bits */
	results[3] = (__u32)bpf_loop(1 << 24, add, &sum, 0);

	seen = bpf_map_lookup_elem(&flags_seen, &bucket);
	if (seen)
		*seen += mix(flags, *seen, &local);
	else
		bpf_map_update_elem(&flags_seen, &bucket, &one, BPF_ANY);
	results[4] += local;
	ret = bpf_for_each_map_elem(&flags_seen, each, &all, 0);
	if (ret >= 0)
		each_calls += ret;
	each_sum += all.total;
	keys += all.last;
	ret = bpf_for_each_map_elem(&array, until, NULL, 0);
	if (ret >= 0)
		elements += ret;
	results[5] = (__u64)bpf_for_each_map_elem(&array, until, NULL, 1);

	bpf_tail_call(ctx, &programs, flags % 7);
	not_taken++;
	return 0;
}

SEC("uprobe")
int landed(struct pt_regs *ctx)
{
	landings += (__u16)PT_REGS_PARM4(ctx) + 1;
	return 0;
}

/* It calls itself until the kernel's limit is reached. */
SEC("uprobe")
int around(struct pt_regs *ctx)
{
	rounds++;
	bpf_tail_call(ctx, &programs, 3);
	not_taken += 1000;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
