/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every order of events: up to three actors share some memory, each access of each of them to it may come
 * at any time, and between any two what else the test has in mind, as that one is killed. All
 * states that can be reached so are visited, and the test's check_end() looks at those where nobody
 * goes on.
 *
 * Each actor is a coroutine; going back to a state is copying back what the test has named in `parts`,
 * and the stacks. The code under test is the real one: map_hooks.h says how it is stopped at its accesses.
 *
 * Defined before this is included: ACTOR_OWN, what a test keeps of an actor; ACTOR_MOVES, how many
 * things may happen to one.
 */
#ifndef INLAY_TEST_EXPLORE_H
#define INLAY_TEST_EXPLORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#include "map_hooks.h"

enum { NR_ACTORS = 3, STACK_BYTES = 32 << 10, RED_ZONE = 1024, DEPTH_MAX = 3000, PARTS_MAX = 8 };

enum fate { IDLE, WAITING, READY, DONE, DEAD };

struct actor {
	ACTOR_OWN
	enum fate fate;
	__u64 history;		/* all that it has read: with the code, what its stack holds */
	char *low;		/* its stack is in use from here */
	jmp_buf at;
};

static struct actor actors[NR_ACTORS];
static char stacks[NR_ACTORS][STACK_BYTES] __attribute__((aligned(64)));
static struct actor *running;	/* NULL: accesses are nobody's business */
static jmp_buf scheduler;
static unsigned long nr_states, nr_ends;

/* What changes besides the actors and their stacks. */
static struct {
	void *at;
	size_t bytes;
} parts[PARTS_MAX];
static size_t nr_parts;

enum moved { IMPOSSIBLE, TOO_MUCH, MOVED };

/* The test's: what an actor does; around each step of it; what may happen to one that is READY, by
 * number; `parts` and what it keeps of actors, as one number; what must hold at an end. */
static void actor_run(struct actor *actor);
static void actor_enter(struct actor *actor);
static void actor_leave(struct actor *actor);
static enum moved actor_move(struct actor *actor, int move);
static __u64 state_mix(__u64 h);
static void check_end(void);

static inline __u64 mix(__u64 h, __u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
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
	__u64 h = state_mix(1);
	int i;

	for (i = 0; i < NR_ACTORS; i++)
		h = mix(mix(h, actors[i].fate), actors[i].history);
	return h;
}

/* ---- Coroutines ------------------------------------------------------------------------- */

/* Before an access: others may do something. */
static void actor_pause(void)
{
	struct actor *actor = running;

	actor->low = (char *)__builtin_frame_address(0) - RED_ZONE;
	if (!_setjmp(actor->at))
		_longjmp(scheduler, 1);
	running->history = mix(running->history, 0);
}

void hook_saw(__u64 value)
{
	if (running)
		running->history = mix(running->history, value);
}

static void actor_main(void)
{
	struct actor *actor = running;

	actor_run(actor);
	actor->fate = DONE;
	actor->history = 0;
	running = NULL;
	_longjmp(scheduler, 1);
}

/* Runs the actor's next access and what follows it, up to the one after that. */
static void actor_step(struct actor *actor)
{
	actor_enter(actor);
	running = actor;
	if (!_setjmp(scheduler))
		_longjmp(actor->at, 1);
	running = NULL;
	actor_leave(actor);
}

static void actor_start(struct actor *actor)
{
	static ucontext_t context;

	assert_int_equal(getcontext(&context), 0);
	context.uc_stack.ss_sp = stacks[actor - actors];
	context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&context, actor_main, 0);
	actor->fate = READY;
	actor->history = 1;
	actor_enter(actor);
	running = actor;
	if (!_setjmp(scheduler))
		setcontext(&context);
	running = NULL;
	actor_leave(actor);
}

/* ---- States ----------------------------------------------------------------------------- */

static size_t stack_used(int i)
{
	return actors[i].fate == READY ? (size_t)(stacks[i] + STACK_BYTES - actors[i].low) : 0;
}

static char *save(void)
{
	size_t bytes = sizeof(actors), k;
	char *saved, *to;
	int i;

	for (k = 0; k < nr_parts; k++)
		bytes += parts[k].bytes;
	for (i = 0; i < NR_ACTORS; i++)
		bytes += stack_used(i);
	saved = to = malloc(bytes);
	assert_non_null(saved);
	memcpy(to, actors, sizeof(actors));
	to += sizeof(actors);
	for (k = 0; k < nr_parts; to += parts[k++].bytes)
		memcpy(to, parts[k].at, parts[k].bytes);
	for (i = 0; i < NR_ACTORS; to += stack_used(i++))
		memcpy(to, actors[i].low, stack_used(i));
	return saved;
}

static void restore(const char *from)
{
	size_t k;
	int i;

	memcpy(actors, from, sizeof(actors));
	from += sizeof(actors);
	for (k = 0; k < nr_parts; from += parts[k++].bytes)
		memcpy(parts[k].at, from, parts[k].bytes);
	for (i = 0; i < NR_ACTORS; from += stack_used(i++))
		memcpy(actors[i].low, from, stack_used(i));
}

/* ---- Everything that can happen --------------------------------------------------------- */

static void explore_from(int depth)
{
	bool is_end = true;
	char *saved;
	int i, move;

	assert_true(depth < DEPTH_MAX);
	if (!visited_add(state_hash()))
		return;
	nr_states++;
	saved = save();
	for (i = 0; i < NR_ACTORS; i++) {
		/* one that waits for another's end that has not come: not this example's business */
		is_end &= actors[i].fate != WAITING && actors[i].fate != READY;
		for (move = 0; move < ACTOR_MOVES && actors[i].fate == READY; move++) {
			enum moved moved = actor_move(&actors[i], move);

			if (moved == MOVED)
				explore_from(depth + 1);
			if (moved != IMPOSSIBLE)
				restore(saved);
		}
	}
	if (is_end) {
		nr_ends++;
		check_end();
		restore(saved);
	}
	free(saved);
}

/* From what the test has set up, and the actors that it has started. */
static void explore(void)
{
	visited_nr = 0;
	if (visited)
		memset(visited, 0, visited_max * sizeof(*visited));
	explore_from(0);
	assert_true(nr_ends > 0);
}

#endif /* INLAY_TEST_EXPLORE_H */
