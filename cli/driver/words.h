/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command lines as growing lists of words: @files and quoted flags taken apart as clang does it.
 * Lists and their words live in one arena.
 */
#ifndef INLAY_DRIVER_WORDS_H
#define INLAY_DRIVER_WORDS_H

#include <stddef.h>

#include "bpfcc/arena.h"

struct cc_words {
	const char **items;	/* a NULL stands behind the last one */
	size_t nr, max;
};

/* -ENOMEM, or 0. The word itself is not copied. */
int cc_words_add(struct bpfcc_arena *arena, struct cc_words *words, const char *word);
int cc_words_add_all(struct bpfcc_arena *arena, struct cc_words *words, const char *const *more,
		     size_t nr);
/* Adds the parts of `text` between the commas, empty ones left out. */
int cc_words_add_list(struct bpfcc_arena *arena, struct cc_words *words, const char *text);
/*
 * Adds the words of `text`: separated by white space, '…' literal, "…" and unquoted text with
 * backslash as escape. This is how clang reads an @file on this kind of system.
 */
int cc_words_add_quoted(struct bpfcc_arena *arena, struct cc_words *words, const char *text);
/*
 * Adds argv[0 .. nr), each @file replaced by the words in it, also inside other @files. A name that
 * cannot be read stays a word, as in clang. -ELOOP: files that contain each other.
 */
int cc_words_expand(struct bpfcc_arena *arena, struct cc_words *words, const char *const *argv,
		    size_t nr);

/* Reads a whole file; the bytes have a NUL behind them and live in the arena. */
int cc_file_read(struct bpfcc_arena *arena, const char *path, char **ret_data, size_t *ret_bytes);

#endif /* INLAY_DRIVER_WORDS_H */
