/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The return from a handler that was installed without libc. Unwinders and debuggers know these two
 * instructions, and look one byte before a return address.
 */
#include "rt/sigaction.h"

#if defined(__x86_64__)
__asm__("	.text\n"
	"	.p2align 4\n"
	"	.globl __inlay_sigreturn\n"
	"	.hidden __inlay_sigreturn\n"
	"	.type __inlay_sigreturn, @function\n"
	"	nop\n"
	"__inlay_sigreturn:\n"
	"	movq $15, %rax\n" /* rt_sigreturn */
	"	syscall\n"
	"	.size __inlay_sigreturn, . - __inlay_sigreturn\n");
#endif
