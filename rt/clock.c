/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the lines that rt/inline/clock.h reads the time from. Nothing here waits, calls malloc or
 * changes errno, and any thread may be stopped, killed or left by longjmp() at any instruction.
 *
 * Why the clock never falls. Let a line start at counter value `base` with value `ns`, and end at
 * `base + limit`. Where a line has ended and its successor is not published yet, it goes on as its
 * extension: from its end value at `slowest`, flat after EXTENSION_LINES lines. All lines share one
 * `slowest`, and every line is at least as steep. So in one line the value is a rising function of
 * the counter. A successor starts not below the extension of its predecessor at its own base, and
 * is from there on at least as steep; so whoever still reads the predecessor (or its extension)
 * gets no more than the successor gives for the same counter value. A line is published by
 * compare-exchange against the very predecessor that it was computed from. By induction the value
 * is a rising function of (counter, position in the chain), and both only rise.
 *
 * Why it is close to CLOCK_MONOTONIC: a line starts on it (or above, where the predecessor ran
 * ahead) with the slope of the last interval, corrected to meet it again at the end of the line.
 * What can change within a line is the kernel's slewing: 2 ms times the change of the rate.
 *
 * Before there is a slope, and where the counter cannot be trusted, a line has limit 0 and the time
 * comes from the kernel through the vDSO: for good, once the last of the lines says so. The step
 * from there to the first real line cannot use the argument above: that line leans forward by
 * 2^-11 instead, more than the slope can be off.
 */
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "rt/helpers.h"
#include "rt/inline/clock.h"
#include "rt/sys.h"

/* The line that says LINE_SOURCE; the others take turns. */
#define LAST_LINE (INLAY_CLOCK_LINES - 1)
#define TURN_LINES ((1ull << LAST_LINE) - 1)	/* as bits of busy_lines */
#define LINE_NS 2000000ull		/* validity of a line */
#define CALIBRATE_NS 1000000ull		/* shortest interval to take a slope from */
#define SLOPE_MAX_NS 2000000000ull	/* longest: nanoseconds << 32 must fit */
#define EXTENSION_LINES 2u		/* an extension rises for so many lines, then is flat */
#define PAIR_GOOD_NS 100u		/* a reading of both clocks that close is taken at once */
#define PAIR_TRIES 5
#define DISTRUST_MAX 8u			/* slopes in a row that cannot be: leave the counter */
/* Counter steps after which a lock is taken from its holder while the frequency is not known. */
#define STEAL_STEPS_UNKNOWN (1ull << 22)

enum line_mode {
	LINE_CALIBRATING = 0,	/* all-zero state: no line yet; or waits for CALIBRATE_NS to pass */
	LINE_COUNTER,
	LINE_SOURCE,		/* for good: from the kernel, or from another copy of libinlay */
};

/* What the next anchoring needs to know of a line, beside the line itself. */
struct anchor {
	__u64 mono_ns;		/* CLOCK_MONOTONIC at the line's base; 0: not anchored */
	__u64 rate;		/* 2^-32 ns per counter step as measured, before correction */
	__u64 slowest;		/* the least slope of any line and the slope of all extensions */
	__u32 mode;		/* enum line_mode */
	__u32 distrust;
};

struct snapshot {
	__u64 current;
	struct inlay_clock_line line;
	struct anchor anchor;
};

struct inlay_clock __inlay_clock_v1;

static struct anchor anchors[INLAY_CLOCK_LINES];
static __u64 anchor_lock;	/* counter value | 1 at which it was taken; 0: free */
static __u64 busy_lines;	/* bit i: somebody is writing line i */
static __u32 counter_is_refused;	/* the kernel itself does not use the counter */
static inlay_clock_fn *source;	/* LINE_SOURCE: NULL is the kernel */

static __u64 source_ns(void)
{
	inlay_clock_fn *fn = __atomic_load_n(&source, __ATOMIC_ACQUIRE); /* pairs with _delegate */

	return fn ? fn() : __inlay_monotonic_ns();
}

