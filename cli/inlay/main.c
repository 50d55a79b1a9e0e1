/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command `inlay`: finds the subcommand, parses its options, runs it.
 * Exit codes: 0 done, 1 refused or failed, 2 usage, 70 internal.
 */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/out.h"

/* ---- Options ---------------------------------------------------------------------------- */

enum {
	OPT_SYM = 256, OPT_NO_SYM, OPT_NO_DEMANGLE, OPT_TYPE, OPT_FOLDED, OPT_INLINES, OPT_STACKS, OPT_ID_MEMBER,
	OPT_COUNT_MEMBER,
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "all", no_argument, NULL, 'a' },
	{ "threads", no_argument, NULL, 't' },
	{ "once", no_argument, NULL, '1' },
	{ "wait", no_argument, NULL, 'w' },
	{ "dry-run", no_argument, NULL, 'd' },
	{ "sym", no_argument, NULL, OPT_SYM },
	{ "no-sym", no_argument, NULL, OPT_NO_SYM },
	{ "no-demangle", no_argument, NULL, OPT_NO_DEMANGLE },
	{ "pid", required_argument, NULL, 'p' },
	{ "target", required_argument, NULL, 'p' },
	{ "unit", required_argument, NULL, 'U' },
	{ "type", required_argument, NULL, OPT_TYPE },
	{ "folded", no_argument, NULL, OPT_FOLDED },
	{ "inlines", no_argument, NULL, OPT_INLINES },
	{ "stacks", required_argument, NULL, OPT_STACKS },
	{ "id-member", required_argument, NULL, OPT_ID_MEMBER },
	{ "count-member", required_argument, NULL, OPT_COUNT_MEMBER },
	{ "interval", required_argument, NULL, 'i' },
	{ "count", required_argument, NULL, 'n' },
	{ "user", required_argument, NULL, 'u' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int parse_user(const char *text, struct args *args)
{
	char *end;
	unsigned long id = strtoul(text, &end, 10);
	struct passwd *entry;

	args->is_owner_given = true;
	if (*text >= '0' && *text <= '9' && !*end && id <= UINT32_MAX) {
		args->owner = (uid_t)id;
		return EXIT_DONE;
	}
	entry = getpwnam(text);
	if (!entry)
		return usage_error("there is no user '%s'", text);
	args->owner = entry->pw_uid;
	return EXIT_DONE;
}

static int parse_interval(const char *text, struct args *args)
{
	char *end;

	errno = 0;
	args->interval = strtod(text, &end);
	/* The negation also refuses NaN. */
	if (errno || end == text || *end || !(args->interval >= 0.01 && args->interval <= 86400))
		return usage_error("-i takes seconds from 0.01 to 86400, not '%s'", text);
	return EXIT_DONE;
}

static int parse_count(const char *text, struct args *args)
{
	char *end;

	errno = 0;
	args->count = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || !args->count)
		return usage_error("-n takes a number from 1, not '%s'", text);
	args->is_count_given = true;
	return EXIT_DONE;
}

static int parse_one(int letter, struct args *args)
{
	switch (letter) {
	case 'j':
		args->is_json = true;
		return EXIT_DONE;
	case 'a':
		args->is_all = true;
		return EXIT_DONE;
	case 't':
		args->is_threads = true;
		return EXIT_DONE;
	case '1':
		args->is_once = true;
		return EXIT_DONE;
	case 'w':
		args->is_wait = true;
		return EXIT_DONE;
	case 'd':
		args->is_dry = true;
		return EXIT_DONE;
	case OPT_SYM:
		args->sym = 1;
		return EXIT_DONE;
	case OPT_NO_SYM:
		args->sym = -1;
		return EXIT_DONE;
	case OPT_NO_DEMANGLE:
		args->is_mangled = true;
		return EXIT_DONE;
	case 'p':
		args->target = optarg;
		return EXIT_DONE;
	case 'U':
		args->unit = optarg;
		return EXIT_DONE;
	case OPT_TYPE:
		args->type = optarg;
		return EXIT_DONE;
	case OPT_FOLDED:
		args->is_folded = true;
		return EXIT_DONE;
	case OPT_INLINES:
		args->is_inlines = true;
		return EXIT_DONE;
	case OPT_STACKS:
		args->stacks = optarg;
		return EXIT_DONE;
	case OPT_ID_MEMBER:
		args->id_member = optarg;
		return EXIT_DONE;
	case OPT_COUNT_MEMBER:
		args->count_member = optarg;
		return EXIT_DONE;
	case 'i':
		return parse_interval(optarg, args);
	case 'n':
		return parse_count(optarg, args);
	case 'u':
		return parse_user(optarg, args);
	default:
		return EXIT_USAGE;
	}
}

