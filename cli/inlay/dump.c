/* SPDX-License-Identifier: BSD-2-Clause */
/* `inlay dump`: every entry of a map. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/addresses.h"
#include "cli/inlay/cli.h"
#include "cli/inlay/keys.h"
#include "cli/inlay/out.h"
#include "cli/inlay/typed.h"

struct dump {
	const struct args *args;
	struct choice choice;
	struct inlay_map *map;
	const struct btf *btf;
	struct keys *keys;
	struct addresses *addresses;	/* the values are stacks; else NULL */
	json_t *json;
	uint64_t nr;
	/* a run of zero entries of an array, which is folded */
	uint32_t zero_first, zero_last, nr_zero;
};

static bool is_percpu(const struct inlay_map_info *info)
{
	return info->type == INLAY_MAP_TYPE_PERCPU_ARRAY ||
	       inlay_map_is_percpu_hash(info->type);
}

static bool is_array(const struct inlay_map_info *info)
{
	return info->type == INLAY_MAP_TYPE_ARRAY || info->type == INLAY_MAP_TYPE_PERCPU_ARRAY;
}

/* Data sections have no key type: bpftool then shows no key. */
static bool has_key(const struct inlay_map_info *info)
{
	return info->btf_key_type_id != 0;
}

/* Entries of a map of maps are numbers of maps, 0: none. */
static bool is_outer(const struct inlay_map_info *info)
{
	return (info->type == INLAY_MAP_TYPE_ARRAY_OF_MAPS ||
		info->type == INLAY_MAP_TYPE_HASH_OF_MAPS) && info->value_size == sizeof(uint32_t);
}

/* The inner map that an entry names by its number; NULL: there is none. */
static const char *inner_name(const struct dump *dump, const void *value,
			      struct inlay_map_info *inner)
{
	struct inlay_object_info object = INLAY_SIZED(inlay_object_info);
	const struct inlay_map_info *info = &dump->choice.info;
	uint32_t number;

	if (!is_outer(info))
		return NULL;
	memcpy(&number, value, sizeof(number));
	*inner = (struct inlay_map_info)INLAY_SIZED(inlay_map_info);
	if (inlay_segment_object(dump->choice.reader, info->object, &object) || !number ||
	    number > object.nr_maps ||
	    inlay_segment_map(dump->choice.reader, object.first_map + number - 1, inner))
		return NULL;
	return inner->name;
}

/* Where an arena's page is for programs. */
static uint64_t page_address(const struct inlay_map_info *info, const struct inlay_map_entry *entry)
{
	uint32_t page;

	memcpy(&page, entry->key, sizeof(page));
	return info->address + (uint64_t)page * INLAY_PAGE_BYTES;
}

/* ---- JSON, bpftool's shape -------------------------------------------------------------- */

static json_t *shards_json(const struct dump *dump, const struct inlay_map_entry *entry,
			   bool is_formatted)
{
	const struct inlay_map_info *info = &dump->choice.info;
	json_t *array = json_array();

	for (uint32_t i = 0; i < entry->nr_shards; i++) {
		const char *value = (const char *)entry->shards + i * (size_t)entry->value_stride;
		json_t *one = json_object();

		json_object_set_new(one, "cpu", json_integer(i));
		json_object_set_new(one, "value",
				    is_formatted ? typed_json(dump->btf, info->btf_value_type_id,
							      value, info->value_size) :
						   bytes_json(value, info->value_size));
		json_array_append_new(array, one);
	}
	return array;
}

static int entry_json(struct dump *dump, const struct inlay_map_entry *entry)
{
	const struct inlay_map_info *info = &dump->choice.info;
	const char *name = is_percpu(info) ? "values" : "value";
	json_t *json = json_object(), *formatted;
	struct inlay_map_info inner;
	const char *inner_map;
	char symbol[256];

	/* of a queue or a stack the place is the key; bpftool does not dump them */
	json_object_set_new(json, "key",
			    bytes_json(entry->key, info->key_size ? info->key_size : 4));
	json_object_set_new(json, name,
			    is_percpu(info) ? shards_json(dump, entry, false) :
					      bytes_json(entry->value, info->value_size));
	if (dump->btf && info->btf_value_type_id) {
		formatted = json_object();
		if (has_key(info))
			json_object_set_new(formatted, "key",
					    typed_json(dump->btf, info->btf_key_type_id,
						       entry->key, info->key_size));
		json_object_set_new(formatted, name,
				    is_percpu(info) ? shards_json(dump, entry, true) :
						      typed_json(dump->btf,
								 info->btf_value_type_id,
								 entry->value, info->value_size));
		json_object_set_new(json, "formatted", formatted);
	}
	inner_map = inner_name(dump, entry->value, &inner);
	if (is_outer(info))
		json_object_set_new(json, "inner", inner_map ? json_text(inner_map) : json_null());
	if (info->type == INLAY_MAP_TYPE_ARENA)
		json_object_set_new(json, "address", json_integer((json_int_t)page_address(info, entry)));
	if (dump->addresses)
		json_object_set_new(json, "stack", addresses_json(dump->addresses, entry->value));
	if (dump->args->sym > 0 &&
	    keys_symbol(dump->keys, entry->key, symbol, sizeof(symbol)))
		json_object_set_new(json, "symbol", json_text(symbol));
	return json_array_append_new(dump->json, json) ? -ENOMEM : 0;
}

/* ---- Text ------------------------------------------------------------------------------- */

