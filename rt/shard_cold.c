/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * __inlay_shard_get_cold_v1(): desc in rax, shard in rax, every other general register kept; called
 * by inlay_shard_get_cold() at any stack alignment. The caller has stepped over its red zone.
 */
#include "rt/inlay_rt.h"

#if defined(__x86_64__)

#ifdef __GCC_HAVE_DWARF2_CFI_ASM
#define CFI(directive) directive "\n\t"
/*
 * The caller's unwind table does not know that the caller has moved rsp over its red zone (it
 * cannot: the move is the same where the frame is found by rbp). So for unwinders the caller's rsp
 * is not the CFA, but 128 above: DW_CFA_val_offset_sf, rsp, -16 times the alignment factor of -8.
 */
#define CALLER_RSP ".cfi_escape 0x15, 0x07, 0x70"
#else
#define CFI(directive)
#endif

__attribute__((naked)) void __inlay_shard_get_cold_v1(void)
{
	__asm__(CFI(CALLER_RSP)
		"pushq %rbp\n\t"
		CFI(".cfi_def_cfa_offset 16")
		CFI(".cfi_offset %rbp, -16")
		"movq %rsp, %rbp\n\t"
		CFI(".cfi_def_cfa_register %rbp")
		"pushq %rcx\n\t"
		"pushq %rdx\n\t"
		"pushq %rsi\n\t"
		"pushq %rdi\n\t"
		"pushq %r8\n\t"
		"pushq %r9\n\t"
		"pushq %r10\n\t"
		"pushq %r11\n\t"
		"andq $-16, %rsp\n\t"
		"movq %rax, %rdi\n\t"
		"cld\n\t"
		"call __inlay_shard_get_v1@PLT\n\t"
		"leaq -64(%rbp), %rsp\n\t"
		"popq %r11\n\t"
		"popq %r10\n\t"
		"popq %r9\n\t"
		"popq %r8\n\t"
		"popq %rdi\n\t"
		"popq %rsi\n\t"
		"popq %rdx\n\t"
		"popq %rcx\n\t"
		"popq %rbp\n\t"
		CFI(".cfi_def_cfa %rsp, 8")
		CFI(".cfi_restore %rbp")
		"retq");
}

#endif
