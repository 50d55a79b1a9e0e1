/* SPDX-License-Identifier: BSD-2-Clause */
/* Embeds the helper bitcode (INLAY_HELPERS_BC, a path) as data; nothing else. */
#include "bpfcc/ll/blob.h"

__asm__(".section .rodata\n"
	".balign 16\n"
	".globl bpfcc_helpers_bc\n"
	".hidden bpfcc_helpers_bc\n"
	"bpfcc_helpers_bc:\n"
	".incbin \"" INLAY_HELPERS_BC "\"\n"
	".globl bpfcc_helpers_bc_end\n"
	".hidden bpfcc_helpers_bc_end\n"
	"bpfcc_helpers_bc_end:\n"
	".byte 0\n"
	".previous\n");
