/* SPDX-License-Identifier: BSD-2-Clause */
/* The events of events-live: a thread's numbers one after the other, with what shows that one is torn. */
#ifndef INLAY_TESTS_EVENTS_LIVE_H
#define INLAY_TESTS_EVENTS_LIVE_H

#define LIVE_WORDS 12

struct live_event {
	unsigned long long thread;	/* pid << 32 | number of the thread */
	unsigned long long seq;		/* from 0 */
	unsigned long long check[LIVE_WORDS];	/* each thread ^ seq * its place */
};

#endif /* INLAY_TESTS_EVENTS_LIVE_H */
