/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers for tests without the rest of the runtime: a region between guard pages, and processes
 * that the test names, kills and asks about.
 */
#ifndef INLAY_TEST_RING_STUBS_H
#define INLAY_TEST_RING_STUBS_H

#include <errno.h>
#include <linux/membarrier.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rt/inlay_rt_internal.h"
#include "rt/inline/thread.h"

struct stub_map {
	struct inlay_map_desc desc;
	char *pages;
	size_t pages_bytes;
};

/* Owner i + 1 is row i in its first turn. */
enum { STUB_OWNERS = 8 };
struct stub_owners {
	__u32 is_dead[STUB_OWNERS + 1];
};
static struct stub_owners stub_owners_own, *stub_owners = &stub_owners_own;
static __thread __u32 stub_owner = 1;

__u32 __inlay_owner(void)
{
	return stub_owner;
}

static int stub_is_alive(void *ctx, __u32 owner, __u32 mask);
bool __inlay_owner_is_alive(__u32 owner)
{
	return stub_is_alive(NULL, owner, INLAY_OWNER_MASK);
}

INLAY_HIDDEN bool __inlay_ring_has_barrier(void);
INLAY_HIDDEN bool __inlay_ring_barrier(void);
#ifndef STUB_OWN_BARRIER
/* Nobody may produce without locked instructions; the barrier is forbidden. */
static bool stub_is_locked, stub_is_forbidden;

static int stub_membarrier(int cmd)
{
	int saved = errno, ret = (int)syscall(SYS_membarrier, cmd, 0, 0);

	errno = saved;
	return ret;
}

bool __inlay_ring_has_barrier(void)
{
	return !stub_is_locked &&
	       !stub_membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
}

bool __inlay_ring_barrier(void)
{
	return !stub_is_forbidden && !stub_membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

static inline int stub_barrier(void *ctx, __u64 pos)
{
	(void)ctx;
	(void)pos;
	return __inlay_ring_barrier();
}
#endif

__thread struct inlay_thread __inlay_thread_v1 __attribute__((tls_model("initial-exec")));
struct inlay_process __inlay_process_v1;

/* No epoch: who a thread is gets asked for each time. */
INLAY_COLD_CALL __u64 __inlay_thread_refresh_v1(void)
{
	return 0;
}

static int stub_is_alive(void *ctx, __u32 owner, __u32 mask)
{
	(void)ctx;
	(void)mask;
	return owner > STUB_OWNERS ||
	       !__atomic_load_n(&stub_owners->is_dead[owner], __ATOMIC_ACQUIRE);
}

static inline void stub_map_open(struct stub_map *map, __u32 type, __u32 size)
{
	size_t bytes = inlay_ring_region_bytes(size);
	char *p;

	memset(map, 0, sizeof(*map));
	map->pages_bytes = bytes + 2 * INLAY_PAGE_BYTES;
	p = mmap(NULL, map->pages_bytes, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || mprotect(p + INLAY_PAGE_BYTES, bytes, PROT_READ | PROT_WRITE))
		abort();
	map->pages = p;
	map->desc = (struct inlay_map_desc){
		.desc_bytes = sizeof(map->desc), .type = type, .max_entries = size,
		.flags = INLAY_MAP_RING, .region_bytes = bytes,
		.region = p + INLAY_PAGE_BYTES, .name = "ring",
	};
	if (type == INLAY_MAP_TYPE_PERF_EVENT_ARRAY) {
		map->desc.extra = size;
		map->desc.max_entries = 8192;
	}
}

static inline void stub_map_close(struct stub_map *map)
{
	munmap(map->pages, map->pages_bytes);
}

static inline __u64 stub_random(__u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dull >> 11;
}

#endif /* INLAY_TEST_RING_STUBS_H */
