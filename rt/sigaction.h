/* SPDX-License-Identifier: BSD-2-Clause */
/* Signal actions as the kernel has them, past libc. */
#ifndef INLAY_RT_SIGACTION_H
#define INLAY_RT_SIGACTION_H

#include "rt/sys.h"

struct kernel_action {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer; /* arm64 has it, too, and does without */
	uint64_t mask;
};

#if defined(__x86_64__)
#define KERNEL_SA_RESTORER 0x04000000u
/* Where a handler returns to, rt/sigreturn.c. */
__attribute__((visibility("hidden"))) void __inlay_sigreturn(void);
#endif

/* To be installed without libc: with a way back from the handler. */
static inline void kernel_action_complete(struct kernel_action *act)
{
#if defined(__x86_64__)
	act->flags |= KERNEL_SA_RESTORER;
	act->restorer = (uint64_t)__inlay_sigreturn;
#else
	(void)act;
#endif
}

/* Either may be NULL. 0 or -errno. */
static inline int kernel_sigaction(int sig, const struct kernel_action *act,
				   struct kernel_action *old)
{
	return (int)sys_call4(__NR_rt_sigaction, sig, act, old, sizeof(act->mask));
}

#endif /* INLAY_RT_SIGACTION_H */
