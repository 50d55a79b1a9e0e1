/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_ktime_get_ns(): never backwards in any thread or signal handler, close to CLOCK_MONOTONIC
 * while that is slewed, sane when the two clocks part. Includes the source, to stand in for the
 * kernel's clock and to play threads that stop in the middle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "skip.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>

/* The kernel's clock as the code under test sees it: ns + (real - real0) * (1 + ppm / 10^6). */
static struct {
	_Atomic(int64_t) ppm;
	uint64_t real0, ns0;
	int is_on, is_frozen;
	int is_wobbling;	/* +-100 ppm in turn, 10 ms each */
} fake;

static uint64_t real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static uint64_t fake_ns(void)
{
	int64_t elapsed = (int64_t)(real_ns() - fake.real0);

	if (fake.is_frozen)
		return fake.ns0;
	if (fake.is_wobbling) {
		int64_t phase = elapsed % 20000000;

		phase = phase < 10000000 ? phase : 20000000 - phase;
		return fake.ns0 + (uint64_t)(elapsed + phase / 10000);
	}
	return fake.ns0 + (uint64_t)(elapsed + elapsed * fake.ppm / 1000000);
}

static void fake_set(int64_t ppm, int is_frozen)
{
	uint64_t now = fake.is_on ? fake_ns() : real_ns();

	fake.real0 = real_ns();
	fake.ns0 = now;
	fake.ppm = ppm;
	fake.is_frozen = is_frozen;
	fake.is_on = 1;
}

#include "rt/clock.c"

void __inlay_vdso_start(void)
{
}

__u64 __inlay_monotonic_ns(void)
{
	return fake.is_on ? fake_ns() : real_ns();
}

static int clock_setup(void **state)
{
	(void)state;
	memset(&__inlay_clock_v1, 0, sizeof(__inlay_clock_v1));
	memset(anchors, 0, sizeof(anchors));
	anchor_lock = busy_lines = 0;
	counter_is_refused = 0;
	source = NULL;
	fake.is_on = fake.is_wobbling = 0;
	return 0;
}

static uint64_t now_ns(void)
{
	return (uint64_t)__inlay_ktime_get_ns();
}

/* As a reader that compares across threads must: no reading before the older loads are done. */
static uint64_t now_ordered_ns(void)
{
	uint64_t ns;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#if defined(__x86_64__)
	__asm__ volatile("lfence" ::: "memory");
#else
	__asm__ volatile("isb" ::: "memory");
#endif
	ns = now_ns();
#if defined(__x86_64__)
	__asm__ volatile("lfence" ::: "memory");
#else
	__asm__ volatile("isb" ::: "memory");
#endif
	return ns;
}

static void require_counter(void)
{
	if (!counter_is_invariant()) {
		skip_because("the processor's counter is not invariant");
	}
}

static void run_ms(unsigned int ms)
{
	uint64_t end = real_ns() + ms * 1000000ull;

	while (real_ns() < end)
		now_ns();
}

/* Until the clock reads the counter; at most a second, as the machine may be busy. */
static void calibrate(void)
{
	uint64_t end = real_ns() + 1000000000ull;

	run_ms(5);
	while (counter_is_invariant() && real_ns() < end &&
	       anchors[line_index(__inlay_clock_v1.current)].mode != LINE_COUNTER)
		run_ms(2);
}

/* Greatest distance to the (real or fake) kernel clock, over samples that were not interrupted. */
static uint64_t worst_error(unsigned int ms)
{
	uint64_t end = real_ns() + ms * 1000000ull, worst = 0, before, ns, after, error;
	unsigned int samples = 0;

	while (real_ns() < end) {
		before = __inlay_monotonic_ns();
		ns = now_ordered_ns();
		after = __inlay_monotonic_ns();
		if (after - before > 500)
			continue;
		samples++;
		error = ns < before ? before - ns : ns > after ? ns - after : 0;
		if (error > worst)
			worst = error;
	}
	assert_true(samples > 1000);
	return worst;
}

static void test_first_use_is_right(void **state)
{
	uint64_t before = real_ns(), ns = now_ns(), after = real_ns();

	(void)state;
	assert_in_range(ns, before, after);
}

