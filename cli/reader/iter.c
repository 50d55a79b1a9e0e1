/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Iterating over a map that others write to meanwhile.
 *
 * Arrays are copied a block at a time. Of a hash map the iterator first collects the live nodes by
 * looking at every node, not by following links: links change under a reader, and a hostile
 * one may lead anywhere, but a key that lives throughout has a live node in each look. A
 * node's header is read before and after its contents, so a reused node is noticed. Entries
 * come sorted by key, which also finds a key that was met twice while its value was replaced.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/reader/map.h"

enum {
	BLOCK_BYTES = 256 << 10,
	RETRIES = 16,	/* of a node that is reused faster than it is read */
};

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
	/* arrays */
	uint32_t key;
	char *block;		/* block_max values of each shard, shard by shard */
	uint64_t block_first, block_nr, block_max;
	/* hash maps: nr copies of nodes, sorted by key */
	char *nodes;
	char **sorted;
	uint64_t nodes_max;
	uint32_t node_bytes;
};

/* What the iterator keeps of a node: its number and generation, then key and value as there. */
struct kept {
	uint64_t number;	/* from 0 */
	uint32_t gen;
	uint32_t pad0;
};

/* ---- Hash maps -------------------------------------------------------------------------- */

static bool is_live(const struct inlay_hash_node *node)
{
	return (node->state & 0xff) == INLAY_NODE_LIVE && !(node->next & INLAY_LINK_MARK);
}

/* Whether the same key lived in the node at both looks. */
static bool is_same(const struct inlay_hash_node *before, const struct inlay_hash_node *after)
{
	return is_live(before) && is_live(after) && before->gen == after->gen;
}

static int keep(struct inlay_map_iter *iter, uint64_t number, const struct inlay_hash_node *node)
{
	size_t kept_bytes = sizeof(struct kept) + iter->node_bytes - sizeof(*node);
	struct kept kept = { .number = number, .gen = node->gen };
	char *to;

	if (iter->nr == iter->nodes_max) {
		uint64_t max = iter->nodes_max ? 2 * iter->nodes_max : 64;
		char *more = reallocarray(iter->nodes, max, kept_bytes);

		if (!more)
			return -ENOMEM;
		iter->nodes = more;
		iter->nodes_max = max;
	}
	to = iter->nodes + iter->nr++ * kept_bytes;
	memcpy(to, &kept, sizeof(kept));
	memcpy(to + sizeof(kept), node + 1, iter->node_bytes - sizeof(*node));
	return 0;
}

/* A node that changed while its block was copied: by itself, until two looks agree. */
static int collect_moving(struct inlay_map_iter *iter, uint64_t off, uint64_t number,
			  struct inlay_hash_node *before, struct inlay_hash_node *node)
{
	for (int i = 0; i < RETRIES; i++) {
		struct inlay_hash_node after;
		int err = segment_read(iter->map->reader, off, before, sizeof(*before));

		if (!err)
			err = segment_read(iter->map->reader, off, node, iter->node_bytes);
		if (!err)
			err = segment_read(iter->map->reader, off, &after, sizeof(after));
		if (err)
			return err;
		if (is_same(before, &after))
			return keep(iter, number, node);
		if (!is_live(&after))
			return 0;
	}
	return 0;
}

static int collect_block(struct inlay_map_iter *iter, char *copies, uint64_t off, uint64_t first,
			 uint64_t nr)
{
	uint64_t bytes = nr * iter->node_bytes;
	struct inlay_reader *reader = iter->map->reader;
	int err = 0;

	for (int i = 0; i < 3 && !err; i++)
		err = segment_read(reader, off, copies + i * bytes, bytes);
	for (uint64_t i = 0; i < nr && !err; i++) {
		struct inlay_hash_node *before = (void *)(copies + i * iter->node_bytes);
		struct inlay_hash_node *node = (void *)((char *)before + bytes);
		struct inlay_hash_node *after = (void *)((char *)node + bytes);

		if (is_same(before, after))
			err = keep(iter, first + i, node);
		else if (is_live(before) || is_live(after))
			err = collect_moving(iter, off + i * iter->node_bytes, first + i, before,
					     node);
	}
	return err;
}

