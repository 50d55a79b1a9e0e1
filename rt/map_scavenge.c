/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes of a hash map that died with their process, brought back.
 *
 * A process that is killed holds at most the nodes that its threads had in their hands: taken and
 * not linked, or marked and not given back. Each names its owner (abi.h), so that whoever runs
 * short of nodes can finish the work once that process is gone. A node changes from the dead to us
 * by one compare-exchange of the very word that names the dead, and such a word never comes back.
 * So scavengers may meet each other, be interrupted, and be killed themselves.
 */
#include "rt/map_chain.h"

/*
 * What a search was told about the process that it last asked for in each row: the answer may cost
 * system calls. It holds for that process only; the row may have another one by now. Bits and no
 * initialiser, so that clearing does not become a call of memset(), which may be probed.
 */
struct death_cache {
	__u64 is_known[INLAY_SEGMENT_MAX_PROCS / 64];
	__u64 is_alive[INLAY_SEGMENT_MAX_PROCS / 64];
	__u32 owner[INLAY_SEGMENT_MAX_PROCS];	/* of known rows */
};

static bool is_dead(struct death_cache *cache, __u32 owner)
{
	__u32 row = (owner & INLAY_OWNER_ROW_MASK) - 1, word = row / 64;
	__u64 bit = 1ull << row % 64;

	if (row >= INLAY_SEGMENT_MAX_PROCS)
		return false; /* without a name: never reclaimed */
	if (!(cache->is_known[word] & bit) || cache->owner[row] != owner) {
		cache->is_known[word] |= bit;
		cache->is_alive[word] &= ~bit;
		if (__inlay_owner_is_alive(owner))
			cache->is_alive[word] |= bit;
		cache->owner[row] = owner;
	}
	return !(cache->is_alive[word] & bit);
}

/*
 * A walk to node nr, or to the end, which takes marked nodes off. All walks of a search share its
 * budget, or a hostile segment could make it take as many steps as the square of its nodes.
 */
static enum inlay_hash_found seek(struct inlay_hash_op *op, __u32 nr, __u32 hash)
{
	struct inlay_hash_place ignored;

	op->hash = hash;
	op->seek = nr;
	return __inlay_hash_find(op, &ignored);
}

/* A node that its owner, who is dead, had marked when it had this life. */
static bool reclaim_marked(struct inlay_hash_op *op, __u32 nr, struct inlay_hash_node *node,
			   __u64 link, __u64 life)
{
	enum inlay_hash_stock stock = inlay_link_stock(link);
	__u32 gen = INLAY_LIFE_GEN(life);

	/* the dead does not free it any more: if it is not free now, nobody has it but a scavenger */
	if (!inlay_is_deleted(link, inlay_load_acquire(&node->life)))
		return false;

	/* nobody wakes it any more */
	if (link & INLAY_LINK_WAKING)
		inlay_cas(&node->next, link, link & ~INLAY_LINK_WAKING);
	link &= ~INLAY_LINK_WAKING;
	/* off the list first, so that a spent budget leaves the node to the next search */
	if (seek(op, nr, inlay_load(&node->hash)) != INLAY_HASH_ABSENT)
		return false;
	/* as the mark names who frees the node, one scavenger gets it */
	if (!inlay_cas(&node->next, link, inlay_link_marked(link, op->owner, stock, gen)))
		return false;
	__inlay_hash_give_deleted(op, nr, stock, gen);
	return true;
}

/*
 * A node that its owner, who is dead, had taken. It cannot be linked any more. If it is in no list
 * although it is not deleted then, it never was in one in this life, or it is free by now.
 */
static bool reclaim_taken(struct inlay_hash_op *op, __u32 nr, struct inlay_hash_node *node,
			  __u64 life)
{
	enum inlay_hash_stock stock = inlay_life_stock(op, nr, life);
	__u32 gen = INLAY_LIFE_GEN(life);

	switch (seek(op, nr, inlay_load(&node->hash))) {
	case INLAY_HASH_PRESENT:
	case INLAY_HASH_DOZING:
		/* without an owner nobody has to look for it again */
		inlay_cas(&node->life, life,
			  inlay_life(op, nr, stock, INLAY_NODE_USED, 0, gen));
		return false;
	case INLAY_HASH_UNSURE:
		return false;
	case INLAY_HASH_ABSENT:
		break;
	}
	/* acquire: pairs with inlay_cas() of who deleted it */
	if (inlay_is_deleted(inlay_load_acquire(&node->next), life) ||
	    !inlay_cas(&node->life, life,
		       inlay_life(op, nr, stock, INLAY_NODE_USED, op->owner, gen)))
		return false;
	__inlay_hash_give(op, nr, stock);
	return true;
}

/* The next node after nr that there is; 0 behind the last. Those between have no pages. */
static __u32 node_after(const struct inlay_hash_op *op, __u32 backed, __u32 nr)
{
	nr++;
	if (nr == backed + 1 && nr <= op->desc->max_entries)
		nr = op->desc->max_entries + 1;
	return nr - 1 < op->nr_nodes ? nr : 0;
}

/* ---- Queues and stacks ------------------------------------------------------------------- */

/* Whether the owner was dead when the nodes were looked at for the first time. */
static bool was_dead(const struct death_cache *cache, __u32 owner)
{
	__u32 row = (owner & INLAY_OWNER_ROW_MASK) - 1, word = row / 64;
	__u64 bit = 1ull << row % 64;

	return row < INLAY_SEGMENT_MAX_PROCS && (cache->is_known[word] & bit) &&
	       !(cache->is_alive[word] & bit) && cache->owner[row] == owner;
}