static void test_leaves_calibration(void **state)
{
	(void)state;
	require_counter();
	calibrate();
	assert_int_equal(anchors[line_index(__inlay_clock_v1.current)].mode, LINE_COUNTER);
	assert_true(__inlay_clock_v1.lines[line_index(__inlay_clock_v1.current)].limit > 0);
}

static void test_accuracy(void **state)
{
	uint64_t worst;

	(void)state;
	calibrate();
	worst = worst_error(200);
	print_message("worst distance to CLOCK_MONOTONIC: %lu ns\n", (unsigned long)worst);
	assert_true(worst < 2000);
}

/* After an idle time the line is over; the next call starts on the kernel's clock. */
static void test_accuracy_after_idle(void **state)
{
	struct timespec nap = { .tv_nsec = 30000000 };

	(void)state;
	calibrate();
	for (int i = 0; i < 10; i++) {
		uint64_t before, ns, after;

		nanosleep(&nap, NULL);
		before = real_ns();
		ns = now_ns();
		after = real_ns();
		assert_in_range(ns, before - 2000, after + 2000);
	}
}

static void test_slewed(void **state)
{
	uint64_t worst = 0, error;

	(void)state;
	require_counter();
	fake_set(0, 0);
	calibrate();
	for (int i = 0; i < 12; i++) {
		fake_set(i % 2 ? 100 : -100, 0);
		error = worst_error(15);
		worst = error > worst ? error : worst;
	}
	print_message("worst distance, rate changing by 200 ppm: %lu ns\n", (unsigned long)worst);
	assert_true(worst < 2000);
}

/* The same with the kernel's own slewing. */
static void test_slewed_by_adjtimex(void **state)
{
	struct timex saved = { 0 }, tx;
	uint64_t worst = 0, error;
	int refused = 0;

	(void)state;
	require_counter();
	adjtimex(&saved);
	calibrate();
	for (int i = 0; i < 6 && !refused; i++) {
		memset(&tx, 0, sizeof(tx));
		tx.modes = ADJ_FREQUENCY;
		tx.freq = (i % 2 ? 100 : -100) * 65536l;
		refused = adjtimex(&tx) < 0;
		if (!refused) {
			error = worst_error(30);
			worst = error > worst ? error : worst;
		}
	}
	saved.modes = ADJ_FREQUENCY;
	adjtimex(&saved);
	if (refused) {
		skip_because("adjtimex(ADJ_FREQUENCY): %s", strerror(errno));
	}
	print_message("worst distance, adjtimex +-100 ppm: %lu ns\n", (unsigned long)worst);
	assert_true(worst < 2000);
}

static void check_rises(unsigned int ms)
{
	uint64_t end = real_ns() + ms * 1000000ull, last = 0, ns;

	while (real_ns() < end) {
		for (int i = 0; i < 100; i++) {
			ns = now_ns();
			assert_true(ns >= last);
			last = ns;
		}
	}
}

/* The machine slept: the counter ran on, CLOCK_MONOTONIC did not. */
static void test_suspend(void **state)
{
	struct timespec nap = { .tv_nsec = 50000000 };
	uint64_t before;

	(void)state;
	require_counter();
	fake_set(0, 0);
	calibrate();
	before = now_ns();
	fake_set(0, 1);
	nanosleep(&nap, NULL);
	fake_set(0, 0);
	assert_true(now_ns() >= before);
	/* ahead by no more than an extension can rise, and coming back */
	assert_true(now_ns() - fake_ns() < 3 * LINE_NS || now_ns() < fake_ns());
	check_rises(20);
	assert_int_equal(anchors[line_index(__inlay_clock_v1.current)].mode, LINE_COUNTER);
}

/* The counter's frequency is not what it was (a virtual machine moved): give the counter up. */
static void test_frequency_changed(void **state)
{
	(void)state;
	require_counter();
	fake_set(0, 0);
	calibrate();
	fake_set(100000, 0);
	check_rises(100);
	assert_int_equal(anchors[line_index(__inlay_clock_v1.current)].mode, LINE_SOURCE);
	assert_true(worst_error(5) < 100);
}

/* 450 ppm slower than measured at first is still above the least slope. */
static void test_slews_at_the_limit(void **state)
{
	(void)state;
	require_counter();
	fake_set(450, 0);
	calibrate();
	for (int i = 0; i < 10; i++) {
		fake_set(i % 2 ? 450 : -450, 0);
		check_rises(6);
	}
	assert_int_equal(anchors[line_index(__inlay_clock_v1.current)].mode, LINE_COUNTER);
}

