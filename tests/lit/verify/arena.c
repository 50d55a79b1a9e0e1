/* SPDX-License-Identifier: BSD-2-Clause */
/* Arenas: any address may be accessed, and an address is good for nothing else. */
// RUN: %twins
#include "twins.h"

#define ARENA(name)                                                                                \
	struct {                                                                                   \
		__uint(type, 33); /* BPF_MAP_TYPE_ARENA, which older headers lack */               \
		__uint(map_flags, BPF_F_MMAPABLE);                                                 \
		__uint(max_entries, 4);                                                            \
	} name SEC(".maps")

ARENA(arena);
ARENA(other);
MAP_OF(counts, HASH, __u32, __u64, 8);

LICENSE("GPL");

void *bpf_arena_alloc_pages(void *map, void *addr, __u32 page_cnt, int node_id, __u64 flags) __ksym;
void bpf_arena_free_pages(void *map, void *ptr, __u32 page_cnt) __ksym;

/* clang describes the functions that C calls */
static __attribute__((used)) void declare(void)
{
	bpf_arena_free_pages(&arena, bpf_arena_alloc_pages(&arena, 0, 1, -1, 0), 1);
}

/* the program uses it: that is what an addr_space_cast is of */
#define USE "r1 = %[arena] ll;"
#define WITH(text, ...) asm volatile(USE TWINS_TEXT text : : MAP(arena), ##__VA_ARGS__)

/* ---- casts ---- */

ACCEPT(any_number_is_an_address)
{
	WITH((
		r2 = 0x123456789abcdef ll;
		r2 = addr_space_cast(r2, 0, 1);
		r0 = *(u64 *)(r2 + 32767);
		*(u32 *)(r2 - 32768) = 7;
		exit;
	));
}

REJECT(a_number_is_none, "goes through r2, which is a number")
{
	WITH((
		r2 = 0x123456789abcdef ll;
		r0 = *(u64 *)(r2 + 0);
		exit;
	));
}

REJECT(of_no_arena, "the program uses none")
{
	ASM((
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		r0 = *(u64 *)(r2 + 0);
		exit;
	));
}

REJECT(of_two_arenas, "the program uses two arenas")
{
	WITH((
		r2 = %[other] ll;
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		r0 = *(u64 *)(r2 + 0);
		exit;
	), MAP(other));
}

ACCEPT(each_its_own)
{
	ASM((
		r1 = %[other] ll;
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		r0 = *(u64 *)(r2 + 0);
		exit;
	), MAP(other));
}

ACCEPT(cast_back_is_a_number)
{
	WITH((
		r2 = 8;
		r2 = addr_space_cast(r2, 1, 0);
		r0 = r2;
		exit;
	));
}

REJECT(cast_back_goes_nowhere, "goes through r2, which is a number")
{
	WITH((
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		r2 = addr_space_cast(r2, 1, 0);
		r0 = *(u64 *)(r2 + 0);
		exit;
	));
}

REJECT(cast_of_what_is_not_set, "r7")
{
	WITH((
		r2 = addr_space_cast(r7, 0, 1);
		r0 = 0;
		exit;
	));
}

/* bf 22 01 00 02 00 00 00 */
REJECT(between_other_spaces, "from address space 1 to 0")
{
	WITH((
		r2 = 8;
		.byte 0xbf; .byte 0x22; .short 1; .long 2;
		r0 = 0;
		exit;
	));
}

/* ---- arithmetic ---- */

ACCEPT(what_is_left_is_an_address)
{
	WITH((
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		r2 *= 77;
		r2 &= 0xff;
		w2 += 1;
		r2 -= r1;
		r0 = *(u8 *)(r2 + 0);
		exit;
	));
}

ACCEPT(number_plus_address)
{
	WITH((
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		r3 = *(u32 *)(r2 + 0);
		r3 += r2;
		r0 = *(u8 *)(r3 + 0);
		exit;
	));
}

REJECT(number_or_address, "goes through r3, which is a number")
{
	WITH((
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		r3 = 16;
		r3 |= r2;
		r0 = *(u8 *)(r3 + 0);
		exit;
	));
}

REJECT(half_an_address, "goes through r3, which is a number")
{
	WITH((
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		w3 = w2;
		r3 = *(u8 *)(r3 + 0);
		exit;
	));
}

REJECT(the_stack_is_not_in_it, "goes through r2")
{
	WITH((
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		r3 = r10;
		r3 -= r2;
		r2 = r3;
		r0 = *(u8 *)(r2 + 0);
		exit;
	));
}

