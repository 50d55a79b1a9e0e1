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
#include "map_hooks.h"

#include <setjmp.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NR_KEYS = 4, MAX_ENTRIES = 3, ROOMY_ENTRIES = 6, STEPS_MAX = 5000 };

enum op { OP_ANY, OP_NOEXIST, OP_EXIST, OP_DELETE, OP_LOOKUP, OP_NR };
static const char *const op_names[OP_NR] = { "any", "noexist", "exist", "delete", "lookup" };

/* map_hooked.c: the inline lookup, compiled like the rest of what is tested */
void *hooked_lookup(const struct inlay_map_desc *desc, const void *key);

static int steps_left;
static void (*at_step)(void);	/* NULL: accesses are not counted */
static jmp_buf killed;
static struct fixture map;
static __u64 keys[NR_KEYS];	/* all in one bucket */

/* Goes on as another process, or the same in a signal handler. */
static void be(__u32 row)
{
	if (row == fixture_row)
		return;
	fixture_row = row;
	fixture_forget();
	__inlay_owner_keep(__inlay_owner());
}

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
	be(0);
	for (i = 0; i < nr_live; i++)
		assert_int_equal(run(OP_NOEXIST, keys[i], i + 1), 0);
	/* some history: nodes that have been used before, free stacks that are not empty */
	assert_int_equal(run(OP_EXIST, keys[0], 1), 0);
	if (nr_live < map.desc.max_entries) {
		assert_int_equal(run(OP_NOEXIST, keys[nr_live], 9), 0);
		assert_int_equal(run(OP_DELETE, keys[nr_live], 0), 0);
	}
}

void hook_before(const volatile void *p)
{
	void (*call)(void) = at_step;

	/* its own name is nobody else's business */
	if (!call || p == &__inlay_process_v1.owner || steps_left-- > 0)
		return;
	at_step = NULL;
	call();
}

void hook_saw(__u64 value)
{
	(void)value;
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
	/* the search for the first missing one has found all */
	assert_int_equal(fixture_count(&map.desc).dead_main, 0);
	assert_int_equal(fixture_count(&map.desc).dead_spare, 0);
}

/* The process itself has, right before: that node is what it takes then. */
static bool has_let_doze;

static void let_doze(__u32 nr_live)
{
	if (!has_let_doze)
		return;
	assert_int_equal(run(OP_NOEXIST, keys[nr_live], 9), 0);
	assert_int_equal(run(OP_DELETE, keys[nr_live], 0), 0);
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
			be(1);
			let_doze(nr_live);
			run_until(op, keys[key], 100, n, die, &ret);
			be(0);
			return n;
		}
		be(0);
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
	has_let_doze = true;
	assert_true(kill_everywhere(OP_NOEXIST, 2, 1) > 10);
	has_let_doze = false;
}

/* A key that others never walk by again was woken by one who is dead: its node is found, too. */
static void killed_while_waking(void **state)
{
	__u64 others[MAX_ENTRIES], key;
	int i, n = 0;
	__s64 ret;

	(void)state;
	for (key = 1; n < MAX_ENTRIES; key++)
		if (inlay_hash_key(&key, 8) & 3) /* not the bucket of `keys` */
			others[n++] = key;
	for (n = 0; n < STEPS_MAX; n++) {
		setup(1);
		fixture_procs->is_dead[1] = 0;
		if (!setjmp(killed)) {
			be(1);
			run_until(OP_ANY, keys[1], 100, n, die, &ret);
			be(0);
			assert_true(n > 5);
			return;
		}
		be(0);
		fixture_procs->is_dead[1] = 1;
		for (i = (int)fixture_count(&map.desc).live; i < MAX_ENTRIES; i++)
			assert_int_equal(run(OP_NOEXIST, others[i], 7), 0);
		assert_int_equal(fixture_count(&map.desc).live, MAX_ENTRIES);
		fixture_check(&map.desc, true);
	}
	fail_msg("does not end");
}

/* ---- Forked ------------------------------------------------------------------------------ */

/* Somebody else uses all nodes that are free when the first of the two has finished. */
static bool has_others;
static __u64 fillers[MAX_ENTRIES];
static __s64 filled[MAX_ENTRIES];

