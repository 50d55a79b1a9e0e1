/* SPDX-License-Identifier: BSD-2-Clause */
/* One run over one module: the order of the steps, and nothing else. */
#include <stdlib.h>

#include "pass/plan.h"

static void free_run(struct pass_run *run)
{
	options_unload(run);
	for (unsigned int i = 0; i < run->nr_blocks; i++)
		free(run->blocks[i]);
	free(run->blocks);
	free(run->places);
	free(run->semaphores);
	free(run->events);
	free(run->warnings);
	free(run->late_fns);
	free(run->records);
	free(run->kept);
}

static bool find_arch(struct pass_run *run)
{
	run->arch = pass_arch_find(run->module);
	if (run->arch)
		return true;
	ir_error(run->context,
		 run_printf(run, "inlay: target %s is not supported; x86_64 and aarch64 are",
			    LLVMGetTarget(run->module)));
	run->failed = true;
	return false;
}

/* True if the module was changed. */
static bool insert(struct pass_run *run)
{
	bool is_changed;

	/* Calls first: they are known by their address, and unwinding makes invokes of them. */
	for (unsigned int i = 0; i < run->nr_places; i++)
		if (run->places[i].usdt)
			usdt_insert(run, &run->places[i]);
		else if (run->places[i].call)
			call_insert(run, &run->places[i]);
	for (unsigned int i = 0; i < run->nr_places; i++)
		if (!run->places[i].call)
			site_insert_function(run, &run->places[i]);
	usdt_raise_semaphores(run);
	is_changed = record_skips(run);
	record_finish(run);
	if (!run->nr_places && !run->nr_semaphores)
		return is_changed;
	attrs_drop(run);
	if (import_link(run))
		copies_keep(run);
	return true;
}

static bool run_module(struct pass_run *run)
{
	bool is_changed = false;

	if (!options_load(run))
		return false;
	match_module(run);
	if (run->nr_places || run->nr_semaphores || run->nr_late_fns) {
		if (!find_arch(run) || !import_lower(run))
			return false;
		check_places(run);
		if (run->failed)
			return false;
		is_changed = insert(run) || run->nr_late_fns;
		for (unsigned int i = 0; i < run->nr_late_fns; i++)
			late_note(run, run->late_fns[i]);
	} else {
		is_changed = insert(run);
	}
	if (!run->failed)
		report_write(run);
	return is_changed;
}

bool pass_run(LLVMModuleRef module, const struct pass_options *options, enum pass_point point)
{
	struct pass_run run = {
		.module = module,
		.context = LLVMGetModuleContext(module),
		.options = options,
		.point = point,
	};
	bool is_changed;

	if (point == PASS_POINT_LATE && !late_is_wanted(module))
		return false;
	is_changed = run_module(&run);
	free_run(&run);
	return is_changed;
}
