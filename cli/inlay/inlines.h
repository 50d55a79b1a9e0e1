/* SPDX-License-Identifier: BSD-2-Clause */
/* Which functions are inlined at an address of an ELF file, by its DWARF. */
#ifndef INLAY_CLI_INLINES_H
#define INLAY_CLI_INLINES_H

#include <stdint.h>

enum { INLINES_MAX = 16 };

struct inlines;

/* Innermost first; raw names that live as long as the struct inlines. */
struct inline_frames {
	uint32_t nr;
	const char *names[INLINES_MAX];
};

/* NULL: no memory, and then nothing is ever found. */
struct inlines *inlines_new(void);
void inlines_free(struct inlines *inlines);
/* `address` as in the file. Nothing is found in a file that cannot be read, or path NULL. */
void inlines_find(struct inlines *inlines, const char *path, uint64_t address,
		  struct inline_frames *ret_frames);

#endif /* INLAY_CLI_INLINES_H */
