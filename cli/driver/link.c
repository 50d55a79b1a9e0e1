/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares the programs of the probe objects with the site records of a linked file. The rule: a
 * program whose path names the file and that has no site in it is an error, unless its path or its
 * function is `*`; one without a path, or for another file, may match nothing.
 */
#include "cli/driver/link.h"
#include "cli/driver/notes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpfcc/handle.h"
#include "bpfcc/section.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* By name alone, as at run time: a program is linked elsewhere than it is installed. */
static bool names_output(const char *path, const char *output)
{
	return path && strcmp(path, "*") != 0 && strcmp(base_name(path), base_name(output)) == 0;
}

/*
 * Whether a program runs in this file: sites of one for another file are switched off at start. A
 * path of a library is about calls into it, from wherever they come.
 */
static bool runs_in(const struct bpfcc_prog *prog, const char *output)
{
	return !prog->path || strcmp(prog->path, "*") == 0 || bpfcc_path_is_library(prog->path) ||
	       names_output(prog->path, output);
}

/* Programs and libraries that configure, cmake and meson link to find out what the compiler can do. */
static bool is_configure_test(const char *name)
{
	if (strncmp(name, "lib", 3) == 0)
		name += 3;
	return strncmp(name, "conftest", 8) == 0 || strncmp(name, "cmTC_", 5) == 0 ||
	       strncmp(name, "sanitycheck", 11) == 0 || strcmp(name, "output.exe") == 0;
}

static size_t count_sites(const struct cc_link *link, const struct bpfcc_object *object,
			  const struct bpfcc_prog *prog)
{
	size_t nr = 0;

	for (size_t i = 0; i < link->sites.nr; i++) {
		const struct site *site = &link->sites.sites[i];

		nr += strcmp(site->program, prog->name) == 0 &&
		      strcmp(site->object, object->name) == 0;
	}
	return nr;
}

bool cc_skip_is_of(const struct cc_skip *skip, const struct bpfcc_object *object,
		   const struct bpfcc_prog *prog)
{
	return !strcmp(skip->program, prog->name) && !strcmp(skip->object, object->name);
}

/* What the units said: "not at 'f': ...", a few of them, each once; NULL if they said nothing. */
static const char *left_out(struct bpfcc_arena *arena, const struct cc_link *link,
			    const struct bpfcc_object *object, const struct bpfcc_prog *prog)
{
	enum { SHOWN_MAX = 3 };
	const struct cc_skip *shown[SHOWN_MAX];
	const char *text = NULL;
	size_t nr = 0, k;

	for (size_t i = 0; i < link->skips.nr && nr < SHOWN_MAX; i++) {
		const struct cc_skip *skip = &link->skips.skips[i];

		if (!cc_skip_is_of(skip, object, prog))
			continue;
		for (k = 0; k < nr; k++)
			if (!strcmp(shown[k]->function, skip->function) &&
			    !strcmp(shown[k]->reason, skip->reason))
				break;
		if (k < nr)
			continue;
		shown[nr++] = skip;
		text = bpfcc_arena_printf(arena, "%s%snot at '%s': %s", text ? text : "",
					  text ? "; " : "", skip->function, skip->reason);
	}
	return text;
}

static const char *probe_reason(struct bpfcc_arena *arena, const struct cc_link *link,
				const char *name)
{
	struct cc_probes found;

	cc_find_probe(arena, link->output, name, &found);
	if (found.is_here)
		return bpfcc_arena_printf(arena,
					  "USDT probe '%s' is here, but not from a file compiled with this "
					  "probe object",
					  name);
	return bpfcc_arena_printf(arena, "no USDT probe here is called '%s'%s%s%s", name,
				  found.similar ? "; did you mean '" : "",
				  found.similar ? found.similar : "", found.similar ? "'?" : "");
}

static const char *reason(struct bpfcc_arena *arena, const struct cc_link *link,
			  const struct bpfcc_object *object, const struct bpfcc_prog *prog)
{
	const char *function = prog->function, *why;
	struct cc_functions found;

	if (!function)
		return "its section names no function (-finlay-attach=PROGRAM:FUNCTION gives one)";
	if (!runs_in(prog, link->output))
		return bpfcc_arena_printf(arena, "it is for '%s'", prog->path);
	why = left_out(arena, link, object, prog);
	if (why)
		return why;
	if (prog->kind == INLAY_PROG_USDT)
		return probe_reason(arena, link, function);
	if (prog->flags & BPFCC_PROG_MULTI)
		return bpfcc_arena_printf(arena, "no function compiled with it matches '%s'",
					  function);
	cc_find_function(arena, link->output, function, &found);
	if (found.is_defined)
		return bpfcc_arena_printf(arena,
					  "'%s' is here, but not from a file compiled with this probe object",
					  function);
	return bpfcc_arena_printf(arena, "nothing compiled with it defines or calls '%s'%s%s%s",
				  function, found.similar ? "; did you mean '" : "",
				  found.similar ? found.similar : "", found.similar ? "'?" : "");
}

