/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading memory never faults, whatever the target does to SIGSEGV and SIGBUS; and the target's own
 * handlers and masks work as without us.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#include "read_fixture.h"

static void test_handler_is_used(void **state)
{
	(void)state;
	assert_int_equal(__inlay_fault_check(), EXPECT_HANDLER);
}

static volatile sig_atomic_t handled, handled_ok;
static void *volatile handled_addr;
static sigjmp_buf escape;

static void fault(void)
{
	*(volatile char *)bad = 1;
}

/* The target's handler: looks about, reads bad memory itself, leaves by longjmp. */
static void on_segv(int sig, siginfo_t *info, void *context)
{
	(void)context;
	handled++;
	handled_addr = info->si_addr;
	handled_ok = reads_work() && is_blocked(sig) && reads_work();
	siglongjmp(escape, 1);
}

static int own_handler(void)
{
	struct sigaction act = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO }, old;

	CHECK(reads_work());
	CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
	CHECK(reads_work());
	for (int i = 1; i <= 20; i++) {
		if (sigsetjmp(escape, 1) == 0)
			fault();
		CHECK(handled == i && handled_ok && handled_addr == bad);
		CHECK(!is_blocked(SIGSEGV));
		CHECK(reads_work());
	}
	CHECK(sigaction(SIGSEGV, NULL, &old) == 0);
	CHECK(old.sa_sigaction == on_segv && (old.sa_flags & SA_SIGINFO));
	CHECK(sigaction(SIGBUS, NULL, &old) == 0);
	CHECK(old.sa_handler == SIG_DFL);
	return 0;
}

static void on_segv_return(int sig)
{
	handled++;
	handled_ok = sig == SIGSEGV && reads_work();
	mprotect(bad, PAGE, PROT_READ | PROT_WRITE);
}

/* A handler that repairs and returns, given by signal(). */
static int repairing_handler(void)
{
	CHECK(signal(SIGSEGV, on_segv_return) == SIG_DFL);
	fault();
	CHECK(handled == 1 && handled_ok && *bad == 1);
	CHECK(signal(SIGSEGV, SIG_DFL) == on_segv_return);
	mprotect(bad, PAGE, PROT_NONE);
	CHECK(reads_work());
	return 0;
}

static int blocked(void)
{
	sigset_t set, old;

	sigfillset(&set);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(reads_work());
	CHECK(is_blocked(SIGSEGV) && is_blocked(SIGBUS) && is_blocked(SIGUSR1));
	CHECK(pthread_sigmask(SIG_SETMASK, NULL, &old) == 0);
	CHECK(sigismember(&old, SIGSEGV) == 1);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
	CHECK(!is_blocked(SIGSEGV) && is_blocked(SIGBUS));
	CHECK(reads_work());
	sigfillset(&set);
	sigdelset(&set, SIGSEGV);
	CHECK(sigprocmask(SIG_SETMASK, &set, &old) == 0);
	CHECK(sigismember(&old, SIGBUS) == 1 && sigismember(&old, SIGSEGV) == 0);
	CHECK(!is_blocked(SIGSEGV) && is_blocked(SIGBUS));
	CHECK(reads_work());
	return 0;
}

/* A fault under a blocked signal kills, handler or not. */
static int fault_while_blocked(void)
{
	struct sigaction act = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
	sigset_t set;

	sigaction(SIGSEGV, &act, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (sigsetjmp(escape, 1) == 0)
		fault();
	return 0;
}

static int fault_by_default(void)
{
	CHECK(reads_work());
	fault();
	return 0;
}

static int fault_while_ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	if (!reads_work())
		return 1;
	kill(getpid(), SIGSEGV); /* ignored */
	fault();		 /* cannot be */
	return 0;
}

static void on_async(int sig, siginfo_t *info, void *context)
{
	(void)context;
	handled++;
	handled_ok = sig == SIGSEGV && info->si_signo == SIGSEGV && info->si_code <= 0 &&
		     info->si_pid == getpid() && reads_work();
}

