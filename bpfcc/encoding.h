/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is one instruction well-formed? RFC 9669, ISA v1 to v4.
 */
#ifndef INLAY_BPFCC_ENCODING_H
#define INLAY_BPFCC_ENCODING_H

#include <stdint.h>

#include "bpfcc/object.h"

/* NULL: well-formed. Else what is wrong, a constant text, and *ret_hint, which may be NULL. */
const char *bpfcc_encoding_problem(const struct bpfcc_func *func, uint32_t insn,
				   const char **ret_hint);

#endif /* INLAY_BPFCC_ENCODING_H */
