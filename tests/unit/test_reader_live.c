/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader beside the real runtime: a child process changes maps as fast as it can, this one reads. A
 * key that lives throughout is found exactly once in each look and its value is whole; sums of
 * per-thread values never go down and end exact; counts survive the end of their threads.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture_object.h"
#include "inlay/inlay.h"

enum { STABLE = 24, PASSING = 40, ROUNDS = 1500, THREADS = 3, ADDS = 1000000 };

struct whole {
	uint64_t number, twice, thrice;
};

FIXTURE_HASH(0, moving, 8, 24, 64)
FIXTURE_PERCPU_HASH(1, sums, 8, 8, 64)
FIXTURE_PERCPU_ARRAY(2, counts, 8, 4)
FIXTURE_OBJECT("live", 0x21, FIXTURE_MAP(moving), FIXTURE_MAP(sums), FIXTURE_MAP(counts))

static char dir[] = "/tmp/inlay-live-XXXXXX";

static void set(uint64_t key, uint64_t number)
{
	struct whole value = { number, 2 * number, 3 * number };

	__inlay_map_update_elem_v1(&fixture_desc_moving, &key, &value, 0);
}

/* Replaces the stable keys' values; other keys come and go around them in the same chains. */
static void *change(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg;

	for (uint64_t n = 1;; n++) {
		uint64_t key = (seed = seed * 6364136223846793005ull + 1) >> 33;

		set(key % STABLE, n);
		key = STABLE + key % PASSING;
		if (n & 1)
			set(key, n);
		else
			__inlay_map_delete_elem_v1(&fixture_desc_moving, &key);
	}
	return NULL;
}

static void *add(void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < ADDS; i++) {
		uint64_t key = i % 4, zero = 0;
		uint64_t *value = __inlay_map_lookup_elem_v1(&fixture_desc_sums, &key);

		fixture_percpu_add(&fixture_desc_counts, 1, 1);
		if (!value) {
			__inlay_map_update_elem_v1(&fixture_desc_sums, &key, &zero, 1);
			value = __inlay_map_lookup_elem_v1(&fixture_desc_sums, &key);
		}
		if (value)
			__atomic_store_n(value, __atomic_load_n(value, __ATOMIC_RELAXED) + 1,
					 __ATOMIC_RELAXED);
	}
	return NULL;
}

/*
 * Runs a writer in a process of its own, in a segment of its own (exec, so that this process holds no
 * lock on it); returns when it says that it has begun.
 */
static pid_t start(const char *what, int *ret_in, int *ret_out)
{
	int in[2], out[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test must not leave it behind */
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		close(out[0]);
		setenv("INLAY_DIR", dir, 1);
		execl("/proc/self/exe", "test_reader_live", what, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	assert_int_equal(read(out[0], &byte, 1), 1);
	*ret_in = in[1];
	*ret_out = out[0];
	return pid;
}

static int writer(const char *what)
{
	pthread_t threads[THREADS];
	char byte = '.';

	__inlay_rt_start_v1();
	for (uint64_t i = 0; i < STABLE; i++)
		set(i, 1);
	if (write(STDOUT_FILENO, &byte, 1) != 1)
		return 1;
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, *what == 'c' ? change : add, (void *)(i + 1)))
			return 1;
	if (*what == 'c') {
		pause();
		return 1;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* all is counted; stay until the reader has looked */
	return write(STDOUT_FILENO, &byte, 1) != 1 || read(STDIN_FILENO, &byte, 1) < 0;
}

static struct inlay_reader *open_child(pid_t pid)
{
	struct inlay_segment_opts opts = INLAY_SIZED(inlay_segment_opts);
	struct inlay_reader *reader = NULL;

	opts.dir = dir;
	assert_int_equal(inlay_segment_open_pid(pid, &opts, &reader), 0);
	return reader;
}

static void end(pid_t pid, int in, int out)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(in);
	close(out);
}

