/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations of LPM_TRIE maps; results are the kernel's. */
#ifndef INLAY_RT_MAP_LPM_H
#define INLAY_RT_MAP_LPM_H

#include "inlay/abi.h"

void *__inlay_lpm_lookup(const struct inlay_map_desc *desc, const void *key);
__s64 __inlay_lpm_update(const struct inlay_map_desc *desc, const void *key, const void *value,
			 __u64 flags);
__s64 __inlay_lpm_delete(const struct inlay_map_desc *desc, const void *key);

#endif /* INLAY_RT_MAP_LPM_H */
