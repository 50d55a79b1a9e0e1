/* SPDX-License-Identifier: BSD-2-Clause */
/* A struct in two registers, one on the stack, one returned in two registers. */
#include <inlay/inlay.bpf.h>

struct range {
	__s64 first;
	__s32 count;
	__s32 step;
	__u32 seed;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct range);
	__type(value, __u64);
} ranges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, __s64);
} matches SEC(".maps");

__s64 spans;

SEC("uprobe/kv_sum")
int BPF_UPROBE(sum, __s64 first, __u64 count_step, __u32 seed)
{
	struct range key = { .first = first, .count = (__s32)count_step,
			     .step = (__s32)(count_step >> 32), .seed = seed };
	__u64 zero = 0, *n = inlay_map_lookup_or_init(&ranges, &key, &zero);

	if (n)
		*n += 1;
	return 0;
}

SEC("uprobe/kv_match")
int BPF_UPROBE(match, __u64 value, __s16 nth)
{
	__s64 zero = 0, *n = inlay_map_lookup_or_init(&matches, &value, &zero);

	if (n)
		*n += nth;
	return 0;
}

SEC("uretprobe/kv_span")
int BPF_URETPROBE(span, __s64 first)
{
	spans += first;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
