/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes in a handler on an alternate stack of the customary size, most of which the kernel's frame
 * takes: what the runtime needs on top must fit.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/unit/fixture_object.h"
#include "tests/unit/segment_read.h"
#include "rt/helpers.h"
#include "rt/inlay_rt_internal.h"

FIXTURE_PERCPU_ARRAY(0, counts, 8, 2)
FIXTURE_HASH(1, keys, 8, 8, 4)
FIXTURE_OBJECT("stack", 0x5c, FIXTURE_MAP(counts), FIXTURE_MAP(keys))

enum { STACK_BYTES = 8192, GUARD_BYTES = 65536 };

static volatile int is_done;

static void shard(void)
{
	is_done = fixture_percpu_add(&fixture_desc_counts, 0, 1);
}

/* The map is full: the nodes of the dead are looked for. */
static void hash(void)
{
	__u64 key;

	for (key = 0; key < 5; key++)
		is_done = __inlay_map_update_elem_v1(&fixture_desc_keys, &key, &key, 0) != 0;
}

static void print(void)
{
	static const char fmt[] = "%s";

	is_done = __inlay_trace_printk_v1(fmt, sizeof(fmt), (__u64) "text", 0, 0) == 4;
}

static void string(void)
{
	static const char text[300] = { [0 ... 298] = 'x' };
	char buf[400];

	is_done = __inlay_read_string_by_call(buf, (__u64)text, sizeof(buf)) == 299 &&
		  buf[0] == 'x' && buf[298] == 'x';
}

static void (*const probes[])(void) = { shard, hash, print, string };
static void (*probe)(void);

static void handler(int sig)
{
	(void)sig;
	probe();
}

static int run(void)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	char *at = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t stack = { .ss_sp = at + GUARD_BYTES, .ss_size = STACK_BYTES };

	signal(SIGSEGV, SIG_DFL);
	if (at == MAP_FAILED || mprotect(at, GUARD_BYTES, PROT_NONE) || sigaltstack(&stack, NULL) ||
	    sigaction(SIGUSR1, &act, NULL) || raise(SIGUSR1))
		return 2;
	return !is_done;
}

static void test_small_stack(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		int status = -1;
		pid_t pid;

		probe = probes[i];
		fflush(NULL);
		pid = fork();
		if (!pid)
			_exit(run());
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_stack),
	};

	(void)fixture_objref;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
