/* SPDX-License-Identifier: BSD-2-Clause */
/* A C header for a compiled object; see header.c. */
#ifndef INLAY_BPFCC_LL_HEADER_H
#define INLAY_BPFCC_LL_HEADER_H

#include <stddef.h>

#include "inlay/bpfcc.h"

/* Its text, for free(). 0 or -ENOMEM. */
int bpfcc_header(const struct inlay_bpfcc_object *object, char **ret_text, size_t *ret_bytes);

#endif /* INLAY_BPFCC_LL_HEADER_H */
