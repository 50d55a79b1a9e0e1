/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc_lower(): the order of things. Data, functions, placement of accesses, helper bodies,
 * optimisation, linkage. One object in, one verified module out.
 */
#include "bpfcc/ll/align.h"
#include "bpfcc/ll/blob.h"
#include "bpfcc/ll/impl.h"
#include "bpfcc/ll/log2.h"
#include "bpfcc/ll/narrow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/Transforms/PassBuilder.h>

static void l_types(struct lower *l)
{
	l->t_void = LLVMVoidTypeInContext(l->context);
	l->t_i1 = LLVMInt1TypeInContext(l->context);
	l->t_i8 = LLVMInt8TypeInContext(l->context);
	l->t_i16 = LLVMInt16TypeInContext(l->context);
	l->t_i32 = LLVMInt32TypeInContext(l->context);
	l->t_i64 = LLVMInt64TypeInContext(l->context);
	l->t_ptr = LLVMPointerTypeInContext(l->context, 0);
	l->md_place = LLVMGetMDKindIDInContext(l->context, "inlay.place", strlen("inlay.place"));
}

static int l_init(struct lower *l, const char *triple, const char *data_layout)
{
	const struct bpfcc_object *object = l->object;

	for (int i = 0; i < 8; i++)
		snprintf(l->hash + 2 * i, 3, "%02x", object->hash[i]);
	if (object->has_target_relos) {
		strcpy(l->layout, "_L");
		for (int i = 0; i < 7; i++)
			snprintf(l->layout + 2 + 2 * i, 3, "%02x", object->layout[i]);
	}
	l_types(l);
	l->maps = calloc(object->nr_maps + 1, sizeof(*l->maps));
	l->v_subs = calloc(object->nr_funcs + 1, sizeof(*l->v_subs));
	l->v_progs = calloc(object->nr_progs + 1, sizeof(*l->v_progs));
	l->v_tails = calloc(object->nr_progs + 1, sizeof(*l->v_tails));
	l->is_address_taken = calloc(object->nr_funcs + 1, sizeof(*l->is_address_taken));
	l->has_tail_calls = calloc(object->nr_funcs + 1, sizeof(*l->has_tail_calls));
	if (!l->maps || !l->v_subs || !l->v_progs || !l->v_tails || !l->is_address_taken ||
	    !l->has_tail_calls)
		return -ENOMEM;
	l->module = LLVMModuleCreateWithNameInContext(object->name, l->context);
	LLVMSetSourceFileName(l->module, object->name, strlen(object->name));
	LLVMSetTarget(l->module, triple);
	LLVMSetDataLayout(l->module, data_layout);
	l->is_big_endian = data_layout[0] == 'E';
	l->builder = LLVMCreateBuilderInContext(l->context);
	return 0;
}

static int l_run_passes(struct lower *l, const char *passes)
{
	LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
	LLVMErrorRef error;
	char *message;

	error = LLVMRunPasses(l->module, passes, l->machine, options);
	LLVMDisposePassBuilderOptions(options);
	if (!error)
		return 0;
	message = LLVMGetErrorMessage(error);
	bpfcc_error(&l->handle->diag, NULL, NULL, "LLVM: %s", message);
	LLVMDisposeErrorMessage(message);
	return -EINVAL;
}

static void l_each_body(struct lower *l, void (*visitor)(LLVMValueRef v_fn))
{
	for (LLVMValueRef v = LLVMGetFirstFunction(l->module); v; v = LLVMGetNextFunction(v))
		if (!LLVMIsDeclaration(v))
			visitor(v);
}

/*
 * In a target a probe is short, what it is compiled for is not known here, and widening it for
 * throughput only makes it longer: no vectors. ("default<On>" ignores the options for that.)
 */
static void l_forbid_vectors(LLVMValueRef v_fn)
{
	ll_add_attr(v_fn, LLVMAttributeFunctionIndex, "noimplicitfloat");
}

static void l_allow_vectors(LLVMValueRef v_fn)
{
	ll_remove_attr(v_fn, LLVMAttributeFunctionIndex, "noimplicitfloat");
}

/* No loop becomes a call of memset or memcpy; l_link_programs() takes it off again. */
static void l_forbid_libcalls(LLVMValueRef v_fn)
{
	static const char name[] = "no-builtins";

	LLVMAddAttributeAtIndex(
	    v_fn, LLVMAttributeFunctionIndex,
	    LLVMCreateStringAttribute(LLVMGetModuleContext(LLVMGetGlobalParent(v_fn)), name,
				      sizeof(name) - 1, "", 0));
}

static int l_optimise(struct lower *l)
{
	int level = l->handle->opts.opt_level;
	char passes[64];
	int err;

	level = level < 0 ? 0 : !level ? 2 : level > 3 ? 3 : level;
	/* a first tidying shows which numbers are of 32 bits, before anything is made of vectors */
	err = level ? l_run_passes(l, "function(sroa,early-cse,instcombine<no-verify-fixpoint>,simplifycfg)") : 0;
	if (err)
		return err;
	if (level)
		ll_narrow(l->module);
	/* helpers that nobody called go in any case */
	snprintf(passes, sizeof(passes), "default<O%d>%s", level, level ? "" : ",globaldce");
	err = l_run_passes(l, passes);
	if (!err && ll_recognise_log2(l->module))
		err = l_run_passes(l, "function(adce,simplifycfg<hoist-common-insts>,early-cse,"
				      "instcombine<no-verify-fixpoint>,adce)");
	return err;
}

