/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of hash maps, shared by what changes them (map_hash.c), what hands out their nodes
 * (map_nodes.c) and what reclaims the nodes of the dead (map_scavenge.c).
 */
#ifndef INLAY_RT_MAP_HASH_H
#define INLAY_RT_MAP_HASH_H

#include <stdbool.h>

#include "rt/inline/map.h"
#include "rt/inlay_rt_internal.h"

/* A map operation in progress. */
struct inlay_hash_op {
	const struct inlay_map_desc *desc;
	char *region;
	const void *key;
	__u32 hash;
	__u32 seek;	/* not 0: look for this node instead of the key */
	__u32 budget;	/* steps left; shared memory may be made to send a walk in circles */
	__u32 owner;	/* procs row + 1 of this process; 0: unknown */
};

static inline bool inlay_hash_step(struct inlay_hash_op *op)
{
	if (!op->budget)
		return false;
	op->budget--;
	return true;
}

/* A place in a chain: `link` was read from *prev and leads to node nr, whose link is `next`. */
struct inlay_hash_place {
	__u64 *prev;
	__u64 link;
	__u64 next;
	struct inlay_hash_node *node;
	__u32 nr;
	__u32 gen;
};

/* The two stocks of nodes; a node moves between them, their sizes stay. */
enum inlay_hash_pool {
	INLAY_HASH_MAIN,	/* counts against max_entries */
	INLAY_HASH_SPARE,
};

static inline struct inlay_hash_header *inlay_hash_header(const struct inlay_hash_op *op)
{
	return (struct inlay_hash_header *)op->region;
}

static inline bool inlay_cas(__u64 *p, __u64 old, __u64 new)
{
	/* release: what the new link leads to is complete; acquire: so is what the old one led to */
	return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static inline bool inlay_cas32(__u32 *p, __u32 old, __u32 new)
{
	/* pairs with itself: who takes a state over sees what its last owner wrote before */
	return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* The link word that replaces `link`: another node, the next tag, no mark. */
static inline __u64 inlay_link(__u64 link, __u64 nr)
{
	return ((link >> INLAY_LINK_TAG_SHIFT) + 1) << INLAY_LINK_TAG_SHIFT | (nr & INLAY_LINK_NODE);
}

/* The marked word that replaces `link`: whoever writes it owns the node. */
static inline __u64 inlay_link_marked(__u64 link, __u64 nr, __u32 owner, enum inlay_hash_pool pool)
{
	return link >> INLAY_LINK_TAG_SHIFT << INLAY_LINK_MARKED_TAG_SHIFT |
	       (pool == INLAY_HASH_SPARE ? INLAY_LINK_SPARE : 0) | (__u64)(owner & 0x1ff) << 32 |
	       INLAY_LINK_MARK | (nr & INLAY_LINK_NODE);
}

static inline __u32 inlay_node_taken(__u32 owner, enum inlay_hash_pool pool, __u32 gen)
{
	return INLAY_NODE_TAKEN | (pool == INLAY_HASH_SPARE ? INLAY_NODE_SPARE : 0) | owner << 8 |
	       gen << INLAY_NODE_TURN_SHIFT;
}

/*
 * Walks the chain of op->hash to the key, or to node op->seek, and takes marked nodes off on the
 * way. ABSENT: at->prev is the end of the chain. UNSURE: the budget is spent.
 */
enum inlay_hash_found __inlay_hash_find(struct inlay_hash_op *op, struct inlay_hash_place *at);

/* A node of the pool that is ours alone, its generation already counted up; 0: none. */
__u32 __inlay_hash_take(struct inlay_hash_op *op, enum inlay_hash_pool pool);
/* Gives back a node that is ours and in no chain. `link` was the last unmarked one it held. */
void __inlay_hash_give(struct inlay_hash_op *op, __u32 nr, __u64 link, enum inlay_hash_pool pool);
/* Reclaims the pool's nodes of dead processes; true if the pool may have nodes now. */
bool __inlay_hash_scavenge(struct inlay_hash_op *op, enum inlay_hash_pool pool);

#endif /* INLAY_RT_MAP_HASH_H */
