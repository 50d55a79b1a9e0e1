/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libbpf's usdt.bpf.h offers, answered from the frame: the probe's arguments are values of the
 * target's code, which the pass puts there. Answers and errors are libbpf's (1.1 to 1.6).
 */
#ifndef INLAY_RT_INLINE_USDT_H
#define INLAY_RT_INLINE_USDT_H

#include "inlay/abi.h"

/* numbers of errno.h, which a freestanding file does not include */
#define INLAY_USDT_ENOENT 2
#define INLAY_USDT_ESRCH 3
#define INLAY_USDT_EINVAL 22

static inline __attribute__((always_inline)) __s64
__inlay_usdt_problem(const struct inlay_frame *frame, __u64 nr)
{
	if (!frame->is_usdt)
		return -INLAY_USDT_ESRCH; /* libbpf knows no such probe */
	if (nr >= INLAY_USDT_MAX_ARGS || nr >= frame->nr_usdt_args)
		return -INLAY_USDT_ENOENT;
	return frame->usdt_bytes[nr] ? 0 : -INLAY_USDT_EINVAL;
}

static inline __attribute__((always_inline)) __s64
__inlay_usdt_arg(struct inlay_frame *frame, __u64 nr, void *res)
{
	__s64 problem = __inlay_usdt_problem(frame, nr);

	__u64 value = problem ? 0 : frame->usdt_args[nr];

	__builtin_memcpy(res, &value, sizeof(value));
	return problem;
}

static inline __attribute__((always_inline)) __s64 __inlay_usdt_arg_cnt(struct inlay_frame *frame)
{
	return frame->is_usdt ? frame->nr_usdt_args : -INLAY_USDT_ESRCH;
}

static inline __attribute__((always_inline)) __s64
__inlay_usdt_arg_size(struct inlay_frame *frame, __u64 nr)
{
	__s64 problem = __inlay_usdt_problem(frame, nr);

	return problem ? problem : frame->usdt_bytes[nr];
}

/* Given when a program is attached; a program that is inlaid has none, which reads as 0. */
static inline __attribute__((always_inline)) __s64 __inlay_usdt_cookie(struct inlay_frame *frame)
{
	(void)frame;
	return 0;
}

#endif /* INLAY_RT_INLINE_USDT_H */
