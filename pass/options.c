/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the options to opened objects and their programs. What the pass does depends on its options
 * and the content of the probe objects alone; the environment is asked only where no option was
 * given, for builds that take no more than -fpass-plugin.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/section.h"
#include "pass/plan.h"

/* Name of a probe object as messages and the OBJECT: prefix of options use it. */
static char *object_name(struct pass_run *run, const char *path)
{
	static const char *const suffixes[] = { ".bpf.o", ".o" };
	const char *base = strrchr(path, '/');
	char *name = run_printf(run, "%s", base ? base + 1 : path);

	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(name), k = strlen(suffixes[i]);

		if (n > k && !strcmp(name + n - k, suffixes[i])) {
			name[n - k] = '\0';
			break;
		}
	}
	return name;
}

static bool names_object(struct pass_run *run, const char *name, size_t bytes)
{
	for (size_t i = 0; i < run->nr_paths; i++) {
		const char *object = object_name(run, run->paths[i]);

		if (strlen(object) == bytes && !strncmp(object, name, bytes))
			return true;
	}
	return false;
}

/* Options of one kind that are for this object: without a prefix, or with its name. */
static const char *const *select_options(struct pass_run *run, const char *const *all, size_t nr,
					 const char *object, bool has_colon, size_t *ret_nr)
{
	const char **selected = run_alloc(run, nr * sizeof(*selected));
	size_t n = strlen(object);

	*ret_nr = 0;
	for (size_t i = 0; i < nr; i++) {
		const char *colon = strchr(all[i], ':');
		const char *equal = strchr(all[i], '=');

		/* PROGRAM:FUNCTION has a colon of its own, PROGRAM:PROVIDER:NAME two */
		if (colon && has_colon &&
		    (!strchr(colon + 1, ':') || !names_object(run, all[i], (size_t)(colon - all[i]))))
			colon = NULL;
		if (colon && equal && equal < colon)
			colon = NULL;
		if (!colon)
			selected[(*ret_nr)++] = all[i];
		else if ((size_t)(colon - all[i]) == n && !strncmp(all[i], object, n))
			selected[(*ret_nr)++] = colon + 1;
	}
	return selected;
}

static void on_message(void *arg, const struct inlay_bpfcc_message *m)
{
	struct pass_run *run = arg;
	char *text;

	if (m->severity == INLAY_BPFCC_NOTE) {
		/* of the object as a whole, behind an error: what to do about it */
		if (run->failed && !m->program)
			fprintf(stderr, "note: inlay: %s: %s\n", m->object ? m->object : "", m->text);
		return;
	}
	text = run_printf(run, "inlay: %s", m->object ? m->object : "probe object");
	if (m->section)
		text = run_printf(run, "%s: section %s", text, m->section);
	if (m->program)
		text = run_printf(run, "%s: program %s", text, m->program);
	if (m->insn >= 0 && m->program)
		text = run_printf(run, "%s: instruction %d", text, m->insn);
	if (m->file && m->line)
		text = run_printf(run, "%s: %s:%u", text, m->file, m->line);
	text = run_printf(run, "%s: %s%s%s", text, m->text, m->hint ? "; " : "",
			  m->hint ? m->hint : "");
	/* a variable, map or program that only another of the objects has */
	if (run->nr_paths > 1 && !m->program && m->text[0] == '-')
		text = run_printf(run, "%s; with OBJECT: in front it is for one object only", text);
	if (m->severity == INLAY_BPFCC_ERROR) {
		ir_error(run->context, text);
		run->failed = true;
	} else {
		/* that nothing was verified is said at every use */
		if (run->options->unsafe_no_verify)
			fprintf(stderr, "warning: %s\n", text);
		/* the same for every file of a build: for the report, not for the terminal */
		*(const char **)run_grow(&run->warnings, &run->nr_warnings, &run->cap_warnings,
					 sizeof(text)) = text;
	}
}

