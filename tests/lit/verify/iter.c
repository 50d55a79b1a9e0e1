/* SPDX-License-Identifier: BSD-2-Clause */
/* Open-coded iterators: made, stepped and ended by kernel functions only; loops around them end. */
// RUN: %twins
#include "twins.h"

LICENSE("GPL");
struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

/* clang gives BTF to what C calls only */
__attribute__((used)) static void has_btf_of_them(void)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 0);
	bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
}

MAP_OF(counts, HASH, __u32, __u64, 8);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} progs SEC(".maps");
unsigned char table[64];

#define AT(off)                                                                                    \
	r1 = r10;                                                                                  \
	r1 += off;
#define NEW_AT(off)                                                                                \
	AT(off)                                                                                    \
	r2 = 0;                                                                                    \
	r3 = 1000;                                                                                 \
	call %[bpf_iter_num_new];
#define NEXT_AT(off)                                                                               \
	AT(off)                                                                                    \
	call %[bpf_iter_num_next];
#define DESTROY_AT(off)                                                                            \
	AT(off)                                                                                    \
	call %[bpf_iter_num_destroy];
#define NEW NEW_AT(-8)
#define NEXT NEXT_AT(-8)
#define DESTROY DESTROY_AT(-8)
#define ITER ADDRESS(bpf_iter_num_new), ADDRESS(bpf_iter_num_next), ADDRESS(bpf_iter_num_destroy)

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