/* The counter, read after all earlier loads and before all later ones. */
static __u64 ordered_counter(void)
{
	__u64 value;

#if defined(__x86_64__)
	__asm__ volatile("lfence" ::: "memory");
	value = __inlay_counter();
	__asm__ volatile("lfence" ::: "memory");
#else
	__asm__ volatile("isb" ::: "memory");
	value = __inlay_counter();
	__asm__ volatile("isb" ::: "memory");
#endif
	return value;
}

/* Same rate on all cores, in all power states. */
static int counter_is_invariant(void)
{
#if defined(__x86_64__)
	__u32 a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
#else
	return 1; /* the architecture's generic timer */
#endif
}

static unsigned int line_index(__u64 current)
{
	return current / INLAY_CLOCK_LINE_BYTES % INLAY_CLOCK_LINES;
}

static int take_snapshot(struct snapshot *ret_snapshot)
{
	for (int i = 0; i < 16; i++) {
		/* acquire: pairs with publish() */
		__u64 current = __atomic_load_n(&__inlay_clock_v1.current, __ATOMIC_ACQUIRE);
		const struct inlay_clock_line *l =
			&__inlay_clock_v1.lines[line_index(current)];
		const struct anchor *a = &anchors[line_index(current)];

		ret_snapshot->current = current;
		ret_snapshot->line.base = __atomic_load_n(&l->base, __ATOMIC_RELAXED);
		ret_snapshot->line.limit = __atomic_load_n(&l->limit, __ATOMIC_RELAXED);
		ret_snapshot->line.ns = __atomic_load_n(&l->ns, __ATOMIC_RELAXED);
		ret_snapshot->line.mult = __atomic_load_n(&l->mult, __ATOMIC_RELAXED);
		ret_snapshot->anchor.mono_ns = __atomic_load_n(&a->mono_ns, __ATOMIC_RELAXED);
		ret_snapshot->anchor.rate = __atomic_load_n(&a->rate, __ATOMIC_RELAXED);
		ret_snapshot->anchor.slowest = __atomic_load_n(&a->slowest, __ATOMIC_RELAXED);
		ret_snapshot->anchor.mode = __atomic_load_n(&a->mode, __ATOMIC_RELAXED);
		ret_snapshot->anchor.distrust = __atomic_load_n(&a->distrust, __ATOMIC_RELAXED);
		/* acquire: pairs with the release fence in publish() */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&__inlay_clock_v1.current, __ATOMIC_RELAXED) == current)
			return 1;
	}
	return 0;
}

/* Value of a line `steps` after its base, in its extension too. */
static __u64 line_value(const struct snapshot *s, __u64 steps)
{
	__u64 beyond;

	if (steps < s->line.limit)
		return s->line.ns + (steps * s->line.mult >> 32);
	beyond = steps - s->line.limit;
	if (beyond > EXTENSION_LINES * s->line.limit)
		beyond = EXTENSION_LINES * s->line.limit;
	return s->line.ns + (s->line.limit * s->line.mult >> 32) +
	       (beyond * s->anchor.slowest >> 32);
}

static __u64 successor(const struct snapshot *old, unsigned int index)
{
	__u64 turn = old->current / (INLAY_CLOCK_LINES * INLAY_CLOCK_LINE_BYTES) + 1;

	return (turn * INLAY_CLOCK_LINES + index) * INLAY_CLOCK_LINE_BYTES;
}

/*
 * The end of the chain: from now on ask the kernel, or another copy. Never less than any line has
 * said. The last line needs no owner: its mode is never another one, and its `ns` is only raised,
 * also by a thread that is late.
 */
