/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8, as RFC 3629 defines it: no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef INLAY_CLI_UTF8_H
#define INLAY_CLI_UTF8_H

#include <stddef.h>

/* Bytes of the character at text, of which n follow; 0: not valid. */
size_t utf8_bytes(const char *text, size_t n);
/* Columns of a text on a terminal, one a character. */
size_t utf8_columns(const char *text);

#endif /* INLAY_CLI_UTF8_H */
