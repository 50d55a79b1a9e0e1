/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues, stacks and bloom filters against the kernel's: the same operations given to both. Then
 * what the kernel cannot be asked: processes that die with a node in their hands, a hostile region.
 */
#include "map_kernel.h"

#include "rt/map_chain.h"
#include "rt/inlay_rt.h"
#include "skip.h"

enum { OPS = 1u << KOP_PUSH | 1u << KOP_POP | 1u << KOP_PEEK };

static __s64 our_op(const struct inlay_map_desc *desc, enum kernel_op op, void *value, __u64 flags)
{
	switch (op) {
	case KOP_PUSH:
		return __inlay_map_push_elem_v1(desc, value, flags);
	case KOP_POP:
		return __inlay_map_pop_elem_v1(desc, value);
	default:
		return __inlay_map_peek_elem_v1(desc, value);
	}
}

static void compare_op(struct kernel_map *k, const struct inlay_map_desc *desc, enum kernel_op op,
		       __u64 flags, __u64 *seed)
{
	static char ours[4096], theirs[4096];
	__s64 a, b;
	__u32 i;

	for (i = 0; i < desc->value_size; i++)
		ours[i] = (char)fixture_random(seed);
	memcpy(theirs, ours, sizeof(ours));
	a = our_op(desc, op, ours, flags);
	b = kmap_op(k, op, NULL, theirs, flags);
	if (a != b || memcmp(ours, theirs, desc->value_size)) {
		print_error("type %u value %u max %u: op %d flags %#llx\n", desc->type,
			    desc->value_size, desc->max_entries, op, (unsigned long long)flags);
		assert_int_equal(a, b);
		assert_memory_equal(ours, theirs, desc->value_size);
	}
}

static void run_differential(__u32 type, __u32 value_size, __u32 max_entries)
{
	static const __u64 flags[] = { 0, 0, 0, 0, 0, 2, 2, 2, 1, 3, 4, 5, 1ull << 32, ~0ull };
	__u64 seed = 77 + type * 977 + value_size * 7 + max_entries;
	struct kernel_map k;
	struct fixture f;
	__u32 i;

	fixture_init(&f, type, 0, value_size, max_entries);
	if (!kmap_open(&k, &f.desc, OPS))
		skip_because("no map of the kernel to compare with");
	for (i = 0; i < 2000; i++) {
		/* phases that fill it and phases that empty it */
		__u64 r = fixture_random(&seed), pops = i / 200 % 2 ? 6 : 2;

		compare_op(&k, &f.desc,
			   r % 10 < pops ? KOP_POP : r % 10 < 9 ? KOP_PUSH : KOP_PEEK,
			   flags[(r >> 20) % (sizeof(flags) / sizeof(flags[0]))], &seed);
	}
	for (i = 0; i <= max_entries; i++)
		compare_op(&k, &f.desc, KOP_POP, 0, &seed);
	fixture_check(&f.desc, false);
	kmap_close(&k);
	fixture_fini(&f);
}

static void differential(void **state)
{
	static const struct {
		__u32 value_size, max_entries;
	} sizes[] = { { 1, 1 }, { 3, 2 }, { 4, 5 }, { 8, 3 }, { 12, 64 }, { 100, 7 }, { 2500, 130 } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		run_differential(INLAY_MAP_TYPE_QUEUE, sizes[i].value_size, sizes[i].max_entries);
		run_differential(INLAY_MAP_TYPE_STACK, sizes[i].value_size, sizes[i].max_entries);
	}
}

/* As many elements as a hit ever walks past, with a push into the full map at each step. */
static void long_chain(void **state)
{
	enum { NR = 20000 };
	struct fixture f;
	__u64 i, v;

	(void)state;
	fixture_init(&f, INLAY_MAP_TYPE_QUEUE, 0, 8, NR);
	for (i = 0; i < NR; i++)
		assert_int_equal(__inlay_map_push_elem_v1(&f.desc, &i, 0), 0);
	assert_int_equal(__inlay_map_push_elem_v1(&f.desc, &i, 0), -INLAY_E2BIG);
	for (i = NR; i < 3 * NR; i++)
		assert_int_equal(__inlay_map_push_elem_v1(&f.desc, &i, INLAY_BPF_EXIST), 0);
	for (i = 2 * NR; i < 3 * NR; i++) {
		assert_int_equal(__inlay_map_pop_elem_v1(&f.desc, &v), 0);
		assert_int_equal(v, i);
	}
	assert_int_equal(__inlay_map_pop_elem_v1(&f.desc, &v), -INLAY_ENOENT);
	assert_int_equal(v, 0);
	fixture_check(&f.desc, false);
	fixture_fini(&f);
}

