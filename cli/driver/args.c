/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classifier of clang command lines: a table of the options whose value is a word of its own
 * (without it a value could be taken for an input, as in `-o x.c`) and the few options that decide
 * the phases. What is not known here is an option of one word, as most of clang's are.
 */
#include "cli/driver/args.h"

#include <string.h>

/*
 * Sorted, for the binary search. Options that clang also takes joined (`-I dir` and `-Idir`) are
 * here as well: only the exact spelling has its value in the next word. The list is what clang 19
 * itself answers: tests/e2e/driver-options asks it about each of its options.
 */
static const char *const separate[] = {
	"--analyzer-output", "--assert", "--config", "--define-macro", "--dyld-prefix",
	"--for-linker", "--force-link", "--imacros", "--include", "--include-directory",
	"--include-directory-after", "--include-prefix", "--include-with-prefix",
	"--include-with-prefix-after", "--include-with-prefix-before", "--language",
	"--library-directory", "--output", "--param", "--prefix", "--resource", "--rtlib",
	"--serialize-diagnostics", "--specs", "--std", "--stdlib", "--sysroot", "--undefine-macro",
	"--vfsoverlay", "-A", "-B", "-D", "-F", "-G", "-I", "-L", "-MF", "-MJ", "-MQ", "-MT", "-T",
	"-U", "-Xanalyzer", "-Xarch_device", "-Xarch_host", "-Xassembler", "-Xclang",
	"-Xcuda-fatbinary", "-Xcuda-ptxas", "-Xlinker", "-Xoffload-linker", "-Xopenmp-target",
	"-Xpreprocessor", "-arch", "-arcmt-migrate-report-output", "-b", "-ccc-arcmt-migrate",
	"-ccc-gcc-name", "-ccc-install-dir", "-ccc-objcmt-migrate", "-cxx-isystem",
	"-darwin-target-variant", "-darwin-target-variant-triple", "-dependency-dot",
	"-dependency-file", "-dsym-dir", "-dumpdir", "-e", "-fdebug-compilation-dir",
	"-fexperimental-openacc-macro-override", "-filelist", "-fmodules-user-build-path",
	"-framework", "-ftrapv-handler", "-gen-cdb-fragment-path", "-hlsl-entry",
	"-iapinotes-modules", "-idirafter", "-iframework", "-iframeworkwithsysroot", "-imacros",
	"-imultilib", "-include", "-include-pch", "-iprefix", "-iquote", "-isysroot", "-isystem",
	"-isystem-after", "-ivfsoverlay", "-iwithprefix", "-iwithprefixbefore", "-iwithsysroot",
	"-l", "-meabi", "-mllvm", "-mmlir", "-module-dependency-dir", "-mthread-model", "-o",
	"-resource-dir", "-rpath", "-serialize-diagnostics", "-stdlib++-isystem", "-target", "-u",
	"-undefined", "-validator-version", "-vfsoverlay", "-working-directory", "-x", "-z",
};

size_t cc_option_words(const char *arg)
{
	size_t low = 0, high = sizeof(separate) / sizeof(separate[0]);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(arg, separate[mid]);

		if (order == 0)
			return 2;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return 1;
}

enum input_kind {
	INPUT_SOURCE,	/* C family or LLVM IR: the optimiser sees it */
	INPUT_ASM,
	INPUT_HEADER,
	INPUT_LINKER,	/* objects, archives, scripts */
};

