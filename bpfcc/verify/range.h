/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a 64-bit number: its bits (tnum) and four intervals, of the whole and of its low
 * half, unsigned and signed. All five hold at once; each operation tells each what the others know.
 * Pure functions over values, no LLVM, no allocation, thread-safe. Widths: an operation of 32 bits
 * (BPF_ALU, BPF_JMP32) takes the low halves and gives a zero-extended result.
 *
 * An empty range (no number fits) means that control cannot get here: range_is_empty().
 */
#ifndef INLAY_BPFCC_VERIFY_RANGE_H
#define INLAY_BPFCC_VERIFY_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpfcc/verify/tnum.h"

struct range {
	struct tnum bits;
	uint64_t umin, umax;
	int64_t smin, smax;
	uint32_t u32_min, u32_max;
	int32_t s32_min, s32_max;
};

struct range range_unknown(void);
struct range range_const(uint64_t value);
/* low..high unsigned; low > high unsigned: signed low..high */
struct range range_between_u(uint64_t low, uint64_t high);
struct range range_between_s(int64_t low, int64_t high);
/* what a load of `bytes` bytes gives; signed: MEMSX */
struct range range_of_load(unsigned int bytes, bool is_signed);

static inline bool range_is_const(const struct range *r)
{
	return r->umin == r->umax;
}
bool range_is_unknown(const struct range *r);
bool range_is_empty(const struct range *r);
/* value `x` is possible: for the oracle and the tests */
bool range_has(const struct range *r, uint64_t x);
/* every number of b is one of a: all five parts */
bool range_holds(const struct range *a, const struct range *b);
bool range_equal(const struct range *a, const struct range *b);
struct range range_join(const struct range *a, const struct range *b);
/* Numbers in both (may be empty). */
struct range range_meet(const struct range *a, const struct range *b);
/* makes the five parts tell each other what they know, until nothing changes */
void range_deduce(struct range *r);

/*
 * dst = dst OP src for every ALU operation of RFC 9669 and ISA v4, `code` and `off` as in the
 * instruction (BPF_ALU or BPF_ALU64, without BPF_SRC; off: 1 signed division and modulo, 8/16/32
 * sign-extending moves; BPF_END with its width in `imm` and, alone, with BPF_SRC, which is its
 * direction; BPF_END and BPF_NEG: src unused). Shift counts are masked, division by zero gives 0,
 * modulo by zero the dividend, as the ISA says.
 */
struct range range_alu(uint8_t code, int16_t off, int32_t imm, const struct range *dst,
		       const struct range *src);

/* `code`: BPF_JMP or BPF_JMP32 with a condition. 1 always taken, 0 never, -1 may be either. */
int range_branch(uint8_t code, const struct range *dst, const struct range *src);
/* Narrows both to what holds when the branch is taken (or is not). Either may become empty. */
void range_refine(uint8_t code, bool is_taken, struct range *dst, struct range *src);

/* "7", "0..255", "-4..12", "0..64, multiple of 8", "unknown": for messages. Returns buf. */
const char *range_format(const struct range *r, char *buf, size_t bytes);

#endif /* INLAY_BPFCC_VERIFY_RANGE_H */
