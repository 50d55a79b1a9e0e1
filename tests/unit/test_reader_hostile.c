/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A segment whose writer is hostile: every field of every structure is damaged, one or a few at a
 * time, and everything that the library and the printers do is done to the result. Nothing may crash,
 * hang or read outside; run under ASan and UBSan too.
 */
#include "reader_fixture.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

#include <jansson.h>

#include "cli/inlay/counters.h"
#include "cli/inlay/slots.h"
#include "cli/inlay/typed.h"

enum { ROUNDS = 6000, BTF_ROUNDS = 6000 };

static struct image image;
static FILE *nowhere;

static uint64_t next_random(void)
{
	static uint64_t state = 0x243f6a8885a308d3ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dull;
}

/* ---- Everything that is done to a segment ------------------------------------------------ */

static void print_value(const struct btf *btf, uint32_t type, const void *data, size_t size)
{
	typed_text(nowhere, btf, type, data, size, 80, 0);
	json_decref(typed_json(btf, type, data, size));
}

static void read_map(struct inlay_reader *reader, uint32_t index)
{
	struct inlay_map_info info = INLAY_SIZED(inlay_map_info);
	static struct counter counters[COUNTERS_MAX];
	static struct slots slots[16];
	const struct inlay_map_entry *entry;
	struct inlay_map_iter *iter;
	const struct btf *btf = NULL;
	struct inlay_map *map;
	size_t nr, nr_slots;
	char name[160];

	if (inlay_segment_map(reader, index, &info) || inlay_map_open(reader, index, &map))
		return;
	(void)inlay_segment_btf(reader, info.object, &btf);
	nr = counters_find(btf, info.btf_value_type_id, info.value_size, counters);
	nr_slots = slots_find(btf, info.btf_value_type_id, slots, 16);
	typed_name(btf, info.btf_value_type_id, name, sizeof(name));
	if (!inlay_map_iter_new(map, &iter)) {
		for (int i = 0; i < 64 && !inlay_map_iter_next(iter, &entry); i++) {
			/* what the pointers of an entry promise is there: ASan watches */
			for (uint32_t k = 0; k < entry->nr_shards && k < 4; k++)
				print_value(btf, info.btf_value_type_id,
					    (const char *)entry->shards +
						    k * (size_t)entry->value_stride,
					    info.value_size);
			print_value(btf, info.btf_key_type_id, entry->key, info.key_size);
			for (size_t k = 0; k < nr; k++)
				counter_get(&counters[k], entry->value, info.value_size);
			for (size_t k = 0; k < nr_slots; k++)
				slots_get(&slots[k], 0, entry->value, info.value_size);
		}
		inlay_map_iter_free(iter);
	}
	if (info.key_size <= 512 && info.value_size <= 1 << 16) {
		char key[512] = { 1 }, *value = malloc(info.value_size);

		assert_non_null(value);
		inlay_map_get(map, key, value);
		free(value);
	}
	inlay_map_close(map);
}

/* Returns whether the segment could be opened. */
static bool read_all(void)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	struct inlay_object_info object = INLAY_SIZED(inlay_object_info);
	struct inlay_trace_line line = INLAY_SIZED(inlay_trace_line);
	struct inlay_prog_info prog = INLAY_SIZED(inlay_prog_info);
	char reason[256] = "";
	struct inlay_segment_opts opts = image_opts(&image, reason, sizeof(reason));
	struct inlay_reader *reader;
	uint64_t cursor = 0;
	int err;

	opts.is_writable = true;
	err = inlay_segment_open("kv.4242.777", &opts, &reader);
	if (err) {
		assert_true(*reason);
		return false;
	}
	assert_int_equal(inlay_segment_info(reader, &info), 0);
	assert_int_equal(info.comm[16], 0);
	assert_int_equal(info.exe[256], 0);
	for (uint32_t i = 0; i < info.nr_objects; i++)
		inlay_segment_object(reader, i, &object);
	for (uint32_t i = 0; i < info.nr_progs; i++) {
		inlay_segment_prog(reader, i, &prog);
		/* the one write: it must land in a control block or nowhere */
		inlay_segment_prog_switch(reader, i, true);
	}
	for (uint32_t i = 0; i < info.nr_maps; i++)
		read_map(reader, i);
	for (int i = 0; i < INLAY_TRACE_RECORDS + 1; i++)
		if (inlay_segment_trace(reader, &cursor, &line))
			break;
	inlay_segment_close(reader);
	return true;
}

