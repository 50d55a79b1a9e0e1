/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a proof rests on is compared where paths join. In each program two paths join that differ in
 * one number, and the rule that looks at it says so: the first path passes, the second must not stop
 * there. Without the rule's mark it does, and the program is accepted.
 */
// RUN: %twins --kernel-helpers --allow-override
#include "twins.h"

LICENSE("GPL");
MAP_OF(values, ARRAY, __u32, __u64, 8);
MAP_OF(counts, HASH, __u32, __u64, 8);
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");
char bytes[16];

SUB(nothing)
{
	ASM((
		r0 = 0;
		exit;
	));
}

SUB(bad)
{
	ASM((
		r0 = *(u8 *)(r1 + 0);
		r0 = 0;
		exit;
	));
}

SUB(indexes)
{
	ASM((
		r2 = %[bytes] ll;
		r2 += r1;
		r0 = *(u8 *)(r2 + 0);
		r0 = 0;
		exit;
	), ADDRESS(bytes));
}

/* The path of `first` is walked first; far enough from the start that a state is kept at the join. */
#define TWO(reg, first, second)                                                                    \
	r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0;                            \
	reg = second; call 7; if r0 != 0 goto 9f; reg = first; 9:

ACCEPT(offset_twin)
{
	ASM((
		TWO(r7, 1, 15);
		r1 = %[bytes] ll;
		r1 += r7;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), ADDRESS(bytes));
}

REJECT(offset, "outside of")
{
	ASM((
		TWO(r7, 1, 16);
		r1 = %[bytes] ll;
		r1 += r7;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), ADDRESS(bytes));
}

ACCEPT(decided_branch_twin)
{
	ASM((
		TWO(r7, 3, 3);
		if r7 != 3 goto 1f;
		r0 = 0;
		exit;
	1:	r0 = *(u8 *)(r7 + 0);
		exit;
	));
}

REJECT(decided_branch, "goes through r7")
{
	ASM((
		TWO(r7, 3, 4);
		if r7 != 3 goto 1f;
		r0 = 0;
		exit;
	1:	r0 = *(u8 *)(r7 + 0);
		exit;
	));
}

ACCEPT(size_twin)
{
	ASM((
		TWO(r7, 1, 16);
		r1 = r10;
		r1 += -16;
		r2 = r7;
		r3 = 0;
		call %[probe_read_user];
		r0 = 0;
		exit;
	), HELPER(probe_read_user));
}

REJECT(size, "outside of the stack")
{
	ASM((
		TWO(r7, 1, 17);
		r1 = r10;
		r1 += -16;
		r2 = r7;
		r3 = 0;
		call %[probe_read_user];
		r0 = 0;
		exit;
	), HELPER(probe_read_user));
}

ACCEPT(null_of_no_bytes_twin)
{
	ASM((
		TWO(r7, 0, 0);
		r1 = r7;
		r2 = 0;
		r3 = 0;
		call %[probe_read_user];
		r0 = 0;
		exit;
	), HELPER(probe_read_user));
}

REJECT(null_of_no_bytes, "goes through r1")
{
	ASM((
		TWO(r7, 0, 8);
		r1 = r7;
		r2 = 0;
		r3 = 0;
		call %[probe_read_user];
		r0 = 0;
		exit;
	), HELPER(probe_read_user));
}

