/* SPDX-License-Identifier: BSD-2-Clause */
/* What test_ringbuf_model.c calls of ring_hooked.c. */
#ifndef INLAY_TEST_RING_HOOKED_H
#define INLAY_TEST_RING_HOOKED_H

#include "inlay/ring.h"
#include "rt/inline/map_ringbuf.h"

/* What the hooked producers ask for: the calling actor's, and a store that may stay on its way. */
struct inlay_ring_thread *ring_thread_of_test(void);
void ring_busy_of_test(__u64 *busy, __u64 value);

typedef void hooked_deliver_fn(const struct inlay_ring_record *record);

/* Delivers what there is, so many times, and gives the space back each time. */
void hooked_consume(struct inlay_ring *r, int nr_passes, hooked_deliver_fn *deliver);

#endif /* INLAY_TEST_RING_HOOKED_H */
