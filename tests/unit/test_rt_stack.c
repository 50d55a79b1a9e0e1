/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The target's stack under a hit. Probes in a handler on an alternate stack of the customary size,
 * most of which the kernel's frame takes: what the runtime needs on top must fit. And an unwinder
 * that starts in the runtime finds the probed function and its callers.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unwind.h>

#include <cmocka.h>

#include "tests/unit/fixture_object.h"
#include "tests/unit/segment_read.h"
#include "rt/helpers.h"
#include "rt/inlay_rt_internal.h"
#include "rt/inline/map_percpu.h"

FIXTURE_PERCPU_ARRAY(0, counts, 8, 2)
FIXTURE_HASH(1, keys, 8, 8, 4)
FIXTURE_PERCPU_ARRAY(2, unwound, 8, 2)
FIXTURE_OBJECT("stack", 0x5c, FIXTURE_MAP(counts), FIXTURE_MAP(keys), FIXTURE_MAP(unwound))

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

/* ---- unwinding -------------------------------------------------------------------------- */

static const void *wanted[3];	/* frames from inside out */
static unsigned int nr_found;

static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *arg)
{
	const void *function = _Unwind_FindEnclosingFunction((void *)(_Unwind_GetIP(context) - 1));

	(void)arg;
	if (nr_found < 3 && function == wanted[nr_found])
		nr_found++;
	return _URC_NO_REASON;
}

static void backtrace_here(int sig)
{
	(void)sig;
	nr_found = 0;
	_Unwind_Backtrace(frame, NULL);
}

/* The runtime asks for the slot's address: that is where it is interrupted. */
static char **unwinding_slot(void)
{
	raise(SIGUSR2); /* a profiler's */
	return fixture_slot_unwound();
}

/* As an inlined counter has it: a leaf to the compiler, with its locals in the red zone. */
static __attribute__((noinline)) __u64 leaf(const struct inlay_map_desc *desc, __u64 n)
{
	volatile __u64 local[4] = { n, n + 1, n + 2, n + 3 };
	char *shard = inlay_shard_get_cold(desc);

	return shard ? local[0] + local[1] + local[2] + local[3] : 0;
}

static __attribute__((noinline)) __u64 caller(const struct inlay_map_desc *desc, __u64 n)
{
	volatile __u64 local[9] = { n };
	__u64 sum = leaf(desc, n) + leaf(desc, local[0] + 1);

	return sum + local[0];
}

static void test_unwinding(void **state)
{
	static struct inlay_map_desc desc;
	struct sigaction act = { .sa_handler = backtrace_here }, old;

	desc = fixture_desc_unwound;
	desc.shard_slot = unwinding_slot;
	(void)state;
	assert_int_equal(sigaction(SIGUSR2, &act, &old), 0);
	__inlay_shard_map_add(&desc, 2);
	wanted[0] = (const void *)leaf;
	wanted[1] = (const void *)caller;
	wanted[2] = (const void *)test_unwinding;
	assert_int_equal(caller(&desc, 1), 4 + 6 + 8 + 6 + 1);
	assert_int_equal(nr_found, 3);
	sigaction(SIGUSR2, &old, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_stack),
		cmocka_unit_test(test_unwinding),
	};

	(void)fixture_objref;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
