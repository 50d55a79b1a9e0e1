/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pruning and loops. Each row joins two paths of which the first is harmless; a verifier that forgets
 * what mattered behind the join takes the second for the first. Every row runs with states kept at
 * each join and with states kept now and then.
 */
#include "bpfcc_fixture.h"

#include <time.h>

#include "bpfcc/check.h"
#include "bpfcc/kinds.h"
#include "bpfcc/verify/verify.h"

/* rows leave out what they do not need */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum { BSS, COUNTS };

static struct bpfcc_map maps[] = {
	[BSS] = {.name = ".bss", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 64,
		 .max_entries = 1, .flags = INLAY_MAP_GLOBAL, .index = BSS},
	[COUNTS] = {.name = "counts", .type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8,
		    .max_entries = 4, .flags = INLAY_MAP_HASH, .index = COUNTS},
};

#define MAX_INSNS 48

struct row {
	const char *name;
	const char *message;	/* part of it; NULL: accepted */
	struct bpf_insn insns[MAX_INSNS]; /* ends before the first all-zero pair */
	struct bpf_insn sub[MAX_INSNS];	  /* function 1, if any */
	bool is_pruned;		/* the second path is cut off at the join */
	enum bpfcc_ctx_kind ctx_kind;
};

struct proof {
	struct bpfcc_arena *arena;
	struct bpfcc_func funcs[2];
	struct bpfcc_prog prog;
	struct bpfcc_object object;
	struct messages messages;
	struct bpfcc_verify *verify;
	const struct bpfcc_verify_stats *stats;
	int err;
};

static uint32_t count_insns(const struct bpf_insn *insns)
{
	static const struct bpf_insn zero;
	uint32_t n = MAX_INSNS;

	while (n && !memcmp(&insns[n - 1], &zero, sizeof(zero)))
		n--;
	return n;
}

static void prove(struct proof *p, const struct bpf_insn *insns, uint32_t nr_insns,
		  const struct bpf_insn *sub, const struct bpfcc_verify_opts *more)
{
	struct bpfcc_verify_opts opts = *more;
	struct bpfcc_diag diag = {.fn = keep_message, .arg = &p->messages};

	memset(p, 0, sizeof(*p));
	p->arena = bpfcc_arena_new();
	p->funcs[0] = (struct bpfcc_func){.name = "prog", .section = "uprobe", .insns = insns,
					  .nr_insns = nr_insns, .nr_args = 1};
	if (sub)
		p->funcs[1] = (struct bpfcc_func){.name = "sub", .section = ".text", .insns = sub,
						  .nr_insns = count_insns(sub), .nr_args = 5,
						  .index = 1};
	p->prog = (struct bpfcc_prog){.func = &p->funcs[0], .name = "prog", .section = "uprobe",
				      .kind = INLAY_PROG_ENTRY};
	p->object = (struct bpfcc_object){
		.name = "o", .path = "o", .license = "GPL", .is_gpl_compatible = true,
		.maps = maps, .nr_maps = sizeof(maps) / sizeof(maps[0]), .funcs = p->funcs,
		.nr_funcs = p->funcs[1].nr_insns ? 2 : 1, .progs = &p->prog, .nr_progs = 1,
	};
	diag.object = &p->object;
	if (!opts.ctx_bytes)
		opts.ctx_bytes = 168;
	opts.is_kernel_set = true;
	p->err = bpfcc_check(&p->object, p->arena, &diag);
	assert_int_equal(p->err, 0);
	p->err = bpfcc_verify_new(&p->object, &opts, p->arena, &diag, &p->verify);
	assert_non_null(p->verify);
	p->stats = bpfcc_verify_stats(p->verify, 0);
}

static void forget(struct proof *p)
{
	bpfcc_verify_free(p->verify);
	bpfcc_arena_free(p->arena);
}

