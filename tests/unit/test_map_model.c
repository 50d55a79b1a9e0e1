/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps in every order of events (map_explore.h). When nobody is left, nothing is lost, the
 * map is what some order of the operations gives, with those of the killed done or not, and one
 * more process can fill the map to its last entry.
 */
#include "map_explore.h"

enum op { OP_ANY, OP_NOEXIST, OP_EXIST, OP_DELETE };
static const char *const names[] = { "any", "noexist", "exist", "delete" };

static __s64 run(enum op op, __u64 key, __u64 value)
{
	__u64 values[2] = { value, ~value };

	if (op == OP_DELETE)
		return __inlay_map_delete_elem_v1(&map.desc, &key);
	return __inlay_map_update_elem_v1(&map.desc, &key, values, (__u64)op);
}

static __u64 lookup(__u64 key)
{
	__u64 *at = __inlay_map_lookup_elem_v1(&map.desc, &key);

	if (at)
		assert_int_equal(at[0], ~at[1]);
	return at ? at[0] : 0;
}

static __s64 actor_do(const struct actor *actor)
{
	return run((enum op)actor->op, keys[actor->key], 100 + (__u64)(actor - actors));
}

/* ---- What must hold at the end ---------------------------------------------------------- */

/* Does what an operation does to a key that has the value *at (0: absent). */
static __s64 model(enum op op, __u64 *at, __u64 value)
{
	if (op == OP_NOEXIST && *at)
		return -INLAY_EEXIST;
	if ((op == OP_EXIST || op == OP_DELETE) && !*at)
		return -INLAY_ENOENT;
	*at = op == OP_DELETE ? 0 : value;
	return 0;
}

/*
 * Actors done[0..n) in this order, of which the killed may be left out. A refusal for want of a node is
 * always good: somebody else may have had it in his hands.
 */
static bool is_order(const int *order, int nr, unsigned int left_out, const __u64 *now)
{
	__u64 values[NR_KEYS];
	int i;

	for (i = 0; i < NR_KEYS; i++)
		values[i] = (__u32)i < example->nr_live ? (__u64)i + 1 : 0;
	for (i = 0; i < nr; i++) {
		const struct actor *actor = &actors[order[i]];
		__s64 ret;

		if (actor->fate == DEAD) {
			if (!(left_out >> order[i] & 1))
				model(actor->op, &values[actor->key], 100 + (__u64)order[i]);
			continue;
		}
		if (actor->ret == -INLAY_E2BIG || actor->ret == -INLAY_EBUSY)
			continue;
		ret = model(actor->op, &values[actor->key], 100 + (__u64)order[i]);
		if (ret != actor->ret)
			return false;
	}
	return !memcmp(values, now, sizeof(values));
}

static bool is_any_order(const __u64 *now)
{
	static const int orders[6][NR_ACTORS] = { { 0, 1, 2 }, { 1, 0, 2 }, { 0, 2, 1 },
						  { 2, 0, 1 }, { 1, 2, 0 }, { 2, 1, 0 } };
	unsigned int left_out;
	int i;

	for (i = 0; i < (example->nr == 2 ? 2 : 6); i++)
		for (left_out = 0; left_out < 1u << example->nr; left_out++)
			if (is_order(orders[i], example->nr, left_out, now))
				return true;
	return false;
}

/* All capacity can be had. A search for the dead's nodes is made once in nr_nodes refusals. */
static void check_capacity(void)
{
	__u32 nr_nodes = inlay_hash_nr_nodes(&map.desc), i, tries;
	struct fixture_census c;

	for (i = 0; i < NR_KEYS; i++)
		run(OP_DELETE, keys[i], 0);
	for (i = 0; i < map.desc.max_entries; i++) {
		__s64 err = -1;

		for (tries = 0; tries <= nr_nodes && err; tries++)
			err = run(OP_NOEXIST, keys[i], 7);
		if (err)
			report("capacity is lost");
	}
	for (tries = 0; tries <= nr_nodes; tries++)
		if (run(OP_NOEXIST, keys[i], 7) != -INLAY_E2BIG)
			report("a node too many");
	c = fixture_count(&map.desc);
	if (c.live != map.desc.max_entries || c.free_main || c.free_spare != INLAY_HASH_SPARES ||
	    c.hidden || c.lost || c.dead_main || c.dead_spare || c.twice)
		report("not all nodes came back");
	for (i = 0; i < map.desc.max_entries; i++)
		if (run(OP_EXIST, keys[i], 8) || lookup(keys[i]) != 8)
			report("a full map cannot be updated");
}

static void check_end(void)
{
	__u64 now[NR_KEYS];
	__u32 i;

	fixture_check(&map.desc, nr_killed);
	for (i = 0; i < NR_KEYS; i++)
		now[i] = lookup(keys[i]);
	if (!is_any_order(now))
		report("no order gives this map");
	check_capacity();
	fixture_check(&map.desc, false);
}

/* Some history: nodes that have been used before. */
static void setup(void)
{
	__u32 i;

	memset(map.desc.region, 0, map.desc.region_bytes);
	memset(fixture_procs, 0, sizeof(*fixture_procs));
	nr_killed = nr_switched = last = 0;
	for (i = 0; i < example->nr_live; i++)
		assert_int_equal(run(OP_NOEXIST, keys[i], i + 1), 0);
	if (example->nr_live)
		assert_int_equal(run(OP_EXIST, keys[0], 1), 0);
	for (i = 0; i < example->nr_dozing; i++)
		assert_int_equal(run(OP_NOEXIST, keys[example->nr_live + i], 9), 0);
	for (i = 0; i < example->nr_dozing; i++)
		assert_int_equal(run(OP_DELETE, keys[example->nr_live + i], 0), 0);
	if (!example->nr_dozing && example->nr_live < map.desc.max_entries) {
		assert_int_equal(run(OP_NOEXIST, keys[NR_KEYS], 9), 0);
		assert_int_equal(run(OP_DELETE, keys[NR_KEYS], 0), 0);
	}
}

