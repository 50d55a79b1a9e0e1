/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring buffer helpers as a kernel runs them, one call a run; test_ringbuf.c asks. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "ringbuf_ops.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

char data[RINGBUF_DATA_BYTES];

#define RESERVE(bytes)                                                                             \
	case bytes:                                                                                \
		at = bpf_ringbuf_reserve(&ring, bytes, op->flags);                                 \
		if (!at)                                                                           \
			break;                                                                     \
		op->ret = 1;                                                                       \
		if (bytes >= 8)                                                                    \
			*(__u64 *)at = op->value;                                                  \
		if (op->is_discard)                                                                \
			bpf_ringbuf_discard(at, op->commit_flags);                                 \
		else                                                                               \
			bpf_ringbuf_submit(at, op->commit_flags);                                  \
		break;

static void reserve(struct ringbuf_op *op)
{
	void *at;

	op->ret = 0;
	switch (op->bytes) {
		RINGBUF_SIZES(RESERVE)
	}
}

/* Two records at a time, given back in the other order; what is there to see in between. */
static void nest(struct ringbuf_op *op)
{
	__u64 *first = bpf_ringbuf_reserve(&ring, 24, 0), *second;

	op->ret = 0;
	if (!first)
		return;
	op->ret = 1;
	*first = op->value;
	second = bpf_ringbuf_reserve(&ring, 40, 0);
	if (second) {
		op->ret = 2;
		*second = op->value + 1;
		bpf_ringbuf_submit(second, op->commit_flags);
	}
	op->ret |= bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) << 8;
	if (op->is_discard)
		bpf_ringbuf_discard(first, op->commit_flags);
	else
		bpf_ringbuf_submit(first, op->commit_flags);
}

static void dynptr(struct ringbuf_op *op)
{
	__u64 value = op->value;
	struct bpf_dynptr ptr;

	op->ret = bpf_ringbuf_reserve_dynptr(&ring, op->bytes, op->flags, &ptr);
	bpf_dynptr_write(&ptr, 0, &value, sizeof(value), 0);
	if (op->is_discard)
		bpf_ringbuf_discard_dynptr(&ptr, op->commit_flags);
	else
		bpf_ringbuf_submit_dynptr(&ptr, op->commit_flags);
}

SEC("syscall")
int run(struct ringbuf_op *op)
{
	__u64 bytes = op->bytes;

	switch (op->op) {
	case RINGBUF_OUTPUT:
		if (bytes > sizeof(data))
			return 1;
		__builtin_memcpy(data, &op->value, 8);
		op->ret = bpf_ringbuf_output(&ring, data, bytes, op->flags);
		break;
	case RINGBUF_RESERVE:
		reserve(op);
		break;
	case RINGBUF_NEST:
		nest(op);
		break;
	case RINGBUF_DYNPTR:
		dynptr(op);
		break;
	case RINGBUF_QUERY:
		op->ret = bpf_ringbuf_query(&ring, op->flags);
		break;
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
