/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public way to run a program once: see inlay/bpfcc.h.
 */
#include <errno.h>
#include <string.h>

#include "bpfcc/handle.h"
#include "bpfcc/run/native.h"

int inlay_bpfcc_object_run(struct inlay_bpfcc_object *object, const char *program, void *memory,
			   size_t bytes, uint64_t *ret_r0)
{
	const struct bpfcc_object *o = &object->data;
	struct bpfcc_native *native;
	uint32_t i = 0;
	int err;

	while (i < o->nr_progs && program && strcmp(o->progs[i].name, program))
		i++;
	if (i == o->nr_progs)
		return -ENOENT;
	/* the proof was for this much, and nothing is known of the registers of a hit */
	if (!object->is_usable ||
	    (!object->opts.unsafe_no_verify &&
	     (object->opts.context != INLAY_BPFCC_CONTEXT_MEMORY ||
	      object->opts.context_bytes > bytes)))
		return bpfcc_error(&object->diag, NULL, NULL,
				   "the program was not verified for memory of %zu bytes", bytes);
	err = bpfcc_native_new(object, o->progs[i].func->index, &native);
	if (err)
		return err;
	*ret_r0 = bpfcc_native_call(native, (uintptr_t)memory, bytes);
	bpfcc_native_free(native);
	return 0;
}
