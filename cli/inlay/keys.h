/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the keys of one map are printed: by type, and where they are code addresses by the name of the
 * function (bpf_get_func_ip() gives such keys).
 */
#ifndef INLAY_CLI_KEYS_H
#define INLAY_CLI_KEYS_H

#include <stdio.h>

#include "cli/inlay/cli.h"

struct keys;

/*
 * Without --sym and --no-sym looks at the map's keys: they are named if there is one, and each
 * is the start of a function.
 */
int keys_new(const struct args *args, struct inlay_reader *reader, struct inlay_map *map,
	     struct keys **ret_keys);
/* Looks at the keys again, for a map that had none at first. */
int keys_refresh(struct keys *keys, struct inlay_map *map);
void keys_free(struct keys *keys);
void keys_put(struct keys *keys, FILE *out, const void *key);
/* The name of the function that holds the key, "main+0x12"; raw text. False: no such key. */
bool keys_symbol(struct keys *keys, const void *key, char *buffer, size_t bytes);

#endif /* INLAY_CLI_KEYS_H */
