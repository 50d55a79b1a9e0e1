/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of STACK_TRACE maps: addresses, with --sym also by name. */
#ifndef INLAY_CLI_ADDRESSES_H
#define INLAY_CLI_ADDRESSES_H

#include "cli/inlay/cli.h"
#include "cli/inlay/out.h"

/* An address of a stack; 0: it ends there. `value` has value_size bytes, `i` counts what fits. */
uint64_t address_at(const struct inlay_map_info *info, const void *value, uint32_t i);
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
