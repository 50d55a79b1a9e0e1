/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small helpers: who runs and where, random numbers, comm, trace_printk, the frame. Compared
 * with the system call that says the same, or with the kernel's own helper.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "skip.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rt/helpers.h"
#include "rt/inlay_rt.h"
#include "rt/inline/clock.h"
#include "rt/inline/ctx.h"
#include "rt/inline/current.h"
#include "rt/inline/random.h"
#include "kernel_helper.h"

static int is_right_pid_tgid(void)
{
	uint64_t expected = (uint64_t)syscall(SYS_getpid) << 32 | (uint32_t)syscall(SYS_gettid);

	/* twice: asked and remembered */
	return (uint64_t)__inlay_get_current_pid_tgid() == expected &&
	       (uint64_t)__inlay_get_current_pid_tgid() == expected;
}

static void *thread_pid_tgid(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)is_right_pid_tgid();
}

static int status_of(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_pid_tgid(void **state)
{
	pthread_t thread;
	void *ok;

	(void)state;
	assert_true(is_right_pid_tgid());
	for (int i = 0; i < 10; i++) {
		assert_int_equal(pthread_create(&thread, NULL, thread_pid_tgid, NULL), 0);
		assert_int_equal(pthread_join(thread, &ok), 0);
		assert_non_null(ok);
	}
}

/* In the child at once, in its threads and in its child; and with a fork that libc does not see. */
static void *thread_forks(void *arg)
{
	pid_t pid = arg ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();

	if (pid == 0) {
		int ok = is_right_pid_tgid();
		pid_t inner = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

		if (inner == 0)
			_exit(!is_right_pid_tgid());
		ok = ok && status_of(inner) == 0 && is_right_pid_tgid();
		_exit(!ok);
	}
	return (void *)(uintptr_t)(status_of(pid) == 0 && is_right_pid_tgid());
}

static void test_pid_tgid_after_fork(void **state)
{
	pthread_t thread;
	void *ok;

	(void)state;
	assert_true(is_right_pid_tgid());
	assert_non_null(thread_forks(NULL));
	assert_non_null(thread_forks(&thread));
	for (int i = 0; i < 10; i++) {
		void *raw = i % 2 ? &ok : NULL;

		assert_int_equal(pthread_create(&thread, NULL, thread_forks, raw), 0);
		assert_int_equal(pthread_join(thread, &ok), 0);
		assert_non_null(ok);
	}
}

/* A thread of a fork child asks before the thread that forked does. */
static void test_pid_tgid_threads_first(void **state)
{
	pthread_t thread;
	void *ok = NULL;
	pid_t pid;

	(void)state;
	assert_true(is_right_pid_tgid());
	pid = fork();
	if (pid == 0) {
		if (pthread_create(&thread, NULL, thread_pid_tgid, NULL) ||
		    pthread_join(thread, &ok))
			_exit(2);
		_exit(!ok || !is_right_pid_tgid());
	}
	assert_int_equal(status_of(pid), 0);
}

static void test_uid_gid(void **state)
{
	pid_t pid;

	(void)state;
	assert_int_equal(__inlay_get_current_uid_gid(), (uint64_t)getgid() << 32 | getuid());
	if (geteuid() != 0) {
		skip_because("root only: changing ids");
	}
	pid = fork();
	if (pid == 0) {
		if (setresgid(12, 13, 14) || setresuid(2, 3, 4))
			_exit(2);
		_exit(__inlay_get_current_uid_gid() != (12ll << 32 | 2));
	}
	assert_int_equal(status_of(pid), 0);
}

static void test_cpu(void **state)
{
	cpu_set_t saved, one;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(saved), &saved), 0);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &saved))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
		assert_int_equal(__inlay_get_smp_processor_id(), cpu);
		assert_int_equal(__inlay_cpu_slow_v1(), cpu);
	}
	sched_setaffinity(0, sizeof(saved), &saved);
}

static void *thread_random(void *arg)
{
	uint32_t *numbers = arg;

	for (int i = 0; i < 8; i++)
		numbers[i] = (uint32_t)__inlay_get_prandom_u32();
	return NULL;
}

