/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_perf_event_read(), bpf_perf_event_read_value(): nobody puts a perf event into a PERF_EVENT_ARRAY of a
 * process, which is a ring buffer. So they say what kernels say of an entry that is empty.
 */
#ifndef INLAY_RT_INLINE_PERF_H
#define INLAY_RT_INLINE_PERF_H

#include <linux/errno.h>

#include "rt/inline/current.h"

#define INLAY_PERF_INDEX_MASK 0xffffffffull /* BPF_F_INDEX_MASK, BPF_F_CURRENT_CPU */
#define INLAY_PERF_VALUE_BYTES 24u /* struct bpf_perf_event_value */

static inline __attribute__((always_inline)) __s64
__inlay_perf_event_read(const struct inlay_map_desc *desc, __u64 flags)
{
	__u64 index = flags;

	if (flags & ~INLAY_PERF_INDEX_MASK)
		return -EINVAL;
	if (flags == INLAY_PERF_INDEX_MASK)
		index = (__u64)__inlay_get_smp_processor_id();
	return index >= desc->max_entries ? -E2BIG : -ENOENT;
}

static inline __attribute__((always_inline)) __s64
__inlay_perf_event_read_value(const struct inlay_map_desc *desc, __u64 flags, void *dst, __u64 bytes)
{
	volatile char *to = dst;

	for (__u64 i = 0; i < bytes; i++)
		to[i] = 0;
	return bytes != INLAY_PERF_VALUE_BYTES ? -EINVAL : __inlay_perf_event_read(desc, flags);
}

#endif /* INLAY_RT_INLINE_PERF_H */
