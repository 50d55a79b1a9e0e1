/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests ask of the kernel and of libinlay: one call of a ring buffer helper. */
#ifndef INLAY_TEST_RINGBUF_OPS_H
#define INLAY_TEST_RINGBUF_OPS_H

#include <linux/types.h>

enum { RINGBUF_DATA_BYTES = 70000 };
enum ringbuf_ops {
	RINGBUF_OUTPUT,
	RINGBUF_RESERVE,
	RINGBUF_NEST,
	RINGBUF_DYNPTR,
	RINGBUF_QUERY,
	RINGBUF_OPS,
};

struct ringbuf_op {
	__u64 op, bytes, flags;
	__u64 commit_flags, is_discard;
	__u64 value;	/* the first 8 bytes of the record, if it has so many */
	__s64 ret;
};

/* One bpf_user_ringbuf_drain(): its callback adds up the first words, and stops at the so-manieth. */
struct ringbuf_drain {
	__u64 flags, stop_after;
	__u64 nr, sum;
	__s64 ret;
};

/* bpf_ringbuf_reserve() wants a constant */
#define RINGBUF_SIZES(X)                                                                           \
	X(0) X(1) X(7) X(8) X(9) X(64) X(100) X(1000) X(4072) X(4080) X(4088) X(4096) X(65520)     \
	X(65528) X(0x3fffffff)

#endif /* INLAY_TEST_RINGBUF_OPS_H */
