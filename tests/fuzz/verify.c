/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier on any program. It may accept or refuse; it ends within its limits, and leaves
 * nothing behind.
 */
#include <stdlib.h>

#include "bpfcc/arena.h"
#include "bpfcc/check.h"
#include "bpfcc/diag.h"
#include "bpfcc/verify/verify.h"
#include "tests/fuzz/fuzz.h"

/* Messages are made, which looks at everything that they name. */
static void on_message(void *arg, const struct inlay_bpfcc_message *m)
{
	(void)arg;
	if (!m->text[0])
		abort();
}

static void on_trace(void *arg, const char *line)
{
	(void)arg;
	if (!line[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct bpfcc_arena *arena = bpfcc_arena_new();
	struct bpfcc_verify_opts opts = {.max_jumps = 1000, .max_bytes = 64u << 20,
					 .allow_override = true};
	struct bpfcc_diag diag = {.fn = on_message, .path = "fuzz"};
	struct bpfcc_verify *proof;
	struct bpfcc_raw raw;
	int err;

	if (!arena)
		return 0;
	if (fuzz_program(data, bytes, false, arena, &raw)) {
		opts.ctx_kind = data[0] & FUZZ_MEMORY ? BPFCC_CTX_MEMORY : BPFCC_CTX_PT_REGS;
		opts.ctx_bytes = data[0] & FUZZ_MEMORY ? 32 : 168;
		opts.max_insns = fuzz_max_insns(bytes);
		opts.is_kernel_set = data[0] & FUZZ_KERNEL_SET;
		/* most of the time goes into these texts */
		opts.on_trace = data[0] & FUZZ_TRACE ? on_trace : NULL;
		diag.object = &raw.object;
		if (!bpfcc_check(&raw.object, arena, &diag)) {
			err = bpfcc_verify_new(&raw.object, &opts, arena, &diag, &proof);
			/* a refusal says why */
			if (err == -22 && !diag.nr_errors)
				abort();
			if (!err && (diag.nr_errors || bpfcc_verify_result(proof, 0)))
				abort();
			bpfcc_verify_free(proof);
		}
	}
	bpfcc_arena_free(arena);
	return 0;
}
