/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel functions for dynptrs: clones, slices that may not be written, parts. */
// RUN: %twins
#include "twins.h"

LICENSE("GPL");
extern int bpf_dynptr_adjust(const struct bpf_dynptr *p, __u32 start, __u32 end) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *p) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *p, __u32 offset, void *buffer,
			      __u32 bytes) __ksym;
extern int bpf_dynptr_copy(struct bpf_dynptr *dst, __u32 dst_off, struct bpf_dynptr *src,
			   __u32 src_off, __u32 bytes) __ksym;

/* clang gives BTF to what C calls only */
__attribute__((used)) static void has_btf_of_them(struct bpf_dynptr *p)
{
	bpf_dynptr_adjust(p, 0, 0);
	bpf_dynptr_size(p);
	bpf_dynptr_clone(p, p);
	bpf_dynptr_slice(p, 0, 0, 0);
	bpf_dynptr_copy(p, 0, p, 0, 0);
}

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
#define SUBMIT(off)                                                                                \
	r1 = r10;                                                                                  \
	r1 += off;                                                                                 \
	r2 = 0;                                                                                    \
	call %[ringbuf_submit_dynptr];
#define LOCAL                                                                                      \
	r1 = %[buffer] ll;                                                                         \
	r2 = 64;                                                                                   \
	r3 = 0;                                                                                    \
	r4 = r10;                                                                                  \
	r4 += -16;                                                                                 \
	call %[dynptr_from_mem];
#define CLONE                                                                                      \
	r1 = r10;                                                                                  \
	r1 += -16;                                                                                 \
	r2 = r10;                                                                                  \
	r2 += -32;                                                                                 \
	call %[bpf_dynptr_clone];
#define SLICE(off)                                                                                 \
	r1 = r10;                                                                                  \
	r1 += off;                                                                                 \
	r2 = 0;                                                                                    \
	r3 = 0;                                                                                    \
	r4 = 8;                                                                                    \
	call %[bpf_dynptr_slice];
#define DATA(off)                                                                                  \
	r1 = r10;                                                                                  \
	r1 += off;                                                                                 \
	r2 = 0;                                                                                    \
	r3 = 8;                                                                                    \
	call %[dynptr_data];
#define RING                                                                                       \
	MAP(ring), HELPER(ringbuf_reserve_dynptr), HELPER(ringbuf_submit_dynptr),                  \
		ADDRESS(bpf_dynptr_clone), ADDRESS(bpf_dynptr_slice), HELPER(dynptr_data)
#define MEMORY                                                                                     \
	NUMBER(buffer, &buffer), HELPER(dynptr_from_mem), HELPER(dynptr_data),                     \
		ADDRESS(bpf_dynptr_clone), ADDRESS(bpf_dynptr_slice)

/* ---- slices ---- */

ACCEPT(slice_read)
{
	ASM((
		LOCAL
		SLICE(-16)
		if r0 == 0 goto 1f;
		r0 = *(u8 *)(r0 + 7);
	1:	exit;
	), MEMORY);
}

REJECT(slice_not_tested, "may be NULL")
{
	ASM((
		LOCAL
		SLICE(-16)
		r0 = *(u8 *)(r0 + 7);
		exit;
	), MEMORY);
}

REJECT(slice_read_behind_its_end, "outside of the memory")
{
	ASM((
		LOCAL
		SLICE(-16)
		if r0 == 0 goto 1f;
		r0 = *(u8 *)(r0 + 8);
	1:	exit;
	), MEMORY);
}

REJECT(slice_written, "read-only")
{
	ASM((
		LOCAL
		SLICE(-16)
		if r0 == 0 goto 1f;
		*(u8 *)(r0 + 0) = 1;
		r0 = 0;
	1:	exit;
	), MEMORY);
}

REJECT(slice_of_a_size_that_varies, "a constant size")
{
	ASM((
		r6 = *(u64 *)(r1 + 0);
		r6 &= 7;
		LOCAL
		r1 = r10;
		r1 += -16;
		r2 = 0;
		r3 = 0;
		r4 = r6;
		call %[bpf_dynptr_slice];
		r0 = 0;
		exit;
	), MEMORY);
}

ACCEPT(slice_with_a_buffer)
{
	ASM((
		LOCAL
		r1 = r10;
		r1 += -16;
		r2 = 0;
		r3 = r10;
		r3 += -24;
		r4 = 8;
		call %[bpf_dynptr_slice];
		if r0 == 0 goto 1f;
		r0 = *(u8 *)(r0 + 7);
	1:	exit;
	), MEMORY);
}

REJECT(slice_with_a_short_buffer, "outside of the stack")
{
	ASM((
		LOCAL
		r1 = r10;
		r1 += -16;
		r2 = 0;
		r3 = r10;
		r3 += -4;
		r4 = 8;
		call %[bpf_dynptr_slice];
		r0 = 0;
		exit;
	), MEMORY);
}

