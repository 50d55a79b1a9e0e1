/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_get_prandom_u32(): one generator a thread, so that nothing is shared and nothing waits.
 *
 * A Weyl sequence (adding an odd constant visits all 2^64 states, so no state is absorbing) through
 * one widening multiplication. Good enough to sample by; not for secrets, as in the kernel.
 */
#ifndef INLAY_RT_INLINE_RANDOM_H
#define INLAY_RT_INLINE_RANDOM_H

#include "inlay/abi.h"
#include "rt/inline/thread.h"

static inline __attribute__((always_inline)) __s64 __inlay_get_prandom_u32(void)
{
	unsigned __int128 product;
	__u64 state, mixed;

	if (!__inlay_thread_is_known())
		__inlay_thread_refresh_v1(); /* seeds: a child must not repeat its parent */
	state = __inlay_thread_v1.random + 0x9e3779b97f4a7c15ull;
	__inlay_thread_v1.random = state;
	mixed = state ^ state >> 32;
	product = (unsigned __int128)mixed * (state ^ 0xd6e8feb86659fd93ull);
	return (__u32)((__u64)product >> 32 ^ (__u64)(product >> 64));
}

#endif /* INLAY_RT_INLINE_RANDOM_H */
