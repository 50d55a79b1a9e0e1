/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The identity of what an object compiles to: names of emitted symbols come from it.
 */
#ifndef INLAY_BPFCC_OBJECT_HASH_H
#define INLAY_BPFCC_OBJECT_HASH_H

#include "bpfcc/object.h"
#include "inlay/bpfcc.h"

/* Fills object->hash. 0. */
int bpfcc_object_hash(struct bpfcc_object *object, const struct inlay_bpfcc_opts *opts);

#endif /* INLAY_BPFCC_OBJECT_HASH_H */
