/* SPDX-License-Identifier: BSD-2-Clause */
/* What a map's memory starts with, and by which numbers maps of maps refer to maps. */
#ifndef INLAY_BPFCC_MAP_IMAGE_H
#define INLAY_BPFCC_MAP_IMAGE_H

#include "bpfcc/object.h"

/* Whether the runtime knows the map: what a PROG_ARRAY holds is code, and it is nowhere. */
bool bpfcc_map_is_in_table(const struct bpfcc_map *map);

/* Maps of inlay_object_desc.maps before map `index` of the object: its own place there. */
uint32_t bpfcc_map_table_index(const struct bpfcc_object *object, uint32_t index);

/* Whether the map may be in a map of maps whose template is `inner`. */
bool bpfcc_map_is_like(const struct bpfcc_map *inner, const struct bpfcc_map *map);

/*
 * The bytes that a map's region starts with, all others being zero: the caller frees them. *ret is
 * NULL if there are none. 0 or -ENOMEM.
 */
int bpfcc_map_image(const struct bpfcc_object *object, const struct bpfcc_map *map, uint8_t **ret,
		    size_t *ret_bytes);

#endif /* INLAY_BPFCC_MAP_IMAGE_H */
