/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Huge maps: regions that are not in the image but mapped where there is room.
 *
 * One is mapped once a row and never unmapped: a library that goes cannot tell whether it is closed
 * or the process ends, where other threads still run in it. When it comes back, or another one with
 * this object does, it gets the same pages.
 *
 * A huge hash map's pages are reserved as its nodes are handed out, chunk by chunk: what is behind
 * inlay_hash_header.reserved is a hole in the file, which nobody touches. Its first part (header,
 * buckets) and its last (the spare nodes, with the end of the file) are reserved from the start. So
 * are a huge arena's: header and page words, and the last page.
 */
#include <errno.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

#define CHUNK_BYTES (256u << 10)
/* Where there is no room most inserts must not ask again. */
#define SKIPS_AFTER_FAILURE 1000

static struct {
	void *at;
	__u64 bytes;
	__u64 off;	/* in the segment; read once, when the map was taken */
	__u32 skips;
} mapped[INLAY_SEGMENT_MAX_MAPS];

static bool is_growing(const struct inlay_map_desc *map)
{
	return (map->flags & INLAY_MAP_HUGE) &&
	       ((map->flags & INLAY_MAP_HASH) || map->type == INLAY_MAP_TYPE_ARENA);
}

/* What an arena starts with, and how many pages that is in. */
static __u64 start_bytes(const struct inlay_map_desc *map)
{
	const struct inlay_arena_start *start = map->region;

	return map->type == INLAY_MAP_TYPE_ARENA && start ? start->bytes : 0;
}

static __u32 start_pages(const struct inlay_map_desc *map)
{
	return (__u32)(inlay_round_up(start_bytes(map), INLAY_PAGE_BYTES) / INLAY_PAGE_BYTES);
}

struct rt_extent __inlay_huge_extent(const struct inlay_map_desc *map)
{
	struct rt_extent extent = { map->region_bytes, map->region_bytes, 0 };
	__u64 nodes, node;

	if (!is_growing(map))
		return extent;
	if (map->type == INLAY_MAP_TYPE_ARENA) {
		extent.first = inlay_arena_pages_off(map->max_entries) +
			       inlay_round_up(start_bytes(map) + CHUNK_BYTES, INLAY_PAGE_BYTES);
		extent.last = INLAY_PAGE_BYTES;
		if (extent.first + extent.last >= extent.bytes) {
			extent.first = extent.bytes;
			extent.last = 0;
		}
		return extent;
	}
	nodes = inlay_hash_nodes_off(map->max_entries);
	node = inlay_hash_node_bytes(map->key_size, map->value_size,
				     (map->flags & INLAY_MAP_PERCPU) != 0);
	extent.first = inlay_round_up(nodes + CHUNK_BYTES, INLAY_PAGE_BYTES);
	extent.last = extent.bytes -
		      (nodes + node * map->max_entries) / INLAY_PAGE_BYTES * INLAY_PAGE_BYTES;
	if (extent.first + extent.last >= extent.bytes) {
		extent.first = extent.bytes;
		extent.last = 0;
	}
	return extent;
}

static int arena_make(int fd, const struct inlay_map_desc *map, __u64 off)
{
	const struct inlay_arena_start *start = map->region;
	const __u32 word = INLAY_PAGE_LIVE | INLAY_PAGE_USED;
	__u64 nr = start_pages(map), i;
	int err = 0;

	if (!nr)
		return 0;
	for (i = 0; i < nr && !err; i++)
		err = __inlay_region_write(fd, &word,
					   off + sizeof(struct inlay_arena_header) + i * sizeof(word),
					   sizeof(word));
	if (!err)
		err = __inlay_region_write(fd, &nr, off + offsetof(struct inlay_arena_header, next),
					   sizeof(nr));
	return err ? err : __inlay_region_write(fd, start + 1,
						off + inlay_arena_pages_off(map->max_entries),
						start->bytes);
}

void __inlay_huge_start(const struct inlay_map_desc *map, void *at)
{
	const struct inlay_arena_start *start = map->region;
	struct inlay_arena_header *header = at;
	__u32 *words = (__u32 *)(header + 1), i;
	char *to = (char *)at + inlay_arena_pages_off(map->max_entries);

	for (i = 0; i < start_pages(map); i++)
		store_relaxed(&words[i], INLAY_PAGE_LIVE | INLAY_PAGE_USED);
	for (i = 0; i < start_bytes(map); i++)
		store_relaxed(&to[i], ((const char *)(start + 1))[i]);
	if (start_pages(map))
		header->next = start_pages(map);
}

int __inlay_huge_make(int fd, const struct inlay_map_desc *map, __u64 off)
{
	struct rt_extent extent = __inlay_huge_extent(map);
	__u64 reserved = extent.first;
	int err = arena_make(fd, map, off);

	if (err)
		return err;

	/* 0, as in every other region: all of it */
	if (extent.first == extent.bytes)
		return 0;
	return __inlay_region_write(fd, &reserved,
				    off + offsetof(struct inlay_hash_header, reserved),
				    sizeof(reserved));
}

int __inlay_huge_place(int fd, const struct inlay_map_desc *map, __u32 map_row, __u64 off)
{
	void *at = mapped[map_row].at;

	if (at && mapped[map_row].bytes != map->region_bytes)
		return -EINVAL;
	if (!at) {
		if (!__inlay_segment_holds(fd, off, __inlay_huge_extent(map)))
			return -EINVAL;
		at = sys_mmap(NULL, map->region_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, off);
		if (!at)
			return -ENOMEM;
		__inlay_cut_note(at, map->region_bytes);
		mapped[map_row].bytes = map->region_bytes;
		mapped[map_row].off = off;
		/* release: pairs with mapped_find() */
		store_release(&mapped[map_row].at, at);
	}
	/* release: inlined code loads the base and uses what is behind it */
	store_release(map->base, at);
	return 0;
}

static int mapped_find(const void *region)
{
	int i;

	for (i = 0; i < INLAY_SEGMENT_MAX_MAPS; i++)
		if (load_acquire(&mapped[i].at) == region)
			return i;
	return -ENOENT;
}

/* Only ever forwards: another process may have been quicker, and got further. */
static void reserved_raise(__u64 *reserved, __u64 to)
{
	__u64 seen = load_relaxed(reserved);

	/* release: who sees it may touch what is below; pairs with the load in front of a touch */
	while (seen < to && !cas_acq_rel(reserved, &seen, to))
		;
}

int __inlay_huge_grow(void *region, __u64 end)
{
	struct inlay_hash_header *header = region;
	int i = mapped_find(region), fd, err;
	__u64 from, to;
	__u32 skips;

	if (i < 0 || end > mapped[i].bytes)
		return 0;
	skips = load_relaxed(&mapped[i].skips);
	if (skips) {
		store_relaxed(&mapped[i].skips, skips - 1);
		return 0;
	}
	/* the other side may have written nonsense: then more is reserved than need be */
	from = load_relaxed(&header->reserved);
	if (from >= end)
		return 1;
	from = from / INLAY_PAGE_BYTES * INLAY_PAGE_BYTES;
	to = inlay_round_up(end, CHUNK_BYTES);
	if (to > mapped[i].bytes)
		to = mapped[i].bytes;
	fd = __inlay_backing_dup();
	err = fd < 0 ? fd : __inlay_backing_reserve(fd, mapped[i].off + from, to - from);
	if (fd >= 0)
		sys_close(fd);
	if (err) {
		store_relaxed(&mapped[i].skips, SKIPS_AFTER_FAILURE);
		return 0;
	}
	reserved_raise(&header->reserved, to);
	return 1;
}
