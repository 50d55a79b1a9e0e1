/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the counters in a type. See counters.h. */
#include <stdio.h>
#include <string.h>

#include "cli/inlay/counters.h"
#include "cli/inlay/typed.h"

struct search {
	const struct btf *btf;
	struct counter *found;
	size_t nr;
	int budget;
};

static void add(struct search *search, uint64_t off, uint32_t bytes, uint32_t nr, const char *label)
{
	struct counter *counter = &search->found[search->nr++];

	memset(counter, 0, sizeof(*counter));
	counter->slots.off = off;
	counter->slots.bytes = bytes;
	counter->slots.nr = nr;
	snprintf(counter->label, sizeof(counter->label), "%s", label);
}

static void search_type(struct search *search, uint32_t type_id, uint64_t off, const char *label,
			int depth);

static void search_members(struct search *search, const struct btf_type *type, uint64_t off,
			   const char *label, int depth)
{
	const struct btf_member *member = btf_members(type);
	char inner[sizeof(search->found->label)];

	for (uint32_t i = 0; i < btf_vlen(type); i++, member++) {
		const char *name = btf__name_by_offset(search->btf, member->name_off);

		if (btf_member_bitfield_size(type, i))
			continue;
		snprintf(inner, sizeof(inner), "%.64s.%.64s", label, name ? name : "");
		search_type(search, member->type, off + btf_member_bit_offset(type, i) / 8, inner,
			    depth);
		if (btf_is_union(type))
			break;
	}
}

static void search_section(struct search *search, const struct btf_type *type, uint64_t off,
			   int depth)
{
	const struct btf_var_secinfo *var = btf_var_secinfos(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++, var++) {
		const struct btf_type *info = btf__type_by_id(search->btf, var->type);
		const char *name = info ? btf__name_by_offset(search->btf, info->name_off) : NULL;

		if (info && btf_is_var(info))
			search_type(search, info->type, off + var->offset, name ? name : "", depth);
	}
}

static void search_type(struct search *search, uint32_t type_id, uint64_t off, const char *label,
			int depth)
{
	const struct btf_type *raw = btf__type_by_id(search->btf, type_id), *type;
	const struct btf_type *elem;

	if (search->nr == COUNTERS_MAX || depth > 6 || --search->budget < 0)
		return;
	if (raw && btf_is_datasec(raw)) {
		search_section(search, raw, off, depth + 1);
		return;
	}
	type = typed_resolve(search->btf, type_id);
	if (!type)
		return;
	if (btf_is_int(type) && type->size <= 8) {
		add(search, off, type->size, 1, label);
		search->found[search->nr - 1].is_signed = btf_int_encoding(type) & BTF_INT_SIGNED;
	} else if (btf_is_composite(type)) {
		search_members(search, type, off, label, depth + 1);
	} else if (btf_is_array(type)) {
		elem = typed_resolve(search->btf, btf_array(type)->type);
		/* bytes are text, not counts */
		if (elem && btf_is_int(elem) && elem->size >= 2 && elem->size <= 8)
			add(search, off, elem->size, btf_array(type)->nelems, label);
	}
}

size_t counters_find(const struct btf *btf, uint32_t type_id, uint32_t size,
		     struct counter *ret_counters)
{
	struct search search = { .btf = btf, .found = ret_counters, .budget = 1000 };

	if (btf && type_id)
		search_type(&search, type_id, 0, "", 0);
	else if (size == 4 || size == 8)
		add(&search, 0, size, 1, "");
	return search.nr;
}

uint64_t counter_get(const struct counter *counter, const void *value, size_t size)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < counter->slots.nr; i++) {
		if (counter->slots.off + (uint64_t)i * counter->slots.bytes >= size)
			break;
		n += slots_get(&counter->slots, i, value, size);
	}
	if (counter->is_signed && counter->slots.bytes < 8 &&
	    n >> (counter->slots.bytes * 8 - 1) & 1)
		n |= ~0ull << (counter->slots.bytes * 8);
	return n;
}
