/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wrapper's reading of command lines: the classifier's table, @files and quoting, Inlay's
 * options and the command lines that come out.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/driver/args.h"
#include "cli/driver/command.h"
#include "cli/driver/options.h"
#include "cli/driver/words.h"

static struct bpfcc_arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = bpfcc_arena_new();
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	bpfcc_arena_free(arena);
	return 0;
}

static struct cc_words split(const char *line)
{
	struct cc_words words = { 0 };

	assert_int_equal(cc_words_add_quoted(arena, &words, line), 0);
	return words;
}

static const char *join(const struct cc_words *words)
{
	const char *text = "";

	for (size_t i = 0; i < words->nr; i++)
		text = bpfcc_arena_printf(arena, "%s%s%s", text, i ? " " : "", words->items[i]);
	return text;
}

#define SOURCE 1u
#define DEP 2u
#define RELOC 4u
#define SHARED 8u
#define DRY 16u
#define FOREIGN 32u
#define LD 64u
#define FULL 128u
#define THIN 256u

static const struct {
	const char *line;
	enum cc_mode mode;
	unsigned int flags;
	const char *output;
	const char *input;
	size_t nr_inputs;
} rows[] = {
	/* questions, and nothing at all */
	{ "", CC_INFO, 0, NULL, NULL, 0 },
	{ "--version", CC_INFO, 0, NULL, NULL, 0 },
	{ "-v", CC_INFO, 0, NULL, NULL, 0 },
	{ "-dumpmachine", CC_INFO, 0, NULL, NULL, 0 },
	{ "-print-search-dirs a.c", CC_INFO, SOURCE, NULL, "a.c", 1 },
	{ "-print-prog-name=ld", CC_INFO, 0, NULL, NULL, 0 },
	{ "--print-file-name=libc.a", CC_INFO, 0, NULL, NULL, 0 },
	{ "-cc1 -emit-obj a.c", CC_INFO, SOURCE, NULL, "a.c", 1 },

	/* phases */
	{ "a.c", CC_LINK, SOURCE, NULL, "a.c", 1 },
	{ "-c a.c", CC_COMPILE, SOURCE, NULL, "a.c", 1 },
	{ "-c a.c -o b.o", CC_COMPILE, SOURCE, "b.o", "a.c", 1 },
	{ "-S a.c", CC_COMPILE, SOURCE, NULL, "a.c", 1 },
	{ "-S -emit-llvm a.c -o -", CC_COMPILE, SOURCE, "-", "a.c", 1 },
	{ "-E a.c", CC_FRONT, SOURCE, NULL, "a.c", 1 },
	{ "-E a.c -c", CC_FRONT, SOURCE, NULL, "a.c", 1 },
	{ "-M a.c", CC_FRONT, SOURCE, NULL, "a.c", 1 },
	{ "-MM a.c b.c", CC_FRONT, SOURCE, NULL, "a.c", 2 },
	{ "-MM -MF x.d a.c", CC_FRONT, SOURCE, NULL, "a.c", 1 },
	{ "-MD -c a.c", CC_COMPILE, SOURCE | DEP, NULL, "a.c", 1 },
	{ "-MMD -MF a.d -MT a.o -c a.c", CC_COMPILE, SOURCE | DEP, NULL, "a.c", 1 },
	{ "-fsyntax-only a.c", CC_FRONT, SOURCE, NULL, "a.c", 1 },
	{ "--analyze a.c", CC_FRONT, SOURCE, NULL, "a.c", 1 },

	/* inputs by suffix */
	{ "-c a.s", CC_COMPILE, 0, NULL, "a.s", 1 },
	{ "-c a.S", CC_COMPILE, 0, NULL, "a.S", 1 },
	{ "-c a.S b.c", CC_COMPILE, SOURCE, NULL, "a.S", 2 },
	{ "-c a.cc", CC_COMPILE, SOURCE, NULL, "a.cc", 1 },
	{ "-c a.cpp", CC_COMPILE, SOURCE, NULL, "a.cpp", 1 },
	{ "-c a.C", CC_COMPILE, SOURCE, NULL, "a.C", 1 },
	{ "-c a.c++", CC_COMPILE, SOURCE, NULL, "a.c++", 1 },
	{ "-c a.i", CC_COMPILE, SOURCE, NULL, "a.i", 1 },
	{ "-c a.ii", CC_COMPILE, SOURCE, NULL, "a.ii", 1 },
	{ "-c a.ll", CC_COMPILE, SOURCE, NULL, "a.ll", 1 },
	{ "-c a.bc", CC_COMPILE, SOURCE, NULL, "a.bc", 1 },
	{ "a.h", CC_FRONT, 0, NULL, "a.h", 1 },
	{ "a.o b.o -lm", CC_LINK, 0, NULL, "a.o", 2 },
	{ "dir.c/a.o", CC_LINK, 0, NULL, "dir.c/a.o", 1 },
	{ "liba.a", CC_LINK, 0, NULL, "liba.a", 1 },
	{ "x.so.1", CC_LINK, 0, NULL, "x.so.1", 1 },
	{ "noext", CC_LINK, 0, NULL, "noext", 1 },

	/* -x and the order in which it acts */
	{ "-x c - -c", CC_COMPILE, SOURCE, NULL, "-", 1 },
	{ "-xc++ - -c", CC_COMPILE, SOURCE, NULL, "-", 1 },
	{ "-x assembler-with-cpp a.c -c", CC_COMPILE, 0, NULL, "a.c", 1 },
	{ "-x c-header a.h -o a.pch", CC_FRONT, 0, "a.pch", "a.h", 1 },
	{ "-x c a.txt -x none b.o", CC_LINK, SOURCE, NULL, "a.txt", 2 },
	{ "-x assembler a.c -x none b.o", CC_LINK, 0, NULL, "a.c", 2 },
	{ "-x ir a.o -c", CC_COMPILE, SOURCE, NULL, "a.o", 1 },
	{ "-E -", CC_FRONT, SOURCE, NULL, "-", 1 },

	/* values that look like inputs or options */
	{ "-o a.c b.o", CC_LINK, 0, "a.c", "b.o", 1 },
	{ "-oa.c b.o", CC_LINK, 0, "a.c", "b.o", 1 },
	{ "--output=x b.o", CC_LINK, 0, "x", "b.o", 1 },
	{ "--output x b.o", CC_LINK, 0, "x", "b.o", 1 },
	{ "-I a.c b.o", CC_LINK, 0, NULL, "b.o", 1 },
	{ "-D -c a.c", CC_LINK, SOURCE, NULL, "a.c", 1 },
	{ "-include a.h -c b.c", CC_COMPILE, SOURCE, NULL, "b.c", 1 },
	{ "-isystem d.c -c b.s", CC_COMPILE, 0, NULL, "b.s", 1 },
	{ "-MF a.c -MD -c b.s", CC_COMPILE, DEP, NULL, "b.s", 1 },
	{ "-Xclang -E -c a.c", CC_COMPILE, SOURCE, NULL, "a.c", 1 },
	{ "-Xlinker -r a.o", CC_LINK, 0, NULL, "a.o", 1 },
	{ "-T link.c a.o", CC_LINK, 0, NULL, "a.o", 1 },
	{ "-u main.c a.o", CC_LINK, 0, NULL, "a.o", 1 },
	{ "-z now a.o", CC_LINK, 0, NULL, "a.o", 1 },
	{ "-L dir.c -l x a.o", CC_LINK, 0, NULL, "a.o", 1 },
	{ "-l x", CC_LINK, 0, NULL, NULL, 0 },
	{ "-mllvm -c a.c", CC_LINK, SOURCE, NULL, "a.c", 1 },
	{ "--param x.c -c a.s", CC_COMPILE, 0, NULL, "a.s", 1 },
	{ "-c -- -x.c", CC_COMPILE, SOURCE, NULL, "-x.c", 1 },
	{ "-- a.o -lm", CC_LINK, 0, NULL, "a.o", 2 },
	{ "a.o -o", CC_LINK, 0, NULL, "a.o", 1 },

	/* kinds of link */
	{ "-shared a.o -o liba.so", CC_LINK, SHARED, "liba.so", "a.o", 1 },
	{ "-r a.o b.o -o c.o", CC_LINK, RELOC, "c.o", "a.o", 2 },
	{ "-fuse-ld=gold a.o", CC_LINK, LD, NULL, "a.o", 1 },
	{ "--ld-path=/usr/bin/ld a.o", CC_LINK, LD, NULL, "a.o", 1 },
	{ "-flto a.o", CC_LINK, FULL, NULL, "a.o", 1 },
	{ "-flto=full a.o", CC_LINK, FULL, NULL, "a.o", 1 },
	{ "-flto=auto a.o", CC_LINK, FULL, NULL, "a.o", 1 },
	{ "-flto=thin a.o", CC_LINK, THIN, NULL, "a.o", 1 },
	{ "-flto=thin -fno-lto a.o", CC_LINK, 0, NULL, "a.o", 1 },
	{ "-### a.c", CC_LINK, SOURCE | DRY, NULL, "a.c", 1 },

	/* other machines */
	{ "-target bpf -c a.c", CC_COMPILE, SOURCE | FOREIGN, NULL, "a.c", 1 },
	{ "--target=bpf -c a.c", CC_COMPILE, SOURCE | FOREIGN, NULL, "a.c", 1 },
	{ "--target=wasm32-wasi a.c", CC_LINK, SOURCE | FOREIGN, NULL, "a.c", 1 },
	{ "-m32 -c a.c", CC_COMPILE, SOURCE | FOREIGN, NULL, "a.c", 1 },
	{ "-mx32 -c a.c", CC_COMPILE, SOURCE | FOREIGN, NULL, "a.c", 1 },
	{ "--target=i386-linux-gnu -c a.c", CC_COMPILE, SOURCE | FOREIGN, NULL, "a.c", 1 },
#if defined(__x86_64__)
	{ "--target=x86_64-linux-gnu -c a.c", CC_COMPILE, SOURCE, NULL, "a.c", 1 },
	{ "--target=x86_64-pc-linux-gnu -c a.c", CC_COMPILE, SOURCE, NULL, "a.c", 1 },
	{ "--target=x86_64-apple-darwin -c a.c", CC_COMPILE, SOURCE | FOREIGN, NULL, "a.c", 1 },
	{ "--target=aarch64-linux-gnu -c a.c", CC_COMPILE, SOURCE | FOREIGN, NULL, "a.c", 1 },
#endif
};

