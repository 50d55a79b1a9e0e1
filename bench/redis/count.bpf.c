// SPDX-License-Identifier: BSD-2-Clause
/* Counts the calls of three hot functions of redis, each in a global. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u64 calls, commands, finds;

SEC("uprobe/redis-server:call")
int count_call(void *ctx)
{
	calls++;
	return 0;
}

SEC("uprobe/redis-server:processCommand")
int count_command(void *ctx)
{
	commands++;
	return 0;
}

SEC("uprobe/redis-server:dictFind")
int count_find(void *ctx)
{
	finds++;
	return 0;
}
