/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for code addresses in a target: its executable by the load bias that the segment holds,
 * also after it ended, and its shared libraries by /proc while it runs, or by the table that
 * targets with stacks keep. Of a stripped file they come from its debug file.
 */
#ifndef INLAY_CLI_SYMBOLS_H
#define INLAY_CLI_SYMBOLS_H

#include "inlay/inlay.h"

struct symbols;

/* Never fails to make one but for memory: what cannot be read has no names. The reader is not kept. */
struct symbols *symbols_new(struct inlay_reader *reader, bool is_demangled);
void symbols_free(struct symbols *symbols);
/*
 * The function that holds the address: its name, unescaped and owned by symbols, and the distance from its
 * start. NULL: none.
 */
const char *symbols_find(struct symbols *symbols, uint64_t address, uint64_t *ret_distance);

struct symbols_module {
	const char *path;	/* the file with its DWARF, to open; NULL: none, or another one by now */
	const char *shown;	/* as the target names it; NULL: in none that is known */
	uint64_t address;	/* as in the file */
};
/* The file that an address is in; strings are owned by symbols, which may be NULL. */
void symbols_module(struct symbols *symbols, uint64_t address, struct symbols_module *ret_module);

/* An address, or one in a certain file: of two files that were at an address in turn, that one. */
struct symbols_place {
	uint64_t address;
	size_t file;	/* 0: whichever holds the address */
};
/*
 * The place of a byte in the file of that build id (INLAY_BUILD_ID_BYTES). In one that is not there any
 * more, an address without a function; address 0: the target has no such file.
 */
struct symbols_place symbols_place(struct symbols *symbols, const uint8_t *build_id, uint64_t file_off);
/* symbols_find() and symbols_module() of a place. */
const char *symbols_find_at(struct symbols *symbols, struct symbols_place place,
			    uint64_t *ret_distance);
void symbols_module_at(struct symbols *symbols, struct symbols_place place,
		       struct symbols_module *ret_module);

/* Whether /proc/PID is still the process that the segment speaks of. */
bool process_is(uint32_t pid, uint64_t starttime);

#endif /* INLAY_CLI_SYMBOLS_H */
