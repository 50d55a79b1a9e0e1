/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stocks of a hash map's nodes: taking one, giving it back, and finding a free one.
 *
 * A node is taken by one compare-exchange of its life word, from FREE to USED by us, and nobody else
 * writes that word until we give the node back or are dead. So there is no moment at which a killed
 * process leaves a node that is neither free nor its own. A dozing node (abi.h) is free, too, and taken by
 * marking it, as if its key were deleted now.
 *
 * Where the free nodes are is a matter of hints (abi.h). A hint that is on may be wrong, and is taken
 * back by whoever finds it so. A hint that is off is right unless somebody is about to put it on:
 * who deletes a node looks at the hint after that, and frees the node only then; who takes a hint back
 * looks after that whether the node is deleted or free; both in sequentially consistent order, so one of
 * them sees what the other did. So freeing itself is a plain store. Only a kill in between leaves a
 * free node without a hint, for the scavenger to find.
 *
 * A huge map's main nodes have no pages at first. Takers look among those that have, and ask for more
 * when none of them is free.
 */
#include "rt/map_hash.h"

__thread struct inlay_hash_hot __inlay_hash_hot[INLAY_HASH_HOT_MAPS];

extern __typeof__(__inlay_region_grow) __inlay_region_grow __attribute__((weak));

/* A row of hints: bit i is on if it differs from what i in [from, to) says. */
struct hints {
	__u64 *words;
	__u32 nr_words;
	__u32 from, to;
};

/* The hints of a stock: of nodes (numbers from 0 here), and of the words of those. */
struct stock {
	struct hints nodes, words;
	__u64 *near;
	__u32 backed;	/* main nodes that have pages */
};

static inline __attribute__((always_inline)) struct stock stock_of(const struct inlay_hash_op *op, enum inlay_hash_stock which)
{
	const struct inlay_map_desc *desc = op->desc;
	struct inlay_hash_header *header = inlay_hash_header(op);
	__u32 nr_words = inlay_hash_hint_words(desc->max_entries), nr_sums = (nr_words + 63) / 64;
	__u64 *words = (__u64 *)(op->nodes + (__u64)op->nr_nodes * op->node_bytes);
	struct stock stock = {
		.nodes = { words, nr_words, 0, desc->max_entries },
		.words = { words + nr_words, nr_sums, 0, (desc->max_entries + 63) / 64 },
		.near = &header->near_main,
		.backed = inlay_hash_backed(op),
	};

	if (which == INLAY_HASH_MAIN)
		return stock;
	stock.nodes.words += nr_words + nr_sums;
	stock.nodes.from = desc->max_entries;
	stock.nodes.to = op->nr_nodes;
	stock.words.words += nr_words + nr_sums;
	stock.words.from = desc->max_entries / 64;
	stock.words.to = nr_words;
	stock.near = &header->near_spare;
	return stock;
}

static __u64 low_bits(__u32 n)
{
	return n >= 64 ? ~0ull : (1ull << n) - 1;
}

/* The bits of a word below `low` and from `high` on. */
static __u64 outside(__u32 word, __u32 low, __u32 high)
{
	__u32 first = 64 * word;

	return low_bits(low > first ? low - first : 0) |
	       ~low_bits(high > first ? high - first : 0);
}

/* The hints of a word that are on. */
static __u64 hints_load(const struct hints *hints, __u32 word)
{
	__u64 raw = __atomic_load_n(&hints->words[word], __ATOMIC_SEQ_CST);
	__u32 first = 64 * word;

	if (first >= hints->from && hints->to >= first + 64) /* mostly */
		return ~raw;
	return raw ^ (low_bits(hints->to > first ? hints->to - first : 0) &
		      ~low_bits(hints->from > first ? hints->from - first : 0));
}

static bool hint_is_home(const struct hints *hints, __u32 nr)
{
	return nr >= hints->from && nr < hints->to;
}

static bool hint_is_on(const struct hints *hints, __u32 nr)
{
	__u64 raw = __atomic_load_n(&hints->words[nr / 64], __ATOMIC_SEQ_CST);

	return (raw >> nr % 64 & 1) != hint_is_home(hints, nr);
}

static void hint_set(const struct hints *hints, __u32 nr, bool is_on)
{
	__u64 bit = 1ull << nr % 64;

	/* sequentially consistent: see the top of the file */
	if (is_on != hint_is_home(hints, nr))
		__atomic_fetch_or(&hints->words[nr / 64], bit, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&hints->words[nr / 64], ~bit, __ATOMIC_SEQ_CST);
}

static bool is_free(const struct inlay_hash_op *op, __u32 nr, __u64 life,
		    enum inlay_hash_stock stock)
{
	return INLAY_LIFE_STATE(life) == INLAY_NODE_FREE &&
	       inlay_life_stock(op, nr, life) == stock;
}

