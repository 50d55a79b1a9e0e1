/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers: the short ways of a thread that goes on where it was, behind its own last claim or
 * in its own span. Whatever else is the case is for map_ringbuf_claim.c.
 *
 * What a record costs here is the number of instructions, so checks come one after the other: side
 * by side they need registers that must be saved.
 */
#include "rt/inline/thread.h"
#include "rt/map_ringbuf.h"

#if defined(__x86_64__) && !defined(RING_TEST_THREADS) && !__has_feature(thread_sanitizer)
extern char __libc_single_threaded __attribute__((weak)); /* glibc 2.32 */

/*
 * Nobody else can be in a claim now: then a locked instruction can be saved. A process that joins,
 * or is forked, has counted itself long before its first one; a thread, libc before it begins.
 */
static inline bool is_alone(void)
{
	const __u32 *nr = load_relaxed(&__inlay_ring_nr_procs);

	/* nr: only where libc tells */
	return nr && load_relaxed(nr) == 1 && __libc_single_threaded;
}

/* The compare-exchange that no signal handler can come between, but another processor could. */
static inline bool cas_alone(__u64 *p, __u64 *old, __u64 new)
{
	bool is_done;

	__asm__ volatile("cmpxchgq %3, %1"
			 : "=@ccz"(is_done), "+m"(*p), "+a"(*old)
			 : "r"(new)
			 : "memory");
	return is_done;
}
#else
static inline bool is_alone(void)
{
	return false;
}

static inline bool cas_alone(__u64 *p, __u64 *old, __u64 new)
{
	return cas_acq_rel(p, old, new);
}
#endif

/* Whether what the thread knows of itself is still true. */
static inline bool is_known(const struct ring_thread *t)
{
	__u32 epoch = load_relaxed(&__inlay_process_v1.epoch);

	return epoch && epoch == load_signal(&t->epoch);
}

/* `header`: the thread's, and flags. */
static inline void *record_start(__u64 *at, __u64 header, __u64 bytes)
{
	store_relaxed(at, header + bytes);
	/* a handler that sees what comes next sees a header */
	__atomic_signal_fence(__ATOMIC_RELEASE);
	return at + 1;
}

/*
 * The next record of the thread's span. `seat->word` is what the thread left there, behind a record
 * whose header is written. Another word means that the consumer has closed it, or that we are a
 * handler that came between the two. Not inlined: it would cost the other way registers.
 */
static __attribute__((noinline)) void *reserve_in_span(const struct inlay_map_desc *desc,
						       __u64 bytes, const struct ring_entry *e,
						       struct ring_seat *seat)
{
	__u64 span = load_signal(&seat->span), word = load_signal(&seat->word), next;
	__u64 used = INLAY_RING_WORD_USED(word), units = (bytes + 15) >> 3;
	__u64 *at = inlay_ring_at(e->region, e->size, span >> 16);

	if (INLAY_UNLIKELY((INLAY_RING_WORD_POS(word) != span >> 16) |
			   (used + units > (span & 0xffff)) | (ring_span_word(at) != word)))
		return __inlay_ring_reserve_slow(desc, bytes);
	next = (word & ~(0x3fffull << INLAY_RING_WORD_EXTENT_SHIFT)) +
	       (units << INLAY_RING_WORD_EXTENT_SHIFT | units);
	if (INLAY_UNLIKELY(!cas_acq_rel(at + 1, &word, next)))
		return __inlay_ring_reserve_slow(desc, bytes);
	record_start(at + used, load_signal(&this_thread()->header) + INLAY_RING_IN_SPAN, bytes);
	store_signal(&seat->word, next);
	return at + used + 1;
}

