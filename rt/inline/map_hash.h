/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps: where things are, how a key is hashed and compared, and the lookup that needs no
 * help. Whatever changes a map is in rt/map_hash.c; abi.h describes the layout.
 *
 * The other side of the memory may be hostile: a node number is checked by subtraction each time
 * it is read, a walk has a budget, and nothing that was checked is read again.
 */
#ifndef INLAY_RT_INLINE_MAP_HASH_H
#define INLAY_RT_INLINE_MAP_HASH_H

#include "rt/inline/map_access.h"
#include "rt/inline/map_percpu.h"

/* Keys above this size are looked up out of line. */
#define INLAY_HASH_INLINE_KEY_MAX 64u

extern void *__inlay_map_lookup_elem_v1(const struct inlay_map_desc *desc, const void *key);

/*
 * Changes of a map that inlay_hash_has_words() says yes of. What depends on the key alone, and on the map
 * alone, is worked out by the caller, where the compiler knows the map and may know more of the key:
 * the key, its hash (and in an update above it the flags, which are valid), its bucket, node 1.
 */
extern __s64 __inlay_hash_update_word_v1(const struct inlay_map_desc *desc, __u64 key,
					 __u64 hash_and_flags, __u64 *bucket, char *nodes,
					 const void *value);
extern __s64 __inlay_hash_delete_word_v1(const struct inlay_map_desc *desc, __u64 key,
					 __u64 *bucket, char *nodes);

INLAY_INLINE int inlay_hash_is_percpu(const struct inlay_map_desc *desc)
{
	return inlay_map_is_percpu_hash(desc->type);
}

INLAY_INLINE int inlay_hash_is_lru(const struct inlay_map_desc *desc)
{
	return desc->type == INLAY_MAP_TYPE_LRU_HASH ||
	       desc->type == INLAY_MAP_TYPE_LRU_PERCPU_HASH;
}

/* Keeps a node from being the next to lose its key. Written only if it changes: its line is shared. */
INLAY_INLINE void inlay_hash_use(const struct inlay_map_desc *desc, struct inlay_hash_node *node)
{
	if (inlay_hash_is_lru(desc) && !inlay_load(&node->used))
		inlay_store(&node->used, 1u);
}

/* inlay_hash_buckets() - 1, without a loop for maps that are not known at compile time */
INLAY_INLINE __u32 inlay_hash_mask(const struct inlay_map_desc *desc)
{
	if (desc->max_entries <= 1)
		return 0;
	return (~0u >> __builtin_clz(desc->max_entries - 1)) & ((1u << 30) - 1);
}

INLAY_INLINE __u32 inlay_hash_nr_nodes(const struct inlay_map_desc *desc)
{
	return desc->max_entries + INLAY_HASH_SPARES;
}

INLAY_INLINE __u64 *inlay_hash_bucket(const struct inlay_map_desc *desc, char *region, __u32 hash)
{
	return (__u64 *)(region + sizeof(struct inlay_hash_header)) +
	       (hash & inlay_hash_mask(desc));
}

/* Node numbers are 1-based; the caller has checked that node - 1 < inlay_hash_nr_nodes(). */
INLAY_INLINE struct inlay_hash_node *inlay_hash_node(const struct inlay_map_desc *desc,
						     char *region, __u32 node)
{
	__u64 nodes = sizeof(struct inlay_hash_header) + 8ull * (inlay_hash_mask(desc) + 1ull);

	return (struct inlay_hash_node *)(region + nodes +
					  (__u64)(node - 1) *
						  inlay_hash_node_bytes(desc->key_size,
									desc->value_size,
									inlay_hash_is_percpu(desc)));
}

INLAY_INLINE __u64 *inlay_hash_node_key(struct inlay_hash_node *node)
{
	return (__u64 *)(node + 1);
}

INLAY_INLINE void *inlay_hash_node_value(const struct inlay_map_desc *desc,
					 struct inlay_hash_node *node)
{
	return (char *)(node + 1) + inlay_round_up(desc->key_size, 8);
}

/*
 * Folded 64x64->128 bit products, one a word: two cycles a byte-free round, and every input bit
 * reaches every output bit. The constants are arbitrary odd ones; they are part of the ABI, as
 * processes with other builds of the runtime share maps.
 */
INLAY_INLINE __u64 inlay_hash_fold(__u64 a, __u64 b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (__u64)p ^ (__u64)(p >> 64);
}

INLAY_INLINE __u64 inlay_hash_start(__u32 key_size)
{
	return 0x9e3779b97f4a7c15ull ^ key_size;
}

INLAY_INLINE __u64 inlay_hash_add(__u64 h, __u64 word)
{
	return inlay_hash_fold(h ^ word, 0xd6e8feb86659fd93ull);
}

INLAY_INLINE __u32 inlay_hash_end(__u64 h)
{
	return (__u32)(h ^ h >> 32);
}

INLAY_INLINE __u32 inlay_hash_key(const void *key, __u32 key_size)
{
	__u64 h = inlay_hash_start(key_size);
	__u32 i;

	for (i = 0; 8 * i < key_size; i++)
		h = inlay_hash_add(h, inlay_any_word(key, key_size, i));
	return inlay_hash_end(h);
}

INLAY_INLINE int inlay_hash_has_words(const struct inlay_map_desc *desc)
{
	return desc->type == INLAY_MAP_TYPE_HASH && !(desc->flags & INLAY_MAP_HUGE) &&
	       !inlay_map_has_lock(desc) && (desc->key_size == 8 || desc->key_size == 4);
}

