/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF files that a target names: opening them, their build ids, and the separate files that hold the symbols
 * and the DWARF of what was stripped.
 */
#ifndef INLAY_CLI_ELF_FILE_H
#define INLAY_CLI_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libelf.h>

struct elf_file {
	int fd;
	Elf *elf;	/* NULL: none */
	char *path;
};

/* The caller closes it, also when it failed. -errno; -ENOEXEC: not an ELF file. */
int elf_file_open(const char *path, struct elf_file *ret_file);
void elf_file_close(struct elf_file *file);

/* Its length, 0 where there is none; the bytes live as long as `elf`. */
size_t elf_build_id(Elf *elf, const uint8_t **ret_id);

/* The first section of that type and name (NULL: any); NULL: none. */
Elf_Scn *elf_section_find(Elf *elf, uint32_t type, const char *name);

bool elf_has_dwarf(Elf *elf);

/*
 * The debug file of `elf`, which the target calls `shown`: by its build id in /usr/lib/debug, else by its
 * .gnu_debuglink, where gdb looks for one; `root` goes before the target's paths. Only one that says that it
 * belongs to `elf`, and has symbols or DWARF that `elf` lacks, is taken. -ENOENT: none.
 */
int elf_debug_file_open(Elf *elf, const char *shown, const char *root, struct elf_file *ret_file);

#endif /* INLAY_CLI_ELF_FILE_H */
