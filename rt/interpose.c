/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libc's names for signal actions and signal masks, so that SIGSEGV and SIGBUS stay ours and
 * unblocked while the target sees the state that it set. rt/fault.c does the work; a link that
 * holds this file but no reader of memory passes everything on unchanged.
 *
 * A link that names libinlay.a before libc gets this file as soon as it uses one of the names; one
 * that names libc first (-lc libinlay.a) gets it only with rt/fault.c. In a static link libinlay.a
 * must come first: libc.a's definitions are not all weak. Ours are strong, against the sanitizers'.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rt/helpers.h"
#include "rt/sys.h"

#ifndef INLAY_RT_SHARED

#define EXPORT __attribute__((visibility("default")))
#define BIT(sig) (1ull << ((sig)-1))
/* libc's own, for cancellation and set*id(): the target can neither block nor see them */
#define LIBC_SIGNALS (BIT(32) | BIT(33))

extern __typeof__(__inlay_fault_sigaction) __inlay_fault_sigaction __attribute__((weak));
extern __typeof__(__inlay_fault_mask_in) __inlay_fault_mask_in __attribute__((weak));
extern __typeof__(__inlay_fault_mask_out) __inlay_fault_mask_out __attribute__((weak));

/* glibc's second names. Thread sanitizer must know of handlers: its own is the real one then. */
extern int __sigaction(int, const struct sigaction *, struct sigaction *) __attribute__((weak));
extern int __interceptor_sigaction(int, const struct sigaction *, struct sigaction *)
	__attribute__((weak));
extern void __tsan_init(void) __attribute__((weak));
extern sighandler_t ssignal(int, sighandler_t) __attribute__((weak));

extern void __chk_fail(void) __attribute__((weak));

/* prototypes that no header gives */
int __ppoll_chk(struct pollfd *fds, nfds_t nr, const struct timespec *timeout, const sigset_t *set,
		size_t fds_bytes);
sighandler_t __sysv_signal(int sig, sighandler_t handler);
sighandler_t sysv_signal(int sig, sighandler_t handler);
sighandler_t bsd_signal(int sig, sighandler_t handler);

static __u64 mask_in(__u64 mask)
{
	return __inlay_fault_mask_in ? __inlay_fault_mask_in(mask) : mask;
}

static __u64 mask_out(__u64 mask)
{
	return __inlay_fault_mask_out ? __inlay_fault_mask_out(mask) : mask;
}

static __u64 set_bits(const sigset_t *set)
{
	return *(const __u64 *)set;
}

static void bits_to_set(__u64 bits, sigset_t *ret_set)
{
	sigemptyset(ret_set);
	*(__u64 *)ret_set = bits;
}

static long result(long ret)
{
	if (ret >= 0)
		return ret;
	errno = (int)-ret;
	return -1;
}

#if defined(__x86_64__)
/* The kernel's return from a handler where libc has no second name to give it. */
__asm__("	.text\n"
	"	.type inlay_restorer, @function\n"
	"inlay_restorer:\n"
	"	movq $15, %rax\n" /* rt_sigreturn: unwinders know these bytes */
	"	syscall\n"
	"	.size inlay_restorer, . - inlay_restorer\n");
void inlay_restorer(void);
#define SA_RESTORER_FLAG 0x04000000
#endif

static int raw_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct {
		void *handler;
		unsigned long flags;
#if defined(__x86_64__)
		void *restorer;
#endif
		__u64 mask;
	} in = { 0 }, out = { 0 };
	long ret;

	if (act) {
		in.handler = (void *)act->sa_sigaction;
		in.flags = (unsigned int)act->sa_flags;
#if defined(__x86_64__)
		in.flags |= SA_RESTORER_FLAG;
		in.restorer = (void *)inlay_restorer;
#endif
		in.mask = set_bits(&act->sa_mask);
	}
	ret = sys_call4(__NR_rt_sigaction, sig, act ? &in : NULL, old ? &out : NULL, 8);
	if (ret == 0 && old) {
		old->sa_sigaction = (void (*)(int, siginfo_t *, void *))out.handler;
		old->sa_flags = (int)out.flags;
		bits_to_set(out.mask, &old->sa_mask);
	}
	return (int)result(ret);
}

int __inlay_real_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	if (__tsan_init && __interceptor_sigaction)
		return __interceptor_sigaction(sig, act, old);
	if (__sigaction)
		return __sigaction(sig, act, old);
	return raw_sigaction(sig, act, old);
}

static int inlay_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct sigaction copy;
	int ret;

	if (!__inlay_fault_sigaction)
		return __inlay_real_sigaction(sig, act, old);
	ret = __inlay_fault_sigaction(sig, act, old);
	if (ret != -ENOSYS)
		return (int)result(ret);
	if (act) {
		copy = *act;
		*(__u64 *)&copy.sa_mask = mask_in(set_bits(&act->sa_mask));
	}
	ret = __inlay_real_sigaction(sig, act ? &copy : NULL, old);
	if (ret == 0 && old)
		*(__u64 *)&old->sa_mask = mask_out(set_bits(&old->sa_mask));
	return ret;
}

EXPORT int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	return inlay_sigaction(sig, act, old);
}

/* By the exported name it would be the address of whoever comes first in the process. */
extern __typeof__(sigaction) inlay_sigaction_here
	__attribute__((alias("sigaction"), visibility("hidden")));

void *__inlay_interposed_sigaction(void)
{
	return (void *)inlay_sigaction_here;
}

