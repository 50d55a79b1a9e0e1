// SPDX-License-Identifier: BSD-2-Clause
// A library without probes: work() of its namespace calls back.
#include "modules.h"

extern "C" __attribute__((visibility("default"))) void ENTRY(reached_fn *fn, int n)
{
	CALL(LIBRARY, fn, n);
}
