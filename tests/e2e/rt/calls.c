/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls COMMAND...: which system calls the code of an executable makes by instructions of its own, as
 * libinlay.a does and a program that calls libc does not. Prints "PHASE NUMBER", each once; the
 * program says by close(-1000 - PHASE) in which phase it is. Exit code: the program's.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_PHASES 16
#define NR_CALLS 1024

static struct {
	unsigned long start, end;
} ranges[16];
static size_t nr_ranges;
static bool is_seen[NR_PHASES][NR_CALLS];
static int phase;

static void read_ranges(pid_t pid)
{
	char name[64], exe[512], line[1024];
	ssize_t n;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%d/exe", pid);
	n = readlink(name, exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = 0;
	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	maps = fopen(name, "r");
	nr_ranges = 0;
	while (maps && fgets(line, sizeof(line), maps)) {
		char *path = strchr(line, '/');

		if (!path || strncmp(path, exe, strlen(exe)) || nr_ranges == 16)
			continue;
		sscanf(line, "%lx-%lx", &ranges[nr_ranges].start, &ranges[nr_ranges].end);
		nr_ranges++;
	}
	if (maps)
		fclose(maps);
}

static void on_call(pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	if (info.entry.nr == __NR_close && (int)info.entry.args[0] <= -1000)
		phase = (-(int)info.entry.args[0] - 1000) % NR_PHASES;
	for (size_t i = 0; i < nr_ranges; i++)
		if (info.instruction_pointer >= ranges[i].start &&
		    info.instruction_pointer <= ranges[i].end)
			is_seen[phase][info.entry.nr % NR_CALLS] = true;
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	pid_t pid, first = fork();
	int status, code = 1;

	if (!first) {
		if (argc < 2 || ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(77);
		execv(argv[1], argv + 1);
		_exit(2);
	}
	if (waitpid(first, &status, 0) != first || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, first, 0, options))
		return 77;
	read_ranges(first);
	ptrace(PTRACE_SYSCALL, first, 0, 0);
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		long sig = 0;

		if (WIFEXITED(status) && pid == first)
			code = WEXITSTATUS(status);
		if (!WIFSTOPPED(status))
			continue;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			on_call(pid);
		else if (status >> 16 == PTRACE_EVENT_EXEC)
			read_ranges(pid);
		else if (!(status >> 16) && WSTOPSIG(status) != SIGSTOP)
			sig = WSTOPSIG(status);
		ptrace(PTRACE_SYSCALL, pid, 0, sig);
	}
	for (int i = 0; i < NR_PHASES; i++)
		for (int nr = 0; nr < NR_CALLS; nr++)
			if (is_seen[i][nr])
				printf("%d %d\n", i, nr);
	return code;
}
