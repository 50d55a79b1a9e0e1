/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The diagnostics sink: what a user got wrong, with its place, goes to the callback of
 * inlay_bpfcc_opts. Nothing here prints; diag_print.h has the terminal format that commands use.
 */
#ifndef INLAY_BPFCC_DIAG_H
#define INLAY_BPFCC_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bpfcc/object.h"
#include "inlay/bpfcc.h"

struct bpfcc_diag {
	inlay_bpfcc_message_fn fn;	/* NULL: messages are counted only */
	void *arg;
	const char *path;		/* of the probe object */
	const struct bpfcc_object *object; /* for names in disassembly; may be NULL */
	unsigned int nr_errors;
};

/* Where: any part may be missing. With `func`, section, name and source line come from it. */
struct bpfcc_where {
	const struct bpfcc_func *func;
	int insn;			/* -1: none */
	const char *section;
	const char *program;
	/* what is known of the registers that the instruction reads; printed with the message */
	const struct inlay_bpfcc_register *registers;
	size_t nr_registers;
};

/*
 * `diag` may be NULL. `hint` may be NULL. Texts follow clang: lower case, no full stop.
 * bpfcc_error() returns -EINVAL, for `return bpfcc_error(...)`.
 */
void bpfcc_report(struct bpfcc_diag *diag, enum inlay_bpfcc_severity severity,
		  const struct bpfcc_where *where, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
int bpfcc_error(struct bpfcc_diag *diag, const struct bpfcc_where *where, const char *hint,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif /* INLAY_BPFCC_DIAG_H */
