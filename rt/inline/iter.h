/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Iterators over numbers (bpf_for(), bpf_repeat()): 8 bytes of a program's stack. The verifier lets
 * nobody else look into them, so after inlining they are a counter in a register.
 */
#ifndef INLAY_RT_INLINE_ITER_H
#define INLAY_RT_INLINE_ITER_H

#include <linux/errno.h>

#include "inlay/abi.h"

/* A struct bpf_iter_num. */
struct inlay_iter_num {
	__s32 now;	/* what was given last; before the first, one less */
	__s32 end;	/* the first that is not given */
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_iter_num) == 8, "inlay_iter_num is a struct bpf_iter_num");

#define INLAY_ITER_MAX (8 << 20) /* the kernel's BPF_MAX_LOOPS */

/* It gives nothing, as when it has come to its end. */
static inline __attribute__((always_inline)) void __inlay_bpf_iter_num_destroy(void *it)
{
	struct inlay_iter_num *iter = it;

	iter->now = 0;
	iter->end = 0;
}

static inline __attribute__((always_inline)) __s64
__inlay_bpf_iter_num_new(void *it, __u64 start, __u64 end)
{
	struct inlay_iter_num *iter = it;
	__s64 n = (__s64)(__s32)end - (__s32)start;

	if (n < 0 || n > INLAY_ITER_MAX) {
		__inlay_bpf_iter_num_destroy(it);
		return n < 0 ? -EINVAL : -E2BIG;
	}
	/* from the smallest number on it is the largest, and one more is the smallest again */
	iter->now = (__s32)((__u32)start - 1);
	iter->end = (__s32)end;
	return 0;
}

static inline __attribute__((always_inline)) void *__inlay_bpf_iter_num_next(void *it)
{
	struct inlay_iter_num *iter = it;
	__s32 next = (__s32)((__u32)iter->now + 1);

	if (next >= iter->end) {
		__inlay_bpf_iter_num_destroy(it);
		return 0;
	}
	iter->now = next;
	return &iter->now;
}

#endif /* INLAY_RT_INLINE_ITER_H */
