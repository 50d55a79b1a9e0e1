/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the helpers of libinlay offer to its other parts: hooks for fork, for a second copy of the
 * runtime, and for the trace ring. Internal; nothing here is called by emitted code.
 */
#ifndef INLAY_RT_HELPERS_H
#define INLAY_RT_HELPERS_H

#include "inlay/abi.h"

typedef __u64 inlay_clock_fn(void);

/* rt/start.c: a child that no fork handler has seen becomes a process of its own. Weak: helpers are
 * also linked without the rest of the runtime. */
__attribute__((visibility("hidden"), weak)) __u32 __inlay_owner(void);

static inline void inlay_process_check(void)
{
	if (__inlay_owner)
		__inlay_owner();
}

/* A clock of clock_gettime(), past libc, and CLOCK_MONOTONIC. Before __inlay_vdso_start() by system
 * call. */
__attribute__((visibility("hidden"))) __u64 __inlay_system_ns(int clock);
__u64 __inlay_monotonic_ns(void);
void __inlay_vdso_start(void);

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
extern __attribute__((visibility("hidden"))) struct inlay_trace *__inlay_trace_v1;

/*
 * Copies `bytes` from an untrusted address of this process by a system call. 0 or -EFAULT; what was
 * copied before a fault stays.
 */
int __inlay_read_by_call(void *dst, __u64 addr, __u64 bytes);

/* The same for a string: its length without the NUL, `bytes` if it has none there, or -EFAULT. */
long __inlay_read_string_by_call(char *dst, __u64 addr, __u64 bytes);

/* rt/task.c: bytes of a thread's view; 0 or -EFAULT. Of a string the length, `bytes` without a NUL. */
int __inlay_task_read(void *dst, __u64 addr, __u64 bytes);
long __inlay_task_read_string(char *dst, __u64 addr, __u64 bytes);

/*
 * Whether a fault of the calling thread in rt/probe_copy.c would be repaired: the handlers are ours
 * and the signals are not blocked. Two to three system calls; repairs what can be repaired.
 */
int __inlay_fault_check(void);

/*
 * The target's own view of SIGSEGV and SIGBUS, and of signal masks; rt/fault.c answers, and
 * rt/interpose.c calls it under libc's names. Weak there: without a reader of memory in the link
 * the names pass everything on. They return 0 or -errno; -ENOSYS: not ours, ask libc.
 */
struct sigaction;
int __inlay_fault_sigaction(int sig, const struct sigaction *act, struct sigaction *old);
/* Signal sets, 64 bits: from what the target says to what the kernel is told, and back. */
__u64 __inlay_fault_mask_in(__u64 mask);
__u64 __inlay_fault_mask_out(__u64 mask);

/* libc's sigaction(), past our own. */
int __inlay_real_sigaction(int sig, const struct sigaction *act, struct sigaction *old);
/* Address of the sigaction() in this copy of libinlay. */
void *__inlay_interposed_sigaction(void);

#endif /* INLAY_RT_HELPERS_H */
