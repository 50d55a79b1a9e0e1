// SPDX-License-Identifier: BSD-2-Clause
/* Counts and times three hot functions of redis: a log2 histogram of nanoseconds for each. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <inlay/inlay.bpf.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct times {
	__u64 count;
	__u64 slots[64];
};

struct times calls, commands, finds;

static __always_inline int measure(struct times *t)
{
	__u64 *begin = bpf_session_cookie();

	if (!bpf_session_is_return()) {
		*begin = bpf_ktime_get_ns();
		return 0;
	}
	t->count++;
	t->slots[inlay_log2(bpf_ktime_get_ns() - *begin) & 63]++;
	return 0;
}

SEC("uprobe.session/redis-server:call")
int time_call(void *ctx)
{
	return measure(&calls);
}

SEC("uprobe.session/redis-server:processCommand")
int time_command(void *ctx)
{
	return measure(&commands);
}

SEC("uprobe.session/redis-server:dictFind")
int time_find(void *ctx)
{
	return measure(&finds);
}
