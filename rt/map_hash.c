/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing a hash map: Michael's lock-free lists ("High Performance Dynamic Lock-Free Hash Tables
 * and List-Based Sets", SPAA 2002), one a bucket, with three choices of our own:
 *
 * - Lists are not sorted; a new key goes to the end. Two inserts of one key then meet at the same
 *   link word, and one of them walks again and finds the other's.
 * - Updating a live key replaces its node by one compare-exchange that both marks the old node
 *   and makes the new one its successor: a reader sees the old or the new value, whole.
 * - Who marks a node frees it, after making sure that it is off the list. Its name is in the mark,
 *   so that a scavenger can finish for it if it is killed.
 * - What map_fast.h deletes stays in its list, dozing: a node like others to whoever passes by, but
 *   whose key is absent. It is never behind a node that has the same key.
 *
 * Nothing here waits: a signal handler may interrupt any step and do the same to the same key.
 */
#include "rt/map_fast.h"
#include "rt/map_lpm.h"

enum { WALK_BUDGET_MAX = 1 << 16, RETRY_BUDGET = 1024 };

/*
 * A key as it was when the operation began: where it is in a map, it may change at any time, and a
 * node of one key would end up in the chain of another, which no walk to it passes.
 */
struct key_copy {
	__u64 words[512 / 8];
};

/* This process's name; one without asks each time. */
static __u32 name(void)
{
	__u32 owner = inlay_load(&__inlay_process_v1.owner);

	if (!owner) {
		owner = __inlay_owner() & INLAY_OWNER_MASK;
		__inlay_owner_keep(owner);
	}
	return owner;
}

/* Where things are, without a key. */
static bool place_init(struct inlay_hash_op *op, const struct inlay_map_desc *desc)
{
	op->desc = desc;
	op->region = inlay_map_region(desc);
	if (!op->region)
		return false;
	op->nodes = op->region + sizeof(struct inlay_hash_header) +
		    8ull * (inlay_hash_mask(desc) + 1ull);
	op->node_bytes = inlay_hash_node_bytes(desc->key_size, desc->value_size,
					       inlay_hash_is_percpu(desc));
	op->nr_nodes = inlay_hash_nr_nodes(desc);
	op->seek = 0;
	op->budget = (op->nr_nodes < WALK_BUDGET_MAX ? op->nr_nodes : WALK_BUDGET_MAX) +
		     RETRY_BUDGET;
	op->owner = name();
	return true;
}

static bool op_init(struct inlay_hash_op *op, const struct inlay_map_desc *desc, const void *key,
		    struct key_copy *copy)
{
	__u32 key_size = desc->key_size, i;
	__u64 h = inlay_hash_start(key_size);

	if (key_size > sizeof(copy->words) || !place_init(op, desc))
		return false;
	op->key = copy->words;
	op->key_words = (key_size + 7) / 8;
	for (i = 0; i < op->key_words; i++) {
		/* whole words need no more than this; most keys are nothing else */
		__u64 word = 8 * i + 8 <= key_size ? ((const struct inlay_any64 *)key)[i].v :
						     inlay_any_tail((const char *)key + 8 * i,
								    key_size - 8 * i);

		inlay_store(&copy->words[i], word);
		h = inlay_hash_add(h, word);
	}
	op->hash = inlay_hash_end(h);
	return true;
}

static bool node_has_key(const struct inlay_hash_op *op, struct inlay_hash_node *node)
{
	const __u64 *words = inlay_hash_node_key(node);
	__u32 i;

	for (i = 0; i < op->key_words; i++)
		if (inlay_load(words + i) != op->key[i])
			return false;
	return true;
}

