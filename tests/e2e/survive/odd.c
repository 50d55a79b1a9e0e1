/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * odd CASE: hits of maps of every type and helpers of every kind in a program that has got itself, or was
 * started, into an unusual state: without descriptors, memory, rights, signals or stack. They must leave
 * the program as it is, errno included; what needs nothing more than there is must count.
 *
 * Each case is made after the first hits, and met by the main thread, by a thread that was there before but
 * has not hit anything yet, and by a fork child. Prints mode=file, memfd or private; exit 0: all right.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "asked.h"

enum { EXPECT_HELPERS = 5, BAD = 16, ODD_ERRNO = 4711, STACK_BYTES = 16384, GUARD_BYTES = 1 << 20 };

extern char **environ;

static volatile int first_wrong_at;
static u64 nr_hits;
static bool may_drop;	/* there is not what a first hit needs */
static bool has_reads = true;

static void wrong_at(int line)
{
	if (!first_wrong_at)
		first_wrong_at = line;
}

#define right(condition) ((condition) ? (void)0 : wrong_at(__LINE__))

static void hit(void)
{
	static const u64 good = 0x1234567812345678;
	u64 n = __atomic_add_fetch(&nr_hits, 1, __ATOMIC_RELAXED), key = 1 + n % 4;
	long rc;

	errno = ODD_ERRNO;
	right(do_count(0, 1) >= 0);
	right(!do_count_by_thread(0) || may_drop);
	do_parts(STORM_PUT, key, n);
	do_lru_parts(STORM_PUT, key, n);
	right(!do_hash(STORM_PUT, key, n));
	right(do_hash(STORM_GET, key, 0) >= 0);
	right(do_hash(STORM_GET, 100, 0) == -ENOENT);
	right(!do_lru(STORM_PUT, key, n));
	right(!do_trie(STORM_PUT, key, n));
	right(!do_queue(STORM_PUT, 0, n));
	right(do_queue(STORM_DELETE, 0, 0) >= 0);
	right(!do_stack(STORM_PUT, 0, n));
	right(do_stack(STORM_DELETE, 0, 0) >= 0);
	right(!do_bloom(STORM_PUT, key));
	right(!do_bloom(STORM_GET, key));
	right(do_inner(0, 1) >= 0);
	right(do_locked(0, 0, 1) >= 0);
	rc = do_ring(0, n);
	right(!rc || rc == -ENOENT);
	rc = do_events(0, n);
	right(!rc || rc == -ENOSPC);
	rc = do_trace();
	right(rc >= 0 || rc == -EEXIST || !has_reads);
	rc = do_helpers(&good);
	right(rc == EXPECT_HELPERS + 8 || !has_reads);
	rc = do_helpers((const void *)BAD);
	right(rc == EXPECT_HELPERS || !has_reads);
	right(errno == ODD_ERRNO);
}

static void hit_often(void)
{
	for (int i = 0; i < 3000; i++)
		hit();
}

/* ---- who is there before, and hits nothing before the case is made --------------------------- */

static int go[2];

static void *late_thread(void *arg)
{
	char byte;

	while (read(go[0], &byte, 1) < 0 && errno == EINTR)
		;
	hit_often();
	return arg;
}

