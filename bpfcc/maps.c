/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps: libbpf reads their definitions, this checks what the kernel and Inlay would refuse and
 * numbers those that a placed program refers to. Others belong to the companion and may be
 * anything.
 */
#include <errno.h>
#include <string.h>

#include "bpfcc/loader.h"

#define MAX_KEY_BYTES 512u
#define MAX_VALUE_BYTES (32u << 20)
#define MAX_ENTRIES (1u << 30)
#define MAX_PERCPU_VALUE_BYTES (32u << 10) /* the kernel's PCPU_MIN_UNIT_SIZE */
#define MAX_REGION_BYTES (1ull << 40)
#define SUPPORTED "supported are ARRAY, HASH, PERCPU_ARRAY and PERCPU_HASH"

static const char *type_name(uint32_t type)
{
	const char *name = libbpf_bpf_map_type_str((enum bpf_map_type)type);

	return name ? name : "unknown";
}

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
		c->name = bpfcc_arena_strdup(l->arena, name);
		if (!c->name)
			return -ENOMEM;
		data = c->is_global_data ? bpf_map__initial_value(map, &bytes) : NULL;
		if (!data)
			continue;
		c->data = bpfcc_arena_memdup(l->arena, data, bytes);
		c->bytes = (uint32_t)bytes;
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

/* What the kernel's map_alloc_check functions refuse, with their error numbers. */
static int check_sizes(struct bpfcc_loader *l, const struct bpfcc_map *m,
		       const struct bpfcc_where *where)
{
	bool is_array = m->type == BPF_MAP_TYPE_ARRAY || m->type == BPF_MAP_TYPE_PERCPU_ARRAY;

	if (!m->max_entries)
		return bpfcc_error(l->diag, where, "give it with __uint(max_entries, N) or --map",
				   "map \"%s\": max_entries is 0 (-EINVAL)", m->name);
	if (!m->value_size)
		return bpfcc_error(l->diag, where, "give it a value type with __type(value, T)",
				   "map \"%s\": value_size is 0 (-EINVAL)", m->name);
	if (is_array && m->key_size != 4)
		return bpfcc_error(l->diag, where, "use __type(key, __u32)",
				   "map \"%s\": an array's key_size is 4, not %u (-EINVAL)",
				   m->name, m->key_size);
	if (!m->key_size)
		return bpfcc_error(l->diag, where, "give it a key type with __type(key, T)",
				   "map \"%s\": key_size is 0 (-EINVAL)", m->name);
	if (m->key_size > MAX_KEY_BYTES)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": key_size %u is above %u (-E2BIG)", m->name,
				   m->key_size, MAX_KEY_BYTES);
	if (m->value_size > MAX_VALUE_BYTES)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": value_size %u is above %u (-E2BIG)", m->name,
				   m->value_size, MAX_VALUE_BYTES);
	if ((m->flags & INLAY_MAP_PERCPU) &&
	    inlay_round_up(m->value_size, 8) > MAX_PERCPU_VALUE_BYTES)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": a per-CPU value_size of %u is above %u (-E2BIG)",
				   m->name, m->value_size, MAX_PERCPU_VALUE_BYTES);
	if (m->max_entries > MAX_ENTRIES ||
	    inlay_map_region_bytes(m->type, m->key_size, m->value_size, m->max_entries) >
		    MAX_REGION_BYTES ||
	    inlay_map_shard_bytes(m->type, m->value_size, m->max_entries) > MAX_REGION_BYTES)
		return bpfcc_error(l->diag, where, "lower max_entries",
				   "map \"%s\": %u entries of %u bytes are too much (-E2BIG)",
				   m->name, m->max_entries, m->value_size);
	return 0;
}

static int check_flags(struct bpfcc_loader *l, const struct bpfcc_map *m,
		       const struct bpfcc_where *where)
{
	uint32_t allowed = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG |
			   BPF_F_WRONLY_PROG;

	if (m->type == BPF_MAP_TYPE_ARRAY)
		allowed |= BPF_F_MMAPABLE;
	if (m->flags & INLAY_MAP_HASH)
		allowed |= BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED;
	if (m->map_flags & ~allowed)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": map_flags 0x%x are not valid for a map of type %s "
				   "(-EINVAL)",
				   m->name, m->map_flags & ~allowed, type_name(m->type));
	if ((m->map_flags & BPF_F_RDONLY && m->map_flags & BPF_F_WRONLY) ||
	    (m->map_flags & BPF_F_RDONLY_PROG && m->map_flags & BPF_F_WRONLY_PROG))
		return bpfcc_error(
		    l->diag, where, NULL,
		    "map \"%s\": map_flags ask for read-only and write-only (-EINVAL)", m->name);
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
	if (!strncmp(m->name, ".rodata", 7))
		m->flags = INLAY_MAP_RODATA;
	else if (!strncmp(m->name, ".bss", 4) && c->data) {
		/* still all zero after --set: keeps its place in .bss of the target */
		for (uint32_t i = 0; i < c->bytes; i++)
			if (c->data[i])
				return;
		m->data = NULL;
	}
}

int bpfcc_maps_use(struct bpfcc_loader *l, struct bpfcc_candidate *c,
		   const struct bpfcc_where *where)
{
	struct bpfcc_map *m;
	int err;

	if (c->index >= 0)
		return 0;
	m = &l->object->maps[l->object->nr_maps];
	*m = (struct bpfcc_map){
		.name = c->name,
		.type = bpf_map__type(c->map),
		.key_size = bpf_map__key_size(c->map),
		.value_size = bpf_map__value_size(c->map),
		.max_entries = bpf_map__max_entries(c->map),
		.map_flags = bpf_map__map_flags(c->map),
		.index = l->object->nr_maps,
		.btf_key_type_id = bpf_map__btf_key_type_id(c->map),
		.btf_value_type_id = bpf_map__btf_value_type_id(c->map),
	};
	if (!strcmp(c->name, ".kconfig"))
		return bpfcc_error(l->diag, where, "remove the __kconfig variable",
				   "a program reads a kernel configuration (__kconfig), which a "
				   "process does not have");
	switch (m->type) {
	case BPF_MAP_TYPE_ARRAY:
		break;
	case BPF_MAP_TYPE_HASH:
		m->flags = INLAY_MAP_HASH;
		break;
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		m->flags = INLAY_MAP_PERCPU;
		break;
	case BPF_MAP_TYPE_PERCPU_HASH:
		m->flags = INLAY_MAP_PERCPU | INLAY_MAP_HASH;
		break;
	default:
		return bpfcc_error(l->diag, where, SUPPORTED,
				   "map \"%s\": type %s (%u) is not supported", m->name,
				   type_name(m->type), m->type);
	}
	if (c->is_global_data)
		describe_global(l, c, m);
	err = check_flags(l, m, where);
	if (!err)
		err = check_sizes(l, m, where);
	if (err)
		return err;
	if (!(m->flags & INLAY_MAP_RODATA) &&
	    inlay_map_region_bytes(m->type, m->key_size, m->value_size, m->max_entries) >
		    INLAY_LINK_REGION_MAX)
		m->flags |= INLAY_MAP_HUGE;
	c->index = (int)l->object->nr_maps++;
	return 0;
}
