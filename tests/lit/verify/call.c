/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments and results of helpers; calls of subprograms and what they return. */
// RUN: %twins --kernel-helpers
#include "twins.h"

LICENSE("GPL");
MAP_OF(counts, HASH, __u32, __u64, 8);
MAP_OF(stacks, HASH, __u32, __u64[8], 8);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 4);
} programs SEC(".maps");

/* ---- maps, keys and values ---- */

REJECT(map_is_a_number, "must be a map")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = 0;
		call %[map_lookup_elem];
		r0 = 0;
		exit;
	), HELPER(map_lookup_elem));
}

REJECT(map_with_an_offset, "must be a map")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		r1 += 8;
		call %[map_lookup_elem];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

ACCEPT(key_at_the_end_of_the_stack)
{
	ASM((
		*(u32 *)(r10 - 512) = 0;
		r2 = r10;
		r2 += -512;
		r1 = %[counts] ll;
		call %[map_delete_elem];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_delete_elem));
}

REJECT(key_reaches_out_of_the_stack, "outside of the stack")
{
	ASM((
		*(u16 *)(r10 - 2) = 0;
		r2 = r10;
		r2 += -2;
		r1 = %[counts] ll;
		call %[map_delete_elem];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_delete_elem));
}

REJECT(key_is_not_set, "r2 is read")
{
	ASM((
		r1 = %[counts] ll;
		call %[map_delete_elem];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_delete_elem));
}

REJECT(key_in_ctx, "not ctx")
{
	ASM((
		r2 = r1;
		r1 = %[counts] ll;
		call %[map_delete_elem];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_delete_elem));
}

ACCEPT(value_in_the_value_of_another_map)
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[stacks] ll;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r3 = r0;
		r3 += 56;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		r4 = 0;
		call %[map_update_elem];
	1:	r0 = 0;
		exit;
	), MAP(counts), MAP(stacks), HELPER(map_lookup_elem), HELPER(map_update_elem));
}

REJECT(value_reaches_out_of_the_value_of_another_map, "64 bytes")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[stacks] ll;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r3 = r0;
		r3 += 57;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		r4 = 0;
		call %[map_update_elem];
	1:	r0 = 0;
		exit;
	), MAP(counts), MAP(stacks), HELPER(map_lookup_elem), HELPER(map_update_elem));
}

REJECT(flags_are_not_set, "r4 is read")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r2 = r10;
		r2 += -8;
		r3 = r10;
		r3 += -8;
		r1 = %[counts] ll;
		call %[map_update_elem];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_update_elem));
}

/* ---- memory and its size ---- */

ACCEPT(size_up_to_the_buffer)
{
	ASM((
		r2 = *(u64 *)(r1 + 112);
		if r2 > 16 goto 1f;
		r1 = r10;
		r1 += -16;
		r3 = 0;
		call %[probe_read_user];
	1:	r0 = 0;
		exit;
	), HELPER(probe_read_user));
}

REJECT(size_one_above_the_buffer, "outside of the stack")
{
	ASM((
		r2 = *(u64 *)(r1 + 112);
		if r2 > 17 goto 1f;
		r1 = r10;
		r1 += -16;
		r3 = 0;
		call %[probe_read_user];
	1:	r0 = 0;
		exit;
	), HELPER(probe_read_user));
}

REJECT(size_may_be_negative, "can be negative")
{
	ASM((
		r2 = *(u64 *)(r1 + 112);
		if r2 s> 16 goto 1f;
		r1 = r10;
		r1 += -16;
		r3 = 0;
		call %[probe_read_user];
	1:	r0 = 0;
		exit;
	), HELPER(probe_read_user));
}

REJECT(size_is_a_pointer, "is a pointer")
{
	ASM((
		r2 = r1;
		r1 = r10;
		r1 += -16;
		r3 = 0;
		call %[probe_read_user];
		r0 = 0;
		exit;
	), HELPER(probe_read_user));
}

