/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loader makes of bpfcc_probe.bpf.c, and --set, --map and --attach on it.
 */
#include "bpfcc_fixture.h"

#include <pthread.h>

#include "bpfcc/isa.h"

static struct messages messages;

/* Opens the probe with up to one option of each kind; NULL if refused, with the messages kept. */
static struct inlay_bpfcc_object *open_with(const char *set, const char *map, const char *attach)
{
	struct inlay_bpfcc_opts opts = {.sz = sizeof(opts),
					.on_message = keep_message,
					.on_message_arg = &messages,
					.sets = &set, .nr_sets = set != NULL,
					.maps = &map, .nr_maps = map != NULL,
					.attaches = &attach, .nr_attaches = attach != NULL};
	struct inlay_bpfcc_object *object;

	memset(&messages, 0, sizeof(messages));
	if (inlay_bpfcc_object_open(BPFCC_PROBE, NULL, 0, &opts, &object))
		return NULL;
	return object;
}

static const struct bpfcc_map *find_map(const struct bpfcc_object *o, const char *name)
{
	for (uint32_t i = 0; i < o->nr_maps; i++)
		if (!strcmp(o->maps[i].name, name))
			return &o->maps[i];
	return NULL;
}

static void test_object(void **unused)
{
	struct inlay_bpfcc_object *object = open_with(NULL, NULL, NULL);
	const struct bpfcc_object *o;
	const struct bpfcc_map *m;

	(void)unused;
	if (!object)
		fail_msg("%s", messages.text);
	o = inlay_bpfcc_object_data(object);
	assert_string_equal(o->name, "bpfcc_probe");
	assert_string_equal(o->license, "Dual BSD/GPL");
	assert_true(o->is_gpl_compatible);
	assert_int_equal(o->nr_progs, 3);
	assert_int_equal(o->nr_kernel_progs, 1);
	assert_int_equal(o->nr_funcs, 5);

	assert_string_equal(o->progs[0].name, "on_handle");
	assert_string_equal(o->progs[0].path, "server");
	assert_string_equal(o->progs[0].function, "handle");
	assert_int_equal(o->progs[0].kind, INLAY_PROG_ENTRY);
	assert_int_equal(o->progs[0].flags, 0);
	assert_int_equal(o->progs[1].kind, INLAY_PROG_RETURN);
	assert_int_equal(o->progs[1].flags,
			 BPFCC_PROG_LATE | BPFCC_PROG_SWITCHED | BPFCC_PROG_SWITCHED_ON);
	assert_null(o->progs[1].function);
	assert_int_equal(o->progs[2].flags, BPFCC_PROG_MULTI);
	assert_null(o->progs[2].path);

	/* the companion's ring buffer is not there, and what only it uses is not either */
	assert_null(find_map(o, "events"));
	m = find_map(o, "counts");
	assert_non_null(m);
	assert_int_equal(m->type, BPF_MAP_TYPE_ARRAY);
	assert_int_equal(m->max_entries, 4);
	assert_true(m->btf_key_type_id && m->btf_value_type_id);
	m = find_map(o, "per_thread");
	assert_int_equal(m->flags, INLAY_MAP_PERCPU | INLAY_MAP_HASH);
	m = find_map(o, ".bss");
	assert_int_equal(m->flags, INLAY_MAP_GLOBAL);
	assert_null(m->data);
	assert_int_equal(m->value_size, 40);
	m = find_map(o, ".data");
	assert_int_equal(*(const long *)m->data, 5);
	m = find_map(o, ".data.mine");
	assert_int_equal(*(const int *)m->data, 3);
	m = find_map(o, ".rodata");
	assert_int_equal(m->flags, INLAY_MAP_RODATA);
	for (uint32_t i = 0; i < o->nr_maps; i++)
		assert_int_equal(o->maps[i].index, i);
	inlay_bpfcc_object_free(object);
}