static void others_fill(__u32 nr_live, __u32 key)
{
	__u32 row = fixture_row, i, n;

	if (!has_others)
		return;
	be(2);
	for (i = 0; i < MAX_ENTRIES; i++)
		filled[i] = run(OP_NOEXIST, fillers[i], 50 + i);
	/* those that values are replaced by, too */
	for (n = 0; n < INLAY_HASH_SPARES; n++)
		for (i = 0; i < nr_live; i++)
			if (i != key)
				run(OP_EXIST, keys[i], i + 1);
	be(row);
}

static void check_filled(int n)
{
	for (int i = 0; has_others && i < MAX_ENTRIES; i++) {
		__s64 now = run(OP_LOOKUP, fillers[i], 0);

		if (now != (filled[i] ? 0 : 50 + i))
			fail_msg("forked at %d: others have %lld", n, (long long)now);
		run(OP_DELETE, fillers[i], 0);
	}
	/* the next refusal looks for what the dead had, as if these had not been */
	((struct inlay_hash_header *)map.desc.region)->drops = 0;
}

static pid_t child;
static __u32 forked_nr_live, forked_key;
static int hold_child[2];	/* the child goes on when nobody can write to it any more */
static bool is_child_first;

/* A signal handler forks, and returns in both. */
static void fork_here(void)
{
	char end;

	assert_int_equal(pipe(hold_child), 0);
	child = fork();
	assert_true(child >= 0);
	if (child) {
		close(hold_child[0]);
		if (is_child_first) {
			close(hold_child[1]);
			assert_int_equal(waitpid(child, NULL, 0), child);
			others_fill(forked_nr_live, forked_key);
		}
		return;
	}
	close(hold_child[1]);
	be(3);
	assert_int_equal(read(hold_child[0], &end, 1), 0);
}

static void fork_everywhere(enum op op, __u32 key, __u32 nr_live)
{
	__u64 after;
	__s64 ret;
	int n;

	forked_nr_live = nr_live;
	forked_key = key;
	for (n = 0; n < STEPS_MAX; n++) {
		setup(nr_live);
		fixture_procs->is_dead[1] = fixture_procs->is_dead[3] = 0;
		child = -1;
		be(1);
		let_doze(nr_live);
		if (!run_until(op, keys[key], 100, n, fork_here, &ret)) {
			be(0);
			return;
		}
		if (!child)
			_exit(0);
		if (!is_child_first) {
			others_fill(nr_live, key);
			close(hold_child[1]);
			assert_int_equal(waitpid(child, NULL, 0), child);
		}
		be(0);
		fixture_procs->is_dead[1] = fixture_procs->is_dead[3] = 1;
		after = key < nr_live ? key + 1 : 0;
		model(op, &after, 100);
		if ((__u64)run(OP_LOOKUP, keys[key], 0) != after)
			fail_msg("%s forked at %d", op_names[op], n);
		fixture_check(&map.desc, true);
		check_filled(n);
		check_after_death(op, key, nr_live, n);
	}
	fail_msg("%s does not end", op_names[op]);
}

/*
 * What one had in its hands, two have now. Both finish, and the map is as if it had happened once;
 * when both have ended every node is found.
 */
static void forked_at_every_access(void **state)
{
	(void)state;
	memset(fixture_procs, 0, sizeof(*fixture_procs));
	for (int i = 0; i < 8; i++) {
		is_child_first = i & 1;
		has_others = i & 4;
		/* maps with locks in their values go the long way from the beginning */
		map.desc.extra = i & 2 ? 12 + 1 : 0;
		fork_everywhere(OP_NOEXIST, 1, 1);
		has_let_doze = true;
		fork_everywhere(OP_NOEXIST, 2, 1);
		has_let_doze = false;
		fork_everywhere(OP_ANY, 0, 2);
		fork_everywhere(OP_EXIST, 1, 3);
		fork_everywhere(OP_DELETE, 1, 3);
	}
	map.desc.extra = 0;
	has_others = false;
}

/*
 * Up to three operations: the first is interrupted before its access number at[0] by the second,
 * which is interrupted before its access number at[1] by the third.
 */
enum { NR_MAX = 3 };
static struct nested {
	enum op op;
	__u32 key;	/* index in keys */
	__u32 row;
	int at;		/* where the next one interrupts it */
	__s64 ret;
} nested[NR_MAX];
static int nr_nested, running;

static void run_next(void)
{
	struct nested *n = &nested[++running];
	__u32 row = fixture_row;

	be(n->row);
	steps_left = n->at;
	at_step = running + 1 < nr_nested ? run_next : NULL;
	n->ret = run(n->op, keys[n->key], 100ull * (__u64)(n - nested + 1));
	at_step = NULL;
	be(row);
}

