/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loader, from ELF to verified programs, on any file. Walks are short: the verifier has a target of its
 * own, and took most of the time.
 */
#include <stdlib.h>

#include "inlay/bpfcc.h"
#include "tests/fuzz/fuzz.h"

static void on_message(void *arg, const struct inlay_bpfcc_message *m)
{
	unsigned int *nr_errors = arg;

	*nr_errors += m->severity == INLAY_BPFCC_ERROR;
	if (!m->text[0])
		abort();
}

static void open_as(const uint8_t *data, size_t bytes, enum inlay_bpfcc_context context)
{
	unsigned int nr_errors = 0;
	struct inlay_bpfcc_opts opts = {.sz = sizeof(opts), .on_message = on_message,
					.on_message_arg = &nr_errors, .max_insns = 300,
					.max_state_bytes = 32u << 20,
					.context = context, .context_bytes = 16};
	struct inlay_bpfcc_object *object;
	int err = inlay_bpfcc_object_open("fuzz.bpf.o", data, bytes, &opts, &object);

	if (err == -22 && !nr_errors)
		abort();
	if (!err)
		inlay_bpfcc_object_free(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	open_as(data, bytes, INLAY_BPFCC_CONTEXT_REGISTERS);
	open_as(data, bytes, INLAY_BPFCC_CONTEXT_MEMORY);
	return 0;
}
