/* SPDX-License-Identifier: BSD-2-Clause */
/* The consumer's header for test_ringbuf_model.c: a file of its own, because it is compiled with hooks. */
#include "ring_hooked.h"

void hooked_consume(struct inlay_ring *r, int nr_passes, hooked_deliver_fn *deliver)
{
	struct inlay_ring_record record;

	while (nr_passes--) {
		while (inlay_ring_next(r, &record) == INLAY_RING_RECORD) {
			deliver(&record);
			inlay_ring_pass(r, &record);
		}
		inlay_ring_release(r);
	}
}
