/* SPDX-License-Identifier: BSD-2-Clause */
/* Floating-point arguments take no general register: those after them move up. */
#include <inlay/inlay.bpf.h>

struct key {
	__s32 rank;
	__u8 level;
	__u8 pad;
	__s16 shift;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct key);
	__type(value, __u64);
} weighed SEC(".maps");

__s64 ratios[2];

SEC("uprobe/kv_weigh")
int BPF_UPROBE(weigh, int rank, unsigned char level, short shift)
{
	struct key key = { .rank = rank, .level = level, .shift = shift };
	__u64 zero = 0, *n = inlay_map_lookup_or_init(&weighed, &key, &zero);

	if (n)
		*n += 1;
	return 0;
}

/* returns a double: it has arguments all the same */
SEC("uprobe/kv_ratio")
int BPF_UPROBE(ratio, long a, long b)
{
	ratios[0] += a;
	ratios[1] += b;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
