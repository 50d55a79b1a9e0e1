/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracle: what the verifier accepted is executed by the checking interpreter in wild worlds. It
 * must not trap, every register that an instruction reads must be what the verifier's facts say, and
 * at each kept state one of the states must hold what the registers have.
 */
#ifndef INLAY_TEST_ORACLE_H
#define INLAY_TEST_ORACLE_H

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "verify_fixture.h"

#include "bpfcc/arena.h"
#include "bpfcc/check.h"
#include "bpfcc/diag.h"
#include "bpfcc/disasm.h"
#include "bpfcc/helpers.h"
#include "bpfcc/isa.h"
#include "bpfcc/kinds.h"
#include "bpfcc/run/interp.h"
#include "bpfcc/verify/verify.h"

#define ORACLE_CTX_BYTES 168

struct oracle {
	const struct bpfcc_object *object;
	const struct bpfcc_verify *verify;
	const struct bpfcc_kinds *kinds;
	char problem[512];
	uint64_t nr_insns;
};

/* Registers that an instruction reads, as a mask; written from the instruction set alone. */
static inline uint32_t oracle_reads(const struct bpf_insn *in)
{
	uint32_t dst = 1u << in->dst_reg, src = BPF_SRC(in->code) == BPF_X ? 1u << in->src_reg : 0;
	const struct bpfcc_helper *h;

	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return BPF_OP(in->code) == BPF_MOV   ? src
		       : BPF_OP(in->code) == BPF_END ? dst
						     : dst | src;
	case BPF_LDX:
		return 1u << in->src_reg;
	case BPF_ST:
		return dst;
	case BPF_STX:
		if (BPF_MODE(in->code) == BPF_ATOMIC && in->imm == BPF_LOAD_ACQ)
			return 1u << in->src_reg;
		return dst | 1u << in->src_reg |
		       (BPF_MODE(in->code) == BPF_ATOMIC && in->imm == BPF_CMPXCHG);
	case BPF_JMP:
	case BPF_JMP32:
		if (bpfcc_insn_is_exit(in))
			return 1;
		if (bpfcc_insn_is_call(in)) {
			h = in->src_reg ? NULL : bpfcc_helper_by_id(in->imm);
			return h ? ((1u << h->nr_args) - 1) << 1 : 0;
		}
		return bpfcc_insn_is_branch(in) && !bpfcc_insn_is_may_goto(in) ? dst | src : 0;
	default:
		return 0;
	}
}

static inline bool oracle_is_pointer(uint8_t kind)
{
	return kind >= BPFCC_KIND_STACK && kind <= BPFCC_KIND_POINTER;
}

/* Is the concrete register one that the fact is true of? */
static inline bool oracle_fact_holds(const struct bpfcc_reg *fact,
				     const struct bpfcc_interp_view *view, int reg)
{
	uint8_t kind = view->kinds[reg];
	int64_t off = view->offs[reg];

	if (fact->kind == BPFCC_KIND_MIXED || fact->kind == BPFCC_KIND_UNINIT)
		return true;
	/* a number on which no proof rests may be a pointer's on a path that was cut off */
	if (fact->kind == BPFCC_KIND_SCALAR && !fact->off_is_known && fact->min == INT64_MIN &&
	    fact->max == INT64_MAX)
		return true;
	if (fact->kind == BPFCC_KIND_SCALAR)
		return kind == BPFCC_KIND_SCALAR && (int64_t)view->regs[reg] >= fact->min &&
		       (int64_t)view->regs[reg] <= fact->max &&
		       (!fact->off_is_known || (int64_t)view->regs[reg] == fact->off);
	if (fact->is_or_null && kind == BPFCC_KIND_SCALAR && !view->regs[reg])
		return true;
	if (fact->kind == BPFCC_KIND_POINTER)
		return oracle_is_pointer(kind);
	if (kind != fact->kind)
		return false;
	if (kind == BPFCC_KIND_STACK && view->depth - view->frames[reg] > fact->base)
		return false;
	if ((kind == BPFCC_KIND_MAP || kind == BPFCC_KIND_MAP_VALUE) && fact->map >= 0 &&
	    view->maps[reg] != (uint32_t)fact->map)
		return false;
	return off >= fact->min && off <= fact->max && (!fact->off_is_known || off == fact->off);
}

