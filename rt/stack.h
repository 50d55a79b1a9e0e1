/* SPDX-License-Identifier: BSD-2-Clause */
/* Walking the calling thread's stack; see stack.c. */
#ifndef INLAY_RT_STACK_H
#define INLAY_RT_STACK_H

#include "inlay/abi.h"

/* kernel.perf_event_max_stack as kernels come */
#define INLAY_STACK_MAX_DEPTH 127u

/* The kernel's numbers, which not all of its headers have. */
enum inlay_stack_flags {
	INLAY_BPF_F_SKIP_FIELD_MASK = 0xff,
	INLAY_BPF_F_USER_STACK = 1u << 8,
	INLAY_BPF_F_FAST_STACK_CMP = 1u << 9,
	INLAY_BPF_F_REUSE_STACKID = 1u << 10,
	INLAY_BPF_F_USER_BUILD_ID = 1u << 11,
	INLAY_BPF_F_STACK_BUILD_ID = 1u << 5, /* of a map */
};

/*
 * struct bpf_stack_build_id in words: {status, first bytes of the id}, the id, {its end}, offset
 * or ip
 */
#define INLAY_STACK_ID_WORDS 4u
#define INLAY_STACK_ID_STATUS_VALID 1u
#define INLAY_STACK_ID_STATUS_IP 2u

/*
 * Where a walk begins: `first` and `here` are addresses to begin with, unless they are 0; `fp`
 * is that of a frame record, and nothing that has to be true.
 */
struct inlay_stack_start {
	__u64 first, here, fp;
};

/*
 * Fills in up to max addresses, innermost first, and returns how many there are. Signal-safe;
 * never faults, whatever the frame pointers are.
 */
__attribute__((visibility("hidden"))) __u32 __inlay_stack_walk(const struct inlay_stack_start *start,
							       __u64 *ips, __u32 max);

/*
 * What the kernel takes for the depth of a walk, for `nr` addresses behind those that are
 * skipped.
 */
static inline __u32 inlay_stack_depth(__u32 nr, __u64 flags)
{
	__u32 depth = nr + (__u32)(flags & INLAY_BPF_F_SKIP_FIELD_MASK);

	return depth < INLAY_STACK_MAX_DEPTH ? depth : INLAY_STACK_MAX_DEPTH;
}

#endif /* INLAY_RT_STACK_H */
