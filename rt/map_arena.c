/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: allocating and freeing pages, bpf_arena_alloc_pages() and bpf_arena_free_pages().
 *
 * A page changes hands by compare-exchanges of its word (abi.h). One that is being allocated names the
 * process that does it, so that the next one who finds no room can take it back if that process was
 * killed. Nothing waits: pages in other hands are passed by.
 */
#include "rt/inline/arena.h"
#include "rt/inlay_rt_internal.h"

extern __typeof__(__inlay_region_grow) __inlay_region_grow __attribute__((weak));

_Static_assert(offsetof(struct inlay_arena_header, reserved) ==
		       offsetof(struct inlay_hash_header, reserved),
	       "rt/huge.c knows one place");

struct arena {
	const struct inlay_map_desc *desc;
	char *region;
	struct inlay_arena_header *header;
	__u32 *words;
	__u32 nr;	/* pages */
	__u32 owner;
};

static bool arena_init(struct arena *a, const struct inlay_map_desc *desc)
{
	a->desc = desc;
	a->region = inlay_map_region(desc);
	a->header = (struct inlay_arena_header *)a->region;
	a->words = (__u32 *)(a->region + sizeof(*a->header));
	a->nr = desc->max_entries;
	return a->region;
}

static bool word_cas(__u32 *word, __u32 old, __u32 new)
{
	/* acquire: what was done to the page by who had it is over; release: so is what we did */
	return cas_acq_rel(word, &old, new);
}

static void *page_at(const struct arena *a, __u32 page)
{
	return a->region + inlay_arena_pages_off(a->nr) + (__u64)page * INLAY_PAGE_BYTES;
}

/* ---- taking and giving back -------------------------------------------------------------- */

static bool page_take(const struct arena *a, __u32 page)
{
	__u32 word = load_relaxed(&a->words[page]);

	return INLAY_PAGE_STATE(word) == INLAY_PAGE_FREE &&
	       word_cas(&a->words[page], word,
			(word & INLAY_PAGE_USED) | INLAY_PAGE_TAKEN |
				a->owner << INLAY_PAGE_OWNER_SHIFT);
}

static void pages_give(const struct arena *a, __u32 page, __u32 nr)
{
	__u32 i;

	for (i = 0; i < nr; i++)
		/* release: pairs with page_take() */
		store_release(&a->words[page + i],
			      load_relaxed(&a->words[page + i]) & INLAY_PAGE_USED);
}

/* All of them or none; *ret_taken: how many it got before one was not free. */
static bool pages_take(const struct arena *a, __u32 page, __u32 nr, __u32 *ret_taken)
{
	__u32 i;

	for (i = 0; i < nr && page_take(a, page + i); i++)
		;
	*ret_taken = i;
	if (i == nr)
		return true;
	pages_give(a, page, i);
	return false;
}

/* The first gap of that many pages in [from, to + nr - 1); a->nr: there is none. */
static __u32 pages_find(const struct arena *a, __u32 from, __u32 to, __u32 nr)
{
	__u32 taken;

	while (from < to && nr <= a->nr - from) {
		if (pages_take(a, from, nr, &taken))
			return from;
		from += taken + 1;
	}
	return a->nr;
}

/* Of these, pages that dead processes were about to have; true if there are any. */
static bool scavenge(const struct arena *a, __u32 page, __u32 nr)
{
	__u32 known = 0, end = page + nr;
	bool is_any = false, is_alive = true;

	for (; page < end; page++) {
		__u32 word = load_relaxed(&a->words[page]), owner = INLAY_PAGE_OWNER(word);

		if (INLAY_PAGE_STATE(word) != INLAY_PAGE_TAKEN || !owner)
			continue;
		if (owner != known)
			is_alive = __inlay_owner_is_alive(owner);
		known = owner;
		if (!is_alive)
			is_any |= word_cas(&a->words[page], word, INLAY_PAGE_USED);
	}
	return is_any;
}

/* A search that is known to fail is made once in as many times as there are pages. */
static bool is_refused(const struct arena *a, __u32 nr)
{
	__u64 refused = load_relaxed(&a->header->refused);

	return (__u32)refused && (__u32)refused <= nr &&
	       refused >> 32 == load_relaxed(&a->header->frees) &&
	       load_relaxed(&a->header->refusals) % a->nr;
}

