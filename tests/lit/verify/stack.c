/* SPDX-License-Identifier: BSD-2-Clause */
/* The stack: its bounds, what its bytes hold, and offsets that are not constant. */
// RUN: %twins
#include "twins.h"

unsigned char table[64];

ACCEPT(lowest_byte)
{
	ASM((
		*(u8 *)(r10 - 512) = 1;
		r0 = *(u8 *)(r10 - 512);
		exit;
	));
}

REJECT(one_byte_below, "outside of the stack")
{
	ASM((
		*(u8 *)(r10 - 513) = 1;
		r0 = 0;
		exit;
	));
}

ACCEPT(highest_bytes)
{
	ASM((
		*(u64 *)(r10 - 8) = 1;
		r0 = *(u64 *)(r10 - 8);
		exit;
	));
}

REJECT(across_the_top, "outside of the stack")
{
	ASM((
		*(u64 *)(r10 - 7) = 1;
		r0 = 0;
		exit;
	));
}

/* What was not written is zero: the function clears it. */
ACCEPT(never_written)
{
	ASM((
		r0 = *(u64 *)(r10 - 16);
		exit;
	));
}

/* But it is no pointer. */
REJECT(never_written_as_a_pointer, "r1, which is a number")
{
	ASM((
		r1 = *(u64 *)(r10 - 16);
		r0 = *(u64 *)(r1 + 0);
		exit;
	));
}

ACCEPT(spilled_pointer)
{
	ASM((
		*(u64 *)(r10 - 8) = r1;
		r2 = *(u64 *)(r10 - 8);
		r0 = *(u64 *)(r2 + 0);
		exit;
	));
}

REJECT(spilled_pointer_overwritten_in_part, "r2, which is a number")
{
	ASM((
		*(u64 *)(r10 - 8) = r1;
		*(u8 *)(r10 - 8) = 0;
		r2 = *(u64 *)(r10 - 8);
		r0 = *(u64 *)(r2 + 0);
		exit;
	));
}

REJECT(half_of_a_spilled_pointer, "r2, which is a number")
{
	ASM((
		*(u64 *)(r10 - 8) = r1;
		r2 = *(u32 *)(r10 - 8);
		r0 = *(u64 *)(r2 + 0);
		exit;
	));
}

REJECT(pointer_put_together_from_two_slots, "r2, which is a number")
{
	ASM((
		*(u64 *)(r10 - 8) = r1;
		*(u64 *)(r10 - 16) = r1;
		r2 = *(u64 *)(r10 - 12);
		r0 = *(u64 *)(r2 + 0);
		exit;
	));
}

/* A number keeps what is known of it, whole and in parts. */
ACCEPT(spilled_bounds)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r2 &= 63;
		*(u32 *)(r10 - 8) = w2;
		r2 = *(u32 *)(r10 - 8);
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

REJECT(spilled_bounds_other_part, "can be outside")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r2 &= 16383;
		*(u32 *)(r10 - 8) = w2;
		r2 = *(u8 *)(r10 - 8);
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

/* The second byte of 14 bits. */
ACCEPT(spilled_bounds_upper_part)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r2 &= 16383;
		*(u32 *)(r10 - 8) = w2;
		r2 = *(u8 *)(r10 - 7);
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

/* What one copy is compared with, the other is, on the stack, too. */
ACCEPT(spilled_copy_compared)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		*(u64 *)(r10 - 8) = r2;
		if r2 > 63 goto 1f;
		r3 = *(u64 *)(r10 - 8);
		r1 = %[table] ll;
		r1 += r3;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(other_number_compared, "outside of the value")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r4 = *(u64 *)(r1 + 8);
		*(u64 *)(r10 - 8) = r2;
		if r4 > 63 goto 1f;
		r3 = *(u64 *)(r10 - 8);
		r1 = %[table] ll;
		r1 += r3;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

ACCEPT(variable_offset)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r2 = *(u64 *)(r1 + 0);
		r2 &= 8;
		r3 = r10;
		r3 += -16;
		r3 += r2;
		r0 = *(u64 *)(r3 + 0);
		exit;
	));
}

REJECT(variable_offset_too_far, "can be outside of the stack")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		r2 = *(u64 *)(r1 + 0);
		r2 &= 24;
		r3 = r10;
		r3 += -16;
		r3 += r2;
		r0 = *(u64 *)(r3 + 0);
		exit;
	));
}

/* A store somewhere in a window destroys every pointer in it. */
ACCEPT(pointer_beside_a_variable_store)
{
	ASM((
		*(u64 *)(r10 - 24) = r1;
		r2 = *(u64 *)(r1 + 0);
		r2 &= 8;
		r3 = r10;
		r3 += -16;
		r3 += r2;
		*(u64 *)(r3 + 0) = r2;
		r4 = *(u64 *)(r10 - 24);
		r0 = *(u64 *)(r4 + 0);
		exit;
	));
}

REJECT(pointer_under_a_variable_store, "r4, which is a number")
{
	ASM((
		*(u64 *)(r10 - 16) = r1;
		r2 = *(u64 *)(r1 + 0);
		r2 &= 8;
		r3 = r10;
		r3 += -16;
		r3 += r2;
		*(u64 *)(r3 + 0) = r2;
		r4 = *(u64 *)(r10 - 16);
		r0 = *(u64 *)(r4 + 0);
		exit;
	));
}

/* A misaligned access is no bug on machines that allow it. */
ACCEPT(misaligned)
{
	ASM((
		*(u64 *)(r10 - 13) = 5;
		r0 = *(u64 *)(r10 - 13);
		exit;
	));
}

ACCEPT(atomic)
{
	ASM((
		*(u64 *)(r10 - 8) = 5;
		r1 = 3;
		r1 = atomic_fetch_add((u64 *)(r10 - 8), r1);
		r0 = r1;
		exit;
	));
}

REJECT(atomic_misaligned, "misaligned")
{
	ASM((
		*(u64 *)(r10 - 8) = 5;
		*(u64 *)(r10 - 16) = 5;
		r1 = 3;
		lock *(u64 *)(r10 - 12) += r1;
		r0 = 0;
		exit;
	));
}

/* What an atomic operation found there is a number with its bounds. */
ACCEPT(atomic_result)
{
	ASM((
		*(u64 *)(r10 - 8) = 63;
		r2 = 1000;
		r2 = xchg_64(r10 - 8, r2);
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

REJECT(atomic_result_too_far, "outside of the value")
{
	ASM((
		*(u64 *)(r10 - 8) = 64;
		r2 = 1000;
		r2 = xchg_64(r10 - 8, r2);
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}
