/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target that used up the thread keys which need no memory: then threads end without telling the
 * runtime, which must neither allocate nor lose or heap up their shards.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/fixture_object.h"
#include "tests/unit/segment_read.h"
#include "rt/inlay_rt_internal.h"

FIXTURE_PERCPU_ARRAY(0, hits, 8, 2)
FIXTURE_OBJECT("keys", 0x6b, FIXTURE_MAP(hits))

enum { KEYS = 40, WAVES = 100, THREADS = 4, HITS = 100 };

/* Before the runtime starts. */
__attribute__((constructor(100))) static void use_up_keys(void)
{
	pthread_key_t key;
	int i;

	for (i = 0; i < KEYS; i++)
		pthread_key_create(&key, NULL);
}

static void *thread_main(void *arg)
{
	int i;

	for (i = 0; i < HITS; i++)
		*(int *)arg += fixture_percpu_add(&fixture_desc_hits, 0, 1);
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];
	int hits[THREADS] = {0};
	int wave, i;

	(void)state;
	for (wave = 0; wave < WAVES; wave++) {
		for (i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, thread_main, &hits[i]),
					 0);
		for (i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
	}
	for (i = 0; i < THREADS; i++)
		assert_int_equal(hits[i], WAVES * HITS);
	assert_int_equal(segment_value(__inlay_rt.fd, "hits", 0), WAVES * THREADS * HITS);
	/* this really is the case without a thread key: nobody handed the last ones on */
	assert_true(segment_nr_shards(__inlay_rt.fd, "hits", INLAY_SHARD_OWNED) > 0);
	/* a thread's id may outlive its join by a moment: some more than there are at once */
	assert_in_range(segment_nr_shards(__inlay_rt.fd, "hits", INLAY_SHARD_FREE), 1,
			4 * THREADS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
	};

	(void)fixture_objref;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