static void run_row(const struct row *row, bool keep_states)
{
	const struct bpfcc_verify_opts opts = {.keep_states = keep_states, .max_insns = 100000,
					       .ctx_kind = row->ctx_kind};
	struct proof p;

	prove(&p, row->insns, count_insns(row->insns), row->sub, &opts);
	if (!row->message && p.err)
		fail_msg("%s: refused: %s", row->name, p.messages.text);
	if (row->message && (p.err != -EINVAL || !strstr(p.messages.text, row->message)))
		fail_msg("%s (%s): expected \"%s\", got %d and \"%s\"", row->name,
			 keep_states ? "each join" : "now and then", row->message, p.err,
			 p.messages.text);
	if (keep_states && row->is_pruned && !p.stats->nr_pruned)
		fail_msg("%s: nothing was pruned", row->name);
	forget(&p);
}

#define RETURN_0 MOV64_IMM(R0, 0), EXIT()
/* r6 = a number of the target */
#define NUMBER LDX(BPF_DW, R6, R1, 0)
/* r7 = a on the path that is walked first, b on the other; 5 instructions, then the join */
#define EITHER(a, b)                                                                               \
	NUMBER, JMP_IMM(BPF_JEQ, R6, 0, 2), MOV64_IMM(R7, a), GOTO(1), MOV64_IMM(R7, b)
/* .bss[reg] = 1, 64 bytes; 4 instructions */
#define STORE_AT(reg) LD_VALUE(R2, BSS, 0), ALU64_REG(BPF_ADD, R2, reg), ST(BPF_B, R2, 0, 1)
#define MAY_GOTO(off) INSN(BPF_JMP | 0xe0, 0, 0, off, 0)
#define PRANDOM CALL(7)