static void test_counter_refused(void **state)
{
	uint64_t before, ns, after;

	(void)state;
	counter_is_refused = 1;
	for (int i = 0; i < 1000; i++) {
		before = real_ns();
		ns = now_ns();
		after = real_ns();
		assert_in_range(ns, before, after);
	}
	assert_int_equal(anchors[line_index(__inlay_clock_v1.current)].mode, LINE_SOURCE);
}

/* Counters that differ between processors: a line that starts in the future. */
static void test_counter_behind(void **state)
{
	uint64_t last, ns;

	(void)state;
	require_counter();
	calibrate();
	last = now_ns();
	__inlay_clock_v1.lines[line_index(__inlay_clock_v1.current)].base += 1ull << 32;
	ns = now_ns();
	assert_true(ns >= last);
	assert_int_equal(anchors[line_index(__inlay_clock_v1.current)].mode, LINE_SOURCE);
}

/* Holders that never come back: the lock is taken from them, and their lines stay theirs. */
static void test_lost_holders(void **state)
{
	unsigned int index;

	(void)state;
	require_counter();
	calibrate();
	anchor_lock = __inlay_counter() | 1;
	index = line_index(__inlay_clock_v1.current);
	busy_lines = 0xff & ~(1ull << (index + 3) % 7) & ~(1ull << (index + 5) % 7);
	run_ms(10);
	assert_true(worst_error(20) < 5000);
	assert_int_equal(anchors[line_index(__inlay_clock_v1.current)].mode, LINE_COUNTER);
}

/* All lines were left by their writers: the clock goes on without, from where it was. */
static void test_lost_lines(void **state)
{
	uint64_t last;

	(void)state;
	require_counter();
	calibrate();
	busy_lines = 0xff;
	last = now_ns();
	while (now_ns() - last < 3 * LINE_NS && real_ns() - last < 1000000000)
		assert_true(now_ns() >= last);
	check_rises(10);
	assert_true(worst_error(20) < 100);
	assert_int_equal(anchors[line_index(__inlay_clock_v1.current)].mode, LINE_SOURCE);
	/* a fork child, where nobody holds them, too */
	__inlay_clock_fork_child();
	assert_true(worst_error(5) < 100);
}

/* Before there is a slope, too; and late writers of the last line do not lower it. */
static void test_lost_lines_at_once(void **state)
{
	struct snapshot late = { 0 };
	uint64_t before, ns;

	(void)state;
	busy_lines = 0xff;
	now_ns();
	before = real_ns();
	ns = now_ns();
	assert_in_range(ns, before, real_ns());
	late.line.ns = 1ull << 62;
	late.current = __inlay_clock_v1.current - 1;
	assert_false(leave_counter(&late));
	assert_int_equal(now_ns(), 1ull << 62);
	late.line.ns = 1;
	assert_false(leave_counter(&late));
	assert_int_equal(now_ns(), 1ull << 62);
}

static __u64 other_copy(void)
{
	return 1ull << 62;
}

static void test_delegate(void **state)
{
	uint64_t before, ns;

	(void)state;
	calibrate();
	before = now_ns();
	__inlay_clock_delegate(__inlay_monotonic_ns);
	ns = now_ns();
	assert_true(ns >= before);
	source = NULL;
	clock_setup(NULL);
	__inlay_clock_delegate(other_copy);
	assert_int_equal(now_ns(), 1ull << 62);
}

static _Atomic(uint64_t) latest;
static _Atomic(int) stop;
static __thread uint64_t own_latest;
static __thread sigjmp_buf escape;
static __thread volatile sig_atomic_t may_escape;
static _Atomic(unsigned long) backwards, handled, escaped;

/* No later than what any thread has seen before. */
static void look(void)
{
	uint64_t seen = atomic_load(&latest), ns = now_ordered_ns();

	if (ns < seen)
		atomic_fetch_add(&backwards, 1);
	while (seen < ns && !atomic_compare_exchange_weak(&latest, &seen, ns))
		;
}

static void on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&handled, 1);
	look();
	if (may_escape && atomic_fetch_add(&escaped, 1) % 8 == 0)
		siglongjmp(escape, 1);
}