/* A node in the chain needs no owner; without one nobody takes it for a lost one. */
static void forget_owner(struct inlay_hash_op *op, const struct inlay_hash_place *at, void *arg)
{
	__u64 life = inlay_load(&at->node->life);
	__u32 gen = INLAY_LIFE_GEN(life);

	if (INLAY_LIFE_STATE(life) == INLAY_NODE_USED && gen == at->gen &&
	    was_dead(arg, INLAY_LIFE_OWNER(life)))
		inlay_cas(&at->node->life, life,
			  inlay_life(op, at->nr, inlay_life_stock(op, at->nr, life),
				     INLAY_NODE_USED, 0, gen));
}

/*
 * A chain is as long as the map has elements: it is walked once and not once a node. First all who
 * have nodes are asked for; the walk then takes the owners' names from what is in the chain, and
 * takes off what the dead had marked; whatever is still in the name of one who was dead before
 * that, is in no chain.
 */
static bool chain_scavenge(struct inlay_hash_op *op, struct death_cache *cache, __u32 backed)
{
	const struct inlay_chain_walk walk = {
		.stop = INLAY_CHAIN_END,
		.pass = forget_owner,
		.arg = cache,
	};
	struct inlay_hash_place end;
	bool is_any = false;
	__u32 nr;

	for (nr = node_after(op, backed, 0); nr; nr = node_after(op, backed, nr)) {
		struct inlay_hash_node *node = inlay_hash_op_node(op, nr);
		__u64 life = inlay_load_acquire(&node->life);
		__u64 link = inlay_load_acquire(&node->next);

		if (INLAY_LIFE_STATE(life) == INLAY_NODE_FREE)
			is_any |= __inlay_hash_show(op, nr, inlay_life_stock(op, nr, life));
		else
			is_dead(cache, inlay_is_deleted(link, life) ? INLAY_LINK_OWNER(link) :
								      INLAY_LIFE_OWNER(life));
	}
	if (!op->owner || __inlay_chain_walk(op, &end, &walk) != INLAY_HASH_ABSENT)
		return is_any;
	for (nr = node_after(op, backed, 0); nr; nr = node_after(op, backed, nr)) {
		struct inlay_hash_node *node = inlay_hash_op_node(op, nr);
		__u64 life = inlay_load_acquire(&node->life);
		__u64 link = inlay_load_acquire(&node->next); /* pairs with inlay_cas() */
		__u32 gen = INLAY_LIFE_GEN(life);

		if (INLAY_LIFE_STATE(life) == INLAY_NODE_FREE)
			continue;
		if (inlay_is_deleted(link, life)) {
			/* the dead does not free it any more, see reclaim_marked() */
			if (was_dead(cache, INLAY_LINK_OWNER(link)) &&
			    inlay_is_deleted(link, inlay_load_acquire(&node->life)) &&
			    inlay_cas(&node->next, link,
				      inlay_link_marked(link, op->owner, INLAY_HASH_MAIN, gen))) {
				__inlay_hash_give_deleted(op, nr, INLAY_HASH_MAIN, gen);
				is_any = true;
			}
		} else if (was_dead(cache, INLAY_LIFE_OWNER(life)) &&
			   inlay_cas(&node->life, life,
				     inlay_life(op, nr, inlay_life_stock(op, nr, life),
						INLAY_NODE_USED, op->owner, gen))) {
			__inlay_hash_give(op, nr, inlay_life_stock(op, nr, life));
			is_any = true;
		}
	}
	return is_any;
}

/* ---- All ---------------------------------------------------------------------------------- */

bool __inlay_hash_scavenge(struct inlay_hash_op *op)
{
	struct death_cache cache;
	struct inlay_hash_op walk = *op;
	__u32 nr, nr_nodes = op->nr_nodes, backed = inlay_hash_backed(op);
	bool is_any = false;

	for (nr = 0; nr < INLAY_SEGMENT_MAX_PROCS / 64; nr++)
		cache.is_known[nr] = 0;
	/* chains are short: a walk takes less than two steps, unless others change the same chain */
	walk.budget = (nr_nodes < 1u << 29 ? 4 * nr_nodes : 1u << 31) + 1024;
	if (inlay_is_chain(op->desc))
		return chain_scavenge(&walk, &cache, backed);
	for (nr = 1; nr - 1 < nr_nodes && walk.budget; nr++) {
		struct inlay_hash_node *node;
		__u64 life, link;

		if (nr == backed + 1 && nr <= op->desc->max_entries)
			nr = op->desc->max_entries + 1; /* those between have no pages */
		node = inlay_hash_op_node(op, nr);
		life = inlay_load_acquire(&node->life);
		link = inlay_load_acquire(&node->next); /* pairs with inlay_cas() */
		if (INLAY_LIFE_STATE(life) == INLAY_NODE_FREE || inlay_is_dozing(link)) {
			/* killed in between: see map_nodes.c */
			if (__inlay_hash_show(op, nr, inlay_is_dozing(link) ? INLAY_HASH_MAIN :
								      inlay_life_stock(op, nr, life)))
				is_any = true;
			continue;
		}
		if (!op->owner)
			continue; /* nobody could do for us what we do for others */
		if (inlay_is_deleted(link, life)) {
			if (is_dead(&cache, INLAY_LINK_OWNER(link)))
				is_any |= reclaim_marked(&walk, nr, node, link, life);
		} else if (is_dead(&cache, INLAY_LIFE_OWNER(life))) {
			is_any |= reclaim_taken(&walk, nr, node, life);
		}
	}
	return is_any;
}
