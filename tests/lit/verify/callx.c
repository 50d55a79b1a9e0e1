/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of what a register holds: the address of a function, or a helper's number. */
// RUN: %twins --kernel-helpers
#include "twins.h"

LICENSE("GPL");
MAP_OF(counts, HASH, __u32, __u64, 8);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 4);
} programs SEC(".maps");
char bytes[16];

SUB(doubled)
{
	ASM((
		r0 = r1;
		r0 += r1;
		exit;
	));
}

SUB(index_7)
{
	ASM((
		r0 = 7;
		exit;
	));
}

SUB(index_16)
{
	ASM((
		r0 = 16;
		exit;
	));
}

ACCEPT(a_function)
{
	ASM((
		r1 = 4;
		r2 = %[doubled] ll;
		callx r2;
		r1 = %[bytes] ll;
		r1 += r0;
		r0 = *(u8 *)(r1 + 7);
		exit;
	), ADDRESS(doubled), ADDRESS(bytes));
}

REJECT(result_is_too_large, "outside of")
{
	ASM((
		r1 = 8;
		r2 = %[doubled] ll;
		callx r2;
		r1 = %[bytes] ll;
		r1 += r0;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), ADDRESS(doubled), ADDRESS(bytes));
}

/* Attack: two paths differ in the function alone, and the second stops at the first one's state. */
ACCEPT(one_of_two)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r7 = %[index_7] ll;
		if r6 == 0 goto 1f;
		r7 = %[index_7] ll;
	1:	callx r7;
		r1 = %[bytes] ll;
		r1 += r0;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), ADDRESS(index_7), ADDRESS(bytes));
}

REJECT(the_other_of_two, "outside of")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r7 = %[index_16] ll;
		if r6 == 0 goto 1f;
		r7 = %[index_7] ll;
	1:	callx r7;
		r1 = %[bytes] ll;
		r1 += r0;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), ADDRESS(index_7), ADDRESS(index_16), ADDRESS(bytes));
}

/* The register is not live but for the call: a join must not forget it. */
ACCEPT(behind_a_join)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r7 = %[index_7] ll;
		if r6 == 0 goto 1f;
		r6 = 0;
	1:	r6 += 1;
		r6 += 1;
		r6 += 1;
		r6 += 1;
		r6 += 1;
		r6 += 1;
		r6 += 1;
		r6 += 1;
		if r6 == 3 goto 2f;
		r6 = 0;
	2:	callx r7;
		r0 = 0;
		exit;
	), ADDRESS(index_7));
}

REJECT(address_and_one, "must be the address of a function")
{
	ASM((
		r2 = %[doubled] ll;
		r2 += 1;
		callx r2;
		r0 = 0;
		exit;
	), ADDRESS(doubled));
}

REJECT(what_is_in_ctx, "must be the address of a function")
{
	ASM((
		r2 = *(u64 *)(r1 + 0);
		callx r2;
		r0 = 0;
		exit;
	));
}

REJECT(nothing, "nothing was put into it")
{
	ASM((
		callx r2;
		r0 = 0;
		exit;
	));
}

REJECT(arguments_are_gone, "nothing was put into it")
{
	ASM((
		r1 = 1;
		r6 = %[doubled] ll;
		callx r6;
		r0 = r1;
		exit;
	), ADDRESS(doubled));
}

/* ---- limits ---- */

static __attribute__((used)) int recursive(void);

REJECT(itself, "recursive")
{
	ASM((
		r6 = %[recursive] ll;
		callx r6;
		exit;
	), ADDRESS(recursive));
}

SUB(recursive)
{
	ASM((
		r6 = %[recursive] ll;
		callx r6;
		exit;
	), ADDRESS(recursive));
}

SUB(tail_caller)
{
	ASM((
		r2 = %[programs] ll;
		r3 = 0;
		call %[tail_call];
		r0 = 0;
		exit;
	), MAP(programs), HELPER(tail_call));
}

REJECT(tail_call_behind_an_address, "called by its address makes a tail call")
{
	ASM((
		r6 = %[tail_caller] ll;
		callx r6;
		r0 = 0;
		exit;
	), ADDRESS(tail_caller));
}

/* ---- helpers ---- */

ACCEPT(helper_number)
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		r6 = %[map_lookup_elem];
		callx r6;
		if r0 == 0 goto 1f;
		r0 = *(u64 *)(r0 + 0);
	1:	exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

REJECT(helper_number_checks_arguments, "the key of map")
{
	ASM((
		r2 = r10;
		r2 += -2;
		r1 = %[counts] ll;
		r6 = %[map_lookup_elem];
		callx r6;
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

REJECT(unknown_helper, "not supported")
{
	ASM((
		r6 = 9999;
		callx r6;
		r0 = 0;
		exit;
	));
}

REJECT(not_quite_a_helper, "must be the address of a function or the number of a helper")
{
	ASM((
		r6 = 0x100000005 ll;
		callx r6;
		r0 = 0;
		exit;
	));
}

ACCEPT(same_helper_on_both_paths)
{
	ASM((
		r7 = %[ktime_get_ns];
		r6 = *(u64 *)(r1 + 0);
		if r6 == 0 goto 1f;
		r7 = %[ktime_get_ns];
	1:	callx r7;
		r0 = 0;
		exit;
	), HELPER(ktime_get_ns));
}

REJECT(two_helpers, "something else on another path")
{
	ASM((
		r7 = %[ktime_get_ns];
		r6 = *(u64 *)(r1 + 0);
		if r6 == 0 goto 1f;
		r7 = %[get_prandom_u32];
	1:	callx r7;
		r0 = 0;
		exit;
	), HELPER(ktime_get_ns), HELPER(get_prandom_u32));
}

REJECT(helper_or_function, "something else on another path")
{
	ASM((
		r7 = %[ktime_get_ns];
		r6 = *(u64 *)(r1 + 0);
		if r6 == 0 goto 1f;
		r7 = %[index_7] ll;
	1:	callx r7;
		r0 = 0;
		exit;
	), HELPER(ktime_get_ns), ADDRESS(index_7));
}

REJECT(loop_through_a_register, "called through a register")
{
	ASM((
		r1 = 10;
		r2 = %[index_7] ll;
		r3 = 0;
		r4 = 0;
		r6 = %[loop];
		callx r6;
		r0 = 0;
		exit;
	), ADDRESS(index_7), HELPER(loop));
}
