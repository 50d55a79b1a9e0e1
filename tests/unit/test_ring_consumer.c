/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consumers of rings: what is delivered and in which order, dead producers, second consumers,
 * sleeping and waking, files that are cut short, bytes that somebody else writes.
 */
#include "ring_fixture.h"
#include "inlay/ring.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <time.h>

/* What the library's clock says, so that a test need not wait. For calls that do not sleep. */
static time_t clock_ahead_s;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int ret = (int)syscall(SYS_clock_gettime, clock, ts);

	ts->tv_sec += clock_ahead_s;
	return ret;
}

/* What a callback saw. */
struct seen {
	unsigned int nr;
	size_t bytes;		/* of the last */
	unsigned char data[RING_BYTES];
	uint64_t next;		/* number expected in the first 8 bytes of records that have them */
	bool is_wrong;
	int result;		/* what the callback returns */
	uint64_t lost;
	int cpu, lost_cpu;
};

static int on_sample(void *ctx, void *data, size_t size)
{
	struct seen *seen = ctx;
	uint64_t number;

	seen->nr++;
	seen->bytes = size;
	if (size <= sizeof(seen->data))
		memcpy(seen->data, data, size);
	else
		seen->is_wrong = true;
	if (size >= 8) {
		memcpy(&number, data, 8);
		seen->is_wrong |= number != seen->next;
		seen->next = number + 1;
		for (size_t i = 8; i < size; i++)
			seen->is_wrong |= seen->data[i] != (unsigned char)(number + i);
	}
	return seen->result;
}

static int count_sample(void *ctx, void *data, size_t size)
{
	unsigned char sum = 0;

	/* each byte is there */
	for (size_t i = 0; i < size; i++)
		sum ^= ((unsigned char *)data)[i];
	*(volatile unsigned char *)&sum = sum;
	++*(unsigned int *)ctx;
	return 0;
}

static bool put_number(struct ring_image *ri, uint64_t number, uint32_t bytes)
{
	unsigned char data[RING_BYTES];

	for (uint32_t i = 8; i < bytes; i++)
		data[i] = (unsigned char)(number + i);
	memcpy(data, &number, 8);
	return ring_put(ri, data, bytes);
}

static int open_ring(struct inlay_reader *reader, uint32_t map, struct seen *seen,
		     struct inlay_ring_buffer **ret_ring)
{
	return inlay_ring_buffer_new(reader, map, on_sample, seen, NULL, ret_ring);
}

static struct inlay_ring_buffer *ring_new(struct ring_image *ri, struct seen *seen)
{
	struct inlay_ring_buffer *ring;

	memset(seen, 0, sizeof(*seen));
	assert_int_equal(open_ring(ri->reader, MAP_RING, seen, &ring), 0);
	return ring;
}

/* ---- What is delivered ------------------------------------------------------------------- */

static void test_in_order(void **state)
{
	struct ring_image ri;
	struct inlay_ring_buffer *ring;
	struct inlay_ring_stats stats = INLAY_SIZED(inlay_ring_stats);
	struct seen seen;
	uint64_t number = 0, waiting;
	unsigned int refused = 0;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	ring = ring_new(&ri, &seen);
	assert_int_equal(inlay_ring_buffer_consume(ring), 0);
	for (int round = 0; round < 20000; round++) {
		uint32_t bytes = dice(20) ? 8 + dice(100) : 8 + dice(RING_BYTES - 16);

		if (put_number(&ri, number, bytes)) {
			number++;
			continue;
		}
		/* full: all of it comes out, and then there is room */
		refused++;
		waiting = number - seen.nr;
		assert_int_equal(inlay_ring_buffer_consume(ring), waiting);
		assert_int_equal(ri.head->free_pos, ri.pos);
		assert_true(put_number(&ri, number++, bytes));
		assert_false(seen.is_wrong);
	}
	assert_true(refused > 100);
	inlay_ring_buffer_consume(ring);
	assert_false(seen.is_wrong);
	assert_int_equal(seen.nr, number);
	assert_int_equal(inlay_ring_buffer_lost(ring), refused);
	assert_int_equal(inlay_ring_buffer_stats(ring, &stats), 0);
	assert_int_equal(stats.consumed, number);
	assert_int_equal(stats.lost, refused);
	assert_int_equal(stats.dead, 0);
	/* what was consumed is zero */
	for (uint32_t i = 0; i < 2 * RING_BYTES; i++)
		assert_int_equal(ri.ring[i], 0);
	inlay_ring_buffer_free(ring);
	ring_image_fini(&ri);
}

