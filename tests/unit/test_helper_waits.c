/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting with a signal mask, and waiting for SIGSEGV and SIGBUS themselves, in a target in which
 * these two are ours: nothing is lost, nothing comes too early.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>

#include "read_fixture.h"

static volatile sig_atomic_t handled, handled_ok;

static void on_other(int sig)
{
	(void)sig;
	handled++;
	handled_ok = reads_work() && is_blocked(SIGSEGV);
}

/* What ppoll() becomes under _FORTIFY_SOURCE. */
int __ppoll_chk(struct pollfd *fds, nfds_t nr, const struct timespec *timeout, const sigset_t *set,
		size_t fds_bytes);

static void *signal_sender(void *arg)
{
	struct timespec nap = { .tv_nsec = 30000000 };

	nanosleep(&nap, NULL);
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	return NULL;
}

/* Handlers that run inside a wait with a mask of its own. */
static int waits_with_masks(void)
{
	struct sigaction act = { .sa_handler = on_other };
	struct timespec second = { .tv_sec = 5 };
	pthread_t self = pthread_self(), sender;
	sigset_t all_but_one, set;

	CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigfillset(&all_but_one);
	sigdelset(&all_but_one, SIGUSR1);
	for (int i = 0; i < 4; i++) {
		int ret;

		handled = handled_ok = 0;
		CHECK(pthread_create(&sender, NULL, signal_sender, &self) == 0);
		if (i == 0)
			ret = sigsuspend(&all_but_one);
		else if (i == 1)
			ret = ppoll(NULL, 0, &second, &all_but_one);
		else if (i == 2)
			ret = __ppoll_chk(NULL, 0, &second, &all_but_one, 0);
		else
			ret = pselect(0, NULL, NULL, NULL, &second, &all_but_one);
		CHECK(ret == -1 && errno == EINTR);
		CHECK(handled == 1 && handled_ok);
		pthread_join(sender, NULL);
		CHECK(!is_blocked(SIGSEGV) && is_blocked(SIGUSR1));
	}
	return 0;
}

/* ---- for the signals themselves --------------------------------------------------------- */

static void block(sigset_t *ret_set, int sig)
{
	sigemptyset(ret_set);
	sigaddset(ret_set, sig);
	pthread_sigmask(SIG_BLOCK, ret_set, NULL);
}

static int sent_before_the_wait(void)
{
	const struct timespec none = { 0, 0 };
	siginfo_t info;
	sigset_t set;
	int sig = 0;

	block(&set, SIGSEGV);
	kill(getpid(), SIGSEGV);
	CHECK(sigwait(&set, &sig) == 0 && sig == SIGSEGV);
	raise(SIGSEGV);
	memset(&info, 0, sizeof(info));
	CHECK(sigwaitinfo(&set, &info) == SIGSEGV);
	CHECK(info.si_signo == SIGSEGV && info.si_code == SI_USER && info.si_pid == getpid());
	sigqueue(getpid(), SIGSEGV, (union sigval){ .sival_int = 42 });
	CHECK(sigtimedwait(&set, &info, &none) == SIGSEGV);
	CHECK(info.si_signo == SIGSEGV && info.si_code == SI_QUEUE && info.si_value.sival_int == 42);
	errno = 0;
	CHECK(sigtimedwait(&set, &info, &none) == -1 && errno == EAGAIN);
	/* two of them are one, as for every signal of this kind */
	kill(getpid(), SIGSEGV);
	kill(getpid(), SIGSEGV);
	CHECK(sigwait(&set, &sig) == 0 && sig == SIGSEGV);
	CHECK(sigtimedwait(&set, &info, &none) == -1 && errno == EAGAIN);
	/* a set of everything, and the other signal */
	block(&set, SIGBUS);
	sigfillset(&set);
	kill(getpid(), SIGBUS);
	CHECK(sigwait(&set, &sig) == 0 && sig == SIGBUS);
	block(&set, SIGUSR1);
	kill(getpid(), SIGUSR1);
	CHECK(sigwait(&set, &sig) == 0 && sig == SIGUSR1);
	CHECK(reads_work());
	return 0;
}

static pthread_t waiter;
static volatile int how;

static void *sends(void *arg)
{
	const struct timespec nap = { .tv_nsec = 30000000 };

	(void)arg;
	nanosleep(&nap, NULL);
	if (how == 0)
		kill(getpid(), SIGSEGV);
	else
		pthread_kill(waiter, SIGSEGV);
	return NULL;
}

