/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between mem.c, which decides what may be accessed, and stack.c, which knows what stack bytes
 * hold.
 */
#ifndef INLAY_BPFCC_VERIFY_MEM_H
#define INLAY_BPFCC_VERIFY_MEM_H

#include "bpfcc/verify/walk.h"

/* Bytes that an access may touch, from the start of the object (stack: from r10): [lo, hi). Wider
 * than the access where the offset is not constant. */
struct verify_window {
	__int128 lo, hi;
};

/* All of these: the window is inside of the stack. */
int verify_stack_load(struct verify *v, struct verify_frame *f, const struct verify_window *w,
		      uint64_t bytes, bool is_signed, struct verify_reg *dst);
int verify_stack_store(struct verify *v, struct verify_frame *f, const struct verify_window *w,
		       uint64_t bytes, const struct verify_reg *value);
/* Each byte of the window is looked at. */
int verify_stack_read(struct verify *v, struct verify_frame *f, const struct verify_window *w);
/* Each byte of the window may have changed to anything (is_all: each has). */
int verify_stack_smear(struct verify *v, struct verify_frame *f, const struct verify_window *w,
		       bool is_all);

/* Its contents are constants: nobody can write it. */
bool verify_map_is_frozen(const struct bpfcc_map *map);

#endif /* INLAY_BPFCC_VERIFY_MEM_H */
