/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader's header is clean C++17; compiled, not run. */
#include "inlay/inlay.h"

int reader_header();

int reader_header()
{
	struct inlay_segment_opts opts = INLAY_SIZED(inlay_segment_opts);

	return opts.sz != sizeof(opts) || opts.dir;
}
