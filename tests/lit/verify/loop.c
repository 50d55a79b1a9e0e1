/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops: each must end, by its numbers or because the run time ends it. */
// RUN: %twins
#include "twins.h"

unsigned char table[64];

ACCEPT(counted)
{
	ASM((
		r0 = 0;
	1:	r0 += 1;
		if r0 < 1000 goto 1b;
		exit;
	));
}

REJECT(never_ends, "does not end")
{
	ASM((
		r0 = 0;
	1:	if r0 == 0 goto 1b;
		exit;
	));
}

REJECT(ends_by_chance, "does not end")
{
	ASM((
	1:	call %[get_prandom_u32];
		if r0 != 7 goto 1b;
		exit;
	), HELPER(get_prandom_u32));
}

REJECT(bound_not_known, "too complex")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r0 = 0;
	1:	r0 += 1;
		if r0 != r2 goto 1b;
		exit;
	));
}

ACCEPT(bound_known_to_be_small)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r2 &= 63;
		r0 = 0;
	1:	r0 += 1;
		if r0 < r2 goto 1b;
		exit;
	));
}

ACCEPT(counter_as_an_index)
{
	ASM((
		r2 = 0;
	1:	r1 = %[table] ll;
		r1 += r2;
		*(u8 *)(r1 + 0) = 1;
		r2 += 1;
		if r2 < 64 goto 1b;
		r0 = 0;
		exit;
	), NUMBER(table, &table));
}

REJECT(counter_as_an_index_one_too_far, "outside of the value")
{
	ASM((
		r2 = 0;
	1:	r1 = %[table] ll;
		r1 += r2;
		*(u8 *)(r1 + 0) = 1;
		r2 += 1;
		if r2 < 65 goto 1b;
		r0 = 0;
		exit;
	), NUMBER(table, &table));
}
