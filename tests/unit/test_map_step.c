/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every access to shared memory in a hash map operation as the place where something happens: there
 * the operation is abandoned for good, as a killed process leaves it, or another process (or a
 * signal handler of the same one) does a whole operation of its own. In between nothing of it can be
 * seen by anyone.
 *
 * The code under test is compiled with ThreadSanitizer's calls at atomics, and this file is what
 * they call: it does the access and counts it.
 *
 * Killed: nothing is lost or torn, and the survivor gets every node back. Interrupted: the two
 * results and the map are what one of the two orders gives.
 */
#include "map_fixture.h"

#include <setjmp.h>

enum { NR_KEYS = 4, MAX_ENTRIES = 3, STEPS_MAX = 5000 };

enum op { OP_ANY, OP_NOEXIST, OP_EXIST, OP_DELETE, OP_LOOKUP, OP_NR };
static const char *const op_names[OP_NR] = { "any", "noexist", "exist", "delete", "lookup" };

/* map_hooked.c: the inline lookup, compiled like the rest of what is tested */
void *hooked_lookup(const struct inlay_map_desc *desc, const void *key);

static int steps_left;
static void (*at_step)(void);	/* NULL: accesses are not counted */
static jmp_buf killed;
static struct fixture map;
static __u64 keys[NR_KEYS];	/* all in one bucket */

static __s64 run(enum op op, __u64 key, __u64 value)
{
	__u64 values[2] = { value, ~value };
	void *at;

	switch (op) {
	case OP_ANY:
	case OP_NOEXIST:
	case OP_EXIST:
		return __inlay_map_update_elem_v1(&map.desc, &key, values, (__u64)op);
	case OP_DELETE:
		return __inlay_map_delete_elem_v1(&map.desc, &key);
	default:
		at = hooked_lookup(&map.desc, &key);
		return at ? (__s64)*(__u64 *)at : 0;
	}
}

/* What an operation does to a key that has the value *at (0: absent). */
static __s64 model(enum op op, __u64 *at, __u64 value)
{
	switch (op) {
	case OP_ANY:
	case OP_NOEXIST:
	case OP_EXIST:
		if (op == OP_NOEXIST && *at)
			return -INLAY_EEXIST;
		if (op == OP_EXIST && !*at)
			return -INLAY_ENOENT;
		*at = value;
		return 0;
	case OP_DELETE:
		if (!*at)
			return -INLAY_ENOENT;
		*at = 0;
		return 0;
	default:
		return (__s64)*at;
	}
}

static void setup(__u32 nr_live)
{
	__u32 i;

	memset(map.desc.region, 0, map.desc.region_bytes);
	fixture_row = 0;
	for (i = 0; i < nr_live; i++)
		assert_int_equal(run(OP_NOEXIST, keys[i], i + 1), 0);
	/* some history: nodes that have been used before, free stacks that are not empty */
	assert_int_equal(run(OP_EXIST, keys[0], 1), 0);
	if (nr_live < MAX_ENTRIES) {
		assert_int_equal(run(OP_NOEXIST, keys[nr_live], 9), 0);
		assert_int_equal(run(OP_DELETE, keys[nr_live], 0), 0);
	}
}

static void step(void)
{
	void (*call)(void) = at_step;

	if (!call || steps_left-- > 0)
		return;
	at_step = NULL;
	call();
}

/*
 * What the compiler calls for atomics under -fsanitize=thread. Every order is made the strongest:
 * the test interleaves whole accesses, it does not look for missing barriers.
 */
