/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracle over random programs and their mutants: see oracle.h. INLAY_TEST_LONG=1 runs for
 * minutes, INLAY_TEST_SEED=N another run; INLAY_ORACLE_ROWS=FILE also every accepted row of a file in
 * the format of `bpfcc verify --raw`.
 */
#include "oracle.h"
#include "oracle_gen.h"

#include "bpfcc/handle.h"
#include "bpfcc/raw.h"

static void show(const struct bpfcc_object *object)
{
	char text[128];

	for (uint32_t i = 0; i < object->nr_funcs; i++) {
		const struct bpfcc_func *f = &object->funcs[i];

		for (uint32_t k = 0; k < f->nr_insns; k += 1 + bpfcc_insn_is_lddw(&f->insns[k]))
			print_error("%s %3u: %s\n", f->name, k,
				    bpfcc_disasm(object, f, k, text, sizeof(text)));
	}
}

struct tally {
	int nr, nr_accepted;
	uint64_t nr_insns;
};

static void check(struct bpfcc_object *object, const struct oracle_opts *opts, uint64_t seed,
		  struct tally *tally)
{
	struct bpfcc_arena *arena = bpfcc_arena_new();
	struct oracle oracle;
	int result;

	assert_non_null(arena);
	result = oracle_check(object, arena, opts, &oracle);
	if (result < 0) {
		show(object);
		fail_msg("%s (INLAY_TEST_SEED=%#llx)", oracle.problem, (unsigned long long)seed);
	}
	tally->nr++;
	tally->nr_accepted += result;
	tally->nr_insns += oracle.nr_insns;
	bpfcc_arena_free(arena);
}

static void print_tally(const char *what, const struct tally *t)
{
	print_message("%d %s, %d accepted, %llu instructions executed\n", t->nr, what,
		      t->nr_accepted, (unsigned long long)t->nr_insns);
}

static void test_generated(void **state)
{
	int nr = test_is_long() ? 200000 : 3000;
	const struct oracle_opts opts[] = {
	    {BPFCC_CTX_MEMORY, GEN_CTX_BYTES, true, 4000, 5, 4000},
	    {BPFCC_CTX_PT_REGS, ORACLE_CTX_BYTES, true, 4000, 3, 4000},
	};
	struct tally programs = {0}, mutants = {0};
	struct gen *g = malloc(sizeof(*g));

	(void)state;
	assert_non_null(g);
	test_seed(1);
	for (int i = 0; i < nr; i++) {
		uint64_t seed = test_random_state;
		int before = programs.nr_accepted;
		struct gen_func *original;

		gen_program(g, 1 + (int)gen_below(18), false);
		check(&g->object, &opts[i % 2], seed, &programs);
		if (programs.nr_accepted == before)
			continue;
		original = malloc(sizeof(g->funcs));
		assert_non_null(original);
		memcpy(original, g->funcs, sizeof(g->funcs));
		for (int k = 0; k < 6; k++) {
			uint32_t f = gen_below(g->object.nr_funcs);

			seed = test_random_state;
			gen_mutate(g->funcs[f].insns, (uint32_t)g->funcs[f].nr);
			check(&g->object, &opts[i % 2], seed, &mutants);
			memcpy(g->funcs, original, sizeof(g->funcs));
		}
		free(original);
	}
	free(g);
	print_tally("programs", &programs);
	print_tally("mutants", &mutants);
	/* a generator that writes nothing that is accepted tests nothing */
	assert_true(programs.nr_accepted * 5 > programs.nr);
	assert_true(mutants.nr_accepted * 8 > mutants.nr);
}

/* Programs that people wrote: samples, and the twins of tests/lit/verify. */
static void test_objects(void **state)
{
	const struct oracle_opts opts = {BPFCC_CTX_PT_REGS, ORACLE_CTX_BYTES, true, 20000,
					 test_is_long() ? 500 : 20, 20000};
	char *paths = strdup(ORACLE_OBJECTS), *rest = paths;
	struct tally tally = {0};

	(void)state;
	assert_non_null(paths);
	test_seed(1);
	for (const char *path; (path = strsep(&rest, ":"));) {
		const struct inlay_bpfcc_opts open_opts = {
		    .sz = sizeof(open_opts), .defer_verify = true, .kernel_helpers = true,
		    .allow_override = true, .allow_write = true};
		struct inlay_bpfcc_object *handle;

		/* a few of the twins are refused by the loader */
		if (inlay_bpfcc_object_open(path, NULL, 0, &open_opts, &handle))
			continue;
		for (uint32_t i = 0; i < handle->data.nr_progs; i++) {
			struct bpfcc_object one = handle->data;

			one.progs += i;
			one.nr_progs = 1;
			check(&one, &opts, test_random_state, &tally);
		}
		inlay_bpfcc_object_free(handle);
	}
	free(paths);
	print_tally("programs of objects", &tally);
	assert_true(tally.nr_accepted > 50);
}

static void test_rows(void **state)
{
	const struct oracle_opts opts = {BPFCC_CTX_PT_REGS, ORACLE_CTX_BYTES, true, 50000, 20, 20000};
	const char *path = getenv("INLAY_ORACLE_ROWS");
	struct bpfcc_raw_header header;
	struct tally tally = {0};
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	FILE *f;

	(void)state;
	if (!path)
		return;
	f = fopen(path, "r");
	assert_non_null(f);
	n = getline(&line, &room, f);
	assert_true(n > 0 && bpfcc_raw_header(line, (size_t)n - 1, &header));
	while ((n = getline(&line, &room, f)) > 0) {
		struct bpfcc_arena *arena = bpfcc_arena_new();
		struct bpfcc_raw raw = {0};
		struct bpfcc_diag diag = {.object = &raw.object};

		assert_non_null(arena);
		if (!bpfcc_raw_read(&header, line, (size_t)n - (line[n - 1] == '\n'), arena, &diag,
				    &raw))
			check(&raw.object, &opts, test_random_state, &tally);
		bpfcc_arena_free(arena);
	}
	free(line);
	fclose(f);
	print_tally("rows", &tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_generated),
	    cmocka_unit_test(test_objects),
	    cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