enum inlay_hash_found __inlay_hash_find(struct inlay_hash_op *op, struct inlay_hash_place *at)
{
restart:
	at->prev = inlay_hash_bucket(op->desc, op->region, op->hash);
	at->link = inlay_load_acquire(at->prev); /* pairs with inlay_cas() of who linked */
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
		is_match = op->seek ? at->nr == op->seek : node_has_key(op, at->node);
		at->gen = INLAY_LIFE_GEN(inlay_load(&at->node->life));
		at->next = inlay_load_acquire(&at->node->next); /* pairs with inlay_cas() */
		/* what was read belongs together only if the link to it has not changed since */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (inlay_load(at->prev) != at->link)
			goto restart;
		if (at->next & INLAY_LINK_MARK) {
			__u64 link = inlay_link(at->link, at->next);

			/* woken, but nobody waits for that: who does it will find the node marked */
			if ((at->next & INLAY_LINK_WAKING) &&
			    !inlay_cas(&at->node->next, at->next, at->next & ~INLAY_LINK_WAKING))
				goto restart;

			if (!inlay_cas(at->prev, at->link, link))
				goto restart;
			at->link = link;
			continue;
		}
		if (is_match)
			return at->next & INLAY_LINK_DOZING ? INLAY_HASH_DOZING :
							      INLAY_HASH_PRESENT;
		at->prev = &at->node->next;
		at->link = at->next;
	}
	return INLAY_HASH_UNSURE;
}

/* Takes a node off that we have marked, and gives it back. `place` is where it was found. */
static void retire(struct inlay_hash_op *op, const struct inlay_hash_place *at, __u32 successor,
		   enum inlay_hash_stock stock)
{
	if (!inlay_cas(at->prev, at->link, inlay_link(at->link, successor))) {
		struct inlay_hash_place ignored;
		enum inlay_hash_found found;

		/* a complete walk to the key or the end has passed the node, and taken it off */
		op->budget += RETRY_BUDGET;
		found = __inlay_hash_find(op, &ignored);
		if (found == INLAY_HASH_UNSURE)
			return; /* left to the scavenger */
	}
	__inlay_hash_give_deleted(op, at->nr, stock, at->gen);
}

bool __inlay_hash_evict(struct inlay_hash_op *op, const struct inlay_hash_place *at)
{
	__u64 to = inlay_life(op, at->nr, INLAY_HASH_MAIN, INLAY_NODE_USED, op->owner, at->gen + 1);
	struct inlay_hash_place ignored;
	__u64 life;

	op->taken = inlay_link_marked(at->next, op->owner, INLAY_HASH_MAIN, at->gen);
	if (!inlay_cas(&at->node->next, at->next, op->taken))
		return false;
	if (!inlay_cas(at->prev, at->link, inlay_link(at->link, at->next))) {
		/* as in retire() */
		op->budget += RETRY_BUDGET;
		if (__inlay_hash_find(op, &ignored) == INLAY_HASH_UNSURE)
			return false;
	}
	do {
		life = inlay_load(&at->node->life);
		if (!inlay_is_used(life, at->gen))
			return false; /* a child has it */
		/* release: it is off its list; pairs with the scavenger's load */
	} while (!inlay_cas_own(&at->node->life, life, to));
	return true;
}

static void node_fill(struct inlay_hash_op *op, __u32 nr, const void *value, bool is_replacing)
{
	struct inlay_hash_node *node = inlay_hash_op_node(op, nr);
	__u64 *words = inlay_hash_node_key(node);
	__u32 i;

	/*
	 * Who came here in the node's last life and reads any of this also reads that the link which
	 * led here has changed since; pairs with the fences of walks.
	 */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	inlay_store(&node->hash, op->hash);
	/* a new key is used when it is looked up; one whose value was replaced, has been */
	if (inlay_hash_is_lru(op->desc))
		inlay_store(&node->used, (__u32)is_replacing);
	for (i = 0; i < op->key_words; i++)
		inlay_store(words + i, op->key[i]);
	if (!inlay_hash_is_percpu(op->desc))
		inlay_copy_in(inlay_hash_node_value(op->desc, node), value, op->desc->value_size);
	if (inlay_map_has_lock(op->desc)) /* free, whatever the program's memory says */
		inlay_store((inlay_u32 *)(inlay_hash_node_value(op->desc, node) +
					  op->desc->extra - 1), 0u);
}

/* Sets the calling thread's value of a node of a per-CPU map. */
static __s64 percpu_set(struct inlay_hash_op *op, __u32 nr, __u32 gen, const void *value)
{
	char *shard = inlay_map_shard(op->desc);

	if (!shard)
		return -INLAY_EBUSY;
	inlay_copy_in(inlay_map_shard_value_at(op->desc, shard, nr, gen), value,
		      op->desc->value_size);
	return 0;
}

