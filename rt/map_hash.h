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

/* A map operation in progress: what it is about, and where things are, worked out once. */
struct inlay_hash_op {
	const struct inlay_map_desc *desc;
	char *region;
	char *nodes;		/* node number 1 */
	const __u64 *key;	/* whole words, with zeros behind its end */
	__u32 key_words;
	__u32 nr_nodes;
	__u32 node_bytes;
	__u32 hash;
	__u32 seek;	/* not 0: look for this node instead of the key */
	__u32 budget;	/* steps left; shared memory may be made to send a walk in circles */
	__u32 owner;	/* this process; 0: it has no name */
	__u64 taken;	/* the link in the node that was taken last, as it was then */
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
enum inlay_hash_stock {
	INLAY_HASH_MAIN,	/* counts against max_entries */
	INLAY_HASH_SPARE,
};

/* nr - 1 < op->nr_nodes */
static inline struct inlay_hash_node *inlay_hash_op_node(const struct inlay_hash_op *op, __u32 nr)
{
	return (struct inlay_hash_node *)(op->nodes + (__u64)(nr - 1) * op->node_bytes);
}

static inline struct inlay_hash_header *inlay_hash_header(const struct inlay_hash_op *op)
{
	return (struct inlay_hash_header *)op->region;
}

static inline bool inlay_cas(__u64 *p, __u64 old, __u64 new)
{
	/*
	 * Release: what the new link leads to is complete; acquire: so is what the old one led to.
	 * Sequentially consistent for marks: see map_nodes.c.
	 */
	return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/*
 * The same for a word that is ours. Nobody else changes it but the child of a signal handler that came in
 * between and forked, or its parent: both go on with what was in the hands of one, and who comes second
 * finds another word. No handler comes between the parts of one instruction, so that it need not be locked.
 */
static inline bool inlay_cas_own(__u64 *p, __u64 old, __u64 new)
{
#if defined(__x86_64__) && !__has_feature(thread_sanitizer)
	bool is_done;

	__asm__ volatile("cmpxchgq %3, %1"
			 : "=@ccz"(is_done), "+m"(*p), "+a"(old)
			 : "r"(new)
			 : "memory");
	return is_done;
#else
	return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
#endif
}

/* The link word that replaces `link`: another node, the next tag, no mark; dozing if it was. */
static inline __u64 inlay_link(__u64 link, __u64 nr)
{
	__u64 tag = ((link >> INLAY_LINK_TAG_SHIFT) + 1) << INLAY_LINK_TAG_SHIFT;

	return (link & INLAY_LINK_DOZING) | (tag & ~INLAY_LINK_DOZING) | (nr & INLAY_LINK_NODE);
}

/*
 * The first word of a node's life in a list, far from those of its last lives: whoever still waits
 * to change one of those fails.
 */
static inline __u64 inlay_link_first(__u32 gen, __u64 nr)
{
	__u64 tag = (__u64)(gen * 0x9e3779b1u) << INLAY_LINK_TAG_SHIFT;

	return (tag & ~INLAY_LINK_DOZING) | (nr & INLAY_LINK_NODE);
}

/* Whether it is such a word, and nobody has changed it since. */
static inline bool inlay_link_is_first(__u64 link, __u32 gen)
{
	return link == inlay_link_first(gen, link & INLAY_LINK_NODE);
}

/* The marked word that replaces a link to nr in a node's generation: whoever writes it has the node. */
static inline __u64 inlay_link_marked(__u64 nr, __u32 owner, enum inlay_hash_stock stock, __u32 gen)
{
	return (__u64)(gen & 1) << INLAY_LINK_GEN_SHIFT |
	       (stock == INLAY_HASH_SPARE ? INLAY_LINK_SPARE : 0) |
	       (__u64)owner << INLAY_LINK_TAG_SHIFT | INLAY_LINK_MARK | (nr & INLAY_LINK_NODE);
}

/*
 * Whether a node is deleted and not free yet. A mark of the life before may be there for as long as
 * a node is in somebody's hands; an older one cannot.
 */
static inline bool inlay_is_deleted(__u64 link, __u64 life)
{
	return (link & INLAY_LINK_MARK) && INLAY_LIFE_STATE(life) == INLAY_NODE_USED &&
	       (link >> INLAY_LINK_GEN_SHIFT & 1) == (INLAY_LIFE_GEN(life) & 1);
}

/* Whether the node holding the link is free, but still in its list. Those are main nodes. */
static inline bool inlay_is_dozing(__u64 link)
{
	return (link & (INLAY_LINK_MARK | INLAY_LINK_DOZING)) == INLAY_LINK_DOZING;
}

static inline enum inlay_hash_stock inlay_link_stock(__u64 link)
{
	return link & INLAY_LINK_SPARE ? INLAY_HASH_SPARE : INLAY_HASH_MAIN;
}

/* Whether a node is in use in that generation, by whoever. */
static inline bool inlay_is_used(__u64 life, __u32 gen)
{
	return INLAY_LIFE_STATE(life) == INLAY_NODE_USED && INLAY_LIFE_GEN(life) == gen;
}

/* The stock that a node's number says it belongs to. */
static inline enum inlay_hash_stock inlay_hash_home(const struct inlay_hash_op *op, __u32 nr)
{
	return nr <= op->desc->max_entries ? INLAY_HASH_MAIN : INLAY_HASH_SPARE;
}

/* The life word of a node of a stock. */
static inline __u64 inlay_life(const struct inlay_hash_op *op, __u32 nr,
			       enum inlay_hash_stock stock, __u32 state, __u32 owner, __u32 gen)
{
	return state | (stock != inlay_hash_home(op, nr) ? INLAY_LIFE_MOVED : 0) |
	       owner << INLAY_LIFE_OWNER_SHIFT | (__u64)gen << 32;
}

static inline enum inlay_hash_stock inlay_life_stock(const struct inlay_hash_op *op, __u32 nr,
						     __u64 life)
{
	bool is_main = inlay_hash_home(op, nr) == INLAY_HASH_MAIN;

	return is_main == !(life & INLAY_LIFE_MOVED) ? INLAY_HASH_MAIN : INLAY_HASH_SPARE;
}

/*
 * How many main nodes there are pages for; all but in a huge map that grows (rt/huge.c). The spares
 * are always there.
 */
static inline __u32 inlay_hash_backed(const struct inlay_hash_op *op)
{
	const struct inlay_map_desc *desc = op->desc;
	__u64 off, reserved, nr;

	if (!(desc->flags & INLAY_MAP_HUGE))
		return desc->max_entries;
	/* pairs with who reserves pages: they are there */
	reserved = inlay_load_acquire(&inlay_hash_header(op)->reserved);
	if (!reserved)
		return desc->max_entries;
	off = inlay_hash_nodes_off(desc->max_entries);
	if (reserved < off)
		return 0;
	nr = (reserved - off) / op->node_bytes;
	return nr < desc->max_entries ? (__u32)nr : desc->max_entries;
}

/*
 * Walks the chain of op->hash to the key, or to node op->seek, and takes marked nodes off on the
 * way. ABSENT: at->prev is the end of the chain. UNSURE: the budget is spent.
 */
enum inlay_hash_found __inlay_hash_find(struct inlay_hash_op *op, struct inlay_hash_place *at);

/* A map whose values are in its nodes or in shards, whatever its type is. */
void *__inlay_hash_lookup(const struct inlay_map_desc *desc, const void *key);
__s64 __inlay_hash_update(const struct inlay_map_desc *desc, const void *key, const void *value,
			  __u64 flags);
__s64 __inlay_hash_delete(const struct inlay_map_desc *desc, const void *key);

/*
 * The nodes that this thread gave back last, of some maps: likely to be free, and in its processor's
 * cache. As good as a hint (abi.h), but nobody else writes it. A descriptor whose library is gone
 * may come back as another map's; then this is a wrong hint.
 */
struct inlay_hash_hot {
	const struct inlay_map_desc *desc;
	__u32 nr[2];	/* by stock */
	/* where a dozing main node is: it is still there if the word at prev_off is still `link` */
	__u64 prev_off;
	__u64 link;
};
enum { INLAY_HASH_HOT_MAPS = 4 };
extern __thread struct inlay_hash_hot __inlay_hash_hot[INLAY_HASH_HOT_MAPS]
	__attribute__((visibility("hidden")));

/* A node of the stock that is ours alone, in a new generation; 0: none. */
__u32 __inlay_hash_take(struct inlay_hash_op *op, enum inlay_hash_stock stock);
/* LRU maps: such a node of the main stock, whose key has not been used for long and is deleted. */
__u32 __inlay_lru_evict(struct inlay_hash_op *op);
/* Gives back a node that is in our hands. */
void __inlay_hash_give(struct inlay_hash_op *op, __u32 nr, enum inlay_hash_stock stock);
/* The same where its link is that of a node in nobody's list already. */
void __inlay_hash_give_clean(struct inlay_hash_op *op, __u32 nr, enum inlay_hash_stock stock,
			     __u32 gen);
/* Gives back a node of generation gen that we have deleted, and that is in no list any more. */
void __inlay_hash_give_deleted(struct inlay_hash_op *op, __u32 nr, enum inlay_hash_stock stock,
			       __u32 gen);
/* Deletes a node where a walk has found it, and keeps it; false: somebody else changed it. */
bool __inlay_hash_evict(struct inlay_hash_op *op, const struct inlay_hash_place *at);
/* Makes sure that takers are led to a free node; true if they were not. */
bool __inlay_hash_show(struct inlay_hash_op *op, __u32 nr, enum inlay_hash_stock stock);
/* Frees the nodes of dead processes; true if there may be free nodes now that nobody saw before. */
bool __inlay_hash_scavenge(struct inlay_hash_op *op);

#endif /* INLAY_RT_MAP_HASH_H */
