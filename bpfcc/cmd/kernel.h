/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc verify --kernel-verify: what the running kernel says of a program. Programs are loaded and
 * closed again, never attached.
 */
#ifndef INLAY_BPFCC_CMD_KERNEL_H
#define INLAY_BPFCC_CMD_KERNEL_H

#include "bpfcc/cmd/verify.h"
#include "bpfcc/object.h"

struct bpfcc_raw;

struct cmd_kernel {
	char *log;
	int btf_fd;		/* describes functions of rows; -1: not made yet */
};

/* False: out of memory */
bool cmd_kernel_init(struct cmd_kernel *k);
void cmd_kernel_fini(struct cmd_kernel *k);

/* The program of a row, with maps made for it. */
void cmd_kernel_row(struct cmd_kernel *k, const struct bpfcc_raw *raw,
		    struct cmd_verdict *ret_verdict);

/*
 * One program of an object file, through libbpf. `object` is what bpfcc read of the same file: its
 * map sizes and the contents of its data, with --map and --set applied, are the kernel's, too.
 */
void cmd_kernel_program(struct cmd_kernel *k, const struct bpfcc_object *object,
			const struct bpfcc_prog *prog, struct cmd_verdict *ret_verdict);

#endif /* INLAY_BPFCC_CMD_KERNEL_H */
