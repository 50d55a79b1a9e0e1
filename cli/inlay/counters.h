/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters in a value: what `inlay watch` follows. */
#ifndef INLAY_CLI_COUNTERS_H
#define INLAY_CLI_COUNTERS_H

#include <stdbool.h>

#include "cli/inlay/slots.h"

enum { COUNTERS_MAX = 64 };

/* An integer in a value, or the slots of a histogram, whose sum is the number of samples. */
struct counter {
	char label[160];	/* "", ".bytes", "total", "lat.slots": raw */
	struct slots slots;	/* one slot for an integer */
	bool is_signed;
};

/* Finds the counters in a type; without a type the value is one if it has 4 or 8 bytes. */
size_t counters_find(const struct btf *btf, uint32_t type_id, uint32_t size,
		     struct counter *ret_counters);
/* A signed counter comes with its sign extended. */
uint64_t counter_get(const struct counter *counter, const void *value, size_t size);

#endif /* INLAY_CLI_COUNTERS_H */
