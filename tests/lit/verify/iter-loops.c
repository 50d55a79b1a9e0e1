/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops over open-coded iterators end; around them, and in functions, they must be the same ones. */
// RUN: %twins
#include "iter.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} progs SEC(".maps");
unsigned char table[64];

/* ---- loops ---- */

ACCEPT(loop)
{
	ASM((
		r6 = 0;
		NEW
	1:	NEXT
		if r0 == 0 goto 2f;
		r1 = *(u32 *)(r0 + 0);
		r6 += r1;
		goto 1b;
	2:	DESTROY
		r0 = r6;
		exit;
	), ITER);
}

/* What is counted is of no importance to the proof, and so a thousand rounds are a few. */
ACCEPT(loop_whose_sum_is_bounded_behind)
{
	ASM((
		r6 = 0;
		NEW
	1:	NEXT
		if r0 == 0 goto 2f;
		r6 += 3;
		goto 1b;
	2:	DESTROY
		r6 &= 63;
		r1 = %[table] ll;
		r1 += r6;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), ITER, NUMBER(table, &table));
}

REJECT(loop_whose_sum_is_not, "outside of the value")
{
	ASM((
		r6 = 0;
		NEW
	1:	NEXT
		if r0 == 0 goto 2f;
		r6 += 3;
		goto 1b;
	2:	DESTROY
		r1 = %[table] ll;
		r1 += r6;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), ITER, NUMBER(table, &table));
}

/*
 * What is in the slot became unknown in the loops, and nothing else is known to be the same: what is loaded is, and narrows it.
 */
#define SLOT_BEHIND_LOOPS(change)                                                                  \
	ASM((                                                                                      \
		r7 = *(u64 *)(r1 + 0);                                                             \
		r8 = 0;                                                                            \
		*(u64 *)(r10 - 24) = r8;                                                           \
	1:	r6 = r8;                                                                           \
		NEW                                                                                \
	2:	NEXT                                                                               \
		if r0 == 0 goto 3f;                                                                \
		r0 = r8;                                                                           \
		*(u64 *)(r10 - 24) = r0;                                                           \
		r8 = 3;                                                                            \
		goto 2b;                                                                           \
	3:	DESTROY                                                                            \
		may_goto 4f;                                                                       \
		*(u64 *)(r10 - 16) = r6;                                                           \
		goto 1b;                                                                           \
	4:	r0 = *(u64 *)(r10 - 24);                                                           \
		change                                                                             \
		if r0 > 63 goto 5f;                                                                \
		r2 = *(u64 *)(r10 - 24);                                                           \
		r1 = %[table] ll;                                                                  \
		r1 += r2;                                                                          \
		r0 = *(u8 *)(r1 + 0);                                                              \
	5:	r0 = 0;                                                                            \
		exit;                                                                              \
	), NUMBER(table, &table), ITER)

ACCEPT(loaded_twice_behind)
{
	SLOT_BEHIND_LOOPS();
}

REJECT(loaded_twice_and_changed_behind, "outside of the value")
{
	SLOT_BEHIND_LOOPS(*(u64 *)(r10 - 24) = r7;);
}

REJECT(loaded_twice_and_a_byte_changed_behind, "outside of the value")
{
	SLOT_BEHIND_LOOPS(*(u8 *)(r10 - 24) = 255;);
}

/* Of the number that it is nothing is known: the kernel does not say either. */
REJECT(item_as_an_index, "outside of the value")
{
	ASM((
		r1 = r10;
		r1 += -8;
		r2 = 0;
		r3 = 64;
		call %[bpf_iter_num_new];
	1:	NEXT
		if r0 == 0 goto 2f;
		r2 = *(u32 *)(r0 + 0);
		r1 = %[table] ll;
		r1 += r2;
		*(u8 *)(r1 + 0) = 1;
		goto 1b;
	2:	DESTROY
		r0 = 0;
		exit;
	), ITER, NUMBER(table, &table));
}

ACCEPT(item_as_an_index_that_is_tested)
{
	ASM((
		NEW
	1:	NEXT
		if r0 == 0 goto 2f;
		r2 = *(u32 *)(r0 + 0);
		if r2 > 63 goto 2f;
		r1 = %[table] ll;
		r1 += r2;
		*(u8 *)(r1 + 0) = 1;
		goto 1b;
	2:	DESTROY
		r0 = 0;
		exit;
	), ITER, NUMBER(table, &table));
}

