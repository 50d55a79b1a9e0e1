/* SPDX-License-Identifier: BSD-2-Clause */
/* Classes of bytes as the kernel has them (lib/ctype.c): no locale, and Latin-1's blank is one. */
#ifndef INLAY_RT_CTYPE_H
#define INLAY_RT_CTYPE_H

static inline int inlay_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (unsigned char)c == 0xa0;
}

#endif /* INLAY_RT_CTYPE_H */
