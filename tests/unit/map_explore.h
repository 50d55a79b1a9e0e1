/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps in every order of events: two or three processes change a map of a few entries, each access of
 * each of them to shared memory may come at any time, and processes may be killed before any of them.
 * All states that can be reached so are visited, and the test's check_end() looks at those where
 * nobody goes on.
 *
 * The code under test is the real one (map_hooks.h says how it is stopped at its accesses). Each
 * process is a coroutine; going back to a state is copying the map and the stacks back.
 */
#ifndef INLAY_TEST_MAP_EXPLORE_H
#define INLAY_TEST_MAP_EXPLORE_H

#include "map_fixture.h"
#include "map_hooks.h"

#include <setjmp.h>
#include <ucontext.h>

enum { NR_ACTORS = 3, NR_KEYS = 3, STACK_BYTES = 32 << 10, RED_ZONE = 1024, REGION_MAX = 1024,
       DEPTH_MAX = 2000 };

enum fate { WAITING, READY, DONE, DEAD };

struct actor {
	int op;			/* the test's */
	__u32 key;
	enum fate fate;
	__s64 ret;
	__u64 history;		/* all that it has read: with the code, what its stack holds */
	char *low;		/* its stack is in use from here */
	struct inlay_hash_hot hot[INLAY_HASH_HOT_MAPS]; /* its thread's */
	jmp_buf at;
};

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
static struct actor actors[NR_ACTORS];
static char stacks[NR_ACTORS][STACK_BYTES] __attribute__((aligned(64)));
static struct actor *running;	/* NULL: accesses are nobody's business */
static jmp_buf scheduler;
static unsigned long nr_states, nr_ends;
static int nr_killed, nr_switched, last;

/* The test's: a map to begin with, what an actor does, and what must hold when nobody goes on. */
static void setup(void);
static __s64 actor_run(const struct actor *actor);
static void check_end(void);

static __u64 mix(__u64 h, __u64 v)
{
	return inlay_hash_fold(h ^ v, 0x9e3779b97f4a7c15ull) + (h << 7 | h >> 57);
}

/* ---- Visited states --------------------------------------------------------------------- */

static __u64 *visited;
static size_t visited_nr, visited_max;

static bool visited_put(__u64 *table, size_t max, __u64 state)
{
	size_t i = state & (max - 1);

	while (table[i] && table[i] != state)
		i = (i + 1) & (max - 1);
	if (table[i])
		return false;
	table[i] = state;
	return true;
}

/* False: known already. */
static bool visited_add(__u64 state)
{
	state |= !state;
	if (visited_nr * 2 >= visited_max) {
		size_t max = visited_max ? visited_max * 2 : 1 << 16, i;
		__u64 *more = calloc(max, sizeof(*more));

		assert_non_null(more);
		for (i = 0; i < visited_max; i++)
			if (visited[i])
				visited_put(more, max, visited[i]);
		free(visited);
		visited = more;
		visited_max = max;
	}
	if (!visited_put(visited, visited_max, state))
		return false;
	visited_nr++;
	return true;
}

static __u64 state_hash(void)
{
	const __u64 *words = map.desc.region;
	__u64 h = example->nr_switches ? mix((__u64)nr_switched, (__u64)last) : 1;
	size_t i;

	for (i = 0; i < map_bytes / 8; i++)
		h = mix(h, words[i]);
	for (i = 0; i < (size_t)example->nr; i++) {
		h = mix(mix(h, actors[i].fate), actors[i].history);
		/* one map: the first of these is it */
		h = mix(h, actors[i].hot[0].nr[0] | (__u64)actors[i].hot[0].nr[1] << 32);
		h = mix(mix(h, actors[i].hot[0].prev_off), actors[i].hot[0].link);
	}
	return h;
}

/* ---- Coroutines ------------------------------------------------------------------------- */

void hook_before(const volatile void *p)
{
	struct actor *actor = running;

	/* what it does to its own stack concerns nobody */
	if (!actor || (__u64)((const volatile char *)p - stacks[0]) < sizeof(stacks) ||
	    p == &__inlay_process_v1.owner)
		return;
	actor->low = (char *)__builtin_frame_address(0) - RED_ZONE;
	if (!_setjmp(actor->at))
		_longjmp(scheduler, 1);
	running->history = mix(running->history, 0);
}

static void before_ask(void)
{
	hook_before(fixture_procs);
}

void hook_saw(__u64 value)
{
	if (running)
		running->history = mix(running->history, value);
}

static void actor_main(void)
{
	struct actor *actor = running;

	actor->ret = actor_run(actor);
	actor->fate = DONE;
	actor->history = 0;
	running = NULL;
	_longjmp(scheduler, 1);
}

