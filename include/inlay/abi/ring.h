/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions of ring buffers: RINGBUF, PERF_EVENT_ARRAY, USER_RINGBUF. */
#ifndef INLAY_ABI_RING_H
#define INLAY_ABI_RING_H

#include "inlay/abi/base.h"

/*
 * RINGBUF and PERF_EVENT_ARRAY: struct inlay_ring_header in the first page, then the ring: a power
 * of two of bytes, and behind it a slack of inlay_ring_slack_bytes(), where the bytes of a record
 * that begins near the end continue. Positions count bytes from the map's beginning and never go
 * back; position p is byte p % size. All zero is an empty ring.
 *
 * Producers: a claim moves the tail by one compare-exchange. The new tail names who claimed and
 * how much, so that a claim whose maker is killed before it wrote the header is no riddle to the
 * consumer; who claims next, and finds that header unset, first copies the tail into `notes`. A
 * claim holds one record; or, where threads meet at the tail, a span: several records of one
 * thread. One with a slot takes each by writing its header, if its slot says that the span is still open;
 * any other by a compare-exchange of the span's word.
 *
 *   claim     header word; then the record. INLAY_RING_SPAN: the span's word (of no use with a slot), then
 *             its records, each with a header word of its own
 *   header    0: not written yet (the consumer zeroes what it frees). Else bits 0..29 bytes of the
 *             record without the header (of a span 0..16, and 17..29 its owner's slot + 1),
 *             30 DISCARD, 31 BUSY, 32..60 who has it, 61 SPAN, 62 in a span, 63 always set
 *   tail, note, span's word   see INLAY_RING_WORD_*
 *
 * A claim or record takes inlay_ring_extent() bytes, a multiple of 8. Claims above 64 KiB are
 * rounded up more, and as they may not fit the slack, may have a discarded record before them, up
 * to the ring's end.
 *
 * One consumer at a time. It goes from claim to claim, ends a span in which nothing more has been
 * taken (INLAY_RING_SLOT_CLOSED, INLAY_RING_WORD_CLOSED), waits at a BUSY record and at an unset header while the owner
 * lives, and passes them by when it is dead, counted in `dead`. Then it zeroes what it has passed
 * and lets producers have it, in three steps, each of which another consumer can take up:
 * clear_pos, the zeros, free_pos. include/inlay/ring.h is all of that.
 *
 * Wake-ups: a consumer that sleeps has set `waiting`, and sleeps on `wakeups` (futex, not
 * private). The producer that commits the record at consumer_pos, or with BPF_RB_FORCE_WAKEUP,
 * clears the one, adds to the other and wakes. It has no barrier between the commit and its look
 * at `waiting`: the first sleep after setting that must be short (INLAY_RING_NAP_NS), with another
 * look at the ring behind it.
 *
 * PERF_EVENT_ARRAY: the record is struct inlay_perf_sample and then the data; `extra` of the map
 * is the ring's bytes (0: INLAY_PERF_RING_BYTES).
 *
 * USER_RINGBUF: the same header and ring; here producer_pos is the one producer's outside,
 * consumer_pos that of the program that drains (and whose turn it is says `drain_owner`); nothing
 * is zeroed. A header has the low 32 bits only, as in the kernel. The producer wakes on `wakeups`
 * as above.
 */
#define INLAY_RING_BUSY (1ull << 31)
#define INLAY_RING_DISCARD (1ull << 30)
#define INLAY_RING_LEN_MASK ((1ull << 30) - 1)
#define INLAY_RING_OWNER_SHIFT 32
#define INLAY_RING_OWNER(header) ((__u32)((header) >> INLAY_RING_OWNER_SHIFT) & INLAY_OWNER_MASK)
#define INLAY_RING_SPAN (1ull << 61)
#define INLAY_RING_IN_SPAN (1ull << 62)
#define INLAY_RING_SET (1ull << 63)
#define INLAY_RING_HEADER_BYTES 8u
#define INLAY_RING_SPAN_HEAD_BYTES 16u	/* of a span, in front of its first record */
#define INLAY_RING_SPAN_MAX_BYTES 65520u /* it and its half are extents in units of 8 bytes */
#define INLAY_RING_SPAN_BYTES(header) ((header) & 0x1ffff)
#define INLAY_RING_SPAN_SLOT(header) ((__u32)(header) >> 17 & 0x1fff) /* + 1; 0: none */
#define INLAY_RING_SPAN_SLOT_SHIFT 17

/*
 * A word about the last claim: bits 0..15 the low bits of the owner (row + 1, and 7 bits of its turn),
 * 16..29 the claim's extent, 30..63 the position behind it in units of 8 bytes. All zero: no claim yet.
 * The extent is in units of 8 bytes, or with INLAY_RING_WORD_BIG in units of inlay_ring_grain().
 * In a span's word bits 0..14 are the units taken so far, the span's head included, 15 CLOSED;
 * 16..29 the last record's extent; 30..63 the span's own position.
 */
