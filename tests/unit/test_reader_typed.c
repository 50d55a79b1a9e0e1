/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as text and JSON. The JSON rows were taken from `bpftool map dump -j` of the same bytes and
 * types (v7.1 on Linux 6.18); tests/e2e/cli-bpftool.sh compares with the one that is installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/inlay/counters.h"
#include "cli/inlay/out.h"
#include "cli/inlay/slots.h"
#include "cli/inlay/typed.h"

struct inner {
	uint8_t a;
	int16_t b;
};

struct value {
	uint64_t slots[4];
	struct inner in[2];
	bool ok;
	int bf : 3;
	unsigned int bg : 13;
	uint64_t p;
	char c;
	signed char sc;
	unsigned char uc[4];
	int64_t big;
	char m2[2][4];
	int32_t color;
	unsigned __int128 wide;
};

static struct btf *btf;
static int id_u8, id_u64, id_i64, id_char, id_enum, id_value, id_u32, id_section, id_int;

static int setup(void **state)
{
	int s16, flag, schar, inner, ptr, wide, var;

	(void)state;
	btf = btf__new_empty();
	id_u8 = btf__add_int(btf, "__u8", 1, 0);
	s16 = btf__add_int(btf, "__s16", 2, BTF_INT_SIGNED);
	id_u32 = btf__add_int(btf, "__u32", 4, 0);
	id_int = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	id_u64 = btf__add_int(btf, "__u64", 8, 0);
	id_i64 = btf__add_int(btf, "long", 8, BTF_INT_SIGNED);
	id_char = btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	schar = btf__add_int(btf, "signed char", 1, BTF_INT_SIGNED);
	flag = btf__add_int(btf, "_Bool", 1, BTF_INT_BOOL);
	wide = btf__add_int(btf, "unsigned __int128", 16, 0);
	ptr = btf__add_ptr(btf, 0);
	id_enum = btf__add_enum(btf, "col", 4);
	btf__add_enum_value(btf, "RED", 0);
	btf__add_enum_value(btf, "GREEN", 5);
	btf__add_enum_value(btf, "NEG", -2);
	inner = btf__add_struct(btf, "inner", sizeof(struct inner));
	btf__add_field(btf, "a", id_u8, 0, 0);
	btf__add_field(btf, "b", s16, 16, 0);
	var = btf__add_array(btf, id_u32, id_char, 4);
	id_value = btf__type_cnt(btf) + 4;
	btf__add_array(btf, id_u32, id_u64, 4);
	btf__add_array(btf, id_u32, inner, 2);
	btf__add_array(btf, id_u32, id_u8, 4);
	btf__add_array(btf, id_u32, var, 2);
	id_value = btf__add_struct(btf, "value", sizeof(struct value));
#define FIELD(name, type) \
	btf__add_field(btf, #name, type, offsetof(struct value, name) * 8, 0)
	FIELD(slots, id_value - 4);
	FIELD(in, id_value - 3);
	FIELD(ok, flag);
	btf__add_field(btf, "bf", id_int, offsetof(struct value, ok) * 8 + 8, 3);
	btf__add_field(btf, "bg", id_u32, offsetof(struct value, ok) * 8 + 11, 13);
	FIELD(p, ptr);
	FIELD(c, id_char);
	FIELD(sc, schar);
	FIELD(uc, id_value - 2);
	FIELD(big, id_i64);
	FIELD(m2, id_value - 1);
	FIELD(color, id_enum);
	FIELD(wide, wide);
	var = btf__add_var(btf, "count", BTF_VAR_GLOBAL_ALLOCATED, id_u64);
	id_section = btf__add_var(btf, "lat_ns", BTF_VAR_GLOBAL_ALLOCATED, id_value - 4);
	id_section = btf__add_datasec(btf, ".bss", 40);
	btf__add_datasec_var_info(btf, var, 0, 8);
	btf__add_datasec_var_info(btf, var + 1, 8, 32);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	btf__free(btf);
	return 0;
}

static struct value sample(void)
{
	struct value v;

	memset(&v, 0, sizeof(v));
	v.slots[1] = 9;
	v.slots[3] = ~0ull;
	v.in[1] = (struct inner){ 200, -4 };
	v.ok = true;
	v.bf = -2;
	v.bg = 77;
	v.p = 0x1234;
	v.c = 'Q';
	v.sc = -1;
	v.uc[0] = 255;
	v.big = -5;
	v.m2[0][0] = 'x';
	memcpy(v.m2[1], "abcd", 4);
	v.color = -2;
	v.wide = 5;
	return v;
}

/* json_print() writes to stdout: its work is repeated here for comparison */
static void check_json(int id, const void *data, size_t size, const char *want)
{
	json_t *json = typed_json(btf, (uint32_t)id, data, size);
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

	assert_string_equal(text, want);
	free(text);
	json_decref(json);
}

static void check_text(int id, const void *data, size_t size, unsigned int columns,
		       const char *want)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	typed_text(out, btf, (uint32_t)id, data, size, columns, 0);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static void test_json(void **state)
{
	struct value v = sample();
	int32_t number = 77;
	uint64_t small = 12;

	(void)state;
	v.slots[3] = 3;
	check_json(id_value, &v, sizeof(v),
		   "{\"slots\":[0,9,0,3],\"in\":[{\"a\":0,\"b\":0},{\"a\":200,\"b\":-4}],"
		   "\"ok\":true,\"bf\":\"0x6\",\"bg\":\"0x4d\",\"p\":4660,\"c\":81,\"sc\":-1,"
		   "\"uc\":[255,0,0,0],\"big\":-5,\"m2\":[\"x\",[97,98,99,100]],\"color\":\"NEG\","
		   "\"wide\":\"0x5\"}");
	/* as bpftool: text up to its end, whatever is behind it, if it has one and can be printed */
	memcpy(v.m2, "x\0y\1" "\tb\0", 8);
	check_json(id_value, &v, sizeof(v),
		   "{\"slots\":[0,9,0,3],\"in\":[{\"a\":0,\"b\":0},{\"a\":200,\"b\":-4}],"
		   "\"ok\":true,\"bf\":\"0x6\",\"bg\":\"0x4d\",\"p\":4660,\"c\":81,\"sc\":-1,"
		   "\"uc\":[255,0,0,0],\"big\":-5,\"m2\":[\"x\",[9,98,0,0]],\"color\":\"NEG\","
		   "\"wide\":\"0x5\"}");
	check_json(id_enum, &number, sizeof(number), "77");
	check_json(id_u64, &small, sizeof(small), "12");
	/* a value that is shorter than its type says */
	check_json(id_u64, &small, 4, "null");
}

static void test_json_section(void **state)
{
	uint64_t data[5] = { 3, 1, 2, 0, 4 };

	(void)state;
	check_json(id_section, data, sizeof(data),
		   "{\".bss\":[{\"count\":3},{\"lat_ns\":[1,2,0,4]}]}");
}

static void test_text(void **state)
{
	struct value v = sample();
	uint64_t section[5] = { 3, 7, 7, 7, 7 };

	(void)state;
	check_text(id_value, &v, sizeof(v), 0,
		   "{ .slots = [0, 9, 0, 18446744073709551615], .in = [{ .a = 0, .b = 0 }, "
		   "{ .a = 200, .b = -4 }], .ok = true, .bf = -2, .bg = 77, .p = 0x1234, .c = 'Q', "
		   ".sc = -1, .uc = [255, 0, 0, 0], .big = -5, .m2 = [\"x\", \"abcd\"], "
		   ".color = NEG, .wide = 5 }");
	check_text(id_section, section, sizeof(section), 80, "count = 3\nlat_ns = [7 <4 times>]");
	check_text(0, "\x01\xff", 2, 80, "01 ff");
}

/* What does not fit on a line gets one for each member. */
static void test_text_long(void **state)
{
	struct value v = sample();
	char *text = NULL, *line;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	(void)state;
	typed_text(out, btf, (uint32_t)id_value, &v, sizeof(v), 60, 0);
	fclose(out);
	assert_non_null(strstr(text, "{\n    .slots = [0, 9, 0, 18446744073709551615],\n"));
	assert_non_null(strstr(text, "\n    .wide = 5,\n}"));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 64);
	free(text);
}

