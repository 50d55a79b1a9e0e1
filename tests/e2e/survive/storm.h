/* SPDX-License-Identifier: BSD-2-Clause */
/* What the storm's probes and its target agree on. */
#ifndef STORM_H
#define STORM_H

enum {
	STORM_PROCS = 3,
	STORM_THREADS = 2,			/* of each process */
	STORM_SLOTS = STORM_PROCS * STORM_THREADS, /* one a thread, handed on by the dead */
	STORM_OWN = STORM_SLOTS,		/* the slot of who looks on */
	STORM_KEYS = 16,			/* of each slot */
	STORM_LOCKS = 2,
	STORM_LIVE = (STORM_SLOTS + 1) * STORM_KEYS,
	/* what threads have in their hands takes room, too */
	STORM_MAX_ENTRIES = STORM_LIVE + STORM_SLOTS + 1,
	STORM_DEPTHS = 2,
};

/* what is asked of a map with keys */
enum storm_what { STORM_PUT, STORM_DELETE, STORM_GET };

/* what is asked of the drain of messages from outside: to drain, or how far that is */
enum { STORM_DRAIN, STORM_DRAINED, STORM_DRAINED_AGAIN, STORM_DRAINED_WRONG };
/* asked of the array of groups: the id of one's own */
enum { STORM_OWN_GROUP = 100 };

/* answers of STORM_GET beside a number >= 0 and the kernel's errors */
enum { STORM_TORN = -1000 };

/* A value whose words say whether they were written together. */
struct storm_value {
	unsigned long long key, n, sum, xor;
};

/* An event, the same. */
struct storm_event {
	unsigned long long slot, n, sum, xor;
};

#endif /* STORM_H */
