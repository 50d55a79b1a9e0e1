/* SPDX-License-Identifier: BSD-2-Clause */
/* A map's geometry, shared by single reads (map.c) and iteration (iter.c). */
#ifndef INLAY_READER_MAP_H
#define INLAY_READER_MAP_H

#include "cli/reader/reader.h"

/* Rows written before a member was appended are shorter: what they lack is zero. */
int map_row(struct inlay_reader *reader, uint32_t index, struct inlay_seg_map *ret_row);
bool map_is_percpu(const struct inlay_seg_map *row);
/* Also those that are laid out as one: tries, queues, stacks, maps of maps. */
bool map_is_hash(const struct inlay_seg_map *row);
/* A queue or a stack: entries in an order, without keys. */
bool map_is_chain(const struct inlay_seg_map *row);
bool map_is_arena(const struct inlay_seg_map *row);
/* Nodes of a hash map, spares included. */
uint64_t map_nodes(const struct inlay_seg_map *row);
uint64_t map_shard_stride(const struct inlay_seg_map *row);

/* arena.c: a part of a page; -ENOENT: it is not allocated */
int arena_page(struct inlay_map *map, uint32_t page, uint32_t at, void *ret, uint32_t bytes);

#endif /* INLAY_READER_MAP_H */
