/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a loaded object to an LLVM module. What `bpfcc` emits and what the pass imports are the same
 * module; see docs/DESIGN.md, "Emitted symbols".
 */
#ifndef INLAY_BPFCC_LL_LOWER_H
#define INLAY_BPFCC_LL_LOWER_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "inlay/bpfcc.h"
#include "bpfcc/object.h"

/* The plain data behind the public handle. */
const struct bpfcc_object *inlay_bpfcc_object_data(const struct inlay_bpfcc_object *object);

enum bpfcc_lower_mode {
	BPFCC_LOWER_STANDALONE, /* programs are external functions: .o, .s, .bc, .ll */
	BPFCC_LOWER_IMPORT,	/* programs are available_externally alwaysinline: for the pass */
	BPFCC_LOWER_RUN,	/* one function for bpfcc/run/native.c; see bpfcc_lower_run() */
};

/*
 * Lowers into a new module in `context`, optimised and verified, with the data layout and triple
 * given (as in LLVMGetDataLayoutStr/LLVMGetTarget of the importing module). The caller owns the
 * module. Attributes target-cpu and target-features are stripped from every function, module flags
 * and ident are removed, so that the module links into any other.
 */
int bpfcc_lower(struct inlay_bpfcc_object *object, LLVMContextRef context, const char *triple,
		const char *data_layout, enum bpfcc_lower_mode mode, LLVMModuleRef *ret_module);

/*
 * Lowers object->funcs[func] and what it calls for execution in this process: BPFCC_RUN_SYMBOL is
 * `i64 (ptr frame, i64 r1, i64 r2)`. There are no descriptors of the object; the memory of map i,
 * its region or its only shard, is the external symbol that bpfcc_run_memory() names. Nothing is
 * thread-local but what libinlay has.
 */
#define BPFCC_RUN_SYMBOL "__inlay_run"
int bpfcc_lower_run(struct inlay_bpfcc_object *object, LLVMContextRef context, const char *triple,
		    const char *data_layout, uint32_t func, LLVMModuleRef *ret_module);
void bpfcc_run_memory(uint32_t map, bool is_shard, char *buf, size_t size);

/* A code generator for object->opts.target and its level; NULL after a message. */
LLVMTargetMachineRef bpfcc_machine_new(struct inlay_bpfcc_object *object);

/* Name of a program's function in the module: "__inlay_prog_<hash>_<name>"; owned by the object. */
const char *bpfcc_prog_symbol(struct inlay_bpfcc_object *object, const struct bpfcc_prog *prog);

#endif /* INLAY_BPFCC_LL_LOWER_H */
