/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that helpers call back: none, one or many times. */
// RUN: %twins --kernel-helpers
#include "twins.h"

LICENSE("GPL");
MAP_OF(counts, HASH, __u32, __u64, 8);
MAP_OF(list, ARRAY, __u32, __u64, 8);
char bytes[4000];
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 4);
} programs SEC(".maps");

SUB(nothing)
{
	ASM((
		r0 = 0;
		exit;
	));
}

ACCEPT(loop)
{
	ASM((
		r1 = 10;
		r2 = %[nothing] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(nothing), HELPER(loop));
}

REJECT(loop_of_a_number, "must be a function")
{
	ASM((
		r1 = 10;
		r2 = 0;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), HELPER(loop));
}

REJECT(callback_context_is_a_number, "an address on the stack, or NULL")
{
	ASM((
		r1 = 10;
		r2 = %[nothing] ll;
		r3 = 8;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(nothing), HELPER(loop));
}

/* ---- results ---- */

SUB(returns_2)
{
	ASM((
		r0 = 2;
		exit;
	));
}

REJECT(callback_returns_2, "must return 0 or 1")
{
	ASM((
		r1 = 10;
		r2 = %[returns_2] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(returns_2), HELPER(loop));
}

SUB(returns_anything)
{
	ASM((
		call %[ktime_get_ns];
		exit;
	), HELPER(ktime_get_ns));
}

REJECT(callback_returns_anything, "must return 0 or 1")
{
	ASM((
		r1 = 10;
		r2 = %[returns_anything] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(returns_anything), HELPER(loop));
}

SUB(returns_a_bit)
{
	ASM((
		call %[ktime_get_ns];
		r0 &= 1;
		exit;
	), HELPER(ktime_get_ns));
}

ACCEPT(callback_returns_a_bit)
{
	ASM((
		r1 = 10;
		r2 = %[returns_a_bit] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(returns_a_bit), HELPER(loop));
}

/* ---- what the callback is given ---- */

/* The index is below the number of rounds. */
SUB(indexes_the_stack)
{
	ASM((
		r2 += r1;
		r0 = *(u8 *)(r2 + 0);
		r0 = 0;
		exit;
	));
}

ACCEPT(index_inside)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = 8;
		r2 = %[indexes_the_stack] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(indexes_the_stack), HELPER(loop));
}

REJECT(index_outside, "the stack")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = 9;
		r2 = %[indexes_the_stack] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(indexes_the_stack), HELPER(loop));
}

SUB(reads_an_element)
{
	ASM((
		r0 = *(u32 *)(r2 + 0);
		r0 = *(u64 *)(r3 + 0);
		*(u64 *)(r3 + 0) = 1;
		*(u64 *)(r4 + 0) = r0;
		r0 = 0;
		exit;
	));
}

ACCEPT(each_element)
{
	ASM((
		r1 = %[counts] ll;
		r2 = %[reads_an_element] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[for_each_map_elem];
		r0 = 0;
		exit;
	), MAP(counts), ADDRESS(reads_an_element), HELPER(for_each_map_elem));
}

SUB(writes_the_key)
{
	ASM((
		*(u32 *)(r2 + 0) = 1;
		r0 = 0;
		exit;
	));
}

REJECT(key_is_read_only, "changes a key")
{
	ASM((
		r1 = %[counts] ll;
		r2 = %[writes_the_key] ll;
		r3 = 0;
		r4 = 0;
		call %[for_each_map_elem];
		r0 = 0;
		exit;
	), MAP(counts), ADDRESS(writes_the_key), HELPER(for_each_map_elem));
}

SUB(reads_behind_the_key)
{
	ASM((
		r0 = *(u64 *)(r2 + 0);
		r0 = 0;
		exit;
	));
}

REJECT(key_is_4_bytes, "the map's key, which has 4 bytes")
{
	ASM((
		r1 = %[counts] ll;
		r2 = %[reads_behind_the_key] ll;
		r3 = 0;
		r4 = 0;
		call %[for_each_map_elem];
		r0 = 0;
		exit;
	), MAP(counts), ADDRESS(reads_behind_the_key), HELPER(for_each_map_elem));
}

SUB(keeps_the_key)
{
	ASM((
		*(u64 *)(r4 + 0) = r2;
		r0 = 0;
		exit;
	));
}

/* It is in the map, and stays there. */
ACCEPT(key_after_the_callback)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = %[counts] ll;
		r2 = %[keeps_the_key] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[for_each_map_elem];
		r1 = *(u64 *)(r10 - 8);
		if r1 == 0 goto 1f;
		r0 = *(u32 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), MAP(counts), ADDRESS(keeps_the_key), HELPER(for_each_map_elem));
}

