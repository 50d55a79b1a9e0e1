/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clocks that are asked for seldom: straight from the vDSO. bpf_jiffies64() is computed: jiffies
 * count the ticks since five minutes before boot (INITIAL_JIFFIES), and the tick is the resolution of
 * the coarse clocks.
 */
#include <time.h>

#include "rt/helpers.h"
#include "rt/inlay_rt.h"
#include "rt/sys.h"

#define NS_PER_SEC 1000000000ull
#define DEFAULT_HZ 250u

__s64 __inlay_ktime_get_boot_ns_v1(void)
{
	return (__s64)__inlay_system_ns(CLOCK_BOOTTIME);
}

__s64 __inlay_ktime_get_coarse_ns_v1(void)
{
	return (__s64)__inlay_system_ns(CLOCK_MONOTONIC_COARSE);
}

__s64 __inlay_ktime_get_tai_ns_v1(void)
{
	return (__s64)__inlay_system_ns(CLOCK_TAI);
}

static __u64 ticks_per_second(void)
{
	static __u32 known; /* a kernel's HZ never changes */
	__u32 hz = __atomic_load_n(&known, __ATOMIC_RELAXED);
	struct sys_timespec tick = { 0 };

	if (hz)
		return hz;
	hz = DEFAULT_HZ;
	if (!sys_call3(__NR_clock_getres, CLOCK_MONOTONIC_COARSE, &tick, 0) && !tick.sec &&
	    tick.nsec > 0)
		hz = (__u32)((NS_PER_SEC + (__u64)tick.nsec / 2) / (__u64)tick.nsec);
	__atomic_store_n(&known, hz, __ATOMIC_RELAXED);
	return hz;
}

__s64 __inlay_jiffies64_v1(void)
{
	__u64 hz = ticks_per_second(), ns = __inlay_system_ns(CLOCK_MONOTONIC_COARSE);

	return (__s64)((__u32)(-300 * (__s64)hz) + ns / NS_PER_SEC * hz +
		       ns % NS_PER_SEC * hz / NS_PER_SEC);
}