#define HOOK_ACCESS(bits, type)                                                                  \
	type __tsan_atomic##bits##_load(const volatile type *p, int order);                      \
	type __tsan_atomic##bits##_load(const volatile type *p, int order)                       \
	{                                                                                        \
		(void)order;                                                                     \
		step();                                                                          \
		return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                     \
	}                                                                                        \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int order);                   \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int order)                    \
	{                                                                                        \
		(void)order;                                                                     \
		step();                                                                          \
		__atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                        \
	}                                                                                        \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, type old, type new,    \
							int order, int fail_order);              \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, type old, type new,    \
							int order, int fail_order)               \
	{                                                                                        \
		(void)order;                                                                     \
		(void)fail_order;                                                                \
		step();                                                                          \
		__atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		return old;                                                                      \
	}                                                                                        \
	type __tsan_atomic##bits##_fetch_add(volatile type *p, type v, int order);               \
	type __tsan_atomic##bits##_fetch_add(volatile type *p, type v, int order)                \
	{                                                                                        \
		(void)order;                                                                     \
		step();                                                                          \
		return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);                               \
	}                                                                                        \
	type __tsan_atomic##bits##_fetch_sub(volatile type *p, type v, int order);               \
	type __tsan_atomic##bits##_fetch_sub(volatile type *p, type v, int order)                \
	{                                                                                        \
		(void)order;                                                                     \
		step();                                                                          \
		return __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST);                               \
	}
HOOK_ACCESS(8, __u8)
HOOK_ACCESS(16, __u16)
HOOK_ACCESS(32, __u32)
HOOK_ACCESS(64, __u64)

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
	(void)order;
}

/* The operation, with what() called before its access number n; false: it has ended before. */
static bool run_until(enum op op, __u64 key, __u64 value, int n, void (*what)(void), __s64 *ret)
{
	bool is_interrupted;

	steps_left = n;
	at_step = what;
	*ret = run(op, key, value);
	is_interrupted = !at_step;
	at_step = NULL;
	return is_interrupted;
}

/* The survivor finds all but the one key as they were, and can use every node. */
static void check_after_death(enum op op, __u32 key, __u32 nr_live, int n)
{
	__u64 before = key < nr_live ? key + 1 : 0, after = before, now;
	__u32 i, round;

	fixture_check(&map.desc, true);
	model(op, &after, 100);
	now = (__u64)run(OP_LOOKUP, keys[key], 0);
	if (now != before && now != after)
		fail_msg("%s killed at %d: key has %llu", op_names[op], n,
			 (unsigned long long)now);
	for (i = 0; i < NR_KEYS; i++)
		if (i != key)
			assert_int_equal(run(OP_LOOKUP, keys[i], 0), i < nr_live ? i + 1 : 0);
	for (i = 0; i < 2 * INLAY_HASH_SPARES; i++)
		assert_int_equal(run(OP_ANY, keys[0], 1000 + i), 0);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < NR_KEYS; i++)
			run(OP_DELETE, keys[i], 0);
		for (i = 0; i < MAX_ENTRIES; i++)
			assert_int_equal(run(OP_NOEXIST, keys[(i + round) % NR_KEYS], 7), 0);
		assert_int_equal(run(OP_NOEXIST, keys[(i + round) % NR_KEYS], 7), -INLAY_E2BIG);
	}
	fixture_check(&map.desc, true);
	/* of the dead, only a spare may still be away: nobody has been short of those */
	assert_int_equal(fixture_count(&map.desc).leaked_main, 0);
}

static void die(void)
{
	longjmp(killed, 1);
}

static int kill_everywhere(enum op op, __u32 key, __u32 nr_live)
{
	volatile int n;
	__s64 ret;

	for (n = 0; n < STEPS_MAX; n++) {
		setup(nr_live);
		fixture_procs->is_dead[1] = 0;
		if (!setjmp(killed)) {
			fixture_row = 1;
			run_until(op, keys[key], 100, n, die, &ret);
			fixture_row = 0;
			return n;
		}
		fixture_row = 0;
		fixture_procs->is_dead[1] = 1;
		check_after_death(op, key, nr_live, n);
	}
	fail_msg("%s does not end", op_names[op]);
	return 0;
}

