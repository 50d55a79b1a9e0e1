/* SPDX-License-Identifier: BSD-2-Clause */
/* `inlay trace`: the lines of bpf_trace_printk() and the events of targets, as they come. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/events.h"
#include "cli/inlay/out.h"
#include "cli/inlay/stop.h"

enum {
	POLL_MS = 50,
	REFRESH_S = 1,	/* how often new targets are looked for */
};

/* One target, and how far its lines have been printed. */
struct followed {
	struct inlay_reader *reader;
	uint64_t cursor;
};

struct trace {
	const struct args *args;
	const char *target;	/* as it was given; NULL: all */
	char **maps;
	int nr_maps;
	struct targets targets;
	struct followed *followed;
	size_t nr_followed;
	struct trace_count count;
	struct events *events;
	bool has_text;		/* lines of text are wanted, too */
	int error;		/* of a target; the others are followed on */
};

static void put_line(const struct trace *trace, struct inlay_reader *reader,
		     const struct inlay_trace_line *line)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	char text[512];

	if (trace->args->is_json) {
		json_t *json = json_object();

		json_object_set_new(json, "time_ns", json_u64(line->time_ns));
		json_object_set_new(json, "tid", json_integer(line->tid));
		if (trace->targets.nr > 1 && !inlay_segment_info(reader, &info))
			json_object_set_new(json, "pid", json_integer(info.pid));
		json_object_set_new(json, "lost", json_u64(line->lost));
		json_object_set_new(json, "text", json_text(line->text));
		json_print(json);
		return;
	}
	if (line->lost)
		printf("%s... %llu lines were overwritten%s\n", paint(PAINT_DIM),
		       (unsigned long long)line->lost, paint(PAINT_NONE));
	/* the kernel's lines end in the newline that the program wrote; ours always have one */
	escape(line->text, text, sizeof(text));
	if (strlen(text) >= 2 && !strcmp(text + strlen(text) - 2, "\\n") &&
	    line->text[strlen(line->text) - 1] == '\n')
		text[strlen(text) - 2] = 0;
	printf("%s%7u %llu.%06llu:%s %s\n", paint(PAINT_DIM), line->tid,
	       (unsigned long long)line->time_ns / 1000000000,
	       (unsigned long long)line->time_ns % 1000000000 / 1000, paint(PAINT_NONE), text);
	(void)out_flush();
}

static bool is_over(struct inlay_reader *reader)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);

	return inlay_segment_info(reader, &info) || !info.nr_alive;
}

static int put_lines(struct trace *trace, struct followed *followed)
{
	struct inlay_trace_line line = INLAY_SIZED(inlay_trace_line);
	int err = 0;

	while (trace->has_text && !is_enough(&trace->count) &&
	       !(err = inlay_segment_trace(followed->reader, &followed->cursor, &line))) {
		put_line(trace, followed->reader, &line);
		trace->count.nr++;
	}
	return err == -ENOENT ? 0 : err;
}

/* Everything that there is now; *ret_is_last: nothing more will come. */
static void put_all(struct trace *trace, int timeout_ms, bool *ret_is_last)
{
	int err;

	*ret_is_last = true;
	for (size_t i = 0; i < trace->nr_followed; i++) {
		struct followed *followed = &trace->followed[i];

		/* Asked before the rings are read, so that what came last is not missed. */
		*ret_is_last &= trace->args->is_once || is_over(followed->reader);
		err = put_lines(trace, followed);
		trace->error = err ? err : trace->error;
	}
	err = events_print(trace->events, *ret_is_last ? 0 : timeout_ms);
	trace->error = err ? err : trace->error;
	/* a file that was cut short is one target's affair */
	*ret_is_last |= err && err != -ESTALE;
}

/* Takes up targets that are not followed yet. Returns an exit code. */
static int follow_new(struct trace *trace)
{
	struct followed *more = reallocarray(trace->followed, trace->targets.nr, sizeof(*more));
	int code = EXIT_DONE;

	if (!more)
		return out_of_memory();
	trace->followed = more;
	for (; !code && trace->nr_followed < trace->targets.nr; trace->nr_followed++) {
		struct inlay_reader *reader = trace->targets.readers[trace->nr_followed];

		more[trace->nr_followed] = (struct followed){ .reader = reader };
		code = events_add(trace->events, reader, trace->maps, trace->nr_maps);
	}
	return code;
}

