/* SPDX-License-Identifier: BSD-2-Clause */
/* The bloom filter's part of the helpers for maps without keys. */
#ifndef INLAY_RT_MAP_BLOOM_H
#define INLAY_RT_MAP_BLOOM_H

#include "inlay/abi.h"

__s64 __inlay_bloom_push(const struct inlay_map_desc *desc, const void *value, __u64 flags);
__s64 __inlay_bloom_peek(const struct inlay_map_desc *desc, const void *value);

#endif /* INLAY_RT_MAP_BLOOM_H */
