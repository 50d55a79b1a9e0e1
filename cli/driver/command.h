/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From Inlay's options to the clang command line that does the work.
 */
#ifndef INLAY_DRIVER_COMMAND_H
#define INLAY_DRIVER_COMMAND_H

#include "cli/driver/args.h"
#include "cli/driver/options.h"
#include "cli/driver/paths.h"

/*
 * What a compilation needs on top of the user's arguments: the plugin and its options. `hash`
 * stands for the content of everything that the result depends on. `report` is the folder for
 * reports of translation units, or NULL.
 */
int cc_compile_flags(struct bpfcc_arena *arena, const struct cc_options *options,
		     const struct cc_paths *paths, const char *hash, const char *report,
		     struct cc_words *flags);
/* What a link needs behind the user's inputs. */
int cc_link_flags(struct bpfcc_arena *arena, const struct cc_options *options,
		  const struct cc_paths *paths, struct cc_words *flags);

struct cc_request {
	const struct cc_options *options;
	const struct cc_paths *paths;
	const struct cc_args *args;
	const struct cc_words *user;	/* clang's arguments as the user gave them */
	const char *hash;
	const char *report;
};

/* Adds clang's whole command line, the command's name first. */
int cc_command_build(struct bpfcc_arena *arena, const struct cc_request *request,
		     struct cc_words *command);

#endif /* INLAY_DRIVER_COMMAND_H */
