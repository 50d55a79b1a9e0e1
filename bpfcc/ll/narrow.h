/* SPDX-License-Identifier: BSD-2-Clause */
/* 32-bit arithmetic that was written in 64-bit registers; see narrow.c. */
#ifndef INLAY_BPFCC_LL_NARROW_H
#define INLAY_BPFCC_LL_NARROW_H

#include <stdbool.h>

#include <llvm-c/Core.h>

/* Works on every function of the module; true if something changed. */
bool ll_narrow(LLVMModuleRef module);

#endif /* INLAY_BPFCC_LL_NARROW_H */
