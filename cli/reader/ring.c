/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consuming one ring: each step on its memory is made under a guard, a record is copied before
 * anybody sees it, and a producer that died is asked for by its lock. Invariant: outside of a
 * guard nothing of the mapping is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/reader/guard.h"
#include "cli/reader/ring.h"

/*
 * A record of a process without a row in the table is waited for this long, and then taken for
 * dead.
 */
#define NAMELESS_NS 1000000000ull
/*
 * One of a process that lives, this long: its thread may be stopped, or was taken out of the
 * program by the longjmp() of a signal handler. If it does go on, its commit is refused, as it does
 * not find its header.
 */
#define STALLED_NS 10000000000ull
/* How often a sleeper looks whether who holds the next record lives, and whether others went on
 * behind one that died: they wake nobody. */
#define HELD_NS 20000000ull
#define LOOK_NS 100000000ull
/* No store of a processor is on its way for so long. */
#define STORES_NS 2000000ull

/* Whether a process (INLAY_OWNER_*, as far as mask says) lives: its row, its turn, its lock. */
static int is_alive(void *ctx, __u32 owner, __u32 mask)
{
	const struct ring *ring = ctx;
	struct inlay_reader *reader = ring->area.reader;
	uint32_t row = owner & INLAY_OWNER_ROW_MASK;
	struct inlay_proc_info info = INLAY_SIZED(inlay_proc_info);
	struct inlay_seg_proc proc;

	if (!row)
		return 1;
	if (segment_row(reader, &reader->procs, row - 1, &proc, sizeof(proc)))
		return 0;
	if (((row | proc.turn << INLAY_OWNER_TURN_SHIFT) ^ owner) & mask & INLAY_OWNER_MASK)
		return 0;
	return !inlay_segment_proc(reader, row - 1, &info) && info.is_alive;
}

/* A barrier in all threads that produce without one; where that is forbidden, time does it. */
static int barrier(void *ctx, __u64 pos)
{
	struct ring *ring = ctx;

	if (!syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0))
		return 1;
	if (ring->barrier_pos != pos || !ring->barrier_ns) {
		ring->barrier_pos = pos;
		ring->barrier_ns = ring_now_ns();
	}
	return ring_now_ns() - ring->barrier_ns > STORES_NS;
}

int ring_open(struct inlay_reader *reader, uint32_t map, uint32_t type, struct ring *ret_ring)
{
	struct ring *ring = ret_ring;
	struct guard guard;
	int err = guard_prepare();

	memset(ring, 0, sizeof(*ring));
	if (!err)
		err = ring_area_open(reader, map, type, &ring->area);
	if (err)
		return err;
	if (guard_enter(&guard, ring->area.head, ring->area.bytes)) {
		ring_area_close(&ring->area);
		return -ESTALE;
	}
	inlay_ring_open(&ring->consumer, ring->area.head, ring->area.size, is_alive, barrier,
			ring);
	guard_leave(&guard);
	ring_counts(ring, &ring->lost_before, &ring->dead_before);
	return 0;
}

void ring_close(struct ring *ring)
{
	ring_give_back(ring);
	ring_area_close(&ring->area);
	free(ring->copy);
	ring->copy = NULL;
}

int ring_give_back(struct ring *ring)
{
	struct guard guard;

	if (ring->is_gone)
		return 0;
	if (guard_enter(&guard, ring->area.head, ring->area.bytes)) {
		ring->is_gone = true;
		return -ESTALE;
	}
	inlay_ring_release(&ring->consumer);
	guard_leave(&guard);
	return 0;
}

/* Whether a held record has been so for too long. */
static bool is_overdue(struct ring *ring)
{
	bool is_named = ring->consumer.holder & INLAY_OWNER_ROW_MASK;
	uint64_t now = ring_now_ns();

	if (ring->held_pos != ring->consumer.cons || !ring->held_since_ns) {
		ring->held_pos = ring->consumer.cons;
		ring->held_since_ns = now;
	}
	return now - ring->held_since_ns > (is_named ? STALLED_NS : NAMELESS_NS);
}

static enum inlay_ring_found find(struct ring *ring, struct inlay_ring_record *record)
{
	enum inlay_ring_found found = inlay_ring_next(&ring->consumer, record);

	if (found == INLAY_RING_HELD && is_overdue(ring)) {
		inlay_ring_skip(&ring->consumer);
		ring->held_since_ns = 0;
		found = inlay_ring_next(&ring->consumer, record);
	}
	ring->is_held = found == INLAY_RING_HELD;
	return found;
}

/* The copy's buffer; under no guard, as it allocates. */
static int make_room(struct ring *ring, size_t bytes)
{
	char *more;

	if (bytes <= ring->copy_bytes)
		return 0;
	bytes = bytes < 4096 ? 4096 : bytes;
	more = realloc(ring->copy, bytes);
	if (!more)
		return -ENOMEM;
	ring->copy = more;
	ring->copy_bytes = bytes;
	return 0;
}

