/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGSEGV and SIGBUS belong to libinlay in a target that reads memory through bpf_probe_read*(): a
 * fault in rt/probe_copy.c is repaired, every other one goes where the target wants it.
 *
 * The two signals are never blocked for the kernel: a fault under a blocked signal is death. That
 * the target has blocked them is kept in two real-time signals that nobody uses, their stand-ins:
 * where the target's mask says SIGSEGV, the kernel's says the stand-in. So everything that saves
 * and restores masks (handlers, siglongjmp(), setcontext(), new threads, fork) keeps the target's
 * wish without knowing of it. An asynchronous SIGSEGV that the target has blocked is sent on as the
 * stand-in, which then waits in the kernel until the target unblocks "SIGSEGV".
 *
 * A vfork child has dispositions of its own but its parent's memory, and so the parent's view of
 * what the target wants. What it sets for itself until it execs is only told to the kernel: the
 * default action and "ignored" as handlers that still repair, another handler as it is.
 *
 * Our handler has the target's flags and mask (with stand-ins), so that alternate stacks,
 * restarting and what is blocked in the target's handler are the kernel's work. Must not allocate,
 * lock or wait.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#include "rt/fault.h"
#include "rt/helpers.h"
#include "rt/inlay_rt_internal.h"
#include "rt/probe_copy.h"
#include "rt/sigaction.h"
#include "rt/sys.h"

#define STAND_IN_SEGV 57
#define STAND_IN_BUS 58

#define BIT(sig) (1ull << ((sig)-1))
#define NR_OWNED 2
#define ACTION_SLOTS 16u

/* What the target has asked for. */
struct app_action {
	__u64 handler;
	__u64 flags;
	__u64 mask;
};

enum fault_state {
	FAULT_NEW = 0,
	FAULT_STARTING,
	FAULT_OFF,	/* not ours to have: read by system call */
	FAULT_ON,
	FAULT_LOST,	/* somebody took a handler away past libc: read by system call */
};

/* Not in a link without probe objects. */
extern __typeof__(__inlay_fault_serve) __inlay_fault_serve __attribute__((weak));
extern __typeof__(__inlay_fault_check_server) __inlay_fault_check_server __attribute__((weak));
extern __typeof__(__inlay_cut_repair) __inlay_cut_repair __attribute__((weak));
extern __typeof__(__inlay_cut_is_handler) __inlay_cut_is_handler __attribute__((weak));

static const int owned[NR_OWNED] = { SIGSEGV, SIGBUS };
static const int stand_ins[NR_OWNED] = { STAND_IN_SEGV, STAND_IN_BUS };

/* A writer takes a slot nobody uses and publishes it; a reader looks again when it has read. */
static struct app_action slots[NR_OWNED][ACTION_SLOTS];
static __u32 tickets[NR_OWNED];
static __u32 published[NR_OWNED];
static __u32 state;

/* Whose memory this is. In a page that the kernel wipes on fork: 0, a fork child. */
static __u32 owner_never_wiped;
static __u32 *owner = &owner_never_wiped;

typedef void fault_handler(int sig, siginfo_t *info, void *context);
static fault_handler on_fault, on_fault_default, on_fault_ignored;
static void fault_start(void);

static int owned_index(int sig)
{
	return sig == SIGSEGV ? 0 : sig == SIGBUS ? 1 : -1;
}

static __u64 stand_ins_for(__u64 mask)
{
	__u64 out = mask & ~(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(STAND_IN_SEGV) | BIT(STAND_IN_BUS));

	for (int i = 0; i < NR_OWNED; i++)
		if (mask & BIT(owned[i]))
			out |= BIT(stand_ins[i]);
	return out;
}

static int is_owning(void)
{
	if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == FAULT_NEW) /* pairs with fault_start() */
		fault_start();
	/* FAULT_LOST too: threads have stand-ins in their masks */
	return __atomic_load_n(&state, __ATOMIC_ACQUIRE) >= FAULT_ON;
}

__u64 __inlay_fault_mask_in(__u64 mask)
{
	return is_owning() ? stand_ins_for(mask) : mask;
}

__u64 __inlay_fault_mask_out(__u64 mask)
{
	__u64 out = mask & ~(BIT(STAND_IN_SEGV) | BIT(STAND_IN_BUS));

	if (!is_owning())
		return mask;
	for (int i = 0; i < NR_OWNED; i++)
		if (mask & BIT(stand_ins[i]))
			out |= BIT(owned[i]);
	return out;
}

