/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps for tests of rt/map*.c without the rest of the runtime: shared pages between two guard
 * pages, descriptors as bpfcc emits them, a process table and shards that the test controls.
 */
#ifndef INLAY_TEST_MAP_FIXTURE_H
#define INLAY_TEST_MAP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "rt/inline/thread.h"
#include "rt/map_hash.h"

struct fixture {
	struct inlay_map_desc desc;
	char *pages;
	size_t pages_bytes;
	char *shards[4];	/* what the slots of up to four threads hold */
};

/* What the runtime's core would know; one process unless a test says otherwise. */
struct fixture_procs {
	__u32 is_dead[INLAY_SEGMENT_MAX_PROCS];
};
static struct fixture_procs *fixture_procs;
static __u32 fixture_row;
static __thread char *fixture_slot;
static __thread unsigned int fixture_thread;
static struct fixture *fixture_percpu;

/* What the runtime remembers of a process; a test that changes fixture_row calls fixture_forget(). */
struct inlay_process __inlay_process_v1;

void __inlay_owner_keep(__u32 owner)
{
	__atomic_store_n(&__inlay_process_v1.owner, owner, __ATOMIC_RELAXED);
}

static inline void fixture_forget(void)
{
	__inlay_process_v1.owner = 0;
	memset(__inlay_hash_hot, 0, sizeof(__inlay_hash_hot));
}

__u32 __inlay_owner(void)
{
	return fixture_row + 1;
}

/* rt/spin_lock.c has a test of its own: no value here has a lock. */
void __inlay_spin_lock_v1(void *lock)
{
	(void)lock;
	abort();
}

void __inlay_spin_unlock_v1(void *lock)
{
	(void)lock;
	abort();
}

/* Called before the answer is found, and with it. */
static void (*fixture_at_ask)(void);
static void (*fixture_answered)(__u64 answer);

bool __inlay_owner_is_alive(__u32 owner)
{
	bool is_alive;

	if (fixture_at_ask)
		fixture_at_ask();
	is_alive = !fixture_procs ||
		   !__atomic_load_n(&fixture_procs->is_dead[owner - 1], __ATOMIC_ACQUIRE);
	if (fixture_answered)
		fixture_answered(is_alive);
	return is_alive;
}

static char **fixture_shard_slot(void)
{
	return &fixture_slot;
}

char *__inlay_shard_get_v1(const struct inlay_map_desc *desc)
{
	assert_ptr_equal(desc, &fixture_percpu->desc);
	fixture_slot = fixture_percpu->shards[fixture_thread];
	return fixture_slot;
}