/* ---- Damage ----------------------------------------------------------------------------- */

static const uint64_t corners[] = {
	0, 1, 7, 8, 0x7f, 0xff, 0x100, 0xfff, 0x1000, 0xffff, 1 << 20, 1 << 30, 0x7fffffff,
	0x80000000, 0xfffffff8, 0xffffffff, 0x100000000, 1ull << 62, INT64_MAX, 1ull << 63,
	~0ull - 4095, ~0ull - 7, ~0ull,
};

static void damage(char *at, uint64_t bytes)
{
	static const uint32_t widths[] = { 1, 2, 4, 8 };
	uint32_t width = widths[next_random() % 4];
	uint64_t off = next_random() % bytes / width * width, word;

	if (off + sizeof(word) > bytes)
		return;
	memcpy(&word, at + off, sizeof(word));
	switch (next_random() % 4) {
	case 0:
		word ^= 1ull << next_random() % 64;
		break;
	case 1:
		word = next_random();
		break;
	case 2:
		word += next_random() % 17 - 8;
		break;
	default:
		word = corners[next_random() % (sizeof(corners) / sizeof(corners[0]))];
		break;
	}
	memcpy(at + off, &word, width);
}

/* The parts that a reader interprets; damage elsewhere would rarely matter. */
static void damage_somewhere(uint64_t header_bytes)
{
	const struct {
		uint64_t off, bytes;
	} parts[] = {
		{ 0, sizeof(struct inlay_segment) },
		{ sizeof(struct inlay_segment), 2 * sizeof(struct inlay_seg_object) },
		{ 0, header_bytes },
		{ 0, header_bytes },
		{ image.conns_off, INLAY_PAGE_BYTES },
		{ image.btf_off, image.btf_bytes },
		{ 0, image.used },
	};
	size_t part = next_random() % (sizeof(parts) / sizeof(parts[0]));

	damage(image.bytes + parts[part].off, parts[part].bytes);
}

static void test_every_part(void **state)
{
	char *sound = malloc(IMAGE_BYTES);
	uint64_t used = image.used, header_bytes = image.head->header_bytes;
	int nr_opened = 0;

	(void)state;
	assert_non_null(sound);
	memcpy(sound, image.bytes, IMAGE_BYTES);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t nr = next_random() % 4 + 1;
		int fd;

		memcpy(image.bytes, sound, IMAGE_BYTES);
		for (uint64_t k = 0; k < nr; k++)
			damage_somewhere(header_bytes);
		/* not image_write(): total_bytes is damaged too */
		fd = open(image.path, O_WRONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, image.bytes, used), (ssize_t)used);
		close(fd);
		nr_opened += read_all();
	}
	/* the damage is not so heavy that nothing behind the header is tested */
	assert_true(nr_opened > ROUNDS / 4);
	memcpy(image.bytes, sound, IMAGE_BYTES);
	free(sound);
}

