/* SPDX-License-Identifier: BSD-2-Clause */
/* One ring that is being consumed: what ring buffers and perf buffers are made of. */
#ifndef INLAY_READER_RING_CONSUMER_H
#define INLAY_READER_RING_CONSUMER_H

#include "cli/reader/ring_area.h"
#include "inlay/ring.h"

struct ring {
	struct ring_area area;
	struct inlay_ring consumer;
	bool is_gone;		/* its file was cut short */
	bool is_held;		/* the next record is being written */
	uint64_t held_pos, held_since_ns; /* of one whose owner nobody knows */
	uint64_t barrier_pos, barrier_ns; /* where we cannot have it */
	uint64_t lost_before, dead_before; /* when it was opened */
	char *copy;		/* of the record that is being delivered */
	size_t copy_bytes;
};

int ring_open(struct inlay_reader *reader, uint32_t map, uint32_t type, struct ring *ret_ring);
void ring_close(struct ring *ring);

/*
 * Copies the next record and passes it. 1: *ret_data and *ret_bytes are valid until the next call;
 * 0: none; -ESTALE (once, then 0), -ENOMEM.
 */
int ring_take(struct ring *ring, const void **ret_data, size_t *ret_bytes);
/* Gives what was taken back to the producers; ring_take() does it now and then. */
int ring_give_back(struct ring *ring);
/* Says that the consumer is about to sleep, or is not any more. */
void ring_sleep_begin(struct ring *ring, struct ring_sleep *ret_sleep);
void ring_sleep_end(struct ring *ring);
/* Counts of the map; 0 if they cannot be read. */
void ring_counts(struct ring *ring, uint64_t *ret_lost, uint64_t *ret_dead);
/* Records lost since it was opened, those never finished included. */
uint64_t ring_lost(struct ring *ring);

/* Where the event was lost that was lost last; -1: none was, for want of room. */
int ring_lost_cpu(struct ring *ring);

/* What poll needs of a set of rings. */
struct ring_set {
	struct ring **rings;
	size_t nr;
	struct ring_sleep *sleeps;	/* as many */
	/* consumes what is there; a number of records, or a negative error that ends poll */
	int (*consume)(void *arg);
	void *arg;
};
int ring_poll(const struct ring_set *set, int timeout_ms);

#endif /* INLAY_READER_RING_CONSUMER_H */
