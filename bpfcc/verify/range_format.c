/* SPDX-License-Identifier: BSD-2-Clause */
/* Ranges for messages: the shortest true thing to say of a number. */
#include <inttypes.h>
#include <stdio.h>

#include "bpfcc/verify/range_num.h"

static uint64_t common_factor(const struct range *r)
{
	uint64_t maybe = r->bits.value | r->bits.mask;

	return maybe & -maybe;
}

const char *range_format(const struct range *r, char *buf, size_t bytes)
{
	uint64_t factor = common_factor(r), u_span = r->umax - r->umin;
	uint64_t s_span = (uint64_t)r->smax - (uint64_t)r->smin, low_span = r->u32_max - r->u32_min;
	char multiple[48] = "";

	if (range_is_empty(r)) {
		snprintf(buf, bytes, "nothing");
		return buf;
	}
	if (range_is_const(r)) {
		snprintf(buf, bytes, "%" PRId64, (int64_t)r->umin);
		return buf;
	}
	if (factor > 1)
		snprintf(multiple, sizeof(multiple), ", multiple of %" PRIu64, factor);
	if (s_span < u_span)
		snprintf(buf, bytes, "%" PRId64 "..%" PRId64 "%s", r->smin, r->smax, multiple);
	else if (u_span >> 32 > low_span && /* known better than the whole */
		 low_span + factor <= UINT32_MAX)
		snprintf(buf, bytes, "unknown, low half %" PRIu32 "..%" PRIu32 "%s", r->u32_min,
			 r->u32_max, multiple);
	else if (u_span < UINT64_MAX - (factor - 1))
		snprintf(buf, bytes, "%" PRIu64 "..%" PRIu64 "%s", r->umin, r->umax, multiple);
	else
		snprintf(buf, bytes, "unknown%s", multiple);
	return buf;
}
