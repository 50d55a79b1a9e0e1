/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who runs, and where: bpf_get_current_pid_tgid(), bpf_get_current_uid_gid() and
 * bpf_get_smp_processor_id(). The numbers are those that the process itself sees (getpid() and so
 * on); the kernel's helpers give those of the initial namespaces.
 */
#ifndef INLAY_RT_INLINE_CURRENT_H
#define INLAY_RT_INLINE_CURRENT_H

#include "inlay/abi.h"
#include "rt/inline/thread.h"

/* Real ids, gid << 32 | uid. Never cached: a thread may change its own. */
__u64 __inlay_uid_gid_v1(void);

/*
 * Distance of the thread's struct rseq from its thread pointer, or 0: libc has not registered one.
 * The kernel keeps the number of the CPU there up to date.
 */
extern __s64 __inlay_rseq_offset_v1;
INLAY_COLD_CALL __u32 __inlay_cpu_slow_v1(void);

#define INLAY_RSEQ_CPU_ID 4 /* offsetof(struct rseq, cpu_id), linux/rseq.h */

static inline __attribute__((always_inline)) __s64 __inlay_get_current_pid_tgid(void)
{
	if (__inlay_thread_is_known())
		return (__s64)__inlay_thread_v1.pid_tgid;
	return (__s64)__inlay_thread_refresh_v1();
}

/*
 * bpf_get_current_task(): the address of the thread's view, where no process has memory: what can be
 * known of it is made when bpf_probe_read_kernel() reads there (rt/task.c). Never 0.
 */
static inline __attribute__((always_inline)) __s64 __inlay_get_current_task(void)
{
	__u64 tid = (__u32)__inlay_get_current_pid_tgid();

	return (__s64)(INLAY_TASK_BASE + (tid << INLAY_TASK_SHIFT));
}

/* bpf_get_current_task_btf(): the same; bpfcc lets nobody load through it. */
static inline __attribute__((always_inline)) void *__inlay_get_current_task_btf(void)
{
	return (void *)__inlay_get_current_task();
}

static inline __attribute__((always_inline)) __s64 __inlay_get_current_uid_gid(void)
{
	return (__s64)__inlay_uid_gid_v1();
}

static inline __attribute__((always_inline)) __s64 __inlay_get_smp_processor_id(void)
{
	__s64 offset = __inlay_rseq_offset_v1;

	if (__builtin_expect(offset != 0, 1)) {
		const char *rseq = (const char *)__builtin_thread_pointer() + offset;
		/* volatile: the kernel writes it at any instruction */
		__s32 cpu = *(const volatile __s32 *)(rseq + INLAY_RSEQ_CPU_ID);

		if (__builtin_expect(cpu >= 0, 1)) /* negative: this thread is not registered */
			return cpu;
	}
	return __inlay_cpu_slow_v1();
}

#endif /* INLAY_RT_INLINE_CURRENT_H */
