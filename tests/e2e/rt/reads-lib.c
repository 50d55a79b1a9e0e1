/* SPDX-License-Identifier: BSD-2-Clause */
/* A library that reads memory, with a runtime of its own: is a fault of its reading repaired? */
#include "rt/inlay_rt.h"

int __inlay_fault_check(void);
int reads(int is_guarded);

int reads(int is_guarded)
{
	long word = 1;
	char text[8] = "x";

	if (__inlay_fault_check() != is_guarded)
		return 2; /* 0: it would read by system call */
	if (__inlay_probe_read_user_str_v1(text, 8, 16) != -14 || text[0])
		return 4;
	return __inlay_probe_read_user_v1(&word, 8, 16) != -14 || word;
}

/* what a probe object does */
void (*const reads_start)(void) = __inlay_rt_start_v1;