/* Every reference has the form that object.h describes. */
static void test_references(void **unused)
{
	struct inlay_bpfcc_object *object = open_with(NULL, NULL, NULL);
	const struct bpfcc_object *o = inlay_bpfcc_object_data(object);
	const struct bpfcc_func *f = o->progs[0].func;
	bool has_di = false, has_si = false, has_lines = false;
	unsigned int nr_subprograms = 0, nr_poisons = 0;

	(void)unused;
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		const struct bpf_insn *in = &f->insns[i];

		/* of struct pt_regs___probe, where they are at 0 and 8 */
		has_di |= in->code == (BPF_LDX | BPF_MEM | BPF_DW) && in->off == 112;
		has_si |= in->code == (BPF_LDX | BPF_MEM | BPF_DW) && in->off == 104;
		has_lines |= f->line_nrs[i] && strstr(f->line_files[i], "bpfcc_probe.bpf.c") &&
			     strstr(f->line_texts[i], "by_low_bits[regs->si & 3]++");
		if (bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_CALL) {
			assert_in_range(in->imm, 3, 4);
			nr_subprograms++;
		} else if (bpfcc_insn_is_call(in)) {
			assert_int_equal(in->src_reg, 0);
			nr_poisons += in->imm >= BPFCC_POISON;
		} else if (bpfcc_insn_is_lddw(in)) {
			if (in->src_reg)
				assert_in_range(in->imm, 0, o->nr_maps - 1);
			if (in->src_reg == BPF_PSEUDO_MAP_VALUE)
				assert_in_range(in[1].imm, 0, o->maps[in->imm].value_size - 1);
			i++;
		}
	}
	assert_true(has_di && has_si && has_lines);
	assert_int_equal(nr_subprograms, 2);
	/* the weak function that does not exist: in code that never runs */
	assert_int_equal(nr_poisons, 1);
	inlay_bpfcc_object_free(object);
}

/* `bytes` of a variable at its place; clang lays .rodata out in the order of definition. */
struct set_row {
	const char *set;
	const char *problem;	/* NULL: accepted */
	const char *map;
	uint32_t offset, bytes;
	uint64_t value;
};

static void test_set(void **unused)
{
	static const struct set_row rows[] = {
		{"threshold=20", NULL, ".rodata", 0, 4, 20},
		{"threshold=-20", NULL, ".rodata", 0, 4, 0xffffffec},
		{"threshold=0x10", NULL, ".rodata", 0, 4, 16},
		{"threshold=2147483647", NULL, ".rodata", 0, 4, 2147483647},
		{"threshold=2147483648", "above", NULL, 0, 0, 0},
		{"threshold=-2147483648", NULL, ".rodata", 0, 4, 0x80000000},
		{"threshold=-2147483649", "below", NULL, 0, 0, 0},
		{"threshold=", "no number", NULL, 0, 0, 0},
		{"threshold=1x", "no number", NULL, 0, 0, 0},
		{"threshold=- 1", "no number", NULL, 0, 0, 0},
		{"threshold=99999999999999999999", "no number", NULL, 0, 0, 0},
		{"threshold='a'", NULL, ".rodata", 0, 4, 'a'},
		{"threshold='\\n'", NULL, ".rodata", 0, 4, '\n'},
		{"threshold='ab'", "no number", NULL, 0, 0, 0},
		{"is_enabled=false", NULL, ".rodata", 4, 1, 0},
		{"is_enabled=1", NULL, ".rodata", 4, 1, 1},
		{"is_enabled=2", "above", NULL, 0, 0, 0},
		{"mode=MODE_OFF", NULL, ".rodata", 8, 4, 0},
		{"mode=MODE_LOW", NULL, ".rodata", 8, 4, 0xfffffffd},
		{"mode=3", NULL, ".rodata", 8, 4, 3},
		{"mode=MODE_NONE", "no such name", NULL, 0, 0, 0},
		{"pattern=xyz", NULL, ".rodata", 12, 8, 'x' | 'y' << 8 | 'z' << 16},
		{"pattern=\"xy\"", NULL, ".rodata", 12, 8, 'x' | 'y' << 8},
		{"pattern=1234567", NULL, ".rodata", 12, 8, 0x37363534333231},
		{"pattern=12345678", "longer", NULL, 0, 0, 0},
		{"pattern[1]='z'", NULL, ".rodata", 12, 4, 'a' | 'z' << 8 | 'c' << 16},
		{"pattern[8]=1", "outside", NULL, 0, 0, 0},
		{"pattern[-1]=1", "no number", NULL, 0, 0, 0},
		{"pattern.x=1", "no struct", NULL, 0, 0, 0},
		{"limits.low=77", NULL, ".rodata", 20, 4, 77},
		{"limits.high[3]=255", NULL, ".rodata", 27, 1, 255},
		{"limits.high[3]=256", "above", NULL, 0, 0, 0},
		{"limits.none=1", "no such member", NULL, 0, 0, 0},
		{"limits=1", "as a whole", NULL, 0, 0, 0},
		{"limits[0]=1", "no array", NULL, 0, 0, 0},
		{"wide=18446744073709551615", NULL, ".rodata", 32, 8, UINT64_MAX},
		{"wide=-1", "below", NULL, 0, 0, 0},
		{"total=9", NULL, ".bss", 32, 8, 9},
		{"started=-1", NULL, ".data", 0, 8, UINT64_MAX},
		{"mine=4", NULL, ".data.mine", 0, 4, 4},
		{"nothing=1", "no variable", NULL, 0, 0, 0},
		{"=1", "not understood", NULL, 0, 0, 0},
		{"threshold", "not understood", NULL, 0, 0, 0},
		{"threshold]=1", "no variable", NULL, 0, 0, 0},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct set_row *row = &rows[i];
		struct inlay_bpfcc_object *object = open_with(row->set, NULL, NULL);
		const struct bpfcc_map *m;
		uint64_t value = 0;

		if (row->problem) {
			if (object || !strstr(messages.text, row->problem))
				fail_msg("--set %s: \"%s\"", row->set, messages.text);
			continue;
		}
		if (!object)
			fail_msg("--set %s: %s", row->set, messages.text);
		m = find_map(inlay_bpfcc_object_data(object), row->map);
		assert_non_null(m->data);
		memcpy(&value, (const char *)m->data + row->offset, row->bytes);
		if (value != row->value)
			fail_msg("--set %s: %#llx", row->set, (unsigned long long)value);
		inlay_bpfcc_object_free(object);
	}
}

