/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a link has made of the probes: which programs found a site in the linked file, and whether
 * one that names this very file found none.
 */
#ifndef INLAY_DRIVER_LINK_H
#define INLAY_DRIVER_LINK_H

#include "bpfcc/object.h"
#include "cli/driver/options.h"
#include "cli/driver/symtab.h"
#include "cli/inlay/sites.h"

struct cc_outcome {
	const struct bpfcc_object *object;
	const struct bpfcc_prog *prog;
	size_t nr_sites;
	bool is_error;		/* names this file and matched nothing */
	const char *why;	/* matched nothing: the reason as far as it is known */
};

struct cc_link {
	const char *output;		/* path of the linked file */
	const char *name;		/* its name without folders */
	struct sites sites;		/* all of the file's, also those of other objects */
	struct cc_skips skips;		/* places that programs without a site were left out of */
	struct cc_outcome *outcomes;	/* one a program, in the order of objects and programs */
	size_t nr_outcomes;
	size_t nr_errors;
};

/*
 * Looks at a linked file. `options` are those of the link. -ENOEXEC: no ELF file. Messages about a
 * probe object that cannot be read go to stderr; then -EINVAL. What the result points to lives
 * until the process ends.
 */
int cc_link_read(struct bpfcc_arena *arena, const struct cc_options *options, const char *output,
		 struct cc_link *ret_link);
/* Whether the place was left out of this program. */
bool cc_skip_is_of(const struct cc_skip *skip, const struct bpfcc_object *object,
		   const struct bpfcc_prog *prog);
/* Writes the JSON report under a temporary name and renames it to `path`. */
int cc_link_write_report(const struct cc_link *link, const char *path);
/* Prints errors, or the one line that says what matched. */
void cc_link_print(const struct cc_link *link, bool is_verbose);

#endif /* INLAY_DRIVER_LINK_H */