/* Nodes are handed out in order: what `fresh` has not reached was never used. */
static int nodes_in_use(struct inlay_map *map, uint64_t *ret_main, uint64_t *ret_spare)
{
	struct inlay_hash_header header;
	int err = segment_read(map->reader, map->row.off, &header, sizeof(header));

	if (err)
		return err;
	*ret_main = header.fresh & 0xffffffff;
	*ret_spare = header.fresh >> 32;
	if (*ret_main > map->row.max_entries)
		*ret_main = map->row.max_entries;
	if (*ret_spare > INLAY_HASH_SPARES)
		*ret_spare = INLAY_HASH_SPARES;
	return 0;
}

static int collect_range(struct inlay_map_iter *iter, char *copies, uint64_t block,
			 uint64_t first, uint64_t nr)
{
	uint64_t nodes = iter->map->row.off + inlay_hash_nodes_off(iter->map->row.max_entries);
	int err = 0;

	for (uint64_t i = 0; i < nr && !err; i += block)
		err = collect_block(iter, copies, nodes + (first + i) * iter->node_bytes, first + i,
				    nr - i < block ? nr - i : block);
	return err;
}

/* Little-endian numbers of up to 8 bytes in their order; other keys in the order of their bytes. */
static int by_key(const void *a, const void *b, void *arg)
{
	const unsigned char *x = *(unsigned char *const *)a + sizeof(struct kept);
	const unsigned char *y = *(unsigned char *const *)b + sizeof(struct kept);
	uint32_t bytes = *(const uint32_t *)arg;

	if (bytes > 8)
		return memcmp(x, y, bytes);
	while (bytes--)
		if (x[bytes] != y[bytes])
			return x[bytes] < y[bytes] ? -1 : 1;
	return 0;
}

static int sort_nodes(struct inlay_map_iter *iter)
{
	size_t kept_bytes = sizeof(struct kept) + iter->node_bytes -
			    sizeof(struct inlay_hash_node);
	uint32_t key_size = iter->map->row.key_size;
	uint64_t nr = 0;

	iter->sorted = calloc(iter->nr ? iter->nr : 1, sizeof(*iter->sorted));
	if (!iter->sorted)
		return -ENOMEM;
	for (uint64_t i = 0; i < iter->nr; i++)
		iter->sorted[i] = iter->nodes + i * kept_bytes;
	qsort_r(iter->sorted, iter->nr, sizeof(*iter->sorted), by_key, &key_size);
	for (uint64_t i = 0; i < iter->nr; i++)
		if (!nr || by_key(&iter->sorted[nr - 1], &iter->sorted[i], &key_size))
			iter->sorted[nr++] = iter->sorted[i];
	iter->nr = nr;
	return 0;
}

static int hash_start(struct inlay_map_iter *iter)
{
	const struct inlay_seg_map *row = &iter->map->row;
	uint64_t nr_main, nr_spare, block;
	char *copies;
	int err = nodes_in_use(iter->map, &nr_main, &nr_spare);

	if (err)
		return err;
	iter->node_bytes = inlay_hash_node_bytes(row->key_size, row->value_size,
						 map_is_percpu(row));
	block = BLOCK_BYTES / iter->node_bytes;
	block = block ? block : 1;
	copies = calloc(3 * block, iter->node_bytes);
	if (!copies)
		return -ENOMEM;
	err = collect_range(iter, copies, block, 0, nr_main);
	if (!err)
		err = collect_range(iter, copies, block, row->max_entries, nr_spare);
	free(copies);
	return err ? err : sort_nodes(iter);
}

static int hash_shards(struct inlay_map_iter *iter, const struct kept *kept)
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
	char *at = iter->sorted[iter->next];
	struct kept kept;

	memcpy(&kept, at, sizeof(kept));
	iter->entry.key = at + sizeof(kept);
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
		err = map_is_hash(&map->row) ? hash_start(iter) : array_start(iter);
	if (err) {
		inlay_map_iter_free(iter);
		return err;
	}
	*ret_iter = iter;
	return 0;
}

int inlay_map_iter_next(struct inlay_map_iter *iter, const struct inlay_map_entry **ret_entry)
{
	const struct inlay_seg_map *row = &iter->map->row;
	int err;

	if (iter->next >= iter->nr)
		return -ENOENT;
	err = map_is_hash(row) ? hash_next(iter) : array_next(iter);
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
	free(iter->nodes);
	free(iter->sorted);
	free(iter);
}
