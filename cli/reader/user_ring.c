/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inlay_user_ring_buffer_*: the producer of a USER_RINGBUF. Messages are written to memory of our
 * own, which lies like the ring, and copied when they are submitted, so that who writes one
 * touches nothing that others may take away. Our own position is the only one that is believed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cli/reader/guard.h"
#include "cli/reader/ring_area.h"
#include "inlay/ring.h"

/* A header in the ring; the low half is the kernel's. */
#define BUSY ((uint64_t)INLAY_RING_BUSY)
#define DISCARD ((uint64_t)INLAY_RING_DISCARD)

struct inlay_user_ring_buffer {
	struct ring_area area;
	char *ring;		/* the bytes behind the header */
	char *copy;		/* of the same size, slack included */
	size_t copy_bytes;
	uint64_t pos;		/* producer_pos */
	bool is_gone;
};

static uint64_t *header_at(const struct inlay_user_ring_buffer *ring, uint64_t pos)
{
	return (uint64_t *)(void *)(ring->ring + (pos & (ring->area.size - 1)));
}

/*
 * What the last producer had reserved when it was killed is discarded, or the drain would stop
 * there for ever. Headers that make no sense end the walk: then it is the drain's to say so.
 */
static void recover(struct inlay_user_ring_buffer *ring)
{
	uint64_t at = inlay_ring_load(&ring->area.head->consumer_pos), extent;

	ring->pos = inlay_ring_load(&ring->area.head->producer_pos);
	if (ring->pos % 8 || at % 8 || ring->pos - at > ring->area.size) {
		/* nobody can say what is in there: it becomes empty */
		ring->pos = inlay_round_up(at, 8);
		inlay_ring_store(&ring->area.head->producer_pos, ring->pos);
		return;
	}
	for (; at != ring->pos; at += extent) {
		uint64_t header = inlay_ring_load(header_at(ring, at));

		extent = inlay_ring_extent(ring->area.size, header & INLAY_RING_LEN_MASK);
		if (extent > ring->pos - at)
			return;
		if (header & BUSY)
			inlay_ring_store(header_at(ring, at), (header & ~BUSY) | DISCARD);
	}
}

int inlay_user_ring_buffer_new(struct inlay_reader *reader, uint32_t map,
			       const struct inlay_user_ring_buffer_opts *opts,
			       struct inlay_user_ring_buffer **ret_ring)
{
	struct inlay_user_ring_buffer *ring;
	struct guard guard;
	int err;

	if (opts && opts->sz < sizeof(opts->sz))
		return -EINVAL;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	err = guard_prepare();
	if (!err)
		err = ring_area_open(reader, map, INLAY_MAP_TYPE_USER_RINGBUF, &ring->area);
	if (err) {
		free(ring);
		return err;
	}
	ring->ring = (char *)(ring->area.head + 1);
	ring->copy_bytes = ring->area.size + inlay_ring_slack_bytes(ring->area.size);
	/* pages of it that are never written take no memory */
	ring->copy = mmap(NULL, ring->copy_bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ring->copy == MAP_FAILED) {
		err = -errno;
	} else if (guard_enter(&guard, ring->area.head, ring->area.bytes)) {
		munmap(ring->copy, ring->copy_bytes);
		err = -ESTALE;
	} else {
		recover(ring);
		guard_leave(&guard);
	}
	if (err) {
		ring_area_close(&ring->area);
		free(ring);
		return err;
	}
	*ret_ring = ring;
	return 0;
}

void inlay_user_ring_buffer_free(struct inlay_user_ring_buffer *ring)
{
	struct guard guard;

	if (!ring)
		return;
	if (!ring->is_gone && !guard_enter(&guard, ring->area.head, ring->area.bytes)) {
		recover(ring);
		guard_leave(&guard);
	}
	munmap(ring->copy, ring->copy_bytes);
	ring_area_close(&ring->area);
	free(ring);
}

/* Takes `extent` bytes, whose header becomes `header`. */
static void claim(struct inlay_user_ring_buffer *ring, uint64_t header, uint64_t extent)
{
	inlay_ring_store(header_at(ring, ring->pos), header);
	ring->pos += extent;
	/* pairs with the drain's load: it finds the header */
	inlay_ring_store(&ring->area.head->producer_pos, ring->pos);
}

/* Discards the bytes up to the ring's end, in pieces that are extents of records. */
static void pad(struct inlay_user_ring_buffer *ring, uint64_t bytes)
{
	uint64_t grain = inlay_ring_grain(ring->area.size), piece;

	for (; bytes; bytes -= piece) {
		piece = bytes;
		if (piece >= 1u << 16 && piece % grain) {
			piece %= grain;
			if (piece >= 1u << 16)
				piece = (1u << 16) - 8;
		}
		claim(ring, DISCARD | (piece - INLAY_RING_HEADER_BYTES), piece);
	}
}

