/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc run: runs one program once, on memory that is given, and prints r0 in hex. What goes wrong
 * is said on standard error.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpfcc/arena.h"
#include "bpfcc/cmd/cmd.h"
#include "bpfcc/raw.h"

#define MAX_INPUT_BYTES (64u << 20)

struct run {
	struct cmd cmd;
	bool is_raw, is_elf, is_interpreted;
	const char *memory_hex;
	void *memory;		/* NULL if there is none */
	size_t memory_bytes;
};

static const char usage_text[] =
	"usage: bpfcc run [options] FILE.bpf.o[:PROGRAM]\n"
	"       bpfcc run --raw [options] [MEMHEX] < PROGRAM\n"
	"       bpfcc run --elf [options] [MEMHEX] < FILE.bpf.o\n"
	"\n"
	"Compiles a program, runs it once and prints r0 in hex. r1 is the address of the memory, or\n"
	"0 if there is none, r2 its size in bytes.\n"
	"\n"
	"  --raw                      the program is on standard input, as hex bytes in the order of\n"
	"                             an ELF section\n"
	"  --elf                      an object is on standard input, as it is or as hex bytes\n"
	"  --program NAME             run this program of it (default: the first one)\n"
	"  --mem MEMHEX               the memory, as hex bytes; white space is ignored\n"
	"  --interp                   run it in the checking interpreter, which stops at the first\n"
	"                             thing that a verified program never does\n"
	"  --no-verify                run it even if it is not safe: it can crash, or not end\n"
	"                             (also --unsafe-no-verify)\n"
	CMD_OBJECT_OPTIONS_HELP
	"  -h, --help                 print this\n"
	"\n"
	"Exit codes: 0 it ran, 1 refused or failed, 2 usage, 70 a bug in bpfcc.\n";

static int usage(const char *problem, const char *what)
{
	return cmd_usage("run", problem, what);
}

enum { OPT_RAW = 256, OPT_ELF, OPT_PROGRAM, OPT_MEM, OPT_INTERP };

/* One option. -1: go on; else the exit code */
static int parse_option(struct run *r, int option, char **argv)
{
	switch (option) {
	case OPT_RAW:
		r->is_raw = true;
		return -1;
	case OPT_ELF:
		r->is_elf = true;
		return -1;
	case OPT_INTERP:
		r->is_interpreted = true;
		return -1;
	case OPT_PROGRAM:
		r->cmd.opts.program = optarg;
		return -1;
	case OPT_MEM:
		r->memory_hex = optarg;
		return -1;
	case 'h':
		fputs(usage_text, stdout);
		return 0;
	case ':':
		return usage("an argument is missing after", argv[optind - 1]);
	default:
		if (cmd_object_option(&r->cmd, option))
			return -1;
		return usage("unknown option", argv[optind - 1]);
	}
}

/* -1: go on; else the exit code */
static int parse(struct run *r, int argc, char **argv)
{
	static const struct option options[] = {
		{"raw", no_argument, NULL, OPT_RAW},
		{"elf", no_argument, NULL, OPT_ELF},
		{"program", required_argument, NULL, OPT_PROGRAM},
		{"mem", required_argument, NULL, OPT_MEM},
		{"interp", no_argument, NULL, OPT_INTERP},
		{"no-verify", no_argument, NULL, CMD_OPT_NO_VERIFY},
		{"unsafe-no-verify", no_argument, NULL, CMD_OPT_NO_VERIFY},
		CMD_OBJECT_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option, status;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		status = parse_option(r, option, argv);
		if (status >= 0)
			return status;
	}
	if (r->is_raw && r->is_elf)
		return usage("--raw and --elf exclude each other", NULL);
	if (r->is_raw && (r->cmd.opts.program || r->cmd.sets.nr || r->cmd.maps.nr ||
			  r->cmd.attaches.nr || r->cmd.skips.nr))
		return usage("--program, --set, --map and --attach are for objects, not for --raw",
			     NULL);
	if (r->is_raw || r->is_elf) {
		r->cmd.input = "<stdin>";
		if (optind < argc && r->memory_hex)
			return usage("the memory is given twice", argv[optind]);
		if (optind < argc)
			r->memory_hex = argv[optind++];
	} else {
		if (optind == argc)
			return usage("no probe object is given", NULL);
		r->cmd.input = argv[optind++];
	}
	if (optind < argc)
		return usage("too many arguments", argv[optind]);
	return -1;
}

