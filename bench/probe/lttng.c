/* SPDX-License-Identifier: BSD-2-Clause */
/* The function that is hit, with a tracepoint of LTTng-UST. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "bench/probe/lttng.h"

int bench_victim(int x);

int bench_victim(int x)
{
	lttng_ust_tracepoint(inlay_bench, hit, x);
	return 3 * x + 1;
}
