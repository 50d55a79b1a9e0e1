/* SPDX-License-Identifier: BSD-2-Clause */
/* Map values: tested for NULL before they are used, and accessed inside of their size. */
// RUN: %twins
#include "twins.h"

MAP_OF(counts, HASH, __u32, __u64, 8);

ACCEPT(lookup_tested)
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r0 = *(u64 *)(r0 + 0);
	1:	exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

REJECT(lookup_untested, "may be NULL")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

ACCEPT(value_last_byte)
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r0 = *(u8 *)(r0 + 7);
	1:	exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

REJECT(value_one_byte_behind, "8 bytes")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r0 = *(u8 *)(r0 + 8);
	1:	exit;
	), MAP(counts), HELPER(map_lookup_elem));
}
