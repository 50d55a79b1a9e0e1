/* SPDX-License-Identifier: BSD-2-Clause */
/* What a module's program headers say; see loaded.c. */
#ifndef INLAY_RT_LOADED_H
#define INLAY_RT_LOADED_H

#include <stdbool.h>

#include "inlay/abi.h"

/* How memory is read. */
enum inlay_how {
	INLAY_HOW_PLAIN,	/* it stays as it is */
	INLAY_HOW_GUARDED,
	INLAY_HOW_CALL,
};

/* False: it cannot be read. Signal-safe. */
__attribute__((visibility("hidden"))) bool __inlay_fetch(enum inlay_how how, void *dst, __u64 addr,
							 __u64 bytes);

/* Most files have 4 or 5; of what is beyond is known that it is there. */
#define INLAY_LOADED_PARTS 6u
#define INLAY_LOADED_MARK_WORDS 3u

/* One PT_LOAD: a file's bytes from `off` on stand at `start`. Whole pages, as they are mapped. */
struct inlay_loaded_part {
	__u64 start, bytes, off;
};

struct inlay_loaded {
	__u64 start, end;	/* around all that is loaded */
	__u64 nr_parts;
	struct inlay_loaded_part parts[INLAY_LOADED_PARTS];
	/*
	 * What stands in memory as long as the module does, and not in another one: its build id (of a
	 * longer one the first 20 bytes, with zeros behind the end). Where it has none, its program
	 * headers, which would lead to one; of these, a sum.
	 */
	__u64 mark_at, mark_bytes;
	__u64 mark[INLAY_LOADED_MARK_WORDS];
	__u64 id_bytes;		/* as in the file; 0: none */
};

/* Of whole words. False: they cannot be read. Signal-safe. */
__attribute__((visibility("hidden"))) bool __inlay_loaded_sum(enum inlay_how how, __u64 at,
							      __u64 bytes, __u64 *ret_sum);

/* False: nothing is loaded there, or it cannot be read. Signal-safe. */
__attribute__((visibility("hidden"))) bool __inlay_loaded_read(enum inlay_how how, __u64 bias,
							       __u64 phdrs, __u32 nr,
							       struct inlay_loaded *ret_loaded);

#endif /* INLAY_RT_LOADED_H */
