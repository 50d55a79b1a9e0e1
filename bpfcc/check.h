/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structural checks: what can be said of instructions without knowing what registers hold.
 */
#ifndef INLAY_BPFCC_CHECK_H
#define INLAY_BPFCC_CHECK_H

#include "bpfcc/object.h"

struct bpfcc_diag;

/*
 * Every function: encoding as far as bpfcc_encoding_broken() goes, jumps, ends, unreachable code
 * (refused; of an object that is_plain, replaced by exits).
 * Whoever finds which instructions can run asks bpfcc_encoding_problem() of each of them.
 * The call graph: no recursion, depth.
 * Fills in nr_args of subprograms, from the registers that they read before they write them.
 * 0, -EINVAL, -ENOMEM.
 */
int bpfcc_check(struct bpfcc_object *object, struct bpfcc_arena *arena, struct bpfcc_diag *diag);

/*
 * bpfcc_encoding_problem() of every instruction, for programs that nobody walks, but for problems of
 * instructions that have a meaning all the same. 0, -EINVAL.
 */
int bpfcc_check_encoding(const struct bpfcc_object *object, struct bpfcc_diag *diag);

#endif /* INLAY_BPFCC_CHECK_H */
