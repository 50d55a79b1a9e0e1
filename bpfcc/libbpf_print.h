/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between these two calls, what libbpf prints on this thread becomes notes in the sink. They hold a
 * lock: the sink's callback must not open another object.
 */
#ifndef INLAY_BPFCC_LIBBPF_PRINT_H
#define INLAY_BPFCC_LIBBPF_PRINT_H

struct bpfcc_diag;

/* diag may not be NULL */
void bpfcc_libbpf_begin(struct bpfcc_diag *diag);
void bpfcc_libbpf_end(void);

#endif /* INLAY_BPFCC_LIBBPF_PRINT_H */
