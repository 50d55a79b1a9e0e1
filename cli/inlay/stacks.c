/* SPDX-License-Identifier: BSD-2-Clause */
/* `inlay stacks`: stacks by name, as text, as JSON, or folded for flame graphs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/demangle.h"
#include "cli/inlay/inlines.h"
#include "cli/inlay/out.h"
#include "cli/inlay/stacks.h"
#include "cli/inlay/symbols.h"
#include "cli/inlay/typed.h"

#define NAME_BYTES 1024
#define KEY_COLUMNS (1u << 20) /* on one line, however long */

struct printer {
	const struct args *args;
	struct stacks stacks;
	struct symbols *symbols;
	struct inlines *inlines;	/* NULL: not asked for */
	json_t *json;
	char **lines;			/* --folded */
	uint64_t *line_counts;
	size_t nr_lines;
};

/* A frame by name. */
struct named {
	char text[NAME_BYTES];
	const char *symbol;	/* NULL: not known */
	uint64_t off;		/* from the symbol's start */
	struct symbols_module module;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* They separate frames. */
static void no_semicolons(char *text)
{
	for (; *text; text++)
		if (*text == ';')
			*text = ':';
}

/*
 * A return address belongs to the call in front of it, which may be the last instruction of its
 * function. The first address of a stack is a function's start, as far as it is one.
 */
static void name_frame(const struct printer *p, const struct trace *trace, uint32_t i,
		       struct named *named)
{
	const struct frame *frame = &trace->frames[i];
	struct symbols_place place = frame_place(frame, p->symbols);
	uint64_t off = 0;
	char text[FRAME_TEXT_BYTES];

