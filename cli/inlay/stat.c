/* SPDX-License-Identifier: BSD-2-Clause */
/* `inlay stat`: what each program did, and what it could not do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/modules.h"
#include "cli/inlay/out.h"
#include "cli/inlay/sites.h"
#include "cli/inlay/symbols.h"

struct stat_out {
	struct table *table;
	json_t *json;
};

/* The sites in a target's files. */
struct target_sites {
	struct sites *files;
	size_t nr;
};

/* Sites of a program; -1: no file can be read any more. */
static int64_t count_sites(const struct target_sites *target, const uint8_t *hash, uint32_t index)
{
	int64_t nr = 0;

	if (!target->nr)
		return -1;
	for (size_t k = 0; k < target->nr; k++) {
		const struct sites *sites = &target->files[k];

		for (size_t i = 0; i < sites->nr; i++)
			nr += sites->sites[i].prog_index == index &&
			      !memcmp(sites->sites[i].hash, hash, INLAY_HASH_BYTES);
	}
	return nr;
}

static void read_file(struct target_sites *target, const char *path)
{
	struct sites sites;
	char reason[256];

	if (!sites_read(path, &sites, reason, sizeof(reason)))
		target->files[target->nr++] = sites;
}

/* Of a process that lives all files, of one that ended its executable, if that is still there. */
static int read_sites(const struct inlay_segment_info *info, struct target_sites *ret_target)
{
	struct modules modules = { 0 };
	bool is_live = process_is(info->pid, info->starttime) && !modules_read(info->pid, &modules);

	memset(ret_target, 0, sizeof(*ret_target));
	ret_target->files = calloc(modules.nr + 1, sizeof(*ret_target->files));
	if (ret_target->files && !is_live)
		read_file(ret_target, info->exe);
	for (size_t i = 0; ret_target->files && i < modules.nr; i++)
		read_file(ret_target, modules.files[i].path);
	modules_fini(&modules);
	return ret_target->files ? 0 : -ENOMEM;
}

static void target_sites_fini(struct target_sites *target)
{
	for (size_t i = 0; i < target->nr; i++)
		sites_fini(&target->files[i]);
	free(target->files);
}

static json_t *prog_json(const struct inlay_segment_info *segment,
			 const struct inlay_object_info *object, const struct inlay_prog_info *prog,
			 int64_t sites)
{
	bool has_stats = prog->flags & INLAY_PROG_F_STATS;
	json_t *json = json_object();

	json_object_set_new(json, "pid", json_integer(segment->pid));
	json_object_set_new(json, "object", json_text(object->name));
	json_object_set_new(json, "program", json_text(prog->name));
	json_object_set_new(json, "section", json_text(prog->section));
	json_object_set_new(json, "kind", json_string(prog_kind_name(prog->kind)));
	json_object_set_new(json, "switched",
			    json_boolean(prog->flags & INLAY_PROG_F_SWITCHED));
	json_object_set_new(json, "on", json_boolean(prog->is_on));
	json_object_set_new(json, "sites", sites < 0 ? json_null() : json_integer(sites));
	json_object_set_new(json, "misses", json_u64(prog->misses));
	json_object_set_new(json, "drops", json_u64(prog->drops));
	json_object_set_new(json, "runs", has_stats ? json_u64(prog->runs) : json_null());
	json_object_set_new(json, "time_ns", has_stats ? json_u64(prog->time_ns) : json_null());
	return json;
}

static void put_counter(struct table *table, uint64_t n)
{
	char text[40];

	table_cell(table, n ? PAINT_BAD : PAINT_NONE, "%s", format_count(n, text, sizeof(text)));
}

