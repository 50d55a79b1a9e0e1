/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc verify: what objects and rows share.
 */
#ifndef INLAY_BPFCC_CMD_VERIFY_H
#define INLAY_BPFCC_CMD_VERIFY_H

#include "bpfcc/cmd/cmd.h"

struct cmd_verify {
	struct cmd cmd;
	bool is_raw;
	bool is_verbose;
	bool asks_kernel;
};

/* What one verifier says of one program. */
struct cmd_verdict {
	bool is_accepted;
	bool is_unknown;	/* the kernel could not be asked; reason says why */
	char reason[1024];	/* "" if accepted */
};

/*
 * One line on standard output: name, tab, verdict, tab, reason; and, if `kernel` is not NULL, a
 * tab, the kernel's verdict, a tab, its reason. A JSON object if asked for.
 */
void cmd_verify_put(struct cmd_verify *c, const char *name, const struct cmd_verdict *ours,
		    const struct cmd_verdict *kernel);

/* on_trace of the verifier: the line to standard output. */
void cmd_verify_trace(void *arg, const char *line);

/* Each returns the exit code. */
int cmd_verify_object(struct cmd_verify *c);
int cmd_verify_rows(struct cmd_verify *c);

#endif /* INLAY_BPFCC_CMD_VERIFY_H */
