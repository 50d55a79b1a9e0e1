/* SPDX-License-Identifier: BSD-2-Clause */
/* Embeds the helper bitcode of every machine (helpers.ARCH.bc in INLAY_HELPERS_DIR) as data. */
#include "bpfcc/ll/blob.h"

#include <string.h>

#define BLOB(arch)                                                                                 \
	__asm__(".section .rodata\n"                                                               \
		".balign 16\n"                                                                     \
		".hidden bpfcc_helpers_" #arch "\n"                                                \
		".globl bpfcc_helpers_" #arch "\n"                                                 \
		"bpfcc_helpers_" #arch ":\n"                                                       \
		".incbin \"" INLAY_HELPERS_DIR "/helpers." #arch ".bc\"\n"                         \
		".hidden bpfcc_helpers_end_" #arch "\n"                                            \
		".globl bpfcc_helpers_end_" #arch "\n"                                             \
		"bpfcc_helpers_end_" #arch ":\n"                                                   \
		".byte 0\n"                                                                        \
		".previous\n");                                                                    \
	extern const char bpfcc_helpers_##arch[] __attribute__((visibility("hidden")));            \
	extern const char bpfcc_helpers_end_##arch[] __attribute__((visibility("hidden")));

BLOB(x86_64)
BLOB(aarch64)

static const struct bpfcc_blob blobs[] = {
	{"x86_64", bpfcc_helpers_x86_64, bpfcc_helpers_end_x86_64},
	{"aarch64", bpfcc_helpers_aarch64, bpfcc_helpers_end_aarch64},
};

const struct bpfcc_blob *bpfcc_blob_find(const char *triple)
{
	size_t len = strcspn(triple, "-");

	for (size_t i = 0; i < sizeof(blobs) / sizeof(blobs[0]); i++)
		if (strlen(blobs[i].arch) == len && !strncmp(blobs[i].arch, triple, len))
			return &blobs[i];
	return NULL;
}
