/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LPM_TRIE against the kernel's: the same random operations, with prefixes of every length, bits
 * behind the prefix that must not count, and lengths that are too large.
 */
#include "map_kernel.h"

#include <time.h>
#include "skip.h"

enum { OPS = 1u << KOP_LOOKUP | 1u << KOP_UPDATE | 1u << KOP_DELETE, KEY_MAX = 260 };

static __s64 our_op(const struct inlay_map_desc *desc, enum kernel_op op, const void *key,
		    void *value, __u64 flags, bool is_inline)
{
	void *at;

	switch (op) {
	case KOP_UPDATE:
		return (is_inline ? __inlay_map_update_elem : __inlay_map_update_elem_v1)
			(desc, key, value, flags);
	case KOP_DELETE:
		return (is_inline ? __inlay_map_delete_elem : __inlay_map_delete_elem_v1)(desc, key);
	default:
		at = (is_inline ? __inlay_map_lookup_elem : __inlay_map_lookup_elem_v1)(desc, key);
		if (at)
			memcpy(value, at, desc->value_size);
		return at != NULL;
	}
}

/*
 * Few different bytes, so that prefixes cover each other; the tail is noise. Lengths from a few, so
 * that keys are met again.
 */
static void make_key(char *key, __u32 key_size, __u64 *seed)
{
	__u32 max = (key_size - 4) * 8, step = max / 9 ? max / 9 : 1, length, i;
	__u64 r = fixture_random(seed);

	switch (r % 16) {
	case 0:
		length = max + 1 + (__u32)(r >> 32) % 3;
		break;
	case 1:
		length = max;
		break;
	case 2:
		length = (__u32)(r >> 32) % (max + 1);
		break;
	default:
		length = (__u32)(r >> 32) % 9 * step;
	}
	if (r % 997 == 7)
		length = ~0u;
	memcpy(key, &length, 4);
	for (i = 4; i < key_size; i++)
		key[i] = (char)(length / 8 > i - 4 ? (fixture_random(seed) % 8 ? 0x5a : 0x5b)
						   : (char)fixture_random(seed));
}

static void compare_op(struct kernel_map *k, const struct inlay_map_desc *desc, enum kernel_op op,
		       __u64 flags, __u64 *seed)
{
	char key[KEY_MAX], ours[256] = { 0 }, theirs[256] = { 0 };
	__s64 a, b;
	__u32 i;

	make_key(key, desc->key_size, seed);
	for (i = 0; op == KOP_UPDATE && i < desc->value_size; i++)
		ours[i] = (char)fixture_random(seed);
	memcpy(theirs, ours, sizeof(ours));
	a = our_op(desc, op, key, ours, flags, fixture_random(seed) & 1);
	b = kmap_op(k, op, key, theirs, flags);
	if (a != b || memcmp(ours, theirs, desc->value_size)) {
		print_error("key %u value %u max %u: op %d length %u flags %#llx\n",
			    desc->key_size, desc->value_size, desc->max_entries, op,
			    *(__u32 *)(void *)key, (unsigned long long)flags);
		assert_int_equal(a, b);
		assert_memory_equal(ours, theirs, desc->value_size);
	}
}

static void differential(void **state)
{
	static const struct {
		__u32 key_size, value_size, max_entries;
	} sizes[] = { { 5, 1, 5 }, { 6, 4, 1 }, { 8, 8, 20 }, { 8, 8, 100 }, { 12, 24, 30 },
		      { 20, 8, 200 }, { 37, 5, 40 }, { 132, 100, 60 }, { 260, 9, 64 } };
	static const __u64 flags[] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 8, 1ull << 32, ~0ull };
	size_t s;

	(void)state;
	for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		__u64 seed = 99 + s;
		struct kernel_map k;
		struct fixture f;
		__u32 i;

		fixture_init(&f, INLAY_MAP_TYPE_LPM_TRIE, sizes[s].key_size, sizes[s].value_size,
			     sizes[s].max_entries);
		if (!kmap_open(&k, &f.desc, OPS))
			skip_because("no map of the kernel to compare with");
		for (i = 0; i < 3000; i++) {
			__u64 r = fixture_random(&seed), deletes = i / 400 % 2 ? 4 : 1;

			compare_op(&k, &f.desc,
				   r % 10 < deletes ? KOP_DELETE : r % 10 < 7 ? KOP_UPDATE : KOP_LOOKUP,
				   flags[(r >> 20) % (sizeof(flags) / sizeof(flags[0]))], &seed);
		}
		fixture_check(&f.desc, false);
		kmap_close(&k);
		fixture_fini(&f);
	}
}

