/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps: libbpf reads their definitions, this checks what the kernel and Inlay would refuse and
 * numbers those that a placed program refers to. Others belong to the companion and may be
 * anything.
 */
#include <errno.h>
#include <string.h>

#include "bpfcc/isa.h"
#include "bpfcc/loader.h"

#define PAGE_BYTES 4096u
#define MAX_PROCESSORS 8192u /* the largest CONFIG_NR_CPUS */

int bpfcc_maps_find(struct bpfcc_loader *l)
{
	struct bpf_map *map;
	uint32_t nr = 0;

	bpf_object__for_each_map(map, l->bpf)
		nr++;
	l->candidates = bpfcc_arena_array(l->arena, nr, sizeof(*l->candidates));
	l->object->maps = bpfcc_arena_array(l->arena, nr, sizeof(*l->object->maps));
	if (!l->candidates || !l->object->maps)
		return -ENOMEM;
	bpf_object__for_each_map(map, l->bpf) {
		struct bpfcc_candidate *c = &l->candidates[l->nr_candidates++];
		const char *name = bpf_map__name(map);
		const void *data;
		size_t bytes;

		c->map = map;
		c->index = -1;
		c->is_global_data = bpf_map__is_internal(map);
		/* libbpf calls it "i.bss" after the object's name, see bpfcc_libbpf_open() */
		if (c->is_global_data && name[0] == 'i' && name[1] == '.')
			name++;
		c->is_arena_data = c->is_global_data && !strcmp(name, BPFCC_ARENA_COPY) &&
				   bpfcc_elf_section(&l->elf, BPFCC_ARENA_SECTION);
		if (c->is_arena_data)
			name = BPFCC_ARENA_SECTION;
		c->name = bpfcc_arena_strdup(l->arena, name);
		if (!c->name)
			return -ENOMEM;
		data = c->is_global_data ? bpf_map__initial_value(map, &bytes) : NULL;
		if (!data)
			continue;
		c->bytes = (uint32_t)bytes;
		/* a .bss of gigabytes costs a file nothing; it is refused where a program uses it */
		if (bytes > BPFCC_MAX_VALUE_BYTES)
			continue;
		c->data = bpfcc_arena_memdup(l->arena, data, bytes);
		if (!c->data)
			return -ENOMEM;
	}
	return 0;
}

struct bpfcc_candidate *bpfcc_maps_by_name(struct bpfcc_loader *l, const char *name)
{
	for (uint32_t i = 0; i < l->nr_candidates; i++)
		if (!strcmp(l->candidates[i].name, name))
			return &l->candidates[i];
	return NULL;
}

static bool is_arena(const struct bpfcc_candidate *c)
{
	return !c->is_global_data && (int)bpf_map__type(c->map) == BPFCC_MAP_TYPE_ARENA;
}

int bpfcc_maps_arena(struct bpfcc_loader *l, const struct bpfcc_where *where,
		     struct bpfcc_candidate **ret_arena)
{
	*ret_arena = NULL;
	for (uint32_t i = 0; i < l->nr_candidates; i++) {
		if (!is_arena(&l->candidates[i]))
			continue;
		if (*ret_arena)
			return bpfcc_error(l->diag, where, "leave one arena",
					   "variables in address space 1, and two arenas that they "
					   "could be in");
		*ret_arena = &l->candidates[i];
	}
	if (*ret_arena)
		return 0;
	return bpfcc_error(l->diag, where, "define a map of type BPF_MAP_TYPE_ARENA",
			   "variables in address space 1, and no arena that they could be in");
}

/* An arena starts with the object's variables, as libbpf lays it out. */
static int set_variables(struct bpfcc_loader *l, struct bpfcc_map *m,
			 const struct bpfcc_where *where)
{
	for (uint32_t i = 0; i < l->nr_candidates; i++) {
		const struct bpfcc_candidate *c = &l->candidates[i];

		if (!c->is_arena_data)
			continue;
		if (!c->data || c->bytes > (uint64_t)m->max_entries * PAGE_BYTES)
			return bpfcc_error(l->diag, where, "raise max_entries",
					   "map \"%s\": its %u pages are too few for %u bytes of "
					   "variables in address space 1",
					   m->name, m->max_entries, c->bytes);
		m->arena_data = c->data;
		m->arena_bytes = c->bytes;
	}
	return 0;
}

static void describe_global(struct bpfcc_loader *l, const struct bpfcc_candidate *c,
			    struct bpfcc_map *m)
{
	int id = l->btf ? btf__find_by_name_kind(l->btf, m->name, BTF_KIND_DATASEC) : -ENOENT;

	m->flags = INLAY_MAP_GLOBAL;
	m->btf_key_type_id = 0;
	m->btf_value_type_id = id > 0 ? (uint32_t)id : 0;
	m->data = c->data;
	/* libbpf asks for an mmapable map if the kernel has them; here each is */
	m->map_flags &= ~(uint32_t)BPF_F_MMAPABLE;
	if (!strncmp(m->name, ".rodata", 7) || !strcmp(m->name, ".kconfig")) {
		m->flags = INLAY_MAP_RODATA;
		m->is_frozen = true;
	} else if (!strncmp(m->name, ".bss", 4) && c->data) {
		/* still all zero after --set: keeps its place in .bss of the target */
		for (uint32_t i = 0; i < c->bytes; i++)
			if (c->data[i])
				return;
		m->data = NULL;
	}
}

