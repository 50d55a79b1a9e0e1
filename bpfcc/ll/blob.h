/* SPDX-License-Identifier: BSD-2-Clause */
/* The helper bitcode that the build embeds in the library. */
#ifndef INLAY_BPFCC_LL_BLOB_H
#define INLAY_BPFCC_LL_BLOB_H

extern const char bpfcc_helpers_bc[] __attribute__((visibility("hidden")));
extern const char bpfcc_helpers_bc_end[] __attribute__((visibility("hidden")));

#endif /* INLAY_BPFCC_LL_BLOB_H */
