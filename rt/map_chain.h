/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues and stacks: their one chain, shared by what changes it (map_queue.c) and what brings back
 * the nodes of the dead (map_scavenge.c).
 */
#ifndef INLAY_RT_MAP_CHAIN_H
#define INLAY_RT_MAP_CHAIN_H

#include "rt/map_hash.h"

static inline bool inlay_is_chain(const struct inlay_map_desc *desc)
{
	return desc->type == INLAY_MAP_TYPE_QUEUE || desc->type == INLAY_MAP_TYPE_STACK;
}

enum inlay_chain_stop {
	INLAY_CHAIN_FIRST,	/* at the first node that is not marked */
	INLAY_CHAIN_BELOW,	/* at the first such node of a stack that is not above `depth` */
	INLAY_CHAIN_END,	/* behind the last */
};

struct inlay_chain_walk {
	enum inlay_chain_stop stop;
	bool is_from_last;	/* may begin where header->last leads; INLAY_CHAIN_END only */
	__u32 depth;
	/* called at each node that is not marked and that the walk goes past; or NULL */
	void (*pass)(struct inlay_hash_op *op, const struct inlay_hash_place *at, void *arg);
	void *arg;
};

/* As __inlay_hash_find(), in a chain; marked nodes are taken off on the way. */
enum inlay_hash_found __inlay_chain_walk(struct inlay_hash_op *op, struct inlay_hash_place *at,
					 const struct inlay_chain_walk *walk);

#endif /* INLAY_RT_MAP_CHAIN_H */