/* kill() while blocked waits, and comes with its information when unblocked. */
static int sent_while_blocked(void)
{
	struct sigaction act = { .sa_sigaction = on_async, .sa_flags = SA_SIGINFO };
	sigset_t set, pending;

	CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
	kill(getpid(), SIGSEGV);
	CHECK(handled == 1 && handled_ok);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	kill(getpid(), SIGSEGV);
	CHECK(handled == 1);
	CHECK(reads_work());
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGSEGV) == 1);
	CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
	CHECK(handled == 2 && handled_ok);
	return 0;
}

static void on_machine_check(int sig, siginfo_t *info, void *context)
{
	(void)context;
	handled++;
	handled_ok = sig == SIGBUS && info->si_code == BUS_MCEERR_AO && info->si_addr == bad;
}

/* A memory error found by the way: waits while blocked, can be ignored, kills by default. */
static int machine_check(void)
{
	struct sigaction act = { .sa_sigaction = on_machine_check, .sa_flags = SA_SIGINFO };
	siginfo_t info = { .si_signo = SIGBUS, .si_code = BUS_MCEERR_AO };
	pid_t pid = (pid_t)syscall(SYS_getpid), tid = (pid_t)syscall(SYS_gettid);
	sigset_t set;

	info.si_addr = bad;
	CHECK(sigaction(SIGBUS, &act, NULL) == 0);
	CHECK(syscall(SYS_rt_tgsigqueueinfo, pid, tid, SIGBUS, &info) == 0);
	CHECK(handled == 1 && handled_ok);
	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(syscall(SYS_rt_tgsigqueueinfo, pid, tid, SIGBUS, &info) == 0);
	CHECK(handled == 1);
	handled_ok = 0;
	CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
	CHECK(handled == 2 && handled_ok);
	CHECK(signal(SIGBUS, SIG_IGN) != SIG_ERR);
	CHECK(syscall(SYS_rt_tgsigqueueinfo, pid, tid, SIGBUS, &info) == 0);
	CHECK(signal(SIGBUS, SIG_DFL) == SIG_IGN);
	syscall(SYS_rt_tgsigqueueinfo, pid, tid, SIGBUS, &info);
	return 0;
}

static int sent_by_default(void)
{
	kill(getpid(), SIGBUS);
	pause();
	return 0;
}

static void on_other(int sig)
{
	(void)sig;
	handled++;
	handled_ok = reads_work() && is_blocked(SIGSEGV);
}

static int other_handler_blocks_all(void)
{
	struct sigaction act = { .sa_handler = on_other }, old;

	sigfillset(&act.sa_mask);
	CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
	raise(SIGUSR1);
	CHECK(handled == 1 && handled_ok);
	CHECK(!is_blocked(SIGSEGV));
	CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && sigismember(&old.sa_mask, SIGSEGV) == 1 &&
	      sigismember(&old.sa_mask, SIGBUS) == 1);
	return 0;
}

