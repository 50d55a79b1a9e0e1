/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers in every order of events: two producers and a consumer, each access of each of them to
 * the ring may come at any time, and any of them may be killed before any access. All states that can
 * be reached so are visited. At the end another consumer takes what is left: every record that was
 * submitted was delivered, whole, in its producer's order, and once (twice only if the consumer was
 * killed with it in hand); nothing of a killed one is left; and the ring has all its room again.
 *
 * A lone producer, and one with a slot, are without locked instructions: their compare-exchange is two
 * accesses, and what they store in front of it stays on its way until they store again, some time
 * later, or somebody has them pass a barrier.
 *
 * Each actor is a coroutine; going back to a state is copying the ring and the stacks back. map_hooks.h
 * says how code is stopped at its accesses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include <cmocka.h>

#define HOOK_KEEPS_STORES
#include "map_hooks.h"
#include "ring_hooked.h"
#define STUB_OWN_BARRIER
#include "ring_stubs.h"
#include "rt/map_ringbuf.h"

enum { NR_PRODUCERS = 2, CONSUMER = 2, NR_ACTORS = 3, RECORDS_MAX = 4, RING_BYTES = 256,
       STACK_BYTES = 32 << 10, RED_ZONE = 1024, DEPTH_MAX = 3000, HEADER_BYTES = 640,
       DATA_BYTES = 2 * RING_BYTES };

enum fate { IDLE, READY, DONE, DEAD };

struct actor {
	enum fate fate;
	__u64 history;	/* all that it has read: with the code, what its stack holds */
	char *low;	/* its stack is in use from here */
	jmp_buf at;
};

struct example {
	int nr_records[NR_PRODUCERS];
	int nr_passes;		/* of the consumer; 0: it comes at the end only */
	int nr_kills;
	int nr_before;		/* records that were there and gone before: where in the ring it begins */
	bool is_hot[NR_PRODUCERS];	/* others were in its way: it takes spans */
	enum { LOCKED, SLOTS, LONE } way;	/* LONE: the first producer begins so */
};

/* What a processor has not shown to the others yet. */
struct kept {
	__u64 *at;	/* NULL: nothing */
	__u64 value;
};

/* All that changes but the stacks. */
static struct world {
	__u64 header[HEADER_BYTES / 8];
	__u64 data[DATA_BYTES / 8];
	struct actor actors[NR_ACTORS];
	struct inlay_ring_thread threads[NR_PRODUCERS + 1];
	struct kept kept[NR_PRODUCERS];
	struct stub_owners owners;
	struct inlay_ring ring;
	int nr_submitted[NR_PRODUCERS], nr_delivered[NR_PRODUCERS];
	int nr_lost[NR_PRODUCERS];
	int nr_killed, in_hand;
} w;

static struct stub_map map;
static const struct example *example;
static char stacks[NR_ACTORS][STACK_BYTES] __attribute__((aligned(64)));
static int running = -1;	/* -1: accesses are nobody's business */
static int thread_now;
static jmp_buf scheduler;
static unsigned long nr_states, nr_ends;

struct inlay_ring_thread *ring_thread_of_test(void)
{
	return &w.threads[thread_now];
}

static __u64 mix(__u64 h, __u64 v)
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
	const __u64 *words = map.desc.region;
	__u64 h = 1;
	int i;

	for (i = 0; i < HEADER_BYTES / 8; i++)
		h = mix(h, words[i]);
	words += INLAY_PAGE_BYTES / 8;
	for (i = 0; i < DATA_BYTES / 8; i++)
		h = mix(h, words[i]);
	for (i = 0; i < NR_ACTORS; i++)
		h = mix(mix(h, w.actors[i].fate), w.actors[i].history);
	for (i = 0; i < NR_PRODUCERS; i++)
		h = mix(mix(h, (__u64)w.nr_submitted[i] << 8 | (__u64)w.nr_delivered[i]),
			w.threads[i].seats[0].span ^ w.threads[i].seats[0].heat ^
				w.threads[i].seats[0].tail << 1 ^
				w.threads[i].seats[0].word << 2 ^
				(__u64)w.threads[i].seats[0].slot << 50 ^
				w.threads[i].seats[0].lone << 3 ^ (__u64)w.nr_lost[i] << 56);
	for (i = 0; i < NR_PRODUCERS; i++)
		h = mix(mix(h, (__u64)w.kept[i].at), w.kept[i].value);
	return mix(mix(h, w.ring.cons ^ w.ring.free << 20 ^ w.ring.span_end << 40), (__u64)w.in_hand);
}

/* ---- Stores on their way ---------------------------------------------------------------- */

static void show(int i)
{
	if (w.kept[i].at)
		__atomic_store_n(w.kept[i].at, w.kept[i].value, __ATOMIC_SEQ_CST);
	w.kept[i].at = NULL;
}