static void test_kinds_of_records(void **state)
{
	struct ring_image ri;
	struct inlay_ring_buffer *ring;
	struct seen seen;
	uint64_t pos;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	ring = ring_new(&ri, &seen);
	/* no bytes at all; discarded ones; then one that lives */
	assert_true(ring_put(&ri, "", 0));
	assert_int_equal(inlay_ring_buffer_consume(ring), 1);
	assert_int_equal(seen.bytes, 0);
	assert_true(ring_claim(&ri, 24, OWNER_LIVE, &pos));
	ring_set_header(&ri, pos, 24, OWNER_LIVE, INLAY_RING_DISCARD);
	assert_true(ring_put(&ri, "abc", 3));
	assert_int_equal(inlay_ring_buffer_consume(ring), 1);
	assert_int_equal(seen.bytes, 3);
	assert_memory_equal(seen.data, "abc", 3);
	/* one that is being written holds up those behind it, while its owner lives */
	assert_true(ring_claim(&ri, 4, OWNER_LIVE, &pos));
	assert_true(ring_put(&ri, "def", 3));
	assert_int_equal(inlay_ring_buffer_consume(ring), 0);
	ring_set_header(&ri, pos, 4, OWNER_LIVE, INLAY_RING_BUSY);
	assert_int_equal(inlay_ring_buffer_poll(ring, 30), 0);
	memcpy(ri.ring + pos % RING_BYTES + 8, "four", 4);
	ring_set_header(&ri, pos, 4, OWNER_LIVE, 0);
	assert_int_equal(inlay_ring_buffer_consume(ring), 2);
	assert_memory_equal(seen.data, "def", 3);
	assert_int_equal(inlay_ring_buffer_lost(ring), 0);
	inlay_ring_buffer_free(ring);
	ring_image_fini(&ri);
}

/*
 * Killed before its header was written, and before it was finished: counted, and never waited for.
 */
static void test_dead_producers(void **state)
{
	struct ring_image ri;
	struct inlay_ring_buffer *ring;
	struct inlay_ring_stats stats = INLAY_SIZED(inlay_ring_stats);
	struct seen seen;
	uint64_t pos, before;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	ring = ring_new(&ri, &seen);
	assert_true(ring_claim(&ri, 100, OWNER_DEAD, &pos));
	ring_set_header(&ri, pos, 100, OWNER_DEAD, INLAY_RING_BUSY);
	assert_true(ring_put(&ri, "one", 3));
	assert_int_equal(inlay_ring_buffer_consume(ring), 1);
	assert_true(ring_claim(&ri, 200, OWNER_DEAD, &pos));
	before = now_ms();
	assert_int_equal(inlay_ring_buffer_poll(ring, 50), 0);
	assert_true(now_ms() - before < 1000);
	/* its place was freed */
	assert_int_equal(ri.head->consumer_pos, ri.pos);
	assert_true(ring_put(&ri, "two", 3));
	assert_int_equal(inlay_ring_buffer_poll(ring, 50), 1);
	assert_memory_equal(seen.data, "two", 3);
	/* the row is used again, by one that lives: not the owner */
	assert_true(ring_claim(&ri, 8, OWNER_LIVE | 5 << INLAY_OWNER_TURN_SHIFT, &pos));
	ring_set_header(&ri, pos, 8, OWNER_LIVE | 5 << INLAY_OWNER_TURN_SHIFT, INLAY_RING_BUSY);
	assert_true(ring_put(&ri, "six", 3));
	assert_int_equal(inlay_ring_buffer_consume(ring), 1);
	assert_int_equal(inlay_ring_buffer_lost(ring), 3);
	assert_int_equal(inlay_ring_buffer_stats(ring, &stats), 0);
	assert_int_equal(stats.dead, 3);
	/* one that nobody can be asked for is given a second */
	assert_true(ring_claim(&ri, 8, OWNER_NOBODY, &pos));
	ring_set_header(&ri, pos, 8, OWNER_NOBODY, INLAY_RING_BUSY);
	assert_true(ring_put(&ri, "end", 3));
	before = now_ms();
	assert_int_equal(inlay_ring_buffer_consume(ring), 0);
	assert_int_equal(inlay_ring_buffer_poll(ring, 20000), 1);
	assert_in_range(now_ms() - before, 900, 10000);
	assert_memory_equal(seen.data, "end", 3);
	inlay_ring_buffer_free(ring);
	ring_image_fini(&ri);
}

