/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of STACK_TRACE maps: addresses, or places in files; with --sym also by name. */
#ifndef INLAY_CLI_ADDRESSES_H
#define INLAY_CLI_ADDRESSES_H

#include "cli/inlay/cli.h"
#include "cli/inlay/out.h"
#include "cli/inlay/symbols.h"

struct frame {
	bool has_id;
	uint64_t address;	/* in the process; of one that has an id unset */
	uint64_t file_off;	/* in the file of this build id */
	uint8_t build_id[INLAY_BUILD_ID_BYTES];
};

/* False: the stack ends before. `value` has value_size bytes, `i` counts what fits. */
bool frame_at(const struct inlay_map_info *info, const void *value, uint32_t i,
	      struct frame *ret_frame);
/* As `symbols` knows it. */
struct symbols_place frame_place(const struct frame *frame, struct symbols *symbols);
enum { FRAME_TEXT_BYTES = 2 * INLAY_BUILD_ID_BYTES + 32 };
/* "0x401136" or "d2f7...+0x1136". */
const char *frame_text(const struct frame *frame, char *buffer);
/* Sets "address", or "build_id" and "file_offset". */
void frame_json(const struct frame *frame, json_t *json);
/* How many fit into a value. */
uint32_t addresses_max(const struct inlay_map_info *info);

struct addresses;

/* The reader and the info must outlive it. */
int addresses_new(const struct args *args, struct inlay_reader *reader,
		  const struct inlay_map_info *info, struct addresses **ret_addresses);
void addresses_free(struct addresses *addresses);
/* On one line, by name a line each, with the last newline. */
void addresses_put(struct addresses *addresses, FILE *out, const void *value);
json_t *addresses_json(struct addresses *addresses, const void *value);

#endif /* INLAY_CLI_ADDRESSES_H */
