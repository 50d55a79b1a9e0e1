/* SPDX-License-Identifier: BSD-2-Clause */
/* The longer operations of range_alu.c, on numbers of one width. Operands are not empty. */
#ifndef INLAY_BPFCC_VERIFY_RANGE_OPS_H
#define INLAY_BPFCC_VERIFY_RANGE_OPS_H

#include "bpfcc/verify/range_num.h"

/* each part that is not empty; of a const struct num */
#define FOR_PARTS(p, n)                                                                            \
	for (const struct part *p = (n)->part; p < (n)->part + 2; p++)                             \
		if (!part_is_empty(*p))

struct num num_bitwise(uint8_t op, const struct num *a, const struct num *b);	/* AND, OR, XOR */
struct num num_shift(uint8_t op, const struct num *a, const struct num *b);	/* LSH, RSH, ARSH */
struct num num_udiv(const struct num *a, const struct num *b);
struct num num_umod(const struct num *a, const struct num *b);
struct num num_sdiv(const struct num *a, const struct num *b);
struct num num_smod(const struct num *a, const struct num *b);

#endif /* INLAY_BPFCC_VERIFY_RANGE_OPS_H */