/* Shared zero pages that end at a guard page, and begin behind one. */
static inline char *fixture_pages(size_t bytes, size_t *ret_bytes)
{
	size_t whole = inlay_round_up(bytes, INLAY_PAGE_BYTES);
	char *p = mmap(NULL, whole + 2 * INLAY_PAGE_BYTES, PROT_NONE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	assert_int_equal(mprotect(p + INLAY_PAGE_BYTES, whole, PROT_READ | PROT_WRITE), 0);
	*ret_bytes = whole + 2 * INLAY_PAGE_BYTES;
	return p;
}

static inline void fixture_init(struct fixture *f, __u32 type, __u32 key_size, __u32 value_size,
				__u32 max_entries)
{
	struct inlay_map_desc *d = &f->desc;
	int i;

	fixture_forget();
	memset(f, 0, sizeof(*f));
	*d = (struct inlay_map_desc){
		.desc_bytes = sizeof(*d), .type = type, .key_size = key_size,
		.value_size = value_size,
		.value_stride = (__u32)inlay_round_up(value_size, 8),
		.max_entries = max_entries, .name = "map",
		.region_bytes = inlay_map_region_bytes(type, key_size, value_size, max_entries),
		.shard_bytes = inlay_map_shard_bytes(type, value_size, max_entries),
	};
	if (d->region_bytes) {
		f->pages = fixture_pages(d->region_bytes, &f->pages_bytes);
		d->region = f->pages + INLAY_PAGE_BYTES;
	}
	if (type == INLAY_MAP_TYPE_PERCPU_ARRAY || inlay_map_is_percpu_hash(type)) {
		d->flags |= INLAY_MAP_PERCPU;
		d->shard_slot = fixture_shard_slot;
		for (i = 0; i < 4; i++) {
			f->shards[i] = mmap(NULL, d->shard_bytes, PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
			assert_true(f->shards[i] != MAP_FAILED);
		}
		fixture_percpu = f;
		fixture_slot = NULL;
	}
	if (type == INLAY_MAP_TYPE_HASH || inlay_map_is_percpu_hash(type) ||
	    type == INLAY_MAP_TYPE_LRU_HASH ||
	    type == INLAY_MAP_TYPE_QUEUE || type == INLAY_MAP_TYPE_STACK ||
	    type == INLAY_MAP_TYPE_LPM_TRIE || type == INLAY_MAP_TYPE_HASH_OF_MAPS)
		d->flags |= INLAY_MAP_HASH;
	if (type == INLAY_MAP_TYPE_LPM_TRIE)
		d->map_flags = 1; /* BPF_F_NO_PREALLOC */
}

static inline void fixture_fini(struct fixture *f)
{
	int i;

	if (f->pages)
		munmap(f->pages, f->pages_bytes);
	for (i = 0; i < 4; i++)
		if (f->shards[i])
			munmap(f->shards[i], f->desc.shard_bytes);
	fixture_slot = NULL;
}

static inline __u64 fixture_random(__u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dull;
}

/* Where the nodes of a quiet hash map are. */
struct fixture_census {
	__u32 live;		/* in a chain, not marked, not dozing */
	__u32 free_main, free_spare;	/* dozing ones are main nodes */
	__u32 hidden;		/* of these: takers are not led there */
	__u32 dead_main, dead_spare;	/* in the hands of a dead owner */
	__u32 lost;		/* in no list, and nobody's or a living owner's: must be 0 */
	__u32 twice;		/* met twice on the way along the chains: must be 0 */
};

static inline bool census_hint(const struct inlay_map_desc *desc, bool is_spare, __u32 nr)
{
	__u32 words = inlay_hash_hint_words(desc->max_entries), sums = (words + 63) / 64;
	__u64 *hints = (__u64 *)((char *)desc->region +
				 inlay_hash_hints_off(desc->max_entries,
						      inlay_hash_node_bytes(
							      desc->key_size, desc->value_size,
							      inlay_hash_is_percpu(desc))));
	__u32 first = is_spare ? desc->max_entries : 0;
	__u32 end = is_spare ? inlay_hash_nr_nodes(desc) : desc->max_entries;
	__u32 bit = nr - 1, word = bit / 64;
	bool is_home = bit >= first && bit < end;
	bool is_home_word = word >= first / 64 && word < (end + 63) / 64;

	hints += is_spare ? words + sums : 0;
	return (hints[word] >> bit % 64 & 1) != is_home &&
	       (hints[words + word / 64] >> word % 64 & 1) != is_home_word;
}

static inline void census_node(struct fixture_census *c, const struct inlay_map_desc *desc, __u32 nr)
{
	struct inlay_hash_node *node = inlay_hash_node(desc, desc->region, nr);
	bool is_marked = inlay_is_deleted(node->next, node->life);
	bool is_spare = (nr > desc->max_entries) != !!(node->life & INLAY_LIFE_MOVED);
	__u32 owner = is_marked ? INLAY_LINK_OWNER(node->next) : INLAY_LIFE_OWNER(node->life);

	if (INLAY_LIFE_STATE(node->life) == INLAY_NODE_FREE) {
		c->hidden += !census_hint(desc, is_spare, nr);
		c->free_main += !is_spare;
		c->free_spare += is_spare;
		return;
	}
	if (is_marked)
		is_spare = node->next & INLAY_LINK_SPARE;
	if (!owner || __inlay_owner_is_alive(owner))
		c->lost++;
	else if (is_spare)
		c->dead_spare++;
	else
		c->dead_main++;
}

static inline struct fixture_census fixture_count(const struct inlay_map_desc *desc)
{
	__u32 i, nr, nr_nodes = inlay_hash_nr_nodes(desc);
	struct inlay_hash_header *header = desc->region;
	__u8 *seen = calloc(nr_nodes + 1, 1);
	struct fixture_census c = { 0 };

	for (i = 0; i <= inlay_hash_mask(desc); i++)
		for (nr = *inlay_hash_bucket(desc, desc->region, i) & INLAY_LINK_NODE; nr;) {
			struct inlay_hash_node *node = inlay_hash_node(desc, desc->region, nr);

			assert_in_range(nr, 1, nr_nodes);
			assert_false(seen[nr] & 1 && c.twice++ > nr_nodes);
			seen[nr] |= 1;
			assert_int_not_equal(INLAY_LIFE_STATE(node->life), INLAY_NODE_FREE);
			assert_true(nr <= header->high || nr > desc->max_entries);
			if (!(node->next & INLAY_LINK_MARK)) {
				seen[nr] |= 2;
				assert_int_equal(node->hash & inlay_hash_mask(desc), i);
				if (inlay_is_dozing(node->next)) {
					c.free_main++;
					c.hidden += !census_hint(desc, false, nr);
				} else {
					c.live++;
				}
			}
			nr = node->next & INLAY_LINK_NODE;
		}
	for (nr = 1; nr <= nr_nodes; nr++)
		if (!(seen[nr] & 2))
			census_node(&c, desc, nr);
	free(seen);
	return c;
}

/* Every node is somewhere, once; `is_any_dead` says whether processes have died. */
static inline void fixture_check(const struct inlay_map_desc *desc, bool is_any_dead)
{
	struct fixture_census c = fixture_count(desc);

	assert_int_equal(c.lost, 0);
	assert_int_equal(c.twice, 0);
	if (!is_any_dead)
		assert_int_equal(c.hidden + c.dead_main + c.dead_spare, 0);
	assert_int_equal(c.live + c.free_main + c.dead_main, desc->max_entries);
	assert_int_equal(c.free_spare + c.dead_spare, INLAY_HASH_SPARES);
}

#endif /* INLAY_TEST_MAP_FIXTURE_H */
