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

__u32 __inlay_proc_row(void)
{
	return fixture_row;
}

bool __inlay_proc_is_alive(__u32 row)
{
	return !fixture_procs || !__atomic_load_n(&fixture_procs->is_dead[row], __ATOMIC_ACQUIRE);
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
	if (type == INLAY_MAP_TYPE_PERCPU_ARRAY || type == INLAY_MAP_TYPE_PERCPU_HASH) {
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
	if (type == INLAY_MAP_TYPE_HASH || type == INLAY_MAP_TYPE_PERCPU_HASH)
		d->flags |= INLAY_MAP_HASH;
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
	__u32 live;		/* in a chain, state LIVE */
	__u32 linked_taken;	/* in a chain, state TAKEN by the dead */
	__u32 free_main, free_spare;
	__u32 fresh_main, fresh_spare;	/* never used */
	__u32 leaked_main, leaked_spare;	/* in no list, but named by a dead owner */
	__u32 lost;		/* in no list and nobody's: must be 0 */
	__u32 twice;		/* in two lists: must be 0 */
};

static inline void census_visit(struct fixture_census *c, __u8 *seen, __u32 nr)
{
	c->twice += seen[nr] != 0;
	seen[nr] = 1;
}

static inline struct fixture_census fixture_count(const struct inlay_map_desc *desc)
{
	struct inlay_hash_header *header = desc->region;
	__u32 i, nr, nr_nodes = inlay_hash_nr_nodes(desc);
	__u8 *seen = calloc(nr_nodes + 1, 1);
	struct fixture_census c = { 0 };

	for (i = 0; i <= inlay_hash_mask(desc); i++)
		for (nr = *inlay_hash_bucket(desc, desc->region, i) & INLAY_LINK_NODE; nr;) {
			struct inlay_hash_node *node = inlay_hash_node(desc, desc->region, nr);

			assert_in_range(nr, 1, nr_nodes);
			census_visit(&c, seen, nr);
			if (node->next & INLAY_LINK_MARK) {
				c.leaked_main += !(node->next & INLAY_LINK_SPARE);
				c.leaked_spare += !!(node->next & INLAY_LINK_SPARE);
			} else {
				assert_int_equal(node->hash & inlay_hash_mask(desc), i);
				c.live += node->state == INLAY_NODE_LIVE;
				c.linked_taken += node->state != INLAY_NODE_LIVE;
			}
			nr = node->next & INLAY_LINK_NODE;
		}
	for (i = 0; i < 2; i++)
		for (nr = (i ? header->free_spare : header->free_main) & INLAY_LINK_NODE; nr;) {
			assert_in_range(nr, 1, nr_nodes);
			census_visit(&c, seen, nr);
			c.free_main += !i;
			c.free_spare += i;
			/* a reader that walks the nodes would take it for an entry */
			assert_int_not_equal(inlay_hash_node(desc, desc->region, nr)->state,
					     INLAY_NODE_LIVE);
			nr = inlay_hash_node(desc, desc->region, nr)->next & INLAY_LINK_NODE;
		}
	c.fresh_main = desc->max_entries - (__u32)header->fresh;
	c.fresh_spare = INLAY_HASH_SPARES - (__u32)(header->fresh >> 32);
	for (nr = 1; nr <= nr_nodes; nr++) {
		struct inlay_hash_node *node = inlay_hash_node(desc, desc->region, nr);
		bool is_fresh = nr <= desc->max_entries ?
			nr > (__u32)header->fresh :
			nr - desc->max_entries > (__u32)(header->fresh >> 32);

		if (is_fresh) {
			c.twice += seen[nr];
		} else if (!seen[nr]) {
			bool is_spare = node->next & INLAY_LINK_MARK ?
				!!(node->next & INLAY_LINK_SPARE) :
				!!(node->state & INLAY_NODE_SPARE);
			__u32 owner = node->next & INLAY_LINK_MARK ?
				INLAY_LINK_OWNER(node->next) : INLAY_NODE_OWNER(node->state);

			if (!(node->next & INLAY_LINK_MARK) &&
			    INLAY_NODE_STATE(node->state) != INLAY_NODE_TAKEN)
				c.lost++;
			else if (!owner || __inlay_proc_is_alive(owner - 1))
				c.lost++;
			else if (is_spare)
				c.leaked_spare++;
			else
				c.leaked_main++;
		}
	}
	free(seen);
	return c;
}

/* Every node is somewhere, once; `leaks` says whether processes have died. */
static inline void fixture_check(const struct inlay_map_desc *desc, bool leaks)
{
	struct fixture_census c = fixture_count(desc);

	assert_int_equal(c.lost, 0);
	assert_int_equal(c.twice, 0);
	if (!leaks) {
		assert_int_equal(c.leaked_main + c.leaked_spare + c.linked_taken, 0);
	}
	assert_int_equal(c.live + c.linked_taken + c.free_main + c.fresh_main + c.leaked_main,
			 desc->max_entries);
	assert_int_equal(c.free_spare + c.fresh_spare + c.leaked_spare, INLAY_HASH_SPARES);
}

#endif /* INLAY_TEST_MAP_FIXTURE_H */
