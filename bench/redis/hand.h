/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one would write by hand instead of using Inlay: force-included (-include) into a copy of
 * redis whose three functions got a HAND_PROBE(n) line. Plain adds: redis executes commands in one
 * thread. No header is included, because redis sets feature macros first.
 * HAND_MODE 1 counts; 2 counts and keeps a log2 histogram of the time between two rdtsc.
 */
#ifndef HAND_H
#define HAND_H

struct hand_stats {
	unsigned long long counts[3];
	unsigned long long slots[3][64];
};
/* one copy in the linked program, whoever of its objects uses it */
__attribute__((weak)) struct hand_stats hand_stats;

struct hand_scope {
	unsigned long long begin;
	unsigned int index;
};

static inline void hand_exit(struct hand_scope *scope)
{
	unsigned long long ticks = __builtin_ia32_rdtsc() - scope->begin;

	hand_stats.counts[scope->index]++;
	hand_stats.slots[scope->index][63 - __builtin_clzll(ticks | 1)]++;
}

#if HAND_MODE == 1
#define HAND_PROBE(n) hand_stats.counts[n]++
#elif HAND_MODE == 2
#define HAND_PROBE(n)                                                                              \
	struct hand_scope hand_scope __attribute__((cleanup(hand_exit), unused)) = {               \
		__builtin_ia32_rdtsc(), (n)}
#else
#error "HAND_MODE is 1 or 2"
#endif

#endif /* HAND_H */
