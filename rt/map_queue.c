/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues and stacks: a hash map's nodes in one chain (abi.h), with its rules for who has a node. A
 * push appends to the chain of a queue and puts in front of that of a stack; a pop marks the first
 * node.
 *
 * So there is no slot that a killed process could leave half filled, nor a counter that it could
 * leave behind: an element is in the chain, whole, or it is in somebody's hands. Nobody waits.
 *
 * The mark is the moment of a pop: the node was the first that had none when the walk came by, and
 * in a stack only newer ones can have come before it since, as if they had been pushed after the
 * pop.
 */
#include "rt/inlay_rt.h"
#include "rt/map_bloom.h"
#include "rt/map_chain.h"

enum { WALK_BUDGET_MAX = 1 << 16, RETRY_BUDGET = 1024 };

/* Steps for a walk past all elements. */
static void refill(struct inlay_hash_op *op)
{
	op->budget = (op->nr_nodes < WALK_BUDGET_MAX ? op->nr_nodes : WALK_BUDGET_MAX) +
		     RETRY_BUDGET;
}

static bool op_init(struct inlay_hash_op *op, const struct inlay_map_desc *desc)
{
	op->desc = desc;
	op->region = inlay_map_region(desc);
	if (!op->region)
		return false;
	op->key = 0;
	op->key_words = 0;
	op->hash = 0;
	op->seek = 0;
	op->nodes = op->region + sizeof(struct inlay_hash_header) +
		    8ull * (inlay_hash_mask(desc) + 1ull);
	op->node_bytes = inlay_hash_node_bytes(0, desc->value_size, 0);
	op->nr_nodes = inlay_hash_nr_nodes(desc);
	refill(op);
	op->owner = __inlay_owner() & INLAY_OWNER_MASK;
	return true;
}

static bool is_stack(const struct inlay_hash_op *op)
{
	return op->desc->type == INLAY_MAP_TYPE_STACK;
}

static void *node_value(struct inlay_hash_node *node)
{
	return node + 1;
}

/* ---- The chain -------------------------------------------------------------------------- */

static void start_at_bucket(struct inlay_hash_op *op, struct inlay_hash_place *at)
{
	at->prev = inlay_hash_bucket(op->desc, op->region, 0);
	at->link = inlay_load_acquire(at->prev); /* pairs with inlay_cas() of who linked */
}

/*
 * Begins behind the node that was the last one lately. That it was linked in that generation is
 * known, as nobody writes the hint before; that it has not been taken off since follows from its
 * link, which has no mark, and its generation: a mark stays until the node's next life.
 */
static bool start_at_last(struct inlay_hash_op *op, struct inlay_hash_place *at)
{
	__u64 last = inlay_load_acquire(&inlay_hash_header(op)->last); /* pairs with last_set() */
	__u32 nr = INLAY_QUEUE_LAST_NODE(last);
	struct inlay_hash_node *node;
	__u64 life;

	if (nr - 1 >= op->nr_nodes)
		return false;
	node = inlay_hash_op_node(op, nr);
	at->prev = &node->next;
	at->link = inlay_load_acquire(at->prev); /* pairs with claim() and inlay_cas() */
	life = inlay_load(&node->life);
	return !(at->link & INLAY_LINK_MARK) && INLAY_LIFE_STATE(life) == INLAY_NODE_USED &&
	       INLAY_LIFE_GEN(life) == INLAY_QUEUE_LAST_GEN(last);
}

static bool is_stop(const struct inlay_chain_walk *walk, struct inlay_hash_node *node)
{
	switch (walk->stop) {
	case INLAY_CHAIN_FIRST:
		return true;
	case INLAY_CHAIN_BELOW:
		return (__s32)(inlay_load(&node->depth) - walk->depth) <= 0;
	case INLAY_CHAIN_END:
		break;
	}
	return false;
}

enum inlay_hash_found __inlay_chain_walk(struct inlay_hash_op *op, struct inlay_hash_place *at,
					 const struct inlay_chain_walk *walk)
{
	bool is_from_last = walk->is_from_last;

restart:
	if (!is_from_last || !start_at_last(op, at))
		start_at_bucket(op, at);
	/* if that did not work out, the hint may be at fault */
	is_from_last = false;
	while (inlay_hash_step(op)) {
		bool is_match;

		if (at->link & INLAY_LINK_MARK)
			goto restart;
		at->nr = at->link & INLAY_LINK_NODE;
		if (!at->nr)
			return INLAY_HASH_ABSENT;
		if (at->nr - 1 >= op->nr_nodes)
			return INLAY_HASH_UNSURE;
		at->node = inlay_hash_op_node(op, at->nr);
		is_match = is_stop(walk, at->node);
		at->gen = INLAY_LIFE_GEN(inlay_load(&at->node->life));
		at->next = inlay_load_acquire(&at->node->next); /* pairs with inlay_cas() */
		/* what was read belongs together only if the link to it has not changed since */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (inlay_load(at->prev) != at->link)
			goto restart;
		if (at->next & INLAY_LINK_MARK) {
			__u64 link = inlay_link(at->link, at->next);

			if (!inlay_cas(at->prev, at->link, link))
				goto restart;
			at->link = link;
			continue;
		}
		if (is_match)
			return INLAY_HASH_PRESENT;
		if (walk->pass)
			walk->pass(op, at, walk->arg);
		at->prev = &at->node->next;
		at->link = at->next;
	}
	return INLAY_HASH_UNSURE;
}