/* ---- accesses ---- */

ACCEPT(all_kinds)
{
	WITH((
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		r3 = 1;
		r0 = *(s8 *)(r2 + 1);
		r0 = *(s32 *)(r2 + 3);
		*(u16 *)(r2 + 1) = r3;
		lock *(u32 *)(r2 + 0) += r3;
		r3 = atomic_fetch_xor((u64 *)(r2 + 0), r3);
		r3 = xchg_64(r2 + 0, r3);
		r0 = cmpxchg_64(r2 + 0, r0, r3);
		exit;
	));
}

ACCEPT(addresses_may_be_kept_in_it)
{
	WITH((
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		*(u64 *)(r2 + 0) = r10;
		*(u64 *)(r10 - 8) = r2;
		r3 = *(u64 *)(r10 - 8);
		r0 = *(u64 *)(r3 + 0);
		exit;
	));
}

REJECT(what_is_kept_in_it_is_a_number, "goes through r2, which is a number")
{
	WITH((
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		*(u64 *)(r2 + 0) = r2;
		r2 = *(u64 *)(r2 + 0);
		r0 = *(u64 *)(r2 + 0);
		exit;
	));
}

REJECT(arena_or_stack, "through an arena on one path and through other memory on another")
{
	WITH((
		*(u64 *)(r10 - 8) = 0;
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		call %[get_prandom_u32];
		r3 = r10;
		r3 += -8;
		if r0 > 7 goto 1f;
		r3 = 8;
		r3 = addr_space_cast(r3, 0, 1);
	1:	r0 = *(u64 *)(r3 + 0);
		exit;
	), HELPER(get_prandom_u32));
}

/* ---- helpers ---- */

REJECT(as_a_key, "must be memory of the program, not of an arena")
{
	WITH((
		r2 = 8;
		r2 = addr_space_cast(r2, 0, 1);
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

REJECT(to_be_filled, "must be memory of the program, not of an arena")
{
	WITH((
		r1 = 8;
		r1 = addr_space_cast(r1, 0, 1);
		r2 = 8;
		r3 = 0;
		call %[probe_read_user];
		r0 = 0;
		exit;
	), HELPER(probe_read_user));
}

REJECT(looked_up_in, "is not for maps of type arena")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[arena] ll;
		call %[map_lookup_elem];
		r0 = 0;
		exit;
	), MAP(arena), HELPER(map_lookup_elem));
}

/* ---- pages ---- */

ACCEPT(allocated_and_freed)
{
	ASM((
		r1 = %[arena] ll;
		r2 = 0;
		r3 = 1;
		r4 = -1;
		r5 = 0;
		call %[bpf_arena_alloc_pages];
		r6 = r0;
		r2 = r0;
		r2 = addr_space_cast(r2, 0, 1);
		*(u64 *)(r2 + 0) = 1;
		r1 = %[arena] ll;
		r2 = r6;
		r3 = 1;
		call %[bpf_arena_free_pages];
		r0 = 0;
		exit;
	), MAP(arena), ADDRESS(bpf_arena_alloc_pages), ADDRESS(bpf_arena_free_pages));
}

REJECT(a_page_is_a_number, "goes through r0, which is a number")
{
	ASM((
		r1 = %[arena] ll;
		r2 = 0;
		r3 = 1;
		r4 = -1;
		r5 = 0;
		call %[bpf_arena_alloc_pages];
		*(u64 *)(r0 + 0) = 1;
		r0 = 0;
		exit;
	), MAP(arena), ADDRESS(bpf_arena_alloc_pages));
}

REJECT(pages_of_a_hash, "is not for maps of type hash")
{
	ASM((
		r1 = %[counts] ll;
		r2 = 0;
		r3 = 1;
		r4 = -1;
		r5 = 0;
		call %[bpf_arena_alloc_pages];
		r0 = 0;
		exit;
	), MAP(counts), ADDRESS(bpf_arena_alloc_pages));
}

REJECT(how_many_is_not_set, "r3")
{
	ASM((
		r1 = %[arena] ll;
		r2 = 0;
		call %[bpf_arena_free_pages];
		r0 = 0;
		exit;
	), MAP(arena), ADDRESS(bpf_arena_free_pages));
}

REJECT(freeing_gives_nothing, "r0")
{
	ASM((
		r1 = %[arena] ll;
		r2 = 0;
		r3 = 1;
		call %[bpf_arena_free_pages];
		exit;
	), MAP(arena), ADDRESS(bpf_arena_free_pages));
}
