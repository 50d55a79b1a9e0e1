/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls the probed function where it hurts: in its own SIGSEGV handler, with everything blocked, in a
 * thread and in a fork child. The last hit is the child's; it prints what the probe must have seen.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int look(const char *text, void *bad);

__attribute__((noinline)) int look(const char *text, void *bad)
{
	struct timespec nap = { .tv_nsec = 2000000 };

	nanosleep(&nap, NULL);
	return text != bad;
}

static sigjmp_buf escape;
static char *volatile nowhere = (char *)16;

static void on_segv(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	look("handler", info->si_addr);
	siglongjmp(escape, 1);
}

static void *thread(void *arg)
{
	look("thread", nowhere);
	return arg;
}

int main(void)
{
	struct sigaction act = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
	struct timespec ts;
	pthread_t other;
	cpu_set_t one;
	sigset_t all;
	int status;

	sigfillset(&all);
	sigfillset(&act.sa_mask);
	sigaction(SIGSEGV, &act, NULL);
	if (sigsetjmp(escape, 1) == 0)
		*nowhere = 1;
	sigprocmask(SIG_BLOCK, &all, NULL);
	look("blocked", nowhere);
	pthread_create(&other, NULL, thread, NULL);
	pthread_join(other, NULL);
	fflush(stdout);
	if (fork() == 0) {
		CPU_ZERO(&one);
		CPU_SET(0, &one);
		sched_setaffinity(0, sizeof(one), &one);
		prctl(PR_SET_NAME, "helper-child");
		clock_gettime(CLOCK_MONOTONIC, &ts);
		look("a text that is too long", nowhere);
		printf("%d %ld %d %d %lld %p\n", getpid(), syscall(SYS_gettid), getuid(), getgid(),
		       (long long)ts.tv_sec * 1000000000 + ts.tv_nsec, (void *)look);
		fflush(stdout);
		_exit(0);
	}
	wait(&status);
	return status != 0;
}