static void prog_row(struct stat_out *out, const struct inlay_segment_info *segment,
		     const struct inlay_object_info *object, const struct inlay_prog_info *prog,
		     int64_t sites)
{
	char name[2 * INLAY_NAME_BYTES], text[40];

	table_cell(out->table, PAINT_NONE, "%u", segment->pid);
	table_cell(out->table, PAINT_NONE, "%s", escape(object->name, name, sizeof(name)));
	table_cell(out->table, PAINT_NAME, "%s", escape(prog->name, name, sizeof(name)));
	table_cell(out->table, PAINT_NONE, "%s", prog_kind_name(prog->kind));
	if (!(prog->flags & INLAY_PROG_F_SWITCHED))
		table_cell(out->table, PAINT_NONE, "fixed");
	else
		table_cell(out->table, prog->is_on ? PAINT_GOOD : PAINT_DIM, "%s",
			   prog->is_on ? "on" : "off");
	if (sites < 0)
		table_cell(out->table, PAINT_DIM, "?");
	else
		table_cell(out->table, PAINT_NONE, "%lld", (long long)sites);
	put_counter(out->table, prog->misses);
	put_counter(out->table, prog->drops);
	if (prog->flags & INLAY_PROG_F_STATS) {
		table_cell(out->table, PAINT_NONE, "%s",
			   format_count(prog->runs, text, sizeof(text)));
		table_cell(out->table, PAINT_NONE, "%s",
			   prog->runs ? format_ns((double)prog->time_ns / (double)prog->runs, text,
						  sizeof(text)) : "-");
	} else {
		table_cell(out->table, PAINT_DIM, "-");
		table_cell(out->table, PAINT_DIM, "-");
	}
}

static int stat_target(struct stat_out *out, struct inlay_reader *reader)
{
	struct inlay_segment_info segment = INLAY_SIZED(inlay_segment_info);
	struct target_sites sites = { 0 };
	int err = inlay_segment_info(reader, &segment);

	if (!err)
		err = read_sites(&segment, &sites);
	for (uint32_t i = 0; !err && i < segment.nr_progs; i++) {
		struct inlay_object_info object = INLAY_SIZED(inlay_object_info);
		struct inlay_prog_info prog = INLAY_SIZED(inlay_prog_info);
		int64_t nr;

		err = inlay_segment_prog(reader, i, &prog);
		if (!err)
			err = inlay_segment_object(reader, prog.object, &object);
		if (err)
			break;
		nr = count_sites(&sites, object.hash, prog.index);
		if (out->json)
			json_array_append_new(out->json, prog_json(&segment, &object, &prog, nr));
		else
			prog_row(out, &segment, &object, &prog, nr);
	}
	target_sites_fini(&sites);
	return err ? fail_read(segment.path ? segment.path : "segment", err) : EXIT_DONE;
}

/* What was lost elsewhere than in a program: full maps, private objects. */
static void put_losses(struct inlay_reader *reader)
{
	struct inlay_segment_info segment = INLAY_SIZED(inlay_segment_info);
	char name[2 * INLAY_NAME_BYTES], text[40];

	if (inlay_segment_info(reader, &segment))
		return;
	for (uint32_t i = 0; i < segment.nr_maps; i++) {
		struct inlay_map_info map = INLAY_SIZED(inlay_map_info);

		if (!inlay_segment_map(reader, i, &map) && map.drops)
			printf("%s%u: map %s %s %s %s%s\n", paint(PAINT_BAD), segment.pid,
			       escape(map.name, name, sizeof(name)),
			       map.flags & INLAY_MAP_RING ? "lost" : "dropped",
			       format_count(map.drops, text, sizeof(text)),
			       map.flags & INLAY_MAP_RING ? "events" : "updates for want of space",
			       paint(PAINT_NONE));
	}
	if (segment.objects_refused)
		printf("%s%u: %llu probe objects run in private memory: they have another ABI, or did "
		       "not fit into the segment%s\n", paint(PAINT_BAD), segment.pid,
		       (unsigned long long)segment.objects_refused, paint(PAINT_NONE));
}

int cmd_stat(const struct args *args)
{
	static const char *const titles[] = { ">PID",	 "OBJECT",  "PROGRAM", "KIND",	 "STATE", ">SITES",
					      ">MISSES", ">DROPS", ">RUNS",	 ">TIME/RUN", NULL };
	const char *target = args->nr_words ? args->words[0] : args->target;
	struct stat_out out = { 0 };
	struct targets targets;
	int code = targets_open(args, target, false, &targets);

	if (code)
		return code;
	out.json = args->is_json ? json_array() : NULL;
	out.table = args->is_json ? NULL : table_new(titles);
	for (size_t i = 0; i < targets.nr && !code; i++)
		code = stat_target(&out, targets.readers[i]);
	table_print(out.table);
	for (size_t i = 0; i < targets.nr && !code && !out.json; i++)
		put_losses(targets.readers[i]);
	targets_close(&targets);
	if (!args->is_json)
		return code;
	if (!code)
		return json_print(out.json);
	json_decref(out.json);
	return code;
}
