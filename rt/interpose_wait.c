/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libc's names for waiting with a signal mask and for waiting for signals. Where the target says
 * SIGSEGV or SIGBUS the kernel is told the stand-in (rt/fault.c), and back.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <time.h>

#include "rt/fault.h"
#include "rt/interpose.h"
#include "rt/sys.h"

extern void __chk_fail(void) __attribute__((weak));

/* a prototype that no header gives */
int __ppoll_chk(struct pollfd *fds, nfds_t nr, const struct timespec *timeout, const sigset_t *set,
		size_t fds_bytes);

const char __inlay_interposed_waits;

/*
 * Waiting with a mask: handlers that run meanwhile run under it. The calls are cancellation points;
 * asynchronous cancellation around the bare system call is what libc did itself for long.
 */
static long waiting_call(long nr, long a, long b, long c, long d, long e, long f)
{
	int type, ignored;
	long ret;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	ret = sys_call6(nr, a, b, c, d, e, f);
	pthread_setcanceltype(type, &ignored);
	return ret;
}

EXPORT int sigsuspend(const sigset_t *set)
{
	__u64 mask = mask_in(set_bits(set)) & ~LIBC_SIGNALS;

	return (int)result(waiting_call(__NR_rt_sigsuspend, (long)&mask, 8, 0, 0, 0, 0));
}

EXPORT int ppoll(struct pollfd *fds, nfds_t nr, const struct timespec *timeout,
		      const sigset_t *set)
{
	__u64 mask = set ? mask_in(set_bits(set)) & ~LIBC_SIGNALS : 0;
	struct timespec left; /* the kernel writes the rest of the time back */

	if (timeout)
		left = *timeout;
	return (int)result(waiting_call(__NR_ppoll, (long)fds, (long)nr, timeout ? (long)&left : 0,
					set ? (long)&mask : 0, 8, 0));
}

/* ppoll() under _FORTIFY_SOURCE; libc's would take the mask as it is. */
EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t nr, const struct timespec *timeout,
		       const sigset_t *set, size_t fds_bytes)
{
	if (fds_bytes / sizeof(*fds) < nr) { /* the target's own check, and its own end */
		if (__chk_fail)
			__chk_fail();
		__builtin_trap();
	}
	return ppoll(fds, nr, timeout, set);
}

EXPORT int pselect(int nr, fd_set *readable, fd_set *writable, fd_set *exceptional,
		   const struct timespec *timeout, const sigset_t *set)
{
	__u64 mask = set ? mask_in(set_bits(set)) & ~LIBC_SIGNALS : 0;
	struct timespec left;
	struct {
		const __u64 *mask;
		size_t bytes;
	} arg = { set ? &mask : NULL, 8 };

	if (timeout)
		left = *timeout;
	return (int)result(waiting_call(__NR_pselect6, nr, (long)readable, (long)writable,
					(long)exceptional, timeout ? (long)&left : 0, (long)&arg));
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout,
			    const sigset_t *set)
{
	__u64 mask = set ? mask_in(set_bits(set)) & ~LIBC_SIGNALS : 0;

	return (int)result(waiting_call(__NR_epoll_pwait, fd, (long)events, max, timeout,
					set ? (long)&mask : 0, 8));
}

EXPORT int epoll_pwait2(int fd, struct epoll_event *events, int max,
			     const struct timespec *timeout, const sigset_t *set)
{
	__u64 mask = set ? mask_in(set_bits(set)) & ~LIBC_SIGNALS : 0;

	return (int)result(waiting_call(__NR_epoll_pwait2, fd, (long)events, max, (long)timeout,
					set ? (long)&mask : 0, 8));
}

/* ---- for signals ------------------------------------------------------------------------ */

/*
 * A SIGSEGV that was sent is delivered to our handler, which sends the stand-in on if this thread
 * has it blocked: then the wait was interrupted by what it waits for.
 */
static long wait_for(__u64 set, siginfo_t *ret_info, const struct timespec *timeout)
{
	const struct timespec now = { 0, 0 };
	const __u64 ours = set & (BIT(SIGSEGV) | BIT(SIGBUS));
	__u64 wanted = mask_in(set), stand_ins = mask_in(ours) & ~ours, sent;
	siginfo_t own, *info = ret_info ? ret_info : &own;
	long sig;

	sig = waiting_call(__NR_rt_sigtimedwait, (long)&wanted, (long)info, (long)timeout, 8, 0, 0);
	if (sig == -EINTR && stand_ins) {
		sig = sys_call4(__NR_rt_sigtimedwait, &stand_ins, info, &now, 8);
		if (sig == -EAGAIN)
			sig = -EINTR;
	}
	if (sig <= 0)
		return sig;
	sent = BIT(sig) & stand_ins ? mask_out(BIT(sig)) : 0;
	if (sent) {
		sig = __builtin_ctzll(sent) + 1;
		info->si_signo = (int)sig;
		inlay_fault_code_restore(info);
	}
	if (info->si_code == SI_TKILL) /* as libc does: raise() is not to be told from kill() */
		info->si_code = SI_USER;
	return sig;
}

EXPORT int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	return (int)result(wait_for(set_bits(set), info, timeout));
}

EXPORT int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	return (int)result(wait_for(set_bits(set), info, NULL));
}

EXPORT int sigwait(const sigset_t *set, int *ret_sig)
{
	long sig;

	do {
		sig = wait_for(set_bits(set), NULL, NULL);
	} while (sig == -EINTR);
	if (sig < 0)
		return (int)-sig;
	*ret_sig = (int)sig;
	return 0;
}

/* What is read from it names the stand-in: read() is not ours. */
EXPORT int signalfd(int fd, const sigset_t *set, int flags)
{
	__u64 wanted = mask_in(set_bits(set));

	return (int)result(sys_call4(__NR_signalfd4, fd, &wanted, 8, flags));
}