static const struct {
	const char *suffix;
	enum input_kind kind;
} suffixes[] = {
	{ "c", INPUT_SOURCE }, { "C", INPUT_SOURCE }, { "cc", INPUT_SOURCE },
	{ "cp", INPUT_SOURCE }, { "cpp", INPUT_SOURCE }, { "CPP", INPUT_SOURCE },
	{ "cxx", INPUT_SOURCE }, { "CXX", INPUT_SOURCE }, { "c++", INPUT_SOURCE },
	{ "C++", INPUT_SOURCE }, { "cppm", INPUT_SOURCE }, { "ccm", INPUT_SOURCE },
	{ "cxxm", INPUT_SOURCE }, { "c++m", INPUT_SOURCE }, { "i", INPUT_SOURCE },
	{ "ii", INPUT_SOURCE }, { "iim", INPUT_SOURCE }, { "m", INPUT_SOURCE },
	{ "mi", INPUT_SOURCE }, { "mm", INPUT_SOURCE }, { "M", INPUT_SOURCE },
	{ "mii", INPUT_SOURCE }, { "bc", INPUT_SOURCE }, { "ll", INPUT_SOURCE },
	{ "pcm", INPUT_SOURCE }, { "s", INPUT_ASM }, { "S", INPUT_ASM }, { "asm", INPUT_ASM },
	{ "h", INPUT_HEADER }, { "H", INPUT_HEADER }, { "hh", INPUT_HEADER },
	{ "hpp", INPUT_HEADER }, { "hxx", INPUT_HEADER }, { "h++", INPUT_HEADER },
};

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum input_kind kind_by_suffix(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');

	for (size_t i = 0; dot && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(dot + 1, suffixes[i].suffix) == 0)
			return suffixes[i].kind;
	return INPUT_LINKER;
}

static enum input_kind kind_by_language(const char *language)
{
	if (starts_with(language, "assembler"))
		return INPUT_ASM;
	if (strstr(language, "header"))
		return INPUT_HEADER;
	return INPUT_SOURCE;
}

/* Code for anything but this machine's processor has no use for our runtime. */
static bool is_foreign_triple(const char *triple)
{
	const char *dash = strchr(triple, '-');
	size_t arch_len = dash ? (size_t)(dash - triple) : strlen(triple);

#if defined(__x86_64__)
	if (strncmp(triple, "x86_64", 6) == 0 && arch_len == 6)
		return !strstr(triple, "linux") || strstr(triple, "gnux32");
#elif defined(__aarch64__)
	if (strncmp(triple, "aarch64", 7) == 0 && arch_len == 7)
		return !strstr(triple, "linux");
#endif
	return true;
}

static bool is_question(const char *arg)
{
	static const char *const exact[] = {
		"--version", "-dumpversion", "-dumpmachine", "--help", "-help", "--help-hidden",
		"-cc1", "-cc1as", "-cc1gen-reproducer",
	};

	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		if (strcmp(arg, exact[i]) == 0)
			return true;
	return starts_with(arg, "-print-") || starts_with(arg, "--print-");
}

static bool is_front_only(const char *arg)
{
	static const char *const exact[] = {
		"-E", "--preprocess", "-M", "--dependencies", "-MM", "--user-dependencies",
		"-fsyntax-only", "-emit-ast", "--analyze", "--precompile", "-fmodule-only",
		"-verify-pch", "-extract-api", "-rewrite-objc",
	};

	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		if (strcmp(arg, exact[i]) == 0)
			return true;
	return false;
}

static bool is_compile_only(const char *arg)
{
	return strcmp(arg, "-c") == 0 || strcmp(arg, "-S") == 0 || strcmp(arg, "--compile") == 0 ||
	       strcmp(arg, "--assemble") == 0;
}

struct reader {
	struct cc_args *args;
	const char *language;	/* of the last -x, or NULL */
	bool is_question, is_front, is_compile, has_header;
};

static void read_input(struct reader *reader, const char *path)
{
	struct cc_args *args = reader->args;
	enum input_kind kind = reader->language ? kind_by_language(reader->language) :
						  kind_by_suffix(path);

	/* "-" without -x is C under -E, an error otherwise */
	if (!reader->language && strcmp(path, "-") == 0)
		kind = INPUT_SOURCE;
	if (args->nr_inputs++ == 0)
		args->first_input = path;
	args->has_source |= kind == INPUT_SOURCE;
	reader->has_header |= kind == INPUT_HEADER;
}

static void read_language(struct reader *reader, const char *language)
{
	reader->language = strcmp(language, "none") == 0 ? NULL : language;
}

