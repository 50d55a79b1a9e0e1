/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The build report of one translation unit: what matched, what did not and why, as JSON. One file
 * a unit, so that parallel compilers never share one; written under a temporary name and renamed.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "pass/plan.h"

static struct pass_event *add_event(struct pass_run *run)
{
	return run_grow(&run->events, &run->nr_events, &run->cap_events, sizeof(*run->events));
}

void report_skip(struct pass_run *run, struct pass_probe *probe, const char *function,
		 const char *caller, const char *format, ...)
{
	struct pass_event *e = add_event(run);
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	e->kind = EVENT_SKIP;
	e->probe = probe;
	e->function = run_printf(run, "%s", function);
	e->caller = caller ? run_printf(run, "%s", caller) : NULL;
	e->reason = run_printf(run, "%s", text);
	probe->nr_skips++;
}

static const char *const kind_names[] = {
	[INLAY_SITE_ENTRY] = "entry",
	[INLAY_SITE_RETURN] = "return",
	[INLAY_SITE_CALL] = "call",
	[INLAY_SITE_USDT] = "usdt",
};

static json_t *event_json(const struct pass_event *e)
{
	json_t *o = json_object();

	json_object_set_new(o, "object", json_string(e->probe->object->data->name));
	json_object_set_new(o, "program", json_string(e->probe->prog->name));
	json_object_set_new(o, "function", json_string(e->function));
	if (e->caller)
		json_object_set_new(o, "caller", json_string(e->caller));
	if (e->kind == EVENT_SKIP) {
		json_object_set_new(o, "reason", json_string(e->reason));
		return o;
	}
	json_object_set_new(o, "kind", json_string(kind_names[e->site_kind]));
	json_object_set_new(o, "point", json_string(e->probe->is_late ? "late" : "early"));
	json_object_set_new(o, "types", json_string(e->types));
	if (e->file)
		json_object_set_new(o, "file", json_string(e->file));
	if (e->line)
		json_object_set_new(o, "line", json_integer(e->line));
	return o;
}

static json_t *events_json(const struct pass_run *run, enum pass_event_kind kind)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < run->nr_events; i++)
		if (run->events[i].kind == kind)
			json_array_append_new(list, event_json(&run->events[i]));
	return list;
}

static json_t *warnings_json(const struct pass_run *run)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < run->nr_warnings; i++)
		json_array_append_new(list, json_string(run->warnings[i]));
	return list;
}

static json_t *programs_json(const struct pass_run *run)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < run->nr_probes; i++) {
		const struct pass_probe *p = &run->probes[i];
		const struct bpfcc_object *object = p->object->data;
		json_t *o;

		if (p->is_late < (run->point == PASS_POINT_LATE))
			continue;
		o = json_object();

		json_object_set_new(o, "object", json_string(object->name));
		json_object_set_new(o, "program", json_string(p->prog->name));
		json_object_set_new(o, "section", json_string(p->prog->section));
		json_object_set_new(o, "license",
				    json_string(object->license ? object->license : ""));
		if (p->prog->path)
			json_object_set_new(o, "path", json_string(p->prog->path));
		json_object_set_new(o, "sites", json_integer(p->nr_sites));
		json_object_set_new(o, "skipped", json_integer(p->nr_skips));
		if (p->is_off)
			json_object_set_new(o, "reason",
					    json_string("its path names another binary"));
		else if (!p->prog->function)
			json_object_set_new(o, "reason",
					    json_string("its section names no function"));
		else if (p->is_late && run->point == PASS_POINT_EARLY)
			json_object_set_new(o, "reason",
					    json_string("its sites come after the optimiser"));
		else if (!p->nr_sites && !p->nr_skips)
			json_object_set_new(o, "reason",
					    json_string(p->prog->kind == INLAY_PROG_USDT ?
								"no probe here has that name" :
								"no function here has that name"));
		json_array_append_new(list, o);
	}
	return list;
}

static uint64_t fnv1a(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	return hash;
}

/* In a directory: the source's name and a hash of its whole path. */
static char *report_path(struct pass_run *run, const char *source)
{
	const char *to = run->options->report, *base = strrchr(source, '/');
	char cwd[PATH_MAX] = "";
	uint64_t hash = 0xcbf29ce484222325ull;
	struct stat st;

	if (stat(to, &st) || !S_ISDIR(st.st_mode))
		return run_printf(run, "%s", to);
	if (source[0] != '/' && getcwd(cwd, sizeof(cwd)))
		hash = fnv1a(hash, cwd);
	hash = fnv1a(hash, source);
	return run_printf(run, "%s/%s.%016llx.json", to, base ? base + 1 : source,
			  (unsigned long long)hash);
}

static int write_text(struct pass_run *run, const char *path, const char *text)
{
	char *temp = run_printf(run, "%s.XXXXXX", path);
	int fd = mkstemp(temp), err = 0;
	FILE *f;

	if (fd < 0)
		return -errno;
	f = fdopen(fd, "w");
	if (!f || fputs(text, f) < 0 || fputc('\n', f) < 0 || fflush(f) || fchmod(fd, 0644))
		err = -errno;
	if (f)
		fclose(f);
	else
		close(fd);
	if (!err && rename(temp, path))
		err = -errno;
	if (err)
		unlink(temp);
	return err;
}

static void print_verbose(const struct pass_run *run)
{
	for (unsigned int i = 0; i < run->nr_warnings; i++)
		fprintf(stderr, "%s\n", run->warnings[i]);
	for (unsigned int i = 0; i < run->nr_events; i++) {
		const struct pass_event *e = &run->events[i];

		fprintf(stderr, "inlay: %s.%s: %s %s%s%s%s%s\n", e->probe->object->data->name,
			e->probe->prog->name,
			e->kind == EVENT_SKIP ? "skipped" : kind_names[e->site_kind], e->function,
			e->caller ? " in " : "", e->caller ? e->caller : "", e->reason ? ": " : "",
			e->reason ? e->reason : "");
	}
}

void report_write(struct pass_run *run)
{
	size_t n;
	const char *source = LLVMGetSourceFileName(run->module, &n);
	char *path, *text;
	json_t *root;
	int err;

	if (run->options->verbose)
		print_verbose(run);
	if (!run->options->report[0])
		return;
	path = report_path(run, source);
	if (run->point == PASS_POINT_LATE)
		path = run_printf(run, "%s.late.json", path);
	root = json_pack("{s:i, s:s, s:o, s:o, s:o, s:o}", "version", 1, "source", source,
			 "programs", programs_json(run), "sites", events_json(run, EVENT_SITE),
			 "skipped", events_json(run, EVENT_SKIP), "warnings", warnings_json(run));
	text = root ? json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
	err = text ? write_text(run, path, text) : -ENOMEM;
	if (err) {
		ir_error(run->context, run_printf(run, "inlay: cannot write the report %s: %s",
						  path, strerror(-err)));
		run->failed = true;
	}
	free(text);
	json_decref(root);
}
