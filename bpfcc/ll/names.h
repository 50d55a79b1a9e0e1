/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of a C header: what an object calls its things, as identifiers of C and C++ that are there
 * once in their scope.
 */
#ifndef INLAY_LL_NAMES_H
#define INLAY_LL_NAMES_H

#include <stdbool.h>

/* One scope; all zero is an empty one. */
struct ll_names {
	void *tree;		/* of tsearch() */
	unsigned int nr_again;	/* names that had to be given another number */
	bool is_out_of_memory;
};

/*
 * `prefix` and what identifiers can have of `name`, followed by _, or _ and a number, if that is a
 * keyword or is there already. With `suffix`, the name with it behind is free, too, and taken.
 * Owned by `names`, never NULL.
 */
const char *ll_names_add(struct ll_names *names, const char *prefix, const char *name,
			 const char *suffix);
void ll_names_fini(struct ll_names *names);

#endif /* INLAY_LL_NAMES_H */