/* An index of its own, which grows from round to round, and is compared in each. */
ACCEPT(own_index)
{
	ASM((
		r6 = 0;
		NEW
	1:	NEXT
		if r0 == 0 goto 2f;
		if r6 > 63 goto 2f;
		r1 = %[table] ll;
		r1 += r6;
		*(u8 *)(r1 + 0) = 1;
		r6 += 1;
		goto 1b;
	2:	DESTROY
		r0 = 0;
		exit;
	), ITER, NUMBER(table, &table));
}

REJECT(own_index_never_compared, "outside of the value")
{
	ASM((
		r6 = 0;
		NEW
	1:	NEXT
		if r0 == 0 goto 2f;
		r1 = %[table] ll;
		r1 += r6;
		*(u8 *)(r1 + 0) = 1;
		r6 += 1;
		goto 1b;
	2:	DESTROY
		r0 = 0;
		exit;
	), ITER, NUMBER(table, &table));
}

ACCEPT(early_break)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		NEW
	1:	NEXT
		if r0 == 0 goto 2f;
		r1 = *(u32 *)(r0 + 0);
		if r1 == r6 goto 2f;
		goto 1b;
	2:	DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(early_exit_that_does_not_end_it, "an iterator is still held")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		NEW
	1:	NEXT
		if r0 == 0 goto 2f;
		r1 = *(u32 *)(r0 + 0);
		if r1 == r6 goto 3f;
		goto 1b;
	2:	DESTROY
	3:	r0 = 0;
		exit;
	), ITER);
}

ACCEPT(nested)
{
	ASM((
		r6 = 0;
		NEW_AT(-8)
	1:	NEXT_AT(-8)
		if r0 == 0 goto 4f;
		NEW_AT(-16)
	2:	NEXT_AT(-16)
		if r0 == 0 goto 3f;
		r1 = *(u32 *)(r0 + 0);
		r6 += r1;
		goto 2b;
	3:	DESTROY_AT(-16)
		goto 1b;
	4:	DESTROY_AT(-8)
		r0 = r6;
		exit;
	), ITER);
}

REJECT(nested_and_the_inner_one_not_ended, "an iterator is still held")
{
	ASM((
		NEW_AT(-8)
	1:	NEXT_AT(-8)
		if r0 == 0 goto 4f;
		NEW_AT(-16)
	2:	NEXT_AT(-16)
		if r0 == 0 goto 3f;
		goto 2b;
	3:	goto 1b;
	4:	DESTROY_AT(-8)
		r0 = 0;
		exit;
	), ITER);
}

/* Attack: each turn makes an iterator anew, which looks like the one before. */
REJECT(endless_around_an_iterator, "does not end")
{
	ASM((
	1:	NEW
	2:	NEXT
		if r0 == 0 goto 3f;
		goto 2b;
	3:	DESTROY
		goto 1b;
	), ITER);
}

/* The same, where it is made anew between two steps of the same loop. */
REJECT(made_anew_between_steps, "does not end")
{
	ASM((
		r6 = 0;
		NEW
	1:	NEXT
		if r0 == 0 goto 2f;
		DESTROY
		NEW
		r6 += 1;
		goto 1b;
	2:	DESTROY
		r0 = 0;
		exit;
	), ITER);
}

