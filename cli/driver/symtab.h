/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Symbols of a linked file.
 */
#ifndef INLAY_DRIVER_SYMTAB_H
#define INLAY_DRIVER_SYMTAB_H

#include <stdbool.h>

/* Whether a symbol table of the ELF file defines the function; false if the file cannot be read. */
bool cc_defines_function(const char *path, const char *function);

#endif /* INLAY_DRIVER_SYMTAB_H */
