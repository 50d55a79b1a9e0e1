/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the verifier accepts is executed by the checking interpreter, in a plain world and in wild
 * ones: nothing may trap, each register that an instruction reads must be what the verifier's facts
 * say, and where states are kept one of them must hold what the registers have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/oracle.h"

#define ROUNDS 3
#define MAX_STEPS 1000

struct execution {
	struct oracle oracle;
	bool is_kept, is_kernel_set;
	bool is_over;		/* what comes cannot be modelled: the run ends, nothing is wrong */
};

/* The first member of a kernel's struct bpf_map, which programs for kernels may look at. */
static bool is_map_look(const struct bpf_insn *in, const struct bpfcc_interp_view *view)
{
	return BPF_CLASS(in->code) == BPF_LDX && view->kinds[in->src_reg] == BPFCC_KIND_MAP;
}

static bool has_no_bytes(const struct bpfcc_interp_view *view, int reg)
{
	return view->is_set[reg] && (view->kinds[reg] == BPFCC_KIND_MAP ||
				     view->kinds[reg] == BPFCC_KIND_POINTER);
}

static bool is_number(const struct bpfcc_reg *fact)
{
	return fact->kind == BPFCC_KIND_SCALAR;
}

/*
 * Arithmetic on maps and the like, and on two pointers of which one may be NULL. It gives numbers for
 * the verifier, whatever it is here, and the world's addresses are in them: the run ends.
 */
static bool is_address_alu(const struct bpf_insn *in, const struct bpfcc_interp_view *view,
			   const struct bpfcc_regs *facts)
{
	uint8_t class = BPF_CLASS(in->code), op = BPF_OP(in->code);
	bool has_src = BPF_SRC(in->code) == BPF_X && op != BPF_END;

	if (class != BPF_ALU && class != BPF_ALU64)
		return false;
	if (has_src && has_no_bytes(view, in->src_reg))
		return in->code != (BPF_ALU64 | BPF_MOV | BPF_X) || in->off;
	if (op == BPF_MOV)
		return false;
	return has_no_bytes(view, in->dst_reg) ||
	       (has_src && !is_number(&facts->r[in->dst_reg]) && !is_number(&facts->r[in->src_reg]));
}

static int on_insn(void *arg, const struct bpfcc_interp_view *view)
{
	struct execution *e = arg;
	const struct bpfcc_object *object = e->oracle.object;
	const struct bpfcc_regs *facts = bpfcc_kinds_before(e->oracle.kinds, view->func, view->insn);
	const struct bpf_insn *in = &object->funcs[view->func].insns[view->insn];
	/* what a subprogram leaves in r0 is read by its caller, or by nobody */
	uint32_t reads = bpfcc_insn_is_exit(in) && view->depth ? 0 : oracle_reads(in);

	e->is_over = is_address_alu(in, view, facts) || (e->is_kernel_set && is_map_look(in, view));
	if (e->is_over)
		return -1;
	/* in this mode the oracle's question has an answer */
	if (e->is_kept)
		return oracle_on_insn(&e->oracle, view);
	for (int i = 0; i < 11; i++)
		if (facts->r[10].kind == BPFCC_KIND_UNREACHED ||
		    (reads & 1u << i && view->is_set[i] &&
		     !oracle_fact_holds(&facts->r[i], view, i))) {
			snprintf(e->oracle.problem, sizeof(e->oracle.problem),
				 "function %u, instruction %u: r%d is of kind %u, value %#llx, "
				 "offset %lld; the facts say kind %u, min %lld, max %lld",
				 view->func, view->insn, i, view->kinds[i],
				 (unsigned long long)view->regs[i], (long long)view->offs[i],
				 facts->r[i].kind, (long long)facts->r[i].min,
				 (long long)facts->r[i].max);
			return -1;
		}
	return 0;
}