static void test_precision(void **unused)
{
	static const struct row rows[] = {
		{"an offset", "outside", {EITHER(8, 1000), GOTO(0), STORE_AT(R7), RETURN_0}},
		{"an offset, both inside", NULL, {EITHER(8, 63), GOTO(0), STORE_AT(R7), RETURN_0}},
		{"no offset", NULL,
		 {EITHER(8, 1000), GOTO(0), MOV64_REG(R0, R7), EXIT()}, .is_pruned = true},
		{"through a spill", "outside",
		 {EITHER(8, 1000), STX(BPF_DW, R10, R7, -8), GOTO(0), LDX(BPF_DW, R8, R10, -8),
		  STORE_AT(R8), RETURN_0}},
		{"through a spill that nothing reads", NULL,
		 {EITHER(8, 1000), STX(BPF_DW, R10, R7, -8), MOV64_IMM(R7, 0), GOTO(0), STORE_AT(R7),
		  RETURN_0}, .is_pruned = true},
		{"through a narrow spill", "outside",
		 {EITHER(8, 100), STX(BPF_W, R10, R7, -8), GOTO(0), LDX(BPF_B, R8, R10, -8),
		  STORE_AT(R8), RETURN_0}},
		{"a part of a spill", "outside",
		 {EITHER(0x800, 0x8000), STX(BPF_DW, R10, R7, -8), GOTO(0), LDX(BPF_B, R8, R10, -7),
		  STORE_AT(R8), RETURN_0}},
		{"through arithmetic", "outside",
		 {EITHER(8, 1000), GOTO(0), MOV64_REG(R8, R7), ALU64_IMM(BPF_MUL, R8, 3),
		  ALU64_IMM(BPF_AND, R8, 0xff), STORE_AT(R8), RETURN_0}},
		{"bytes that are zero", "outside",
		 {NUMBER, ST(BPF_W, R10, -4, 0), JMP_IMM(BPF_JEQ, R6, 0, 2), ST(BPF_W, R10, -8, 0),
		  GOTO(1), ST(BPF_W, R10, -8, 1000), GOTO(0), LDX(BPF_DW, R8, R10, -8), STORE_AT(R8),
		  RETURN_0}},
		{"bytes of a broken spill that are zero", "outside",
		 {NUMBER, ST(BPF_DW, R10, -8, 0), JMP_IMM(BPF_JEQ, R6, 0, 2), MOV64_IMM(R7, 0),
		  GOTO(1), ST(BPF_DW, R10, -8, 1000), GOTO(0), ST(BPF_B, R10, -1, 0),
		  LDX(BPF_W, R8, R10, -8), STORE_AT(R8), RETURN_0}},
		{"the other operand of a comparison", "outside",
		 {EITHER(8, 1000), PRANDOM, GOTO(0), JMP_REG(BPF_JGT, R0, R7, 4), STORE_AT(R0),
		  RETURN_0}},
		{"the other operand, swapped", "outside",
		 {EITHER(8, 1000), PRANDOM, GOTO(0), JMP_REG(BPF_JLT, R7, R0, 4), STORE_AT(R0),
		  RETURN_0}},
		/* the copy is 0 where the test says so, and was never set on the second path */
		{"a copy of a NULL that was never set", "nothing was put into it",
		 {NUMBER, ST(BPF_W, R10, -4, 1), MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -4),
		  LD_MAP(R1, COUNTS), CALL(1), JMP_IMM(BPF_JEQ, R6, 0, 1), MOV64_REG(R8, R0), GOTO(0),
		  JMP_IMM(BPF_JNE, R0, 0, 1), MOV64_REG(R0, R8), EXIT()}},
		{"a condition that was decided", "number",
		 {EITHER(0, 1), GOTO(0), JMP_IMM(BPF_JEQ, R7, 0, 1), LDX(BPF_DW, R0, R6, 0),
		  RETURN_0}},
		{"a condition that was decided by an interval", "number",
		 {NUMBER, MOV64_REG(R7, R6), JMP_IMM(BPF_JGT, R6, 100, 2), ALU64_IMM(BPF_AND, R7, 7),
		  GOTO(1), ALU64_IMM(BPF_AND, R7, 15), GOTO(0), JMP_IMM(BPF_JLE, R7, 7, 1),
		  LDX(BPF_DW, R0, R6, 0), RETURN_0}},
		{"a size", "outside",
		 {EITHER(8, 16), GOTO(0), MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -8),
		  MOV64_REG(R2, R7), MOV64_IMM(R3, 9), CALL(112), RETURN_0}},
		{"a NULL that is a number", "number, 1",
		 {EITHER(0, 1), GOTO(0), MOV64_REG(R1, R7), MOV64_IMM(R2, 0), MOV64_IMM(R3, 9),
		  CALL(112), RETURN_0}},
		{"a shift", "outside",
		 {EITHER(2, 20), GOTO(0), MOV64_IMM(R8, 1), ALU64_REG(BPF_LSH, R8, R7), STORE_AT(R8),
		  RETURN_0}},
		{"the argument of a function", "outside",
		 {EITHER(8, 1000), GOTO(0), MOV64_REG(R1, R7), CALL_FUNC(1), RETURN_0},
		 {STORE_AT(R1), RETURN_0}},
		{"the result of a function", "outside",
		 {EITHER(8, 1000), GOTO(0), MOV64_REG(R1, R7), CALL_FUNC(1), MOV64_REG(R8, R0),
		  STORE_AT(R8), RETURN_0},
		 {MOV64_REG(R0, R1), EXIT()}},
		{"a register that a function keeps", "outside",
		 {EITHER(8, 1000), CALL_FUNC(1), STORE_AT(R7), RETURN_0},
		 {PRANDOM, JMP_IMM(BPF_JEQ, R0, 0, 1), MOV64_IMM(R0, 1), EXIT()}},
		{"a caller's stack, read by a function", "outside",
		 {EITHER(8, 1000), STX(BPF_DW, R10, R7, -8), MOV64_REG(R1, R10),
		  ALU64_IMM(BPF_ADD, R1, -8), GOTO(0), CALL_FUNC(1), RETURN_0},
		 {LDX(BPF_DW, R3, R1, 0), STORE_AT(R3), RETURN_0}},
		{"an exchanged number", "outside",
		 {EITHER(8, 1000), STX(BPF_DW, R10, R7, -8), GOTO(0), MOV64_IMM(R8, 0),
		  ATOMIC(BPF_DW, BPF_XCHG, R10, R8, -8), STORE_AT(R8), RETURN_0}},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run_row(&rows[i], true);
		run_row(&rows[i], false);
	}
}

