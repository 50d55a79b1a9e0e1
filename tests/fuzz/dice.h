/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers for mutations, and numbers that loaders and verifiers trip over.
 */
#ifndef INLAY_TESTS_FUZZ_DICE_H
#define INLAY_TESTS_FUZZ_DICE_H

#include <stdint.h>

struct dice {
	uint64_t state;
};

/* 0 to sides - 1 */
static inline uint32_t roll(struct dice *d, uint32_t sides)
{
	d->state = d->state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(d->state >> 33) % sides;
}

static inline int32_t odd_number(struct dice *d)
{
	static const int32_t numbers[] = {0,	1,   2,	  4,   7,   8,	-1, -4, -8, -16, -24, -512,
					  16,	24,  32,  48,  63,  64, 80, 112, 128, 181, 255,
					  256,	511, 512, 4096, 0x7fffffff, (int32_t)0x80000000};

	return numbers[roll(d, sizeof(numbers) / sizeof(numbers[0]))];
}

/* One field of an instruction; see insn.c */
void fuzz_change_insn(struct dice *d, uint8_t *insn);

#endif /* INLAY_TESTS_FUZZ_DICE_H */