ACCEPT(size_of_one)
{
	ASM((
		r1 = r10;
		r1 += -16;
		r2 = 1;
		call %[get_current_comm];
		r0 = 0;
		exit;
	), HELPER(get_current_comm));
}

REJECT(size_of_zero, "can be 0")
{
	ASM((
		r1 = r10;
		r1 += -16;
		r2 = 0;
		call %[get_current_comm];
		r0 = 0;
		exit;
	), HELPER(get_current_comm));
}

ACCEPT(buffer_of_no_bytes)
{
	ASM((
		r1 = 0;
		r2 = 0;
		r3 = 0;
		call %[probe_read_user];
		r0 = 0;
		exit;
	), HELPER(probe_read_user));
}

REJECT(buffer_of_one_byte_at_null, "a number")
{
	ASM((
		r1 = 0;
		r2 = 1;
		r3 = 0;
		call %[probe_read_user];
		r0 = 0;
		exit;
	), HELPER(probe_read_user));
}

/* A helper that fills a buffer leaves no spilled pointer in it. */
REJECT(pointer_overwritten_by_a_helper, "a number")
{
	ASM((
		*(u64 *)(r10 - 8) = r1;
		r1 = r10;
		r1 += -8;
		r2 = 8;
		r3 = 0;
		call %[probe_read_user];
		r1 = *(u64 *)(r10 - 8);
		r0 = *(u64 *)(r1 + 0);
		exit;
	), HELPER(probe_read_user));
}

ACCEPT(pointer_beside_what_a_helper_writes)
{
	ASM((
		*(u64 *)(r10 - 8) = r1;
		r1 = r10;
		r1 += -16;
		r2 = 8;
		r3 = 0;
		call %[probe_read_user];
		r1 = *(u64 *)(r10 - 8);
		r0 = *(u64 *)(r1 + 0);
		exit;
	), HELPER(probe_read_user));
}

ACCEPT(result_of_strtol)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = r10;
		r1 += -8;
		r2 = 8;
		r3 = 0;
		r4 = r10;
		r4 += -16;
		call %[strtol];
		r0 = 0;
		exit;
	), HELPER(strtol));
}

REJECT(result_of_strtol_is_8_bytes, "outside of the stack")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = r10;
		r1 += -8;
		r2 = 8;
		r3 = 0;
		r4 = r10;
		r4 += -4;
		call %[strtol];
		r0 = 0;
		exit;
	), HELPER(strtol));
}

/* ---- ctx ---- */

ACCEPT(ctx_as_it_was_given)
{
	ASM((
		call %[get_attach_cookie];
		exit;
	), HELPER(get_attach_cookie));
}

REJECT(ctx_with_an_offset, "ctx, as it was given")
{
	ASM((
		r1 += 8;
		call %[get_attach_cookie];
		exit;
	), HELPER(get_attach_cookie));
}

REJECT(ctx_is_a_number, "ctx, as it was given")
{
	ASM((
		r1 = 0;
		call %[get_attach_cookie];
		exit;
	), HELPER(get_attach_cookie));
}

/* ---- constant strings ---- */

static const char pattern[8] = "abc";
static const char endless[4] = {'a', 'b', 'c', 'd'};
char writable[8];

ACCEPT(string_in_rodata)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = r10;
		r1 += -8;
		r2 = 8;
		r3 = %[pattern] ll;
		call %[strncmp];
		exit;
	), MAP(pattern), HELPER(strncmp));
}

REJECT(string_that_may_change, "cannot change")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = r10;
		r1 += -8;
		r2 = 8;
		r3 = %[writable] ll;
		call %[strncmp];
		exit;
	), MAP(writable), HELPER(strncmp));
}

REJECT(string_on_the_stack, "constant string")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = r10;
		r1 += -8;
		r2 = 8;
		r3 = r10;
		r3 += -8;
		call %[strncmp];
		exit;
	), HELPER(strncmp));
}

/* ---- what is allowed ---- */

REJECT(unknown_helper, "helper unknown (999) is not supported")
{
	ASM((
		call 999;
		exit;
	));
}

