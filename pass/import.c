/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies of programs: lowered in the module's own context when something of their object matched,
 * linked in after the calls to them are in place, and inlined there and then. Inlining here, not by
 * the pipeline's inliner, makes it the same at -O0, with optnone callers and before LTO.
 */
#include <stdio.h>
#include <string.h>

#include <llvm-c/Linker.h>

#include "pass/plan.h"

static void add_attr(struct pass_run *run, LLVMValueRef fn, const char *name)
{
	LLVMAddAttributeAtIndex(fn, LLVMAttributeFunctionIndex,
				LLVMCreateEnumAttribute(run->context, attr_kind(name), 0));
}

/*
 * The optimiser may inline a subprogram or helper into the target's function later, and then joins
 * what the two say about mathematics, vectors and progress: what has neither of the first and ends,
 * as every eBPF program does, says what changes nothing.
 */
static void make_neutral(struct pass_run *run, LLVMValueRef fn)
{
	static const char *const fp[] = {
		"approx-func-fp-math", "less-precise-fpmad",	  "no-infs-fp-math",
		"no-nans-fp-math",     "no-signed-zeros-fp-math", "unsafe-fp-math",
	};

	for (size_t i = 0; i < sizeof(fp) / sizeof(fp[0]); i++)
		LLVMAddTargetDependentFunctionAttr(fn, fp[i], "true");
	LLVMAddTargetDependentFunctionAttr(fn, "min-legal-vector-width", "0");
	add_attr(run, fn, "mustprogress");
}

static bool lower(struct pass_run *run, struct pass_object *object)
{
	int err = bpfcc_lower(object->handle, run->context, LLVMGetTarget(run->module),
			      LLVMGetDataLayoutStr(run->module), BPFCC_LOWER_IMPORT,
			      &object->lowered);

	if (err) {
		if (!run->failed)
			ir_error(run->context,
				 run_printf(run, "inlay: %s: %s", object->data->path,
					    strerror(-err)));
		run->failed = true;
		return false;
	}
	for (LLVMValueRef fn = LLVMGetFirstFunction(object->lowered); fn;
	     fn = LLVMGetNextFunction(fn))
		if (!LLVMIsDeclaration(fn))
			make_neutral(run, fn);
	reads_of_object(run, object);
	return true;
}

bool import_lower(struct pass_run *run)
{
	for (unsigned int i = 0; i < run->nr_probes; i++) {
		struct pass_probe *probe = &run->probes[i];

		if (probe->is_matched && !probe->object->lowered && !lower(run, probe->object))
			return false;
	}
	return true;
}

/* The linker takes a discardable body only where something waits for it: this declaration. */
LLVMValueRef import_declare(struct pass_run *run, const struct pass_probe *probe)
{
	LLVMValueRef fn = LLVMGetNamedFunction(run->module, probe->symbol);
	LLVMTypeRef ptr = LLVMPointerTypeInContext(run->context, 0);
	LLVMTypeRef type;

	if (fn)
		return fn;
	type = LLVMFunctionType(LLVMInt64TypeInContext(run->context), &ptr, 1, false);
	fn = LLVMAddFunction(run->module, probe->symbol, type);
	add_attr(run, fn, "nounwind");
	return fn;
}

/* __inlay_<what>_H, a hidden variable that comes with the object's bodies. */
LLVMValueRef import_declare_data(struct pass_run *run, const struct pass_object *object,
				 const char *what)
{
	char name[64];
	LLVMValueRef v;
	int n = snprintf(name, sizeof(name), "__inlay_%s_", what);

	for (int i = 0; i < 8; i++)
		n += snprintf(name + n, sizeof(name) - (size_t)n, "%02x", object->data->hash[i]);
	v = LLVMGetNamedGlobal(run->module, name);
	if (v)
		return v;
	v = LLVMAddGlobal(run->module, LLVMInt8TypeInContext(run->context), name);
	LLVMSetVisibility(v, LLVMHiddenVisibility);
	return v;
}

static bool link_object(struct pass_run *run, struct pass_object *object)
{
	LLVMModuleRef lowered = object->lowered;

	object->lowered = NULL; /* the linker consumes it */
	if (!LLVMLinkModules2(run->module, lowered))
		return true;
	run->failed = true; /* the reason went to the context's diagnostics */
	return false;
}

/* Inlines every call to the program; false if one cannot be. */
static bool inline_program(struct pass_run *run, const struct pass_probe *probe)
{
	LLVMValueRef fn = LLVMGetNamedFunction(run->module, probe->symbol);

	if (!fn)
		return true;
	for (LLVMUseRef u = LLVMGetFirstUse(fn), next; u; u = next) {
		LLVMValueRef user = LLVMGetUser(u);

		next = LLVMGetNextUse(u);
		if (is_call(user) && direct_callee(user) == fn && !ir_inline_call(user))
			return false;
	}
	if (!LLVMGetFirstUse(fn))
		LLVMDeleteFunction(fn);
	return true;
}

bool import_link(struct pass_run *run)
{
	for (unsigned int i = 0; i < run->nr_objects; i++) {
		if (run->objects[i].lowered && !link_object(run, &run->objects[i]))
			return false;
	}
	for (unsigned int i = 0; i < run->nr_probes; i++) {
		const struct pass_probe *probe = &run->probes[i];

		if (!probe->nr_sites || inline_program(run, probe))
			continue;
		ir_error(run->context,
			 run_printf(run, "inlay: %s: program %s could not be inlined",
				    probe->object->data->name, probe->prog->name));
		run->failed = true;
		return false;
	}
	return true;
}
