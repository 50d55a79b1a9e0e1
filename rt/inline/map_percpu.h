/* SPDX-License-Identifier: BSD-2-Clause */
/* The calling thread's shard of a per-CPU map. */
#ifndef INLAY_RT_INLINE_MAP_PERCPU_H
#define INLAY_RT_INLINE_MAP_PERCPU_H

#include "rt/inline/map_access.h"

extern char *__inlay_shard_get_v1(const struct inlay_map_desc *desc);

/* NULL: no shard can be had, the hit is dropped (and counted by who refused it). */
INLAY_INLINE char *inlay_map_shard(const struct inlay_map_desc *desc)
{
	/*
	 * A signal handler may set the slot between two instructions, hence volatile. Not an atomic:
	 * clang reads those of pointers as numbers, and NULL is then tested for twice.
	 */
	char *shard = *(char *volatile *)desc->shard_slot();

	if (INLAY_UNLIKELY(!shard))
		shard = __inlay_shard_get_v1(desc);
	return shard;
}

/* One thread's value of a node of a PERCPU_HASH. */
INLAY_INLINE struct inlay_shard_value *inlay_map_shard_value(const struct inlay_map_desc *desc,
							     char *shard, __u32 node)
{
	__u64 bytes = sizeof(struct inlay_shard_value) + inlay_round_up(desc->value_size, 8);

	return (struct inlay_shard_value *)(shard + (node - 1) * bytes);
}

/*
 * The value of a node of generation gen, made zero if the shard last saw another one. A shard has
 * one writer, so nothing needs to be exclusive; a reader that finds the generation which the node
 * has also finds the cleared value (release; pairs with the acquire of `gen` in readers).
 */
INLAY_INLINE void *inlay_map_shard_value_at(const struct inlay_map_desc *desc, char *shard,
					    __u32 node, __u32 gen)
{
	struct inlay_shard_value *value = inlay_map_shard_value(desc, shard, node);

	if (INLAY_UNLIKELY(inlay_load(&value->gen) != gen)) {
		inlay_zero(value + 1, (__u32)inlay_round_up(desc->value_size, 8));
		inlay_store_release(&value->gen, gen);
	}
	return value + 1;
}

#endif /* INLAY_RT_INLINE_MAP_PERCPU_H */