/* Two processes, either or both killed anywhere. */
static void two_processes(void **state)
{
	static const struct example one[] = {
		{ { OP_ANY, OP_ANY }, { 0, 0 }, 2, 0, 2, false, 0, 0 },
		{ { OP_ANY, OP_ANY }, { 0, 1 }, 2, 0, 2, false, 0, 0 },
		{ { OP_ANY, OP_ANY }, { 0, 0 }, 2, 1, 2, false, 0, 0 },
		{ { OP_ANY, OP_DELETE }, { 0, 0 }, 2, 1, 2, false, 0, 0 },
		{ { OP_DELETE, OP_DELETE }, { 0, 0 }, 2, 1, 2, false, 0, 0 },
		{ { OP_NOEXIST, OP_DELETE }, { 1, 0 }, 2, 1, 2, false, 0, 0 },
	};
	static const struct example two[] = {
		{ { OP_ANY, OP_DELETE }, { 1, 0 }, 2, 1, 2, false, 0, 0 },
		{ { OP_ANY, OP_DELETE }, { 1, 0 }, 2, 2, 2, false, 0, 0 },
		{ { OP_DELETE, OP_DELETE }, { 0, 1 }, 2, 2, 2, false, 0, 0 },
		{ { OP_EXIST, OP_EXIST }, { 0, 1 }, 2, 2, 2, false, 0, 0 },
		{ { OP_NOEXIST, OP_DELETE }, { 2, 1 }, 2, 2, 2, false, 0, 0 },
	};

	(void)state;
	explore_all(INLAY_MAP_TYPE_HASH, one, sizeof(one) / sizeof(one[0]), 1);
	explore_all(INLAY_MAP_TYPE_HASH, two, sizeof(two) / sizeof(two[0]), 2);
}

/*
 * Keys that were deleted and whose nodes are still in their lists: they come back, others take the
 * nodes, and both at the same time.
 */
static void dozing(void **state)
{
	static const struct example one[] = {
		{ { OP_ANY, OP_ANY }, { 0, 0 }, 2, 0, 2, false, 0, 1 },
		{ { OP_NOEXIST, OP_NOEXIST }, { 0, 0 }, 2, 0, 2, false, 0, 1 },
		{ { OP_ANY, OP_DELETE }, { 0, 0 }, 2, 0, 2, false, 0, 1 },
		{ { OP_ANY, OP_EXIST }, { 0, 0 }, 2, 0, 2, false, 0, 1 },
		{ { OP_ANY, OP_ANY }, { 0, 1 }, 2, 0, 2, false, 0, 1 },
	};
	static const struct example two[] = {
		{ { OP_ANY, OP_ANY }, { 0, 1 }, 2, 0, 2, false, 0, 2 },
		{ { OP_ANY, OP_ANY }, { 0, 2 }, 2, 0, 2, false, 0, 2 },
		{ { OP_ANY, OP_ANY }, { 2, 1 }, 2, 0, 2, false, 0, 2 },
		{ { OP_ANY, OP_ANY }, { 0, 1 }, 2, 1, 2, false, 0, 1 },
		{ { OP_DELETE, OP_ANY }, { 0, 1 }, 2, 1, 2, false, 0, 1 },
		{ { OP_DELETE, OP_ANY }, { 0, 2 }, 2, 1, 2, false, 0, 1 },
	};
	static const struct example three[] = {
		{ { OP_ANY, OP_DELETE, OP_ANY }, { 0, 0, 0 }, 3, 0, 1, false, 3, 1 },
		{ { OP_ANY, OP_ANY, OP_ANY }, { 0, 1, 2 }, 3, 0, 2, true, 2, 1 },
		{ { OP_ANY, OP_ANY, OP_DELETE }, { 0, 1, 0 }, 3, 0, 1, false, 3, 1 },
	};

	(void)state;
	explore_all(INLAY_MAP_TYPE_HASH, one, sizeof(one) / sizeof(one[0]), 1);
	explore_all(INLAY_MAP_TYPE_HASH, two, sizeof(two) / sizeof(two[0]), 2);
	explore_all(INLAY_MAP_TYPE_HASH, three, sizeof(three) / sizeof(three[0]), 1);
}

/*
 * What a killed process left is found by two others at the same time, of which one is killed too.
 * Every order of these would be tens of millions of states.
 */
static void two_scavengers(void **state)
{
	static const struct example one[] = {
		{ { OP_NOEXIST, OP_ANY, OP_ANY }, { 0, 1, 2 }, 3, 0, 2, true, 2, 0 },
		{ { OP_DELETE, OP_ANY, OP_ANY }, { 0, 1, 2 }, 3, 1, 2, true, 2, 0 },
		{ { OP_ANY, OP_DELETE, OP_ANY }, { 0, 0, 1 }, 3, 1, 2, true, 2, 0 },
		{ { OP_ANY, OP_ANY, OP_ANY }, { 0, 0, 1 }, 3, 1, 2, true, 2, 0 },
	};

	(void)state;
	explore_all(INLAY_MAP_TYPE_HASH, one, sizeof(one) / sizeof(one[0]), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_processes),
		cmocka_unit_test(dozing),
		cmocka_unit_test(two_scavengers),
	};

	op_names = names;
	return cmocka_run_group_tests(tests, open_keys, NULL);
}
