/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The consumer's side of a ring buffer, on the mapped region of a RINGBUF or PERF_EVENT_ARRAY map: finds
 * the next record, gets past what dead producers left, gives back what was consumed. The layout is
 * in abi.h.
 *
 * No position that stands in shared memory is believed once a consumer is open: it goes by its own, and
 * what it reads it checks by subtraction. Who may rewrite the memory can make it lose or invent
 * records, not leave the region or go round for ever. It does not guard against a file that is
 * truncated (SIGBUS), and makes no system call: sleeping is the caller's, and so is the barrier.
 *
 * One consumer of a ring at a time, on one thread; the next one goes on where the last was, also if
 * that was killed: a record that it had and had not passed comes again.
 */
#ifndef INLAY_RING_H
#define INLAY_RING_H

#include "inlay/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Whether the process `owner` lives (INLAY_OWNER_*), as far as the bits in `mask` tell: compare the turn
 * of its row in these bits, then ask for the row's lock. Row 0: a process without a name; say yes.
 */
typedef int inlay_ring_alive_fn(void *ctx, __u32 owner, __u32 mask);

/*
 * Makes the threads of all processes with spans pass a barrier (membarrier()): 1 once every store that any
 * of them had begun when this was first called for position `pos` can be seen; 0: not known yet, ask
 * again later. A producer counts on it.
 */
typedef int inlay_ring_barrier_fn(void *ctx, __u64 pos);

/* The consumer's own memory. */
struct inlay_ring {
	struct inlay_ring_header *header;
	char *data;
	__u64 size;		/* of the ring, a power of two */
	__u64 cons, free;	/* as consumer_pos and free_pos */
	__u64 span, span_end;	/* of the span that cons is in; span_end 0: in none */
	inlay_ring_alive_fn *is_alive;
	inlay_ring_barrier_fn *barrier;
	void *ctx;
	__u64 broken;		/* how often the ring made no sense and was emptied */
	__u32 holder;		/* after INLAY_RING_HELD: who has the record; row 0: nobody knows */
	__u32 pad0;
};

/* What inlay_ring_next() finds. */
enum inlay_ring_found {
	INLAY_RING_EMPTY,	/* nothing more: sleep until woken */
	INLAY_RING_RECORD,	/* deliver it, then inlay_ring_pass() */
	INLAY_RING_HELD,	/* a producer has the next one and lives: sleep, but look again in
				 * 100 ms or so, as the dead wake nobody */
};

#define INLAY_RING_STEPS (1u << 16)

struct inlay_ring_record {
	const void *data;	/* in the ring; others may write it at any time */
	__u32 bytes;
	__u32 pad0;
	__u64 end;		/* position behind it */
};

/* Shared words; the names of what they pair with stand at the uses. */
#define inlay_ring_load(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define inlay_ring_store(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

static inline __u64 *inlay_ring_word_at(const struct inlay_ring *r, __u64 pos)
{
	return (__u64 *)(void *)(r->data + (pos & (r->size - 1)));
}

/* The word at `cons`. A span that goes over the ring's end goes on in the slack, in one piece. */
static inline __u64 *inlay_ring_cons_at(const struct inlay_ring *r)
{
	if (r->span_end)
		return inlay_ring_word_at(r, r->span) + (r->cons - r->span) / 8;
	return inlay_ring_word_at(r, r->cons);
}

static inline __u64 inlay_ring_word_bytes(const struct inlay_ring *r, __u64 word)
{
	__u32 extent = INLAY_RING_WORD_EXTENT(word);

	if (extent & INLAY_RING_WORD_BIG)
		return (extent & ~INLAY_RING_WORD_BIG) * inlay_ring_grain(r->size);
	return 8ull * extent;
}

/* Whether a position of a word, which is kept without its upper bits, is `pos`. */
static inline int inlay_ring_word_is_at(__u64 word_pos, __u64 pos)
{
	return !((word_pos ^ pos) & INLAY_RING_WORD_POS_MASK);
}