static void test_random(void **state)
{
	uint32_t here[8], there[8];
	unsigned int ones[32] = { 0 }, buckets[256] = { 0 };
	const unsigned int rounds = 200000;
	double chi = 0;
	int fds[2];
	pthread_t thread;

	(void)state;
	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t n = (uint64_t)__inlay_get_prandom_u32();

		assert_int_equal(n >> 32, 0);
		for (int bit = 0; bit < 32; bit++)
			ones[bit] += n >> bit & 1;
		buckets[n >> 24]++;
	}
	for (int bit = 0; bit < 32; bit++) /* more than eight standard deviations */
		assert_in_range(ones[bit], rounds / 2 - 1800, rounds / 2 + 1800);
	for (int i = 0; i < 256; i++) {
		double off = buckets[i] - rounds / 256.0;

		chi += off * off / (rounds / 256.0);
	}
	assert_true(chi > 120 && chi < 450); /* 255 degrees of freedom */
	/* no state locks: not zero, not all ones */
	__inlay_thread_v1.random = 0;
	thread_random(here);
	thread_random(there);
	assert_memory_not_equal(here, there, sizeof(here));
	__inlay_thread_v1.random = ~0ull;
	thread_random(here);
	assert_memory_not_equal(here, there, sizeof(here));
	/* another thread and a child draw their own */
	assert_int_equal(pthread_create(&thread, NULL, thread_random, there), 0);
	pthread_join(thread, NULL);
	thread_random(here);
	assert_memory_not_equal(here, there, sizeof(here));
	assert_int_equal(pipe(fds), 0);
	if (fork() == 0) {
		thread_random(here);
		_exit(write(fds[1], here, sizeof(here)) != sizeof(here));
	}
	thread_random(here);
	assert_int_equal(read(fds[0], there, sizeof(there)), sizeof(there));
	wait(NULL);
	assert_memory_not_equal(here, there, sizeof(here));
}

static void test_comm(void **state)
{
	static const char *const names[] = { "redis", "fifteen-bytes-x", "", "a",
					     "longer-than-fifteen" };
	struct kernel_helper helper;
	int err = kernel_helper_open(BPF_FUNC_get_current_comm, 1, &helper);
	char saved[16];

	(void)state;
	prctl(PR_GET_NAME, saved);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char expected[16] = "";

		prctl(PR_SET_NAME, names[i]);
		strncpy(expected, names[i], 15);
		for (unsigned int bytes = 1; bytes < 40; bytes++) {
			uint8_t got[KERNEL_BUF], kernel[KERNEL_BUF];
			struct kernel_call call = { .bytes = bytes };

			memset(got, 0x55, sizeof(got));
			memset(kernel, 0x55, sizeof(kernel));
			assert_int_equal(__inlay_get_current_comm_v1(got, bytes), 0);
			assert_int_equal(got[bytes], 0x55);
			assert_int_equal(got[bytes - 1], 0);
			assert_int_equal(strncmp((char *)got, expected, bytes - 1), 0);
			if (err)
				continue;
			assert_int_equal(kernel_helper_run(&helper, &call, kernel), 0);
			assert_int_equal(call.ret, 0);
			assert_memory_equal(got, kernel, sizeof(got));
		}
	}
	prctl(PR_SET_NAME, saved);
	if (err)
		skip_because("not compared with the kernel: %s", strerror(-err));
	else
		kernel_helper_close(&helper);
}

static void test_frame(void **state)
{
	__u64 cookie = 7;
	struct inlay_frame frame = {
		.func_ip = 0x1234,
		.attach_cookie = 99,
		.session_cookie = &cookie,
		.is_return = 1,
	};

	(void)state;
	assert_int_equal(__inlay_get_func_ip(&frame), 0x1234);
	assert_int_equal(__inlay_get_attach_cookie(&frame), 99);
	assert_int_equal(__inlay_bpf_session_is_return(&frame), 1);
	frame.is_return = 0;
	assert_int_equal(__inlay_bpf_session_is_return(&frame), 0);
	assert_ptr_equal(__inlay_bpf_session_cookie(&frame), &cookie);
	assert_int_equal(frame.is_override, 0);
	assert_int_equal(__inlay_override_return(&frame, (uint64_t)-5), 0);
	assert_int_equal(frame.is_override, 1);
	assert_int_equal(frame.override_rc, (uint64_t)-5);
}

