/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The site records in a linked file, for the check after a link. Nothing in the file is trusted: a
 * reference that leads nowhere is a NULL name.
 */
#ifndef INLAY_DRIVER_SITES_H
#define INLAY_DRIVER_SITES_H

#include <stddef.h>

#include "bpfcc/arena.h"
#include "inlay/abi.h"

struct cc_site {
	enum inlay_site_kind kind;
	unsigned int flags;	/* enum inlay_site_flags */
	const char *function, *caller, *file, *program, *object, *section, *types;
	unsigned int line;
};

/*
 * 0: *ret_nr sites, none if the file has no such section. -ENOEXEC: no ELF file of this machine's
 * class; -errno of reading it.
 */
int cc_sites_read(struct bpfcc_arena *arena, const char *path, struct cc_site **ret_sites,
		  size_t *ret_nr);
/* 1: the file's symbol table has a definition of the function; 0: not; -errno. */
int cc_defines_function(const char *path, const char *function);

#endif /* INLAY_DRIVER_SITES_H */