static void refresh(struct trace *trace, time_t *last)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (trace->args->is_once || now.tv_sec - *last < REFRESH_S)
		return;
	*last = now.tv_sec;
	if (!targets_refresh(trace->args, trace->target, true, &trace->targets) &&
	    trace->targets.nr > trace->nr_followed)
		(void)follow_new(trace); /* what goes wrong with one is said, and the others go on */
}

/* An event that is taken out of its ring and cannot be printed is lost. */
static bool is_wanted(const struct trace *trace)
{
	return !stop_seen() && !is_enough(&trace->count) && !out_flush() && !out_is_gone();
}

static void follow(struct trace *trace)
{
	struct timespec pause = { .tv_nsec = POLL_MS * 1000000 };
	bool is_last = false;
	time_t last = 0;

	while (!is_last && is_wanted(trace)) {
		refresh(trace, &last);
		put_all(trace, POLL_MS, &is_last);
		if (!is_last && !events_nr(trace->events))
			nanosleep(&pause, NULL);
	}
	/* a call takes a ring's worth at most, and the last one may have been cut off there */
	for (uint64_t before = ~0ull; is_last && before != trace->count.nr && is_wanted(trace);) {
		before = trace->count.nr;
		put_all(trace, 0, &is_last);
	}
}

/* ---- What is meant ----------------------------------------------------------------------- */

/* The target in front of a selector's colon; a path has none. */
static char *colon_of(char *word)
{
	return strchr(word, '/') ? NULL : strrchr(word, ':');
}

/*
 * [TARGET] [MAP...] and TARGET:MAP...: the target, and at which word the maps begin. Words that
 * name the target are cut to the map's name.
 */
static int split_words(const struct args *args, const char **ret_target, int *ret_first)
{
	*ret_target = args->target;
	*ret_first = 0;
	if (!args->target && args->nr_words && !colon_of(args->words[0])) {
		*ret_target = args->words[0];
		*ret_first = 1;
	}
	for (int i = *ret_first; i < args->nr_words; i++) {
		char *colon = colon_of(args->words[i]);

		if (!colon)
			continue;
		*colon = 0;
		if (*ret_target && strcmp(*ret_target, args->words[i]))
			return usage_error("the maps are of different targets");
		*ret_target = args->words[i];
		args->words[i] = colon + 1;
	}
	return EXIT_DONE;
}

static int trace_open(struct trace *trace)
{
	char name[2 * INLAY_NAME_BYTES];
	int code;

	if (trace->args->is_wait && target_is_one(trace->target))
		return usage_error("-w waits for the name of a program, and '%s' is none",
				   escape(trace->target, name, sizeof(name)));
	code = trace->args->is_wait ?
		       targets_wait(trace->args, trace->target, true, &trace->targets) :
		       targets_open(trace->args, trace->target, true, &trace->targets);
	if (!code)
		code = events_new(trace->args, &trace->count, &trace->events);
	if (!code)
		code = follow_new(trace);
	if (!code && events_lack_type(trace->events))
		return fail("no object of these maps has a type '%s'",
			    escape(trace->args->type, name, sizeof(name)));
	if (code || !trace->nr_maps || events_nr(trace->events))
		return code;
	if (events_nr_found(trace->events))
		return EXIT_REFUSED; /* it has been said why */
	return fail("there is no map of events '%s': RINGBUF and PERF_EVENT_ARRAY maps have events",
		    escape(trace->maps[0], name, sizeof(name)));
}

int cmd_trace(const struct args *args)
{
	struct trace trace = { .args = args, .count.max = args->count };
	int first, code = split_words(args, &trace.target, &first);

	if (code)
		return code;
	trace.maps = args->words + first;
	trace.nr_maps = args->nr_words - first;
	trace.has_text = !trace.nr_maps;
	code = trace_open(&trace);
	if (!code) {
		/* so that the losses are told when it is interrupted */
		stop_catch();
		follow(&trace);
		if (trace.error)
			code = fail_read("trace", trace.error);
		events_report(trace.events);
	}
	events_free(trace.events);
	free(trace.followed);
	targets_close(&trace.targets);
	return code;
}
