/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts calls of work() in the program whose name is given by the build. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifndef TARGET
#define TARGET ""
#endif
#ifndef FUNCTION
#define FUNCTION "work"
#endif

__u64 hits;

SEC("uprobe/" TARGET FUNCTION)
int count_work(void *ctx)
{
	__sync_fetch_and_add(&hits, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
