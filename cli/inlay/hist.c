/* SPDX-License-Identifier: BSD-2-Clause */
/* `inlay hist`: log2 histograms, one for an array of counts or one for each key. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/keys.h"
#include "cli/inlay/out.h"
#include "cli/inlay/slots.h"
#include "cli/inlay/typed.h"

struct hist {
	const struct args *args;
	struct choice choice;
	struct inlay_map *map;
	const struct btf *btf;
	struct keys *keys;
	json_t *json;
	const char *unit;
	struct slots *found;
	size_t nr_found;
	size_t nr_printed;
};

struct counts {
	uint64_t slots[SLOTS_MAX];
	uint32_t nr;
};

/* ---- Numbers ---------------------------------------------------------------------------- */

static uint64_t slot_low(uint32_t i)
{
	return i ? 1ull << i : 0;
}

static uint64_t slot_high(uint32_t i)
{
	return i >= 63 ? UINT64_MAX : (2ull << i) - 1;
}

static uint64_t total(const struct counts *counts)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < counts->nr; i++)
		n += counts->slots[i];
	return n;
}

/* The slot that holds the given part of the samples, counted from below. */
static uint32_t quantile(const struct counts *counts, double part)
{
	double want = part * (double)total(counts), sum = 0;
	uint32_t i;

	for (i = 0; i + 1 < counts->nr; i++) {
		sum += (double)counts->slots[i];
		if (sum >= want)
			break;
	}
	return i;
}

/* ---- Units ------------------------------------------------------------------------------ */

static const char *unit_of_name(const char *name)
{
	static const struct {
		const char *ending, *unit;
	} rows[] = {
		{ "_ns", "ns" }, { "_us", "us" }, { "_ms", "ms" }, { "_bytes", "B" },
		{ "_nsecs", "ns" }, { "_usecs", "us" }, { "_msecs", "ms" },
	};
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t m = strlen(rows[i].ending);

		if (n > m && !strcmp(name + n - m, rows[i].ending))
			return rows[i].unit;
	}
	return NULL;
}

/* The unit that the names say: of the variable, the map, the struct. */
static const char *guess_unit(const struct hist *hist, const char *label)
{
	const struct btf_type *type = typed_resolve(hist->btf,
						    hist->choice.info.btf_value_type_id);
	const char *unit = unit_of_name(label), *name;

	if (hist->args->unit)
		return hist->args->unit;
	if (!unit)
		unit = unit_of_name(hist->choice.info.name);
	if (!unit && type) {
		name = btf__name_by_offset(hist->btf, type->name_off);
		unit = name ? unit_of_name(name) : NULL;
	}
	return unit ? unit : "";
}

static void format_edge(uint64_t n, const char *unit, char *buffer, size_t bytes)
{
	static const struct {
		const char *unit;
		double ns;
	} times[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 } };

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (!strcmp(unit, times[i].unit)) {
			format_ns((double)n * times[i].ns, buffer, bytes);
			return;
		}
	if (!strcmp(unit, "B"))
		format_bytes(n, buffer, bytes);
	else
		format_count(n, buffer, bytes);
}

/* ---- Drawing ---------------------------------------------------------------------------- */

static void put_bar(uint64_t n, uint64_t most, unsigned int columns)
{
	static const char *const parts[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	uint64_t eighths = most ? (uint64_t)((double)n / (double)most * columns * 8) : 0;

	fputs(paint(PAINT_BAR), stdout);
	for (uint64_t i = 0; i < eighths / 8; i++)
		fputs("█", stdout);
	fputs(n && !eighths ? parts[1] : parts[eighths % 8], stdout);
	fputs(paint(PAINT_NONE), stdout);
}

static void put_summary(const struct counts *counts, const char *unit)
{
	static const struct {
		const char *name;
		double part;
	} rows[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 } };
	char text[64];

	printf("  %s samples", format_count(total(counts), text, sizeof(text)));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t slot = quantile(counts, rows[i].part);

		/* A slot says no more than that the quantile lies below its upper edge. */
		format_edge(slot_high(slot) == UINT64_MAX ? UINT64_MAX : slot_high(slot) + 1, unit,
			    text, sizeof(text));
		printf("  %s%s < %s%s", paint(PAINT_DIM), rows[i].name, text, paint(PAINT_NONE));
	}
	putchar('\n');
}

