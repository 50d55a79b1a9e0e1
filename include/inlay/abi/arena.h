/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions of arenas. */
#ifndef INLAY_ABI_ARENA_H
#define INLAY_ABI_ARENA_H

#include "inlay/abi/base.h"

/*
 * ARENA: the header, a __u32 a page, up to a page's end; then max_entries pages.
 *
 * A page's word: bits 0..1 its state, 3..31 who is about to have it (INLAY_OWNER_*), which counts
 * while it is TAKEN. Whoever allocates takes its pages by a compare-exchange each, clears them, and
 * makes them LIVE. What is not LIVE is not there for programs: loads give 0, stores do nothing.
 *
 * Programs use addresses that are the same in each process: inlay_arena_address() + offset in the
 * pages. Nothing has to be mapped there; who maps the pages there can follow pointers as they are.
 */
enum inlay_page_state {
	INLAY_PAGE_FREE = 0,
	INLAY_PAGE_TAKEN = 1,
	INLAY_PAGE_LIVE = 2,
};
#define INLAY_PAGE_STATE(word) ((word) & 3u)
#define INLAY_PAGE_USED 4u /* was LIVE once: may hold something */
#define INLAY_PAGE_OWNER_SHIFT 3
#define INLAY_PAGE_OWNER(word) ((__u32)(word) >> INLAY_PAGE_OWNER_SHIFT)

struct inlay_arena_header {
	__u64 next;		/* hint: pages below it are not free, mostly */
	__u64 refusals;		/* allocations that found no room */
	/* as in struct inlay_hash_header; the words and the last page are always there */
	__u64 reserved;
	__u64 refused;		/* bits 0..31 pages that were too many, 32..63 `frees` then */
	__u32 frees;		/* counts what might make room */
	__u32 pad0;
	__u64 pad1[3];
};
INLAY_STATIC_ASSERT(sizeof(struct inlay_arena_header) == 64, "inlay_arena_header layout");

/* What the pages of an arena start with that is not in the image: constant, bytes behind it. */
struct inlay_arena_start {
	__u64 bytes;
	/* ... */
};

#define INLAY_ARENA_MAX_PAGES (1u << 20) /* offsets have 32 bits */

/* Of the first page, for programs: `extra` and `value_stride` of a descriptor or of a row. */
static inline __u64 inlay_arena_address(__u32 extra, __u32 value_stride)
{
	return (__u64)extra << 32 | value_stride;
}

/* Where the pages begin in the region. */
static inline __u64 inlay_arena_pages_off(__u32 max_entries)
{
	return inlay_round_up(sizeof(struct inlay_arena_header) + 4ull * max_entries,
			      INLAY_PAGE_BYTES);
}

#endif /* INLAY_ABI_ARENA_H */
