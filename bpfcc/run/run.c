/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public ways to run a program once: see inlay/bpfcc.h.
 */
#include <errno.h>
#include <string.h>

#include "bpfcc/handle.h"
#include "bpfcc/run/interp.h"
#include "bpfcc/run/native.h"

/* Index in data.progs; nr_progs: there is none of that name. */
static uint32_t find_program(const struct bpfcc_object *o, const char *program)
{
	uint32_t i = 0;

	while (i < o->nr_progs && program && strcmp(o->progs[i].name, program))
		i++;
	return i;
}

int inlay_bpfcc_object_run(struct inlay_bpfcc_object *object, const char *program, void *memory,
			   size_t bytes, uint64_t *ret_r0)
{
	const struct bpfcc_object *o = &object->data;
	struct bpfcc_native *native;
	uint32_t i = find_program(o, program);
	int err;

	if (i == o->nr_progs)
		return -ENOENT;
	/* the proof was for this much, and nothing is known of the registers of a hit */
	if (!object->is_usable ||
	    (!object->opts.unsafe_no_verify &&
	     (object->opts.context != INLAY_BPFCC_CONTEXT_MEMORY ||
	      object->opts.context_bytes > bytes)))
		return bpfcc_error(&object->diag, NULL, NULL,
				   "the program was not verified for memory of %zu bytes", bytes);
	/* the proof took r2 for this number: another one could lead where there is no code */
	if (!object->opts.unsafe_no_verify)
		bytes = object->opts.context_bytes;
	err = bpfcc_native_new(object, o->progs[i].func->index, &native);
	if (err)
		return err;
	*ret_r0 = bpfcc_native_call(native, (uintptr_t)memory, bytes);
	bpfcc_native_free(native);
	return 0;
}

int inlay_bpfcc_object_interpret(struct inlay_bpfcc_object *object, const char *program,
				 void *memory, size_t bytes, uint64_t *ret_r0)
{
	const struct bpfcc_object *o = &object->data;
	const struct bpfcc_interp_ctx ctx = {.data = memory, .bytes = bytes, .has_length = true};
	const struct bpfcc_interp_opts opts = {0};
	struct bpfcc_interp *interp;
	struct bpfcc_trap trap;
	uint32_t i = find_program(o, program);
	int err;

	if (i == o->nr_progs)
		return -ENOENT;
	err = bpfcc_interp_new(o, &opts, &interp);
	if (err)
		return err;
	err = bpfcc_interp_call(interp, o->progs[i].func->index, &ctx, ret_r0, &trap);
	if (err == -EFAULT)
		bpfcc_error(&object->diag,
			    &(struct bpfcc_where){.func = &o->funcs[trap.func],
						  .insn = (int)trap.insn},
			    NULL, "%s: %s", bpfcc_trap_name(trap.kind), trap.text);
	bpfcc_interp_free(interp);
	return err;
}
