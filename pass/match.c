/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which programs run where, by names alone. Reads the module and changes nothing, so that a module
 * without a match stays as it was. Whether the types fit is check.c's question.
 */
#include <fnmatch.h>
#include <string.h>

#include "pass/plan.h"

static bool name_matches(const struct pass_probe *probe, const char *name)
{
	const char *pattern = probe->prog->function;

	if (!pattern || probe->prog->kind == INLAY_PROG_USDT)
		return false;
	return probe->is_glob ? !fnmatch(pattern, name, 0) : !strcmp(pattern, name);
}

bool match_caller(const struct pass_probe *probe, const char *caller)
{
	return !probe->prog->caller || !fnmatch(probe->prog->caller, caller, 0);
}

static bool is_ifunc_resolver(LLVMModuleRef module, LLVMValueRef fn)
{
	for (LLVMValueRef i = LLVMGetFirstGlobalIFunc(module); i; i = LLVMGetNextGlobalIFunc(i))
		if (LLVMGetGlobalIFuncResolver(i) == fn)
			return true;
	return false;
}

/* Why no program can be set into the function, or NULL. */
static const char *function_obstacle(LLVMModuleRef module, LLVMValueRef fn)
{
	if (has_fn_attr(fn, "naked"))
		return "it is naked: it has no prologue or epilogue of its own";
	if (is_ifunc_resolver(module, fn))
		return "it is an ifunc resolver, which runs before relocation";
	return copy_is(fn) ? copy_obstacle(fn) : NULL;
}

/* Whether the program names the function, or an alias of it: they are one address. */
static bool function_matches(const struct pass_run *run, const struct pass_probe *probe,
			     LLVMValueRef fn)
{
	const struct pass_alias *alias;
	LLVMValueRef a;

	if (name_matches(probe, value_name(fn)))
		return true;
	if (copy_is(fn) && !probe->is_glob) { /* as at a call of the definition */
		alias = alias_find(value_name(fn));
		return alias && !alias->args && name_matches(probe, alias->function);
	}
	for (a = LLVMGetFirstGlobalAlias(run->module); a; a = LLVMGetNextGlobalAlias(a))
		if (LLVMAliasGetAliasee(a) == fn && !is_ours(value_name(a)) &&
		    name_matches(probe, value_name(a)))
			return true;
	return false;
}

void match_add(struct pass_run *run, struct pass_place *place, struct pass_probe *probe)
{
	if (!place->probes)
		place->probes = run_alloc(run, run->nr_probes * sizeof(*place->probes));
	place->probes[place->nr_probes++] = probe;
	probe->is_matched = true;
}

void match_finish(struct pass_run *run, const struct pass_place *place)
{
	struct pass_place *slot;

	if (!place->nr_probes)
		return;
	slot = run_grow(&run->places, &run->nr_places, &run->cap_places, sizeof(*slot));
	*slot = *place;
}

/* The early run keeps what the late one will want to know of the function. */
static void note_late(struct pass_run *run, LLVMValueRef fn)
{
	unsigned int n = run->nr_late_fns;

	if (!n || run->late_fns[n - 1] != fn)
		*(LLVMValueRef *)run_grow(&run->late_fns, &run->nr_late_fns, &run->cap_late_fns,
					  sizeof(fn)) = fn;
}

/* Nothing is left of a copy after the optimiser. */
static const char *late_obstacle(LLVMValueRef fn)
{
	return copy_is(fn) ? "its body is a copy of one in another file (available_externally)" :
			     NULL;
}

static void match_function(struct pass_run *run, LLVMValueRef fn)
{
	const char *obstacle = function_obstacle(run->module, fn);
	struct pass_place place = { .fn = fn };
	bool is_late = run->point == PASS_POINT_LATE;

	for (unsigned int i = 0; i < run->nr_probes; i++) {
		struct pass_probe *probe = &run->probes[i];
		const char *why = obstacle;

		if (probe->is_off || probe->is_call_only ||
		    (probe->is_library && (!copy_is(fn) || probe->is_glob)) ||
		    probe->is_late < is_late || !function_matches(run, probe, fn))
			continue;
		if (!why && probe->is_late)
			why = late_obstacle(fn);
		if (probe->is_late && !is_late && !why)
			note_late(run, fn);
		else if (why)
			report_skip(run, probe, value_name(fn), NULL, "%s", why);
		else
			match_add(run, &place, probe);
	}
	match_finish(run, &place);
}

/*
 * Whether the program runs around calls of `callee`. A function that the file defines has its
 * programs at its entry; only a program that asks for calls gets them there too.
 */
