/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adding up the shards of a per-CPU value, by type. The BTF was checked, yet it may describe one
 * byte many times over (unions in unions), so the walk has a budget.
 */
#include <string.h>

#include <bpf/btf.h>

#include "inlay/inlay.h"

struct sum {
	const struct btf *btf;
	char *to;
	const char *from;
	size_t size;	/* of the whole value */
	int budget;	/* leaves and inner nodes */
};

static bool is_inside(const struct sum *sum, uint64_t at, uint64_t bytes)
{
	return at <= sum->size && bytes <= sum->size - at;
}

static void add_number(struct sum *sum, uint64_t at, uint32_t bytes)
{
	uint64_t a = 0, b = 0;

	if (bytes > 8 || !is_inside(sum, at, bytes))
		return;
	memcpy(&a, sum->to + at, bytes);
	memcpy(&b, sum->from + at, bytes);
	a += b;
	memcpy(sum->to + at, &a, bytes);
}

static void add_number16(struct sum *sum, uint64_t at)
{
	unsigned __int128 a, b;

	if (!is_inside(sum, at, sizeof(a)))
		return;
	memcpy(&a, sum->to + at, sizeof(a));
	memcpy(&b, sum->from + at, sizeof(b));
	a += b;
	memcpy(sum->to + at, &a, sizeof(a));
}

static void take_first(struct sum *sum, uint64_t at, uint64_t bytes)
{
	if (!is_inside(sum, at, bytes))
		return;
	for (uint64_t i = 0; i < bytes; i++)
		if (sum->to[at + i])
			return;
	memcpy(sum->to + at, sum->from + at, bytes);
}

static void add_bits(struct sum *sum, uint64_t bit, uint32_t bits)
{
	uint64_t at = bit / 8, a = 0, b = 0, mask;
	uint32_t shift = bit % 8, bytes = (shift + bits + 7) / 8;

	if (!bits || bytes > 8 || !is_inside(sum, at, bytes))
		return;
	memcpy(&a, sum->to + at, bytes);
	memcpy(&b, sum->from + at, bytes);
	mask = (bits == 64 ? ~0ull : (1ull << bits) - 1) << shift;
	a = (a & ~mask) | (((a & mask) + (b & mask)) & mask);
	memcpy(sum->to + at, &a, bytes);
}

static void add_type(struct sum *sum, uint32_t id, uint64_t at);

static void add_members(struct sum *sum, const struct btf_type *type, uint64_t at)
{
	const struct btf_member *member = btf_members(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++, member++) {
		uint32_t bit = btf_member_bit_offset(type, i);
		uint32_t bits = btf_member_bitfield_size(type, i);

		if (bits)
			add_bits(sum, at * 8 + bit, bits);
		else
			add_type(sum, member->type, at + bit / 8);
		/* Members of a union share their bytes: adding a second one would add twice. */
		if (btf_is_union(type))
			break;
	}
}

static void add_array(struct sum *sum, const struct btf_type *type, uint64_t at)
{
	const struct btf_array *array = btf_array(type);
	int64_t bytes = btf__resolve_size(sum->btf, array->type);
	const struct btf_type *elem;
	int id;

	if (bytes <= 0)
		return;
	id = btf__resolve_type(sum->btf, array->type);
	elem = id > 0 ? btf__type_by_id(sum->btf, (uint32_t)id) : NULL;
	/* An array of characters is a text: the sum of two texts is none. */
	if (elem && btf_is_int(elem) && bytes == 1 &&
	    (btf_int_encoding(elem) & BTF_INT_CHAR ||
	     !strcmp(btf__name_by_offset(sum->btf, elem->name_off), "char"))) {
		take_first(sum, at, array->nelems);
		return;
	}
	for (uint32_t i = 0; i < array->nelems && sum->budget > 0; i++) {
		if (!is_inside(sum, at, (uint64_t)bytes))
			return;
		add_type(sum, array->type, at);
		at += (uint64_t)bytes;
	}
}

static void add_type(struct sum *sum, uint32_t type_id, uint64_t at)
{
	int id = btf__resolve_type(sum->btf, type_id);
	const struct btf_type *type = id > 0 ? btf__type_by_id(sum->btf, (uint32_t)id) : NULL;

	if (!type || --sum->budget < 0)
		return;
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		if (btf_int_encoding(type) & BTF_INT_BOOL)
			take_first(sum, at, type->size);
		else if (type->size == 16)
			add_number16(sum, at);
		else
			add_number(sum, at, type->size);
		break;
	case BTF_KIND_PTR:
		take_first(sum, at, 8);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FLOAT:
		take_first(sum, at, type->size);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		add_members(sum, type, at);
		break;
	case BTF_KIND_ARRAY:
		add_array(sum, type, at);
		break;
	default:
		break;
	}
}

void inlay_value_sum(const struct btf *btf, uint32_t type_id, void *to, const void *value,
		     size_t size)
{
	struct sum sum = { .btf = btf, .to = to, .from = value, .size = size };
	uint32_t word = size % 8 == 0 ? 8 : size % 4 == 0 ? 4 : 1;

	/* A sound type has no more parts than its value has bits. */
	sum.budget = size > (1u << 26) ? 1 << 30 : (int)size * 16 + 64;
	if (btf && type_id) {
		add_type(&sum, type_id, 0);
		return;
	}
	for (size_t at = 0; at < size; at += word)
		add_number(&sum, at, word);
}
