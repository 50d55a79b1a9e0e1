/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_map_lookup_percpu_elem(): the value that another thread has. Processors are threads here, so
 * number n is the n-th shard of the map, in the order in which shards were made: a loop over
 * processors that adds up what they have adds up the threads, as long as it goes far enough.
 */
#include "rt/inlay_rt_internal.h"
#include "rt/map_hash.h"

static void *array_value(const struct inlay_map_desc *desc, const void *key, __u32 nr)
{
	__u32 index = inlay_array_index(key);
	char *shard;

	if (index >= desc->max_entries)
		return NULL;
	shard = __inlay_shard_nth(desc, nr);
	return shard ? shard + (__u64)index * desc->value_stride : NULL;
}

/*
 * The calling thread's value says which node and which generation it is. A thread that has not used
 * the key since it was inserted has no value of it: only the thread itself could make one.
 */
static void *hash_value(const struct inlay_map_desc *desc, const void *key, __u32 nr)
{
	__u64 stride = sizeof(struct inlay_shard_value) + inlay_round_up(desc->value_size, 8);
	char *own = inlay_map_shard(desc), *value, *shard;
	struct inlay_shard_value *theirs;
	__u64 off;
	__u32 gen;

	value = own ? __inlay_map_lookup_elem_v1(desc, key) : NULL;
	if (!value)
		return NULL;
	off = (__u64)(value - own) - sizeof(*theirs);
	gen = inlay_load(&((struct inlay_shard_value *)(own + off))->gen);
	shard = __inlay_shard_nth(desc, nr);
	if (!shard || off > desc->shard_bytes - stride)
		return NULL;
	theirs = (struct inlay_shard_value *)(shard + off);
	/* pairs with the release in inlay_map_shard_value_at(): the value was made zero before */
	return __atomic_load_n(&theirs->gen, __ATOMIC_ACQUIRE) == gen ? theirs + 1 : NULL;
}

void *__inlay_map_lookup_percpu_elem_v1(const struct inlay_map_desc *desc, const void *key,
					__u64 nr)
{
	/* the kernel's parameter has 32 bits */
	__u32 thread = (__u32)nr;

	/* who asks is one of the threads, whether it has counted or not */
	if (!(desc->flags & INLAY_MAP_PERCPU) || !inlay_map_shard(desc))
		return NULL;
	return desc->type == INLAY_MAP_TYPE_PERCPU_ARRAY ? array_value(desc, key, thread)
							 : hash_value(desc, key, thread);
}
