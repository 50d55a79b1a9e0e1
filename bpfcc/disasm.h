/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction as text, in the style of the kernel's and LLVM's disassemblers:
 * "r0 = *(u64 *)(r1 + 8)".
 */
#ifndef INLAY_BPFCC_DISASM_H
#define INLAY_BPFCC_DISASM_H

#include <stddef.h>
#include <stdint.h>

#include "bpfcc/object.h"

/*
 * Writes instruction `insn` of `func` to buf, NUL-terminated, cut if too long; returns buf.
 * `object` gives names of maps and functions; it may be NULL. Anything is accepted: what is no
 * instruction is shown as raw bytes.
 */
const char *bpfcc_disasm(const struct bpfcc_object *object, const struct bpfcc_func *func,
			 uint32_t insn, char *buf, size_t bytes);

#endif /* INLAY_BPFCC_DISASM_H */
