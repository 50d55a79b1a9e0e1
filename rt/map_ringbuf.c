/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helpers of RINGBUF maps, but for those that have a short way (map_ringbuf_fast.c). Results are
 * the kernel's to the letter (kernel/bpf/ringbuf.c).
 */
#include <errno.h>

#include "rt/inline/dynptr.h"
#include "rt/map_ringbuf.h"

__s64 __inlay_ringbuf_output_v1(const struct inlay_map_desc *desc, const void *data, __u64 bytes,
				__u64 flags)
{
	void *record;

	if (flags & ~(__u64)(INLAY_BPF_RB_NO_WAKEUP | INLAY_BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	record = __inlay_ring_reserve(desc, bytes);
	if (!record)
		return -EAGAIN;
	inlay_copy_in(record, data, (__u32)bytes);
	__inlay_ring_commit(record, flags, 0);
	return 0;
}

__s64 __inlay_ringbuf_query_v1(const struct inlay_map_desc *desc, __u64 what)
{
	struct inlay_ring_header *h = (struct inlay_ring_header *)inlay_map_region(desc);
	__u64 cons = h ? load_acquire(&h->consumer_pos) : 0;
	__u64 tail = h ? load_acquire(&h->tail) : 0;
	/* the tail is kept without its upper bits */
	__u64 avail = (INLAY_RING_WORD_POS(tail) - cons) & INLAY_RING_WORD_POS_MASK;

	switch (what) {
	case INLAY_BPF_RB_AVAIL_DATA:
		return (__s64)avail;
	case INLAY_BPF_RB_RING_SIZE:
		return desc->max_entries;
	case INLAY_BPF_RB_CONS_POS:
		return (__s64)cons;
	case INLAY_BPF_RB_PROD_POS:
		return (__s64)(cons + avail);
	default:
		return 0;
	}
}

__s64 __inlay_ringbuf_reserve_dynptr_v1(const struct inlay_map_desc *desc, __u64 bytes, __u64 flags,
					void *dynptr)
{
	__u32 size = (__u32)bytes; /* as the kernel takes it */
	__s64 err = flags ? -EINVAL : size > INLAY_DYNPTR_MAX_BYTES ? -E2BIG : 0;
	void *record = err ? NULL : __inlay_ring_reserve(desc, size);

	if (!record) {
		inlay_dynptr_set_null(dynptr);
		return err ? err : -EINVAL;
	}
	inlay_dynptr_set(dynptr, record, size, 0);
	return 0;
}

static void dynptr_commit(struct inlay_dynptr *ptr, __u64 flags, __u64 discard)
{
	if (!ptr->data)
		return;
	__inlay_ring_commit(ptr->data, flags, discard);
	inlay_dynptr_set_null(ptr);
}

void __inlay_ringbuf_submit_dynptr_v1(void *dynptr, __u64 flags)
{
	dynptr_commit(dynptr, flags, 0);
}

void __inlay_ringbuf_discard_dynptr_v1(void *dynptr, __u64 flags)
{
	dynptr_commit(dynptr, flags, INLAY_RING_DISCARD);
}
