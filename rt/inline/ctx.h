/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers and kernel functions that answer from the frame behind a program's ctx. After inlining
 * the frame is dissolved, so each of them is a register or nothing at all.
 */
#ifndef INLAY_RT_INLINE_CTX_H
#define INLAY_RT_INLINE_CTX_H

#include "inlay/abi.h"

static inline __attribute__((always_inline)) __s64
__inlay_override_return(struct inlay_frame *frame, __u64 rc)
{
	frame->override_rc = rc;
	frame->is_override = 1;
	return 0;
}

static inline __attribute__((always_inline)) __s64 __inlay_get_func_ip(struct inlay_frame *frame)
{
	return (__s64)frame->func_ip;
}

static inline __attribute__((always_inline)) __s64
__inlay_get_attach_cookie(struct inlay_frame *frame)
{
	return (__s64)frame->attach_cookie;
}

static inline __attribute__((always_inline)) __u64
__inlay_bpf_session_is_return(struct inlay_frame *frame)
{
	return frame->is_return != 0;
}

static inline __attribute__((always_inline)) void *
__inlay_bpf_session_cookie(struct inlay_frame *frame)
{
	return frame->session_cookie;
}

#endif /* INLAY_RT_INLINE_CTX_H */