static void test_names(void **state)
{
	char name[64];

	(void)state;
	assert_string_equal(typed_name(btf, (uint32_t)id_u64, name, sizeof(name)), "u64");
	assert_string_equal(typed_name(btf, (uint32_t)id_value, name, sizeof(name)),
			    "struct value");
	assert_string_equal(typed_name(btf, (uint32_t)id_value - 3, name, sizeof(name)),
			    "struct inner[2]");
	assert_string_equal(typed_name(NULL, 0, name, sizeof(name)), "");
}

static void test_slots(void **state)
{
	struct slots found[4];
	struct value v = sample();
	uint64_t section[5] = { 3, 1, 2, 0, 4 };

	(void)state;
	assert_int_equal(slots_find(btf, (uint32_t)id_value, found, 4), 1);
	assert_int_equal(found[0].nr, 4);
	assert_int_equal(slots_get(&found[0], 1, &v, sizeof(v)), 9);
	assert_int_equal(slots_get(&found[0], 1, &v, 12), 0);
	assert_int_equal(slots_find(btf, (uint32_t)id_section, found, 4), 1);
	assert_string_equal(found[0].label, "lat_ns");
	assert_int_equal(slots_get(&found[0], 3, section, sizeof(section)), 4);
	assert_int_equal(slots_find(btf, (uint32_t)id_u64, found, 4), 0);
	assert_int_equal(slots_find(NULL, 0, found, 4), 0);
}

