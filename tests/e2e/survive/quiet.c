/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quiet PHASE [list]: what system calls probes make once main() runs. Each phase does its hits
 * under a filter that kills the process at any call which the phase may not make.
 *
 *	maps	maps of every type, in a thread that has used them before: no call at all
 *	reads	walks of the stack and other reads, also of bad memory: a look now and then whether
 *		SIGSEGV is still the runtime's; and helpers
 *	first	the first hits of a new thread: its parts of per-CPU maps
 *	denied	the same where each of these calls fails: hits are dropped, and the thread goes on
 *
 * With `list`, prints the calls that are made and not allowed, instead of dying. (Where the runtime
 * has the signals blocked it dies all the same.)
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "asked.h"

static const int base[] = { __NR_write, __NR_exit_group, __NR_exit, __NR_rt_sigreturn };
static const int of_reads[] = { __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_getpid, __NR_gettid,
				__NR_prctl };
static long readable;
static const int of_first[] = { __NR_mmap, __NR_fallocate, __NR_fcntl, __NR_newfstatat, __NR_close,
				__NR_membarrier,
				__NR_prlimit64, __NR_getpid, __NR_gettid };

static volatile bool is_listed[1024];

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	is_listed[info->si_syscall & 1023] = true;
}

static void forbid(const int *more, size_t nr_more, unsigned int action)
{
	struct sock_filter filter[64] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = { .filter = filter };
	size_t n = 1;

	for (size_t i = 0; i < sizeof(base) / sizeof(base[0]) + nr_more; i++) {
		int nr = i < nr_more ? more[i] : base[i - nr_more];

		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)nr,
							   0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program)) {
		perror("seccomp");
		_exit(77);
	}
}

static const char *failed;

static void need(long rc, const char *what)
{
	if (rc < 0 && !failed)
		failed = what;
}

/* Every map, many times; `rc` of each is looked at unless hits may be dropped. */
static void hit_all(unsigned int slot, int times, bool may_drop)
{
	for (int i = 0; i < times; i++) {
		u64 key = 1 + slot * STORM_KEYS + (unsigned int)i % STORM_KEYS, n = i + 1;
		long parts, lru_parts, by_thread;

		need(do_hash(STORM_PUT, key, n), "hash");
		need(do_hash(STORM_GET, key, n), "hash");
		need(do_lru(STORM_PUT, key, n), "lru");
		need(do_trie(STORM_PUT, key, n), "trie");
		parts = do_parts(STORM_PUT, key, n);
		lru_parts = do_lru_parts(STORM_PUT, key, n);
		by_thread = do_count_by_thread(slot);
		if (!may_drop) {
			need(parts, "parts");
			need(lru_parts, "lru_parts");
			need(by_thread, "by_thread");
		}
		need(do_count(slot, 1), "count");
		need(do_inner(slot, 1), "inner");
		need(do_locked(0, slot, 1), "locked");
		need(do_bloom(STORM_PUT, key), "bloom");
		need(do_queue(STORM_PUT, slot, n), "queue");
		need(do_queue(STORM_DELETE, 0, 0), "queue");
		need(do_stack(STORM_PUT, slot, n), "stack");
		need(do_stack(STORM_DELETE, 0, 0), "stack");
		if (i % 2)
			need(do_hash(STORM_DELETE, key, 0), "hash");
		/* the rings fill, and then events are lost */
		do_ring(slot, n);
		do_events(slot, n);
	}
}

static volatile int is_running, is_time, is_done;

static void *hit_first(void *arg)
{
	is_running = 1;
	while (!is_time)
		;
	hit_all(1, 1000, *(bool *)arg);
	is_done = 1;
	for (;;)
		;
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
	bool is_list = argc > 2, may_drop = !strcmp(argv[1], "denied");
	unsigned int kill = is_list ? SECCOMP_RET_TRAP : SECCOMP_RET_KILL_PROCESS;
	pthread_t thread;
	char line[20];

	sigaction(SIGSYS, &action, NULL);
	if (!strcmp(argv[1], "maps")) {
		hit_all(0, 1000, false);
		forbid(NULL, 0, kill);
		hit_all(0, 100000, false);
	} else if (!strcmp(argv[1], "reads")) {
		forbid(of_reads, sizeof(of_reads) / sizeof(of_reads[0]), kill);
		for (int i = 0; i < 100000; i++)
			need(do_trace(), "traces");
		for (int i = 0; i < 100000; i++)
			need(do_helpers(i % 2 ? &readable : NULL) - 5, "helpers");
	} else {
		if (pthread_create(&thread, NULL, hit_first, &may_drop))
			return 1;
		while (!is_running)
			;
		if (may_drop)
			forbid(NULL, 0, is_list ? kill : SECCOMP_RET_ERRNO | EPERM);
		else
			forbid(of_first, sizeof(of_first) / sizeof(of_first[0]), kill);
		is_time = 1;
		while (!is_done)
			;
	}
	for (int i = 0; i < 1024; i++)
		if (is_listed[i]) {
			ssize_t n = write(1, line, (size_t)snprintf(line, sizeof(line), "call %d\n", i));

			(void)n;
		}
	if (failed && write(2, failed, strlen(failed)) < 0)
		_exit(4);
	_exit(failed ? 3 : 0);
}
