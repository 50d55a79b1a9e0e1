/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of every way to make them, on the functions of target.c; some say what they are, and some do not. */
#include <inlay/inlay.bpf.h>

enum color { RED, GREEN = 5 };

struct event {
	__u32 id;
	enum color color;
	char name[16];
	__s64 delta;
};

struct sample {
	__u64 id;
	__u16 pair[2];
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} raw SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} samples SEC(".maps");

INLAY_EVENT(events, struct event);
INLAY_EVENT(samples, struct sample);

SEC("uprobe/tell")
int BPF_UPROBE(on_tell, __u32 id, const char *name)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 0;
	event->id = id;
	event->color = id & 1 ? GREEN : RED;
	event->delta = -(__s64)id;
	bpf_probe_read_user_str(event->name, sizeof(event->name), name);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("uprobe/mumble")
int BPF_UPROBE(on_mumble, __u32 id)
{
	bpf_ringbuf_output(&raw, &id, sizeof(id), 0);
	return 0;
}

SEC("uprobe/sample")
int BPF_UPROBE(on_sample, __u32 id)
{
	struct sample sample = { .id = id, .pair = { (__u16)id, 7 } };

	bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, &sample, sizeof(sample));
	bpf_printk("sampled %d", id);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
