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
};

/*
 * Lowers into a new module in `context`, optimised and verified, with the data layout and triple
 * given (as in LLVMGetDataLayoutStr/LLVMGetTarget of the importing module). The caller owns the
 * module. Attributes target-cpu and target-features are stripped from every function, module flags
 * and ident are removed, so that the module links into any other.
 */
int bpfcc_lower(struct inlay_bpfcc_object *object, LLVMContextRef context, const char *triple,
		const char *data_layout, enum bpfcc_lower_mode mode, LLVMModuleRef *ret_module);

/* Name of a program's function in the module: "__inlay_prog_<hash>_<name>"; owned by the object. */
const char *bpfcc_prog_symbol(struct inlay_bpfcc_object *object, const struct bpfcc_prog *prog);

#endif /* INLAY_BPFCC_LL_LOWER_H */