static int once_only(void)
{
	struct sigaction act = { .sa_sigaction = on_segv,
				 .sa_flags = SA_SIGINFO | (int)SA_RESETHAND }, old;

	sigaction(SIGSEGV, &act, NULL);
	if (sigsetjmp(escape, 1) == 0)
		fault();
	CHECK(handled == 1);
	CHECK(sigaction(SIGSEGV, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
	CHECK(reads_work());
	fault(); /* dies */
	return 0;
}

static volatile int depth;

static void on_nested(int sig)
{
	int is_masked = is_blocked(sig);

	handled++;
	if (++depth < 3) {
		fault();
		return;
	}
	handled_ok = !is_masked && reads_work();
	mprotect(bad, PAGE, PROT_READ | PROT_WRITE);
}

static int no_defer(void)
{
	struct sigaction act = { .sa_handler = on_nested, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &act, NULL);
	fault();
	CHECK(handled == 3 && handled_ok);
	return 0;
}

/* The same without SA_NODEFER: the second fault kills. */
static int nested_deferred(void)
{
	struct sigaction act = { .sa_handler = on_nested };

	sigaction(SIGSEGV, &act, NULL);
	fault();
	return 0;
}

static char alternate[65536];

static void on_overflow(int sig, siginfo_t *info, void *context)
{
	char here;

	(void)sig;
	(void)info;
	(void)context;
	handled_ok = &here > alternate && &here < alternate + sizeof(alternate) && reads_work();
	siglongjmp(escape, 1);
}

static volatile int forever = 1;

static int recurse(volatile char *above)
{
	volatile char frame[512];

	frame[0] = above ? above[0] : 1;
	return (forever ? recurse(frame) : 0) + frame[0];
}

static int stack_overflow(void)
{
	struct sigaction act = { .sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t ss = { .ss_sp = alternate, .ss_size = sizeof(alternate) };

	CHECK(sigaltstack(&ss, NULL) == 0);
	CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
	if (sigsetjmp(escape, 1) == 0)
		recurse(NULL);
	CHECK(handled_ok);
	CHECK(reads_work());
	return 0;
}

static void *thread_reads(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)(reads_work() && is_blocked(SIGSEGV) ? 1 : 0);
}

static int thread_inherits(void)
{
	uint64_t raw = ~0ull, before;
	pthread_t thread;
	void *ok = NULL;
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(pthread_create(&thread, NULL, thread_reads, NULL) == 0);
	CHECK(pthread_join(thread, &ok) == 0 && ok);
	/* blocked past libc in the parent, before its first read in the child */
	CHECK(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &raw, &before, 8) == 0);
	CHECK(pthread_create(&thread, NULL, thread_reads, NULL) == 0);
	CHECK(pthread_join(thread, &ok) == 0 && ok);
	return 0;
}

/* Past libc: noticed at the next check, and read by system call from then on. */
static int raw_handler(void)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} act = { .handler = SIG_DFL };
	char byte;

	CHECK(reads_work());
	CHECK(syscall(SYS_rt_sigaction, SIGSEGV, &act, NULL, 8) == 0);
	for (int i = 0; i < 1100; i++)
		CHECK(read_at(&byte, 1, pages) == 0);
	CHECK(!__inlay_fault_check());
	CHECK(reads_work());
	return 0;
}

static int bus_error(void)
{
	char name[] = "/tmp/inlay-test-XXXXXX", word[8];
	int fd = mkstemp(name);
	char *map;

	CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, PAGE) == 0);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED && ftruncate(fd, 0) == 0);
	CHECK(read_at(word, 8, map) == -EFAULT);
	CHECK(read_string(word, 8, map) == -EFAULT);
	return 0;
}

static int in_grandchild(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(!reads_work());
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	return reads_work() ? 0 : 1;
}

