/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output: colours on a terminal only, text that cannot take a terminal over, tables, JSON.
 */
#ifndef INLAY_CLI_OUT_H
#define INLAY_CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

enum paint {
	PAINT_NONE, PAINT_TITLE, PAINT_NAME, PAINT_DIM, PAINT_BAR, PAINT_BAD, PAINT_GOOD,
};

/*
 * Before a file is opened: what is opened must not become stdin, stdout or stderr. Decides whether
 * stdout takes colours: a terminal, NO_COLOR unset or empty, TERM not "dumb".
 */
void out_init(void);
bool out_is_terminal(void);
/*
 * Writes out what is buffered. 0, or -errno of the first output that failed so far; -EPIPE: nobody
 * reads any more, which is no mistake: 'head' has seen enough.
 */
int out_flush(void);
/* Whether nobody reads any more, known before something is written. */
bool out_is_gone(void);
unsigned int out_columns(void);
/* The sequence that starts a paint, or "" without colours; PAINT_NONE ends one. */
const char *paint(enum paint paint);

/*
 * Copies text from a target with everything that is not printable ASCII or valid UTF-8 escaped as
 * \n or \xNN. Cut with "..." where the buffer ends. Returns buffer.
 */
char *escape(const char *text, char *buffer, size_t bytes);
/* Escape for a string of `n` bytes within quotes. */
void escape_quoted(FILE *out, const char *text, size_t n);

struct table;
/* Titles end in NULL; one that starts with '>' is a right-aligned column. NULL: no memory. */
struct table *table_new(const char *const *titles);
/* Appends a cell; the row is full when every column has one. */
void table_cell(struct table *table, enum paint paint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints and frees. An empty table prints nothing. */
void table_print(struct table *table);

/* Numbers for people: 12,345,678; 1.50 us; 64.0 KiB. */
const char *format_count(uint64_t n, char *buffer, size_t bytes);
const char *format_ns(double ns, char *buffer, size_t bytes);
const char *format_bytes(uint64_t n, char *buffer, size_t bytes);

/* Text of a target as JSON; bytes that are no UTF-8 become U+FFFD. */
json_t *json_text(const char *text);
/* jansson has no unsigned 64-bit numbers; these survive until json_print(). */
json_t *json_u64(uint64_t n);
/* Prints on one line and frees. Returns an exit code; what cannot be written is main()'s affair. */
int json_print(json_t *json);

#endif /* INLAY_CLI_OUT_H */
