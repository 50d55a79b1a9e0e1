/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_strncmp(): against a constant, so that the comparison may be unrolled where it is inlined. */
#ifndef INLAY_RT_INLINE_STRING_H
#define INLAY_RT_INLINE_STRING_H

#include "inlay/abi.h"

/* -1, 0 or 1, as the kernel's strncmp(). The first string may change meanwhile and may have no NUL. */
static inline __s64 __inlay_strncmp(const void *s1, __u64 bytes, const char *s2)
{
	__u32 size = (__u32)bytes;

	for (__u32 i = 0; i < size; i++) {
		unsigned char a = __atomic_load_n((const unsigned char *)s1 + i, __ATOMIC_RELAXED);
		unsigned char b = (unsigned char)s2[i];

		if (a != b)
			return a < b ? -1 : 1;
		if (!a)
			break;
	}
	return 0;
}

#endif /* INLAY_RT_INLINE_STRING_H */