static void test_counters(void **state)
{
	static struct counter found[COUNTERS_MAX];
	uint64_t section[5] = { 3, 1, 2, 0, 4 };

	(void)state;
	assert_int_equal(counters_find(btf, (uint32_t)id_section, 40, found), 2);
	assert_string_equal(found[0].label, "count");
	assert_int_equal(counter_get(&found[0], section, sizeof(section)), 3);
	assert_string_equal(found[1].label, "lat_ns");
	assert_int_equal(counter_get(&found[1], section, sizeof(section)), 7);
	assert_int_equal(counters_find(NULL, 0, 8, found), 1);
	assert_int_equal(counter_get(&found[0], section, 8), 3);
	assert_int_equal(counters_find(NULL, 0, 12, found), 0);
}

/* Nothing that a target writes may move a cursor, set a title or hide text. */
static void test_escape(void **state)
{
	static const struct {
		const char *raw, *safe;
	} rows[] = {
		{ "plain text", "plain text" },
		{ "a\nb\tc", "a\\nb\\tc" },
		{ "\033]0;title\007", "\\x1b]0;title\\a" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "\xc3(", "\\xc3(" },
		{ "\xc2\x9b" "2J", "\\xc2\\x9b2J" },
		{ "\xe2\x80\xae" "evil", "\\xe2\\x80\\xaeevil" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xc0\xaf", "\\xc0\\xaf" },
	};
	char safe[64], tiny[8];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(escape(rows[i].raw, safe, sizeof(safe)), rows[i].safe);
	assert_string_equal(escape("a long name", tiny, sizeof(tiny)), "a lo...");
}

static void test_numbers(void **state)
{
	char text[40];

	(void)state;
	assert_string_equal(format_count(0, text, sizeof(text)), "0");
	assert_string_equal(format_count(1234567, text, sizeof(text)), "1,234,567");
	assert_string_equal(format_count(~0ull, text, sizeof(text)),
			    "18,446,744,073,709,551,615");
	assert_string_equal(format_ns(999, text, sizeof(text)), "999 ns");
	assert_string_equal(format_ns(1024, text, sizeof(text)), "1.02 us");
	assert_string_equal(format_ns(5e9, text, sizeof(text)), "5 s");
	assert_string_equal(format_bytes(65536, text, sizeof(text)), "64.0 KiB");
}

static void test_json_text(void **state)
{
	json_t *json = json_text("a\xff\xef\xa3\xbf""1");

	(void)state;
	assert_string_equal(json_string_value(json), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd""1");
	json_decref(json);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_json), TEST(test_json_section), TEST(test_text), TEST(test_text_long),
		TEST(test_names), TEST(test_slots), TEST(test_counters),
		cmocka_unit_test(test_escape), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_json_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
