/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A map: its row, checked once for a sound geometry, its shards, and single values by key.
 * Invariant after inlay_map_open(): sizes are within the kernel's limits, the strides follow from
 * the sizes, and off + bytes lay in the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/reader/map.h"

int map_row(struct inlay_reader *reader, uint32_t index, struct inlay_seg_map *ret_row)
{
	size_t bytes = sizeof(*ret_row);
	int err;

	if (reader->maps.entry_bytes < bytes)
		bytes = reader->maps.entry_bytes;
	memset(ret_row, 0, sizeof(*ret_row));
	err = segment_row(reader, &reader->maps, index, ret_row, bytes);
	/* what is in there are ids of cgroups, and what programs declare is the size of a descriptor */
	if (ret_row->type == INLAY_MAP_TYPE_CGROUP_ARRAY)
		ret_row->value_size = 8;
	/* its entries are pages, by their numbers */
	if (map_is_arena(ret_row)) {
		ret_row->key_size = 4;
		ret_row->value_size = INLAY_PAGE_BYTES;
	}
	return err;
}

static bool is_array(uint32_t type)
{
	return type == INLAY_MAP_TYPE_ARRAY || type == INLAY_MAP_TYPE_PERCPU_ARRAY ||
	       type == INLAY_MAP_TYPE_ARRAY_OF_MAPS || type == INLAY_MAP_TYPE_CGROUP_ARRAY;
}

bool map_is_percpu(const struct inlay_seg_map *row)
{
	return row->type == INLAY_MAP_TYPE_PERCPU_ARRAY || inlay_map_is_percpu_hash(row->type);
}

bool map_is_hash(const struct inlay_seg_map *row)
{
	return row->type == INLAY_MAP_TYPE_HASH || row->type == INLAY_MAP_TYPE_LRU_HASH ||
	       inlay_map_is_percpu_hash(row->type) ||
	       row->type == INLAY_MAP_TYPE_LPM_TRIE || row->type == INLAY_MAP_TYPE_HASH_OF_MAPS ||
	       row->type == INLAY_MAP_TYPE_STACK_TRACE ||
	       map_is_chain(row);
}

bool map_is_arena(const struct inlay_seg_map *row)
{
	return row->type == INLAY_MAP_TYPE_ARENA;
}

bool map_is_chain(const struct inlay_seg_map *row)
{
	return row->type == INLAY_MAP_TYPE_QUEUE || row->type == INLAY_MAP_TYPE_STACK;
}

uint64_t map_nodes(const struct inlay_seg_map *row)
{
	return (uint64_t)row->max_entries + INLAY_HASH_SPARES;
}

/* Distance of two values in a shard, or in the region of an array. */
uint64_t map_shard_stride(const struct inlay_seg_map *row)
{
	uint64_t value = inlay_round_up(row->value_size, 8);

	return inlay_map_is_percpu_hash(row->type) ? value + sizeof(struct inlay_shard_value) :
							 value;
}

static int geometry_check(struct inlay_reader *reader, const struct inlay_seg_map *row)
{
	uint64_t bytes;

	if (!is_array(row->type) && !map_is_hash(row) && !map_is_arena(row))
		return -EOPNOTSUPP;
	if (map_is_arena(row) && row->max_entries > INLAY_ARENA_MAX_PAGES)
		return -EBADMSG;
	if (!row->key_size != map_is_chain(row) || row->key_size > 512 || !row->value_size ||
	    row->value_size > 32u << 20 || !row->max_entries || row->max_entries > 1u << 30 ||
	    (is_array(row->type) && row->key_size != 4))
		return -EBADMSG;
	if (map_is_percpu(row) &&
	    row->shard_bytes <
		    inlay_map_shard_bytes(row->type, row->value_size, row->max_entries))
		return -EBADMSG;
	if (row->type == INLAY_MAP_TYPE_PERCPU_ARRAY)
		return 0;
	if (!row->off)
		return -ENODATA;
	bytes = inlay_map_region_bytes_extra(row->type, row->key_size, row->value_size,
					     row->max_entries, row->extra);
	if (row->off < sizeof(struct inlay_segment) || row->off % 8 || row->bytes < bytes)
		return -EBADMSG;
	return segment_check(reader, row->off, bytes);
}

int map_shards(struct inlay_map *map, struct shard_ref **ret_shards, uint32_t *ret_nr)
{
	struct inlay_reader *reader = map->reader;
	struct shard_ref *shards;
	uint32_t nr, found = 0;
	int err = segment_rows(reader, &reader->shards, &nr);

	if (err)
		return err;
	shards = calloc(nr ? nr : 1, sizeof(*shards));
	if (!shards)
		return -ENOMEM;
	for (uint32_t i = 0; i < nr; i++) {
		struct inlay_seg_shard row;

		err = segment_row(reader, &reader->shards, i, &row, sizeof(row));
		if (err)
			break;
		if (INLAY_SHARD_STATE(row.state) == INLAY_SHARD_FREE || row.map != map->index)
			continue;
		if (row.off < sizeof(struct inlay_segment) || row.off % 8 ||
		    row.bytes < map->row.shard_bytes) {
			err = -EBADMSG;
			break;
		}
		shards[found].off = row.off;
		shards[found++].tid = row.tid;
	}
	if (err) {
		free(shards);
		return err;
	}
	*ret_shards = shards;
	*ret_nr = found;
	return 0;
}

