/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers: the short ways of a thread that goes on where it was, behind its own last claim or in
 * its own span. Whatever else is the case is for map_ringbuf_claim.c. Leaves without a frame, and
 * what is compared is loaded side by side: a locked instruction and what depends on it is most of the
 * cost, the number of instructions the rest.
 */
#include "rt/inline/thread.h"
#include "rt/map_ringbuf.h"

#if defined(__x86_64__) && !defined(RING_TEST_THREADS) && !__has_feature(thread_sanitizer)
extern char __libc_single_threaded __attribute__((weak)); /* glibc 2.32 */

/*
 * Nobody else can be in a claim now: then a locked instruction can be saved. A process that joins, or is
 * forked, has counted itself long before its first one; a thread, libc before it begins.
 */
static inline bool is_alone(void)
{
	const __u32 *nr = load_relaxed(&__inlay_ring_nr_procs);

	return nr && load_relaxed(nr) == 1 && &__libc_single_threaded && __libc_single_threaded;
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

/* Whether the thread knows who it is, and `e` is the ring that it used last. */
static inline bool is_known(const struct ring_thread *t)
{
	__u32 epoch = load_relaxed(&__inlay_process_v1.epoch);

	return (epoch != 0) & (epoch == load_signal(&t->epoch));
}

static inline void *record_start(__u64 *at, __u64 bytes, __u64 owner, __u64 flags)
{
	store_relaxed(at, (INLAY_RING_SET | INLAY_RING_BUSY | flags) + bytes +
				  (owner << INLAY_RING_OWNER_SHIFT));
	/* a handler that sees what comes next sees a header */
	__atomic_signal_fence(__ATOMIC_RELEASE);
	return at + 1;
}

/*
 * The next record of the thread's span. `seat->word` is what the thread left there, behind a record whose
 * header is written. Another word means that the consumer has closed it, or that we are a handler that came
 * between the two.
 */
static inline void *reserve_in_span(const struct inlay_map_desc *desc, const struct ring_entry *e,
				    struct ring_seat *seat, __u64 span, __u64 bytes, __u32 owner)
{
	__u64 word = load_signal(&seat->word), units = (bytes + 15) >> 3, next;
	__u64 used = INLAY_RING_WORD_USED(word);
	__u64 *at = inlay_ring_at(e->region, e->size, span >> 16), *record = at + used;

	if (INLAY_UNLIKELY((INLAY_RING_WORD_POS(word) != span >> 16) |
			   (used + units > (span & 0xffff)) | (ring_span_word(at) != word)))
		return __inlay_ring_reserve_slow(desc, bytes);
	next = (word >> INLAY_RING_WORD_POS_SHIFT << INLAY_RING_WORD_POS_SHIFT) + used +
	       (units * ((1u << INLAY_RING_WORD_EXTENT_SHIFT) + 1));
	if (INLAY_UNLIKELY(!cas_acq_rel(at + 1, &word, next)))
		return __inlay_ring_reserve_slow(desc, bytes);
	record_start(record, bytes, owner, INLAY_RING_IN_SPAN);
	store_signal(&seat->word, next);
	return record + 1;
}

static inline __attribute__((always_inline)) void *reserve(const struct inlay_map_desc *desc,
							   __u64 bytes)
{
	struct ring_thread *t = this_thread();
	__u64 last = load_signal(&t->last), units = (bytes + 15) >> 3, span, tail, old, next, end;
	__u32 owner = load_signal(&t->owner);
	char *region = inlay_map_region(desc);
	struct ring_seat *seat = &t->seats[last & (RING_SEATS - 1)];
	const struct ring_entry *e = &__inlay_ring_entries[last];
	struct inlay_ring_header *h;
	__u64 *at;

	if (INLAY_UNLIKELY(!ring_entry_is(e, desc, region) | !region |
			   (last >= RING_SEATS) | (bytes >= (1u << 16) - 16) | !is_known(t)))
		return __inlay_ring_reserve_slow(desc, bytes);
	span = load_signal(&seat->span);
	if (INLAY_UNLIKELY(span != 0))
		return reserve_in_span(desc, e, seat, span, bytes, owner);
	h = (struct inlay_ring_header *)region;
	tail = load_acquire(&h->tail); /* pairs with other claims */
	end = INLAY_RING_WORD_POS(tail) + 8 * units;
	/* acquire: the consumer's zeros come before */
	if (INLAY_UNLIKELY((tail != load_signal(&seat->tail)) |
			   (((end - load_acquire(&h->free_pos)) & INLAY_RING_WORD_POS_MASK) >=
			    e->size)))
		return __inlay_ring_reserve_slow(desc, bytes);
	next = ((tail >> INLAY_RING_WORD_POS_SHIFT) + units) << INLAY_RING_WORD_POS_SHIFT |
	       units << INLAY_RING_WORD_EXTENT_SHIFT | (owner & INLAY_RING_WORD_OWNER_MASK);
	at = inlay_ring_at(region, e->size, INLAY_RING_WORD_POS(tail));
	old = tail;
	if (INLAY_UNLIKELY(!(is_alone() ? cas_alone(&h->tail, &old, next) :
					  cas_acq_rel(&h->tail, &old, next))))
		return __inlay_ring_reserve_slow(desc, bytes);
	record_start(at, bytes, owner, 0);
	store_signal(&seat->tail, next);
	return at + 1;
}

static inline __attribute__((always_inline)) void commit(void *record, __u64 flags, __u64 discard)
{
	struct ring_thread *t = this_thread();
	const struct ring_entry *e = &__inlay_ring_entries[load_signal(&t->last)];
	const struct inlay_ring_header *h = (const struct inlay_ring_header *)e->region;
	__u64 *at = (__u64 *)record - 1, header = load_relaxed(at), off;
	__u64 mine = INLAY_RING_BUSY + ((__u64)load_signal(&t->owner) << INLAY_RING_OWNER_SHIFT);
	__u64 who = INLAY_RING_BUSY + ((__u64)INLAY_OWNER_MASK << INLAY_RING_OWNER_SHIFT);

	if (INLAY_UNLIKELY(!ring_entry_holds(e, record) | !is_known(t) |
			   (((header ^ mine) & who) != 0) | (flags != 0))) {
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