static void killed_at_every_access(void **state)
{
	static const struct {
		enum op op;
		__u32 key, nr_live;
	} cases[] = {
		{ OP_NOEXIST, 1, 1 }, { OP_NOEXIST, 2, 2 }, { OP_EXIST, 1, 3 }, { OP_EXIST, 0, 2 },
		{ OP_DELETE, 1, 3 }, { OP_DELETE, 0, 1 }, { OP_DELETE, 2, 3 }, { OP_ANY, 2, 3 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(kill_everywhere(cases[i].op, cases[i].key, cases[i].nr_live) > 10);
}

/* Operation a on key ka with b on kb between its instructions; the keys may be the same one. */
static enum op other_op;
static __u64 other_key;
static __s64 other_ret;
static __u32 other_row;

static void other(void)
{
	__u32 row = fixture_row;

	fixture_row = other_row;
	other_ret = run(other_op, other_key, 200);
	fixture_row = row;
}

static void interleave(enum op a, __u32 ka, enum op b, __u32 kb, __u32 nr_live)
{
	int n;

	other_op = b;
	other_key = keys[kb];
	for (n = 0; n < STEPS_MAX; n++) {
		__u64 ab[NR_KEYS], ba[NR_KEYS];
		__s64 a_first, b_second, b_first, a_second, ret_a, ret_b;
		bool is_ab, is_ba;
		__u32 i;

		setup(nr_live);
		fixture_row = 1;
		if (!run_until(a, keys[ka], 100, n, other, &ret_a))
			return;
		ret_b = other_ret;

		for (i = 0; i < NR_KEYS; i++)
			ab[i] = ba[i] = i < nr_live ? i + 1 : 0;
		a_first = model(a, &ab[ka], 100);
		b_second = model(b, &ab[kb], 200);
		b_first = model(b, &ba[kb], 200);
		a_second = model(a, &ba[ka], 100);
		is_ab = ret_a == a_first && ret_b == b_second;
		is_ba = ret_a == a_second && ret_b == b_first;
		for (i = 0; i < NR_KEYS; i++) {
			__u64 now = (__u64)run(OP_LOOKUP, keys[i], 0);

			is_ab = is_ab && now == ab[i];
			is_ba = is_ba && now == ba[i];
		}
		if (!is_ab && !is_ba)
			fail_msg("%s on key %u, %s on key %u after %d accesses, %u live: %lld %lld",
				 op_names[a], ka, op_names[b], kb, n, nr_live,
				 (long long)ret_a, (long long)ret_b);
		fixture_check(&map.desc, false);
	}
	fail_msg("%s does not end", op_names[a]);
}

static void interleaved_at_every_access(void **state)
{
	int a, b;

	(void)state;
	memset(fixture_procs, 0, sizeof(*fixture_procs));
	for (other_row = 1; other_row <= 2; other_row++)	/* a signal handler; a process */
	for (a = 0; a < OP_NR; a++)
		for (b = 0; b < OP_LOOKUP; b++) {
			interleave(a, 1, b, 1, 2);	/* the key is there, behind another */
			interleave(a, 1, b, 1, 1);	/* it is not */
			interleave(a, 1, b, 0, 2);	/* the other one is the node before */
		}
}

static int open_map(void **state)
{
	size_t bytes;
	__u64 key;
	int n = 0;

	(void)state;
	fixture_procs = (struct fixture_procs *)(fixture_pages(sizeof(*fixture_procs), &bytes) +
						 INLAY_PAGE_BYTES);
	fixture_init(&map, INLAY_MAP_TYPE_HASH, 8, 16, MAX_ENTRIES);
	for (key = 1; n < NR_KEYS; key++)
		if (!(inlay_hash_key(&key, 8) & inlay_hash_mask(&map.desc)))
			keys[n++] = key;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_every_access),
		cmocka_unit_test(interleaved_at_every_access),
	};

	return cmocka_run_group_tests(tests, open_map, NULL);
}
