/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of the runtime that each link unit has of its own: it finds the unit's probe objects and
 * hands them to the runtime at start, and takes them back at the end. Nothing else lives here, so
 * that libinlay.so.1 serves units that link only this file.
 */
#include "rt/inlay_rt_internal.h"

/* The linker defines these where it sees a section of that name; no probe object: both are null. */
extern const struct inlay_object_desc *const __start_inlay_objects[]
	__attribute__((weak, visibility("hidden")));
extern const struct inlay_object_desc *const __stop_inlay_objects[]
	__attribute__((weak, visibility("hidden")));

static struct inlay_unit unit;
static int is_started;

/*
 * Early among the constructors, so that what the application's own constructors do is counted in
 * the segment; what ran before is kept, in the unit's pages.
 */
__attribute__((constructor(101))) void __inlay_rt_start_v1(void)
{
	if (__atomic_exchange_n(&is_started, 1, __ATOMIC_ACQ_REL))
		return;
	unit.unit_bytes = sizeof(unit);
	unit.abi_major = INLAY_ABI_MAJOR;
	unit.abi_minor = INLAY_ABI_MINOR;
	unit.objects = __start_inlay_objects;
	unit.nr_objects = (__u64)(__stop_inlay_objects - __start_inlay_objects);
	__inlay_unit_add_v1(&unit);
}

/* Last among the destructors: after dlclose() nobody may touch the unit's descriptors. */
__attribute__((destructor(101))) static void unit_stop(void)
{
	__inlay_unit_remove_v1(&unit);
}
