/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing a HASH map with keys of 4 or 8 bytes when nothing comes in between: the same steps in the
 * same order as in map_hash.c, with no calls. Whatever is unusual, from a changed link to a node that
 * has to be looked for, is left to map_hash.c, which begins again. What takes the time are the locked
 * operations and what the processor cannot begin before each of them is done: loads that depend on loads.
 *
 * A delete is one locked operation: the node stays in its list, and dozes. Nobody owns it, so nothing is
 * lost with who is killed. An insert of the same key wakes it: one operation says who does that, as two
 * could, then the value is written, and a second one makes it live; in between others may call it off by
 * a change of the same word, and then it is a node that was deleted by who woke it. An insert of another
 * key takes the node that this thread let doze last out of its list, and links it: three. An update
 * replaces a node: four.
 */
#ifndef INLAY_RT_MAP_FAST_H
#define INLAY_RT_MAP_FAST_H

#include "rt/inline/thread.h"
#include "rt/map_hash.h"

/*
 * The rest of an operation, in map_hash.c. All of them are the last call that a function makes: then
 * it needs to save no registers. `held`: a node in our hands, filled; 0: none.
 */
__s64 __inlay_hash_update_slow(const struct inlay_map_desc *desc, __u64 key, const void *value,
			       __u64 flags, __u32 held);
__s64 __inlay_hash_delete_slow(const struct inlay_map_desc *desc, __u64 key);
/* An insert that woke node `nr` as `owner` and found then that it is not that any more. */
__s64 __inlay_hash_update_unwoken(const struct inlay_map_desc *desc, __u64 key, const void *value,
				  __u64 flags, __u32 nr, __u32 owner);
/* A dozing node that takers may not be led to; 0, always. */
__s64 __inlay_hash_doze(const struct inlay_map_desc *desc, __u32 nr);
/* A node that is marked, but maybe not off its list; 0, always. */
__s64 __inlay_hash_retire(const struct inlay_map_desc *desc, __u64 key, __u32 nr, __u32 gen,
			  enum inlay_hash_stock stock);

/* Where things are in the map of a key. */
struct fast {
	const struct inlay_map_desc *desc;
	struct inlay_hash_header *header;
	__u64 *bucket;
	char *nodes;
	__u64 node_bytes;
	__u64 key;
	__u32 owner;
};

enum fast_found { FAST_ABSENT, FAST_DOZING, FAST_PRESENT, FAST_UNSURE };

/* A place in a chain, as in struct inlay_hash_place. */
struct fast_place {
	__u64 *prev;
	__u64 link, next;
	struct inlay_hash_node *node;
	__u32 nr, gen;
};

/* False: a process without a name, or whose name is not known yet, has to ask. */
INLAY_INLINE bool fast_init(struct fast *fast, const struct inlay_map_desc *desc, __u64 key,
			    __u64 *bucket, char *nodes)
{
	fast->owner = inlay_load(&__inlay_process_v1.owner);
	fast->desc = desc;
	fast->header = desc->region;
	fast->bucket = bucket;
	fast->nodes = nodes;
	fast->node_bytes = sizeof(struct inlay_hash_node) + 8 + inlay_round_up(desc->value_size, 8);
	fast->key = key;
	return INLAY_LIKELY(fast->owner);
}

INLAY_INLINE struct inlay_hash_node *fast_node(const struct fast *fast, __u32 nr)
{
	return (struct inlay_hash_node *)(fast->nodes + (__u64)(nr - 1) * fast->node_bytes);
}

/* inlay_hash_peek() that also says where the key is, or the end of its chain. */
INLAY_INLINE enum fast_found fast_find(const struct fast *fast, struct fast_place *at)
{
	__u32 budget = 16;

	at->prev = fast->bucket;
	at->link = inlay_load_acquire(at->prev); /* pairs with inlay_cas() of who linked */
	for (; INLAY_LIKELY(budget); budget--) {
		__u64 key;

		at->nr = at->link & INLAY_LINK_NODE;
		if (INLAY_UNLIKELY(at->link & INLAY_LINK_MARK))
			return FAST_UNSURE;
		if (!at->nr)
			return FAST_ABSENT;
		if (INLAY_UNLIKELY(at->nr - 1 >= inlay_hash_nr_nodes(fast->desc)))
			return FAST_UNSURE;
		at->node = fast_node(fast, at->nr);
		key = inlay_load(inlay_hash_node_key(at->node));
		at->gen = INLAY_LIFE_GEN(inlay_load(&at->node->life));
		at->next = inlay_load_acquire(&at->node->next); /* pairs with inlay_cas() */
		/* what was read belongs together only if the link to it has not changed since */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (INLAY_UNLIKELY(inlay_load(at->prev) != at->link ||
				   (at->next & INLAY_LINK_MARK)))
			return FAST_UNSURE;
		if (INLAY_LIKELY(key == fast->key))
			return at->next & INLAY_LINK_DOZING ? FAST_DOZING : FAST_PRESENT;
		at->prev = &at->node->next;
		at->link = at->next;
	}
	return FAST_UNSURE;
}

