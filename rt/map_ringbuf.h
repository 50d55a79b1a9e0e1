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
	__u64 region_bytes;	/* as the descriptor has it */
};

struct ring_seat {
	__u64 span;	/* its position << 16 | its bytes / 8; 0: none */
	__u64 heat;	/* how much others were in the way lately */
	/* as our last claim of one record left the tail, and our last record the span's word, once
	 * its header was written */
	__u64 tail, word;
};

/*
 * What a thread knows. All is private memory; a signal handler may change it between any two
 * instructions of the thread, and leaves each word valid.
 */
struct ring_thread {
	__u32 epoch;	/* of the process when `owner` was asked for; 0: ask */
	__u32 owner;
	__u64 header;	/* what all headers of its records have: SET, BUSY and the owner */
	__u64 last;	/* of the first RING_SEATS entries the one used last */
	struct ring_seat seats[RING_SEATS];
};

/* Words that only the thread and its signal handlers change. */
#define load_signal(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define store_signal(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

extern INLAY_HIDDEN struct ring_entry __inlay_ring_entries[RING_MAX];

/* How many processes the segment has had, this one the first; NULL: not known. */
extern INLAY_HIDDEN const __u32 *__inlay_ring_nr_procs;

/* The calling thread's, in a test that has several. */
struct ring_thread *ring_thread_of_test(void);
#ifdef RING_TEST_THREADS
#define this_thread() ring_thread_of_test()
#define RING_MAY_RACE /* the test's hooks are ThreadSanitizer's */
#else
extern INLAY_HIDDEN __thread struct ring_thread __inlay_ring_thread
	__attribute__((tls_model("initial-exec")));
#define this_thread() (&__inlay_ring_thread)
/* no_sanitize would leave atomics instrumented */
#define RING_MAY_RACE __attribute__((disable_sanitizer_instrumentation))
#endif

/*
 * Whether `e` is the map's. A library that was unloaded may have left its addresses to another one,
 * whose ring is of another size.
 */
static inline bool ring_entry_is(const struct ring_entry *e, const struct inlay_map_desc *desc,
				 const char *region)
{
	/* pairs with who fills it */
	return load_acquire(&e->desc) == desc && e->region == region &&
	       e->region_bytes == desc->region_bytes;
}

static inline bool ring_entry_holds(const struct ring_entry *e, const void *record)
{
	__u64 off = (__u64)((const char *)record - inlay_ring_data(e->region)) - 8;

	/* a span's last records may lie behind the ring's end */
	return load_acquire(&e->desc) && off < e->bytes;
}

/*
 * The word of a span that was at `at`. A span that the consumer has closed may be free or
 * somebody's record by now: then this is not its word, which the word's position tells.
 * ThreadSanitizer would see a race with who wrote there.
 */
static inline RING_MAY_RACE __u64 ring_span_word(const __u64 *at)
{
	return load_acquire(at + 1); /* pairs with the consumer that closes it */
}

/* A record of `bytes`, BUSY; NULL: no room, counted as lost. */
INLAY_HIDDEN void *__inlay_ring_reserve(const struct inlay_map_desc *desc, __u64 bytes);
/* Ends it, with INLAY_RING_DISCARD or 0, and wakes the consumer as `flags` say. */
INLAY_HIDDEN void __inlay_ring_commit(void *record, __u64 flags, __u64 discard);

/* Where the segment counts its processes, if this is the first of them; else NULL. */
INLAY_HIDDEN const __u32 *__inlay_ring_procs(void);

/* The same in every case (map_ringbuf_claim.c), behind the short ways (map_ringbuf_fast.c). */
INLAY_HIDDEN void *__inlay_ring_reserve_slow(const struct inlay_map_desc *desc, __u64 bytes);
INLAY_HIDDEN void __inlay_ring_commit_slow(void *record, __u64 flags, __u64 discard);
/* Wakes the consumer if it waits for the record at `at`, whose header was `header`. */
INLAY_HIDDEN void __inlay_ring_commit_wake(const struct ring_entry *e, const __u64 *at,
					   __u64 header);

#endif /* INLAY_RT_MAP_RINGBUF_H */