static int read_programs(struct bpfcc_arena *arena, struct cc_link *link,
			 const struct bpfcc_object *object)
{
	size_t max = link->nr_outcomes + object->nr_progs;
	struct cc_outcome *outcomes = bpfcc_arena_array(arena, max, sizeof(*outcomes));

	if (!outcomes)
		return -ENOMEM;
	if (link->nr_outcomes > 0)
		memcpy(outcomes, link->outcomes, link->nr_outcomes * sizeof(*outcomes));
	link->outcomes = outcomes;
	for (uint32_t i = 0; i < object->nr_progs; i++) {
		const struct bpfcc_prog *prog = &object->progs[i];
		struct cc_outcome *outcome = &outcomes[link->nr_outcomes++];

		outcome->object = object;
		outcome->prog = prog;
		outcome->nr_sites = count_sites(link, object, prog);
		if (outcome->nr_sites > 0)
			continue;
		outcome->why = reason(arena, link, object, prog);
		if (!outcome->why)
			return -ENOMEM;
		outcome->is_error = names_output(prog->path, link->output) && prog->function &&
				    strcmp(prog->function, "*") != 0 &&
				    !is_configure_test(link->name);
		link->nr_errors += outcome->is_error;
	}
	return 0;
}

/* What is wrong with an object was shown at length by the compilations; this is a reminder. */
static void print_message(void *arg, const struct inlay_bpfcc_message *message)
{
	const struct cc_options *options = arg;

	if (message->severity == INLAY_BPFCC_ERROR)
		fprintf(stderr, "%s: error: %s\n", message->object, message->text);
	/* that nothing was verified is said at every use */
	else if (message->severity == INLAY_BPFCC_WARNING && options->unsafe_no_verify)
		fprintf(stderr, "%s: warning: %s\n", message->object, message->text);
}

/*
 * -finlay-attach=[OBJECT:]PROGRAM:FUNCTION, -finlay-set=[OBJECT:]VAR=VALUE and
 * -finlay-map=[OBJECT:]... for one object: those with its name in front, and those with none.
 */
static int select_options(struct bpfcc_arena *arena, const struct cc_options *options,
			  const struct cc_words *all, const char *path, bool has_colon,
			  struct cc_words *ret_selected)
{
	int err = 0;

	for (size_t i = 0; i < all->nr && !err; i++) {
		const char *item = all->items[i];
		size_t prefix = cc_object_prefix(options, item, has_colon);

		if (!prefix)
			err = cc_words_add(arena, ret_selected, item);
		else if (cc_is_object_name(path, item, prefix))
			err = cc_words_add(arena, ret_selected, item + prefix + 1);
	}
	return err;
}

static int read_object(struct bpfcc_arena *arena, const struct cc_options *options,
		       const char *path, struct cc_link *link)
{
	struct inlay_bpfcc_object *handle;
	struct cc_words attaches = { 0 }, sets = { 0 }, maps = { 0 }, skips = { 0 };
	struct inlay_bpfcc_opts opts = {
		.sz = sizeof(opts),
		.on_message = print_message,
		.on_message_arg = (void *)options,
		.allow_override = options->allow_override,
		.allow_write = options->allow_write,
		.unsafe_no_verify = options->unsafe_no_verify,
		.target_btf = options->target_btf,
		.partial_types = true, /* they were known to the sources */
	};
	int err = select_options(arena, options, &options->attaches, path, true, &attaches);

	if (!err)
		err = select_options(arena, options, &options->sets, path, false, &sets);
	if (!err)
		err = select_options(arena, options, &options->maps, path, false, &maps);
	if (!err)
		err = select_options(arena, options, &options->skips, path, false, &skips);
	if (err)
		return err;
	opts.skips = skips.items;
	opts.nr_skips = skips.nr;
	opts.attaches = attaches.items;
	opts.nr_attaches = attaches.nr;
	opts.sets = sets.items;
	opts.nr_sets = sets.nr;
	opts.maps = maps.items;
	opts.nr_maps = maps.nr;
	err = inlay_bpfcc_object_open(path, NULL, 0, &opts, &handle);

	/* The object stays open: outcomes point into it, and the process ends soon. */
	return err ? err : read_programs(arena, link, &handle->data);
}

