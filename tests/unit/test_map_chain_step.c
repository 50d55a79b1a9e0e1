/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every access to shared memory in an operation of a queue or a stack as the place where something
 * happens, as test_map_step.c does it with hash maps: the operation is abandoned there for good, or
 * another process does a whole operation of its own. Killed: nothing is lost but what was in its
 * hands, and the survivor gets every node back. Interrupted: results and contents are those of one
 * of the two orders.
 */
#include "map_fixture.h"
#include "map_hooks.h"

#include <setjmp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/inlay_rt.h"

enum { MAX_ENTRIES = 3, STEPS_MAX = 5000 };
enum op { OP_PUSH, OP_REPLACE, OP_POP, OP_PEEK, OP_NR };

static int steps_left;
static void (*at_step)(void);	/* NULL: accesses are not counted */
static jmp_buf killed;
static struct fixture map;

/* What should be in it, the oldest first. */
struct model {
	__u64 values[MAX_ENTRIES + 1];
	__u32 nr;
};

static bool is_stack(void)
{
	return map.desc.type == INLAY_MAP_TYPE_STACK;
}

static void be(__u32 row)
{
	fixture_row = row;
	fixture_forget();
	__inlay_owner_keep(__inlay_owner());
}

/* The result; of a pop or peek the value, if there is one. */
static __s64 run(enum op op, __u64 value)
{
	__u64 values[2] = { value, ~value };
	__s64 err;

	switch (op) {
	case OP_PUSH:
		return __inlay_map_push_elem_v1(&map.desc, values, 0);
	case OP_REPLACE:
		return __inlay_map_push_elem_v1(&map.desc, values, INLAY_BPF_EXIST);
	case OP_POP:
		err = __inlay_map_pop_elem_v1(&map.desc, values);
		break;
	default:
		err = __inlay_map_peek_elem_v1(&map.desc, values);
	}
	if (err)
		return err;
	assert_int_equal(values[1], ~values[0]);
	return (__s64)values[0];
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
		if (m->nr == MAX_ENTRIES && op == OP_PUSH)
			return -INLAY_E2BIG;
		if (m->nr == MAX_ENTRIES)
			drop_oldest(m);
		m->values[m->nr++] = value;
		return 0;
	default:
		if (!m->nr)
			return -INLAY_ENOENT;
		value = is_stack() ? m->values[m->nr - 1] : m->values[0];
		if (op == OP_POP && is_stack())
			m->nr--;
		else if (op == OP_POP)
			drop_oldest(m);
		return (__s64)value;
	}
}

static struct model setup(__u32 nr)
{
	struct model m = { 0 };
	__u32 i;

	memset(map.desc.region, 0, map.desc.region_bytes);
	be(0);
	/* some history: nodes that have been used before, a hint that leads to none */
	for (i = 0; i < MAX_ENTRIES + 1; i++)
		assert_int_equal(run(OP_REPLACE, 90 + i), 0);
	for (i = 0; i < MAX_ENTRIES; i++)
		assert_true(run(OP_POP, 0) >= 90);
	for (i = 0; i < nr; i++)
		assert_int_equal(run(OP_PUSH, i + 1), model_run(&m, OP_PUSH, i + 1));
	return m;
}

static struct model contents(void)
{
	struct model m = { 0 };
	__u64 swap;
	__s64 value;

	while ((value = run(OP_POP, 0)) > 0) {
		assert_true(m.nr <= MAX_ENTRIES);
		m.values[m.nr++] = (__u64)value;
	}
	assert_int_equal(value, -INLAY_ENOENT);
	for (__u32 i = 0; is_stack() && i < m.nr / 2; i++) {
		swap = m.values[i];
		m.values[i] = m.values[m.nr - 1 - i];
		m.values[m.nr - 1 - i] = swap;
	}
	return m;
}