void hook_storing(void)
{
	if (running >= 0 && running < NR_PRODUCERS)
		show(running);
}

/* ---- Coroutines ------------------------------------------------------------------------- */

void hook_before(const volatile void *p)
{
	struct actor *actor;

	/* the ring is what others see */
	if (running < 0 || (__u64)((const volatile char *)p - (char *)map.desc.region) >=
				   map.desc.region_bytes)
		return;
	actor = &w.actors[running];
	actor->low = (char *)__builtin_frame_address(0) - RED_ZONE;
	if (!_setjmp(actor->at))
		_longjmp(scheduler, 1);
	w.actors[running].history = mix(w.actors[running].history, 0);
	/* who stores and loads the same sees what it has stored */
	if (running < NR_PRODUCERS && w.kept[running].at == p)
		show(running);
}

void ring_busy_of_test(__u64 *busy, __u64 value)
{
	hook_before(busy);
	hook_storing();
	if (running < 0 || running >= NR_PRODUCERS)
		__atomic_store_n(busy, value, __ATOMIC_SEQ_CST);
	else
		w.kept[running] = (struct kept){ busy, value };
}

bool __inlay_ring_has_barrier(void)
{
	return example->way != LOCKED;
}

bool __inlay_ring_barrier(void)
{
	int i;

	if (running >= 0)
		hook_before(&((struct inlay_ring_header *)map.desc.region)->notes[7]);
	for (i = 0; i < NR_PRODUCERS; i++)
		show(i);
	return true;
}

static int ask_barrier(void *ctx, __u64 pos)
{
	(void)ctx;
	(void)pos;
	return __inlay_ring_barrier();
}

void hook_saw(__u64 value)
{
	if (running >= 0)
		w.actors[running].history = mix(w.actors[running].history, value);
}

static int ask_alive(void *ctx, __u32 owner, __u32 mask)
{
	int is_alive;

	/* others may do something while it is found out */
	if (running >= 0)
		hook_before(&((struct inlay_ring_header *)map.desc.region)->notes[7]);
	is_alive = stub_is_alive(ctx, owner, mask);
	hook_saw((__u64)is_alive);
	return is_alive;
}

static void deliver(const struct inlay_ring_record *record)
{
	const __u64 *words = record->data;
	int producer = (int)(words[0] >> 8), nr = (int)(words[0] & 0xff);

	assert_int_equal(record->bytes, 8 + 8 * (producer & 1));
	assert_in_range(producer, 0, NR_PRODUCERS - 1);
	if (producer & 1)
		assert_int_equal(words[1], ~words[0]);
	/* delivered and not passed by a consumer that died then */
	if (nr == w.nr_delivered[producer] && w.in_hand == (int)words[0]) {
		w.in_hand = 0;
		return;
	}
	assert_int_equal(nr, w.nr_delivered[producer] + 1);
	w.nr_delivered[producer] = nr;
	w.in_hand = (int)words[0];
}

static void produce(int producer, int nr)
{
	__u64 *words = __inlay_ringbuf_reserve_v1(&map.desc, 8 + 8ull * (__u64)(producer & 1), 0);

	/* only before it is settled that the lone one knows of us */
	if (!words && example->way == LONE && producer) {
		w.nr_lost[producer]++;
		return;
	}
	assert_non_null(words);
	words[0] = (__u64)producer << 8 | (__u64)nr;
	if (producer & 1)
		words[1] = ~words[0];
	__inlay_ringbuf_submit_v1(words, 0);
	w.nr_submitted[producer] = nr;
}

static void actor_main(void)
{
	int i = running, nr;

	if (i == CONSUMER)
		hooked_consume(&w.ring, example->nr_passes, deliver);
	else
		for (nr = 1; nr <= example->nr_records[i]; nr++)
			produce(i, w.nr_submitted[i] + 1);
	hook_storing();
	w.actors[i].fate = DONE;
	w.actors[i].history = 0;
	running = -1;
	_longjmp(scheduler, 1);
}

static void run_as(int i)
{
	running = i;
	thread_now = i < NR_PRODUCERS ? i : NR_PRODUCERS;
	stub_owner = (__u32)i + 1;
}

/* Runs the actor's next access and what follows it, up to the one after that. */
static void actor_step(int i)
{
	run_as(i);
	if (!_setjmp(scheduler))
		_longjmp(w.actors[i].at, 1);
	running = -1;
}

static void actor_start(int i)
{
	static ucontext_t context;

	assert_int_equal(getcontext(&context), 0);
	context.uc_stack.ss_sp = stacks[i];
	context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&context, actor_main, 0);
	w.actors[i].fate = READY;
	w.actors[i].history = 1;
	run_as(i);
	if (!_setjmp(scheduler))
		setcontext(&context);
	running = -1;
}