/* Bit 2 of the life word of a node of this stock. */
INLAY_INLINE __u32 fast_moved(const struct fast *fast, __u32 nr, enum inlay_hash_stock stock)
{
	return (nr <= fast->desc->max_entries) != (stock == INLAY_HASH_MAIN) ? INLAY_LIFE_MOVED : 0;
}

INLAY_INLINE struct inlay_hash_hot *fast_hot(const struct fast *fast)
{
	return &__inlay_hash_hot[fast->desc->index % INLAY_HASH_HOT_MAPS];
}

/*
 * Takes the node that this thread let doze last out of its list, as __inlay_hash_evict() does. Returns its
 * number and above that its generation; 0: it cannot be had.
 */
static INLAY_NOINLINE __u64 fast_evict(const struct inlay_map_desc *desc, __u32 nr,
				       struct inlay_hash_node *node, __u32 owner, __u32 moved,
				       __u64 *ret_link)
{
	struct inlay_hash_hot *hot = &__inlay_hash_hot[desc->index % INLAY_HASH_HOT_MAPS];
	__u64 link = hot->link, next = inlay_load_acquire(&node->next);
	__u64 *prev = (__u64 *)((char *)desc->region + hot->prev_off);
	__u64 life = inlay_load(&node->life);
	__u32 gen = INLAY_LIFE_GEN(life);

	/* the same word as then, so that it is in the list, and nobody came in between */
	if (!inlay_is_dozing(next) || (link & INLAY_LINK_NODE) != nr ||
	    hot->prev_off > desc->region_bytes - sizeof(*prev) || inlay_load(prev) != link)
		return 0;
	*ret_link = inlay_link_marked(next, owner, INLAY_HASH_MAIN, gen);
	if (!inlay_cas(&node->next, next, *ret_link))
		return 0;
	if (!inlay_cas(prev, link, inlay_link(link, next))) {
		__inlay_hash_retire(desc, inlay_load(inlay_hash_node_key(node)), nr, gen,
				    INLAY_HASH_MAIN);
		return 0;
	}
	/* release: it is off its list; pairs with the scavenger's load */
	while (!inlay_cas_own(&node->life, life,
			      (gen + 1ull) << 32 | owner << INLAY_LIFE_OWNER_SHIFT | moved |
				      INLAY_NODE_USED)) {
		life = inlay_load(&node->life);
		if (!inlay_is_used(life, gen))
			return 0; /* a child has it */
	}
	gen++;
	hot->nr[INLAY_HASH_MAIN] = 0;
	return (__u64)gen << 32 | nr;
}

/* Takes the node that this thread gave back last; 0: it cannot be had. */
INLAY_INLINE __u32 fast_take(const struct fast *fast, enum inlay_hash_stock stock, __u32 *ret_gen,
			     __u64 *ret_link)
{
	struct inlay_hash_hot *hot = fast_hot(fast);
	__u32 nr = hot->nr[stock], moved = fast_moved(fast, nr, stock);
	__u64 *at, life;

	/* above `high` is for __inlay_hash_take(), which raises it */
	if (hot->desc != fast->desc || nr - 1 >= inlay_hash_nr_nodes(fast->desc) ||
	    (nr <= fast->desc->max_entries && nr > inlay_load(&fast->header->high)))
		return 0;
	at = &fast_node(fast, nr)->life;
	life = inlay_load(at);
	if (stock == INLAY_HASH_MAIN && INLAY_LIFE_STATE(life) == INLAY_NODE_USED) {
		__u64 taken = fast_evict(fast->desc, nr, fast_node(fast, nr), fast->owner, moved,
					 ret_link);

		*ret_gen = (__u32)(taken >> 32);
		return (__u32)taken;
	}
	*ret_gen = INLAY_LIFE_GEN(life) + 1;
	*ret_link = inlay_load(&fast_node(fast, nr)->next); /* a free node's stays */
	/* pairs with who frees the node: what its last owner did to it is over */
	if ((__u32)life != (moved | INLAY_NODE_FREE) ||
	    !inlay_cas(at, life, (__u64)*ret_gen << 32 | fast->owner << INLAY_LIFE_OWNER_SHIFT |
					 moved | INLAY_NODE_USED))
		return 0;
	hot->nr[stock] = 0;
	return nr;
}

