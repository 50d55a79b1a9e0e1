/* SPDX-License-Identifier: BSD-2-Clause */
/* The control group (version 2) of this process. Signal-safe. */
#ifndef INLAY_RT_CGROUP_H
#define INLAY_RT_CGROUP_H

#include "inlay/abi.h"

/* Its id, which is its directory's inode number; 0: cannot be known. */
__attribute__((visibility("hidden"))) __u64 __inlay_cgroup_id(void);
/*
 * The id of its ancestor at a level, 0 being the root that the process sees, and in *ret_level its own
 * level; 0: no such ancestor, or it cannot be known.
 */
__attribute__((visibility("hidden"))) __u64 __inlay_cgroup_ancestor(int level, int *ret_level);

#endif /* INLAY_RT_CGROUP_H */
