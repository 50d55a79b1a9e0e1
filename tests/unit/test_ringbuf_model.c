/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers in every order of events: two producers and a consumer, each access of each of them to
 * the ring may come at any time, and any of them may be killed before any access. All states that can
 * be reached so are visited. At the end another consumer takes what is left: every record that was
 * submitted was delivered, whole, in its producer's order, and once (twice only if the consumer was
 * killed with it in hand); nothing of a killed one is left; and the ring has all its room again.
 *
 * A lone producer, and one with a slot, are without locked instructions: their compare-exchange is two
 * accesses, and what they store stays on its way, in its order, until some time later, or until somebody
 * has them pass a barrier.
 */
#include <stdio.h>

#define HOOK_KEEPS_STORES
#define ACTOR_OWN
enum { MOVE_STEP, MOVE_SHOW, MOVE_KILL, ACTOR_MOVES };
#include "explore.h"
#include "ring_hooked.h"
#define STUB_OWN_BARRIER
#include "ring_stubs.h"
#include "rt/map_ringbuf.h"

enum { NR_PRODUCERS = 2, CONSUMER = 2, RING_BYTES = 256, HEADER_BYTES = 768,
       DATA_BYTES = 2 * RING_BYTES, KEPT_MAX = 3 };

struct example {
	int nr_records[NR_PRODUCERS];
	int nr_passes;		/* of the consumer; 0: it comes at the end only */
	int nr_kills;
	int nr_before;		/* records that were there and gone before: where in the ring it begins */
	bool is_hot[NR_PRODUCERS];	/* others were in its way: it takes spans */
	enum { LOCKED, SLOTS, LONE } way;	/* LONE: the first producer begins so */
};

/* What a processor has not shown to the others yet, oldest first. */
struct kept {
	int nr;
	struct {
		volatile void *at;
		__u64 value;
		int bytes;
	} store[KEPT_MAX];
};

