/* SPDX-License-Identifier: BSD-2-Clause */
/* `inlay ps` and `inlay maps`: segments, and the maps in them. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/out.h"
#include "cli/inlay/typed.h"

/* ---- ps --------------------------------------------------------------------------------- */

struct listing {
	struct table *table;
	json_t *json;
	size_t nr;
	size_t nr_ended;	/* not listed */
	bool is_all;
};

static void age(uint64_t created_ns, char *buffer, size_t bytes)
{
	struct timespec now;
	uint64_t s;

	clock_gettime(CLOCK_REALTIME, &now);
	s = (uint64_t)now.tv_sec - created_ns / 1000000000;
	if ((uint64_t)now.tv_sec < created_ns / 1000000000)
		s = 0;
	if (s < 60)
		snprintf(buffer, bytes, "%llus", (unsigned long long)s);
	else if (s < 3600)
		snprintf(buffer, bytes, "%llum%02llus", (unsigned long long)s / 60,
			 (unsigned long long)s % 60);
	else if (s < 86400)
		snprintf(buffer, bytes, "%lluh%02llum", (unsigned long long)s / 3600,
			 (unsigned long long)s % 3600 / 60);
	else
		snprintf(buffer, bytes, "%llud", (unsigned long long)s / 86400);
}

static json_t *ps_json(const char *path, const struct inlay_segment_info *info, json_t *objects)
{
	json_t *json = json_object();

	json_object_set_new(json, "pid", json_integer(info->pid));
	json_object_set_new(json, "program", json_text(segment_program(info)));
	json_object_set_new(json, "exe", json_text(info->exe));
	json_object_set_new(json, "state", json_string(state_name(info)));
	json_object_set_new(json, "processes", json_integer(info->nr_alive));
	json_object_set_new(json, "objects", objects);
	json_object_set_new(json, "maps", json_integer(info->nr_maps));
	json_object_set_new(json, "programs", json_integer(info->nr_progs));
	json_object_set_new(json, "shards", json_integer(info->nr_shards));
	json_object_set_new(json, "objects_refused", json_u64(info->objects_refused));
	json_object_set_new(json, "bytes", json_u64(info->total_bytes));
	json_object_set_new(json, "created_ns", json_u64(info->created_ns));
	json_object_set_new(json, "abi", json_sprintf("%d.%d", info->abi_major, info->abi_minor));
	json_object_set_new(json, "path", json_text(path));
	return json;
}

static json_t *refused_json(const char *path, const char *reason)
{
	json_t *json = json_object();

	json_object_set_new(json, "path", json_text(path));
	json_object_set_new(json, "state", json_string("refused"));
	json_object_set_new(json, "reason", json_text(reason));
	return json;
}

static void object_names(struct inlay_reader *reader, const struct inlay_segment_info *info,
			 char *buffer, size_t bytes, json_t *json)
{
	struct inlay_object_info object = INLAY_SIZED(inlay_object_info);
	char name[2 * INLAY_NAME_BYTES];
	size_t at = 0;

	*buffer = 0;
	for (uint32_t i = 0; i < info->nr_objects; i++) {
		if (inlay_segment_object(reader, i, &object))
			break;
		if (json)
			json_array_append_new(json, json_text(object.name));
		escape(object.name, name, sizeof(name));
		if (at < bytes)
			at += (size_t)snprintf(buffer + at, bytes - at, "%s%s", at ? "," : "", name);
	}
}

