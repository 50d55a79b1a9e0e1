/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library whose runtime leads the process and has another ABI: only what such a copy shows to
 * others.
 */
#include "rt/inlay_rt_internal.h"

const struct inlay_rt_table alien_table __attribute__((visibility("hidden"))) = {
	.table_bytes = sizeof(struct inlay_rt_table),
	.abi_major = INLAY_ABI_MAJOR + 1,
	.is_leader = 1,
};

__asm__(".pushsection .note.inlay,\"a\",%note\n"
	"	.p2align 2\n"
	"	.long 6, 4, 1\n"
	"	.asciz \"Inlay\"\n"
	"	.p2align 2\n"
	"	.long alien_table - .\n"
	".popsection\n");
