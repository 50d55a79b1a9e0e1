/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of ring buffers, shared by the helpers of RINGBUF (map_ringbuf.c), perf_event_output()
 * (map_perf.c) and what claims space for both (map_ringbuf_claim.c).
 */
#ifndef INLAY_RT_MAP_RINGBUF_H
#define INLAY_RT_MAP_RINGBUF_H

#include <stdbool.h>

#include "rt/inline/map_ringbuf.h"
#include "rt/inlay_rt_internal.h"

/* Rings that this copy of libinlay has written to; of the first ones a thread may have a span. */
#define RING_MAX 64u
#ifndef RING_SEATS
#define RING_SEATS 4u
#endif
/* A span is at most this part of the ring. A test of every order of events has a tiny one. */
#ifndef RING_SPAN_SHIFT
#define RING_SPAN_SHIFT 4
#endif

/* A ring, written once; found by its descriptor, and by the address of a record. */
struct ring_entry {
	__u32 is_taken;		/* somebody is filling it, or has */
	__u32 pad0;
	const struct inlay_map_desc *desc;	/* NULL: not filled yet. Never dereferenced */
	char *region;
	__u64 size;
	__u64 bytes;	/* of the data with the slack */
};

struct ring_seat {
	__u64 span;	/* its position << 16 | its bytes / 8; 0: none */
	__u64 heat;	/* how much others were in the way lately */
	__u64 tail;	/* as our last claim of one record left it, once its header was written */
};

/*
 * What a thread knows. All is private memory; a signal handler may change it between any two
 * instructions of the thread, and leaves each word valid.
 */
struct ring_thread {
	__u32 epoch;	/* of the process when `owner` was asked for; 0: ask */
	__u32 owner;
	__u64 last;	/* entry used last */
	struct ring_seat seats[RING_SEATS];
};

/* A record of `bytes`, BUSY; NULL: no room, counted as lost. */
INLAY_HIDDEN void *__inlay_ring_reserve(const struct inlay_map_desc *desc, __u64 bytes);
/* Ends it, with INLAY_RING_DISCARD or 0, and wakes the consumer as `flags` say. */
INLAY_HIDDEN void __inlay_ring_commit(void *record, __u64 flags, __u64 discard);

/* Where the segment counts its processes, if this is the first of them; else NULL. */
INLAY_HIDDEN const __u32 *__inlay_ring_procs(void);

/* The calling thread's, in a test that has several (RING_TEST_THREADS). */
struct ring_thread *ring_thread_of_test(void);

#endif /* INLAY_RT_MAP_RINGBUF_H */