/* Both levels on, each looked at after the node was freed. */
static bool show(const struct stock *stock, __u32 nr)
{
	bool was_on = true;

	if (!hint_is_on(&stock->nodes, nr - 1)) {
		hint_set(&stock->nodes, nr - 1, true);
		was_on = false;
	}
	if (!hint_is_on(&stock->words, (nr - 1) / 64)) {
		hint_set(&stock->words, (nr - 1) / 64, true);
		was_on = false;
	}
	return !was_on;
}

bool __inlay_hash_show(struct inlay_hash_op *op, __u32 nr, enum inlay_hash_stock which)
{
	struct stock stock = stock_of(op, which);

	return show(&stock, nr);
}

/* Whether a node of the stock is free, or whoever has deleted it is about to free it. */
static bool is_coming(struct inlay_hash_op *op, __u32 nr, enum inlay_hash_stock which)
{
	struct inlay_hash_node *node = inlay_hash_op_node(op, nr);
	/* pairs with inlay_cas() of who marks, and with give() */
	__u64 link = __atomic_load_n(&node->next, __ATOMIC_SEQ_CST);
	__u64 life = __atomic_load_n(&node->life, __ATOMIC_SEQ_CST);

	return is_free(op, nr, life, which) ||
	       (inlay_is_dozing(link) && which == INLAY_HASH_MAIN) ||
	       (inlay_is_deleted(link, life) && inlay_link_stock(link) == which);
}

static void hide(struct inlay_hash_op *op, const struct stock *stock, __u32 nr,
		 enum inlay_hash_stock which)
{
	if (is_coming(op, nr, which))
		return;
	hint_set(&stock->nodes, nr - 1, false);
	if (is_coming(op, nr, which))
		show(stock, nr);
}

static void hide_word(const struct stock *stock, __u32 word)
{
	hint_set(&stock->words, word, false);
	if (hints_load(&stock->nodes, word)) /* pairs with show() */
		hint_set(&stock->words, word, true);
}

/* Takes a dozing node out of its list. */
static bool claim_dozing(struct inlay_hash_op *op, __u32 nr)
{
	struct inlay_hash_node *node = inlay_hash_op_node(op, nr);
	struct inlay_hash_op walk = *op;
	struct inlay_hash_place at;
	bool is_done;

	walk.hash = inlay_load(&node->hash);
	walk.seek = nr;
	is_done = __inlay_hash_find(&walk, &at) == INLAY_HASH_DOZING &&
		  __inlay_hash_evict(&walk, &at);
	op->budget = walk.budget;
	op->taken = walk.taken;
	return is_done;
}

static bool claim(struct inlay_hash_op *op, __u32 nr, enum inlay_hash_stock which)
{
	struct inlay_hash_node *node = inlay_hash_op_node(op, nr);
	__u64 *at = &node->life, life = inlay_load(at);

	if (which == INLAY_HASH_MAIN && INLAY_LIFE_STATE(life) == INLAY_NODE_USED &&
	    inlay_is_dozing(inlay_load(&node->next)))
		return claim_dozing(op, nr);
	/* a free node's stays */
	op->taken = inlay_load(&node->next);
	/* pairs with the exchange in give(): what its last owner did to the node is over */
	return is_free(op, nr, life, which) &&
	       inlay_cas(at, life, inlay_life(op, nr, which, INLAY_NODE_USED, op->owner,
					      INLAY_LIFE_GEN(life) + 1));
}

/*
 * The hint of a node that was taken stays on. Where nodes come and go nobody ever has to change it;
 * where they only go, the next taker does.
 */
static __u32 word_take(struct inlay_hash_op *op, const struct stock *stock, __u32 word,
		       enum inlay_hash_stock which)
{
	__u64 on = hints_load(&stock->nodes, word) &
		   outside(word, stock->backed, op->desc->max_entries);

	for (; on && inlay_hash_step(op); on &= on - 1) {
		__u32 nr = 64 * word + (__u32)__builtin_ctzll(on) + 1;

		if (nr - 1 >= op->nr_nodes)
			return 0;
		if (claim(op, nr, which))
			return nr;
		hide(op, stock, nr, which);
	}
	return 0;
}

static void near_set(const struct stock *stock, __u32 word)
{
	if (inlay_load(stock->near) != word)
		inlay_store(stock->near, (__u64)word);
}

static __u32 far_take(struct inlay_hash_op *op, const struct stock *stock, __u32 first,
		      enum inlay_hash_stock which)
{
	__u32 i, nr;

	for (i = 0; i < stock->words.nr_words; i++) {
		__u32 sum = (first + i) % stock->words.nr_words;
		__u64 on = hints_load(&stock->words, sum) &
			   outside(sum, stock->backed / 64 + 1, op->desc->max_entries / 64);

		for (; on; on &= on - 1) {
			__u32 word = 64 * sum + (__u32)__builtin_ctzll(on);

			if (word >= stock->nodes.nr_words || !inlay_hash_step(op))
				break;
			nr = word_take(op, stock, word, which);
			if (nr) {
				near_set(stock, word);
				return nr;
			}
			if (!hints_load(&stock->nodes, word))
				hide_word(stock, word);
		}
	}
	return 0;
}

