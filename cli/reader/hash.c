/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies the entries of a hash map that others change meanwhile. A key that lives throughout is
 * found exactly once.
 *
 * First everything is read in blocks, three times: the links and generations, then all with keys and
 * values, then links and generations again. Those words never have an earlier value again, so if all
 * three say the same, nothing moved between the first time and the last, and the chains can be followed in the
 * copy. If something moved, they are followed in the segment instead, by the rule of Michael's
 * list: what was read of a node counts if the link that led to it still stands; a replaced node's
 * link leads to its replacement, so a key is never missed.
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
	uint64_t gone;		/* the bits of a link whose node is none of the entries */
	struct inlay_hash_node *node;	/* room for one */
};

/* ---- What is kept ----------------------------------------------------------------------- */

static int keep(struct collect *collect, uint64_t number, const struct inlay_hash_node *node)
{
	struct hash_entries *entries = collect->entries;
	struct hash_kept kept = { .number = number, .gen = INLAY_LIFE_GEN(node->life),
				  .order = (uint32_t)entries->nr };
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

static int by_order(const void *a, const void *b)
{
	const struct hash_kept *x = *(const void *const *)a, *y = *(const void *const *)b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static int sort(struct hash_entries *entries, uint32_t key_size)
{
	uint64_t nr = 0;

	entries->sorted = calloc(entries->nr ? entries->nr : 1, sizeof(*entries->sorted));
	if (!entries->sorted)
		return -ENOMEM;
	for (uint64_t i = 0; i < entries->nr; i++)
		entries->sorted[i] = entries->kept + i * entries->kept_bytes;
	if (!key_size) {
		qsort(entries->sorted, entries->nr, sizeof(*entries->sorted), by_order);
		return 0;
	}
	qsort_r(entries->sorted, entries->nr, sizeof(*entries->sorted), by_key, &key_size);
	/* A key is met twice where it was deleted and came back during the look. */
	for (uint64_t i = 0; i < entries->nr; i++)
		if (!nr || by_key(&entries->sorted[nr - 1], &entries->sorted[i], &key_size))
			entries->sorted[nr++] = entries->sorted[i];
	entries->nr = nr;
	return 0;
}

/* ---- Everything, in blocks -------------------------------------------------------------- */

/* What does not hold still when an entry comes or goes. */
struct words {
	uint64_t next, life;
};

struct head {
	uint64_t bucket, link;
};

struct snapshot {
	struct words *nodes;	/* main nodes up to nr_main, then the spares */
	uint64_t nr_main;
	struct head *heads;	/* of buckets that are not empty */
	uint64_t nr_heads;
};

enum pass { PASS_RECORD, PASS_KEEP, PASS_COMPARE };

static uint64_t snapshot_nodes(const struct snapshot *snapshot)
{
	return snapshot->nr_main + INLAY_HASH_SPARES;
}

/* Which node of the snapshot has this number (1-based); its length if there is none. */
static uint64_t snapshot_index(const struct collect *collect, const struct snapshot *snapshot,
			       uint64_t number)
{
	uint64_t first_spare = collect->map->row.max_entries;

	if (number - 1 < snapshot->nr_main)
		return number - 1;
	if (number - 1 < first_spare || number - 1 >= collect->nr_nodes)
		return snapshot_nodes(snapshot);
	return number - 1 - first_spare + snapshot->nr_main;
}

static bool is_used(const struct collect *collect, const struct words *words)
{
	return INLAY_LIFE_STATE(words->life) == INLAY_NODE_USED &&
	       !(words->next & collect->gone);
}

/* Nodes first to first + nr of the map, which are those from index `at` of the snapshot. */
static int nodes_pass(struct collect *collect, struct snapshot *snapshot, enum pass pass,
		      char *block, uint64_t first, uint64_t nr, uint64_t at)
{
	uint64_t block_nodes = BLOCK_BYTES / collect->node_bytes;
	int err = 0;

	block_nodes = block_nodes ? block_nodes : 1;
	for (uint64_t i = 0; i < nr && !err; i++) {
		struct inlay_hash_node *node = (void *)(block + i % block_nodes *
								collect->node_bytes);
		struct words *words = &snapshot->nodes[at + i];
		uint64_t here = nr - i < block_nodes ? nr - i : block_nodes;

		if (!(i % block_nodes))
			err = segment_read(collect->map->reader,
					   collect->nodes_off + (first + i) * collect->node_bytes,
					   block, here * collect->node_bytes);
		if (err)
			break;
		if (pass == PASS_RECORD)
			*words = (struct words){ node->next, node->life };
		else if (words->next != node->next || words->life != node->life)
			err = -EAGAIN;
		else if (pass == PASS_KEEP && is_used(collect, words))
			err = keep(collect, first + i, node);
	}
	return err;
}

static int heads_add(struct snapshot *snapshot, uint64_t bucket, uint64_t link)
{
	/* a node is in one chain: more heads than nodes is no moment in a map's life */
	if (snapshot->nr_heads == snapshot_nodes(snapshot))
		return -EAGAIN;
	snapshot->heads[snapshot->nr_heads++] = (struct head){ bucket, link };
	return 0;
}

/*
 * An empty bucket's link may change and come back to empty unseen: then a node was taken, which is
 * seen.
 */
static int heads_pass(struct collect *collect, struct snapshot *snapshot, enum pass pass,
		      uint64_t *block)
{
	uint64_t block_links = BLOCK_BYTES / sizeof(*block), nr = 0;
	uint64_t off = collect->map->row.off + sizeof(struct inlay_hash_header);
	int err = 0;

	for (uint64_t i = 0; i < collect->nr_buckets && !err; i++) {
		uint64_t here = collect->nr_buckets - i, link;

		if (here > block_links)
			here = block_links;
		if (!(i % block_links))
			err = segment_read(collect->map->reader, off + 8 * i, block, 8 * here);
		if (err)
			break;
		link = block[i % block_links];
		if (!(link & INLAY_LINK_NODE))
			continue;
		if (pass == PASS_RECORD)
			err = heads_add(snapshot, i, link);
		else if (nr == snapshot->nr_heads || snapshot->heads[nr].bucket != i ||
			 snapshot->heads[nr].link != link)
			err = -EAGAIN;
		nr++;
	}
	return err ? err : nr == snapshot->nr_heads ? 0 : -EAGAIN;
}

static int passes(struct collect *collect, struct snapshot *snapshot, char *block)
{
	int err = 0;

	for (enum pass pass = PASS_RECORD; pass <= PASS_COMPARE && !err; pass++) {
		if (pass != PASS_KEEP)
			err = heads_pass(collect, snapshot, pass, (void *)block);
		if (!err)
			err = nodes_pass(collect, snapshot, pass, block, 0, snapshot->nr_main, 0);
		if (!err)
			err = nodes_pass(collect, snapshot, pass, block,
					 collect->map->row.max_entries, INLAY_HASH_SPARES,
					 snapshot->nr_main);
	}
	return err;
}

/* Of what was kept, only what is in a chain stays: a node may be in the hands of a process. */
static int follow(struct collect *collect, const struct snapshot *snapshot)
{
	uint64_t nr_nodes = snapshot_nodes(snapshot), nr = 0;
	uint64_t bytes = collect->entries->kept_bytes;
	uint32_t *order = calloc(nr_nodes, sizeof(*order)); /* 0: in no chain */
	int err = order ? 0 : -ENOMEM;
	uint32_t nr_linked = 0;

	for (uint64_t i = 0; i < snapshot->nr_heads && !err; i++) {
		uint64_t link = snapshot->heads[i].link;

		while (link & INLAY_LINK_NODE) {
			uint64_t at = snapshot_index(collect, snapshot, link & INLAY_LINK_NODE);

			if (at == nr_nodes || order[at]) {
				err = -EBADMSG;
				break;
			}
			order[at] = ++nr_linked;
			link = snapshot->nodes[at].next;
		}
	}
	for (uint64_t i = 0; i < collect->entries->nr && !err; i++) {
		char *from = collect->entries->kept + i * bytes;
		struct hash_kept kept;

		memcpy(&kept, from, sizeof(kept));
		kept.order = order[snapshot_index(collect, snapshot, kept.number + 1)];
		if (!kept.order)
			continue;
		memcpy(from, &kept, sizeof(kept));
		memmove(collect->entries->kept + nr++ * bytes, from, bytes);
	}
	collect->entries->nr = nr;
	free(order);
	return err;
}

static int scan(struct collect *collect)
{
	const struct inlay_seg_map *row = &collect->map->row;
	struct inlay_reader *reader = collect->map->reader;
	struct inlay_hash_header before, after;
	struct snapshot snapshot = { 0 };
	char *block;
	int err = segment_read(reader, row->off, &before, sizeof(before));

	if (err)
		return err;
	if (before.high > row->max_entries)
		return -EBADMSG;
	snapshot.nr_main = before.high;
	snapshot.nodes = calloc(snapshot_nodes(&snapshot), sizeof(*snapshot.nodes));
	snapshot.heads = calloc(snapshot_nodes(&snapshot), sizeof(*snapshot.heads));
	block = malloc(BLOCK_BYTES > collect->node_bytes ? BLOCK_BYTES : collect->node_bytes);
	err = snapshot.nodes && snapshot.heads && block ? passes(collect, &snapshot, block) :
							  -ENOMEM;
	if (!err)
		err = segment_read(reader, row->off, &after, sizeof(after));
	if (!err && after.high != before.high)
		err = -EAGAIN;
	if (!err)
		err = follow(collect, &snapshot);
	free(snapshot.nodes);
	free(snapshot.heads);
	free(block);
	return err;
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
		if (!(node->next & collect->gone))
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
		/* 1.0 has no dozing nodes, and that bit in tags */
		.gone = INLAY_LINK_MARK |
			(map->reader->head.abi_minor >= 1 ? INLAY_LINK_DOZING : 0),
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
