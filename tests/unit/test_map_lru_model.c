/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Full LRU maps in every order of events (map_explore.h) with few switches between processes. Nothing
 * is refused, unless there is one node only and somebody else has it in his hands; nothing is lost or
 * there twice; a value is what somebody gave the key; and a key that was used before stays while there
 * are as many that were not as there are inserts.
 */
#include "map_explore.h"

#include "rt/inline/map_each.h"

enum op { OP_PUT, OP_DELETE, OP_GET };
static const char *const names[] = { "put", "delete", "get" };

static __s64 put(__u64 key, __u64 value)
{
	__u64 values[2] = { value, ~value };

	return __inlay_map_update_elem_v1(&map.desc, &key, values, INLAY_BPF_ANY);
}

static __s64 actor_do(const struct actor *actor)
{
	__u64 key = keys[actor->key], *at;

	switch ((enum op)actor->op) {
	case OP_PUT:
		return put(key, 100 + (__u64)(actor - actors));
	case OP_DELETE:
		return __inlay_map_delete_elem_v1(&map.desc, &key);
	case OP_GET:
		at = __inlay_map_lookup_elem_v1(&map.desc, &key);
		return at ? 0 : -INLAY_ENOENT;
	}
	return -1;
}

/* What a key has, without using it; 0: it is not there. Values are as they were or somebody's. */
static __u64 value_of(__u32 nr)
{
	struct inlay_map_each each = { 0 };
	__u64 *value, found = 0;
	__u32 index;

	while ((value = __inlay_map_each(&map.desc, &each, &index))) {
		if (*(const __u64 *)each.key != keys[nr])
			continue;
		if (found)
			report("a key is there twice");
		if (value[0] != ~value[1])
			report("a value is torn");
		found = value[0];
	}
	if (found && found != nr + 1 &&
	    (found - 100 >= (__u64)example->nr || actors[found - 100].key != nr ||
	     actors[found - 100].op != OP_PUT))
		report("a value is nobody's");
	return found;
}

static bool is_deleted_by_any(__u32 nr)
{
	for (int i = 0; i < example->nr; i++)
		if (actors[i].op == OP_DELETE && actors[i].key == nr)
			return true;
	return false;
}

/* Keys 0 to nr_live - 1 are there, of which the first one was used; everybody puts or takes. */
static void check_contents(void)
{
	__u32 nr_present = 0, nr_deleted = 0, nr_new = 0, nr_put = 0, nr_used = 1, i;

	for (i = 0; i < NR_KEYS + 2; i++) {
		nr_present += !!value_of(i);
		nr_deleted += is_deleted_by_any(i);
	}
	for (i = 0; i < (__u32)example->nr; i++) {
		const struct actor *actor = &actors[i];

		nr_put += actor->op == OP_PUT;
		nr_used += actor->key && actor->key < example->nr_live;
		nr_new += actor->op == OP_PUT && actor->key >= example->nr_live;
		/* unless all nodes are in the hands of others */
		if (actor->fate == DONE && actor->op == OP_PUT && actor->ret &&
		    (actor->ret != -INLAY_E2BIG || map.desc.max_entries > 1))
			report("an insert is refused");
		if (actor->fate == DONE && actor->op == OP_PUT && example->nr == 2 &&
		    actors[1 - i].op == OP_GET && !value_of(actor->key))
			report("a new key is not there");
	}
	if (!nr_deleted && !nr_killed && nr_present != map.desc.max_entries &&
	    !(nr_put == 2 && actors[0].key == actors[1].key))
		report("more keys went than had to");
	if (!is_deleted_by_any(0) && nr_new + nr_used <= example->nr_live && !value_of(0))
		report("a key that was used went");
}

/* To where a round begins in which nodes of the dead are looked for. */
static void hand_set(void)
{
	struct inlay_hash_header *header = map.desc.region;
	__u32 nr_nodes = inlay_hash_nr_nodes(&map.desc);

	header->hand = (__u64)(1024 / nr_nodes) << 32 | nr_nodes;
}

static void check_end(void)
{
	struct fixture_census c;
	__u64 key;

	fixture_check(&map.desc, nr_killed);
	check_contents();
	for (key = 0; key < 3ull * inlay_hash_nr_nodes(&map.desc); key++) {
		hand_set();
		if (put(1ull << 40 | key, 5))
			report("a map that was full refuses an insert");
	}
	c = fixture_count(&map.desc);
	if (c.live != map.desc.max_entries || c.free_main || c.free_spare != INLAY_HASH_SPARES)
		report("not all nodes came back");
	fixture_check(&map.desc, false);
}

/* The map is full, and one key was used. */
static void setup(void)
{
	__u32 i;

	memset(map.desc.region, 0, map.desc.region_bytes);
	memset(fixture_procs, 0, sizeof(*fixture_procs));
	nr_killed = nr_switched = last = 0;
	for (i = 0; i < example->nr_live; i++)
		assert_int_equal(put(keys[i], i + 1), 0);
	assert_non_null(__inlay_map_lookup_elem_v1(&map.desc, &keys[0]));
	hand_set();
}

static void two_processes(void **state)
{
	static const struct example one[] = {
		{ { OP_PUT, OP_PUT }, { 1, 2 }, 2, 1, 2, false, 3, 0 },
		{ { OP_PUT, OP_PUT }, { 1, 1 }, 2, 1, 2, false, 3, 0 },
		{ { OP_PUT, OP_GET }, { 1, 0 }, 2, 1, 2, false, 3, 0 },
		{ { OP_PUT, OP_DELETE }, { 1, 0 }, 2, 1, 2, false, 3, 0 },
		{ { OP_PUT, OP_PUT }, { 1, 0 }, 2, 1, 2, false, 3, 0 },
	};
	static const struct example two[] = {
		{ { OP_PUT, OP_GET }, { 2, 0 }, 2, 2, 2, false, 3, 0 },
		{ { OP_PUT, OP_GET }, { 2, 1 }, 2, 2, 2, false, 3, 0 },
		{ { OP_PUT, OP_PUT }, { 2, 1 }, 2, 2, 2, false, 3, 0 },
		{ { OP_PUT, OP_DELETE }, { 2, 1 }, 2, 2, 2, false, 3, 0 },
	};
	static const struct example three[] = {
		{ { OP_PUT, OP_PUT }, { 3, 4 }, 2, 3, 2, false, 3, 0 },
		{ { OP_PUT, OP_DELETE }, { 3, 1 }, 2, 3, 2, false, 3, 0 },
	};

	(void)state;
	explore_all(INLAY_MAP_TYPE_LRU_HASH, one, sizeof(one) / sizeof(one[0]), 1);
	explore_all(INLAY_MAP_TYPE_LRU_HASH, two, sizeof(two) / sizeof(two[0]), 2);
	explore_all(INLAY_MAP_TYPE_LRU_HASH, three, sizeof(three) / sizeof(three[0]), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_processes),
	};

	op_names = names;
	return cmocka_run_group_tests(tests, open_keys, NULL);
}
