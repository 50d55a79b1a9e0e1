/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_ktime_get_ns(): CLOCK_MONOTONIC from the time-stamp counter, without a call.
 *
 * The clock is a chain of straight lines, each valid for counter values in [base, base + limit)
 * only; rt/clock.c makes the next one from CLOCK_MONOTONIC when the current one has run out, and
 * proves there that the chain never falls. Readers never wait: a line is never changed while it is
 * current, and `current` carries a generation, so a reader that saw a line being recycled finds
 * `current` changed and takes the slow way.
 *
 * The counter is read without a fence, as hand-written code would: a fence costs more than the
 * counter. So two readings are ordered as the processor executes them, which is program order in
 * one thread; a reading may be taken before an older load has its value.
 */
#ifndef INLAY_RT_INLINE_CLOCK_H
#define INLAY_RT_INLINE_CLOCK_H

#include "inlay/abi.h"
#include "rt/inline/cold.h"

#define INLAY_CLOCK_LINES 8u		/* power of two */
#define INLAY_CLOCK_LINE_BYTES 32u	/* power of two, size of struct inlay_clock_line */

struct inlay_clock_line {
	__u64 base;		/* counter value at which the line starts */
	__u64 limit;		/* counter steps for which it is valid; 0: never */
	__u64 ns;		/* value at base */
	__u64 mult;		/* 2^-32 ns per counter step */
};

INLAY_STATIC_ASSERT(sizeof(struct inlay_clock_line) == INLAY_CLOCK_LINE_BYTES,
		    "inlay_clock_line layout");

/* All zero is valid: the first use calibrates. */
struct inlay_clock {
	/*
	 * (generation * INLAY_CLOCK_LINES + index of the line) * INLAY_CLOCK_LINE_BYTES: the low
	 * bits are the line's offset in `lines`
	 */
	__u64 current;
	__u64 pad0[7];
	struct inlay_clock_line lines[INLAY_CLOCK_LINES];
};

extern struct inlay_clock __inlay_clock_v1 __attribute__((aligned(64)));

/* Anchors the clock if it is time to, and returns the time. */
INLAY_COLD_CALL __u64 __inlay_clock_slow_v1(void);

static inline __attribute__((always_inline)) __u64 __inlay_counter(void)
{
#if defined(__x86_64__)
	__u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (__u64)high << 32 | low;
#elif defined(__aarch64__)
	__u64 value;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
	return value;
#else
#error "no counter known for this architecture"
#endif
}

/*
 * Steps since the line's start, and whether it is valid there; then the time, and whether `current`
 * is what it was before the line was read. On x86-64 by hand: loads stay in order there, and as
 * operands of the arithmetic they need no registers, which belong to the function around us.
 */
#if defined(__x86_64__)
static inline __attribute__((always_inline)) int
inlay_clock_steps(const struct inlay_clock_line *line, __u64 *ret_steps)
{
	int is_valid;

	__asm__ volatile("rdtsc\n\t"
			 "shlq $32, %%rdx\n\t"
			 "orq %%rdx, %%rax\n\t"
			 "subq %[base], %%rax\n\t"
			 "cmpq %[limit], %%rax"
			 : "=&a"(*ret_steps), "=@ccb"(is_valid)
			 : [base] "m"(line->base), [limit] "m"(line->limit)
			 : "rdx");
	return is_valid;
}

static inline __attribute__((always_inline)) int
inlay_clock_value(const struct inlay_clock *clock, const struct inlay_clock_line *line,
		  __u64 current, __u64 steps, __u64 *ret_ns)
{
	int is_same;

	__asm__ volatile("imulq %[mult], %[ns]\n\t"
			 "shrq $32, %[ns]\n\t"
			 "addq %[start], %[ns]\n\t"
			 "cmpq %[before], %[now]"
			 : [ns] "=&r"(*ret_ns), "=@cce"(is_same)
			 : "0"(steps), [mult] "m"(line->mult), [start] "m"(line->ns),
			   [before] "r"(current), [now] "m"(clock->current));
	return is_same;
}
#else
static inline __attribute__((always_inline)) int
inlay_clock_steps(const struct inlay_clock_line *line, __u64 *ret_steps)
{
	__u64 base = __atomic_load_n(&line->base, __ATOMIC_RELAXED);
	__u64 limit = __atomic_load_n(&line->limit, __ATOMIC_RELAXED);

	*ret_steps = __inlay_counter() - base;
	return *ret_steps < limit;
}

static inline __attribute__((always_inline)) int
inlay_clock_value(const struct inlay_clock *clock, const struct inlay_clock_line *line,
		  __u64 current, __u64 steps, __u64 *ret_ns)
{
	__u64 ns = __atomic_load_n(&line->ns, __ATOMIC_RELAXED);
	__u64 mult = __atomic_load_n(&line->mult, __ATOMIC_RELAXED);

	*ret_ns = ns + (steps * mult >> 32);
	/* acquire: pairs with the release fence before a line is overwritten, in rt/clock.c */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&clock->current, __ATOMIC_RELAXED) == current;
}
#endif

static inline __attribute__((always_inline)) __s64 __inlay_ktime_get_ns(void)
{
	const struct inlay_clock *clock = &__inlay_clock_v1;
	/* acquire: pairs with the release that publishes a line, in rt/clock.c */
	__u64 current = __atomic_load_n(&clock->current, __ATOMIC_ACQUIRE), steps, ns;
	const struct inlay_clock_line *line =
		(const struct inlay_clock_line *)((const char *)clock->lines +
						  current % (INLAY_CLOCK_LINES *
							     INLAY_CLOCK_LINE_BYTES));

	if (__builtin_expect(inlay_clock_steps(line, &steps), 1) &&
	    __builtin_expect(inlay_clock_value(clock, line, current, steps, &ns), 1))
		return (__s64)ns;
	return (__s64)__inlay_clock_slow_v1();
}

#endif /* INLAY_RT_INLINE_CLOCK_H */
