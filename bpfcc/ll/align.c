/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops that start at a multiple of 32 bytes. Processors fetch decoded instructions by such
 * windows, and the loops of eBPF programs are short: where one happens to lie decides over a
 * quarter of its speed. Of outputs of their own only; what is inlined into a target is laid out by
 * its compiler.
 */
#include "bpfcc/ll/align.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/DebugInfo.h>

#define LOOP_ALIGN 32

enum { UNSEEN, OPEN, DONE };

struct blocks {
	LLVMBasicBlockRef *blocks;
	unsigned char *state;
	uint32_t nr;
};

/* Blocks are few, and each is looked for as often as it is jumped to. */
static uint32_t index_of(const struct blocks *b, LLVMBasicBlockRef block)
{
	uint32_t i = 0;

	while (b->blocks[i] != block)
		i++;
	return i;
}

/* Adds {"llvm.loop.align", 32} to what is known of the loop that ends with v_latch. */
static void mark(LLVMContextRef context, LLVMValueRef v_latch)
{
	static const char name[] = "llvm.loop.align";
	unsigned int kind = LLVMGetMDKindIDInContext(context, "llvm.loop", strlen("llvm.loop"));
	LLVMValueRef v_old = LLVMGetMetadata(v_latch, kind), v_parts[16];
	unsigned int nr_old = v_old ? LLVMGetMDNodeNumOperands(v_old) : 0;
	LLVMMetadataRef parts[17], align[2], self;

	if (nr_old > 15)
		return;
	if (nr_old)
		LLVMGetMDNodeOperands(v_old, v_parts);
	/* a loop's node names itself first, which makes it distinct from all others */
	self = LLVMTemporaryMDNode(context, NULL, 0);
	parts[0] = self;
	for (unsigned int i = 1; i < nr_old; i++)
		parts[i] = LLVMValueAsMetadata(v_parts[i]);
	align[0] = LLVMMDStringInContext2(context, name, sizeof(name) - 1);
	align[1] = LLVMValueAsMetadata(
	    LLVMConstInt(LLVMInt32TypeInContext(context), LOOP_ALIGN, false));
	nr_old = nr_old ? nr_old : 1;
	parts[nr_old] = LLVMMDNodeInContext2(context, align, 2);
	parts[0] = LLVMMDNodeInContext2(context, parts, nr_old + 1);
	LLVMMetadataReplaceAllUsesWith(self, parts[0]);
	LLVMSetMetadata(v_latch, kind, LLVMMetadataAsValue(context, parts[0]));
}

/* Depth first, with a stack of its own: a jump to a block that is still open closes a loop. */
static void walk(LLVMContextRef context, struct blocks *b, uint32_t *stack, uint32_t *next)
{
	uint32_t depth = 0;

	stack[depth++] = 0;
	b->state[0] = OPEN;
	while (depth) {
		uint32_t i = stack[depth - 1], k;
		LLVMValueRef v = LLVMGetBasicBlockTerminator(b->blocks[i]);

		if (next[i] == LLVMGetNumSuccessors(v)) {
			b->state[i] = DONE;
			depth--;
			continue;
		}
		k = index_of(b, LLVMGetSuccessor(v, next[i]++));
		if (b->state[k] == OPEN)
			mark(context, v);
		if (b->state[k] != UNSEEN)
			continue;
		b->state[k] = OPEN;
		stack[depth++] = k;
	}
}

void ll_align_loops(LLVMValueRef v_fn)
{
	struct blocks b = {.nr = LLVMCountBasicBlocks(v_fn)};
	uint32_t *stack = calloc(b.nr, sizeof(*stack)), *next = calloc(b.nr, sizeof(*next));

	b.blocks = calloc(b.nr, sizeof(LLVMBasicBlockRef));
	b.state = calloc(b.nr, 1);
	/* large functions are not about one loop; without memory it is left */
	if (b.nr <= 1000 && b.blocks && b.state && stack && next) {
		LLVMGetBasicBlocks(v_fn, b.blocks);
		walk(LLVMGetModuleContext(LLVMGetGlobalParent(v_fn)), &b, stack, next);
	}
	free(b.blocks);
	free(b.state);
	free(stack);
	free(next);
}
