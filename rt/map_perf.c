/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_perf_event_output(): the record of a ring buffer, with the processor in front. The kernel has a
 * buffer a processor, which a consumer opens; here one ring is shared and always open, so that
 * what happens before a consumer comes is kept. Results are otherwise the kernel's
 * (kernel/trace/bpf_trace.c).
 */
#include <errno.h>

#include "rt/inline/current.h"
#include "rt/map_ringbuf.h"

#define BPF_F_INDEX_MASK 0xffffffffull
#define BPF_F_CURRENT_CPU BPF_F_INDEX_MASK
/*
 * The size of a perf record has 16 bits in the kernel's header of 8 bytes; behind that stand the data's
 * size in 4 bytes, the data, and zeros up to a multiple of 8. Kernels do not look: a larger record has a
 * wrong size there, and ends the reading of the buffer.
 */
#define MAX_BYTES (0x10000u - 8 - 8 - 4)

__s64 __inlay_perf_event_output_v1(const struct inlay_map_desc *desc, __u64 flags, const void *data,
				   __u64 bytes)
{
	struct inlay_perf_sample *sample;
	__u64 index, cpu;

	if (flags & ~BPF_F_INDEX_MASK)
		return -EINVAL;
	cpu = (__u64)__inlay_get_smp_processor_id();
	index = flags == BPF_F_CURRENT_CPU ? cpu : flags;
	if (index >= desc->max_entries)
		return -E2BIG;
	if (!inlay_map_region(desc))
		return -ENOENT;
	if (index != cpu)
		return -EOPNOTSUPP;
	if (bytes > MAX_BYTES)
		return -E2BIG;
	sample = __inlay_ring_reserve(desc, sizeof(*sample) + bytes);
	if (!sample) {
		inlay_store(&((struct inlay_ring_header *)inlay_map_region(desc))->lost_cpu,
			    (__u32)cpu + 1);
		return -ENOSPC;
	}
	inlay_store(&sample->cpu, (__u32)cpu);
	inlay_store(&sample->bytes, (__u32)bytes);
	inlay_copy_in(sample + 1, data, (__u32)bytes);
	__inlay_ring_commit(sample, 0, 0);
	return 0;
}