static void hit_in_a_child(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		hit_often();
		_exit(first_wrong_at ? 1 : 0);
	}
	right(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

/* ---- the cases --------------------------------------------------------------------------------- */

static void limit(int resource, rlim_t value)
{
	struct rlimit to = { value, value };

	right(!setrlimit(resource, &to));
}

static void no_case(void)
{
}

/* The first descriptors are the program's: it has had them by then. */
static void lowest_descriptors(void)
{
	right(go[0] == 3 && go[1] == 4);
}

static void no_file_size(void)
{
	may_drop = true;
	limit(RLIMIT_FSIZE, 0);
}

static void no_descriptors(void)
{
	may_drop = true;
	limit(RLIMIT_NOFILE, 0);
}

static void no_memory(void)
{
	may_drop = true;
	limit(RLIMIT_AS, 0);
}

static void locked_memory(void)
{
	may_drop = true;
	mlockall(MCL_CURRENT);
	limit(RLIMIT_MEMLOCK, 65536);
	mlockall(MCL_FUTURE);
}

static void closed(void)
{
	for (int fd = 3; fd < 4096; fd++)
		if (fd != go[0] && fd != go[1])
			close(fd);
}

/* The numbers are in use again, for something else. */
static void closed_and_used(void)
{
	closed();
	while (open("/dev/null", O_RDWR) >= 0 && dup(0) < 1000)
		;
}

static void in_chroot(void)
{
	may_drop = true;
	right(!chroot("/proc/self/fdinfo") && !chdir("/"));
	closed();
}

static void another_user(void)
{
	right(!setresgid(65534, 65534, 65534) && !setresuid(65534, 65534, 65534));
}

static void another_user_closed(void)
{
	may_drop = true;
	another_user();
	closed();
}

static void not_dumpable(void)
{
	right(!prctl(PR_SET_DUMPABLE, 0));
}

static void all_blocked(void)
{
	sigset_t all;

	sigfillset(&all);
	right(!pthread_sigmask(SIG_SETMASK, &all, NULL));
}

static void all_ignored(void)
{
	for (int sig = 1; sig < 65; sig++)
		if (sig != SIGCHLD)
			signal(sig, SIG_IGN);
}

static void umask_of_everything(void)
{
	umask(0777);
}

static void hit_in_spawned(void)
{
	char *argv[] = { "odd", "none", NULL };
	int status = -1;
	posix_spawnattr_t attr;
	sigset_t set;
	pid_t pid;

	sigfillset(&set);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	right(!posix_spawn(&pid, "/proc/self/exe", NULL, &attr, argv, environ) &&
	      waitpid(pid, &status, 0) == pid && !status);
	pid = vfork();
	if (!pid) {
		may_drop = true;
		hit();
		may_drop = false;
		_exit(0);
	}
	right(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

/* Children of their own making: of our memory, and with a copy of it. */
static char child_stack[1 << 16] __attribute__((aligned(16)));

static int on_shared_memory(void *arg)
{
	(void)arg;
	hit();
	return 0;
}

static void hit_in_clones(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	int status = -1;
	pid_t pid;

	may_drop = true;
	pid = clone(on_shared_memory, child_stack + sizeof(child_stack), CLONE_VM | SIGCHLD, NULL);
	right(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
	pid = clone(on_shared_memory, child_stack + sizeof(child_stack), SIGCHLD, NULL);
	right(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		hit_often();
		_exit(first_wrong_at ? 1 : 0);
	}
	right(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
	may_drop = false;
}

/* A coroutine whose stack is as small as that of the smallest thread, over pages that nobody has. */
static void hit_on_a_small_stack(void)
{
	static ucontext_t back, here;
	char *at = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	right(at != MAP_FAILED && !mprotect(at, GUARD_BYTES, PROT_NONE) && !getcontext(&here));
	here.uc_stack.ss_sp = at + GUARD_BYTES;
	here.uc_stack.ss_size = STACK_BYTES;
	here.uc_link = &back;
	makecontext(&here, hit_often, 0);
	right(!swapcontext(&back, &here));
}

static volatile sig_atomic_t nr_handled;

static void on_signal(int sig)
{
	int before = errno;

	(void)sig;
	hit();
	errno = before;
	nr_handled++;
}

/* On an alternate stack that is a piece of the thread's own. */
static void hit_on_a_piece_of_the_stack(void)
{
	char piece[1 << 16];
	stack_t stack = { .ss_sp = piece, .ss_size = sizeof(piece) }, none = { .ss_flags = SS_DISABLE };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

	right(!sigaltstack(&stack, NULL) && !sigaction(SIGUSR1, &action, NULL));
	for (int i = 0; i < 100; i++) {
		hit();
		raise(SIGUSR1);
	}
	right(nr_handled == 100);
	sigaltstack(&none, NULL);
}

static const struct {
	const char *name;
	void (*make)(void);
} cases[] = {
	{ "none", no_case },
	{ "lowest-descriptors", lowest_descriptors },
	{ "no-file-size", no_file_size },
	{ "no-descriptors", no_descriptors },
	{ "no-memory", no_memory },
	{ "locked-memory", locked_memory },
	{ "closed", closed },
	{ "closed-and-used", closed_and_used },
	{ "chroot", in_chroot },
	{ "another-user", another_user },
	{ "another-user-closed", another_user_closed },
	{ "not-dumpable", not_dumpable },
	{ "all-blocked", all_blocked },
	{ "all-ignored", all_ignored },
	{ "umask", umask_of_everything },
	{ "spawned", hit_in_spawned },
	{ "clones", hit_in_clones },
	{ "small-stack", hit_on_a_small_stack },
	{ "piece-of-stack", hit_on_a_piece_of_the_stack },
};

/* How the segment's first page is mapped. */
static const char *mode(void)
{
	const char *mode = "private";
	char line[1024];
	FILE *f = fopen("/proc/self/maps", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "rw-s") && strstr(line, "odd."))
			mode = strstr(line, "/memfd:") ? "memfd" : "file";
	if (f)
		fclose(f);
	return mode;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	pthread_t thread;
	size_t i;

	if (argc != 2 || pipe(go))
		return 2;
	/* started so: nothing is to be had from the first hit on */
	if (!getrlimit(RLIMIT_FSIZE, &files) && !files.rlim_cur)
		may_drop = true;
	printf("mode=%s\n", mode());
	fflush(stdout);
	hit_often();
	if (pthread_create(&thread, NULL, late_thread, NULL))
		return 2;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(cases[i].name, argv[1]))
			break;
	if (i == sizeof(cases) / sizeof(cases[0]))
		return 2;
	cases[i].make();
	hit_often();
	hit_in_a_child();
	if (write(go[1], "", 1) != 1)
		return 2;
	pthread_join(thread, NULL);
	if (first_wrong_at)
		fprintf(stderr, "odd.c:%d: wrong\n", first_wrong_at);
	return first_wrong_at ? 1 : 0;
}