/*
 * A thread that a signal handler's longjmp() took out of a program, or that is stopped, may never
 * finish its record: the others' must not wait for ever.
 */
static void test_stalled_producers(void **state)
{
	struct ring_image ri;
	struct inlay_ring_buffer *ring;
	struct inlay_ring_stats stats = INLAY_SIZED(inlay_ring_stats);
	struct seen seen;
	uint64_t pos;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	ring = ring_new(&ri, &seen);
	for (int has_header = 0; has_header < 2; has_header++) {
		assert_true(ring_claim(&ri, 40, OWNER_LIVE, &pos));
		if (has_header)
			ring_set_header(&ri, pos, 40, OWNER_LIVE, INLAY_RING_BUSY);
		assert_true(ring_put(&ri, "end", 3));
		assert_int_equal(inlay_ring_buffer_consume(ring), 0);
		clock_ahead_s += 9;
		assert_int_equal(inlay_ring_buffer_consume(ring), 0);
		clock_ahead_s += 2;
		assert_int_equal(inlay_ring_buffer_consume(ring), 1);
		assert_memory_equal(seen.data, "end", 3);
		/* the wait begins anew with each */
	}
	clock_ahead_s = 0;
	assert_int_equal(ri.head->free_pos, ri.pos);
	assert_int_equal(inlay_ring_buffer_stats(ring, &stats), 0);
	assert_int_equal(stats.dead, 2);
	inlay_ring_buffer_free(ring);
	ring_image_fini(&ri);
}

static void test_callback_ends(void **state)
{
	struct ring_image ri;
	struct inlay_ring_buffer *ring;
	struct seen seen;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	ring = ring_new(&ri, &seen);
	for (uint64_t i = 0; i < 10; i++)
		assert_true(put_number(&ri, i, 16));
	seen.result = -42;
	assert_int_equal(inlay_ring_buffer_consume(ring), -42);
	assert_int_equal(inlay_ring_buffer_poll(ring, 1000), -42);
	assert_int_equal(seen.nr, 2);
	seen.result = 1; /* not negative */
	assert_int_equal(inlay_ring_buffer_consume_n(ring, 3), 3);
	assert_int_equal(inlay_ring_buffer_consume_n(ring, 0), 0);
	assert_int_equal(inlay_ring_buffer_consume_n(ring, 100), 5);
	assert_false(seen.is_wrong);
	inlay_ring_buffer_free(ring);
	ring_image_fini(&ri);
}

/* ---- Who consumes ------------------------------------------------------------------------ */

