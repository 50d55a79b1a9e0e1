/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question about a linked file's symbols, for the reason that a message gives.
 */
#include "cli/driver/symtab.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

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

bool cc_defines_function(const char *path, const char *function)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *section = NULL;
	bool is_found = false;
	Elf *elf;

	if (fd < 0)
		return false;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	while (elf && !is_found && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) ||
		    (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM))
			continue;
		data = elf_getdata(section, NULL);
		is_found = data && table_defines(elf, &header, data, function);
	}
	elf_end(elf);
	close(fd);
	return is_found;
}
