/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A segment by hand with one ring in it, and a producer of one record at a time, written from
 * abi.h alone: what tests of consumers consume.
 */
#ifndef INLAY_RING_FIXTURE_H
#define INLAY_RING_FIXTURE_H

#include "reader_fixture.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

static uint64_t random_state = 88172645463325252ull;

static inline uint32_t dice(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20) % n;
}

static inline uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

#ifndef RING_BYTES
#define RING_BYTES 8192
#endif
enum { MAP_RING = NR_MAPS };
/* Rows of the process table: the first one lives (image_lock()), the second is dead. */
enum { OWNER_NOBODY, OWNER_LIVE, OWNER_DEAD };

struct ring_image {
	struct image image;
	char *mapping;			/* the whole file, as a target has it */
	struct inlay_ring_header *head;
	char *ring;
	uint64_t pos, last_pos;		/* behind the last claim, and its own */
	struct inlay_reader *reader;
};

static inline struct inlay_reader *ring_image_open(struct ring_image *ri, bool is_writable)
{
	struct inlay_segment_opts opts = image_opts(&ri->image, NULL, 0);
	struct inlay_reader *reader;

	opts.is_writable = is_writable;
	assert_int_equal(inlay_segment_open(ri->image.path, &opts, &reader), 0);
	return reader;
}

static inline void ring_image_init(struct ring_image *ri, uint32_t type)
{
	struct inlay_seg_map *map;
	int fd;

	memset(ri, 0, sizeof(*ri));
	image_init(&ri->image);
	ri->image.head->maps.nr = NR_MAPS + 1;
	map = image_row(&ri->image, &ri->image.head->maps, MAP_RING);
	snprintf(map->name, sizeof(map->name), "events");
	map->type = type;
	map->flags = INLAY_MAP_RING;
	map->max_entries = type == INLAY_MAP_TYPE_PERF_EVENT_ARRAY ? 128 : RING_BYTES;
	map->extra = type == INLAY_MAP_TYPE_PERF_EVENT_ARRAY ? RING_BYTES : 0;
	map->bytes = inlay_ring_region_bytes(RING_BYTES);
	map->off = image_take(&ri->image, map->bytes);
	/* the same file, as the lock is on it */
	fd = open(ri->image.path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	ri->image.head->total_bytes = ri->image.used;
	assert_int_equal(pwrite(fd, ri->image.bytes, ri->image.used, 0), (ssize_t)ri->image.used);
	ri->mapping = mmap(NULL, ri->image.used, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(ri->mapping != MAP_FAILED);
	close(fd);
	ri->head = (void *)(ri->mapping + map->off);
	ri->ring = (char *)(ri->head + 1);
	ri->reader = ring_image_open(ri, true);
}

static inline void ring_image_fini(struct ring_image *ri)
{
	inlay_segment_close(ri->reader);
	munmap(ri->mapping, ri->image.used);
	image_fini(&ri->image);
}

/* Claims room for `bytes`; its header is not written. False: there is none. */
static inline bool ring_claim(struct ring_image *ri, uint32_t bytes, uint32_t owner,
			      uint64_t *ret_pos)
{
	uint64_t extent = inlay_ring_extent(RING_BYTES, bytes);
	uint64_t free_pos = __atomic_load_n(&ri->head->free_pos, __ATOMIC_ACQUIRE);

	if (ri->pos + extent - free_pos > RING_BYTES) {
		__atomic_fetch_add(&ri->head->lost, 1, __ATOMIC_RELAXED);
		return false;
	}
	/* whoever comes next notes a claim that has no header yet */
	if (ri->pos != ri->last_pos && !*(uint64_t *)(void *)(ri->ring + ri->last_pos % RING_BYTES))
		ri->head->notes[0] = ri->head->tail;
	*ret_pos = ri->last_pos = ri->pos;
	ri->pos += extent;
	__atomic_store_n(&ri->head->tail, owner | extent / 8 << INLAY_RING_WORD_EXTENT_SHIFT |
			 ri->pos / 8 << INLAY_RING_WORD_POS_SHIFT, __ATOMIC_RELEASE);
	return true;
}

static inline void ring_set_header(struct ring_image *ri, uint64_t pos, uint32_t bytes,
				   uint32_t owner, uint64_t flags)
{
	__atomic_store_n((uint64_t *)(void *)(ri->ring + pos % RING_BYTES),
			 bytes | flags | INLAY_RING_SET | (uint64_t)owner << INLAY_RING_OWNER_SHIFT,
			 __ATOMIC_RELEASE);
}

static inline void ring_wake(struct ring_image *ri)
{
	__atomic_fetch_add(&ri->head->wakeups, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&ri->head->waiting, 0, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &ri->head->wakeups, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static inline bool ring_put(struct ring_image *ri, const void *data, uint32_t bytes)
{
	uint64_t pos;

	if (!ring_claim(ri, bytes, OWNER_LIVE, &pos))
		return false;
	memcpy(ri->ring + pos % RING_BYTES + 8, data, bytes);
	ring_set_header(ri, pos, bytes, OWNER_LIVE, 0);
	if (__atomic_load_n(&ri->head->waiting, __ATOMIC_SEQ_CST))
		ring_wake(ri);
	return true;
}

/* Something that no producer would write, somewhere. */
static inline void scribble(struct ring_image *ri)
{
	uint64_t *head = (void *)ri->head, word;
	uint32_t words = sizeof(*ri->head) / 8;

	switch (dice(6)) {
	case 0: /* somewhere in the header that counts */
		head[dice(40)] = (uint64_t)dice(1u << 31) << dice(40);
		break;
	case 1:
		head[dice(words)] = 0;
		break;
	case 2: /* a tail that is nearly right */
		word = (ri->head->consumer_pos + dice(RING_BYTES)) / 8 << 30;
		ri->head->tail = word | (uint64_t)dice(0x4000) << 16 | dice(4);
		break;
	case 3: /* headers of records and spans */
		word = INLAY_RING_SET | dice(2 * RING_BYTES) | (uint64_t)dice(16) << 28;
		word |= dice(2) ? INLAY_RING_SPAN : 0;
		word |= (uint64_t)dice(4) << INLAY_RING_OWNER_SHIFT;
		memcpy(ri->ring + 8 * dice(RING_BYTES / 8), &word, 8);
		break;
	case 4: /* a span's word */
		word = (ri->head->consumer_pos + 8 * dice(8)) / 8 << 30 | dice(0x8000);
		memcpy(ri->ring + 8 * dice(RING_BYTES / 8), &word, 8);
		break;
	default:
		ri->ring[dice(RING_BYTES + 4096)] = (char)dice(256);
		break;
	}
}

#endif /* INLAY_RING_FIXTURE_H */