INLAY_INLINE void fast_fill_value(const struct fast *fast, struct inlay_hash_node *node,
				  const void *value)
{
	if (INLAY_LIKELY(fast->desc->value_size == 8))
		inlay_store(inlay_hash_node_key(node) + 1, ((const struct inlay_any64 *)value)->v);
	else
		inlay_copy_in(inlay_hash_node_key(node) + 1, value, fast->desc->value_size);
}

/* False: a child has it, or its parent. */
INLAY_INLINE bool fast_fill(const struct fast *fast, __u32 nr, __u64 link, __u64 first, __u32 hash,
			    const void *value)
{
	struct inlay_hash_node *node = fast_node(fast, nr);

	__atomic_thread_fence(__ATOMIC_RELEASE); /* as in node_fill() */
	if (INLAY_UNLIKELY(inlay_load(&__inlay_process_v1.owner) != fast->owner ||
			   !inlay_cas_own(&node->next, link, first)))
		return false;
	inlay_store(&node->hash, hash);
	inlay_store(inlay_hash_node_key(node), fast->key);
	fast_fill_value(fast, node, value);
	return true;
}

/* Whether takers are led to a node of the stock. */
INLAY_INLINE bool fast_is_shown(const struct fast *fast, __u32 nr, enum inlay_hash_stock stock)
{
	__u32 max = fast->desc->max_entries, nr_words = inlay_hash_hint_words(max);
	__u32 bit = nr - 1, word = bit / 64;
	__u64 *words = (__u64 *)fast_node(fast, inlay_hash_nr_nodes(fast->desc) + 1);
	bool is_main = stock == INLAY_HASH_MAIN;
	__u64 nodes, sums;

	if (!is_main)
		words += nr_words + (nr_words + 63) / 64;
	/* looked at after the mark: see map_nodes.c */
	nodes = __atomic_load_n(&words[word], __ATOMIC_SEQ_CST);
	sums = __atomic_load_n(&words[nr_words + word / 64], __ATOMIC_SEQ_CST);
	return (nodes >> bit % 64 & 1) != ((nr <= max) == is_main) &&
	       (sums >> word % 64 & 1) != (is_main ? word < (max + 63) / 64 : word >= max / 64);
}

/* Takes a node off that we have marked, and gives it back. 0, always. */
INLAY_INLINE __s64 fast_retire(const struct fast *fast, const struct fast_place *at,
			       __u32 successor, enum inlay_hash_stock stock)
{
	struct inlay_hash_hot *hot = fast_hot(fast);
	__u64 life = inlay_load(&at->node->life);

	/* release: the node is off its list; pairs with who claims it */
	if (INLAY_UNLIKELY(!inlay_cas(at->prev, at->link, inlay_link(at->link, successor)) ||
			   !fast_is_shown(fast, at->nr, stock) || !inlay_is_used(life, at->gen) ||
			   !inlay_cas_own(&at->node->life, life,
					  (__u64)at->gen << 32 | fast_moved(fast, at->nr, stock) |
						  INLAY_NODE_FREE)))
		return __inlay_hash_retire(fast->desc, fast->key, at->nr, at->gen, stock);
	if (INLAY_UNLIKELY(hot->desc != fast->desc)) {
		hot->desc = fast->desc;
		hot->nr[!stock] = 0;
	}
	hot->nr[stock] = at->nr;
	return 0;
}

/* Leaves a node in its list that we have let doze. 0, always. */
INLAY_INLINE __s64 fast_doze(const struct fast *fast, const struct fast_place *at)
{
	struct inlay_hash_hot *hot = fast_hot(fast);

	if (INLAY_UNLIKELY(!fast_is_shown(fast, at->nr, INLAY_HASH_MAIN)))
		return __inlay_hash_doze(fast->desc, at->nr);
	if (INLAY_UNLIKELY(hot->desc != fast->desc)) {
		hot->desc = fast->desc;
		hot->nr[INLAY_HASH_SPARE] = 0;
	}
	hot->nr[INLAY_HASH_MAIN] = at->nr;
	hot->prev_off = (__u64)((char *)at->prev - (char *)fast->header);
	hot->link = at->link;
	return 0;
}

