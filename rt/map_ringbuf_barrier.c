/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The barrier that the lone producer of a ring buffer does without and others make it pass
 * (map_ringbuf_lone.c), across processes. A process says at its start that it takes part: later that
 * can take milliseconds.
 */
#include "rt/map_ringbuf.h"
#include "rt/sys.h"

/* linux/membarrier.h, of Linux 4.16 */
enum { CMD_GLOBAL_EXPEDITED = 1 << 1, CMD_REGISTER_GLOBAL_EXPEDITED = 1 << 2 };

static __u32 is_registered; /* fork children inherit it, as they do what the kernel knows */

static long membarrier(int cmd)
{
	return sys_call3(__NR_membarrier, cmd, 0, 0);
}

void __inlay_ring_start(const struct inlay_unit *unit)
{
	__u64 i;
	__u32 map;

	if (!INLAY_RING_HAS_LONE || load_relaxed(&is_registered))
		return;
	for (i = 0; i < unit->nr_objects; i++) {
		const struct inlay_object_desc *object = unit->objects[i];

		for (map = 0; object && map < object->nr_maps; map++) {
			if (!(object->maps[map]->flags & INLAY_MAP_RING))
				continue;
			store_relaxed(&is_registered, membarrier(CMD_REGISTER_GLOBAL_EXPEDITED) == 0);
			return;
		}
	}
}

bool __inlay_ring_has_barrier(void)
{
	return load_relaxed(&is_registered);
}

bool __inlay_ring_barrier(void)
{
	return membarrier(CMD_GLOBAL_EXPEDITED) == 0;
}
