/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_user_ringbuf_drain() as a kernel runs it; test_ringbuf_user.c asks. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "ringbuf_ops.h"

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

static long on_sample(struct bpf_dynptr *ptr, void *ctx)
{
	struct ringbuf_drain *d = ctx;
	__u64 value = 0;

	d->nr++;
	if (!bpf_dynptr_read(&value, sizeof(value), ptr, 0, 0))
		d->sum += value;
	return d->nr == d->stop_after;
}

SEC("syscall")
int run(struct ringbuf_drain *op)
{
	struct ringbuf_drain d = { .stop_after = op->stop_after };

	op->ret = bpf_user_ringbuf_drain(&ring, on_sample, &d, op->flags);
	op->nr = d.nr;
	op->sum = d.sum;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