static struct inlay_trace ring;

static int64_t trace(const char *fmt, uint64_t a, uint64_t b, uint64_t c)
{
	return __inlay_trace_printk_v1(fmt, strlen(fmt) + 1, a, b, c);
}

static const char *last_text(void)
{
	static char text[105];
	uint64_t ticket = ring.next_ticket - 1;
	const struct inlay_trace_record *r = &ring.records[ticket % INLAY_TRACE_RECORDS];

	assert_int_equal(r->seq, 2 * ticket + 2);
	assert_int_equal(r->tid, syscall(SYS_gettid));
	memcpy(text, r->text, r->text_bytes);
	text[r->text_bytes] = '\0';
	return text;
}

static void test_trace_text(void **state)
{
	static const struct {
		const char *fmt;
		uint64_t args[3];
		const char *text;
	} rows[] = {
		{ "plain\n", { 0 }, "plain\n" },
		{ "100%%", { 0 }, "100%" },
		{ "%d %d %u", { 5, (uint64_t)-5, (uint64_t)-1 }, "5 -5 4294967295" },
		{ "%ld %llu %lx", { (uint64_t)-5, 1ull << 40, 0xabcdef0123ull },
		  "-5 1099511627776 abcdef0123" },
		{ "%i|%x|%X", { 0x1ffffffffull, 0xbeef, 0xbeef }, "-1|beef|BEEF" },
		{ "%5d|%-5d|%05d", { 42, 42, 42 }, "   42|42   |00042" },
		{ "%+d|% d|%05d", { 42, 42, (uint64_t)-42 }, "+42| 42|-0042" },
		{ "%c%c|%3c", { 'o', 'k', '!' }, "ok|  !" },
		{ "%s, %s!", { (uint64_t) "hello", (uint64_t) "world" }, "hello, world!" },
		{ "%8s|%-8s|", { (uint64_t) "right", (uint64_t) "left" }, "   right|left    |" },
		{ "%s.", { 8 }, "." },
		{ "%px %pK", { 0x1234, 0xabcdefull }, "0000000000001234 0000000000abcdef" },
		{ "%pI4 %pi4", { (uint64_t) "\x7f\0\0\1", (uint64_t) "\xc0\xa8\1\2" },
		  "127.0.0.1 192.168.001.002" },
		{ "%pI6", { (uint64_t) "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1" },
		  "2001:0db8:0000:0000:0000:0000:0000:0001" },
		{ "%pus %pks", { (uint64_t) "user", (uint64_t) "any" }, "user any" },
	};

	(void)state;
	__inlay_trace_v1 = &ring;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint64_t *args = rows[i].args;

		assert_int_equal(trace(rows[i].fmt, args[0], args[1], args[2]),
				 strlen(rows[i].text));
		assert_string_equal(last_text(), rows[i].text);
	}
	/* cut to a record, the length is the whole one's */
	assert_int_equal(trace("%200d", 1, 0, 0), 200);
	assert_int_equal(strlen(last_text()), 104);
	__inlay_trace_v1 = NULL;
	assert_int_equal(trace("dropped %d", 1, 0, 0), 9);
}

static int has_high_byte(const char *s)
{
	while (*s > 0)
		s++;
	return *s < 0;
}

