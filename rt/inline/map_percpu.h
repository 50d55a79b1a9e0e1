/* SPDX-License-Identifier: BSD-2-Clause */
/* The calling thread's shard of a per-CPU map. */
#ifndef INLAY_RT_INLINE_MAP_PERCPU_H
#define INLAY_RT_INLINE_MAP_PERCPU_H

#include "rt/inline/map_access.h"

extern char *__inlay_shard_get_v1(const struct inlay_map_desc *desc);

/*
 * __inlay_shard_get_v1() for code that must not pay for a call which is made once a thread: to
 * the compiler it is not a call, so a leaf function stays one, aligns no stack and saves no
 * register. The thunk (rt/shard_cold.c) keeps all general registers but rax; vector and mask
 * registers are clobbered, as the runtime may call libc. The red zone is stepped over. (gcc does not
 * take names of registers that its target lacks; code that it compiles is not inlined anywhere.)
 */
INLAY_INLINE char *inlay_shard_get_cold(const struct inlay_map_desc *desc)
{
#if defined(__x86_64__) && defined(__clang__)
	char *shard;

	__asm__ volatile("leaq -128(%%rsp), %%rsp\n\t"
			 "call __inlay_shard_get_cold_v1@PLT\n\t"
			 "leaq 128(%%rsp), %%rsp"
			 : "=a"(shard)
			 : "a"(desc)
			 : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
			   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
			   "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22",
			   "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30",
			   "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7");
	return shard;
#else
	return __inlay_shard_get_v1(desc);
#endif
}

/* NULL: no shard can be had, the hit is dropped (and counted by who refused it). */
INLAY_INLINE char *inlay_map_shard(const struct inlay_map_desc *desc)
{
	/*
	 * A signal handler may set the slot between two instructions, hence volatile. Not an atomic:
	 * clang reads those of pointers as numbers, and NULL is then tested for twice.
	 */
	char *shard = *(char *volatile *)desc->shard_slot();

	if (INLAY_UNLIKELY(!shard))
		shard = inlay_shard_get_cold(desc);
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
