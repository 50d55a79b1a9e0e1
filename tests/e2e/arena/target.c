/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target list N    adds N nodes, says so and waits for the end of its input
 * target fill N    takes N pages
 * target kill N    children take and give back pages until they are killed, N times; then takes all there are
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROBED __attribute__((noinline))
static PROBED void add(unsigned long value)
{
	__asm__ volatile("" ::"r"(value) : "memory");
}
static PROBED void churn(unsigned long id, unsigned int nr)
{
	__asm__ volatile("" ::"r"(id), "r"(nr) : "memory");
}
static PROBED void take(unsigned long id)
{
	__asm__ volatile("" ::"r"(id) : "memory");
}

static pid_t start(unsigned int seed)
{
	pid_t pid = fork();

	while (!pid)
		churn((unsigned long)getpid(), 1 + (unsigned int)rand_r(&seed) % 3);
	return pid;
}

static int kills(int nr)
{
	unsigned int seed = 7;
	pid_t children[3];
	int status;

	for (int i = 0; i < 3; i++)
		children[i] = start((unsigned int)i);
	for (int k = 0; k < nr; k++) {
		struct timespec ts = { .tv_nsec = rand_r(&seed) % 2000000 };
		int i = rand_r(&seed) % 3;

		nanosleep(&ts, NULL);
		kill(children[i], SIGKILL);
		if (waitpid(children[i], &status, 0) != children[i] || !WIFSIGNALED(status) ||
		    WTERMSIG(status) != SIGKILL)
			return 1;
		children[i] = start((unsigned int)k + 10);
	}
	for (int i = 0; i < 3; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	/* more often than there are pages: a search that failed is not made again at once */
	for (unsigned long i = 1; i <= 3000; i++)
		take(i);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 0) : 0, i;

	if (!n)
		return 2;
	if (!strcmp(argv[1], "kill"))
		return kills((int)n);
	for (i = 1; i <= n; i++)
		if (!strcmp(argv[1], "list"))
			add(i);
		else
			take(i);
	if (!strcmp(argv[1], "list")) {
		puts("ready");
		fflush(stdout);
		while (getchar() != EOF)
			;
	}
	return 0;
}