static __u32 action_read(int index, struct app_action *ret_action)
{
	__u32 at = 0;

	for (int i = 0; i < 16; i++) {
		const struct app_action *slot;

		/* acquire: pairs with action_publish() */
		at = __atomic_load_n(&published[index], __ATOMIC_ACQUIRE);
		slot = &slots[index][at % ACTION_SLOTS];
		ret_action->handler = __atomic_load_n(&slot->handler, __ATOMIC_RELAXED);
		ret_action->flags = __atomic_load_n(&slot->flags, __ATOMIC_RELAXED);
		ret_action->mask = __atomic_load_n(&slot->mask, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE); /* pairs with action_write() */
		if (__atomic_load_n(&published[index], __ATOMIC_RELAXED) == at)
			break;
	}
	return at;
}

static __u32 action_write(int index, const struct app_action *action)
{
	__u32 ticket = __atomic_add_fetch(&tickets[index], 1, __ATOMIC_RELAXED);
	struct app_action *slot = &slots[index][ticket % ACTION_SLOTS];

	__atomic_thread_fence(__ATOMIC_RELEASE); /* pairs with action_read()'s second look */
	__atomic_store_n(&slot->handler, action->handler, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->flags, action->flags, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->mask, action->mask, __ATOMIC_RELAXED);
	return ticket;
}

static void action_publish(int index, const struct app_action *action)
{
	__atomic_store_n(&published[index], action_write(index, action), __ATOMIC_RELEASE);
}

static long kernel_mask(int how, const __u64 *set, __u64 *old)
{
	return sys_call4(__NR_rt_sigprocmask, how, set, old, sizeof(__u64));
}

static void owner_claim(void)
{
	__atomic_store_n(owner, sys_getpid(), __ATOMIC_RELAXED);
}

static void owner_start(void)
{
	__u32 *page = sys_mmap(NULL, INLAY_PAGE_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page && sys_madvise(page, INLAY_PAGE_BYTES, MADV_WIPEONFORK) == 0)
		owner = page;
	else if (page)
		sys_munmap(page, INLAY_PAGE_BYTES);
	owner_claim();
}

/*
 * False in a vfork child. libc's fork() has claimed the memory for its child; behind a raw clone()
 * the first who asks does.
 */
static int is_owner(void)
{
	if (!__atomic_load_n(owner, __ATOMIC_RELAXED))
		owner_claim();
	return __atomic_load_n(owner, __ATOMIC_RELAXED) == sys_getpid();
}

/* Installs our handler as the target's action wants it to run. */
static int handler_install(int sig, fault_handler *handler, const struct app_action *app)
{
	struct sigaction act;
	__u64 mask = 0;

	act.sa_sigaction = handler;
	/* what the target blocks or ignores interrupts no system call */
	act.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART;
	if (app->handler != (__u64)SIG_DFL && app->handler != (__u64)SIG_IGN) {
		act.sa_flags = SA_SIGINFO | SA_NODEFER |
			       ((int)app->flags & (SA_ONSTACK | SA_RESTART));
		mask = app->mask;
		if (!(app->flags & SA_NODEFER))
			mask |= BIT(sig);
		mask = stand_ins_for(mask);
	}
	sys_set_bits(&act.sa_mask, mask);
	return __inlay_real_sigaction(sig, &act, NULL);
}

/* This thread came with the signals blocked: from its parent, or past libc. */
static int thread_unblock(void)
{
	__u64 mask = 0, wish, set;

	if (kernel_mask(SIG_BLOCK, NULL, &mask))
		return 0;
	wish = mask & (BIT(SIGSEGV) | BIT(SIGBUS));
	if (!wish)
		return 1;
	set = (mask & ~wish) | stand_ins_for(wish);
	return kernel_mask(SIG_SETMASK, &set, NULL) == 0;
}

