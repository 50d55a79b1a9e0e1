/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which key a full LRU map loses: a hand goes round the nodes (Corbato's clock), passes by those that were
 * looked up since it came by last, and takes that mark off them; the first one without it goes. So a
 * lookup writes one word, and only the first one a round. Who moves the hand looks at that node, and
 * nobody else does in that round: two that insert at the same time do not take two chances of one key.
 * The choice is not the kernel's, which keeps two lists, but has the same reason.
 *
 * A node is taken from its key as by a delete: it is marked with our name, taken off its list, and then,
 * instead of becoming free, goes from "deleted by us" to "in our hands" by one store. So a kill loses
 * nothing that a kill in a delete would not lose. A node that is in somebody's hands is in no list,
 * and is passed by. Those of the dead are looked for before a key goes (take() in rt/map_hash.c).
 */
#include "rt/map_hash.h"

enum {
	/* nodes in use that are passed by at most: if all are, the next one goes, used or not */
	USED_MAX = 256,
	LRU_BUDGET = 4096,	/* steps along chains; shared memory may be hostile */
	LOOK_MAX = 1 << 16,
};

/* The node that the hand comes to after nr. Main nodes of a huge map that have no pages are left out. */
static __u32 next_node(const struct inlay_hash_op *op, __u32 nr, __u32 backed)
{
	nr = nr < op->nr_nodes ? nr + 1 : 1;
	if (nr > backed && nr <= op->desc->max_entries)
		nr = op->desc->max_entries + 1;
	return nr;
}

/* Deletes the key of a node and keeps the node; false: it is in no list. */
static bool evict(struct inlay_hash_op *walk, __u32 nr)
{
	struct inlay_hash_place at;

	walk->hash = inlay_load(&inlay_hash_op_node(walk, nr)->hash);
	walk->seek = nr;
	/* once more where only its link to the next node has changed: it would stay by chance */
	while (__inlay_hash_find(walk, &at) == INLAY_HASH_PRESENT)
		if (__inlay_hash_evict(walk, &at))
			return true;
	return false;
}

__u32 __inlay_lru_evict(struct inlay_hash_op *op)
{
	__u64 *hand = &inlay_hash_header(op)->hand;
	__u32 backed = inlay_hash_backed(op), nr_used = 0, looks;
	struct inlay_hash_op walk = *op;

	walk.budget = LRU_BUDGET;
	for (looks = 0; looks < LOOK_MAX && looks < 3ull * op->nr_nodes && walk.budget; looks++) {
		__u64 place = inlay_load(hand);
		__u32 nr = next_node(op, (__u32)place, backed);
		__u32 rounds = (__u32)(place >> 32) + (nr == 1);
		struct inlay_hash_node *node;

		/* one at a time: what two look at would have been used for one of them only */
		if (!inlay_cas(hand, place, (__u64)rounds << 32 | nr))
			continue;
		node = inlay_hash_op_node(op, nr);
		if (INLAY_LIFE_STATE(inlay_load(&node->life)) != INLAY_NODE_USED)
			continue;
		if (nr_used < USED_MAX && inlay_load(&node->used)) {
			inlay_store(&node->used, 0u);
			nr_used++;
			continue;
		}
		if (evict(&walk, nr)) {
			op->taken = walk.taken;
			return nr;
		}
	}
	return 0;
}
