/* SPDX-License-Identifier: BSD-2-Clause */
/* From an object file to a shared library; see link.c. */
#ifndef INLAY_BPFCC_LL_LINK_H
#define INLAY_BPFCC_LL_LINK_H

#include "inlay/bpfcc.h"

/*
 * Links the object file `input` with libinlay into the shared library `output`, which needs libc
 * only. -EINVAL after a message.
 */
int bpfcc_link(struct inlay_bpfcc_object *object, const char *input, const char *output);

#endif /* INLAY_BPFCC_LL_LINK_H */
