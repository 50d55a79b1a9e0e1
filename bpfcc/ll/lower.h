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
	BPFCC_LOWER_STANDALONE,	/* programs are external functions: .o, .s, .bc, .ll */
	BPFCC_LOWER_IMPORT,	/* programs are available_externally alwaysinline: for the pass */
};

/*
 * Lowers into a new module in `context`, optimised and verified, with the data layout and triple given
 * (as in LLVMGetDataLayoutStr/LLVMGetTarget of the importing module). The caller owns the module.
 * Attributes target-cpu and target-features are stripped from every function, module flags and
 * ident are removed, so that the module links into any other.
 */
int bpfcc_lower(struct inlay_bpfcc_object *object, LLVMContextRef context, const char *triple,
		const char *data_layout, enum bpfcc_lower_mode mode, LLVMModuleRef *ret_module);

/* Name of a program's function in the module: "__inlay_prog_<hash>_<name>"; owned by the object. */
const char *bpfcc_prog_symbol(struct inlay_bpfcc_object *object, const struct bpfcc_prog *prog);

/*
 * What a lowered program may read of its ctx, from its final code: bit i = the 8-byte word i of
 * struct inlay_pt_regs. BPFCC_READS_ALL: ctx escapes, every word may be read.
 */
#define BPFCC_READS_ALL (~0ull)
uint64_t bpfcc_prog_reads(LLVMModuleRef module, const char *symbol);

/* The same for the whole of struct inlay_frame, and for what is written (override_rc): bit i = word i. */
void bpfcc_prog_frame_use(LLVMModuleRef module, const char *symbol, uint64_t *ret_reads,
			  uint64_t *ret_writes);

#endif /* INLAY_BPFCC_LL_LOWER_H */