static enum inlay_hash_found find_first(struct inlay_hash_op *op, struct inlay_hash_place *at)
{
	const struct inlay_chain_walk walk = { .stop = INLAY_CHAIN_FIRST };

	return __inlay_chain_walk(op, at, &walk);
}

/*
 * Takes a node off that we have marked. false: not sure that it is off. Where its place is not what
 * it was, a walk to its neighbour has passed it: in a queue nothing comes before it that is not
 * marked, in a stack only nodes that are above it.
 */
static bool unlink_marked(struct inlay_hash_op *op, const struct inlay_hash_place *at)
{
	const struct inlay_chain_walk walk = {
		.stop = is_stack(op) ? INLAY_CHAIN_BELOW : INLAY_CHAIN_FIRST,
		.depth = inlay_load(&at->node->depth),
	};
	struct inlay_hash_place ignored;

	if (inlay_cas(at->prev, at->link, inlay_link(at->link, at->next)))
		return true;
	/* a stack's oldest is behind all others; what is given up here is nobody's while we live */
	refill(op);
	return __inlay_chain_walk(op, &ignored, &walk) != INLAY_HASH_UNSURE;
}

static bool mark(struct inlay_hash_op *op, const struct inlay_hash_place *at)
{
	return inlay_cas(&at->node->next, at->next,
			 inlay_link_marked(at->next, op->owner, INLAY_HASH_MAIN, at->gen));
}

/* The oldest node of a stack is its last, and the way there is through all others. */
static void keep_place(struct inlay_hash_op *op, const struct inlay_hash_place *at, void *arg)
{
	struct inlay_hash_place *last = arg;

	(void)op;
	last->prev = at->prev;
	last->link = at->link;
	last->next = at->next;
	last->node = at->node;
	last->nr = at->nr;
	last->gen = at->gen;
}

static enum inlay_hash_found find_oldest(struct inlay_hash_op *op, struct inlay_hash_place *at)
{
	struct inlay_hash_place end;
	const struct inlay_chain_walk walk = {
		.stop = INLAY_CHAIN_END,
		.pass = keep_place,
		.arg = at,
	};
	enum inlay_hash_found found;

	if (!is_stack(op))
		return find_first(op, at);
	at->nr = 0;
	found = __inlay_chain_walk(op, &end, &walk);
	return found == INLAY_HASH_ABSENT && at->nr ? INLAY_HASH_PRESENT : found;
}

/* ---- Nodes ------------------------------------------------------------------------------ */

/* A node that we hold while we look for where to link it. */
struct held {
	__u32 nr;
	__u32 gen;
	__u64 link;	/* in the node, as it was taken or as we have left it */
};

static __u64 *refusals(struct inlay_hash_op *op, bool is_replacing)
{
	struct inlay_hash_header *header = inlay_hash_header(op);

	return is_replacing ? &header->replaced : &header->drops;
}

static __u32 take(struct inlay_hash_op *op, bool is_replacing)
{
	__u32 nr = __inlay_hash_take(op, INLAY_HASH_MAIN);

	/* a search costs about two steps a node, and is made once in as many refusals */
	if (nr || inlay_load(refusals(op, is_replacing)) % op->nr_nodes ||
	    !__inlay_hash_scavenge(op))
		return nr;
	op->budget += RETRY_BUDGET;
	return __inlay_hash_take(op, INLAY_HASH_MAIN);
}

/*
 * The oldest element's node, in a new generation. Who is killed between this and the link loses the
 * element that it has dropped, as if that had been all it came for.
 */
static bool hold_oldest(struct inlay_hash_op *op, struct held *held)
{
	struct inlay_hash_place at;
	__u64 life, to;

	refill(op);
	while (find_oldest(op, &at) == INLAY_HASH_PRESENT) {
		if (!mark(op, &at))
			continue;
		if (!unlink_marked(op, &at))
			return false; /* left to the scavenger */
		held->nr = at.nr;
		held->gen = at.gen + 1;
		held->link = inlay_link_marked(at.next, op->owner, INLAY_HASH_MAIN, at.gen);
		to = inlay_life(op, at.nr, INLAY_HASH_MAIN, INLAY_NODE_USED, op->owner, held->gen);
		/* as if it had been given back and taken */
		do {
			life = inlay_load(&at.node->life);
			if (!inlay_is_used(life, at.gen))
				return false; /* a child has it */
		} while (!inlay_cas_own(&at.node->life, life, to));
		return true;
	}
	return false;
}