static void describe(const struct bpf_map *map, const char *name, struct bpfcc_map *m)
{
	*m = (struct bpfcc_map){
		.name = name,
		.type = bpf_map__type(map),
		.key_size = bpf_map__key_size(map),
		.value_size = bpf_map__value_size(map),
		.max_entries = bpf_map__max_entries(map),
		.map_flags = bpf_map__map_flags(map),
		.map_extra = bpf_map__map_extra(map),
		.btf_key_type_id = bpf_map__btf_key_type_id(map),
		.btf_value_type_id = bpf_map__btf_value_type_id(map),
	};
}

/* A map_extra of 64 bits, which libbpf did not see. */
static void set_extra(const struct bpfcc_loader *l, struct bpfcc_map *m)
{
	for (uint32_t i = 0; i < l->nr_extras; i++)
		if (!strcmp(l->extras[i].map, m->name))
			m->map_extra = l->extras[i].value;
}

/* What libbpf makes of a definition when it loads it. */
static void complete(struct bpfcc_map *m)
{
	uint64_t bytes = PAGE_BYTES;

	switch (m->type) {
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		/* the next power of two that is a multiple of the page */
		while (m->max_entries && bytes < m->max_entries)
			bytes *= 2;
		if (m->max_entries && bytes <= UINT32_MAX)
			m->max_entries = (uint32_t)bytes;
		break;
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
		/* one a processor; how many is known where it runs: as many as there may be */
		if (!m->max_entries)
			m->max_entries = MAX_PROCESSORS;
		if (!m->key_size)
			m->key_size = 4;
		if (!m->value_size)
			m->value_size = 4;
		break;
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_PROG_ARRAY:
		if (!m->value_size)
			m->value_size = 4;
		break;
	default:
		break;
	}
}

/*
 * The address of an arena for programs, where the object says none. Its own for each, with a low
 * half that is not 0, as far as that is possible: NULL is an address whose low half is.
 */
static void place_arena(struct bpfcc_map *m)
{
	const uint64_t first = 1ull << 44, gap = 1u << 16;

	if (m->type != BPFCC_MAP_TYPE_ARENA || m->map_extra)
		return;
	m->map_extra = first + ((uint64_t)m->index << 32);
	if (gap + (uint64_t)m->max_entries * PAGE_BYTES <= 1ull << 32)
		m->map_extra += gap;
}

/* Regions of more than this are not in the image, and there is nothing before the runtime starts. */
static uint32_t huge_flag(const struct bpfcc_map *m)
{
	bool is_huge = !(m->flags & INLAY_MAP_RODATA) &&
		       inlay_map_region_bytes_extra(m->type, m->key_size, m->value_size,
						    m->max_entries, (uint32_t)m->map_extra) >
			       INLAY_LINK_REGION_MAX;

	return is_huge ? INLAY_MAP_HUGE : 0;
}

/* The template of a map of maps, as the kernel asks for one. */
static int describe_inner(struct bpfcc_loader *l, const struct bpfcc_candidate *c,
			  struct bpfcc_map *m, const struct bpfcc_where *where)
{
	struct bpf_map *map = bpf_map__inner_map(c->map);
	struct bpfcc_map *inner;
	int err;

	if (m->type != BPF_MAP_TYPE_ARRAY_OF_MAPS && m->type != BPF_MAP_TYPE_HASH_OF_MAPS)
		return 0;
	if (!map)
		return bpfcc_error(l->diag, where,
				   "__array(values, struct { __uint(type, ...); ... })",
				   "map \"%s\": it does not say what the maps in it are like (-EINVAL)",
				   m->name);
	inner = bpfcc_arena_alloc(l->arena, sizeof(*inner));
	if (!inner)
		return -ENOMEM;
	describe(map, bpfcc_arena_printf(l->arena, "%s.inner", m->name), inner);
	inner->index = m->index;
	if (!inner->name)
		return -ENOMEM;
	complete(inner);
	if (inner->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || inner->type == BPF_MAP_TYPE_HASH_OF_MAPS ||
	    inner->type == BPF_MAP_TYPE_PROG_ARRAY)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": maps of this type cannot be inside of a map", m->name);
	err = bpfcc_map_type(l, inner, where);
	if (!err)
		err = bpfcc_map_check(l, inner, where);
	if (!err)
		err = bpfcc_map_fields(l, inner, where);
	inner->flags |= huge_flag(inner);
	m->inner = inner;
	return err;
}

int bpfcc_maps_use(struct bpfcc_loader *l, struct bpfcc_candidate *c,
		   const struct bpfcc_where *where)
{
	struct bpfcc_map *m;
	int err;

	if (c->index >= 0)
		return 0;
	m = &l->object->maps[l->object->nr_maps];
	describe(c->map, c->name, m);
	set_extra(l, m);
	m->index = l->object->nr_maps;
	complete(m);
	err = bpfcc_map_type(l, m, where);
	if (err)
		return err;
	if (c->is_global_data)
		describe_global(l, c, m);
	err = bpfcc_map_check(l, m, where);
	place_arena(m);
	if (!err && m->type == BPFCC_MAP_TYPE_ARENA)
		err = set_variables(l, m, where);
	if (!err)
		err = describe_inner(l, c, m, where);
	if (!err)
		err = bpfcc_map_fields(l, m, where);
	if (!err && m->type == BPF_MAP_TYPE_PROG_ARRAY)
		err = bpfcc_map_progs(l, m, where);
	if (err)
		return err;
	m->flags |= huge_flag(m);
	c->index = (int)l->object->nr_maps++;
	/* after it has its place: this finds more maps */
	return m->inner ? bpfcc_map_inners(l, m, where) : 0;
}
