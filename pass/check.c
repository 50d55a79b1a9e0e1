/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a program can run at a place: does the place have what the program reads, can the
 * function be left early. The kernel would hand out whatever is in the register; here a program
 * that was given an exact name is an error, and one that came by a glob is left out and reported.
 */
#include <stdarg.h>
#include <string.h>

#include "pass/plan.h"

/*
 * sp, ip and the caller's frame pointer: at a function's entry and return as the kernel shows them, in a
 * function that is not inlined (site.c sees to it); around a call only the address that is called.
 */
bool args_is_available(const struct pass_run *run, const struct pass_place *place,
		       enum pass_side side, const struct pass_words *words, unsigned int word)
{
	if (words->w[word].value)
		return true;
	if (place->usdt)
		return false;
	if (place->call)
		return word == run->arch->ip && side == PASS_ENTRY;
	if (word == run->arch->ip && side == PASS_ENTRY)
		return true;
	return (word == run->arch->sp || word == run->arch->ip || word == run->arch->fp ||
		(word == run->arch->lr && side == PASS_ENTRY)) &&
	       !has_fn_attr(place->fn, "alwaysinline");
}

static unsigned int first_missing(const struct pass_run *run, const struct pass_place *place,
				  const struct pass_probe *probe, enum pass_side side,
				  const struct pass_words *words)
{
	if (!reads_all(run, probe->reads[side]))
		for (unsigned int w = 0; w < run->arch->nr_regs; w++)
			if (probe->reads[side] >> w & 1 &&
			    !args_is_available(run, place, side, words, w))
				return w;
	return run->arch->nr_regs;
}

/* "argument 3 (register dx), but f() has type ..." */
static const char *explain_missing(struct pass_run *run, LLVMValueRef at, const char *name,
				   enum pass_side side, unsigned int word)
{
	const struct pass_arch *arch = run->arch;
	const char *what = run_printf(run, "register %s", arch->reg_names[word]);

	for (unsigned int i = 0; side == PASS_ENTRY && i < arch->nr_args; i++)
		if (arch->args[i] == word)
			what = run_printf(run, "argument %u (%s)", i + 1, what);
	if (side == PASS_RETURN && word == arch->rets[0])
		what = run_printf(run, "the return value (%s)", what);
	return run_printf(run, "it reads %s at the %s, which %s, %s, does not have", what,
			  side == PASS_ENTRY ? "entry" : "return", name, args_describe(run, at));
}

/* Why the program's run at one side cannot be had here, or NULL. */
static const char *side_obstacle(struct pass_run *run, const struct pass_place *place,
				 const struct pass_probe *probe, enum pass_side side)
{
	LLVMValueRef at = place->call ? place->call : place->fn;
	LLVMValueRef callee = place->call ? direct_callee(place->call) : place->fn;
	struct pass_words words;
	unsigned int word;
	const char *why;

	if (!probe_has(probe, side))
		return NULL;
	if (side == PASS_RETURN)
		args_of_result(run, at, NULL, &words);
	else if (place->call)
		args_at_call(run, place->call, place->alias, &words);
	else
		args_at_function(run, place->fn, &words);
	word = first_missing(run, place, probe, side, &words);
	if (word < run->arch->nr_regs)
		return explain_missing(run, at, value_name(callee), side, word);
	if (side == PASS_ENTRY && probe->overrides && !args_can_override(run, at, &why))
		return run_printf(run,
				  "it calls bpf_override_return(), but %s cannot be skipped: %s",
				  value_name(callee), why);
	return NULL;
}

/* What is no mistake of the program: some functions have no way out where it could run. */
static const char *no_return_site(const struct pass_place *place, const struct pass_probe *probe)
{
	if (!probe_has(probe, PASS_RETURN))
		return NULL;
	if (probe->prog->kind == INLAY_PROG_RETURN && !place->call &&
	    has_fn_attr(place->fn, "noreturn"))
		return "it never returns";
	return NULL;
}

static bool check_one(struct pass_run *run, const struct pass_place *place,
		      struct pass_probe *probe)
{
	const char *name = place->usdt ? place->usdt->name :
			   place->call ? value_name(direct_callee(place->call)) :
					 value_name(place->fn);
	const char *caller = place->call ? value_name(place->fn) : NULL;
	const char *why = no_return_site(place, probe);

	if (why) {
		report_skip(run, probe, name, caller, "%s", why);
		return false;
	}
	why = probe->prog->unresolved;
	if (!why)
		why = place->usdt ? usdt_obstacle(run, place, probe) :
				    side_obstacle(run, place, probe, PASS_ENTRY);
	if (!why && !place->usdt)
		why = side_obstacle(run, place, probe, PASS_RETURN);
	if (!why)
		return true;
	if (probe->is_glob) {
		report_skip(run, probe, name, caller, "%s", why);
		return false;
	}
	ir_diagnose(place->fn, place->call,
		    run_printf(run, "inlay: program %s of %s cannot run at %s: %s",
			       probe->prog->name, probe->object->data->name, name, why),
		    true);
	run->failed = true;
	return false;
}

void check_places(struct pass_run *run)
{
	unsigned int kept_places = 0;

	for (unsigned int i = 0; i < run->nr_places; i++) {
		struct pass_place *place = &run->places[i];
		unsigned int kept = 0;

		for (unsigned int k = 0; k < place->nr_probes; k++)
			if (check_one(run, place, place->probes[k]))
				place->probes[kept++] = place->probes[k];
		place->nr_probes = kept;
		if (kept)
			run->places[kept_places++] = *place;
	}
	run->nr_places = kept_places;
}
