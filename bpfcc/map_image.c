/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a map's memory starts with: initial values of variables, and the maps in a map of maps, laid
 * out as the runtime's own operations would leave them. Knows abi.h only; that the runtime finds
 * what is put here is tested (tests/unit/test_map_inner.c).
 */
#include "bpfcc/map_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool bpfcc_map_is_in_table(const struct bpfcc_map *map)
{
	return map->type != BPF_MAP_TYPE_PROG_ARRAY;
}

uint32_t bpfcc_map_table_index(const struct bpfcc_object *object, uint32_t index)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < index; i++)
		nr += bpfcc_map_is_in_table(&object->maps[i]);
	return nr;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The runtime's hash of a key of 4 bytes; its constants are part of the ABI (rt/inline/map_hash.h). */
static uint32_t hash_of(uint32_t key)
{
	uint64_t h = fold(0x9e3779b97f4a7c15ull ^ sizeof(key) ^ key, 0xd6e8feb86659fd93ull);

	return (uint32_t)(h ^ h >> 32);
}

/* Entry number nr, from 1, of a map that has none but those before it. */
static void put_in_hash(uint8_t *image, const struct bpfcc_map *map, uint32_t nr, uint32_t key,
			uint32_t number)
{
	uint32_t node_bytes = inlay_hash_node_bytes(map->key_size, map->value_size, false);
	uint8_t *nodes = image + inlay_hash_nodes_off(map->max_entries);
	struct inlay_hash_header *header = (struct inlay_hash_header *)image;
	struct inlay_hash_node *node = (struct inlay_hash_node *)(nodes + (nr - 1ull) * node_bytes);
	uint32_t hash = hash_of(key), bucket = hash & (inlay_hash_buckets(map->max_entries) - 1);
	__u64 *link = (__u64 *)(image + sizeof(*header)) + bucket;

	while (*link & INLAY_LINK_NODE)
		link = &((struct inlay_hash_node *)(nodes + ((*link & INLAY_LINK_NODE) - 1) *
								    node_bytes))->next;
	*link = nr;
	header->high = nr;
	node->life = INLAY_NODE_USED | 1ull << 32;
	node->hash = hash;
	memcpy(node + 1, &key, sizeof(key));
	memcpy((uint8_t *)(node + 1) + 8, &number, sizeof(number));
}

static int maps_image(const struct bpfcc_object *object, const struct bpfcc_map *map, uint8_t **ret,
		      size_t *ret_bytes)
{
	bool is_hash = map->type == BPF_MAP_TYPE_HASH_OF_MAPS;
	uint32_t nr = 0;

	for (uint32_t i = 0; i < map->nr_inner_maps; i++)
		nr += map->inner_maps[i] >= 0;
	if (!nr)
		return 0;
	*ret_bytes = inlay_map_region_bytes(map->type, map->key_size, map->value_size,
					    map->max_entries);
	*ret = calloc(1, *ret_bytes);
	if (!*ret)
		return -ENOMEM;
	nr = 0;
	for (uint32_t i = 0; i < map->nr_inner_maps; i++) {
		uint32_t number;

		if (map->inner_maps[i] < 0)
			continue;
		number = bpfcc_map_table_index(object, (uint32_t)map->inner_maps[i]) + 1;
		if (is_hash)
			put_in_hash(*ret, map, ++nr, i, number);
		else
			memcpy(*ret + 8ull * i, &number, sizeof(number));
	}
	return 0;
}

/* Header, the words of the pages that variables are in, and these. */
static int arena_image(const struct bpfcc_map *map, uint8_t **ret, size_t *ret_bytes)
{
	uint32_t pages = (map->arena_bytes + INLAY_PAGE_BYTES - 1) / INLAY_PAGE_BYTES;
	uint64_t off = inlay_arena_pages_off(map->max_entries);
	__u32 *words;

	if (!pages)
		return 0;
	*ret_bytes = off + (uint64_t)pages * INLAY_PAGE_BYTES;
	*ret = calloc(1, *ret_bytes);
	if (!*ret)
		return -ENOMEM;
	((struct inlay_arena_header *)*ret)->next = pages;
	words = (__u32 *)(*ret + sizeof(struct inlay_arena_header));
	for (uint32_t i = 0; i < pages; i++)
		words[i] = INLAY_PAGE_LIVE | INLAY_PAGE_USED;
	memcpy(*ret + off, map->arena_data, map->arena_bytes);
	return 0;
}

int bpfcc_map_image(const struct bpfcc_object *object, const struct bpfcc_map *map, uint8_t **ret,
		    size_t *ret_bytes)
{
	*ret = NULL;
	*ret_bytes = 0;
	if (map->nr_inner_maps)
		return maps_image(object, map, ret, ret_bytes);
	if (map->type == INLAY_MAP_TYPE_ARENA)
		return arena_image(map, ret, ret_bytes);
	if (!map->data)
		return 0;
	*ret = malloc(map->value_size);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, map->data, map->value_size);
	*ret_bytes = map->value_size;
	return 0;
}
