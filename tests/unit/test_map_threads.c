/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps under fire: threads of one process, and processes that are killed at random times.
 * Built twice, the second time with ThreadSanitizer.
 */
#include "map_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NR_THREADS = 3, NR_KEYS = 24, MAX_ENTRIES = 16, NR_OPS = 60000, NR_CHILDREN = 3, NR_KILLS = 60 };

static struct fixture map;
static __u32 map_type = INLAY_MAP_TYPE_HASH;

/* A value says which key it belongs to, in each of its words. */
struct value {
	__u64 words[4];
};

static void make_value(struct value *v, __u64 key, __u64 stamp)
{
	int i;

	for (i = 0; i < 4; i++)
		v->words[i] = key << 48 | stamp;
}

/* Reads a value as a reader must: it counts only if the node was live with the same link throughout. */
static void check_value(__u64 *words, __u64 key)
{
	struct inlay_hash_node *node = (struct inlay_hash_node *)(words - 1) - 1;
	__u32 gen = INLAY_LIFE_GEN(inlay_load_acquire(&node->life));
	__u64 link = inlay_load_acquire(&node->next), read[4];
	int i;

	for (i = 0; i < 4; i++)
		read[i] = inlay_load_acquire(&words[i]);
	/* the key may be deleted by now, and the node another's, or the same key's again */
	if (INLAY_LIFE_GEN(inlay_load_acquire(&node->life)) != gen ||
	    inlay_load_acquire(&node->next) != link ||
	    (link & (INLAY_LINK_MARK | INLAY_LINK_DOZING)) || inlay_load(words - 1) != key)
		return;
	for (i = 0; i < 4; i++)
		if (read[i] >> 48 != key || read[i] != read[0])
			abort();
}

static void hammer(__u64 seed, long nr_ops)
{
	__u64 stamp = 0;

	while (nr_ops--) {
		__u64 r = fixture_random(&seed), key = 1 + r % NR_KEYS;
		struct value v;
		void *at;

		make_value(&v, key, ++stamp);
		switch (r >> 32 & 7) {
		case 0:
		case 1:
			__inlay_map_delete_elem(&map.desc, &key);
			break;
		case 2:
		case 3:
		case 4:
			__inlay_map_update_elem(&map.desc, &key, &v, r >> 40 & 1 ? 0 : r >> 41 & 1);
			break;
		default:
			at = __inlay_map_lookup_elem(&map.desc, &key);
			if (at)
				check_value(at, key);
		}
	}
}

static void *hammer_thread(void *arg)
{
	hammer((__u64)(uintptr_t)arg * 7919 + 1, NR_OPS);
	return NULL;
}

static void threads(void **state)
{
	pthread_t ids[NR_THREADS];
	int i;

	(void)state;
	fixture_init(&map, map_type, 8, sizeof(struct value), MAX_ENTRIES);
	for (i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, hammer_thread,
						(void *)(uintptr_t)(i + 1)), 0);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(ids[i], NULL);
	fixture_check(&map.desc, false);
	fixture_fini(&map);
}

/* Counting in a key that others delete and insert: no count goes to another key's node. */
static void *count_thread(void *arg)
{
	__u64 seed = (__u64)(uintptr_t)arg, i;

	for (i = 0; i < NR_OPS; i++) {
		__u64 key = 1 + (uintptr_t)arg, zero[4] = { 0 }, *v;

		v = __inlay_map_lookup_elem(&map.desc, &key);
		if (!v) {
			__inlay_map_update_elem(&map.desc, &key, zero, INLAY_BPF_NOEXIST);
			v = __inlay_map_lookup_elem(&map.desc, &key);
			if (!v)
				abort();
		}
		__atomic_fetch_add(v, 1, __ATOMIC_RELAXED);
		/* another thread's business, in the same few buckets */
		key = 100 + fixture_random(&seed) % 8;
		if (i & 1)
			__inlay_map_update_elem(&map.desc, &key, zero, 0);
		else
			__inlay_map_delete_elem(&map.desc, &key);
	}
	return NULL;
}

