/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lowering of what the verifier accepts, and of what it does not (as with --unsafe-no-verify):
 * a module that LLVM's verifier takes, or a message.
 */
#include <stdlib.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>

#include "bpfcc/handle.h"
#include "bpfcc/ll/lower.h"
#include "bpfcc/prove.h"
#include "tests/fuzz/fuzz.h"

#define TRIPLE "x86_64-pc-linux-gnu"
#define LAYOUT "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

static void on_message(void *arg, const struct inlay_bpfcc_message *m)
{
	unsigned int *nr_errors = arg;

	*nr_errors += m->severity == INLAY_BPFCC_ERROR;
}

static void lower(struct inlay_bpfcc_object *h)
{
	unsigned int *nr_errors = h->opts.on_message_arg;
	LLVMContextRef context = LLVMContextCreate();
	LLVMModuleRef module = NULL;
	int err = bpfcc_lower(h, context, TRIPLE, LAYOUT, BPFCC_LOWER_STANDALONE, &module);
	char *text = NULL;

	if (err == -22 && !*nr_errors)
		abort();
	if (!err) {
		if (LLVMVerifyModule(module, LLVMReturnStatusAction, &text))
			abort();
		LLVMDisposeMessage(text);
		LLVMDisposeModule(module);
	}
	LLVMContextDispose(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	unsigned int nr_errors = 0;
	struct inlay_bpfcc_opts opts = {.sz = sizeof(opts), .on_message = on_message,
					.on_message_arg = &nr_errors, .max_insns = 20000,
					.max_state_bytes = 64u << 20, .allow_override = true};
	struct inlay_bpfcc_opts lists;
	struct inlay_bpfcc_object *h;
	struct bpfcc_raw raw;

	if (!bytes || bpfcc_handle_new("fuzz", &opts, &lists, &h))
		return 0;
	/* the choice of helpers that are not built means nothing here: unverified, once in two */
	h->opts.unsafe_no_verify = data[0] & FUZZ_KERNEL_SET;
	if (fuzz_program(data, bytes, FUZZ_NR_BUILT_MAPS, h->data.arena, &raw)) {
		raw.object.arena = h->data.arena;
		raw.object.name = h->data.name;
		raw.object.path = h->data.path;
		h->data = raw.object;
		if (!bpfcc_prove(h, 168))
			lower(h);
	}
	inlay_bpfcc_object_free(h);
	return 0;
}