/* Nodes that the dead had taken come back, and elements that the dead had pushed stay. */
static void dead_owners(void **state)
{
	static struct fixture_procs procs;
	static const __u32 types[] = { INLAY_MAP_TYPE_QUEUE, INLAY_MAP_TYPE_STACK };
	size_t t;

	(void)state;
	for (t = 0; t < 2; t++) {
		struct inlay_hash_op op = { 0 };
		struct fixture f;
		__u64 i, v;

		memset(&procs, 0, sizeof(procs));
		fixture_procs = &procs;
		fixture_init(&f, types[t], 0, 8, 10);
		fixture_row = 3;
		for (i = 0; i < 4; i++)
			assert_int_equal(__inlay_map_push_elem_v1(&f.desc, &i, 0), 0);
		/* what the next three pushes would have done first */
		op.desc = &f.desc;
		op.region = f.desc.region;
		op.nodes = (char *)inlay_hash_node(&f.desc, op.region, 1);
		op.node_bytes = inlay_hash_node_bytes(0, 8, 0);
		op.nr_nodes = inlay_hash_nr_nodes(&f.desc);
		op.budget = 1000;
		op.owner = 4;
		for (i = 0; i < 3; i++)
			assert_true(__inlay_hash_take(&op, INLAY_HASH_MAIN) > 0);
		/* and a pop that marked its node, and was killed */
		i = *inlay_hash_bucket(&f.desc, op.region, 0) & INLAY_LINK_NODE;
		inlay_hash_node(&f.desc, op.region, (__u32)i)->next =
			inlay_link_marked(inlay_hash_node(&f.desc, op.region, (__u32)i)->next, 4,
					  INLAY_HASH_MAIN, 1);
		procs.is_dead[3] = 1;
		fixture_row = 5;
		assert_int_equal(fixture_count(&f.desc).dead_main, 4);
		for (i = 100; i < 107; i++)
			assert_int_equal(__inlay_map_push_elem_v1(&f.desc, &i, 0), 0);
		assert_int_equal(__inlay_map_push_elem_v1(&f.desc, &i, 0), -INLAY_E2BIG);
		fixture_check(&f.desc, true);
		assert_int_equal(fixture_count(&f.desc).dead_main, 0);
		for (i = 0; i < 10; i++) {
			static const __u64 queue[] = { 1, 2, 3, 100, 101, 102, 103, 104, 105, 106 };
			static const __u64 stack[] = { 106, 105, 104, 103, 102, 101, 100, 2, 1, 0 };

			assert_int_equal(__inlay_map_pop_elem_v1(&f.desc, &v), 0);
			assert_int_equal(v, t ? stack[i] : queue[i]);
		}
		assert_int_equal(__inlay_map_pop_elem_v1(&f.desc, &v), -INLAY_ENOENT);
		fixture_row = 0;
		fixture_procs = NULL;
		fixture_fini(&f);
	}
}

/* Random bytes in the region, also changing while it is used: wrong answers, no crash, no hang. */
static void hostile_region(void **state)
{
	__u64 seed = 43, value[3] = { 0 };
	__u32 round, i;

	(void)state;
	for (round = 0; round < 300; round++) {
		struct fixture f;
		__u64 *words;
		size_t nr;

		fixture_init(&f, round % 2 ? INLAY_MAP_TYPE_QUEUE : INLAY_MAP_TYPE_STACK, 0, 24,
			     1 + fixture_random(&seed) % 40);
		words = f.desc.region;
		nr = f.desc.region_bytes / 8;
		for (i = 0; i < nr; i++) {
			__u64 r = fixture_random(&seed);

			/* all bits, or small numbers that look like nodes */
			words[i] = round % 3 ? r % 8 == 0 ? r >> 8 : r % 60 | (r & 0xff00000000) : r;
		}
		for (i = 0; i < 200; i++) {
			words[fixture_random(&seed) % nr] = fixture_random(&seed) % 70;
			our_op(&f.desc, KOP_PUSH + i % 3, value, i % 4 ? 0 : INLAY_BPF_EXIST);
		}
		fixture_fini(&f);
	}
}