/* Whether results and map are what the operations give in this order. */
static bool is_order(const int *order, __u32 nr_live, const __u64 *now)
{
	__u64 values[NR_KEYS];
	int i;

	for (i = 0; i < NR_KEYS; i++)
		values[i] = i < (int)nr_live ? (__u64)i + 1 : 0;
	for (i = 0; i < nr_nested; i++) {
		const struct nested *n = &nested[order[i]];

		if (model(n->op, &values[n->key], 100ull * (__u64)(order[i] + 1)) != n->ret)
			return false;
	}
	return !memcmp(values, now, sizeof(values));
}

/* Every place of every nested operation; false: the first one ended before the second began. */
static bool interleave_at(__u32 nr_live)
{
	static const int orders[6][NR_MAX] = { { 0, 1, 2 }, { 1, 0, 2 }, { 0, 2, 1 }, { 2, 0, 1 },
					       { 1, 2, 0 }, { 2, 1, 0 } };
	__u64 now[NR_KEYS];
	bool is_any = false;
	int i;

	setup(nr_live);
	if (has_let_doze)
		be(nested[0].row);
	let_doze(nr_live);
	running = -1;
	run_next();
	if (running + 1 < nr_nested)
		return false;
	for (i = 0; i < NR_KEYS; i++)
		now[i] = (__u64)run(OP_LOOKUP, keys[i], 0);
	for (i = 0; i < (nr_nested == 2 ? 2 : 6) && !is_any; i++)
		is_any = is_order(orders[i], nr_live, now);
	if (!is_any) {
		for (i = 0; i < nr_nested; i++)
			print_error("%s on key %u: %lld (interrupted at %d)\n",
				    op_names[nested[i].op], nested[i].key,
				    (long long)nested[i].ret, nested[i].at);
		fail_msg("no order of these gives this map, %u live before", nr_live);
	}
	fixture_check(&map.desc, false);
	return true;
}

static void interleave(__u32 nr_live)
{
	for (nested[0].at = 0; nested[0].at < STEPS_MAX; nested[0].at++) {
		for (nested[1].at = 0; nested[1].at < STEPS_MAX; nested[1].at++)
			if (!interleave_at(nr_live) || nr_nested == 2)
				break;
		if (running < 1)
			return; /* the first one has ended by itself */
	}
	fail_msg("%s does not end", op_names[nested[0].op]);
}

static void set_nested(int nr, enum op a, __u32 ka, enum op b, __u32 kb, enum op c, __u32 kc)
{
	nr_nested = nr;
	nested[0] = (struct nested){ .op = a, .key = ka, .row = 1 };
	/* a signal handler of the same process, and another process */
	nested[1] = (struct nested){ .op = b, .key = kb, .row = 1 };
	nested[2] = (struct nested){ .op = c, .key = kc, .row = 2 };
}

static void interleaved_at_every_access(void **state)
{
	int a, b, c;
	__u32 row;

	(void)state;
	memset(fixture_procs, 0, sizeof(*fixture_procs));
	/* An insert holds its node before it links it, so a map that is about to be full may refuse
	 * one too many for a moment: not what is looked for here. */
	fixture_fini(&map);
	fixture_init(&map, INLAY_MAP_TYPE_HASH, 8, 16, ROOMY_ENTRIES);
	for (row = 1; row <= 2; row++)
		for (a = 0; a < OP_NR; a++)
			for (b = 0; b < OP_LOOKUP; b++) {
				/* the key is there behind another; it is not; the one before it */
				set_nested(2, a, 1, b, 1, 0, 0);
				nested[1].row = row;
				interleave(2);
				interleave(1);
				nested[1].key = 0;
				interleave(2);
			}
	has_let_doze = true;
	for (row = 1; row <= 2; row++)
		for (b = 0; b < OP_LOOKUP; b++)
			for (c = 0; c < 3; c++) {
				set_nested(2, OP_NOEXIST, 2, b, (__u32)c, 0, 0);
				nested[1].row = row;
				interleave(1);
				set_nested(3, OP_NOEXIST, 2, b, (__u32)c, OP_DELETE, (__u32)c);
				nested[1].row = row;
				interleave(1);
			}
	has_let_doze = false;
	for (a = 0; a < OP_NR; a++)
		for (b = 0; b < OP_LOOKUP; b++)
			for (c = 0; c < OP_LOOKUP; c++) {
				set_nested(3, a, 1, b, 1, c, 1);
				interleave(2);
				interleave(1);
				set_nested(3, a, 1, b, 0, c, 1);
				interleave(2);
				set_nested(3, a, 1, b, 2, c, 0);
				interleave(2);
			}
}

