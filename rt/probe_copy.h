/* SPDX-License-Identifier: BSD-2-Clause */
/* The copies that may fault, and where they go on when they did. */
#ifndef INLAY_RT_PROBE_COPY_H
#define INLAY_RT_PROBE_COPY_H

#include "inlay/abi.h"

#define INLAY_COPY_FIXUPS 3

__attribute__((visibility("hidden"))) long __inlay_copy(void *dst, __u64 addr, __u64 bytes);
__attribute__((visibility("hidden"))) long __inlay_copy_string(void *dst, __u64 addr, __u64 bytes);
extern __attribute__((visibility("hidden"))) const __s32 __inlay_copy_fixups[INLAY_COPY_FIXUPS * 3];

/* Whether the calling thread may use them: a fault would be repaired (rt/probe_read.c). */
__attribute__((visibility("hidden"))) int __inlay_read_is_guarded(void);

/*
 * What the kernel's own reads say of an address that cannot be read: -ERANGE where kernels have no
 * memory, -EFAULT where they may have some.
 */
__attribute__((visibility("hidden"))) int __inlay_kernel_read_error(__u64 addr);

/* Where to go on after a fault at pc; 0: pc is none of the copies'. */
__attribute__((visibility("hidden"))) __u64 __inlay_copy_resume(__u64 pc);

#endif /* INLAY_RT_PROBE_COPY_H */
