/* SPDX-License-Identifier: BSD-2-Clause */
/* What test_ringbuf_model.c calls of ring_hooked.c. */
#ifndef INLAY_TEST_RING_HOOKED_H
#define INLAY_TEST_RING_HOOKED_H

#include "inlay/ring.h"

typedef void hooked_deliver_fn(const struct inlay_ring_record *record);

/* Delivers what there is, so many times, and gives the space back each time. */
void hooked_consume(struct inlay_ring *r, int nr_passes, hooked_deliver_fn *deliver);

#endif /* INLAY_TEST_RING_HOOKED_H */
