/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of targets that the storm's probes (storm.bpf.c) sit in. */
#ifndef ASKED_H
#define ASKED_H

#include <errno.h>

#include "storm.h"

typedef unsigned long long u64;

/* What the probes answer for these; without them, that nothing is there. */
#define ASKED __attribute__((noinline))
#define NO_ANSWER(...)                                                                             \
	{                                                                                          \
		__asm__ volatile("" ::__VA_ARGS__ : "memory");                                     \
		return -ENOSYS;                                                                    \
	}
#define ASKED_KEYED(name)                                                                          \
	static ASKED long name(unsigned int what, u64 key, u64 n) NO_ANSWER("r"(what), "r"(key), "r"(n))
ASKED_KEYED(do_hash)
ASKED_KEYED(do_parts)
ASKED_KEYED(do_lru)
ASKED_KEYED(do_lru_parts)
ASKED_KEYED(do_trie)
ASKED_KEYED(do_queue)
ASKED_KEYED(do_stack)
static ASKED long do_count(unsigned int slot, u64 by) NO_ANSWER("r"(slot), "r"(by))
static ASKED long do_count_by_thread(unsigned int slot) NO_ANSWER("r"(slot))
static ASKED long do_inner(unsigned int slot, u64 by) NO_ANSWER("r"(slot), "r"(by))
static ASKED long do_locked(unsigned int which, unsigned int slot, u64 by)
	NO_ANSWER("r"(which), "r"(slot), "r"(by))
static ASKED long do_bloom(unsigned int what, u64 number) NO_ANSWER("r"(what), "r"(number))
static ASKED long do_ring(u64 slot, u64 n) NO_ANSWER("r"(slot), "r"(n))
static ASKED long do_events(u64 slot, u64 n) NO_ANSWER("r"(slot), "r"(n))
static ASKED long do_helpers(const void *address) NO_ANSWER("r"(address))
static ASKED long do_trace(void) NO_ANSWER("r"(0))
static __attribute__((unused)) ASKED long do_drain(unsigned int what) NO_ANSWER("r"(what))
static __attribute__((unused)) ASKED long do_group(unsigned int index) NO_ANSWER("r"(index))

#endif /* ASKED_H */