static void fault_start(void)
{
	__u32 expected = FAULT_NEW;
	struct kernel_action old;
	struct app_action app;
	__u32 outcome = FAULT_OFF;

	if (!__atomic_compare_exchange_n(&state, &expected, FAULT_STARTING, 0, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		return;
	if (!__inlay_fault_is_unwanted() && __inlay_fault_is_interposing()) {
		outcome = FAULT_ON;
		owner_start();
		for (int i = 0; i < NR_OWNED && outcome == FAULT_ON; i++) {
			struct app_action none = { 0 };

			if (kernel_sigaction(owned[i], NULL, &old)) {
				outcome = FAULT_OFF;
				break;
			}
			app = (struct app_action){ old.handler, old.flags, old.mask };
			/* what stands in for the target's nothing (rt/cut.c) */
			if (__inlay_cut_is_handler && __inlay_cut_is_handler(old.handler))
				app = none;
			action_publish(i, &app);
			if (handler_install(stand_ins[i], on_fault, &none) ||
			    handler_install(owned[i], on_fault, &app))
				outcome = FAULT_OFF;
		}
		if (outcome == FAULT_ON)
			thread_unblock();
	}
	__atomic_store_n(&state, outcome, __ATOMIC_RELEASE);
}

static int check_own(void)
{
	struct kernel_action now;

	if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != FAULT_ON)
		return 0;
	for (int i = 0; i < NR_OWNED; i++) {
		if (kernel_sigaction(owned[i], NULL, &now) == 0 &&
		    (now.handler == (__u64)on_fault || now.handler == (__u64)on_fault_default ||
		     now.handler == (__u64)on_fault_ignored))
			continue;
		if (!is_owner())
			return 0; /* the parent has not lost it */
		/* Who did that went round libc and will again; to take it back would break them. */
		__atomic_store_n(&state, FAULT_LOST, __ATOMIC_RELEASE);
		return 0;
	}
	return thread_unblock();
}

int __inlay_fault_check(void)
{
	__u32 now = __atomic_load_n(&state, __ATOMIC_ACQUIRE);

	if (now == FAULT_NEW) {
		fault_start();
		now = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
	}
	if (now == FAULT_OFF && !__inlay_fault_is_unwanted() && __inlay_fault_check_server)
		return __inlay_fault_check_server();
	return check_own();
}

static void guest_install(int index, fault_handler *handler)
{
	const struct app_action none = { 0 };

	handler_install(owned[index], handler, &none);
	handler_install(stand_ins[index], handler, &none);
}

/* What a vfork child has, as far as its parent's memory does not say it. */
static int guest_action(int index, struct app_action *ret_action)
{
	struct kernel_action now = { 0 };

	if (kernel_sigaction(owned[index], NULL, &now) || now.handler == (__u64)on_fault)
		return 0;
	*ret_action = (struct app_action){ now.handler, now.flags, now.mask };
	if (now.handler == (__u64)on_fault_default)
		*ret_action = (struct app_action){ .handler = (__u64)SIG_DFL };
	else if (now.handler == (__u64)on_fault_ignored)
		*ret_action = (struct app_action){ .handler = (__u64)SIG_IGN };
	return 1;
}

static int guest_set(int index, const struct sigaction *act, const struct app_action *after)
{
	struct sigaction own;

	if (after->handler == (__u64)SIG_DFL || after->handler == (__u64)SIG_IGN) {
		guest_install(index, after->handler == (__u64)SIG_DFL ? on_fault_default :
									on_fault_ignored);
		return 0;
	}
	own.sa_sigaction = act->sa_sigaction;
	own.sa_flags = act->sa_flags;
	sys_set_bits(&own.sa_mask, stand_ins_for(after->mask));
	return __inlay_real_sigaction(owned[index], &own, NULL) ? -EINVAL : 0;
}

int __inlay_fault_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	int index = owned_index(sig), is_guest;
	struct app_action before, after;

	if (!is_owning() || index < 0 ||
	    __atomic_load_n(&state, __ATOMIC_RELAXED) != FAULT_ON)
		return -ENOSYS;
	is_guest = !is_owner();
	if (!is_guest || !guest_action(index, &before))
		action_read(index, &before);
	if (act) {
		after.handler = (__u64)act->sa_sigaction;
		after.flags = (__u64)(unsigned int)act->sa_flags;
		after.mask = *(const __u64 *)&act->sa_mask;
		if (is_guest) {
			int err = guest_set(index, act, &after);

			if (err)
				return err;
		} else {
			action_publish(index, &after);
			if (handler_install(sig, on_fault, &after)) {
				action_publish(index, &before);
				return -EINVAL;
			}
		}
	}
	if (old) {
		old->sa_sigaction = (void (*)(int, siginfo_t *, void *))before.handler;
		old->sa_flags = (int)before.flags;
		sys_set_bits(&old->sa_mask, before.mask);
		old->sa_restorer = NULL;
	}
	return 0;
}

static __u64 *context_pc(ucontext_t *uc)
{
#if defined(__x86_64__)
	return (__u64 *)&uc->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (__u64 *)&uc->uc_mcontext.pc;
#endif
}

/*
 * Raised by the instruction that was interrupted. A memory error that the machine found by itself
 * (BUS_MCEERR_AO) is not, though the kernel sends it with a code of its own.
 */
static int is_synchronous(int index, const siginfo_t *info)
{
	return info->si_code > 0 && !(owned[index] == SIGBUS && info->si_code == BUS_MCEERR_AO);
}

static void send_to_self(int sig, siginfo_t *info)
{
	sys_call4(__NR_rt_tgsigqueueinfo, sys_getpid(), sys_gettid(), sig, info);
}

