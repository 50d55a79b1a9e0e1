/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a local type is found in the target's: by name, member by member, as libbpf does it at load
 * time (which it does not offer to callers). Differences, for types that are not a kernel's: struct,
 * union and a typedef of either may stand for each other where no type of the same kind has the name,
 * and a base class's members belong to the class.
 *
 * Both sides were checked to be well-formed (btfcheck.c, libbpf); depths are bounded here.
 */
#include "bpfcc/core_types.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/btfext.h"

enum { MAX_ACCESS = 64, MAX_DEPTH = 32, MAX_MODS = 64 };

/* One step from the root to what is asked for. */
struct step {
	const char *name;	/* of a member; NULL: an element of an array, or the root */
	uint32_t type_id;	/* of what is reached, in the local BTF */
	uint64_t index;		/* of the element */
};

struct spec {
	struct step steps[MAX_ACCESS];
	uint32_t nr;
};

/* Where a walk through the target's types has come to. */
struct place {
	uint64_t bit_offset;
	uint32_t type_id;
	uint32_t bitfield_bits;	/* 0: no bit-field */
};

size_t bpfcc_core_name_bytes(const char *name)
{
	const char *flavor = strstr(name, "___");

	while (flavor && strstr(flavor + 1, "___"))
		flavor = strstr(flavor + 1, "___");
	return flavor && flavor != name ? (size_t)(flavor - name) : strlen(name);
}

const struct btf_type *bpfcc_core_skip(const struct btf *btf, uint32_t id, uint32_t *ret_id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	for (int i = 0; i < MAX_MODS && t && (btf_is_mod(t) || btf_is_typedef(t)); i++) {
		id = t->type;
		t = btf__type_by_id(btf, id);
	}
	if (ret_id)
		*ret_id = id;
	return t;
}

static const char *name_of(const struct btf *btf, uint32_t off)
{
	const char *name = btf__str_by_offset(btf, off);

	return name ? name : "";
}

static bool same_name(const char *local, const char *target)
{
	size_t bytes = bpfcc_core_name_bytes(local);

	return bytes && strlen(target) == bytes && !memcmp(local, target, bytes);
}

/* ---- the question ---- */

/* "0:3:1": an index of the whole type, then members and elements. */
static bool read_spec(const struct btf *btf, const struct bpfcc_core_relo *relo, struct spec *spec)
{
	const char *access = relo->access;
	uint32_t id = relo->type_id;
	const struct btf_type *t;
	char *end;
	unsigned long i = strtoul(access, &end, 10);

	if (end == access)
		return false;
	spec->nr = 1;
	spec->steps[0] = (struct step){.type_id = id, .index = i};
	for (t = bpfcc_core_skip(btf, id, &id); *end == ':'; t = bpfcc_core_skip(btf, id, &id)) {
		struct step *step = &spec->steps[spec->nr];

		access = end + 1;
		i = strtoul(access, &end, 10);
		if (end == access || !t || spec->nr == MAX_ACCESS)
			return false;
		if (btf_is_composite(t)) {
			const struct btf_member *m;

			if (i >= btf_vlen(t))
				return false;
			m = &btf_members(t)[i];
			id = m->type;
			/* members of an anonymous struct are looked for by their own names */
			if (!*name_of(btf, m->name_off))
				continue;
			*step = (struct step){.name = name_of(btf, m->name_off), .type_id = id};
		} else if (btf_is_array(t)) {
			id = btf_array(t)->type;
			*step = (struct step){.type_id = id, .index = i};
		} else {
			return false;
		}
		spec->nr++;
	}
	return !*end;
}

/* ---- what fits what ---- */

static bool is_same_kind(const struct btf_type *a, const struct btf_type *b)
{
	return btf_kind(a) == btf_kind(b) || (btf_is_any_enum(a) && btf_is_any_enum(b));
}

/* A member may have changed its size, sign and what it points to, not its nature. */
static bool members_fit(const struct btf *local, uint32_t local_id, const struct btf *target,
			uint32_t target_id)
{
	const struct btf_type *a, *b;

	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		a = bpfcc_core_skip(local, local_id, NULL);
		b = bpfcc_core_skip(target, target_id, NULL);
		if (!a || !b)
			return false;
		if (btf_is_composite(a) && btf_is_composite(b))
			return true;
		if (!is_same_kind(a, b))
			return false;
		if (!btf_is_array(a))
			return true;
		local_id = btf_array(a)->type;
		target_id = btf_array(b)->type;
	}
	return false;
}

/* 1: found, *place has moved there; 0: there is none of that name that fits. */
static int find_member(const struct btf *local, const struct step *step, const struct btf *target,
		       uint32_t id, struct place *place, int depth)
{
	const struct btf_type *t = bpfcc_core_skip(target, id, &id);

	if (!t || !btf_is_composite(t) || depth == MAX_DEPTH)
		return 0;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		struct place at = {.bit_offset = place->bit_offset + btf_member_bit_offset(t, i),
				   .type_id = m->type,
				   .bitfield_bits = btf_member_bitfield_size(t, i)};

		if (!*name_of(target, m->name_off)) {
			if (!find_member(local, step, target, m->type, &at, depth + 1))
				continue;
		} else if (strcmp(name_of(target, m->name_off), step->name)) {
			continue;
		} else if (!members_fit(local, step->type_id, target, m->type)) {
			return 0;
		}
		*place = at;
		return 1;
	}
	return 0;
}

