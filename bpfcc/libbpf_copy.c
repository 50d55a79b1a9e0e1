/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libbpf before 1.5 refuses a whole object for, and arenas have: `__ulong(map_extra, N)`, a number
 * of 64 bits in a map's definition, and variables in address space 1, in a section of their own. The
 * number is read here, and libbpf is given a copy of the file in which that member is another one and
 * that section is one of data.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "bpfcc/libbpf_print.h"
#include "bpfcc/loader.h"

static const struct btf_member *member_of(const struct btf *btf, const struct btf_type *t,
					  const char *name)
{
	const struct btf_member *m = btf_members(t);

	for (uint16_t i = 0; i < btf_vlen(t); i++) {
		const char *has = btf__name_by_offset(btf, m[i].name_off);

		if (has && !strcmp(has, name))
			return &m[i];
	}
	return NULL;
}

/* The only value of an enumeration: what __ulong() makes of a number. */
static bool value_of(const struct btf *btf, uint32_t type, uint64_t *ret)
{
	const struct btf_type *t = btf__type_by_id(btf, type);

	if (!t || btf_vlen(t) != 1)
		return false;
	if (btf_is_enum64(t))
		*ret = btf_enum64_value(btf_enum64(t));
	else if (btf_is_enum(t))
		*ret = (uint32_t)btf_enum(t)->val;
	else
		return false;
	return true;
}

/* A map's definition: notes its map_extra, and where the member is among the bytes of .BTF. */
static int note(struct bpfcc_loader *l, const struct btf *btf, const struct btf_type *var,
		const char *raw)
{
	uint32_t id = var->type;
	const struct btf_type *t = btf__type_by_id(btf, id);
	const struct btf_member *extra, *other;
	struct bpfcc_map_extra *e;
	uint64_t value;

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	if (!t || !btf_is_struct(t))
		return 0;
	extra = member_of(btf, t, "map_extra");
	other = member_of(btf, t, "type");
	if (!extra || !other || !value_of(btf, extra->type, &value))
		return 0;
	e = &l->extras[l->nr_extras++];
	e->map = bpfcc_arena_strdup(l->arena, btf__name_by_offset(btf, var->name_off));
	e->value = value;
	e->at = (uint32_t)((const char *)extra - raw);
	e->was = *extra;
	e->is = *extra;
	e->is.name_off = other->name_off;
	e->is.type = other->type;
	return e->map ? 0 : -ENOMEM;
}

static int find(struct bpfcc_loader *l, const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, ".maps", BTF_KIND_DATASEC), err = 0;
	const struct btf_type *maps = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	uint32_t bytes;
	const char *raw = btf__raw_data(btf, &bytes);

	if (!maps)
		return 0;
	l->extras = bpfcc_arena_array(l->arena, btf_vlen(maps), sizeof(*l->extras));
	if (!l->extras || !raw)
		return -ENOMEM;
	for (uint16_t i = 0; i < btf_vlen(maps) && !err; i++) {
		const struct btf_type *var = btf__type_by_id(btf, btf_var_secinfos(maps)[i].type);

		if (var && btf_is_var(var))
			err = note(l, btf, var, raw);
	}
	return err;
}

static void patch(struct bpfcc_loader *l, char *btf, size_t bytes)
{
	for (uint32_t i = 0; i < l->nr_extras; i++)
		if (l->extras[i].at + sizeof(l->extras[i].is) <= bytes)
			memcpy(btf + l->extras[i].at, &l->extras[i].is, sizeof(l->extras[i].is));
}

/* Both are names in tables of strings, and the new one is not longer. */
static void rename_section(char *at)
{
	memset(at, 0, sizeof(BPFCC_ARENA_SECTION));
	memcpy(at, BPFCC_ARENA_COPY, sizeof(BPFCC_ARENA_COPY));
}

