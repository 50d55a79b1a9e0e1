/* SPDX-License-Identifier: BSD-2-Clause */
/* Drains what a process outside sends, on calls of mumble() of cli-events/target.c. */
#include <inlay/inlay.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} messages SEC(".maps");

struct message {
	__u64 number, check;
};

__u64 nr, next, wrong, drained, errors;

static long take(struct bpf_dynptr *ptr, void *ctx)
{
	struct message message;

	if (bpf_dynptr_read(&message, sizeof(message), ptr, 0, 0)) {
		errors++;
		return 0;
	}
	nr++;
	if (message.number != next || message.check != message.number * 31 + 7)
		wrong++;
	next = message.number + 1;
	return 0;
}

SEC("uprobe/mumble")
int BPF_UPROBE(on_mumble, __u32 id)
{
	long n = bpf_user_ringbuf_drain(&messages, take, NULL, 0);

	if (n > 0)
		drained += n;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
