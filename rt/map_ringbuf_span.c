/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans of ring buffers: several records of one thread in one claim. How a record is taken in one is in
 * include/inlay/ring.h, which closes them, and in rt/inline/map_ringbuf.h, which has the short way; here a
 * span begins and ends.
 *
 * A signal handler may come between any two steps. What a thread knows of its span changes only while
 * its slot says busy, and a handler that finds that leaves it alone but for `end`, which says
 * then that the span is over: the handler claims in the ring, and what the thread takes from then on
 * must not stand before that. Who is about to begin a span has written INLAY_RING_END_CLAIMING there:
 * if it is gone, a handler has claimed something meanwhile.
 */
#include "rt/map_ringbuf.h"

/* The last bytes of a span, in which its owner makes ready for the next one. */
#define TAIL_MAX_BYTES 4096u
static inline __u64 tail_bytes(__u64 span_bytes)
{
	return span_bytes / 4 < TAIL_MAX_BYTES ? span_bytes / 4 : TAIL_MAX_BYTES;
}

INLAY_STATIC_ASSERT(INLAY_RING_SPAN_MAX_BYTES % 16 == 0, "half of a span has whole units, too");

/* Some lines from `at` on, which another processor has had last. */
static inline void prefetch_lines(const char *at)
{
	__u32 i;

	for (i = 0; i <= INLAY_RING_AHEAD_BYTES; i += 64)
		inlay_ring_prefetch(at + i);
}

/*
 * Makes the span at `pos` the one that we take records in, the next one at `next`, and shows it to the
 * consumer. If a handler has claimed something behind it meanwhile, only the latter: to the consumer
 * it is a span that its owner has left.
 */