static __u32 pages_search(const struct arena *a, __u32 nr)
{
	__u32 frees = load_relaxed(&a->header->frees), page;
	__u64 next = load_relaxed(&a->header->next);

	if (is_refused(a, nr))
		return a->nr;
	if (next >= a->nr)
		next = 0;
	page = pages_find(a, (__u32)next, a->nr, nr);
	if (page == a->nr)
		page = pages_find(a, 0, (__u32)next, nr);
	if (page == a->nr && scavenge(a, 0, a->nr))
		page = pages_find(a, 0, a->nr, nr);
	if (page == a->nr)
		store_relaxed(&a->header->refused, (__u64)frees << 32 | nr);
	else
		store_relaxed(&a->header->next, (__u64)page + nr);
	return page;
}

/* ---- what is in them --------------------------------------------------------------------- */

/* The pages of a huge arena that are not reserved yet, see rt/huge.c. */
static bool is_backed(const struct arena *a, __u64 end)
{
	/* pairs with who reserves pages: they are there */
	__u64 reserved = load_acquire(&a->header->reserved);

	return !(a->desc->flags & INLAY_MAP_HUGE) || !reserved || end <= reserved;
}

static bool pages_back(const struct arena *a, __u32 page, __u32 nr)
{
	__u64 end = inlay_arena_pages_off(a->nr) + (__u64)(page + nr) * INLAY_PAGE_BYTES;

	return is_backed(a, end) || (__inlay_region_grow && __inlay_region_grow(a->region, end));
}

static void pages_show(const struct arena *a, __u32 page, __u32 nr)
{
	__u32 i;

	for (i = 0; i < nr; i++)
		if (load_relaxed(&a->words[page + i]) & INLAY_PAGE_USED)
			inlay_zero(page_at(a, page + i), INLAY_PAGE_BYTES);
	for (i = 0; i < nr; i++)
		/* release: the page is clear; pairs with who learns its address */
		store_release(&a->words[page + i], INLAY_PAGE_LIVE | INLAY_PAGE_USED);
}

/* ---- the kernel functions ---------------------------------------------------------------- */

/* The page at an address, by its low 32 bits; may be beyond the end. */
static __u32 page_of(const struct arena *a, __u64 address)
{
	return ((__u32)address - a->desc->value_stride) / INLAY_PAGE_BYTES;
}

static __u32 pages_new(const struct arena *a, __u64 address, __u32 nr)
{
	__u32 page = page_of(a, address), taken;

	if (!address)
		return pages_search(a, nr);
	if (address % INLAY_PAGE_BYTES || page > a->nr - nr)
		return a->nr;
	if (pages_take(a, page, nr, &taken) ||
	    (scavenge(a, page, nr) && pages_take(a, page, nr, &taken)))
		return page;
	return a->nr;
}

__s64 __inlay_bpf_arena_alloc_pages_v1(const struct inlay_map_desc *desc, __u64 address,
				       __u64 page_cnt, __u64 node, __u64 flags)
{
	__u32 nr = (__u32)page_cnt, page;
	struct arena a;

	(void)node; /* shared memory is where who touches it first is */
	if (!arena_init(&a, desc) || flags || !nr || nr > a.nr)
		return 0;
	do {
		a.owner = __inlay_owner();
		page = pages_new(&a, address, nr);
		if (page < a.nr && !pages_back(&a, page, nr)) {
			pages_give(&a, page, nr);
			page = a.nr;
		}
		/* a child of a signal handler that forked: these are its parent's */
	} while (page < a.nr && __inlay_owner() != a.owner);
	if (page == a.nr) {
		/* that others have the pages that it asks for is no want of space */
		if (!address)
			add_relaxed(&a.header->refusals, 1);
		return 0;
	}
	pages_show(&a, page, nr);
	return (__s64)(inlay_arena_address(desc->extra, desc->value_stride) +
		       (__u64)page * INLAY_PAGE_BYTES);
}

void __inlay_bpf_arena_free_pages_v1(const struct inlay_map_desc *desc, __u64 address,
				     __u64 page_cnt)
{
	__u32 nr = (__u32)page_cnt, page, i;
	struct arena a;

	if (!arena_init(&a, desc) || !address || !nr)
		return;
	page = page_of(&a, address);
	if (page >= a.nr)
		return;
	if (nr > a.nr - page)
		nr = a.nr - page;
	for (i = 0; i < nr; i++) {
		__u32 word = load_relaxed(&a.words[page + i]);

		if (INLAY_PAGE_STATE(word) == INLAY_PAGE_LIVE)
			word_cas(&a.words[page + i], word, INLAY_PAGE_USED);
	}
	add_relaxed(&a.header->frees, 1);
	if (load_relaxed(&a.header->next) > page)
		store_relaxed(&a.header->next, (__u64)page);
}