/* A node for a new key, or with `is_spare` one to replace a live key's. */
static __u32 take_any(struct inlay_hash_op *op, bool is_spare, enum inlay_hash_stock *ret_stock)
{
	__u32 nr = 0;

	*ret_stock = INLAY_HASH_SPARE;
	if (is_spare)
		nr = __inlay_hash_take(op, *ret_stock);
	if (nr)
		return nr;
	*ret_stock = INLAY_HASH_MAIN;
	return __inlay_hash_take(op, *ret_stock);
}

/*
 * The same of those that the dead have. A search costs about a step a node: as long as it finds some it is
 * made each time, else once in as many misses as there are nodes. `nr_missed` counts them.
 */
static __u32 take_of_dead(struct inlay_hash_op *op, bool is_spare, enum inlay_hash_stock *ret_stock,
			  __u64 nr_missed)
{
	if (nr_missed % op->nr_nodes || !__inlay_hash_scavenge(op))
		return 0;
	op->budget += RETRY_BUDGET;
	return take_any(op, is_spare, ret_stock);
}

static __u32 take(struct inlay_hash_op *op, bool is_spare, enum inlay_hash_stock *ret_stock)
{
	struct inlay_hash_header *h = inlay_hash_header(op);
	bool is_lru = inlay_hash_is_lru(op->desc);
	__u64 *nr_missed = is_lru ? &h->evicted : &h->drops;
	__u32 nr = take_any(op, is_spare, ret_stock);

	if (!nr)
		nr = take_of_dead(op, is_spare, ret_stock, inlay_load(nr_missed));
	if (nr || !is_lru)
		return nr;
	/* two at once may count one: a search comes a little later */
	inlay_store(nr_missed, inlay_load(nr_missed) + 1);
	*ret_stock = INLAY_HASH_MAIN;
	nr = __inlay_lru_evict(op);
	return nr ? nr : take_of_dead(op, is_spare, ret_stock, inlay_load(&h->drops));
}

/* A node that we hold while we look for where to link it. */
struct held {
	__u32 nr;
	__u32 gen;
	enum inlay_hash_stock stock;
	__u64 link;	/* in the node, as we have left it */
	bool is_linked;	/* a child was quicker with it */
};

/*
 * A signal handler may fork, and the child comes back here with what its parent has in its hands.
 * The parent goes on with that; what the child took in its name since, is the parent's until that
 * ends.
 */
static bool is_child(const struct inlay_hash_op *op)
{
	return name() != op->owner;
}

static bool hold(struct inlay_hash_op *op, struct held *held, bool is_spare, const void *value)
{
	do {
		if (is_child(op))
			op->owner = name();
		held->nr = inlay_hash_step(op) ? take(op, is_spare, &held->stock) : 0;
		if (!held->nr)
			return false;
		held->gen = INLAY_LIFE_GEN(
			inlay_load(&inlay_hash_op_node(op, held->nr)->life));
		held->link = inlay_link_first(held->gen, 0);
	} while (is_child(op) || !inlay_cas_own(&inlay_hash_op_node(op, held->nr)->next, op->taken,
						held->link));
	node_fill(op, held->nr, value, is_spare);
	return true;
}

static void drop(struct inlay_hash_op *op, struct held *held)
{
	/* a mark of an earlier life must not last until its generation comes round */
	if (held->nr && !is_child(op) &&
	    inlay_cas_own(&inlay_hash_op_node(op, held->nr)->next, held->link,
			  inlay_link_first(held->gen + 1, 0)))
		__inlay_hash_give_clean(op, held->nr, held->stock, held->gen);
	held->nr = 0;
}

/* Links the held node in front of `successor` by changing *link_at from `old` to `new`. */
static bool link_held(struct inlay_hash_op *op, struct held *held, __u64 *link_at, __u64 old,
		      __u64 new, __u64 successor)
{
	struct inlay_hash_node *node = inlay_hash_op_node(op, held->nr);

	__u64 link = inlay_link_first(held->gen, successor);

	if (is_child(op))
		return false;
	/* who has changed it since, has found it in the list */
	held->is_linked = !inlay_cas_own(&node->next, held->link, link);
	if (held->is_linked)
		return false;
	held->link = link;
	return inlay_cas(link_at, old, new);
}