/* 0, or the error number; the place of the message is *ret_pos */
static int reserve(struct inlay_user_ring_buffer *ring, uint32_t bytes, uint64_t *ret_pos)
{
	uint64_t extent = inlay_ring_extent(ring->area.size, bytes), size = ring->area.size;
	uint64_t used = ring->pos - inlay_ring_load(&ring->area.head->consumer_pos);
	uint64_t left = size - (ring->pos & (size - 1));

	if (used > size)
		return ENOSPC;
	/* A large one that would not end in the slack begins at the ring's start. What is left
	 * before that is passed by at once, also where the message does not fit yet: else it never
	 * would. */
	if (extent > left + inlay_ring_slack_bytes(size)) {
		if (left > size - used)
			return ENOSPC;
		pad(ring, left);
		used += left;
	}
	if (extent > size - used)
		return ENOSPC;
	*ret_pos = ring->pos;
	claim(ring, BUSY | bytes, extent);
	return 0;
}

void *inlay_user_ring_buffer_reserve(struct inlay_user_ring_buffer *ring, uint32_t bytes)
{
	struct guard guard;
	uint64_t pos;
	int err = 0;

	if (bytes > INLAY_RING_LEN_MASK ||
	    inlay_ring_extent(ring->area.size, bytes) > ring->area.size)
		err = E2BIG;
	else if (ring->is_gone)
		err = ESTALE;
	if (err) {
		errno = err;
		return NULL;
	}
	if (guard_enter(&guard, ring->area.head, ring->area.bytes)) {
		ring->is_gone = true;
		errno = ESTALE;
		return NULL;
	}
	err = reserve(ring, bytes, &pos);
	guard_leave(&guard);
	if (err) {
		errno = err;
		return NULL;
	}
	return ring->copy + (pos & (ring->area.size - 1)) + INLAY_RING_HEADER_BYTES;
}

/* False: the memory is gone. */
static bool sleep_prepare(struct inlay_user_ring_buffer *ring, struct ring_sleep *ret_sleep)
{
	struct guard guard;

	if (guard_enter(&guard, ring->area.head, ring->area.bytes)) {
		ring->is_gone = true;
		return false;
	}
	ret_sleep->word = &ring->area.head->wakeups;
	ret_sleep->seen = inlay_ring_load(ret_sleep->word);
	__atomic_store_n(&ring->area.head->waiting, 1u, __ATOMIC_SEQ_CST);
	guard_leave(&guard);
	return true;
}

void *inlay_user_ring_buffer_reserve_blocking(struct inlay_user_ring_buffer *ring, uint32_t bytes,
					      int timeout_ms)
{
	uint64_t deadline_ns = timeout_ms < 0 ? UINT64_MAX :
						ring_now_ns() + (uint64_t)timeout_ms * 1000000;
	uint64_t until_ns;
	struct ring_sleep sleep;
	void *message;

	for (;;) {
		message = inlay_user_ring_buffer_reserve(ring, bytes);
		if (message || errno != ENOSPC || ring_now_ns() >= deadline_ns ||
		    !sleep_prepare(ring, &sleep))
			return message;
		message = inlay_user_ring_buffer_reserve(ring, bytes);
		if (message || errno != ENOSPC)
			return message;
		/* short sleeps: a drain may not have seen that somebody waits */
		until_ns = ring_now_ns() + INLAY_RING_NAP_NS;
		if (ring_sleep(&sleep, 1, until_ns < deadline_ns ? until_ns : deadline_ns)) {
			errno = EINTR;
			return NULL;
		}
	}
}

static void finish(struct inlay_user_ring_buffer *ring, char *message, uint64_t flags)
{
	uint64_t at = (uint64_t)(message - INLAY_RING_HEADER_BYTES - ring->copy), header;
	uint64_t *word = (uint64_t *)(void *)(ring->ring + at);
	struct guard guard;

	if (ring->is_gone)
		return;
	if (guard_enter(&guard, ring->area.head, ring->area.bytes)) {
		ring->is_gone = true;
		return;
	}
	header = inlay_ring_load(word);
	/* the length may have been rewritten meanwhile: it must not lead out of the ring */
	if ((header & INLAY_RING_LEN_MASK) <= ring->copy_bytes - at - INLAY_RING_HEADER_BYTES) {
		if (!(flags & DISCARD))
			memcpy(word + 1, message, header & INLAY_RING_LEN_MASK);
		/* pairs with the drain's load: it finds the message */
		inlay_ring_store(word, (header & INLAY_RING_LEN_MASK) | flags);
	}
	guard_leave(&guard);
}

void inlay_user_ring_buffer_submit(struct inlay_user_ring_buffer *ring, void *message)
{
	finish(ring, message, 0);
}

void inlay_user_ring_buffer_discard(struct inlay_user_ring_buffer *ring, void *message)
{
	finish(ring, message, DISCARD);
}
