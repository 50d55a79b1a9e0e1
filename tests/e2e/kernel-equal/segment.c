/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segment FILE
 *
 * Prints the maps of a segment that nobody writes any more, knowing abi.h only: a second reader, so
 * that a mistake in the library is not in both sides of a comparison.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dump.h"
#include "inlay/abi.h"

static const char *base;
static uint64_t file_bytes;

static const void *at(uint64_t off, uint64_t bytes)
{
	if (off > file_bytes || bytes > file_bytes - off) {
		fprintf(stderr, "segment: a reference leads out of the file\n");
		exit(1);
	}
	return base + off;
}

static const struct inlay_seg_map *map_row(uint32_t row)
{
	const struct inlay_segment *segment = at(0, sizeof(*segment));
	const struct inlay_table *t = &segment->maps;

	return at(t->off + (uint64_t)row * t->entry_bytes, sizeof(struct inlay_seg_map));
}

/* The shards' values at `off`, added up; with a generation in front if `gen` is not NULL. */
static void sum_shards(uint32_t row, uint64_t off, const uint32_t *gen, uint64_t *sum)
{
	const struct inlay_segment *segment = at(0, sizeof(*segment));
	const struct inlay_seg_map *map = map_row(row);

	for (uint32_t i = 0; i < segment->shards.nr; i++) {
		const struct inlay_seg_shard *shard =
			at(segment->shards.off + (uint64_t)i * segment->shards.entry_bytes,
			   sizeof(*shard));
		const char *value;

		if (INLAY_SHARD_STATE(shard->state) == INLAY_SHARD_FREE || shard->map != row)
			continue;
		value = at(shard->off + off, 8ull + map->value_stride);
		if (gen) {
			const struct inlay_shard_value *v = (const void *)value;

			if (v->gen != *gen)
				continue;
			value = (const char *)(v + 1);
		}
		dump_add(sum, value, map->value_size);
	}
}

/* Room for the sum of a per-CPU map's values. */
static uint64_t *sum_new(const struct inlay_seg_map *map)
{
	uint64_t *sum = calloc(inlay_round_up(map->value_size, 8) / 8 + 1, sizeof(*sum));

	if (!sum) {
		perror("segment");
		exit(1);
	}
	return sum;
}

static void dump_array(uint32_t row)
{
	const struct inlay_seg_map *map = map_row(row);
	uint64_t *sum = sum_new(map);

	for (uint32_t i = 0; i < map->max_entries; i++) {
		uint64_t off = (uint64_t)i * map->value_stride;
		const void *value = sum;

		memset(sum, 0, map->value_size);
		if (map->flags & INLAY_MAP_PERCPU)
			sum_shards(row, off, NULL, sum);
		else
			value = at(map->off + off, map->value_size);
		dump_entry(map->name, &i, 4, value, map->value_size);
	}
	free(sum);
}

static void dump_hash(uint32_t row)
{
	const struct inlay_seg_map *map = map_row(row);
	int is_percpu = inlay_map_is_percpu_hash(map->type);
	uint32_t node_bytes = inlay_hash_node_bytes(map->key_size, map->value_size, is_percpu);
	uint64_t nodes = map->off + inlay_hash_nodes_off(map->max_entries);
	uint64_t value_bytes = sizeof(struct inlay_shard_value) + inlay_round_up(map->value_size, 8);
	uint32_t place = 0; /* in a queue or a stack */
	uint64_t *sum = sum_new(map);

	for (uint32_t i = 0; i < inlay_hash_buckets(map->max_entries); i++) {
		const uint64_t *link = at(map->off + sizeof(struct inlay_hash_header) + 8ull * i, 8);

		while (*link & INLAY_LINK_NODE) {
			uint64_t nr = (*link & INLAY_LINK_NODE) - 1;
			const struct inlay_hash_node *node = at(nodes + nr * node_bytes, node_bytes);
			const char *key = (const char *)(node + 1);
			const void *value = key + inlay_round_up(map->key_size, 8);

			link = (const uint64_t *)&node->next;
			/* deleted, or dozing */
			if (node->next & (INLAY_LINK_MARK | INLAY_LINK_DOZING))
				continue;
			if (INLAY_LIFE_STATE(node->life) != INLAY_NODE_USED)
				fprintf(stderr, "segment: %s: a linked node is free\n", map->name);
			if (is_percpu) {
				uint32_t gen = INLAY_LIFE_GEN(node->life);

				memset(sum, 0, map->value_size);
				sum_shards(row, nr * value_bytes, &gen, sum);
				value = sum;
			}
			if (map->key_size)
				dump_entry(map->name, key, map->key_size, value, map->value_size);
			else
				dump_entry(map->name, &place, sizeof(place), value, map->value_size);
			place++;
		}
	}
	free(sum);
}

