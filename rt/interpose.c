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
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>

#include "rt/helpers.h"
#include "rt/interpose.h"
#include "rt/sigaction.h"
#include "rt/sys.h"

extern __typeof__(__inlay_fault_sigaction) __inlay_fault_sigaction __attribute__((weak));

/* Who gets these names gets the waiting ones too. */
__attribute__((used)) static const char *const waits = &__inlay_interposed_waits;

/* glibc's second names. Thread sanitizer must know of handlers: its own is the real one then. */
extern int __sigaction(int, const struct sigaction *, struct sigaction *) __attribute__((weak));
extern int __interceptor_sigaction(int, const struct sigaction *, struct sigaction *)
	__attribute__((weak));
extern void __tsan_init(void) __attribute__((weak));
extern sighandler_t ssignal(int, sighandler_t) __attribute__((weak));

/* prototypes that no header gives */
sighandler_t __sysv_signal(int sig, sighandler_t handler);
sighandler_t sysv_signal(int sig, sighandler_t handler);
sighandler_t bsd_signal(int sig, sighandler_t handler);

static int raw_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct kernel_action in = { 0 }, out = { 0 };
	int ret;

	if (act) {
		in.handler = (__u64)act->sa_sigaction;
		in.flags = (unsigned int)act->sa_flags;
		in.mask = set_bits(&act->sa_mask);
		kernel_action_complete(&in);
	}
	ret = kernel_sigaction(sig, act ? &in : NULL, old ? &out : NULL);
	if (ret == 0 && old) {
		old->sa_sigaction = (void (*)(int, siginfo_t *, void *))out.handler;
		old->sa_flags = (int)out.flags;
		sys_set_bits(&old->sa_mask, out.mask);
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
		copy.sa_sigaction = act->sa_sigaction;
		copy.sa_flags = act->sa_flags;
		copy.sa_restorer = act->sa_restorer;
		sys_set_bits(&copy.sa_mask, mask_in(set_bits(&act->sa_mask)));
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

/* Not by an initialiser, which may become a call of memset(). */
static void action_make(struct sigaction *ret_act, sighandler_t handler, int flags, int blocked)
{
	ret_act->sa_handler = handler;
	ret_act->sa_flags = flags;
	ret_act->sa_restorer = NULL;
	sys_set_bits(&ret_act->sa_mask, is_signal(blocked) ? BIT(blocked) : 0);
}

static sighandler_t set_handler(int sig, sighandler_t handler, int flags)
{
	struct sigaction act, old;

	if (handler == SIG_ERR) {
		errno = EINVAL;
		return SIG_ERR;
	}
	action_make(&act, handler, flags, flags == SA_RESTART ? sig : 0);
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
		sys_set_bits(old, mask_out(out));
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

	sys_set_bits(&set, (__u32)mask);
	return sigprocmask(SIG_BLOCK, &set, &old) ? -1 : (int)set_bits(&old);
}

EXPORT int sigsetmask(int mask)
{
	sigset_t set, old;

	sys_set_bits(&set, (__u32)mask);
	return sigprocmask(SIG_SETMASK, &set, &old) ? -1 : (int)set_bits(&old);
}

static int change_one(int how, int sig)
{
	sigset_t set;

	if (!is_signal(sig))
		return (int)result(-EINVAL);
	sys_set_bits(&set, BIT(sig));
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
	struct sigaction act;

	action_make(&act, SIG_IGN, 0, 0);
	return inlay_sigaction(sig, &act, NULL);
}

EXPORT sighandler_t sigset(int sig, sighandler_t disposition)
{
	struct sigaction act, old;
	int is_hold = disposition == SIG_HOLD;
	sigset_t set, before;

	if (disposition == SIG_ERR || !is_signal(sig)) {
		errno = EINVAL;
		return SIG_ERR;
	}
	action_make(&act, disposition, 0, 0);
	sys_set_bits(&set, BIT(sig));
	if (inlay_sigaction(sig, is_hold ? NULL : &act, &old) ||
	    sigprocmask(is_hold ? SIG_BLOCK : SIG_UNBLOCK, &set, &before))
		return SIG_ERR;
	return set_bits(&before) & BIT(sig) ? SIG_HOLD : old.sa_handler;
}

EXPORT int sigpending(sigset_t *ret_set)
{
	__u64 bits = 0;
	long ret = sys_call3(__NR_rt_sigpending, &bits, 8, 0);

	if (ret == 0)
		sys_set_bits(ret_set, (bits & (BIT(SIGSEGV) | BIT(SIGBUS))) | mask_out(bits));
	return (int)result(ret);
}