/*
 * An asynchronous signal of a thread that has blocked it, as its stand-in. What was not sent to this
 * very thread is any thread's that has not blocked it, or that waits for it.
 */
static void put_off(int index, siginfo_t *info)
{
	long pid = sys_getpid();
	int sig = stand_ins[index];
	__u64 pending = 0;

	/* a second one of these signals while the first waits is none; stand-ins would queue */
	sys_call3(__NR_rt_sigpending, &pending, sizeof(pending), 0);
	if (pending & BIT(sig))
		return;
	if (info->si_code == SI_TKILL) {
		send_to_self(sig, info);
		return;
	}
	if (!sys_call3(__NR_rt_sigqueueinfo, pid, sig, info))
		return;
	inlay_fault_code_hide(info);
	if (sys_call3(__NR_rt_sigqueueinfo, pid, sig, info))
		send_to_self(sig, info);
	inlay_fault_code_restore(info);
}

/* As without us. A synchronous fault comes again when we return, with its own registers. */
static void die(int index, siginfo_t *info)
{
	struct kernel_action dfl = { 0 };

	kernel_sigaction(owned[index], &dfl, NULL);
	if (!is_synchronous(index, info))
		send_to_self(owned[index], info);
}

static void call_app(int index, siginfo_t *info, ucontext_t *uc)
{
	struct app_action app, dfl = { 0 };
	__u64 *mask = (__u64 *)&uc->uc_sigmask;
	int sig = owned[index];
	__u32 at = action_read(index, &app);

	if (app.handler == (__u64)SIG_IGN && !is_synchronous(index, info))
		return;
	if (app.handler == (__u64)SIG_DFL || app.handler == (__u64)SIG_IGN) {
		die(index, info);
		return;
	}
	if ((app.flags & SA_RESETHAND) && !is_owner())
		guest_install(index, on_fault_default);
	else if (app.flags & SA_RESETHAND)
		__atomic_compare_exchange_n(&published[index], &at, action_write(index, &dfl), 0,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	/* the handler may look at the interrupted mask, and change it */
	*mask = __inlay_fault_mask_out(*mask);
	if (app.flags & SA_SIGINFO)
		((void (*)(int, siginfo_t *, void *))app.handler)(sig, info, uc);
	else
		((void (*)(int))app.handler)(sig);
	*mask = __inlay_fault_mask_in(*mask);
}

/* The index of the signal if the target's action is to be taken; -1: repaired, or blocked. */
static int settle(int sig, siginfo_t *info, ucontext_t *uc)
{
	int index = owned_index(sig);
	__u64 resume;

	if (index < 0) { /* a stand-in: blocked when it was sent, unblocked now */
		index = sig == STAND_IN_SEGV ? 0 : 1;
		info->si_signo = owned[index];
		inlay_fault_code_restore(info);
		return index;
	}
	if (is_synchronous(index, info)) {
		if (sig == SIGBUS && info->si_code == BUS_ADRERR && __inlay_cut_repair &&
		    __inlay_cut_repair(info->si_addr))
			return -1;
		resume = __inlay_copy_resume(*context_pc(uc));
		if (!resume)
			resume = __inlay_fault_range_resume(*context_pc(uc));
		if (resume) {
			*context_pc(uc) = resume;
			return -1;
		}
	}
	if (*(__u64 *)&uc->uc_sigmask & BIT(stand_ins[index])) {
		/* Blocked, in the target's eyes: the kernel would kill, or keep it for later. */
		if (is_synchronous(index, info))
			die(index, info);
		else
			put_off(index, info);
		return -1;
	}
	return index;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	int index = settle(sig, info, context);

	if (index >= 0)
		call_app(index, info, context);
}

static void on_fault_default(int sig, siginfo_t *info, void *context)
{
	int index = settle(sig, info, context);

	if (index >= 0)
		die(index, info);
}

static void on_fault_ignored(int sig, siginfo_t *info, void *context)
{
	int index = settle(sig, info, context);

	if (index >= 0 && is_synchronous(index, info))
		die(index, info);
}

static const struct inlay_fault_server server = {
	.server_bytes = sizeof(struct inlay_fault_server),
	.check = check_own,
	.ranges_add = __inlay_fault_ranges_add,
	.ranges_remove = __inlay_fault_ranges_remove,
};

__attribute__((constructor)) static void fault_init(void)
{
	fault_start();
	if (!is_owning())
		return;
	pthread_atfork(NULL, NULL, owner_claim);
	if (__inlay_fault_serve)
		__inlay_fault_serve(&server);
}