/* ---- States ----------------------------------------------------------------------------- */

struct snapshot {
	struct world world;
	char *stacks;
};

static size_t stack_used(int i)
{
	return w.actors[i].fate == READY ? (size_t)(stacks[i] + STACK_BYTES - w.actors[i].low) : 0;
}

static void save(struct snapshot *to)
{
	size_t bytes = 0;
	int i;

	memcpy(w.header, map.desc.region, HEADER_BYTES);
	memcpy(w.data, (char *)map.desc.region + INLAY_PAGE_BYTES, DATA_BYTES);
	to->world = w;
	for (i = 0; i < NR_ACTORS; i++)
		bytes += stack_used(i);
	to->stacks = malloc(bytes + 1);
	assert_non_null(to->stacks);
	for (bytes = 0, i = 0; i < NR_ACTORS; bytes += stack_used(i), i++)
		memcpy(to->stacks + bytes, w.actors[i].low, stack_used(i));
}

static void restore(const struct snapshot *from)
{
	size_t bytes = 0;
	int i;

	w = from->world;
	memcpy(map.desc.region, w.header, HEADER_BYTES);
	memcpy((char *)map.desc.region + INLAY_PAGE_BYTES, w.data, DATA_BYTES);
	for (i = 0; i < NR_ACTORS; bytes += stack_used(i), i++)
		memcpy(w.actors[i].low, from->stacks + bytes, stack_used(i));
}

/* ---- What must hold at the end ---------------------------------------------------------- */

static void check_room(void)
{
	const __u64 *data = (const __u64 *)map.desc.region + INLAY_PAGE_BYTES / 8;
	struct inlay_ring_header *h = map.desc.region;
	int i, nr = 0;

	for (i = 0; i < DATA_BYTES / 8; i++)
		assert_int_equal(data[i], 0);
	run_as(NR_PRODUCERS);
	running = -1;
	while (__inlay_ringbuf_reserve_v1(&map.desc, 8, 0))
		nr++;
	assert_int_equal(nr, RING_BYTES / 16 - 1);
	assert_int_equal(h->lost, 1 + w.nr_lost[0] + w.nr_lost[1]);
}

static void check_end(void)
{
	struct inlay_ring_header *h = map.desc.region;
	struct inlay_ring_record record;
	struct inlay_ring last;
	int i;

	nr_ends++;
	if (w.actors[CONSUMER].fate != DEAD)
		w.in_hand = 0;
	inlay_ring_open(&last, h, RING_BYTES, stub_is_alive, ask_barrier, NULL);
	while (inlay_ring_next(&last, &record) == INLAY_RING_RECORD) {
		deliver(&record);
		inlay_ring_pass(&last, &record);
		w.in_hand = 0;
	}
	assert_int_equal(inlay_ring_next(&last, &record), INLAY_RING_EMPTY);
	inlay_ring_release(&last);
	assert_int_equal(last.broken + w.ring.broken, 0);
	for (i = 0; i < NR_PRODUCERS; i++) {
		assert_true(w.nr_delivered[i] >= w.nr_submitted[i]);
		if (w.actors[i].fate == DONE)
			assert_int_equal(w.nr_submitted[i] + w.nr_lost[i], example->nr_records[i]);
	}
	assert_true(h->dead <= (__u64)w.nr_killed);
	check_room();
}

/* ---- Everything that can happen --------------------------------------------------------- */

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
	for (i = 0; i < NR_ACTORS; i++) {
		if (w.actors[i].fate != READY)
			continue;
		is_end = false;
		actor_step(i);
		explore(depth + 1);
		restore(snapshot);
		if (i < NR_PRODUCERS && w.kept[i].at) {
			show(i);
			explore(depth + 1);
			restore(snapshot);
		}
		if (w.nr_killed < example->nr_kills) {
			if (i < NR_PRODUCERS)
				show(i);
			w.actors[i].fate = DEAD;
			w.actors[i].history = 0;
			w.owners.is_dead[i + 1] = 1;
			w.nr_killed++;
			explore(depth + 1);
			restore(snapshot);
		}
	}
	if (is_end) {
		check_end();
		restore(snapshot);
	}
	free(snapshot->stacks);
	free(snapshot);
}

static void nothing(const struct inlay_ring_record *record)
{
	(void)record;
}

/* The first producer is alone, whoever has been before. */
static void become_lone(void)
{
	struct inlay_ring_header *h = map.desc.region;

	h->lone = 1ull << INLAY_RING_LONE_OWNER_SHIFT | 1ull << INLAY_RING_LONE_TID_SHIFT;
	w.threads[0].seats[0].lone = h->lone;
	w.threads[0].seats[0].tail = h->tail;
}

