/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Build tool: makes the helper bitcode fit to be linked into any module, or refuses it.
 * Usage: inlay-prepare-helpers IN.bc OUT.bc
 *
 * Refused: a variable that can be written (every importing module would get a private copy of it,
 * silently), and a reference to anything that libinlay does not give. Done: attributes that tie
 * code to a processor or keep it from being inlined are removed, every access is marked
 * `!nosanitize` (regions are not a sanitizer's business, and the program's own memory was checked
 * by bpfcc).
 */
#include <stdio.h>
#include <string.h>

#include <llvm-c/BitReader.h>
#include <llvm-c/BitWriter.h>
#include <llvm-c/Core.h>

#include "bpfcc/ll/util.h"

static const char *name_of(LLVMValueRef v)
{
	size_t len;

	return LLVMGetValueName2(v, &len);
}

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static int check_global(LLVMValueRef v)
{
	const char *name = name_of(v);

	if (LLVMGetInitializer(v)) {
		if (LLVMIsGlobalConstant(v) || starts_with(name, "llvm."))
			return 0;
		fprintf(stderr,
			"inlay-prepare-helpers: error: inline helpers hold the mutable static "
			"variable '%s': each translation unit of a target would get its own copy\n"
			"  move it to rt/*.c and export it as __inlay_<name>_v1\n",
			name);
		return 1;
	}
	if (starts_with(name, "__inlay_"))
		return 0;
	fprintf(
	    stderr,
	    "inlay-prepare-helpers: error: inline helpers use the variable '%s', which libinlay "
	    "does not give\n",
	    name);
	return 1;
}

static int check_function(LLVMValueRef v)
{
	const char *name = name_of(v);

	if (!LLVMIsDeclaration(v) || starts_with(name, "__inlay_") || starts_with(name, "llvm."))
		return 0;
	fprintf(
	    stderr,
	    "inlay-prepare-helpers: error: inline helpers call '%s', which libinlay does not give\n"
	    "  a target may probe it, so a helper must not depend on it\n",
	    name);
	return 1;
}

static bool is_access(LLVMValueRef v)
{
	switch (LLVMGetInstructionOpcode(v)) {
	case LLVMLoad:
	case LLVMStore:
	case LLVMAtomicRMW:
	case LLVMAtomicCmpXchg:
		return true;
	default:
		return false;
	}
}

static void prepare_inst(LLVMValueRef v)
{
	LLVMContextRef context = LLVMGetTypeContext(LLVMTypeOf(v));

	if (is_access(v))
		ll_set_nosanitize(v);
	/* a place in our source, which clang would look up in the target's */
	LLVMSetMetadata(v, LLVMGetMDKindIDInContext(context, "srcloc", strlen("srcloc")), NULL);
}

static void prepare_function(LLVMValueRef v_fn)
{
	ll_strip_target_attrs(v_fn);
	ll_add_attr(v_fn, LLVMAttributeFunctionIndex, "nounwind");
	for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(v_fn); b; b = LLVMGetNextBasicBlock(b))
		for (LLVMValueRef v = LLVMGetFirstInstruction(b); v; v = LLVMGetNextInstruction(v))
			prepare_inst(v);
}

int main(int argc, char **argv)
{
	LLVMContextRef context = LLVMContextCreate();
	LLVMMemoryBufferRef buffer;
	LLVMModuleRef module;
	char *message = NULL;
	int nr_errors = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: inlay-prepare-helpers IN.bc OUT.bc\n");
		return 2;
	}
	if (LLVMCreateMemoryBufferWithContentsOfFile(argv[1], &buffer, &message)) {
		fprintf(stderr, "inlay-prepare-helpers: error: %s: %s\n", argv[1], message);
		return 1;
	}
	if (LLVMParseBitcodeInContext2(context, buffer, &module)) {
		fprintf(stderr, "inlay-prepare-helpers: error: %s: no LLVM bitcode\n", argv[1]);
		return 1;
	}
	LLVMDisposeMemoryBuffer(buffer);
	for (LLVMValueRef v = LLVMGetFirstGlobal(module); v; v = LLVMGetNextGlobal(v))
		nr_errors += check_global(v);
	for (LLVMValueRef v = LLVMGetFirstFunction(module); v; v = LLVMGetNextFunction(v))
		nr_errors += check_function(v);
	if (LLVMGetNamedGlobal(module, "llvm.global_ctors")) {
		fprintf(stderr,
			"inlay-prepare-helpers: error: inline helpers have a constructor\n");
		nr_errors++;
	}
	if (nr_errors)
		return 1;
	for (LLVMValueRef v = LLVMGetFirstFunction(module); v; v = LLVMGetNextFunction(v))
		prepare_function(v);
	LLVMSetModuleIdentifier(module, "inlay-helpers", strlen("inlay-helpers"));
	LLVMSetSourceFileName(module, "inlay-helpers", strlen("inlay-helpers"));
	if (LLVMWriteBitcodeToFile(module, argv[2])) {
		fprintf(stderr, "inlay-prepare-helpers: error: cannot write %s\n", argv[2]);
		return 1;
	}
	LLVMDisposeModule(module);
	LLVMContextDispose(context);
	return 0;
}