REJECT(helper_of_other_programs, "is not supported")
{
	ASM((
		call %[skb_store_bytes];
		exit;
	), HELPER(skb_store_bytes));
}

REJECT(helper_that_sleeps, "may sleep")
{
	ASM((
		r1 = r10;
		r1 += -8;
		r2 = 8;
		r3 = 0;
		call %[copy_from_user];
		exit;
	), HELPER(copy_from_user));
}

ACCEPT_IN("uprobe.s/app:function", helper_that_sleeps_where_it_may)
{
	ASM((
		r1 = r10;
		r1 += -8;
		r2 = 8;
		r3 = 0;
		call %[copy_from_user];
		exit;
	), HELPER(copy_from_user));
}

REJECT(write_to_the_target, "writes to the target")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = 0;
		r2 = r10;
		r2 += -8;
		r3 = 8;
		call %[probe_write_user];
		exit;
	), HELPER(probe_write_user));
}

REJECT(timers, "not for probes")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = r10;
		r1 += -8;
		r2 = %[counts] ll;
		r3 = 0;
		call %[timer_init];
		exit;
	), MAP(counts), HELPER(timer_init));
}

/* ---- results ---- */

ACCEPT(length_of_a_string)
{
	ASM((
		r1 = r10;
		r1 += -16;
		r2 = 16;
		r3 = 0;
		call %[probe_read_user_str];
		if r0 s< 1 goto 1f;
		r1 = r10;
		r1 += -17;
		r1 += r0;
		r0 = *(u8 *)(r1 + 0);
	1:	exit;
	), HELPER(probe_read_user_str));
}

REJECT(length_of_a_string_may_be_an_error, "outside of the stack")
{
	ASM((
		r1 = r10;
		r1 += -16;
		r2 = 16;
		r3 = 0;
		call %[probe_read_user_str];
		r1 = r10;
		r1 += -16;
		r1 += r0;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), HELPER(probe_read_user_str));
}

REJECT(result_of_a_void_helper, "r0 is read")
{
	ASM((
		r6 = r1;
		r2 = %[programs] ll;
		r3 = 0;
		call %[tail_call];
		r1 = r0;
		r0 = 0;
		exit;
	), MAP(programs), HELPER(tail_call));
}

ACCEPT(r6_stays)
{
	ASM((
		r6 = r1;
		call %[ktime_get_ns];
		r0 = *(u64 *)(r6 + 0);
		exit;
	), HELPER(ktime_get_ns));
}

REJECT(r1_does_not_stay, "r1 is read")
{
	ASM((
		call %[ktime_get_ns];
		r0 = *(u64 *)(r1 + 0);
		exit;
	), HELPER(ktime_get_ns));
}

/* ---- subprograms ---- */

SUB(first)
{
	ASM((
		r0 = *(u64 *)(r1 + 0);
		r6 = 0;
		exit;
	));
}

ACCEPT(subprogram_reads_through_its_argument)
{
	ASM((
		*(u64 *)(r10 - 8) = 7;
		r6 = r1;
		r1 = r10;
		r1 += -8;
		call first;
		r0 = *(u64 *)(r6 + 0);
		exit;
	));
}

REJECT(subprogram_gets_a_number, "a number")
{
	ASM((
		r1 = 7;
		call first;
		exit;
	));
}

REJECT(r2_after_a_subprogram, "r2 is read")
{
	ASM((
		*(u64 *)(r10 - 8) = 7;
		r1 = r10;
		r1 += -8;
		r2 = 0;
		call first;
		r0 = r2;
		exit;
	));
}

SUB(reads_r6)
{
	ASM((
		r0 = r6;
		exit;
	));
}

REJECT(subprogram_has_no_r6, "r6 is read")
{
	ASM((
		r6 = 1;
		call reads_r6;
		exit;
	));
}

SUB(its_stack)
{
	ASM((
		r0 = r10;
		r0 += -8;
		exit;
	));
}

