/* SPDX-License-Identifier: BSD-2-Clause */
/* Recognises computations of the highest bit's position. */
#ifndef INLAY_BPFCC_LL_LOG2_H
#define INLAY_BPFCC_LL_LOG2_H

#include <stdbool.h>

#include <llvm-c/Core.h>

/* Replaces them by llvm.ctlz in every function; true: something changed, dead code is left behind. */
bool ll_recognise_log2(LLVMModuleRef module);

#endif /* INLAY_BPFCC_LL_LOG2_H */
