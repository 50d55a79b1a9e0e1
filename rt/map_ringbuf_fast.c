/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers: the short way (rt/inline/map_ringbuf.h) for who does not have it inlined, and that of a
 * thread with a span of its own. Whatever else is the case is for map_ringbuf_claim.c.
 */
#include "rt/map_ringbuf.h"

/* Moves the word of a span, as include/inlay/ring.h has it at inlay_ring_is_settled(). */
static inline bool take_with_slot(struct inlay_ring_header *h, const struct inlay_ring_seat *seat,
				  __u64 *at, __u64 word, __u64 next)
{
	__u32 slot = load_signal(&seat->slot) - 1u;
	__u64 *busy = &h->slots[slot].busy;
	bool is_done;

	/* busy already: we are a handler that came in between */
	if (INLAY_UNLIKELY(slot >= INLAY_RING_SLOTS || !inlay_ring_is_on_stack(seat) ||
			   load_relaxed(busy)))
		return false;
	inlay_ring_set_busy(busy, inlay_ring_stack());
	is_done = INLAY_LIKELY(ring_span_word(at) == word) && inlay_ring_cas_lone(at + 1, word, next);
	inlay_ring_set_busy(busy, 0);
	return is_done;
}

/*
 * The next record of the thread's span. `seat->word` is what the thread left there, behind a record
 * whose header is written. Another word means that the consumer has closed it, or that we are a
 * handler that came between the two.
 */
void *__inlay_ring_reserve_in_span_v1(char *region, __u64 size, struct inlay_ring_seat *seat,
				      __u64 bytes)
{
	struct inlay_ring_header *h = (struct inlay_ring_header *)region;
	__u64 span = load_signal(&seat->span), word = load_signal(&seat->word), next;
	__u64 used = INLAY_RING_WORD_USED(word), units = (bytes + 15) >> 3;
	__u64 *at = inlay_ring_at(region, size, span >> 16);

	if (INLAY_UNLIKELY(INLAY_RING_WORD_POS(word) != span >> 16) ||
	    INLAY_UNLIKELY(used + units > INLAY_RING_SPAN_UNITS(span)))
		return NULL;
	next = (word & ~(0x3fffull << INLAY_RING_WORD_EXTENT_SHIFT)) +
	       (units << INLAY_RING_WORD_EXTENT_SHIFT | units);
	if (INLAY_RING_HAS_LONE && INLAY_LIKELY(span & INLAY_RING_SPAN_HAS_SLOT)) {
		if (INLAY_UNLIKELY(!take_with_slot(h, seat, at, word, next)))
			return NULL;
	} else if (ring_span_word(at) != word || !ring_span_take(at, &word, next)) {
		return NULL;
	}
	store_relaxed(at + used, load_signal(&inlay_ring_this()->header) + INLAY_RING_IN_SPAN + bytes);
	/* a handler that sees what comes next sees a header */
	__atomic_signal_fence(__ATOMIC_RELEASE);
	store_signal(&seat->word, next);
	return at + used + 1;
}

void *__inlay_ring_reserve(const struct inlay_map_desc *desc, __u64 bytes)
{
	return inlay_ring_reserve(desc, bytes);
}

void __inlay_ring_commit(void *record, __u64 flags, __u64 discard)
{
	inlay_ring_commit(record, flags, discard);
}

void *__inlay_ringbuf_reserve_v1(const struct inlay_map_desc *desc, __u64 bytes, __u64 flags)
{
	return __inlay_ringbuf_reserve(desc, bytes, flags);
}

void __inlay_ringbuf_submit_v1(void *record, __u64 flags)
{
	__inlay_ringbuf_submit(record, flags);
}

void __inlay_ringbuf_discard_v1(void *record, __u64 flags)
{
	__inlay_ringbuf_discard(record, flags);
}
