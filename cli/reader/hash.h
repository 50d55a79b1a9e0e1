/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entries of a hash map at a time, copied out of the segment and sorted by key; of a queue or a
 * stack in the order in which they would be popped.
 */
#ifndef INLAY_READER_HASH_H
#define INLAY_READER_HASH_H

#include "cli/reader/map.h"

/* Start of what is kept of a node; key and value follow as in the node. */
struct hash_kept {
	uint64_t number;	/* from 0 */
	uint32_t gen;
	uint32_t order;		/* of queues and stacks: place in the chain, from 0 */
};

struct hash_entries {
	char *kept;		/* nr times kept_bytes */
	char **sorted;		/* pointers into kept, in order, each key once */
	uint64_t nr, max;
	size_t kept_bytes;
};

int hash_collect(struct inlay_map *map, struct hash_entries *ret_entries);
void hash_entries_fini(struct hash_entries *entries);

#endif /* INLAY_READER_HASH_H */
