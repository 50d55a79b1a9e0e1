/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map helpers: what bpf_map_lookup_elem(), bpf_map_update_elem() and bpf_map_delete_elem()
 * become. Each is one switch over the descriptor, which a constant descriptor folds away; an array
 * with a constant key folds to a link-time address. Changing a hash map stays a call: its code is
 * long, and gains nothing from being specialised.
 *
 * Results are the kernel's to the letter (kernel/bpf/arraymap.c and hashtab.c, as seen by a
 * program). Every function is async-signal-safe and waits for nobody.
 */
#ifndef INLAY_RT_INLINE_MAP_H
#define INLAY_RT_INLINE_MAP_H

#include "rt/inline/map_access.h"
#include "rt/inline/map_hash.h"
#include "rt/inline/map_of_maps.h"
#include "rt/inline/map_percpu.h"

extern __s64 __inlay_map_update_elem_v1(const struct inlay_map_desc *desc, const void *key,
					const void *value, __u64 flags);
extern __s64 __inlay_map_delete_elem_v1(const struct inlay_map_desc *desc, const void *key);

/* An array's index, read once: a key in a map may change while it is checked. */
INLAY_INLINE __u32 inlay_array_index(const void *key)
{
	return inlay_load((const inlay_u32 *)key);
}

INLAY_INLINE char *inlay_array_values(const struct inlay_map_desc *desc)
{
	if (desc->type == INLAY_MAP_TYPE_PERCPU_ARRAY)
		return inlay_map_shard(desc);
	return inlay_map_region(desc);
}

INLAY_INLINE void *inlay_array_lookup(const struct inlay_map_desc *desc, const void *key)
{
	__u32 index = inlay_array_index(key);
	char *values;

	if (index >= desc->max_entries)
		return 0;
	values = inlay_array_values(desc);
	/* what lies in the image is never NULL: only a base or a shard needs the test */
	if (desc->type == INLAY_MAP_TYPE_PERCPU_ARRAY || (desc->flags & INLAY_MAP_HUGE))
		if (INLAY_UNLIKELY(!values))
			return 0;
	return values + (__u64)index * desc->value_stride;
}

INLAY_INLINE __s64 inlay_array_update(const struct inlay_map_desc *desc, const void *key,
				      const void *value, __u64 flags)
{
	void *at;

	/* the order of the checks is what a caller with two mistakes sees */
	if ((flags & ~(__u64)INLAY_BPF_F_LOCK) > INLAY_BPF_EXIST)
		return -INLAY_EINVAL;
	if (inlay_array_index(key) >= desc->max_entries)
		return -INLAY_E2BIG;
	if (flags & INLAY_BPF_NOEXIST)
		return -INLAY_EEXIST;
	if ((flags & INLAY_BPF_F_LOCK) && !inlay_map_has_lock(desc))
		return -INLAY_EINVAL;
	if (desc->flags & INLAY_MAP_RODATA)
		return -INLAY_EPERM;
	at = inlay_array_lookup(desc, key);
	if (INLAY_UNLIKELY(!at))
		return -INLAY_EBUSY;
	if (inlay_map_has_lock(desc))
		inlay_value_update(desc, at, value, flags);
	else
		inlay_copy_in(at, value, desc->value_size);
	return 0;
}

INLAY_INLINE void *__inlay_map_lookup_elem(const struct inlay_map_desc *desc, const void *key)
{
	switch (desc->type) {
	case INLAY_MAP_TYPE_ARRAY:
	case INLAY_MAP_TYPE_PERCPU_ARRAY:
		return inlay_array_lookup(desc, key);
	case INLAY_MAP_TYPE_HASH:
	case INLAY_MAP_TYPE_PERCPU_HASH:
	case INLAY_MAP_TYPE_LRU_HASH:
	case INLAY_MAP_TYPE_LRU_PERCPU_HASH:
		return inlay_hash_lookup(desc, key);
	case INLAY_MAP_TYPE_LPM_TRIE:
	case INLAY_MAP_TYPE_HASH_OF_MAPS:
		return __inlay_map_lookup_elem_v1(desc, key);
	case INLAY_MAP_TYPE_ARRAY_OF_MAPS:
		return inlay_array_of_maps_lookup(desc, key);
	}
	return 0;
}

INLAY_INLINE __s64 __inlay_map_update_elem(const struct inlay_map_desc *desc, const void *key,
					   const void *value, __u64 flags)
{
	switch (desc->type) {
	case INLAY_MAP_TYPE_ARRAY:
	case INLAY_MAP_TYPE_PERCPU_ARRAY:
		return inlay_array_update(desc, key, value, flags);
	}
	if (inlay_hash_has_words(desc))
		return inlay_hash_update_word(desc, key, value, flags);
	return __inlay_map_update_elem_v1(desc, key, value, flags);
}

INLAY_INLINE __s64 __inlay_map_delete_elem(const struct inlay_map_desc *desc, const void *key)
{
	switch (desc->type) {
	case INLAY_MAP_TYPE_ARRAY:
	case INLAY_MAP_TYPE_PERCPU_ARRAY:
		return -INLAY_EINVAL;
	}
	if (inlay_hash_has_words(desc))
		return inlay_hash_delete_word(desc, key);
	return __inlay_map_delete_elem_v1(desc, key);
}

#endif /* INLAY_RT_INLINE_MAP_H */