/* A step that has found the end is no reason for another round. */
REJECT(stepped_on_at_its_end, "does not end")
{
	ASM((
		NEW
	1:	NEXT
		if r0 == 0 goto 1b;
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

REJECT(endless_inside_of_a_loop, "does not end")
{
	ASM((
		NEW
	1:	NEXT
		if r0 == 0 goto 2f;
	3:	goto 3b;
	2:	DESTROY
		r0 = 0;
		exit;
	), ITER);
}

/* Two in turns: each has its own end. */
ACCEPT(two_in_turns)
{
	ASM((
		NEW_AT(-8)
		NEW_AT(-16)
	1:	NEXT_AT(-8)
		if r0 == 0 goto 2f;
		NEXT_AT(-16)
		if r0 == 0 goto 2f;
		goto 1b;
	2:	DESTROY_AT(-16)
		DESTROY_AT(-8)
		r0 = 0;
		exit;
	), ITER);
}

/* Attack: the loop that does not end is inside of one that would. */
REJECT(endless_around_an_iterator_in_a_loop, "does not end")
{
	ASM((
		NEW_AT(-8)
	1:	NEXT_AT(-8)
		if r0 == 0 goto 4f;
	2:	NEW_AT(-16)
	3:	NEXT_AT(-16)
		if r0 != 0 goto 3b;
		DESTROY_AT(-16)
		goto 2b;
	4:	DESTROY_AT(-8)
		r0 = 0;
		exit;
	), ITER);
}

/* Attack: as before, with something that is different each time. */
REJECT(endless_with_a_counter, "branches wait")
{
	ASM((
		r6 = 0;
	1:	NEW
	2:	NEXT
		if r0 != 0 goto 2b;
		DESTROY
		r6 += 1;
		if r6 != 0 goto 1b;
		r0 = 0;
		exit;
	), ITER);
}

/* ---- functions ---- */

SUB(next_of_another)
{
	ASM((
		call %[bpf_iter_num_next];
		if r0 == 0 goto 1f;
		r0 = 1;
	1:	exit;
	), ITER);
}

ACCEPT(stepped_by_a_function)
{
	ASM((
		NEW
	1:	AT(-8)
		call next_of_another;
		if r0 != 0 goto 1b;
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

SUB(made_and_left)
{
	ASM((
		NEW
		r0 = 0;
		exit;
	), ITER);
}

REJECT(left_by_a_function, "an iterator is still held")
{
	ASM((
		call made_and_left;
		r0 = 0;
		exit;
	));
}

SUB(item_of_a_callee)
{
	ASM((
		NEW
		NEXT
		exit;
	), ITER);
}

REJECT(item_of_a_callee_and_no_end, "an iterator is still held")
{
	ASM((
		call item_of_a_callee;
		if r0 == 0 goto 1f;
		r0 = *(u32 *)(r0 + 0);
	1:	exit;
	));
}

SUB(ends_its_callers)
{
	ASM((
		NEXT
		r0 = 0;
		exit;
	), ITER);
}

REJECT(of_the_caller_at_the_same_place, "no iterator")
{
	ASM((
		NEW
		call ends_its_callers;
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

SUB(makes_one_each_time)
{
	ASM((
		NEW
	1:	NEXT
		if r0 != 0 goto 1b;
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}

ACCEPT(in_a_callback)
{
	ASM((
		r1 = 10;
		r2 = %[makes_one_each_time] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), HELPER(loop), ADDRESS(makes_one_each_time));
}

SUB(makes_one_and_leaves_it)
{
	ASM((
		NEW
		r0 = 0;
		exit;
	), ITER);
}

REJECT(left_in_a_callback, "an iterator is still held when the callback returns")
{
	ASM((
		r1 = 10;
		r2 = %[makes_one_and_leaves_it] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), HELPER(loop), ADDRESS(makes_one_and_leaves_it));
}

ACCEPT(around_a_callback)
{
	ASM((
		NEW
	1:	NEXT
		if r0 == 0 goto 2f;
		r1 = 10;
		r2 = %[makes_one_each_time] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		goto 1b;
	2:	DESTROY
		r0 = 0;
		exit;
	), ITER, HELPER(loop), ADDRESS(makes_one_each_time));
}

REJECT(held_at_a_tail_call, "an iterator is still held at the tail call")
{
	ASM((
		r6 = r1;
		NEW
		r1 = r6;
		r2 = %[progs] ll;
		r3 = 0;
		call %[tail_call];
		DESTROY
		r0 = 0;
		exit;
	), ITER, MAP(progs), HELPER(tail_call));
}

/* Attack: a path with a number where another has an iterator ends where that one was walked. */
REJECT(not_taken_for_a_spilled_number, "no iterator")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		*(u64 *)(r10 - 16) = 7;
		NEW
		if r6 == 0 goto 1f;
		DESTROY
		*(u64 *)(r10 - 8) = 7;
		NEW_AT(-16)
	1:	NEXT
		if r0 != 0 goto 1b;
		DESTROY
		r0 = 0;
		exit;
	), ITER);
}