/* A word at a time: a producer may still look whether the span there is open. */
static inline void inlay_ring_zero_words(char *at, __u64 bytes)
{
	__u64 *words = (__u64 *)(void *)at, i;

	for (i = 0; i < bytes / 8; i++)
		__atomic_store_n(&words[i], 0ull, __ATOMIC_RELAXED);
}

/*
 * Zeroes positions from..to and what of them may lie in the slack. Of more than the ring's size, where
 * somebody moved the tail on before this was given back, that is all of it.
 */
static inline void inlay_ring_zero(struct inlay_ring *r, __u64 from, __u64 to)
{
	__u64 at = from & (r->size - 1), n = to - from;

	if (n >= r->size) {
		inlay_ring_zero_words(r->data, r->size + inlay_ring_slack_bytes(r->size));
		return;
	}
	if (n > r->size - at) {
		__u64 rest = n - (r->size - at), slack = inlay_ring_slack_bytes(r->size);

		inlay_ring_zero_words(r->data + r->size, rest < slack ? rest : slack);
		inlay_ring_zero_words(r->data, rest);
		n = r->size - at;
	}
	inlay_ring_zero_words(r->data + at, n);
}

/* Gives producers what was consumed. Call it when there is nothing more, and now and then before. */
static inline void inlay_ring_release(struct inlay_ring *r)
{
	__u64 to = r->span_end ? r->span : r->cons;

	if (to == r->free)
		return;
	/* a consumer that is killed here leaves a range to zero, and not half a record to read */
	inlay_ring_store(&r->header->clear_pos, to);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	inlay_ring_zero(r, r->free, to);
	r->free = to;
	/* release: producers find zeros there; pairs with their load */
	inlay_ring_store(&r->header->free_pos, to);
}

static inline void inlay_ring_move(struct inlay_ring *r, __u64 pos)
{
	r->cons = pos;
	if (pos == r->span_end)
		r->span_end = 0;
	inlay_ring_store(&r->header->consumer_pos, pos);
}

/* Behind a record that was delivered. */
static inline void inlay_ring_pass(struct inlay_ring *r, const struct inlay_ring_record *record)
{
	inlay_ring_move(r, record->end);
}

/* Gives up what is in the ring: it makes no sense. */
static inline void inlay_ring_reset(struct inlay_ring *r)
{
	__u64 tail = inlay_ring_load(&r->header->tail);

	r->broken++;
	inlay_ring_zero_words(r->data, r->size + inlay_ring_slack_bytes(r->size));
	r->span_end = 0;
	r->cons += (INLAY_RING_WORD_POS(tail) - r->cons) & INLAY_RING_WORD_POS_MASK;
	r->free = r->cons;
	inlay_ring_store(&r->header->clear_pos, r->free);
	inlay_ring_store(&r->header->consumer_pos, r->cons);
	inlay_ring_store(&r->header->free_pos, r->free);
}

/*
 * Extent and owner of the claim at `pos`, whose header is not set: the tail tells, if it is the last
 * one, else a note. 0: neither does, so the header has been set by now. *ret_owner: 16 bits of it.
 */
static inline __u64 inlay_ring_find_claim(const struct inlay_ring *r, __u64 pos, __u64 tail,
					  __u32 *ret_owner)
{
	__u64 word = tail;
	__u32 i;

	for (i = 0;; i++) {
		__u64 bytes = inlay_ring_word_bytes(r, word);

		if (bytes && bytes <= r->size &&
		    inlay_ring_word_is_at(INLAY_RING_WORD_POS(word) - bytes, pos)) {
			*ret_owner = (__u32)(word & INLAY_RING_WORD_OWNER_MASK);
			return bytes;
		}
		if (i == INLAY_RING_NOTES)
			return 0;
		word = inlay_ring_load(&r->header->notes[i]);
	}
}