static bool hold(struct inlay_hash_op *op, struct held *held, bool is_replacing)
{
	int tries;

	for (tries = 0; tries < 4; tries++) {
		held->nr = take(op, is_replacing);
		if (held->nr) {
			held->gen = INLAY_LIFE_GEN(
				inlay_load(&inlay_hash_op_node(op, held->nr)->life));
			held->link = op->taken;
			return true;
		}
		if (!is_replacing)
			break;
		if (hold_oldest(op, held)) {
			__atomic_fetch_add(refusals(op, true), 1, __ATOMIC_RELAXED);
			return true;
		}
		/* others hold the nodes, or have emptied it: then there is room now */
	}
	__atomic_fetch_add(refusals(op, false), 1, __ATOMIC_RELAXED);
	return false;
}

/* ---- Push ------------------------------------------------------------------------------- */

/* A signal handler may fork: then the node in our hands is the parent's, who goes on with it. */
static bool is_child(const struct inlay_hash_op *op)
{
	return (__inlay_owner() & INLAY_OWNER_MASK) != op->owner;
}

/*
 * The link in the node that we hold becomes another one. False: a child was quicker with it, and has
 * linked it; or we are that child.
 */
static bool set_link(struct inlay_hash_op *op, struct held *held, __u64 link)
{
	if (!inlay_cas_own(&inlay_hash_op_node(op, held->nr)->next, held->link, link))
		return false;
	held->link = link;
	return true;
}

static bool link_last(struct inlay_hash_op *op, struct held *held)
{
	const struct inlay_chain_walk walk = { .stop = INLAY_CHAIN_END, .is_from_last = true };
	struct inlay_hash_node *node = inlay_hash_op_node(op, held->nr);
	struct inlay_hash_header *header = inlay_hash_header(op);
	__u64 last = inlay_load(&header->last);
	struct inlay_hash_place at;

	do {
		if (__inlay_chain_walk(op, &at, &walk) != INLAY_HASH_ABSENT || is_child(op))
			return false;
		/* a child was quicker with it: it is the last one, or was */
		if (at.prev == &node->next || inlay_load(&node->next) != held->link)
			return true;
	} while (!inlay_cas(at.prev, at.link, inlay_link(at.link, held->nr)));
	/* not over a hint that is newer, or a late one would make the next walk a long one */
	inlay_cas(&header->last, last, (__u64)held->gen << 32 | held->nr);
	return true;
}

/*
 * Whether a node that is as deep as this is in the stack that begins with nr. What is above it has come since
 * the link was tried; as long as that is first, nothing of it changes.
 */
static bool is_stacked(struct inlay_hash_op *op, __u32 nr, const struct held *held, __u32 depth)
{
	while (nr - 1 < op->nr_nodes && inlay_hash_step(op)) {
		struct inlay_hash_node *node = inlay_hash_op_node(op, nr);

		if (nr == held->nr)
			return true;
		if ((__s32)(inlay_load(&node->depth) - depth) < 0)
			return false;
		nr = inlay_load_acquire(&node->next) & INLAY_LINK_NODE; /* pairs with inlay_cas() */
	}
	return false;
}

static bool link_first(struct inlay_hash_op *op, struct held *held)
{
	struct inlay_hash_node *node = inlay_hash_op_node(op, held->nr);
	struct inlay_hash_place at;
	__u32 nr, depth = 0;
	bool is_tried = false;

	do {
		if (!inlay_hash_step(op) || is_child(op))
			return false;
		start_at_bucket(op, &at);
		nr = at.link & INLAY_LINK_NODE;
		if (nr > op->nr_nodes)
			return false;
		/* a child was quicker with it */
		if (is_tried && is_stacked(op, nr, held, depth))
			return true;
		is_tried = true;
		/* of the node that is first when the link is made, or the exchange fails */
		depth = nr ? inlay_load(&inlay_hash_op_node(op, nr)->depth) + 1 : 0;
		if (!set_link(op, held, inlay_link_first(held->gen, nr)))
			return true;
		inlay_store(&node->depth, depth);
	} while (!inlay_cas(at.prev, at.link, inlay_link(at.link, held->nr)));
	return true;
}

