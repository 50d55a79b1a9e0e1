/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is one instruction well-formed? RFC 9669, ISA v1 to v4.
 */
#ifndef INLAY_BPFCC_ENCODING_H
#define INLAY_BPFCC_ENCODING_H

#include <stdbool.h>
#include <stdint.h>

#include "bpfcc/object.h"

/*
 * What is wrong with an instruction even if it never runs, because nothing after it could be read:
 * unknown instructions and registers, halves of a 16-byte one. NULL: nothing; else a constant text,
 * and *ret_hint, which may be NULL.
 */
const char *bpfcc_encoding_broken(const struct bpfcc_func *func, uint32_t insn,
				  const char **ret_hint);

/*
 * The same and every other rule: fields that are not used are zero, r10 is not written, a shift is not
 * wider than its register ... For instructions that may run: behind a condition that is never true,
 * kernels look at nothing else than the above, and such code is not lowered.
 */
const char *bpfcc_encoding_problem(const struct bpfcc_func *func, uint32_t insn,
				   const char **ret_hint);

/*
 * A problem that bpfcc_encoding_problem() gave is one of an instruction that has a meaning all the
 * same (RFC 9669: 0 for a division by zero, shifts by the low bits), and is a mistake for certain.
 */
bool bpfcc_encoding_has_meaning(const char *problem);

#endif /* INLAY_BPFCC_ENCODING_H */
