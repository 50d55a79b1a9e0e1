/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of text: the first line is the header, each other one a row. Whatever comes, it is read or
 * refused with a message; what is read can be checked.
 */
#include <stdlib.h>
#include <string.h>

#include "bpfcc/arena.h"
#include "bpfcc/check.h"
#include "bpfcc/diag.h"
#include "tests/fuzz/fuzz.h"

static void read_row(const struct bpfcc_raw_header *header, const char *line, size_t bytes)
{
	struct bpfcc_arena *arena = bpfcc_arena_new();
	struct bpfcc_diag diag = {.path = "fuzz"};
	struct bpfcc_raw raw;
	int err;

	if (!arena)
		return;
	err = bpfcc_raw_read(header, line, bytes, arena, &diag, &raw);
	if (err == -22 && !diag.nr_errors)
		abort();
	if (!err)
		bpfcc_check(&raw.object, arena, &diag);
	bpfcc_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct bpfcc_raw_header header;
	const uint8_t *end = memchr(data, '\n', bytes);
	size_t first = end ? (size_t)(end - data) : bytes;

	if (!bpfcc_raw_header((const char *)data, first, &header))
		return 0;
	while (end) {
		const uint8_t *line = end + 1;
		size_t left = bytes - (size_t)(line - data), n;

		end = memchr(line, '\n', left);
		n = end ? (size_t)(end - line) : left;
		/* a copy of exactly that size, so that a read behind its end is seen */
		if (n || end) {
			char *copy = malloc(n ? n : 1);

			if (!copy)
				return 0;
			memcpy(copy, line, n);
			read_row(&header, copy, n);
			free(copy);
		}
	}
	return 0;
}
