/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads an eBPF ELF file through libelf into plain arrays. The file may be hostile: nothing that it
 * says about sizes, offsets and indexes is believed. libbpf gets the file only after this accepted
 * it.
 */
#include "bpfcc/elf.h"

#include <errno.h>
#include <gelf.h>
#include <string.h>

#include "bpfcc/arena.h"
#include "bpfcc/diag.h"

#ifndef EM_BPF
#define EM_BPF 247
#endif

/* far above what a compiler makes, far below what would exhaust memory */
#define MAX_SECTIONS 4096
#define MAX_SYMBOLS (1u << 20)

struct reader {
	Elf *elf;
	struct bpfcc_arena *arena;
	struct bpfcc_diag *diag;
	struct bpfcc_elf *out;
	size_t names;		/* section header string table */
	size_t file_bytes;
	uint32_t symtab;	/* section index; 0: none */
};

#define REFUSE(r, ...) \
	bpfcc_error((r)->diag, NULL, "the file is damaged or was not made by clang -target bpf", \
		    __VA_ARGS__)

static int read_header(struct reader *r)
{
	GElf_Ehdr ehdr;

	if (elf_kind(r->elf) != ELF_K_ELF || !gelf_getehdr(r->elf, &ehdr))
		return bpfcc_error(r->diag, NULL,
				   "give an object made by clang -target bpf -g -O2 -c",
				   "not an ELF object file");
	if (gelf_getclass(r->elf) != ELFCLASS64 || ehdr.e_ident[EI_DATA] != ELFDATA2LSB)
		return bpfcc_error(r->diag, NULL, "compile it with -target bpf or bpfel",
				   "not a 64-bit little-endian ELF file");
	if (ehdr.e_type != ET_REL || (ehdr.e_machine != EM_BPF && ehdr.e_machine != EM_NONE))
		return bpfcc_error(r->diag, NULL,
				   "give an object made by clang -target bpf -g -O2 -c",
				   "not a relocatable eBPF object (ELF type %u, machine %u)",
				   ehdr.e_type, ehdr.e_machine);
	if (elf_getshdrstrndx(r->elf, &r->names))
		return REFUSE(r, "no section name table: %s", elf_errmsg(-1));
	return 0;
}

static int read_section(struct reader *r, uint32_t index)
{
	struct bpfcc_elf_section *s = &r->out->sections[index];
	Elf_Scn *scn = elf_getscn(r->elf, index);
	GElf_Shdr shdr;
	const char *name;
	Elf_Data *data;

	if (!scn || !gelf_getshdr(scn, &shdr))
		return REFUSE(r, "section header %u cannot be read: %s", index, elf_errmsg(-1));
	name = elf_strptr(r->elf, r->names, shdr.sh_name);
	if (!name)
		return REFUSE(r, "section %u has no valid name", index);
	s->name = bpfcc_arena_strdup(r->arena, name);
	if (!s->name)
		return -ENOMEM;
	s->type = shdr.sh_type;
	s->flags = shdr.sh_flags;
	s->bytes = shdr.sh_size;
	if (shdr.sh_flags & SHF_COMPRESSED)
		return REFUSE(r, "section \"%s\" is compressed", s->name);
	if (shdr.sh_type == SHT_NULL) {
		s->bytes = 0;
		return 0;
	}
	if (shdr.sh_type == SHT_NOBITS)
		return s->bytes > UINT32_MAX ? REFUSE(r, "section \"%s\" is too large", s->name)
					     : 0;
	if (shdr.sh_offset > r->file_bytes || shdr.sh_size > r->file_bytes - shdr.sh_offset)
		return REFUSE(r, "section \"%s\" lies outside of the file", s->name);
	data = elf_rawdata(scn, NULL);
	if (!data || data->d_size != shdr.sh_size || (shdr.sh_size && !data->d_buf))
		return REFUSE(r, "section \"%s\" cannot be read: %s", s->name, elf_errmsg(-1));
	s->data = bpfcc_arena_memdup(r->arena, data->d_buf, data->d_size);
	if (!s->data)
		return -ENOMEM;
	if (shdr.sh_type == SHT_SYMTAB) {
		if (r->symtab)
			return REFUSE(r, "two symbol tables");
		r->symtab = index;
	}
	return 0;
}

