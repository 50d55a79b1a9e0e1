/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_spin_lock() and bpf_spin_unlock(): a word in a map's value that names its holder, a thread.
 *
 * In the kernel a holder cannot be stopped. Here it can be at any instruction, for ever, by a signal,
 * SIGSTOP or SIGKILL; and nothing of ours may wait for ever. So:
 *  - who has waited for one holder for WAIT_NS, or for any for WAIT_ALL_NS, takes the lock away from it.
 *    A holder whose lock is gone leaves the word alone when it is done.
 *  - a signal handler that wants the lock which its own thread holds just goes on: the thread will not
 *    while the handler runs. The word says so, as it is the thread's own; `nested` keeps the inner
 *    section from releasing it.
 * Sections run for some ten instructions, so neither happens unless a holder is stopped.
 */
#include "rt/inlay_rt.h"
#include "rt/inline/clock.h"
#include "rt/inline/current.h"
#include "rt/sys.h"

#define WAIT_NS 20000000ull
#define WAIT_ALL_NS 100000000ull
#define SPINS 64u

#define HELD 0x80000000u
#define TID_MASK 0x3fffffu /* PID_MAX_LIMIT */

/* Sections that the thread is in, or about to be; and how many of them released nothing at their end.
 * Of one thread and its handlers only. */
static __thread struct {
	__u32 depth, nested;
} sections __attribute__((tls_model("initial-exec")));

static __u32 own_word(void)
{
	return HELD | ((__u32)__inlay_get_current_pid_tgid() & TID_MASK);
}

static inline void pause_cpu(void)
{
#if defined(__x86_64__)
	__asm__ volatile("pause");
#else
	__asm__ volatile("yield");
#endif
}

static int try_change(__u32 *lock, __u32 from, __u32 to)
{
	/* acquire or release as a section begins or ends; both, for a lock that is taken away */
	return __atomic_compare_exchange_n(lock, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static __attribute__((noinline, cold)) void wait(__u32 *lock, __u32 mine)
{
	__u64 began = (__u64)__inlay_ktime_get_ns(), since = began, now = began;
	__u32 holder = 0, word;

	for (;;) {
		for (__u32 i = 0; i < SPINS; i++) {
			word = __atomic_load_n(lock, __ATOMIC_RELAXED);
			if (!word && try_change(lock, 0, mine))
				return;
			pause_cpu();
		}
		now = (__u64)__inlay_ktime_get_ns();
		if (word != holder) {
			holder = word;
			since = now;
		}
		if ((now - since > WAIT_NS || now - began > WAIT_ALL_NS) &&
		    try_change(lock, word, mine))
			return;
		/* whoever writes the word all the time, without ever being a holder */
		if (now - began > 2 * WAIT_ALL_NS)
			return;
		sys_call3(__NR_sched_yield, 0, 0, 0);
	}
}

void __inlay_spin_lock_v1(void *at)
{
	__u32 *lock = at, mine = own_word();

	sections.depth++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST); /* before the word says that it is ours */
	if (__builtin_expect(try_change(lock, 0, mine), 1))
		return;
	if (__atomic_load_n(lock, __ATOMIC_RELAXED) != mine)
		wait(lock, mine);
	else if (sections.depth > 1)
		sections.nested++;
	/* else a thread of our number died here, and it is ours now */
}

void __inlay_spin_unlock_v1(void *at)
{
	if (__builtin_expect(sections.nested != 0, 0))
		sections.nested--;
	else
		try_change(at, own_word(), 0);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	sections.depth--;
}
