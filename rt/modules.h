/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files the process's code is in; see modules.c. */
#ifndef INLAY_RT_MODULES_H
#define INLAY_RT_MODULES_H

#include <stdbool.h>

#include "inlay/abi.h"

/*
 * Makes sure that the segment's table of modules has what was loaded since it was looked at last,
 * if one of the addresses is in no module that it has. Signal-safe; never waits, never faults.
 */
__attribute__((visibility("hidden"))) void __inlay_modules_see(const __u64 *ips, __u32 nr);

/*
 * Looks at what is loaded now, for that table and for the process's own (rt/build_ids.c). False: not
 * now, as another thread does or the list is being changed. Signal-safe; never waits, never faults.
 */
__attribute__((visibility("hidden"))) bool __inlay_modules_look(void);

#endif /* INLAY_RT_MODULES_H */