/* Options whose value may be a word of its own; `value` is that word or the joined rest. */
static bool read_valued(struct reader *reader, const char *arg, const char *next)
{
	static const struct {
		const char *spelling;
		char what;
	} valued[] = {
		{ "-o", 'o' }, { "--output=", 'o' }, { "--output", 'o' },
		{ "-x", 'x' }, { "--language=", 'x' }, { "--language", 'x' },
		{ "--target=", 't' }, { "-target", 't' },
	};

	for (size_t i = 0; i < sizeof(valued) / sizeof(valued[0]); i++) {
		const char *spelling = valued[i].spelling;
		const char *value;

		if (strcmp(arg, spelling) == 0 && cc_option_words(arg) == 2)
			value = next;
		else if (starts_with(arg, spelling) && (strlen(spelling) == 2 ||
							spelling[strlen(spelling) - 1] == '='))
			value = arg + strlen(spelling);
		else
			continue;
		if (!value)
			return true;
		if (valued[i].what == 'o')
			reader->args->output = value;
		else if (valued[i].what == 'x')
			read_language(reader, value);
		else
			reader->args->is_foreign = is_foreign_triple(value);
		return true;
	}
	return false;
}

static void read_lto(struct cc_args *args, const char *arg)
{
	if (strcmp(arg, "-fno-lto") == 0)
		args->lto = CC_LTO_NONE;
	else if (strcmp(arg, "-flto=thin") == 0)
		args->lto = CC_LTO_THIN;
	else if (strcmp(arg, "-flto") == 0 || starts_with(arg, "-flto="))
		args->lto = CC_LTO_FULL;
}

static void read_option(struct reader *reader, const char *arg, const char *next)
{
	struct cc_args *args = reader->args;

	reader->is_question |= is_question(arg);
	reader->is_front |= is_front_only(arg);
	reader->is_compile |= is_compile_only(arg);
	read_lto(args, arg);
	if (strcmp(arg, "-###") == 0)
		args->is_dry_run = true;
	else if (strcmp(arg, "-r") == 0)
		args->is_relocatable = true;
	else if (strcmp(arg, "-shared") == 0 || strcmp(arg, "--shared") == 0)
		args->is_shared = true;
	else if (strcmp(arg, "-m32") == 0 || strcmp(arg, "-mx32") == 0 || strcmp(arg, "-m16") == 0)
		args->is_foreign = true;
	else if (strcmp(arg, "-MD") == 0 || strcmp(arg, "-MMD") == 0 ||
		 strcmp(arg, "--write-dependencies") == 0 ||
		 strcmp(arg, "--write-user-dependencies") == 0)
		args->has_depfile = true;
	else if (starts_with(arg, "-fuse-ld=") || starts_with(arg, "--ld-path="))
		args->has_linker = true;
	else
		read_valued(reader, arg, next);
}

void cc_args_read(const char *const *argv, size_t nr, struct cc_args *ret_args)
{
	struct reader reader = { .args = ret_args };
	bool is_input_only = false;	/* behind "--" */
	bool has_library = false;

	memset(ret_args, 0, sizeof(*ret_args));
	for (size_t i = 0; i < nr; i++) {
		const char *arg = argv[i];

		if (is_input_only || arg[0] != '-' || arg[1] == '\0') {
			read_input(&reader, arg);
			continue;
		}
		if (strcmp(arg, "--") == 0) {
			is_input_only = true;
			continue;
		}
		read_option(&reader, arg, i + 1 < nr ? argv[i + 1] : NULL);
		i += cc_option_words(arg) - 1;
		/* libraries make a link even without another input: `cc -shared -lfoo -o x` */
		if (starts_with(arg, "-l") || starts_with(arg, "-Wl,") || strcmp(arg, "-Xlinker") == 0)
			has_library = true;
	}

	if (reader.is_question || (ret_args->nr_inputs == 0 && !has_library))
		ret_args->mode = CC_INFO;
	else if (reader.is_front)
		ret_args->mode = CC_FRONT;
	else if (reader.is_compile)
		ret_args->mode = CC_COMPILE;
	else if (reader.has_header)
		ret_args->mode = CC_FRONT;
	else
		ret_args->mode = CC_LINK;
}