static void count_drop(struct inlay_hash_op *op)
{
	__atomic_fetch_add(&inlay_hash_header(op)->drops, 1, __ATOMIC_RELAXED);
}

static __s64 update(struct inlay_hash_op *op, struct held held, const void *value, __u64 flags)
{
	bool is_locked = flags & INLAY_BPF_F_LOCK;
	struct inlay_hash_place at;
	__s64 err = -INLAY_EBUSY;
	bool is_full = false;

	flags &= ~(__u64)INLAY_BPF_F_LOCK;
	for (;;) {
		enum inlay_hash_found found = __inlay_hash_find(op, &at);

		if (found == INLAY_HASH_UNSURE)
			break;
		if (is_child(op)) {
			op->owner = name();
			held.nr = 0;
			held.is_linked = false;
		}
		if (held.is_linked)
			return 0;
		if (found == INLAY_HASH_PRESENT) {
			/* a child was quicker with what was in our hands */
			if (at.nr == held.nr)
				return 0;
			err = flags == INLAY_BPF_NOEXIST ? -INLAY_EEXIST : 0;
			if (err)
				break;
			inlay_hash_use(op->desc, at.node);
			if (inlay_hash_is_percpu(op->desc)) {
				err = percpu_set(op, at.nr, at.gen, value);
				break;
			}
			if (is_locked) { /* in place, as who has looked it up does */
				inlay_value_update(op->desc, inlay_hash_node_value(op->desc, at.node),
						   value, INLAY_BPF_F_LOCK);
				break;
			}
			err = -INLAY_EBUSY;
			if (!held.nr && !hold(op, &held, true, value)) {
				count_drop(op);
				break;
			}
			if (!link_held(op, &held, &at.node->next, at.next,
				       inlay_link_marked(held.nr, op->owner, held.stock, at.gen),
				       at.next))
				continue;
			retire(op, &at, held.nr, held.stock);
			return 0;
		}
		if (found == INLAY_HASH_DOZING && at.nr == held.nr)
			return 0; /* a child was quicker, and deleted it since */
		err = flags == INLAY_BPF_EXIST ? -INLAY_ENOENT : 0;
		if (err)
			break;
		if (found == INLAY_HASH_DOZING) {
			__u32 budget = op->budget;

			/* as if it were deleted now */
			if (inlay_cas(&at.node->next, at.next,
				      inlay_link_marked(at.next, op->owner, INLAY_HASH_MAIN,
							at.gen)))
				retire(op, &at, at.next & INLAY_LINK_NODE, INLAY_HASH_MAIN);
			/* retire() may add to it: who lets the node doze again would keep us here */
			if (op->budget > budget)
				op->budget = budget;
			continue;
		}
		if (held.stock == INLAY_HASH_SPARE)
			drop(op, &held);
		if (!held.nr) {
			if (!hold(op, &held, false, value)) {
				/* the last node may have gone to the same key: then it is there now */
				if (!is_full) {
					is_full = true;
					continue;
				}
				count_drop(op);
				err = -INLAY_E2BIG;
				break;
			}
			err = inlay_hash_is_percpu(op->desc) ?
				      percpu_set(op, held.nr, held.gen, value) : 0;
			if (err)
				break;
		}
		if (link_held(op, &held, at.prev, at.link, inlay_link(at.link, held.nr), 0))
			return 0;
		err = -INLAY_EBUSY;
	}
	drop(op, &held);
	return err;
}

__s64 __inlay_hash_update(const struct inlay_map_desc *desc, const void *key, const void *value,
			  __u64 flags)
{
	struct inlay_hash_op op;
	struct key_copy copy;

	if ((flags & ~(__u64)INLAY_BPF_F_LOCK) > INLAY_BPF_EXIST ||
	    ((flags & INLAY_BPF_F_LOCK) && !inlay_map_has_lock(desc)))
		return -INLAY_EINVAL;
	if (!op_init(&op, desc, key, &copy))
		return -INLAY_EBUSY;
	return update(&op, (struct held){ 0 }, value, flags);
}

