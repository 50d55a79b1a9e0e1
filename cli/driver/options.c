/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of Inlay's options and the walk that takes them out of a clang command line. A word
 * that is the value of one of clang's options (`-Xlinker --map`) is never taken for one of ours.
 */
#include "cli/driver/options.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cli/driver/args.h"

const char cc_options_help[] =
	"usage: inlay-cc [Inlay's options] [clang's options] file...\n"
	"\n"
	"A drop-in clang 19 that sets eBPF probes into what it compiles. Without probes it is\n"
	"clang 19 with the same arguments. Options of its own (INLAY_FLAGS may hold them too):\n"
	"\n"
	"  -finlay-probes=FILE[,FILE...]  probe objects (.bpf.o); may be given again\n"
	"  -finlay-binary=NAME            what is built ends up in the program NAME: probes with\n"
	"                                 that path need no test at run time, others are left out\n"
	"  -finlay-attach=PROGRAM:FUNC    names the function of a program with a bare section\n"
	"  -finlay-skip=PROGRAM           leaves a program out; a pattern may name several\n"
	"  -finlay-set=VAR=VALUE          sets a global variable of a probe object (also --set)\n"
	"  -finlay-map=NAME.max_entries=N resizes a map (also --map)\n"
	"  -finlay-allow-override         accept programs that call bpf_override_return()\n"
	"  -finlay-allow-write            accept programs that call bpf_probe_write_user()\n"
	"  -finlay-unsafe-no-verify       take programs even if they are not safe\n"
	"  -finlay-stats                  count runs and time of each program\n"
	"  -finlay-no-handler             no SIGSEGV handler: guarded reads become system calls\n"
	"  -finlay-report=PATH            build report as JSON: of the link in the file PATH, of the\n"
	"                                 sources in PATH.d/; all in PATH/ if that is a folder\n"
	"  -finlay-target-btf=FILE        the target's types for CO-RE: BTF, or an ELF file with BTF or\n"
	"                                 DWARF; without it each source's own debug information (-g)\n"
	"  -finlay-check=FILE             look at FILE, which was linked without the wrapper, and\n"
	"                                 refuse it as a link by the wrapper would\n"
	"  -finlay-runtime                link libinlay although no probes are named here\n"
	"  -finlay-verbose                say what is done, and what became of each program\n"
	"  --print-flags                  what to give to clang-19 instead of using the wrapper;\n"
	"                                 --print-compile-flags, --print-link-flags: one of them\n"
	"  --inlay-help                   this text\n"
	"\n"
	"INLAY_FLAGS     options as above, for `make CC=inlay-cc`\n"
	"INLAY_PROBES    probe objects, where no option names any\n"
	"INLAY_LAUNCHER  a command that runs the compiler, such as ccache\n";

enum value_kind { FLAG, TEXT, LIST, APPEND, PRINT };

static const struct {
	const char *name;	/* behind -finlay- or --inlay- */
	enum value_kind kind;
	size_t offset;		/* in struct cc_options */
	enum cc_print print;
} table[] = {
	{ "probes", LIST, offsetof(struct cc_options, probes), 0 },
	{ "set", APPEND, offsetof(struct cc_options, sets), 0 },
	{ "map", APPEND, offsetof(struct cc_options, maps), 0 },
	{ "attach", APPEND, offsetof(struct cc_options, attaches), 0 },
	{ "skip", APPEND, offsetof(struct cc_options, skips), 0 },
	{ "binary", TEXT, offsetof(struct cc_options, binary), 0 },
	{ "report", TEXT, offsetof(struct cc_options, report), 0 },
	{ "target-btf", TEXT, offsetof(struct cc_options, target_btf), 0 },
	{ "check", TEXT, offsetof(struct cc_options, check), 0 },
	{ "allow-override", FLAG, offsetof(struct cc_options, allow_override), 0 },
	{ "allow-write", FLAG, offsetof(struct cc_options, allow_write), 0 },
	{ "unsafe-no-verify", FLAG, offsetof(struct cc_options, unsafe_no_verify), 0 },
	{ "stats", FLAG, offsetof(struct cc_options, stats), 0 },
	{ "no-handler", FLAG, offsetof(struct cc_options, no_handler), 0 },
	{ "runtime", FLAG, offsetof(struct cc_options, runtime), 0 },
	{ "verbose", FLAG, offsetof(struct cc_options, verbose), 0 },
	{ "help", PRINT, offsetof(struct cc_options, print), CC_PRINT_HELP },
};

static const struct {
	const char *name;
	enum cc_print print;
} prints[] = {
	{ "--print-flags", CC_PRINT_FLAGS },
	{ "--print-compile-flags", CC_PRINT_COMPILE },
	{ "--print-link-flags", CC_PRINT_LINK },
};

struct taker {
	struct bpfcc_arena *arena;
	struct cc_options *options;
	const char **ret_wrong;
};

static int wrong(struct taker *taker, const char *arg, const char *what)
{
	*taker->ret_wrong = bpfcc_arena_printf(taker->arena, "'%s': %s", arg, what);
	return *taker->ret_wrong ? -EINVAL : -ENOMEM;
}

