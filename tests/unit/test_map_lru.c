/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LRU maps that are full. Which key goes is not the kernel's choice, so what is checked is what any good
 * choice keeps: no insert is refused, the map has max_entries keys and each once, a new key is there, and
 * keys that were used outlive those that were not. And, as in test_map_step.c, an insert that is
 * abandoned before each of its accesses to shared memory loses no more than the key that had to go.
 */
#include "map_fixture.h"
#include "map_hooks.h"

#include "rt/inline/map_each.h"

enum { STEPS_MAX = 20000 };

static int steps_left;
static void (*at_step)(void);	/* NULL: it is killed there */
static jmp_buf killed;
static struct fixture map;

void hook_before(const volatile void *p)
{
	if (!steps_left || p == &__inlay_process_v1.owner || --steps_left)
		return;
	if (!at_step)
		longjmp(killed, 1);
	at_step();
}

void hook_saw(__u64 value)
{
	(void)value;
}

static __s64 put(__u64 key, __u64 value, __u64 flags)
{
	__u64 words[2] = { value, ~value };

	return __inlay_map_update_elem_v1(&map.desc, &key, words, flags);
}

static __u64 get(__u64 key)
{
	__u64 *at = __inlay_map_lookup_elem_v1(&map.desc, &key);

	if (at)
		assert_int_equal(at[0], ~at[1]);
	return at ? at[0] : 0;
}

/* Each key of the map once; their number. */
static __u32 nr_each(void)
{
	struct inlay_map_each each = { 0 };
	__u64 seen[256], key;
	__u32 index, nr = 0, i;

	while (__inlay_map_each(&map.desc, &each, &index)) {
		key = *(const __u64 *)each.key;
		for (i = 0; i < nr; i++)
			assert_int_not_equal(seen[i], key);
		assert_true(nr < 256);
		seen[nr++] = key;
	}
	return nr;
}

static void no_insert_is_refused(void **state)
{
	static const __u32 types[] = { INLAY_MAP_TYPE_LRU_HASH, INLAY_MAP_TYPE_LRU_PERCPU_HASH };
	__u64 seed = 7, key;
	__u32 t, max, i;

	(void)state;
	for (t = 0; t < 2; t++)
		for (max = 1; max < 100; max += max / 2 + 1) {
			fixture_init(&map, types[t], 8, 16, max);
			for (i = 0; i < 2000; i++) {
				key = 1 + fixture_random(&seed) % (3 * max);
				switch (fixture_random(&seed) % 8) {
				case 0:
					__inlay_map_delete_elem_v1(&map.desc, &key);
					assert_int_equal(get(key), 0);
					break;
				case 1:
				case 2:
					get(key);
					break;
				default:
					assert_int_equal(put(key, key + 5, INLAY_BPF_ANY), 0);
					assert_int_equal(get(key), key + 5);
				}
				if (i % 50 == 0)
					assert_int_equal(nr_each(), fixture_count(&map.desc).live);
			}
			for (key = 1; key <= 3 * max; key++)
				assert_int_equal(put(key, key, INLAY_BPF_ANY), 0);
			assert_int_equal(nr_each(), max);
			fixture_check(&map.desc, false);
			fixture_fini(&map);
		}
}

static void what_is_used_stays(void **state)
{
	__u64 key;
	int round;

	(void)state;
	fixture_init(&map, INLAY_MAP_TYPE_LRU_HASH, 8, 16, 64);
	for (key = 1; key <= 64; key++)
		assert_int_equal(put(key, key, INLAY_BPF_NOEXIST), 0);
	/* the even ones are looked up again and again, the first two are updated */
	for (round = 0; round < 40; round++) {
		for (key = 2; key <= 64; key += 2)
			assert_int_equal(get(key), key);
		assert_int_equal(put(2, 2, INLAY_BPF_EXIST), 0);
		for (key = 0; key < 16; key++)
			assert_int_equal(put(1000 + 16 * (__u64)round + key, 1, INLAY_BPF_NOEXIST), 0);
		/* going through it is no use */
		assert_int_equal(nr_each(), 64);
	}
	for (key = 1; key <= 64; key++)
		assert_int_equal(get(key), key % 2 ? 0 : key);
	fixture_check(&map.desc, false);
	/* all are used: one of them goes */
	for (key = 1; key <= 64; key++)
		get(key);
	assert_int_equal(put(5000, 5, INLAY_BPF_ANY), 0);
	assert_int_equal(get(5000), 5);
	fixture_fini(&map);
}

/* The value of a thread that had counted for the key that went is not the new key's. */
static void shards_start_at_zero(void **state)
{
	__u64 key, *v;

	(void)state;
	fixture_init(&map, INLAY_MAP_TYPE_LRU_PERCPU_HASH, 8, 16, 4);
	for (key = 1; key <= 40; key++) {
		assert_int_equal(put(key, key, INLAY_BPF_ANY), 0);
		fixture_thread = 1;
		fixture_slot = NULL;
		v = __inlay_map_lookup_elem(&map.desc, &key);
		assert_non_null(v);
		assert_int_equal(*v, 0);
		*v = 77;
		fixture_thread = 0;
		fixture_slot = NULL;
		assert_int_equal(get(key), key);
	}
	fixture_check(&map.desc, false);
	fixture_fini(&map);
}

