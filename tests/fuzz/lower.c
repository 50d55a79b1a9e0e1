/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lowering of what the verifier accepts, and of what it does not (as with --unsafe-no-verify), for
 * files and for targets: a module that LLVM's verifier takes, or a message. LLVM's own optimiser is not the
 * subject, and takes ten times longer than all of the rest: it runs for one input in 16.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Core.h>

#include "bpfcc/handle.h"
#include "bpfcc/ll/lower.h"
#include "bpfcc/prove.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/heap.h"

#define TRIPLE "x86_64-pc-linux-gnu"
#define LAYOUT "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

struct messages {
	unsigned int nr_errors;
	bool is_lowering;
};

static void on_message(void *arg, const struct inlay_bpfcc_message *m)
{
	struct messages *messages = arg;

	messages->nr_errors += m->severity == INLAY_BPFCC_ERROR;
	/* what bpfcc says of a module that LLVM's verifier does not take */
	if (messages->is_lowering && m->hint && strstr(m->hint, "bug in bpfcc")) {
		fprintf(stderr, "%s\n", m->text);
		abort();
	}
}

static void lower(struct inlay_bpfcc_object *h, enum bpfcc_lower_mode mode)
{
	struct messages *messages = h->opts.on_message_arg;
	LLVMContextRef context = LLVMContextCreate();
	LLVMModuleRef module = NULL;
	int err;

	messages->is_lowering = true;
	err = bpfcc_lower(h, context, TRIPLE, LAYOUT, mode, &module);
	if (err == -22 && !messages->nr_errors)
		abort();
	if (!err != !!module)
		abort();
	if (module)
		LLVMDisposeModule(module);
	LLVMContextDispose(context);
}

static void run(const uint8_t *data, size_t bytes)
{
	struct messages messages = {0};
	struct inlay_bpfcc_opts opts = {.sz = sizeof(opts), .on_message = on_message,
					.on_message_arg = &messages,
					.max_insns = fuzz_max_insns(bytes),
					.max_state_bytes = 32u << 20, .allow_override = true};
	struct inlay_bpfcc_opts lists;
	struct inlay_bpfcc_object *h;
	struct bpfcc_raw raw;

	if (!bytes || bpfcc_handle_new("fuzz", &opts, &lists, &h))
		return;
	/* two choices mean something else here: unverified, once in two, and for what */
	h->opts.unsafe_no_verify = data[0] & FUZZ_KERNEL_SET;
	h->opts.opt_level = fuzz_is_one_in(16, data, bytes) ? 2 : -1;
	if (fuzz_program(data, bytes, true, h->data.arena, &raw)) {
		raw.object.arena = h->data.arena;
		raw.object.name = h->data.name;
		raw.object.path = h->data.path;
		h->data = raw.object;
		if (!bpfcc_prove(h, 168))
			lower(h, data[0] & FUZZ_MEMORY ? BPFCC_LOWER_IMPORT
						       : BPFCC_LOWER_STANDALONE);
	}
	inlay_bpfcc_object_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	fuzz_heap_run(run, data, bytes);
	return 0;
}
