/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `inlay watch`: the counters of maps and what they gain a second. Each round reads all counters
 * afresh and compares them with the round before by (map, key, counter).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/counters.h"
#include "cli/inlay/keys.h"
#include "cli/inlay/out.h"
#include "cli/inlay/stop.h"

enum { ROWS = 20, SAMPLES_MAX = 1 << 20 };

struct watched {
	struct inlay_reader *reader;
	struct inlay_map *map;
	struct inlay_map_info info;
	char object[INLAY_NAME_BYTES + 1];
	uint32_t pid;
	struct counter *counters;
	size_t nr_counters;
	struct keys *keys;
};

struct sample {
	uint32_t map, counter;	/* places in the arrays */
	uint32_t key_size;
	char *key;
	uint64_t value;
	double rate;
};

struct round {
	struct sample *samples;
	size_t nr, max;
	struct timespec when;
};

struct watch {
	const struct args *args;
	struct watched *maps;
	size_t nr;
	struct targets targets;		/* all targets, when no map was named */
	struct choice *choices;		/* one a named map */
	size_t nr_choices;
};

/* ---- Which maps ------------------------------------------------------------------------- */

static int add_map(struct watch *watch, struct inlay_reader *reader, uint32_t index,
		   const struct inlay_map_info *info, const char *object, uint32_t pid)
{
	struct watched *more = reallocarray(watch->maps, watch->nr + 1, sizeof(*more));
	const struct btf *btf = NULL;
	int err;

	if (!more)
		return -ENOMEM;
	watch->maps = more;
	more = &more[watch->nr];
	memset(more, 0, sizeof(*more));
	more->reader = reader;
	more->info = *info;
	more->pid = pid;
	snprintf(more->object, sizeof(more->object), "%s", object);
	more->counters = calloc(COUNTERS_MAX, sizeof(*more->counters));
	if (!more->counters)
		return -ENOMEM;
	(void)inlay_segment_btf(reader, info->object, &btf);
	more->nr_counters = counters_find(btf, info->btf_value_type_id, info->value_size,
					  more->counters);
	err = inlay_map_open(reader, index, &more->map);
	if (!err)
		err = keys_new(watch->args, reader, more->map, &more->keys);
	if (err) {
		inlay_map_close(more->map);
		free(more->counters);
		return err;
	}
	watch->nr++;
	return 0;
}

static int add_all(struct watch *watch, struct inlay_reader *reader)
{
	struct inlay_segment_info segment = INLAY_SIZED(inlay_segment_info);
	int err = inlay_segment_info(reader, &segment);

	for (uint32_t i = 0; !err && i < segment.nr_maps; i++) {
		struct inlay_object_info object = INLAY_SIZED(inlay_object_info);
		struct inlay_map_info info = INLAY_SIZED(inlay_map_info);

		err = inlay_segment_map(reader, i, &info);
		if (!err)
			err = inlay_segment_object(reader, info.object, &object);
		if (err || info.flags & INLAY_MAP_RODATA)
			continue;
		err = add_map(watch, reader, i, &info, object.name, segment.pid);
		/* what one map lacks must not hide the others */
		if (err == -ENODATA || err == -EOPNOTSUPP)
			err = 0;
	}
	return err;
}

static int open_maps(struct watch *watch)
{
	const struct args *args = watch->args;
	int code, err = 0;

	if (!args->nr_words) {
		code = targets_open(args, args->target, false, &watch->targets);
		for (size_t i = 0; !code && i < watch->targets.nr && !err; i++)
			err = add_all(watch, watch->targets.readers[i]);
		if (err)
			code = fail_read("segment", err);
		if (!code && !watch->nr)
			code = fail("the target has no maps");
		return code;
	}
	watch->choices = calloc((size_t)args->nr_words, sizeof(*watch->choices));
	if (!watch->choices)
		return out_of_memory();
	for (int i = 0; i < args->nr_words; i++) {
		struct choice *choice = &watch->choices[i];

		code = choice_open(args, args->words[i], choice);
		if (code)
			return code;
		watch->nr_choices++;
		err = add_map(watch, choice->reader, choice->index, &choice->info, choice->object,
			      choice->pid);
		if (err)
			return fail_read(args->words[i], err);
	}
	return EXIT_DONE;
}

static void close_maps(struct watch *watch)
{
	for (size_t i = 0; i < watch->nr; i++) {
		keys_free(watch->maps[i].keys);
		inlay_map_close(watch->maps[i].map);
		free(watch->maps[i].counters);
	}
	free(watch->maps);
	for (size_t i = 0; i < watch->nr_choices; i++)
		choice_close(&watch->choices[i]);
	free(watch->choices);
	targets_close(&watch->targets);
}

/* ---- A round ---------------------------------------------------------------------------- */

