/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clocks other than the monotonic one, control groups, pid namespaces, NUMA nodes, the task and
 * signals: between two askings of the kernel's own helper, or with the system call that says the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "skip.h"

#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rt/helpers.h"
#include "rt/inlay_rt.h"
#include "rt/inline/current.h"
#include "rt/inline/none.h"
#include "kernel_ask.h"

static const enum ask_arg nothing[5];

static int64_t kernel_says(int id, const enum ask_arg kinds[5], struct ask_call *call)
{
	struct ask ask;
	int err = ask_open(&ask, id, kinds, NULL, NULL);

	if (err)
		skip_because("cannot ask the kernel: %s\n%s", strerror(-err), ask.log);
	assert_int_equal(ask_run(&ask, call), 0);
	ask_close(&ask);
	return call->ret;
}

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(id, &ts), 0);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void test_clocks(void **state)
{
	static const struct {
		clockid_t id;
		__s64 (*ours)(void);
	} clocks[] = {
		{ CLOCK_BOOTTIME, __inlay_ktime_get_boot_ns_v1 },
		{ CLOCK_MONOTONIC_COARSE, __inlay_ktime_get_coarse_ns_v1 },
		{ CLOCK_TAI, __inlay_ktime_get_tai_ns_v1 },
	};

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t before = read_clock(clocks[i].id), ours = (uint64_t)clocks[i].ours();

		assert_in_range(ours, before, read_clock(clocks[i].id));
	}
}

static void test_clocks_of_kernel(void **state)
{
	struct ask_call call = { 0 };
	uint64_t before, after;

	(void)state;
	before = (uint64_t)kernel_says(BPF_FUNC_ktime_get_boot_ns, nothing, &call);
	after = (uint64_t)__inlay_ktime_get_boot_ns_v1();
	assert_true(before <= after && after - before < 1000000000);
	before = (uint64_t)kernel_says(BPF_FUNC_ktime_get_tai_ns, nothing, &call);
	after = (uint64_t)__inlay_ktime_get_tai_ns_v1();
	assert_true(before <= after && after - before < 1000000000);
	/* counted by ticks there, computed here: they drift apart by what ticks were lost at boot */
	before = (uint64_t)kernel_says(BPF_FUNC_jiffies64, nothing, &call);
	after = (uint64_t)__inlay_jiffies64_v1();
	assert_true(after + 2000 > before && before + 2000 > after);
}

static void test_jiffies_tick(void **state)
{
	uint64_t before = (uint64_t)__inlay_jiffies64_v1(), ticks;
	struct timespec nap = { .tv_nsec = 200000000 }, res;

	(void)state;
	assert_int_equal(clock_getres(CLOCK_MONOTONIC_COARSE, &res), 0);
	nanosleep(&nap, NULL);
	ticks = (uint64_t)__inlay_jiffies64_v1() - before;
	assert_true(ticks >= 200000000 / (uint64_t)res.tv_nsec - 1);
}

static void *task_of(void *arg)
{
	*(int64_t *)arg = __inlay_get_current_task();
	return NULL;
}

static void test_task(void **state)
{
	int64_t here = __inlay_get_current_task(), there = 0;
	uint64_t word = 7;
	pthread_t thread;

	(void)state;
	assert_int_not_equal(here, 0);
	assert_int_equal(here, __inlay_get_current_task());
	assert_int_equal(pthread_create(&thread, NULL, task_of, &there), 0);
	pthread_join(thread, NULL);
	assert_true(there && there != here);
	/* behind the view nothing can be read, nor by the helper that reads the process's memory */
	for (uint64_t off = sizeof(struct inlay_task_view); off < 16384; off += 1000) {
		assert_int_equal(__inlay_probe_read_kernel_v1(&word, 8, (uint64_t)here + off),
				 -EFAULT);
		assert_int_equal(word, 0);
	}
	word = 7;
	assert_int_equal(__inlay_probe_read_user_v1(&word, 8, (uint64_t)here), -EFAULT);
	assert_int_equal(word, 0);
}

#define TASK_MEMBER(task, member, to) \
	__inlay_probe_read_kernel_v1(&(to), sizeof(to), \
				     (task) + offsetof(struct inlay_task_view, member))