static void counts_are_exact(void **state)
{
	pthread_t ids[NR_THREADS];
	__u64 i;

	(void)state;
	fixture_init(&map, INLAY_MAP_TYPE_HASH, 8, 32, MAX_ENTRIES);
	for (i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, count_thread, (void *)(uintptr_t)i), 0);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(ids[i], NULL);
	for (i = 0; i < NR_THREADS; i++) {
		__u64 key = 1 + i;

		assert_int_equal(*(__u64 *)__inlay_map_lookup_elem(&map.desc, &key), NR_OPS);
	}
	fixture_check(&map.desc, false);
	fixture_fini(&map);
}

static pid_t start_child(__u32 row)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		fixture_row = row;
		fixture_forget();
		hammer(row * 104729 + (__u64)getpid(), -1);
		_exit(0);
	}
	return pid;
}

static void killed_processes(void **state)
{
	pid_t pids[NR_CHILDREN];
	__u64 seed = (__u64)getpid() + 1, key;
	size_t bytes;
	int i, kills;
	__u32 row, rows[NR_CHILDREN];

	(void)state;
	fixture_procs = (struct fixture_procs *)(fixture_pages(sizeof(*fixture_procs), &bytes) +
						 INLAY_PAGE_BYTES);
	fixture_init(&map, map_type, 8, sizeof(struct value), MAX_ENTRIES);
	for (i = 0; i < NR_CHILDREN; i++)
		pids[i] = start_child(rows[i] = 1 + i);
	row = 1 + NR_CHILDREN;
	for (kills = 0; kills < NR_KILLS; kills++, row++) {
		struct timespec ts = { .tv_nsec = (long)(fixture_random(&seed) % 3000000) };
		int status;

		nanosleep(&ts, NULL);
		i = (int)(fixture_random(&seed) % NR_CHILDREN);
		kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		/* not ended by itself, on a torn value */
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		__atomic_store_n(&fixture_procs->is_dead[rows[i]], 1, __ATOMIC_RELEASE);
		rows[i] = row;
		pids[i] = start_child(row);
	}
	for (i = 0; i < NR_CHILDREN; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	for (row = 1; row < INLAY_SEGMENT_MAX_PROCS; row++)
		fixture_procs->is_dead[row] = 1;
	fixture_row = 0;
	fixture_forget();
	fixture_check(&map.desc, true);
	/* all of max_entries can be had, once the search for the dead's nodes has come round */
	for (key = 1; key <= NR_KEYS; key++)
		__inlay_map_delete_elem(&map.desc, &key);
	for (key = 1; key <= MAX_ENTRIES; key++) {
		struct value v;
		__s64 err = -INLAY_E2BIG;

		make_value(&v, key, 1);
		for (i = 0; i < (int)inlay_hash_nr_nodes(&map.desc) + 1 && err; i++)
			err = __inlay_map_update_elem(&map.desc, &key, &v, 0);
		assert_int_equal(err, 0);
	}
	/* an LRU map's hand has to come round first */
	for (key = 1; key <= (map_type == INLAY_MAP_TYPE_HASH ? 0 : 400); key++) {
		__u64 other = 1000 + key;
		struct value v;

		make_value(&v, other, 1);
		assert_int_equal(__inlay_map_update_elem(&map.desc, &other, &v, 0), 0);
	}
	assert_int_equal(fixture_count(&map.desc).live, MAX_ENTRIES);
	fixture_check(&map.desc, true);
	fixture_fini(&map);
}

static int with_lru(void **state)
{
	(void)state;
	map_type = INLAY_MAP_TYPE_LRU_HASH;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads),
		cmocka_unit_test(counts_are_exact),
		cmocka_unit_test(killed_processes),
		cmocka_unit_test_setup(threads, with_lru),
		cmocka_unit_test_setup(killed_processes, with_lru),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
