/* SPDX-License-Identifier: BSD-2-Clause */
/* The sites of an ELF file: records of section inlay_sites (abi.h), with their references resolved. */
#ifndef INLAY_CLI_SITES_H
#define INLAY_CLI_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inlay/abi.h"

/* Strings are raw and live as long as the list; "" where a record has none. */
struct site {
	uint32_t kind, flags, line, prog_index;
	const char *function, *caller, *file, *program, *object, *section, *types;
	uint8_t hash[INLAY_HASH_BYTES];
};

struct sites {
	struct site *sites;
	size_t nr;
	size_t nr_dropped;	/* call sites whose function the target defines: they never run */
	char *image;		/* the file's bytes */
	size_t image_bytes;
};

/*
 * Reads a file, which may be anything. Errors: -errno with a one-line reason. A file without sites
 * gives an empty list.
 */
int sites_read(const char *path, struct sites *ret_sites, char *reason, size_t reason_bytes);
void sites_fini(struct sites *sites);

#endif /* INLAY_CLI_SITES_H */
