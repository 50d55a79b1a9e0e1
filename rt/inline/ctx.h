/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers and kernel functions that answer from the frame behind a program's ctx. After inlining
 * the frame is dissolved, so each of them is a register or nothing at all.
 */
#ifndef INLAY_RT_INLINE_CTX_H
#define INLAY_RT_INLINE_CTX_H

#include <linux/errno.h>

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

/* The registers of integers and pointers, in the order of the calling convention. */
#if defined(__aarch64__)
#define INLAY_CTX_NR_ARGS 8u
#define INLAY_CTX_RESULT(frame) ((frame)->regs.regs[0])
#else
#define INLAY_CTX_NR_ARGS 6u
#define INLAY_CTX_RESULT(frame) ((frame)->regs.ax)
#endif

static inline __attribute__((always_inline)) __u64
inlay_ctx_arg(const struct inlay_frame *frame, __u32 nr)
{
#if defined(__aarch64__)
	return frame->regs.regs[nr];
#else
	switch (nr) {
	case 0:
		return frame->regs.di;
	case 1:
		return frame->regs.si;
	case 2:
		return frame->regs.dx;
	case 3:
		return frame->regs.cx;
	case 4:
		return frame->regs.r8;
	default:
		return frame->regs.r9;
	}
#endif
}

/*
 * Kernels give these three to programs at functions of the kernel only, of whose types they know. The
 * pass knows the target's. Each argument that is named by a constant is one register.
 */
static inline __attribute__((always_inline)) __s64
__inlay_get_func_arg(struct inlay_frame *frame, __u64 nr, void *ret)
{
	__u64 value = (__u32)nr < INLAY_CTX_NR_ARGS ? inlay_ctx_arg(frame, (__u32)nr) : 0;

	__builtin_memcpy(ret, &value, sizeof(value));
	return (__u32)nr < INLAY_CTX_NR_ARGS ? 0 : -EINVAL;
}

static inline __attribute__((always_inline)) __s64
__inlay_get_func_ret(struct inlay_frame *frame, void *ret)
{
	__u64 value = frame->is_return ? INLAY_CTX_RESULT(frame) : 0;

	__builtin_memcpy(ret, &value, sizeof(value));
	return frame->is_return ? 0 : -EOPNOTSUPP;
}

/* What the function returns: its result, or what an earlier call of bpf_set_retval() or its like set. */
static inline __attribute__((always_inline)) __s64 __inlay_get_retval(struct inlay_frame *frame)
{
	if (frame->is_return)
		return (__s32)INLAY_CTX_RESULT(frame);
	return frame->is_override ? (__s32)frame->override_rc : 0;
}

static inline __attribute__((always_inline)) __s64
__inlay_get_func_arg_cnt(struct inlay_frame *frame)
{
	return frame->nr_args;
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
