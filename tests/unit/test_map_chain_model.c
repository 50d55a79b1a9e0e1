/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues and stacks in every order of events (map_explore.h). When nobody is left, results and
 * contents are those of some order of the operations, with those of the killed done or not, where a push
 * that replaces the oldest element may be two steps; and one more process can fill the map.
 */
#include "map_explore.h"

#include "rt/inlay_rt.h"

enum op { OP_PUSH, OP_REPLACE, OP_POP, OP_PEEK };
static const char *const names[] = { "push", "replace", "pop", "peek" };

enum { ELEMENTS_MAX = 4 };

/* What should be in it, the oldest first. */
struct model {
	__u64 values[ELEMENTS_MAX];
	__u32 nr;
};

static bool is_stack(void)
{
	return map.desc.type == INLAY_MAP_TYPE_STACK;
}

/* The result; of a pop or peek the value, if there is one. */
static __s64 run(enum op op, __u64 value)
{
	__u64 values[2] = { value, ~value };
	__s64 err;

	if (op == OP_PUSH || op == OP_REPLACE)
		return __inlay_map_push_elem_v1(&map.desc, values,
						op == OP_PUSH ? 0 : INLAY_BPF_EXIST);
	err = op == OP_POP ? __inlay_map_pop_elem_v1(&map.desc, values) :
			     __inlay_map_peek_elem_v1(&map.desc, values);
	if (err)
		return err;
	if (values[1] != ~values[0])
		report("a value is torn");
	return (__s64)values[0];
}

static __s64 actor_do(const struct actor *actor)
{
	return run((enum op)actor->op, 100 + (__u64)(actor - actors));
}

static void drop_oldest(struct model *m)
{
	memmove(m->values, m->values + 1, --m->nr * sizeof(m->values[0]));
}

static __s64 model_run(struct model *m, enum op op, __u64 value)
{
	switch (op) {
	case OP_PUSH:
	case OP_REPLACE:
		if (m->nr == map.desc.max_entries && op == OP_PUSH)
			return -INLAY_E2BIG;
		if (m->nr == map.desc.max_entries)
			drop_oldest(m);
		m->values[m->nr++] = value;
		return 0;
	case OP_POP:
	case OP_PEEK:
		break;
	}
	if (!m->nr)
		return -INLAY_ENOENT;
	value = is_stack() ? m->values[m->nr - 1] : m->values[0];
	if (op == OP_POP && is_stack())
		m->nr--;
	else if (op == OP_POP)
		drop_oldest(m);
	return (__s64)value;
}

static struct model contents(void)
{
	struct model m = { 0 };
	__s64 value;

	while ((value = run(OP_POP, 0)) > 0) {
		if (m.nr == map.desc.max_entries)
			report("an element too many");
		m.values[m.nr++] = (__u64)value;
	}
	if (value != -INLAY_ENOENT)
		report("it cannot be emptied");
	for (__u32 i = 0; is_stack() && i < m.nr / 2; i++) {
		__u64 swap = m.values[i];

		m.values[i] = m.values[m.nr - 1 - i];
		m.values[m.nr - 1 - i] = swap;
	}
	return m;
}

/* How far an actor has come, in some order. A push that replaces may take two steps. */
enum progress { BEGUN, MADE_ROOM, ENDED };

/* Whether contents and results are what some order of what is left to do gives. */
static bool is_any_order(const struct model *m, const enum progress *before, const struct model *now)
{
	bool is_end = true;

	for (int i = 0; i < example->nr; i++) {
		const struct actor *actor = &actors[i];
		enum progress progress[NR_ACTORS];
		struct model next = *m;
		__s64 ret;

		if (before[i] == ENDED)
			continue;
		is_end &= actor->fate == DEAD;
		memcpy(progress, before, sizeof(progress));
		/* what others have in their hands takes its room, too */
		if (before[i] == BEGUN && actor->op == OP_REPLACE && m->nr &&
		    m->nr + (__u32)example->nr > map.desc.max_entries) {
			progress[i] = MADE_ROOM;
			drop_oldest(&next);
			if (is_any_order(&next, progress, now))
				return true;
			next = *m;
		}
		progress[i] = ENDED;
		ret = model_run(&next, (enum op)actor->op, 100 + (__u64)i);
		/* refused, as others had the nodes in their hands */
		if (actor->fate == DONE && before[i] == BEGUN &&
		    ((actor->op == OP_PUSH && actor->ret == -INLAY_E2BIG) ||
		     (actor->op == OP_REPLACE && actor->ret == -INLAY_EBUSY)))
			next = *m;
		else if (actor->fate == DONE && ret != actor->ret)
			continue;
		if (is_any_order(&next, progress, now))
			return true;
	}
	return is_end && m->nr == now->nr &&
	       !memcmp(m->values, now->values, m->nr * sizeof(m->values[0]));
}