/* The last member of the struct that it is in, of 0 elements: as many as there is memory for. */
static bool is_flexible(const struct btf_type *array)
{
	return btf_array(array)->nelems == 0;
}

static bool follow(const struct btf *local, const struct spec *spec, const struct btf *target,
		   uint32_t id, struct place *place)
{
	int64_t bytes = btf__resolve_size(target, id);

	*place = (struct place){.type_id = id};
	if (bytes < 0)
		return false;
	place->bit_offset = spec->steps[0].index * (uint64_t)bytes * 8;
	for (uint32_t i = 1; i < spec->nr; i++) {
		const struct step *step = &spec->steps[i];
		const struct btf_type *t = bpfcc_core_skip(target, place->type_id, NULL);

		if (step->name) {
			if (!find_member(local, step, target, place->type_id, place, 0))
				return false;
			continue;
		}
		if (!t || !btf_is_array(t) ||
		    (step->index >= btf_array(t)->nelems && !is_flexible(t)))
			return false;
		bytes = btf__resolve_size(target, btf_array(t)->type);
		if (bytes < 0)
			return false;
		place->type_id = btf_array(t)->type;
		place->bit_offset += step->index * (uint64_t)bytes * 8;
		place->bitfield_bits = 0;
	}
	return true;
}

/* ---- answers ---- */

static bool is_signed(const struct btf_type *t)
{
	if (btf_is_any_enum(t))
		return btf_kflag(t);
	return btf_is_int(t) && btf_int_encoding(t) & BTF_INT_SIGNED;
}

/*
 * Of a bit-field: the bytes to load, as an aligned number of its type's size or a larger one, and how
 * to shift its bits out of 64 (little endian).
 */
static bool answer_field(const struct btf *target, uint32_t kind, const struct place *place,
			 struct bpfcc_core_answer *a)
{
	const struct btf_type *t = bpfcc_core_skip(target, place->type_id, NULL);
	int64_t size = btf__resolve_size(target, place->type_id);
	uint64_t bytes = (uint64_t)size, off = place->bit_offset / 8;
	uint64_t bits = place->bitfield_bits ? place->bitfield_bits : bytes * 8;

	if (size < 0 || !t)
		return false;
	a->exists = true;
	if (place->bitfield_bits) {
		if (!bytes || bytes > 8)
			return false;
		off = off / bytes * bytes;
		while (place->bit_offset + bits > (off + bytes) * 8) {
			if (bytes >= 8)
				return false;
			bytes *= 2;
			off = place->bit_offset / 8 / bytes * bytes;
		}
	}
	switch (kind) {
	case BPFCC_CORE_FIELD_OFFSET:
		a->value = off;
		return true;
	case BPFCC_CORE_FIELD_SIZE:
		a->value = bytes;
		return true;
	case BPFCC_CORE_FIELD_EXISTS:
		a->value = 1;
		return true;
	case BPFCC_CORE_FIELD_SIGNED:
		a->value = is_signed(t);
		return true;
	case BPFCC_CORE_FIELD_LSHIFT:
		a->value = bits <= 64 ? 64 - (place->bit_offset + bits - off * 8) : 0;
		return bits <= 64;
	default:
		a->value = bits <= 64 ? 64 - bits : 0;
		return bits <= 64;
	}
}

/* Every member that the local type has is there and fits. */
static bool type_matches(const struct btf *local, const struct btf_type *t,
			 const struct btf *target, uint32_t id)
{
	const struct btf_type *u = bpfcc_core_skip(target, id, NULL);
	struct place place = {0};

	if (!btf_is_composite(t))
		return u && is_same_kind(t, u);
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const struct step step = {.name = name_of(local, m->name_off), .type_id = m->type};

		if (*step.name && !find_member(local, &step, target, id, &place, 0))
			return false;
	}
	return true;
}

static bool answer_type(const struct btf *local, const struct bpfcc_core_relo *relo,
			const struct btf *target, uint32_t id, struct bpfcc_core_answer *a)
{
	const struct btf_type *t = bpfcc_core_skip(local, relo->type_id, NULL);
	int64_t bytes = btf__resolve_size(target, id);

	a->exists = true;
	switch (relo->kind) {
	case BPFCC_CORE_TYPE_ID_TARGET:
		a->value = id;
		return true;
	case BPFCC_CORE_TYPE_EXISTS:
		a->value = 1;
		return true;
	case BPFCC_CORE_TYPE_SIZE:
		a->value = (uint64_t)bytes;
		return bytes >= 0;
	default:
		a->value = t && type_matches(local, t, target, id);
		return a->value;
	}
}

