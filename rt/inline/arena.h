/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: from the address that a program has to the bytes, for each of its accesses.
 *
 * An address counts by its low 32 bits, as in the kernel, whatever a program has made of it. So an
 * access can mean anything, and is looked at each time: it is made if it lies in pages that are
 * allocated. The bounds are constants of the code; a hostile page table can only make accesses
 * happen or not.
 */
#ifndef INLAY_RT_INLINE_ARENA_H
#define INLAY_RT_INLINE_ARENA_H

#include "rt/inline/map_access.h"

INLAY_INLINE int inlay_page_is_live(const inlay_u32 *words, __u64 at)
{
	return INLAY_PAGE_STATE(inlay_load(&words[at / INLAY_PAGE_BYTES])) == INLAY_PAGE_LIVE;
}

/*
 * Where the `bytes` (a power of two up to 8) at `address` + `off` are, or NULL: not all of them are
 * there, or they should be aligned and are not (atomics).
 */
INLAY_INLINE void *inlay_arena_at(const struct inlay_map_desc *desc, __u64 address, __s64 off,
				  __u64 bytes, int is_aligned)
{
	__u64 base = desc->value_stride; /* the low half of the arena's address */
	__u64 size = (__u64)INLAY_PAGE_BYTES * desc->max_entries;
	/* below the arena: far above its end */
	__u64 at = (__u64)(__u32)address + (__u64)off - base, last = at + bytes - 1;
	char *region = inlay_map_region(desc);
	inlay_u32 *words = (inlay_u32 *)(region + sizeof(struct inlay_arena_header));

	if (INLAY_UNLIKELY(at > size - bytes) || (is_aligned && (at & (bytes - 1))))
		return 0;
	if ((desc->flags & INLAY_MAP_HUGE) && INLAY_UNLIKELY(!region))
		return 0;
	if (INLAY_UNLIKELY(!inlay_page_is_live(words, at)))
		return 0;
	/* across the end of a page: the next one, too */
	if (bytes > 1 && !is_aligned && INLAY_UNLIKELY(!inlay_page_is_live(words, last)))
		return 0;
	return region + inlay_arena_pages_off(desc->max_entries) + at;
}

#endif /* INLAY_RT_INLINE_ARENA_H */
