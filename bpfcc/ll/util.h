/* SPDX-License-Identifier: BSD-2-Clause */
/* Small things that LLVM-C leaves to its users: comdats, attributes, hidden globals, metadata. */
#ifndef INLAY_BPFCC_LL_UTIL_H
#define INLAY_BPFCC_LL_UTIL_H

#include <stdbool.h>
#include <stddef.h>

#include <llvm-c/Comdat.h>
#include <llvm-c/Core.h>

#include "bpfcc/ll/compat.h"

/* Enum attribute without value, at LLVMAttributeFunctionIndex or a parameter's index. */
void ll_add_attr(LLVMValueRef v_fn, LLVMAttributeIndex index, const char *name);
void ll_remove_attr(LLVMValueRef v_fn, LLVMAttributeIndex index, const char *name);

/* Removes what would keep a function from being inlined anywhere, or claim a target feature. */
void ll_strip_target_attrs(LLVMValueRef v_fn);

/* linkonce_odr hidden, in a comdat called `comdat` (its own name if NULL). */
void ll_make_odr(LLVMModuleRef module, LLVMValueRef v_global, const char *comdat);

/* A private constant C string; merged by the linker. */
LLVMValueRef ll_string(LLVMModuleRef module, const char *text);

/* Appends v_globals to llvm.used, keeping what is there. */
void ll_append_used(LLVMModuleRef module, LLVMValueRef const *v_globals, size_t nr);

/* Attaches `!nosanitize !{}`: sanitizers leave the access alone. */
void ll_set_nosanitize(LLVMValueRef v_inst);

/* M of docs/DESIGN.md section 12: `name` with all but [A-Za-z0-9_] as '_', at most size - 1 bytes.
 */
void ll_symbol_part(const char *name, char *buf, size_t size);

#endif /* INLAY_BPFCC_LL_UTIL_H */