static void test_one_consumer(void **state)
{
	struct ring_image ri;
	struct inlay_ring_buffer *ring, *other;
	struct inlay_reader *second, *read_only;
	struct inlay_perf_buffer *perf;
	struct inlay_map *map;
	struct seen seen, later;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	second = ring_image_open(&ri, true);
	read_only = ring_image_open(&ri, false);
	ring = ring_new(&ri, &seen);
	assert_int_equal(open_ring(ri.reader, MAP_RING, &later, &other),
			 -EBUSY);
	assert_int_equal(open_ring(second, MAP_RING, &later, &other), -EBUSY);
	assert_int_equal(inlay_ring_buffer_add(ring, second, MAP_RING, on_sample, &later), -EBUSY);
	assert_int_equal(open_ring(read_only, MAP_RING, &later, &other),
			 -EBADF);
	assert_int_equal(open_ring(second, MAP_COUNTS, &later, &other),
			 -EINVAL);
	assert_int_equal(open_ring(second, 99, &later, &other), -ENOENT);
	assert_int_equal(inlay_perf_buffer_new(second, MAP_RING, NULL, NULL, NULL, NULL, &perf),
			 -EINVAL);
	/* it is no map of entries */
	assert_int_equal(inlay_map_open(second, MAP_RING, &map), -EOPNOTSUPP);
	/* the next one goes on where the last was */
	put_number(&ri, 0, 16);
	put_number(&ri, 1, 16);
	assert_int_equal(inlay_ring_buffer_consume_n(ring, 1), 1);
	inlay_ring_buffer_free(ring);
	memset(&later, 0, sizeof(later));
	later.next = 1;
	assert_int_equal(open_ring(second, MAP_RING, &later, &other), 0);
	assert_int_equal(inlay_ring_buffer_consume(other), 1);
	assert_false(seen.is_wrong || later.is_wrong);
	inlay_ring_buffer_free(other);
	inlay_ring_buffer_free(NULL);
	inlay_segment_close(second);
	inlay_segment_close(read_only);
	ring_image_fini(&ri);
}

