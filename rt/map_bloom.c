/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bloom filters: bits that only go on. As many of them, and as many a value, as in the kernel's;
 * which ones differs, so that other values are found although they were never added.
 *
 * One hash of the value is enough, of 64 bits, from which a multiplication each makes the numbers
 * of the bits: two values with one hash are rarer than a filter that is too full by far.
 */
#include "rt/inline/map.h"
#include "rt/inlay_rt_internal.h"
#include "rt/map_bloom.h"

struct bloom {
	__u64 *words;
	__u64 hash;
	__u64 mask;	/* number of bits - 1 */
	__u32 nr_hashes;
};

static bool bloom_init(struct bloom *bloom, const struct inlay_map_desc *desc, const void *value)
{
	__u64 h = inlay_hash_start(desc->value_size);
	__u32 i;

	bloom->words = (__u64 *)inlay_map_region(desc);
	bloom->nr_hashes = desc->extra ? desc->extra : INLAY_BLOOM_HASHES;
	/* a power of two: where it is more than a page, no page is filled up */
	bloom->mask = 8 * (desc->region_bytes > INLAY_PAGE_BYTES ?
				   desc->region_bytes :
				   inlay_bloom_bytes(desc->max_entries, desc->extra)) - 1;
	for (i = 0; 8ull * i < desc->value_size; i++)
		h = inlay_hash_add(h, inlay_any_word(value, desc->value_size, i));
	bloom->hash = h;
	return bloom->words;
}

static __u64 bloom_bit(const struct bloom *bloom, __u32 i)
{
	return inlay_hash_fold(bloom->hash ^ (i + 1) * 0x9e3779b97f4a7c15ull,
			       0xd6e8feb86659fd93ull) &
	       bloom->mask;
}

__s64 __inlay_bloom_push(const struct inlay_map_desc *desc, const void *value, __u64 flags)
{
	struct bloom bloom;
	__u32 i;

	if (flags != INLAY_BPF_ANY)
		return -INLAY_EINVAL;
	if (!bloom_init(&bloom, desc, value))
		return -INLAY_EBUSY;
	for (i = 0; i < bloom.nr_hashes; i++) {
		__u64 bit = bloom_bit(&bloom, i);
		__u64 *word = &bloom.words[bit / 64];

		/* most are on already where a value comes again: no cache line changes hands */
		if (!(inlay_load(word) >> bit % 64 & 1))
			__atomic_fetch_or(word, 1ull << bit % 64, __ATOMIC_RELAXED);
	}
	return 0;
}

__s64 __inlay_bloom_peek(const struct inlay_map_desc *desc, const void *value)
{
	struct bloom bloom;
	__u32 i;

	if (!bloom_init(&bloom, desc, value))
		return -INLAY_ENOENT;
	for (i = 0; i < bloom.nr_hashes; i++) {
		__u64 bit = bloom_bit(&bloom, i);

		if (!(inlay_load(&bloom.words[bit / 64]) >> bit % 64 & 1))
			return -INLAY_ENOENT;
	}
	return 0;
}