static sighandler_t set_handler(int sig, sighandler_t handler, int flags)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = flags }, old;

	if (handler == SIG_ERR) {
		errno = EINVAL;
		return SIG_ERR;
	}
	if (flags == SA_RESTART)
		sigaddset(&act.sa_mask, sig);
	return inlay_sigaction(sig, &act, &old) ? SIG_ERR : old.sa_handler;
}

/* Through libc where it makes no difference to us: siginterrupt() changes what signal() does. */
EXPORT sighandler_t signal(int sig, sighandler_t handler)
{
	if (sig != SIGSEGV && sig != SIGBUS && ssignal && !__tsan_init)
		return ssignal(sig, handler);
	return set_handler(sig, handler, SA_RESTART);
}

EXPORT sighandler_t bsd_signal(int sig, sighandler_t handler)
{
	return signal(sig, handler);
}

EXPORT sighandler_t sysv_signal(int sig, sighandler_t handler)
{
	return set_handler(sig, handler, (int)SA_RESETHAND | SA_NODEFER);
}

EXPORT sighandler_t __sysv_signal(int sig, sighandler_t handler)
{
	return set_handler(sig, handler, (int)SA_RESETHAND | SA_NODEFER);
}

static long change_mask(int how, const sigset_t *set, sigset_t *old)
{
	__u64 in = 0, out = 0;
	long ret;

	if (set)
		in = mask_in(set_bits(set)) & ~LIBC_SIGNALS;
	ret = sys_call4(__NR_rt_sigprocmask, how, set ? &in : NULL, &out, 8);
	if (ret == 0 && old)
		bits_to_set(mask_out(out), old);
	return ret;
}

EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)result(change_mask(how, set, old));
}

EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)-change_mask(how, set, old);
}

EXPORT int sigblock(int mask)
{
	sigset_t set, old;

	bits_to_set((__u32)mask, &set);
	return sigprocmask(SIG_BLOCK, &set, &old) ? -1 : (int)set_bits(&old);
}

EXPORT int sigsetmask(int mask)
{
	sigset_t set, old;

	bits_to_set((__u32)mask, &set);
	return sigprocmask(SIG_SETMASK, &set, &old) ? -1 : (int)set_bits(&old);
}

static int change_one(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	if (sigaddset(&set, sig))
		return -1;
	return sigprocmask(how, &set, NULL);
}

EXPORT int sighold(int sig)
{
	return change_one(SIG_BLOCK, sig);
}

EXPORT int sigrelse(int sig)
{
	return change_one(SIG_UNBLOCK, sig);
}

EXPORT int sigignore(int sig)
{
	struct sigaction act = { .sa_handler = SIG_IGN };

	return inlay_sigaction(sig, &act, NULL);
}

EXPORT sighandler_t sigset(int sig, sighandler_t disposition)
{
	struct sigaction act = { .sa_handler = disposition }, old;
	int is_hold = disposition == SIG_HOLD;
	sigset_t set, before;

	sigemptyset(&set);
	if (disposition == SIG_ERR || sigaddset(&set, sig)) {
		errno = EINVAL;
		return SIG_ERR;
	}
	if (inlay_sigaction(sig, is_hold ? NULL : &act, &old) ||
	    sigprocmask(is_hold ? SIG_BLOCK : SIG_UNBLOCK, &set, &before))
		return SIG_ERR;
	return sigismember(&before, sig) ? SIG_HOLD : old.sa_handler;
}

EXPORT int sigpending(sigset_t *ret_set)
{
	__u64 bits = 0;
	long ret = sys_call3(__NR_rt_sigpending, &bits, 8, 0);

	if (ret == 0)
		bits_to_set(bits & (BIT(SIGSEGV) | BIT(SIGBUS)) ? bits | mask_out(bits) :
								 mask_out(bits),
			    ret_set);
	return (int)result(ret);
}

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
	return result(ret);
}

EXPORT int sigsuspend(const sigset_t *set)
{
	__u64 mask = mask_in(set_bits(set)) & ~LIBC_SIGNALS;

	return (int)waiting_call(__NR_rt_sigsuspend, (long)&mask, 8, 0, 0, 0, 0);
}

EXPORT int ppoll(struct pollfd *fds, nfds_t nr, const struct timespec *timeout,
		      const sigset_t *set)
{
	__u64 mask = set ? mask_in(set_bits(set)) & ~LIBC_SIGNALS : 0;
	struct timespec left; /* the kernel writes the rest of the time back */

	if (timeout)
		left = *timeout;
	return (int)waiting_call(__NR_ppoll, (long)fds, (long)nr, timeout ? (long)&left : 0,
				 set ? (long)&mask : 0, 8, 0);
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
	return (int)waiting_call(__NR_pselect6, nr, (long)readable, (long)writable,
				 (long)exceptional, timeout ? (long)&left : 0, (long)&arg);
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout,
			    const sigset_t *set)
{
	__u64 mask = set ? mask_in(set_bits(set)) & ~LIBC_SIGNALS : 0;

	return (int)waiting_call(__NR_epoll_pwait, fd, (long)events, max, timeout,
				 set ? (long)&mask : 0, 8);
}

EXPORT int epoll_pwait2(int fd, struct epoll_event *events, int max,
			     const struct timespec *timeout, const sigset_t *set)
{
	__u64 mask = set ? mask_in(set_bits(set)) & ~LIBC_SIGNALS : 0;

	return (int)waiting_call(__NR_epoll_pwait2, fd, (long)events, max, (long)timeout,
				 set ? (long)&mask : 0, 8);
}

#else

int __inlay_real_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	return sigaction(sig, act, old);
}

void *__inlay_interposed_sigaction(void)
{
	return NULL;
}

#endif /* INLAY_RT_SHARED */
