/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key that stands on clang's command line for everything else that the result depends on, so
 * that a compiler cache behind the wrapper never returns an object of other probes.
 */
#ifndef INLAY_DRIVER_HASH_H
#define INLAY_DRIVER_HASH_H

#include "cli/driver/options.h"
#include "cli/driver/paths.h"

#define CC_HASH_TEXT_BYTES 33 /* 32 hex digits and NUL */

/* Hashes the probe objects' bytes and the plugin's build id. On error *ret_path is the file. */
int cc_hash(struct bpfcc_arena *arena, const struct cc_options *options,
	    const struct cc_paths *paths, char ret_text[CC_HASH_TEXT_BYTES], const char **ret_path);

#endif /* INLAY_DRIVER_HASH_H */