/* Frees the slots of processes that are gone. */
static inline void inlay_ring_free_slots(struct inlay_ring *r)
{
	__u32 i;

	for (i = 0; i < INLAY_RING_SLOTS; i++) {
		__u64 *at = &r->header->slots[i].name, name = inlay_ring_load(at);
		__u32 owner = (__u32)(name >> INLAY_RING_LONE_OWNER_SHIFT);

		if (name && !r->is_alive(r->ctx, owner, INLAY_OWNER_MASK))
			__atomic_compare_exchange_n(at, &name, 0ull, 0, __ATOMIC_ACQ_REL,
						    __ATOMIC_RELAXED);
	}
}

/* Counts something that its owner will never finish. */
static inline void inlay_ring_count_dead(struct inlay_ring *r)
{
	__atomic_fetch_add(&r->header->dead, 1, __ATOMIC_RELAXED);
}

static inline int inlay_ring_is_held(struct inlay_ring *r, __u32 owner, __u32 mask)
{
	r->holder = owner;
	return r->is_alive(r->ctx, owner, mask);
}

/* A step of inlay_ring_next(): what it says, or -1 to go on, or -2 if the ring makes no sense. */
static inline int inlay_ring_at_record(struct inlay_ring *r, __u64 header, __u64 end, __u32 owner,
				       struct inlay_ring_record *ret)
{
	__u64 bytes = header & INLAY_RING_LEN_MASK, extent;

	extent = r->span_end ? inlay_round_up(bytes + INLAY_RING_HEADER_BYTES, 8) :
			       inlay_ring_extent(r->size, bytes);
	/* within what was claimed, and of the region: a producer begins a large one at its start */
	if (extent > end - r->cons ||
	    extent > (__u64)(r->data + r->size + inlay_ring_slack_bytes(r->size) -
			     (char *)inlay_ring_cons_at(r)))
		return -2;
	if (header & INLAY_RING_BUSY) {
		if (inlay_ring_is_held(r, owner, INLAY_OWNER_MASK))
			return INLAY_RING_HELD;
		/* it may have been finished before its owner died */
		if (inlay_ring_load(inlay_ring_cons_at(r)) != header)
			return -1;
		inlay_ring_count_dead(r);
	} else if (!(header & INLAY_RING_DISCARD)) {
		ret->data = inlay_ring_cons_at(r) + 1;
		ret->bytes = (__u32)bytes;
		ret->end = r->cons + extent;
		return INLAY_RING_RECORD;
	}
	inlay_ring_move(r, r->cons + extent);
	return -1;
}

/*
 * Whether the owner of the span that cons is in, which has a slot, takes no more records there, and the
 * headers of all that it took can be seen: 1. 0: not known yet; -1: ask again at once. An owner
 * takes a record so, and nothing is locked:
 *
 *	T1  busy = its stack pointer
 *	T2  slot->span still is the span, and not CLOSED: else 4 without 3
 *	T3  the record's header, which makes it one
 *	T4  busy = 0
 *
 * Only its owner writes a span into slot->span, after the last T4 in the one before, and before it shows
 * the new one to us; only a consumer marks it. If it names another span, the owner has left this one,
 * or a handler came by and it never began: all its T3 here are seen. Else we mark it and have the owner
 * pass a barrier. A T2 behind the barrier sees the mark, and there is no T3. One in front of it had its T1
 * in front of that, which can be seen by now: where `busy` is clear, it was cleared again by the T4, and
 * stores are seen in their order: so is T3.
 */