/* Makes a dozing node live again. */
INLAY_INLINE __s64 fast_wake(const struct fast *fast, const struct fast_place *at, __u64 flags,
			     const void *value)
{
	__u64 waking = inlay_link_marked(at->next, fast->owner, INLAY_HASH_MAIN, at->gen) |
		       INLAY_LINK_WAKING;

	if (INLAY_UNLIKELY(!inlay_cas(&at->node->next, at->next, waking)))
		return __inlay_hash_update_slow(fast->desc, fast->key, value, flags, 0);
	/* a child that comes back here finds what its parent wakes like anybody else */
	if (INLAY_UNLIKELY(inlay_load(&__inlay_process_v1.owner) != fast->owner))
		return __inlay_hash_update_slow(fast->desc, fast->key, value, flags, 0);
	/* who reads this value also reads that the link has changed; pairs with readers' fences */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	fast_fill_value(fast, at->node, value);
	if (INLAY_UNLIKELY(!inlay_cas(&at->node->next, waking,
				      inlay_link(at->next, at->next) & ~INLAY_LINK_DOZING)))
		return __inlay_hash_update_unwoken(fast->desc, fast->key, value, flags, at->nr,
						   fast->owner);
	return 0;
}

/* A function of its own, so that an insert has less to keep in registers. */
static INLAY_NOINLINE __s64 fast_replace(const struct inlay_map_desc *desc, __u64 key,
					 __u64 hash_and_flags, __u64 *bucket, char *nodes,
					 const void *value)
{
	struct fast_place at;
	struct fast fast;
	__u32 nr = 0, gen;
	__u64 link;

	if (fast_init(&fast, desc, key, bucket, nodes) && fast_find(&fast, &at) == FAST_PRESENT)
		nr = fast_take(&fast, INLAY_HASH_SPARE, &gen, &link);
	if (INLAY_LIKELY(nr && fast_fill(&fast, nr, link, inlay_link_first(gen, at.next),
					 (__u32)hash_and_flags, value))) {
		if (INLAY_LIKELY(inlay_cas(&at.node->next, at.next,
					   inlay_link_marked(nr, fast.owner, INLAY_HASH_SPARE,
							     at.gen))))
			return fast_retire(&fast, &at, nr, INLAY_HASH_SPARE);
	}
	return __inlay_hash_update_slow(desc, key, value, hash_and_flags >> 32, nr);
}

INLAY_INLINE __s64 fast_update(const struct inlay_map_desc *desc, __u64 key, __u64 hash_and_flags,
			       __u64 *bucket, char *nodes, const void *value)
{
	struct fast_place at;
	struct fast fast;
	__u32 nr = 0, gen;
	__u64 link;

	if (INLAY_UNLIKELY(!fast_init(&fast, desc, key, bucket, nodes)))
		return __inlay_hash_update_slow(desc, key, value, hash_and_flags >> 32, 0);
	switch (fast_find(&fast, &at)) {
	case FAST_DOZING:
		if (INLAY_UNLIKELY(hash_and_flags >> 32 == INLAY_BPF_EXIST))
			return -INLAY_ENOENT;
		return fast_wake(&fast, &at, hash_and_flags >> 32, value);
	case FAST_ABSENT:
		if (INLAY_UNLIKELY(hash_and_flags >> 32 == INLAY_BPF_EXIST))
			return -INLAY_ENOENT;
		nr = fast_take(&fast, INLAY_HASH_MAIN, &gen, &link);
		if (INLAY_UNLIKELY(!nr || !fast_fill(&fast, nr, link, inlay_link_first(gen, 0),
						     (__u32)hash_and_flags, value)))
			break;
		if (INLAY_LIKELY(inlay_cas(at.prev, at.link, inlay_link(at.link, nr))))
			return 0;
		break;
	case FAST_PRESENT:
		if (hash_and_flags >> 32 == INLAY_BPF_NOEXIST)
			return -INLAY_EEXIST;
		return fast_replace(desc, key, hash_and_flags, bucket, nodes, value);
	case FAST_UNSURE:
		break;
	}
	return __inlay_hash_update_slow(desc, key, value, hash_and_flags >> 32, nr);
}

INLAY_INLINE __s64 fast_delete(const struct fast *fast)
{
	struct fast_place at;

	switch (fast_find(fast, &at)) {
	case FAST_ABSENT:
	case FAST_DOZING:
		return -INLAY_ENOENT;
	case FAST_PRESENT:
		if (INLAY_LIKELY(inlay_cas(&at.node->next, at.next,
					   inlay_link(at.next, at.next) | INLAY_LINK_DOZING)))
			return fast_doze(fast, &at);
		break;
	case FAST_UNSURE:
		break;
	}
	return __inlay_hash_delete_slow(fast->desc, fast->key);
}

#endif /* INLAY_RT_MAP_FAST_H */