INLAY_INLINE __s64 inlay_hash_update_word(const struct inlay_map_desc *desc, const void *key,
					  const void *value, __u64 flags)
{
	__u64 word = inlay_any_word(key, desc->key_size, 0);
	__u32 hash = inlay_hash_end(inlay_hash_add(inlay_hash_start(desc->key_size), word));

	if (flags > INLAY_BPF_EXIST) /* BPF_F_LOCK too: values with a lock go the long way */
		return -INLAY_EINVAL;
	return __inlay_hash_update_word_v1(desc, word, hash | flags << 32,
					   inlay_hash_bucket(desc, desc->region, hash),
					   (char *)inlay_hash_node(desc, desc->region, 1), value);
}

INLAY_INLINE __s64 inlay_hash_delete_word(const struct inlay_map_desc *desc, const void *key)
{
	__u64 word = inlay_any_word(key, desc->key_size, 0);
	__u32 hash = inlay_hash_end(inlay_hash_add(inlay_hash_start(desc->key_size), word));

	return __inlay_hash_delete_word_v1(desc, word, inlay_hash_bucket(desc, desc->region, hash),
					   (char *)inlay_hash_node(desc, desc->region, 1));
}

/* Whether a node holds the key. The bytes after a key's end are zero in a node. */
INLAY_INLINE int inlay_hash_node_has(struct inlay_hash_node *node, const void *key, __u32 key_size,
				     __u32 hash)
{
	const __u64 *words = inlay_hash_node_key(node);
	__u32 i;

	/* one word is compared as fast as the hash */
	if (key_size > 8 && inlay_load(&node->hash) != hash)
		return 0;
	for (i = 0; 8 * i < key_size; i++)
		if (inlay_load(words + i) != inlay_any_word(key, key_size, i))
			return 0;
	return 1;
}

enum inlay_hash_found {
	INLAY_HASH_ABSENT,
	INLAY_HASH_PRESENT,
	INLAY_HASH_UNSURE,	/* something moved: walk again, helping */
	INLAY_HASH_DOZING,	/* absent, but its node is there */
};

/*
 * A walk that only reads. Each step is Michael's: read the node, then check that the link which
 * led to it has not changed meanwhile; the tag in the link makes that proof also for a node that
 * was removed and put back. *ret_gen is the node's generation at that time (per-CPU
 * maps only).
 */
INLAY_INLINE enum inlay_hash_found inlay_hash_peek(const struct inlay_map_desc *desc, char *region,
						   const void *key, __u32 *ret_node, __u32 *ret_gen)
{
	__u32 hash = inlay_hash_key(key, desc->key_size);
	__u64 *prev = inlay_hash_bucket(desc, region, hash);
	__u64 link = inlay_load_acquire(prev); /* pairs with the release of whoever linked */
	__u32 budget = 32;

	while (budget--) {
		struct inlay_hash_node *node;
		__u32 nr = link & INLAY_LINK_NODE;
		__u64 next;
		int is_match;

		if (INLAY_UNLIKELY(link & INLAY_LINK_MARK))
			return INLAY_HASH_UNSURE;
		if (!nr)
			return INLAY_HASH_ABSENT;
		if (INLAY_UNLIKELY(nr - 1 >= inlay_hash_nr_nodes(desc)))
			return INLAY_HASH_UNSURE;
		node = inlay_hash_node(desc, region, nr);
		is_match = inlay_hash_node_has(node, key, desc->key_size, hash);
		if (inlay_hash_is_percpu(desc))
			*ret_gen = INLAY_LIFE_GEN(inlay_load(&node->life));
		next = inlay_load_acquire(&node->next); /* pairs with the release of linking */
		/* keeps the loads above before the check; pairs with the release of unlinking */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (INLAY_UNLIKELY((inlay_load(prev) ^ link) | (next & INLAY_LINK_MARK)))
			return INLAY_HASH_UNSURE;
		if (INLAY_LIKELY(is_match)) {
			if (inlay_hash_has_words(desc) && INLAY_UNLIKELY(next & INLAY_LINK_DOZING))
				return INLAY_HASH_DOZING;
			*ret_node = nr;
			return INLAY_HASH_PRESENT;
		}
		prev = &node->next;
		link = next;
	}
	return INLAY_HASH_UNSURE;
}

INLAY_INLINE void *inlay_hash_lookup(const struct inlay_map_desc *desc, const void *key)
{
	char *region = inlay_map_region(desc);
	__u32 node, gen = 0;
	char *shard;

	if (INLAY_UNLIKELY(!region))
		return 0;
	if (desc->key_size > INLAY_HASH_INLINE_KEY_MAX)
		return __inlay_map_lookup_elem_v1(desc, key);
	switch (inlay_hash_peek(desc, region, key, &node, &gen)) {
	case INLAY_HASH_ABSENT:
	case INLAY_HASH_DOZING:
		return 0;
	case INLAY_HASH_UNSURE:
		return __inlay_map_lookup_elem_v1(desc, key);
	case INLAY_HASH_PRESENT:
		break;
	}
	inlay_hash_use(desc, inlay_hash_node(desc, region, node));
	if (!inlay_hash_is_percpu(desc))
		return inlay_hash_node_value(desc, inlay_hash_node(desc, region, node));
	shard = inlay_map_shard(desc);
	return shard ? inlay_map_shard_value_at(desc, shard, node, gen) : 0;
}

#endif /* INLAY_RT_INLINE_MAP_HASH_H */