struct task_asked {
	uint64_t task, leader, parent, tp, own_tp;
	uint32_t pid, tgid, leader_pid, parent_tgid;
	char comm[16], leader_comm[16], parent_comm[16];
	long comm_bytes, failed;
};

static void *ask_task(void *arg)
{
	struct task_asked *t = arg;

	prctl(PR_SET_NAME, "task-thread");
	t->task = (uint64_t)__inlay_get_current_task();
	t->failed |= TASK_MEMBER(t->task, pid, t->pid);
	t->failed |= TASK_MEMBER(t->task, tgid, t->tgid);
	t->failed |= TASK_MEMBER(t->task, group_leader, t->leader);
	t->failed |= TASK_MEMBER(t->task, real_parent, t->parent);
	t->failed |= TASK_MEMBER(t->task, comm, t->comm);
	t->failed |= TASK_MEMBER(t->leader, pid, t->leader_pid);
	t->failed |= TASK_MEMBER(t->leader, comm, t->leader_comm);
	t->failed |= TASK_MEMBER(t->parent, tgid, t->parent_tgid);
	t->failed |= TASK_MEMBER(t->parent, comm, t->parent_comm);
	t->failed |= TASK_MEMBER(t->task, thread, t->tp);
	t->failed |= TASK_MEMBER(t->leader, thread, t->own_tp) != -EFAULT;
	t->own_tp = (uint64_t)pthread_self();
	return NULL;
}

static void read_proc_comm(int pid, char comm[16])
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "r");
	assert_non_null(file);
	memset(comm, 0, 16);
	assert_true(fread(comm, 1, 16, file) > 0);
	fclose(file);
	comm[strcspn(comm, "\n")] = '\0';
}

static void test_task_view(void **state)
{
	struct task_asked t = {0};
	char expected[16], text[32];
	uint64_t task = (uint64_t)__inlay_get_current_task(), where;
	pthread_t thread;
	uint32_t word = 7, own = (uint32_t)getpid();
	uint8_t whole[sizeof(struct inlay_task_view)];
	struct stat st;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, ask_task, &t), 0);
	pthread_join(thread, NULL);
	assert_int_equal(t.failed, 0);
	assert_true(t.pid && t.pid != own);
	assert_int_equal(t.tgid, own);
	assert_int_equal(t.leader_pid, own);
	assert_true(t.leader == task);
	assert_string_equal(t.comm, "task-thread");
	assert_true(t.tp);
#ifdef __x86_64__
	assert_true(t.tp == t.own_tp);