static int add_sample(struct round *round, uint32_t map, uint32_t counter, const void *key,
		      uint32_t key_size, uint64_t value)
{
	struct sample *sample;

	if (round->nr >= SAMPLES_MAX)
		return 0;
	if (round->nr == round->max) {
		size_t max = round->max ? 2 * round->max : 64;

		sample = reallocarray(round->samples, max, sizeof(*sample));
		if (!sample)
			return -ENOMEM;
		round->samples = sample;
		round->max = max;
	}
	sample = &round->samples[round->nr];
	memset(sample, 0, sizeof(*sample));
	sample->map = map;
	sample->counter = counter;
	sample->key_size = key_size;
	sample->value = value;
	sample->key = malloc(key_size);
	if (!sample->key)
		return -ENOMEM;
	memcpy(sample->key, key, key_size);
	round->nr++;
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	int order;

	if (x->map != y->map)
		return x->map < y->map ? -1 : 1;
	order = memcmp(x->key, y->key, x->key_size);
	if (order)
		return order;
	return x->counter < y->counter ? -1 : x->counter > y->counter;
}

static int read_map(struct watch *watch, uint32_t index, struct round *round)
{
	struct watched *map = &watch->maps[index];
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	int err = keys_refresh(map->keys, map->map);

	if (!err)
		err = inlay_map_iter_new(map->map, &iter);
	if (err)
		return err;
	while (!err && !(err = inlay_map_iter_next(iter, &entry)))
		for (uint32_t i = 0; i < map->nr_counters && !err; i++) {
			uint64_t n = counter_get(&map->counters[i], entry->value,
						 map->info.value_size);

			if (n)
				err = add_sample(round, index, i, entry->key, map->info.key_size, n);
		}
	inlay_map_iter_free(iter);
	return err == -ENOENT ? 0 : err;
}

static void round_fini(struct round *round)
{
	for (size_t i = 0; i < round->nr; i++)
		free(round->samples[i].key);
	free(round->samples);
	memset(round, 0, sizeof(*round));
}

static int read_round(struct watch *watch, struct round *ret_round)
{
	int err = 0;

	memset(ret_round, 0, sizeof(*ret_round));
	clock_gettime(CLOCK_MONOTONIC, &ret_round->when);
	for (uint32_t i = 0; i < watch->nr && !err; i++)
		err = read_map(watch, i, ret_round);
	if (err)
		round_fini(ret_round);
	else if (ret_round->nr)
		qsort(ret_round->samples, ret_round->nr, sizeof(*ret_round->samples), by_place);
	return err;
}

static void set_rates(const struct round *before, struct round *now)
{
	double seconds = (double)(now->when.tv_sec - before->when.tv_sec) +
			 (double)(now->when.tv_nsec - before->when.tv_nsec) / 1e9;
	size_t k = 0;

	for (size_t i = 0; i < now->nr && seconds > 0; i++) {
		struct sample *sample = &now->samples[i];
		uint64_t old = 0;

		while (k < before->nr && by_place(&before->samples[k], sample) < 0)
			k++;
		if (k < before->nr && !by_place(&before->samples[k], sample))
			old = before->samples[k].value;
		/* as a difference of 64-bit words: a counter that went down has a negative rate */
		sample->rate = (double)(int64_t)(sample->value - old) / seconds;
	}
}

/* ---- Printing --------------------------------------------------------------------------- */

static void format_value(const struct watch *watch, const struct sample *sample, char *buffer,
			 size_t bytes)
{
	const struct counter *counter = &watch->maps[sample->map].counters[sample->counter];

	if (counter->is_signed && (int64_t)sample->value < 0) {
		*buffer = '-';
		format_count(0 - sample->value, buffer + 1, bytes - 1);
	} else {
		format_count(sample->value, buffer, bytes);
	}
}

static int by_rate(const void *a, const void *b)
{
	const struct sample *x = *(const struct sample *const *)a;
	const struct sample *y = *(const struct sample *const *)b;
	double p = x->rate < 0 ? -x->rate : x->rate, q = y->rate < 0 ? -y->rate : y->rate;

	if (p > q || p < q)
		return p < q ? 1 : -1;
	if (x->value != y->value)
		return (int64_t)x->value < (int64_t)y->value ? 1 : -1;
	return by_place(x, y);
}

static void sample_name(const struct watch *watch, const struct sample *sample, bool with_pid,
			char *buffer, size_t bytes)
{
	const struct watched *map = &watch->maps[sample->map];
	char name[2 * INLAY_NAME_BYTES], label[320], *key = NULL;
	bool has_key = !(map->info.flags & INLAY_MAP_GLOBAL);
	const char *counter = map->counters[sample->counter].label;
	size_t n = 0;
	FILE *out = has_key ? open_memstream(&key, &n) : NULL;
	char pid[16] = "";

	if (out) {
		keys_put(map->keys, out, sample->key);
		fclose(out);
	}
	if (with_pid)
		snprintf(pid, sizeof(pid), "%u:", map->pid);
	escape(has_key ? map->info.name : map->object, name, sizeof(name));
	escape(counter, label, sizeof(label));
	if (has_key)
		snprintf(buffer, bytes, "%s%s[%s]%s", pid, name, key ? key : "?", label);
	else
		snprintf(buffer, bytes, "%s%s.%s", pid, name, label);
	free(key);
}