ACCEPT(null_context_twin)
{
	ASM((
		TWO(r7, 0, 0);
		r1 = 1;
		r2 = %[nothing] ll;
		r3 = r7;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(nothing), HELPER(loop));
}

REJECT(null_context, "an address on the stack, or NULL")
{
	ASM((
		TWO(r7, 0, 8);
		r1 = 1;
		r2 = %[nothing] ll;
		r3 = r7;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(nothing), HELPER(loop));
}

ACCEPT(decided_by_the_source_twin)
{
	ASM((
		TWO(r7, 3, 3);
		r6 = 3;
		if r6 != r7 goto 1f;
		r0 = 0;
		exit;
	1:	r0 = *(u8 *)(r7 + 0);
		exit;
	));
}

REJECT(decided_by_the_source, "goes through r7")
{
	ASM((
		TWO(r7, 3, 4);
		r6 = 3;
		if r6 != r7 goto 1f;
		r0 = 0;
		exit;
	1:	r0 = *(u8 *)(r7 + 0);
		exit;
	));
}

ACCEPT(no_round_twin)
{
	ASM((
		TWO(r7, 0, 0);
		r1 = r7;
		r2 = %[bad] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(bad), HELPER(loop));
}

REJECT(no_round, "goes through r1")
{
	ASM((
		TWO(r7, 0, 1);
		r1 = r7;
		r2 = %[bad] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(bad), HELPER(loop));
}

ACCEPT(rounds_twin)
{
	ASM((
		TWO(r7, 8, 16);
		r1 = r7;
		r2 = %[indexes] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(indexes), HELPER(loop));
}

REJECT(rounds, "outside of")
{
	ASM((
		TWO(r7, 8, 17);
		r1 = r7;
		r2 = %[indexes] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(indexes), HELPER(loop));
}

ACCEPT(record_twin)
{
	ASM((
		TWO(r7, 16, 24);
		r1 = %[ring] ll;
		r2 = r7;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		*(u64 *)(r0 + 8) = 0;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
	1:	r0 = 0;
		exit;
	), MAP(ring), HELPER(ringbuf_reserve), HELPER(ringbuf_submit));
}

REJECT(record, "outside of the record")
{
	ASM((
		TWO(r7, 16, 8);
		r1 = %[ring] ll;
		r2 = r7;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		*(u64 *)(r0 + 8) = 0;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
	1:	r0 = 0;
		exit;
	), MAP(ring), HELPER(ringbuf_reserve), HELPER(ringbuf_submit));
}

ACCEPT(key_in_a_slot_twin)
{
	ASM((
		TWO(r7, 1, 7);
		*(u64 *)(r10 - 8) = r7;
		r2 = r10;
		r2 += -8;
		r1 = %[values] ll;
		call %[map_lookup_elem];
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MAP(values), HELPER(map_lookup_elem));
}

REJECT(key_in_a_slot, "may be NULL")
{
	ASM((
		TWO(r7, 1, 8);
		*(u64 *)(r10 - 8) = r7;
		r2 = r10;
		r2 += -8;
		r1 = %[values] ll;
		call %[map_lookup_elem];
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MAP(values), HELPER(map_lookup_elem));
}

ACCEPT(key_of_zeros_twin)
{
	ASM((
		*(u32 *)(r10 - 8) = 7;
		r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0;
		call %[get_prandom_u32];
		if r0 != 0 goto 1f;
		*(u32 *)(r10 - 8) = 0;
	1:	r2 = r10;
		r2 += -8;
		r1 = %[values] ll;
		call %[map_lookup_elem];
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MAP(values), HELPER(map_lookup_elem), HELPER(get_prandom_u32));
}

REJECT(key_of_zeros, "may be NULL")
{
	ASM((
		*(u32 *)(r10 - 8) = 8;
		r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0;
		call %[get_prandom_u32];
		if r0 != 0 goto 1f;
		*(u32 *)(r10 - 8) = 0;
	1:	r2 = r10;
		r2 += -8;
		r1 = %[values] ll;
		call %[map_lookup_elem];
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MAP(values), HELPER(map_lookup_elem), HELPER(get_prandom_u32));
}

ACCEPT(zeros_at_a_variable_place_twin)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r6 &= 8;
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		TWO(r7, 0, 0);
		r8 = r10;
		r8 += -16;
		r8 += r6;
		*(u64 *)(r8 + 0) = r7;
		r7 = *(u64 *)(r10 - 8);
		r1 = %[bytes] ll;
		r1 += r7;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), ADDRESS(bytes));
}

REJECT(zeros_at_a_variable_place, "outside of")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r6 &= 8;
		*(u64 *)(r10 - 8) = 0;
		*(u64 *)(r10 - 16) = 0;
		TWO(r7, 0, 100);
		r8 = r10;
		r8 += -16;
		r8 += r6;
		*(u64 *)(r8 + 0) = r7;
		r7 = *(u64 *)(r10 - 8);
		r1 = %[bytes] ll;
		r1 += r7;
		r0 = *(u8 *)(r1 + 0);
		exit;
	), ADDRESS(bytes));
}

ACCEPT(nothing_added_to_a_map_twin)
{
	ASM((
		TWO(r7, 0, 0);
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		r1 += r7;
		call %[map_delete_elem];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_delete_elem));
}

REJECT(nothing_added_to_a_map, "must be a map")
{
	ASM((
		TWO(r7, 0, 8);
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		r1 += r7;
		call %[map_delete_elem];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_delete_elem));
}

ACCEPT(never_null_twin)
{
	ASM((
		TWO(r7, 0, 0);
		r1 = %[bytes] ll;
		if r1 == r7 goto 1f;
		r0 = 0;
		exit;
	1:	r0 = *(u8 *)(r7 + 0);
		exit;
	), ADDRESS(bytes));
}

REJECT(never_null, "goes through r7")
{
	ASM((
		TWO(r7, 0, 8);
		r1 = %[bytes] ll;
		if r1 == r7 goto 1f;
		r0 = 0;
		exit;
	1:	r0 = *(u8 *)(r7 + 0);
		exit;
	), ADDRESS(bytes));
}

ACCEPT(null_in_a_register_twin)
{
	ASM((
		TWO(r7, 0, 0);
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		if r0 == r7 goto 1f;
		r0 = *(u64 *)(r0 + 0);
	1:	r0 = 0;
		exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

REJECT(null_in_a_register, "may be NULL")
{
	ASM((
		TWO(r7, 0, 8);
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		if r0 == r7 goto 1f;
		r0 = *(u64 *)(r0 + 0);
	1:	r0 = 0;
		exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

ACCEPT(called_helper_twin)
{
	ASM((
		TWO(r7, 5, 5);
		callx r7;
		r0 = 0;
		exit;
	));
}

REJECT(called_helper, "something else on another path")
{
	ASM((
		TWO(r7, 5, 9999);
		callx r7;
		r0 = 0;
		exit;
	));
}

ACCEPT_IN("uprobe.session/app:function", session_result_twin)
{
	ASM((
		TWO(r7, 0, 1);
		r0 = r7;
		exit;
	));
}

REJECT_IN("uprobe.session/app:function", session_result, "must return 0 or 1")
{
	ASM((
		TWO(r7, 0, 2);
		r0 = r7;
		exit;
	));
}

SUB(returns_0_or_1)
{
	ASM((
		TWO(r7, 0, 1);
		r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0;
		goto 8f;
	8:	r0 = r7;
		exit;
	));
}

ACCEPT(callback_result_twin)
{
	ASM((
		r1 = 1;
		r2 = %[returns_0_or_1] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(returns_0_or_1), HELPER(loop));
}

SUB(returns_0_or_2)
{
	ASM((
		TWO(r7, 0, 2);
		r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0; r0 = 0;
		goto 8f;
	8:	r0 = r7;
		exit;
	));
}

REJECT(callback_result, "must return 0 or 1")
{
	ASM((
		r1 = 1;
		r2 = %[returns_0_or_2] ll;
		r3 = 0;
		r4 = 0;
		call %[loop];
		r0 = 0;
		exit;
	), ADDRESS(returns_0_or_2), HELPER(loop));
}