static void test_links(void **unused)
{
	static const struct row rows[] = {
		{"copies that are no copies", "outside",
		 {NUMBER, PRANDOM, MOV64_REG(R7, R0), JMP_IMM(BPF_JEQ, R6, 0, 2), MOV64_REG(R8, R7),
		  GOTO(2), PRANDOM, MOV64_REG(R8, R0), GOTO(0), JMP_IMM(BPF_JGT, R7, 7, 4),
		  STORE_AT(R8), RETURN_0}},
		{"copies", NULL,
		 {NUMBER, PRANDOM, MOV64_REG(R7, R0), MOV64_REG(R8, R7), JMP_IMM(BPF_JEQ, R6, 0, 0),
		  JMP_IMM(BPF_JGT, R7, 7, 4), STORE_AT(R8), RETURN_0}},
		{"copies with another distance", "outside",
		 {NUMBER, PRANDOM, MOV64_REG(R7, R0), MOV64_REG(R8, R7), JMP_IMM(BPF_JEQ, R6, 0, 2),
		  ALU64_IMM(BPF_ADD, R8, 4), GOTO(1), ALU64_IMM(BPF_ADD, R8, 100), GOTO(0),
		  JMP_IMM(BPF_JGT, R7, 7, 4), STORE_AT(R8), RETURN_0}},
		{"copies with a distance", NULL,
		 {NUMBER, PRANDOM, MOV64_REG(R7, R0), MOV64_REG(R8, R7), ALU64_IMM(BPF_ADD, R8, 4),
		  JMP_IMM(BPF_JGT, R7, 7, 4), STORE_AT(R8), RETURN_0}},
		{"a spilled copy", NULL,
		 {NUMBER, PRANDOM, STX(BPF_DW, R10, R0, -8), JMP_IMM(BPF_JGT, R0, 7, 5),
		  LDX(BPF_DW, R8, R10, -8), STORE_AT(R8), RETURN_0}},
		{"a spilled copy that is none on one path", "outside",
		 {NUMBER, PRANDOM, STX(BPF_DW, R10, R0, -8), JMP_IMM(BPF_JEQ, R6, 0, 1), GOTO(1),
		  PRANDOM, GOTO(0), JMP_IMM(BPF_JGT, R0, 7, 5), LDX(BPF_DW, R8, R10, -8),
		  STORE_AT(R8), RETURN_0}},
		{"a copy that was cut off", "outside",
		 {NUMBER, MOV64_REG(R7, R6), ALU32_REG(BPF_MOV, R8, R6), JMP_IMM(BPF_JGT, R8, 7, 4),
		  STORE_AT(R7), RETURN_0}},
		{"two lookups, one check", "may be NULL",
		 {NUMBER, ST(BPF_W, R10, -4, 1), MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -4),
		  LD_MAP(R1, COUNTS), CALL(1), MOV64_REG(R7, R0), JMP_IMM(BPF_JEQ, R6, 0, 2),
		  MOV64_REG(R8, R7), GOTO(6), MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -4),
		  LD_MAP(R1, COUNTS), CALL(1), MOV64_REG(R8, R0), GOTO(0), JMP_IMM(BPF_JEQ, R7, 0, 1),
		  ST(BPF_DW, R8, 0, 1), RETURN_0}},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run_row(&rows[i], true);
		run_row(&rows[i], false);
	}
}

