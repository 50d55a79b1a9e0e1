/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the object puts into a map of maps: `.values = { [1] = &other_map }`. The maps that it names
 * become part of the object, also where no program refers to them.
 */
#include <errno.h>
#include <string.h>

#include "bpfcc/loader.h"
#include "bpfcc/map_image.h"

#ifndef BPF_F_INNER_MAP
#define BPF_F_INNER_MAP (1u << 12)
#endif

/* A definition can list no more than its variable has room for, and an ELF file is not that large. */
#define MAX_VALUES (1u << 20)

static bool is_fields_equal(const struct bpfcc_map *a, const struct bpfcc_map *b)
{
	if (a->nr_fields != b->nr_fields)
		return false;
	for (uint32_t i = 0; i < a->nr_fields; i++)
		if (a->fields[i].kind != b->fields[i].kind || a->fields[i].off != b->fields[i].off)
			return false;
	return true;
}

bool bpfcc_map_is_like(const struct bpfcc_map *inner, const struct bpfcc_map *map)
{
	bool is_array = inner->type == BPF_MAP_TYPE_ARRAY ||
			inner->type == BPF_MAP_TYPE_PERCPU_ARRAY;

	/* as the kernel's bpf_map_meta_equal() and array_map_meta_equal() */
	return map->type == inner->type && map->key_size == inner->key_size &&
	       map->value_size == inner->value_size && map->map_flags == inner->map_flags &&
	       map->map_extra == inner->map_extra && is_fields_equal(inner, map) &&
	       (!is_array || inner->map_flags & BPF_F_INNER_MAP ||
		map->max_entries == inner->max_entries) &&
	       !(map->flags & (INLAY_MAP_GLOBAL | INLAY_MAP_RODATA));
}

struct inners {
	int32_t *maps;		/* by key */
	uint32_t nr, max;
};

static int grow(struct bpfcc_loader *l, struct inners *inners, uint32_t nr)
{
	uint32_t max = inners->max ? inners->max : 16;
	int32_t *more;

	while (max < nr)
		max *= 2;
	if (max > inners->max) {
		more = bpfcc_arena_array(l->arena, max, sizeof(*more));
		if (!more)
			return -ENOMEM;
		if (inners->nr)
			memcpy(more, inners->maps, inners->nr * sizeof(*more));
		inners->maps = more;
		inners->max = max;
	}
	while (inners->nr < nr)
		inners->maps[inners->nr++] = -1;
	return 0;
}

static int put(struct bpfcc_loader *l, struct bpfcc_map *m, uint64_t index,
	       const struct bpfcc_elf_symbol *sym, const struct bpfcc_where *where, void *arg)
{
	struct bpfcc_candidate *c = bpfcc_maps_by_name(l, sym->name);
	struct inners *inners = arg;
	int err;

	if (!c || c->is_global_data)
		return bpfcc_error(l->diag, where, "make it a variable in section .maps, not static",
				   "map \"%s\": \"%s\" is no map", m->name, sym->name);
	if (index >= MAX_VALUES || (m->type == BPF_MAP_TYPE_ARRAY_OF_MAPS && index >= m->max_entries))
		return bpfcc_error(l->diag, where, "raise max_entries",
				   "map \"%s\": a map is put at index %llu of %u (-E2BIG)", m->name,
				   (unsigned long long)index, m->max_entries);
	err = bpfcc_maps_use(l, c, where);
	if (!err)
		err = grow(l, inners, (uint32_t)index + 1);
	if (err)
		return err;
	if (!bpfcc_map_is_like(m->inner, &l->object->maps[c->index]))
		return bpfcc_error(l->diag, where, "declare both alike",
				   "map \"%s\": \"%s\" is not like the maps that are declared to be "
				   "in there (-EINVAL)",
				   m->name, c->name);
	inners->maps[index] = c->index;
	return 0;
}

int bpfcc_map_inners(struct bpfcc_loader *l, struct bpfcc_map *m, const struct bpfcc_where *where)
{
	struct inners inners = {0};
	uint32_t nr = 0;
	int err = bpfcc_map_values(l, m, where, put, &inners);

	for (uint32_t i = 0; i < inners.nr; i++)
		nr += inners.maps[i] >= 0;
	if (!err && nr && m->key_size != sizeof(uint32_t))
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": its values are listed by number, and its keys have "
				   "%u bytes (-EOPNOTSUPP)",
				   m->name, m->key_size);
	if (!err && nr > m->max_entries)
		return bpfcc_error(l->diag, where, "raise max_entries",
				   "map \"%s\": %u maps are put into a map of %u (-E2BIG)", m->name, nr,
				   m->max_entries);
	m->inner_maps = inners.maps;
	m->nr_inner_maps = inners.nr;
	return err;
}