__s64 __inlay_hash_delete(const struct inlay_map_desc *desc, const void *key)
{
	struct inlay_hash_place at;
	struct inlay_hash_op op;
	struct key_copy copy;

	if (!op_init(&op, desc, key, &copy))
		return -INLAY_ENOENT;
	for (;;) {
		switch (__inlay_hash_find(&op, &at)) {
		case INLAY_HASH_ABSENT:
		case INLAY_HASH_DOZING:
			return -INLAY_ENOENT;
		case INLAY_HASH_UNSURE:
			return -INLAY_EBUSY;
		case INLAY_HASH_PRESENT:
			break;
		}
		if (inlay_cas(&at.node->next, at.next,
			      inlay_link_marked(at.next, op.owner, INLAY_HASH_MAIN, at.gen))) {
			retire(&op, &at, at.next & INLAY_LINK_NODE, INLAY_HASH_MAIN);
			return 0;
		}
	}
}

void *__inlay_hash_lookup(const struct inlay_map_desc *desc, const void *key)
{
	struct inlay_hash_place at;
	struct inlay_hash_op op;
	struct key_copy copy;
	char *shard;

	if (!op_init(&op, desc, key, &copy) || __inlay_hash_find(&op, &at) != INLAY_HASH_PRESENT)
		return 0;
	inlay_hash_use(desc, at.node);
	if (!inlay_hash_is_percpu(desc))
		return inlay_hash_node_value(desc, at.node);
	shard = inlay_map_shard(desc);
	return shard ? inlay_map_shard_value_at(desc, shard, at.nr, at.gen) : 0;
}

/* ---- The rest of rt/map_fast.h ----------------------------------------------------------- */

INLAY_NOINLINE __s64 __inlay_hash_update_slow(const struct inlay_map_desc *desc, __u64 key,
					      const void *value, __u64 flags, __u32 held)
{
	struct held node = { 0 };
	struct inlay_hash_op op;
	struct key_copy copy;

	if (!op_init(&op, desc, &key, &copy))
		return -INLAY_EBUSY;
	if (held) {
		/* its life says whose it is, and of which stock */
		__u64 life = inlay_load(&inlay_hash_op_node(&op, held)->life);

		__u64 link = inlay_load(&inlay_hash_op_node(&op, held)->next);

		if (INLAY_LIFE_OWNER(life) == op.owner)
			node = (struct held){
				.nr = held, .gen = INLAY_LIFE_GEN(life), .link = link,
				.stock = inlay_life_stock(&op, held, life),
				.is_linked = !inlay_link_is_first(link, INLAY_LIFE_GEN(life)),
			};
	}
	return update(&op, node, value, flags);
}

INLAY_NOINLINE __s64 __inlay_hash_update_unwoken(const struct inlay_map_desc *desc, __u64 key,
						 const void *value, __u64 flags, __u32 nr,
						 __u32 owner)
{
	struct inlay_hash_node *node = inlay_hash_node(desc, desc->region, nr);
	__u64 life = inlay_load(&node->life), link = inlay_load_acquire(&node->next);

	if (name() == owner) {
		/* a child was quicker with what we have begun */
		if (!inlay_is_deleted(link, life) || INLAY_LINK_OWNER(link) != owner)
			return 0;
		__inlay_hash_retire(desc, key, nr, INLAY_LIFE_GEN(life), INLAY_HASH_MAIN);
	}
	return __inlay_hash_update_slow(desc, key, value, flags, 0);
}

INLAY_NOINLINE __s64 __inlay_hash_delete_slow(const struct inlay_map_desc *desc, __u64 key)
{
	return __inlay_hash_delete(desc, &key);
}

INLAY_NOINLINE __s64 __inlay_hash_retire(const struct inlay_map_desc *desc, __u64 key, __u32 nr,
					 __u32 gen, enum inlay_hash_stock stock)
{
	struct inlay_hash_node *node = inlay_hash_node(desc, desc->region, nr);
	__u64 life = inlay_load(&node->life), link = inlay_load_acquire(&node->next);
	struct inlay_hash_place ignored;
	struct inlay_hash_op op;
	struct key_copy copy;

	/* where a signal handler forked, one of the two takes it off, and may have it in use by now */
	if (!op_init(&op, desc, &key, &copy) || !inlay_is_deleted(link, life) ||
	    INLAY_LIFE_GEN(life) != gen || INLAY_LINK_OWNER(link) != op.owner)
		return 0;
	/* as in retire() */
	if (__inlay_hash_find(&op, &ignored) != INLAY_HASH_UNSURE)
		__inlay_hash_give_deleted(&op, nr, stock, gen);
	return 0;
}

