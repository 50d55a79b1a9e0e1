/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: pages by their numbers, and bytes by the addresses that programs have. What is not allocated
 * may be a hole in the file, and is not looked at.
 */
#include <errno.h>

#include "cli/reader/map.h"

static int word_of(struct inlay_map *map, uint32_t page, uint32_t *ret)
{
	if (page >= map->row.max_entries)
		return -ENOENT;
	return segment_read(map->reader,
			    map->row.off + sizeof(struct inlay_arena_header) + sizeof(*ret) * page,
			    ret, sizeof(*ret));
}

int arena_page(struct inlay_map *map, uint32_t page, uint32_t at, void *ret, uint32_t bytes)
{
	uint64_t pages = map->row.off + inlay_arena_pages_off(map->row.max_entries);
	uint32_t word;
	int err = word_of(map, page, &word);

	if (!err && INLAY_PAGE_STATE(word) != INLAY_PAGE_LIVE)
		err = -ENOENT;
	return err ? err : segment_read(map->reader, pages + (uint64_t)page * INLAY_PAGE_BYTES + at,
					ret, bytes);
}

int inlay_map_read_arena(struct inlay_map *map, uint64_t address, void *ret_bytes, size_t bytes)
{
	uint64_t at = (uint32_t)((uint32_t)address - map->row.value_stride);
	char *to = ret_bytes;

	if (!map_is_arena(&map->row))
		return -EINVAL;
	while (bytes) {
		uint32_t in_page = at % INLAY_PAGE_BYTES, n = INLAY_PAGE_BYTES - in_page;
		int err;

		if (n > bytes)
			n = (uint32_t)bytes;
		if (at >= (uint64_t)INLAY_PAGE_BYTES * map->row.max_entries)
			return -EFAULT;
		err = arena_page(map, (uint32_t)(at / INLAY_PAGE_BYTES), in_page, to, n);
		if (err)
			return err == -ENOENT ? -EFAULT : err;
		at += n;
		to += n;
		bytes -= n;
	}
	return 0;
}