/* What is refused, and every length, as the kernel does. */
static void test_trace_against_kernel(void **state)
{
	static const char *const fmts[] = {
		"", "x", "%", "%%", "% ", "%d", "%z", "%d%d%d", "%d%d%d%d", "%lld %llu %llx",
		"%llld",
		"%5d", "%-5d", "%05d", "%+d", "% d", "%+05d", "%- 5d", "%ld %li %lx", "%hd", "%s",
		"%sx",
		"%s.", "%s %s %s", "%c", "%cc", "%5c", "%-5c|", "%p", "%pa", "%p.", "%pK", "%px",
		"%pKx", "%pI4ab1 %d", "%pSR",
		"%pI4", "%pi4", "%pI6", "%pi6", "%pI5", "%pus", "%pusx", "%pu", "%o", "%n", "%f",
		"%1$d", "%*d", "%.3d", "%u%", "%x%%%X", "tab\t", "line\n", "bell\a",
		"\x7f", "caf\xc3\xa9",
		"%20s|", "%-20s|", "%.2s", "%#x", "%100d", "%lc", "%ls", "%l", "%ll", "%0",
		"%-", "%d\xe9",
	};
	static const uint64_t args[][3] = {
		{ 0, 0, 0 },
		{ 1, 22, 333 },
		{ (uint64_t)-1, (uint64_t)-4711, 1ull << 63 },
	};
	struct kernel_helper helper;
	int err = kernel_helper_open(BPF_FUNC_trace_printk, 1, &helper);
	static const char *const strings[] = { "one", "", "a longer string of text" };

	(void)state;
	if (err) {
		skip_because("cannot ask the kernel: %s", strerror(-err));
	}
	for (unsigned int i = 0; i < sizeof(fmts) / sizeof(fmts[0]); i++) {
		int has_string = strstr(fmts[i], "s") != NULL;

		for (unsigned int j = 0; j < 3; j++) {
			struct kernel_call call = { .bytes = (uint32_t)strlen(fmts[i]) + 1 };
			char buf[KERNEL_BUF] = "";

			strcpy(buf, fmts[i]);
			for (int k = 0; k < 3; k++)
				call.args[k] = !has_string ?
						       args[j][k] :
						       (uint64_t)strings[(j + (unsigned)k) % 3];
			/* a format that is not ended, too */
			if (j == 2 && call.bytes > 1)
				call.bytes -= i % 2;
			assert_int_equal(kernel_helper_run(&helper, &call, buf), 0);
			/* older kernels refuse text that is not ASCII */
			if (call.ret == -EINVAL && has_high_byte(fmts[i]))
				continue;
			if (__inlay_trace_printk_v1(fmts[i], call.bytes, call.args[0], call.args[1],
						    call.args[2]) != call.ret)
				fail_msg("\"%s\" of %u bytes: not the kernel's %ld", fmts[i],
					 call.bytes, (long)call.ret);
		}
	}
	kernel_helper_close(&helper);
}

static _Atomic(int) is_over;

static void *ends_and_not(void *nul)
{
	while (!is_over) {
		__atomic_store_n((char *)nul, 'a', __ATOMIC_RELAXED);
		__atomic_store_n((char *)nul, '\0', __ATOMIC_RELAXED);
	}
	return NULL;
}

/* A format in a map that others write: its end goes while it is read, and no page is behind. */
static void test_trace_format_changes(void **state)
{
	static const uint32_t lengths[] = { 3, 200, 4095 };
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;

	(void)state;
	assert_ptr_not_equal(pages, MAP_FAILED);
	memset(pages, 'a', 4096);
	assert_int_equal(mprotect(pages + 4096, 4096, PROT_NONE), 0);
	assert_int_equal(pthread_create(&thread, NULL, ends_and_not, pages + 4095), 0);
	for (unsigned int i = 0; i < 3; i++) {
		for (int round = 0; round < 4000; round++) {
			char *fmt = pages + 4095 - lengths[i];
			int64_t ret = __inlay_trace_printk_v1(fmt, lengths[i] + 1, 0, 0, 0);

			assert_true(ret == -EINVAL || ret == lengths[i]);
		}
	}
	is_over = 1;
	pthread_join(thread, NULL);
	munmap(pages, 8192);
}

