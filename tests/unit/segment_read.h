/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest reader of a segment, for the runtime's tests: pread() and the layout of abi.h,
 * nothing of the runtime. Trusts the segment; the reader for users is in cli/reader/.
 */
#ifndef INLAY_SEGMENT_READ_H
#define INLAY_SEGMENT_READ_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "inlay/abi.h"

static inline bool segment_get(int fd, uint64_t off, void *buf, size_t bytes)
{
	return pread(fd, buf, bytes, (off_t)off) == (ssize_t)bytes;
}

static inline struct inlay_segment segment_head(int fd)
{
	struct inlay_segment seg = {0};

	segment_get(fd, 0, &seg, sizeof(seg));
	return seg;
}

/* Row of the first map of this name, or -1. */
static inline int segment_map(int fd, const char *name, struct inlay_seg_map *ret_map)
{
	struct inlay_segment seg = segment_head(fd);
	uint32_t i;

	for (i = 0; i < seg.maps.nr; i++)
		if (segment_get(fd, seg.maps.off + (uint64_t)i * seg.maps.entry_bytes, ret_map,
				sizeof(*ret_map)) &&
		    !strcmp(ret_map->name, name))
			return (int)i;
	return -1;
}

static inline bool segment_shard(int fd, uint32_t row, struct inlay_seg_shard *ret_shard)
{
	struct inlay_segment seg = segment_head(fd);

	return row < seg.shards.nr &&
	       segment_get(fd, seg.shards.off + (uint64_t)row * seg.shards.entry_bytes, ret_shard,
			   sizeof(*ret_shard));
}

/*
 * Value `index` of an array map, or the sum over all shards of a per-CPU one; ~0 if there is
 * none.
 */
static inline uint64_t segment_value(int fd, const char *name, uint32_t index)
{
	struct inlay_seg_map map;
	struct inlay_seg_shard shard;
	int row = segment_map(fd, name, &map);
	uint64_t value = 0, sum = 0;
	uint32_t i;

	if (row < 0)
		return ~0ull;
	if (!(map.flags & INLAY_MAP_PERCPU)) {
		if (!segment_get(fd, map.off + (uint64_t)index * map.value_stride, &value, 8))
			return ~0ull;
		return value;
	}
	for (i = 0; segment_shard(fd, i, &shard); i++) {
		if (INLAY_SHARD_STATE(shard.state) == INLAY_SHARD_FREE ||
		    shard.map != (uint32_t)row)
			continue;
		if (segment_get(fd, shard.off + (uint64_t)index * map.value_stride, &value, 8))
			sum += value;
	}
	return sum;
}

/* Shards of a map in a state, or in any but FREE if state is FREE. */
static inline unsigned int segment_nr_shards(int fd, const char *name, uint32_t state)
{
	struct inlay_seg_map map;
	struct inlay_seg_shard shard;
	int row = segment_map(fd, name, &map);
	unsigned int nr = 0;
	uint32_t i;

	for (i = 0; segment_shard(fd, i, &shard); i++) {
		uint32_t is = INLAY_SHARD_STATE(shard.state);

		if (shard.map == (uint32_t)row && is != INLAY_SHARD_FREE &&
		    (state == INLAY_SHARD_FREE || is == state))
			nr++;
	}
	return nr;
}

#endif /* INLAY_SEGMENT_READ_H */
