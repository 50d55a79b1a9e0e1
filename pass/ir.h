/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the pass needs of LLVM and LLVM-C 19 does not offer; one call each, in plugin.cc.
 */
#ifndef INLAY_PASS_IR_H
#define INLAY_PASS_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llvm-c/Core.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Splits the block before `before` and makes a block that runs only if `cond` holds; returns that
 * block's terminator. `is_exit`: the block does not come back, its terminator is `unreachable`.
 */
LLVMValueRef ir_if_then(LLVMValueRef cond, LLVMValueRef before, uint32_t weight_then,
			uint32_t weight_else, bool is_exit);
/* Everything from `before` on moves to a new block, which is returned. */
LLVMBasicBlockRef ir_split_block(LLVMValueRef before);
/* A new block on the edge; the successor's phis follow. */
LLVMBasicBlockRef ir_split_edge(LLVMBasicBlockRef from, LLVMBasicBlockRef to);
/* Gives every call that may throw a cleanup landing pad that ends in `resume`. */
void ir_make_cleanups(LLVMValueRef fn);
/* Inlines a direct call; the caller's attributes stay. False if LLVM cannot. */
bool ir_inline_call(LLVMValueRef call);
/* Appends globals to llvm.used, or to llvm.compiler.used. */
void ir_retain(LLVMModuleRef module, LLVMValueRef *globals, size_t nr, bool compiler_only);
/* An error or warning at a place in `fn`; `at` is an instruction or NULL. */
void ir_diagnose(LLVMValueRef fn, LLVMValueRef at, const char *text, bool is_error);
/* An error without a place. */
void ir_error(LLVMContextRef context, const char *text);

#ifdef __cplusplus
}
#endif
#endif /* INLAY_PASS_IR_H */