static bool call_matches(const struct pass_probe *probe, LLVMValueRef callee,
			 const struct pass_alias *alias, LLVMValueRef caller)
{
	if (probe->is_late || (!copy_is_call_outside(caller, callee) && !probe->is_call_only))
		return false;
	if (probe->is_glob && !probe->is_call_only)
		return false;
	if (!name_matches(probe, value_name(callee)) &&
	    !(alias && (LLVMIsDeclaration(callee) || copy_is(callee)) &&
	      name_matches(probe, alias->function)))
		return false;
	return match_caller(probe, value_name(caller));
}

static void match_call(struct pass_run *run, LLVMValueRef fn, LLVMValueRef call)
{
	LLVMValueRef callee = direct_callee(call);
	struct pass_place place = { .fn = fn, .call = call };
	const char *name;

	if (!callee || LLVMGetIntrinsicID(callee))
		return;
	name = value_name(callee);
	if (is_ours(name))
		return;
	place.alias = alias_find(name);
	for (unsigned int i = 0; i < run->nr_probes; i++) {
		struct pass_probe *probe = &run->probes[i];

		if (!probe->is_off &&
		    call_matches(probe, callee, place.alias, fn))
			match_add(run, &place, probe);
	}
	match_finish(run, &place);
}

static void match_calls(struct pass_run *run, LLVMValueRef fn)
{
	for (LLVMBasicBlockRef bb = LLVMGetFirstBasicBlock(fn); bb; bb = LLVMGetNextBasicBlock(bb))
		for (LLVMValueRef i = LLVMGetFirstInstruction(bb); i; i = LLVMGetNextInstruction(i))
			if (is_call(i))
				match_call(run, fn, i);
}

static void match_usdt(struct pass_run *run, LLVMValueRef fn)
{
	for (LLVMBasicBlockRef bb = LLVMGetFirstBasicBlock(fn); bb; bb = LLVMGetNextBasicBlock(bb))
		for (LLVMValueRef i = LLVMGetFirstInstruction(bb); i; i = LLVMGetNextInstruction(i))
			if (LLVMIsACallInst(i))
				usdt_match_call(run, fn, i);
}

static bool has_usdt_programs(const struct pass_run *run)
{
	for (unsigned int i = 0; i < run->nr_probes; i++)
		if (run->probes[i].prog->kind == INLAY_PROG_USDT)
			return true;
	return false;
}

/* A program names memcpy, and clang has made the calls an intrinsic: say so. */
static void match_intrinsic(struct pass_run *run, LLVMValueRef intrinsic)
{
	const char *name = value_name(intrinsic) + strlen("llvm.");
	size_t n = strcspn(name, ".");

	if (!LLVMGetFirstUse(intrinsic))
		return;
	for (unsigned int i = 0; i < run->nr_probes; i++) {
		struct pass_probe *probe = &run->probes[i];
		const char *function = probe->prog->function;

		if (!probe->is_off && function && !probe->is_glob &&
		    strlen(function) == n && !strncmp(function, name, n))
			report_skip(run, probe, function, NULL,
				    "calls here are compiled in (%s)", value_name(intrinsic));
	}
}

static void match_ifuncs(struct pass_run *run)
{
	LLVMValueRef f;

	for (f = LLVMGetFirstGlobalIFunc(run->module); f; f = LLVMGetNextGlobalIFunc(f)) {
		for (unsigned int i = 0; i < run->nr_probes; i++) {
			if (!run->probes[i].is_off && !run->probes[i].is_call_only &&
			    name_matches(&run->probes[i], value_name(f)))
				report_skip(run, &run->probes[i], value_name(f), NULL,
					    "it is an ifunc: name the implementations");
		}
	}
}

static void match_late(struct pass_run *run)
{
	for (LLVMValueRef fn = LLVMGetFirstFunction(run->module); fn; fn = LLVMGetNextFunction(fn))
		if (!LLVMIsDeclaration(fn) && late_is_noted(fn))
			match_function(run, fn);
}

void match_module(struct pass_run *run)
{
	bool has_usdt = has_usdt_programs(run);

	if (run->point == PASS_POINT_LATE) {
		match_late(run);
		return;
	}
	for (LLVMValueRef fn = LLVMGetFirstFunction(run->module); fn;
	     fn = LLVMGetNextFunction(fn)) {
		if (LLVMGetIntrinsicID(fn)) {
			match_intrinsic(run, fn);
			continue;
		}
		if (LLVMIsDeclaration(fn) || is_ours(value_name(fn)))
			continue;
		if (!has_fn_string_attr(fn, MARK_CALLS) && !has_fn_attr(fn, "naked"))
			match_calls(run, fn);
		if (has_usdt && !has_fn_string_attr(fn, MARK_USDT) && !has_fn_attr(fn, "naked"))
			match_usdt(run, fn);
		if (!has_fn_string_attr(fn, MARK_FN))
			match_function(run, fn);
	}
	match_ifuncs(run);
	usdt_match_semaphores(run);
}