static void test_loops(void **unused)
{
	static const struct row rows[] = {
		{"no end", "does not end", {MOV64_IMM(R0, 0), GOTO(0), JMP_IMM(BPF_JEQ, R0, 0, -2), EXIT()}},
		{"an end that nothing leads to", "does not end",
		 {NUMBER, MOV64_IMM(R0, 0), JMP_IMM(BPF_JNE, R6, 5, -2), EXIT()}},
		{"a counter that nothing bounds", "too complex",
		 {NUMBER, MOV64_IMM(R0, 0), ALU64_IMM(BPF_ADD, R0, 1), JMP_REG(BPF_JNE, R0, R6, -2),
		  EXIT()}},
		{"a counter", NULL,
		 {MOV64_IMM(R0, 0), ALU64_IMM(BPF_ADD, R0, 1), JMP_IMM(BPF_JLT, R0, 1000, -2), EXIT()}},
		{"a counter that is stored", NULL,
		 {MOV64_IMM(R7, 0), STORE_AT(R7), ALU64_IMM(BPF_ADD, R7, 1),
		  JMP_IMM(BPF_JLT, R7, 64, -6), RETURN_0}},
		{"a counter that is stored, one too far", "outside",
		 {MOV64_IMM(R7, 0), STORE_AT(R7), ALU64_IMM(BPF_ADD, R7, 1),
		  JMP_IMM(BPF_JLE, R7, 64, -6), RETURN_0}},
		{"may_goto", NULL, {MOV64_IMM(R7, 0), MAY_GOTO(2), ALU64_IMM(BPF_ADD, R7, 1), GOTO(-3), RETURN_0}},
		{"may_goto, an offset that grows", "outside",
		 {MOV64_IMM(R7, 0), MAY_GOTO(6), STORE_AT(R7), ALU64_IMM(BPF_ADD, R7, 1), GOTO(-7),
		  RETURN_0}},
		{"may_goto, an offset that is cut", NULL,
		 {MOV64_IMM(R7, 0), MAY_GOTO(7), STORE_AT(R7), ALU64_IMM(BPF_ADD, R7, 1),
		  ALU64_IMM(BPF_AND, R7, 63), GOTO(-8), RETURN_0}},
		{"may_goto, what it leaves behind", "outside",
		 {MOV64_IMM(R7, 0), MAY_GOTO(2), ALU64_IMM(BPF_ADD, R7, 1), GOTO(-3), STORE_AT(R7),
		  RETURN_0}},
		/* what the rounds change is widened, and still it was there before */
		{"may_goto, what was never set", "nothing was put into it",
		 {NUMBER, JMP_IMM(BPF_JSGE, R6, 17, 1), MOV64_IMM(R7, 0), MAY_GOTO(2),
		  ALU64_IMM(BPF_ADD, R7, 1), GOTO(-3), RETURN_0}},
		/* the budget is used up, and the loop around goes on */
		{"may_goto in a loop without end", "",
		 {NUMBER, MOV64_IMM(R7, 0), MAY_GOTO(2), ALU64_IMM(BPF_ADD, R7, 1), GOTO(-3),
		  JMP_IMM(BPF_JNE, R6, 5, -5), RETURN_0}},
		{"may_goto at the end of a loop without end", "",
		 {NUMBER, MOV64_IMM(R7, 0), PRANDOM, JMP_IMM(BPF_JEQ, R0, 0, 1),
		  ALU64_IMM(BPF_ADD, R7, 1), MAY_GOTO(1), GOTO(-5), ALU64_IMM(BPF_ADD, R7, 1),
		  JMP_IMM(BPF_JNE, R6, 5, -7), RETURN_0}},
		{"callback", NULL,
		 {MOV64_IMM(R1, 1000), LDDW(R2, BPF_PSEUDO_FUNC, 1, 0), MOV64_REG(R3, R10),
		  MOV64_IMM(R4, 0), ST(BPF_DW, R10, -8, 0), CALL(181), RETURN_0},
		 {LDX(BPF_DW, R3, R2, -8), ALU64_IMM(BPF_ADD, R3, 1), STX(BPF_DW, R2, R3, -8), RETURN_0}},
		{"callback, an offset that grows", "outside",
		 {MOV64_IMM(R1, 1000), LDDW(R2, BPF_PSEUDO_FUNC, 1, 0), MOV64_REG(R3, R10),
		  MOV64_IMM(R4, 0), ST(BPF_DW, R10, -8, 0), CALL(181), LDX(BPF_DW, R8, R10, -8),
		  STORE_AT(R8), RETURN_0},
		 {LDX(BPF_DW, R3, R2, -8), ALU64_IMM(BPF_ADD, R3, 1), STX(BPF_DW, R2, R3, -8), RETURN_0}},
		/*
		 * do { x = 0; flag = 1; bpf_loop(10, sub); } while (!flag), where sub adds to x or, if it
		 * is not 0, clears the flag: each call ends, the loop around it does not
		 */
		{"callbacks in a loop without end", "",
		 {ST(BPF_DW, R10, -8, 0), ST(BPF_DW, R10, -16, 1), MOV64_IMM(R1, 10),
		  LDDW(R2, BPF_PSEUDO_FUNC, 1, 0), MOV64_REG(R3, R10), MOV64_IMM(R4, 0), CALL(181),
		  LDX(BPF_DW, R1, R10, -16), JMP_IMM(BPF_JEQ, R1, 0, -10), RETURN_0},
		 {MOV64_REG(R6, R2), PRANDOM, LDX(BPF_DW, R1, R6, -8), JMP_IMM(BPF_JSET, R0, 1, 3),
		  ALU64_IMM(BPF_ADD, R1, 1), STX(BPF_DW, R6, R1, -8), GOTO(2),
		  JMP_IMM(BPF_JEQ, R1, 0, 1), ST(BPF_DW, R6, -16, 0), RETURN_0}},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run_row(&rows[i], true);
		run_row(&rows[i], false);
	}
}

