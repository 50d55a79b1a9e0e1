/* SPDX-License-Identifier: BSD-2-Clause */
/* What all parts of the contract use: versions, sizes, names of sections, owners, types of maps. */
#ifndef INLAY_ABI_BASE_H
#define INLAY_ABI_BASE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#ifdef __cplusplus
#define INLAY_STATIC_ASSERT(cond, msg) static_assert(cond, msg)
#else
#define INLAY_STATIC_ASSERT(cond, msg) _Static_assert(cond, msg)
#endif

#define INLAY_ABI_MAJOR 1
#define INLAY_ABI_MINOR 1 /* 1.1: inlay_segment.modules_off, INLAY_LINK_DOZING */

#define INLAY_PAGE_BYTES 4096u
/* A region above this size is not in the image; its base is loaded from a link-time slot. */
#define INLAY_LINK_REGION_MAX (1u << 20)
#define INLAY_HASH_BYTES 16u /* of the object hash; printed as 32 hex digits */
#define INLAY_NAME_BYTES 64u /* names in shared memory, NUL included; longer ones are cut */
#define INLAY_CACHELINE_BYTES 64u

/*
 * Section names in a target. The C-identifier ones get __start_/__stop_ symbols from the linker.
 *   inlay_objects  array of `const struct inlay_object_desc *`, retained
 *   inlay_sites    array of struct inlay_site, retained (early ones hold names, no address)
 *   inlay_skips    text, retained: places that a program names and where it is not, as four strings
 *                  each: probe object, program, function, reason
 *   .bss.inlay.*   zero regions, page aligned;  .data.inlay.*  initialised regions
 */
#define INLAY_SECTION_OBJECTS "inlay_objects"
#define INLAY_SECTION_SITES "inlay_sites"
#define INLAY_SECTION_SKIPS "inlay_skips"
#define INLAY_SECTION_BSS_PREFIX ".bss.inlay."
#define INLAY_SECTION_DATA_PREFIX ".data.inlay."

/*
 * Who has a node, a record, a page: bits 0..8 row in procs + 1, bits 9..28 the row's turn. 0: nobody that can be asked (a
 * process without a row; or a node that is known to be in a list).
 */
#define INLAY_OWNER_BITS 29
#define INLAY_OWNER_MASK ((1u << INLAY_OWNER_BITS) - 1)
#define INLAY_OWNER_ROW_MASK 0x1ffu
#define INLAY_OWNER_TURN_SHIFT 9

/* bpf_map_type numbers used here, so that nothing needs linux/bpf.h */
enum inlay_map_type {
	INLAY_MAP_TYPE_HASH = 1,
	INLAY_MAP_TYPE_ARRAY = 2,
	INLAY_MAP_TYPE_PERCPU_HASH = 5,
	INLAY_MAP_TYPE_PERF_EVENT_ARRAY = 4,
	INLAY_MAP_TYPE_PERCPU_ARRAY = 6,
	INLAY_MAP_TYPE_STACK_TRACE = 7,
	INLAY_MAP_TYPE_CGROUP_ARRAY = 8,
	INLAY_MAP_TYPE_LRU_HASH = 9,
	INLAY_MAP_TYPE_LRU_PERCPU_HASH = 10,
	INLAY_MAP_TYPE_LPM_TRIE = 11,
	INLAY_MAP_TYPE_ARRAY_OF_MAPS = 12,
	INLAY_MAP_TYPE_HASH_OF_MAPS = 13,
	INLAY_MAP_TYPE_QUEUE = 22,
	INLAY_MAP_TYPE_STACK = 23,
	INLAY_MAP_TYPE_RINGBUF = 27,
	INLAY_MAP_TYPE_BLOOM_FILTER = 30,
	INLAY_MAP_TYPE_USER_RINGBUF = 31,
	INLAY_MAP_TYPE_ARENA = 33,
};

/* Whether values are in shards behind a struct inlay_shard_value, a node of the region each. */
static inline int inlay_map_is_percpu_hash(__u32 type)
{
	return type == INLAY_MAP_TYPE_PERCPU_HASH || type == INLAY_MAP_TYPE_LRU_PERCPU_HASH;
}

static inline __u64 inlay_round_up(__u64 n, __u64 to)
{
	return (n + to - 1) / to * to;
}

#endif /* INLAY_ABI_BASE_H */
