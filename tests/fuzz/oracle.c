/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the verifier accepts runs clean in the checking interpreter, which believes nothing of what the
 * verifier says: on several inputs, with helpers and map contents that are as unkind as they may be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/arena.h"
#include "bpfcc/check.h"
#include "bpfcc/run/interp.h"
#include "bpfcc/verify/verify.h"
#include "tests/fuzz/fuzz.h"

#define NR_RUNS 4
#define MAX_STEPS 50000

static void run(const struct bpfcc_raw *raw, bool has_memory, uint64_t seed)
{
	const struct bpfcc_interp_opts opts = {
		.seed = seed,
		.address_seed = seed,
		.max_steps = MAX_STEPS,
		.is_wild = seed & 1,
	};
	uint8_t memory[168];
	const struct bpfcc_interp_ctx ctx = {
		.data = memory,
		.bytes = has_memory ? 32 : sizeof(memory),
		.is_read_only = !has_memory,
		.has_length = has_memory,
	};
	struct bpfcc_interp *interp;
	struct bpfcc_trap trap;
	uint64_t r0;

	for (size_t i = 0; i < sizeof(memory); i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		memory[i] = opts.seed < 2 ? 0 : (uint8_t)(seed >> 56);
	}
	if (bpfcc_interp_new(&raw->object, &opts, &interp))
		return;
	if (bpfcc_interp_call(interp, 0, &ctx, &r0, &trap) == -EFAULT &&
	    trap.kind != BPFCC_TRAP_STEPS && trap.kind != BPFCC_TRAP_UNKNOWN &&
	    trap.kind != BPFCC_TRAP_MEMORY) {
		fprintf(stderr, "accepted, but: %s: %s, function %u, instruction %u, seed %llu\n",
			bpfcc_trap_name(trap.kind), trap.text, trap.func, trap.insn,
			(unsigned long long)opts.seed);
		abort();
	}
	bpfcc_interp_free(interp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct bpfcc_arena *arena = bpfcc_arena_new();
	struct bpfcc_verify_opts opts = {.max_insns = 20000, .max_jumps = 1000, .max_bytes = 64u << 20,
					 .allow_override = true, .no_facts = true};
	struct bpfcc_verify *proof = NULL;
	struct bpfcc_raw raw;

	if (!arena)
		return 0;
	if (fuzz_program(data, bytes, 0, arena, &raw)) {
		bool has_memory = data[0] & FUZZ_MEMORY;

		opts.ctx_kind = has_memory ? BPFCC_CTX_MEMORY : BPFCC_CTX_PT_REGS;
		opts.ctx_bytes = has_memory ? 32 : 168;
		opts.is_kernel_set = data[0] & FUZZ_KERNEL_SET;
		if (!bpfcc_check(&raw.object, arena, NULL) &&
		    !bpfcc_verify_new(&raw.object, &opts, arena, NULL, &proof))
			for (uint64_t seed = 0; seed < NR_RUNS; seed++)
				run(&raw, has_memory, seed);
		bpfcc_verify_free(proof);
	}
	bpfcc_arena_free(arena);
	return 0;
}