/* Insert of a new key, or update of one that is there, into a full map without spares to be had. */
static int kill_everywhere(__u64 key)
{
	volatile int n;
	__u64 i, nr;
	__u32 lost;

	for (n = 1; n < STEPS_MAX; n++) {
		memset(map.desc.region, 0, map.desc.region_bytes);
		fixture_forget();
		fixture_procs->is_dead[1] = 0;
		for (i = 1; i <= 6; i++)
			assert_int_equal(put(i, i, INLAY_BPF_NOEXIST), 0);
		get(4);
		fixture_row = 1;
		fixture_forget();
		if (!setjmp(killed)) {
			steps_left = n;
			assert_int_equal(put(key, 100, INLAY_BPF_ANY), 0);
			steps_left = 0;
			fixture_row = 0;
			return n;
		}
		fixture_row = 0;
		fixture_forget();
		fixture_procs->is_dead[1] = 1;
		fixture_check(&map.desc, true);
		for (lost = 0, i = 1; i <= 6; i++)
			if (i != key && get(i) != i)
				lost++;
		/* no more than the one that had to go, and not the one that was used */
		assert_true(lost <= (key > 6));
		assert_int_equal(get(4), key == 4 && get(4) == 100 ? 100 : 4);
		nr = get(key);
		assert_true(nr == 0 || nr == 100 || nr == key);
		/* the hand comes round, and all is there again */
		for (i = 0; i < 4 * inlay_hash_nr_nodes(&map.desc); i++)
			assert_int_equal(put(1000 + i, i, INLAY_BPF_ANY), 0);
		assert_int_equal(nr_each(), 6);
		fixture_check(&map.desc, true);
		assert_int_equal(fixture_count(&map.desc).dead_main, 0);
		assert_int_equal(fixture_count(&map.desc).dead_spare, 0);
	}
	fail_msg("it does not end");
	return 0;
}

static void killed_at_every_access(void **state)
{
	size_t bytes;

	(void)state;
	fixture_procs = (struct fixture_procs *)(fixture_pages(sizeof(*fixture_procs), &bytes) +
						 INLAY_PAGE_BYTES);
	fixture_init(&map, INLAY_MAP_TYPE_LRU_HASH, 8, 16, 6);
	assert_true(kill_everywhere(7) > 30);
	assert_true(kill_everywhere(3) > 10);
	fixture_fini(&map);
	fixture_procs = NULL;
}

/* Whoever is killed with a node in his hands costs no living key, however often: its node is looked for. */
static void dead_go_before_keys(void **state)
{
	volatile int n;
	volatile bool is_over = false;
	__u64 key;
	size_t bytes;

	(void)state;
	fixture_procs = (struct fixture_procs *)(fixture_pages(sizeof(*fixture_procs), &bytes) +
						 INLAY_PAGE_BYTES);
	fixture_init(&map, INLAY_MAP_TYPE_LRU_HASH, 8, 16, 6);
	for (key = 1; key <= 3; key++)
		assert_int_equal(put(key, key, INLAY_BPF_NOEXIST), 0);
	for (n = 1; !is_over && n < STEPS_MAX; n++) {
		fixture_procs->is_dead[1] = 0;
		fixture_row = 1;
		fixture_forget();
		if (!setjmp(killed)) {
			steps_left = n;
			assert_int_equal(put(100, 100, INLAY_BPF_ANY), 0);
			is_over = true;
		}
		steps_left = 0;
		fixture_row = 0;
		fixture_forget();
		fixture_procs->is_dead[1] = 1;
		key = 100;
		__inlay_map_delete_elem_v1(&map.desc, &key);
		/* now there is room for just so many */
		for (key = 4; key <= 6; key++)
			assert_int_equal(put(key, key, INLAY_BPF_NOEXIST), 0);
		for (key = 1; key <= 6; key++)
			assert_int_equal(get(key), key);
		for (key = 4; key <= 6; key++)
			assert_int_equal(__inlay_map_delete_elem_v1(&map.desc, &key), 0);
	}
	assert_true(is_over && n > 10);
	fixture_fini(&map);
	fixture_procs = NULL;
}

static __u64 neighbour;

static void neighbour_goes(void)
{
	assert_int_equal(__inlay_map_delete_elem_v1(&map.desc, &neighbour), 0);
}

/*
 * The key that has to go is at the end of a long chain, which changes in front of it: the walk that
 * makes sure that its node is off needs as many steps as the one that found it.
 */
static void long_chain(void **state)
{
	enum { MAX = 4096, LONG = 2100, LAST_STEPS = 60 };
	static __u64 keys[MAX + 1];
	int left, nr_steps = INT32_MAX;
	__u64 key = 0;
	__u32 nr = 0, bucket, mask;

	(void)state;
	fixture_init(&map, INLAY_MAP_TYPE_LRU_HASH, 8, 16, MAX);
	mask = inlay_hash_mask(&map.desc);
	bucket = inlay_hash_key(&key, 8) & mask;
	for (; nr <= MAX; key++)
		if ((nr < LONG) == ((inlay_hash_key(&key, 8) & mask) == bucket))
			keys[nr++] = key;
	neighbour = keys[LONG - 2];
	for (left = 0; left <= LAST_STEPS; left++) {
		memset(map.desc.region, 0, map.desc.region_bytes);
		fixture_forget();
		for (nr = 0; nr < MAX; nr++)
			assert_int_equal(put(keys[nr], nr, INLAY_BPF_NOEXIST), 0);
		((struct inlay_hash_header *)map.desc.region)->hand = LONG - 1;
		steps_left = nr_steps - left;
		at_step = neighbour_goes;
		assert_int_equal(put(keys[MAX], 1, INLAY_BPF_NOEXIST), 0);
		if (!left) /* which counts them */
			nr_steps -= steps_left;
		else
			assert_int_equal(steps_left, 0);
		steps_left = 0;
		fixture_check(&map.desc, false);
	}
	at_step = NULL;
	fixture_fini(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_insert_is_refused),
		cmocka_unit_test(what_is_used_stays),
		cmocka_unit_test(shards_start_at_zero),
		cmocka_unit_test(long_chain),
		cmocka_unit_test(killed_at_every_access),
		cmocka_unit_test(dead_go_before_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
