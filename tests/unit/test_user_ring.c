/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The producer of a USER_RINGBUF: order, room, waiting for it, what a killed one leaves, files that are
 * cut short, bytes that somebody else writes.
 */
/* larger than its slack: a large message begins at its start */
#define RING_BYTES (256 << 10)
#define IMAGE_BYTES (1 << 20)
#include "ring_fixture.h"

#include <pthread.h>
#include <signal.h>

/* cmocka has a handler of its own in each test, and knows nothing of who was there */
static struct sigaction library;

struct later {
	struct ring_image *ri;
	unsigned int after_ms;
};

/*
 * What the drain of a program does, for one message; its bytes, or -1: none, -2: busy, -3:
 * discarded.
 */
static int drain_one(struct ring_image *ri, void *ret_data)
{
	uint64_t pos = ri->head->consumer_pos, header, extent;

	if (pos == __atomic_load_n(&ri->head->producer_pos, __ATOMIC_ACQUIRE))
		return -1;
	header = __atomic_load_n((uint64_t *)(void *)(ri->ring + pos % RING_BYTES),
				 __ATOMIC_ACQUIRE);
	if (header & INLAY_RING_BUSY)
		return -2;
	extent = inlay_ring_extent(RING_BYTES, header & INLAY_RING_LEN_MASK);
	memcpy(ret_data, ri->ring + pos % RING_BYTES + 8, header & INLAY_RING_LEN_MASK);
	__atomic_store_n(&ri->head->consumer_pos, pos + extent, __ATOMIC_RELEASE);
	return header & INLAY_RING_DISCARD ? -3 : (int)(header & INLAY_RING_LEN_MASK);
}

static void *drain_later(void *arg)
{
	struct later *later = arg;
	struct timespec pause = { .tv_nsec = later->after_ms * 1000000 };
	char data[RING_BYTES];

	nanosleep(&pause, NULL);
	while (drain_one(later->ri, data) >= 0)
		;
	ring_wake(later->ri);
	return NULL;
}

