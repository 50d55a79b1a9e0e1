/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the subcommands of bpfcc share: exit codes, options of every command that opens an object,
 * messages on standard error or as JSON.
 */
#ifndef INLAY_BPFCC_CMD_CMD_H
#define INLAY_BPFCC_CMD_CMD_H

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "inlay/bpfcc.h"

/* EXIT_REFUSED: the program or the object was refused, or something failed. */
enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_INTERNAL = 70 };

/* Each takes argv from its own name on and returns the exit code. */
int cmd_compile(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_run(int argc, char **argv);

struct json_t;

/* Where messages go; give cmd_message() and this as on_message. */
struct cmd_messages {
	bool is_json;		/* to standard output; else as text to standard error */
	bool has_error;		/* one was given */
	bool is_out_of_memory;	/* JSON could not be made */
	struct json_t *pending;	/* the last message but notes, which are added to it */
};

void cmd_message(void *arg, const struct inlay_bpfcc_message *message);
/* Prints what is pending. To be called before anything else is printed, and at the end. */
void cmd_messages_flush(struct cmd_messages *messages);

struct cmd_list {
	const char **items;
	size_t nr;
};

/* A command that opens an object. */
struct cmd {
	const char *input;
	struct cmd_list sets, maps, attaches, skips;
	struct inlay_bpfcc_opts opts;
	struct cmd_messages messages;
	inlay_bpfcc_message_fn on_message;	/* NULL: cmd_message, with `messages` */
	void *on_message_arg;
	bool is_out_of_memory;
};

/* Options for getopt_long of every command that opens an object, from this number on. */
enum {
	CMD_OPT_SET = 1000, CMD_OPT_MAP, CMD_OPT_ATTACH, CMD_OPT_OVERRIDE, CMD_OPT_WRITE,
	CMD_OPT_TARGET, CMD_OPT_NO_VERIFY, CMD_OPT_TARGET_BTF, CMD_OPT_SKIP
};

#define CMD_OBJECT_OPTIONS                                                                         \
	{"set", required_argument, NULL, CMD_OPT_SET},                                             \
	{"map", required_argument, NULL, CMD_OPT_MAP},                                             \
	{"target-btf", required_argument, NULL, CMD_OPT_TARGET_BTF},                               \
	{"attach", required_argument, NULL, CMD_OPT_ATTACH},                                       \
	{"skip", required_argument, NULL, CMD_OPT_SKIP},                                           \
	{"allow-override", no_argument, NULL, CMD_OPT_OVERRIDE},                                   \
	{"allow-write", no_argument, NULL, CMD_OPT_WRITE}

#define CMD_OBJECT_OPTIONS_HELP                                                                    \
	"  --set VAR=VALUE            change a variable of .rodata, .data or .bss; also\n"         \
	"                             VAR.MEMBER=VALUE and VAR[INDEX]=VALUE\n"                     \
	"  --map NAME.max_entries=N   change the size of a map\n"                                  \
	"  --attach PROGRAM:FUNCTION  name the function of a program in a bare section\n"          \
	"  --skip PROGRAM             leave a program out; a pattern may name several\n"           \
	"  --allow-override           accept programs that call bpf_override_return()\n"           \
	"  --allow-write              accept programs that call bpf_probe_write_user()\n"

/* True: it was one of CMD_OPT_*. Uses getopt's optarg. */
bool cmd_object_option(struct cmd *c, int option);
/* Fills in c->opts and opens c->input, or the bytes at `data`. */
int cmd_object_open(struct cmd *c, const void *data, size_t bytes,
		    struct inlay_bpfcc_object **ret_object);
/* The same of plain instructions. */
int cmd_program_open(struct cmd *c, const void *insns, size_t bytes,
		     struct inlay_bpfcc_object **ret_object);
/*
 * Cuts ":PROGRAM" off c->input, into c->opts.program, unless a file has the whole as its name.
 * False: out of memory. c->input is the command's then, and stays allocated to the end of it.
 */
bool cmd_split_program(struct cmd *c);
/* The exit code after `err`; prints what is pending, and what has no message yet. */
int cmd_finish(struct cmd *c, int err);

/* "bpfcc: error: PROBLEM: WHAT"; `what` may be NULL. EXIT_USAGE */
int cmd_usage(const char *command, const char *problem, const char *what);
/* "bpfcc: error: TEXT". EXIT_REFUSED */
int cmd_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cmd_out_of_memory(void);
/* Text from outside, with '?' for what a terminal would act on; NULL prints nothing. */
void cmd_put_text(FILE *out, const char *text);

/* All of a stream, with a NUL behind it; NULL: errno says why, EFBIG above `limit` bytes. */
char *cmd_read_all(FILE *in, size_t limit, size_t *ret_bytes);

#endif /* INLAY_BPFCC_CMD_CMD_H */