/* All that changes but the ring, the actors and their stacks. */
static struct world {
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
static int thread_now;

struct inlay_ring_thread *ring_thread_of_test(void)
{
	return &w.threads[thread_now];
}

static __u64 state_mix(__u64 h)
{
	const __u64 *words = map.desc.region;
	int i, k;

	for (i = 0; i < HEADER_BYTES / 8; i++)
		h = mix(h, words[i]);
	words += INLAY_PAGE_BYTES / 8;
	for (i = 0; i < DATA_BYTES / 8; i++)
		h = mix(h, words[i]);
	for (i = 0; i < NR_PRODUCERS; i++) {
		const struct inlay_ring_seat *seat = &w.threads[i].seats[0];

		h = mix(mix(h, (__u64)w.nr_submitted[i] << 8 | (__u64)w.nr_delivered[i]),
			(__u64)w.nr_lost[i]);
		h = mix(mix(mix(h, seat->tail), seat->span), seat->next);
		h = mix(mix(mix(h, seat->end), seat->lone), (__u64)seat->heat << 16 | seat->slot);
		for (k = 0; k < w.kept[i].nr; k++)
			h = mix(mix(h, (__u64)w.kept[i].store[k].at), w.kept[i].store[k].value);
	}
	return mix(mix(h, w.ring.cons ^ w.ring.free << 20 ^ w.ring.span_end << 40), (__u64)w.in_hand);
}

/* ---- Stores on their way ---------------------------------------------------------------- */

/* The producer that runs, or NULL. */
static struct kept *kept_of_running(void)
{
	return running && running < &actors[NR_PRODUCERS] ? &w.kept[running - actors] : NULL;
}

static void show(struct kept *k)
{
	volatile void *at = k->store[0].at;
	int i;

	if (k->store[0].bytes == 8)
		__atomic_store_n((volatile __u64 *)at, k->store[0].value, __ATOMIC_SEQ_CST);
	else
		__atomic_store_n((volatile __u32 *)at, (__u32)k->store[0].value, __ATOMIC_SEQ_CST);
	k->nr--;
	for (i = 0; i < k->nr; i++)
		k->store[i] = k->store[i + 1];
	memset(&k->store[k->nr], 0, sizeof(k->store[0]));
}

static void show_all(struct kept *k)
{
	while (k && k->nr)
		show(k);
}

/* Who stores and loads the same sees what it has stored. */
static void show_at(struct kept *k, const volatile void *p)
{
	int i = k ? k->nr : 0;

	while (i && k->store[i - 1].at != p)
		i--;
	while (i--)
		show(k);
}

static bool is_in_ring(const volatile void *p)
{
	return (__u64)((const volatile char *)p - (char *)map.desc.region) < map.desc.region_bytes;
}

void hook_locking(void)
{
	show_all(kept_of_running());
}

int hook_keeps(volatile void *p, __u64 value, int bytes)
{
	struct kept *k = kept_of_running();

	if (!k || example->way == LOCKED || !is_in_ring(p))
		return 0;
	if (k->nr == KEPT_MAX)
		show(k);
	k->store[k->nr].at = p;
	k->store[k->nr].value = value;
	k->store[k->nr++].bytes = bytes;
	return 1;
}

/* ---- Actors ----------------------------------------------------------------------------- */

void hook_before(const volatile void *p)
{
	/* the ring is what others see */
	if (!running || !is_in_ring(p))
		return;
	actor_pause();
	show_at(kept_of_running(), p);
}

/* Others may do something while something is found out that is not in the ring. */
static void before_ask(void)
{
	hook_before(&((struct inlay_ring_header *)map.desc.region)->notes[7]);
}

void ring_busy_of_test(__u64 *busy, __u64 value)
{
	hook_before(busy);
	if (!hook_keeps(busy, value, 8))
		__atomic_store_n(busy, value, __ATOMIC_SEQ_CST);
}

bool __inlay_ring_has_barrier(void)
{
	return example->way != LOCKED;
}

bool __inlay_ring_barrier(void)
{
	int i;

	before_ask();
	for (i = 0; i < NR_PRODUCERS; i++)
		show_all(&w.kept[i]);
	return true;
}

static int ask_barrier(void *ctx, __u64 pos)
{
	(void)ctx;
	(void)pos;
	return __inlay_ring_barrier();
}

static int ask_alive(void *ctx, __u32 owner, __u32 mask)
{
	int is_alive;

	before_ask();
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

static void actor_run(struct actor *actor)
{
	int i = (int)(actor - actors), nr;

	if (i == CONSUMER)
		hooked_consume(&w.ring, example->nr_passes, deliver);
	else
		for (nr = 1; nr <= example->nr_records[i]; nr++)
			produce(i, w.nr_submitted[i] + 1);
	show_all(kept_of_running());
}

static void run_as(int i)
{
	thread_now = i < NR_PRODUCERS ? i : NR_PRODUCERS;
	stub_owner = (__u32)i + 1;
}

static void actor_enter(struct actor *actor)
{
	run_as((int)(actor - actors));
}

static void actor_leave(struct actor *actor)
{
	(void)actor;
}

static enum moved actor_move(struct actor *actor, int move)
{
	int i = (int)(actor - actors);
	struct kept *kept = i < NR_PRODUCERS ? &w.kept[i] : NULL;

	switch (move) {
	case MOVE_STEP:
		actor_step(actor);
		return MOVED;
	case MOVE_SHOW:
		if (!kept || !kept->nr)
			return IMPOSSIBLE;
		show(kept);
		return MOVED;
	default:
		if (w.nr_killed == example->nr_kills)
			return IMPOSSIBLE;
		show_all(kept);
		actor->fate = DEAD;
		actor->history = 0;
		w.owners.is_dead[i + 1] = 1;
		w.nr_killed++;
		return MOVED;
	}
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

	if (actors[CONSUMER].fate != DEAD)
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
		if (actors[i].fate == DONE)
			assert_int_equal(w.nr_submitted[i] + w.nr_lost[i], example->nr_records[i]);
	}
	assert_true(h->dead <= (__u64)w.nr_killed);
	check_room();
}

/* ---- Examples --------------------------------------------------------------------------- */

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
	memset(actors, 0, sizeof(actors));
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
				actor_start(&actors[k]);
		explore();
		print_message("example %zu: %lu states, %lu ends\n", i, nr_states, nr_ends);
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
		{ { 3, 0 }, 2, 0, 14, { true, false }, LOCKED },
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
	parts[0].at = map.desc.region;
	parts[0].bytes = HEADER_BYTES;
	parts[1].at = (char *)map.desc.region + INLAY_PAGE_BYTES;
	parts[1].bytes = DATA_BYTES;
	parts[2].at = &w;
	parts[2].bytes = sizeof(w);
	nr_parts = 3;
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
