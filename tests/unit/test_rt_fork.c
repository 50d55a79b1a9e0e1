/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children and the segment: those that no fork handler sees and that end in an orderly way,
 * handlers that hit a probe before the runtime's own, what a child inherits at a bad moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cmocka.h>

#include "tests/unit/fixture_object.h"
#include "tests/unit/segment_read.h"
#include "rt/inlay_rt_internal.h"
#include "rt/inline/clock.h"
#include "rt/inline/current.h"
#include "rt/sigaction.h"

FIXTURE_PERCPU_ARRAY(0, first, 8, 2)
FIXTURE_PERCPU_ARRAY(1, second, 8, 2)
FIXTURE_HASH(2, keys, 8, 8, 4)
FIXTURE_OBJECT("fork", 0x5f, FIXTURE_MAP(first), FIXTURE_MAP(second), FIXTURE_MAP(keys))

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

/* Where a row's lock could not be kept by a mapping, its descriptor may be somebody else's by now. */
static void test_child_closes_nothing_else(void **state)
{
	int fd = open("/dev/null", O_RDONLY), own = __inlay_backing_reopen();
	pid_t pid;

	(void)state;
	assert_true(fd >= 0 && own >= 0);
	__inlay_rt.lock_fd = fd;
	pid = fork();
	if (!pid)
		_exit(fcntl(fd, F_GETFD) < 0);
	wait_ok(pid);
	close(fd);
	__inlay_rt.lock_fd = own;
	pid = fork();
	if (!pid)
		_exit(fcntl(own, F_GETFD) >= 0);
	wait_ok(pid);
	__inlay_rt.lock_fd = -1;
	close(own);
}

/* What the machine found by itself comes once, and is the end of who has no handler. */
static void test_memory_error(void **state)
{
	siginfo_t info = { .si_signo = SIGBUS, .si_code = BUS_MCEERR_AO };
	const struct kernel_action none = { 0 };
	int status = -1;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		kernel_sigaction(SIGBUS, &none, NULL);
		__inlay_cut_start();
		syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGBUS, &info);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

/* Makes every further fork of this process fail, as a limit does. */
static int forbid_fork(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int fork_that_fails(void)
{
	const __u32 *forking = &__inlay_rt.head->seg.forking;
	__u32 before = *forking;
	int status;
	pid_t pid;

	errno = 4711;
	pid = fork();
	if (!pid)
		_exit(errno != 4711);
	if (errno != 4711 || waitpid(pid, &status, 0) != pid || status || *forking != before)
		return 1;
	if (forbid_fork())
		return 2;
	errno = 0;
	if (fork() != -1 || errno != EAGAIN)
		return 3;
	return *forking != before ? 4 : 0;
}

/* The count of children on their way goes down again, and errno is as without us. */
static void test_fork_that_fails(void **state)
{
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(fork_that_fails());
	wait_ok(pid);
}

static void ask_pid(void)
{
	__inlay_get_current_pid_tgid();
}

static void ask_time(void)
{
	const struct timespec nap = { .tv_nsec = 3000000 }; /* longer than a line of the clock */

	nanosleep(&nap, NULL);
	__inlay_ktime_get_ns();
}

static void change_hash(void)
{
	__u64 key = 1;

	__inlay_map_update_elem_v1(&fixture_desc_keys, &key, &key, 0);
}

static void read_memory(void)
{
	__u64 word;
	int i;

	for (i = 0; i < 1024; i++)
		__inlay_probe_read_user_v1(&word, sizeof(word), (__u64)&i);
}

/* No fork handler sees it; whatever the runtime is called for next does. */
static void test_raw_child_gets_its_own_shard(void **state)
{
	static void (*const calls[])(void) = { ask_pid, ask_time, change_hash, read_memory };
	size_t i;

	(void)state;
	fflush(NULL);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		char *shard;
		pid_t pid;

		calls[i]();
		assert_true(fixture_percpu_add(&fixture_desc_first, 0, 1));
		shard = *fixture_slot_first();
		assert_non_null(shard);
		pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
		if (!pid) {
			calls[i]();
			_exit(!fixture_percpu_add(&fixture_desc_first, 0, 1) ||
			      *fixture_slot_first() == shard);
		}
		wait_ok(pid);
		assert_ptr_equal(*fixture_slot_first(), shard);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw_child_that_exits),
		cmocka_unit_test(test_vfork_child_that_exits),
		cmocka_unit_test(test_hit_in_an_earlier_fork_handler),
		cmocka_unit_test(test_lock_does_not_live_on_in_a_child),
		cmocka_unit_test(test_child_closes_nothing_else),
		cmocka_unit_test(test_memory_error),
		cmocka_unit_test(test_fork_that_fails),
		cmocka_unit_test(test_raw_child_gets_its_own_shard),
	};

	(void)fixture_objref;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
