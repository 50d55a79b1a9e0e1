/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command bpfcc. Exit codes: 0 done, 1 refused or failed, 2 usage, 70 a bug of ours.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpfcc/diag_print.h"
#include "bpfcc/dump.h"
#include "bpfcc/handle.h"
#include "inlay/bpfcc.h"

enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_INTERNAL = 70 };

struct list {
	const char **items;
	size_t nr;
};

struct command {
	const char *input, *output;
	int emit;		/* enum inlay_bpfcc_output, or -1: from the output's name */
	bool is_dump;
	bool has_error;		/* an error was printed */
	struct list sets, maps, attaches;
	struct inlay_bpfcc_opts opts;
};

static const char usage_text[] =
	"usage: bpfcc [options] FILE.bpf.o -o OUTPUT\n"
	"       bpfcc [options] -d FILE.bpf.o\n"
	"\n"
	"Checks an eBPF probe object and compiles it to native code, ahead of time.\n"
	"\n"
	"  -o OUTPUT                  write here; .o, .s, .bc and .ll say what\n"
	"  --emit=obj|asm|bc|ll       say what, whatever the output is called\n"
	"  -O0 ... -O3                optimise less or more (default -O2)\n"
	"  --target=TRIPLE            compile for another machine (default: this one)\n"
	"  --set VAR=VALUE            change a variable of .rodata, .data or .bss; also\n"
	"                             VAR.MEMBER=VALUE and VAR[INDEX]=VALUE\n"
	"  --map NAME.max_entries=N   change the size of a map\n"
	"  --attach PROGRAM:FUNCTION  name the function of a program in a bare section\n"
	"  --allow-override           accept programs that call bpf_override_return()\n"
	"  --stats                    programs count their runs and time\n"
	"  -d, --dump                 print programs with what each register holds\n"
	"  --helpers                  print the helpers and kernel functions that there are\n"
	"  -h, --help                 print this\n"
	"  --version                  print the version\n"
	"\n"
	"Exit codes: 0 done, 1 refused or failed, 2 usage, 70 a bug in bpfcc.\n";

static void print_message(void *arg, const struct inlay_bpfcc_message *message)
{
	struct command *c = arg;

	c->has_error |= message->severity == INLAY_BPFCC_ERROR;
	fflush(stdout);
	bpfcc_diag_print(stderr, isatty(STDERR_FILENO) == 1, message);
}

static int usage(const char *problem, const char *what)
{
	fprintf(stderr, "bpfcc: error: %s%s%s\n", problem, what ? ": " : "", what ? what : "");
	fputs("      = help: bpfcc --help\n", stderr);
	return EXIT_USAGE;
}

static int out_of_memory(void)
{
	fputs("bpfcc: error: out of memory\n", stderr);
	return EXIT_REFUSED;
}

static bool add(struct list *list, const char *item)
{
	const char **items = realloc(list->items, (list->nr + 1) * sizeof(*items));

	if (!items)
		return false;
	items[list->nr++] = item;
	list->items = items;
	return true;
}

static int output_kind(const char *name)
{
	static const struct {
		const char *name;
		enum inlay_bpfcc_output kind;
	} kinds[] = {
		{"obj", INLAY_BPFCC_OBJ}, {"asm", INLAY_BPFCC_ASM}, {"bc", INLAY_BPFCC_BC},
		{"ll", INLAY_BPFCC_LL},	  {"o", INLAY_BPFCC_OBJ},   {"s", INLAY_BPFCC_ASM},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].kind;
	return -1;
}