	memset(named, 0, sizeof(*named));
	if (!i && p->symbols)
		named->symbol = symbols_find_at(p->symbols, place, &off);
	if (!named->symbol || off) {
		place.address--;
		named->symbol = p->args->sym < 0 ? NULL :
						   symbols_find_at(p->symbols, place, &off);
		off++;
	}
	if (p->args->sym < 0)
		named->symbol = NULL;
	symbols_module_at(p->symbols, place, &named->module);
	if (named->symbol) {
		named->off = off;
		escape(named->symbol, named->text, sizeof(named->text));
	} else if (named->module.shown) {
		char safe[NAME_BYTES - 2];

		escape(base_name(named->module.shown), safe, sizeof(safe));
		snprintf(named->text, sizeof(named->text), "[%s]", safe);
	} else {
		snprintf(named->text, sizeof(named->text), "[%s]", frame_text(frame, text));
	}
	no_semicolons(named->text);
}

/*
 * Addresses without what follows a caller that has no frame pointer: numbers that no code of a
 * process can be at.
 */
static uint32_t nr_frames(const struct trace *trace)
{
	uint32_t nr = trace ? trace->nr : 0;

	while (nr > 1 && !trace->frames[nr - 1].has_id &&
	       (trace->frames[nr - 1].address < 4096 || trace->frames[nr - 1].address >> 52))
		nr--;
	return nr;
}

/* What stands in the place of a stack that is not there. */
static void name_missing(const struct stack_count *count, char *text, size_t bytes)
{
	if (count->id < 0)
		snprintf(text, bytes, "[no stack: %s]",
			 strerrorname_np((int)-count->id) ? strerrorname_np((int)-count->id) : "?");
	else
		snprintf(text, bytes, "[stack %lld is gone]", (long long)count->id);
}

/* ---- folded ---- */

static int add_line(struct printer *p, char *text, uint64_t count)
{
	char **lines = reallocarray(p->lines, p->nr_lines + 1, sizeof(*lines));
	uint64_t *counts = lines ? reallocarray(p->line_counts, p->nr_lines + 1, sizeof(*counts)) :
				   NULL;

	if (lines)
		p->lines = lines;
	if (!counts)
		return -ENOMEM;
	p->line_counts = counts;
	lines[p->nr_lines] = text;
	counts[p->nr_lines++] = count;
	return 0;
}

/* The name of an inlined function, for a line of text. */
static const char *inlined_text(const struct printer *p, const char *name, char *buffer, size_t bytes)
{
	char *plain = p->args->is_mangled ? NULL : demangle(name);

	escape(plain ? plain : name, buffer, bytes);
	free(plain);
	no_semicolons(buffer);
	return buffer;
}

/* The frames of one address, outermost first: the function, then what is inlined into it there. */
static void put_folded(const struct printer *p, const struct trace *trace, uint32_t i, FILE *out)
{
	struct inline_frames inlined;
	struct named named;

	name_frame(p, trace, i, &named);
	fprintf(out, ";%s", named.text);
	/* an entry is in front of what is inlined into its function */
	if (!p->inlines || (!i && !named.off))
		return;
	inlines_find(p->inlines, named.module.path, named.module.address, &inlined);
	for (uint32_t k = inlined.nr; k--;) {
		char safe[NAME_BYTES];

		fprintf(out, ";%s_[i]", inlined_text(p, inlined.names[k], safe, sizeof(safe)));
	}
}

static int fold(struct printer *p, const struct stack_count *count)
{
	char *text = NULL, missing[64], label[4 * sizeof(count->label)];
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return -ENOMEM;
	if (*count->label)
		fprintf(out, ";%s", escape(count->label, label, sizeof(label)));
	if (!count->trace) {
		name_missing(count, missing, sizeof(missing));
		fprintf(out, ";%s", missing);
	}
	for (uint32_t i = nr_frames(count->trace); i--;)
		put_folded(p, count->trace, i, out);
	if (fclose(out)) {
		free(text);
		return -ENOMEM;
	}
	return add_line(p, text, count->count);
}

static int by_text(const void *a, const void *b, void *lines)
{
	return strcmp(((char **)lines)[*(const size_t *)a], ((char **)lines)[*(const size_t *)b]);
}

/* Stacks that differ in addresses only are one line. */
static int print_folded(struct printer *p)
{
	size_t *order = calloc(p->nr_lines ? p->nr_lines : 1, sizeof(*order));
	uint64_t sum = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < p->nr_lines; i++)
		order[i] = i;
	qsort_r(order, p->nr_lines, sizeof(*order), by_text, p->lines);
	for (size_t i = 0; i < p->nr_lines; i++) {
		const char *line = p->lines[order[i]];

		sum += p->line_counts[order[i]];
		if (i + 1 < p->nr_lines && !strcmp(line, p->lines[order[i + 1]]))
			continue;
		printf("%s %llu\n", line + (*line == ';'), (unsigned long long)sum);
		sum = 0;
	}
	free(order);
	return 0;
}

/* ---- text ---- */

static void print_inlined(const struct printer *p, const struct named *named, bool is_entry)
{
	struct inline_frames inlined;

	if (!p->inlines || is_entry)
		return;
	inlines_find(p->inlines, named->module.path, named->module.address, &inlined);
	for (uint32_t k = 0; k < inlined.nr; k++) {
		char safe[NAME_BYTES];

		printf("    %s %s(inlined)%s\n",
		       inlined_text(p, inlined.names[k], safe, sizeof(safe)),
		       paint(PAINT_DIM), paint(PAINT_NONE));
	}
}

static void print_text(const struct printer *p, const struct stack_count *count)
{
	const struct inlay_map_info *info = &p->stacks.counts_info;
	char missing[64];

	if (p->stacks.has_counts)
		printf("%s%llu%s  ", paint(PAINT_TITLE), (unsigned long long)count->count,
		       paint(PAINT_NONE));
	if (count->key) {
		typed_text(stdout, p->stacks.btf, info->btf_key_type_id, count->key, info->key_size,
			   KEY_COLUMNS, 0);
		putchar('\n');
	} else {
		printf("%sstack %lld%s\n", paint(PAINT_TITLE), (long long)count->id,
		       paint(PAINT_NONE));
	}
	if (!count->trace) {
		name_missing(count, missing, sizeof(missing));
		printf("    %s%s%s\n", paint(PAINT_DIM), missing, paint(PAINT_NONE));
	}
	for (uint32_t i = 0; i < nr_frames(count->trace); i++) {
		char safe[NAME_BYTES];
		struct named named;

		name_frame(p, count->trace, i, &named);
		print_inlined(p, &named, !i && !named.off);
		printf("    %s", named.text);
		if (named.symbol && named.off)
			printf("%s+0x%llx%s", paint(PAINT_DIM), (unsigned long long)named.off,
			       paint(PAINT_NONE));
		if (named.symbol && named.module.shown)
			printf(" %s(%s)%s", paint(PAINT_DIM),
			       escape(base_name(named.module.shown), safe, sizeof(safe)),
			       paint(PAINT_NONE));
		putchar('\n');
	}
}

