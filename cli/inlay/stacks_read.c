/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading stacks, and which map counts what. See stacks.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/addresses.h"
#include "cli/inlay/stacks.h"
#include "cli/inlay/typed.h"

/* ---- stacks ---- */

static bool is_traces(const struct inlay_map_info *info)
{
	return info->type == INLAY_MAP_TYPE_STACK_TRACE;
}

static int add_trace(struct stacks *stacks, const struct inlay_map_entry *entry)
{
	const struct inlay_map_info *info = &stacks->traces_info;
	uint32_t max = addresses_max(info);
	struct trace *more = reallocarray(stacks->traces, stacks->nr_traces + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	stacks->traces = more;
	more = &more[stacks->nr_traces];
	memset(more, 0, sizeof(*more));
	memcpy(&more->id, entry->key, sizeof(more->id));
	more->frames = calloc(max ? max : 1, sizeof(*more->frames));
	if (!more->frames)
		return -ENOMEM;
	stacks->nr_traces++;
	while (more->nr < max && frame_at(info, entry->value, more->nr, &more->frames[more->nr]))
		more->nr++;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct trace *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static const struct trace *find_trace(const struct stacks *stacks, int64_t id)
{
	struct trace key = { .id = (uint32_t)id };

	if (id < 0 || id > UINT32_MAX || !stacks->nr_traces)
		return NULL;
	return bsearch(&key, stacks->traces, stacks->nr_traces, sizeof(key), by_id);
}

/* Calls fn with each entry of a map. */
static int each_entry(struct inlay_reader *reader, uint32_t index,
		      int (*fn)(void *ctx, const struct inlay_map_entry *entry), void *ctx)
{
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	struct inlay_map *map;
	int err = inlay_map_open(reader, index, &map);

	if (err)
		return err;
	err = inlay_map_iter_new(map, &iter);
	if (!err) {
		while (!(err = inlay_map_iter_next(iter, &entry)) && !(err = fn(ctx, entry)))
			;
		inlay_map_iter_free(iter);
	}
	inlay_map_close(map);
	return err == -ENOENT ? 0 : err;
}

static int on_trace(void *ctx, const struct inlay_map_entry *entry)
{
	return add_trace(ctx, entry);
}

/* ---- which part of a key is an id, which of a value a count ---- */

/* An integer in a key or a value. */
struct part {
	uint32_t off, bytes;
	bool is_found, is_in_value;
	uint32_t label_off, label_bytes;	/* an array of char in a key; 0 bytes: none */
};

static bool is_number(const struct btf *btf, uint32_t type_id, uint32_t *ret_bytes)
{
	const struct btf_type *type = typed_resolve(btf, type_id);

	if (!type || !btf_is_int(type) || (type->size != 4 && type->size != 8))
		return false;
	*ret_bytes = type->size;
	return true;
}

static bool is_text(const struct btf *btf, uint32_t type_id, uint32_t *ret_bytes)
{
	const struct btf_type *type = typed_resolve(btf, type_id), *elem;

	if (!type || !btf_is_array(type))
		return false;
	elem = typed_resolve(btf, btf_array(type)->type);
	*ret_bytes = btf_array(type)->nelems;
	return elem && btf_is_int(elem) && elem->size == 1;
}

/* Names of ids of user stacks in the tools that there are: user_stack_id, ustack, stackid, usid. */
static bool is_id_name(const char *name)
{
	return strcasestr(name, "stack") && !strcasestr(name, "kern") && strncmp(name, "kstack", 6);
}

/* `id`: that of a count, which the id is not; NULL: an id is looked for. */
static void find_member(const struct btf *btf, const struct btf_type *type, const char *wanted,
			const struct part *id, uint32_t size, struct part *part)
{
	const struct btf_member *member = btf_members(type);
	uint32_t bytes, nr = 0;

	for (uint32_t i = 0; i < btf_vlen(type); i++, member++) {
		const char *name = btf__name_by_offset(btf, member->name_off);
		uint32_t off = btf_member_bit_offset(type, i) / 8;

		if (!name || btf_member_bitfield_size(type, i))
			continue;
		if (!id && !part->label_bytes && is_text(btf, member->type, &bytes) &&
		    off <= size && bytes <= size - off) {
			part->label_off = off;
			part->label_bytes = bytes;
		}
		if (!is_number(btf, member->type, &bytes) || off > size || bytes > size - off ||
		    (wanted ? strcmp(name, wanted) != 0 : !id && !is_id_name(name)) ||
		    (id && id->is_in_value && id->off == off))
			continue;
		/* of a value the first other number counts */
		if (!nr++ || wanted) {
			part->off = off;
			part->bytes = bytes;
			part->is_found = true;
		}
	}
	if (!id && !wanted && nr > 1)
		part->is_found = false;
}

/* The number that a type has at `wanted`, or is, or is known to have. */
static struct part find_part(const struct btf *btf, uint32_t type_id, uint32_t size,
			     const char *wanted, const struct part *id)
{
	const struct btf_type *type = btf ? typed_resolve(btf, type_id) : NULL;
	struct part part = { 0 };

	if (type && btf_is_struct(type)) {
		find_member(btf, type, wanted, id, size, &part);
	} else if (!wanted && (size == 4 || size == 8)) {
		part.bytes = size;
		part.is_found = true;
	}
	return part;
}

static bool is_struct(const struct stacks *stacks, uint32_t type_id)
{
	const struct btf_type *type = stacks->btf ? typed_resolve(stacks->btf, type_id) : NULL;

	return type && btf_is_struct(type);
}

/*
 * In the key; or in the value, where each key is something that came from a stack, such as an
 * allocation by its address.
 */
static struct part find_id(const struct args *args, const struct stacks *stacks,
			   const struct inlay_map_info *info)
{
	struct part in_key = find_part(stacks->btf, info->btf_key_type_id, info->key_size,
				       args->id_member, NULL),
		    in_value;

	if ((is_struct(stacks, info->btf_key_type_id) && in_key.is_found) ||
	    !is_struct(stacks, info->btf_value_type_id) ||
	    info->type == INLAY_MAP_TYPE_PERCPU_HASH || info->type == INLAY_MAP_TYPE_LRU_PERCPU_HASH)
		return in_key;
	in_value = find_part(stacks->btf, info->btf_value_type_id, info->value_size,
			     args->id_member, NULL);
	in_value.is_in_value = true;
	return in_value.is_found ? in_value : in_key;
}

/* ---- counts ---- */

static bool may_count(const struct inlay_map_info *info)
{
	return info->type == INLAY_MAP_TYPE_HASH || info->type == INLAY_MAP_TYPE_PERCPU_HASH ||
	       info->type == INLAY_MAP_TYPE_LRU_HASH || info->type == INLAY_MAP_TYPE_LRU_PERCPU_HASH;
}

struct counting {
	struct stacks *stacks;
	struct part id, count;
	size_t nr_known, nr_unknown;	/* keys that are ids of stacks, and that are not */
	bool is_trial;
};

static uint64_t number(const void *data, const struct part *part)
{
	uint64_t n = 0;

	memcpy(&n, (const char *)data + part->off, part->bytes);
	return n;
}

static int on_count(void *ctx, const struct inlay_map_entry *entry)
{
	struct counting *counting = ctx;
	struct stacks *stacks = counting->stacks;
	const void *from = counting->id.is_in_value ? entry->value : entry->key;
	uint64_t raw = number(from, &counting->id);
	int64_t id = counting->id.bytes == 4 ? (int32_t)raw : (int64_t)raw;
	const struct trace *trace = find_trace(stacks, id);
	struct stack_count *more;

	counting->nr_known += trace || id < 0;
	counting->nr_unknown += !(trace || id < 0);
	if (counting->is_trial)
		return 0;
	more = reallocarray(stacks->counts, stacks->nr_counts + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	stacks->counts = more;
	more = &more[stacks->nr_counts];
	memset(more, 0, sizeof(*more));
	if (!counting->id.is_in_value) {
		more->key = malloc(stacks->counts_info.key_size);
		if (!more->key)
			return -ENOMEM;
		memcpy(more->key, entry->key, stacks->counts_info.key_size);
	}
	stacks->nr_counts++;
	more->id = id;
	more->count = number(entry->value, &counting->count);
	more->trace = trace;
	if (counting->id.label_bytes)
		snprintf(more->label, sizeof(more->label), "%.*s",
			 (int)counting->id.label_bytes,
			 (const char *)from + counting->id.label_off);
	return 0;
}

static struct counting counting_of(const struct args *args, struct stacks *stacks,
				   const struct inlay_map_info *info)
{
	struct counting counting = { .stacks = stacks, .id = find_id(args, stacks, info) };

	counting.count = find_part(stacks->btf, info->btf_value_type_id, info->value_size,
				   args->count_member, &counting.id);
	return counting;
}

/* Whether a map counts by the ids of these stacks: its key says so, or every key is one. */
static int counts_by_id(const struct args *args, struct stacks *stacks, uint32_t index,
			const struct inlay_map_info *info, bool *ret)
{
	struct counting counting = counting_of(args, stacks, info);
	int err;

	*ret = false;
	if (!may_count(info) || !counting.id.is_found || !counting.count.is_found)
		return 0;
	if (counting.id.is_in_value || is_struct(stacks, info->btf_key_type_id)) {
		*ret = true;
		return 0;
	}
	counting.is_trial = true;
	err = each_entry(stacks->reader, index, on_count, &counting);
	*ret = counting.nr_known && !counting.nr_unknown;
	return err;
}

enum wanted { WANT_TRACES, WANT_COUNTS };

/* The one other map of the object that fits. *ret_nr: how many do. */
static int find_other(const struct args *args, struct stacks *stacks, uint32_t object,
		      enum wanted wanted, uint32_t *ret_index, uint32_t *ret_nr)
{
	struct inlay_segment_info segment = INLAY_SIZED(inlay_segment_info);
	struct inlay_map_info info = INLAY_SIZED(inlay_map_info);
	int err = inlay_segment_info(stacks->reader, &segment);
	bool fits;

	*ret_nr = 0;
	for (uint32_t i = 0; !err && i < segment.nr_maps; i++) {
		err = inlay_segment_map(stacks->reader, i, &info);
		if (err || info.object != object)
			continue;
		if (wanted == WANT_TRACES)
			fits = is_traces(&info) &&
			       (!args->stacks || selects_map(args->stacks, "", info.name));
		else
			err = counts_by_id(args, stacks, i, &info, &fits);
		if (!err && fits && !(*ret_nr)++)
			*ret_index = i;
	}
	return err;
}

static int read_traces(struct stacks *stacks, uint32_t index)
{
	int err;

	stacks->traces_info.sz = sizeof(stacks->traces_info);
	err = inlay_segment_map(stacks->reader, index, &stacks->traces_info);
	/* the reader has checked sizes of hash maps, of which this is one */
	if (!err && stacks->traces_info.key_size != sizeof(uint32_t))
		err = -EBADMSG;
	if (!err)
		err = each_entry(stacks->reader, index, on_trace, stacks);
	if (!err && stacks->nr_traces)
		qsort(stacks->traces, stacks->nr_traces, sizeof(*stacks->traces), by_id);
	return err;
}

static int by_count(const void *a, const void *b)
{
	const struct stack_count *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int count_each_once(struct stacks *stacks)
{
	stacks->counts = calloc(stacks->nr_traces ? stacks->nr_traces : 1, sizeof(*stacks->counts));
	if (!stacks->counts)
		return -ENOMEM;
	for (size_t i = 0; i < stacks->nr_traces; i++)
		stacks->counts[stacks->nr_counts++] = (struct stack_count){
			.id = stacks->traces[i].id,
			.count = 1,
			.trace = &stacks->traces[i],
		};
	return 0;
}

static int by_label(const void *a, const void *b)
{
	const struct stack_count *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return strcmp(x->label, y->label);
}

/* Without their keys, entries of one stack are one. */
static void merge_counts(struct stacks *stacks)
{
	size_t nr = 0;

	if (!stacks->nr_counts)
		return;
	qsort(stacks->counts, stacks->nr_counts, sizeof(*stacks->counts), by_label);
	for (size_t i = 1; i < stacks->nr_counts; i++) {
		if (by_label(&stacks->counts[nr], &stacks->counts[i]))
			stacks->counts[++nr] = stacks->counts[i];
		else
			stacks->counts[nr].count += stacks->counts[i].count;
	}
	stacks->nr_counts = nr + 1;
}

static int read_counts(const struct args *args, struct stacks *stacks, uint32_t index)
{
	struct counting counting = counting_of(args, stacks, &stacks->counts_info);
	const char *map = stacks->counts_info.name;
	int err;

	if (!counting.id.is_found)
		return fail("which part of the keys or values of '%s' is the id of a stack? "
			    "Say --id-member NAME", map);
	if (!counting.count.is_found)
		return fail("which part of the value of '%s' is the count? Say --count-member NAME",
			    map);
	err = each_entry(stacks->reader, index, on_count, &counting);
	if (!err && counting.id.is_in_value)
		merge_counts(stacks);
	return err ? fail_read(map, err) : EXIT_DONE;
}

int stacks_read(const struct args *args, const struct choice *choice, struct stacks *stacks)
{
	bool is_of_traces = is_traces(&choice->info);
	uint32_t traces = choice->index, counts = choice->index, nr = 1;
	int err = 0, code = EXIT_DONE;

	*stacks = (struct stacks){ .reader = choice->reader };
	(void)inlay_segment_btf(choice->reader, choice->info.object, &stacks->btf);
	if (!is_of_traces && !may_count(&choice->info))
		return fail("'%s' holds neither stacks nor counts of them", choice->info.name);
	if (!is_of_traces)
		err = find_other(args, stacks, choice->info.object, WANT_TRACES, &traces, &nr);
	if (!err && !nr)
		return fail("there is no map of stacks beside '%s'", choice->info.name);
	if (!err && nr > 1)
		return fail("there are %u maps of stacks beside '%s': say --stacks NAME", nr,
			    choice->info.name);
	if (!err)
		err = read_traces(stacks, traces);
	if (!err && is_of_traces)
		err = find_other(args, stacks, choice->info.object, WANT_COUNTS, &counts, &nr);
	stacks->has_counts = nr == 1;
	stacks->counts_info.sz = sizeof(stacks->counts_info);
	if (!err && stacks->has_counts)
		err = inlay_segment_map(stacks->reader, counts, &stacks->counts_info);
	if (!err && !stacks->has_counts)
		err = count_each_once(stacks);
	if (err)
		return fail_read(choice->info.name, err);
	if (stacks->has_counts)
		code = read_counts(args, stacks, counts);
	if (stacks->nr_counts)
		qsort(stacks->counts, stacks->nr_counts, sizeof(*stacks->counts), by_count);
	return code;
}

void stacks_fini(struct stacks *stacks)
{
	for (size_t i = 0; i < stacks->nr_traces; i++)
		free(stacks->traces[i].frames);
	for (size_t i = 0; i < stacks->nr_counts; i++)
		free(stacks->counts[i].key);
	free(stacks->traces);
	free(stacks->counts);
}
