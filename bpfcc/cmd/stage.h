/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc -d=STAGE: an object after each stage of its way to native code.
 */
#ifndef INLAY_BPFCC_CMD_STAGE_H
#define INLAY_BPFCC_CMD_STAGE_H

#include "inlay/bpfcc.h"

enum cmd_stage {
	CMD_STAGE_NONE,
	CMD_STAGE_BYTECODE,	/* loaded and relocated */
	CMD_STAGE_FACTS,	/* verified: what each register holds */
	CMD_STAGE_IR,		/* lowered and optimised */
	CMD_STAGE_ASM,
};

/* CMD_STAGE_NONE: there is no such stage. */
enum cmd_stage cmd_stage_by_name(const char *name);
/* To standard output. 0 or -errno; what went wrong was said if -EINVAL. */
int cmd_stage_print(struct inlay_bpfcc_object *object, enum cmd_stage stage);

#endif /* INLAY_BPFCC_CMD_STAGE_H */
