/* SPDX-License-Identifier: BSD-2-Clause */
/* Empties the ring buffers of both sides between samples: what is measured is the producer. */
#include "bench/maps/bench.h"

#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inlay/ring.h"
#include "maps.h" /* made by bpfcc --emit=header */

static uint64_t *kernel_consumer_pos;
static const uint64_t *kernel_producer_pos;

static int lives(void *ctx, __u32 owner, __u32 mask)
{
	(void)ctx;
	(void)owner;
	(void)mask;
	return 1;
}

static int barrier(void *ctx, __u64 pos)
{
	(void)ctx;
	(void)pos;
	return !syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
}

void bench_ring_open(int kernel_fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, kernel_fd, 0);

	if (at == MAP_FAILED)
		return;
	kernel_consumer_pos = at;
	at = mmap(NULL, page, PROT_READ, MAP_SHARED, kernel_fd, (off_t)page);
	if (at != MAP_FAILED)
		kernel_producer_pos = at;
}

static void empty(const struct inlay_map_desc *map, struct inlay_ring *ring)
{
	struct inlay_ring_record record;
	void *region = map->base ? *map->base : map->region;

	if (!region)
		return;
	if (!ring->header)
		inlay_ring_open(ring, region, map->max_entries, lives, barrier, NULL);
	while (inlay_ring_next(ring, &record) == INLAY_RING_RECORD)
		inlay_ring_pass(ring, &record);
	inlay_ring_release(ring);
}

void bench_ring_empty(enum bench_side side)
{
	static struct inlay_ring ring, ring_two, ring_alone;

	if (side == BENCH_KERNEL) {
		if (kernel_consumer_pos && kernel_producer_pos)
			__atomic_store_n(kernel_consumer_pos,
					 __atomic_load_n(kernel_producer_pos, __ATOMIC_ACQUIRE),
					 __ATOMIC_RELEASE);
		return;
	}
	empty(maps_map_ring_map(), &ring);
	empty(maps_map_ring_two_map(), &ring_two);
	empty(maps_map_ring_alone_map(), &ring_alone);
}