/* The key is a variable of the helper's loop. */
REJECT(key_of_an_array_after_the_callback, "goes through r1")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = %[list] ll;
		r2 = %[keeps_the_key] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[for_each_map_elem];
		r1 = *(u64 *)(r10 - 8);
		if r1 == 0 goto 1f;
		r0 = *(u32 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), MAP(list), ADDRESS(keeps_the_key), HELPER(for_each_map_elem));
}

/* ---- what it changes ---- */

SUB(adds_one)
{
	ASM((
		r0 = *(u64 *)(r2 + 0);
		r0 += 1;
		*(u64 *)(r2 + 0) = r0;
		r0 = 0;
		exit;
	));
}

/* A counter in the caller's stack is anything in the end. */
ACCEPT(counter_bounded_afterwards)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = 1000000;
		r2 = %[adds_one] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r1 = *(u64 *)(r10 - 8);
		r1 &= 7;
		r2 = r10;
		r2 += -8;
		r2 += r1;
		r0 = *(u8 *)(r2 + 0);
		exit;
	), ADDRESS(adds_one), HELPER(loop));
}

REJECT(counter_taken_for_what_it_was, "the stack")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = 1000000;
		r2 = %[adds_one] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r1 = *(u64 *)(r10 - 8);
		r2 = r10;
		r2 += -8;
		r2 += r1;
		r0 = *(u8 *)(r2 + 0);
		exit;
	), ADDRESS(adds_one), HELPER(loop));
}

SUB(moves_a_pointer)
{
	ASM((
		r1 = *(u64 *)(r2 + 0);
		*(u8 *)(r1 + 0) = 0;
		r1 += 1;
		*(u64 *)(r2 + 0) = r1;
		r0 = 0;
		exit;
	));
}

REJECT(pointer_moved_each_round, "outside of the stack")
{
	ASM((
		r1 = r10;
		r1 += -16;
		*(u64 *)(r10 - 8) = r1;
		r1 = 1000000;
		r2 = %[moves_a_pointer] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(moves_a_pointer), HELPER(loop));
}


/* In the second round the pointer is gone. */
SUB(uses_and_clears)
{
	ASM((
		r1 = *(u64 *)(r2 + 0);
		r0 = *(u8 *)(r1 + 0);
		*(u64 *)(r2 + 0) = 0;
		r0 = 0;
		exit;
	));
}

REJECT(second_round, "a number")
{
	ASM((
		r1 = r10;
		r1 += -16;
		*(u64 *)(r10 - 8) = r1;
		*(u64 *)(r10 - 16) = 0;
		r1 = 2;
		r2 = %[uses_and_clears] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(uses_and_clears), HELPER(loop));
}

ACCEPT(no_second_round)
{
	ASM((
		r1 = r10;
		r1 += -16;
		*(u64 *)(r10 - 8) = r1;
		*(u64 *)(r10 - 16) = 0;
		r1 = 1;
		r2 = %[uses_and_clears] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(uses_and_clears), HELPER(loop));
}

/* A counter that nothing but the number of rounds bounds. */
SUB(fills_an_array)
{
	ASM((
		r1 = *(u64 *)(r2 + 0);
		r3 = %[bytes] ll;
		r3 += r1;
		*(u8 *)(r3 + 0) = 1;
		r1 += 1;
		*(u64 *)(r2 + 0) = r1;
		r0 = 0;
		exit;
	), MAP(bytes));
}

ACCEPT(array_as_long_as_the_loop)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = 4000;
		r2 = %[fills_an_array] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(fills_an_array), HELPER(loop));
}

REJECT(array_shorter_than_the_loop, "which has 4000 bytes")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = 4001;
		r2 = %[fills_an_array] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(fills_an_array), HELPER(loop));
}

