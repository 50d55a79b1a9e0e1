/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring buffer records: given back on every path, once, and not touched afterwards. */
// RUN: %twins --kernel-helpers
#include "twins.h"

LICENSE("GPL");
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
MAP_OF(counts, HASH, __u32, __u64, 8);

#define RING MAP(ring), HELPER(ringbuf_reserve), HELPER(ringbuf_submit), HELPER(ringbuf_discard)

ACCEPT(submitted)
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		*(u64 *)(r0 + 8) = 1;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(never_given_back, "a ring buffer record is still held when the program ends")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		r0 = 0;
		exit;
	), RING);
}

REJECT(not_given_back_on_one_path, "still held")
{
	ASM((
		r6 = *(u64 *)(r1 + 112);
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		if r6 == 5 goto 1f;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_discard];
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(not_tested, "may be NULL")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
		r0 = 0;
		exit;
	), RING);
}

REJECT(given_back_twice, "must be a ring buffer record")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		r6 = r0;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
		r1 = r6;
		r2 = 0;
		call %[ringbuf_discard];
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(written_after_submit, "a number")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		r6 = r0;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
		*(u64 *)(r6 + 0) = 1;
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(copy_on_the_stack_after_submit, "a number")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		*(u64 *)(r10 - 8) = r0;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
		r1 = *(u64 *)(r10 - 8);
		*(u64 *)(r1 + 0) = 1;
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(not_the_beginning, "not the beginning")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		r1 = r0;
		r1 += 8;
		r2 = 0;
		call %[ringbuf_submit];
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(written_behind_the_record, "the record, which has 16 bytes")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		*(u64 *)(r0 + 9) = 1;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(size_not_known, "a constant size")
{
	ASM((
		r2 = *(u64 *)(r1 + 112);
		r2 &= 15;
		r1 = %[ring] ll;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(memory_of_a_map_is_no_record, "must be a ring buffer record")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
	1:	r0 = 0;
		exit;
	), RING, MAP(counts), HELPER(map_lookup_elem));
}

/* Two records, given back in either order. */
ACCEPT(two_records)
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		r6 = r0;
		r1 = %[ring] ll;
		r2 = 8;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 2f;
		r7 = r0;
		r1 = r6;
		r2 = 0;
		call %[ringbuf_submit];
		*(u64 *)(r7 + 0) = 1;
		r1 = r7;
		r2 = 0;
		call %[ringbuf_discard];
		goto 1f;
	2:	r1 = r6;
		r2 = 0;
		call %[ringbuf_discard];
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(the_same_record_for_two, "must be a ring buffer record")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		r6 = r0;
		r1 = %[ring] ll;
		r2 = 8;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 2f;
		r7 = r0;
		r1 = r6;
		r2 = 0;
		call %[ringbuf_submit];
		r1 = r6;
		r2 = 0;
		call %[ringbuf_discard];
		goto 1f;
	2:	r1 = r6;
		r2 = 0;
		call %[ringbuf_discard];
	1:	r0 = 0;
		exit;
	), RING);
}

/* A subprogram gives back what its caller took: its caller's copy is gone, too. */
SUB(gives_back)
{
	ASM((
		r2 = 0;
		call %[ringbuf_submit];
		r0 = 0;
		exit;
	), RING);
}

ACCEPT(given_back_by_a_subprogram)
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		r6 = r0;
		r1 = r0;
		call gives_back;
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(used_after_a_subprogram_gave_it_back, "a number")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		r6 = r0;
		r1 = r0;
		call gives_back;
		*(u64 *)(r6 + 0) = 1;
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(held_at_a_tail_call, "still held at the tail call")
{
	ASM((
		r7 = r1;
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		r6 = r0;
		r1 = r7;
		r2 = %[programs] ll;
		r3 = 0;
		call %[tail_call];
		r1 = r6;
		r2 = 0;
		call %[ringbuf_discard];
	1:	r0 = 0;
		exit;
	), RING, MAP(programs), HELPER(tail_call));
}

/* One each time round, none given back. */
REJECT(taken_in_a_loop, "still held")
{
	ASM((
		r6 = 0;
	2:	r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		r6 += 1;
		if r6 < 4 goto 2b;
		r0 = 0;
		exit;
	), RING);
}

ACCEPT(taken_and_given_back_in_a_loop)
{
	ASM((
		r6 = 0;
	2:	r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		r1 = r0;
		r2 = 0;
		call %[ringbuf_submit];
	1:	r6 += 1;
		if r6 < 4 goto 2b;
		r0 = 0;
		exit;
	), RING);
}

/* No record is that large: the helper gives none, and what would be done with one never runs. */
ACCEPT(size_that_cannot_be_had)
{
	ASM((
		r1 = %[ring] ll;
		r2 = -16;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		*(u64 *)(r0 + 0) = 1;
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(size_that_can_be_had, "still held")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 0x3fffffff;
		r3 = 0;
		call %[ringbuf_reserve];
		if r0 == 0 goto 1f;
		*(u64 *)(r0 + 0) = 1;
	1:	r0 = 0;
		exit;
	), RING);
}
