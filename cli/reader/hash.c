/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies the entries of a hash map that others change meanwhile. A key that lives throughout is
 * found exactly once.
 *
 * First all nodes are read in blocks, which is fast and exact as long as none changes hands. The
 * stocks of free nodes carry tags that move with every node taken or given back, so whether one
 * did is known afterwards. If one did, or one is neither live nor free, the chains are
 * followed instead, by the rule of Michael's list: what was read of a node counts if the link that led
 * to it still stands; a replaced node's link leads to its replacement, so a key is never missed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/reader/hash.h"

enum {
	BLOCK_BYTES = 256 << 10,
	RETRIES = 64,	/* of a bucket that changes while it is walked */
};

struct collect {
	struct inlay_map *map;
	struct hash_entries *entries;
	uint64_t nodes_off;
	uint64_t nr_nodes, nr_buckets;
	uint32_t node_bytes;
	uint64_t budget;	/* steps along chains: a hostile chain may have no end */
	struct inlay_hash_node *node;	/* room for one */
};

/* ---- What is kept ----------------------------------------------------------------------- */

static int keep(struct collect *collect, uint64_t number, const struct inlay_hash_node *node)
{
	struct hash_kept kept = { .number = number, .gen = node->gen };
	struct hash_entries *entries = collect->entries;
	char *to;

	if (entries->nr == entries->max) {
		uint64_t max = entries->max ? 2 * entries->max : 64;
		char *more;

		if (entries->nr > 2 * collect->nr_nodes)
			return -EBADMSG;
		more = reallocarray(entries->kept, max, entries->kept_bytes);
		if (!more)
			return -ENOMEM;
		entries->kept = more;
		entries->max = max;
	}
	to = entries->kept + entries->nr++ * entries->kept_bytes;
	memcpy(to, &kept, sizeof(kept));
	memcpy(to + sizeof(kept), node + 1, collect->node_bytes - sizeof(*node));
	return 0;
}

/* Little-endian numbers of up to 8 bytes in their order; other keys in the order of their bytes. */
static int by_key(const void *a, const void *b, void *arg)
{
	const unsigned char *x = *(unsigned char *const *)a + sizeof(struct hash_kept);
	const unsigned char *y = *(unsigned char *const *)b + sizeof(struct hash_kept);
	uint32_t bytes = *(const uint32_t *)arg;

	if (bytes > 8)
		return memcmp(x, y, bytes);
	while (bytes--)
		if (x[bytes] != y[bytes])
			return x[bytes] < y[bytes] ? -1 : 1;
	return 0;
}

static int sort(struct hash_entries *entries, uint32_t key_size)
{
	uint64_t nr = 0;

	entries->sorted = calloc(entries->nr ? entries->nr : 1, sizeof(*entries->sorted));
	if (!entries->sorted)
		return -ENOMEM;
	for (uint64_t i = 0; i < entries->nr; i++)
		entries->sorted[i] = entries->kept + i * entries->kept_bytes;
	qsort_r(entries->sorted, entries->nr, sizeof(*entries->sorted), by_key, &key_size);
	/* A key is met twice where it was deleted and came back during the look. */
	for (uint64_t i = 0; i < entries->nr; i++)
		if (!nr || by_key(&entries->sorted[nr - 1], &entries->sorted[i], &key_size))
			entries->sorted[nr++] = entries->sorted[i];
	entries->nr = nr;
	return 0;
}

/* ---- All nodes, in blocks --------------------------------------------------------------- */

static bool is_live(const struct inlay_hash_node *node)
{
	return node->state == INLAY_NODE_LIVE && !(node->next & INLAY_LINK_MARK);
}

/* Never used, or given back. Between taking and linking a node names its owner for good. */
static bool is_free(const struct inlay_hash_node *node)
{
	return node->state == INLAY_NODE_FREE ||
	       (INLAY_NODE_STATE(node->state) == INLAY_NODE_TAKEN && !(node->state & INLAY_NODE_OWNED));
}

/* -EAGAIN: a node is on its way. Headers are read before and after what they vouch for. */
static int scan_block(struct collect *collect, char *copies, uint64_t first, uint64_t nr)
{
	uint64_t off = collect->nodes_off + first * collect->node_bytes;
	uint64_t bytes = nr * collect->node_bytes;
	int err = 0;

	for (int i = 0; i < 3 && !err; i++)
		err = segment_read(collect->map->reader, off, copies + i * bytes, bytes);
	for (uint64_t i = 0; i < nr && !err; i++) {
		struct inlay_hash_node *before = (void *)(copies + i * collect->node_bytes);
		struct inlay_hash_node *node = (void *)((char *)before + bytes);
		struct inlay_hash_node *after = (void *)((char *)node + bytes);

		if (is_live(before) && is_live(after) && before->gen == after->gen)
			err = keep(collect, first + i, node);
		else if (!is_free(before) || !is_free(after))
			err = -EAGAIN;
	}
	return err;
}

