/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON report of a link. Nothing in it depends on time or place but the paths it was given.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/driver/link.h"

static json_t *text_or_null(const char *text)
{
	/* Names in an ELF file need not be UTF-8. */
	json_t *value = text ? json_string(text) : json_null();

	return value ? value : json_string("(not UTF-8)");
}

static const char *site_kind(uint32_t kind)
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
	}
	return "unknown";
}

static json_t *site_json(const struct site *site)
{
	json_t *json = json_object();

	json_object_set_new(json, "kind", json_string(site_kind(site->kind)));
	json_object_set_new(json, "function", text_or_null(site->function));
	if (site->caller[0])
		json_object_set_new(json, "caller", text_or_null(site->caller));
	if (site->file[0]) {
		json_object_set_new(json, "file", text_or_null(site->file));
		json_object_set_new(json, "line", json_integer(site->line));
	}
	json_object_set_new(json, "early", json_boolean(site->flags & INLAY_SITE_F_EARLY));
	json_object_set_new(json, "types", text_or_null(site->types));
	return json;
}

/* Where the units left the program out: said for programs without a site. */
static json_t *skips_json(const struct cc_link *link, const struct cc_outcome *outcome)
{
	json_t *list = json_array();

	for (size_t i = 0; i < link->skips.nr; i++) {
		const struct cc_skip *skip = &link->skips.skips[i];
		json_t *json;

		if (!cc_skip_is_of(skip, outcome->object, outcome->prog))
			continue;
		json = json_object();
		json_object_set_new(json, "function", text_or_null(skip->function));
		json_object_set_new(json, "reason", text_or_null(skip->reason));
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *outcome_json(const struct cc_link *link, const struct cc_outcome *outcome)
{
	json_t *json = json_object(), *sites = json_array();

	json_object_set_new(json, "program", text_or_null(outcome->prog->name));
	json_object_set_new(json, "section", text_or_null(outcome->prog->section));
	json_object_set_new(json, "object", text_or_null(outcome->object->path));
	json_object_set_new(json, "license", text_or_null(outcome->object->license));
	for (size_t i = 0; i < link->sites.nr; i++) {
		const struct site *site = &link->sites.sites[i];

		if (strcmp(site->program, outcome->prog->name) == 0 &&
		    strcmp(site->object, outcome->object->name) == 0)
			json_array_append_new(sites, site_json(site));
	}
	json_object_set_new(json, "sites", sites);
	if (outcome->why) {
		json_object_set_new(json, "skipped", text_or_null(outcome->why));
		json_object_set_new(json, "left_out", skips_json(link, outcome));
	}
	if (outcome->is_error)
		json_object_set_new(json, "error", json_true());
	return json;
}

int cc_link_write_report(const struct cc_link *link, const char *path)
{
	json_t *json = json_object(), *programs = json_array();
	char *temporary = NULL;
	int err = 0;

	json_object_set_new(json, "output", text_or_null(link->name));
	for (size_t i = 0; i < link->nr_outcomes; i++)
		json_array_append_new(programs, outcome_json(link, &link->outcomes[i]));
	json_object_set_new(json, "programs", programs);

	if (asprintf(&temporary, "%s.%ld.tmp", path, (long)getpid()) < 0)
		temporary = NULL;
	if (!temporary || !json)
		err = -ENOMEM;
	else if (json_dump_file(json, temporary, JSON_INDENT(2)) != 0)
		err = errno ? -errno : -EIO;
	else if (rename(temporary, path) != 0)
		err = -errno;
	if (err && temporary)
		unlink(temporary);
	free(temporary);
	json_decref(json);
	return err;
}
