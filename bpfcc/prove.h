/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands between a loaded object and its use: the structural checks and the verifier.
 */
#ifndef INLAY_BPFCC_PROVE_H
#define INLAY_BPFCC_PROVE_H

#include <stdint.h>

struct inlay_bpfcc_object;

/*
 * Checks handle->data as handle->opts ask, and fills in handle->kinds. ctx_bytes: of the target's
 * struct pt_regs, for CONTEXT_REGISTERS. With unsafe_no_verify the structural checks are made (without
 * them nothing could be lowered), a warning is given, and kinds is NULL if the verifier would have
 * refused. With defer_verify there are the structural checks alone. 0, -EINVAL with a message, -ENOMEM.
 */
int bpfcc_prove(struct inlay_bpfcc_object *handle, uint32_t ctx_bytes);

#endif /* INLAY_BPFCC_PROVE_H */
