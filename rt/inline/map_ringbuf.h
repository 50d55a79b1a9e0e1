/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What producers of ring buffers share: where a map's ring is and how large, and the short way through a
 * reservation and its end, of a thread that goes on behind its own last record. The layout is in
 * abi.h; everything that is unusual is left to rt/map_ringbuf_claim.c.
 *
 * A constant descriptor and size leave about 75 instructions of both: addresses are known when the
 * program is linked, and whether the ring, the process and the thread are still those of the last
 * record is two comparisons.
 */
#ifndef INLAY_RT_INLINE_MAP_RINGBUF_H
#define INLAY_RT_INLINE_MAP_RINGBUF_H

#include "rt/inline/cold.h"
#include "rt/inline/map_access.h"
#include "rt/inline/thread.h"

enum inlay_ringbuf_flags {
	INLAY_BPF_RB_NO_WAKEUP = 1,
	INLAY_BPF_RB_FORCE_WAKEUP = 2,
};

/* bpf_ringbuf_query() */
enum inlay_ringbuf_query {
	INLAY_BPF_RB_AVAIL_DATA = 0,
	INLAY_BPF_RB_RING_SIZE = 1,
	INLAY_BPF_RB_CONS_POS = 2,
	INLAY_BPF_RB_PROD_POS = 3,
};

/* A bpf_user_ringbuf_drain() in progress, on the stack of the program. */
#define INLAY_USER_DRAIN_BYTES 56
struct inlay_user_drain {
	char *region;
	__u64 size;
	__u64 flags;
	__u32 seen, discarded;	/* samples */
	__u64 next;		/* position behind the sample at hand */
	__s64 err;
	__u32 turn, pad0;	/* as in drain_owner */
};

/* Bytes of a map's ring; a power of two, or a descriptor that bpfcc did not write. */
INLAY_INLINE __u64 inlay_map_ring_size(const struct inlay_map_desc *desc)
{
	if (desc->type == INLAY_MAP_TYPE_PERF_EVENT_ARRAY)
		return desc->extra ? desc->extra : INLAY_PERF_RING_BYTES;
	return desc->max_entries;
}

INLAY_INLINE char *inlay_ring_data(char *region)
{
	return region + sizeof(struct inlay_ring_header);
}

INLAY_INLINE __u64 *inlay_ring_at(char *region, __u64 size, __u64 pos)
{
	return (__u64 *)(inlay_ring_data(region) + (pos & (size - 1)));
}

/* ---- What a thread knows ------------------------------------------------------------------ */

/* Rings that a thread goes on in by the short way; no more, as thread storage is scarce in libraries. */
#ifndef INLAY_RING_SEATS
#define INLAY_RING_SEATS 4u
#endif

/*
 * What a thread knows of one ring. All is private memory; a signal handler may change it between any
 * two instructions of the thread, and leaves each word valid.
 */
struct inlay_ring_seat {
	__u64 key;	/* inlay_ring_key(); 0: nobody's. Never exchanged for another ring's */
	__u64 tail;	/* as our last claim of one record left it, once its header was written */
	/*
	 * Our span: what the slot says while it is open, the address of what is free there, and up to where.
	 * While our slot says busy, `end` is all that a handler changes (rt/map_ringbuf_span.c).
	 */
	__u64 span, next, end;	/* end: 0: none; or INLAY_RING_END_* */
	__u64 lone;	/* what stands in the header as long as we are alone there; 0: we are not */
	__u64 stack;	/* lowest address of our stack, as far as we know it */
	__u32 stack_bytes;
	__u16 heat;	/* how much others were in the way lately */
	__u16 slot;	/* ours: bytes from the region's start; 0: none yet; or INLAY_RING_NO_SLOT */
};
#define INLAY_RING_NO_SLOT 1u
/* Not addresses: a span without a slot, its position << 16 | its bytes / 2 | this; none yet; and one
 * that a handler has found busy, which may still be so. */
