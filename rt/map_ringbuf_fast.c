/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers: the short way (rt/inline/map_ringbuf.h) for who does not have it inlined. Whatever else is
 * the case is for map_ringbuf_claim.c.
 */
#include "rt/map_ringbuf.h"

void *__inlay_ring_reserve(const struct inlay_map_desc *desc, __u64 bytes)
{
	return inlay_ring_reserve(desc, bytes);
}

void __inlay_ring_commit(void *record, __u64 flags, __u64 discard)
{
	inlay_ring_commit(record, flags, discard);
}

void *__inlay_ringbuf_reserve_v1(const struct inlay_map_desc *desc, __u64 bytes, __u64 flags)
{
	return __inlay_ringbuf_reserve(desc, bytes, flags);
}

void __inlay_ringbuf_submit_v1(void *record, __u64 flags)
{
	__inlay_ringbuf_submit(record, flags);
}

void __inlay_ringbuf_discard_v1(void *record, __u64 flags)
{
	__inlay_ringbuf_discard(record, flags);
}
