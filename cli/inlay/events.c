/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consuming and printing events. The type of a ring's records stands in the object's BTF, as the
 * variable that INLAY_EVENT() declares; else --type names it; else they are bytes.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/events.h"
#include "cli/inlay/out.h"
#include "cli/inlay/typed.h"

#define EVENT_PREFIX "inlay_event_"
/* events stand on one line, however long */
#define COLUMNS (1u << 20)
/* a perf ring is looked at this often while the others sleep */
#define PERF_POLL_MS 50

struct source {
	struct events *events;
	struct inlay_reader *reader;
	uint32_t map;
	uint32_t pid;
	char program[2 * INLAY_NAME_BYTES];
	char object[INLAY_NAME_BYTES + 1], name[INLAY_NAME_BYTES + 1];
	const struct btf *btf;
	uint32_t type;			/* 0: not known */
	struct inlay_perf_buffer *perf;	/* NULL: one of events->rings */
	uint64_t drops;			/* when it was added */
};

struct events {
	const struct args *args;
	struct trace_count *count;
	struct inlay_ring_buffer *rings;
	struct source **sources;
	size_t nr, nr_found, nr_perf;
	bool has_many_targets;
	bool is_type_found;	/* --type is in the BTF of one of the objects, at least */
};

int events_new(const struct args *args, struct trace_count *count, struct events **ret_events)
{
	struct events *events = calloc(1, sizeof(*events));
	int err;

	if (!events)
		return out_of_memory();
	events->args = args;
	events->count = count;
	err = inlay_ring_buffer_new(NULL, 0, NULL, NULL, NULL, &events->rings);
	if (err) {
		free(events);
		return fail_read("events", err);
	}
	*ret_events = events;
	return EXIT_DONE;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	inlay_ring_buffer_free(events->rings);
	for (size_t i = 0; i < events->nr; i++) {
		inlay_perf_buffer_free(events->sources[i]->perf);
		free(events->sources[i]);
	}
	free(events->sources);
	free(events);
}

size_t events_nr(const struct events *events)
{
	return events->nr;
}

size_t events_nr_found(const struct events *events)
{
	return events->nr_found;
}

bool events_lack_type(const struct events *events)
{
	return events->args->type && events->nr && !events->is_type_found;
}

/* ---- Types ------------------------------------------------------------------------------- */

/* What the variable of INLAY_EVENT(map, type) points to; 0: there is none. */
static uint32_t declared_type(const struct btf *btf, const char *map)
{
	char name[sizeof(EVENT_PREFIX) + INLAY_NAME_BYTES];
	const struct btf_type *type;
	int id;

	snprintf(name, sizeof(name), EVENT_PREFIX "%s", map);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_VAR);
	type = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	type = type ? typed_resolve(btf, type->type) : NULL;
	return type && btf_is_ptr(type) ? type->type : 0;
}

/* --type: "struct event", "event", "u64_t"; 0: there is none of that name. */
static uint32_t named_type(const struct btf *btf, const char *name)
{
	static const uint32_t kinds[] = { BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_TYPEDEF,
					  BTF_KIND_INT, BTF_KIND_ENUM, BTF_KIND_ENUM64 };

	if (!strncmp(name, "struct ", 7))
		name += 7;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int id = btf__find_by_name_kind(btf, name, kinds[i]);

		if (id > 0)
			return (uint32_t)id;
	}
	return 0;
}

static void find_type(struct source *source, const struct inlay_map_info *info)
{
	const char *type = source->events->args->type;

	if (inlay_segment_btf(source->reader, info->object, &source->btf))
		return;
	source->type = type ? named_type(source->btf, type) : 0;
	source->events->is_type_found |= source->type != 0;
	if (!source->type)
		source->type = declared_type(source->btf, source->name);
}

/* ---- Printing ---------------------------------------------------------------------------- */

static void print_json(const struct source *source, int cpu, const void *data, size_t size)
{
	json_t *json = json_object();
	char type[160];

	json_object_set_new(json, "pid", json_integer(source->pid));
	json_object_set_new(json, "program", json_text(source->program));
	json_object_set_new(json, "object", json_text(source->object));
	json_object_set_new(json, "map", json_text(source->name));
	if (cpu >= 0)
		json_object_set_new(json, "cpu", json_integer(cpu));
	if (source->type) {
		json_object_set_new(json, "type",
				    json_string(typed_name(source->btf, source->type, type,
							   sizeof(type))));
		json_object_set_new(json, "value",
				    typed_json(source->btf, source->type, data, size));
	} else {
		json_object_set_new(json, "data", bytes_json(data, size));
	}
	json_print(json);
}

static void print_text(const struct source *source, const void *data, size_t size)
{
	char name[4 * INLAY_NAME_BYTES];

	fputs(paint(PAINT_DIM), stdout);
	if (source->events->has_many_targets)
		printf("%7u %s ", source->pid,
		       escape(source->program, name, sizeof(name)));
	printf("%s%s ", escape(source->name, name, sizeof(name)), paint(PAINT_NONE));
	typed_text(stdout, source->btf, source->type, data, size, COLUMNS, 0);
	putchar('\n');
}

static void print_event(const struct source *source, int cpu, const void *data, size_t size)
{
	source->events->count->nr++;
	if (source->events->args->is_json)
		print_json(source, cpu, data, size);
	else
		print_text(source, data, size);
}