/* It may run not at all. */
SUB(sets)
{
	ASM((
		*(u64 *)(r2 + 0) = r10;
		r0 = 0;
		exit;
	));
}

SUB(sets_5)
{
	ASM((
		*(u64 *)(r2 + 0) = 5;
		r0 = 0;
		exit;
	));
}

REJECT(perhaps_no_round, "outside of the stack")
{
	ASM((
		r6 = *(u64 *)(r1 + 112);
		*(u64 *)(r10 - 8) = 100;
		r1 = r6;
		r2 = %[sets_5] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r1 = *(u64 *)(r10 - 8);
		r2 = r10;
		r2 += -16;
		r2 += r1;
		r0 = *(u8 *)(r2 + 0);
		exit;
	), ADDRESS(sets_5), HELPER(loop));
}

REJECT(stack_of_the_callback, "outlive")
{
	ASM((
		r1 = 1;
		r2 = %[sets] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(sets), HELPER(loop));
}

/* ---- what it takes and gives back ---- */

SUB(takes)
{
	ASM((
		r1 = %[ring] ll;
		r2 = 8;
		r3 = 0;
		call %[ringbuf_reserve];
		r0 = 0;
		exit;
	), MAP(ring), HELPER(ringbuf_reserve));
}

REJECT(callback_takes_a_record, "still held when the callback returns")
{
	ASM((
		r1 = 10;
		r2 = %[takes] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(takes), HELPER(loop));
}

SUB(takes_and_gives_back)
{
	ASM((
		r1 = %[ring] ll;
		r2 = 8;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
	1:	r0 = 0;
		exit;
	), MAP(ring), HELPER(ringbuf_reserve), HELPER(ringbuf_submit));
}

ACCEPT(callback_takes_and_gives_back)
{
	ASM((
		r1 = 10;
		r2 = %[takes_and_gives_back] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(takes_and_gives_back), HELPER(loop));
}

SUB(submits_its_callers)
{
	ASM((
		r1 = *(u64 *)(r2 + 0);
		r2 = 0;
		call %[ringbuf_submit];
		r0 = 0;
		exit;
	), HELPER(ringbuf_submit));
}

REJECT(callback_gives_back_its_callers, "gives back what its caller holds")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 8;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		*(u64 *)(r10 - 8) = r0;
		r1 = 1;
		r2 = %[submits_its_callers] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r1 = *(u64 *)(r10 - 8);
		r2 = 0;
		call %[ringbuf_submit];
	1:	r0 = 0;
		exit;
	), MAP(ring), HELPER(ringbuf_reserve), HELPER(ringbuf_submit),
	   ADDRESS(submits_its_callers), HELPER(loop));
}

SUB(makes_a_tail_call)
{
	ASM((
		r1 = *(u64 *)(r2 + 0);
		r2 = %[programs] ll;
		r3 = 0;
		call %[tail_call];
		r0 = 0;
		exit;
	), MAP(programs), HELPER(tail_call));
}

REJECT(tail_call_in_a_callback, "a callback makes a tail call")
{
	ASM((
		*(u64 *)(r10 - 8) = r1;
		r1 = 1;
		r2 = %[makes_a_tail_call] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(makes_a_tail_call), HELPER(loop));
}

/* ---- callbacks in callbacks ---- */

SUB(loops_itself)
{
	ASM((
		r1 = 3;
		r3 = r2;
		r2 = %[adds_one] ll;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(adds_one), HELPER(loop));
}

ACCEPT(loop_in_a_loop)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = 10;
		r2 = %[loops_itself] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(loops_itself), HELPER(loop));
}
