/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the object puts into a PROG_ARRAY: `.values = { [1] = (void *)&program }` leaves relocation
 * records in section .maps, in the member `values` of the map's variable.
 */
#include <errno.h>
#include <string.h>

#include "bpfcc/loader.h"

#define POINTER_BYTES 8

/* Where the member `values` is in the map's variable, or -1. */
static int64_t values_offset(struct bpfcc_loader *l, const char *name)
{
	int32_t id = btf__find_by_name_kind(l->btf, name, BTF_KIND_VAR);
	const struct btf_type *t = id > 0 ? btf__type_by_id(l->btf, (uint32_t)id) : NULL;

	for (uint32_t i = 0; t && i < 32 && (btf_is_var(t) || btf_is_mod(t) || btf_is_typedef(t)); i++)
		t = btf__type_by_id(l->btf, t->type);
	if (!t || !btf_is_struct(t))
		return -1;
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(l->btf, btf_members(t)[i].name_off), "values"))
			return btf_member_bit_offset(t, i) / 8;
	return -1;
}

static const struct bpfcc_elf_symbol *variable(struct bpfcc_loader *l, const char *name,
					       const struct bpfcc_elf_section *maps)
{
	uint32_t section = (uint32_t)(maps - l->elf.sections);

	for (uint32_t i = 0; i < l->elf.nr_symbols; i++)
		if (l->elf.symbols[i].section == section && !strcmp(l->elf.symbols[i].name, name))
			return &l->elf.symbols[i];
	return NULL;
}

static int put(struct bpfcc_loader *l, struct bpfcc_map *m, uint64_t index,
	       const struct bpfcc_elf_symbol *sym, const struct bpfcc_where *where, void *arg)
{
	const struct bpfcc_fn *fn = bpfcc_funcs_at(l, sym->section, sym->value);
	int32_t **progs = arg;

	if (!*progs) {
		*progs = bpfcc_arena_array(l->arena, m->max_entries, sizeof(**progs));
		if (!*progs)
			return -ENOMEM;
		for (uint32_t k = 0; k < m->max_entries; k++)
			(*progs)[k] = -1;
	}
	if (index >= m->max_entries)
		return bpfcc_error(l->diag, where, "raise max_entries",
				   "map \"%s\": a program is put at index %llu of %u", m->name,
				   (unsigned long long)index, m->max_entries);
	if (!fn || fn->index < 0 || (uint32_t)fn->index >= l->object->nr_progs)
		return bpfcc_error(l->diag, where, "give it a section as SEC(\"uprobe\")",
				   "map \"%s\": \"%s\" is no program for Inlay", m->name,
				   fn ? fn->name : sym->name);
	(*progs)[index] = fn->index;
	return 0;
}

int bpfcc_map_values(struct bpfcc_loader *l, struct bpfcc_map *m, const struct bpfcc_where *where,
		     bpfcc_map_values_fn fn, void *arg)
{
	const struct bpfcc_elf_section *maps = bpfcc_elf_section(&l->elf, ".maps");
	const struct bpfcc_elf_symbol *var = maps ? variable(l, m->name, maps) : NULL;
	int64_t values = l->btf ? values_offset(l, m->name) : -1;
	int err = 0;

	for (uint32_t i = 0; var && values >= 0 && i < maps->nr_rels && !err; i++) {
		const struct bpfcc_elf_rel *rel = &maps->rels[i];
		uint64_t first = var->value + (uint64_t)values;

		if (rel->offset >= first && rel->offset < var->value + var->bytes)
			err = fn(l, m, (rel->offset - first) / POINTER_BYTES,
				 &l->elf.symbols[rel->symbol], where, arg);
	}
	return err;
}

int bpfcc_map_progs(struct bpfcc_loader *l, struct bpfcc_map *m, const struct bpfcc_where *where)
{
	int32_t *progs = NULL;
	int err = bpfcc_map_values(l, m, where, put, &progs);

	m->tail_progs = progs;
	return err;
}
