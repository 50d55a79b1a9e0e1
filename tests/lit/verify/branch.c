/* SPDX-License-Identifier: BSD-2-Clause */
/* What a comparison tells, and paths that meet again: what mattered behind must hold on each. */
// RUN: %twins
#include "twins.h"

unsigned char table[64];

ACCEPT(both_ends_compared)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		if r2 s< 0 goto 1f;
		if r2 s> 63 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(wrong_side, "can be outside")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		if r2 <= 63 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

ACCEPT(low_half_compared)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		w2 = w2;
		if w2 > 63 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(low_half_compared_of_a_whole, "outside of the value")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		if w2 > 63 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

ACCEPT(bits_tested)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		if r2 & -64 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(too_few_bits_tested, "can be outside")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		if r2 & -128 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

/* 1 <= r2 && r2 <= 8, as compilers test it */
ACCEPT(both_ends_tested_in_32_bits)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		w2 = w2;
		w3 = w2;
		w3 += -9;
		if w3 < 0xfffffff8 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 55);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(both_ends_tested_in_32_bits_one_too_far, "can be outside")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		w2 = w2;
		w3 = w2;
		w3 += -9;
		if w3 < 0xfffffff8 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 56);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

/* The upper half of r2 was never looked at. */
REJECT(low_half_tested_in_32_bits, "can be outside")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r3 = r2;
		w3 += -9;
		if w3 < 0xfffffff8 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

/* Nor through a constant and its copy. */
REJECT(low_half_tested_through_a_copy, "not bounded")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r5 = *(u64 *)(r1 + 8);
		r3 = r2;
		w3 += -4;
		if w3 != 5 goto 1f;
		w4 = w3;
		if r4 != r5 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

/* r4 = r3 - 4 in 64 bits, and r3 is r2 + 4 in 32 */
ACCEPT(tested_in_64_bits_after_32)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r3 = r2;
		w3 += 4;
		r4 = r3;
		r4 += -4;
		if r4 > 59 goto 1f;
		r1 = %[table] ll;
		r1 += r3;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

/* It is r2 - 9 on the path that is walked first only. */
REJECT(related_in_32_bits_on_one_path, "can be outside")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		w2 = w2;
		r4 = *(u64 *)(r1 + 8);
		w3 = w2;
		w3 += -9;
		if r4 == 0 goto 2f;
		goto 3f;
	2:	r3 = *(u64 *)(r1 + 16);
		w3 = w3;
	3:	if w3 < 0xfffffff8 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

/* r2 - 9 in 64 bits on one, in 32 on the other: r2 = 2^32 + 1 passes there */
REJECT(related_in_64_bits_on_one_path, "can be outside")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r4 = *(u64 *)(r1 + 8);
		r3 = r2;
		if r4 == 0 goto 2f;
		r3 += -9;
		goto 3f;
	2:	w3 += -9;
	3:	if r3 < 8 goto 4f;
		r0 = 0;
		exit;
	4:	r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		r0 = 0;
		exit;
	), NUMBER(table, &table));
}

ACCEPT(equal_to_a_constant)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		if r2 != 63 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

/* The bound is a number itself. */
ACCEPT(compared_with_a_bounded_register)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r3 = *(u64 *)(r1 + 8);
		r3 &= 63;
		if r2 > r3 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(compared_with_a_register, "not bounded")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r3 = *(u64 *)(r1 + 8);
		if r2 > r3 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

/* Two paths, of which the first is harmless. */
ACCEPT(harmless_on_both_paths)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r7 = *(u64 *)(r1 + 8);
		r8 = *(u64 *)(r1 + 16);
		if r6 != 0 goto 1f;
		r2 = 8;
		goto 2f;
	1:	r2 = 63;
	2:	if r7 != 0 goto 3f;
		r7 = 1;
	3:	if r8 != 0 goto 4f;
		r8 = 1;
	4:	r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

REJECT(harmful_on_the_second_path, "outside of the value")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r7 = *(u64 *)(r1 + 8);
		r8 = *(u64 *)(r1 + 16);
		if r6 != 0 goto 1f;
		r2 = 8;
		goto 2f;
	1:	r2 = 1000;
	2:	if r7 != 0 goto 3f;
		r7 = 1;
	3:	if r8 != 0 goto 4f;
		r8 = 1;
	4:	r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

/* Code that no path reaches may do anything. */
ACCEPT(never_reached)
{
	ASM((
		r0 = 5;
		if r0 > 4 goto 1f;
		r0 = *(u64 *)(r0 + 0);
	1:	exit;
	));
}

REJECT(reached_on_one_path, "a number")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r0 = 5;
		if r2 == 0 goto 2f;
		r0 = 4;
	2:	if r0 > 4 goto 1f;
		r0 = *(u64 *)(r0 + 0);
	1:	exit;
	));
}

REJECT(not_set_on_one_path, "r2 is read")
{
	ASM((
		r3 = *(u64 *)(r1 + 0);
		if r3 == 0 goto 1f;
		r2 = 1;
	1:	r0 = r2;
		exit;
	));
}

ACCEPT(set_on_both_paths)
{
	ASM((
		r3 = *(u64 *)(r1 + 0);
		r2 = 0;
		if r3 == 0 goto 1f;
		r2 = 1;
	1:	r0 = r2;
		exit;
	));
}