static inline int oracle_on_insn(void *arg, const struct bpfcc_interp_view *view)
{
	struct oracle *o = arg;
	const struct bpfcc_regs *facts = bpfcc_kinds_before(o->kinds, view->func, view->insn);
	const struct bpf_insn *in = &o->object->funcs[view->func].insns[view->insn];
	/* what a subprogram leaves in r0 is read by its caller, or by nobody */
	uint32_t reads = bpfcc_insn_is_exit(in) && view->depth ? 0 : oracle_reads(in);
	char text[128];

	o->nr_insns++;
	if (facts->r[10].kind == BPFCC_KIND_UNREACHED) {
		snprintf(o->problem, sizeof(o->problem), "function %u, instruction %u runs, and was "
			 "never reached in the walk", view->func, view->insn);
		return -1;
	}
	for (int i = 0; i < 11; i++) {
		if (!(reads & 1u << i) || !view->is_set[i] ||
		    oracle_fact_holds(&facts->r[i], view, i))
			continue;
		snprintf(o->problem, sizeof(o->problem),
			 "function %u, instruction %u: r%d is of kind %u, value %#" PRIx64
			 ", offset %" PRId64 ", and the facts say %s (min %" PRId64 " max %" PRId64 ")",
			 view->func, view->insn, i, view->kinds[i], view->regs[i], view->offs[i],
			 bpfcc_kind_format(o->object, &facts->r[i], text, sizeof(text)),
			 facts->r[i].min, facts->r[i].max);
		return -1;
	}
	if (!bpfcc_verify_has(o->verify, view->func, view->insn, view->regs, view->kinds,
			      view->offs)) {
		int n = snprintf(o->problem, sizeof(o->problem),
				 "function %u, instruction %u: no kept state has these registers:",
				 view->func, view->insn);

		for (int i = 0; i < 11 && n < (int)sizeof(o->problem); i++)
			n += snprintf(o->problem + n, sizeof(o->problem) - (size_t)n,
				      " r%d=%u:%#" PRIx64 "/%" PRId64, i, view->kinds[i],
				      view->regs[i], view->offs[i]);
		return -1;
	}
	return 0;
}

/* Numbers for a context: mostly small ones and those at the ends of their types. */
static inline void oracle_fill(uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 8) {
		uint64_t r = test_random(), x = (uint64_t)1 << (r >> 8 & 63);

		switch (r & 3) {
		case 0:
			x = r >> 16 & 63;
			break;
		case 1:
			x = test_random();
			break;
		case 2:
			x += (r >> 16) % 5 - 2;
			break;
		default:
			x = -x;
		}
		memcpy(&data[i], &x, bytes - i < 8 ? bytes - i : 8);
	}
}

struct oracle_opts {
	enum bpfcc_ctx_kind ctx_kind;
	uint32_t ctx_bytes;
	bool is_kernel_set;
	uint32_t max_insns;	/* of the verifier's walk */
	int rounds;
	uint64_t max_steps;
};

/*
 * Verifies and runs every program of the object. 1: accepted and nothing was found; 0: refused; -1:
 * accepted, and *ret says what went wrong.
 */
static inline int oracle_check(struct bpfcc_object *object, struct bpfcc_arena *arena,
			       const struct oracle_opts *opts, struct oracle *ret)
{
	const struct bpfcc_verify_opts verify_opts = {.ctx_kind = opts->ctx_kind,
						      .ctx_bytes = opts->ctx_bytes,
						      .allow_override = true,
						      .allow_write = true,
						      .is_kernel_set = opts->is_kernel_set,
						      .max_insns = opts->max_insns,
						      .keep_states = true};
	struct bpfcc_diag diag = {.object = object};
	struct bpfcc_verify *verify = NULL;
	int result = 1;

	memset(ret, 0, sizeof(*ret));
	if (bpfcc_check(object, arena, &diag))
		return 0;
	if (bpfcc_verify_new(object, &verify_opts, arena, &diag, &verify)) {
		bpfcc_verify_free(verify);
		return 0;
	}
	ret->object = object;
	ret->verify = verify;
	ret->kinds = bpfcc_verify_kinds(verify);
	for (uint32_t p = 0; p < object->nr_progs && result > 0; p++) {
		for (int round = 0; round < opts->rounds && result > 0; round++) {
			uint8_t data[ORACLE_CTX_BYTES];
			struct bpfcc_interp_opts interp_opts = {.seed = test_random(),
								.address_seed = test_random(),
								.max_steps = opts->max_steps,
								.is_wild = true,
								.shows_maps = opts->is_kernel_set,
								.on_insn = oracle_on_insn,
								.arg = ret};
			struct bpfcc_interp_ctx ctx = {
			    .data = opts->ctx_bytes ? data : NULL,
			    .bytes = opts->ctx_bytes,
			    .is_read_only = opts->ctx_kind == BPFCC_CTX_PT_REGS,
			    .has_length = opts->ctx_kind == BPFCC_CTX_MEMORY};
			struct bpfcc_interp *interp;
			struct bpfcc_trap trap;
			uint64_t r0, seed = interp_opts.seed;

			oracle_fill(data, sizeof(data));
			assert_int_equal(bpfcc_interp_new(object, &interp_opts, &interp), 0);
			if (bpfcc_interp_call(interp, object->progs[p].func->index, &ctx, &r0,
					      &trap) &&
			    trap.kind != BPFCC_TRAP_STEPS && trap.kind != BPFCC_TRAP_MEMORY) {
				char text[128];

				if (trap.kind != BPFCC_TRAP_ASKED)
					snprintf(ret->problem, sizeof(ret->problem),
						 "%s: %s, in function %u at %u (%s), seed %#" PRIx64,
						 bpfcc_trap_name(trap.kind), trap.text, trap.func,
						 trap.insn,
						 bpfcc_disasm(object, &object->funcs[trap.func],
							      trap.insn, text, sizeof(text)),
						 seed);
				result = trap.kind == BPFCC_TRAP_UNKNOWN ? 1 : -1;
			}
			bpfcc_interp_free(interp);
		}
	}
	bpfcc_verify_free(verify);
	return result;
}

#endif /* INLAY_TEST_ORACLE_H */