static int scan_range(struct collect *collect, uint64_t first, uint64_t nr)
{
	uint64_t block = BLOCK_BYTES / collect->node_bytes;
	char *copies;
	int err = 0;

	block = block ? block : 1;
	if (block > nr)
		block = nr ? nr : 1;
	copies = calloc(3 * block, collect->node_bytes);
	if (!copies)
		return -ENOMEM;
	for (uint64_t i = 0; i < nr && !err; i += block)
		err = scan_block(collect, copies, first + i, nr - i < block ? nr - i : block);
	free(copies);
	return err;
}

static int scan(struct collect *collect)
{
	const struct inlay_seg_map *row = &collect->map->row;
	struct inlay_hash_header before, after;
	struct inlay_reader *reader = collect->map->reader;
	uint64_t nr_main, nr_spare;
	int err = segment_read(reader, row->off, &before, sizeof(before));

	if (err)
		return err;
	/* Nodes are handed out in order: what `fresh` has not reached was never used. */
	nr_main = before.fresh & 0xffffffff;
	nr_spare = before.fresh >> 32;
	if (nr_main > row->max_entries || nr_spare > INLAY_HASH_SPARES)
		return -EBADMSG;
	err = scan_range(collect, 0, nr_main);
	if (!err)
		err = scan_range(collect, row->max_entries, nr_spare);
	if (!err)
		err = segment_read(reader, row->off, &after, sizeof(after));
	if (err)
		return err;
	return before.free_main == after.free_main && before.free_spare == after.free_spare &&
	       before.fresh == after.fresh ? 0 : -EAGAIN;
}

/* ---- Chains ----------------------------------------------------------------------------- */

/* Walks one chain once. -EAGAIN: it changed on the way. */
static int walk_once(struct collect *collect, uint64_t bucket)
{
	struct inlay_reader *reader = collect->map->reader;
	struct inlay_hash_node *node = collect->node;
	uint64_t prev = collect->map->row.off + sizeof(struct inlay_hash_header) + 8 * bucket;
	uint64_t link, again, number;
	int err = segment_read(reader, prev, &link, sizeof(link));

	for (number = link & INLAY_LINK_NODE; !err && number; number = node->next & INLAY_LINK_NODE) {
		uint64_t off;

		if (!collect->budget-- || number - 1 >= collect->nr_nodes)
			return -EBADMSG;
		off = collect->nodes_off + (number - 1) * collect->node_bytes;
		err = segment_read(reader, off, node, collect->node_bytes);
		if (!err)
			err = segment_read(reader, prev, &again, sizeof(again));
		if (!err && again != link)
			return -EAGAIN;
		if (err || (node->next & INLAY_LINK_MARK))
			continue; /* deleted: it leads on, but vouches for nothing */
		err = keep(collect, number - 1, node);
		prev = off + offsetof(struct inlay_hash_node, next);
		link = node->next;
	}
	return err;
}

static int walk(struct collect *collect)
{
	int err = 0;

	collect->budget = 16 * (collect->nr_nodes + collect->nr_buckets) + 65536;
	for (uint64_t i = 0; i < collect->nr_buckets && !err; i++) {
		uint64_t nr = collect->entries->nr;
		int tries = 0;

		while ((err = walk_once(collect, i)) == -EAGAIN && ++tries < RETRIES)
			collect->entries->nr = nr;
		/* A chain that never holds still: what the last walk found of it was all valid. */
		if (err == -EAGAIN)
			err = 0;
	}
	return err;
}

int hash_collect(struct inlay_map *map, struct hash_entries *ret_entries)
{
	const struct inlay_seg_map *row = &map->row;
	struct collect collect = {
		.map = map,
		.entries = ret_entries,
		.nodes_off = row->off + inlay_hash_nodes_off(row->max_entries),
		.nr_nodes = map_nodes(row),
		.nr_buckets = inlay_hash_buckets(row->max_entries),
		.node_bytes = inlay_hash_node_bytes(row->key_size, row->value_size,
						    map_is_percpu(row)),
	};
	int err;

	memset(ret_entries, 0, sizeof(*ret_entries));
	ret_entries->kept_bytes = sizeof(struct hash_kept) + collect.node_bytes -
				  sizeof(struct inlay_hash_node);
	collect.node = malloc(collect.node_bytes);
	if (!collect.node)
		return -ENOMEM;
	err = scan(&collect);
	if (err == -EAGAIN) {
		ret_entries->nr = 0;
		err = walk(&collect);
	}
	free(collect.node);
	if (!err)
		err = sort(ret_entries, row->key_size);
	if (err)
		hash_entries_fini(ret_entries);
	return err;
}

void hash_entries_fini(struct hash_entries *entries)
{
	free(entries->kept);
	free(entries->sorted);
	memset(entries, 0, sizeof(*entries));
}
