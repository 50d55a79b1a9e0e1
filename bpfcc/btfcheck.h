/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is a file's BTF sound? libbpf checks the sizes of records and little else, and then follows every
 * reference, so references are checked here before libbpf sees the file.
 */
#ifndef INLAY_BPFCC_BTFCHECK_H
#define INLAY_BPFCC_BTFCHECK_H

#include <stddef.h>

struct bpfcc_diag;

/* 0, -EINVAL, -ENOMEM */
int bpfcc_btf_check(const void *data, size_t bytes, struct bpfcc_diag *diag);

#endif /* INLAY_BPFCC_BTFCHECK_H */
