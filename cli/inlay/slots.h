/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays of counts within a value: where a type holds histograms. */
#ifndef INLAY_CLI_SLOTS_H
#define INLAY_CLI_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include <bpf/btf.h>

enum { SLOTS_MAX = 64, SLOTS_HISTS_MAX = 256 };

struct slots {
	uint64_t off;		/* of slot 0 in the value */
	uint32_t bytes;		/* of a slot */
	uint32_t nr;
	char label[128];	/* variable or index, raw; "" for the value itself */
};

/*
 * Finds the histograms in a type: an array of integers is one; a struct is its member "slots", or
 * its only array of integers; variables and arrays of such are one each. Returns how many, at most max.
 */
size_t slots_find(const struct btf *btf, uint32_t type_id, struct slots *ret_slots, size_t max);
/* Slot i of a value of `size` bytes; 0 where the type says more than the value holds. */
uint64_t slots_get(const struct slots *slots, uint32_t i, const void *value, size_t size);

#endif /* INLAY_CLI_SLOTS_H */
