/* SPDX-License-Identifier: BSD-2-Clause */
/* The helper bitcode that the build embeds in the library, one for each machine. */
#ifndef INLAY_BPFCC_LL_BLOB_H
#define INLAY_BPFCC_LL_BLOB_H

struct bpfcc_blob {
	const char *arch;	/* first part of an LLVM triple */
	const char *start, *end;
};

/* Of the machine that a triple names; NULL: bpfcc does not compile for it. */
const struct bpfcc_blob *bpfcc_blob_find(const char *triple);

#endif /* INLAY_BPFCC_LL_BLOB_H */
