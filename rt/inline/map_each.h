/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One element of a map after the other, for bpf_for_each_map_elem(): bpfcc makes the loop, and this
 * is its step. Elements that come and go meanwhile may be seen or not, as in the kernel.
 */
#ifndef INLAY_RT_INLINE_MAP_EACH_H
#define INLAY_RT_INLINE_MAP_EACH_H

#include "rt/inline/map.h"

/*
 * All zero at the start; a variable of the program. bpfcc/ll/callback.c knows size and `key`. An
 * array's key is in a variable of its own: one that holds its own address would stay in memory. A
 * hash map's is in the map: the verifier lets programs keep its address as they do a value's.
 */
struct inlay_map_each {
	const void *key;	/* of the element that was given last */
	__u64 at;		/* elements, or nodes, that are behind us */
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_map_each) == 16, "EACH_BYTES in bpfcc/ll/callback.c");

INLAY_INLINE void *inlay_array_each(const struct inlay_map_desc *desc, struct inlay_map_each *each,
				    __u32 *index)
{
	char *values = inlay_array_values(desc);

	if (each->at >= desc->max_entries || !values)
		return 0;
	*index = (__u32)each->at;
	each->key = index;
	return values + each->at++ * desc->value_stride;
}

/* A node alone does not say whether it is in a list: its key must lead to it. */
INLAY_INLINE void *inlay_hash_each(const struct inlay_map_desc *desc, struct inlay_map_each *each)
{
	char *region = inlay_map_region(desc), *shard = 0;

	if (INLAY_UNLIKELY(!region))
		return 0;
	if (inlay_hash_is_percpu(desc)) {
		shard = inlay_map_shard(desc);
		if (INLAY_UNLIKELY(!shard))
			return 0;
	}
	while (each->at < inlay_hash_nr_nodes(desc)) {
		struct inlay_hash_node *node;
		void *value, *found;
		int used;
		__u32 nr;

		/* main nodes behind that were never used: a huge map has no pages for them yet */
		if (each->at < desc->max_entries &&
		    each->at >= inlay_load(&((struct inlay_hash_header *)region)->high))
			each->at = desc->max_entries;
		nr = (__u32)++each->at;
		node = inlay_hash_node(desc, region, nr);
		value = shard ? (void *)(inlay_map_shard_value(desc, shard, nr) + 1) :
				inlay_hash_node_value(desc, node);
		if (INLAY_LIFE_STATE(inlay_load(&node->life)) != INLAY_NODE_USED)
			continue;
		used = inlay_hash_is_lru(desc) && inlay_load(&node->used);
		found = __inlay_map_lookup_elem_v1(desc, inlay_hash_node_key(node));
		/* going through a map is no use of its elements */
		if (inlay_hash_is_lru(desc) && !used)
			inlay_store(&node->used, 0u);
		if (found != value)
			continue;
		each->key = inlay_hash_node_key(node);
		return value;
	}
	return 0;
}

/* The next element's value, its key's address in each->key; NULL: that was all. */
INLAY_INLINE void *__inlay_map_each(const struct inlay_map_desc *desc, struct inlay_map_each *each,
				    __u32 *index)
{
	switch (desc->type) {
	case INLAY_MAP_TYPE_ARRAY:
	case INLAY_MAP_TYPE_PERCPU_ARRAY:
		return inlay_array_each(desc, each, index);
	case INLAY_MAP_TYPE_HASH:
	case INLAY_MAP_TYPE_PERCPU_HASH:
	case INLAY_MAP_TYPE_LRU_HASH:
	case INLAY_MAP_TYPE_LRU_PERCPU_HASH:
		return inlay_hash_each(desc, each);
	}
	return 0;
}

#endif /* INLAY_RT_INLINE_MAP_EACH_H */
