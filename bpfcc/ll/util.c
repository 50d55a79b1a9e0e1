/* SPDX-License-Identifier: BSD-2-Clause */
/* Small things that LLVM-C leaves to its users. No policy: what to emit is decided elsewhere. */
#include "bpfcc/ll/util.h"

#include <stdlib.h>
#include <string.h>

void ll_add_attr(LLVMValueRef v_fn, LLVMAttributeIndex index, const char *name)
{
	unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
	LLVMContextRef context = LLVMGetModuleContext(LLVMGetGlobalParent(v_fn));

	LLVMAddAttributeAtIndex(v_fn, index, LLVMCreateEnumAttribute(context, kind, 0));
}

void ll_remove_attr(LLVMValueRef v_fn, LLVMAttributeIndex index, const char *name)
{
	LLVMRemoveEnumAttributeAtIndex(v_fn, index,
				       LLVMGetEnumAttributeKindForName(name, strlen(name)));
}

void ll_strip_target_attrs(LLVMValueRef v_fn)
{
	static const char *const enums[] = {
	    "uwtable",		"ssp",
	    "sspstrong",	"sspreq",
	    "sanitize_address", "sanitize_memory",
	    "sanitize_thread",	"sanitize_hwaddress",
	    "sanitize_memtag",	"noinline",
	    "optnone",		"mustprogress",
	    "nocf_check",
	};
	static const char *const strings[] = {
	    "target-cpu",
	    "target-features",
	    "tune-cpu",
	    "frame-pointer",
	    "stack-protector-buffer-size",
	    "min-legal-vector-width",
	    "no-trapping-math",
	    "probe-stack",
	    "stack-probe-size",
	    "zero-call-used-regs",
	    "no-builtins",
	    "no-jump-tables",
	};

	for (size_t i = 0; i < sizeof(enums) / sizeof(enums[0]); i++)
		ll_remove_attr(v_fn, LLVMAttributeFunctionIndex, enums[i]);
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		LLVMRemoveStringAttributeAtIndex(v_fn, LLVMAttributeFunctionIndex, strings[i],
						 (unsigned int)strlen(strings[i]));
}

void ll_make_odr(LLVMModuleRef module, LLVMValueRef v_global, const char *comdat)
{
	size_t len;

	if (!comdat)
		comdat = LLVMGetValueName2(v_global, &len);
	LLVMSetLinkage(v_global, LLVMLinkOnceODRLinkage);
	LLVMSetVisibility(v_global, LLVMHiddenVisibility);
	LLVMSetComdat(v_global, LLVMGetOrInsertComdat(module, comdat));
}

LLVMValueRef ll_string(LLVMModuleRef module, const char *text)
{
	LLVMContextRef context = LLVMGetModuleContext(module);
	LLVMValueRef v_init = LLVMConstStringInContext2(context, text, strlen(text), false);
	LLVMValueRef v_str = LLVMAddGlobal(module, LLVMTypeOf(v_init), "__inlay_str");

	LLVMSetInitializer(v_str, v_init);
	LLVMSetGlobalConstant(v_str, true);
	LLVMSetLinkage(v_str, LLVMPrivateLinkage);
	LLVMSetUnnamedAddress(v_str, LLVMGlobalUnnamedAddr);
	LLVMSetAlignment(v_str, 1);
	return v_str;
}

void ll_append_used(LLVMModuleRef module, LLVMValueRef const *v_globals, size_t nr)
{
	LLVMTypeRef t_ptr = LLVMPointerTypeInContext(LLVMGetModuleContext(module), 0);
	LLVMValueRef v_old = LLVMGetNamedGlobal(module, "llvm.used"), v_new, *v_all;
	unsigned int nr_old = 0;

	if (v_old)
		nr_old = (unsigned int)LLVMGetNumOperands(LLVMGetInitializer(v_old));
	v_all = calloc(nr_old + nr, sizeof(*v_all));
	if (!v_all)
		abort(); /* as LLVM itself does without memory */
	for (unsigned int i = 0; i < nr_old; i++)
		v_all[i] = LLVMGetOperand(LLVMGetInitializer(v_old), i);
	memcpy(v_all + nr_old, v_globals, nr * sizeof(*v_all));
	if (v_old)
		LLVMDeleteGlobal(v_old);
	v_new = LLVMAddGlobal(module, LLVMArrayType2(t_ptr, nr_old + nr), "llvm.used");
	LLVMSetInitializer(v_new, LLVMConstArray2(t_ptr, v_all, nr_old + nr));
	LLVMSetLinkage(v_new, LLVMAppendingLinkage);
	LLVMSetSection(v_new, "llvm.metadata");
	free(v_all);
}

void ll_set_nosanitize(LLVMValueRef v_inst)
{
	LLVMContextRef context = LLVMGetModuleContext(
	    LLVMGetGlobalParent(LLVMGetBasicBlockParent(LLVMGetInstructionParent(v_inst))));
	LLVMMetadataRef empty = LLVMMDNodeInContext2(context, NULL, 0);

	LLVMSetMetadata(v_inst, LLVMGetMDKindIDInContext(context, "nosanitize", 10),
			LLVMMetadataAsValue(context, empty));
}

void ll_symbol_part(const char *name, char *buf, size_t size)
{
	size_t i;

	for (i = 0; name[i] && i + 1 < size; i++) {
		char c = name[i];
		bool keep = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '_';

		buf[i] = keep ? c : '_';
	}
	buf[i] = '\0';
}
