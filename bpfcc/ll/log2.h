/* SPDX-License-Identifier: BSD-2-Clause */
/* Recognises computations of the highest bit's position. */
#ifndef INLAY_BPFCC_LL_LOG2_H
#define INLAY_BPFCC_LL_LOG2_H

#include <stdbool.h>

#include <llvm-c/Core.h>

/* Replaces them by llvm.ctlz in every function; true: something changed, dead code is left behind. */
bool ll_recognise_log2(LLVMModuleRef module);

/*
 * After the optimiser, which moves the exclusive or behind the scaling of an index: there the code
 * generator does not see that both are one instruction.
 */
void ll_finish_log2(LLVMModuleRef module);

#endif /* INLAY_BPFCC_LL_LOG2_H */