static void look(struct inlay_map *map)
{
	unsigned int seen[STABLE] = { 0 };
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	uint64_t key, last = 0, nr = 0;

	assert_int_equal(inlay_map_iter_new(map, &iter), 0);
	while (!inlay_map_iter_next(iter, &entry)) {
		struct whole value;

		memcpy(&key, entry->key, sizeof(key));
		memcpy(&value, entry->value, sizeof(value));
		assert_true(!nr++ || key > last); /* sorted, each once */
		last = key;
		assert_true(key < STABLE + PASSING);
		/* a value is replaced as a whole, never changed in place */
		assert_true(value.twice == 2 * value.number && value.thrice == 3 * value.number);
		if (key < STABLE)
			seen[key]++;
	}
	inlay_map_iter_free(iter);
	for (key = 0; key < STABLE; key++)
		if (seen[key] != 1)
			fail_msg("key %u is seen %u times", (unsigned int)key, seen[key]);
}

static void test_changing_hash(void **state)
{
	int in, out;
	pid_t pid = start("change", &in, &out);
	struct inlay_reader *reader = open_child(pid);
	struct inlay_map *map;

	(void)state;
	assert_int_equal(inlay_map_open(reader, 0, &map), 0);
	for (int i = 0; i < ROUNDS; i++)
		look(map);
	/* and what a killed writer leaves is as good */
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < 3; i++)
		look(map);
	inlay_map_close(map);
	inlay_segment_close(reader);
	close(in);
	close(out);
}

static uint64_t sum(struct inlay_map *map)
{
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	uint64_t all = 0, value;

	assert_int_equal(inlay_map_iter_new(map, &iter), 0);
	while (!inlay_map_iter_next(iter, &entry)) {
		memcpy(&value, entry->value, sizeof(value));
		all += value;
	}
	inlay_map_iter_free(iter);
	return all;
}

static void test_growing_sums(void **state)
{
	int in, out;
	pid_t pid = start("add", &in, &out);
	struct inlay_reader *reader = open_child(pid);
	struct inlay_map *hash, *array;
	uint64_t last_hash = 0, last_array = 0;
	char byte;

	(void)state;
	assert_int_equal(inlay_map_open(reader, 1, &hash), 0);
	assert_int_equal(inlay_map_open(reader, 2, &array), 0);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t now_hash = sum(hash), now_array = sum(array);

		assert_true(now_hash >= last_hash && now_array >= last_array);
		last_hash = now_hash;
		last_array = now_array;
	}
	assert_int_equal(read(out, &byte, 1), 1);
	assert_int_equal(sum(hash), (uint64_t)THREADS * ADDS);
	assert_int_equal(sum(array), (uint64_t)THREADS * ADDS);
	inlay_map_close(hash);
	inlay_map_close(array);
	inlay_segment_close(reader);
	end(pid, in, out);
}

/* While a reader has it open, a target that ends normally leaves its segment. */
static void test_kept_for_reader(void **state)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	struct inlay_reader *reader;
	int in, out, status;
	char byte;
	pid_t pid;

	(void)state;
	pid = start("add", &in, &out);
	reader = open_child(pid);
	assert_int_equal(inlay_segment_info(reader, &info), 0);
	assert_int_equal(info.nr_alive, 1);
	assert_int_equal(info.pid, pid);
	assert_int_equal(read(out, &byte, 1), 1);
	close(in);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(inlay_segment_info(reader, &info), 0);
	assert_int_equal(info.nr_alive, 0);
	assert_int_equal(info.state, INLAY_SEGMENT_EXITED);
	assert_int_equal(access(info.path, F_OK), 0);
	inlay_segment_close(reader);
	close(out);

	/* and without one it goes with its target */
	pid = start("add", &in, &out);
	assert_int_equal(read(out, &byte, 1), 1);
	close(in);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(out);
	assert_int_equal(inlay_segment_open_pid(pid, &(struct inlay_segment_opts){
							.sz = sizeof(struct inlay_segment_opts),
							.dir = dir }, &reader), -ESRCH);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changing_hash),
		cmocka_unit_test(test_growing_sums),
		cmocka_unit_test(test_kept_for_reader),
	};

	if (argc > 1)
		return writer(argv[1]);
	return cmocka_run_group_tests(tests, setup, teardown);
}
