/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions of hash maps, and of all that is made of their nodes: queues, stacks, tries, stack traces. */
#ifndef INLAY_ABI_HASH_H
#define INLAY_ABI_HASH_H

#include "inlay/abi/base.h"

/*
 * HASH and PERCPU_HASH: header, buckets, nodes. The algorithm is Michael's lock-free list with
 * version tags ("High Performance Dynamic Lock-Free Hash Tables and List-Based Sets", SPAA 2002):
 * nodes are type-stable, a link word carries {tag, mark, node}, and an unlinked node is reused
 * at once. Node numbers are 1-based: 0 ends a list, so zero pages are an empty map.
 *
 * A node is free, or some process has it. That is one word of the node (`life`), so a process takes a
 * node and signs for it in the same compare-exchange, and at every moment whoever finds a node knows
 * whom to ask for it:
 *
 *   free                        life says FREE, and to which stock it belongs
 *   in somebody's hands         life says USED and by whom; the link is not marked, or in an earlier
 *                               life; in no list
 *   in a list                   the same, but in a list: the signature has no meaning any more
 *   deleted, not yet free       the link is marked in this life and says by whom, and to which stock
 *                               the node goes
 *
 * A mark is left where it is when the node is free. It is one of an earlier life then as soon as the
 * node is taken, as it says in which generation it was made.
 *
 * max_entries nodes are for live keys (the main stock); INLAY_HASH_SPARES more let an update of a live
 * key replace the whole value at once, also in a full map, as the kernel's per-CPU extra elements
 * do. An update that took a spare gives back the replaced node as a spare, so which nodes are spares
 * changes, and how many there are does not.
 *
 * Behind the nodes: hints where free nodes are, one bitmap a stock (inlay_hash_hints_off()). Hints may be
 * wrong at any time; only `life` counts.
 *
 * LRU_HASH and LRU_PERCPU_HASH: a HASH and a PERCPU_HASH. An insert that finds no node takes that of another
 * key: `hand` goes round the nodes, and the first one that was not used since it came by last loses its
 * key.
 *
 * PERCPU_HASH: a node has no value. A shard holds one struct inlay_shard_value + value per node;
 * it counts only while `gen` equals the node's generation, so a reused node starts at zero in every
 * shard.
 *
 * QUEUE and STACK: a hash map's region with keys of no size, and only the first bucket in use: its
 * chain is the queue, the oldest element first, or the stack, the newest first. `last` in the
 * header leads a push to the end of a queue; it is a hint, and counts while its node is in that
 * generation and not marked.
 *
 * LPM_TRIE: a hash map of the whole key {prefix length, bits}, with the bits behind the prefix zero.
 * Behind the hints: a bitmap of the prefix lengths that keys have had (inlay_lpm_lengths_off()).
 *
 * STACK_TRACE: a hash map from a __u32, the id, to the addresses, innermost first, 0 behind the
 * last one; with BPF_F_STACK_BUILD_ID to struct bpf_stack_build_id.
 */
#define INLAY_QUEUE_LAST_NODE(last) ((__u32)(last))
#define INLAY_QUEUE_LAST_GEN(last) ((__u32)((last) >> 32))

#ifndef INLAY_HASH_SPARES /* a test that tries every order of events has fewer */
#define INLAY_HASH_SPARES 64u
#endif

/*
 * link word: bits 0..30 node, bit 31 mark (the node holding this link is deleted).
 * Without a mark: 32..62 tag, which counts the changes of the word while the node is in a list, and
 * starts at a place that depends on the node's generation; 63 the node dozes: its key is deleted, but
 * it stays in the list, and is free for whoever wakes it, or marks it and takes it off.
 * A marked word has no tag: 32..60 who deleted the node, because that process alone takes it off and
 * frees it; 61 whether it becomes a spare; 62 the low bit of the node's generation at that time; 63 the
 * node is being woken by that process, for the same key: it is in the list, and anybody else takes
 * this bit off, after which it is a node like others that are marked.
 */
#define INLAY_LINK_NODE 0x7fffffffull
#define INLAY_LINK_MARK 0x80000000ull
#define INLAY_LINK_TAG_SHIFT 32
#define INLAY_LINK_OWNER(link) ((__u32)((link) >> 32) & INLAY_OWNER_MASK)
#define INLAY_LINK_SPARE (1ull << 61)
#define INLAY_LINK_GEN_SHIFT 62
#define INLAY_LINK_DOZING (1ull << 63)	/* without a mark */
#define INLAY_LINK_WAKING (1ull << 63)	/* with one */

