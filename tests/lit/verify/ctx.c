/* SPDX-License-Identifier: BSD-2-Clause */
/* ctx: struct pt_regs of the target, 168 bytes, read-only, one register at a time. */
// RUN: %twins
#include "twins.h"

unsigned char table[64];

ACCEPT(last_register)
{
	ASM((
		r0 = *(u64 *)(r1 + 160);
		exit;
	));
}

REJECT(behind_the_last_register, "outside of struct pt_regs")
{
	ASM((
		r0 = *(u64 *)(r1 + 168);
		exit;
	));
}

REJECT(before_the_first_register, "outside of struct pt_regs")
{
	ASM((
		r0 = *(u64 *)(r1 - 8);
		exit;
	));
}

ACCEPT(half_of_a_register)
{
	ASM((
		r0 = *(u32 *)(r1 + 116);
		exit;
	));
}

REJECT(halves_of_two_registers, "misaligned")
{
	ASM((
		r0 = *(u64 *)(r1 + 116);
		exit;
	));
}

REJECT(store, "read-only")
{
	ASM((
		*(u64 *)(r1 + 112) = 0;
		r0 = 0;
		exit;
	));
}

REJECT(atomic, "read-only")
{
	ASM((
		r2 = 1;
		lock *(u64 *)(r1 + 112) += r2;
		r0 = 0;
		exit;
	));
}

ACCEPT(constant_offset)
{
	ASM((
		r1 += 112;
		r0 = *(u64 *)(r1 + 0);
		exit;
	));
}

REJECT(variable_offset, "not constant")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r2 &= 8;
		r1 += r2;
		r0 = *(u64 *)(r1 + 0);
		exit;
	));
}

/* The compiler makes of ctx what a load asks for: it must be known which loads are of ctx. */
REJECT(ctx_or_other_memory, "through ctx on one path")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r3 = %[table] ll;
		if r2 == 0 goto 1f;
		r1 = r3;
	1:	r0 = *(u64 *)(r1 + 8);
		exit;
	), NUMBER(table, &table));
}

ACCEPT(ctx_and_other_memory)
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		r3 = %[table] ll;
		if r2 == 0 goto 1f;
		r0 = *(u64 *)(r3 + 8);
		exit;
	1:	r0 = *(u64 *)(r1 + 8);
		exit;
	), NUMBER(table, &table));
}
