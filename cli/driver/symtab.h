/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the reasons in messages need of a linked file: its functions, and what the pass left out.
 */
#ifndef INLAY_DRIVER_SYMTAB_H
#define INLAY_DRIVER_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>

#include "bpfcc/arena.h"

struct cc_functions {
	bool is_defined;	/* the function itself */
	const char *similar;	/* another one that may have been meant, or NULL */
};

/* Looks for a function in the ELF file's symbol tables; nothing is found if it cannot be read. */
void cc_find_function(struct bpfcc_arena *arena, const char *path, const char *function,
		      struct cc_functions *ret_functions);

/* A place that a program names and where it is not (INLAY_SECTION_SKIPS). */
struct cc_skip {
	const char *object, *program, *function, *reason;
};

struct cc_skips {
	struct cc_skip *skips;
	size_t nr;
};

/* Empty if the file has none. -ENOMEM is the only error: a damaged section ends the list. */
int cc_skips_read(struct bpfcc_arena *arena, const char *path, struct cc_skips *ret_skips);

#endif /* INLAY_DRIVER_SYMTAB_H */
