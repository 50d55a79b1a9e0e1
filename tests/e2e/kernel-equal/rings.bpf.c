/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records in ring buffers: written at once and in two steps, given up, too many for a small one; what
 * the helpers answer; and perf events. The sizes of those are such that the kernel adds nothing.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct event {
	__u64 hits;
	__u32 kind;
	char key[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} small SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 16);
} answers SEC(".maps");

static __u64 hits;

static void answer(__u32 at, __u64 add)
{
	__u64 *value = bpf_map_lookup_elem(&answers, &at);

	if (value)
		*value += add;
}

SEC("uprobe/kv_set")
int on_set(struct pt_regs *ctx)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	hits++;
	answer(0, e != 0);
	if (e) {
		e->hits = hits;
		e->kind = 1;
		__builtin_memset(e->key, 0, sizeof(e->key));
		bpf_probe_read_user_str(e->key, sizeof(e->key), (void *)PT_REGS_PARM2(ctx));
		if (hits % 4 == 3)
			bpf_ringbuf_discard(e, 0);
		else
			bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	}
	answer(1, bpf_ringbuf_query(&events, BPF_RB_PROD_POS));
	answer(2, bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA));
	answer(3, bpf_ringbuf_query(&events, BPF_RB_RING_SIZE));
	return 0;
}

SEC("uprobe/kv_get")
int on_get(struct pt_regs *ctx)
{
	struct bpf_dynptr ptr;
	char bytes[52] = "";
	__u64 nr = ++hits;

	bpf_probe_read_user_str(bytes, 20, (void *)PT_REGS_PARM2(ctx));
	answer(4, bpf_ringbuf_output(&small, bytes, sizeof(bytes), 0));
	answer(5, bpf_ringbuf_output(&small, bytes, 8, 8)); /* no such flag */
	answer(6, bpf_ringbuf_reserve_dynptr(&small, 16 + nr % 32, 0, &ptr));
	answer(7, bpf_dynptr_write(&ptr, nr % 8, &nr, sizeof(nr), 0));
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	answer(8, bpf_ringbuf_query(&small, BPF_RB_AVAIL_DATA));
	answer(9, bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, bytes, sizeof(bytes)));
	answer(10, bpf_perf_event_output(ctx, &samples, 1ull << 40, bytes, sizeof(bytes)));
	answer(11, bpf_perf_event_output(ctx, &samples, 1 << 20, bytes, 12));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
