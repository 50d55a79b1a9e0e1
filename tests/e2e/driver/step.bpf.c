/* SPDX-License-Identifier: BSD-2-Clause */
/* Adds STEP at each call of FUNCTION. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 calls;

SEC("uprobe/" FUNCTION)
int on_step(void *ctx)
{
	__sync_fetch_and_add(&calls, STEP);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