REJECT(of_what_is_no_dynptr, "no dynptr")
{
	ASM((
		*(u64 *)(r10 - 16) = 0;
		*(u64 *)(r10 - 8) = 0;
		SLICE(-16)
		r0 = 0;
		exit;
	), MEMORY);
}

/* ---- clones ---- */

ACCEPT(clone_of_memory)
{
	ASM((
		LOCAL
		CLONE
		SLICE(-32)
		if r0 == 0 goto 1f;
		r0 = *(u8 *)(r0 + 0);
	1:	exit;
	), MEMORY);
}

/* Each has an end of its own. */
ACCEPT(clone_overwritten_and_a_slice_of_the_first)
{
	ASM((
		LOCAL
		CLONE
		SLICE(-16)
		r6 = r0;
		*(u64 *)(r10 - 32) = 0;
		r0 = 0;
		if r6 == 0 goto 1f;
		r0 = *(u8 *)(r6 + 0);
	1:	exit;
	), MEMORY);
}

REJECT(clone_overwritten_and_a_slice_of_it, "which is a number")
{
	ASM((
		LOCAL
		CLONE
		SLICE(-32)
		r6 = r0;
		*(u64 *)(r10 - 32) = 0;
		r0 = 0;
		if r6 == 0 goto 1f;
		r0 = *(u8 *)(r6 + 0);
	1:	exit;
	), MEMORY);
}

ACCEPT(record_given_back_by_its_clone)
{
	ASM((
		RESERVE
		CLONE
		SUBMIT(-32)
		r0 = 0;
		exit;
	), RING);
}

REJECT(record_given_back_twice, "no dynptr")
{
	ASM((
		RESERVE
		CLONE
		SUBMIT(-32)
		SUBMIT(-16)
		r0 = 0;
		exit;
	), RING);
}

REJECT(clone_after_the_record, "no dynptr")
{
	ASM((
		RESERVE
		CLONE
		SUBMIT(-16)
		SLICE(-32)
		r0 = 0;
		exit;
	), RING);
}

REJECT(clone_is_no_record_of_its_own, "still held")
{
	ASM((
		RESERVE
		CLONE
		r0 = 0;
		exit;
	), RING);
}

REJECT(slice_of_a_clone_after_the_record, "which is a number")
{
	ASM((
		RESERVE
		CLONE
		SLICE(-32)
		r6 = r0;
		SUBMIT(-16)
		r0 = 0;
		if r6 == 0 goto 1f;
		r0 = *(u8 *)(r6 + 0);
	1:	exit;
	), RING);
}

REJECT(slice_after_the_record_that_a_clone_gave_back, "which is a number")
{
	ASM((
		RESERVE
		CLONE
		DATA(-16)
		r6 = r0;
		SUBMIT(-32)
		r0 = 0;
		if r6 == 0 goto 1f;
		*(u8 *)(r6 + 0) = 1;
	1:	exit;
	), RING);
}

SUB(slice_of_a_clone_here)
{
	ASM((
		r6 = r1;
		r2 = r10;
		r2 += -32;
		call %[bpf_dynptr_clone];
		DATA(-32)
		exit;
	), RING);
}

/* The clone is gone with its function, its slice is the record's. */
REJECT(slice_of_a_clone_that_is_gone, "which is a number")
{
	ASM((
		RESERVE
		r1 = r10;
		r1 += -16;
		call slice_of_a_clone_here;
		r6 = r0;
		SUBMIT(-16)
		r0 = 0;
		if r6 == 0 goto 1f;
		*(u8 *)(r6 + 0) = 1;
	1:	exit;
	), RING);
}

/* Attack: a slice that is NULL is taken for the record, and nobody gives that back. */
REJECT(slice_that_is_null_and_the_record, "still held")
{
	ASM((
		RESERVE
		DATA(-16)
		if r0 == 0 goto 1f;
		SUBMIT(-16)
	1:	r0 = 0;
		exit;
	), RING);
}

REJECT(clone_in_a_map, "the address of a dynptr")
{
	ASM((
		LOCAL
		r1 = r10;
		r1 += -16;
		r2 = %[buffer] ll;
		call %[bpf_dynptr_clone];
		r0 = 0;
		exit;
	), MEMORY);
}

SUB(clones_to_its_caller)
{
	ASM((
		call %[bpf_dynptr_clone];
		r0 = 0;
		exit;
	), ADDRESS(bpf_dynptr_clone));
}