/* What is a process's and its thread's own. */
static void actor_enter(struct actor *actor)
{
	running = actor;
	fixture_row = 1 + (__u32)(actor - actors);
	fixture_forget();
	__inlay_owner_keep(__inlay_owner());
	memcpy(__inlay_hash_hot, actor->hot, sizeof(actor->hot));
}

static void actor_leave(struct actor *actor)
{
	memcpy(actor->hot, __inlay_hash_hot, sizeof(actor->hot));
	running = NULL;
	fixture_row = 0;
	fixture_forget();
}

/* Runs the actor's next access and what follows it, up to the one after that. */
static void actor_step(struct actor *actor)
{
	actor_enter(actor);
	if (!_setjmp(scheduler))
		_longjmp(actor->at, 1);
	actor_leave(actor);
}

static void actor_start(struct actor *actor)
{
	int nr = (int)(actor - actors);
	static ucontext_t context;

	assert_int_equal(getcontext(&context), 0);
	context.uc_stack.ss_sp = stacks[nr];
	context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&context, actor_main, 0);
	actor->fate = READY;
	actor->history = 1;
	actor_enter(actor);
	if (!_setjmp(scheduler))
		setcontext(&context);
	actor_leave(actor);
}

/* ---- States ----------------------------------------------------------------------------- */

struct snapshot {
	__u64 region[REGION_MAX / 8];
	struct actor actors[NR_ACTORS];
	char *stacks;
	__u32 is_dead[NR_ACTORS + 1];
	int nr_killed, nr_switched, last;
};

static size_t stack_used(int i)
{
	return actors[i].fate == READY ? (size_t)(stacks[i] + STACK_BYTES - actors[i].low) : 0;
}

static void save(struct snapshot *to)
{
	size_t bytes = 0;
	int i;

	memcpy(to->region, map.desc.region, map_bytes);
	memcpy(to->actors, actors, sizeof(actors));
	memcpy(to->is_dead, fixture_procs->is_dead, sizeof(to->is_dead));
	to->nr_killed = nr_killed;
	to->nr_switched = nr_switched;
	to->last = last;
	for (i = 0; i < example->nr; i++)
		bytes += stack_used(i);
	to->stacks = malloc(bytes + 1);
	assert_non_null(to->stacks);
	for (bytes = 0, i = 0; i < example->nr; bytes += stack_used(i), i++)
		memcpy(to->stacks + bytes, actors[i].low, stack_used(i));
}

static void restore(const struct snapshot *from)
{
	size_t bytes = 0;
	int i;

	memcpy(map.desc.region, from->region, map_bytes);
	memcpy(actors, from->actors, sizeof(actors));
	memcpy(fixture_procs->is_dead, from->is_dead, sizeof(from->is_dead));
	nr_killed = from->nr_killed;
	nr_switched = from->nr_switched;
	last = from->last;
	for (i = 0; i < example->nr; bytes += stack_used(i), i++)
		memcpy(actors[i].low, from->stacks + bytes, stack_used(i));
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

/* One more access by actor i; false: it would be one switch too many. */
static bool step_actor(int i)
{
	if (i != last && actors[last].fate == READY && example->nr_switches &&
	    nr_switched++ == example->nr_switches)
		return false;
	last = i;
	actor_step(&actors[i]);
	return true;
}

static void kill_actor(int i)
{
	int next;

	actors[i].fate = DEAD;
	actors[i].history = 0;
	fixture_procs->is_dead[1 + i] = 1;
	nr_killed++;
	for (next = 0; next < example->nr; next++)
		if (actors[next].fate == WAITING)
			actor_start(&actors[next]);
}

static void explore(int depth)
{
	struct snapshot *snapshot;
	bool is_end = true;
	int i;

	assert_true(depth < DEPTH_MAX);
	if (!visited_add(state_hash()))
		return;
	nr_states++;
	snapshot = malloc(sizeof(*snapshot));
	assert_non_null(snapshot);
	save(snapshot);
	for (i = 0; i < example->nr; i++) {
		/* waiting for a first one that ended alive: not this example's business */
		if (actors[i].fate == WAITING)
			is_end = false;
		if (actors[i].fate != READY)
			continue;
		is_end = false;
		if (step_actor(i))
			explore(depth + 1);
		restore(snapshot);
		if (nr_killed < example->nr_kills) {
			kill_actor(i);
			explore(depth + 1);
			restore(snapshot);
		}
	}
	if (is_end) {
		nr_ends++;
		check_end();
		restore(snapshot);
	}
	free(snapshot->stacks);
	free(snapshot);
}

static void explore_example(const struct example *of)
{
	int i;

	example = of;
	setup();
	memset(actors, 0, sizeof(actors));
	for (i = 0; i < of->nr; i++) {
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
	visited_nr = 0;
	if (visited)
		memset(visited, 0, visited_max * sizeof(*visited));
	explore(0);
	assert_true(nr_ends > 0);
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
