/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children and the segment: those that no fork handler sees and that end in an orderly way,
 * handlers that hit a probe before the runtime's own, what a child inherits at a bad moment.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/unit/fixture_object.h"
#include "tests/unit/segment_read.h"
#include "rt/inlay_rt_internal.h"

FIXTURE_PERCPU_ARRAY(0, first, 8, 2)
FIXTURE_PERCPU_ARRAY(1, second, 8, 2)
FIXTURE_OBJECT("fork", 0x5f, FIXTURE_MAP(first), FIXTURE_MAP(second))

static bool is_early;

static void early_handler(void)
{
	if (is_early)
		fixture_percpu_add(&fixture_desc_second, 0, 1);
}

/* Before the runtime's own, so its handlers come later. */
__attribute__((constructor(100))) static void register_early(void)
{
	pthread_atfork(NULL, NULL, early_handler);
}

static void wait_ok(pid_t pid)
{
	int status = -1;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void assert_segment_stands(void)
{
	const struct rt_head *head = __inlay_rt.head;
	char path[sizeof(__inlay_rt.dir) + sizeof(__inlay_rt.name) + 1];
	struct stat st;

	assert_int_equal(head->seg.state, INLAY_SEGMENT_LIVE);
	assert_int_equal(head->procs[__inlay_rt.row].pid, getpid());
	snprintf(path, sizeof(path), "%s/%s", __inlay_rt.dir, __inlay_rt.name);
	assert_int_equal(stat(path, &st), 0);
}

static void test_raw_child_that_exits(void **state)
{
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
	if (!pid)
		exit(0);
	wait_ok(pid);
	assert_segment_stands();
}

static void test_vfork_child_that_exits(void **state)
{
	pid_t pid;

	(void)state;
	pid = vfork();
	if (!pid) {
		__inlay_segment_finish(); /* what exit() comes to */
		_exit(0);
	}
	wait_ok(pid);
	assert_segment_stands();
}

/* One row a process, or the second one keeps the segment for ever. */
static void test_hit_in_an_earlier_fork_handler(void **state)
{
	pid_t pid;

	(void)state;
	is_early = true;
	pid = fork();
	if (!pid) {
		int nr = 0, row;

		for (row = 0; row < INLAY_SEGMENT_MAX_PROCS; row++)
			nr += __inlay_rt.head->procs[row].pid == (__u32)getpid();
		_exit(nr != 1);
	}
	is_early = false;
	wait_ok(pid);
}

/* Another thread may fork while the tables are locked; its child has a copy of the descriptor. */
static void test_lock_does_not_live_on_in_a_child(void **state)
{
	int lock_fd, go[2], err;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(go), 0);
	assert_int_equal(__inlay_segment_lock(&lock_fd), 0);
	pid = fork();
	if (!pid) {
		close(go[1]);
		_exit(read(go[0], &byte, 1) != 0);
	}
	__inlay_segment_unlock(lock_fd);
	err = __inlay_segment_lock(&lock_fd);
	close(go[0]);
	close(go[1]);
	wait_ok(pid);
	assert_int_equal(err, 0);
	__inlay_segment_unlock(lock_fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw_child_that_exits),
		cmocka_unit_test(test_vfork_child_that_exits),
		cmocka_unit_test(test_hit_in_an_earlier_fork_handler),
		cmocka_unit_test(test_lock_does_not_live_on_in_a_child),
	};

	(void)fixture_objref;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