#define INLAY_RING_END_LOCKED 1ull
#define INLAY_RING_END_CLAIMING 2ull
#define INLAY_RING_END_OVER 4ull
/* So much ahead memory is asked for from other processors' caches. */
#define INLAY_RING_AHEAD_BYTES 1024u

struct inlay_ring_thread {
	__u32 epoch;	/* of the process when `owner` was asked for, or INLAY_RING_NO_EPOCH */
	__u32 owner;
	__u64 header;	/* what all headers of its records have: SET, BUSY and the owner */
	__u64 last;	/* the seat used last: bytes from the first one */
	struct inlay_ring_seat seats[INLAY_RING_SEATS];
};

/* No process's: theirs are odd, or 0. */
#define INLAY_RING_NO_EPOCH 0xfffffffeu

#ifdef RING_TEST_THREADS /* a test with several threads in one, which sees every access */
struct inlay_ring_thread *ring_thread_of_test(void);
void ring_busy_of_test(__u64 *busy, __u64 value);
#define inlay_ring_this() ring_thread_of_test()
#else
extern __thread struct inlay_ring_thread __inlay_ring_thread_v1
	__attribute__((tls_model("initial-exec")));
#define inlay_ring_this() (&__inlay_ring_thread_v1)
#endif

/* Words that only the thread and its signal handlers change. */
#define inlay_load_signal(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define inlay_store_signal(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

/* A record of `bytes`, BUSY; NULL: no room, counted as lost. The same in every case. */
INLAY_COLD_CALL void *__inlay_ring_reserve_v1(const struct inlay_map_desc *desc, __u64 bytes);
/* Ends it, with INLAY_RING_DISCARD or 0, and wakes the consumer as `flags` say. */
INLAY_COLD_CALL void __inlay_ring_commit_v1(void *record, __u64 flags, __u64 discard);
/* Wakes the consumer if it waits for this record, which has just been ended. */
INLAY_COLD_CALL void __inlay_ring_wake_v1(void *record, __u64 header);

/* Names a ring by its address, which ends in zeros, and its size. */
INLAY_INLINE __u64 inlay_ring_key(const char *region, __u64 size)
{
	return (__u64)region + (__u64)__builtin_ctzll(size | 1ull << 63);
}

INLAY_INLINE char *inlay_ring_key_region(__u64 key)
{
	return (char *)(key & ~63ull);
}

/* Known when the program is compiled: rings of different objects, too, seldom want the same one. */
INLAY_INLINE __u32 inlay_ring_seat_index(const struct inlay_map_desc *desc)
{
	return (desc->index + (desc->object ? desc->object->hash[0] : 0u)) % INLAY_RING_SEATS;
}

INLAY_INLINE __u64 inlay_ring_seat_off(const struct inlay_map_desc *desc)
{
	return inlay_ring_seat_index(desc) * sizeof(struct inlay_ring_seat);
}

/* The key of the ring that the thread had its last record of. */
INLAY_INLINE __u64 inlay_ring_last_key(const struct inlay_ring_thread *t)
{
	const char *seat = (const char *)t->seats + inlay_load_signal(&t->last);

	return inlay_load_signal(&((const struct inlay_ring_seat *)seat)->key);
}

/* Whether what the thread knows of itself is still true. Not for a seat without a key. */
INLAY_INLINE int inlay_ring_thread_is_known(const struct inlay_ring_thread *t)
{
	return inlay_load(&__inlay_process_v1.epoch) == inlay_load_signal(&t->epoch);
}

/* ---- The lone producer -------------------------------------------------------------------- */

INLAY_INLINE __u64 inlay_ring_stack(void)
{
#if defined(__x86_64__)
	__u64 sp;

	__asm__("movq %%rsp, %0" : "=r"(sp));
	return sp;
#else
	return (__u64)__builtin_frame_address(0);
#endif
}

