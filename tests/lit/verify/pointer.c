/* SPDX-License-Identifier: BSD-2-Clause */
/* Pointers: what stays one, what becomes a number, and where the offset must be. */
// RUN: %twins
#include "twins.h"

MAP_OF(counts, HASH, __u32, __u64, 8);
unsigned char table[64];
const volatile unsigned char limits[8] = {63, 64};

ACCEPT(first_and_last_byte)
{
	ASM((
		r1 = %[table] ll;
		r0 = *(u8 *)(r1 + 0);
		r0 = *(u8 *)(r1 + 63);
		exit;
	), NUMBER(table, &table));
}

REJECT(one_byte_behind, "outside of the value")
{
	ASM((
		r1 = %[table] ll;
		r0 = *(u8 *)(r1 + 64);
		exit;
	), NUMBER(table, &table));
}

REJECT(one_byte_before, "outside of the value")
{
	ASM((
		r1 = %[table] ll;
		r0 = *(u8 *)(r1 - 1);
		exit;
	), NUMBER(table, &table));
}

/* What counts is where the access is, not where the pointer was in between. */
ACCEPT(out_and_in_again)
{
	ASM((
		r1 = %[table] ll;
		r1 += 1000;
		r1 -= 990;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

ACCEPT(index_and_offset)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r2 &= 31;
		r1 = %[table] ll;
		r1 += 32;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

REJECT(index_and_offset_too_far, "can be outside")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r2 &= 31;
		r1 = %[table] ll;
		r1 += 33;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

ACCEPT(index_subtracted)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r2 &= 31;
		r1 = %[table] ll;
		r1 += 31;
		r1 -= r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

REJECT(index_subtracted_too_far, "can be outside")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r2 &= 31;
		r1 = %[table] ll;
		r1 += 30;
		r1 -= r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

REJECT(index_that_is_not_bounded, "not bounded")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

/* -1 as an unsigned number passes no unsigned comparison, as a signed one it does. */
ACCEPT(compared_unsigned)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		if r2 > 63 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(compared_signed, "not bounded below")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		if r2 s> 63 goto 1f;
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), NUMBER(table, &table));
}

/* Frozen data is a constant. */
ACCEPT(index_in_rodata)
{
	ASM((
		r2 = %[limits] ll;
		r2 = *(u8 *)(r2 + 0);
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table), NUMBER(limits, &limits));
}

REJECT(index_in_rodata_too_far, "outside of the value")
{
	ASM((
		r2 = %[limits] ll;
		r2 = *(u8 *)(r2 + 1);
		r1 = %[table] ll;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table), NUMBER(limits, &limits));
}

REJECT(store_to_rodata, "read-only")
{
	ASM((
		r2 = %[limits] ll;
		*(u8 *)(r2 + 0) = 1;
		r0 = 0;
		exit;
	), NUMBER(limits, &limits));
}

/* An address is a number like others, as long as nothing goes through it. */
ACCEPT(address_as_a_number)
{
	ASM((
		r1 = %[table] ll;
		r1 &= -8;
		w1 *= 3;
		r0 = r1;
		exit;
	), NUMBER(table, &table));
}

REJECT(masked_address, "r1, which is a number")
{
	ASM((
		r1 = %[table] ll;
		r1 &= -8;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

REJECT(address_in_32_bits, "r1, which is a number")
{
	ASM((
		r1 = %[table] ll;
		w1 += 0;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

REJECT(sum_of_addresses, "r1, which is a number")
{
	ASM((
		r1 = %[table] ll;
		r2 = r1;
		r1 += r2;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), NUMBER(table, &table));
}

ACCEPT(distance)
{
	ASM((
		r1 = %[table] ll;
		r2 = r1;
		r2 += 5;
		r2 -= r1;
		r0 = r2;
		exit;
	), NUMBER(table, &table));
}

REJECT(distance_as_a_pointer, "r2, which is a number")
{
	ASM((
		r1 = %[table] ll;
		r2 = r1;
		r2 += 5;
		r2 -= r1;
		r0 = *(u8 *)(r2 + 0);
		exit;
	), NUMBER(table, &table));
}

REJECT(offset_from_null, "may be NULL")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		r0 += 4;
		if r0 == 0 goto 1f;
		r0 = *(u32 *)(r0 + 0);
	1:	exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

ACCEPT(offset_behind_the_test)
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r0 += 4;
		r0 = *(u32 *)(r0 + 0);
	1:	exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

REJECT(tested_in_32_bits, "may be NULL")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		if w0 == 0 goto 1f;
		r0 = *(u64 *)(r0 + 0);
	1:	exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

ACCEPT(tested_with_a_register)
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r6 = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		if r0 == r6 goto 1f;
		r0 = *(u64 *)(r0 + 0);
	1:	exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

ACCEPT(copy_tested)
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		*(u64 *)(r10 - 16) = r0;
		if r0 == 0 goto 1f;
		r1 = *(u64 *)(r10 - 16);
		r0 = *(u64 *)(r1 + 0);
	1:	exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

REJECT(used_where_it_is_null, "a number, 0")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		if r0 != 0 goto 1f;
		r0 = *(u64 *)(r0 + 0);
	1:	r0 = 0;
		exit;
	), MAP(counts), HELPER(map_lookup_elem));
}