static void test_map_option(void **unused)
{
	static const struct {
		const char *map, *problem;
		uint32_t max_entries;
	} rows[] = {
		{"counts.max_entries=8", NULL, 8},
		{"counts.max_entries=0x10", NULL, 16},
		{"counts.max_entries=0", "no valid number", 0},
		{"counts.max_entries=-1", "not understood", 0},
		{"counts.max_entries=4294967296", "no valid number", 0},
		{"counts.max_entries=2000000000", "-E2BIG", 0},
		{"counts.value_size=16", "has another size", 0},
		{"counts.key_size=8", "not understood", 0},
		{"none.max_entries=8", "no map", 0},
		{".bss.max_entries=8", "not understood", 0},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct inlay_bpfcc_object *object = open_with(NULL, rows[i].map, NULL);

		if (rows[i].problem) {
			if (object || !strstr(messages.text, rows[i].problem))
				fail_msg("--map %s: \"%s\"", rows[i].map, messages.text);
			continue;
		}
		if (!object)
			fail_msg("--map %s: %s", rows[i].map, messages.text);
		assert_int_equal(find_map(inlay_bpfcc_object_data(object), "counts")->max_entries,
				 rows[i].max_entries);
		inlay_bpfcc_object_free(object);
	}
}

static void test_attach(void **unused)
{
	static const struct {
		const char *attach, *problem;
	} rows[] = {
		{"on_return:dispatch", NULL},
		{"on_return:dispatch*", NULL},
		{"on_handle:handle", NULL},
		{"on_handle:other", "is for function \"handle\""},
		{"in_kernel:f", "no user probe program"},
		{"on_return", "not understood"},
		{"on_return:", "not understood"},
		{"on_return:a:b", "not understood"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct inlay_bpfcc_object *object = open_with(NULL, NULL, rows[i].attach);

		if (rows[i].problem) {
			if (object || !strstr(messages.text, rows[i].problem))
				fail_msg("--attach %s: \"%s\"", rows[i].attach, messages.text);
			continue;
		}
		if (!object)
			fail_msg("--attach %s: %s", rows[i].attach, messages.text);
		if (!strncmp(rows[i].attach, "on_return", 9))
			assert_string_equal(inlay_bpfcc_object_data(object)->progs[1].function,
					    rows[i].attach + 10);
		inlay_bpfcc_object_free(object);
	}
}

/* The hash names the content: the same for the same, another for anything that changes the code. */
static void test_hash(void **unused)
{
	static const char *const options[][3] = {
		{NULL, NULL, NULL},
		{"threshold=11", NULL, NULL},
		{"started=6", NULL, NULL},
		{NULL, "counts.max_entries=5", NULL},
		{NULL, NULL, "on_return:f"},
	};
	char hashes[5][33], again[33];

	(void)unused;
	for (size_t i = 0; i < 5; i++) {
		struct inlay_bpfcc_object *object =
			open_with(options[i][0], options[i][1], options[i][2]);

		assert_non_null(object);
		inlay_bpfcc_object_hash(object, hashes[i]);
		assert_int_equal(strlen(hashes[i]), 32);
		inlay_bpfcc_object_free(object);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(hashes[i], hashes[k]);
		object = open_with(options[i][0], options[i][1], options[i][2]);
		inlay_bpfcc_object_hash(object, again);
		assert_string_equal(hashes[i], again);
		inlay_bpfcc_object_free(object);
	}
	/* a value that is set to what it was changes nothing */
	{
		struct inlay_bpfcc_object *object = open_with("threshold=10", NULL, NULL);

		inlay_bpfcc_object_hash(object, again);
		assert_string_equal(hashes[0], again);
		inlay_bpfcc_object_free(object);
	}
}

static void test_files(void **unused)
{
	struct inlay_bpfcc_opts opts = {.sz = sizeof(opts),
					.on_message = keep_message,
					.on_message_arg = &messages};
	struct inlay_bpfcc_object *object;

	(void)unused;
	memset(&messages, 0, sizeof(messages));
	assert_int_equal(inlay_bpfcc_object_open("/no/such/file.bpf.o", NULL, 0, &opts, &object),
			 -ENOENT);
	assert_non_null(strstr(messages.text, "No such file"));
	assert_int_equal(inlay_bpfcc_object_open("/", NULL, 0, &opts, &object), -EINVAL);
	assert_non_null(strstr(messages.text, "not a regular file"));
	/* this test itself: ELF, but not for eBPF */
	assert_int_equal(inlay_bpfcc_object_open("/proc/self/exe", NULL, 0, &opts, &object),
			 -EINVAL);
	assert_non_null(strstr(messages.text, "not a relocatable eBPF object"));
	/* no callback, no options: refused all the same */
	assert_int_equal(inlay_bpfcc_object_open("/", NULL, 0, NULL, &object), -EINVAL);
	inlay_bpfcc_object_free(NULL);
}

static void *open_many(void *arg)
{
	struct inlay_bpfcc_opts opts = {.sz = sizeof(opts)};
	struct inlay_bpfcc_object *object;
	char *hash = arg;

	for (int i = 0; i < 25; i++) {
		if (inlay_bpfcc_object_open(BPFCC_PROBE, NULL, 0, &opts, &object))
			return "refused";
		inlay_bpfcc_object_hash(object, hash);
		inlay_bpfcc_object_free(object);
		/* a bad one between, for libbpf to print about */
		if (!inlay_bpfcc_object_open("x.bpf.o", "\177ELF", 4, &opts, &object))
			return "accepted";
	}
	return NULL;
}

/* Objects are independent of each other: threads may open them at the same time. */
static void test_threads(void **unused)
{
	char hashes[4][33];
	pthread_t threads[4];
	void *problem;

	(void)unused;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_many, hashes[i]), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &problem), 0);
		if (problem)
			fail_msg("%s", (const char *)problem);
		assert_string_equal(hashes[i], hashes[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_object), cmocka_unit_test(test_references),
		cmocka_unit_test(test_set),    cmocka_unit_test(test_map_option),
		cmocka_unit_test(test_attach), cmocka_unit_test(test_hash),
		cmocka_unit_test(test_files),  cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
