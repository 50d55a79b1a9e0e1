/* SPDX-License-Identifier: BSD-2-Clause */
/* Which helpers go with which maps; keys that are known; maps of maps; maps that are read-only. */
// RUN: %twins --kernel-helpers
#include "twins.h"

LICENSE("GPL");
MAP_OF(counts, HASH, __u32, __u64, 8);
MAP_OF(array, ARRAY, __u32, __u64, 8);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 8);
	__uint(map_flags, BPF_F_RDONLY_PROG);
} locked SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 8);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 4);
	__array(values, struct inner);
} outer SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__type(value, __u64);
	__uint(max_entries, 8);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__type(value, __u64);
	__uint(max_entries, 8);
} bloom SEC(".maps");

/* ---- types ---- */

ACCEPT(pop_of_a_queue)
{
	ASM((
		r2 = r10;
		r2 += -8;
		r1 = %[queue] ll;
		call %[map_pop_elem];
		r0 = *(u64 *)(r10 - 8);
		exit;
	), MAP(queue), HELPER(map_pop_elem));
}

REJECT(pop_of_a_hash, "is not for maps of type hash")
{
	ASM((
		r2 = r10;
		r2 += -8;
		r1 = %[counts] ll;
		call %[map_pop_elem];
		exit;
	), MAP(counts), HELPER(map_pop_elem));
}

REJECT(lookup_in_a_queue, "is not for maps of type queue")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r2 = r10;
		r2 += -8;
		r1 = %[queue] ll;
		call %[map_lookup_elem];
		r0 = 0;
		exit;
	), MAP(queue), HELPER(map_lookup_elem));
}

REJECT(pop_needs_room_for_the_value, "outside of the stack")
{
	ASM((
		r2 = r10;
		r2 += -4;
		r1 = %[queue] ll;
		call %[map_pop_elem];
		exit;
	), MAP(queue), HELPER(map_pop_elem));
}

ACCEPT(peek_of_a_bloom_filter)
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r2 = r10;
		r2 += -8;
		r1 = %[bloom] ll;
		call %[map_peek_elem];
		exit;
	), MAP(bloom), HELPER(map_peek_elem));
}

REJECT(pop_of_a_bloom_filter, "is not for maps of type bloom_filter")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r2 = r10;
		r2 += -8;
		r1 = %[bloom] ll;
		call %[map_pop_elem];
		exit;
	), MAP(bloom), HELPER(map_pop_elem));
}

REJECT(stack_id_in_a_hash, "is not for maps of type hash")
{
	ASM((
		r2 = %[counts] ll;
		r3 = 0;
		call %[get_stackid];
		exit;
	), MAP(counts), HELPER(get_stackid));
}

/* ---- read-only ---- */

ACCEPT(lookup_in_a_read_only_map)
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[locked] ll;
		call %[map_lookup_elem];
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MAP(locked), HELPER(map_lookup_elem));
}

REJECT(store_into_a_read_only_map, "read-only")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[locked] ll;
		call %[map_lookup_elem];
		*(u64 *)(r0 + 0) = 1;
		r0 = 0;
		exit;
	), MAP(locked), HELPER(map_lookup_elem));
}

REJECT(update_of_a_read_only_map, "read-only for programs")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r2 = r10;
		r2 += -8;
		r3 = r2;
		r4 = 0;
		r1 = %[locked] ll;
		call %[map_update_elem];
		exit;
	), MAP(locked), HELPER(map_update_elem));
}

/* ---- keys that are known ---- */

