/* SPDX-License-Identifier: BSD-2-Clause */
/* How large the regions and shards of all types of maps are, and the layout of the simple ones. */
#ifndef INLAY_ABI_MAP_H
#define INLAY_ABI_MAP_H

#include "inlay/abi/base.h"
#include "inlay/abi/arena.h"
#include "inlay/abi/hash.h"
#include "inlay/abi/ring.h"

/*
 * ARRAY and globals: values only, value i at i * value_stride.
 * PERCPU_ARRAY: no region; a shard is laid out as an ARRAY's region.
 *
 * ARRAY_OF_MAPS, HASH_OF_MAPS: an ARRAY or HASH of __u32: 0, or 1 + the index of a map of the same object
 * (inlay_map_desc.inner).
 *
 * BLOOM_FILTER: bits, as many as inlay_bloom_bytes() says. CGROUP_ARRAY: a __u64 an entry, the id of a
 * cgroup as bpf_get_current_cgroup_id() gives it, 0: none.
 */
#define INLAY_BLOOM_HASHES 5u /* where map_extra says none */

/* Bytes of a bloom filter's bits, a power of two; as many bits as the kernel takes. */
static inline __u64 inlay_bloom_bytes(__u32 max_entries, __u32 nr_hashes)
{
	/* log(2) of a bit an entry and hash function is best, and 7 / 5 is about 1 / log(2) */
	__u64 bits = (__u64)max_entries * (nr_hashes ? nr_hashes : INLAY_BLOOM_HASHES) / 5, n = 64;

	if (bits > (1ull << 31) / 7)
		return 1ull << 29;
	for (bits *= 7; n < bits; n *= 2)
		;
	return n / 8;
}

/*
 * Bytes of a map's region in whole pages, and of one shard. 0 where there is none. The caller has
 * checked the sizes: key_size <= 512, value_size <= 32 MiB, max_entries <= 2^30. `extra` is
 * inlay_map_desc.extra.
 */
static inline __u64 inlay_map_region_bytes_extra(__u32 type, __u32 key_size, __u32 value_size,
						 __u32 max_entries, __u32 extra)
{
	__u64 n = 0;

	switch (type) {
	case INLAY_MAP_TYPE_ARRAY:
	case INLAY_MAP_TYPE_ARRAY_OF_MAPS:
		n = inlay_round_up(value_size, 8) * max_entries;
		break;
	case INLAY_MAP_TYPE_CGROUP_ARRAY:
		n = 8ull * max_entries;
		break;
	case INLAY_MAP_TYPE_HASH:
	case INLAY_MAP_TYPE_PERCPU_HASH:
	case INLAY_MAP_TYPE_LRU_HASH:
	case INLAY_MAP_TYPE_LRU_PERCPU_HASH:
	case INLAY_MAP_TYPE_HASH_OF_MAPS:
	case INLAY_MAP_TYPE_QUEUE:
	case INLAY_MAP_TYPE_STACK:
	case INLAY_MAP_TYPE_LPM_TRIE:
	case INLAY_MAP_TYPE_STACK_TRACE:
		n = inlay_hash_hints_off(max_entries,
					 inlay_hash_node_bytes(key_size, value_size,
							       inlay_map_is_percpu_hash(type))) +
		    inlay_hash_hint_bytes(max_entries);
		if (type == INLAY_MAP_TYPE_LPM_TRIE)
			n += 8ull * inlay_lpm_length_words(key_size);
		break;
	case INLAY_MAP_TYPE_BLOOM_FILTER:
		n = inlay_bloom_bytes(max_entries, extra);
		break;
	case INLAY_MAP_TYPE_RINGBUF:
	case INLAY_MAP_TYPE_USER_RINGBUF:
		n = inlay_ring_region_bytes(max_entries);
		break;
	case INLAY_MAP_TYPE_PERF_EVENT_ARRAY:
		n = inlay_ring_region_bytes(extra ? extra : INLAY_PERF_RING_BYTES);
		break;
	case INLAY_MAP_TYPE_ARENA:
		n = inlay_arena_pages_off(max_entries) + (__u64)INLAY_PAGE_BYTES * max_entries;
		break;
	}
	return inlay_round_up(n, INLAY_PAGE_BYTES);
}

static inline __u64 inlay_map_region_bytes(__u32 type, __u32 key_size, __u32 value_size,
					   __u32 max_entries)
{
	return inlay_map_region_bytes_extra(type, key_size, value_size, max_entries, 0);
}

static inline __u64 inlay_map_shard_bytes(__u32 type, __u32 value_size, __u32 max_entries)
{
	__u64 v = inlay_round_up(value_size, 8);

	if (type == INLAY_MAP_TYPE_PERCPU_ARRAY)
		return v * max_entries;
	if (inlay_map_is_percpu_hash(type))
		return (v + sizeof(struct inlay_shard_value)) *
		       ((__u64)max_entries + INLAY_HASH_SPARES);
	return 0;
}

#endif /* INLAY_ABI_MAP_H */
