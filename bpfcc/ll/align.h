/* SPDX-License-Identifier: BSD-2-Clause */
/* Where loops start in memory; see align.c. */
#ifndef INLAY_BPFCC_LL_ALIGN_H
#define INLAY_BPFCC_LL_ALIGN_H

#include <llvm-c/Core.h>

/* Every loop of the function starts at a multiple of 32 bytes. */
void ll_align_loops(LLVMValueRef v_fn);

#endif /* INLAY_BPFCC_LL_ALIGN_H */