/* Every length of a short and of the longest key, each found by a key that agrees so far and no further. */
static void every_length(void **state)
{
	static const __u32 key_sizes[] = { 5, 8, 20, 260 };
	size_t s;

	(void)state;
	for (s = 0; s < sizeof(key_sizes) / sizeof(key_sizes[0]); s++) {
		__u32 max = (key_sizes[s] - 4) * 8, length, i;
		char key[KEY_MAX], *found;
		struct fixture f;

		fixture_init(&f, INLAY_MAP_TYPE_LPM_TRIE, key_sizes[s], 4, max + 1);
		for (length = 0; length <= max; length++) {
			memset(key, 0xff, sizeof(key));
			memcpy(key, &length, 4);
			assert_int_equal(__inlay_map_update_elem(&f.desc, key, &length, 1), 0);
		}
		assert_int_equal(__inlay_map_update_elem(&f.desc, key, &length, 1), -INLAY_EEXIST);
		for (length = 0; length <= max; length++) {
			/* `length` ones, a zero, ones again */
			memset(key, 0xff, sizeof(key));
			memcpy(key, &max, 4);
			if (length < max)
				key[4 + length / 8] = (char)~(0x80u >> length % 8);
			found = __inlay_map_lookup_elem(&f.desc, key);
			assert_non_null(found);
			memcpy(&i, found, 4);
			assert_int_equal(i, length);
			/* asked for a shorter one, it does not answer with a longer one */
			memset(key, 0xff, sizeof(key));
			memcpy(key, &length, 4);
			found = __inlay_map_lookup_elem(&f.desc, key);
			assert_non_null(found);
			memcpy(&i, found, 4);
			assert_int_equal(i, length);
		}
		for (length = 0; length <= max; length++) {
			memset(key, 0xff, sizeof(key));
			memcpy(key, &length, 4);
			assert_int_equal(__inlay_map_delete_elem(&f.desc, key), 0);
			assert_int_equal(__inlay_map_delete_elem(&f.desc, key), -INLAY_ENOENT);
		}
		fixture_check(&f.desc, false);
		fixture_fini(&f);
	}
}

static void hostile_region(void **state)
{
	__u64 seed = 44, value[3] = { 0 };
	__u32 round, i;

	(void)state;
	for (round = 0; round < 200; round++) {
		struct fixture f;
		__u64 *words;
		size_t nr;

		fixture_init(&f, INLAY_MAP_TYPE_LPM_TRIE, round % 2 ? 8 : 260, 24,
			     1 + fixture_random(&seed) % 40);
		words = f.desc.region;
		nr = f.desc.region_bytes / 8;
		for (i = 0; i < nr; i++) {
			__u64 r = fixture_random(&seed);

			words[i] = round % 3 ? r % 8 == 0 ? r >> 8 : r % 60 | (r & 0xff00000000) : r;
		}
		for (i = 0; i < 100; i++) {
			char key[KEY_MAX];

			make_key(key, f.desc.key_size, &seed);
			words[fixture_random(&seed) % nr] = fixture_random(&seed);
			our_op(&f.desc, (enum kernel_op)(i % 3), key, value, 0, i & 1);
		}
		fixture_fini(&f);
	}
}

/* Before a map above 1 MiB has memory. */
/* Chains that go round, and lengths that nobody has: a lookup asks for few of them at length. */
static void hostile_lengths(void **state)
{
	enum { MAX = 1 << 16, LOOKUPS = 8 };
	struct fixture f;
	char key[KEY_MAX] = { 0 };
	struct timespec began, ended;
	struct inlay_hash_node *node;
	__u64 *lengths;
	__u32 i;

	(void)state;
	fixture_init(&f, INLAY_MAP_TYPE_LPM_TRIE, KEY_MAX, 8, MAX);
	node = inlay_hash_node(&f.desc, f.desc.region, 1);
	memset(node + 1, 0xff, KEY_MAX);
	node->next = 1;
	for (i = 0; i <= inlay_hash_mask(&f.desc); i++)
		*inlay_hash_bucket(&f.desc, f.desc.region, i) = 1;
	lengths = (__u64 *)((char *)f.desc.region + inlay_lpm_lengths_off(KEY_MAX, 8, MAX));
	memset(lengths, 0xff, 8 * inlay_lpm_length_words(KEY_MAX));
	*(__u32 *)(void *)key = 8 * (KEY_MAX - 4);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
	for (i = 0; i < LOOKUPS; i++)
		assert_null(__inlay_map_lookup_elem_v1(&f.desc, key));
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
	assert_in_range((ended.tv_sec - began.tv_sec) * 1000 +
			(ended.tv_nsec - began.tv_nsec) / 1000000, 0, 100 * LOOKUPS);
	fixture_fini(&f);
}

static void nothing_to_write_to(void **state)
{
	struct inlay_map_desc huge = { .type = INLAY_MAP_TYPE_LPM_TRIE, .key_size = 8,
				       .value_size = 8, .max_entries = 4, .flags = INLAY_MAP_HUGE };
	void *base = NULL;
	__u64 key = 8, value = 7;

	(void)state;
	huge.base = &base;
	assert_null(__inlay_map_lookup_elem(&huge, &key));
	assert_int_equal(__inlay_map_update_elem(&huge, &key, &value, 0), -INLAY_EBUSY);
	assert_int_equal(__inlay_map_delete_elem(&huge, &key), -INLAY_ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differential),
		cmocka_unit_test(every_length),
		cmocka_unit_test(hostile_region),
		cmocka_unit_test(hostile_lengths),
		cmocka_unit_test(nothing_to_write_to),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