static void test_all_targets(void **state)
{
	struct inlay_segment_opts opts = INLAY_SIZED(inlay_segment_opts);
	struct ring_image one, two;
	struct inlay_ring_buffer *ring;
	struct seen seen = { 0 };
	char path[256];

	(void)state;
	ring_image_init(&one, INLAY_MAP_TYPE_RINGBUF);
	ring_image_init(&two, INLAY_MAP_TYPE_RINGBUF);
	snprintf(path, sizeof(path), "%s/kv.4300.1", one.image.dir);
	assert_int_equal(rename(two.image.path, path), 0);
	opts.dir = one.image.dir;
	assert_int_equal(inlay_ring_buffer_new(NULL, 0, NULL, NULL, NULL, &ring), 0);
	assert_int_equal(inlay_ring_buffer_poll(ring, 1), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(inlay_ring_buffer_add_all(ring, &opts, i < 3 ? "conns" : "other",
							   i == 2 ? "counts" : "events", on_sample,
							   &seen), i ? 0 : 2);
	ring_put(&one, "one", 3);
	ring_put(&two, "two", 3);
	assert_int_equal(inlay_ring_buffer_poll(ring, 1000), 2);
	inlay_ring_buffer_free(ring);
	assert_int_equal(rename(path, two.image.path), 0);
	ring_image_fini(&two);
	ring_image_fini(&one);
}

/* ---- Sleeping ---------------------------------------------------------------------------- */

struct later {
	struct ring_image *ri;
	unsigned int after_ms;
};

static void *put_later(void *arg)
{
	struct later *later = arg;
	struct timespec pause = { .tv_nsec = later->after_ms * 1000000 };

	nanosleep(&pause, NULL);
	ring_put(later->ri, "late", 4);
	return NULL;
}

static void test_poll(void **state)
{
	struct ring_image ri, other;
	struct later later = { .ri = &ri, .after_ms = 150 };
	struct inlay_ring_buffer *ring;
	struct seen seen;
	pthread_t thread;
	uint64_t start;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	ring_image_init(&other, INLAY_MAP_TYPE_RINGBUF);
	ring = ring_new(&ri, &seen);
	for (int nr = 1; nr <= 2; nr++) {
		start = now_ms();
		assert_int_equal(inlay_ring_buffer_poll(ring, 0), 0);
		assert_true(now_ms() - start < 50);
		start = now_ms();
		assert_int_equal(inlay_ring_buffer_poll(ring, 120), 0);
		assert_in_range(now_ms() - start, 119, 600);
		assert_int_equal(ri.head->waiting, 0);
		/* woken, long before it looks by itself or the time is up */
		start = now_ms();
		later.ri = nr == 1 ? &ri : &other;
		assert_int_equal(pthread_create(&thread, NULL, put_later, &later), 0);
		assert_int_equal(inlay_ring_buffer_poll(ring, -1), 1);
		assert_in_range(now_ms() - start, 140, 2000);
		pthread_join(thread, NULL);
		if (nr == 1)
			assert_false(inlay_ring_buffer_add(ring, other.reader, MAP_RING, on_sample,
							   &seen));
	}
	assert_int_equal(seen.nr, 2);
	inlay_ring_buffer_free(ring);
	ring_image_fini(&other);
	ring_image_fini(&ri);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void test_poll_interrupted(void **state)
{
	struct sigaction action = { .sa_handler = on_alarm }, before;
	struct itimerspec soon = { .it_value.tv_nsec = 50000000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct ring_image ri;
	struct inlay_ring_buffer *ring;
	struct seen seen;
	timer_t timer;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	ring = ring_new(&ri, &seen);
	sigaction(SIGALRM, &action, &before);
	assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	assert_int_equal(timer_settime(timer, 0, &soon, NULL), 0);
	assert_int_equal(inlay_ring_buffer_poll(ring, 20000), -EINTR);
	timer_delete(timer);
	sigaction(SIGALRM, &before, NULL);
	inlay_ring_buffer_free(ring);
	ring_image_fini(&ri);
}

/* ---- What the other side may do ---------------------------------------------------------- */

static sigjmp_buf app_back;
/* cmocka has a handler of its own in each test, and knows nothing of who was there */
static struct sigaction library;

static void on_app_bus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	siglongjmp(app_back, 1);
}

static void test_cut_short(void **state)
{
	struct ring_image ri;
	struct inlay_ring_buffer *ring;
	struct seen seen;

	(void)state;
	sigaction(SIGBUS, &library, NULL);
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	ring = ring_new(&ri, &seen);
	put_number(&ri, 0, 64);
	assert_int_equal(inlay_ring_buffer_consume(ring), 1);
	put_number(&ri, 1, 64);
	assert_int_equal(truncate(ri.image.path, 8192), 0);
	assert_int_equal(inlay_ring_buffer_consume(ring), -ESTALE);
	assert_int_equal(inlay_ring_buffer_consume(ring), 0);
	assert_int_equal(inlay_ring_buffer_poll(ring, 20), 0);
	inlay_ring_buffer_lost(ring);
	/* other memory's faults go where they went before: to a handler of the program's */
	if (!sigsetjmp(app_back, 1)) {
		*(volatile char *)ri.ring = 1;
		fail();
	}
	inlay_ring_buffer_free(ring);
	ring_image_fini(&ri);
	/* cut between the look at its size and the first access */
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	assert_int_equal(truncate(ri.image.path, 8192), 0);
	assert_int_equal(open_ring(ri.reader, MAP_RING, &seen, &ring), -ESTALE);
	ring_image_fini(&ri);
}

struct scribbler {
	struct ring_image *ri;
	volatile int is_over;
};

static void *scribble_on(void *arg)
{
	struct scribbler *s = arg;

	while (!s->is_over)
		scribble(s->ri);
	return NULL;
}

/*
 * Whatever stands in the ring, and whoever writes while it is consumed: it ends, within the
 * region.
 */
static void test_hostile(void **state)
{
	struct ring_image ri;
	struct scribbler s = { .ri = &ri };
	struct inlay_ring_buffer *ring;
	unsigned int nr = 0;
	pthread_t thread;
	uint64_t end;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	for (int round = 0; round < 3000; round++) {
		for (uint32_t i = dice(100); i; i--)
			scribble(&ri);
		assert_int_equal(inlay_ring_buffer_new(ri.reader, MAP_RING, count_sample, &nr, NULL,
						       &ring), 0);
		assert_true(inlay_ring_buffer_consume(ring) >= 0);
		for (uint32_t i = dice(20); i; i--)
			scribble(&ri);
		assert_true(inlay_ring_buffer_poll(ring, 0) >= 0);
		inlay_ring_buffer_free(ring);
	}
	assert_true(nr > 0);
	assert_int_equal(pthread_create(&thread, NULL, scribble_on, &s), 0);
	end = now_ms() + 500;
	while (now_ms() < end) {
		uint64_t start = now_ms();

		assert_int_equal(inlay_ring_buffer_new(ri.reader, MAP_RING, count_sample, &nr, NULL,
						       &ring), 0);
		inlay_ring_buffer_consume(ring);
		inlay_ring_buffer_poll(ring, 1);
		inlay_ring_buffer_free(ring);
		assert_true(now_ms() - start < 5000);
	}
	s.is_over = 1;
	pthread_join(thread, NULL);
	/* and it is of use again */
	memset(ri.ring, 0, 2 * RING_BYTES);
	ring_image_fini(&ri);
}

/* ---- inlay/ring.h by itself, on rings that are larger than their slack --------------------- */

enum { LARGE = 1 << 20 };

static int nobody_lives(void *ctx, __u32 owner, __u32 mask)
{
	(void)owner;
	(void)mask;
	++*(unsigned int *)ctx;
	return 0;
}

/* The last claim: it ends at `pos`, and has `bytes`. */
static uint64_t last_claim(uint64_t pos, uint64_t bytes)
{
	uint64_t extent = inlay_ring_extent(LARGE, bytes), grain = inlay_ring_grain(LARGE);

	return OWNER_LIVE | pos / 8 << INLAY_RING_WORD_POS_SHIFT |
	       (extent < 1u << 16 ? extent / 8 : extent / grain | INLAY_RING_WORD_BIG) <<
		       INLAY_RING_WORD_EXTENT_SHIFT;
}

/*
 * Of a record that begins near the end, no more than the slack holds: the rest would be behind the
 * region.
 */
static void test_past_the_slack(void **state)
{
	static const uint32_t sizes[] = { 40000, 65528 - 64, 65600, 200000, LARGE - 64 };
	char *region = calloc(1, inlay_ring_region_bytes(LARGE));
	struct inlay_ring_header *head = (void *)region;
	struct inlay_ring_record record;
	struct inlay_ring ring;
	unsigned int asked = 0;

	(void)state;
	assert_non_null(region);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t pos = LARGE - 64;
		bool fits = sizes[i] + 8 <= 64 + INLAY_RING_SLACK_MAX_BYTES;
		uint64_t header = INLAY_RING_SET | sizes[i] |
				  (uint64_t)OWNER_LIVE << INLAY_RING_OWNER_SHIFT;

		memset(region, 0, inlay_ring_region_bytes(LARGE));
		head->consumer_pos = head->free_pos = head->clear_pos = pos;
		head->tail = last_claim(pos + inlay_ring_extent(LARGE, sizes[i]), sizes[i]);
		memcpy(region + sizeof(*head) + pos, &header, 8);
		inlay_ring_open(&ring, region, LARGE, nobody_lives, NULL, &asked);
		assert_int_equal(inlay_ring_next(&ring, &record),
				 fits ? INLAY_RING_RECORD : INLAY_RING_EMPTY);
		assert_int_equal(ring.broken, !fits);
	}
	free(region);
}

/*
 * A ring full of what somebody never finished is passed by in pieces: the consumer can be stopped.
 */
static void test_many_dead(void **state)
{
	char *region = calloc(1, inlay_ring_region_bytes(LARGE));
	struct inlay_ring_header *head = (void *)region;
	uint64_t *words = (void *)(head + 1), header;
	struct inlay_ring_record record;
	enum inlay_ring_found found;
	struct inlay_ring ring;
	unsigned int asked = 0, calls = 0, before;

	(void)state;
	assert_non_null(region);
	header = INLAY_RING_SET | INLAY_RING_BUSY | (uint64_t)OWNER_DEAD << INLAY_RING_OWNER_SHIFT;
	for (uint32_t i = 0; i < LARGE / 8; i++)
		words[i] = header;
	head->tail = last_claim(LARGE, 0);
	inlay_ring_open(&ring, region, LARGE, nobody_lives, NULL, &asked);
	do {
		before = asked;
		found = inlay_ring_next(&ring, &record);
		assert_true(asked - before <= 1 << 16);
		calls++;
	} while (found == INLAY_RING_HELD);
	assert_int_equal(found, INLAY_RING_EMPTY);
	assert_int_equal(asked, LARGE / 8);
	assert_true(calls > 1);
	assert_int_equal(head->dead, LARGE / 8);
	free(region);
}

/*
 * A tail that somebody moves on while a large part of the ring waits to be given back: no more than
 * the region is zeroed, which ends at a page that nobody may write.
 */
static void test_tail_runs_away(void **state)
{
	size_t bytes = inlay_ring_region_bytes(LARGE);
	char *region = mmap(NULL, bytes + INLAY_PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	struct inlay_ring_header *head = (void *)region;
	uint64_t *words = (void *)(region + sizeof(*head)), pos = LARGE - 8;
	uint64_t half = INLAY_RING_SET | (LARGE / 2 - 8);
	struct inlay_ring_record record;
	struct inlay_ring ring;
	unsigned int asked = 0;

	(void)state;
	assert_true(region != MAP_FAILED);
	assert_int_equal(mprotect(region, bytes, PROT_READ | PROT_WRITE), 0);
	head->consumer_pos = head->free_pos = head->clear_pos = pos;
	words[LARGE / 8 - 1] = INLAY_RING_SET;
	words[0] = half;
	words[LARGE / 16] = half | INLAY_RING_DISCARD;
	inlay_ring_open(&ring, region, LARGE, nobody_lives, NULL, &asked);
	for (int i = 0; i < 4; i++) {
		head->tail = last_claim(ring.cons + LARGE, 0);
		assert_int_equal(inlay_ring_next(&ring, &record), INLAY_RING_RECORD);
		inlay_ring_pass(&ring, &record);
	}
	assert_true(ring.cons - ring.free > 2 * LARGE);
	inlay_ring_release(&ring);
	assert_int_equal(head->free_pos, ring.cons);
	for (size_t i = 0; i < (bytes - sizeof(*head)) / 8; i++)
		assert_int_equal(words[i], 0);
	munmap(region, bytes + INLAY_PAGE_BYTES);
}

static void test_odd_rows(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 2048, 4097, 12288, 1u << 31, ~0u };
	struct ring_image ri;
	struct inlay_ring_buffer *ring;
	struct seen seen;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_RINGBUF);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct inlay_seg_map *row = (void *)(ri.mapping + ri.image.head->maps.off +
						     MAP_RING * sizeof(*row));
		struct inlay_seg_map saved = *row;

		row->max_entries = sizes[i];
		assert_int_equal(open_ring(ri.reader, MAP_RING, &seen, &ring), -EBADMSG);
		*row = saved;
		row->off += 8;
		assert_int_equal(open_ring(ri.reader, MAP_RING, &seen, &ring), -EBADMSG);
		row->off = 1ull << 62;
		assert_int_equal(open_ring(ri.reader, MAP_RING, &seen, &ring), -EBADMSG);
		*row = saved;
		row->off = 0;
		assert_int_equal(open_ring(ri.reader, MAP_RING, &seen, &ring), -ENODATA);
		*row = saved;
	}
	ring_image_fini(&ri);
}

