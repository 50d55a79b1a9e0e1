/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A segment that was cut short. Whoever may write to its file may also truncate it, and what a hit
 * then touches behind the end is a SIGBUS. The handler here puts private zeroes in the place of what
 * is gone, and the target runs on, counting for itself.
 *
 * It takes SIGBUS only where nobody else has it, and gives way to whoever wants it later; where
 * rt/fault.c owns the signal, it asks here first. Must not allocate, lock or wait.
 */
#include <signal.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sigaction.h"
#include "rt/sys.h"

/* -finlay-no-handler defines it, to any address but 0. */
extern char __inlay_no_handler_v1[] __attribute__((weak, visibility("default")));

/* header, regions and control blocks, shards; each is noted once */
#define RANGES_MAX                                                                                 \
	(1 + INLAY_SEGMENT_MAX_MAPS + INLAY_SEGMENT_MAX_OBJECTS + INLAY_SEGMENT_MAX_SHARDS)

static struct {
	char *at;
	__u64 bytes;
} ranges[RANGES_MAX];
static __u32 nr_ranges;

void __inlay_cut_note(void *at, __u64 bytes)
{
	__u32 i, nr = load_relaxed(&nr_ranges);

	for (i = 0; i < nr && i < RANGES_MAX; i++)
		if (load_relaxed(&ranges[i].at) == at && load_relaxed(&ranges[i].bytes) >= bytes)
			return;
	i = __atomic_fetch_add(&nr_ranges, 1u, __ATOMIC_RELAXED);
	if (i >= RANGES_MAX) {
		store_relaxed(&nr_ranges, (__u32)RANGES_MAX);
		return;
	}
	store_relaxed(&ranges[i].bytes, bytes);
	store_release(&ranges[i].at, (char *)at); /* pairs with __inlay_cut_repair_own() */
}

void __inlay_cut_forget(const void *at)
{
	for (__u32 i = 0; i < RANGES_MAX && i < load_relaxed(&nr_ranges); i++)
		if (load_relaxed(&ranges[i].at) == at)
			store_release(&ranges[i].at, NULL);
}

int __inlay_cut_repair_own(const void *address)
{
	for (__u32 i = 0; i < RANGES_MAX && i < load_relaxed(&nr_ranges); i++) {
		char *at = load_acquire(&ranges[i].at); /* pairs with __inlay_cut_note() */
		__u64 bytes = load_relaxed(&ranges[i].bytes);
		__u64 off = (__u64)((const char *)address - at);

		if (!at || off >= bytes)
			continue;
		/* what is behind this page is gone, too */
		off &= ~(__u64)(INLAY_PAGE_BYTES - 1);
		return sys_mmap(at + off, bytes - off, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != NULL;
	}
	return 0;
}

static void on_bus(int sig, siginfo_t *info, void *context)
{
	struct kernel_action dfl = { 0 };

	(void)context;
	if (info->si_code == BUS_ADRERR && __inlay_cut_repair_own(info->si_addr))
		return;
	/* as without us: a fault comes again when we return, and what was sent is sent again */
	kernel_sigaction(sig, &dfl, NULL);
	/* nor does what the machine found by itself come again */
	if (info->si_code <= 0 || info->si_code == BUS_MCEERR_AO)
		sys_call4(__NR_rt_tgsigqueueinfo, sys_getpid(), sys_gettid(), sig, info);
}

int __inlay_cut_is_handler(__u64 handler)
{
	return handler == (__u64)on_bus;
}

void __inlay_cut_start(void)
{
	struct kernel_action old = { 0 }, act = { .handler = (__u64)on_bus };

	if (__inlay_no_handler_v1)
		return;
	if (kernel_sigaction(SIGBUS, NULL, &old) || old.handler)
		return;
	act.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
	kernel_action_complete(&act);
	kernel_sigaction(SIGBUS, &act, NULL);
}
