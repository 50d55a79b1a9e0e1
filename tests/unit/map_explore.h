/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps in every order of events (explore.h): two or three processes change a map of a few entries, and
 * may be killed before any access to shared memory.
 */
#ifndef INLAY_TEST_MAP_EXPLORE_H
#define INLAY_TEST_MAP_EXPLORE_H

#include "map_fixture.h"

#define ACTOR_OWN                                                                        \
	int op; /* the test's */                                                         \
	__u32 key;                                                                       \
	__s64 ret;                                                                       \
	struct inlay_hash_hot hot[INLAY_HASH_HOT_MAPS]; /* its thread's */
enum { MOVE_STEP, MOVE_KILL, ACTOR_MOVES };
#include "explore.h"

enum { NR_KEYS = 3, REGION_MAX = 1024 };

struct example {
	int ops[NR_ACTORS];
	__u32 keys[NR_ACTORS];
	int nr;
	__u32 nr_live;
	int nr_kills;
	bool is_first_dead;	/* the first one runs alone and is killed, then the others start */
	int nr_switches;	/* 0: any order; else this often at most one is held up for another */
	__u32 nr_dozing;	/* keys behind the live ones that were deleted before */
};

static struct fixture map;
static size_t map_bytes;		/* of it: the rest of the page stays zero */
static __u64 keys[NR_KEYS + 2];	/* all in one bucket */
static const char *const *op_names;
static const struct example *example;
static int nr_killed, nr_switched, last;

/* The test's: a map to begin with, what an actor does, and what must hold when nobody goes on. */
static void setup(void);
static __s64 actor_do(const struct actor *actor);

static __u64 state_mix(__u64 h)
{
	const __u64 *words = map.desc.region;
	size_t i;

	if (example->nr_switches)
		h = mix(mix(h, (__u64)nr_switched), (__u64)last);
	for (i = 0; i < map_bytes / 8; i++)
		h = mix(h, words[i]);
	for (i = 0; i < (size_t)example->nr; i++) {
		/* one map: the first of these is it */
		h = mix(h, actors[i].hot[0].nr[0] | (__u64)actors[i].hot[0].nr[1] << 32);
		h = mix(mix(h, actors[i].hot[0].prev_off), actors[i].hot[0].link);
	}
	return h;
}

/* ---- Actors ----------------------------------------------------------------------------- */

void hook_before(const volatile void *p)
{
	/* what it does to its own stack concerns nobody */
	if (running && (__u64)((const volatile char *)p - stacks[0]) >= sizeof(stacks) &&
	    p != &__inlay_process_v1.owner)
		actor_pause();
}

static void before_ask(void)
{
	hook_before(fixture_procs);
}

static void actor_run(struct actor *actor)
{
	actor->ret = actor_do(actor);
}

/* What is a process's and its thread's own. */
static void actor_enter(struct actor *actor)
{
	fixture_row = 1 + (__u32)(actor - actors);
	fixture_forget();
	__inlay_owner_keep(__inlay_owner());
	memcpy(__inlay_hash_hot, actor->hot, sizeof(actor->hot));
}

static void actor_leave(struct actor *actor)
{
	memcpy(actor->hot, __inlay_hash_hot, sizeof(actor->hot));
	fixture_row = 0;
	fixture_forget();
}

/* ---- The end --------------------------------------------------------------------------- */

/* Fails, and says what everybody did. */
static void report(const char *what)
{
	int i;

	for (i = 0; i < example->nr; i++)
		print_error("%s of key %u: %s, %lld\n", op_names[actors[i].op], actors[i].key,
			    actors[i].fate == DEAD ? "killed" : "done", (long long)actors[i].ret);
	fail_msg("%s; %u live before", what, example->nr_live);
}

/* ---- Everything that can happen --------------------------------------------------------- */

/* One more access by actor i, unless it would be one switch too many. */
static enum moved step_actor(int i)
{
	if (i != last && actors[last].fate == READY && example->nr_switches &&
	    nr_switched++ == example->nr_switches)
		return TOO_MUCH;
	last = i;
	actor_step(&actors[i]);
	return MOVED;
}

static enum moved kill_actor(int i)
{
	int next;

	if (nr_killed == example->nr_kills)
		return IMPOSSIBLE;
	actors[i].fate = DEAD;
	actors[i].history = 0;
	fixture_procs->is_dead[1 + i] = 1;
	nr_killed++;
	for (next = 0; next < example->nr; next++)
		if (actors[next].fate == WAITING)
			actor_start(&actors[next]);
	return MOVED;
}

static enum moved actor_move(struct actor *actor, int move)
{
	int i = (int)(actor - actors);

	return move == MOVE_STEP ? step_actor(i) : kill_actor(i);
}

static void add_part(void *at, size_t bytes)
{
	parts[nr_parts].at = at;
	parts[nr_parts++].bytes = bytes;
}

static void explore_example(const struct example *of)
{
	int i;

	example = of;
	setup();
	memset(actors, 0, sizeof(actors));
	nr_parts = 0;
	add_part(map.desc.region, map_bytes);
	add_part(fixture_procs->is_dead, (NR_ACTORS + 1) * sizeof(fixture_procs->is_dead[0]));
	add_part(&nr_killed, sizeof(nr_killed));
	add_part(&nr_switched, sizeof(nr_switched));
	add_part(&last, sizeof(last));
	for (i = 0; i < of->nr; i++) {
		actors[i].fate = WAITING;
		actors[i].op = of->ops[i];
		actors[i].key = of->keys[i];
		/* it has given back nodes before, or thinks so: of either stock, free or not; the
		 * first has let one doze */
		if (!i)
			actors[i].hot[0] = __inlay_hash_hot[0];
		actors[i].hot[0].desc = &map.desc;
		if (!actors[i].hot[0].nr[INLAY_HASH_MAIN])
			actors[i].hot[0].nr[INLAY_HASH_MAIN] = 1 + (__u32)i % map.desc.max_entries;
		actors[i].hot[0].nr[INLAY_HASH_SPARE] = 1 + map.desc.max_entries;
		if (!i || !of->is_first_dead)
			actor_start(&actors[i]);
	}
	explore();
}

static void explore_all(__u32 type, const struct example *examples, size_t nr, __u32 max_entries)
{
	__u32 key_size = type == INLAY_MAP_TYPE_QUEUE || type == INLAY_MAP_TYPE_STACK ? 0 : 8;
	size_t i;

	fixture_init(&map, type, key_size, 16, max_entries);
	map_bytes = inlay_hash_hints_off(max_entries, inlay_hash_node_bytes(key_size, 16, 0)) +
		    inlay_hash_hint_bytes(max_entries);
	assert_true(map_bytes <= REGION_MAX);
	for (i = 0; i < nr; i++) {
		nr_states = nr_ends = 0;
		explore_example(&examples[i]);
		print_message("type %u, example %zu of %u entries: %lu states, %lu ends\n", type, i, max_entries,
			      nr_states, nr_ends);
	}
	fixture_fini(&map);
}

static int open_keys(void **state)
{
	size_t bytes;
	__u64 key;
	int n = 0;

	(void)state;
	fixture_procs = (struct fixture_procs *)(fixture_pages(sizeof(*fixture_procs), &bytes) +
						 INLAY_PAGE_BYTES);
	fixture_at_ask = before_ask;
	fixture_answered = hook_saw;
	for (key = 1; n < NR_KEYS + 2; key++)
		if (!(inlay_hash_key(&key, 8) & 3)) /* of all maps' masks */
			keys[n++] = key;
	return 0;
}

#endif /* INLAY_TEST_MAP_EXPLORE_H */