static int ps_one(void *arg, const char *path, struct inlay_reader *reader, int error,
		  const char *reason)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	struct listing *listing = arg;
	char name[256], bytes[32], when[32], objects[256];
	json_t *array;

	(void)error;
	if (reader && (error = inlay_segment_info(reader, &info))) {
		reason = read_error(error);
		reader = NULL;
	}
	listing->nr++;
	if (reader && !info.nr_alive && !listing->is_all && !listing->json) {
		listing->nr_ended++;
		return 0;
	}
	if (!reader) {
		if (listing->json)
			json_array_append_new(listing->json, refused_json(path, reason));
		else
			fail("%s: refused: %s", escape(path, name, sizeof(name)), reason);
		return 0;
	}
	array = listing->json ? json_array() : NULL;
	object_names(reader, &info, objects, sizeof(objects), array);
	if (listing->json) {
		json_array_append_new(listing->json, ps_json(path, &info, array));
		return 0;
	}
	age(info.created_ns, when, sizeof(when));
	table_cell(listing->table, PAINT_NONE, "%u", info.pid);
	table_cell(listing->table, PAINT_NAME, "%s",
		   escape(segment_program(&info), name, sizeof(name)));
	table_cell(listing->table, info.nr_alive ? PAINT_GOOD : PAINT_DIM, "%s", state_name(&info));
	table_cell(listing->table, PAINT_NONE, "%u", info.nr_alive);
	table_cell(listing->table, PAINT_NONE, "%u", info.nr_maps);
	table_cell(listing->table, PAINT_NONE, "%u", info.nr_progs);
	table_cell(listing->table, PAINT_NONE, "%s",
		   format_bytes(info.total_bytes, bytes, sizeof(bytes)));
	table_cell(listing->table, PAINT_NONE, "%s", when);
	if (info.objects_refused)
		table_cell(listing->table, PAINT_BAD, "%s (%llu kept private)", objects,
			   (unsigned long long)info.objects_refused);
	else
		table_cell(listing->table, PAINT_NONE, "%s", objects);
	return 0;
}

int cmd_ps(const struct args *args)
{
	static const char *const titles[] = { ">PID",  "PROGRAM", "STATE", ">PROCS", ">MAPS",
					      ">PROGS", ">SIZE",  ">AGE",  "OBJECTS", NULL };
	struct inlay_segment_opts opts;
	struct listing listing = { .is_all = args->is_all };
	char reason[256] = "";
	int err;

	segment_opts(args, &opts);
	opts.is_unlocked = true;
	opts.reason = reason;
	opts.reason_bytes = sizeof(reason);
	listing.json = args->is_json ? json_array() : NULL;
	listing.table = args->is_json ? NULL : table_new(titles);
	err = inlay_segment_list(&opts, ps_one, &listing);
	if (err && !listing.nr) {
		json_decref(listing.json);
		return *reason ? fail("%s", reason) : fail_read("segments", err);
	}
	/* the directory is refused, but there are segments without it */
	if (err)
		err = *reason ? fail("%s", reason) : fail_read("segments", err);
	if (args->is_json) {
		int code = json_print(listing.json);

		return err ? err : code;
	}
	table_print(listing.table);
	if (!listing.nr)
		puts("no program with probes runs or has left a segment");
	else if (listing.nr == listing.nr_ended)
		puts("no program with probes runs");
	if (listing.nr_ended)
		printf("%s%zu ended: 'inlay ps -a' lists what %s left, 'inlay gc -a' removes it%s\n",
		       paint(PAINT_DIM), listing.nr_ended, listing.nr_ended == 1 ? "it has" : "they have",
		       paint(PAINT_NONE));
	return err ? err : EXIT_DONE;
}

/* ---- maps ------------------------------------------------------------------------------- */

struct maps {
	struct table *table;
	json_t *json;
};

static json_t *map_json(const struct inlay_segment_info *segment, const char *object,
			const struct inlay_map_info *info, uint32_t index)
{
	json_t *json = json_object();
	char type[32];

	json_object_set_new(json, "id", json_integer(index));
	json_object_set_new(json, "pid", json_integer(segment->pid));
	json_object_set_new(json, "object", json_text(object));
	json_object_set_new(json, "name", json_text(info->name));
	/* bpftool's members, so that its users find what they know */
	json_object_set_new(json, "type",
			    json_string(info->type == INLAY_MAP_TYPE_ARRAY ?
						"array" : map_type_name(info, type, sizeof(type))));
	json_object_set_new(json, "flags", json_integer(info->map_flags));
	json_object_set_new(json, "bytes_key", json_integer(info->key_size));
	json_object_set_new(json, "bytes_value", json_integer(info->value_size));
	json_object_set_new(json, "max_entries", json_integer(info->max_entries));
	json_object_set_new(json, "bytes_memlock", json_u64(info->bytes));
	json_object_set_new(json, "frozen", json_integer(!!(info->flags & INLAY_MAP_RODATA)));
	json_object_set_new(json, "shards", json_integer(info->nr_shards));
	json_object_set_new(json, "drops", json_u64(info->drops));
	return json;
}

