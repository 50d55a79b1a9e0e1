/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the fault handler (rt/fault.c): where it can be, and what it repairs for others. */
#ifndef INLAY_RT_FAULT_H
#define INLAY_RT_FAULT_H

#include <signal.h>
#include <stdbool.h>

#include "inlay/abi.h"

#define INLAY_FAULT_HIDDEN __attribute__((visibility("hidden")))

/* fault_where.c */
/* The target wants no handlers of ours, or cannot have any: reading is by system call. */
INLAY_FAULT_HIDDEN bool __inlay_fault_is_unwanted(void);
/* Nobody in the process can replace our handlers through libc's names without our knowing. */
INLAY_FAULT_HIDDEN bool __inlay_fault_is_interposing(void);

/* fault_ranges.c: fixups of other copies, as in rt/probe_copy.h */
INLAY_FAULT_HIDDEN void __inlay_fault_ranges_add(const __s32 *fixups, __u64 nr_fixups);
INLAY_FAULT_HIDDEN void __inlay_fault_ranges_remove(const __s32 *fixups, __u64 nr_fixups);
/* Where to go on after a fault at pc in another copy; 0: nowhere. Signal-safe. */
INLAY_FAULT_HIDDEN __u64 __inlay_fault_range_resume(__u64 pc);

/*
 * The kernel lets only a process's first thread send a signal to the process with a code that is
 * not negative: other threads send it with another code, and who gets it puts it right.
 */
#define INLAY_FAULT_CODE_SHIFT 0x10000

static inline void inlay_fault_code_hide(siginfo_t *info)
{
	if (info->si_code >= 0)
		info->si_code -= INLAY_FAULT_CODE_SHIFT;
}

static inline void inlay_fault_code_restore(siginfo_t *info)
{
	if (info->si_code < -INLAY_FAULT_CODE_SHIFT / 2)
		info->si_code += INLAY_FAULT_CODE_SHIFT;
}

#endif /* INLAY_RT_FAULT_H */
