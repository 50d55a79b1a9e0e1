/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that call themselves and each other: how deep, and in which order they end. */
#include <inlay/inlay.bpf.h>

__s64 depth, deepest;
__u64 order, even_calls, odd_calls, even_true, odd_true;

SEC("uprobe/kv_even")
int BPF_UPROBE(even, int n)
{
	even_calls++;
	if (++depth > deepest)
		deepest = depth;
	order = order * 31 + (__u32)n;
	return 0;
}

SEC("uretprobe/kv_even")
int BPF_URETPROBE(even_end, int ret)
{
	depth--;
	even_true += ret;
	order = order * 37 + (__u32)ret;
	return 0;
}

SEC("uprobe/kv_odd")
int BPF_UPROBE(odd, int n)
{
	odd_calls++;
	if (++depth > deepest)
		deepest = depth;
	order = order * 41 + (__u32)n;
	return 0;
}

SEC("uretprobe/kv_odd")
int BPF_URETPROBE(odd_end, int ret)
{
	depth--;
	odd_true += ret;
	order = order * 43 + (__u32)ret;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