/* ---- facts ---- */

static void prove_rows(struct proof *p, const struct bpf_insn *insns)
{
	prove(p, insns, count_insns(insns), NULL, &(struct bpfcc_verify_opts){.keep_states = true});
	if (p->err)
		fail_msg("%s", p->messages.text);
}

/* Only what is read before it is written, on any path, must be zero at the start. */
static void test_zero_slots(void **unused)
{
	static const struct bpf_insn written[MAX_INSNS] = {
		ST(BPF_DW, R10, -8, 1), LDX(BPF_DW, R0, R10, -8), EXIT()};
	static const struct bpf_insn read[MAX_INSNS] = {LDX(BPF_W, R0, R10, -12), EXIT()};
	/* the path that writes is walked first, the other one is cut off at the join */
	static const struct bpf_insn joined[MAX_INSNS] = {
		NUMBER, JMP_IMM(BPF_JEQ, R6, 0, 2), ST(BPF_DW, R10, -24, 5), GOTO(0), GOTO(0),
		LDX(BPF_DW, R0, R10, -24), EXIT()};
	static const struct bpf_insn half[MAX_INSNS] = {
		ST(BPF_W, R10, -8, 1), LDX(BPF_W, R0, R10, -8), EXIT()};
	static const struct bpf_insn variable[MAX_INSNS] = {
		NUMBER, ALU64_IMM(BPF_AND, R6, 8), MOV64_REG(R2, R10), ALU64_REG(BPF_ADD, R2, R6),
		ST(BPF_B, R2, -16, 1), RETURN_0};
	static const struct {
		const struct bpf_insn *insns;
		uint64_t slots;
	} cases[] = {{written, 0}, {read, 2}, {joined, 4}, {half, 0}, {variable, 3}};
	struct proof p;

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		prove_rows(&p, cases[i].insns);
		if (bpfcc_kinds_zero_slots(bpfcc_verify_kinds(p.verify), 0) != cases[i].slots)
			fail_msg("case %zu: slots %llx", i,
				 (unsigned long long)bpfcc_kinds_zero_slots(
					 bpfcc_verify_kinds(p.verify), 0));
		forget(&p);
	}
}

/* A number is a fact only if the proof rests on it: paths that were cut off bring others. */
static void test_numbers(void **unused)
{
	static const struct bpf_insn insns[MAX_INSNS] = {
		/* 0 */ EITHER(5, 7), /* 5 */ GOTO(0), /* 6 */ MOV64_REG(R8, R7),
		/* 7 */ MOV64_IMM(R9, 3), /* 8 */ STORE_AT(R9), /* 12 */ MOV64_REG(R0, R8),
		/* 13 */ EXIT()};
	const struct bpfcc_regs *regs;
	struct proof p;

	(void)unused;
	prove_rows(&p, insns);
	regs = bpfcc_kinds_before(bpfcc_verify_kinds(p.verify), 0, 6);
	assert_int_equal(regs->r[R7].kind, BPFCC_KIND_SCALAR);
	assert_false(regs->r[R7].off_is_known);
	regs = bpfcc_kinds_before(bpfcc_verify_kinds(p.verify), 0, 10);
	assert_int_equal(regs->r[R9].kind, BPFCC_KIND_SCALAR);
	assert_true(regs->r[R9].off_is_known);
	assert_int_equal(regs->r[R9].off, 3);
	forget(&p);
}

