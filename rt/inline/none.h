/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers whose answer is the same in every process. */
#ifndef INLAY_RT_INLINE_NONE_H
#define INLAY_RT_INLINE_NONE_H

#include <linux/errno.h>

#include "inlay/abi.h"

/* The class is a number of net_cls, cgroup version 1: 0 where that is not used. */
static inline __attribute__((always_inline)) __s64 __inlay_get_cgroup_classid(void)
{
	return 0;
}

/* The processor's record of branches is the kernel's. As where it has none: -ENOENT. */
static inline __attribute__((always_inline)) __s64
__inlay_get_branch_snapshot(void *dst, __u64 bytes, __u64 flags)
{
	(void)dst;
	(void)bytes;
	return flags ? -EINVAL : -ENOENT;
}

#endif /* INLAY_RT_INLINE_NONE_H */