INLAY_NOINLINE __s64 __inlay_hash_doze(const struct inlay_map_desc *desc, __u32 nr)
{
	struct inlay_hash_op op;

	if (place_init(&op, desc))
		__inlay_hash_show(&op, nr, INLAY_HASH_MAIN);
	return 0;
}

__s64 __inlay_hash_update_word_v1(const struct inlay_map_desc *desc, __u64 key,
				  __u64 hash_and_flags, __u64 *bucket, char *nodes,
				  const void *value)
{
	return fast_update(desc, key, hash_and_flags, bucket, nodes, value);
}

__s64 __inlay_hash_delete_word_v1(const struct inlay_map_desc *desc, __u64 key, __u64 *bucket,
				  char *nodes)
{
	struct fast fast;

	if (INLAY_LIKELY(fast_init(&fast, desc, key, bucket, nodes)))
		return fast_delete(&fast);
	return __inlay_hash_delete_slow(desc, key);
}

/* ---- Entry points: any map, known at run time only ---------------------------------------- */

void *__inlay_map_lookup_elem_v1(const struct inlay_map_desc *desc, const void *key)
{
	switch (desc->type) {
	case INLAY_MAP_TYPE_HASH:
	case INLAY_MAP_TYPE_PERCPU_HASH:
	case INLAY_MAP_TYPE_LRU_HASH:
	case INLAY_MAP_TYPE_LRU_PERCPU_HASH:
		return __inlay_hash_lookup(desc, key);
	case INLAY_MAP_TYPE_LPM_TRIE:
		return __inlay_lpm_lookup(desc, key);
	case INLAY_MAP_TYPE_HASH_OF_MAPS: {
		inlay_u32 *number = __inlay_hash_lookup(desc, key);

		return number ? inlay_inner_map(desc, inlay_load(number)) : 0;
	}
	}
	return __inlay_map_lookup_elem(desc, key);
}

__s64 __inlay_map_update_elem_v1(const struct inlay_map_desc *desc, const void *key,
				 const void *value, __u64 flags)
{
	if (inlay_hash_has_words(desc))
		return inlay_hash_update_word(desc, key, value, flags);
	switch (desc->type) {
	case INLAY_MAP_TYPE_HASH:
	case INLAY_MAP_TYPE_PERCPU_HASH:
	case INLAY_MAP_TYPE_LRU_HASH:
	case INLAY_MAP_TYPE_LRU_PERCPU_HASH:
		return __inlay_hash_update(desc, key, value, flags);
	case INLAY_MAP_TYPE_LPM_TRIE:
		return __inlay_lpm_update(desc, key, value, flags);
	case INLAY_MAP_TYPE_ARRAY:
	case INLAY_MAP_TYPE_PERCPU_ARRAY:
		return inlay_array_update(desc, key, value, flags);
	}
	return -INLAY_EOPNOTSUPP;
}

__s64 __inlay_map_delete_elem_v1(const struct inlay_map_desc *desc, const void *key)
{
	if (inlay_hash_has_words(desc))
		return inlay_hash_delete_word(desc, key);
	switch (desc->type) {
	case INLAY_MAP_TYPE_HASH:
	case INLAY_MAP_TYPE_PERCPU_HASH:
	case INLAY_MAP_TYPE_LRU_HASH:
	case INLAY_MAP_TYPE_LRU_PERCPU_HASH:
		return __inlay_hash_delete(desc, key);
	case INLAY_MAP_TYPE_LPM_TRIE:
		return __inlay_lpm_delete(desc, key);
	case INLAY_MAP_TYPE_ARRAY:
	case INLAY_MAP_TYPE_PERCPU_ARRAY:
		return -INLAY_EINVAL;
	}
	return -INLAY_EOPNOTSUPP;
}
