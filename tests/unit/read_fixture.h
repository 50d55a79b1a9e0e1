/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of reading memory: memory that can be read and memory that cannot, one question
 * whether both work, and children for what can kill.
 */
#ifndef INLAY_READ_FIXTURE_H
#define INLAY_READ_FIXTURE_H

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/helpers.h"
#include "rt/inlay_rt.h"

#define PAGE 4096u

/* under ThreadSanitizer, too, memory is read by system call */
#ifdef TEST_NO_HANDLER
#define EXPECT_HANDLER 0
#else
#define EXPECT_HANDLER 1
#endif

static char *pages;	/* two readable pages and one that is not */
static char *bad;	/* the unreadable one */
#define NON_CANONICAL 0x800000000000ull

static inline int setup(void **state)
{
	(void)state;
	pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return -1;
	bad = pages + 2 * PAGE;
	for (unsigned int i = 0; i < 2 * PAGE; i++)
		pages[i] = (char)(i % 251 + 1);
	return mprotect(bad, PAGE, PROT_NONE);
}

static inline int64_t read_at(void *dst, uint64_t bytes, const volatile void *addr)
{
	return __inlay_probe_read_user_v1(dst, bytes, (uint64_t)addr);
}

static inline int64_t read_string(void *dst, uint64_t bytes, const volatile void *addr)
{
	return __inlay_probe_read_user_str_v1(dst, bytes, (uint64_t)addr);
}

/* A read that faults and one that does not, both as they should be. */
static inline int reads_work(void)
{
	uint64_t word = 1, wide[2] = { 1, 1 };
	char text[8] = "xxxxxxx";

	if (read_at(&word, sizeof(word), bad) != -EFAULT || word != 0)
		return 0;
	if (read_at(wide, sizeof(wide), bad - 8) != -EFAULT || wide[0] || wide[1])
		return 0;
	if (read_string(text, sizeof(text), bad - 3) != -EFAULT || text[0] || text[2])
		return 0;
	if (read_at(&word, sizeof(word), pages) != 0 || memcmp(&word, pages, sizeof(word)) != 0)
		return 0;
	return 1;
}

/* Runs fn in a child; returns its wait status. fn returns 0 for success. */
static inline int in_child(int (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit no_core = { 0, 0 };

		setrlimit(RLIMIT_CORE, &no_core);
		alarm(20);
		/* cmocka's, and before it the sanitizer's */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

#define CHECK(cond)                \
	do {                       \
		if (!(cond))       \
			return __LINE__ % 256 ? __LINE__ % 256 : 1; \
	} while (0)

/* Cases that each run in a child of their own. */
struct child_case {
	const char *name;
	int (*fn)(void);
	int dies_of;	/* 0: returns 0 */
};

static inline void children_run(const struct child_case *cases, unsigned int nr)
{
	int failed = 0;

	for (unsigned int i = 0; i < nr; i++) {
		int status = in_child(cases[i].fn), ok;

		ok = cases[i].dies_of ? WIFSIGNALED(status) &&
						WTERMSIG(status) == cases[i].dies_of :
					status == 0;
		if (ok)
			continue;
		failed = 1;
		print_error("%s: %s %d (a line number, modulo 256)\n", cases[i].name,
			    WIFSIGNALED(status) ? "signal" : "check",
			    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
	assert_false(failed);
}

static inline int is_blocked(int sig)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, sig);
}

#endif /* INLAY_READ_FIXTURE_H */