static unsigned int flags_of(const struct cc_args *args)
{
	return (args->has_source ? SOURCE : 0) | (args->has_depfile ? DEP : 0) |
	       (args->is_relocatable ? RELOC : 0) | (args->is_shared ? SHARED : 0) |
	       (args->is_dry_run ? DRY : 0) | (args->is_foreign ? FOREIGN : 0) |
	       (args->has_linker ? LD : 0) | (args->lto == CC_LTO_FULL ? FULL : 0) |
	       (args->lto == CC_LTO_THIN ? THIN : 0);
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void classifies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cc_words words = split(rows[i].line);
		struct cc_args args;

		cc_args_read(words.items, words.nr, &args);
		if (args.mode == rows[i].mode && flags_of(&args) == rows[i].flags &&
		    is_same(args.output, rows[i].output) &&
		    is_same(args.first_input, rows[i].input) && args.nr_inputs == rows[i].nr_inputs)
			continue;
		fail_msg("'%s': mode %d flags %#x output %s input %s (%zu)", rows[i].line,
			 args.mode, flags_of(&args), args.output, args.first_input,
			 args.nr_inputs);
	}
}

static void splits_quoted_words(void **state)
{
	static const struct {
		const char *text;
		size_t nr;
		const char *words[4];
	} cases[] = {
		{ "", 0, { NULL } },
		{ " \t\n ", 0, { NULL } },
		{ "a b\nc", 3, { "a", "b", "c" } },
		{ "'a b' \"c d\"", 2, { "a b", "c d" } },
		{ "a\\ b", 1, { "a b" } },
		{ "'a\\b'", 1, { "a\\b" } },
		{ "\"a\\\"b\"", 1, { "a\"b" } },
		{ "-DX='\"v\"'", 1, { "-DX=\"v\"" } },
		{ "'' x", 2, { "", "x" } },
		{ "'open", 1, { "open" } },
		{ "end\\", 1, { "end\\" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cc_words words = split(cases[i].text);

		assert_int_equal(words.nr, cases[i].nr);
		for (size_t k = 0; k < words.nr; k++)
			assert_string_equal(words.items[k], cases[i].words[k]);
	}
}

static const char *make_file(const char *text)
{
	char path[] = "/tmp/inlay-test-driver-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return bpfcc_arena_strdup(arena, path);
}

static void expands_response_files(void **state)
{
	const char *inner = make_file("-c 'b c.c'\n");
	const char *outer = make_file(bpfcc_arena_printf(arena, "-O2 @%s", inner));
	const char *const argv[] = { "-v", bpfcc_arena_printf(arena, "@%s", outer), "@missing" };
	struct cc_words words = { 0 };

	(void)state;
	assert_int_equal(cc_words_expand(arena, &words, argv, 3), 0);
	assert_string_equal(join(&words), "-v -O2 -c b c.c @missing");
	assert_int_equal(words.nr, 5);
	unlink(inner);
	unlink(outer);
}

static void refuses_a_response_file_in_itself(void **state)
{
	const char *path = make_file("-O2");
	const char *const argv[] = { bpfcc_arena_printf(arena, "@%s", path) };
	struct cc_words words = { 0 };
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	fprintf(file, "@%s", path);
	fclose(file);
	assert_int_equal(cc_words_expand(arena, &words, argv, 1), -ELOOP);
	unlink(path);
}

static void takes_its_options(void **state)
{
	struct cc_words given = split("-O2 -finlay-probes=a.o,b.o --inlay-probes=c.o -c x.c "
				      "--set v=1 --set=w=2 --map m.max_entries=8 "
				      "-finlay-attach=p:f -finlay-binary=app -finlay-stats "
				      "-finlay-allow-override -finlay-report=r.json "
				      "-Xlinker --map -o -finlay-x -- -finlay-file.c");
	struct cc_options options = { 0 };
	struct cc_words rest = { 0 };
	const char *wrong;

	(void)state;
	assert_int_equal(cc_options_take(arena, given.items, given.nr, &options, &rest, &wrong), 0);
	assert_string_equal(join(&rest),
			    "-O2 -c x.c -Xlinker --map -o -finlay-x -- -finlay-file.c");
	assert_string_equal(join(&options.probes), "a.o b.o c.o");
	assert_string_equal(join(&options.sets), "v=1 w=2");
	assert_string_equal(join(&options.maps), "m.max_entries=8");
	assert_string_equal(join(&options.attaches), "p:f");
	assert_string_equal(options.binary, "app");
	assert_string_equal(options.report, "r.json");
	assert_true(options.stats && options.allow_override);
	assert_false(options.no_handler || options.verbose || options.runtime);
}

static void refuses_wrong_options(void **state)
{
	static const char *const lines[] = {
		"-finlay-probe=a.o", "--inlay-", "-finlay-probes", "-finlay-probes=",
		"-finlay-stats=1", "--set", "--set=", "-finlay-binary=",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct cc_words given = split(lines[i]), rest = { 0 };
		struct cc_options options = { 0 };
		const char *wrong = NULL;

		assert_int_equal(cc_options_take(arena, given.items, given.nr, &options, &rest,
						 &wrong), -EINVAL);
		assert_non_null(strstr(wrong, lines[i]));
	}
}

static const char *command_for(const char *line)
{
	static const struct cc_paths paths = { "CLANG", "P.so", "L.a" };
	struct cc_words given = split(line), rest = { 0 }, command = { 0 };
	struct cc_options options = { 0 };
	struct cc_args args;
	struct cc_request request = {
		.options = &options, .paths = &paths, .args = &args, .user = &rest, .hash = "H",
	};
	const char *wrong;

	assert_int_equal(cc_options_take(arena, given.items, given.nr, &options, &rest, &wrong), 0);
	cc_args_read(rest.items, rest.nr, &args);
	assert_int_equal(cc_command_build(arena, &request, &command), 0);
	return join(&command);
}

#define COMPILE "-fplugin=P.so -fpass-plugin=P.so -Xclang -mllvm -Xclang -inlay-probes=a.o "
#define HASH "-Xclang -mllvm -Xclang -inlay-hash=H "
#define LINK " -Xlinker L.a"

static void builds_commands(void **state)
{
	static const struct {
		const char *line, *command;
	} cases[] = {
		{ "-finlay-probes=a.o -c x.c", "CLANG " COMPILE HASH "-c x.c" },
		{ "-finlay-probes=a.o x.c -o x", "CLANG " COMPILE HASH "x.c -o x" LINK },
		{ "-finlay-probes=a.o x.o -o x", "CLANG x.o -o x" LINK },
		{ "-finlay-probes=a.o -r x.o -o y.o", "CLANG -r x.o -o y.o" },
		{ "-finlay-probes=a.o -flto x.o", "CLANG -fuse-ld=lld -flto x.o" LINK },
		{ "-finlay-probes=a.o -flto -fuse-ld=gold x.o",
		  "CLANG -flto -fuse-ld=gold x.o" LINK },
		{ "-finlay-probes=a.o -MD -c x.c",
		  "CLANG " COMPILE HASH "-Xclang -fdepfile-entry=a.o -MD -c x.c" },
		{ "-finlay-probes=a.o --set v=1 -finlay-stats -c x.c",
		  "CLANG " COMPILE "-Xclang -mllvm -Xclang -inlay-set=v=1 "
		  "-Xclang -mllvm -Xclang -inlay-stats " HASH "-c x.c" },
		{ "-finlay-probes=a.o -o x -- x.o -y.o", "CLANG -o x x.o ./-y.o" LINK },
		{ "-finlay-runtime x.c", "CLANG x.c" LINK },
		{ "-finlay-probes=a.o -finlay-no-handler x.o",
		  "CLANG x.o -Xlinker --defsym=__inlay_no_handler_v1=1" LINK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(command_for(cases[i].line), cases[i].command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(classifies, setup, teardown),
		cmocka_unit_test_setup_teardown(splits_quoted_words, setup, teardown),
		cmocka_unit_test_setup_teardown(expands_response_files, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_a_response_file_in_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_its_options, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_wrong_options, setup, teardown),
		cmocka_unit_test_setup_teardown(builds_commands, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
