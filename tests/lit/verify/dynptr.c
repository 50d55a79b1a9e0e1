/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynptrs: made and used by helpers only; their slices go with them. */
// RUN: %twins --kernel-helpers
#include "twins.h"

LICENSE("GPL");
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} samples SEC(".maps");
char buffer[64];

#define RESERVE                                                                                    \
	r1 = %[ring] ll;                                                                           \
	r2 = 16;                                                                                   \
	r3 = 0;                                                                                    \
	r4 = r10;                                                                                  \
	r4 += -16;                                                                                 \
	call %[ringbuf_reserve_dynptr];
#define SUBMIT                                                                                     \
	r1 = r10;                                                                                  \
	r1 += -16;                                                                                 \
	r2 = 0;                                                                                    \
	call %[ringbuf_submit_dynptr];
#define LOCAL                                                                                      \
	r1 = %[buffer] ll;                                                                         \
	r2 = 64;                                                                                   \
	r3 = 0;                                                                                    \
	r4 = r10;                                                                                  \
	r4 += -16;                                                                                 \
	call %[dynptr_from_mem];
#define SLICE                                                                                      \
	r1 = r10;                                                                                  \
	r1 += -16;                                                                                 \
	r2 = 0;                                                                                    \
	r3 = 8;                                                                                    \
	call %[dynptr_data];
#define RING MAP(ring), HELPER(ringbuf_reserve_dynptr), HELPER(ringbuf_submit_dynptr)
#define MEMORY MAP(buffer), HELPER(dynptr_from_mem), HELPER(dynptr_data)

ACCEPT(submitted)
{
	ASM((
		RESERVE
		SUBMIT
		r0 = 0;
		exit;
	), RING);
}

REJECT(never_given_back, "a dynptr of a ring buffer record is still held")
{
	ASM((
		RESERVE
		r0 = 0;
		exit;
	), RING);
}

