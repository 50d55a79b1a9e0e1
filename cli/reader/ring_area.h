/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The region of one ring map, mapped for its one consumer (of a USER_RINGBUF: its producer), and
 * sleeping until somebody wakes it.
 */
#ifndef INLAY_READER_RING_AREA_H
#define INLAY_READER_RING_AREA_H

#include "cli/reader/reader.h"

struct ring_area {
	struct inlay_reader *reader;
	uint32_t map;
	void *mapping;
	size_t mapping_bytes;
	struct inlay_ring_header *head;	/* in the mapping */
	uint64_t bytes;			/* of the region, slack included */
	uint64_t size;			/* of the ring: a power of two */
};

/* -EINVAL: no map of that type. Takes the ring's lock: -EBUSY. */
int ring_area_open(struct inlay_reader *reader, uint32_t map, uint32_t type,
		   struct ring_area *ret_area);
void ring_area_close(struct ring_area *area);

/* Bytes of a ring by its row; 0: that is none, or of an impossible size. */
uint64_t ring_bytes(const struct inlay_seg_map *row);

/* One futex of several to sleep on. */
struct ring_sleep {
	uint32_t *word;
	uint32_t seen;	/* the value that it has to have still */
};

uint64_t ring_now_ns(void);
/*
 * Ends when one of the words changed, at deadline_ns (CLOCK_MONOTONIC), at a signal (-EINTR), or
 * sooner.
 */
int ring_sleep(const struct ring_sleep *sleeps, size_t nr, uint64_t deadline_ns);

#endif /* INLAY_READER_RING_AREA_H */
