/* SPDX-License-Identifier: BSD-2-Clause */
/* `inlay trace`: the lines of bpf_trace_printk(). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/out.h"

enum { POLL_MS = 50 };

static void put_line(const struct args *args, const struct inlay_trace_line *line)
{
	char text[512];

	if (args->is_json) {
		json_t *json = json_object();

		json_object_set_new(json, "time_ns", json_u64(line->time_ns));
		json_object_set_new(json, "tid", json_integer(line->tid));
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
	fflush(stdout);
}

static bool is_over(struct inlay_reader *reader)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);

	return inlay_segment_info(reader, &info) || !info.nr_alive;
}

static int follow(const struct args *args, struct inlay_reader *reader)
{
	struct timespec pause = { .tv_nsec = POLL_MS * 1000000 };
	struct inlay_trace_line line = INLAY_SIZED(inlay_trace_line);
	uint64_t cursor = 0, nr = 0;
	bool is_last = false;
	int err;

	for (;;) {
		/* Asked before the ring is read, so that the last lines are not missed. */
		bool over = args->is_once || is_over(reader);

		while (!(err = inlay_segment_trace(reader, &cursor, &line))) {
			put_line(args, &line);
			if (args->count && ++nr == args->count)
				return 0;
		}
		if (err != -ENOENT)
			return err;
		if (is_last)
			return 0;
		is_last = over;
		if (!over)
			nanosleep(&pause, NULL);
	}
}

int cmd_trace(const struct args *args)
{
	const char *target = args->nr_words ? args->words[0] : args->target;
	struct inlay_reader *reader;
	int code = target_open(args, target, false, &reader), err;

	if (code)
		return code;
	err = follow(args, reader);
	if (err)
		code = fail_read("trace", err);
	inlay_segment_close(reader);
	return code;
}