/* The wait itself is what the signal finds: it returns the signal, not EINTR. */
static int sent_during_the_wait(void)
{
	const struct timespec long_enough = { .tv_sec = 10 };
	siginfo_t info;
	pthread_t sender;
	sigset_t set;
	int sig;

	waiter = pthread_self();
	block(&set, SIGSEGV);
	for (how = 0; how < 2; how++) {
		sig = 0;
		CHECK(pthread_create(&sender, NULL, sends, NULL) == 0);
		CHECK(sigwait(&set, &sig) == 0 && sig == SIGSEGV);
		pthread_join(sender, NULL);
		CHECK(pthread_create(&sender, NULL, sends, NULL) == 0);
		CHECK(sigtimedwait(&set, &info, &long_enough) == SIGSEGV);
		pthread_join(sender, NULL);
		CHECK(info.si_signo == SIGSEGV && info.si_pid == getpid());
	}
	CHECK(reads_work());
	return 0;
}

static void *waits(void *arg)
{
	sigset_t set;
	int sig = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	*(volatile int *)arg = sigwait(&set, &sig) == 0 && sig == SIGSEGV;
	return NULL;
}

/* A thread for signals, as servers have it; the kernel gives what is sent to any of them. */
static int thread_for_signals(void)
{
	const struct timespec nap = { .tv_nsec = 20000000 };
	volatile int ok = 0;
	sigset_t set;

	block(&set, SIGSEGV);
	CHECK(pthread_create(&waiter, NULL, waits, (void *)&ok) == 0);
	nanosleep(&nap, NULL);
	kill(getpid(), SIGSEGV);
	pthread_join(waiter, NULL);
	CHECK(ok);
	return 0;
}

static void *unblocked(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	while (!*(volatile int *)arg)
		usleep(1000);
	return NULL;
}

static volatile pid_t handled_by;

static void on_sent(int sig)
{
	(void)sig;
	handled_by = (pid_t)syscall(SYS_gettid);
	handled++;
}

/* What is sent to the process goes to the thread that has not blocked it. */
static int goes_to_who_may_have_it(void)
{
	struct sigaction act = { .sa_handler = on_sent };
	volatile int done = 0;
	pthread_t thread;
	sigset_t set;

	CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
	block(&set, SIGSEGV);
	CHECK(pthread_create(&thread, NULL, unblocked, (void *)&done) == 0);
	usleep(20000);
	kill(getpid(), SIGSEGV);
	for (int i = 0; i < 1000 && !handled; i++)
		usleep(1000);
	CHECK(handled == 1 && handled_by != (pid_t)syscall(SYS_gettid));
	done = 1;
	pthread_join(thread, NULL);
	/* sent to one thread it waits for that one */
	raise(SIGSEGV);
	CHECK(handled == 1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	CHECK(handled == 2 && handled_by == (pid_t)syscall(SYS_gettid));
	return 0;
}

static void *writes(void *arg)
{
	usleep(30000);
	kill(getpid(), SIGSEGV);
	usleep(30000);
	return (void *)(intptr_t)(write(*(int *)arg, "x", 1) != 1);
}

/* A signal that is blocked interrupts nothing. */
static int read_is_not_interrupted(void)
{
	pthread_t writer;
	sigset_t set;
	int fds[2];
	char byte;

	CHECK(pipe(fds) == 0);
	block(&set, SIGSEGV);
	CHECK(pthread_create(&writer, NULL, writes, &fds[1]) == 0);
	CHECK(read(fds[0], &byte, 1) == 1 && byte == 'x');
	pthread_join(writer, NULL);
	return 0;
}

/* What comes out names the stand-in, where the signal is ours. */
static int by_descriptor(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	block(&set, SIGSEGV);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0 && read(fd, &info, sizeof(info)) == -1 && errno == EAGAIN);
	kill(getpid(), SIGSEGV);
	CHECK(read(fd, &info, sizeof(info)) == sizeof(info));
	CHECK(info.ssi_signo == (EXPECT_HANDLER ? 57u : (unsigned int)SIGSEGV));
	CHECK(info.ssi_pid == (uint32_t)getpid());
	return 0;
}

static void *waits_for_ever(void *arg)
{
	sigset_t set;
	int sig;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigwait(&set, &sig);
	return NULL;
}

static int wait_is_cancelled(void)
{
	pthread_t thread;
	void *ret = NULL;
	sigset_t set;

	block(&set, SIGSEGV);
	CHECK(pthread_create(&thread, NULL, waits_for_ever, NULL) == 0);
	usleep(20000);
	CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &ret) == 0);
	CHECK(ret == PTHREAD_CANCELED);
	return 0;
}

static const struct child_case children[] = {
	{ "waiting with a mask", waits_with_masks, 0 },
	{ "sent before the wait", sent_before_the_wait, 0 },
	{ "sent during the wait", sent_during_the_wait, 0 },
	{ "a thread for signals", thread_for_signals, 0 },
	{ "goes to who may have it", goes_to_who_may_have_it, 0 },
	{ "read() is not interrupted", read_is_not_interrupted, 0 },
	{ "signalfd", by_descriptor, 0 },
	{ "wait is cancelled", wait_is_cancelled, 0 },
};

static void test_waits(void **state)
{
	(void)state;
	children_run(children, sizeof(children) / sizeof(children[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