int inlay_map_open(struct inlay_reader *reader, uint32_t index, struct inlay_map **ret_map)
{
	struct inlay_map *map = calloc(1, sizeof(*map));
	int err;

	if (!map)
		return -ENOMEM;
	map->reader = reader;
	map->index = index;
	err = map_row(reader, index, &map->row);
	if (!err)
		err = geometry_check(reader, &map->row);
	if (err) {
		free(map);
		return err;
	}
	*ret_map = map;
	return 0;
}

void inlay_map_close(struct inlay_map *map)
{
	free(map);
}

int inlay_segment_map(struct inlay_reader *reader, uint32_t index, struct inlay_map_info *ret_info)
{
	struct inlay_map_info info = { 0 };
	struct inlay_map map = { .reader = reader, .index = index };
	struct shard_ref *shards;
	int err = map_row(reader, index, &map.row);

	if (err)
		return err;
	memcpy(info.name, map.row.name, sizeof(map.row.name));
	info.type = map.row.type;
	info.key_size = map.row.key_size;
	info.value_size = map.row.value_size;
	info.max_entries = map.row.max_entries;
	info.map_flags = map.row.map_flags;
	info.flags = map.row.flags;
	info.object = map.row.object;
	info.btf_key_type_id = map.row.btf_key_type_id;
	info.btf_value_type_id = map.row.btf_value_type_id;
	info.bytes = map.row.off ? map.row.bytes : 0;
	info.drops = map.row.drops;
	/* The rest is read as far as it is sound: a damaged map must not hide the others. */
	if (map_is_hash(&map.row) && map.row.off) {
		struct inlay_hash_header header;

		if (!segment_read(reader, map.row.off, &header, sizeof(header)))
			info.drops += header.drops;
	}
	if (map_is_arena(&map.row)) {
		struct inlay_arena_header header;

		info.address = inlay_arena_address(map.row.extra, map.row.value_stride);
		if (map.row.off && !segment_read(reader, map.row.off, &header, sizeof(header)))
			info.drops += header.refusals;
	}
	if (map.row.flags & INLAY_MAP_RING && map.row.off) {
		struct inlay_ring_header header;

		if (!segment_read(reader, map.row.off, &header, sizeof(header)))
			info.drops += header.lost + header.dead;
	}
	if (map_is_percpu(&map.row) && !map_shards(&map, &shards, &info.nr_shards)) {
		free(shards);
		if (map.row.shard_bytes < UINT64_MAX / INLAY_SEGMENT_MAX_SHARDS / 2)
			info.bytes += info.nr_shards * map.row.shard_bytes;
	}
	return fill_sized(ret_info, &info, sizeof(info));
}

int inlay_map_info(struct inlay_map *map, struct inlay_map_info *ret_info)
{
	return inlay_segment_map(map->reader, map->index, ret_info);
}

/* ---- Values by key ---------------------------------------------------------------------- */

static int get_array(struct inlay_map *map, uint32_t key, void *ret_value)
{
	const struct inlay_seg_map *row = &map->row;
	uint64_t at = key * map_shard_stride(row);
	const struct btf *btf = NULL;
	struct shard_ref *shards;
	uint32_t nr;
	void *value;
	int err;

	if (key >= row->max_entries)
		return -ENOENT;
	if (!map_is_percpu(row))
		return segment_read(map->reader, row->off + at, ret_value, row->value_size);
	err = map_shards(map, &shards, &nr);
	if (err)
		return err;
	(void)inlay_segment_btf(map->reader, row->object, &btf);
	memset(ret_value, 0, row->value_size);
	value = malloc(row->value_size);
	if (!value)
		err = -ENOMEM;
	for (uint32_t i = 0; i < nr && !err; i++) {
		err = segment_read(map->reader, shards[i].off + at, value, row->value_size);
		if (!err)
			inlay_value_sum(btf, row->btf_value_type_id, ret_value, value,
					row->value_size);
	}
	free(value);
	free(shards);
	return err;
}

int inlay_map_get(struct inlay_map *map, const void *key, void *ret_value)
{
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	uint32_t index;
	int err;

	if (is_array(map->row.type)) {
		memcpy(&index, key, sizeof(index));
		return get_array(map, index, ret_value);
	}
	if (map_is_arena(&map->row)) {
		memcpy(&index, key, sizeof(index));
		return arena_page(map, index, 0, ret_value, INLAY_PAGE_BYTES);
	}
	err = inlay_map_iter_new(map, &iter);
	if (err)
		return err;
	while (!(err = inlay_map_iter_next(iter, &entry)))
		if (!memcmp(entry->key, key, map->row.key_size)) {
			memcpy(ret_value, entry->value, map->row.value_size);
			break;
		}
	inlay_map_iter_free(iter);
	return err;
}
