/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place that names an LLVM version. LLVM's C API is stable by declaration, but the passes'
 * names, intrinsics and bitcode that we rely on are those of this version.
 */
#ifndef INLAY_BPFCC_LL_COMPAT_H
#define INLAY_BPFCC_LL_COMPAT_H

#include <llvm/Config/llvm-config.h>

#if LLVM_VERSION_MAJOR != 19
#error "Inlay is built with LLVM 19"
#endif
#define INLAY_LLVM_VERSION_MAJOR 19

#endif /* INLAY_BPFCC_LL_COMPAT_H */
