/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Touching memory whose file somebody may cut short: a SIGBUS in there becomes an error.
 *
 *	struct guard guard;
 *
 *	if (guard_enter(&guard, memory, bytes))
 *		return -ESTALE;
 *	...
 *	guard_leave(&guard);
 *
 * Locals that change in between and are used after a fault are volatile. A guard takes no other
 * function's memory, and calls of foreign code (callbacks) are made outside of it.
 */
#ifndef INLAY_READER_GUARD_H
#define INLAY_READER_GUARD_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

struct guard {
	sigjmp_buf back;
	uintptr_t start;
	size_t bytes;
	struct guard *outer;
};

/* Puts the handler in its place, once. 0 or -errno. */
int guard_prepare(void);

void guard_push(struct guard *guard, const void *memory, size_t bytes);
void guard_leave(struct guard *guard);

/*
 * 0; or 1, a second time, after a fault. A macro, as what calls sigsetjmp() must not return
 * before.
 */
#define guard_enter(guard, memory, size)                                                           \
	(sigsetjmp((guard)->back, 0) ? 1 : (guard_push(guard, memory, size), 0))

#endif /* INLAY_READER_GUARD_H */
