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
#include "rt/sys.h"

/* A span is at most this part of the ring. A test of every order of events has a tiny one. */
#ifndef RING_SPAN_SHIFT
#define RING_SPAN_SHIFT 4
#endif

/* A ring that this copy of libinlay has written to, written once: found by its descriptor, and by the
 * address of a record. */
struct ring_entry {
	__u32 is_taken;		/* somebody is filling it, or has */
	__u32 pad0;
	const struct inlay_map_desc *desc;	/* NULL: not filled yet. Never dereferenced */
	char *region;
	__u64 size;
	__u64 bytes;	/* of the data with the slack */
	__u64 region_bytes;	/* as the descriptor has it */
};

#define load_signal(p) inlay_load_signal(p)
#define store_signal(p, v) inlay_store_signal(p, v)

#ifdef RING_TEST_THREADS
#define RING_MAY_RACE /* the test's hooks are ThreadSanitizer's */
#else
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

/*
 * Takes a record of the span by its word. The consumer may close and free the span between the look and
 * this, and somebody fill a record there: then the exchange fails, which is what it is for, and a locked
 * one that fails leaves what others store alone. ThreadSanitizer counts it as a store. What records hold is
 * ordered by their headers, not by this.
 */
static inline RING_MAY_RACE bool ring_span_take(__u64 *at, __u64 *word, __u64 next)
{
	return cas_acq_rel(at + 1, word, next);
}

/* ---- Words, for who claims (map_ringbuf_claim.c, map_ringbuf_span.c) -------------------------- */

enum { RING_TRIES_MAX = 1000, RING_HEAT_MAX = 96 };

struct ring {
	char *region;
	__u64 size;
	__u32 owner;
};

static inline struct inlay_ring_header *ring_header(const struct ring *r)
{
	return (struct inlay_ring_header *)r->region;
}

static inline __u64 ring_word_extent(const struct ring *r, __u64 word)
{
	__u32 extent = INLAY_RING_WORD_EXTENT(word);

	if (INLAY_UNLIKELY(extent & INLAY_RING_WORD_BIG))
		return (extent & ~INLAY_RING_WORD_BIG) * inlay_ring_grain(r->size);
	return 8ull * extent;
}

static inline __u64 ring_header_make(const struct ring *r, __u64 bytes, __u64 flags)
{
	return INLAY_RING_SET | INLAY_RING_BUSY | flags | bytes |
	       (__u64)r->owner << INLAY_RING_OWNER_SHIFT;
}

static inline __u64 ring_span_bytes(const struct ring *r)
{
	__u64 bytes = r->size >> RING_SPAN_SHIFT;

	return bytes < INLAY_RING_SPAN_MAX_BYTES ? bytes : INLAY_RING_SPAN_MAX_BYTES;
}

/*
 * map_ringbuf_span.c: begins the span that was claimed at `pos`, for a seat whose `end` says that it is
 * claiming: its first record, of `bytes` and `extent` with its header.
 */
INLAY_HIDDEN void *__inlay_ring_span_start(const struct ring *r, struct inlay_ring_seat *seat,
					   __u64 pos, __u64 span_bytes, __u32 slot, __u64 extent,
					   __u64 bytes);
/* The next record of an open span of ours, where the short way found none; NULL: it is over. */
INLAY_HIDDEN void *__inlay_ring_span_next(const struct ring *r, struct inlay_ring_seat *seat,
					  __u64 bytes);
/*
 * Whether we are a handler that interrupted the thread when it was about to take a record in its span, or to
 * begin one. Then that span is over: what we claim is later. So it is if a handler left by longjmp(), and
 * what it was doing there may be half done.
 */
INLAY_HIDDEN bool __inlay_ring_span_is_busy(const struct ring *r, struct inlay_ring_seat *seat);

/* There, depths tell nothing: it may be a piece of the thread's own stack, or above it. */
static inline bool ring_is_on_alternate_stack(void)
{
	stack_t now;

	now.ss_flags = SS_ONSTACK; /* if the call fails */
	sys_call3(__NR_sigaltstack, NULL, &now, 0);
	return now.ss_flags & SS_ONSTACK;
}

/* ---- Parts ------------------------------------------------------------------------------ */

/* A record of `bytes`, BUSY; NULL: no room, counted as lost. */
INLAY_HIDDEN void *__inlay_ring_reserve(const struct inlay_map_desc *desc, __u64 bytes);
/* Ends it, with INLAY_RING_DISCARD or 0, and wakes the consumer as `flags` say. */
INLAY_HIDDEN void __inlay_ring_commit(void *record, __u64 flags, __u64 discard);

/* The common bodies behind these and bpf_ringbuf_reserve() and its like are in rt/inline. */

/*
 * map_ringbuf_lone.c: whether the calling thread may claim in the ring, by a locked instruction; no: it
 * is not settled yet that the lone one is out of the way, and the event is lost. May make the thread
 * the lone one (`seat`: its seat there, or NULL), and ends that it is.
 */
INLAY_HIDDEN bool __inlay_ring_may_claim(struct inlay_ring_header *h, __u32 owner,
					 struct inlay_ring_seat *seat);

/* The thread's slot in the ring, + 1, taken if there is a free one; else 0. */
INLAY_HIDDEN __u32 __inlay_ring_slot(struct inlay_ring_header *h, __u32 owner,
				     struct inlay_ring_seat *seat);
/* A handler that was in the middle of a claim may have left by longjmp(): then `busy` is cleared. Of
 * the thread that it is, on its own stack; not by a handler that interrupts it. */
INLAY_HIDDEN bool __inlay_ring_is_busy(__u64 *busy);
INLAY_HIDDEN void __inlay_ring_seat_stack(struct inlay_ring_seat *seat);

/* rt/vdso.c, for whoever has waited too long */
__u64 __inlay_monotonic_ns(void);

/* map_ringbuf_barrier.c: whether others can make all threads of this process pass a barrier, and the
 * barrier: in all threads of such processes; false where it cannot be had. */
INLAY_HIDDEN bool __inlay_ring_has_barrier(void);
INLAY_HIDDEN bool __inlay_ring_barrier(void);

#endif /* INLAY_RT_MAP_RINGBUF_H */
