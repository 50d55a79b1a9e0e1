/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections, symbols and relocation records of an eBPF ELF file, every reference checked once here:
 * users may index names, data and symbols without checking again.
 */
#ifndef INLAY_BPFCC_ELF_H
#define INLAY_BPFCC_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpfcc_arena;
struct bpfcc_diag;

struct bpfcc_elf_rel {
	uint64_t offset;	/* in the section that it patches */
	uint32_t type;
	uint32_t symbol;	/* index in symbols */
};

struct bpfcc_elf_section {
	const char *name;
	uint32_t type;
	uint64_t flags;
	const void *data;	/* NULL for SHT_NOBITS */
	uint64_t bytes;
	const struct bpfcc_elf_rel *rels; /* records that patch this section */
	uint32_t nr_rels;
};

struct bpfcc_elf_symbol {
	const char *name;	/* "" for section symbols */
	uint64_t value, bytes;
	uint32_t section;	/* index in sections; SHN_UNDEF or SHN_ABS ... above them */
	uint8_t type, bind;
};

struct bpfcc_elf {
	struct bpfcc_elf_section *sections;	/* [0] is the null section */
	uint32_t nr_sections;
	struct bpfcc_elf_symbol *symbols;
	uint32_t nr_symbols;
};

/* Everything returned is the arena's; data may go afterwards. 0, -EINVAL, -ENOMEM. */
int bpfcc_elf_read(const void *data, size_t size, struct bpfcc_arena *arena,
		   struct bpfcc_diag *diag, struct bpfcc_elf *ret_elf);

/* NULL if there is none */
const struct bpfcc_elf_section *bpfcc_elf_section(const struct bpfcc_elf *elf, const char *name);
bool bpfcc_elf_is_code(const struct bpfcc_elf *elf, uint32_t section);

#endif /* INLAY_BPFCC_ELF_H */