#endif
	read_proc_comm(getpid(), expected);
	assert_memory_equal(t.leader_comm, expected, 16);
	assert_int_equal(t.parent_tgid, getppid());
	read_proc_comm(getppid(), expected);
	assert_memory_equal(t.parent_comm, expected, 16);

	/* a thread that is no more, the parent's other members, process 0, the end */
	assert_int_equal(TASK_MEMBER(t.task, pid, word), -EFAULT);
	assert_int_equal(word, 0);
	assert_int_equal(TASK_MEMBER(t.parent, nsproxy, where), -EFAULT);
	assert_int_equal(TASK_MEMBER(t.parent, own_cred, where), -EFAULT);
	assert_int_equal(TASK_MEMBER(t.parent, thread, where), -EFAULT);
	assert_int_equal(TASK_MEMBER(t.parent, thread_pid, where), 0);
	assert_int_equal(__inlay_probe_read_v1(
				 &word, 4, where + offsetof(struct inlay_task_pid, nr)),
			 0);
	assert_int_equal(word, getppid());
	assert_int_equal(TASK_MEMBER(t.parent, group_leader, where), 0);
	assert_true(where == t.parent);
	assert_int_equal(__inlay_probe_read_kernel_v1(&word, 4, INLAY_TASK_BASE), -EFAULT);
	assert_int_equal(__inlay_probe_read_kernel_v1(
				 &word, 4,
				 INLAY_TASK_BASE + (INLAY_TASK_TIDS << INLAY_TASK_SHIFT) - 4),
			 -EFAULT);
	assert_int_equal(__inlay_probe_read_kernel_v1(&word, 0, task), 0);
	assert_int_equal(__inlay_probe_read_kernel_v1(whole, sizeof(whole), task), 0);
	assert_int_equal(__inlay_probe_read_kernel_v1(whole, sizeof(whole), task + 1), -EFAULT);

	/* what the pointers lead to */
	assert_int_equal(TASK_MEMBER(task, nsproxy, where), 0);
	assert_int_equal(__inlay_probe_read_v1(&where, 8, where + 8 * INLAY_TASK_NS_MNT), 0);
	assert_int_equal(__inlay_probe_read_v1(&word, 4, where + offsetof(struct inlay_task_ns, inum)),
			 0);
	assert_int_equal(stat("/proc/self/ns/mnt", &st), 0);
	assert_int_equal(word, (uint32_t)st.st_ino);
	assert_int_equal(TASK_MEMBER(task, cred, where), 0);
	assert_int_equal(__inlay_probe_read_v1(&word, 4, where), 0);
	assert_int_equal(word, getuid());

	/* strings: the name, cut, its end, and nothing else */
	where = task + offsetof(struct inlay_task_view, comm);
	assert_int_equal(prctl(PR_SET_NAME, "fifteen-letters"), 0);
	assert_int_equal(__inlay_probe_read_kernel_str_v1(text, sizeof(text), where), 16);
	assert_string_equal(text, "fifteen-letters");
	assert_int_equal(__inlay_probe_read_str_v1(text, 4, where), 4);
	assert_string_equal(text, "fif");
	assert_int_equal(__inlay_probe_read_kernel_str_v1(text, 4, where + 15), 1);
	assert_int_equal(__inlay_probe_read_kernel_str_v1(text, 0, where), 0);
	assert_int_equal(__inlay_probe_read_kernel_str_v1(text, 4, where + 16), -EFAULT);
	assert_int_equal(__inlay_probe_read_kernel_str_v1(text, 4, task), -EFAULT);
}

static void test_numa_node(void **state)
{
	struct ask_call call = { 0 };

	(void)state;
	/* one node, or the test's machine is larger than that */
	if (access("/sys/devices/system/node/node1", F_OK) == 0)
		skip_because("the thread may move to another node");
	assert_int_equal(__inlay_get_numa_node_id_v1(),
			 kernel_says(BPF_FUNC_get_numa_node_id, nothing, &call));
}

/* ---- control groups ---- */

static void test_cgroup(void **state)
{
	static const enum ask_arg level_kinds[5] = { ASK_NUM };
	struct ask_call call = { 0 };
	int64_t id = kernel_says(BPF_FUNC_get_current_cgroup_id, nothing, &call);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(__inlay_get_current_cgroup_id_v1(), id);
	assert_int_equal(__inlay_get_cgroup_classid(),
			 kernel_says(BPF_FUNC_get_cgroup_classid, nothing, &call));
	if (!__inlay_get_current_ancestor_cgroup_id_v1(0))
		skip_because("no hierarchy of version 2 is mounted");
	for (int level = -2; level < 12; level++) {
		call.args[0] = (uint64_t)level;
		assert_int_equal(__inlay_get_current_ancestor_cgroup_id_v1((uint64_t)level),
				 kernel_says(BPF_FUNC_get_current_ancestor_cgroup_id, level_kinds,
					     &call));
	}
}

static void move_to(const char *group)
{
	char path[256], pid[32];
	FILE *procs;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	procs = fopen(path, "w");
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (!procs || fputs(pid, procs) < 0 || fclose(procs))
		_exit(77);
}