static int l_verify(struct lower *l)
{
	char *message = NULL;
	int err = 0;

	if (LLVMVerifyModule(l->module, LLVMReturnStatusAction, &message))
		err = bpfcc_error(&l->handle->diag, NULL, "this is a bug in bpfcc",
				  "the code made for this object is not valid: %s", message);
	LLVMDisposeMessage(message);
	return err;
}

/* Programs are external while the module is optimised, or they would be dropped as unused. */
static void l_link_programs(struct lower *l)
{
	for (uint32_t i = 0; i < l->object->nr_progs; i++) {
		LLVMValueRef v_fn = l->v_progs[i];

		if (l->mode == BPFCC_LOWER_IMPORT) {
			LLVMSetLinkage(v_fn, LLVMAvailableExternallyLinkage);
			ll_add_attr(v_fn, LLVMAttributeFunctionIndex, "alwaysinline");
		}
	}
	for (LLVMValueRef v = LLVMGetFirstFunction(l->module); v; v = LLVMGetNextFunction(v))
		ll_strip_target_attrs(v);
}

static int l_module(struct lower *l)
{
	int err;

	err = l_maps(l);
	if (err)
		return err;
	err = l_functions(l);
	if (err)
		return err;
	if (l->mode != BPFCC_LOWER_RUN)
		l_object(l);
	if (l->mode == BPFCC_LOWER_STANDALONE)
		l_accessors(l);
	err = l_verify(l);
	if (err)
		return err;
	/*
	 * SSA form for the registers and for spills on the stack, and nothing more: accesses are
	 * still plain here.
	 */
	err = l_run_passes(l, "function(mem2reg,adce,sroa<preserve-cfg>,adce)");
	if (err)
		return err;
	l_resolve_callbacks(l);
	l_place_pointers(l);
	l_place_accesses(l);
	err = l_import_helpers(l);
	if (err)
		return err;
	err = l_run_passes(l, "always-inline");
	if (err)
		return err;
	l_place_private(l);
	l_each_body(l, l_forbid_libcalls);
	if (l->mode == BPFCC_LOWER_IMPORT)
		l_each_body(l, l_forbid_vectors);
	err = l_optimise(l);
	if (err)
		return err;
	if (l->mode == BPFCC_LOWER_IMPORT) {
		l_each_body(l, l_allow_vectors);
		l_place_loops(l);
	}
	else
		l_each_body(l, ll_align_loops);
	ll_finish_log2(l->module);
	l_place_short_loads(l);
	l_place_intrinsics(l);
	l_link_programs(l);
	return l_verify(l);
}

static int l_lower(struct lower *l, const char *triple, const char *data_layout,
		   LLVMModuleRef *ret_module)
{
	int err;

	*ret_module = NULL;
	if (!bpfcc_blob_find(triple))
		return bpfcc_error(&l->handle->diag, NULL, "bpfcc compiles for x86-64 and aarch64",
				   "cannot compile for '%s'", triple);
	err = l_init(l, triple, data_layout);
	/* what is worth while differs between processors; the importer's is not ours to know */
	if (!err && l->mode != BPFCC_LOWER_IMPORT) {
		l->machine = bpfcc_machine_new(l->handle);
		err = l->machine ? 0 : -EINVAL;
	}
	if (!err)
		err = l_module(l);
	if (l->builder)
		LLVMDisposeBuilder(l->builder);
	if (!err)
		*ret_module = l->module;
	else if (l->module)
		LLVMDisposeModule(l->module);
	if (l->machine)
		LLVMDisposeTargetMachine(l->machine);
	free(l->maps);
	free(l->v_subs);
	free(l->v_progs);
	free(l->v_tails);
	free(l->is_address_taken);
	free(l->has_tail_calls);
	return err;
}

int bpfcc_lower(struct inlay_bpfcc_object *object, LLVMContextRef context, const char *triple,
		const char *data_layout, enum bpfcc_lower_mode mode, LLVMModuleRef *ret_module)
{
	struct lower l = {
		.handle = object,
		.object = &object->data,
		.mode = mode,
		.context = context,
	};

	return l_lower(&l, triple, data_layout, ret_module);
}

int bpfcc_lower_run(struct inlay_bpfcc_object *object, LLVMContextRef context, const char *triple,
		    const char *data_layout, uint32_t func, LLVMModuleRef *ret_module)
{
	struct lower l = {
		.handle = object,
		.object = &object->data,
		.mode = BPFCC_LOWER_RUN,
		.run_func = &object->data.funcs[func],
		.context = context,
	};

	return l_lower(&l, triple, data_layout, ret_module);
}

const char *bpfcc_prog_symbol(struct inlay_bpfcc_object *object, const struct bpfcc_prog *prog)
{
	char name[256];

	l_prog_symbol(&object->data, prog, name, sizeof(name));
	return bpfcc_arena_strdup(object->data.arena, name);
}