/* The thread's own stack. Another one may be another thread's, which was made to share its storage. */
INLAY_INLINE int inlay_ring_is_on_stack(const struct inlay_ring_seat *seat)
{
	return inlay_ring_stack() - inlay_load_signal(&seat->stack) <
	       inlay_load_signal(&seat->stack_bytes);
}

#if defined(__x86_64__) && !__has_feature(thread_sanitizer)
#define INLAY_RING_HAS_LONE 1
/*
 * The compare-exchange that no signal handler can come between, but another processor could. Not with the
 * flags as an output: without optimisation LLVM 19 aborts where nobody asks for them.
 */
INLAY_INLINE int inlay_ring_cas_lone(__u64 *p, __u64 old, __u64 value)
{
	__u64 seen = old;

	__asm__ volatile("cmpxchgq %2, %1"
			 : "+a"(seen), "+m"(*p)
			 : "r"(value)
			 : "memory", "cc");
	return seen == old;
}
#elif defined(RING_TEST_THREADS)
#define INLAY_RING_HAS_LONE 1
/* As the processor does it: in two accesses, and it stores also where it does not exchange. */
INLAY_INLINE int inlay_ring_cas_lone(__u64 *p, __u64 old, __u64 value)
{
	__u64 seen = inlay_load(p);

	inlay_store(p, seen == old ? value : seen);
	return seen == old;
}
#else
#define INLAY_RING_HAS_LONE 0
INLAY_INLINE int inlay_ring_cas_lone(__u64 *p, __u64 old, __u64 value)
{
	return __atomic_compare_exchange_n(p, &old, value, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
#endif

/* Of the lone producer, or of a slot. */
INLAY_INLINE void inlay_ring_set_busy(__u64 *busy, __u64 value)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#ifdef RING_TEST_THREADS
	ring_busy_of_test(busy, value);
#else
	inlay_store(busy, value);
#endif
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/*
 * Moves the tail. Who asks for the ring to be shared has every processor pass a barrier after its
 * question, and then looks at lone_busy: either it sees us busy, or we see the question here.
 */
INLAY_INLINE int inlay_ring_claim_lone(struct inlay_ring_header *h, struct inlay_ring_seat *seat,
				       __u64 tail, __u64 next)
{
	int is_done;

	/* busy already: we are a handler that came in between */
	if (INLAY_UNLIKELY(!inlay_ring_is_on_stack(seat) || inlay_load(&h->lone_busy)))
		return 0;
	inlay_ring_set_busy(&h->lone_busy, inlay_ring_stack());
	is_done = INLAY_LIKELY(inlay_load(&h->lone) == inlay_load_signal(&seat->lone)) &&
		  inlay_ring_cas_lone(&h->tail, tail, next);
	inlay_ring_set_busy(&h->lone_busy, 0);
	return is_done;
}

/* ---- In a span ---------------------------------------------------------------------------- */

/* What is written to soon: else it comes, line for line, when it is written to. */
INLAY_INLINE void inlay_ring_prefetch(const void *p)
{
	__builtin_prefetch(p, 1);
}

/*
 * The header's place of a record of `units` in the span of a thread with a slot, T1 to T4 of
 * include/inlay/ring.h; NULL: it is full or closed, or we are a handler that came in between. The
 * thread's own memory says where it is, nothing that others can write to.
 */
INLAY_INLINE __u64 *inlay_ring_take(struct inlay_ring_header *h, struct inlay_ring_seat *seat,
				    __u64 units, __u64 header)
{
	struct inlay_ring_slot *slot = (struct inlay_ring_slot *)((char *)h + inlay_load_signal(&seat->slot));
	__u64 *at = 0, *next, end;

	if (INLAY_UNLIKELY(!inlay_ring_is_on_stack(seat) || inlay_load(&slot->busy)))
		return 0;
	inlay_ring_set_busy(&slot->busy, inlay_ring_stack());
	next = (__u64 *)inlay_load_signal(&seat->next) + units;
	end = inlay_load_signal(&seat->end);
	if (INLAY_LIKELY((__u64)next <= end && inlay_load(&slot->span) == inlay_load_signal(&seat->span))) {
		at = next - units;
		inlay_store(at, header);
		inlay_store_signal(&seat->next, (__u64)next);
	}
	inlay_ring_set_busy(&slot->busy, 0);
	return at;
}

/* ---- Records ------------------------------------------------------------------------------ */

/* Whether a claim up to `end`, in units of 8 bytes, fits. A ring has less than 2^32 bytes. */
INLAY_INLINE int inlay_ring_has_room(const struct inlay_ring_header *h, __u64 size, __u64 end)
{
	/* acquire: the consumer's zeros come before */
	return (__u32)(8 * end - inlay_load_acquire(&h->free_pos)) < (__u32)size;
}

/* The tail behind a record of `units` that begins where `tail` ends. */
INLAY_INLINE __u64 inlay_ring_next_tail(const struct inlay_ring_thread *t, __u64 tail, __u64 units)
{
	return ((tail >> INLAY_RING_WORD_POS_SHIFT) + units) << INLAY_RING_WORD_POS_SHIFT |
	       units << INLAY_RING_WORD_EXTENT_SHIFT |
	       (inlay_load_signal(&t->owner) & INLAY_RING_WORD_OWNER_MASK);
}

INLAY_INLINE void *inlay_ring_reserve(const struct inlay_map_desc *desc, __u64 bytes)
{
	struct inlay_ring_thread *t = inlay_ring_this();
	struct inlay_ring_seat *seat = &t->seats[inlay_ring_seat_index(desc)];
	__u64 size = inlay_map_ring_size(desc), units = (bytes + 15) >> 3, tail, next, end, *at;
	char *region = inlay_map_region(desc);
	struct inlay_ring_header *h = (struct inlay_ring_header *)region;

	if (INLAY_UNLIKELY(bytes >= (1u << 16) - 16 ||
			   inlay_load_signal(&seat->key) != inlay_ring_key(region, size) ||
			   !inlay_ring_thread_is_known(t)))
		return __inlay_ring_reserve_v1(desc, bytes);
	if (INLAY_RING_HAS_LONE && INLAY_LIKELY(inlay_load_signal(&seat->lone))) {
		tail = inlay_load_signal(&seat->tail);
		next = inlay_ring_next_tail(t, tail, units);
		if (INLAY_UNLIKELY(!inlay_ring_has_room(h, size, next >> INLAY_RING_WORD_POS_SHIFT)) ||
		    INLAY_UNLIKELY(!inlay_ring_claim_lone(h, seat, tail, next)))
			return __inlay_ring_reserve_v1(desc, bytes);
	} else if (end = inlay_load_signal(&seat->end), INLAY_LIKELY(end)) {
		at = 0;
		if (INLAY_RING_HAS_LONE && INLAY_LIKELY(!(end & 7)))
			at = inlay_ring_take(h, seat, units,
					     inlay_load_signal(&t->header) + INLAY_RING_IN_SPAN + bytes);
		if (INLAY_UNLIKELY(!at))
			return __inlay_ring_reserve_v1(desc, bytes);
		inlay_ring_prefetch((char *)at + INLAY_RING_AHEAD_BYTES);
		inlay_store_signal(&t->last, inlay_ring_seat_off(desc));
		return at + 1;
	} else {
		tail = inlay_load_signal(&seat->tail);
		next = inlay_ring_next_tail(t, tail, units);
		at = inlay_ring_at(region, size, tail >> INLAY_RING_WORD_POS_SHIFT << 3);
		inlay_ring_prefetch((char *)at + INLAY_RING_AHEAD_BYTES);
		/* a look first: to lose the exchange costs more than to wait for the line. Acquire: the
		 * tail is as the lone one left it */
		if (INLAY_UNLIKELY(!(inlay_load_acquire(&h->lone) & INLAY_RING_LONE_SETTLED)) ||
		    INLAY_UNLIKELY(inlay_load_acquire(&h->tail) != tail) ||
		    INLAY_UNLIKELY(!inlay_ring_has_room(h, size, next >> INLAY_RING_WORD_POS_SHIFT)) ||
		    INLAY_UNLIKELY(!__atomic_compare_exchange_n(&h->tail, &tail, next, 0,
								__ATOMIC_ACQ_REL,
								__ATOMIC_ACQUIRE)))
			return __inlay_ring_reserve_v1(desc, bytes);
	}
	at = inlay_ring_at(region, size, tail >> INLAY_RING_WORD_POS_SHIFT << 3);
	inlay_store(at, inlay_load_signal(&t->header) + bytes);
	/* a handler that sees what comes next sees a header */
	__atomic_signal_fence(__ATOMIC_RELEASE);
	inlay_store_signal(&seat->tail, next);
	inlay_store_signal(&t->last, inlay_ring_seat_off(desc));
	return at + 1;
}

INLAY_INLINE void inlay_ring_commit(void *record, __u64 flags, __u64 discard)
{
	struct inlay_ring_thread *t = inlay_ring_this();
	__u64 key = inlay_ring_last_key(t), size = 1ull << (key & 63);
	char *region = inlay_ring_key_region(key);
	const struct inlay_ring_header *h = (const struct inlay_ring_header *)region;
	__u64 *at = (__u64 *)record - 1, header = inlay_load(at), off;
	__u64 who = INLAY_RING_BUSY | (__u64)INLAY_OWNER_MASK << INLAY_RING_OWNER_SHIFT;

	off = (__u64)((const char *)at - inlay_ring_data(region));
	/* of this ring; and ours: a fork child inside of its parent's program has a record of the
	 * parent's */
	if (INLAY_UNLIKELY(flags || off >= size ||
			   ((header ^ inlay_load_signal(&t->header)) & who) ||
			   !inlay_ring_thread_is_known(t))) {
		__inlay_ring_commit_v1(record, flags, discard);
		return;
	}
	/* release: the record is written; pairs with the consumer's load */
	inlay_store_release(at, (header & ~INLAY_RING_BUSY) | discard);
	if (INLAY_UNLIKELY(((off - inlay_load_acquire(&h->consumer_pos)) & (size - 1)) <=
			   INLAY_RING_SPAN_HEAD_BYTES))
		__inlay_ring_wake_v1(record, header);
}

/* ---- Helpers ------------------------------------------------------------------------------ */

INLAY_INLINE void *__inlay_ringbuf_reserve(const struct inlay_map_desc *desc, __u64 bytes,
					   __u64 flags)
{
	if (INLAY_UNLIKELY(flags))
		return 0;
	return inlay_ring_reserve(desc, bytes);
}

INLAY_INLINE void __inlay_ringbuf_submit(void *record, __u64 flags)
{
	inlay_ring_commit(record, flags, 0);
}

INLAY_INLINE void __inlay_ringbuf_discard(void *record, __u64 flags)
{
	inlay_ring_commit(record, flags, INLAY_RING_DISCARD);
}

extern __s64 __inlay_perf_event_output_v1(const struct inlay_map_desc *desc, __u64 flags,
					  const void *data, __u64 bytes);

/* Inlined, so that nobody has to make a ctx in memory, which is not looked at. */
INLAY_INLINE __s64 __inlay_perf_event_output(struct inlay_frame *frame,
					     const struct inlay_map_desc *desc, __u64 flags,
					     const void *data, __u64 bytes)
{
	(void)frame;
	return __inlay_perf_event_output_v1(desc, flags, data, bytes);
}

#endif /* INLAY_RT_INLINE_MAP_RINGBUF_H */