static int leave_counter(const struct snapshot *old)
{
	__u64 *ns = &__inlay_clock_v1.lines[LAST_LINE].ns, expected = old->current;
	__u64 floor = old->anchor.mode == LINE_COUNTER ? line_value(old, ~0ull) : old->line.ns;
	__u64 seen = __atomic_load_n(ns, __ATOMIC_RELAXED);

	while (seen < floor && !__atomic_compare_exchange_n(ns, &seen, floor, 0, __ATOMIC_RELAXED,
							    __ATOMIC_RELAXED))
		;
	__atomic_store_n(&anchors[LAST_LINE].mode, LINE_SOURCE, __ATOMIC_RELAXED);
	/* release: pairs with the acquire loads of `current` */
	return __atomic_compare_exchange_n(&__inlay_clock_v1.current, &expected,
					   successor(old, LAST_LINE), 0, __ATOMIC_RELEASE,
					   __ATOMIC_RELAXED);
}

/*
 * Whether all lines but the current one are taken: by threads that were left by longjmp() or
 * cancelled in the few instructions of publish(), and will not come back.
 */
static int is_out_of_lines(const struct snapshot *old)
{
	__u64 busy = __atomic_load_n(&busy_lines, __ATOMIC_RELAXED);

	return (~busy & TURN_LINES & ~(1ull << line_index(old->current))) == 0;
}

/*
 * Makes *next the successor of *old, unless another thread was first. A thread that lost its lock
 * may still be writing: so lines are claimed by a bit of their own, and the compare-exchange
 * decides.
 */
static int publish(const struct snapshot *old, const struct snapshot *next)
{
	__u64 bit = 0, busy, expected = old->current, next_current;
	unsigned int index = line_index(old->current);
	struct inlay_clock_line *l;
	struct anchor *a;
	int is_published = 0;

	for (unsigned int i = 1; i < LAST_LINE && !bit; i++) {
		index = (line_index(old->current) + i) % LAST_LINE;
		/* acquire: pairs with the release below, by the line's last writer */
		busy = __atomic_fetch_or(&busy_lines, 1ull << index, __ATOMIC_ACQUIRE);
		if (!(busy & 1ull << index))
			bit = 1ull << index;
	}
	if (!bit)
		return 0;
	l = &__inlay_clock_v1.lines[index];
	a = &anchors[index];
	next_current = successor(old, index);
	/*
	 * The line may be the current one by now, if we were stopped for long: then it is not ours
	 * to write. It cannot become current while we hold its bit.
	 */
	if (__atomic_load_n(&__inlay_clock_v1.current, __ATOMIC_ACQUIRE) == old->current) {
		/* release: pairs with the acquire fences of readers. Who sees one of these stores
		 * also sees that `current` is no longer this line's old generation. */
		__atomic_thread_fence(__ATOMIC_RELEASE);
		__atomic_store_n(&l->base, next->line.base, __ATOMIC_RELAXED);
		__atomic_store_n(&l->limit, next->line.limit, __ATOMIC_RELAXED);
		__atomic_store_n(&l->ns, next->line.ns, __ATOMIC_RELAXED);
		__atomic_store_n(&l->mult, next->line.mult, __ATOMIC_RELAXED);
		__atomic_store_n(&a->mono_ns, next->anchor.mono_ns, __ATOMIC_RELAXED);
		__atomic_store_n(&a->rate, next->anchor.rate, __ATOMIC_RELAXED);
		__atomic_store_n(&a->slowest, next->anchor.slowest, __ATOMIC_RELAXED);
		__atomic_store_n(&a->mode, next->anchor.mode, __ATOMIC_RELAXED);
		__atomic_store_n(&a->distrust, next->anchor.distrust, __ATOMIC_RELAXED);
		/* release: pairs with the acquire loads of `current` */
		is_published = __atomic_compare_exchange_n(
			&__inlay_clock_v1.current, &expected, next_current, 0, __ATOMIC_RELEASE,
			__ATOMIC_RELAXED);
	}
	__atomic_fetch_and(&busy_lines, ~bit, __ATOMIC_RELEASE);
	return is_published;
}

