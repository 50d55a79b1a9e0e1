/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a clang command line asks for: which phases run, on which inputs, into which file. Only as
 * much as the wrapper has to know; the command line itself always goes to clang as it came.
 * Pure functions: no file is looked at, nothing is printed.
 */
#ifndef INLAY_DRIVER_ARGS_H
#define INLAY_DRIVER_ARGS_H

#include <stdbool.h>
#include <stddef.h>

enum cc_mode {
	CC_INFO,	/* no input, or a question such as --version: clang answers and ends */
	CC_FRONT,	/* -E, -M, -MM, -fsyntax-only, headers: no code is made */
	CC_COMPILE,	/* -S, -c */
	CC_LINK,	/* up to the linker, also for single-command builds */
};

enum cc_lto { CC_LTO_NONE, CC_LTO_FULL, CC_LTO_THIN };

struct cc_args {
	enum cc_mode mode;
	bool has_source;	/* an input goes through LLVM's optimiser: C, C++, IR ... */
	bool is_relocatable;	/* -r */
	bool is_shared;		/* -shared */
	bool is_dry_run;	/* -###: clang prints the commands and runs none */
	bool is_foreign;	/* made for another target than this machine's */
	bool has_linker;	/* the user chose one: -fuse-ld=, --ld-path= */
	bool has_depfile;	/* -MD or -MMD: a rule for make is written beside the output */
	enum cc_lto lto;
	const char *output;	/* as given by -o, or NULL */
	const char *first_input;
	size_t nr_inputs;
};

/*
 * Classifies argv[0 .. nr), which starts behind the command's name and has no @file left. The
 * strings stay the caller's; ret_args points into them.
 */
void cc_args_read(const char *const *argv, size_t nr, struct cc_args *ret_args);

/* How many words the option `arg` takes up: 2 when its value is a word of its own, else 1. */
size_t cc_option_words(const char *arg);

#endif /* INLAY_DRIVER_ARGS_H */