static inline __attribute__((always_inline)) void *reserve(const struct inlay_map_desc *desc,
							   __u64 bytes)
{
	struct ring_thread *t = this_thread();
	__u64 last = load_signal(&t->last), units = (bytes + 15) >> 3, tail, next, pos, end;
	char *region = inlay_map_region(desc);
	struct ring_seat *seat = &t->seats[last];
	const struct ring_entry *e = &__inlay_ring_entries[last];
	struct inlay_ring_header *h = (struct inlay_ring_header *)region;
	__u64 *at;

	if (INLAY_UNLIKELY(bytes >= (1u << 16) - 16 || !is_known(t) ||
			   !ring_entry_is(e, desc, region)))
		return __inlay_ring_reserve_slow(desc, bytes);
	if (INLAY_UNLIKELY(load_signal(&seat->span)))
		return reserve_in_span(desc, bytes, e, seat);
	tail = load_acquire(&h->tail); /* pairs with other claims */
	pos = tail >> INLAY_RING_WORD_POS_SHIFT;
	end = 8 * (pos + units);
	/* acquire: the consumer's zeros come before. A ring has less than 2^32 bytes */
	if (INLAY_UNLIKELY(tail != load_signal(&seat->tail) ||
			   (__u32)(end - load_acquire(&h->free_pos)) >= (__u32)e->size))
		return __inlay_ring_reserve_slow(desc, bytes);
	/* what depends on the tail last: the next record waits for it */
	next = (tail & ~((1ull << INLAY_RING_WORD_POS_SHIFT) - 1)) +
	       (units << INLAY_RING_WORD_POS_SHIFT | units << INLAY_RING_WORD_EXTENT_SHIFT |
		(load_signal(&t->owner) & INLAY_RING_WORD_OWNER_MASK));
	at = inlay_ring_at(region, e->size, 8 * pos);
	if (INLAY_UNLIKELY(!(is_alone() ? cas_alone(&h->tail, &tail, next) :
					  cas_acq_rel(&h->tail, &tail, next))))
		return __inlay_ring_reserve_slow(desc, bytes);
	record_start(at, load_signal(&t->header), bytes);
	store_signal(&seat->tail, next);
	return at + 1;
}

static inline __attribute__((always_inline)) void commit(void *record, __u64 flags, __u64 discard)
{
	struct ring_thread *t = this_thread();
	const struct ring_entry *e = &__inlay_ring_entries[load_signal(&t->last)];
	const struct inlay_ring_header *h = (const struct inlay_ring_header *)e->region;
	__u64 *at = (__u64 *)record - 1, header = load_relaxed(at), off;
	__u64 who = INLAY_RING_BUSY | (__u64)INLAY_OWNER_MASK << INLAY_RING_OWNER_SHIFT;

	if (INLAY_UNLIKELY(flags || ((header ^ load_signal(&t->header)) & who) || !is_known(t) ||
			   !ring_entry_holds(e, record))) {
		__inlay_ring_commit_slow(record, flags, discard);
		return;
	}
	/* release: the record is written; pairs with the consumer's load */
	store_release(at, (header & ~INLAY_RING_BUSY) | discard);
	off = (__u64)((const char *)at - inlay_ring_data(e->region));
	if (INLAY_UNLIKELY(((off - load_acquire(&h->consumer_pos)) & (e->size - 1)) <=
			   INLAY_RING_SPAN_HEAD_BYTES))
		__inlay_ring_commit_wake(e, at, header);
}

void *__inlay_ring_reserve(const struct inlay_map_desc *desc, __u64 bytes)
{
	return reserve(desc, bytes);
}

void __inlay_ring_commit(void *record, __u64 flags, __u64 discard)
{
	commit(record, flags, discard);
}

void *__inlay_ringbuf_reserve_v1(const struct inlay_map_desc *desc, __u64 bytes, __u64 flags)
{
	if (INLAY_UNLIKELY(flags))
		return NULL;
	return reserve(desc, bytes);
}

void __inlay_ringbuf_submit_v1(void *record, __u64 flags)
{
	commit(record, flags, 0);
}

void __inlay_ringbuf_discard_v1(void *record, __u64 flags)
{
	commit(record, flags, INLAY_RING_DISCARD);
}