static bool object_open(struct pass_run *run, struct pass_object *object, const char *path)
{
	const struct pass_options *o = run->options;
	const char *name = object_name(run, path);
	struct inlay_bpfcc_opts opts = {
		.sz = sizeof(opts),
		.on_message = on_message,
		.on_message_arg = run,
		.allow_override = o->allow_override,
		.allow_write = o->allow_write,
		.unsafe_no_verify = o->unsafe_no_verify,
		.stats = o->stats,
		.target = LLVMGetTarget(run->module),
		.target_btf = o->target_btf[0] ? o->target_btf : NULL,
		.on_target_btf = types_btf,
		.on_target_btf_arg = run,
		.partial_types = true,
	};
	int err;

	opts.sets = select_options(run, o->sets, o->nr_sets, name, false, &opts.nr_sets);
	opts.maps = select_options(run, o->maps, o->nr_maps, name, false, &opts.nr_maps);
	opts.attaches = select_options(run, o->attaches, o->nr_attaches, name, true,
				       &opts.nr_attaches);
	opts.skips = select_options(run, o->skips, o->nr_skips, name, false, &opts.nr_skips);
	err = inlay_bpfcc_object_open(path, NULL, 0, &opts, &object->handle);
	if (err) {
		if (!run->failed) /* nothing has been said yet */
			ir_error(run->context,
				 run_printf(run, "inlay: %s: %s", path, strerror(-err)));
		run->failed = true;
		return false;
	}
	object->data = inlay_bpfcc_object_data(object->handle);
	return true;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The path names the output, as it is or after installation; "libm" stands for "libm.so.6". */
static bool names_binary(const char *path, const char *binary)
{
	const char *base = base_name(binary);
	size_t bytes = strlen(path);

	return !strcmp(path, binary) || !strcmp(base_name(path), base) ||
	       (bpfcc_path_is_library(path) && !strncmp(path, base, bytes) &&
		!strncmp(base + bytes, ".so", 3));
}

static void probe_init(struct pass_run *run, struct pass_probe *probe, struct pass_object *object,
		       const struct bpfcc_prog *prog)
{
	const char *binary = run->options->binary;

	probe->object = object;
	probe->prog = prog;
	probe->symbol = bpfcc_prog_symbol(object->handle, prog);
	probe->is_glob = (prog->flags & BPFCC_PROG_MULTI) && prog->function &&
			 strpbrk(prog->function, "*?[");
	probe->is_late = prog->flags & BPFCC_PROG_LATE;
	probe->is_call_only = (prog->flags & BPFCC_PROG_CALL) || prog->caller;
	/* "any binary" and "the process itself" are the target, whatever its name */
	if (!prog->path || !strcmp(prog->path, "*") || !strcmp(prog->path, "/proc/self/exe"))
		return;
	if (bpfcc_path_is_library(prog->path) && prog->kind != INLAY_PROG_USDT) {
		probe->is_library = true;
	} else if (bpfcc_path_is_library(prog->path) && !binary[0]) {
		/* the library that this file goes into: its probes are found in it */
	} else if (!binary[0]) {
		probe->is_gated = true;
	} else {
		probe->is_off = !names_binary(prog->path, binary);
	}
}

/* Calls are source-level calls: after the optimiser there is no saying which those were. */
static void refuse_late_calls(struct pass_run *run, const struct pass_object *object,
			      const struct bpfcc_prog *prog)
{
	if (prog->kind == INLAY_PROG_USDT && prog->flags & BPFCC_PROG_LATE) {
		ir_error(run->context,
			 run_printf(run,
				    "inlay: %s: program %s is for a USDT probe, which is where the "
				    "source has it: inlay:late means nothing there",
				    object->data->name, prog->name));
		run->failed = true;
	}
	if (prog->kind == INLAY_PROG_USDT || !(prog->flags & BPFCC_PROG_LATE) ||
	    !((prog->flags & BPFCC_PROG_CALL) || prog->caller))
		return;
	ir_error(run->context,
		 run_printf(run, "inlay: %s: program %s asks for calls: inlay:late has none",
			    object->data->name, prog->name));
	run->failed = true;
}

static const char *const *probe_paths(struct pass_run *run, size_t *ret_nr)
{
	const char *env = getenv("INLAY_PROBES");
	const char **paths;
	char *text, *save = NULL;

	*ret_nr = run->options->nr_probes;
	if (*ret_nr || !env || !env[0])
		return run->options->probes;
	text = run_printf(run, "%s", env);
	paths = run_alloc(run, (strlen(env) + 1) * sizeof(*paths));
	for (char *p = strtok_r(text, ",", &save); p; p = strtok_r(NULL, ",", &save))
		paths[(*ret_nr)++] = p;
	return paths;
}

bool options_load(struct pass_run *run)
{
	run->paths = probe_paths(run, &run->nr_paths);
	run->objects = run_alloc(run, run->nr_paths * sizeof(*run->objects));
	for (size_t i = 0; i < run->nr_paths; i++) {
		if (object_open(run, &run->objects[run->nr_objects], run->paths[i]))
			run->nr_objects++;
	}
	if (run->failed)
		return false;
	for (unsigned int i = 0; i < run->nr_objects; i++)
		run->nr_probes += run->objects[i].data->nr_progs;
	run->probes = run_alloc(run, run->nr_probes * sizeof(*run->probes));
	for (unsigned int i = 0, k = 0; i < run->nr_objects; i++) {
		const struct bpfcc_object *data = run->objects[i].data;

		for (uint32_t p = 0; p < data->nr_progs; p++) {
			probe_init(run, &run->probes[k++], &run->objects[i], &data->progs[p]);
			refuse_late_calls(run, &run->objects[i], &data->progs[p]);
		}
	}
	return run->nr_probes && !run->failed;
}

void options_unload(struct pass_run *run)
{
	for (unsigned int i = 0; i < run->nr_objects; i++) {
		if (run->objects[i].lowered)
			LLVMDisposeModule(run->objects[i].lowered);
		inlay_bpfcc_object_free(run->objects[i].handle);
	}
}