static void draw(const struct counts *counts, const char *unit)
{
	uint32_t first = 0, last = counts->nr - 1;
	unsigned int columns = out_columns() - 52;
	uint64_t most = 0, all = total(counts);

	while (last > 0 && !counts->slots[last])
		last--;
	while (first < last && !counts->slots[first])
		first++;
	for (uint32_t i = first; i <= last; i++)
		if (counts->slots[i] > most)
			most = counts->slots[i];
	for (uint32_t i = first; i <= last; i++) {
		char low[40], high[40], n[40];

		format_edge(slot_low(i), unit, low, sizeof(low));
		if (*unit && i < 63)
			format_edge(slot_high(i) + 1, unit, high, sizeof(high));
		else
			format_edge(slot_high(i), unit, high, sizeof(high));
		printf("  %12s %s %-12s %12s %5.1f%% ", low, *unit ? "->" : "..", high,
		       format_count(counts->slots[i], n, sizeof(n)),
		       all ? 100.0 * (double)counts->slots[i] / (double)all : 0.0);
		put_bar(counts->slots[i], most, columns < 40 ? columns : 40);
		putchar('\n');
	}
}

static json_t *counts_json(const struct counts *counts)
{
	json_t *array = json_array();
	uint32_t last = counts->nr;

	while (last && !counts->slots[last - 1])
		last--;
	for (uint32_t i = 0; i < last; i++) {
		json_t *slot = json_object();

		json_object_set_new(slot, "low", json_u64(slot_low(i)));
		json_object_set_new(slot, "high", json_u64(slot_high(i)));
		json_object_set_new(slot, "count", json_u64(counts->slots[i]));
		json_array_append_new(array, slot);
	}
	return array;
}

/* One histogram. key is NULL for the histogram of a whole array map or of a variable. */
static void emit(struct hist *hist, const void *key, const char *label, const struct counts *counts)
{
	const struct inlay_map_info *info = &hist->choice.info;
	const char *unit = guess_unit(hist, label);
	char name[320], safe[512];

	if (hist->json) {
		json_t *json = json_object();

		json_object_set_new(json, "map", json_text(info->name));
		if (key)
			json_object_set_new(json, "key",
					    typed_json(hist->btf, info->btf_key_type_id, key,
						       info->key_size));
		if (key && keys_symbol(hist->keys, key, name, sizeof(name)))
			json_object_set_new(json, "symbol", json_text(name));
		if (*label)
			json_object_set_new(json, "variable", json_text(label));
		json_object_set_new(json, "unit", json_text(unit));
		json_object_set_new(json, "total", json_u64(total(counts)));
		json_object_set_new(json, "slots", counts_json(counts));
		json_array_append_new(hist->json, json);
		return;
	}
	if (!total(counts))
		return;
	printf("%s%s", hist->nr_printed++ ? "\n" : "", paint(PAINT_TITLE));
	if (key)
		keys_put(hist->keys, stdout, key);
	else
		fputs(escape(info->name, safe, sizeof(safe)), stdout);
	if (*label)
		printf("%s%s", *label == '[' ? "" : " ", escape(label, safe, sizeof(safe)));
	fputs(paint(PAINT_NONE), stdout);
	put_summary(counts, unit);
	draw(counts, unit);
}

/* ---- Reading ---------------------------------------------------------------------------- */

static bool is_array(const struct inlay_map_info *info)
{
	return info->type == INLAY_MAP_TYPE_ARRAY || info->type == INLAY_MAP_TYPE_PERCPU_ARRAY;
}

