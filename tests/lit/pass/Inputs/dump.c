// SPDX-License-Identifier: BSD-2-Clause
// Linked into a test's target: when the process ends, prints every array element that is not zero as
// "map[index] = value", through the descriptors that the runtime uses.
#include <stdio.h>
#include <string.h>

#include "inlay/abi.h"

extern const struct inlay_object_desc *const __start_inlay_objects[] __attribute__((weak));
extern const struct inlay_object_desc *const __stop_inlay_objects[] __attribute__((weak));

static void dump_map(const struct inlay_map_desc *map)
{
	for (unsigned int i = 0; i < map->max_entries; i++) {
		const char *value = (const char *)map->region + (size_t)i * map->value_stride;

		for (unsigned int k = 0; k + 8 <= map->value_size; k += 8) {
			unsigned long long v;

			memcpy(&v, value + k, 8);
			if (v)
				printf("%s[%u] = %llu\n", map->name, i + k / 8, v);
		}
	}
}

__attribute__((destructor)) static void dump(void)
{
	const struct inlay_object_desc *const *o;

	for (o = __start_inlay_objects; o < __stop_inlay_objects; o++) {
		for (unsigned int i = 0; i < (*o)->nr_maps; i++)
			if ((*o)->maps[i]->type == INLAY_MAP_TYPE_ARRAY &&
			    !((*o)->maps[i]->flags & INLAY_MAP_RODATA) && (*o)->maps[i]->region)
				dump_map((*o)->maps[i]);
		for (unsigned int i = 0; i < (*o)->nr_progs; i++)
			if ((*o)->ctl[i].misses)
				printf("misses of %s = %llu\n", (*o)->progs[i].name,
				       (unsigned long long)(*o)->ctl[i].misses);
	}
}