/* Hex to bytes in memory of exactly their number. NULL: a message was given, or no memory. */
static uint8_t *decode(const char *hex, size_t chars, const char *what, size_t *ret_bytes)
{
	struct bpfcc_arena *arena = bpfcc_arena_new();
	const char *problem = NULL;
	uint8_t *data = NULL, *copy = NULL;

	if (arena)
		data = bpfcc_raw_bytes(hex, chars, arena, ret_bytes, &problem);
	if (data)
		copy = malloc(*ret_bytes ? *ret_bytes : 1);
	if (copy)
		memcpy(copy, data, *ret_bytes);
	else if (problem)
		cmd_fail("%s: %s", what, problem);
	else
		cmd_out_of_memory();
	bpfcc_arena_free(arena);
	return copy;
}

/* What --raw and --elf have on standard input. NULL: a message was given. */
static uint8_t *read_code(const struct run *r, size_t *ret_bytes)
{
	char *text = cmd_read_all(stdin, MAX_INPUT_BYTES, ret_bytes);
	uint8_t *code;

	if (!text) {
		cmd_fail("cannot read the standard input: %s", strerror(errno));
		return NULL;
	}
	if (r->is_elf && (!*ret_bytes || text[0] == 0x7f))
		return (uint8_t *)text;
	code = decode(text, *ret_bytes, "the standard input", ret_bytes);
	free(text);
	return code;
}

static const char *crash_text;
static int crash_status;

static void on_crash(int signal)
{
	(void)signal;
	if (write(STDERR_FILENO, crash_text, strlen(crash_text)) < 0)
		_exit(crash_status);
	_exit(crash_status);
}

/* What a program does wrong it does to this process: let it say so, and fail as all else fails. */
static void catch_crashes(bool is_verified)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	static char stack[1 << 16];
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	/* once: a second one, in here, is the end */
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_RESETHAND};

	crash_status = is_verified ? EXIT_INTERNAL : EXIT_REFUSED;
	crash_text = is_verified ? "bpfcc: internal error: a program that was verified crashed\n" :
				   "bpfcc: error: the program crashed; it was not verified\n"
				   "      = help: bpfcc run --interp says where and why\n";
	sigemptyset(&action.sa_mask);
	if (sigaltstack(&alternate, NULL))
		return;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* A message was given if -EINVAL. */
static int open_and_run(struct run *r, const uint8_t *code, size_t bytes)
{
	struct inlay_bpfcc_object *object = NULL;
	uint64_t r0;
	int err;

	r->cmd.opts.context = INLAY_BPFCC_CONTEXT_MEMORY;
	r->cmd.opts.context_bytes = (uint32_t)r->memory_bytes;
	if (r->is_raw)
		err = cmd_program_open(&r->cmd, code, bytes, &object);
	else
		err = cmd_object_open(&r->cmd, code, bytes, &object);
	if (!err && !r->is_interpreted)
		catch_crashes(!r->cmd.opts.unsafe_no_verify);
	if (!err) {
		err = (r->is_interpreted ? inlay_bpfcc_object_interpret : inlay_bpfcc_object_run)(
			object, NULL, r->memory, r->memory_bytes, &r0);
		if (err == -ENOENT) {
			cmd_fail("%s: there is no program in it", r->cmd.input);
			r->cmd.messages.has_error = true;
		}
	}
	if (!err)
		printf("%" PRIx64 "\n", r0);
	inlay_bpfcc_object_free(object);
	return err;
}

/* -1: go on; else the exit code */
static int read_memory(struct run *r)
{
	if (!r->memory_hex)
		return -1;
	r->memory = decode(r->memory_hex, strlen(r->memory_hex), "the memory", &r->memory_bytes);
	if (!r->memory)
		return EXIT_REFUSED;
	if (!r->memory_bytes) {
		free(r->memory);
		r->memory = NULL;
	}
	return -1;
}

int cmd_run(int argc, char **argv)
{
	struct run r = {0};
	uint8_t *code = NULL;
	size_t bytes = 0;
	int status = parse(&r, argc, argv);

	if (status < 0)
		status = read_memory(&r);
	if (status < 0 && !r.is_raw && !r.is_elf && !cmd_split_program(&r.cmd))
		status = cmd_out_of_memory();
	if (status < 0 && (r.is_raw || r.is_elf)) {
		code = read_code(&r, &bytes);
		if (!code)
			status = EXIT_REFUSED;
	}
	if (status < 0)
		status = cmd_finish(&r.cmd, open_and_run(&r, code, bytes));
	else
		cmd_finish(&r.cmd, 0);
	free(code);
	free(r.memory);
	return status;
}