static void test_user_ring(void **state)
{
	struct ring_image ri;
	struct later later = { .ri = &ri, .after_ms = 100 };
	struct inlay_user_ring_buffer *ring, *other;
	static char data[2 * RING_BYTES];
	unsigned int padded = 0;
	int got;
	pthread_t thread;
	uint64_t start;
	char *a, *b;

	(void)state;
	sigaction(SIGBUS, &library, NULL);
	ring_image_init(&ri, INLAY_MAP_TYPE_USER_RINGBUF);
	assert_int_equal(inlay_user_ring_buffer_new(ri.reader, MAP_RING, NULL, &ring), 0);
	assert_int_equal(inlay_user_ring_buffer_new(ri.reader, MAP_RING, NULL, &other), -EBUSY);
	/* in the order in which they were reserved */
	a = inlay_user_ring_buffer_reserve(ring, 10);
	b = inlay_user_ring_buffer_reserve(ring, 100);
	assert_non_null(a);
	assert_non_null(b);
	strcpy(b, "second");
	inlay_user_ring_buffer_submit(ring, b);
	assert_int_equal(drain_one(&ri, data), -2);
	strcpy(a, "first");
	inlay_user_ring_buffer_submit(ring, a);
	assert_int_equal(drain_one(&ri, data), 10);
	assert_string_equal(data, "first");
	assert_int_equal(drain_one(&ri, data), 100);
	assert_string_equal(data, "second");
	a = inlay_user_ring_buffer_reserve(ring, 8);
	inlay_user_ring_buffer_discard(ring, a);
	assert_int_equal(drain_one(&ri, data), -3);
	assert_int_equal(drain_one(&ri, data), -1);
	/* many times round, with messages that end in the slack */
	for (uint64_t i = 0; i < 3000; i++) {
		uint32_t bytes = 8 + dice(i % 4 ? 5000 : RING_BYTES - 16);

		a = inlay_user_ring_buffer_reserve(ring, bytes);
		if (!a) {
			/* what is left in front of the ring's end is too little: it goes first */
			assert_int_equal(errno, ENOSPC);
			while ((got = drain_one(&ri, data)) == -3)
				;
			assert_int_equal(got, -1);
			padded++;
			a = inlay_user_ring_buffer_reserve(ring, bytes);
		}
		assert_non_null(a);
		memset(a, (int)i, bytes);
		inlay_user_ring_buffer_submit(ring, a);
		while ((got = drain_one(&ri, data)) == -3)
			;
		assert_int_equal(got, bytes);
		for (uint32_t k = 0; k < bytes; k++)
			if ((unsigned char)data[k] != (i & 255))
				fail_msg("byte %u of %u of message %lu", k, bytes, i);
	}
	assert_true(padded > 10);
	/* too large; full; waiting for room */
	assert_null(inlay_user_ring_buffer_reserve(ring, RING_BYTES - 7));
	assert_int_equal(errno, E2BIG);
	a = inlay_user_ring_buffer_reserve_blocking(ring, RING_BYTES - 8, 0);
	while (!a) {
		while (drain_one(&ri, data) == -3)
			;
		a = inlay_user_ring_buffer_reserve(ring, RING_BYTES - 8);
	}
	assert_null(inlay_user_ring_buffer_reserve(ring, 0));
	assert_int_equal(errno, ENOSPC);
	start = now_ms();
	assert_null(inlay_user_ring_buffer_reserve_blocking(ring, 8, 80));
	assert_int_equal(errno, ENOSPC);
	assert_in_range(now_ms() - start, 79, 600);
	inlay_user_ring_buffer_submit(ring, a);
	assert_int_equal(pthread_create(&thread, NULL, drain_later, &later), 0);
	b = inlay_user_ring_buffer_reserve_blocking(ring, 8, -1);
	assert_non_null(b);
	pthread_join(thread, NULL);
	/* b is never submitted: whoever comes next discards it */
	assert_int_equal(drain_one(&ri, data), -2);
	inlay_user_ring_buffer_free(ring);
	assert_int_equal(drain_one(&ri, data), -3);
	assert_int_equal(inlay_user_ring_buffer_new(ri.reader, MAP_RING, NULL, &ring), 0);
	a = inlay_user_ring_buffer_reserve(ring, 8);
	assert_int_equal(truncate(ri.image.path, 8192), 0);
	inlay_user_ring_buffer_submit(ring, a);
	assert_null(inlay_user_ring_buffer_reserve(ring, 8));
	assert_int_equal(errno, ESTALE);
	inlay_user_ring_buffer_free(ring);
	inlay_user_ring_buffer_free(NULL);
	ring_image_fini(&ri);
}

static void test_user_ring_hostile(void **state)
{
	struct ring_image ri;
	struct inlay_user_ring_buffer *ring;
	unsigned int nr = 0;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_USER_RINGBUF);
	for (int round = 0; round < 3000; round++) {
		char *messages[8];

		ri.head->producer_pos = dice(2) ? ri.head->consumer_pos + 8 * dice(RING_BYTES / 4) :
						  (uint64_t)dice(1u << 30) << dice(34);
		assert_int_equal(inlay_user_ring_buffer_new(ri.reader, MAP_RING, NULL, &ring), 0);
		for (int i = 0; i < 8; i++) {
			messages[i] = inlay_user_ring_buffer_reserve(ring, dice(RING_BYTES / 2));
			scribble(&ri);
			ri.head->consumer_pos += dice(4) ? 0 : dice(4096);
		}
		for (int i = 0; i < 8; i++) {
			if (!messages[i])
				continue;
			nr++;
			scribble(&ri);
			if (dice(4))
				inlay_user_ring_buffer_submit(ring, messages[i]);
		}
		inlay_user_ring_buffer_free(ring);
	}
	assert_true(nr > 1000);
	ring_image_fini(&ri);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user_ring),
		cmocka_unit_test(test_user_ring_hostile),
	};
	struct inlay_ring_buffer *ring;

	if (inlay_ring_buffer_new(NULL, 0, NULL, NULL, NULL, &ring))
		return 1;
	inlay_ring_buffer_free(ring);
	sigaction(SIGBUS, NULL, &library);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
