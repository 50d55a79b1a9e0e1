/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of maps: what is in the shared region is a number, what a lookup gives is a descriptor of
 * this link unit. The table that leads from one to the other is a constant and holds only maps of
 * the kind that was proved of (inlay_map_desc.inner), so a hostile number gives another such map or
 * none.
 */
#ifndef INLAY_RT_INLINE_MAP_OF_MAPS_H
#define INLAY_RT_INLINE_MAP_OF_MAPS_H

#include "rt/inline/map_access.h"

INLAY_INLINE void *inlay_inner_map(const struct inlay_map_desc *desc, __u32 number)
{
	if (number - 1 >= desc->extra || !desc->inner)
		return 0;
	return (void *)desc->inner[number - 1];
}

INLAY_INLINE void *inlay_array_of_maps_lookup(const struct inlay_map_desc *desc, const void *key)
{
	__u32 index = inlay_load((const inlay_u32 *)key);
	char *values = inlay_map_region(desc);

	if (index >= desc->max_entries || !values)
		return 0;
	return inlay_inner_map(desc, inlay_load((inlay_u32 *)(values +
							      (__u64)index * desc->value_stride)));
}

#endif /* INLAY_RT_INLINE_MAP_OF_MAPS_H */