/*
 * Only saves work: with it one thread anchors and the others read the extension. It is never waited
 * for, and a holder that does not come back (it was stopped, or left by longjmp) loses it.
 */
static __u64 lock_try(__u64 now, __u64 limit)
{
	__u64 held = __atomic_load_n(&anchor_lock, __ATOMIC_RELAXED);
	__u64 patience = limit ? limit / 2 : STEAL_STEPS_UNKNOWN;

	if (held && now - held < patience)
		return 0;
	if (!__atomic_compare_exchange_n(&anchor_lock, &held, now | 1, 0, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return 0;
	return now | 1;
}

static void lock_drop(__u64 mine)
{
	__atomic_compare_exchange_n(&anchor_lock, &mine, 0, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Both clocks at one moment: of a few tries the one with the least time in between. */
static void read_pair(__u64 rate, __u64 *ret_counter, __u64 *ret_ns)
{
	__u64 best = ~0ull;

	for (int i = 0; i < PAIR_TRIES; i++) {
		__u64 before = ordered_counter();
		__u64 ns = __inlay_monotonic_ns();
		__u64 width = ordered_counter() - before;

		if (width < best) {
			best = width;
			*ret_counter = before + width / 2;
			*ret_ns = ns;
		}
		if (rate && best < (__u64)PAIR_GOOD_NS * (1ull << 32) / rate)
			break;
	}
}

/* The slope since the last anchor, if the interval allows one. 0: no. */
static __u64 measured_rate(const struct snapshot *old, __u64 counter, __u64 ns)
{
	__u64 elapsed_ns = ns - old->anchor.mono_ns, steps = counter - old->line.base;

	if (ns < old->anchor.mono_ns || elapsed_ns < CALIBRATE_NS || elapsed_ns > SLOPE_MAX_NS ||
	    !steps)
		return 0;
	return (elapsed_ns << 32) / steps;
}

static void next_line(const struct snapshot *old, struct snapshot *next)
{
	__u64 counter = 0, ns = 0, rate, floor, lead, correction;

	read_pair(old->anchor.rate, &counter, &ns);
	next->line.base = counter;
	next->anchor = old->anchor;
	next->anchor.mono_ns = ns;
	rate = measured_rate(old, counter, ns);

	if (old->anchor.mode == LINE_CALIBRATING) {
		/* a slope that no counter has (below 1 MHz, above 64 GHz) is none */
		if (!old->anchor.mono_ns || rate < 1ull << 26 || rate > 1000ull << 32) {
			next->line.limit = next->line.ns = next->line.mult = 0;
			return;
		}
		next->anchor.mode = LINE_COUNTER;
		next->anchor.rate = rate;
		next->anchor.slowest = rate - rate / 1024;
		next->line.ns = ns;
		next->line.mult = rate + rate / 2048;
		next->line.limit = (LINE_NS << 32) / rate;
		return;
	}

	/* CLOCK_MONOTONIC stands still while the machine sleeps, the counter perhaps not: such a
	 * slope says nothing. Many of them in a row say that the counter is not what it was. */
	if (rate && (rate < next->anchor.slowest ||
		     rate > old->anchor.rate + old->anchor.rate / 512))
		next->anchor.distrust++;
	else if (rate) {
		next->anchor.rate = rate;
		next->anchor.distrust = 0;
	}
	rate = next->anchor.rate;

	floor = line_value(old, counter - old->line.base);
	next->line.ns = ns > floor ? ns : floor;
	next->line.limit = (LINE_NS << 32) / rate;
	lead = next->line.ns - ns;
	correction = lead < LINE_NS ? (lead << 32) / next->line.limit : rate;
	next->line.mult = correction < rate ? rate - correction : 0;
	if (next->line.mult < next->anchor.slowest)
		next->line.mult = next->anchor.slowest;
}

static void anchor_clock(const struct snapshot *old)
{
	struct snapshot next = { 0 };
	int is_refused = __atomic_load_n(&counter_is_refused, __ATOMIC_RELAXED);

	if (old->anchor.mode == LINE_CALIBRATING && !old->anchor.mono_ns && !counter_is_invariant())
		is_refused = 1;
	if (is_refused || old->anchor.distrust >= DISTRUST_MAX || is_out_of_lines(old)) {
		leave_counter(old);
		return;
	}
	if (old->anchor.mode == LINE_CALIBRATING && old->anchor.mono_ns &&
	    __inlay_monotonic_ns() - old->anchor.mono_ns < CALIBRATE_NS)
		return;
	next_line(old, &next);
	/* stopped in the middle: what was measured is stale */
	if (next.line.limit && __inlay_counter() - next.line.base > next.line.limit / 2)
		return;
	publish(old, &next);
}

INLAY_COLD_CALL __u64 __inlay_clock_slow_v1(void)
{
	struct snapshot s;
	unsigned int is_behind = 0;

	inlay_process_check();
	for (int i = 0; i < 64; i++) {
		__u64 now, mine;

		if (!take_snapshot(&s))
			continue;
		if (s.anchor.mode == LINE_SOURCE) {
			__u64 ns = source_ns();

			return ns > s.line.ns ? ns : s.line.ns;
		}
		now = ordered_counter();
		if (now - s.line.base < s.line.limit)
			return line_value(&s, now - s.line.base);
		if (s.line.limit && (__s64)(now - s.line.base) < 0) {
			/* A counter that is behind a line published before it was read differs
			 * between processors. Look again, then leave it. */
			if (++is_behind > 2)
				leave_counter(&s);
			continue;
		}
		mine = lock_try(now, s.line.limit);
		if (!mine || i > 2) {
			if (mine)
				lock_drop(mine);
			if (s.anchor.mode == LINE_CALIBRATING)
				return __inlay_monotonic_ns();
			return line_value(&s, now - s.line.base);
		}
		anchor_clock(&s);
		lock_drop(mine);
	}
	return __inlay_monotonic_ns();
}

void __inlay_clock_delegate(inlay_clock_fn *fn)
{
	struct snapshot s;

	__atomic_store_n(&source, fn, __ATOMIC_RELEASE); /* pairs with source_ns() */
	for (int i = 0; i < 64; i++) {
		if (!take_snapshot(&s))
			continue;
		if (s.anchor.mode == LINE_SOURCE)
			return;
		if (leave_counter(&s))
			return;
	}
}

__u64 __inlay_clock_ns(void)
{
	return (__u64)__inlay_ktime_get_ns();
}

/* The threads that were anchoring do not exist in the child. */
void __inlay_clock_fork_child(void)
{
	__atomic_store_n(&anchor_lock, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&busy_lines, 0, __ATOMIC_RELAXED);
}

/*
 * The processor may promise an invariant counter and the kernel still have found it unfit
 * (differing between sockets): then it has chosen another clock. An unreadable file says nothing.
 */
static int kernel_uses_counter(void)
{
	static const char path[] =
		"/sys/devices/system/clocksource/clocksource0/current_clocksource";
	static const char *const good[] = { "tsc", "kvm-clock", "hyperv_clocksource",
					    "arch_sys_counter" };
	char name[64] = "";
	long n;
	int fd;

	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 1;
	n = sys_read(fd, name, sizeof(name) - 1);
	sys_close(fd);
	if (n <= 0)
		return 1;
	name[n] = '\0';
	for (unsigned int i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (bytes_equal(name, good[i], str_bytes(good[i])))
			return 1;
	return 0;
}

/* The first anchor early, so that the first hits find a slope can be had. */
__attribute__((constructor)) static void clock_start(void)
{
	__inlay_vdso_start();
	if (!kernel_uses_counter())
		__atomic_store_n(&counter_is_refused, 1, __ATOMIC_RELAXED);
	__inlay_clock_slow_v1();
}
