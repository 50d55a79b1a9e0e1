/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves an object, or says loudly that nothing was proved.
 */
#include "bpfcc/prove.h"

#include <errno.h>

#include "bpfcc/check.h"
#include "bpfcc/handle.h"

static int verify(struct inlay_bpfcc_object *h, uint32_t ctx_bytes, struct bpfcc_diag *diag)
{
	struct bpfcc_kinds_opts opts = {.ctx_bytes = ctx_bytes,
					.allow_override = h->opts.allow_override};

	return bpfcc_kinds_new(&h->data, &opts, h->data.arena, diag, &h->kinds);
}

int bpfcc_prove(struct inlay_bpfcc_object *h, uint32_t ctx_bytes)
{
	int err;

	if (h->opts.context == INLAY_BPFCC_CONTEXT_MEMORY)
		ctx_bytes = h->opts.context_bytes;
	err = bpfcc_check(&h->data, h->data.arena, &h->diag);
	if (err)
		return err;
	if (!h->opts.unsafe_no_verify)
		return verify(h, ctx_bytes, &h->diag);
	bpfcc_report(&h->diag, INLAY_BPFCC_WARNING, NULL,
		     "leave out --unsafe-no-verify and what it stands for",
		     "the programs are NOT VERIFIED: whatever they do wrong, they do in the process "
		     "that they are in");
	err = bpfcc_check_encoding(&h->data, &h->diag);
	if (err)
		return err;
	err = verify(h, ctx_bytes, NULL);
	if (err == -EINVAL) {
		h->kinds = NULL;
		err = 0;
	}
	return err;
}