/* ---- JSON ---- */

static json_t *inlined_json(const struct printer *p, const char *name)
{
	char *plain = p->args->is_mangled ? NULL : demangle(name);
	json_t *json = json_text(plain ? plain : name);

	free(plain);
	return json;
}

static json_t *frames_json(const struct printer *p, const struct trace *trace)
{
	json_t *frames = json_array();

	for (uint32_t i = 0; i < nr_frames(trace); i++) {
		struct inline_frames inlined = { .nr = 0 };
		json_t *frame = json_object(), *names;
		struct named named;

		name_frame(p, trace, i, &named);
		frame_json(&trace->frames[i], frame);
		if (named.symbol) {
			json_object_set_new(frame, "symbol", json_text(named.symbol));
			json_object_set_new(frame, "offset", json_u64(named.off));
		}
		if (named.module.shown)
			json_object_set_new(frame, "module", json_text(named.module.shown));
		if (p->inlines && (i || named.off))
			inlines_find(p->inlines, named.module.path, named.module.address, &inlined);
		names = inlined.nr ? json_array() : NULL;
		for (uint32_t k = 0; k < inlined.nr; k++)
			json_array_append_new(names, inlined_json(p, inlined.names[k]));
		if (names)
			json_object_set_new(frame, "inlined", names);
		json_array_append_new(frames, frame);
	}
	return frames;
}

static int add_json(struct printer *p, const struct stack_count *count)
{
	const struct inlay_map_info *info = &p->stacks.counts_info;
	json_t *one = json_object();

	json_object_set_new(one, "id", json_integer(count->id));
	if (p->stacks.has_counts)
		json_object_set_new(one, "count", json_u64(count->count));
	if (count->key) {
		json_object_set_new(one, "key", typed_json(p->stacks.btf, info->btf_key_type_id,
							   count->key, info->key_size));
	}
	json_object_set_new(one, "frames", frames_json(p, count->trace));
	return json_array_append_new(p->json, one) ? -ENOMEM : 0;
}

/* ---- the command ---- */

static int print_all(struct printer *p)
{
	int err = 0;

	for (size_t i = 0; !err && i < p->stacks.nr_counts; i++) {
		const struct stack_count *count = &p->stacks.counts[i];

		if (p->json)
			err = add_json(p, count);
		else if (p->args->is_folded)
			err = fold(p, count);
		else
			print_text(p, count);
	}
	if (!err && p->args->is_folded)
		err = print_folded(p);
	else if (!p->stacks.nr_counts && !p->json)
		puts("no stacks");
	return err;
}

int cmd_stacks(const struct args *args)
{
	struct printer p = { .args = args };
	struct choice choice;
	int code, err;

	if (args->is_folded && args->is_json)
		return usage_error("--folded is text; leave out -j");
	code = choice_open(args, args->words[0], &choice);
	if (code)
		return code;
	code = stacks_read(args, &choice, &p.stacks);
	if (!code) {
		p.symbols = symbols_new(choice.reader, !args->is_mangled);
		p.inlines = args->is_inlines ? inlines_new() : NULL;
		p.json = args->is_json ? json_array() : NULL;
		err = print_all(&p);
		if (err)
			code = fail_read(args->words[0], err);
		else if (p.json)
			code = json_print(json_incref(p.json));
	}
	json_decref(p.json);
	for (size_t i = 0; i < p.nr_lines; i++)
		free(p.lines[i]);
	free(p.lines);
	free(p.line_counts);
	inlines_free(p.inlines);
	symbols_free(p.symbols);
	stacks_fini(&p.stacks);
	choice_close(&choice);
	return code;
}