static int read_symbols(struct reader *r)
{
	Elf_Scn *scn = elf_getscn(r->elf, r->symtab);
	Elf_Data *data;
	GElf_Shdr shdr;
	size_t nr;

	if (!r->symtab)
		return bpfcc_error(r->diag, NULL, "do not strip it",
				   "the object has no symbol table");
	if (!scn || !gelf_getshdr(scn, &shdr) || shdr.sh_entsize != sizeof(Elf64_Sym) ||
	    shdr.sh_size % sizeof(Elf64_Sym) || shdr.sh_link >= r->out->nr_sections ||
	    r->out->sections[shdr.sh_link].type != SHT_STRTAB)
		return REFUSE(r, "the symbol table is malformed");
	data = elf_getdata(scn, NULL);
	nr = shdr.sh_size / sizeof(Elf64_Sym);
	if (!data || data->d_size != shdr.sh_size || nr > MAX_SYMBOLS)
		return REFUSE(r, "the symbol table cannot be read");
	r->out->symbols = bpfcc_arena_array(r->arena, nr, sizeof(*r->out->symbols));
	if (!r->out->symbols)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		struct bpfcc_elf_symbol *s = &r->out->symbols[i];
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym))
			return REFUSE(r, "symbol %zu cannot be read", i);
		name = elf_strptr(r->elf, shdr.sh_link, sym.st_name);
		if (!name)
			return REFUSE(r, "symbol %zu has no valid name", i);
		s->name = bpfcc_arena_strdup(r->arena, name);
		if (!s->name)
			return -ENOMEM;
		s->value = sym.st_value;
		s->bytes = sym.st_size;
		s->section = sym.st_shndx;
		s->type = GELF_ST_TYPE(sym.st_info);
		s->bind = GELF_ST_BIND(sym.st_info);
		if (s->section >= r->out->nr_sections && s->section < SHN_LORESERVE)
			return REFUSE(r, "symbol \"%s\" is in section %u, which does not exist",
				      s->name, s->section);
		if (s->section && s->section < r->out->nr_sections &&
		    (s->value > r->out->sections[s->section].bytes ||
		     s->bytes > r->out->sections[s->section].bytes - s->value))
			return REFUSE(r, "symbol \"%s\" lies outside of section \"%s\"", s->name,
				      r->out->sections[s->section].name);
	}
	r->out->nr_symbols = (uint32_t)nr;
	return 0;
}

static int read_rels(struct reader *r, uint32_t index)
{
	struct bpfcc_elf_section *target;
	Elf_Scn *scn = elf_getscn(r->elf, index);
	struct bpfcc_elf_rel *rels;
	Elf_Data *data;
	GElf_Shdr shdr;
	size_t nr;

	if (!scn || !gelf_getshdr(scn, &shdr) || shdr.sh_entsize != sizeof(Elf64_Rel) ||
	    shdr.sh_size % sizeof(Elf64_Rel) || shdr.sh_link != r->symtab ||
	    shdr.sh_info >= r->out->nr_sections || !shdr.sh_info)
		return REFUSE(r, "relocation section \"%s\" is malformed",
			      r->out->sections[index].name);
	target = &r->out->sections[shdr.sh_info];
	data = elf_getdata(scn, NULL);
	nr = shdr.sh_size / sizeof(Elf64_Rel);
	if (!data || data->d_size != shdr.sh_size || target->nr_rels)
		return REFUSE(r, "relocation section \"%s\" cannot be read",
			      r->out->sections[index].name);
	rels = bpfcc_arena_array(r->arena, nr, sizeof(*rels));
	if (!rels)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		GElf_Rel rel;

		if (!gelf_getrel(data, (int)i, &rel) ||
		    GELF_R_SYM(rel.r_info) >= r->out->nr_symbols || rel.r_offset >= target->bytes)
			return REFUSE(r, "relocation %zu of section \"%s\" is malformed", i,
				      target->name);
		rels[i].offset = rel.r_offset;
		rels[i].type = (uint32_t)GELF_R_TYPE(rel.r_info);
		rels[i].symbol = (uint32_t)GELF_R_SYM(rel.r_info);
	}
	target->rels = rels;
	target->nr_rels = (uint32_t)nr;
	return 0;
}

static int read_all(struct reader *r)
{
	size_t nr;
	int err = read_header(r);

	if (err)
		return err;
	if (elf_getshdrnum(r->elf, &nr) || !nr || nr > MAX_SECTIONS)
		return REFUSE(r, "no valid section headers");
	r->out->sections = bpfcc_arena_array(r->arena, nr, sizeof(*r->out->sections));
	if (!r->out->sections)
		return -ENOMEM;
	r->out->nr_sections = (uint32_t)nr;
	for (uint32_t i = 0; i < nr && !err; i++)
		err = read_section(r, i);
	if (!err)
		err = read_symbols(r);
	for (uint32_t i = 1; i < nr && !err; i++)
		if (r->out->sections[i].type == SHT_REL)
			err = read_rels(r, i);
	return err;
}

int bpfcc_elf_read(const void *data, size_t size, struct bpfcc_arena *arena,
		   struct bpfcc_diag *diag, struct bpfcc_elf *ret_elf)
{
	struct reader r = {.arena = arena, .diag = diag, .out = ret_elf, .file_bytes = size};
	char *copy;
	int err;

	memset(ret_elf, 0, sizeof(*ret_elf));
	elf_version(EV_CURRENT);
	/* libelf wants memory that it may write */
	copy = bpfcc_arena_memdup(arena, data, size);
	if (!copy)
		return -ENOMEM;
	r.elf = elf_memory(copy, size);
	if (!r.elf)
		return bpfcc_error(diag, NULL, "give an object made by clang -target bpf -g -O2 -c",
				   "not an ELF object file: %s", elf_errmsg(-1));
	err = read_all(&r);
	elf_end(r.elf);
	return err;
}

const struct bpfcc_elf_section *bpfcc_elf_section(const struct bpfcc_elf *elf, const char *name)
{
	for (uint32_t i = 1; i < elf->nr_sections; i++)
		if (!strcmp(elf->sections[i].name, name))
			return &elf->sections[i];
	return NULL;
}

bool bpfcc_elf_is_code(const struct bpfcc_elf *elf, uint32_t section)
{
	const struct bpfcc_elf_section *s;

	if (!section || section >= elf->nr_sections)
		return false;
	s = &elf->sections[section];
	return s->type == SHT_PROGBITS && (s->flags & SHF_EXECINSTR) && s->data;
}