#define INLAY_RING_WORD_OWNER_MASK 0xffffull
#define INLAY_RING_WORD_USED(word) ((__u32)(word) & 0x7fffu)
#define INLAY_RING_WORD_CLOSED (1ull << 15)
#define INLAY_RING_WORD_EXTENT(word) ((__u32)((word) >> 16) & 0x3fffu)
#define INLAY_RING_WORD_EXTENT_SHIFT 16
#define INLAY_RING_WORD_BIG 0x2000u
#define INLAY_RING_WORD_POS_SHIFT 30
/*
 * The lone producer: a name in bits 2..63 (its thread's id from bit 2, its process's INLAY_OWNER_* from
 * bit 32), and how many there are. The first thread that claims anything puts its name here and needs
 * no locked instruction. The next one asks for the ring to be shared, and claims nothing until it is
 * settled that the lone one is not in the middle of a claim and will see the question at its next.
 *
 * In a span its owner needs no locked instruction either if it has a slot, a line of its own that nobody
 * else's records will ever lie in. There stands in which span it may take records; who closes that span marks
 * it there, and asks there whether the owner is taking one (include/inlay/ring.h).
 */
#define INLAY_RING_SLOTS 56u
#define INLAY_RING_SLOT_CLOSED 1ull
#define INLAY_RING_SLOT_OPEN 2ull	/* always set; bits 3..36: the span's position; 37..63: its bytes */
#define INLAY_RING_SLOT_POS(word) ((word) & INLAY_RING_WORD_POS_MASK & ~7ull)
#define INLAY_RING_SLOT_BYTES_SHIFT 37
#define INLAY_RING_LONE_SHARE 3ull
#define INLAY_RING_LONE_ASKED 1ull
#define INLAY_RING_LONE_SETTLED 2ull	/* for good: all claims are locked */
#define INLAY_RING_LONE_TID_SHIFT 2
#define INLAY_RING_LONE_OWNER_SHIFT 32
/* positions are kept modulo this in a word */
#define INLAY_RING_WORD_POS_MASK ((1ull << 37) - 1)
#define INLAY_RING_WORD_POS(word) ((word) >> INLAY_RING_WORD_POS_SHIFT << 3)

#define INLAY_RING_NOTES 8u
#define INLAY_RING_SLACK_MAX_BYTES (1u << 16)
#define INLAY_RING_NAP_NS 2000000u
#define INLAY_PERF_RING_BYTES (256u << 10)

struct inlay_ring_slot {
	__u64 name;		/* as in inlay_ring_header.lone; 0: free */
	__u64 busy;		/* the thread is about to take a record in its span; as lone_busy */
	__u64 span;		/* the one span in which it may take any: INLAY_RING_SLOT_*; 0: none */
	__u64 pad0[5];
};

struct inlay_ring_header {
	/* the consumer's (USER_RINGBUF: the draining program's) */
	__u64 consumer_pos;	/* everything before it was delivered */
	__u64 free_pos;		/* everything before it is zero, and producers may have it */
	__u64 clear_pos;	/* up to here zeroes may be on their way */
	__u64 dead;		/* claims and records whose owner died in the middle */
	__u64 pad0[4];
	__u64 tail;		/* INLAY_RING_WORD_* */
	__u64 pad1[7];
	__u64 lost;		/* events that found no room */
	__u64 pad2[7];
	__u32 waiting;		/* 1: a consumer sleeps, or is about to */
	__u32 wakeups;		/* futex */
	__u64 pad3[7];
	__u64 notes[INLAY_RING_NOTES];
	/* USER_RINGBUF only */
	__u64 producer_pos;
	__u64 pad4[7];
	__u32 drain_owner;	/* bit 31: INLAY_OWNER_* drains; 29 and 30 count the turns */
	__u32 lost_cpu;		/* PERF_EVENT_ARRAY: processor + 1 of the event that was lost last */
	__u64 drain_seen;	/* how far the turn was when another one was refused; 0: none was */
	__u64 drain_since_ns;	/* CLOCK_MONOTONIC then */
	__u64 pad6[5];
	/* not USER_RINGBUF: the one thread that claims anything, as long as there is one */
	__u64 lone;		/* INLAY_RING_LONE_* */
	__u64 lone_busy;	/* it is about to move the tail: its stack pointer then; else 0 */
	__u64 lone_asked;	/* when another one came, in ticks of the processor's counter */
	__u64 pad7[5];
	struct inlay_ring_slot slots[INLAY_RING_SLOTS];	/* to the end of the page */
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_ring_header) == INLAY_PAGE_BYTES, "inlay_ring_header layout");

struct inlay_perf_sample {
	__u32 cpu;
	__u32 bytes;		/* of the data behind this, as the program gave it */
};

/* Bytes behind the end of a ring of `size` bytes; a record may continue there. */
static inline __u64 inlay_ring_slack_bytes(__u64 size)
{
	return size < INLAY_RING_SLACK_MAX_BYTES ? size : INLAY_RING_SLACK_MAX_BYTES;
}

static inline __u64 inlay_ring_region_bytes(__u64 size)
{
	return inlay_round_up(sizeof(struct inlay_ring_header) + size +
			      inlay_ring_slack_bytes(size), INLAY_PAGE_BYTES);
}

/* What the extents of claims above 64 KiB are multiples of. */
static inline __u64 inlay_ring_grain(__u64 size)
{
	return size <= 1u << 16 ? 8 : size >> 13;
}

/* Bytes that a record of `bytes` takes, its header included. */
static inline __u64 inlay_ring_extent(__u64 size, __u64 bytes)
{
	__u64 extent = inlay_round_up(bytes + INLAY_RING_HEADER_BYTES, 8);

	return extent < 1u << 16 ? extent : inlay_round_up(extent, inlay_ring_grain(size));
}

#endif /* INLAY_ABI_RING_H */