/* In a child of a group of its own, at once; and moved meanwhile, after a while. */
static int in_new_groups(const char *outer, const char *inner)
{
	struct timespec nap = { .tv_nsec = 150000000 };
	int64_t before = __inlay_get_current_cgroup_id_v1();
	uint64_t ids[6] = { 0 };
	const struct inlay_map_desc map = { .max_entries = 6, .region = ids };
	struct stat st;
	pid_t pid;
	int status;

	move_to(inner);
	pid = fork();
	if (pid == 0) {
		if (stat(inner, &st) || __inlay_get_current_cgroup_id_v1() != (int64_t)st.st_ino)
			_exit(2);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		return 3;
	nanosleep(&nap, NULL);
	if (stat(inner, &st) || __inlay_get_current_cgroup_id_v1() != (int64_t)st.st_ino)
		return 4;
	if (before == (int64_t)st.st_ino)
		return 5;
	ids[2] = (uint64_t)st.st_ino;
	if (stat(outer, &st) || __inlay_get_current_ancestor_cgroup_id_v1(1) != (int64_t)st.st_ino)
		return 6;
	ids[3] = (uint64_t)st.st_ino;
	ids[4] = ids[2] + 12345;
	ids[5] = (uint64_t)__inlay_get_current_ancestor_cgroup_id_v1(0);
	for (uint32_t i = 0; i < 7; i++)
		if (__inlay_current_task_under_cgroup_v1(&map, i) !=
		    (i < 2 ? -EAGAIN : i < 4 || i == 5 ? 1 : i == 4 ? 0 : -E2BIG))
			return 7;
	return 0;
}

static const char *cgroup_root(void)
{
	struct statfs fs;

	if (!statfs("/sys/fs/cgroup", &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
		return "/sys/fs/cgroup";
	if (!statfs("/sys/fs/cgroup/unified", &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
		return "/sys/fs/cgroup/unified";
	return NULL;
}

static void test_cgroup_changes(void **state)
{
	const char *root = cgroup_root();
	char outer[128], inner[160];
	int status = -1;
	pid_t pid;

	(void)state;
	if (!root)
		skip_because("no hierarchy of version 2 is mounted");
	snprintf(outer, sizeof(outer), "%s/inlay-test-%d", root, (int)getpid());
	snprintf(inner, sizeof(inner), "%s/inner", outer);
	if (mkdir(outer, 0755) || mkdir(inner, 0755)) {
		rmdir(outer);
		skip_because("no control groups can be made");
	}
	pid = fork();
	if (pid == 0)
		_exit(in_new_groups(outer, inner));
	waitpid(pid, &status, 0);
	rmdir(inner);
	rmdir(outer);
	if (WEXITSTATUS(status) == 77)
		skip_because("cannot move to another control group");
	assert_int_equal(status, 0);
}

/* ---- pid namespaces ---- */

static void test_pid_namespace(void **state)
{
	static const enum ask_arg kinds[5] = { ASK_NUM, ASK_NUM, ASK_BUF, ASK_SIZE };
	struct stat st;
	struct ask ask;
	int err;

	(void)state;
	assert_int_equal(stat("/proc/self/ns/pid", &st), 0);
	err = ask_open(&ask, BPF_FUNC_get_ns_current_pid_tgid, kinds, NULL, NULL);
	if (err)
		skip_because("cannot ask the kernel: %s\n%s", strerror(-err), ask.log);
	for (int i = 0; i < 16; i++) {
		uint64_t dev = st.st_dev + (i & 1), ino = st.st_ino + (i >> 1 & 1);
		uint64_t bytes = i & 4 ? 8 : i & 8 ? 12 : 4;
		struct ask_call call = { .args = { dev, ino, 0, bytes } };
		uint8_t got[ASK_BYTES];

		memset(got, 0x55, sizeof(got));
		memcpy(call.buf[0], got, sizeof(got));
		assert_int_equal(ask_run(&ask, &call), 0);
		assert_int_equal(__inlay_get_ns_current_pid_tgid_v1(dev, ino, got, bytes), call.ret);
		assert_memory_equal(got, call.buf[0], sizeof(got));
	}
	ask_close(&ask);
}

static void test_other_namespace(void **state)
{
	int status = -1;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip_because("root only: a pid namespace");
	pid = fork();
	if (pid == 0) {
		struct stat st, outer;
		uint32_t ids[2];

		if (stat("/proc/self/ns/pid", &outer) ||
		    __inlay_get_ns_current_pid_tgid_v1(outer.st_dev, outer.st_ino, ids, 8))
			_exit(2);
		if (unshare(CLONE_NEWPID))
			_exit(77);
		pid = fork();
		if (pid)
			_exit(waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 3);
		/* /proc is the outer one's: it still knows us */
		if (stat("/proc/thread-self/ns/pid", &st) && stat("/proc/self/ns/pid", &st))
			_exit(0);
		if (__inlay_get_ns_current_pid_tgid_v1(st.st_dev, st.st_ino, ids, 8) ||
		    ids[0] != 1 || ids[1] != 1)
			_exit(4);
		_exit(__inlay_get_ns_current_pid_tgid_v1(outer.st_dev, outer.st_ino, ids, 8) !=
		      -EINVAL);
	}
	waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) == 77)
		skip_because("no pid namespace can be made");
	assert_int_equal(status, 0);
}

/* ---- signals ---- */

static volatile sig_atomic_t got_signal, got_code, got_tid;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got_signal = sig;
	got_code = info->si_code;
	got_tid = (int)syscall(SYS_gettid);
}

static void *thread_signals(void *arg)
{
	(void)arg;
	got_signal = 0;
	if (__inlay_send_signal_thread_v1(SIGUSR1) || got_signal != SIGUSR1 ||
	    got_tid != (int)syscall(SYS_gettid))
		return "to the thread";
	return NULL;
}

static void test_signals(void **state)
{
	static const int signals[] = { SIGUSR1, SIGUSR2, SIGSEGV, SIGBUS, SIGTERM, 40 };
	static const enum ask_arg kinds[5] = { ASK_NUM };
	struct sigaction act = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	struct ask_call call = { 0 };
	pthread_t thread;
	void *wrong;

	(void)state;
	for (unsigned int i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int is_fault = signals[i] == SIGSEGV || signals[i] == SIGBUS;

		sigaction(signals[i], &act, NULL);
		got_signal = 0;
		assert_int_equal(__inlay_send_signal_v1((uint64_t)signals[i]), 0);
		assert_int_equal(got_signal, signals[i]);
		got_signal = 0;
		assert_int_equal(__inlay_send_signal_thread_v1((uint64_t)signals[i]), 0);
		assert_int_equal(got_signal, signals[i]);
		assert_int_equal(got_code, is_fault ? SI_TKILL : SI_KERNEL);
	}
	assert_int_equal(pthread_create(&thread, NULL, thread_signals, NULL), 0);
	pthread_join(thread, &wrong);
	assert_null(wrong);
	for (unsigned int i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	for (uint64_t sig = 0; sig < 3; sig++) {
		call.args[0] = sig ? 64 + sig : 0;
		assert_int_equal(__inlay_send_signal_v1(call.args[0]),
				 kernel_says(BPF_FUNC_send_signal, kinds, &call));
		assert_int_equal(__inlay_send_signal_thread_v1(call.args[0]),
				 kernel_says(BPF_FUNC_send_signal_thread, kinds, &call));
	}
}

/* A process without our handlers dies of it, as of the kernel's. */
static void test_deadly_signal(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		__inlay_send_signal_v1(SIGKILL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void test_branches(void **state)
{
	static const enum ask_arg kinds[5] = { ASK_BUF, ASK_SIZE0, ASK_NUM };

	(void)state;
	for (uint64_t flags = 0; flags < 2; flags++) {
		struct ask_call call = { .args = { 0, 64, flags } };
		int64_t kernel = kernel_says(BPF_FUNC_get_branch_snapshot, kinds, &call);

		if (kernel <= 0)
			assert_int_equal(__inlay_get_branch_snapshot(call.buf[0], 64, flags), kernel);
	}
}

static void test_keeps_errno(void **state)
{
	uint32_t ids[2];

	(void)state;
	errno = 4711;
	__inlay_get_current_cgroup_id_v1();
	__inlay_get_current_ancestor_cgroup_id_v1(3);
	__inlay_get_ns_current_pid_tgid_v1(0, 0, ids, 8);
	__inlay_get_numa_node_id_v1();
	__inlay_jiffies64_v1();
	__inlay_ktime_get_boot_ns_v1();
	__inlay_send_signal_v1(99);
	__inlay_send_signal_thread_v1(99);
	assert_int_equal(errno, 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_clocks_of_kernel),
		cmocka_unit_test(test_jiffies_tick),
		cmocka_unit_test(test_task),
		cmocka_unit_test(test_task_view),
		cmocka_unit_test(test_numa_node),
		cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_cgroup_changes),
		cmocka_unit_test(test_pid_namespace),
		cmocka_unit_test(test_other_namespace),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_deadly_signal),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_keeps_errno),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
