/* SPDX-License-Identifier: BSD-2-Clause */
/* Open-coded iterators: made, stepped and ended by kernel functions only. */
// RUN: %twins
#include "iter.h"

MAP_OF(counts, HASH, __u32, __u64, 8);
unsigned char table[64];

/* ---- made and ended ---- */

ACCEPT(made_and_ended)
{
	ASM((
		NEW
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(never_ended, "an iterator is still held when the program ends")
{
	ASM((
		NEW
		r0 = 0;
		exit;
	), ITER);
}

/* Also one that could not be made. */
REJECT(not_ended_after_an_error, "an iterator is still held")
{
	ASM((
		NEW
		if r0 != 0 goto 1f;
		DESTROY
	1:	r0 = 0;
		exit;
	), ITER);
}

REJECT(ended_twice, "no iterator")
{
	ASM((
		NEW
		DESTROY
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(ended_and_never_made, "no iterator")
{
	ASM((
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(stepped_and_never_made, "no iterator")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		NEXT
		r0 = 0;
		exit;
	), ITER);
}

REJECT(stepped_after_its_end, "no iterator")
{
	ASM((
		NEW
		DESTROY
		NEXT
		r0 = 0;
		exit;
	), ITER);
}

REJECT(made_on_one_path_only, "no iterator")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		if r6 == 0 goto 1f;
		NEW
	1:	DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(made_twice, "an iterator is overwritten")
{
	ASM((
		NEW
		NEW
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

ACCEPT(made_again_after_its_end)
{
	ASM((
		NEW
		DESTROY
		NEW
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

ACCEPT(place_used_for_something_else_afterwards)
{
	ASM((
		*(u64 *)(r10 - 8) = 7;
		NEW
		DESTROY
		*(u64 *)(r10 - 8) = 7;
		r0 = *(u64 *)(r10 - 8);
		exit;
	), ITER);
}

/* ---- where ---- */

REJECT(in_a_map, "8 bytes of stack")
{
	ASM((
		r1 = %[table] ll;
		r2 = 0;
		r3 = 1;
		call %[bpf_iter_num_new];
		r0 = 0;
		exit;
	), ITER, NUMBER(table, &table));
}

REJECT(misaligned, "aligned to 8")
{
	ASM((
		NEW_AT(-12)
		DESTROY_AT(-12)
		r0 = 0;
		exit;
	), ITER);
}

REJECT(above_the_stack, "8 bytes of stack")
{
	ASM((
		NEW_AT(0)
		r0 = 0;
		exit;
	), ITER);
}

REJECT(below_the_stack, "8 bytes of stack")
{
	ASM((
		NEW_AT(-520)
		r0 = 0;
		exit;
	), ITER);
}

ACCEPT(last_slot_of_the_stack)
{
	ASM((
		NEW_AT(-512)
		DESTROY_AT(-512)
		r0 = 0;
		exit;
	), ITER);
}

REJECT(at_a_place_that_varies, "8 bytes of stack")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r6 &= 8;
		r1 = r10;
		r1 += -16;
		r1 += r6;
		r2 = 0;
		r3 = 1;
		call %[bpf_iter_num_new];
		r0 = 0;
		exit;
	), ITER);
}

REJECT(another_place_than_it_is_at, "no iterator")
{
	ASM((
		NEW_AT(-8)
		DESTROY_AT(-16)
		r0 = 0;
		exit;
	), ITER);
}

/* ---- its bytes ---- */

REJECT(written_over, "an iterator is overwritten")
{
	ASM((
		NEW
		*(u64 *)(r10 - 8) = 0;
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(one_byte_written_over, "an iterator is overwritten")
{
	ASM((
		NEW
		*(u8 *)(r10 - 1) = 0;
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(perhaps_written_over, "an iterator is overwritten")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r6 &= 8;
		NEW
		r1 = r10;
		r1 += -16;
		r1 += r6;
		*(u64 *)(r1 + 0) = 0;
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

ACCEPT(its_neighbour_written)
{
	ASM((
		NEW
		*(u64 *)(r10 - 16) = 0;
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(written_over_by_a_helper, "an iterator is overwritten")
{
	ASM((
		NEW
		AT(-16)
		r2 = 16;
		call %[get_current_comm];
		DESTROY
		r0 = 0;
		exit;
	), ITER, HELPER(get_current_comm));
}

REJECT(atomically_changed, "dynptr or iterator")
{
	ASM((
		NEW
		r1 = 1;
		lock *(u64 *)(r10 - 8) += r1;
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(looked_at, "dynptr or iterator")
{
	ASM((
		NEW
		r6 = *(u64 *)(r10 - 8);
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(a_key_of_a_helper, "dynptr or iterator")
{
	ASM((
		NEW
		r1 = %[counts] ll;
		r2 = r10;
		r2 += -8;
		call %[map_lookup_elem];
		DESTROY
		r0 = 0;
		exit;
	), ITER, MAP(counts), HELPER(map_lookup_elem));
}

/* ---- items ---- */

ACCEPT(item_tested)
{
	ASM((
		NEW
		NEXT
		r6 = 0;
		if r0 == 0 goto 1f;
		r6 = *(u32 *)(r0 + 0);
	1:	DESTROY
		r0 = r6;
		exit;
	), ITER);
}

REJECT(item_not_tested, "r0")
{
	ASM((
		NEW
		NEXT
		r6 = *(u32 *)(r0 + 0);
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(item_is_4_bytes, "outside of the memory")
{
	ASM((
		NEW
		NEXT
		if r0 == 0 goto 1f;
		r6 = *(u64 *)(r0 + 0);
	1:	DESTROY
		r0 = 0;
		exit;
	), ITER);
}

/* Attack: a loop that sets its counter back. */
REJECT(item_written, "read-only")
{
	ASM((
		NEW
		NEXT
		if r0 == 0 goto 1f;
		*(u32 *)(r0 + 0) = 0;
	1:	DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(item_given_to_a_helper_that_writes, "read-only")
{
	ASM((
		NEW
		NEXT
		if r0 == 0 goto 1f;
		r1 = r0;
		r2 = 4;
		call %[get_current_comm];
	1:	DESTROY
		r0 = 0;
		exit;
	), ITER, HELPER(get_current_comm));
}

REJECT(item_after_the_end, "which is a number")
{
	ASM((
		NEW
		NEXT
		r6 = r0;
		DESTROY
		r0 = 0;
		if r6 == 0 goto 1f;
		r0 = *(u32 *)(r6 + 0);
	1:	exit;
	), ITER);
}

/* It is the iterator's, and now has the number after. */
ACCEPT(item_after_the_next_step)
{
	ASM((
		NEW
		NEXT
		r6 = r0;
		if r6 == 0 goto 1f;
		NEXT
		r6 = *(u32 *)(r6 + 0);
	1:	DESTROY
		r0 = 0;
		exit;
	), ITER);
}