struct inlay_hash_header {
	__u64 high;		/* no main node above this number was ever in a list */
	__u64 drops;		/* updates refused for want of a node */
	/* Bytes from the region's start whose pages are reserved: main nodes behind that are not
	 * there yet, and not to be touched. 0: all of them are. INLAY_MAP_HUGE only. */
	__u64 reserved;
	__u64 replaced;		/* QUEUE, STACK: pushes that dropped the oldest element */
	__u64 hand;		/* LRU_*: bits 0..31 node that was looked at last, 32..63 rounds */
	__u64 evicted;		/* LRU_*: keys that went for want of a node */
	__u64 pad0[2];
	__u64 near_main;	/* word of the main stock's hints that had a free node lately */
	__u64 last;		/* QUEUE: a node near the end of the chain, INLAY_QUEUE_LAST_* */
	__u64 pad1[6];
	__u64 near_spare;
	__u64 pad2[7];
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_hash_header) == 192, "inlay_hash_header layout");

/*
 * life word: bits 0..1 state, bit 2 (FREE, or USED and in nobody's list) whether the node belongs to
 * the other stock than its number says: 1 to max_entries are main nodes, the rest are spares;
 * 3..31 owner, 32..63 generation: counts how often the node was taken.
 */
enum inlay_node_state {
	INLAY_NODE_FREE = 0,
	INLAY_NODE_USED = 1,
};
#define INLAY_LIFE_STATE(life) ((life) & 3u)
#define INLAY_LIFE_MOVED 4u
#define INLAY_LIFE_OWNER_SHIFT 3
#define INLAY_LIFE_OWNER(life) ((__u32)(life) >> INLAY_LIFE_OWNER_SHIFT)
#define INLAY_LIFE_GEN(life) ((__u32)((life) >> 32))

struct inlay_hash_node {
	__u64 next;		/* link word */
	__u64 life;		/* life word */
	__u32 hash;
	union {
		__u32 depth;	/* STACK: of the nodes in the chain, the newest has the largest */
		__u32 used;	/* LRU_*: 1: looked up since the hand was here */
	};
	/* key, padded to 8; then the value, padded to 8, unless the map is per-CPU */
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_hash_node) == 24, "inlay_hash_node layout");

struct inlay_shard_value {
	__u32 gen;
	__u32 pad0;
	/* value, padded to 8 */
};

/* Number of buckets: the smallest power of two that is not below max_entries. */
static inline __u32 inlay_hash_buckets(__u32 max_entries)
{
	__u32 n = 1;

	while (n < max_entries && n < 1u << 30)
		n <<= 1;
	return n;
}

static inline __u32 inlay_hash_node_bytes(__u32 key_size, __u32 value_size, int is_percpu)
{
	return (__u32)(sizeof(struct inlay_hash_node) + inlay_round_up(key_size, 8) +
		       (is_percpu ? 0 : inlay_round_up(value_size, 8)));
}

static inline __u64 inlay_hash_nodes_off(__u32 max_entries)
{
	return sizeof(struct inlay_hash_header) + 8ull * inlay_hash_buckets(max_entries);
}

/*
 * Hints: for the main stock, then for the spares, a bit a node and a bit for each 64 of those. A bit
 * that is off says "no free node of this stock". On is 0 for nodes that belong to the stock by
 * their number, and 1 for others, so that zero is right at the start.
 */
static inline __u64 inlay_hash_hints_off(__u32 max_entries, __u32 node_bytes)
{
	return inlay_hash_nodes_off(max_entries) +
	       (__u64)node_bytes * ((__u64)max_entries + INLAY_HASH_SPARES);
}

static inline __u32 inlay_hash_hint_words(__u32 max_entries)
{
	return (__u32)(((__u64)max_entries + INLAY_HASH_SPARES + 63) / 64);
}

static inline __u64 inlay_hash_hint_bytes(__u32 max_entries)
{
	__u64 words = inlay_hash_hint_words(max_entries);

	return 2 * 8 * (words + (words + 63) / 64);
}

/* LPM_TRIE: where the bitmap of prefix lengths is, and its words: 0 to 8 * data bytes are lengths. */
static inline __u64 inlay_lpm_lengths_off(__u32 key_size, __u32 value_size, __u32 max_entries)
{
	return inlay_hash_hints_off(max_entries, inlay_hash_node_bytes(key_size, value_size, 0)) +
	       inlay_hash_hint_bytes(max_entries);
}

static inline __u32 inlay_lpm_length_words(__u32 key_size)
{
	return key_size < 4 ? 0 : ((key_size - 4) * 8 + 1 + 63) / 64;
}

#endif /* INLAY_ABI_HASH_H */
