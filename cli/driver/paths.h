/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the wrapper finds what belongs to it: beside its own executable, in the build tree as in an
 * installation. The environment has no say, so that nobody can slip in another plugin.
 */
#ifndef INLAY_DRIVER_PATHS_H
#define INLAY_DRIVER_PATHS_H

#include <stdbool.h>

#include "bpfcc/arena.h"

struct cc_paths {
	const char *clang;	/* clang 19, or clang++ 19 */
	const char *plugin;	/* inlay-pass.so */
	const char *runtime;	/* libinlay.a */
};

/* -ENOENT: *ret_missing is what was looked for. */
int cc_paths_find(struct bpfcc_arena *arena, bool is_cxx, struct cc_paths *ret_paths,
		  const char **ret_missing);

#endif /* INLAY_DRIVER_PATHS_H */
