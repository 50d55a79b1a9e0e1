/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links the helper bodies that a module uses into it: INLINE ones become internal and are always
 * inlined, AUTO ones hidden linkonce_odr functions, shared by all objects that a link brings
 * together.
 */
#include "bpfcc/ll/impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/BitReader.h>
#include <llvm-c/Linker.h>

#include "bpfcc/ll/blob.h"

/* Lazily: a body is read when it is linked, and most objects use a few of them. */
static LLVMModuleRef l_parse_blob(struct lower *l)
{
	const struct bpfcc_blob *blob = bpfcc_blob_find(LLVMGetTarget(l->module));
	LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRange(
	    blob->start, (size_t)(blob->end - blob->start), "inlay-helpers", false);
	LLVMModuleRef helpers = NULL;

	/* the module takes the buffer, unless it fails */
	if (LLVMGetBitcodeModuleInContext2(l->context, buffer, &helpers)) {
		LLVMDisposeMemoryBuffer(buffer);
		return NULL;
	}
	return helpers;
}

/*
 * AUTO helpers of two tool versions must not be merged: the comdat's name carries the ABI, the tool
 * version and a hash of the bitcode.
 */
static void auto_name(struct lower *l, const char *helper, char *buf, size_t size)
{
	const struct bpfcc_blob *blob = bpfcc_blob_find(LLVMGetTarget(l->module));
	uint64_t hash = 0xcbf29ce484222325ull;
	char version[64];

	for (const char *p = blob->start; p < blob->end; p++)
		hash = (hash ^ (unsigned char)*p) * 0x100000001b3ull;
	ll_symbol_part(INLAY_VERSION, version, sizeof(version));
	snprintf(buf, size, "__inlay_%s_v%d_%s_%08x", helper, INLAY_ABI_MAJOR, version,
		 (unsigned int)(hash ^ hash >> 32));
}

/*
 * Before linking: what this module does not use becomes internal, and is then dropped by the linker
 * or by globaldce. Bodies that bodies use are internal already.
 */
static void l_select(struct lower *l, LLVMModuleRef helpers)
{
	size_t len;

	for (LLVMValueRef v = LLVMGetFirstFunction(helpers); v; v = LLVMGetNextFunction(v)) {
		LLVMValueRef v_used = LLVMGetNamedFunction(l->module, LLVMGetValueName2(v, &len));

		if (!LLVMIsDeclaration(v) && (!v_used || !LLVMIsDeclaration(v_used)))
			LLVMSetLinkage(v, LLVMInternalLinkage);
	}
}

static void l_finish(struct lower *l, const char *helper, enum bpfcc_helper_class class)
{
	char name[160];
	LLVMValueRef v_fn;

	snprintf(name, sizeof(name), HELPER_PREFIX "%s", helper);
	v_fn = LLVMGetNamedFunction(l->module, name);
	if (!v_fn || LLVMIsDeclaration(v_fn))
		return;
	if (class == BPFCC_HELPER_INLINE) {
		LLVMSetLinkage(v_fn, LLVMInternalLinkage);
		ll_add_attr(v_fn, LLVMAttributeFunctionIndex, "alwaysinline");
		return;
	}
	auto_name(l, helper, name, sizeof(name));
	LLVMSetValueName2(v_fn, name, strlen(name));
	ll_make_odr(l->module, v_fn, NULL);
}

static int l_check_defined(struct lower *l)
{
	size_t len;

	for (LLVMValueRef v = LLVMGetFirstFunction(l->module); v; v = LLVMGetNextFunction(v)) {
		const char *name = LLVMGetValueName2(v, &len);

		if (LLVMIsDeclaration(v) && !strncmp(name, HELPER_PREFIX, strlen(HELPER_PREFIX)))
			return bpfcc_error(&l->handle->diag, NULL, NULL,
					   "this build of Inlay has no body for helper 'bpf_%s'",
					   name + strlen(HELPER_PREFIX));
	}
	return 0;
}

/* Whether the module calls for any body at all. */
static bool l_needs_helpers(struct lower *l)
{
	size_t len;

	for (LLVMValueRef v = LLVMGetFirstFunction(l->module); v; v = LLVMGetNextFunction(v))
		if (LLVMIsDeclaration(v) && !strncmp(LLVMGetValueName2(v, &len), HELPER_PREFIX,
						     strlen(HELPER_PREFIX)))
			return true;
	return false;
}

int l_import_helpers(struct lower *l)
{
	LLVMModuleRef helpers;
	int err;

	if (!l_needs_helpers(l))
		return 0;
	helpers = l_parse_blob(l);
	if (!helpers)
		return bpfcc_error(&l->handle->diag, NULL, "rebuild Inlay",
				   "the embedded helper bitcode cannot be read");
	LLVMSetTarget(helpers, LLVMGetTarget(l->module));
	LLVMSetDataLayout(helpers, LLVMGetDataLayoutStr(l->module));
	l_select(l, helpers);
	if (LLVMLinkModules2(l->module, helpers))
		return bpfcc_error(&l->handle->diag, NULL, NULL,
				   "linking the helper bodies failed");

#define INLAY_HELPER(id, name, class, ret, t1, t2, t3, t4, t5, flags)                              \
	l_finish(l, #name, BPFCC_HELPER_##class);
#define INLAY_KFUNC(name, class, ret, t1, t2, t3, t4, t5, flags)                                   \
	l_finish(l, #name, BPFCC_HELPER_##class);
#include "rt/helpers.def"
	l_finish(l, "map_each", BPFCC_HELPER_INLINE);
	l_finish(l, "get_retval", BPFCC_HELPER_INLINE);
	l_finish(l, "arena_at", BPFCC_HELPER_INLINE);
	err = l_check_defined(l);
	return err ? err : l_specialise(l, "map_lookup_elem", "lookup");
}
