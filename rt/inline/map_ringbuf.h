/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What producers of ring buffers share: where a map's ring is and how large, and the commit of a
 * record. The layout is in abi.h; claims are in rt/map_ringbuf.c.
 */
#ifndef INLAY_RT_INLINE_MAP_RINGBUF_H
#define INLAY_RT_INLINE_MAP_RINGBUF_H

#include "rt/inline/map_access.h"

enum inlay_ringbuf_flags {
	INLAY_BPF_RB_NO_WAKEUP = 1,
	INLAY_BPF_RB_FORCE_WAKEUP = 2,
};

/* bpf_ringbuf_query() */
enum inlay_ringbuf_query {
	INLAY_BPF_RB_AVAIL_DATA = 0,
	INLAY_BPF_RB_RING_SIZE = 1,
	INLAY_BPF_RB_CONS_POS = 2,
	INLAY_BPF_RB_PROD_POS = 3,
};

/* A bpf_user_ringbuf_drain() in progress, on the stack of the program. */
#define INLAY_USER_DRAIN_BYTES 56
struct inlay_user_drain {
	char *region;
	__u64 size;
	__u64 flags;
	__u64 seen, discarded;	/* samples */
	__u64 next;		/* position behind the sample at hand */
	__s64 err;
};

/* Bytes of a map's ring; a power of two, or a descriptor that bpfcc did not write. */
INLAY_INLINE __u64 inlay_map_ring_size(const struct inlay_map_desc *desc)
{
	if (desc->type == INLAY_MAP_TYPE_PERF_EVENT_ARRAY)
		return desc->extra ? desc->extra : INLAY_PERF_RING_BYTES;
	return desc->max_entries;
}

INLAY_INLINE char *inlay_ring_data(char *region)
{
	return region + sizeof(struct inlay_ring_header);
}

INLAY_INLINE __u64 *inlay_ring_at(char *region, __u64 size, __u64 pos)
{
	return (__u64 *)(inlay_ring_data(region) + (pos & (size - 1)));
}

extern __s64 __inlay_perf_event_output_v1(const struct inlay_map_desc *desc, __u64 flags,
					  const void *data, __u64 bytes);

/* Inlined, so that nobody has to make a ctx in memory, which is not looked at. */
INLAY_INLINE __s64 __inlay_perf_event_output(struct inlay_frame *frame,
					     const struct inlay_map_desc *desc, __u64 flags,
					     const void *data, __u64 bytes)
{
	(void)frame;
	return __inlay_perf_event_output_v1(desc, flags, data, bytes);
}

#endif /* INLAY_RT_INLINE_MAP_RINGBUF_H */
