/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of perf events where no event is: entries behind the processors', and what is no entry. */
#include <inlay/inlay.bpf.h>

#define ENTRIES 4096
#define EMPTY (ENTRIES - 1)

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, ENTRIES);
	__type(key, __u32);
	__type(value, __u32);
} events SEC(".maps");

__s64 answers[6];
__u64 left;

SEC("uprobe/kv_set")
int BPF_UPROBE(set, void *store, const char *key, const char *value, __u16 flags)
{
	struct bpf_perf_event_value read = { flags, flags, flags };
	__u64 word = flags;

	answers[0] = bpf_perf_event_read(&events, EMPTY);
	answers[1] = bpf_perf_event_read(&events, ENTRIES + flags);
	answers[2] = bpf_perf_event_read(&events, 1ull << 32 | flags);
	answers[3] = bpf_perf_event_read_value(&events, EMPTY, &read, sizeof(read));
	left += read.counter + read.enabled + read.running;
	answers[4] = bpf_perf_event_read_value(&events, EMPTY, (void *)&word, sizeof(word));
	left += word;
	answers[5] = bpf_perf_event_read_value(&events, ENTRIES, &read, sizeof(read));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
