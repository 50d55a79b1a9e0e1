/* SPDX-License-Identifier: BSD-2-Clause */
/* What was once accepted and must not be, or the other way round: found by random programs. */
// RUN: %twins --kernel-helpers
#include "twins.h"

LICENSE("GPL");
char buffer[64];

/* An address that is swapped has 64 unknown bits, also by the instructions of class ALU. */
REJECT(upper_half_of_a_swapped_address, "can be outside")
{
	ASM((
		r2 = r10;
		r2 = be64 r2;
		r2 >>= 32;
		r1 = %[buffer] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), MAP(buffer));
}

ACCEPT(upper_half_of_a_swapped_half)
{
	ASM((
		r2 = r10;
		r2 = be32 r2;
		r2 >>= 32;
		r1 = %[buffer] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), MAP(buffer));
}

/* The helper takes 32 bits of the size: what it returns is not NULL. */
#define SLICE_OF(size)                                                                             \
	r1 = %[buffer] ll;                                                                         \
	r2 = 64;                                                                                   \
	r3 = 0;                                                                                    \
	r4 = r10;                                                                                  \
	r4 += -16;                                                                                 \
	call %[dynptr_from_mem];                                                                   \
	r1 = r10;                                                                                  \
	r1 += -16;                                                                                 \
	r2 = 0;                                                                                    \
	r3 = size ll;                                                                              \
	call %[dynptr_data];

REJECT(slice_of_2_to_the_32_and_8_is_no_zero, "r1, which is a number")
{
	ASM((
		SLICE_OF(0x100000008)
		r1 = %[buffer] ll;
		r1 += r0;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), MAP(buffer), HELPER(dynptr_from_mem), HELPER(dynptr_data));
}

REJECT(behind_a_slice_of_2_to_the_32_and_8, "8 bytes")
{
	ASM((
		SLICE_OF(0x100000008)
		if r0 == 0 goto 1f;
		r0 = *(u8 *)(r0 + 8);
	1:	exit;
	), MAP(buffer), HELPER(dynptr_from_mem), HELPER(dynptr_data));
}

ACCEPT(slice_of_2_to_the_32_and_8)
{
	ASM((
		SLICE_OF(0x100000008)
		if r0 == 0 goto 1f;
		r0 = *(u8 *)(r0 + 7);
	1:	exit;
	), MAP(buffer), HELPER(dynptr_from_mem), HELPER(dynptr_data));
}

/* Signed bounds of a 32-bit result stay, where the unsigned ones are those of any number. */
ACCEPT(negative_of_16_bits_is_not_positive)
{
	ASM((
		r2 = *(u16 *)(r1 + 0);
		w2 = -w2;
		r0 = 0;
		if w2 s> 0 goto 1f;
		exit;
	1:	r0 = *(u8 *)(r0 + 0);
		exit;
	));
}

REJECT(negative_of_16_bits_may_be_0, "goes through r0")
{
	ASM((
		r2 = *(u16 *)(r1 + 0);
		w2 = -w2;
		r0 = 0;
		if w2 s> -1 goto 1f;
		exit;
	1:	r0 = *(u8 *)(r0 + 0);
		exit;
	));
}
