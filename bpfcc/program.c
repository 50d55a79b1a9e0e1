/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A handle of plain instructions, without a file around them.
 */
#include <errno.h>
#include <string.h>

#include "bpfcc/handle.h"
#include "bpfcc/isa.h"
#include "bpfcc/object_hash.h"
#include "bpfcc/prove.h"
#include "bpfcc/raw.h"

#define PT_REGS_BYTES (21 * 8)

static int open_program(struct inlay_bpfcc_object *h, const uint8_t *data, size_t bytes)
{
	struct bpfcc_raw raw = {.object = h->data};
	struct bpf_insn *insns;
	int err;

	if (!bytes || bytes % 8)
		return bpfcc_error(&h->diag, NULL, NULL,
				   "the program has %zu bytes, not 8 an instruction", bytes);
	if (bytes / 8 > UINT32_MAX)
		return bpfcc_error(&h->diag, NULL, NULL, "the program is too large");
	insns = bpfcc_arena_array(h->data.arena, bytes / 8, sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	raw.nr_insns = (uint32_t)(bytes / 8);
	bpfcc_raw_insns(data, raw.nr_insns, insns);
	raw.insns = insns;
	raw.object.license = "GPL";
	raw.object.is_gpl_compatible = true;
	err = bpfcc_raw_split(&raw, h->data.arena, &h->diag);
	h->data = raw.object;
	if (!err)
		err = bpfcc_prove(h, PT_REGS_BYTES);
	return err ? err : bpfcc_object_hash(&h->data, &h->opts);
}

int inlay_bpfcc_program_open(const char *name, const void *insns, size_t bytes,
			     const struct inlay_bpfcc_opts *opts,
			     struct inlay_bpfcc_object **ret_object)
{
	struct inlay_bpfcc_opts lists;
	struct inlay_bpfcc_object *h;
	int err;

	*ret_object = NULL;
	err = bpfcc_handle_new(name, opts, &lists, &h);
	if (err)
		return err;
	err = open_program(h, insns, bytes);
	if (err) {
		inlay_bpfcc_object_free(h);
		return err;
	}
	*ret_object = h;
	return 0;
}
