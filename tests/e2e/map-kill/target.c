/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children that change maps until they are killed, at any instruction, more of them than the process
 * table has rows. Others take the rows of the dead then and do nothing, while the parent empties the maps
 * and fills them to the last entry.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NR_CHILDREN = 4, NR_KILLS = 300, NR_KEYS = 60, MAX_ENTRIES = 40, NR_IDLE = 250 };

__attribute__((noinline)) void churn(unsigned long key, int is_delete)
{
	__asm__ volatile("" :: "r"(key), "r"(is_delete) : "memory");
}

static pid_t start(unsigned int seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;) {
		int r = rand_r(&seed);

		churn(1 + (unsigned long)r % NR_KEYS, r >> 16 & 1);
	}
}

static pid_t start_idle(void)
{
	pid_t pid = fork();

	while (!pid)
		pause();
	return pid;
}

int main(void)
{
	static pid_t idle[NR_IDLE];
	unsigned int seed = (unsigned int)getpid();
	pid_t children[NR_CHILDREN];
	unsigned long key;
	int i, status;

	for (i = 0; i < NR_CHILDREN; i++)
		children[i] = start(seed + (unsigned int)i);
	for (int kills = 0; kills < NR_KILLS; kills++) {
		struct timespec ts = { .tv_nsec = rand_r(&seed) % 3000000 };

		nanosleep(&ts, NULL);
		i = rand_r(&seed) % NR_CHILDREN;
		kill(children[i], SIGKILL);
		if (waitpid(children[i], &status, 0) != children[i] || !WIFSIGNALED(status) ||
		    WTERMSIG(status) != SIGKILL)
			return 1; /* it has crashed before */
		children[i] = start(seed + (unsigned int)kills * 31);
	}
	for (i = 0; i < NR_CHILDREN; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	for (i = 0; i < NR_IDLE; i++)
		idle[i] = start_idle();
	for (key = 1; key <= NR_KEYS; key++)
		churn(key, 1);
	/* the nodes of the dead are searched once in as many refusals as there are nodes */
	for (i = 0; i < 300; i++)
		for (key = 1; key <= MAX_ENTRIES; key++)
			churn(key, 0);
	for (i = 0; i < NR_IDLE; i++) {
		kill(idle[i], SIGKILL);
		waitpid(idle[i], &status, 0);
	}
	return 0;
}