/* The enumerator's name at a place of an enumeration, and its value. */
static const char *enumerator(const struct btf *btf, const struct btf_type *t, uint32_t i,
			      uint64_t *ret_value)
{
	if (i >= btf_vlen(t))
		return NULL;
	if (btf_is_enum64(t)) {
		*ret_value = btf_enum64_value(&btf_enum64(t)[i]);
		return name_of(btf, btf_enum64(t)[i].name_off);
	}
	*ret_value = btf_kflag(t) ? (uint64_t)(int64_t)btf_enum(t)[i].val :
				    (uint32_t)btf_enum(t)[i].val;
	return name_of(btf, btf_enum(t)[i].name_off);
}

static bool answer_enum(const struct btf *local, const struct bpfcc_core_relo *relo,
			const struct btf *target, uint32_t id, struct bpfcc_core_answer *a)
{
	const struct btf_type *t = bpfcc_core_skip(local, relo->type_id, NULL);
	const struct btf_type *u = bpfcc_core_skip(target, id, NULL);
	uint64_t value;
	const char *name = enumerator(local, t, (uint32_t)strtoul(relo->access, NULL, 10), &value);

	for (uint32_t i = 0; name && btf_is_any_enum(u) && i < btf_vlen(u); i++) {
		if (!same_name(name, enumerator(target, u, i, &value)))
			continue;
		a->exists = true;
		a->value = relo->kind == BPFCC_CORE_ENUM_EXISTS ? 1 : value;
		return true;
	}
	return false;
}

/* What one type of the target answers; false: it does not have it. */
static bool answer(const struct btf *local, const struct bpfcc_core_relo *relo,
		   const struct spec *spec, const struct btf *target, uint32_t id,
		   struct bpfcc_core_answer *a)
{
	struct place place;

	*a = (struct bpfcc_core_answer){0};
	if (relo->kind <= BPFCC_CORE_FIELD_RSHIFT)
		return follow(local, spec, target, id, &place) &&
		       answer_field(target, relo->kind, &place, a);
	if (relo->kind == BPFCC_CORE_ENUM_EXISTS || relo->kind == BPFCC_CORE_ENUM_VALUE)
		return answer_enum(local, relo, target, id, a);
	return answer_type(local, relo, target, id, a);
}

/* How well the target's type is one for the local type; 0: not at all. */
static int rank(const struct btf *local, const struct btf_type *t, const struct btf *target,
		uint32_t id, const char *name)
{
	const struct btf_type *c = btf__type_by_id(target, id), *inner;
	const struct btf_type *wanted = t;

	if (btf_is_typedef(t) || btf_is_mod(t))
		wanted = bpfcc_core_skip(local, t->type, NULL);
	if (!same_name(name, name_of(target, c->name_off)) || btf_is_func(c) || btf_is_var(c) ||
	    btf_is_fwd(c) || btf_is_datasec(c) || btf_is_decl_tag(c) || btf_is_type_tag(c))
		return 0;
	if (is_same_kind(c, t))
		return 2;
	inner = bpfcc_core_skip(target, id, NULL);
	if (!inner || !wanted)
		return 0;
	return is_same_kind(inner, wanted) || (btf_is_composite(inner) && btf_is_composite(wanted));
}

static const char *check_question(const struct btf *local, const struct bpfcc_core_relo *relo,
				  const struct btf_type *t, const char *name, struct spec *spec)
{
	const struct btf_type *inner = bpfcc_core_skip(local, relo->type_id, NULL);

	if (!t || !inner || !*name)
		return "a CO-RE relocation of a type without a name";
	if (relo->kind <= BPFCC_CORE_FIELD_RSHIFT && !read_spec(local, relo, spec))
		return "a CO-RE relocation of a member that its type does not have";
	if ((relo->kind == BPFCC_CORE_ENUM_EXISTS || relo->kind == BPFCC_CORE_ENUM_VALUE) &&
	    (!btf_is_any_enum(inner) ||
	     strtoul(relo->access, NULL, 10) >= btf_vlen(inner)))
		return "a CO-RE relocation of an enumerator that its type does not have";
	return NULL;
}

int bpfcc_core_resolve(const struct btf *local, const struct bpfcc_core_relo *relo,
		       const struct btf *target, struct bpfcc_core_answer *ret_answer,
		       const char **ret_problem)
{
	const struct btf_type *t = btf__type_by_id(local, relo->type_id);
	const char *name = t ? name_of(local, t->name_off) : "";
	uint32_t nr = btf__type_cnt(target);
	int best = 0;
	struct spec spec = {0};
	struct bpfcc_core_answer a;

	*ret_answer = (struct bpfcc_core_answer){0};
	*ret_problem = check_question(local, relo, t, name, &spec);
	if (*ret_problem)
		return -EINVAL;
	for (uint32_t id = 1; id < nr; id++) {
		int r = rank(local, t, target, id, name);

		best = r > best ? r : best;
	}
	for (uint32_t id = 1; best && id < nr; id++) {
		if (rank(local, t, target, id, name) != best ||
		    !answer(local, relo, &spec, target, id, &a))
			continue;
		if (ret_answer->exists && ret_answer->value != a.value &&
		    relo->kind != BPFCC_CORE_TYPE_ID_TARGET)
			return -E2BIG;
		if (!ret_answer->exists)
			*ret_answer = a;
	}
	return best ? 0 : -ENOENT;
}