/* A map above 1 MiB before it has memory. */
static void nothing_to_write_to(void **state)
{
	struct inlay_map_desc huge = { .type = INLAY_MAP_TYPE_QUEUE, .value_size = 8,
				       .max_entries = 4, .flags = INLAY_MAP_HUGE };
	void *base = NULL;
	__u64 value = 7;

	(void)state;
	huge.base = &base;
	assert_int_equal(__inlay_map_push_elem_v1(&huge, &value, 0), -INLAY_EBUSY);
	assert_int_equal(__inlay_map_pop_elem_v1(&huge, &value), -INLAY_ENOENT);
	assert_int_equal(value, 0);
	huge.type = INLAY_MAP_TYPE_BLOOM_FILTER;
	assert_int_equal(__inlay_map_push_elem_v1(&huge, &value, 0), -INLAY_EBUSY);
	assert_int_equal(__inlay_map_peek_elem_v1(&huge, &value), -INLAY_ENOENT);
}

/* ---- Bloom filters ---------------------------------------------------------------------- */

/* What was added is found; of what was not, no more is found than in the kernel. */
static void bloom(void **state)
{
	static const struct {
		__u32 value_size, max_entries, nr_hashes;
	} sizes[] = { { 1, 1, 0 }, { 3, 8, 1 }, { 4, 100, 3 }, { 8, 500, 0 }, { 13, 300, 15 },
		      { 64, 200, 5 }, { 2000, 100, 7 } };
	size_t s;

	(void)state;
	for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		__u32 nr = sizes[s].max_entries, i, ours = 0, theirs = 0, asked = 0;
		static char value[4096];
		struct kernel_map k;
		struct fixture f;

		fixture_init(&f, INLAY_MAP_TYPE_BLOOM_FILTER, 0, sizes[s].value_size, nr);
		f.desc.extra = sizes[s].nr_hashes;
		assert_true(inlay_bloom_bytes(nr, f.desc.extra) <= f.desc.region_bytes);
		if (!kmap_open(&k, &f.desc, 1u << KOP_PUSH | 1u << KOP_PEEK))
			skip_because("no map of the kernel to compare with");
		for (i = 0; i < nr + 2000; i++) {
			__u64 seed = 1 + i, flags = i % 7 ? 0 : 1ull << i % 3;
			__u32 b;

			for (b = 0; b < sizes[s].value_size; b++)
				value[b] = (char)fixture_random(&seed);
			if (i < nr) {
				assert_int_equal(our_op(&f.desc, KOP_PUSH, value, flags),
						 kmap_op(&k, KOP_PUSH, NULL, value, flags));
				assert_int_equal(our_op(&f.desc, KOP_PUSH, value, 0), 0);
				assert_int_equal(kmap_op(&k, KOP_PUSH, NULL, value, 0), 0);
			}
			if (i < nr) {
				assert_int_equal(our_op(&f.desc, KOP_PEEK, value, 0), 0);
			} else {
				__s64 ret = our_op(&f.desc, KOP_PEEK, value, 0);

				assert_true(!ret || ret == -INLAY_ENOENT);
				asked++;
				ours += !ret;
				theirs += !kmap_op(&k, KOP_PEEK, NULL, value, 0);
			}
		}
		assert_int_equal(our_op(&f.desc, KOP_POP, value, 0), -INLAY_EOPNOTSUPP);
		/* the rates of two seeds, not of two sizes */
		if (sizes[s].value_size > 2)
			assert_true(ours <= theirs + theirs / 2 + asked / 50);
		kmap_close(&k);
		fixture_fini(&f);
	}
}

/* As many bits as the kernel takes: its code, written down (kernel/bpf/bloom_filter.c). */
static void bloom_sizes(void **state)
{
	(void)state;
	assert_int_equal(inlay_bloom_bytes(1, 0), 8);
	assert_int_equal(inlay_bloom_bytes(9, 5), 8);	/* 63 bits */
	assert_int_equal(inlay_bloom_bytes(10, 5), 16);	/* 70 */
	assert_int_equal(inlay_bloom_bytes(1000, 0), 1024);
	assert_int_equal(inlay_bloom_bytes(1000, 15), 4096); /* 21000 */
	assert_int_equal(inlay_bloom_bytes(1u << 28, 5), 1u << 28); /* 2^28 * 7 */
	assert_int_equal(inlay_bloom_bytes(306783378, 5), 1u << 28); /* 2^31 - 2 */
	assert_int_equal(inlay_bloom_bytes(306783379, 5), 1u << 29);
	assert_int_equal(inlay_bloom_bytes(~0u, 15), 1u << 29);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differential),
		cmocka_unit_test(long_chain),
		cmocka_unit_test(dead_owners),
		cmocka_unit_test(hostile_region),
		cmocka_unit_test(nothing_to_write_to),
		cmocka_unit_test(bloom_sizes),
		cmocka_unit_test(bloom),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
