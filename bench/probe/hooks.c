/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the compiler's own instrumentation calls: an XRay handler, and the functions behind
 * -finstrument-functions. Each counts per thread, or keeps a histogram of cycles with
 * BENCH_HOOK_LATENCY.
 */
#include <stdint.h>

static __thread unsigned long hits __attribute__((used));
static __thread unsigned long long begin;
static volatile unsigned long slots[64];

#ifdef BENCH_INSTRUMENT
#define UNTOUCHED __attribute__((no_instrument_function))
#else
#define UNTOUCHED
#endif

UNTOUCHED static inline void enter(void)
{
#ifdef BENCH_HOOK_LATENCY
	begin = __builtin_ia32_rdtsc();
#else
	(*(volatile unsigned long *)&hits)++;
#endif
}

UNTOUCHED static inline void leave(void)
{
#ifdef BENCH_HOOK_LATENCY
	slots[63 - __builtin_clzll((__builtin_ia32_rdtsc() - begin) | 1)]++;
#else
	(void)begin;
	(void)slots;
#endif
}

#ifdef BENCH_XRAY
/* xray/xray_interface.h is C++ only; these are its C names and values. */
#define XRAY_ENTRY 0
#define XRAY_SUCCESS 1
int __xray_set_handler(void (*handler)(int32_t id, int type));
int __xray_patch(void);

int bench_setup(void);

__attribute__((xray_never_instrument)) static void handle(int32_t id, int type)
{
	(void)id;
	if (type == XRAY_ENTRY)
		enter();
	else
		leave();
}

__attribute__((xray_never_instrument)) int bench_setup(void)
{
	return __xray_set_handler(handle) != 1 || __xray_patch() != XRAY_SUCCESS;
}
#else
void __cyg_profile_func_enter(void *function, void *caller);
void __cyg_profile_func_exit(void *function, void *caller);

UNTOUCHED void __cyg_profile_func_enter(void *function, void *caller)
{
	(void)function;
	(void)caller;
	enter();
}

UNTOUCHED void __cyg_profile_func_exit(void *function, void *caller)
{
	(void)function;
	(void)caller;
	leave();
}
#endif
