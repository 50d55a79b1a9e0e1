/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_get_stack() and bpf_get_stackid(): what they need of the frame, taken out of it where the
 * site is, so that the frame is dissolved. The walk is in rt/stack.c.
 */
#ifndef INLAY_RT_INLINE_STACK_H
#define INLAY_RT_INLINE_STACK_H

#include "inlay/abi.h"

extern __s64 __inlay_get_stack_v1(void *dst, __u64 bytes, __u64 flags, __u64 first, __u64 here,
				  __u64 fp);
extern __s64 __inlay_get_stackid_v1(const struct inlay_map_desc *desc, __u64 flags, __u64 first,
				    __u64 here, __u64 fp);

static inline __attribute__((always_inline)) __s64
__inlay_get_stack(struct inlay_frame *frame, void *dst, __u64 bytes, __u64 flags)
{
	return __inlay_get_stack_v1(dst, bytes, flags, frame->stack_first, frame->stack_here,
				    frame->stack_fp);
}

static inline __attribute__((always_inline)) __s64
__inlay_get_stackid(struct inlay_frame *frame, const struct inlay_map_desc *desc, __u64 flags)
{
	return __inlay_get_stackid_v1(desc, flags, frame->stack_first, frame->stack_here,
				      frame->stack_fp);
}

#endif /* INLAY_RT_INLINE_STACK_H */
