/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Iterating over a map: arrays are copied a block at a time, the entries of a hash map at once
 * (hash.c), the shards of a per-CPU hash map entry by entry.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/reader/hash.h"

enum { BLOCK_BYTES = 256 << 10 };

struct inlay_map_iter {
	struct inlay_map *map;
	struct inlay_map_entry entry;
	const struct btf *btf;
	struct shard_ref *shards;
	uint32_t *tids;		/* of the shards in entry */
	uint32_t nr_shards;
	char *values;		/* entry.shards: nr_shards values */
	char *sum;
	uint64_t next, nr;	/* position and number of entries */
	uint32_t key;		/* arrays, queues, stacks */
	/* arrays */
	char *block;		/* block_max values of each shard, shard by shard */
	uint64_t block_first, block_nr, block_max;
	struct hash_entries entries;
	uint32_t *words;	/* arenas: of each page */
};

/* ---- Hash maps -------------------------------------------------------------------------- */

static int hash_shards(struct inlay_map_iter *iter, const struct hash_kept *kept)
{
	const struct inlay_seg_map *row = &iter->map->row;
	uint64_t stride = map_shard_stride(row);
	uint32_t nr = 0;

	for (uint32_t i = 0; i < iter->nr_shards; i++) {
		char *to = iter->values + nr * (uint64_t)iter->entry.value_stride;
		uint64_t off = iter->shards[i].off + kept->number * stride;
		struct inlay_shard_value head;
		int err = segment_read(iter->map->reader, off, &head, sizeof(head));

		if (!err && head.gen != kept->gen)
			continue;
		if (!err)
			err = segment_read(iter->map->reader, off + sizeof(head), to,
					   row->value_size);
		if (err)
			return err;
		iter->tids[nr++] = iter->shards[i].tid;
	}
	iter->entry.nr_shards = nr;
	return 0;
}

static int hash_next(struct inlay_map_iter *iter)
{
	const struct inlay_seg_map *row = &iter->map->row;
	char *at = iter->entries.sorted[iter->next];
	struct hash_kept kept;

	memcpy(&kept, at, sizeof(kept));
	iter->entry.key = at + sizeof(kept);
	if (map_is_chain(row)) {
		iter->key = (uint32_t)iter->next;
		iter->entry.key = &iter->key;
	}
	if (map_is_percpu(row))
		return hash_shards(iter, &kept);
	iter->entry.shards = at + sizeof(kept) + inlay_round_up(row->key_size, 8);
	return 0;
}

/* ---- Arrays ----------------------------------------------------------------------------- */

static int array_start(struct inlay_map_iter *iter)
{
	uint64_t per_value = map_shard_stride(&iter->map->row) *
			     (iter->nr_shards ? iter->nr_shards : 1);

	iter->nr = iter->map->row.max_entries;
	iter->block_max = BLOCK_BYTES / per_value;
	if (!iter->block_max)
		iter->block_max = 1;
	if (iter->block_max > iter->nr)
		iter->block_max = iter->nr;
	iter->block = calloc(iter->block_max, per_value);
	return iter->block ? 0 : -ENOMEM;
}

static int array_block(struct inlay_map_iter *iter)
{
	const struct inlay_seg_map *row = &iter->map->row;
	uint64_t stride = map_shard_stride(row), left = iter->nr - iter->next;
	int err = 0;

	iter->block_first = iter->next;
	iter->block_nr = left < iter->block_max ? left : iter->block_max;
	if (!map_is_percpu(row))
		return segment_read(iter->map->reader, row->off + iter->next * stride, iter->block,
				    iter->block_nr * stride);
	for (uint32_t i = 0; i < iter->nr_shards && !err; i++)
		err = segment_read(iter->map->reader, iter->shards[i].off + iter->next * stride,
				   iter->block + i * iter->block_max * stride,
				   iter->block_nr * stride);
	return err;
}

static int array_next(struct inlay_map_iter *iter)
{
	uint64_t stride = map_shard_stride(&iter->map->row), place;

	if (iter->next - iter->block_first >= iter->block_nr) {
		int err = array_block(iter);

		if (err)
			return err;
	}
	place = (iter->next - iter->block_first) * stride;
	iter->key = (uint32_t)iter->next;
	iter->entry.key = &iter->key;
	if (!map_is_percpu(&iter->map->row)) {
		iter->entry.shards = iter->block + place;
		return 0;
	}
	for (uint32_t i = 0; i < iter->nr_shards; i++) {
		memcpy(iter->values + i * stride,
		       iter->block + i * iter->block_max * stride + place, stride);
		iter->tids[i] = iter->shards[i].tid;
	}
	iter->entry.nr_shards = iter->nr_shards;
	return 0;
}