static void *hammer(void *arg)
{
	(void)arg;
	if (sigsetjmp(escape, 1))
		may_escape = 0;
	while (!atomic_load(&stop)) {
		uint64_t ns = now_ns();

		if (ns < own_latest)
			atomic_fetch_add(&backwards, 1);
		own_latest = ns;
		look();
		may_escape = 1;
		for (int i = 0; i < 50; i++)
			__inlay_clock_slow_v1();
		may_escape = 0;
	}
	return NULL;
}

/*
 * Four threads, interrupted all the time, some of them leaving the anchoring by longjmp; the
 * kernel's clock changes its rate under them.
 */
static void test_threads_and_signals(void **state)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct timespec nap = { .tv_nsec = 200000 };
	pthread_t threads[4];
	uint64_t end;

	(void)state;
	atomic_store(&latest, 0);
	fake_set(0, 0);
	fake.is_wobbling = 1;
	assert_int_equal(sigaction(SIGUSR1, &sa, NULL), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, NULL), 0);
	end = real_ns() + 1500000000ull;
	for (int i = 0; real_ns() < end; i++) {
		pthread_kill(threads[i % 4], SIGUSR1);
		nanosleep(&nap, NULL);
	}
	atomic_store(&stop, 1);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_true(handled > 100);
	assert_true(escaped > 8);
	assert_int_equal(backwards, 0);
}

static void test_keeps_errno(void **state)
{
	(void)state;
	errno = 4711;
	run_ms(4);
	__inlay_clock_slow_v1();
	assert_int_equal(errno, 4711);
}

/* Against the bare counter, the best of many alternating rounds: what is left is not noise. */
static void test_cost(void **state)
{
	uint64_t best_counter = ~0ull, best_clock = ~0ull, start, ns;

	(void)state;
	require_counter();
	calibrate();
	for (int round = 0; round < 200; round++) {
		start = real_ns();
		for (int i = 0; i < 2000; i++)
			__asm__ volatile("" ::"r"(__inlay_counter()));
		ns = real_ns() - start;
		best_counter = ns < best_counter ? ns : best_counter;
		start = real_ns();
		for (int i = 0; i < 2000; i++)
			__asm__ volatile("" ::"r"(now_ns()));
		ns = real_ns() - start;
		best_clock = ns < best_clock ? ns : best_clock;
	}
	print_message("counter %.2f ns, clock %.2f ns: %.2f times\n", (double)best_counter / 2000,
		      (double)best_clock / 2000, (double)best_clock / (double)best_counter);
	assert_true(best_clock * 10 <= best_counter * 13);
}

static void test_fork(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	calibrate();
	anchor_lock = __inlay_counter() | 1;
	pid = fork();
	if (pid == 0) {
		uint64_t before = real_ns(), ns;

		__inlay_clock_fork_child();
		run_ms(5);
		ns = now_ns();
		_exit(ns < before);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_first_use_is_right, clock_setup),
		cmocka_unit_test_setup(test_leaves_calibration, clock_setup),
		cmocka_unit_test_setup(test_accuracy, clock_setup),
		cmocka_unit_test_setup(test_accuracy_after_idle, clock_setup),
		cmocka_unit_test_setup(test_slewed, clock_setup),
		cmocka_unit_test_setup(test_slewed_by_adjtimex, clock_setup),
		cmocka_unit_test_setup(test_suspend, clock_setup),
		cmocka_unit_test_setup(test_frequency_changed, clock_setup),
		cmocka_unit_test_setup(test_slews_at_the_limit, clock_setup),
		cmocka_unit_test_setup(test_counter_refused, clock_setup),
		cmocka_unit_test_setup(test_counter_behind, clock_setup),
		cmocka_unit_test_setup(test_lost_holders, clock_setup),
		cmocka_unit_test_setup(test_lost_lines, clock_setup),
		cmocka_unit_test_setup(test_lost_lines_at_once, clock_setup),
		cmocka_unit_test_setup(test_delegate, clock_setup),
		cmocka_unit_test_setup(test_threads_and_signals, clock_setup),
		cmocka_unit_test_setup(test_keeps_errno, clock_setup),
		cmocka_unit_test_setup(test_cost, clock_setup),
		cmocka_unit_test_setup(test_fork, clock_setup),
	};

	return exit_code(cmocka_run_group_tests(tests, NULL, NULL));
}
