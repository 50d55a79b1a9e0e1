/* SPDX-License-Identifier: BSD-2-Clause */
/* `inlay list BINARY|PID`: the sites of ELF files. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/modules.h"
#include "cli/inlay/out.h"
#include "cli/inlay/sites.h"

struct listing {
	bool is_json;
	json_t *json;		/* array of files */
	size_t nr_sites;
};

static const char *kind_name(uint32_t kind)
{
	switch (kind) {
	case INLAY_SITE_ENTRY:
		return "entry";
	case INLAY_SITE_RETURN:
		return "return";
	case INLAY_SITE_CALL:
		return "call";
	case INLAY_SITE_USDT:
		return "usdt";
	default:
		return "?";
	}
}

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{ INLAY_SITE_F_EARLY, "early" },       { INLAY_SITE_F_LATE, "late" },
	{ INLAY_SITE_F_LOCAL, "local" },       { INLAY_SITE_F_SWITCHED, "switched" },
	{ INLAY_SITE_F_PATH, "path" },	       { INLAY_SITE_F_OVERRIDE, "override" },
};

static void flags_text(uint32_t flags, char *buffer, size_t bytes)
{
	size_t at = 0;

	*buffer = 0;
	for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
		if (flags & flag_names[i].flag && at < bytes)
			at += (size_t)snprintf(buffer + at, bytes - at, "%s%s", at ? "," : "",
					       flag_names[i].name);
}

static json_t *flags_json(uint32_t flags)
{
	json_t *array = json_array();

	for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
		if (flags & flag_names[i].flag)
			json_array_append_new(array, json_string(flag_names[i].name));
	return array;
}

static json_t *site_json(const struct site *site)
{
	char hash[2 * INLAY_HASH_BYTES + 1];
	json_t *json = json_object();

	for (size_t i = 0; i < INLAY_HASH_BYTES; i++)
		snprintf(hash + 2 * i, 3, "%02x", site->hash[i]);
	json_object_set_new(json, "kind", json_string(kind_name(site->kind)));
	json_object_set_new(json, "function", json_text(site->function));
	if (*site->caller)
		json_object_set_new(json, "caller", json_text(site->caller));
	if (*site->file)
		json_object_set_new(json, "file", json_text(site->file));
	if (site->line)
		json_object_set_new(json, "line", json_integer(site->line));
	json_object_set_new(json, "object", json_text(site->object));
	json_object_set_new(json, "program", json_text(site->program));
	json_object_set_new(json, "section", json_text(site->section));
	json_object_set_new(json, "types", json_text(site->types));
	json_object_set_new(json, "flags", flags_json(site->flags));
	json_object_set_new(json, "hash", json_string(hash));
	return json;
}

static void print_sites(const struct sites *sites)
{
	static const char *const titles[] = { "KIND",	"FUNCTION", "PROGRAM", "SOURCE",
					      "TYPES", "FLAGS",	  NULL };
	struct table *table = table_new(titles);
	char a[256], b[256], c[256];

	for (size_t i = 0; i < sites->nr; i++) {
		const struct site *site = &sites->sites[i];

		table_cell(table, PAINT_NONE, "%s", kind_name(site->kind));
		escape(site->function, a, sizeof(a));
		if (*site->caller)
			table_cell(table, PAINT_NAME, "%s %s %s", a,
				   site->kind == INLAY_SITE_CALL ? "from" : "in",
				   escape(site->caller, b, sizeof(b)));
		else
			table_cell(table, PAINT_NAME, "%s", a);
		table_cell(table, PAINT_NONE, "%s.%s", escape(site->object, a, sizeof(a)),
			   escape(site->program, b, sizeof(b)));
		escape(site->file, c, sizeof(c));
		if (*c && site->line)
			table_cell(table, PAINT_NONE, "%s:%u", c, site->line);
		else
			table_cell(table, PAINT_DIM, "%s", *c ? c : "-");
		table_cell(table, PAINT_DIM, "%s", escape(site->types, c, sizeof(c)));
		flags_text(site->flags, c, sizeof(c));
		table_cell(table, PAINT_DIM, "%s", c);
	}
	table_print(table);
}

static size_t count_programs(const struct sites *sites)
{
	size_t nr = 0, i, k;

	for (i = 0; i < sites->nr; i++) {
		for (k = 0; k < i; k++)
			if (sites->sites[k].prog_index == sites->sites[i].prog_index &&
			    !memcmp(sites->sites[k].hash, sites->sites[i].hash, INLAY_HASH_BYTES))
				break;
		nr += k == i;
	}
	return nr;
}

static int list_file(struct listing *listing, const char *path, const char *shown, bool is_quiet)
{
	char reason[256] = "", name[PATH_MAX];
	struct sites sites;
	size_t nr_programs;
	int err = sites_read(path, &sites, reason, sizeof(reason));

	escape(shown, name, sizeof(name));
	if (err && is_quiet)
		return EXIT_DONE;
	if (err)
		return fail("%s: %s", name, *reason ? reason : strerror(-err));
	if (!sites.nr && is_quiet) {
		sites_fini(&sites);
		return EXIT_DONE;
	}
	listing->nr_sites += sites.nr;
	if (listing->is_json) {
		json_t *file = json_object(), *array = json_array();

		for (size_t i = 0; i < sites.nr; i++)
			json_array_append_new(array, site_json(&sites.sites[i]));
		json_object_set_new(file, "file", json_text(shown));
		json_object_set_new(file, "sites", array);
		json_array_append_new(listing->json, file);
	} else if (!sites.nr) {
		printf("%s: no sites\n", name);
	} else {
		nr_programs = count_programs(&sites);
		printf("%s%s%s: %zu site%s of %zu program%s\n\n", paint(PAINT_TITLE), name,
		       paint(PAINT_NONE), sites.nr, sites.nr == 1 ? "" : "s", nr_programs,
		       nr_programs == 1 ? "" : "s");
		print_sites(&sites);
	}
	sites_fini(&sites);
	return EXIT_DONE;
}

static int list_process(struct listing *listing, const char *pid)
{
	struct modules modules;
	int code = EXIT_DONE, err = modules_read((uint32_t)strtoul(pid, NULL, 10), &modules);

	if (err == -ENOENT)
		return fail("there is no process %s", pid);
	if (err)
		return fail("process %s: %s", pid, strerror(-err));
	/* Of the executable it is said that it has no sites, if so; most libraries have none. */
	for (size_t i = 0; i < modules.nr && !code; i++)
		code = list_file(listing, modules.files[i].path, modules.files[i].shown, i > 0);
	modules_fini(&modules);
	return code;
}

int cmd_list(const struct args *args)
{
	struct listing listing = { .is_json = args->is_json };
	const char *what;
	size_t n;
	int code;

	if (!args->nr_words)
		return cmd_ps(args);
	what = args->words[0];
	n = strlen(what);
	if (listing.is_json && !(listing.json = json_array()))
		return out_of_memory();
	/* A file that is named by a number is reached as ./123. */
	if (n && n < 10 && strspn(what, "0123456789") == n)
		code = list_process(&listing, what);
	else
		code = list_file(&listing, what, what, false);
	if (code || !listing.is_json) {
		json_decref(listing.json);
		return code;
	}
	return json_print(listing.json);
}
