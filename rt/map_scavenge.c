/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes of a hash map that died with their process, brought back.
 *
 * A process that is killed holds at most the nodes that its threads had in their hands: taken and
 * not linked yet, linked and not yet marked live, or marked and not yet given back. Each names its
 * owner (abi.h), so that whoever runs short of nodes can finish the work once that process is gone.
 *
 * It only ever starts from an empty free stack, and gives up when the stack changes: what was not
 * on the stack before and after a claim cannot have been on it at the claim, so that a node is
 * never handed out twice.
 */
#include "rt/map_hash.h"

/*
 * A search asks about each row at most once: the answer costs a system call. Bits, so that clearing
 * them does not become a call of memset(), which may be probed.
 */
struct alive_cache {
	__u64 known[INLAY_SEGMENT_MAX_PROCS / 64];
	__u64 alive[INLAY_SEGMENT_MAX_PROCS / 64];
};

static bool owner_is_dead(struct alive_cache *cache, __u32 owner)
{
	__u32 row = owner - 1, word = row / 64;
	__u64 bit = 1ull << row % 64;

	if (row >= INLAY_SEGMENT_MAX_PROCS)
		return false; /* unknown: never reclaimed */
	if (!(cache->known[word] & bit)) {
		cache->known[word] |= bit;
		if (__inlay_proc_is_alive(row))
			cache->alive[word] |= bit;
	}
	return !(cache->alive[word] & bit);
}

/* A walk to node nr, or to the end, which takes marked nodes off. */
static enum inlay_hash_found seek(const struct inlay_hash_op *op, __u32 nr, __u32 hash)
{
	struct inlay_hash_op walk = *op;
	struct inlay_hash_place ignored;

	walk.hash = hash;
	walk.seek = nr;
	return __inlay_hash_find(&walk, &ignored);
}

/* A node that its owner had marked. True: it is off the list and ours; *ret_link: what it held. */
static bool reclaim_marked(struct inlay_hash_op *op, __u32 nr, struct inlay_hash_node *node,
			   __u64 link, __u64 *ret_link)
{
	__u64 ours = (link & ~(0x1ffull << INLAY_LINK_TAG_SHIFT)) |
		     (__u64)op->owner << INLAY_LINK_TAG_SHIFT;

	/* the mark names who frees the node; one scavenger gets it */
	if (!op->owner || !inlay_cas(&node->next, link, ours))
		return false;
	if (seek(op, nr, inlay_load(&node->hash)) != INLAY_HASH_ABSENT)
		return false; /* budget spent: ours until we die */
	/* the tag's high bits are lost: the node's age stands in for them */
	*ret_link = (link >> INLAY_LINK_MARKED_TAG_SHIFT |
		     (__u64)inlay_load(&node->gen) * 0x9e3779b1u << 22) << INLAY_LINK_TAG_SHIFT;
	return true;
}

/* A node that its owner had taken. True: it is in no list and ours; else it was linked. */
static bool reclaim_taken(struct inlay_hash_op *op, __u32 nr, struct inlay_hash_node *node,
			  __u32 state, const __u64 *stack, __u64 empty, __u64 *ret_link)
{
	__u32 ours = INLAY_NODE_TAKEN | INLAY_NODE_OWNED | (state & INLAY_NODE_SPARE) |
		     op->owner << 8 | inlay_load(&node->gen) << INLAY_NODE_TURN_SHIFT;

	if (!inlay_cas32(&node->state, state, ours))
		return false;
	if (inlay_load_acquire(stack) != empty) { /* pairs with __inlay_hash_give() */
		inlay_cas32(&node->state, ours, state);
		return false;
	}
	switch (seek(op, nr, inlay_load(&node->hash))) {
	case INLAY_HASH_PRESENT:
		inlay_cas32(&node->state, ours, INLAY_NODE_LIVE);
		return false;
	case INLAY_HASH_UNSURE:
		inlay_cas32(&node->state, ours, state);
		return false;
	case INLAY_HASH_ABSENT:
		break;
	}
	/*
	 * It may have been linked and deleted meanwhile: then whoever marked it has it. Its link
	 * is unmarked only after its state has changed (__inlay_hash_give()), so the two are read in
	 * that order.
	 */
	*ret_link = inlay_load_acquire(&node->next);
	return !(*ret_link & INLAY_LINK_MARK) && inlay_load(&node->state) == ours;
}

bool __inlay_hash_scavenge(struct inlay_hash_op *op, enum inlay_hash_pool pool)
{
	struct inlay_hash_header *header = inlay_hash_header(op);
	__u64 *stack = pool == INLAY_HASH_SPARE ? &header->free_spare : &header->free_main;
	__u64 empty = inlay_load_acquire(stack); /* pairs with __inlay_hash_give() */
	struct alive_cache cache = { 0 };
	struct inlay_hash_op walk = *op;
	__u32 nr, nr_nodes = inlay_hash_nr_nodes(op->desc);

	if (empty & INLAY_LINK_NODE)
		return true;
	walk.budget = op->desc->max_entries < 1u << 16 ? op->desc->max_entries + 1024 : 1u << 16;
	for (nr = 1; nr - 1 < nr_nodes; nr++) {
		struct inlay_hash_node *node = inlay_hash_node(op->desc, op->region, nr);
		__u64 link = inlay_load_acquire(&node->next); /* pairs with inlay_cas() */
		__u32 state = inlay_load(&node->state);
		bool is_ours = false;

		if (link & INLAY_LINK_MARK) {
			if (!!(link & INLAY_LINK_SPARE) == (pool == INLAY_HASH_SPARE) &&
			    owner_is_dead(&cache, INLAY_LINK_OWNER(link)))
				is_ours = reclaim_marked(&walk, nr, node, link, &link);
		} else if (INLAY_NODE_STATE(state) == INLAY_NODE_TAKEN &&
			   !!(state & INLAY_NODE_SPARE) == (pool == INLAY_HASH_SPARE) &&
			   owner_is_dead(&cache, INLAY_NODE_OWNER(state))) {
			is_ours = reclaim_taken(&walk, nr, node, state, stack, empty, &link);
		}
		if (is_ours) {
			__inlay_hash_give(&walk, nr, link, pool);
			return true;
		}
		if (inlay_load(stack) != empty)
			return true;
	}
	return false;
}
