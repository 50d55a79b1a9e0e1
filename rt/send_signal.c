/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_send_signal() and bpf_send_signal_thread(). The kernel's signals say SI_KERNEL; a process may say
 * so only to the very thread that sends, so a signal to the process as a whole comes by kill().
 * SIGSEGV and SIGBUS are always sent so: with a code above 0 they would pass for faults.
 */
#include <errno.h>
#include <signal.h>

#include "rt/inlay_rt.h"
#include "rt/sys.h"

#define MAX_SIGNAL 64u /* _NSIG */

__s64 __inlay_send_signal_v1(__u64 sig)
{
	if ((__u32)sig > MAX_SIGNAL)
		return -EINVAL;
	return sys_call3(__NR_kill, sys_getpid(), (__u32)sig, 0);
}

__s64 __inlay_send_signal_thread_v1(__u64 sig)
{
	siginfo_t info = { .si_signo = (int)sig, .si_code = SI_KERNEL };
	__u32 pid = sys_getpid(), tid = sys_gettid();

	if ((__u32)sig > MAX_SIGNAL)
		return -EINVAL;
	if (!sig || sig == SIGSEGV || sig == SIGBUS)
		return sys_tgkill(pid, tid, (int)sig);
	return sys_call4(__NR_rt_tgsigqueueinfo, pid, tid, (int)sig, &info);
}
