/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the helpers of libinlay offer to its other parts: hooks for fork, for a second copy of the
 * runtime, and for the trace ring. Internal; nothing here is called by emitted code.
 */
#ifndef INLAY_RT_HELPERS_H
#define INLAY_RT_HELPERS_H

#include "inlay/abi.h"

typedef __u64 inlay_clock_fn(void);

/* bpf_ktime_get_ns() of this copy of libinlay, out of line: what another copy delegates to. */
inlay_clock_fn __inlay_clock_ns;

/*
 * This copy of libinlay is not the first in the process: from now on its time comes from the first
 * one's, so that hits in different libraries are ordered. Costs a call a hit. `fn` stays valid for
 * the rest of the process's life.
 */
void __inlay_clock_delegate(inlay_clock_fn *fn);

/* In a fork child, before anything else asks for the time. */
void __inlay_clock_fork_child(void);

/*
 * Ring for bpf_trace_printk() in the segment; set (release) by the runtime's start, NULL: text is
 * formatted, checked and dropped.
 */
extern struct inlay_trace *__inlay_trace_v1;

/*
 * Copies `bytes` from an untrusted address of this process by a system call. 0 or -EFAULT; what was
 * copied before a fault stays.
 */
int __inlay_read_by_call(void *dst, __u64 addr, __u64 bytes);

#endif /* INLAY_RT_HELPERS_H */