/* ---- Perf buffers ------------------------------------------------------------------------ */

static void on_perf(void *ctx, int cpu, void *data, uint32_t size)
{
	struct seen *seen = ctx;

	seen->nr++;
	seen->cpu = cpu;
	seen->bytes = size;
	memcpy(seen->data, data, size);
}

static void on_lost(void *ctx, int cpu, uint64_t count)
{
	struct seen *seen = ctx;

	seen->is_wrong |= cpu != seen->lost_cpu || !count;
	seen->lost += count;
}

static void test_perf(void **state)
{
	struct {
		struct inlay_perf_sample sample;
		char text[16];
	} record = { .sample = { .cpu = 3, .bytes = 5 }, .text = "hello" };
	struct ring_image ri;
	struct inlay_perf_buffer *perf;
	struct seen seen = { 0 };
	unsigned int nr = 0;

	(void)state;
	ring_image_init(&ri, INLAY_MAP_TYPE_PERF_EVENT_ARRAY);
	assert_false(inlay_perf_buffer_new(ri.reader, MAP_RING, on_perf, on_lost, &seen, NULL,
					   &perf));
	assert_int_equal(inlay_perf_buffer_poll(perf, 1), 0);
	assert_true(ring_put(&ri, &record, 16));
	assert_int_equal(inlay_perf_buffer_poll(perf, 1000), 1);
	assert_int_equal(seen.cpu, 3);
	assert_int_equal(seen.bytes, 5);
	assert_memory_equal(seen.data, "hello", 5);
	/* says more than there is; is less than a sample */
	record.sample.bytes = 1000;
	assert_true(ring_put(&ri, &record, 16));
	assert_true(ring_put(&ri, &record, 7));
	assert_int_equal(inlay_perf_buffer_consume(perf), 2);
	assert_int_equal(seen.nr, 2);
	assert_int_equal(seen.bytes, 8);
	while (ring_put(&ri, &record, 16))
		nr++;
	assert_false(ring_put(&ri, &record, 16));
	seen.lost_cpu = 5;
	ri.head->lost_cpu = 6;
	assert_int_equal(inlay_perf_buffer_consume(perf), nr);
	assert_int_equal(seen.lost, 2);
	seen.lost_cpu = -1;
	ri.head->lost_cpu = ~0u;
	ri.head->lost++;
	assert_int_equal(inlay_perf_buffer_consume(perf), 0);
	assert_int_equal(seen.lost, 3);
	seen.lost = 2;
	assert_int_equal(seen.lost, 2);
	assert_false(seen.is_wrong);
	inlay_perf_buffer_free(perf);
	inlay_perf_buffer_free(NULL);
	ring_image_fini(&ri);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_kinds_of_records),
		cmocka_unit_test(test_dead_producers),
		cmocka_unit_test(test_stalled_producers),
		cmocka_unit_test(test_callback_ends),
		cmocka_unit_test(test_one_consumer),
		cmocka_unit_test(test_all_targets),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_poll_interrupted),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_past_the_slack),
		cmocka_unit_test(test_many_dead),
		cmocka_unit_test(test_tail_runs_away),
		cmocka_unit_test(test_odd_rows),
		cmocka_unit_test(test_perf),
	};
	struct sigaction action = { .sa_sigaction = on_app_bus, .sa_flags = SA_SIGINFO };
	struct inlay_ring_buffer *ring;

	/* before the library's own */
	sigaction(SIGBUS, &action, NULL);
	if (inlay_ring_buffer_new(NULL, 0, NULL, NULL, NULL, &ring))
		return 1;
	inlay_ring_buffer_free(ring);
	sigaction(SIGBUS, NULL, &library);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
