/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions in other copies of libinlay whose faults this copy's handler repairs, and where they
 * go on. The handler may run on any thread while dlopen() and dlclose() change the list on another
 * one; it never looks into a library that may be going away, only into what was copied here.
 */
#include "rt/fault.h"
#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

#define MAX_RANGES 192 /* of 64 copies */

struct range {
	__u64 turn;	/* even: free or being written; odd: valid. Changes with each use */
	const __s32 *from;
	__u64 first, end, resume;
};

static struct range ranges[MAX_RANGES];

static __u64 at(const __s32 *self_relative)
{
	return (__u64)self_relative + (__u64)(__s64)*self_relative;
}

/* Two threads may add at once: a slot is taken by giving it its `from`. */
static void range_add(const __s32 *fixup)
{
	const __s32 *none;
	__u32 i;

	for (i = 0; i < MAX_RANGES; i++)
		if (load_relaxed(&ranges[i].from) == fixup)
			return;
	for (i = 0; i < MAX_RANGES; i++) {
		struct range *range = &ranges[i];

		none = NULL;
		if (!cas_acq_rel(&range->from, &none, fixup))
			continue;
		store_relaxed(&range->first, at(&fixup[0]));
		store_relaxed(&range->end, at(&fixup[1]));
		store_relaxed(&range->resume, at(&fixup[2]));
		/* release: pairs with __inlay_fault_range_resume() */
		store_release(&range->turn, load_relaxed(&range->turn) + 1);
		return;
	}
}

void __inlay_fault_ranges_add(const __s32 *fixups, __u64 nr_fixups)
{
	__u64 i;

	for (i = 0; i < nr_fixups; i++)
		range_add(&fixups[i * 3]);
}

void __inlay_fault_ranges_remove(const __s32 *fixups, __u64 nr_fixups)
{
	__u32 i;

	for (i = 0; i < MAX_RANGES; i++) {
		struct range *range = &ranges[i];
		const __s32 *from = load_relaxed(&range->from);

		if (!from || (__u64)(from - fixups) >= nr_fixups * 3 ||
		    !(load_relaxed(&range->turn) & 1))
			continue;
		/* acquire and release: nothing of the next use moves before it */
		__atomic_fetch_add(&range->turn, 1, __ATOMIC_ACQ_REL);
		store_release(&range->from, NULL);
	}
}

__u64 __inlay_fault_range_resume(__u64 pc)
{
	__u32 i;

	for (i = 0; i < MAX_RANGES; i++) {
		const struct range *range = &ranges[i];
		__u64 turn = load_acquire(&range->turn); /* pairs with range_add() */
		__u64 first, end, resume;

		if (!(turn & 1))
			continue;
		first = load_relaxed(&range->first);
		end = load_relaxed(&range->end);
		resume = load_relaxed(&range->resume);
		__atomic_thread_fence(__ATOMIC_ACQUIRE); /* the loads above before the second look */
		if (pc - first < end - first && load_relaxed(&range->turn) == turn)
			return resume;
	}
	return 0;
}
