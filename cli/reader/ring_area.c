/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping a ring: its row is checked, one consumer is let in, and the whole region lies in the
 * file when it is mapped. Later it may not: whoever touches it does so under a guard (guard.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cli/reader/map.h"
#include "cli/reader/ring_area.h"

#define NS 1000000000ull
/* futex_waitv() of Linux 5.16 takes this many */
#define SLEEP_MAX 128
/* with more rings, or on an older kernel, the others are looked at this often */
#define SLICE_NS 5000000ull

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* As in linux/futex.h since 5.16. */
struct waitv {
	uint64_t value, address;
	uint32_t flags, pad0;
};
#define WAITV_32 2u

uint64_t ring_bytes(const struct inlay_seg_map *row)
{
	uint64_t size = row->max_entries;

	if (row->type == INLAY_MAP_TYPE_PERF_EVENT_ARRAY)
		size = row->extra ? row->extra : INLAY_PERF_RING_BYTES;
	else if (row->type != INLAY_MAP_TYPE_RINGBUF && row->type != INLAY_MAP_TYPE_USER_RINGBUF)
		return 0;
	return size < INLAY_PAGE_BYTES || size & (size - 1) ? 0 : size;
}

static int consumer_lock(struct inlay_reader *reader, uint32_t map, bool is_taken)
{
	struct flock lock = { .l_type = is_taken ? F_WRLCK : F_UNLCK, .l_whence = SEEK_SET,
			      .l_start = (off_t)INLAY_CONSUMER_LOCK(map), .l_len = 1 };

	if (!fcntl(reader->fd, F_OFD_SETLK, &lock))
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

static int area_map(struct inlay_reader *reader, const struct inlay_seg_map *row,
		    struct ring_area *area)
{
	uint64_t before = row->off & ((uint64_t)sysconf(_SC_PAGESIZE) - 1);

	area->mapping_bytes = area->bytes + before;
	area->mapping = mmap(NULL, area->mapping_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			     reader->fd, (off_t)(row->off - before));
	if (area->mapping == MAP_FAILED)
		return -errno;
	area->head = (void *)((char *)area->mapping + before);
	return 0;
}

int ring_area_open(struct inlay_reader *reader, uint32_t map, uint32_t type,
		   struct ring_area *ret_area)
{
	struct ring_area area = { .reader = reader, .map = map };
	struct inlay_seg_map row;
	int err = map_row(reader, map, &row);

	if (err)
		return err;
	if (row.type != type)
		return -EINVAL;
	if (!reader->is_writable)
		return -EBADF;
	if (!row.off)
		return -ENODATA;
	area.size = ring_bytes(&row);
	area.bytes = inlay_ring_region_bytes(area.size);
	if (!area.size || row.off < sizeof(struct inlay_segment) || row.off % INLAY_PAGE_BYTES ||
	    row.bytes < area.bytes || map >= INLAY_SEGMENT_MAX_MAPS)
		return -EBADMSG;
	err = segment_check(reader, row.off, area.bytes);
	if (err)
		return err;
	/* the lock is the open file's, and does not keep its own second consumer out */
	if (reader->consumed[map / 64] >> map % 64 & 1)
		return -EBUSY;
	err = consumer_lock(reader, map, true);
	if (err)
		return err;
	err = area_map(reader, &row, &area);
	if (err) {
		consumer_lock(reader, map, false);
		return err;
	}
	reader->consumed[map / 64] |= 1ull << map % 64;
	*ret_area = area;
	return 0;
}

void ring_area_close(struct ring_area *area)
{
	munmap(area->mapping, area->mapping_bytes);
	area->reader->consumed[area->map / 64] &= ~(1ull << area->map % 64);
	consumer_lock(area->reader, area->map, false);
}

/* ---- Sleeping --------------------------------------------------------------------------- */

uint64_t ring_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS + (uint64_t)ts.tv_nsec;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NS), .tv_nsec = (long)(ns % NS) };
}

static int sleep_result(long ret)
{
	/* EAGAIN: it has changed; EFAULT: the file was cut short, which the next look will see */
	return ret < 0 && errno == EINTR ? -EINTR : 0;
}

static int sleep_on_one(const struct ring_sleep *sleep, uint64_t deadline_ns)
{
	struct timespec ts = timespec_of(deadline_ns);

	/* not private: who wakes is another process. Its timeout is absolute, CLOCK_MONOTONIC. */
	return sleep_result(syscall(SYS_futex, sleep->word, FUTEX_WAIT_BITSET, sleep->seen, &ts,
				    NULL, FUTEX_BITSET_MATCH_ANY));
}

int ring_sleep(const struct ring_sleep *sleeps, size_t nr, uint64_t deadline_ns)
{
	struct waitv waits[SLEEP_MAX];
	uint64_t soon_ns = ring_now_ns() + SLICE_NS;
	struct timespec ts;
	long ret;

	if (soon_ns > deadline_ns)
		soon_ns = deadline_ns;
	if (!nr) {
		ts = timespec_of(deadline_ns);
		return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	}
	if (nr == 1)
		return sleep_on_one(sleeps, deadline_ns);
	if (nr > SLEEP_MAX) {
		nr = SLEEP_MAX;
		deadline_ns = soon_ns;
	}
	memset(waits, 0, sizeof(waits));
	for (size_t i = 0; i < nr; i++)
		waits[i] = (struct waitv){ .value = sleeps[i].seen, .flags = WAITV_32,
					   .address = (uint64_t)(uintptr_t)sleeps[i].word };
	ts = timespec_of(deadline_ns);
	ret = syscall(SYS_futex_waitv, waits, nr, 0, &ts, CLOCK_MONOTONIC);
	if (ret < 0 && (errno == ENOSYS || errno == EPERM))
		return sleep_on_one(sleeps, soon_ns);
	/* one that cannot be slept on must not make a busy loop of it */
	if (ret < 0 && errno == EFAULT) {
		ts = timespec_of(soon_ns);
		return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	}
	return sleep_result(ret);
}