static void test_types(void **state)
{
	char *types = malloc(image.btf_bytes);
	int nr_read = 0;

	(void)state;
	assert_non_null(types);
	memcpy(types, image.bytes + image.btf_off, image.btf_bytes);
	for (int i = 0; i < BTF_ROUNDS; i++) {
		char *at = image.bytes + image.btf_off;
		struct inlay_segment_opts opts = image_opts(&image, NULL, 0);
		struct inlay_reader *reader;
		const struct btf *btf = NULL;
		int fd;

		memcpy(at, types, image.btf_bytes);
		for (uint64_t k = next_random() % 2 + 1; k; k--) {
			uint64_t off = sizeof(struct btf_header) +
				       next_random() % (image.btf_bytes - sizeof(struct btf_header));

			at[off] = next_random() % 3 ? (char)(next_random() % 24) :
						      (char)next_random();
		}
		fd = open(image.path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(pwrite(fd, at, image.btf_bytes, (off_t)image.btf_off),
				 (ssize_t)image.btf_bytes);
		close(fd);
		assert_int_equal(inlay_segment_open("kv.4242.777", &opts, &reader), 0);
		nr_read += !inlay_segment_btf(reader, 0, &btf);
		for (uint32_t k = 0; k < NR_MAPS; k++)
			read_map(reader, k);
		inlay_segment_close(reader);
	}
	assert_true(nr_read > BTF_ROUNDS / 10);
	free(types);
}

/* A union in a union in a union ... describes one byte 2^40 times: printing it must end soon. */
static void test_exponential_type(void **state)
{
	struct btf *btf = btf__new_empty();
	int id = btf__add_int(btf, "u8", 1, 0);
	struct timespec start, end;
	char byte = 1, sum = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "u%d", i);
		if (i & 1) {
			int u = btf__add_union(btf, name, 1);

			btf__add_field(btf, "a", id, 0, 0);
			btf__add_field(btf, "b", id, 0, 0);
			id = u;
		} else {
			int s = btf__add_struct(btf, name, 1);

			btf__add_field(btf, "a", id, 0, 0);
			btf__add_field(btf, "b", id, 0, 0);
			id = s;
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	print_value(btf, (uint32_t)id, &byte, 1);
	inlay_value_sum(btf, (uint32_t)id, &sum, &byte, 1);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - start.tv_sec < 2);
	btf__free(btf);
}

/* A struct that contains itself is refused before libbpf's resolvers see it. */
static void test_endless_type(void **state)
{
	struct btf_header *header = (void *)(image.bytes + image.btf_off);
	struct inlay_segment_opts opts = image_opts(&image, NULL, 0);
	struct inlay_reader *reader;
	const struct btf *btf;
	struct {
		struct btf_type type;
		struct btf_member member;
	} *self;

	(void)state;
	self = (void *)((char *)(header + 1) + header->type_off);
	memset(self, 0, header->type_len);
	header->type_len = sizeof(*self);
	header->str_off = header->type_len;
	((char *)(header + 1))[header->str_off] = 0;
	header->str_len = 1;
	self->type.info = BTF_KIND_STRUCT << 24 | 1;
	self->type.size = 8;
	self->member.type = 1;
	((struct inlay_seg_object *)image_row(&image, &image.head->objects, 0))->btf_bytes =
		sizeof(*header) + sizeof(*self) + 1;
	image_write(&image);
	assert_int_equal(inlay_segment_open("kv.4242.777", &opts, &reader), 0);
	assert_int_equal(inlay_segment_btf(reader, 0, &btf), -EBADMSG);
	inlay_segment_close(reader);
}

static int setup(void **state)
{
	(void)state;
	image_init(&image);
	nowhere = fopen("/dev/null", "w");
	assert_non_null(nowhere);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	image_fini(&image);
	fclose(nowhere);
	return 0;
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_every_part), TEST(test_types), TEST(test_exponential_type),
		TEST(test_endless_type),
	};
	struct rlimit memory = { 1u << 30, 1u << 30 };

	/* A number in a segment must not make the reader take any memory (ASan needs its own). */
#ifndef __SANITIZE_ADDRESS__
#if !__has_feature(address_sanitizer)
	setrlimit(RLIMIT_AS, &memory);
#endif
#endif
	(void)memory;
	libbpf_set_print(silent);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