REJECT(lent_one_cloned_for_later, "would outlive it")
{
	ASM((
		r1 = %[samples] ll;
		r2 = %[clones_to_its_caller] ll;
		r3 = r10;
		r3 += -16;
		r4 = 0;
		call %[user_ringbuf_drain];
		r0 = 0;
		exit;
	), MAP(samples), ADDRESS(clones_to_its_caller), HELPER(user_ringbuf_drain));
}

SUB(clones_for_itself)
{
	ASM((
		r6 = r2;
		r2 = r10;
		r2 += -32;
		call %[bpf_dynptr_clone];
		DATA(-32)
		*(u64 *)(r6 + 0) = r0;
		r0 = 0;
		exit;
	), RING);
}

ACCEPT(lent_one_cloned_in_the_callback)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = %[samples] ll;
		r2 = %[clones_for_itself] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[user_ringbuf_drain];
		r0 = 0;
		exit;
	), MAP(samples), ADDRESS(clones_for_itself), HELPER(user_ringbuf_drain));
}

REJECT(slice_of_its_clone_kept_for_later, "which is a number")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r1 = %[samples] ll;
		r2 = %[clones_for_itself] ll;
		r3 = r10;
		r3 += -8;
		r4 = 0;
		call %[user_ringbuf_drain];
		r1 = *(u64 *)(r10 - 8);
		r0 = 0;
		if r1 == 0 goto 1f;
		r0 = *(u8 *)(r1 + 0);
	1:	exit;
	), MAP(samples), ADDRESS(clones_for_itself), HELPER(user_ringbuf_drain));
}

/* ---- parts ---- */

ACCEPT(adjusted_and_given_back)
{
	ASM((
		RESERVE
		r1 = r10;
		r1 += -16;
		r2 = 4;
		r3 = 8;
		call %[bpf_dynptr_adjust];
		SUBMIT(-16)
		r0 = 0;
		exit;
	), RING, ADDRESS(bpf_dynptr_adjust));
}

ACCEPT(copied_from_one_to_the_other)
{
	ASM((
		LOCAL
		CLONE
		r1 = r10;
		r1 += -16;
		r2 = 8;
		r3 = r10;
		r3 += -32;
		r4 = 0;
		r5 = 8;
		call %[bpf_dynptr_copy];
		r0 = 0;
		exit;
	), MEMORY, ADDRESS(bpf_dynptr_copy));
}

REJECT(copied_to_plain_memory, "the address of a dynptr")
{
	ASM((
		LOCAL
		r1 = %[buffer] ll;
		r2 = 8;
		r3 = r10;
		r3 += -16;
		r4 = 0;
		r5 = 8;
		call %[bpf_dynptr_copy];
		r0 = 0;
		exit;
	), MEMORY, ADDRESS(bpf_dynptr_copy));
}

REJECT(size_of_half_a_dynptr, "no dynptr")
{
	ASM((
		LOCAL
		r1 = r10;
		r1 += -24;
		call %[bpf_dynptr_size];
		r0 = 0;
		exit;
	), MEMORY, ADDRESS(bpf_dynptr_size));
}

/* What is atomic is aligned: an odd step goes with the dynptr, and into clones. */
#define ADJUST(start)                                                                              \
	r1 = r10;                                                                                  \
	r1 += -16;                                                                                 \
	r2 = start;                                                                                \
	r3 = 32;                                                                                   \
	call %[bpf_dynptr_adjust];
#define COUNTED_AT(off)                                                                            \
	r1 = r10;                                                                                  \
	r1 += off;                                                                                 \
	r2 = 0;                                                                                    \
	r3 = 8;                                                                                    \
	call %[dynptr_data];                                                                       \
	if r0 == 0 goto 1f;                                                                        \
	r1 = 1;                                                                                    \
	lock *(u64 *)(r0 + 0) += r1;                                                               \
1:	r0 = 0;

ACCEPT(atomic_after_an_even_step)
{
	ASM((
		LOCAL
		ADJUST(8)
		CLONE
		COUNTED_AT(-32)
		exit;
	), MEMORY, ADDRESS(bpf_dynptr_adjust));
}

REJECT(atomic_after_an_odd_step, "is misaligned")
{
	ASM((
		LOCAL
		ADJUST(3)
		ADJUST(8)
		COUNTED_AT(-16)
		exit;
	), MEMORY, ADDRESS(bpf_dynptr_adjust));
}

REJECT(atomic_in_a_clone_after_an_odd_step, "is misaligned")
{
	ASM((
		LOCAL
		ADJUST(3)
		CLONE
		COUNTED_AT(-32)
		exit;
	), MEMORY, ADDRESS(bpf_dynptr_adjust));
}

ACCEPT(atomic_in_a_clone_before_an_odd_step)
{
	ASM((
		LOCAL
		CLONE
		ADJUST(3)
		COUNTED_AT(-32)
		exit;
	), MEMORY, ADDRESS(bpf_dynptr_adjust));
}
