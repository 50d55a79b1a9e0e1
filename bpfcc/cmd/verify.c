/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc verify: says of each program whether it is accepted.
 */
#include "bpfcc/cmd/verify.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const char usage_text[] =
	"usage: bpfcc verify [options] FILE.bpf.o[:PROGRAM]\n"
	"       bpfcc verify --raw [options] FILE|-\n"
	"\n"
	"Says of each program whether it is accepted: its name, a tab, ACCEPT or REJECT, a tab\n"
	"and the reason, one line a program; refusals are explained on standard error.\n"
	"\n"
	"  --raw                      the file has one program a row; the first line names the\n"
	"                             columns (see docs/bpfcc.md)\n"
	"  -v, --verbose              print the whole walk over the program\n"
	"  --json                     print everything as JSON, one object a line\n"
	"  --kernel-verify            ask the running kernel, too: two more columns, its verdict\n"
	"                             and the last line of its log; needs root\n"
	"  --kernel-helpers           also accept helpers and map types that the kernel gives to\n"
	"                             uprobe programs and Inlay does not have yet; always with\n"
	"                             --raw\n"
	CMD_OBJECT_OPTIONS_HELP
	"  -h, --help                 print this\n"
	"\n"
	"Exit codes: 0 accepted (with --raw: every row was looked at), 1 refused or failed,\n"
	"2 usage, 70 a bug in bpfcc.\n";

static int usage(const char *problem, const char *what)
{
	return cmd_usage("verify", problem, what);
}

static const char *verdict_name(const struct cmd_verdict *v)
{
	return v->is_unknown ? "UNKNOWN" : v->is_accepted ? "ACCEPT" : "REJECT";
}

static void put_json(struct cmd_verify *c, const char *name, const struct cmd_verdict *ours,
		     const struct cmd_verdict *kernel)
{
	json_t *object;

	cmd_messages_flush(&c->cmd.messages);
	object = json_pack("{s:s+, s:s, s:s+}", "result", name, "", "verdict", verdict_name(ours),
			   "reason", ours->reason, "");
	if (object && kernel &&
	    json_object_set_new(object, "kernel",
				json_pack("{s:s, s:s}", "verdict", verdict_name(kernel), "reason",
					  kernel->reason))) {
		json_decref(object);
		object = NULL;
	}
	if (!object) {
		c->cmd.messages.is_out_of_memory = true;
		return;
	}
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

/* What is printed is UTF-8 for JSON and safe for a terminal. */
static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			*text = '?';
}

static void put_columns(const struct cmd_verdict *v)
{
	printf("\t%s\t%s", verdict_name(v), v->reason);
}

void cmd_verify_put(struct cmd_verify *c, const char *name, const struct cmd_verdict *ours,
		    const struct cmd_verdict *kernel)
{
	char clean_name[256];

	snprintf(clean_name, sizeof(clean_name), "%s", name);
	clean(clean_name);
	if (c->cmd.messages.is_json) {
		put_json(c, clean_name, ours, kernel);
		return;
	}
	fputs(clean_name, stdout);
	put_columns(ours);
	if (kernel)
		put_columns(kernel);
	putchar('\n');
}

void cmd_verify_trace(void *arg, const char *line)
{
	struct cmd_verify *c = arg;

	if (c->cmd.messages.is_json) {
		json_t *object = json_pack("{s:s+}", "trace", line, "");

		if (!object) {
			c->cmd.messages.is_out_of_memory = true;
			return;
		}
		json_dumpf(object, stdout, JSON_COMPACT);
		json_decref(object);
	} else {
		cmd_put_text(stdout, line);
	}
	putchar('\n');
}

/* -1: go on; else the exit code */
static int parse(struct cmd_verify *c, int argc, char **argv)
{
	enum { OPT_RAW = 256, OPT_JSON, OPT_KERNEL, OPT_HELPERS };
	static const struct option options[] = {
		{"raw", no_argument, NULL, OPT_RAW},
		{"verbose", no_argument, NULL, 'v'},
		{"json", no_argument, NULL, OPT_JSON},
		{"kernel-verify", no_argument, NULL, OPT_KERNEL},
		{"kernel-helpers", no_argument, NULL, OPT_HELPERS},
		CMD_OBJECT_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":vh", options, NULL)) != -1) {
		switch (option) {
		case OPT_RAW:
			c->is_raw = true;
			break;
		case 'v':
			c->is_verbose = true;
			break;
		case OPT_JSON:
			c->cmd.messages.is_json = true;
			break;
		case OPT_KERNEL:
			c->asks_kernel = true;
			break;
		case OPT_HELPERS:
			c->cmd.opts.kernel_helpers = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		case ':':
			return usage("an argument is missing after", argv[optind - 1]);
		default:
			if (!cmd_object_option(&c->cmd, option))
				return usage("unknown option", argv[optind - 1]);
		}
	}
	if (optind == argc)
		return usage(c->is_raw ? "no file of programs is given"
				       : "no probe object is given",
			     NULL);
	if (optind + 1 < argc)
		return usage("more than one file is given", argv[optind + 1]);
	if (c->is_raw && (c->cmd.sets.nr || c->cmd.maps.nr || c->cmd.attaches.nr || c->cmd.skips.nr))
		return usage("--set, --map and --attach are for objects, not for --raw", NULL);
	c->cmd.input = argv[optind];
	return -1;
}

int cmd_verify(int argc, char **argv)
{
	struct cmd_verify c = {0};
	int status = parse(&c, argc, argv);

	if (status >= 0) {
		cmd_finish(&c.cmd, 0);
		return status;
	}
	return c.is_raw ? cmd_verify_rows(&c) : cmd_verify_object(&c);
}
