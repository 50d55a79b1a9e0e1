/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads libraries that read memory, over and over, in turn; GUARDED: whether a handler (of this
 * program's own runtime, with READ) repairs what they read. Meanwhile it blocks and handles SIGSEGV
 * itself. NAMESPACES: each library in a namespace of its own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

#include "rt/inlay_rt.h"

#ifdef NAMESPACES
#define ROUNDS 8
#define LOAD(path) dlmopen(LM_ID_NEWLM, path, RTLD_NOW)
#else
#define ROUNDS 200
#define LOAD(path) dlopen(path, RTLD_NOW)
#endif

static int (*reads)(int);
static sigjmp_buf escape;

#ifdef READ
void (*const start)(void) = __inlay_rt_start_v1;
__s64 (*const reader)(void *, __u64, __u64) = __inlay_probe_read_user_v1;
#endif

static void on_segv(int sig)
{
	(void)sig;
	siglongjmp(escape, 1);
}

static void *with_all_blocked(void *arg)
{
	sigset_t all;

	(void)arg;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, 0);
	return (void *)(long)reads(GUARDED);
}

int main(int argc, char **argv)
{
	volatile int *nowhere = (volatile int *)8;
	struct sigaction act = { .sa_handler = on_segv };
	int i;

	for (i = 0; i < ROUNDS; i++) {
		void *lib = LOAD(argv[1 + i % (argc - 1)]), *ret = 0;
		pthread_t thread;

		reads = lib ? (int (*)(int))dlsym(lib, "reads") : 0;
		if (!reads)
			return 3;
		if (reads(GUARDED))
			return 10 + reads(GUARDED);
		if (pthread_create(&thread, 0, with_all_blocked, 0) || pthread_join(thread, &ret) ||
		    ret)
			return 5;
		sigaction(SIGSEGV, &act, 0);
		if (reads(GUARDED))
			return 6;
		if (sigsetjmp(escape, 1) == 0)
			return *nowhere;
		if (reads(GUARDED))
			return 7;
		signal(SIGSEGV, SIG_DFL);
		dlclose(lib);
	}
	return 0;
}
