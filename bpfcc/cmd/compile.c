/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc FILE.bpf.o -o OUTPUT: compiles; bpfcc -d FILE.bpf.o: shows what it understood.
 */
#include <errno.h>
#include <string.h>

#include "bpfcc/cmd/cmd.h"
#include "bpfcc/cmd/stage.h"
#include "bpfcc/dump.h"

struct compile {
	struct cmd cmd;
	const char *output;
	int emit;		/* enum inlay_bpfcc_output, or -1: from the output's name */
	enum cmd_stage stage;	/* to show */
};

static const char usage_text[] =
	"usage: bpfcc [options] FILE.bpf.o -o OUTPUT\n"
	"       bpfcc [options] -d FILE.bpf.o\n"
	"       bpfcc verify [options] FILE.bpf.o[:PROGRAM]\n"
	"       bpfcc run [options] FILE.bpf.o[:PROGRAM]\n"
	"\n"
	"Checks an eBPF probe object and compiles it to native code, ahead of time.\n"
	"\n"
	"  -o OUTPUT                  write here; .o, .so, .s, .bc, .ll and .h say what; -: to\n"
	"                             standard output\n"
	"  --emit=obj|so|asm|bc|ll|header\n"
	"                             say what, whatever the output is called\n"
	"  -O0 ... -O3                optimise less or more (default -O2)\n"
	"  --target-btf=FILE          types of the target for CO-RE: BTF, or ELF with BTF or DWARF\n"
	"  --target=TRIPLE            compile for another machine (default: this one)\n"
	CMD_OBJECT_OPTIONS_HELP
	"  --unsafe-no-verify         compile even what is not safe\n"
	"  --stats                    programs count their runs and time\n"
	"  -d[=STAGE], --dump[=STAGE] print what there is after a stage: bytecode (loaded and\n"
	"                             relocated), facts (what each register holds; the default),\n"
	"                             ir (of LLVM, optimised), asm\n"
	"  --helpers                  print the helpers and kernel functions that there are\n"
	"  -h, --help                 print this\n"
	"  --version                  print the version\n"
	"\n"
	"Exit codes: 0 done, 1 refused or failed, 2 usage, 70 a bug in bpfcc.\n";

static int usage(const char *problem, const char *what)
{
	return cmd_usage(NULL, problem, what);
}

static int output_kind(const char *name)
{
	static const struct {
		const char *name;
		enum inlay_bpfcc_output kind;
	} kinds[] = {
		{"obj", INLAY_BPFCC_OBJ}, {"asm", INLAY_BPFCC_ASM}, {"bc", INLAY_BPFCC_BC},
		{"ll", INLAY_BPFCC_LL},	  {"o", INLAY_BPFCC_OBJ},   {"s", INLAY_BPFCC_ASM},
		{"so", INLAY_BPFCC_SO},	  {"h", INLAY_BPFCC_HEADER}, {"header", INLAY_BPFCC_HEADER},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return (int)kinds[i].kind;
	return -1;
}

enum { OPT_EMIT = 256, OPT_STATS, OPT_HELPERS, OPT_VERSION };

/* One option. -1: go on; else the exit code */
static int parse_option(struct compile *c, int option, char **argv)
{
	struct inlay_bpfcc_opts *opts = &c->cmd.opts;

	switch (option) {
	case 'o':
		c->output = optarg;
		return -1;
	case 'O':
		if (optarg[0] < '0' || optarg[0] > '3' || optarg[1])
			return usage("levels are -O0, -O1, -O2 and -O3", argv[optind - 1]);
		/* 0 in the options means "default"; see inlay/bpfcc.h */
		opts->opt_level = optarg[0] == '0' ? -1 : optarg[0] - '0';
		return -1;
	case 'd':
		if (optarg && optarg[0] == '=')
			optarg++;
		c->stage = optarg ? cmd_stage_by_name(optarg) : CMD_STAGE_FACTS;
		if (c->stage == CMD_STAGE_NONE)
			return usage("stages are bytecode, facts, ir and asm", optarg);
		return -1;
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
		return c->emit < 0 ? usage("--emit takes obj, so, asm, bc, ll or header", optarg) : -1;
	case OPT_STATS:
		opts->stats = true;
		return -1;
	case ':':
		return usage("an argument is missing after", argv[optind - 1]);
	default:
		if (cmd_object_option(&c->cmd, option))
			return -1;
		return usage("unknown option", argv[optind - 1]);
	}
}

/* -1: go on; else the exit code */
static int parse(struct compile *c, int argc, char **argv)
{
	static const struct option options[] = {
		{"emit", required_argument, NULL, OPT_EMIT},
		CMD_OBJECT_OPTIONS,
		{"stats", no_argument, NULL, OPT_STATS},
		{"target", required_argument, NULL, CMD_OPT_TARGET},
		{"unsafe-no-verify", no_argument, NULL, CMD_OPT_NO_VERIFY},
		{"dump", optional_argument, NULL, 'd'},
		{"helpers", no_argument, NULL, OPT_HELPERS},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, OPT_VERSION},
		{NULL, 0, NULL, 0},
	};
	const char *dot;
	int option, status;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:O:d::h", options, NULL)) != -1) {
		status = parse_option(c, option, argv);
		if (status >= 0)
			return status;
	}
	if (optind == argc)
		return usage("no probe object is given", NULL);
	if (optind + 1 < argc)
		return usage("more than one probe object is given", argv[optind + 1]);
	c->cmd.input = argv[optind];
	if (!c->output && c->stage == CMD_STAGE_NONE)
		return usage("no output is given with -o", NULL);
	if (c->output && c->emit < 0) {
		dot = strrchr(c->output, '.');
		c->emit = dot ? output_kind(dot + 1) : -1;
		if (c->emit < 0)
			return usage("what to write does not follow from the output's name: give "
				     "--emit",
				     c->output);
	}
	return -1;
}

int cmd_compile(int argc, char **argv)
{
	struct compile c = {.emit = -1};
	struct inlay_bpfcc_object *object;
	int status = parse(&c, argc, argv), err;

	if (status >= 0) {
		cmd_finish(&c.cmd, 0);
		return status;
	}
	err = cmd_object_open(&c.cmd, NULL, 0, &object);
	if (!err)
		err = cmd_stage_print(object, c.stage);
	if (!err && c.output)
		err = inlay_bpfcc_object_emit(object, (enum inlay_bpfcc_output)c.emit,
					      strcmp(c.output, "-") ? c.output : "/dev/stdout");
	inlay_bpfcc_object_free(object);
	return cmd_finish(&c.cmd, err);
}