/* The finding, with the program that it is about. */
static void found(const struct execution *e, const struct bpfcc_trap *trap, int round)
{
	const struct bpfcc_object *o = e->oracle.object;
	char text[128];

	for (uint32_t i = 0; i < o->nr_funcs; i++)
		for (uint32_t k = 0; k < o->funcs[i].nr_insns; k++) {
			fprintf(stderr, "%u.%u: %s\n", i, k,
				bpfcc_disasm(o, &o->funcs[i], k, text, sizeof(text)));
			k += bpfcc_insn_is_lddw(&o->funcs[i].insns[k]);
		}
	fprintf(stderr, "accepted, but: %s, at %u.%u: %s (round %d, states %s)\n",
		bpfcc_trap_name(trap->kind), trap->func, trap->insn,
		trap->kind == BPFCC_TRAP_ASKED ? e->oracle.problem : trap->text, round,
		e->is_kept ? "kept" : "not kept");
	abort();
}

static void execute(struct execution *e, const struct bpfcc_verify_opts *opts)
{
	for (int round = 0; round < ROUNDS; round++) {
		uint8_t memory[ORACLE_CTX_BYTES];
		const struct bpfcc_interp_opts how = {.seed = test_random(),
						      .address_seed = test_random(),
						      .max_steps = MAX_STEPS,
						      .is_wild = round > 0,
						      .on_insn = on_insn,
						      .arg = e};
		const struct bpfcc_interp_ctx ctx = {
			.data = memory,
			.bytes = opts->ctx_bytes,
			.is_read_only = opts->ctx_kind == BPFCC_CTX_PT_REGS,
			.has_length = opts->ctx_kind == BPFCC_CTX_MEMORY};
		struct bpfcc_interp *interp;
		struct bpfcc_trap trap = {0};
		uint64_t r0;

		e->is_over = false;
		oracle_fill(memory, sizeof(memory));
		if (bpfcc_interp_new(e->oracle.object, &how, &interp))
			return;
		if (bpfcc_interp_call(interp, 0, &ctx, &r0, &trap) &&
		    trap.kind != BPFCC_TRAP_STEPS && trap.kind != BPFCC_TRAP_MEMORY &&
		    trap.kind != BPFCC_TRAP_UNKNOWN && !e->is_over)
			found(e, &trap, round);
		bpfcc_interp_free(interp);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct bpfcc_arena *arena = bpfcc_arena_new();
	struct bpfcc_verify_opts opts = {.max_bytes = 32u << 20,
					 .allow_override = true, .allow_write = true};
	struct bpfcc_verify *proof = NULL;
	struct bpfcc_raw raw;

	if (!arena)
		return 0;
	if (fuzz_program(data, bytes, false, arena, &raw) &&
	    !bpfcc_check(&raw.object, arena, NULL)) {
		opts.ctx_kind = data[0] & FUZZ_MEMORY ? BPFCC_CTX_MEMORY : BPFCC_CTX_PT_REGS;
		opts.ctx_bytes = data[0] & FUZZ_MEMORY ? 32 : ORACLE_CTX_BYTES;
		opts.is_kernel_set = data[0] & FUZZ_KERNEL_SET;
		opts.max_insns = fuzz_max_insns(bytes);
		opts.keep_states = data[0] & FUZZ_KEEP_STATES;
		if (!bpfcc_verify_new(&raw.object, &opts, arena, NULL, &proof)) {
			struct execution e = {
				.oracle = {.object = &raw.object, .verify = proof,
					   .kinds = bpfcc_verify_kinds(proof)},
				.is_kept = opts.keep_states, .is_kernel_set = opts.is_kernel_set};

			/* an input gives the same worlds each time */
			test_random_state = 0;
			for (size_t i = 0; i < bytes; i++)
				test_random_state = test_random_state * 31 + data[i];
			execute(&e, &opts);
		}
		bpfcc_verify_free(proof);
	}
	bpfcc_arena_free(arena);
	return 0;
}
