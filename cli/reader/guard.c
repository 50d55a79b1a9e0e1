/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handler for SIGBUS behind guard.h: this thread's guard first, then the handler that was
 * there.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#include "cli/reader/guard.h"

/* Initial-exec: the handler must not be the first to ask for it, which might allocate. */
static _Thread_local struct guard *innermost __attribute__((tls_model("initial-exec")));

/* What was there before; set before the handler is. */
static struct sigaction before;
static int prepare_error;

/* A fault that is not ours, in the manner of the handler that was there. */
static void pass_on(int sig, siginfo_t *info, void *context)
{
	const struct sigaction *next = &before;
	struct sigaction fallback = { .sa_handler = SIG_DFL };

	if (next->sa_flags & SA_SIGINFO) {
		next->sa_sigaction(sig, info, context);
		return;
	}
	if (next->sa_handler != SIG_DFL && next->sa_handler != SIG_IGN) {
		next->sa_handler(sig);
		return;
	}
	/* a signal that was sent can be ignored, a fault cannot */
	if (next->sa_handler == SIG_IGN && info->si_code <= 0)
		return;
	sigaction(sig, &fallback, NULL);
	if (info->si_code <= 0)
		raise(sig);
}

static void on_bus(int sig, siginfo_t *info, void *context)
{
	struct guard *guard = innermost;

	if (guard && info->si_code > 0 &&
	    (uintptr_t)info->si_addr - guard->start < guard->bytes) {
		innermost = guard->outer;
		siglongjmp(guard->back, 1);
	}
	pass_on(sig, info, context);
}

static void prepare(void)
{
	/* SA_NODEFER: the way back is a jump, which restores no mask */
	struct sigaction ours = { .sa_sigaction = on_bus,
				  .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };

	sigemptyset(&ours.sa_mask);
	if (sigaction(SIGBUS, NULL, &before) || sigaction(SIGBUS, &ours, NULL))
		prepare_error = -errno;
}

int guard_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, prepare);
	return prepare_error;
}

void guard_push(struct guard *guard, const void *memory, size_t bytes)
{
	guard->start = (uintptr_t)memory;
	guard->bytes = bytes;
	guard->outer = innermost;
	innermost = guard;
	/* nothing of what is guarded moves before it */
	atomic_signal_fence(memory_order_seq_cst);
}

void guard_leave(struct guard *guard)
{
	atomic_signal_fence(memory_order_seq_cst);
	innermost = guard->outer;
}
