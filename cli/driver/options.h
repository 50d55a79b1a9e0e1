/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inlay's own options of the compiler wrappers: taken out of the command line, the rest stays as it
 * was. Each is accepted as -finlay-NAME and as --inlay-NAME.
 */
#ifndef INLAY_DRIVER_OPTIONS_H
#define INLAY_DRIVER_OPTIONS_H

#include <stdbool.h>

#include "cli/driver/words.h"

enum cc_print { CC_PRINT_NOTHING, CC_PRINT_FLAGS, CC_PRINT_COMPILE, CC_PRINT_LINK, CC_PRINT_HELP };

struct cc_options {
	struct cc_words probes;		/* paths of probe objects */
	struct cc_words sets;		/* VAR=value */
	struct cc_words maps;		/* NAME.max_entries=N */
	struct cc_words attaches;	/* PROGRAM:FUNCTION */
	struct cc_words skips;		/* PROGRAM */
	const char *target_btf;		/* file with the target's types */
	const char *binary;		/* the output is this program: no test at run time */
	const char *report;		/* file or folder of the build report, or NULL */
	const char *check;		/* a linked file to look at, and nothing else to do */
	bool allow_override;
	bool allow_write;
	bool unsafe_no_verify;
	bool stats;
	bool no_handler;		/* leave SIGSEGV alone; read memory by system call */
	bool runtime;			/* link libinlay although no probe is named */
	bool verbose;
	enum cc_print print;
};

/*
 * Moves Inlay's options from argv[0 .. nr) into *options, which may hold some already, and all else
 * into *rest. -EINVAL: *ret_wrong says what is wrong with which option.
 */
int cc_options_take(struct bpfcc_arena *arena, const char *const *argv, size_t nr,
		    struct cc_options *options, struct cc_words *rest, const char **ret_wrong);

/* Whether the first `len` bytes of `name` are what the object at `path` is called in options. */
bool cc_is_object_name(const char *path, const char *name, size_t len);

/*
 * Length of OBJECT in "OBJECT:REST", 0 if the item is for all objects. has_colon: the rest has a
 * colon of its own, or two.
 */
size_t cc_object_prefix(const struct cc_options *options, const char *item, bool has_colon);

/* -EINVAL: an option is for an object that is not there; *ret_wrong says which. */
int cc_options_check(struct bpfcc_arena *arena, const struct cc_options *options,
		     const char **ret_wrong);

/* Text of --inlay-help. */
extern const char cc_options_help[];

#endif /* INLAY_DRIVER_OPTIONS_H */