ACCEPT(array_key_inside)
{
	ASM((
		*(u32 *)(r10 - 8) = 7;
		r2 = r10;
		r2 += -8;
		r1 = %[array] ll;
		call %[map_lookup_elem];
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MAP(array), HELPER(map_lookup_elem));
}

REJECT(array_key_one_too_many, "may be NULL")
{
	ASM((
		*(u32 *)(r10 - 8) = 8;
		r2 = r10;
		r2 += -8;
		r1 = %[array] ll;
		call %[map_lookup_elem];
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MAP(array), HELPER(map_lookup_elem));
}

REJECT(hash_key, "may be NULL")
{
	ASM((
		*(u32 *)(r10 - 8) = 0;
		r2 = r10;
		r2 += -8;
		r1 = %[counts] ll;
		call %[map_lookup_elem];
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

/* Two paths meet before the call: one with a key inside, one without. */
REJECT(array_key_of_another_path, "may be NULL")
{
	ASM((
		r6 = *(u64 *)(r1 + 112);
		r7 = 7;
		if r6 == 0 goto 1f;
		r7 = 9;
	1:	*(u32 *)(r10 - 8) = r7;
		r2 = r10;
		r2 += -8;
		r1 = %[array] ll;
		call %[map_lookup_elem];
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MAP(array), HELPER(map_lookup_elem));
}

ACCEPT(array_keys_of_both_paths)
{
	ASM((
		r6 = *(u64 *)(r1 + 112);
		r7 = 7;
		if r6 == 0 goto 1f;
		r7 = 6;
	1:	*(u32 *)(r10 - 8) = r7;
		r2 = r10;
		r2 += -8;
		r1 = %[array] ll;
		call %[map_lookup_elem];
		r0 = *(u64 *)(r0 + 0);
		exit;
	), MAP(array), HELPER(map_lookup_elem));
}

/* ---- maps of maps ---- */

ACCEPT(inner_map_tested)
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[outer] ll;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r1 = r0;
		r2 = r10;
		r2 += -4;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r0 = *(u64 *)(r0 + 0);
	1:	exit;
	), MAP(outer), HELPER(map_lookup_elem));
}

REJECT(inner_map_not_tested, "may be NULL")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[outer] ll;
		call %[map_lookup_elem];
		r1 = r0;
		r2 = r10;
		r2 += -4;
		call %[map_lookup_elem];
		r0 = 0;
		exit;
	), MAP(outer), HELPER(map_lookup_elem));
}

REJECT(inner_map_is_no_memory, "goes through r0")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[outer] ll;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r0 = *(u64 *)(r0 - 8);
	1:	exit;
	), MAP(outer), HELPER(map_lookup_elem));
}

REJECT(value_of_an_inner_map, "has 8 bytes")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = %[outer] ll;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r1 = r0;
		r2 = r10;
		r2 += -4;
		call %[map_lookup_elem];
		if r0 == 0 goto 1f;
		r0 = *(u64 *)(r0 + 8);
	1:	exit;
	), MAP(outer), HELPER(map_lookup_elem));
}

REJECT(update_of_a_map_of_maps, "is not for maps of type array_of_maps")
{
	ASM((
		*(u64 *)(r10 - 8) = 0;
		r2 = r10;
		r2 += -8;
		r3 = r2;
		r4 = 0;
		r1 = %[outer] ll;
		call %[map_update_elem];
		exit;
	), MAP(outer), HELPER(map_update_elem));
}

/* ---- a map itself ---- */

ACCEPT(nothing_added_to_a_map)
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r1 = 0;
		r3 = %[counts] ll;
		r1 += r3;
		r1 += 0;
		call %[map_lookup_elem];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

REJECT(something_added_to_a_map, "must be a map")
{
	ASM((
		*(u32 *)(r10 - 4) = 0;
		r2 = r10;
		r2 += -4;
		r3 = 1;
		r1 = %[counts] ll;
		r1 += r3;
		call %[map_lookup_elem];
		r0 = 0;
		exit;
	), MAP(counts), HELPER(map_lookup_elem));
}

ACCEPT(look_at_a_map)
{
	ASM((
		r1 = %[counts] ll;
		r0 = *(u64 *)(r1 + 24);
		exit;
	), MAP(counts));
}

REJECT(look_far_into_a_map, "goes through r1")
{
	ASM((
		r1 = %[counts] ll;
		r0 = *(u64 *)(r1 + 4096);
		exit;
	), MAP(counts));
}

/* Kernels show it, and here it is nothing but a number. */
REJECT(what_a_map_begins_with, "a number")
{
	ASM((
		r1 = %[counts] ll;
		r1 = *(u64 *)(r1 + 0);
		r0 = *(u64 *)(r1 + 0);
		exit;
	), MAP(counts));
}

REJECT(store_into_a_map, "goes through r1")
{
	ASM((
		r1 = %[counts] ll;
		*(u64 *)(r1 + 0) = 0;
		r0 = 0;
		exit;
	), MAP(counts));
}
