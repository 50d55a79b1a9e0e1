/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * consumer DIR SECONDS: consumes the events of every live segment in DIR, new ones as they appear,
 * until the time is up, or a line comes on stdin and nothing is left. Fails on an event that is torn,
 * comes twice or in the wrong order. Prints {"events": N, "gaps": N, "lost": N, "threads": N,
 * "longest_ms": N, "in_time": true}.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <inlay/inlay.h>

#include "live.h"

#define THREADS_MAX 4096

struct thread {
	unsigned long long id, next;
};

static struct {
	struct thread threads[THREADS_MAX];
	size_t nr_threads;
	unsigned long long events, gaps;
	int is_wrong;
} seen;

static struct thread *find(unsigned long long id)
{
	for (size_t i = seen.nr_threads; i; i--)
		if (seen.threads[i - 1].id == id)
			return &seen.threads[i - 1];
	if (seen.nr_threads == THREADS_MAX)
		return NULL;
	seen.threads[seen.nr_threads].id = id;
	return &seen.threads[seen.nr_threads++];
}

static int on_event(void *ctx, void *data, size_t size)
{
	const struct live_event *event = data;
	struct thread *thread;

	(void)ctx;
	if (size != sizeof(*event)) {
		fprintf(stderr, "an event of %zu bytes\n", size);
		return -1;
	}
	for (unsigned int i = 0; i < LIVE_WORDS; i++)
		if (event->check[i] != (event->thread ^ event->seq * i)) {
			fprintf(stderr, "a torn event: %llx %llu, word %u\n", event->thread,
				event->seq, i);
			return -1;
		}
	thread = find(event->thread);
	if (!thread || event->seq < thread->next) {
		fprintf(stderr, "%llx: %llu comes after %llu\n", event->thread, event->seq,
			thread ? thread->next - 1 : 0);
		return -1;
	}
	seen.events++;
	seen.gaps += event->seq - thread->next;
	thread->next = event->seq + 1;
	return 0;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct inlay_segment_opts opts = INLAY_SIZED(inlay_segment_opts);
	struct inlay_ring_stats stats = INLAY_SIZED(inlay_ring_stats);
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct inlay_ring_buffer *ring;
	double end, last, longest = 0;
	int is_told = 0, nr;

	if (argc != 3 || inlay_ring_buffer_new(NULL, 0, NULL, NULL, NULL, &ring))
		return 2;
	opts.dir = argv[1];
	end = now() + atof(argv[2]);
	last = now();
	while (now() < end) {
		is_told = is_told || poll(&in, 1, 0) > 0;
		nr = inlay_ring_buffer_add_all(ring, &opts, "live", "events", on_event, NULL);
		if (nr >= 0)
			nr = inlay_ring_buffer_poll(ring, 20);
		if (nr < 0) {
			fprintf(stderr, "poll: %d\n", nr);
			return 1;
		}
		if (nr && now() - last > longest)
			longest = now() - last;
		if (nr || !seen.events)
			last = now();
		else if (is_told)
			break;
	}
	/* also what was lost before the ring was found */
	if (inlay_ring_buffer_stats(ring, &stats) || stats.consumed != seen.events)
		return 1;
	printf("{\"events\": %llu, \"gaps\": %llu, \"lost\": %llu, \"threads\": %zu, "
	       "\"longest_ms\": %d, \"in_time\": %s}\n",
	       seen.events, seen.gaps, (unsigned long long)(stats.lost + stats.dead), seen.nr_threads,
	       (int)(longest * 1000), now() < end ? "true" : "false");
	inlay_ring_buffer_free(ring);
	return 0;
}
