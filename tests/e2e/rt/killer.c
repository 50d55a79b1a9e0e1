/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts a command many times, some at once, and kills each after a moment that grows from nothing
 * to a little more than the command takes.
 *	killer TIMES COMMAND ARG...
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 3 };

int main(int argc, char **argv)
{
	int times = argc > 2 ? atoi(argv[1]) : 0, i, k;
	unsigned int killed = 0, finished = 0;

	for (i = 0; i < times; i += AT_ONCE) {
		/* up to 3 ms */
		struct timespec wait = { 0, (long)(3000000ll * i / times) };
		pid_t pids[AT_ONCE];
		int status;

		for (k = 0; k < AT_ONCE; k++) {
			pids[k] = fork();
			if (!pids[k]) {
				execv(argv[2], argv + 2);
				_exit(127);
			}
		}
		nanosleep(&wait, NULL);
		for (k = 0; k < AT_ONCE; k++)
			kill(pids[k], SIGKILL);
		for (k = 0; k < AT_ONCE; k++) {
			waitpid(pids[k], &status, 0);
			if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
				killed++;
			else if (WIFEXITED(status) && !WEXITSTATUS(status))
				finished++;
			else
				return 1;
		}
	}
	printf("%u killed, %u finished\n", killed, finished);
	return killed ? 0 : 1;
}
