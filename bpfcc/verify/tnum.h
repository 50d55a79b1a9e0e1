/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tristate numbers: what is known of each bit of a 64-bit number. A bit of `mask` that is set says
 * "unknown"; then the same bit of `value` is 0. The number may be any x with (x & ~mask) == value.
 * After Vishwanathan et al., "Sound, Precise, and Fast Abstract Interpretation with Tristate
 * Numbers" (CGO 2022). Pure functions, no state, thread-safe.
 */
#ifndef INLAY_BPFCC_VERIFY_TNUM_H
#define INLAY_BPFCC_VERIFY_TNUM_H

#include <stdbool.h>
#include <stdint.h>

struct tnum {
	uint64_t value, mask;
};

#define TNUM_UNKNOWN ((struct tnum){0, ~(uint64_t)0})

static inline struct tnum tnum_const(uint64_t value)
{
	return (struct tnum){value, 0};
}

static inline bool tnum_is_const(struct tnum a)
{
	return !a.mask;
}

/* the smallest tnum that holds every number from min to max, unsigned */
struct tnum tnum_range(uint64_t min, uint64_t max);
struct tnum tnum_add(struct tnum a, struct tnum b);
struct tnum tnum_sub(struct tnum a, struct tnum b);
struct tnum tnum_and(struct tnum a, struct tnum b);
struct tnum tnum_or(struct tnum a, struct tnum b);
struct tnum tnum_xor(struct tnum a, struct tnum b);
struct tnum tnum_mul(struct tnum a, struct tnum b);
struct tnum tnum_shl(struct tnum a, unsigned int shift);
struct tnum tnum_shr(struct tnum a, unsigned int shift);
/* `bits` 32: of the low half, sign bit 31, the result zero-extended; 64 */
struct tnum tnum_sar(struct tnum a, unsigned int shift, unsigned int bits);
/* numbers that are in both; *ret_is_empty if there is none */
struct tnum tnum_intersect(struct tnum a, struct tnum b, bool *ret_is_empty);
/* the smallest tnum that holds both */
struct tnum tnum_union(struct tnum a, struct tnum b);
/* low `bytes` bytes, zero-extended (1, 2, 4, 8) */
struct tnum tnum_cast(struct tnum a, unsigned int bytes);
struct tnum tnum_sign_extend(struct tnum a, unsigned int bits);
struct tnum tnum_bswap(struct tnum a, unsigned int bytes);
/* every number of `b` is one of `a` */
bool tnum_holds(struct tnum a, struct tnum b);
static inline bool tnum_has(struct tnum a, uint64_t x)
{
	return (x & ~a.mask) == a.value;
}
/* every number is a multiple of `bytes`, a power of two */
bool tnum_is_aligned(struct tnum a, uint64_t bytes);

#endif /* INLAY_BPFCC_VERIFY_TNUM_H */
