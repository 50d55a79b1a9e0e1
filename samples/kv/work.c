/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads, children and signals, each doing a given amount of work. */
#include "kv.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS_MAX = 64, CHILDREN_MAX = 64 };

struct worker {
	pthread_t id;
	unsigned int number;
	unsigned long rounds;
};

void kv_work(unsigned int worker, unsigned long round)
{
	__asm__ volatile("" :: "r"(worker), "r"(round) : "memory");
}

void kv_child(unsigned int nth)
{
	__asm__ volatile("" :: "r"(nth) : "memory");
}

void kv_on_signal(int signal_number)
{
	__asm__ volatile("" :: "r"(signal_number) : "memory");
}

static void *worker_main(void *arg)
{
	const struct worker *worker = arg;

	for (unsigned long i = 0; i < worker->rounds; i++)
		kv_work(worker->number, i);
	return NULL;
}

int kv_run_threads(unsigned int threads, unsigned long rounds)
{
	struct worker workers[THREADS_MAX];
	unsigned int i, started;

	for (started = 0; started < threads && started < THREADS_MAX; started++) {
		workers[started] = (struct worker){ .number = started, .rounds = rounds };
		if (pthread_create(&workers[started].id, NULL, worker_main, &workers[started]))
			break;
	}
	for (i = 0; i < started; i++)
		pthread_join(workers[i].id, NULL);
	return (int)started;
}

/* Each child ends by _exit() in one half of the cases and is killed in the other. */
int kv_run_children(unsigned int children, unsigned long rounds)
{
	int ended = 0;

	for (unsigned int i = 0; i < children && i < CHILDREN_MAX; i++) {
		pid_t pid = fork();
		int status;

		if (pid < 0)
			break;
		if (!pid) {
			kv_child(i);
			for (unsigned long k = 0; k < rounds; k++)
				kv_work(100 + i, k);
			if (i & 1)
				raise(SIGKILL);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) == pid)
			ended++;
	}
	return ended;
}

static void handler(int signal_number)
{
	kv_on_signal(signal_number);
	kv_fibonacci(3);
}

int kv_run_signals(unsigned int times)
{
	struct sigaction action = { .sa_handler = handler }, old;
	unsigned int i;

	sigaction(SIGUSR1, &action, &old);
	for (i = 0; i < times; i++)
		raise(SIGUSR1);
	sigaction(SIGUSR1, &old, NULL);
	return (int)i;
}