/* Also one that could not be reserved is given back. */
REJECT(not_given_back_after_an_error, "still held")
{
	ASM((
		RESERVE
		if r0 != 0 goto 1f;
		SUBMIT
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(given_back_twice, "no dynptr")
{
	ASM((
		RESERVE
		SUBMIT
		SUBMIT
		r0 = 0;
		exit;
	), RING);
}

REJECT(overwritten_record, "is overwritten")
{
	ASM((
		RESERVE
		*(u64 *)(r10 - 8) = 0;
		SUBMIT
		r0 = 0;
		exit;
	), RING);
}

REJECT(read_directly, "directly")
{
	ASM((
		RESERVE
		r6 = *(u64 *)(r10 - 16);
		SUBMIT
		r0 = 0;
		exit;
	), RING);
}

REJECT(read_by_a_helper, "directly")
{
	ASM((
		RESERVE
		r1 = 0;
		r1 = %[ring] ll;
		r2 = r10;
		r2 += -16;
		r3 = 16;
		r4 = 0;
		call %[ringbuf_output];
		SUBMIT
		r0 = 0;
		exit;
	), RING, HELPER(ringbuf_output));
}

REJECT(written_by_a_helper, "is overwritten")
{
	ASM((
		RESERVE
		r1 = r10;
		r1 += -24;
		r2 = 16;
		r3 = 0;
		call %[probe_read_user];
		SUBMIT
		r0 = 0;
		exit;
	), RING, HELPER(probe_read_user));
}

REJECT(made_over_a_record, "is overwritten")
{
	ASM((
		RESERVE
		RESERVE
		SUBMIT
		r0 = 0;
		exit;
	), RING);
}

REJECT(half_of_it, "no dynptr")
{
	ASM((
		RESERVE
		r1 = r10;
		r1 += -24;
		r2 = 0;
		call %[ringbuf_submit_dynptr];
		r0 = 0;
		exit;
	), RING);
}

REJECT(not_aligned, "aligned to 8")
{
	ASM((
		r1 = %[ring] ll;
		r2 = 16;
		r3 = 0;
		r4 = r10;
		r4 += -20;
		call %[ringbuf_reserve_dynptr];
		r0 = 0;
		exit;
	), RING);
}

REJECT(numbers_are_no_dynptr, "no dynptr")
{
	ASM((
		*(u64 *)(r10 - 16) = 0;
		*(u64 *)(r10 - 8) = 0;
		SLICE
		r0 = 0;
		exit;
	), MEMORY);
}

ACCEPT(local)
{
	ASM((
		LOCAL
		SLICE
		if r0 == 0 goto 1f;
		r0 = *(u64 *)(r0 + 0);
	1:	r0 = 0;
		exit;
	), MEMORY);
}

REJECT(slice_not_tested, "may be NULL")
{
	ASM((
		LOCAL
		SLICE
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MEMORY);
}

REJECT(behind_the_slice, "8 bytes")
{
	ASM((
		LOCAL
		SLICE
		if r0 == 0 goto 1f;
		r0 = *(u8 *)(r0 + 8);
	1:	r0 = 0;
		exit;
	), MEMORY);
}

REJECT(local_is_not_submitted, "must be one of a ring")
{
	ASM((
		LOCAL
		SUBMIT
		r0 = 0;
		exit;
	), MEMORY, RING);
}

REJECT(memory_on_the_stack, "memory in a map's value")
{
	ASM((
		*(u64 *)(r10 - 24) = 0;
		r1 = r10;
		r1 += -24;
		r2 = 8;
		r3 = 0;
		r4 = r10;
		r4 += -16;
		call %[dynptr_from_mem];
		r0 = 0;
		exit;
	), HELPER(dynptr_from_mem));
}

ACCEPT(local_overwritten)
{
	ASM((
		LOCAL
		*(u64 *)(r10 - 16) = 0;
		r0 = *(u64 *)(r10 - 16);
		exit;
	), MEMORY);
}

REJECT(slice_of_a_dynptr_that_was_overwritten, "a number")
{
	ASM((
		LOCAL
		SLICE
		if r0 == 0 goto 1f;
		*(u64 *)(r10 - 8) = 0;
		r0 = *(u64 *)(r0 + 0);
	1:	r0 = 0;
		exit;
	), MEMORY);
}

REJECT(slice_after_submit, "a number")
{
	ASM((
		RESERVE
		SLICE
		r6 = r0;
		if r0 == 0 goto 1f;
		*(u64 *)(r6 + 0) = 1;
	1:	SUBMIT
		if r6 == 0 goto 2f;
		*(u64 *)(r6 + 0) = 1;
	2:	r0 = 0;
		exit;
	), RING, HELPER(dynptr_data));
}

ACCEPT(slice_before_submit)
{
	ASM((
		RESERVE
		SLICE
		if r0 == 0 goto 1f;
		*(u64 *)(r0 + 0) = 1;
	1:	SUBMIT
		r0 = 0;
		exit;
	), RING, HELPER(dynptr_data));
}

/* A slice that is NULL is no record that is gone. */
REJECT(null_slice_gives_nothing_back, "still held")
{
	ASM((
		RESERVE
		SLICE
		if r0 != 0 goto 1f;
		r0 = 0;
		exit;
	1:	SUBMIT
		r0 = 0;
		exit;
	), RING, HELPER(dynptr_data));
}

SUB(reads_a_sample)
{
	ASM((
		r6 = r2;
		r3 = r1;
		r1 = r10;
		r1 += -8;
		r2 = 8;
		r4 = 0;
		r5 = 0;
		call %[dynptr_read];
		r0 = 0;
		exit;
	), HELPER(dynptr_read));
}

ACCEPT(sample)
{
	ASM((
		r1 = %[samples] ll;
		r2 = %[reads_a_sample] ll;
		r3 = 0;
		r4 = 0;
		call %[user_ringbuf_drain];
		r0 = 0;
		exit;
	), MAP(samples), ADDRESS(reads_a_sample), HELPER(user_ringbuf_drain));
}

SUB(keeps_a_slice)
{
	ASM((
		r6 = r2;
		r2 = 0;
		r3 = 8;
		call %[dynptr_data];
		*(u64 *)(r6 + 0) = r0;
		r0 = 0;
		exit;
	), HELPER(dynptr_data));
}

REJECT(slice_of_a_sample_that_is_gone, "goes through r1")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = %[samples] ll;
		r2 = %[keeps_a_slice] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[user_ringbuf_drain];
		r1 = *(u64 *)(r10 - 8);
		if r1 == 0 goto 1f;
		r0 = *(u64 *)(r1 + 0);
	1:	r0 = 0;
		exit;
	), MAP(samples), ADDRESS(keeps_a_slice), HELPER(user_ringbuf_drain));
}

/* Any number may be added to a pointer; the sum does not fit where it is used. */
REJECT(half_of_all_memory_away, "16 bytes of stack")
{
	ASM((
		LOCAL
		r1 = r10;
		r1 += -16;
		r2 = 0x8000000000000001 ll;
		r1 += r2;
		r2 = 0;
		r3 = 8;
		call %[dynptr_data];
		r0 = 0;
		exit;
	), MEMORY);
}

/* What is atomic is aligned: the slice begins where the dynptr does, and at a multiple of 8 from there. */
#define MADE_OF(from)                                                                              \
	r1 = %[buffer] ll;                                                                         \
	r1 += from;                                                                                \
	r2 = 32;                                                                                   \
	r3 = 0;                                                                                    \
	r4 = r10;                                                                                  \
	r4 += -16;                                                                                 \
	call %[dynptr_from_mem];
#define COUNTED_AT(offset)                                                                         \
	r1 = r10;                                                                                  \
	r1 += -16;                                                                                 \
	r2 = offset;                                                                               \
	r3 = 8;                                                                                    \
	call %[dynptr_data];                                                                       \
	if r0 == 0 goto 1f;                                                                        \
	r1 = 1;                                                                                    \
	lock *(u64 *)(r0 + 0) += r1;                                                               \
1:	r0 = 0;

ACCEPT(atomic_in_a_slice)
{
	ASM((
		MADE_OF(8)
		COUNTED_AT(16)
		exit;
	), MEMORY);
}

REJECT(atomic_in_a_slice_from_byte_3, "is misaligned")
{
	ASM((
		MADE_OF(8)
		COUNTED_AT(3)
		exit;
	), MEMORY);
}

REJECT(atomic_in_a_dynptr_from_byte_3, "is misaligned")
{
	ASM((
		MADE_OF(3)
		COUNTED_AT(16)
		exit;
	), MEMORY);
}

REJECT(atomic_in_a_slice_from_any_byte, "is misaligned")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		MADE_OF(8)
		COUNTED_AT(r6)
		exit;
	), MEMORY);
}

ACCEPT(atomic_in_a_slice_from_any_word)
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r6 <<= 3;
		MADE_OF(8)
		COUNTED_AT(r6)
		exit;
	), MEMORY);
}

/* The second path is not taken for the first: it rests on the offset. */
REJECT(atomic_in_a_slice_that_is_odd_on_one_path, "is misaligned")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		MADE_OF(8)
		r7 = 8;
		if r6 == 0 goto 2f;
		r7 = 9;
	2:	r6 = 0;
		r8 = 0;
		r8 = 0;
		r8 = 0;
		r8 = 0;
		goto 3f;
	3:	COUNTED_AT(r7)
		exit;
	), MEMORY);
}

ACCEPT(plain_store_to_a_slice_from_byte_3)
{
	ASM((
		MADE_OF(3)
		r1 = r10;
		r1 += -16;
		r2 = 3;
		r3 = 8;
		call %[dynptr_data];
		if r0 == 0 goto 1f;
		r1 = 1;
		*(u64 *)(r0 + 0) = r1;
	1:	r0 = 0;
		exit;
	), MEMORY);
}