static bool is_same(const struct model *a, const struct model *b)
{
	return a->nr == b->nr && !memcmp(a->values, b->values, a->nr * sizeof(a->values[0]));
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

/* ---- Killed ----------------------------------------------------------------------------- */

static void die(void)
{
	longjmp(killed, 1);
}

/* One search is enough to find what the dead had. */
static void check_capacity(void)
{
	struct model now;

	for (__u32 round = 0; round < 3; round++) {
		for (__u64 i = 0; i < MAX_ENTRIES; i++)
			assert_int_equal(run(OP_PUSH, 7 + i), 0);
		assert_int_equal(run(OP_PUSH, 7), -INLAY_E2BIG);
		assert_int_equal(run(OP_REPLACE, 17), 0);
		now = contents();
		assert_int_equal(now.nr, MAX_ENTRIES);
		assert_int_equal(now.values[0], 8);
		assert_int_equal(now.values[MAX_ENTRIES - 1], 17);
	}
	fixture_check(&map.desc, true);
	assert_int_equal(fixture_count(&map.desc).dead_main, 0);
}

static void check_after_death(enum op op, const struct model *before, int n)
{
	struct model after = *before, dropped = *before, now;

	fixture_check(&map.desc, true);
	model_run(&after, op, 100);
	if (op == OP_REPLACE && dropped.nr == MAX_ENTRIES)
		drop_oldest(&dropped);
	now = contents();
	if (!is_same(&now, before) && !is_same(&now, &after) && !is_same(&now, &dropped))
		fail_msg("op %d of type %u killed at %d: %u elements", op, map.desc.type, n,
			 now.nr);
	check_capacity();
}

static int kill_everywhere(enum op op, __u32 nr)
{
	volatile int n;

	for (n = 0; n < STEPS_MAX; n++) {
		struct model before = setup(nr);

		fixture_procs->is_dead[1] = 0;
		be(1);
		if (!setjmp(killed)) {
			steps_left = n;
			at_step = die;
			run(op, 100);
			at_step = NULL;
			be(0);
			return n;
		}
		be(0);
		fixture_procs->is_dead[1] = 1;
		check_after_death(op, &before, n);
	}
	fail();
	return 0;
}

/* ---- Interrupted ------------------------------------------------------------------------ */

static enum op other_op;
static __s64 other_ret;

static void interrupt(void)
{
	__u32 row = fixture_row;

	be(2);
	other_ret = run(other_op, 200);
	be(row);
}

struct done {
	enum op op;
	__u64 value;
	__s64 ret;
};

/* drop: the oldest goes before nobody (0), the first or the second */
static bool is_order(struct model m, const struct done *first, const struct done *second, int drop,
		     const struct model *now)
{
	if (drop == 1 && m.nr)
		drop_oldest(&m);
	if (model_run(&m, first->op, first->value) != first->ret)
		return false;
	if (drop == 2 && m.nr)
		drop_oldest(&m);
	return model_run(&m, second->op, second->value) == second->ret && is_same(&m, now);
}

/*
 * A node in somebody's hands takes its room in the map. So where that was the last one, a push that
 * may drop the oldest does so, although it might have waited for the other's end and need not.
 */
static bool is_possible(const struct model *before, const struct done *a, const struct done *b,
			const struct model *now)
{
	bool may_drop = before->nr >= MAX_ENTRIES - 1 && (a->op == OP_REPLACE || b->op == OP_REPLACE);

	for (int drop = 0; drop <= (may_drop ? 2 : 0); drop++)
		if (is_order(*before, a, b, drop, now) || is_order(*before, b, a, drop, now))
			return true;
	return false;
}

static void interrupt_everywhere(enum op op, enum op other, __u32 nr)
{
	for (int n = 0; n < STEPS_MAX; n++) {
		struct model before = setup(nr), now;
		__s64 ret;

		other_op = other;
		be(1);
		steps_left = n;
		at_step = interrupt;
		ret = run(op, 100);
		if (at_step) {
			at_step = NULL;
			be(0);
			return;
		}
		be(0);
		fixture_check(&map.desc, false);
		now = contents();
		if (!is_possible(&before, &(struct done){ op, 100, ret },
				 &(struct done){ other, 200, other_ret }, &now))
			fail_msg("type %u with %u: op %d = %lld, at %d op %d = %lld, %u left",
				 map.desc.type, nr, op, (long long)ret, n, other,
				 (long long)other_ret, now.nr);
		fixture_check(&map.desc, false);
	}
	fail();
}

/* ---- Forked ------------------------------------------------------------------------------ */

/* Somebody else uses all nodes that are free when the first of the two has finished. */
static bool has_others;
enum { OTHERS = 500 };

static void others_push(void)
{
	__u32 row = fixture_row;

	if (!has_others)
		return;
	be(2);
	for (__u64 value = OTHERS; !run(OP_PUSH, value);)
		value++;
	be(row);
}

/* What others have pushed is there, and nothing is there twice. */
static void check_others(int n)
{
	struct model now;
	__u32 i, k;

	fixture_check(&map.desc, true);
	now = contents();
	for (i = 0; i < now.nr; i++)
		for (k = 0; k < i; k++)
			if (now.values[i] == now.values[k] && now.values[i] != 100)
				fail_msg("type %u forked at %d: %llu twice", map.desc.type, n,
					 (unsigned long long)now.values[i]);
	((struct inlay_hash_header *)map.desc.region)->drops = 0;
	check_capacity();
}

static pid_t child;
static int hold_child[2];	/* the child goes on when nobody can write to it any more */
static bool is_child_first;

/* A signal handler forks, and returns in both. */
static void fork_here(void)
{
	char end;

	assert_int_equal(pipe(hold_child), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(hold_child[1]);
		be(3);
		assert_int_equal(read(hold_child[0], &end, 1), 0);
		return;
	}
	close(hold_child[0]);
	if (!is_child_first)
		return;
	close(hold_child[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	others_push();
}

/* What one did, two may have done. */
static void check_after_fork(enum op op, const struct model *before, int n)
{
	struct model once = *before, twice, now;

	fixture_check(&map.desc, true);
	model_run(&once, op, 100);
	twice = once;
	model_run(&twice, op, 100);
	now = contents();
	if (!is_same(&now, &once) && !is_same(&now, &twice))
		fail_msg("op %d of type %u forked at %d: %u elements", op, map.desc.type, n,
			 now.nr);
	/* the child may have been refused: then the next search would be many refusals away */
	((struct inlay_hash_header *)map.desc.region)->drops = 0;
	check_capacity();
}

static void fork_everywhere(enum op op, __u32 nr)
{
	for (int n = 0; n < STEPS_MAX; n++) {
		struct model before = setup(nr);

		fixture_procs->is_dead[1] = fixture_procs->is_dead[3] = 0;
		child = -1;
		be(1);
		steps_left = n;
		at_step = fork_here;
		run(op, 100);
		if (!child)
			_exit(0);
		if (at_step) {
			at_step = NULL;
			be(0);
			return;
		}
		if (!is_child_first) {
			others_push();
			close(hold_child[1]);
			assert_int_equal(waitpid(child, NULL, 0), child);
		}
		be(0);
		fixture_procs->is_dead[1] = fixture_procs->is_dead[3] = 1;
		if (has_others)
			check_others(n);
		else
			check_after_fork(op, &before, n);
	}
	fail();
}

static void forked(void **state)
{
	static const __u32 types[] = { INLAY_MAP_TYPE_QUEUE, INLAY_MAP_TYPE_STACK };
	static struct fixture_procs procs;

	(void)state;
	fixture_procs = &procs;
	for (int i = 0; i < 8; i++) {
		is_child_first = i & 1;
		has_others = i & 4;
		fixture_init(&map, types[i / 2 % 2], 0, 16, MAX_ENTRIES);
		fork_everywhere(OP_PUSH, 1);
		fork_everywhere(OP_PUSH, 0);
		fork_everywhere(OP_POP, MAX_ENTRIES);
		/* a child that finds itself to be one in the middle has dropped another one */
		if (has_others)
			fork_everywhere(OP_REPLACE, MAX_ENTRIES);
		fixture_fini(&map);
	}
	has_others = false;
	fixture_procs = NULL;
}

/* ---- All -------------------------------------------------------------------------------- */

static void all(__u32 type)
{
	static struct fixture_procs procs;

	fixture_init(&map, type, 0, 16, MAX_ENTRIES);
	fixture_procs = &procs;
	for (__u32 nr = 0; nr <= MAX_ENTRIES; nr++)
		for (int op = 0; op < OP_NR; op++) {
			assert_true(kill_everywhere((enum op)op, nr) > (op < OP_POP ? 10 : 0));
			procs.is_dead[1] = 0;
			for (int other = 0; other < OP_NR; other++)
				interrupt_everywhere((enum op)op, (enum op)other, nr);
		}
	fixture_procs = NULL;
	fixture_fini(&map);
}

static void queues(void **state)
{
	(void)state;
	all(INLAY_MAP_TYPE_QUEUE);
}

static void stacks(void **state)
{
	(void)state;
	all(INLAY_MAP_TYPE_STACK);
}

/*
 * Somebody else passes the oldest element of a stack, and takes it off, just when it was marked.
 * Who marked it has to walk all the way once more, or the node is nobody's as long as both live.
 */
static void long_stack(void **state)
{
	enum { LONG = 3000, LAST_STEPS = 80 };
	int nr_steps = INT32_MAX;

	(void)state;
	fixture_init(&map, INLAY_MAP_TYPE_STACK, 0, 16, LONG);
	for (int left = 0; left <= LAST_STEPS; left++) {
		memset(map.desc.region, 0, map.desc.region_bytes);
		be(0);
		for (__u64 i = 0; i < LONG; i++)
			assert_int_equal(run(OP_PUSH, i + 1), 0);
		other_op = OP_REPLACE;
		steps_left = nr_steps - left;
		at_step = interrupt;
		assert_int_equal(run(OP_REPLACE, 100), 0);
		if (!left) /* which counts them */
			nr_steps -= steps_left;
		else
			assert_null(at_step);
		at_step = NULL;
		fixture_check(&map.desc, false);
	}
	fixture_fini(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues),
		cmocka_unit_test(stacks),
		cmocka_unit_test(long_stack),
		cmocka_unit_test(forked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
