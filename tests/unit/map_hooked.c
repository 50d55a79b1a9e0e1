/* SPDX-License-Identifier: BSD-2-Clause */
/* The inline lookup for test_map_step.c: a file of its own, because it is compiled with hooks. */
#include "rt/inline/map.h"

void *hooked_lookup(const struct inlay_map_desc *desc, const void *key);
void *hooked_lookup(const struct inlay_map_desc *desc, const void *key)
{
	return __inlay_map_lookup_elem(desc, key);
}