static bool is_zero(const struct inlay_map_entry *entry, uint32_t size)
{
	const char *bytes = entry->value;

	return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

static void flush_zeroes(struct dump *dump)
{
	if (dump->nr_zero == 1)
		printf("%s%u: 0%s\n", paint(PAINT_DIM), dump->zero_first, paint(PAINT_NONE));
	else if (dump->nr_zero)
		printf("%s%u .. %u: 0%s\n", paint(PAINT_DIM), dump->zero_first, dump->zero_last,
		       paint(PAINT_NONE));
	dump->nr_zero = 0;
}

static void put_value(const struct dump *dump, const void *value, int indent)
{
	const struct inlay_map_info *info = &dump->choice.info;
	char safe[4 * INLAY_NAME_BYTES];
	struct inlay_map_info inner;
	const char *name = inner_name(dump, value, &inner);

	if (name || is_outer(info)) {
		puts(name ? escape(name, safe, sizeof(safe)) : "none");
		return;
	}
	if (dump->addresses) {
		addresses_put(dump->addresses, stdout, value);
		return;
	}
	typed_text(stdout, dump->btf, info->btf_value_type_id, value, info->value_size,
		   out_columns() - 12, indent);
	putchar('\n');
}

/* A page as lines of 16 bytes, without those of zeros. */
static void put_page(const struct dump *dump, const struct inlay_map_entry *entry)
{
	static const unsigned char zeros[16];
	const unsigned char *bytes = entry->value;

	printf("%s0x%llx:%s\n", paint(PAINT_NAME),
	       (unsigned long long)page_address(&dump->choice.info, entry), paint(PAINT_NONE));
	for (uint32_t at = 0; at < INLAY_PAGE_BYTES; at += sizeof(zeros)) {
		if (!dump->args->is_all && !memcmp(bytes + at, zeros, sizeof(zeros)))
			continue;
		printf("    %s+0x%03x:%s", paint(PAINT_DIM), at, paint(PAINT_NONE));
		for (uint32_t i = 0; i < sizeof(zeros); i++)
			printf("%s%02x", i % 8 ? " " : "  ", bytes[at + i]);
		putchar('\n');
	}
}

static int entry_text(struct dump *dump, const struct inlay_map_entry *entry)
{
	const struct inlay_map_info *info = &dump->choice.info;
	uint32_t index;

	if (info->type == INLAY_MAP_TYPE_ARENA) {
		put_page(dump, entry);
		return 0;
	}

	if (is_array(info) && !dump->args->is_all && info->max_entries > 1 &&
	    is_zero(entry, info->value_size)) {
		memcpy(&index, entry->key, sizeof(index));
		if (!dump->nr_zero++)
			dump->zero_first = index;
		dump->zero_last = index;
		return 0;
	}
	flush_zeroes(dump);
	if (!(info->flags & (INLAY_MAP_GLOBAL | INLAY_MAP_RODATA))) {
		fputs(paint(PAINT_NAME), stdout);
		if (dump->addresses && info->key_size == sizeof(index)) {
			memcpy(&index, entry->key, sizeof(index));
			printf("%u", index);
		} else if (info->key_size)
			keys_put(dump->keys, stdout, entry->key);
		else
			printf("%u", (unsigned int)dump->nr - 1);
		printf("%s:%s", paint(PAINT_NONE),
		       dump->addresses && dump->args->sym > 0 ? "" : " ");
	}
	put_value(dump, entry->value, 0);
	for (uint32_t i = 0; dump->args->is_threads && entry->tids && i < entry->nr_shards; i++) {
		if (entry->tids[i])
			printf("    %sthread %u:%s ", paint(PAINT_DIM), entry->tids[i],
			       paint(PAINT_NONE));
		else
			printf("    %sended threads:%s ", paint(PAINT_DIM), paint(PAINT_NONE));
		put_value(dump, (const char *)entry->shards + i * (size_t)entry->value_stride, 1);
	}
	return 0;
}

static int dump_entries(struct dump *dump)
{
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	int err = inlay_map_iter_new(dump->map, &iter);

	if (err)
		return err;
	while (!err && !(err = inlay_map_iter_next(iter, &entry))) {
		/* bpftool leaves these out, too */
		if (is_outer(&dump->choice.info) && !dump->args->is_all &&
		    is_zero(entry, dump->choice.info.value_size))
			continue;
		dump->nr++;
		err = dump->json ? entry_json(dump, entry) : entry_text(dump, entry);
	}
	inlay_map_iter_free(iter);
	return err == -ENOENT ? 0 : err;
}

int cmd_dump(const struct args *args)
{
	struct dump dump = { .args = args };
	int code = choice_open(args, args->words[0], &dump.choice), err;

	if (code)
		return code;
	(void)inlay_segment_btf(dump.choice.reader, dump.choice.info.object, &dump.btf);
	dump.json = args->is_json ? json_array() : NULL;
	err = inlay_map_open(dump.choice.reader, dump.choice.index, &dump.map);
	if (!err)
		err = keys_new(args, dump.choice.reader, dump.map, &dump.keys);
	if (!err && dump.choice.info.type == INLAY_MAP_TYPE_STACK_TRACE)
		err = addresses_new(args, dump.choice.reader, &dump.choice.info, &dump.addresses);
	if (!err)
		err = dump_entries(&dump);
	if (!dump.json)
		flush_zeroes(&dump);
	if (!err && !dump.nr && !dump.json)
		puts("no entries");
	if (err) {
		code = fail_read(args->words[0], err);
		json_decref(dump.json);
	} else if (dump.json) {
		code = json_print(dump.json);
	}
	keys_free(dump.keys);
	addresses_free(dump.addresses);
	inlay_map_close(dump.map);
	choice_close(&dump.choice);
	return code;
}
