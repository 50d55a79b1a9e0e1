/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which parts of a map's value are not the program's: locks, timers, lists, kernel pointers, found by
 * the names of their types in BTF, as the kernel finds them.
 */
#include <errno.h>
#include <string.h>

#include "bpfcc/loader.h"

#define MAX_FIELDS 64u
#define MAX_DEPTH 8u

struct finder {
	const struct btf *btf;
	struct bpfcc_map_field fields[MAX_FIELDS];
	uint32_t nr;
};

static const struct {
	const char *name;
	uint32_t kind;
} types[] = {
	{"bpf_spin_lock", BPFCC_FIELD_LOCK},   {"bpf_res_spin_lock", BPFCC_FIELD_OTHER},
	{"bpf_timer", BPFCC_FIELD_OTHER},      {"bpf_wq", BPFCC_FIELD_OTHER},
	{"bpf_task_work", BPFCC_FIELD_OTHER},  {"bpf_list_head", BPFCC_FIELD_OTHER},
	{"bpf_list_node", BPFCC_FIELD_OTHER},  {"bpf_rb_root", BPFCC_FIELD_OTHER},
	{"bpf_rb_node", BPFCC_FIELD_OTHER},    {"bpf_refcount", BPFCC_FIELD_OTHER},
};

/* typedefs and qualifiers off; *ret_is_kptr: the member is __kptr or one of its like */
static const struct btf_type *resolve(const struct btf *btf, uint32_t id, bool *ret_is_kptr)
{
	const struct btf_type *t = btf__type_by_id(btf, id), *to;

	*ret_is_kptr = false;
	for (uint32_t i = 0; t && i < 32; i++) {
		switch (btf_kind(t)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
			t = btf__type_by_id(btf, t->type);
			continue;
		case BTF_KIND_PTR:
			/* pointer -> type tag "kptr", "kptr_untrusted", "percpu_kptr", "uptr" */
			to = btf__type_by_id(btf, t->type);
			if (to && btf_kind(to) == BTF_KIND_TYPE_TAG) {
				const char *tag = btf__name_by_offset(btf, to->name_off);

				*ret_is_kptr = tag && (strstr(tag, "kptr") || !strcmp(tag, "uptr"));
			}
			return t;
		default:
			return t;
		}
	}
	return t;
}

static int add(struct finder *f, uint32_t kind, uint64_t off, uint64_t bytes)
{
	if (f->nr == MAX_FIELDS)
		return -E2BIG;
	f->fields[f->nr++] = (struct bpfcc_map_field){kind, (uint32_t)off, (uint32_t)bytes};
	return 0;
}

static int find(struct finder *f, uint32_t id, uint64_t off, uint32_t depth);

static int find_members(struct finder *f, const struct btf_type *t, uint64_t off, uint32_t depth)
{
	const struct btf_member *m = btf_members(t);
	int err = 0;

	for (uint32_t i = 0; i < btf_vlen(t) && !err; i++)
		err = find(f, m[i].type, off + btf_member_bit_offset(t, i) / 8, depth + 1);
	return err;
}

static int find(struct finder *f, uint32_t id, uint64_t off, uint32_t depth)
{
	bool is_kptr;
	const struct btf_type *t = resolve(f->btf, id, &is_kptr);
	const struct btf_array *a;
	const char *name;
	int64_t bytes;
	int err = 0;

	if (!t || depth > MAX_DEPTH)
		return 0;
	if (is_kptr)
		return add(f, BPFCC_FIELD_OTHER, off, 8);
	if (btf_is_array(t)) {
		uint32_t before = f->nr;

		a = btf_array(t);
		bytes = btf__resolve_size(f->btf, a->type);
		for (uint32_t i = 0; i < a->nelems && bytes > 0 && !err; i++) {
			err = find(f, a->type, off + i * (uint64_t)bytes, depth + 1);
			if (f->nr == before)
				break; /* none in the first, none in the others */
		}
		return err;
	}
	if (!btf_is_composite(t))
		return 0;
	name = btf__name_by_offset(f->btf, t->name_off);
	for (size_t i = 0; name && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(name, types[i].name))
			return add(f, types[i].kind, off, t->size);
	return find_members(f, t, off, depth);
}

int bpfcc_map_fields(struct bpfcc_loader *l, struct bpfcc_map *m, const struct bpfcc_where *where)
{
	struct finder f = {.btf = l->btf};
	uint32_t nr_locks = 0;

	if (!l->btf || !m->btf_value_type_id)
		return 0;
	if (find(&f, m->btf_value_type_id, 0, 0))
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": its value has more than %u locks, timers and the like",
				   m->name, MAX_FIELDS);
	for (uint32_t i = 0; i < f.nr; i++)
		nr_locks += f.fields[i].kind == BPFCC_FIELD_LOCK;
	if (nr_locks > 1)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": its value has %u locks, and may have one (-E2BIG)",
				   m->name, nr_locks);
	if (!f.nr)
		return 0;
	m->fields = bpfcc_arena_memdup(l->arena, f.fields, f.nr * sizeof(f.fields[0]));
	m->nr_fields = f.nr;
	return m->fields ? 0 : -ENOMEM;
}
