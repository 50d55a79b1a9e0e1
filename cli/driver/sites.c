/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads section inlay_sites of a linked file with libelf. Strings are found through the section that
 * holds their address, copied into the arena.
 */
#include "cli/driver/sites.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

struct file {
	int fd;
	Elf *elf;
	struct bpfcc_arena *arena;
};

static void file_close(struct file *file)
{
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
}

static int file_open(struct file *file, const char *path, struct bpfcc_arena *arena)
{
	file->arena = arena;
	file->elf = NULL;
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		return -errno;
	elf_version(EV_CURRENT);
	file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF ||
	    gelf_getclass(file->elf) != ELFCLASS64) {
		file_close(file);
		return -ENOEXEC;
	}
	return 0;
}

/* The NUL-terminated string at an address of the loaded file, or NULL. */
static const char *string_at(struct file *file, uint64_t address)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(file->elf, section))) {
		const char *text;
		GElf_Shdr header;
		uint64_t offset;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_ALLOC) ||
		    header.sh_type == SHT_NOBITS || address < header.sh_addr ||
		    address - header.sh_addr >= header.sh_size)
			continue;
		data = elf_rawdata(section, NULL);
		offset = address - header.sh_addr;
		if (!data || !data->d_buf || offset >= data->d_size)
			return NULL;
		text = (const char *)data->d_buf + offset;
		if (!memchr(text, '\0', data->d_size - offset))
			return NULL;
		return bpfcc_arena_strdup(file->arena, text);
	}
	return NULL;
}

/* A reference counts from the address of its own field; 0 is none. */
static const char *text_of(struct file *file, uint64_t record, size_t field, int32_t reference)
{
	if (reference == 0)
		return NULL;
	return string_at(file, record + field + (uint64_t)(int64_t)reference);
}

#define TEXT(member) text_of(file, address, offsetof(struct inlay_site, member), site.member)

static int read_records(struct file *file, const GElf_Shdr *header, Elf_Data *data,
			struct cc_site **ret_sites, size_t *ret_nr)
{
	size_t max = data->d_size / sizeof(struct inlay_site);
	struct cc_site *sites = bpfcc_arena_array(file->arena, max, sizeof(*sites));
	size_t nr = 0;

	if (!sites)
		return -ENOMEM;
	for (size_t at = 0; at + sizeof(struct inlay_site) <= data->d_size;) {
		uint64_t address = header->sh_addr + at;
		struct inlay_site site;

		memcpy(&site, (const char *)data->d_buf + at, sizeof(site));
		if (site.site_bytes < sizeof(site))
			return -ENOEXEC;
		at += site.site_bytes;
		if (site.version != INLAY_SITE_VERSION)
			continue;
		sites[nr++] = (struct cc_site){
			.kind = site.kind,
			.flags = site.flags,
			.function = TEXT(function),
			.caller = TEXT(caller),
			.file = TEXT(file),
			.program = TEXT(program),
			.object = TEXT(object),
			.section = TEXT(section),
			.types = TEXT(types),
			.line = site.line,
		};
	}
	*ret_sites = sites;
	*ret_nr = nr;
	return 0;
}

int cc_sites_read(struct bpfcc_arena *arena, const char *path, struct cc_site **ret_sites,
		  size_t *ret_nr)
{
	Elf_Scn *section = NULL;
	struct file file;
	size_t names;
	int err;

	*ret_sites = NULL;
	*ret_nr = 0;
	err = file_open(&file, path, arena);
	if (err)
		return err;
	if (elf_getshdrstrndx(file.elf, &names) != 0)
		err = -ENOEXEC;
	while (!err && (section = elf_nextscn(file.elf, section))) {
		const char *name;
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(file.elf, names, header.sh_name);
		if (!name || strcmp(name, INLAY_SECTION_SITES) != 0)
			continue;
		data = elf_rawdata(section, NULL);
		if (data && data->d_buf)
			err = read_records(&file, &header, data, ret_sites, ret_nr);
		break;
	}
	file_close(&file);
	return err;
}

static bool table_defines(Elf *elf, const GElf_Shdr *header, Elf_Data *data, const char *function)
{
	size_t nr = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;

	for (size_t i = 0; i < nr && i < INT32_MAX; i++) {
		const char *name;
		GElf_Sym symbol;

		if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx == SHN_UNDEF ||
		    GELF_ST_TYPE(symbol.st_info) != STT_FUNC)
			continue;
		name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (name && strcmp(name, function) == 0)
			return true;
	}
	return false;
}

int cc_defines_function(const char *path, const char *function)
{
	Elf_Scn *section = NULL;
	bool is_found = false;
	struct file file;
	int err;

	err = file_open(&file, path, NULL);
	if (err)
		return err;
	while (!is_found && (section = elf_nextscn(file.elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) ||
		    (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM))
			continue;
		data = elf_getdata(section, NULL);
		is_found = data && table_defines(file.elf, &header, data, function);
	}
	file_close(&file);
	return is_found;
}