/* Leaves an empty ring that has been used. */
static void setup(void)
{
	int i;

	memset(map.desc.region, 0, map.desc.region_bytes);
	memset(&w, 0, sizeof(w));
	stub_owners = &w.owners;
	/* all know who they are: the short way is open */
	__inlay_process_v1.epoch = 1;
	for (i = 0; i <= NR_PRODUCERS; i++) {
		w.threads[i].epoch = 1;
		w.threads[i].owner = (__u32)i + 1;
		w.threads[i].header = INLAY_RING_SET | INLAY_RING_BUSY |
				      (__u64)(i + 1) << INLAY_RING_OWNER_SHIFT;
	}
	run_as(NR_PRODUCERS);
	running = -1;
	if (example->way != LONE)
		((struct inlay_ring_header *)map.desc.region)->lone = INLAY_RING_LONE_SETTLED;
	inlay_ring_open(&w.ring, map.desc.region, RING_BYTES, ask_alive, ask_barrier, NULL);
	for (i = 0; i < example->nr_before; i++) {
		__u64 *words = __inlay_ringbuf_reserve_v1(&map.desc, 8, 0);

		words[0] = ~0ull;
		__inlay_ringbuf_submit_v1(words, 0);
		hooked_consume(&w.ring, 1, nothing);
	}
	for (i = 0; i < NR_PRODUCERS; i++) {
		struct inlay_ring_seat *seat = &w.threads[i].seats[0];

		seat->key = inlay_ring_key(map.desc.region, RING_BYTES);
		seat->stack = (__u64)stacks;
		seat->stack_bytes = sizeof(stacks);
		if (example->is_hot[i])
			seat->heat = 64;
	}
	if (example->way == LONE)
		become_lone();
}

static void explore_all(const struct example *examples, size_t nr)
{
	size_t i;
	int k;

	for (i = 0; i < nr; i++) {
		example = &examples[i];
		nr_states = nr_ends = 0;
		setup();
		for (k = 0; k < NR_ACTORS; k++)
			if (k == CONSUMER ? example->nr_passes : example->nr_records[k])
				actor_start(k);
		visited_nr = 0;
		if (visited)
			memset(visited, 0, visited_max * sizeof(*visited));
		explore(0);
		print_message("example %zu: %lu states, %lu ends\n", i, nr_states, nr_ends);
		assert_true(nr_ends > 0);
	}
}

static void single_records(void **state)
{
	static const struct example examples[] = {
		{ { 1, 1 }, 0, 2, 0, { false, false }, LOCKED },
		{ { 2, 1 }, 0, 2, 14, { false, false }, LOCKED },
		{ { 1, 1 }, 1, 2, 0, { false, false }, LOCKED },
		{ { 1, 1 }, 2, 1, 15, { false, false }, LOCKED },
		{ { 2, 0 }, 2, 2, 15, { false, false }, LOCKED },
	};

	(void)state;
	explore_all(examples, sizeof(examples) / sizeof(examples[0]));
}

static void spans(void **state)
{
	static const struct example examples[] = {
		{ { 2, 1 }, 0, 2, 0, { true, true }, LOCKED },
		{ { 2, 0 }, 1, 2, 0, { true, false }, LOCKED },
		{ { 3, 0 }, 2, 1, 14, { true, false }, LOCKED },
		{ { 1, 1 }, 1, 1, 14, { true, false }, LOCKED },
	};

	(void)state;
	explore_all(examples, sizeof(examples) / sizeof(examples[0]));
}

static void spans_with_slots(void **state)
{
	static const struct example examples[] = {
		{ { 2, 1 }, 0, 2, 0, { true, true }, SLOTS },
		{ { 2, 0 }, 1, 2, 0, { true, false }, SLOTS },
		{ { 3, 0 }, 2, 0, 14, { true, false }, SLOTS },
		{ { 3, 0 }, 1, 1, 14, { true, false }, SLOTS },
	};

	(void)state;
	explore_all(examples, sizeof(examples) / sizeof(examples[0]));
}

static void lone_producer(void **state)
{
	static const struct example examples[] = {
		{ { 2, 0 }, 2, 2, 15, { false, false }, LONE },
		{ { 1, 2 }, 0, 2, 0, { false, false }, LONE },
		{ { 2, 1 }, 0, 1, 14, { false, false }, LONE },
		{ { 1, 1 }, 1, 0, 15, { false, false }, LONE },
	};

	(void)state;
	explore_all(examples, sizeof(examples) / sizeof(examples[0]));
}

static int open_map(void **state)
{
	(void)state;
	stub_map_open(&map, INLAY_MAP_TYPE_RINGBUF, RING_BYTES);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_records),
		cmocka_unit_test(spans),
		cmocka_unit_test(spans_with_slots),
		cmocka_unit_test(lone_producer),
	};

	return cmocka_run_group_tests(tests, open_map, NULL);
}