/* `name` is the option without its prefix, with "=VALUE" behind it if there is one. */
static int take(struct taker *taker, const char *arg, const char *name)
{
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	size_t row = 0;
	void *field;

	while (row < sizeof(table) / sizeof(table[0]) &&
	       (strlen(table[row].name) != len || strncmp(table[row].name, name, len) != 0))
		row++;
	if (row == sizeof(table) / sizeof(table[0]))
		return wrong(taker, arg, "unknown option; --inlay-help lists those of Inlay");

	field = (char *)taker->options + table[row].offset;
	switch (table[row].kind) {
	case FLAG:
		if (equals)
			return wrong(taker, arg, "this option takes no value");
		*(bool *)field = true;
		return 0;
	case PRINT:
		*(enum cc_print *)field = table[row].print;
		return 0;
	case TEXT:
	case LIST:
	case APPEND:
		break;
	}
	if (!equals || !equals[1])
		return wrong(taker, arg, "a value is missing behind '='");
	if (table[row].kind == TEXT) {
		*(const char **)field = equals + 1;
		return 0;
	}
	if (table[row].kind == LIST)
		return cc_words_add_list(taker->arena, field, equals + 1);
	return cc_words_add(taker->arena, field, equals + 1);
}

/* --set X, --set=X, --map X, --map=X: the spelling that bpfcc has too. */
static int take_short(struct taker *taker, const char *const *argv, size_t nr, size_t *ret_words)
{
	static const struct {
		const char *name;
		size_t offset;
	} shorts[] = {
		{ "--set", offsetof(struct cc_options, sets) },
		{ "--map", offsetof(struct cc_options, maps) },
	};

	*ret_words = 0;
	for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++) {
		size_t len = strlen(shorts[i].name);
		struct cc_words *field = (void *)((char *)taker->options + shorts[i].offset);
		const char *value;

		if (strncmp(argv[0], shorts[i].name, len) != 0)
			continue;
		if (argv[0][len] == '=') {
			value = argv[0] + len + 1;
			*ret_words = 1;
		} else if (argv[0][len] == '\0') {
			value = nr > 1 ? argv[1] : "";
			*ret_words = 2;
		} else {
			continue;
		}
		if (!*value)
			return wrong(taker, argv[0], "a value is missing");
		return cc_words_add(taker->arena, field, value);
	}
	return 0;
}

static bool take_print(struct taker *taker, const char *arg)
{
	for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++) {
		if (strcmp(arg, prints[i].name) == 0) {
			taker->options->print = prints[i].print;
			return true;
		}
	}
	return false;
}

int cc_options_take(struct bpfcc_arena *arena, const char *const *argv, size_t nr,
		    struct cc_options *options, struct cc_words *rest, const char **ret_wrong)
{
	struct taker taker = { .arena = arena, .options = options, .ret_wrong = ret_wrong };

	for (size_t i = 0; i < nr;) {
		const char *arg = argv[i];
		size_t words;
		int err;

		if (strcmp(arg, "--") == 0)
			return cc_words_add_all(arena, rest, argv + i, nr - i);
		if (strncmp(arg, "-finlay-", 8) == 0 || strncmp(arg, "--inlay-", 8) == 0) {
			err = take(&taker, arg, arg + 8);
			words = 1;
		} else if (take_print(&taker, arg)) {
			err = 0;
			words = 1;
		} else {
			err = take_short(&taker, argv + i, nr - i, &words);
			if (!err && words == 0) {
				words = cc_option_words(arg);
				if (words > nr - i)
					words = nr - i;
				err = cc_words_add_all(arena, rest, argv + i, words);
			}
		}
		if (err)
			return err;
		i += words;
	}
	return 0;
}

bool cc_is_object_name(const char *path, const char *name, size_t len)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t n = strlen(base);

	if (n > 6 && strcmp(base + n - 6, ".bpf.o") == 0)
		n -= 6;
	else if (n > 2 && strcmp(base + n - 2, ".o") == 0)
		n -= 2;
	return n == len && strncmp(base, name, len) == 0;
}

static bool names_object(const struct cc_options *options, const char *name, size_t len)
{
	for (size_t i = 0; i < options->probes.nr; i++)
		if (cc_is_object_name(options->probes.items[i], name, len))
			return true;
	return false;
}

size_t cc_object_prefix(const struct cc_options *options, const char *item, bool has_colon)
{
	const char *colon = strchr(item, ':'), *equals = strchr(item, '=');
	size_t len = colon ? (size_t)(colon - item) : 0;

	if (!colon || (equals && equals < colon) || (has_colon && !strchr(colon + 1, ':')))
		return 0;
	/* PROGRAM:PROVIDER:NAME of a USDT probe has two colons of its own */
	return has_colon && !names_object(options, item, len) ? 0 : len;
}

int cc_options_check(struct bpfcc_arena *arena, const struct cc_options *options,
		     const char **ret_wrong)
{
	const struct cc_words *lists[] = { &options->sets, &options->maps, &options->skips };
	static const char *const names[] = { "-finlay-set", "-finlay-map", "-finlay-skip" };

	for (size_t k = 0; k < 3 && options->probes.nr > 0; k++) {
		for (size_t i = 0; i < lists[k]->nr; i++) {
			const char *item = lists[k]->items[i];
			size_t prefix = cc_object_prefix(options, item, false);

			if (!prefix || names_object(options, item, prefix))
				continue;
			*ret_wrong = bpfcc_arena_printf(arena,
							"'%s=%s': no probe object is called '%.*s'",
							names[k], item, (int)prefix, item);
			return *ret_wrong ? -EINVAL : -ENOMEM;
		}
	}
	return 0;
}