/* ---- Arenas ----------------------------------------------------------------------------- */

/* The page words at once; a page when it comes. What is not allocated may be a hole. */
static int arena_start(struct inlay_map_iter *iter)
{
	const struct inlay_seg_map *row = &iter->map->row;

	iter->nr = row->max_entries;
	iter->words = calloc(row->max_entries, sizeof(*iter->words));
	iter->block = malloc(INLAY_PAGE_BYTES);
	if (!iter->words || !iter->block)
		return -ENOMEM;
	return segment_read(iter->map->reader, row->off + sizeof(struct inlay_arena_header),
			    iter->words, row->max_entries * sizeof(*iter->words));
}

static int arena_next(struct inlay_map_iter *iter)
{
	const struct inlay_seg_map *row = &iter->map->row;

	while (INLAY_PAGE_STATE(iter->words[iter->next]) != INLAY_PAGE_LIVE)
		if (++iter->next == iter->nr)
			return -ENOENT;
	iter->key = (uint32_t)iter->next;
	iter->entry.key = &iter->key;
	iter->entry.shards = iter->block;
	return segment_read(iter->map->reader, row->off + inlay_arena_pages_off(row->max_entries) +
						       iter->next * INLAY_PAGE_BYTES,
			    iter->block, INLAY_PAGE_BYTES);
}

/* ---- Both ------------------------------------------------------------------------------- */

static int shards_start(struct inlay_map_iter *iter)
{
	const struct inlay_seg_map *row = &iter->map->row;
	uint64_t value = inlay_round_up(row->value_size, 8);
	int err = map_shards(iter->map, &iter->shards, &iter->nr_shards);

	if (err)
		return err;
	/* Shards do not overlap in a sound file; where they do, they would cost us any memory. */
	if (iter->nr_shards && row->shard_bytes > iter->map->reader->seen_bytes / iter->nr_shards)
		return -EBADMSG;
	iter->values = calloc(iter->nr_shards ? iter->nr_shards : 1, value);
	iter->tids = calloc(iter->nr_shards ? iter->nr_shards : 1, sizeof(*iter->tids));
	iter->sum = malloc(value);
	if (!iter->values || !iter->tids || !iter->sum)
		return -ENOMEM;
	iter->entry.value = iter->sum;
	iter->entry.shards = iter->values;
	iter->entry.tids = iter->tids;
	(void)inlay_segment_btf(iter->map->reader, row->object, &iter->btf);
	return 0;
}

int inlay_map_iter_new(struct inlay_map *map, struct inlay_map_iter **ret_iter)
{
	struct inlay_map_iter *iter = calloc(1, sizeof(*iter));
	int err = 0;

	if (!iter)
		return -ENOMEM;
	iter->map = map;
	iter->entry.nr_shards = 1;
	iter->entry.value_stride = (uint32_t)inlay_round_up(map->row.value_size, 8);
	if (map_is_percpu(&map->row))
		err = shards_start(iter);
	if (!err)
		err = map_is_arena(&map->row) ? arena_start(iter) :
		      map_is_hash(&map->row)  ? hash_collect(map, &iter->entries) :
						array_start(iter);
	if (err) {
		inlay_map_iter_free(iter);
		return err;
	}
	if (map_is_hash(&map->row))
		iter->nr = iter->entries.nr;
	*ret_iter = iter;
	return 0;
}

int inlay_map_iter_next(struct inlay_map_iter *iter, const struct inlay_map_entry **ret_entry)
{
	const struct inlay_seg_map *row = &iter->map->row;
	int err;

	if (iter->next >= iter->nr)
		return -ENOENT;
	err = map_is_arena(row) ? arena_next(iter) :
	      map_is_hash(row)	? hash_next(iter) :
				  array_next(iter);
	if (err)
		return err;
	iter->next++;
	if (map_is_percpu(row)) {
		memset(iter->sum, 0, row->value_size);
		for (uint32_t i = 0; i < iter->entry.nr_shards; i++)
			inlay_value_sum(iter->btf, row->btf_value_type_id, iter->sum,
					iter->values + i * (uint64_t)iter->entry.value_stride,
					row->value_size);
	} else {
		iter->entry.value = iter->entry.shards;
	}
	*ret_entry = &iter->entry;
	return 0;
}

void inlay_map_iter_free(struct inlay_map_iter *iter)
{
	if (!iter)
		return;
	free(iter->shards);
	free(iter->tids);
	free(iter->values);
	free(iter->sum);
	free(iter->block);
	free(iter->words);
	hash_entries_fini(&iter->entries);
	free(iter);
}