/* An array map whose values are numbers: the map is the histogram. */
static bool is_whole(const struct hist *hist)
{
	const struct inlay_map_info *info = &hist->choice.info;
	const struct btf_type *type = typed_resolve(hist->btf, info->btf_value_type_id);

	if (!is_array(info) || info->value_size > 8 || info->max_entries < 2)
		return false;
	return type ? btf_is_int(type) : info->value_size == 8 || info->value_size == 4;
}

static int whole(struct hist *hist, struct inlay_map_iter *iter)
{
	struct counts counts = { 0 };
	const struct inlay_map_entry *entry;
	int err;

	while (counts.nr < SLOTS_MAX && !(err = inlay_map_iter_next(iter, &entry)))
		memcpy(&counts.slots[counts.nr++], entry->value, hist->choice.info.value_size);
	if (counts.nr)
		emit(hist, NULL, "", &counts);
	return counts.nr < SLOTS_MAX ? err : -ENOENT;
}

static int each(struct hist *hist, struct inlay_map_iter *iter)
{
	const struct inlay_map_info *info = &hist->choice.info;
	bool has_key = !(info->flags & (INLAY_MAP_GLOBAL | INLAY_MAP_RODATA)) &&
		       !(is_array(info) && info->max_entries == 1);
	const struct inlay_map_entry *entry;
	int err;

	while (!(err = inlay_map_iter_next(iter, &entry)))
		for (size_t i = 0; i < hist->nr_found; i++) {
			struct counts counts = { .nr = hist->found[i].nr };

			for (uint32_t k = 0; k < counts.nr; k++)
				counts.slots[k] = slots_get(&hist->found[i], k, entry->value,
							    info->value_size);
			emit(hist, has_key ? entry->key : NULL, hist->found[i].label, &counts);
		}
	return err;
}

static int print_map(struct hist *hist)
{
	struct inlay_map_iter *iter;
	int err = inlay_map_open(hist->choice.reader, hist->choice.index, &hist->map);

	if (!err)
		err = keys_new(hist->args, hist->choice.reader, hist->map, &hist->keys);
	if (!err)
		err = inlay_map_iter_new(hist->map, &iter);
	if (!err) {
		err = is_whole(hist) ? whole(hist, iter) : each(hist, iter);
		inlay_map_iter_free(iter);
	}
	keys_free(hist->keys);
	hist->keys = NULL;
	inlay_map_close(hist->map);
	hist->map = NULL;
	return err == -ENOENT ? 0 : err;
}

static int one_map(struct hist *hist, const char *selector)
{
	size_t before = hist->nr_printed;
	char name[160];
	int code = choice_open(hist->args, selector, &hist->choice), err;

	if (code)
		return code;
	hist->btf = NULL;
	(void)inlay_segment_btf(hist->choice.reader, hist->choice.info.object, &hist->btf);
	hist->nr_found = slots_find(hist->btf, hist->choice.info.btf_value_type_id, hist->found,
				    SLOTS_HISTS_MAX);
	escape(selector, name, sizeof(name));
	if (!hist->nr_found && !is_whole(hist)) {
		code = fail("%s: its values hold no array of counts; 'inlay dump' prints it", name);
	} else {
		err = print_map(hist);
		if (err)
			code = fail_read(selector, err);
		else if (!hist->json && hist->nr_printed == before)
			printf("%s: no samples\n", name);
	}
	choice_close(&hist->choice);
	return code;
}

int cmd_hist(const struct args *args)
{
	struct hist hist = { .args = args };
	int code = EXIT_DONE;

	hist.found = calloc(SLOTS_HISTS_MAX, sizeof(*hist.found));
	hist.json = args->is_json ? json_array() : NULL;
	if (!hist.found)
		return out_of_memory();
	for (int i = 0; i < args->nr_words && !code; i++)
		code = one_map(&hist, args->words[i]);
	free(hist.found);
	if (args->is_json && !code)
		return json_print(hist.json);
	json_decref(hist.json);
	return code;
}