static int on_ring(void *ctx, void *data, size_t size)
{
	const struct source *source = ctx;

	print_event(source, -1, data, size);
	return is_enough(source->events->count) ? -ECANCELED : 0;
}

static void on_perf(void *ctx, int cpu, void *data, uint32_t size)
{
	print_event(ctx, cpu, data, size);
}

/* ---- Targets ----------------------------------------------------------------------------- */

static int source_open(struct source *source, uint32_t type)
{
	struct events *events = source->events;
	int err;

	if (type == INLAY_MAP_TYPE_RINGBUF)
		return inlay_ring_buffer_add(events->rings, source->reader, source->map, on_ring,
					     source);
	err = inlay_perf_buffer_new(source->reader, source->map, on_perf, NULL, source, NULL,
				    &source->perf);
	events->nr_perf += !err;
	return err;
}

static int add_map(struct events *events, struct inlay_reader *reader, uint32_t map,
		   const struct inlay_map_info *info, const char *object)
{
	struct inlay_segment_info segment = INLAY_SIZED(inlay_segment_info);
	struct source *source = calloc(1, sizeof(*source)), **more;
	char name[2 * INLAY_NAME_BYTES];
	int err;

	more = reallocarray(events->sources, events->nr + 1, sizeof(*more));
	if (more)
		events->sources = more;
	if (!source || !more) {
		free(source);
		return out_of_memory();
	}
	source->events = events;
	source->reader = reader;
	source->map = map;
	source->drops = info->drops;
	snprintf(source->object, sizeof(source->object), "%s", object);
	snprintf(source->name, sizeof(source->name), "%s", info->name);
	if (!inlay_segment_info(reader, &segment)) {
		source->pid = segment.pid;
		snprintf(source->program, sizeof(source->program), "%s",
			 segment_program(&segment));
	}
	find_type(source, info);
	err = source_open(source, info->type);
	if (err) {
		escape(source->name, name, sizeof(name));
		if (err == -EBUSY)
			fail("%u: another process consumes the events of %s", source->pid, name);
		else
			fail_read(name, err);
		free(source);
		return err == -ENOMEM ? EXIT_INTERNAL : EXIT_DONE;
	}
	for (size_t i = 0; i < events->nr; i++)
		events->has_many_targets |= events->sources[i]->reader != reader;
	events->sources[events->nr++] = source;
	return EXIT_DONE;
}

static bool is_selected(char **selectors, int nr, const char *object, const char *map)
{
	for (int i = 0; i < nr; i++)
		if (selects_map(selectors[i], object, map))
			return true;
	return !nr;
}

int events_add(struct events *events, struct inlay_reader *reader, char **selectors,
	       int nr_selectors)
{
	struct inlay_segment_info segment = INLAY_SIZED(inlay_segment_info);
	int code = EXIT_DONE, err = inlay_segment_info(reader, &segment);

	for (uint32_t i = 0; !err && !code && i < segment.nr_maps; i++) {
		struct inlay_object_info object = INLAY_SIZED(inlay_object_info);
		struct inlay_map_info info = INLAY_SIZED(inlay_map_info);

		err = inlay_segment_map(reader, i, &info);
		if (err || (info.type != INLAY_MAP_TYPE_RINGBUF &&
			    info.type != INLAY_MAP_TYPE_PERF_EVENT_ARRAY))
			continue;
		err = inlay_segment_object(reader, info.object, &object);
		if (err || !is_selected(selectors, nr_selectors, object.name, info.name))
			continue;
		events->nr_found++;
		code = add_map(events, reader, i, &info, object.name);
	}
	return err ? fail_read("segment", err) : code;
}

int events_print(struct events *events, int timeout_ms)
{
	int ret = 0, nr = 0;

	for (size_t i = 0; i < events->nr && ret >= 0 && !is_enough(events->count); i++) {
		uint64_t left = events->count->max ? events->count->max - events->count->nr :
						     INT_MAX;

		if (!events->sources[i]->perf)
			continue;
		ret = inlay_perf_buffer_consume_n(events->sources[i]->perf, left);
		nr += ret > 0;
	}
	if (ret >= 0 && !is_enough(events->count)) {
		if (events->nr_perf && timeout_ms > PERF_POLL_MS)
			timeout_ms = PERF_POLL_MS;
		ret = inlay_ring_buffer_poll(events->rings, nr ? 0 : timeout_ms);
		nr += ret > 0 || ret == -ECANCELED;
	}
	if (nr)
		(void)out_flush();
	return ret >= 0 || ret == -ECANCELED || ret == -EINTR ? 0 : ret;
}

void events_report(struct events *events)
{
	char name[2 * INLAY_NAME_BYTES];

	(void)out_flush();
	for (size_t i = 0; i < events->nr; i++) {
		const struct source *source = events->sources[i];
		struct inlay_map_info info = INLAY_SIZED(inlay_map_info);

		if (inlay_segment_map(source->reader, source->map, &info))
			continue;
		escape(source->name, name, sizeof(name));
		if (source->drops)
			fprintf(stderr, "inlay: %u: %s had lost %llu events before\n", source->pid,
				name, (unsigned long long)source->drops);
		if (info.drops > source->drops)
			fprintf(stderr, "inlay: %u: %s lost %llu events\n", source->pid, name,
				(unsigned long long)(info.drops - source->drops));
	}
}
