/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding histograms in types. See slots.h. */
#include <stdio.h>
#include <string.h>

#include "cli/inlay/slots.h"
#include "cli/inlay/typed.h"

struct search {
	const struct btf *btf;
	struct slots *found;
	size_t nr, max;
	int budget;
};

static bool is_counts(const struct search *search, uint32_t type_id, struct slots *ret_slots)
{
	const struct btf_type *type = typed_resolve(search->btf, type_id), *elem;

	if (!type || !btf_is_array(type))
		return false;
	elem = typed_resolve(search->btf, btf_array(type)->type);
	if (!elem || !btf_is_int(elem) || elem->size < 2 || elem->size > 8 ||
	    btf_array(type)->nelems < 2)
		return false;
	ret_slots->bytes = elem->size;
	ret_slots->nr = btf_array(type)->nelems;
	if (ret_slots->nr > SLOTS_MAX)
		ret_slots->nr = SLOTS_MAX;
	return true;
}

/* The member that is the histogram of a struct. */
static bool struct_counts(const struct search *search, const struct btf_type *type,
			  struct slots *ret_slots)
{
	const struct btf_member *member = btf_members(type);
	struct slots slots = { 0 };
	uint32_t nr = 0;

	for (uint32_t i = 0; i < btf_vlen(type); i++, member++) {
		const char *name = btf__name_by_offset(search->btf, member->name_off);

		if (btf_member_bitfield_size(type, i) || !is_counts(search, member->type, &slots))
			continue;
		slots.off = btf_member_bit_offset(type, i) / 8;
		*ret_slots = slots;
		if (name && !strcmp(name, "slots"))
			return true;
		nr++;
	}
	return nr == 1;
}

static void add(struct search *search, const struct slots *slots, uint64_t off, const char *label)
{
	struct slots *to = &search->found[search->nr++];

	*to = *slots;
	to->off += off;
	snprintf(to->label, sizeof(to->label), "%s", label);
}

static void search_type(struct search *search, uint32_t type_id, uint64_t off, const char *label,
			int depth);

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
	const struct btf_type *type = search->btf ? btf__type_by_id(search->btf, type_id) : NULL;
	struct slots slots = { 0 };
	char inner[sizeof(slots.label)];
	int64_t bytes;

	if (search->nr == search->max || depth > 4 || --search->budget < 0)
		return;
	if (type && btf_is_datasec(type)) {
		search_section(search, type, off, depth + 1);
		return;
	}
	type = typed_resolve(search->btf, type_id);
	if (!type)
		return;
	if (is_counts(search, type_id, &slots) ||
	    (btf_is_struct(type) && struct_counts(search, type, &slots))) {
		add(search, &slots, off, label);
		return;
	}
	if (!btf_is_array(type))
		return;
	bytes = btf__resolve_size(search->btf, btf_array(type)->type);
	for (uint32_t i = 0; bytes > 0 && i < btf_array(type)->nelems; i++) {
		if (search->nr == search->max || search->budget < 0)
			break;
		snprintf(inner, sizeof(inner), "%.100s[%u]", label, i);
		search_type(search, btf_array(type)->type, off + i * (uint64_t)bytes, inner,
			    depth + 1);
	}
}

size_t slots_find(const struct btf *btf, uint32_t type_id, struct slots *ret_slots, size_t max)
{
	struct search search = { .btf = btf, .found = ret_slots, .max = max, .budget = 10000 };

	if (btf && type_id)
		search_type(&search, type_id, 0, "", 0);
	return search.nr;
}

uint64_t slots_get(const struct slots *slots, uint32_t i, const void *value, size_t size)
{
	uint64_t at = slots->off + (uint64_t)i * slots->bytes, n = 0;

	if (at > size || slots->bytes > size - at || slots->bytes > sizeof(n))
		return 0;
	memcpy(&n, (const char *)value + at, slots->bytes);
	return n;
}