/* As who starts a program does it: back to the defaults, in the parent's memory. */
static int vfork_resets(void)
{
	struct sigaction act = { .sa_handler = on_segv_return, .sa_flags = (int)SA_RESETHAND }, old;
	volatile int line = 0;
	int status;
	pid_t pid;

	CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
	CHECK(signal(SIGBUS, on_other) == SIG_DFL);
	CHECK(reads_work());
	pid = vfork();
	if (pid == 0) {
		act.sa_handler = SIG_DFL;
		if (sigaction(SIGSEGV, &act, &old) || old.sa_handler != on_segv_return)
			line = __LINE__;
		else if (sigaction(SIGSEGV, NULL, &old) || old.sa_handler != SIG_DFL)
			line = __LINE__;
		else if (signal(SIGBUS, SIG_IGN) != on_other || !reads_work())
			line = __LINE__;
		else if (raise(SIGBUS) || signal(SIGBUS, SIG_DFL) != SIG_IGN)
			line = __LINE__;
		else
			fault();
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(line == 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && handled == 0);
	/* one that only faults gives its parent's handler up for itself alone */
	pid = vfork();
	if (pid == 0) {
		fault();
		if (sigaction(SIGSEGV, NULL, &old) || old.sa_handler != SIG_DFL)
			line = __LINE__;
		if (signal(SIGSEGV, on_other) != SIG_DFL || raise(SIGSEGV))
			line = __LINE__;
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(line == 0 && status == 0 && handled == 2);
	CHECK(mprotect(bad, PAGE, PROT_NONE) == 0);
	for (int i = 0; i < 600; i++) /* over a look at the handlers */
		CHECK(reads_work());
	CHECK(__inlay_fault_check() == EXPECT_HANDLER);
	CHECK(sigaction(SIGSEGV, NULL, &old) == 0 && old.sa_handler == on_segv_return);
	CHECK(signal(SIGBUS, SIG_DFL) == on_other);
	fault();
	CHECK(handled == 3 && handled_ok && *bad == 1);
	return 0;
}

/* The other names of the same calls. */
static int old_names(void)
{
	CHECK(sighold(SIGSEGV) == 0 && is_blocked(SIGSEGV) && reads_work());
	CHECK(sigrelse(SIGSEGV) == 0 && !is_blocked(SIGSEGV));
	CHECK(sigset(SIGSEGV, SIG_HOLD) != SIG_ERR && is_blocked(SIGSEGV) && reads_work());
	CHECK(sigset(SIGSEGV, on_other) == SIG_HOLD && !is_blocked(SIGSEGV));
	raise(SIGSEGV);
	CHECK(handled == 1 && handled_ok);
	CHECK(sigignore(SIGSEGV) == 0);
	raise(SIGSEGV);
	CHECK(handled == 1 && reads_work());
	errno = 0;
	CHECK(sigaction(65, NULL, &(struct sigaction){ 0 }) == -1 && errno == EINVAL);
	CHECK(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL);
	CHECK(signal(SIGUSR1, on_other) == SIG_DFL && signal(SIGUSR1, SIG_DFL) == on_other);
	return 0;
}

static int blocked_by_parent(void)
{
	uint64_t all = ~0ull;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
	execl("/proc/self/exe", "test_helper_signals", "reads-work", (char *)NULL);
	return 1;
}

static const struct child_case children[] = {
	{ "own handler, left by longjmp", own_handler, 0 },
	{ "own handler that repairs", repairing_handler, 0 },
	{ "blocked", blocked, 0 },
	{ "fault while blocked", fault_while_blocked, SIGSEGV },
	{ "fault, default action", fault_by_default, SIGSEGV },
	{ "fault, ignored", fault_while_ignored, SIGSEGV },
	{ "sent while blocked", sent_while_blocked, 0 },
	{ "memory error by the way", machine_check, SIGBUS },
	{ "sent, default action", sent_by_default, SIGBUS },
	{ "another handler blocks everything", other_handler_blocks_all, 0 },
	{ "SA_RESETHAND", once_only, SIGSEGV },
	{ "SA_NODEFER", no_defer, 0 },
	{ "fault in the handler", nested_deferred, SIGSEGV },
	{ "SA_ONSTACK", stack_overflow, 0 },
	{ "thread inherits a blocked signal", thread_inherits, 0 },
	{ "handler replaced past libc", raw_handler, 0 },
	{ "SIGBUS", bus_error, 0 },
	{ "fork", in_grandchild, 0 },
	{ "vfork child that resets", vfork_resets, 0 },
	{ "other names", old_names, 0 },
	{ "blocked by the parent", blocked_by_parent, 0 },
};

static void test_signals(void **state)
{
	(void)state;
	children_run(children, sizeof(children) / sizeof(children[0]));
}

/* Threads that read bad memory while others change actions and masks. */
static _Atomic(int) stop;

static void *keeps_reading(void *arg)
{
	while (!stop)
		if (!reads_work())
			return arg;
	return NULL;
}

static int hammer(void)
{
	struct timespec nap = { .tv_nsec = 300000000 };
	pthread_t readers[2];
	uint64_t ends;
	struct timespec now;
	void *failed;

	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&readers[i], NULL, keeps_reading, &stop) == 0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	ends = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 +
	       (uint64_t)nap.tv_nsec / 1000000;
	do {
		sigset_t all;

		sigfillset(&all);
		signal(SIGSEGV, handled++ % 2 ? SIG_DFL : on_other);
		sigprocmask(SIG_BLOCK, &all, NULL);
		CHECK(reads_work());
		sigprocmask(SIG_UNBLOCK, &all, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 < ends);
	stop = 1;
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(readers[i], &failed) == 0 && !failed);
	return 0;
}

static void test_hammer(void **state)
{
	(void)state;
	assert_int_equal(in_child(hammer), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handler_is_used),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_hammer),
	};

	if (argc > 1 && strcmp(argv[1], "reads-work") == 0)
		return setup(NULL) || !reads_work() || !is_blocked(SIGSEGV);
	return cmocka_run_group_tests(tests, setup, NULL);
}
