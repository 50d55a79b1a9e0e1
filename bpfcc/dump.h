/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A loaded object as text: `bpfcc -d`; the helpers: `bpfcc --helpers`.
 */
#ifndef INLAY_BPFCC_DUMP_H
#define INLAY_BPFCC_DUMP_H

#include <stdio.h>

struct inlay_bpfcc_object;

/* rt/helpers.def as text */
void bpfcc_dump_helpers(FILE *out);
void bpfcc_dump(FILE *out, const struct inlay_bpfcc_object *object);
/* Without what the verifier found. */
void bpfcc_dump_bytecode(FILE *out, const struct inlay_bpfcc_object *object);

#endif /* INLAY_BPFCC_DUMP_H */
