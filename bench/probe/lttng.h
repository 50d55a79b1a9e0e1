/* SPDX-License-Identifier: BSD-2-Clause */
/* One LTTng-UST event, as cheap as they come: one integer field. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER inlay_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "bench/probe/lttng.h"

#if !defined(INLAY_BENCH_LTTNG_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define INLAY_BENCH_LTTNG_H

#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT(inlay_bench, hit, LTTNG_UST_TP_ARGS(int, x),
			   LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, x, x)))

#endif

#include <lttng/tracepoint-event.h>