/*
 * A key in another map's value, which somebody else changes: one key or the other is meant, and not
 * the one for its place and the other for its name.
 */
static __u64 shared_key, other_key;

static void change_key(void)
{
	shared_key = other_key;
}

static void check_places(void)
{
	__u32 bucket, nr;

	fixture_check(&map.desc, false);
	for (bucket = 0; bucket <= inlay_hash_mask(&map.desc); bucket++)
		for (nr = *inlay_hash_bucket(&map.desc, map.desc.region, bucket) & INLAY_LINK_NODE;
		     nr;) {
			struct inlay_hash_node *node =
				inlay_hash_node(&map.desc, map.desc.region, nr);

			assert_int_equal(node->hash,
					 inlay_hash_key(inlay_hash_node_key(node), 8));
			nr = node->next & INLAY_LINK_NODE;
		}
}

static void key_changes_at_every_access(void **state)
{
	__u64 value[2] = { 5, ~5ull };
	int i, n, op;

	(void)state;
	for (i = 0; i < 2; i++)
		for (op = 0; op < 2; op++)
			for (n = 0; n < STEPS_MAX; n++) {
				setup(2);
				shared_key = keys[2 - i];
				/* in the same chain, in another */
				other_key = i ? keys[0] : keys[0] + 1;
				steps_left = n;
				at_step = change_key;
				if (op)
					__inlay_map_delete_elem_v1(&map.desc, &shared_key);
				else
					__inlay_map_update_elem_v1(&map.desc, &shared_key, value, 0);
				check_places();
				if (at_step)
					break;
			}
	at_step = NULL;
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
	for (key = 1; n < NR_KEYS + MAX_ENTRIES; key++)
		if (!(inlay_hash_key(&key, 8) & 7)) { /* of both maps' masks */
			*(n < NR_KEYS ? &keys[n] : &fillers[n - NR_KEYS]) = key;
			n++;
		}
	return 0;
}

/* ---- Hostile ----------------------------------------------------------------------------- */

static struct inlay_hash_node *hostile_node;
static __u64 *hostile_bucket;
static __u32 hostile_nr;
static bool is_moved;
static int hostile_left;

/* Before each access: what was taken off dozes in its list again, and never is where it was found. */
static void doze_again(void)
{
	if (!hostile_left--)
		fail_msg("does not end");
	if (hostile_node->next & INLAY_LINK_MARK)
		hostile_node->next &= ~INLAY_LINK_WAKING;
	if (INLAY_LIFE_STATE(hostile_node->life) != INLAY_NODE_USED ||
	    (*hostile_bucket & INLAY_LINK_NODE) != hostile_nr) {
		is_moved = false;
		hostile_node->life = INLAY_NODE_USED | 1ull << 32;
		hostile_node->next = INLAY_LINK_DOZING;
		*hostile_bucket = inlay_link(*hostile_bucket, hostile_nr);
	} else if (!is_moved && (hostile_node->next & INLAY_LINK_MARK)) {
		is_moved = true;
		*hostile_bucket = inlay_link(*hostile_bucket, hostile_nr);
	}
	at_step = doze_again;
}

static void dozes_again_and_again(void **state)
{
	__u64 value[2] = { 1, 2 };

	(void)state;
	setup(1);
	hostile_bucket = inlay_hash_bucket(&map.desc, map.desc.region, inlay_hash_key(&keys[0], 8));
	hostile_nr = *hostile_bucket & INLAY_LINK_NODE;
	hostile_node = inlay_hash_node(&map.desc, map.desc.region, hostile_nr);
	hostile_node->next = INLAY_LINK_DOZING;
	steps_left = 0;
	hostile_left = 1 << 20;
	at_step = doze_again;
	__inlay_map_update_elem_v1(&map.desc, &keys[0], value, 0);
	at_step = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_every_access),
		cmocka_unit_test(killed_while_waking),
		cmocka_unit_test(forked_at_every_access),
		cmocka_unit_test(interleaved_at_every_access),
		cmocka_unit_test(key_changes_at_every_access),
		cmocka_unit_test(dozes_again_and_again),
	};

	return cmocka_run_group_tests(tests, open_map, NULL);
}