/* What was walked holds what runs, and not what does not. */
static void test_has(void **unused)
{
	static const struct bpf_insn insns[MAX_INSNS] = {
		/* 0 */ EITHER(5, 7), /* 5 */ GOTO(0), /* 6 */ STORE_AT(R7), /* 10 */ RETURN_0};
	uint64_t regs[11] = {0};
	uint8_t kinds[11] = {0};
	int64_t offs[11] = {0};
	struct proof p;

	(void)unused;
	prove_rows(&p, insns);
	kinds[R7] = BPFCC_KIND_SCALAR;
	for (regs[R7] = 0; regs[R7] < 10; regs[R7]++)
		assert_int_equal(bpfcc_verify_has(p.verify, 0, 6, regs, kinds, offs),
				 regs[R7] == 5 || regs[R7] == 7);
	forget(&p);
}

/* ---- contexts and limits ---- */

static void test_memory_context(void **unused)
{
	static const struct bpf_insn inside[MAX_INSNS] = {
		LDX(BPF_DW, R0, R1, 0), ST(BPF_DW, R1, 8, 1), JMP_IMM(BPF_JEQ, R2, 16, 1),
		LDX(BPF_DW, R0, R0, 0), EXIT()};
	static const struct bpf_insn behind[MAX_INSNS] = {LDX(BPF_DW, R0, R1, 9), EXIT()};
	struct bpfcc_verify_opts opts = {.ctx_kind = BPFCC_CTX_MEMORY, .ctx_bytes = 16};
	struct proof p;

	(void)unused;
	prove(&p, inside, count_insns(inside), NULL, &opts);
	assert_int_equal(p.err, 0);
	forget(&p);
	prove(&p, behind, count_insns(behind), NULL, &opts);
	assert_int_equal(p.err, -EINVAL);
	assert_non_null(strstr(p.messages.text, "outside of the program's memory"));
	forget(&p);
}

/* Each limit says which one it is. */
static void test_limits(void **unused)
{
	static const struct bpf_insn loop[MAX_INSNS] = {
		MOV64_IMM(R0, 0), ALU64_IMM(BPF_ADD, R0, 1), JMP_IMM(BPF_JLT, R0, 1000, -2), EXIT()};
	static const struct bpf_insn branches[MAX_INSNS] = {
		NUMBER, JMP_IMM(BPF_JEQ, R6, 1, 0), JMP_IMM(BPF_JEQ, R6, 2, 1), MOV64_IMM(R7, 1),
		JMP_IMM(BPF_JEQ, R6, 3, 1), MOV64_IMM(R7, 1), JMP_IMM(BPF_JEQ, R6, 4, 1),
		MOV64_IMM(R7, 1), RETURN_0};
	static const struct {
		const struct bpf_insn *insns;
		struct bpfcc_verify_opts opts;
		const char *message;
	} cases[] = {
		{loop, {.max_insns = 2500}, NULL},
		{loop, {.max_insns = 1500}, "more than 1500 instructions"},
		{branches, {.max_jumps = 3}, NULL},
		{branches, {.max_jumps = 2}, "more than 2 branches wait"},
		{loop, {.max_bytes = 64 << 10}, "needs more memory"},
	};
	struct proof p;

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		prove(&p, cases[i].insns, count_insns(cases[i].insns), NULL, &cases[i].opts);
		assert_int_equal(p.err, cases[i].message ? -EINVAL : 0);
		if (cases[i].message && !strstr(p.messages.text, cases[i].message))
			fail_msg("case %zu: %s", i, p.messages.text);
		assert_int_equal(bpfcc_verify_result(p.verify, 0), p.err);
		forget(&p);
	}
}