/* 1 taken; 0 none; -ENOBUFS: *ret_bytes of room are needed first */
static int take(struct ring *ring, size_t *ret_bytes)
{
	struct inlay_ring *consumer = &ring->consumer;
	struct inlay_ring_record record;
	uint64_t at, room = ring->area.bytes;

	if (find(ring, &record) != INLAY_RING_RECORD) {
		inlay_ring_release(consumer);
		return 0;
	}
	*ret_bytes = record.bytes;
	at = (uint64_t)((const char *)record.data - (const char *)ring->area.head);
	/* one that does not end in the region is nothing that a producer made */
	if (at > room || record.bytes > room - at)
		*ret_bytes = 0;
	if (*ret_bytes > ring->copy_bytes)
		return -ENOBUFS;
	memcpy(ring->copy, record.data, *ret_bytes);
	inlay_ring_pass(consumer, &record);
	/*
	 * not each record, as it costs a pass over the memory; not too rarely, as producers need
	 * room
	 */
	if (consumer->cons - consumer->free > ring->area.size / 4)
		inlay_ring_release(consumer);
	return 1;
}

int ring_take(struct ring *ring, const void **ret_data, size_t *ret_bytes)
{
	struct guard guard;
	int err;

	*ret_bytes = 0;
	if (ring->is_gone)
		return 0;
	do {
		/*
		 * one more: of a record without bytes, too, memcpy() and the callback get an
		 * address
		 */
		err = make_room(ring, *ret_bytes + 1);
		if (err)
			return err;
		if (guard_enter(&guard, ring->area.head, ring->area.bytes)) {
			ring->is_gone = true;
			return -ESTALE;
		}
		err = take(ring, ret_bytes);
		guard_leave(&guard);
	} while (err == -ENOBUFS);
	*ret_data = ring->copy;
	return err;
}

void ring_sleep_begin(struct ring *ring, struct ring_sleep *ret_sleep)
{
	struct guard guard;

	ret_sleep->word = &ring->area.head->wakeups;
	ret_sleep->seen = 0;
	if (ring->is_gone)
		return;
	if (guard_enter(&guard, ring->area.head, ring->area.bytes))
		return; /* the next take tells */
	ret_sleep->seen = inlay_ring_wait_prepare(&ring->consumer);
	guard_leave(&guard);
}

void ring_sleep_end(struct ring *ring)
{
	struct guard guard;

	if (ring->is_gone || guard_enter(&guard, ring->area.head, ring->area.bytes))
		return;
	inlay_ring_wait_end(&ring->consumer);
	guard_leave(&guard);
}

void ring_counts(struct ring *ring, uint64_t *ret_lost, uint64_t *ret_dead)
{
	struct guard guard;

	*ret_lost = *ret_dead = 0;
	if (ring->is_gone || guard_enter(&guard, ring->area.head, ring->area.bytes))
		return;
	*ret_lost = inlay_ring_load(&ring->area.head->lost);
	*ret_dead = inlay_ring_load(&ring->area.head->dead);
	guard_leave(&guard);
}

int ring_lost_cpu(struct ring *ring)
{
	uint32_t cpu = 0;
	struct guard guard;

	if (ring->is_gone || guard_enter(&guard, ring->area.head, ring->area.bytes))
		return -1;
	cpu = inlay_ring_load(&ring->area.head->lost_cpu);
	guard_leave(&guard);
	return cpu > INT_MAX ? -1 : (int)cpu - 1;
}

uint64_t ring_lost(struct ring *ring)
{
	uint64_t lost, dead;

	ring_counts(ring, &lost, &dead);
	/* who may write these may also set them back */
	return ring->consumer.broken +
	       (lost > ring->lost_before ? lost - ring->lost_before : 0) +
	       (dead > ring->dead_before ? dead - ring->dead_before : 0);
}

/* ---- Waiting ---------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* One sleep, of at most a slice. Rings that are gone are not slept on. */
static int doze(const struct ring_set *set, uint64_t slice_ns, uint64_t deadline_ns, int *ret_nr)
{
	size_t nr = 0;
	int err;

	for (size_t i = 0; i < set->nr; i++) {
		if (set->rings[i]->is_held)
			slice_ns = earlier(slice_ns, HELD_NS);
		if (!set->rings[i]->is_gone)
			ring_sleep_begin(set->rings[i], &set->sleeps[nr++]);
	}
	/* what was committed before its producer could see that we are about to sleep */
	*ret_nr = set->consume(set->arg);
	if (*ret_nr)
		return 0;
	err = ring_sleep(set->sleeps, nr, earlier(deadline_ns, ring_now_ns() + slice_ns));
	*ret_nr = set->consume(set->arg);
	/* records first: the signal is not lost by it, as its handler has run */
	return *ret_nr ? 0 : err;
}

int ring_poll(const struct ring_set *set, int timeout_ms)
{
	uint64_t deadline_ns = timeout_ms < 0 ? UINT64_MAX :
						ring_now_ns() + (uint64_t)timeout_ms * 1000000;
	/* the first sleep is short: a producer may not have seen yet that somebody waits */
	uint64_t slice_ns = INLAY_RING_NAP_NS;
	int nr = set->consume(set->arg), err = 0;

	while (!nr && !err && ring_now_ns() < deadline_ns) {
		err = doze(set, slice_ns, deadline_ns, &nr);
		slice_ns = LOOK_NS;
	}
	for (size_t i = 0; i < set->nr; i++)
		ring_sleep_end(set->rings[i]);
	return err ? err : nr;
}