/* The letter under which a command lists an option that it takes. */
static char listed_as(int letter)
{
	if (letter == OPT_TYPE)
		return 'T';
	if (letter >= OPT_FOLDED)
		return 'F';
	return letter >= OPT_SYM && letter <= OPT_NO_DEMANGLE ? 's' : (char)letter;
}

static void print_help(const struct command *command, FILE *out)
{
	fprintf(out, "usage: inlay %s%s%s\n\n%s\n", command->name, *command->usage ? " " : "",
		command->usage, command->help);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct args args = { .interval = 1 };
	int letter, err;
	char word[160];

	opterr = 0;
	optind = 1;
	while ((letter = getopt_long(argc, argv, ":jat1wdp:U:i:n:u:h", long_options, NULL)) != -1) {
		if (letter == 'h') {
			print_help(command, stdout);
			return EXIT_DONE;
		}
		if (letter == ':')
			return usage_error("%s needs a value; see 'inlay help %s'",
					   argv[optind - 1], command->name);
		if (letter == '?' || !strchr(command->options, listed_as(letter)))
			return usage_error("'inlay %s' has no option %s; see 'inlay help %s'",
					   command->name, argv[optind - 1], command->name);
		err = parse_one(letter, &args);
		if (err)
			return err;
	}
	args.words = argv + optind;
	args.nr_words = argc - optind;
	args.can_wait = strchr(command->options, 'w');
	if (args.nr_words < command->min_words)
		return usage_error("'inlay %s' needs a %s; see 'inlay help %s'", command->name,
				   command->usage, command->name);
	if (args.nr_words > command->max_words)
		return usage_error("'inlay %s' does not take '%s'; see 'inlay help %s'",
				   command->name,
				   escape(args.words[command->max_words], word, sizeof(word)),
				   command->name);
	return command->run(&args);
}

/* ---- Commands --------------------------------------------------------------------------- */

static int min3(int a, int b, int c)
{
	int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Edits between two short words; long ones are far from everything. */
static int distance(const char *a, const char *b)
{
	enum { MAX = 16 };
	int row[MAX + 1], n = (int)strlen(a), m = (int)strlen(b);

	if (n > MAX || m > MAX)
		return MAX;
	for (int j = 0; j <= m; j++)
		row[j] = j;
	for (int i = 1; i <= n; i++) {
		int corner = row[0];

		row[0] = i;
		for (int j = 1; j <= m; j++) {
			int up = row[j];

			row[j] = min3(row[j - 1] + 1, up + 1, corner + (a[i - 1] != b[j - 1]));
			corner = up;
		}
	}
	return row[m];
}

static int unknown_command(const char *name)
{
	const struct command *near = NULL;
	int best = 3; /* two edits at most */
	char safe[64];

	for (const struct command *command = commands; command->name; command++) {
		int d = distance(name, command->name);

		if (d < best || (strlen(name) >= 2 &&
				 !strncmp(name, command->name, strlen(name)))) {
			near = command;
			best = d;
		}
	}
	escape(name, safe, sizeof(safe));
	if (near)
		return usage_error("there is no command '%s'; did you mean '%s'?", safe, near->name);
	return usage_error("there is no command '%s'; 'inlay help' lists them", safe);
}

static const struct command *find_command(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

static void print_overview(FILE *out)
{
	fputs("usage: inlay COMMAND [OPTION...] [ARGUMENT...]\n\n"
	      "Reads the probes that are built into programs, while they run.\n\ncommands:\n", out);
	for (const struct command *command = commands; command->name; command++)
		fprintf(out, "  %-7s %s\n", command->name, command->summary);
	fputs("  help    explains a command\n\n"
	      "A MAP is [TARGET:][OBJECT.]NAME. A TARGET is a process id, the name of a program, or\n"
	      "the name or path of a segment. What is not ambiguous may be left out.\n", out);
}

static int help(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_overview(stdout);
		return EXIT_DONE;
	}
	command = find_command(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	print_help(command, stdout);
	return EXIT_DONE;
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_overview(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help(argc - 1, argv + 1);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V") || !strcmp(argv[1], "version")) {
		printf("inlay %s, segments of ABI %d.%d\n", inlay_reader_version(), INLAY_ABI_MAJOR,
		       INLAY_ABI_MINOR);
		return EXIT_DONE;
	}
	if (argv[1][0] == '-')
		return usage_error("options follow the command; 'inlay help' lists the commands");
	command = find_command(argv[1]);
	return command ? run(command, argc - 1, argv + 1) : unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
	int code, err;

	out_init();
	libbpf_set_print(silent);
	code = dispatch(argc, argv);
	/* A full disk under a redirected dump is a failure too; that 'head' has seen enough is none. */
	err = out_flush();
	if (err && err != -EPIPE && code == EXIT_DONE)
		code = fail("cannot write the output: %s", strerror(-err));
	return code;
}