/* Memory that runs out at any point is a refusal, and nothing of it stays. */
static void test_out_of_memory(void **unused)
{
	static const struct bpf_insn insns[MAX_INSNS] = {
		NUMBER, ST(BPF_DW, R10, -8, 0), JMP_IMM(BPF_JEQ, R6, 0, 1), STX(BPF_DW, R10, R6, -16),
		MOV64_IMM(R1, 1000), LDDW(R2, BPF_PSEUDO_FUNC, 1, 0), MOV64_REG(R3, R10),
		MOV64_IMM(R4, 0), CALL(181), LDX(BPF_DW, R8, R10, -16), ALU64_IMM(BPF_AND, R8, 63),
		STORE_AT(R8), RETURN_0};
	static const struct bpf_insn sub[MAX_INSNS] = {
		LDX(BPF_DW, R3, R2, -8), ALU64_IMM(BPF_ADD, R3, 1), STX(BPF_DW, R2, R3, -8), RETURN_0};
	uint64_t most;
	struct proof p;

	(void)unused;
	prove(&p, insns, count_insns(insns), sub, &(struct bpfcc_verify_opts){0});
	assert_int_equal(p.err, 0);
	most = p.stats->bytes;
	forget(&p);
	for (uint64_t bytes = 1; bytes < most; bytes += 97) {
		prove(&p, insns, count_insns(insns), sub,
		      &(struct bpfcc_verify_opts){.max_bytes = bytes, .keep_states = bytes % 2});
		assert_int_equal(p.err, -EINVAL);
		assert_non_null(strstr(p.messages.text, "needs more memory"));
		assert_int_equal(p.messages.nr_errors, 1);
		forget(&p);
	}
}

/* 2^64 paths that all become one at each join: linear. */
static void test_ladder(void **unused)
{
	struct bpf_insn insns[4 * 64 + 3];
	struct proof p;
	uint32_t n = 0;

	(void)unused;
	insns[n++] = MOV64_IMM(R7, 0);
	for (int i = 0; i < 64; i++) {
		insns[n++] = PRANDOM;
		insns[n++] = JMP_IMM(BPF_JEQ, R0, 0, 1);
		insns[n++] = ALU64_IMM(BPF_ADD, R7, 1);
		insns[n++] = ALU64_IMM(BPF_LSH, R7, 1);
	}
	insns[n++] = MOV64_REG(R0, R7);
	insns[n++] = EXIT();
	prove(&p, insns, n, NULL, &(struct bpfcc_verify_opts){0});
	assert_int_equal(p.err, 0);
	assert_true(p.stats->nr_insns_walked < 20 * n);
	forget(&p);
}

/* 140,000 instructions are walked in less than 2 s and 500 MB: much less. */
static void test_long_walk(void **unused)
{
	static const struct bpf_insn insns[MAX_INSNS] = {
		NUMBER, MOV64_IMM(R7, 0), MOV64_IMM(R8, 0),
		/* 3 */ MOV64_REG(R9, R7), ALU64_IMM(BPF_AND, R9, 63), STORE_AT(R9),
		/* 9 */ JMP_IMM(BPF_JSET, R6, 1, 1), ALU64_IMM(BPF_ADD, R8, 3),
		STX(BPF_DW, R10, R8, -8), ALU64_IMM(BPF_RSH, R6, 1), ALU64_IMM(BPF_ADD, R7, 1),
		/* 14 */ JMP_IMM(BPF_JLT, R7, 14000, -12), RETURN_0};
	struct timespec start, end;
	struct proof p;

	(void)unused;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	prove(&p, insns, count_insns(insns), NULL, &(struct bpfcc_verify_opts){0});
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	if (p.err)
		fail_msg("%s", p.messages.text);
	print_message("%u instructions, %u states, %llu KiB, %lld ms\n", p.stats->nr_insns_walked,
		      p.stats->nr_states, (unsigned long long)p.stats->bytes >> 10,
		      (long long)(end.tv_sec - start.tv_sec) * 1000 +
			      (end.tv_nsec - start.tv_nsec) / 1000000);
	assert_true(p.stats->nr_insns_walked > 140000);
	assert_true(p.stats->bytes < 500u << 20);
	assert_true(end.tv_sec - start.tv_sec < 2);
	forget(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precision),	cmocka_unit_test(test_links),
		cmocka_unit_test(test_loops),		cmocka_unit_test(test_zero_slots),
		cmocka_unit_test(test_numbers),		cmocka_unit_test(test_has),
		cmocka_unit_test(test_memory_context),	cmocka_unit_test(test_limits),
		cmocka_unit_test(test_out_of_memory),	cmocka_unit_test(test_ladder),
		cmocka_unit_test(test_long_walk),
	};

	return cmocka_run_group_tests_name("verify_walk", tests, NULL, NULL);
}
