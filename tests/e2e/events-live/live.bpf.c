/* SPDX-License-Identifier: BSD-2-Clause */
/* An event for each call of produce(), reserved and submitted, or given out in one piece. */
#include <inlay/inlay.bpf.h>

#include "live.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

INLAY_EVENT(events, struct live_event);

SEC("uprobe/produce")
int BPF_UPROBE(on_produce, __u64 thread, __u64 seq)
{
	struct live_event *event;

	if (seq % 4 == 3) {
		struct live_event whole = { .thread = thread, .seq = seq };

		for (int i = 0; i < LIVE_WORDS; i++)
			whole.check[i] = thread ^ seq * i;
		bpf_ringbuf_output(&events, &whole, sizeof(whole), 0);
		return 0;
	}
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return 0;
	event->thread = thread;
	event->seq = seq;
	for (int i = 0; i < LIVE_WORDS; i++)
		event->check[i] = thread ^ seq * i;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