/* All capacity can be had. A search for the dead's nodes is made once in nr_nodes refusals. */
static void check_capacity(void)
{
	__u32 nr_nodes = inlay_hash_nr_nodes(&map.desc), i, tries;
	struct fixture_census c;
	struct model now;

	for (i = 0; i < map.desc.max_entries; i++) {
		__s64 err = -1;

		for (tries = 0; tries <= nr_nodes && err; tries++)
			err = run(OP_PUSH, 7 + i);
		if (err)
			report("capacity is lost");
	}
	for (tries = 0; tries <= nr_nodes; tries++)
		if (run(OP_PUSH, 7) != -INLAY_E2BIG)
			report("a node too many");
	c = fixture_count(&map.desc);
	if (c.live != map.desc.max_entries || c.free_main || c.free_spare != INLAY_HASH_SPARES ||
	    c.hidden || c.lost || c.dead_main || c.dead_spare || c.twice)
		report("not all nodes came back");
	if (run(OP_REPLACE, 17))
		report("a full map does not drop its oldest");
	now = contents();
	if (now.nr != map.desc.max_entries || now.values[now.nr - 1] != 17 ||
	    (now.nr > 1 && now.values[0] != 8))
		report("a full map is not in order");
}

static void check_end(void)
{
	const enum progress begun[NR_ACTORS] = { BEGUN };
	struct model now, before = { .nr = example->nr_live };

	for (__u32 i = 0; i < example->nr_live; i++)
		before.values[i] = i + 1;
	fixture_check(&map.desc, nr_killed);
	now = contents();
	if (!is_any_order(&before, begun, &now))
		report("no order gives this map");
	check_capacity();
	fixture_check(&map.desc, false);
}

static void setup(void)
{
	__u32 i;

	memset(map.desc.region, 0, map.desc.region_bytes);
	memset(fixture_procs, 0, sizeof(*fixture_procs));
	nr_killed = nr_switched = last = 0;
	/* some history: nodes that have been used before, a hint that leads to none */
	for (i = 0; i < map.desc.max_entries + 1; i++)
		assert_int_equal(run(OP_REPLACE, 90 + i), 0);
	for (i = 0; i < map.desc.max_entries; i++)
		assert_true(run(OP_POP, 0) >= 90);
	for (i = 0; i < example->nr_live; i++)
		assert_int_equal(run(OP_PUSH, i + 1), 0);
}

static void explore_type(__u32 type)
{
	static const struct example one[] = {
		{ { OP_PUSH, OP_PUSH }, { 0, 0 }, 2, 0, 2, false, 0, 0 },
		{ { OP_PUSH, OP_POP }, { 0, 0 }, 2, 0, 2, false, 0, 0 },
		{ { OP_PUSH, OP_POP }, { 0, 0 }, 2, 1, 2, false, 0, 0 },
		{ { OP_POP, OP_POP }, { 0, 0 }, 2, 1, 2, false, 0, 0 },
		{ { OP_REPLACE, OP_POP }, { 0, 0 }, 2, 1, 2, false, 0, 0 },
		{ { OP_REPLACE, OP_PEEK }, { 0, 0 }, 2, 1, 2, false, 0, 0 },
	};
	static const struct example two[] = {
		{ { OP_PUSH, OP_POP }, { 0, 0 }, 2, 1, 2, false, 0, 0 },
		{ { OP_POP, OP_POP }, { 0, 0 }, 2, 2, 2, false, 0, 0 },
		{ { OP_POP, OP_PEEK }, { 0, 0 }, 2, 2, 2, false, 0, 0 },
		{ { OP_PUSH, OP_PUSH }, { 0, 0 }, 2, 0, 2, false, 0, 0 },
		{ { OP_REPLACE, OP_POP }, { 0, 0 }, 2, 2, 2, false, 0, 0 },
		{ { OP_REPLACE, OP_REPLACE }, { 0, 0 }, 2, 2, 2, false, 5, 0 },
	};
	/* what a killed one left is found by two */
	static const struct example three[] = {
		{ { OP_PUSH, OP_PUSH, OP_PUSH }, { 0, 0, 0 }, 3, 0, 2, true, 2, 0 },
		{ { OP_POP, OP_PUSH, OP_PUSH }, { 0, 0, 0 }, 3, 1, 2, true, 2, 0 },
	};

	explore_all(type, one, sizeof(one) / sizeof(one[0]), 1);
	explore_all(type, two, sizeof(two) / sizeof(two[0]), 2);
	explore_all(type, three, sizeof(three) / sizeof(three[0]), 1);
}

static void all_queues(void **state)
{
	(void)state;
	explore_type(INLAY_MAP_TYPE_QUEUE);
}

static void all_stacks(void **state)
{
	(void)state;
	explore_type(INLAY_MAP_TYPE_STACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_queues),
		cmocka_unit_test(all_stacks),
	};

	op_names = names;
	return cmocka_run_group_tests(tests, open_keys, NULL);
}
