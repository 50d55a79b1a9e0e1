/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A USDT probe as the compiler sees it: inline assembly with a nop and a note, whose operands are
 * the probe's arguments. The note's format is SystemTap's (sys/sdt.h); DTrace-style macros of other
 * projects write the same.
 */
#ifndef INLAY_PASS_USDT_H
#define INLAY_PASS_USDT_H

#include <stdbool.h>
#include <stddef.h>

#include <llvm-c/Core.h>

#include "inlay/abi.h"

struct usdt_arg {
	int operand;		/* of the call; -1: none, see `constant` and `problem` */
	unsigned int bytes;	/* 1, 2, 4 or 8 */
	bool is_signed;
	bool is_indirect;	/* the operand is the argument's address */
	long long constant;	/* written into the note as a number */
	const char *problem;	/* why the argument cannot be had, or NULL */
};

struct usdt_probe {
	const char *provider, *name;	/* in the text, not ended by NUL */
	size_t provider_bytes, name_bytes;
	const char *semaphore;		/* its symbol in the text; of no bytes if there is none */
	size_t semaphore_bytes;
	int semaphore_operand;		/* of the call; -1: none */
	unsigned int nr_args;
	struct usdt_arg args[INLAY_USDT_MAX_ARGS];
};

/*
 * The next probe of an inline assembly call, from *at in its text on; *at NULL at first. False: there
 * is none. What the pointers point to lives as long as the call.
 */
bool usdt_next(LLVMValueRef call, const char **at, struct usdt_probe *ret_probe);

#endif /* INLAY_PASS_USDT_H */
