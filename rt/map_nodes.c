/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stocks of a hash map's nodes: two free stacks and the nodes that were never used.
 *
 * A node that is taken must name its owner before it leaves its stack, or a process that is killed
 * in between would leak it for good. So a taker first writes its claim into the node on top, then
 * pops it, then makes the claim final (INLAY_NODE_OWNED). Claims on a node that somebody else pops
 * are harmless: only a final claim counts, and that is one compare-exchange which either the taker
 * wins or, if the claim named a dead process, a scavenger.
 */
#include "rt/map_hash.h"

static __u64 *pool_stack(struct inlay_hash_op *op, enum inlay_hash_pool pool)
{
	struct inlay_hash_header *header = inlay_hash_header(op);

	return pool == INLAY_HASH_SPARE ? &header->free_spare : &header->free_main;
}

/* Writes our claim into a node that is about to be taken. It may fail: see the top of the file. */
static void node_claim(struct inlay_hash_op *op, struct inlay_hash_node *node,
		       enum inlay_hash_pool pool)
{
	__u32 state = inlay_load(&node->state);

	if (INLAY_NODE_STATE(state) != INLAY_NODE_LIVE && !(state & INLAY_NODE_OWNED))
		inlay_cas32(&node->state, state, inlay_node_taken(op->owner, pool, 0));
}

/* Makes the claim on a node final that we have taken; false if a scavenger has it. */
static bool node_own(struct inlay_hash_op *op, struct inlay_hash_node *node,
		     enum inlay_hash_pool pool)
{
	__u32 gen = inlay_load(&node->gen) + 1;
	__u32 state = inlay_load(&node->state);

	while (!(state & INLAY_NODE_OWNED) && inlay_hash_step(op)) {
		__u32 owned = inlay_node_taken(op->owner, pool, gen) | INLAY_NODE_OWNED;

		/* pairs with the scavenger's and with claims of other takers */
		if (__atomic_compare_exchange_n(&node->state, &state, owned, 0, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED)) {
			inlay_store(&node->gen, gen);
			return true;
		}
	}
	return false;
}

static __u32 stack_pop(struct inlay_hash_op *op, enum inlay_hash_pool pool)
{
	__u64 *stack = pool_stack(op, pool);

	while (inlay_hash_step(op)) {
		__u64 top = inlay_load_acquire(stack); /* pairs with __inlay_hash_give() */
		__u32 nr = top & INLAY_LINK_NODE;
		struct inlay_hash_node *node;

		if (nr - 1 >= inlay_hash_nr_nodes(op->desc))
			return 0;
		node = inlay_hash_node(op->desc, op->region, nr);
		node_claim(op, node, pool);
		if (inlay_cas(stack, top, inlay_link(top, inlay_load(&node->next))) &&
		    node_own(op, node, pool))
			return nr;
	}
	return 0;
}

static __u32 fresh_take(struct inlay_hash_op *op, enum inlay_hash_pool pool)
{
	__u64 *fresh = &inlay_hash_header(op)->fresh;
	__u32 limit = pool == INLAY_HASH_SPARE ? INLAY_HASH_SPARES : op->desc->max_entries;
	__u32 first = pool == INLAY_HASH_SPARE ? op->desc->max_entries : 0;

	while (inlay_hash_step(op)) {
		__u64 old = inlay_load(fresh);
		__u32 used = pool == INLAY_HASH_SPARE ? old >> 32 : (__u32)old;
		struct inlay_hash_node *node;
		__u32 nr;

		if (used >= limit)
			return 0;
		nr = first + used + 1;
		node = inlay_hash_node(op->desc, op->region, nr);
		node_claim(op, node, pool);
		if (inlay_cas(fresh, old, old + (pool == INLAY_HASH_SPARE ? 1ull << 32 : 1)) &&
		    node_own(op, node, pool))
			return nr;
	}
	return 0;
}

__u32 __inlay_hash_take(struct inlay_hash_op *op, enum inlay_hash_pool pool)
{
	__u32 nr = stack_pop(op, pool);

	return nr ? nr : fresh_take(op, pool);
}

void __inlay_hash_give(struct inlay_hash_op *op, __u32 nr, __u64 link, enum inlay_hash_pool pool)
{
	struct inlay_hash_node *node = inlay_hash_node(op->desc, op->region, nr);
	__u64 *stack = pool_stack(op, pool);
	int tries;

	/* release: a scavenger that sees an unmarked link again also sees that the state moved on */
	inlay_store_release(&node->state, inlay_node_taken(op->owner, pool, 0));
	/* losing this often takes a hostile writer; the node is then reclaimed after our death */
	for (tries = 0; tries < 1 << 16; tries++) {
		__u64 top = inlay_load(stack);

		inlay_store_release(&node->next, inlay_link(link, top)); /* pairs with stack_pop() */
		if (inlay_cas(stack, top, inlay_link(top, nr)))
			return;
	}
}