static void dump_arena(uint32_t row)
{
	const struct inlay_seg_map *map = map_row(row);
	const uint32_t *words =
		at(map->off + sizeof(struct inlay_arena_header), 4ull * map->max_entries);
	uint64_t pages = map->off + inlay_arena_pages_off(map->max_entries);

	for (uint32_t i = 0; i < map->max_entries; i++)
		if (INLAY_PAGE_STATE(words[i]) == INLAY_PAGE_LIVE)
			dump_entry(map->name, &i, sizeof(i),
				   at(pages + (uint64_t)i * INLAY_PAGE_BYTES, INLAY_PAGE_BYTES),
				   INLAY_PAGE_BYTES);
}

/* As it is when nobody writes any more; spans and open claims do not occur with one thread. */
static void dump_ring(uint32_t row)
{
	const struct inlay_seg_map *map = map_row(row);
	int is_perf = map->type == INLAY_MAP_TYPE_PERF_EVENT_ARRAY;
	uint64_t size = !is_perf ? map->max_entries : map->extra ? map->extra : INLAY_PERF_RING_BYTES;
	const struct inlay_ring_header *h = at(map->off, inlay_ring_region_bytes(size));
	uint64_t pos = h->free_pos, end = INLAY_RING_WORD_POS(h->tail);

	for (int nr = 0; pos < end; nr++) {
		const uint64_t *header = (const void *)((const char *)(h + 1) + pos % size);
		const char *data = (const char *)(header + 1);
		uint64_t bytes = *header & INLAY_RING_LEN_MASK;

		pos += inlay_ring_extent(size, bytes);
		if (*header & (INLAY_RING_BUSY | INLAY_RING_SPAN) || !(*header & INLAY_RING_SET)) {
			fprintf(stderr, "segment: %s: no record at %llu\n", map->name,
				(unsigned long long)pos);
			exit(1);
		}
		if (*header & INLAY_RING_DISCARD)
			nr--;
		else if (is_perf)
			dump_record(map->name, -1, data + sizeof(struct inlay_perf_sample),
				    bytes - sizeof(struct inlay_perf_sample));
		else
			dump_record(map->name, nr, data, bytes);
	}
}

int main(int argc, char **argv)
{
	const struct inlay_segment *segment;
	struct stat st;
	int fd;

	fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "usage: segment FILE\n");
		return 2;
	}
	file_bytes = (uint64_t)st.st_size;
	base = mmap(NULL, file_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return 1;
	segment = at(0, sizeof(*segment));
	if (segment->magic != INLAY_SEGMENT_MAGIC || segment->state == INLAY_SEGMENT_MAKING) {
		fprintf(stderr, "segment: %s: not a segment\n", argv[1]);
		return 1;
	}
	for (uint32_t i = 0; i < segment->maps.nr; i++) {
		switch (map_row(i)->type) {
		case INLAY_MAP_TYPE_BLOOM_FILTER:
		case INLAY_MAP_TYPE_ARRAY_OF_MAPS:
		case INLAY_MAP_TYPE_HASH_OF_MAPS:
		case INLAY_MAP_TYPE_CGROUP_ARRAY:
			continue; /* the kernel shows something else of them, or nothing */
		}
		if (map_row(i)->type == INLAY_MAP_TYPE_ARENA)
			dump_arena(i);
		else if (map_row(i)->flags & INLAY_MAP_RING)
			dump_ring(i);
		else if (map_row(i)->flags & INLAY_MAP_HASH)
			dump_hash(i);
		else
			dump_array(i);
	}
	return 0;
}
