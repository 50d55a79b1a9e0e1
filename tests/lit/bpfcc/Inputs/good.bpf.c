/* SPDX-License-Identifier: BSD-2-Clause */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile unsigned long step = 1;
unsigned long good_hits SEC(".data.good_hits");

SEC("uprobe/good")
int good(void *ctx)
{
	good_hits += step;
	return 0;
}
