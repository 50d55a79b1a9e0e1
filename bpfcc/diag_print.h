/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages as commands print them, in clang's shape.
 */
#ifndef INLAY_BPFCC_DIAG_PRINT_H
#define INLAY_BPFCC_DIAG_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "inlay/bpfcc.h"

/*
 *	app.bpf.c:20: error: the store goes through a number
 *	   20 |         *(int *)x = 1;
 *	      = app.bpf.o: section "uprobe/f", program "count", instruction 9: *(u32 *)(r1 + 0) = r2
 *	      = r1: a number, 0..255
 *	      = help: ...
 */
void bpfcc_diag_print(FILE *out, bool is_coloured, const struct inlay_bpfcc_message *message);

#endif /* INLAY_BPFCC_DIAG_PRINT_H */
