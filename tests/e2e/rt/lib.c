/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A shared library with hand-written probes of its own; built several times, with one object
 * hash.
 */
#include "tests/unit/fixture_object.h"

FIXTURE_ARRAY(0, lib_counts, 8, 10)
FIXTURE_PERCPU_ARRAY(1, lib_per_thread, 8, 4)
FIXTURE_HUGE_ARRAY(2, lib_huge, 8, 200000)
FIXTURE_OBJECT("lib", 0x1b, FIXTURE_MAP(lib_counts), FIXTURE_MAP(lib_per_thread),
	       FIXTURE_MAP(lib_huge))

void lib_hit(void);
unsigned long long lib_count(void);

void lib_hit(void)
{
	__atomic_fetch_add(&fixture_region_lib_counts[0], 1, __ATOMIC_RELAXED);
	fixture_percpu_add(&fixture_desc_lib_per_thread, 0, 1);
	(void)fixture_objref;
}

unsigned long long lib_count(void)
{
	return __atomic_load_n(&fixture_region_lib_counts[0], __ATOMIC_RELAXED);
}