static size_t rows(void)
{
	struct winsize size;

	if (out_is_terminal() && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row > 8)
		return size.ws_row - 4u;
	return ROWS;
}

static bool many_targets(const struct watch *watch)
{
	for (size_t i = 1; i < watch->nr; i++)
		if (watch->maps[i].pid != watch->maps[0].pid)
			return true;
	return false;
}

static void clock_text(char *buffer, size_t bytes)
{
	time_t now = time(NULL);
	struct tm local;

	localtime_r(&now, &local);
	strftime(buffer, bytes, "%H:%M:%S", &local);
}

/* Lines for a pipe or a log: what changed. */
static void print_lines(const struct watch *watch, const struct sample **order, size_t nr,
			const char *when, bool with_pid)
{
	char name[512], value[40], rate[40];
	size_t nr_printed = 0;

	for (size_t i = 0; i < nr && nr_printed < ROWS; i++) {
		double r = order[i]->rate < 0 ? -order[i]->rate : order[i]->rate;

		if (!(r > 0))
			break; /* ordered by rate */
		sample_name(watch, order[i], with_pid, name, sizeof(name));
		format_value(watch, order[i], value, sizeof(value));
		printf("%s %s %s %s%s/s\n", when, name, value, order[i]->rate < 0 ? "-" : "+",
		       format_count((uint64_t)(r + 0.5), rate, sizeof(rate)));
		nr_printed++;
	}
	if (!nr_printed)
		printf("%s %s\n", when, nr ? "no change" : "nothing counted yet");
}

static void print_screen(const struct watch *watch, const struct sample **order, size_t nr,
			 const char *when, bool with_pid)
{
	static const char *const titles[] = { "COUNTER", ">VALUE", ">A SECOND", NULL };
	struct table *table = table_new(titles);
	char name[512], value[40], rate[40];
	size_t max = rows();

	printf("\033[H\033[J%s%s%s  %zu counters, every %g s\n", paint(PAINT_TITLE), when,
	       paint(PAINT_NONE), nr, watch->args->interval);
	for (size_t i = 0; i < nr && i < max; i++) {
		double r = order[i]->rate < 0 ? -order[i]->rate : order[i]->rate;

		sample_name(watch, order[i], with_pid, name, sizeof(name));
		format_value(watch, order[i], value, sizeof(value));
		table_cell(table, PAINT_NAME, "%s", name);
		table_cell(table, PAINT_NONE, "%s", value);
		table_cell(table, r > 0 ? PAINT_GOOD : PAINT_DIM, "%s%s",
			   order[i]->rate < 0 ? "-" : "",
			   format_count((uint64_t)(r + 0.5), rate, sizeof(rate)));
	}
	table_print(table);
}

static int print_round(const struct watch *watch, const struct round *now)
{
	const struct sample **order = calloc(now->nr ? now->nr : 1, sizeof(struct sample *));
	char when[16];

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < now->nr; i++)
		order[i] = &now->samples[i];
	if (now->nr)
		qsort(order, now->nr, sizeof(*order), by_rate);
	clock_text(when, sizeof(when));
	if (out_is_terminal())
		print_screen(watch, order, now->nr, when, many_targets(watch));
	else
		print_lines(watch, order, now->nr, when, many_targets(watch));
	free(order);
	return 0;
}

/* ---- The loop --------------------------------------------------------------------------- */

static bool all_ended(const struct watch *watch)
{
	for (size_t i = 0; i < watch->nr; i++) {
		struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);

		if (!inlay_segment_info(watch->maps[i].reader, &info) && info.nr_alive)
			return false;
	}
	return true;
}

static void wait_interval(double seconds)
{
	struct timespec pause = { .tv_sec = (time_t)seconds };

	pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
	nanosleep(&pause, NULL);
}

static int loop(struct watch *watch)
{
	struct round before, now;
	uint64_t nr = 0;
	bool is_over = false;
	int err = read_round(watch, &before);

	while (!err && !is_over && !out_flush() &&
	       !(watch->args->count && nr++ == watch->args->count)) {
		is_over = all_ended(watch);
		if (!is_over)
			wait_interval(watch->args->interval);
		if (stop_seen())
			break;
		/* asked again so that the counts of a target that ended meanwhile are complete */
		is_over = is_over || all_ended(watch);
		err = read_round(watch, &now);
		if (err)
			break;
		set_rates(&before, &now);
		err = print_round(watch, &now);
		round_fini(&before);
		before = now;
	}
	round_fini(&before);
	if (!err && is_over)
		puts("the target has ended");
	return err;
}

int cmd_watch(const struct args *args)
{
	struct watch watch = { .args = args };
	int code = open_maps(&watch), err;

	if (!code) {
		stop_catch(); /* that is how most of them end */
		err = loop(&watch);
		if (err)
			code = fail_read("watch", err);
	}
	close_maps(&watch);
	return code;
}