/* A reader copies no more than it must; pairs with the reader's load by way of the link. */
static void high_set(struct inlay_hash_op *op, __u32 nr)
{
	__u64 *high = &inlay_hash_header(op)->high;
	__u64 seen = inlay_load(high);

	while (nr <= op->desc->max_entries && seen < nr && inlay_hash_step(op) &&
	       !__atomic_compare_exchange_n(high, &seen, nr, 0, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
}

static __u32 stock_take(struct inlay_hash_op *op, const struct stock *stock,
			enum inlay_hash_stock which)
{
	__u64 near = inlay_load(stock->near);
	__u32 nr;

	if (near >= stock->nodes.nr_words)
		near = 0;
	nr = word_take(op, stock, (__u32)near, which);
	return nr ? nr : far_take(op, stock, (__u32)near / 64, which);
}

/* Pages for at least one main node more. */
static bool grow(struct inlay_hash_op *op, __u32 backed)
{
	const struct inlay_map_desc *desc = op->desc;

	return backed < desc->max_entries && __inlay_region_grow && inlay_hash_step(op) &&
	       __inlay_region_grow(op->region, inlay_hash_nodes_off(desc->max_entries) +
						       op->node_bytes * (backed + 1ull));
}

/* What this thread gave back last. In a huge map a number above `high` may have no pages. */
static __u32 hot_take(struct inlay_hash_op *op, enum inlay_hash_stock which)
{
	struct inlay_hash_hot *hot = &__inlay_hash_hot[op->desc->index % INLAY_HASH_HOT_MAPS];
	__u32 nr = hot->nr[which];

	if (hot->desc != op->desc || nr - 1 >= op->nr_nodes ||
	    (nr <= op->desc->max_entries && nr > inlay_load(&inlay_hash_header(op)->high)) ||
	    !claim(op, nr, which))
		return 0;
	hot->nr[which] = 0;
	return nr;
}

static void hot_give(struct inlay_hash_op *op, __u32 nr, enum inlay_hash_stock which)
{
	struct inlay_hash_hot *hot = &__inlay_hash_hot[op->desc->index % INLAY_HASH_HOT_MAPS];

	if (hot->desc != op->desc)
		hot->nr[!which] = 0;
	hot->desc = op->desc;
	hot->nr[which] = nr;
}

__u32 __inlay_hash_take(struct inlay_hash_op *op, enum inlay_hash_stock which)
{
	struct stock stock;
	__u32 nr = hot_take(op, which);

	if (nr)
		return nr;
	do {
		stock = stock_of(op, which);
		nr = stock_take(op, &stock, which);
	} while (!nr && which == INLAY_HASH_MAIN && grow(op, stock.backed));
	if (nr)
		high_set(op, nr);
	return nr;
}

void __inlay_hash_give(struct inlay_hash_op *op, __u32 nr, enum inlay_hash_stock which)
{
	struct inlay_hash_node *node = inlay_hash_op_node(op, nr);
	__u32 gen = INLAY_LIFE_GEN(inlay_load(&node->life));

	/* a mark of an earlier life must not last until its generation comes round */
	inlay_store(&node->next, inlay_link_first(gen + 1, 0));
	__inlay_hash_give_clean(op, nr, which, gen);
}

void __inlay_hash_give_clean(struct inlay_hash_op *op, __u32 nr, enum inlay_hash_stock which,
			     __u32 gen)
{
	struct inlay_hash_node *node = inlay_hash_op_node(op, nr);
	__u64 to = inlay_life(op, nr, which, INLAY_NODE_FREE, 0, gen), life;
	struct stock stock = stock_of(op, which);

	do {
		life = inlay_load(&node->life);
		if (!inlay_is_used(life, gen))
			return; /* a child has given it back */
		/* locked, as what show() looks at must be looked at later; pairs with hide() */
	} while (!inlay_cas(&node->life, life, to));
	show(&stock, nr);
	near_set(&stock, (nr - 1) / 64);
	hot_give(op, nr, which);
}

void __inlay_hash_give_deleted(struct inlay_hash_op *op, __u32 nr, enum inlay_hash_stock which,
			       __u32 gen)
{
	__u64 *at = &inlay_hash_op_node(op, nr)->life, life;
	struct stock stock = stock_of(op, which);

	show(&stock, nr);
	do {
		life = inlay_load(at);
		if (!inlay_is_used(life, gen))
			return; /* as above */
		/* release: the node is off its list; pairs with claim() */
	} while (!inlay_cas_own(at, life, inlay_life(op, nr, which, INLAY_NODE_FREE, 0, gen)));
	near_set(&stock, (nr - 1) / 64);
	hot_give(op, nr, which);
}
