/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native execution for `bpfcc run` and for tests: one function of an object, with the subprograms
 * that it calls, is compiled into memory and called. Nothing is shared with anybody: maps are
 * private memory of the layout that abi.h describes, per-CPU maps have one shard, no segment is
 * made. Helpers are libinlay's own: those that are calls come from libinlay.so.1, which is loaded
 * when a program needs one.
 *
 * What the program does wrong is done to this process: run only what was verified, or trusted.
 *
 * Thread-safety: as inlay/bpfcc.h says of objects; one bpfcc_native is used by one thread at a time.
 */
#ifndef INLAY_BPFCC_RUN_NATIVE_H
#define INLAY_BPFCC_RUN_NATIVE_H

#include <stddef.h>
#include <stdint.h>

#include "inlay/bpfcc.h"

struct bpfcc_native;

/*
 * Compiles object->funcs[func], a program or a subprogram. Works with object->kinds (what the
 * verifier found) and without (kinds NULL: nothing is known, all accesses are made as written).
 * -EINVAL: a message says what; -ENOMEM. The object must live as long as the result.
 */
int bpfcc_native_new(struct inlay_bpfcc_object *object, uint32_t func,
		     struct bpfcc_native **ret_native);

/*
 * Calls it and returns its r0. r1 and r2 are what the function starts with; a program that is
 * reached by a tail call has a copy of the r2 bytes at r1 as its context. Helpers that read the
 * hit (bpf_get_func_ip() ...) find zeros; a session's cookie is a variable of this call.
 */
uint64_t bpfcc_native_call(struct bpfcc_native *native, uint64_t r1, uint64_t r2);

/*
 * Memory of map `map`: its region or, per-CPU array, the only shard. NULL and 0 bytes for .rodata,
 * which is a part of the code, and for maps without memory. The caller may read and write it
 * between calls.
 */
void *bpfcc_native_map(const struct bpfcc_native *native, uint32_t map, size_t *ret_bytes);

/* Puts every map back to its initial contents. */
void bpfcc_native_reset(struct bpfcc_native *native);

void bpfcc_native_free(struct bpfcc_native *native);

#endif /* INLAY_BPFCC_RUN_NATIVE_H */