static inline int inlay_ring_slot_is_closed(struct inlay_ring *r, __u32 slot, __u32 owner)
{
	struct inlay_ring_slot *s = &r->header->slots[slot - 1];
	__u64 word = inlay_ring_load(&s->span); /* pairs with who begins the next span */

	r->holder = owner;
	if (!(word & INLAY_RING_SLOT_OPEN) ||
	    !inlay_ring_word_is_at(INLAY_RING_SLOT_POS(word), r->span))
		return 1;
	/* if it fails, its owner has left it, or somebody plays with us: ask again */
	if (!(word & INLAY_RING_SLOT_CLOSED) &&
	    !__atomic_compare_exchange_n(&s->span, &word, word | INLAY_RING_SLOT_CLOSED, 0,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return -1;
	/* the position tells one question from the next: one more record may be taken behind the mark */
	if (!r->barrier || !r->barrier(r->ctx, r->cons))
		return 0;
	/* pairs with T4: what its owner did before can be seen */
	if (!inlay_ring_load(&s->busy))
		return 1;
	if (inlay_ring_is_held(r, owner, INLAY_OWNER_MASK))
		return 0;
	inlay_ring_free_slots(r);
	return 1;
}

/* In a span whose owner has a slot: header behind header, and where there is none, nothing was taken. */
static inline int inlay_ring_in_slot_span(struct inlay_ring *r, __u32 slot, __u32 owner,
					  struct inlay_ring_record *ret)
{
	__u64 header = inlay_ring_load(inlay_ring_cons_at(r)); /* pairs with T3, and commits */
	int is_closed;

	if (!header) {
		is_closed = inlay_ring_slot_is_closed(r, slot, owner);
		if (is_closed <= 0)
			return is_closed ? -1 : INLAY_RING_HELD;
		header = inlay_ring_load(inlay_ring_cons_at(r));
		if (!header) {
			inlay_ring_move(r, r->span_end);
			return -1;
		}
	}
	return inlay_ring_at_record(r, header, r->span_end, owner, ret);
}

static inline int inlay_ring_in_span(struct inlay_ring *r, struct inlay_ring_record *ret)
{
	__u64 *word_at = inlay_ring_word_at(r, r->span) + 1;
	__u64 head = inlay_ring_load(inlay_ring_word_at(r, r->span));
	__u32 owner = INLAY_RING_OWNER(head), slot = INLAY_RING_SPAN_SLOT(head);
	__u64 word, used, header;

	if (slot > INLAY_RING_SLOTS)
		return -2;
	if (slot)
		return inlay_ring_in_slot_span(r, slot, owner, ret);
	word = inlay_ring_load(word_at); /* pairs with who takes a record */
	used = r->span + 8ull * INLAY_RING_WORD_USED(word);
	if (!inlay_ring_word_is_at(INLAY_RING_WORD_POS(word), r->span) || used > r->span_end ||
	    used < r->cons)
		return -2;
	if (r->cons < used) {
		header = inlay_ring_load(inlay_ring_cons_at(r));
		if (header)
			return inlay_ring_at_record(r, header, used, owner, ret);
		/* only the last one can be without a header, or the owner would have seen it */
		if (inlay_ring_is_held(r, owner, INLAY_OWNER_MASK))
			return INLAY_RING_HELD;
		if (inlay_ring_load(inlay_ring_cons_at(r)) ||
		    inlay_ring_load(word_at) != word)
			return -1;
		inlay_ring_count_dead(r);
		inlay_ring_move(r, used);
		return -1;
	}
	/* An owner that takes one more in this moment wins. */
	if ((word & INLAY_RING_WORD_CLOSED) ||
	    __atomic_compare_exchange_n(word_at, &word, word | INLAY_RING_WORD_CLOSED, 0,
					__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		inlay_ring_move(r, r->span_end);
	return -1;
}

static inline int inlay_ring_at_claim(struct inlay_ring *r, struct inlay_ring_record *ret)
{
	/* the tail first: what is claimed by it has a header, or a note, or is the last */
	__u64 tail = inlay_ring_load(&r->header->tail), header, bytes;
	__u64 ahead = (INLAY_RING_WORD_POS(tail) - r->cons) & INLAY_RING_WORD_POS_MASK;
	__u64 *at = inlay_ring_word_at(r, r->cons);
	__u32 owner;

	if (!ahead)
		return INLAY_RING_EMPTY;
	if (ahead > r->size)
		return -2;
	header = inlay_ring_load(at); /* pairs with commits, and who sets up a span */
	if (header & INLAY_RING_SPAN) {
		bytes = inlay_ring_extent(r->size, INLAY_RING_SPAN_BYTES(header));
		if (bytes < INLAY_RING_SPAN_HEAD_BYTES || bytes > ahead ||
		    bytes > INLAY_RING_SPAN_MAX_BYTES)
			return -2;
		r->span = r->cons;
		r->span_end = r->cons + bytes;
		/* where the first record will be, for the wake-up */
		inlay_ring_move(r, r->cons + INLAY_RING_SPAN_HEAD_BYTES);
		return -1;
	}
	if (header)
		return inlay_ring_at_record(r, header, r->cons + ahead, INLAY_RING_OWNER(header),
					    ret);
	bytes = inlay_ring_find_claim(r, r->cons, tail, &owner);
	if (!bytes)
		return inlay_ring_load(at) ? -1 : -2;
	if (bytes > ahead)
		return -2;
	if (inlay_ring_is_held(r, owner, (__u32)INLAY_RING_WORD_OWNER_MASK))
		return INLAY_RING_HELD;
	if (inlay_ring_load(at))
		return -1;
	inlay_ring_count_dead(r);
	/* so that a consumer that takes over finds its way from free_pos */
	inlay_ring_store(at, INLAY_RING_SET | INLAY_RING_DISCARD | (bytes - 8));
	inlay_ring_move(r, r->cons + bytes);
	return -1;
}

/*
 * The next record, or why there is none. A ring that makes no sense is emptied (`broken` counts it). Each
 * call is short: after INLAY_RING_STEPS discarded and dead records it says HELD, by nobody, and once it
 * emptied the ring EMPTY, so that who goes on rewriting it cannot keep the consumer in here.
 */
static inline enum inlay_ring_found inlay_ring_next(struct inlay_ring *r,
						    struct inlay_ring_record *ret)
{
	__u32 budget = INLAY_RING_STEPS;

	while (budget--) {
		int found = r->span_end ? inlay_ring_in_span(r, ret) : inlay_ring_at_claim(r, ret);

		if (found >= 0)
			return (enum inlay_ring_found)found;
		if (found == -2) {
			inlay_ring_reset(r);
			return INLAY_RING_EMPTY;
		}
	}
	r->holder = 0;
	return INLAY_RING_HELD;
}

/* The same in a span: the bytes of what is counted as dead, or 0. */
static inline __u64 inlay_ring_skip_in_span(struct inlay_ring *r, __u64 header)
{
	__u64 head = inlay_ring_load(inlay_ring_word_at(r, r->span));
	__u64 word = inlay_ring_load(inlay_ring_word_at(r, r->span) + 1), end = r->span_end, bytes;
	__u32 slot = INLAY_RING_SPAN_SLOT(head);

	if (!slot) {
		end = r->span + 8ull * INLAY_RING_WORD_USED(word);
		if (end > r->span_end || end < r->cons)
			return 0;
	} else if (!header && slot <= INLAY_RING_SLOTS) {
		/* closed, and its owner does not say that it knows */
		if (inlay_ring_load(&r->header->slots[slot - 1].span) & INLAY_RING_SLOT_CLOSED)
			inlay_ring_move(r, r->span_end);
		return 0;
	}
	bytes = header ? inlay_round_up((header & INLAY_RING_LEN_MASK) + 8, 8) : end - r->cons;
	return bytes <= end - r->cons ? bytes : 0;
}

/* Passes by what inlay_ring_next() found HELD, for good: when its owner has had its time. */
static inline void inlay_ring_skip(struct inlay_ring *r)
{
	__u64 *at = inlay_ring_cons_at(r), bytes = 0;
	__u64 header = inlay_ring_load(at);
	__u32 owner;

	if (r->span_end) {
		bytes = inlay_ring_skip_in_span(r, header);
		if (!bytes)
			return;
	} else {
		__u64 tail = inlay_ring_load(&r->header->tail);

		bytes = header ? inlay_ring_extent(r->size, header & INLAY_RING_LEN_MASK) :
				 inlay_ring_find_claim(r, r->cons, tail, &owner);
		if (!bytes || bytes > ((INLAY_RING_WORD_POS(tail) - r->cons) &
				       INLAY_RING_WORD_POS_MASK))
			return;
		if (!header)
			inlay_ring_store(at, INLAY_RING_SET | INLAY_RING_DISCARD | (bytes - 8));
	}
	inlay_ring_count_dead(r);
	inlay_ring_move(r, r->cons + bytes);
}

/* Goes through what the last consumer had passed and not given back, for the span it was in. */
static inline int inlay_ring_recover(struct inlay_ring *r)
{
	__u64 pos = r->free, bytes;

	while (pos != r->cons) {
		__u64 header = inlay_ring_load(inlay_ring_word_at(r, pos));

		bytes = inlay_ring_extent(r->size, header & INLAY_RING_SPAN ?
						   INLAY_RING_SPAN_BYTES(header) :
						   header & INLAY_RING_LEN_MASK);
		if (!header)
			return 0;
		if (bytes > r->cons - pos) {
			if (!(header & INLAY_RING_SPAN) || bytes > INLAY_RING_SPAN_MAX_BYTES)
				return 0;
			r->span = pos;
			r->span_end = pos + bytes;
			return 1;
		}
		pos += bytes;
	}
	return 1;
}

/* `region`: the map's, writable; `size`: max_entries of a RINGBUF, the ring's bytes of the others. */
static inline void inlay_ring_open(struct inlay_ring *r, void *region, __u64 size,
				   inlay_ring_alive_fn *is_alive, inlay_ring_barrier_fn *barrier,
				   void *ctx)
{
	__u64 clear;

	r->header = (struct inlay_ring_header *)region;
	r->data = (char *)region + sizeof(*r->header);
	r->size = size;
	r->is_alive = is_alive;
	r->barrier = barrier;
	r->ctx = ctx;
	r->broken = 0;
	r->holder = 0;
	r->pad0 = 0;
	r->span = 0;
	r->span_end = 0;
	r->free = inlay_ring_load(&r->header->free_pos);
	inlay_ring_free_slots(r);
	clear = inlay_ring_load(&r->header->clear_pos);
	r->cons = inlay_ring_load(&r->header->consumer_pos);
	if ((r->free | clear | r->cons) % 8 || clear - r->free > size || r->cons - r->free > size) {
		inlay_ring_reset(r);
		return;
	}
	if (clear != r->free) {
		inlay_ring_zero(r, r->free, clear);
		r->free = clear;
		inlay_ring_store(&r->header->free_pos, clear);
	}
	if (r->cons - r->free > size || !inlay_ring_recover(r))
		inlay_ring_reset(r);
}

/* Before sleeping; what to give to futex() as the expected value of header->wakeups. Look at the ring
 * once more after it, and see INLAY_RING_NAP_NS. */
static inline __u32 inlay_ring_wait_prepare(struct inlay_ring *r)
{
	__u32 seen = inlay_ring_load(&r->header->wakeups);

	__atomic_store_n(&r->header->waiting, 1u, __ATOMIC_SEQ_CST);
	return seen;
}

static inline void inlay_ring_wait_end(struct inlay_ring *r)
{
	__atomic_store_n(&r->header->waiting, 0u, __ATOMIC_RELAXED);
}

#ifdef __cplusplus
}
#endif
#endif /* INLAY_RING_H */