/* A writer that was stopped for a lap finds a newer record in its place, and leaves it. */
static void test_trace_late_writer(void **state)
{
	struct inlay_trace_record *r = &ring.records[7];

	(void)state;
	memset(&ring, 0, sizeof(ring));
	__inlay_trace_v1 = &ring;
	for (uint64_t newer = 1; newer <= 2; newer++) { /* being written, and whole */
		ring.next_ticket = 7;
		r->seq = 2 * (7 + INLAY_TRACE_RECORDS) + newer;
		strcpy(r->text, "newer");
		assert_int_equal(trace("older", 0, 0, 0), 5);
		assert_int_equal(r->seq, 2 * (7 + INLAY_TRACE_RECORDS) + newer);
		assert_string_equal(r->text, "newer");
	}
	/* the next lap's writer comes through */
	ring.next_ticket = 7 + 2 * INLAY_TRACE_RECORDS;
	assert_int_equal(trace("newest", 0, 0, 0), 6);
	assert_string_equal(last_text(), "newest");
	__inlay_trace_v1 = NULL;
}

static void *trace_hammer(void *arg)
{
	for (int i = 0; i < 20000; i++)
		trace("%s %d", (uint64_t)arg, (uint64_t)i, 0);
	return NULL;
}

/* A whole record is one call's text, whoever else writes. */
static void test_trace_threads(void **state)
{
	pthread_t threads[3];
	static char names[3][2] = { "a", "b", "c" };
	unsigned int whole = 0;

	(void)state;
	memset(&ring, 0, sizeof(ring));
	__inlay_trace_v1 = &ring;
	ring.records[5].seq = 11; /* a writer died here */
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, trace_hammer, names[i]), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	__inlay_trace_v1 = NULL;
	assert_int_equal(ring.next_ticket, 60000);
	for (int i = 0; i < INLAY_TRACE_RECORDS; i++) {
		const struct inlay_trace_record *r = &ring.records[i];
		char text[105];
		int number;

		if (!r->seq || r->seq % 2)
			continue;
		whole++;
		memcpy(text, r->text, r->text_bytes);
		text[r->text_bytes] = '\0';
		assert_in_range(text[0], 'a', 'c');
		assert_int_equal(sscanf(text + 1, "%d", &number), 1);
		assert_in_range(number, 0, 19999);
	}
	assert_true(whole > INLAY_TRACE_RECORDS - 8);
	assert_int_equal(ring.records[5].seq % 2, 0);
}

/* libc's name for it may be the target's own, as here: ours is the kernel's all the same. */
static int is_faked;

int clock_gettime(clockid_t id, struct timespec *ts)
{
	if (!is_faked)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = ts->tv_nsec = 0;
	return 0;
}

static uint64_t system_ns(void)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void test_monotonic(void **state)
{
	(void)state;
	is_faked = 1;
	for (int i = 0; i < 1000; i++) {
		uint64_t before = system_ns(), ns = __inlay_monotonic_ns(), after = system_ns();

		assert_in_range(ns, before, after);
	}
	assert_in_range(__inlay_ktime_get_ns(), system_ns() - 1000000, system_ns() + 2000);
	is_faked = 0;
}

static void test_keeps_errno(void **state)
{
	char buf[16];

	(void)state;
	errno = 4711;
	__inlay_thread_refresh_v1();
	__inlay_uid_gid_v1();
	__inlay_cpu_slow_v1();
	__inlay_get_current_comm_v1(buf, sizeof(buf));
	trace("%s", 8, 0, 0);
	assert_int_equal(errno, 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pid_tgid),
		cmocka_unit_test(test_pid_tgid_after_fork),
		cmocka_unit_test(test_pid_tgid_threads_first),
		cmocka_unit_test(test_uid_gid),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_comm),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_trace_text),
		cmocka_unit_test(test_trace_against_kernel),
		cmocka_unit_test(test_trace_format_changes),
		cmocka_unit_test(test_trace_late_writer),
		cmocka_unit_test(test_trace_threads),
		cmocka_unit_test(test_monotonic),
		cmocka_unit_test(test_keeps_errno),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