static __s64 queue_push(const struct inlay_map_desc *desc, const void *value, __u64 flags)
{
	struct inlay_hash_op op;
	struct held held;
	__u64 first;

	if ((flags & INLAY_BPF_NOEXIST) || flags > INLAY_BPF_EXIST)
		return -INLAY_EINVAL;
	if (!op_init(&op, desc))
		return -INLAY_EBUSY;
	if (!hold(&op, &held, flags & INLAY_BPF_EXIST))
		return flags & INLAY_BPF_EXIST ? -INLAY_EBUSY : -INLAY_E2BIG;
	/* who still reads the node's last life also reads that the link to it has changed since; pairs
	 * with the fences of walks */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	/* a stack's node leads to itself until it is linked, so that whatever it is linked to is a change */
	first = inlay_link_first(held.gen, is_stack(&op) ? held.nr : 0);
	if (is_child(&op))
		return queue_push(desc, value, flags);
	if (!set_link(&op, &held, first)) {
		/* a child has come as far as this, or has linked it */
		held.link = inlay_load(&inlay_hash_op_node(&op, held.nr)->next);
		if (is_child(&op) || held.link != first)
			return is_child(&op) ? queue_push(desc, value, flags) : 0;
	}
	inlay_copy_in(node_value(inlay_hash_op_node(&op, held.nr)), value, desc->value_size);
	if (is_stack(&op) ? link_first(&op, &held) : link_last(&op, &held))
		return 0;
	if (is_child(&op))
		return queue_push(desc, value, flags);
	if (set_link(&op, &held, inlay_link_first(held.gen + 1, 0)))
		__inlay_hash_give_clean(&op, held.nr, INLAY_HASH_MAIN, held.gen);
	return -INLAY_EBUSY;
}

/* ---- Pop, peek -------------------------------------------------------------------------- */

/* To a program's memory, of any alignment. Volatile, or the loop becomes a call. */
static void copy_out(void *dst, const void *src, __u32 n)
{
	char *d = dst;
	const char *s = src;
	__u32 i;

	for (i = 0; i + 8 <= n; i += 8)
		((volatile struct inlay_any64 *)(d + i))->v = inlay_load((const inlay_u64 *)(s + i));
	for (; i < n; i++)
		*(volatile inlay_u8 *)(d + i) = inlay_load((const inlay_u8 *)(s + i));
}

static void clear_out(void *dst, __u32 n)
{
	char *d = dst;
	__u32 i;

	for (i = 0; i + 8 <= n; i += 8)
		((volatile struct inlay_any64 *)(d + i))->v = 0;
	for (; i < n; i++)
		*(volatile inlay_u8 *)(d + i) = 0;
}

static __s64 queue_pop(const struct inlay_map_desc *desc, void *value, bool is_peek)
{
	enum inlay_hash_found found = INLAY_HASH_ABSENT;
	struct inlay_hash_place at;
	struct inlay_hash_op op;

	if (op_init(&op, desc)) {
		while ((found = find_first(&op, &at)) == INLAY_HASH_PRESENT) {
			copy_out(value, node_value(at.node), desc->value_size);
			if (is_peek) {
				/* the link is the same: the value was that node's; pairs with the fence
				 * in queue_push() */
				__atomic_thread_fence(__ATOMIC_ACQUIRE);
				if (inlay_load(&at.node->next) == at.next)
					return 0;
				continue;
			}
			if (!mark(&op, &at))
				continue;
			if (unlink_marked(&op, &at))
				__inlay_hash_give_deleted(&op, at.nr, INLAY_HASH_MAIN, at.gen);
			return 0;
		}
	}
	/* as the kernel; and nothing of what was on the target's stack */
	clear_out(value, desc->value_size);
	return found == INLAY_HASH_ABSENT ? -INLAY_ENOENT : -INLAY_EBUSY;
}

/* ---- Entry points ----------------------------------------------------------------------- */

__s64 __inlay_map_push_elem_v1(const struct inlay_map_desc *desc, const void *value, __u64 flags)
{
	switch (desc->type) {
	case INLAY_MAP_TYPE_QUEUE:
	case INLAY_MAP_TYPE_STACK:
		return queue_push(desc, value, flags);
	case INLAY_MAP_TYPE_BLOOM_FILTER:
		return __inlay_bloom_push(desc, value, flags);
	}
	return -INLAY_EOPNOTSUPP;
}

__s64 __inlay_map_pop_elem_v1(const struct inlay_map_desc *desc, void *value)
{
	switch (desc->type) {
	case INLAY_MAP_TYPE_QUEUE:
	case INLAY_MAP_TYPE_STACK:
		return queue_pop(desc, value, false);
	}
	return -INLAY_EOPNOTSUPP;
}

__s64 __inlay_map_peek_elem_v1(const struct inlay_map_desc *desc, void *value)
{
	switch (desc->type) {
	case INLAY_MAP_TYPE_QUEUE:
	case INLAY_MAP_TYPE_STACK:
		return queue_pop(desc, value, true);
	case INLAY_MAP_TYPE_BLOOM_FILTER:
		return __inlay_bloom_peek(desc, value);
	}
	return -INLAY_EOPNOTSUPP;
}