/* -1: go on; else the exit code */
static int parse(struct command *c, int argc, char **argv)
{
	enum { OPT_EMIT = 256, OPT_SET, OPT_MAP, OPT_ATTACH, OPT_OVERRIDE, OPT_STATS, OPT_TARGET,
	       OPT_HELPERS, OPT_VERSION };
	static const struct option options[] = {
		{"emit", required_argument, NULL, OPT_EMIT},
		{"set", required_argument, NULL, OPT_SET},
		{"map", required_argument, NULL, OPT_MAP},
		{"attach", required_argument, NULL, OPT_ATTACH},
		{"allow-override", no_argument, NULL, OPT_OVERRIDE},
		{"stats", no_argument, NULL, OPT_STATS},
		{"target", required_argument, NULL, OPT_TARGET},
		{"dump", no_argument, NULL, 'd'},
		{"helpers", no_argument, NULL, OPT_HELPERS},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, OPT_VERSION},
		{NULL, 0, NULL, 0},
	};
	bool has_memory = true;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:O:dh", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			c->output = optarg;
			break;
		case 'O':
			if (optarg[0] < '0' || optarg[0] > '3' || optarg[1])
				return usage("levels are -O0, -O1, -O2 and -O3", argv[optind - 1]);
			/* 0 in the options means "default"; see inlay/bpfcc.h */
			c->opts.opt_level = optarg[0] == '0' ? -1 : optarg[0] - '0';
			break;
		case 'd':
			c->is_dump = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		case OPT_HELPERS:
			bpfcc_dump_helpers(stdout);
			return 0;
		case OPT_VERSION:
			printf("bpfcc %s\n", inlay_bpfcc_version());
			return 0;
		case OPT_EMIT:
			c->emit = output_kind(optarg);
			if (c->emit < 0)
				return usage("--emit takes obj, asm, bc or ll", optarg);
			break;
		case OPT_SET:
			has_memory &= add(&c->sets, optarg);
			break;
		case OPT_MAP:
			has_memory &= add(&c->maps, optarg);
			break;
		case OPT_ATTACH:
			has_memory &= add(&c->attaches, optarg);
			break;
		case OPT_OVERRIDE:
			c->opts.allow_override = true;
			break;
		case OPT_STATS:
			c->opts.stats = true;
			break;
		case OPT_TARGET:
			c->opts.target = optarg;
			break;
		case ':':
			return usage("an argument is missing after", argv[optind - 1]);
		default:
			return usage("unknown option", argv[optind - 1]);
		}
	}
	if (!has_memory)
		return out_of_memory();
	if (optind == argc)
		return usage("no probe object is given", NULL);
	if (optind + 1 < argc)
		return usage("more than one probe object is given", argv[optind + 1]);
	c->input = argv[optind];
	if (!c->output && !c->is_dump)
		return usage("no output is given with -o", NULL);
	if (c->output && c->emit < 0) {
		const char *dot = strrchr(c->output, '.');

		c->emit = dot ? output_kind(dot + 1) : -1;
		if (c->emit < 0)
			return usage("what to write does not follow from the output's name: give "
				     "--emit",
				     c->output);
	}
	return -1;
}

static int run(struct command *c)
{
	struct inlay_bpfcc_object *object;
	int err;

	c->opts.sz = sizeof(c->opts);
	c->opts.on_message = print_message;
	c->opts.on_message_arg = c;
	c->opts.sets = c->sets.items;
	c->opts.nr_sets = c->sets.nr;
	c->opts.maps = c->maps.items;
	c->opts.nr_maps = c->maps.nr;
	c->opts.attaches = c->attaches.items;
	c->opts.nr_attaches = c->attaches.nr;
	err = inlay_bpfcc_object_open(c->input, NULL, 0, &c->opts, &object);
	if (!err) {
		if (c->is_dump)
			bpfcc_dump(stdout, object);
		if (c->output)
			err = inlay_bpfcc_object_emit(object, (enum inlay_bpfcc_output)c->emit,
						      c->output);
		inlay_bpfcc_object_free(object);
	}
	if (!err && (fflush(stdout) || ferror(stdout))) {
		fprintf(stderr, "bpfcc: error: cannot write to the standard output: %s\n",
			strerror(errno));
		return EXIT_REFUSED;
	}
	if (!err)
		return EXIT_SUCCESS;
	if (err == -ENOMEM)
		return out_of_memory();
	/* every refusal has a message */
	if (!c->has_error) {
		fprintf(stderr, "bpfcc: internal error: %s\n", strerror(-err));
		return EXIT_INTERNAL;
	}
	return EXIT_REFUSED;
}

int main(int argc, char **argv)
{
	struct command c = {.emit = -1};
	int status = parse(&c, argc, argv);

	if (status < 0)
		status = run(&c);
	free(c.sets.items);
	free(c.maps.items);
	free(c.attaches.items);
	return status;
}