static void span_open(const struct ring *r, struct inlay_ring_seat *seat, __u64 pos, __u64 bytes,
		      __u32 slot, __u64 *next, __u64 header)
{
	struct inlay_ring_slot *s = &ring_header(r)->slots[slot - 1];
	__u64 *at = inlay_ring_at(r->region, r->size, pos), end = (__u64)at + bytes;
	__u64 claiming = INLAY_RING_END_CLAIMING;
	__u64 word = (pos & INLAY_RING_WORD_POS_MASK) | INLAY_RING_SLOT_OPEN |
		     bytes << INLAY_RING_SLOT_BYTES_SHIFT;

	inlay_ring_set_busy(&s->busy, inlay_ring_stack());
	if (load_signal(&seat->end) == claiming) {
		store_signal(&seat->span, word);
		store_signal(&seat->next, (__u64)next);
		store_release(&s->span, word); /* pairs with the consumer in our last span */
		if ((__u64)next < end - tail_bytes(bytes))
			end -= tail_bytes(bytes);
		__atomic_compare_exchange_n(&seat->end, &claiming, end, 0, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
	}
	/* release: with its first record, and what the slot says */
	store_release(at, header);
	inlay_ring_set_busy(&s->busy, 0);
}

/* The same for a thread without a slot. */
static void span_open_locked(const struct ring *r, struct inlay_ring_seat *seat, __u64 pos, __u64 bytes,
			     __u64 extent, __u64 header)
{
	__u64 *at = inlay_ring_at(r->region, r->size, pos), claiming = INLAY_RING_END_CLAIMING;
	__u64 word = pos >> 3 << INLAY_RING_WORD_POS_SHIFT |
		     extent >> 3 << INLAY_RING_WORD_EXTENT_SHIFT |
		     (INLAY_RING_SPAN_HEAD_BYTES + extent) >> 3;

	store_relaxed(at + 1, word);
	/* release: the consumer finds the span's word */
	store_release(at, header);
	__atomic_compare_exchange_n(&seat->end, &claiming,
				    (pos & INLAY_RING_WORD_POS_MASK) << 16 | bytes >> 1 |
					    INLAY_RING_END_LOCKED, 0,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void *__inlay_ring_span_start(const struct ring *r, struct inlay_ring_seat *seat, __u64 pos,
			      __u64 span_bytes, __u32 slot, __u64 extent, __u64 bytes)
{
	__u64 *at = inlay_ring_at(r->region, r->size, pos);
	__u64 header = ring_header_make(r, span_bytes - INLAY_RING_HEADER_BYTES +
					      ((__u64)slot << INLAY_RING_SPAN_SLOT_SHIFT),
				   INLAY_RING_SPAN);

	prefetch_lines((const char *)at);
	store_relaxed(at + 2, ring_header_make(r, bytes, INLAY_RING_IN_SPAN));
	if (slot)
		span_open(r, seat, pos, span_bytes, slot, at + 2 + (extent >> 3), header);
	else
		span_open_locked(r, seat, pos, span_bytes, extent, header);
	return at + 3;
}

/* The next record of a span without a slot; NULL: it is over. *ret_used: its bytes in use. */
static void *span_next_locked(const struct ring *r, __u64 span, __u64 bytes, __u64 *ret_used)
{
	__u64 pos = span >> 16, units = (span & 0xffff) >> 2, word = 0;
	__u64 extent = inlay_ring_extent(r->size, bytes) >> 3;
	__u64 *at = inlay_ring_at(r->region, r->size, pos), *record;
	__u32 tries;

	for (tries = 0; tries < RING_TRIES_MAX; tries++) {
		__u64 used, last, next;

		word = ring_span_word(at);
		used = INLAY_RING_WORD_USED(word);
		last = INLAY_RING_WORD_EXTENT(word);

		/* not our span any more; closed; full; or we are a signal handler and interrupted the
		 * thread when it had taken one and not written the header yet */
		if (INLAY_RING_WORD_POS(word) != pos || (word & INLAY_RING_WORD_CLOSED) ||
		    used < 2 || used > units || extent > units - used || last > used - 2 ||
		    (last && !load_relaxed(at + used - last)))
			break;
		next = word >> INLAY_RING_WORD_POS_SHIFT << INLAY_RING_WORD_POS_SHIFT |
		       extent << INLAY_RING_WORD_EXTENT_SHIFT | (used + extent);
		if (!ring_span_take(at, &word, next))
			continue;
		record = at + used;
		store_relaxed(record, ring_header_make(r, bytes, INLAY_RING_IN_SPAN));
		return record + 1;
	}
	*ret_used = 8ull * INLAY_RING_WORD_USED(word);
	return NULL;
}

/* Makes ready to claim another span soon: what that looks at was another processor's last. */
static void prepare(const struct ring *r)
{
	struct inlay_ring_header *h = ring_header(r);
	__u64 tail = load_acquire(&h->tail), pos = INLAY_RING_WORD_POS(tail);

	inlay_ring_prefetch(&h->tail);
	__builtin_prefetch(&h->free_pos);
	__builtin_prefetch(inlay_ring_at(r->region, r->size, pos - ring_word_extent(r, tail)));
	prefetch_lines((const char *)inlay_ring_at(r->region, r->size, pos));
}

/* The same with a slot, where the short way did not find one. */
static void *span_next_slot(const struct ring *r, struct inlay_ring_seat *seat, __u64 end, __u64 bytes,
			    __u64 *ret_used)
{
	__u64 span = load_signal(&seat->span), next = load_signal(&seat->next), *at = NULL;
	__u64 start = (__u64)inlay_ring_at(r->region, r->size, INLAY_RING_SLOT_POS(span));
	__u64 hard_end = start + (span >> INLAY_RING_SLOT_BYTES_SHIFT);

	if (end != hard_end &&
	    __atomic_compare_exchange_n(&seat->end, &end, hard_end, 0, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED)) {
		prepare(r);
		at = inlay_ring_take(ring_header(r), seat, inlay_ring_extent(r->size, bytes) >> 3,
				     ring_header_make(r, bytes, INLAY_RING_IN_SPAN));
	}
	*ret_used = next - start;
	return at ? at + 1 : NULL;
}

void *__inlay_ring_span_next(const struct ring *r, struct inlay_ring_seat *seat, __u64 bytes)
{
	__u64 end = load_signal(&seat->end), span, used, size;
	__u32 heat;
	void *record;

	if (end & (INLAY_RING_END_CLAIMING | INLAY_RING_END_OVER))
		return NULL;
	if (end & INLAY_RING_END_LOCKED) {
		record = span_next_locked(r, end, bytes, &used);
		size = (end & 0xffff) >> 2 << 3;
	} else {
		span = load_signal(&seat->span);
		record = span_next_slot(r, seat, end, bytes, &used);
		size = span >> INLAY_RING_SLOT_BYTES_SHIFT;
	}
	if (record)
		return record;
	/* once is chance; if the consumer keeps up with us, there is no need to hurry */
	heat = used < size / 2 ? load_signal(&seat->heat) / 2 : RING_HEAT_MAX;
	store_signal(&seat->heat, (__u16)heat);
	/* whatever it was, what comes later must not stand before it */
	store_signal(&seat->end, 0ull);
	return NULL;
}

bool __inlay_ring_span_is_busy(const struct ring *r, struct inlay_ring_seat *seat)
{
	__u32 off = load_signal(&seat->slot);
	__u64 *busy;

	if (!INLAY_RING_HAS_LONE || off <= INLAY_RING_NO_SLOT)
		return false;
	busy = &((struct inlay_ring_slot *)(r->region + off))->busy;
	if (INLAY_LIKELY(!load_relaxed(busy)))
		return false;
	store_signal(&seat->end, INLAY_RING_END_OVER);
	return __inlay_ring_is_busy(busy);
}
