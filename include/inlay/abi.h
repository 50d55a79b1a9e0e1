/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The binary contract between everything Inlay emits, links and reads.
 *
 * Three groups of structures:
 *   1. descriptors that bpfcc and the pass put into a target (read by the runtime, and by
 *      `inlay list` from the ELF file), and the frame that an eBPF program's ctx points to while it
 *      runs: target.h, task.h;
 *   2. the segment: the shared file that a target's process tree writes and readers map: segment.h;
 *   3. in it a region a map, whose layout depends on the map's type: map.h, hash.h, ring.h, arena.h.
 *
 * Rules: fixed-width integers only; in shared memory offsets and never pointers; padding is
 * explicit and zero; an all-zero region is a valid empty map; a newer tool reads an older minor
 * version. The files compile as C11, as C++ and with -target bpf, and include nothing but types.
 */
#ifndef INLAY_ABI_H
#define INLAY_ABI_H

#include "inlay/abi/arena.h"
#include "inlay/abi/base.h"
#include "inlay/abi/hash.h"
#include "inlay/abi/map.h"
#include "inlay/abi/ring.h"
#include "inlay/abi/segment.h"
#include "inlay/abi/target.h"
#include "inlay/abi/task.h"

#endif /* INLAY_ABI_H */