REJECT(subprogram_returns_its_stack, "returns an address on the stack")
{
	ASM((
		call its_stack;
		r0 = 0;
		exit;
	));
}

SUB(keeps_its_stack)
{
	ASM((
		r2 = r10;
		r2 += -8;
		*(u64 *)(r1 + 0) = r2;
		r0 = 0;
		exit;
	));
}

REJECT(subprogram_leaves_its_stack_behind, "outlive")
{
	ASM((
		r1 = r10;
		r1 += -8;
		call keeps_its_stack;
		exit;
	));
}

SUB(fills)
{
	ASM((
		*(u64 *)(r1 + 0) = 5;
		r0 = 0;
		exit;
	));
}

/* What a subprogram writes into its caller's stack is known to the caller. */
ACCEPT(subprogram_fills_in_a_number)
{
	ASM((
		r1 = r10;
		r1 += -8;
		call fills;
		r1 = *(u64 *)(r10 - 8);
		r2 = r10;
		r2 += -16;
		r2 += r1;
		r0 = *(u8 *)(r2 + 10);
		exit;
	));
}

REJECT(subprogram_fills_over_a_pointer, "a number")
{
	ASM((
		*(u64 *)(r10 - 8) = r1;
		r1 = r10;
		r1 += -8;
		call fills;
		r1 = *(u64 *)(r10 - 8);
		r0 = *(u64 *)(r1 + 0);
		exit;
	));
}

/* ---- tail calls ---- */

ACCEPT(tail_call_may_come_back)
{
	ASM((
		r2 = %[programs] ll;
		r3 = 0;
		call %[tail_call];
		r0 = 0;
		exit;
	), MAP(programs), HELPER(tail_call));
}

SUB(makes_a_tail_call)
{
	ASM((
		r2 = %[programs] ll;
		r3 = 0;
		call %[tail_call];
		r0 = 0;
		exit;
	), MAP(programs), HELPER(tail_call));
}

ACCEPT(callers_of_240_bytes)
{
	ASM((
		*(u64 *)(r10 - 240) = 0;
		call makes_a_tail_call;
		r0 = 0;
		exit;
	));
}

/* 33 of them follow each other, and each stays on the stack. */
REJECT(callers_of_256_bytes, "its callers have 256 bytes of stack")
{
	ASM((
		*(u64 *)(r10 - 248) = 0;
		call makes_a_tail_call;
		r0 = 0;
		exit;
	));
}

SUB(in_between)
{
	ASM((
		*(u64 *)(r10 - 128) = 0;
		call makes_a_tail_call;
		r0 = 0;
		exit;
	));
}

ACCEPT(two_callers_of_240_bytes)
{
	ASM((
		*(u64 *)(r10 - 112) = 0;
		call in_between;
		r0 = 0;
		exit;
	));
}

REJECT(two_callers_of_256_bytes, "its callers have 256 bytes of stack")
{
	ASM((
		*(u64 *)(r10 - 128) = 0;
		call in_between;
		r0 = 0;
		exit;
	));
}

REJECT(tail_call_into_a_hash, "is not for maps of type hash")
{
	ASM((
		r2 = %[counts] ll;
		r3 = 0;
		call %[tail_call];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(tail_call));
}

SUB(goes_elsewhere)
{
	ASM((
		r2 = %[programs] ll;
		r3 = 0;
		call %[tail_call];
		r0 = 4;
		exit;
	), MAP(programs), HELPER(tail_call));
}

/* The result may be another program's. */
REJECT(result_of_a_tail_call, "outside of the stack")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		call goes_elsewhere;
		r1 = r10;
		r1 += -8;
		r1 += r0;
		r0 = *(u8 *)(r1 + 0);
		exit;
	));
}

ACCEPT(result_of_a_tail_call_bounded)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		call goes_elsewhere;
		r0 &= 7;
		r1 = r10;
		r1 += -8;
		r1 += r0;
		r0 = *(u8 *)(r1 + 0);
		exit;
	));
}