static void map_row(struct table *table, const struct inlay_segment_info *segment,
		    const struct btf *btf, const char *object, const struct inlay_map_info *info)
{
	char name[2 * INLAY_NAME_BYTES], type[160], bytes[32], value[160];

	escape(object, name, sizeof(name));
	table_cell(table, PAINT_NONE, "%u", segment->pid);
	table_cell(table, PAINT_NONE, "%s", name);
	escape(info->name, name, sizeof(name));
	table_cell(table, PAINT_NAME, "%s", name);
	table_cell(table, PAINT_NONE, "%s", map_type_name(info, type, sizeof(type)));
	typed_name(btf, info->btf_key_type_id, type, sizeof(type));
	if (!*type && !(info->flags & (INLAY_MAP_GLOBAL | INLAY_MAP_RODATA)))
		snprintf(type, sizeof(type), "%u bytes", info->key_size);
	typed_name(btf, info->btf_value_type_id, value, sizeof(value));
	if (!*value)
		snprintf(value, sizeof(value), "%u bytes", info->value_size);
	table_cell(table, PAINT_NONE, "%s%s%s", type, *type ? " -> " : "", value);
	table_cell(table, PAINT_NONE, "%u", info->max_entries);
	table_cell(table, PAINT_NONE, "%s", format_bytes(info->bytes, bytes, sizeof(bytes)));
	if (info->nr_shards)
		table_cell(table, PAINT_NONE, "%u", info->nr_shards);
	else
		table_cell(table, PAINT_NONE, "-");
	table_cell(table, info->drops ? PAINT_BAD : PAINT_NONE, "%llu",
		   (unsigned long long)info->drops);
}

static int list_maps(struct maps *maps, struct inlay_reader *reader)
{
	struct inlay_segment_info segment = INLAY_SIZED(inlay_segment_info);
	int err = inlay_segment_info(reader, &segment);

	for (uint32_t i = 0; !err && i < segment.nr_maps; i++) {
		struct inlay_object_info object = INLAY_SIZED(inlay_object_info);
		struct inlay_map_info info = INLAY_SIZED(inlay_map_info);
		const struct btf *btf = NULL;

		err = inlay_segment_map(reader, i, &info);
		if (!err)
			err = inlay_segment_object(reader, info.object, &object);
		if (err)
			break;
		(void)inlay_segment_btf(reader, info.object, &btf);
		if (maps->json)
			json_array_append_new(maps->json,
					      map_json(&segment, object.name, &info, i));
		else
			map_row(maps->table, &segment, btf, object.name, &info);
	}
	return err ? fail_read(segment.path ? segment.path : "segment", err) : EXIT_DONE;
}

int cmd_maps(const struct args *args)
{
	static const char *const titles[] = { ">PID",	  "OBJECT", "MAP",    "TYPE", "KEY -> VALUE",
					      ">ENTRIES", ">SIZE",  ">THREADS", ">DROPS", NULL };
	const char *target = args->nr_words ? args->words[0] : args->target;
	struct targets targets;
	struct maps maps = { 0 };
	int code = targets_open(args, target, false, &targets);

	if (code)
		return code;
	maps.json = args->is_json ? json_array() : NULL;
	maps.table = args->is_json ? NULL : table_new(titles);
	for (size_t i = 0; i < targets.nr && !code; i++)
		code = list_maps(&maps, targets.readers[i]);
	targets_close(&targets);
	table_print(maps.table);
	if (!args->is_json)
		return code;
	if (!code)
		return json_print(maps.json);
	json_decref(maps.json);
	return code;
}