/* In the strings of .BTF: whole ones only, and each once. */
static void rename_type(char *btf, size_t bytes, const char *from, const char *to, size_t to_bytes)
{
	size_t n = strlen(BPFCC_ARENA_SECTION) + 1;
	char padded[sizeof(BPFCC_ARENA_SECTION)] = "";
	char *at = btf;

	memcpy(padded, from, strlen(from));
	while ((at = memmem(at, bytes - (size_t)(at - btf), padded, n))) {
		if (at > btf && !at[-1]) {
			memset(at, 0, n);
			memcpy(at, to, to_bytes);
		}
		at += n;
	}
}

static int section_at(const char *file, size_t size, size_t index, Elf64_Shdr *ret)
{
	Elf64_Ehdr header;
	uint64_t at;

	memcpy(&header, file, sizeof(header));
	at = header.e_shoff + (uint64_t)index * sizeof(*ret);
	if (size < sizeof(*ret) || at > size - sizeof(*ret))
		return -EINVAL;
	memcpy(ret, file + at, sizeof(*ret));
	return ret->sh_offset > size || ret->sh_size > size - ret->sh_offset ? -EINVAL : 0;
}

static int change(struct bpfcc_loader *l, char *file, size_t size,
		  const struct bpfcc_elf_section *btf, const struct bpfcc_elf_section *arena)
{
	Elf64_Shdr section, strings;
	Elf64_Ehdr header;
	int err = section_at(file, size, (size_t)(btf - l->elf.sections), &section);

	if (err || section.sh_size != btf->bytes)
		return -EINVAL;
	patch(l, file + section.sh_offset, btf->bytes);
	if (!arena)
		return 0;
	rename_type(file + section.sh_offset, btf->bytes, BPFCC_ARENA_SECTION, BPFCC_ARENA_COPY,
		    sizeof(BPFCC_ARENA_COPY));
	memcpy(&header, file, sizeof(header));
	err = section_at(file, size, (size_t)(arena - l->elf.sections), &section);
	if (!err)
		err = section_at(file, size, header.e_shstrndx, &strings);
	if (err || section.sh_name > strings.sh_size ||
	    strings.sh_size - section.sh_name < sizeof(BPFCC_ARENA_SECTION))
		return -EINVAL;
	rename_section(file + strings.sh_offset + section.sh_name);
	return 0;
}

int bpfcc_libbpf_copy(struct bpfcc_loader *l, const void **data, size_t size)
{
	const struct bpfcc_elf_section *s = bpfcc_elf_section(&l->elf, ".BTF");
	const struct bpfcc_elf_section *arena = bpfcc_elf_section(&l->elf, BPFCC_ARENA_SECTION);
	struct btf *btf;
	char *copy;
	int err;

	if (arena && !arena->bytes)
		arena = NULL;
	if (!s || !s->data ||
	    (!arena && !memmem(s->data, s->bytes, "map_extra", sizeof("map_extra"))))
		return 0;
	bpfcc_libbpf_begin(l->diag);
	btf = btf__new(s->data, (uint32_t)s->bytes);
	bpfcc_libbpf_end();
	/* what is wrong with it is said by who reads it next */
	if (!btf)
		return 0;
	err = find(l, btf);
	btf__free(btf);
	if (err || (!l->nr_extras && !arena))
		return err;
	copy = bpfcc_arena_memdup(l->arena, *data, size);
	if (!copy)
		return -ENOMEM;
	*data = copy;
	err = change(l, copy, size, s, arena);
	return err ? bpfcc_error(l->diag, NULL, NULL, "the table of sections is damaged") : 0;
}

/* libbpf changes some types' numbers, and adds others behind them: a member is where it was. */
void bpfcc_libbpf_restore(struct bpfcc_loader *l, void *btf, size_t bytes)
{
	for (uint32_t i = 0; i < l->nr_extras; i++) {
		const struct bpfcc_map_extra *e = &l->extras[i];

		if (e->at + sizeof(e->is) <= bytes &&
		    !memcmp((char *)btf + e->at, &e->is, sizeof(e->is)))
			memcpy((char *)btf + e->at, &e->was, sizeof(e->was));
	}
	if (bpfcc_elf_section(&l->elf, BPFCC_ARENA_SECTION))
		rename_type(btf, bytes, BPFCC_ARENA_COPY, BPFCC_ARENA_SECTION,
			    sizeof(BPFCC_ARENA_SECTION));
}
