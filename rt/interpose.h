/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files share that define libc's names (rt/interpose.c, rt/interpose_wait.c). */
#ifndef INLAY_RT_INTERPOSE_H
#define INLAY_RT_INTERPOSE_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>

#include "rt/helpers.h"

#define EXPORT __attribute__((visibility("default")))
#define BIT(sig) (1ull << ((sig)-1))
/* libc's own, for cancellation and set*id(): the target can neither block nor see them */
#define LIBC_SIGNALS (BIT(32) | BIT(33))

extern __typeof__(__inlay_fault_mask_in) __inlay_fault_mask_in __attribute__((weak));
extern __typeof__(__inlay_fault_mask_out) __inlay_fault_mask_out __attribute__((weak));

/* Only its address is used: it brings rt/interpose_wait.c into the link. */
extern __attribute__((visibility("hidden"))) const char __inlay_interposed_waits;

static inline __u64 mask_in(__u64 mask)
{
	return __inlay_fault_mask_in ? __inlay_fault_mask_in(mask) : mask;
}

static inline __u64 mask_out(__u64 mask)
{
	return __inlay_fault_mask_out ? __inlay_fault_mask_out(mask) : mask;
}

static inline __u64 set_bits(const sigset_t *set)
{
	return *(const __u64 *)set;
}

static inline bool is_signal(int sig)
{
	return sig > 0 && sig <= 64;
}

static inline long result(long ret)
{
	if (ret >= 0)
		return ret;
	errno = (int)-ret;
	return -1;
}

#endif /* INLAY_RT_INTERPOSE_H */
