/* SPDX-License-Identifier: BSD-2-Clause */
/* struct bpf_stack_build_id of code addresses in this process; see build_ids.c. */
#ifndef INLAY_RT_BUILD_IDS_H
#define INLAY_RT_BUILD_IDS_H

#include <stdbool.h>

#include "inlay/abi.h"
#include "rt/loaded.h"

/* Takes a module into the process's table, unless it is there. Signal-safe, any thread. */
__attribute__((visibility("hidden"))) void __inlay_build_ids_take(const struct inlay_loaded *loaded);

/* The addresses of one stack, one after the other. All zero at first. */
struct inlay_build_ids {
	struct inlay_loaded_part part;	/* that held the last address */
	__u64 id[INLAY_LOADED_MARK_WORDS];
	bool has_id;
	bool has_looked;	/* for new modules */
	bool has_seen_all;	/* when it looked */
};

/*
 * The element of an address. Signal-safe; never waits, never faults, and makes no system call unless a
 * module was loaded since the last stack.
 */
__attribute__((visibility("hidden"))) void __inlay_build_id(struct inlay_build_ids *ids, __u64 ip,
							    __u64 *ret_words);

#endif /* INLAY_RT_BUILD_IDS_H */