int cc_link_read(struct bpfcc_arena *arena, const struct cc_options *options, const char *output,
		 struct cc_link *ret_link)
{
	char reason[256];
	int err;

	memset(ret_link, 0, sizeof(*ret_link));
	ret_link->output = output;
	ret_link->name = base_name(output);
	err = sites_read(output, &ret_link->sites, reason, sizeof(reason));
	if (err == -EINVAL)
		return -ENOEXEC;
	if (!err)
		err = cc_skips_read(arena, output, &ret_link->skips);
	for (size_t i = 0; i < options->probes.nr && !err; i++)
		err = read_object(arena, options, options->probes.items[i], ret_link);
	return err;
}

static void print_errors(const struct cc_link *link)
{
	for (size_t i = 0; i < link->nr_outcomes; i++) {
		const struct cc_outcome *outcome = &link->outcomes[i];

		if (!outcome->is_error)
			continue;
		fprintf(stderr, "%s: error: program '%s' (section \"%s\") matched nothing in '%s': %s\n",
			outcome->object->path, outcome->prog->name, outcome->prog->section,
			link->name, outcome->why);
	}
	fprintf(stderr, "inlay: note: '%s' was removed; a program whose section names no path may "
			"match nothing\n", link->output);
}

/* The program without a place that is most likely misspelt; NULL: none is to be spoken of. */
static const struct cc_outcome *find_misspelt(const struct cc_link *link)
{
	const struct cc_outcome *best = NULL;

	for (size_t i = 0; i < link->nr_outcomes; i++) {
		const struct cc_outcome *outcome = &link->outcomes[i];
		const char *function = outcome->prog->function;

		if (outcome->nr_sites > 0 || !runs_in(outcome->prog, link->output) ||
		    (function && !strcmp(function, "*")))
			continue;
		if (!best || (!strstr(best->why, "did you mean") &&
			      strstr(outcome->why, "did you mean")))
			best = outcome;
	}
	return best;
}

/*
 * A name that is misspelt must not go unnoticed, and a file of many in a build that is not meant may
 * match nothing: one line, of the program about which most is known.
 */
static void print_nothing(const struct cc_link *link)
{
	const struct cc_outcome *best = find_misspelt(link);

	if (best)
		fprintf(stderr, "inlay: %s: no place for any of %zu programs; %s: %s\n", link->name,
			link->nr_outcomes, best->prog->name, best->why);
}

void cc_link_print(const struct cc_link *link, bool is_verbose)
{
	const struct cc_outcome *misspelt;
	size_t nr_matched = 0, nr_sites = 0;

	if (link->nr_errors > 0) {
		print_errors(link);
		return;
	}
	for (size_t i = 0; i < link->nr_outcomes; i++) {
		const struct cc_outcome *outcome = &link->outcomes[i];

		if (outcome->nr_sites == 0 || !runs_in(outcome->prog, link->output))
			continue;
		nr_matched++;
		nr_sites += outcome->nr_sites;
	}
	/* A configure test must see no output of ours: some take any as a warning. */
	if (!is_verbose && is_configure_test(link->name))
		return;
	if (!is_verbose && nr_matched == 0) {
		print_nothing(link);
		return;
	}
	fprintf(stderr, "inlay: %s: %zu of %zu programs at %zu sites", link->name, nr_matched,
		link->nr_outcomes, nr_sites);
	misspelt = is_verbose ? NULL : find_misspelt(link);
	if (misspelt && strstr(misspelt->why, "did you mean"))
		fprintf(stderr, "; %s: %s", misspelt->prog->name, misspelt->why);
	for (size_t i = 0; i < link->nr_outcomes && is_verbose; i++) {
		const struct cc_outcome *outcome = &link->outcomes[i];

		fprintf(stderr, "; %s: ", outcome->prog->name);
		if (outcome->nr_sites == 0)
			fprintf(stderr, "none, %s", outcome->why);
		else if (runs_in(outcome->prog, link->output))
			fprintf(stderr, "%zu", outcome->nr_sites);
		else
			fprintf(stderr, "%zu, off here, for '%s'", outcome->nr_sites,
				outcome->prog->path);
	}
	fputc('\n', stderr);
}
