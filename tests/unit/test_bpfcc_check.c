/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is refused and what is not: each rule has a program that breaks it and one, as close as can be, that
 * does not. Rows say a part of the message; NULL: accepted.
 */
#include "bpfcc_fixture.h"

#include "bpfcc/check.h"
#include "bpfcc/kinds.h"
#include "bpfcc/verify/verify.h"

/* rows leave out what they do not need */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum { COUNTS, RODATA, TABLE, BSS, LOCKED };

static const uint8_t rodata[16] = {0, 0, 0, 0, 5, 0, 0, 0, 0xff};

static struct bpfcc_map maps[] = {
	[COUNTS] = {.name = "counts", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8,
		    .max_entries = 4, .index = COUNTS},
	[RODATA] = {.name = ".rodata", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 16,
		    .max_entries = 1, .flags = INLAY_MAP_RODATA, .index = RODATA, .data = rodata},
	[TABLE] = {.name = "table", .type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 16,
		   .max_entries = 4, .flags = INLAY_MAP_HASH, .index = TABLE},
	[BSS] = {.name = ".bss", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8,
		 .max_entries = 1, .flags = INLAY_MAP_GLOBAL, .index = BSS},
	[LOCKED] = {.name = "locked", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8,
		    .max_entries = 1, .map_flags = BPF_F_RDONLY_PROG, .index = LOCKED},
};

#define MAX_INSNS 40

struct row {
	const char *name;
	const char *message;	/* part of it; NULL: accepted */
	struct bpf_insn insns[MAX_INSNS]; /* the program; ends before the first all-zero pair */
	struct bpf_insn sub[MAX_INSNS];	  /* function 1, if any */
	uint32_t kind;		/* enum inlay_prog_kind; 0: entry */
	bool is_not_gpl, allow_override;
};

static uint32_t count_insns(const struct bpf_insn *insns)
{
	static const struct bpf_insn zero;
	uint32_t n = MAX_INSNS;

	while (n && !memcmp(&insns[n - 1], &zero, sizeof(zero)))
		n--;
	/* the second half of a trailing lddw of 0 */
	if (n && insns[n - 1].code == (BPF_LD | BPF_IMM | BPF_DW))
		n++;
	return n;
}

/* Checks and analyses; the result's objects are gone afterwards, but for what inspect() is shown. */
static int check(const struct row *row, struct bpfcc_arena *arena, struct bpfcc_diag *diag,
		 void (*inspect)(const struct bpfcc_object *, const struct bpfcc_kinds *))
{
	static const char *poisons[] = {"this member does not exist"};
	struct bpfcc_func funcs[2] = {
		{.name = "prog", .section = "uprobe", .insns = row->insns,
		 .nr_insns = count_insns(row->insns), .nr_args = 1, .index = 0},
		{.name = "sub", .section = ".text", .insns = row->sub,
		 .nr_insns = count_insns(row->sub), .nr_args = 5, .index = 1},
	};
	struct bpfcc_prog prog = {.func = &funcs[0], .name = "prog", .section = "uprobe",
				  .kind = row->kind ? row->kind : INLAY_PROG_ENTRY};
	struct bpfcc_object object = {
		.name = "o", .path = "o", .license = row->is_not_gpl ? "Proprietary" : "GPL",
		.is_gpl_compatible = !row->is_not_gpl,
		.maps = maps, .nr_maps = sizeof(maps) / sizeof(maps[0]),
		.funcs = funcs, .nr_funcs = funcs[1].nr_insns ? 2 : 1,
		.progs = &prog, .nr_progs = 1, .poisons = poisons, .nr_poisons = 1,
	};
	const struct bpfcc_verify_opts opts = {.ctx_bytes = 168,
					       .allow_override = row->allow_override};
	struct bpfcc_verify *proof = NULL;
	int err;

	diag->object = &object;
	err = bpfcc_check(&object, arena, diag);
	if (!err)
		err = bpfcc_verify_new(&object, &opts, arena, diag, &proof);
	if (!err && inspect)
		inspect(&object, bpfcc_verify_kinds(proof));
	bpfcc_verify_free(proof);
	diag->object = NULL;
	return err;
}

static void run_rows(const struct row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct row *row = &rows[i];
		struct messages messages = {0};
		struct bpfcc_diag diag = {.fn = keep_message, .arg = &messages};
		struct bpfcc_arena *arena = bpfcc_arena_new();
		int err = check(row, arena, &diag, NULL);

		if (!row->message && err)
			fail_msg("%s: refused: %s", row->name, messages.text);
		if (!row->message && messages.text[0])
			fail_msg("%s: accepted with %s", row->name, messages.text);
		if (row->message && (err != -EINVAL || !strstr(messages.text, row->message)))
			fail_msg("%s: expected \"%s\", got %d and \"%s\"", row->name, row->message,
				 err, messages.text);
		bpfcc_arena_free(arena);
	}
}

#define RUN(rows) run_rows(rows, sizeof(rows) / sizeof((rows)[0]))
#define RETURN_0 MOV64_IMM(R0, 0), EXIT()
#define KEY_AT(off) ST(BPF_W, R10, off, 0), MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, off)
/* r0 = value of counts[0], or NULL; 6 instructions */
/* key 9 is not in the array: with a constant one that is, the result is not NULL */
#define LOOKUP ST(BPF_W, R10, -4, 9), MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -4), LD_MAP(R1, COUNTS), CALL(1)

static void test_encoding(void **unused)
{
	static const struct row rows[] = {
		{"least", NULL, {RETURN_0}},
		{"unknown opcode", "unknown instruction", {INSN(0xe0 | BPF_ALU64, 0, 0, 0, 0), RETURN_0}},
		{"register 11", "r0 to r10 only", {MOV64_IMM(11, 0), RETURN_0}},
		{"source register 12", "r0 to r10 only", {MOV64_REG(R0, 12), EXIT()}},
		{"write r10", "r10", {MOV64_IMM(R10, 0), RETURN_0}},
		{"load into r10", "r10", {LDX(BPF_DW, R10, R1, 0), RETURN_0}},
		{"fetch into r10", "r10",
		 {ST(BPF_DW, R10, -8, 0), ATOMIC(BPF_DW, BPF_ADD | BPF_FETCH, R10, R10, -8), RETURN_0}},
		{"mov with off", "sign-extending", {INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 1, 4, 0), EXIT()}},
		{"movsx 8", NULL, {INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 1, 8, 0), EXIT()}},
		{"movsx 32 in 32 bits", "sign-extending",
		 {INSN(BPF_ALU | BPF_MOV | BPF_X, 0, 1, 32, 0), EXIT()}},
		{"add with imm and register", "not zero",
		 {INSN(BPF_ALU64 | BPF_ADD | BPF_X, 1, 1, 0, 5), RETURN_0}},
		{"add with off", "not zero", {INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 1, 5), RETURN_0}},
		{"sdiv", NULL, {MOV64_IMM(R0, 9), INSN(BPF_ALU64 | BPF_DIV | BPF_K, 0, 0, 1, 3), EXIT()}},
		{"div by 0", "division by zero", {MOV64_IMM(R0, 9), ALU64_IMM(BPF_DIV, R0, 0), EXIT()}},
		{"mod by 0", "division by zero", {MOV64_IMM(R0, 9), ALU32_IMM(BPF_MOD, R0, 0), EXIT()}},
		{"div by register 0", NULL,
		 {MOV64_IMM(R0, 9), MOV64_IMM(R1, 0), ALU64_REG(BPF_DIV, R0, R1), EXIT()}},
		{"shift 64", "wider", {MOV64_IMM(R0, 9), ALU64_IMM(BPF_LSH, R0, 64), EXIT()}},
		{"shift 63", NULL, {MOV64_IMM(R0, 9), ALU64_IMM(BPF_LSH, R0, 63), EXIT()}},
		{"shift 32 of 32", "wider", {MOV64_IMM(R0, 9), ALU32_IMM(BPF_ARSH, R0, 32), EXIT()}},
		{"shift -1", "wider", {MOV64_IMM(R0, 9), ALU64_IMM(BPF_RSH, R0, -1), EXIT()}},
		{"neg of register", "unknown instruction", {INSN(BPF_ALU64 | BPF_NEG | BPF_X, 1, 0, 0, 0), RETURN_0}},
		{"neg", NULL, {MOV64_IMM(R0, 9), INSN(BPF_ALU64 | BPF_NEG, 0, 0, 0, 0), EXIT()}},
		{"swap 24", "16, 32 or 64", {MOV64_IMM(R0, 9), INSN(BPF_ALU | BPF_END, 0, 0, 0, 24), EXIT()}},
		{"bswap 64", NULL, {MOV64_IMM(R0, 9), INSN(BPF_ALU64 | BPF_END, 0, 0, 0, 64), EXIT()}},
		{"bswap with direction", "unknown",
		 {MOV64_IMM(R0, 9), INSN(BPF_ALU64 | BPF_END | BPF_TO_BE, 0, 0, 0, 64), EXIT()}},
		{"packet", "packet", {INSN(BPF_LD | BPF_ABS | BPF_W, 0, 0, 0, 0), RETURN_0}},
		{"half a lddw", "second half", {INSN(BPF_LD | BPF_IMM | BPF_DW, 0, 0, 0, 0), EXIT()}},
		{"lddw with off", "not zero",
		 {INSN(BPF_LD | BPF_IMM | BPF_DW, 0, 0, 1, 0), INSN(0, 0, 0, 0, 0), EXIT()}},
		{"callback", NULL, {LDDW(R0, BPF_PSEUDO_FUNC, 0, 0), EXIT()}},
		{"ldx with imm", "not zero", {INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 1, 0, 1), EXIT()}},
		{"ldsx", NULL, {INSN(BPF_LDX | 0x80 | BPF_W, 0, 1, 0, 0), EXIT()}},
		{"ldsx of 8 bytes", "unknown", {INSN(BPF_LDX | 0x80 | BPF_DW, 0, 1, 0, 0), EXIT()}},
		{"st with register", "not zero", {INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 1, -8, 0), RETURN_0}},
		{"atomic of a byte", "32 or 64",
		 {ST(BPF_DW, R10, -8, 0), ATOMIC(BPF_B, BPF_ADD, R10, R1, -8), RETURN_0}},
		{"atomic sub", "unknown atomic",
		 {ST(BPF_DW, R10, -8, 0), ATOMIC(BPF_DW, BPF_SUB, R10, R1, -8), RETURN_0}},
		{"load acquire of a byte", NULL,
		 {ST(BPF_DW, R10, -8, 0), ATOMIC(BPF_B, 0x100, R0, R10, -8), EXIT()}},
		{"goto with imm", "not zero", {INSN(BPF_JMP | BPF_JA, 0, 0, 0, 1), RETURN_0}},
		{"gotol", NULL, {INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 0), RETURN_0}},
		{"may_goto", NULL, {INSN(BPF_JMP | 0xe0, 0, 0, 0, 0), RETURN_0}},
		{"jump with imm and register", "not zero",
		 {INSN(BPF_JMP | BPF_JEQ | BPF_X, 1, 1, 0, 1), RETURN_0}},
		{"callx of ctx", "must be the address of a function",
		 {INSN(BPF_JMP | BPF_CALL | BPF_X, 1, 0, 0, 0), RETURN_0}},
		{"callx of a helper", NULL,
		 {MOV64_IMM(R2, BPF_FUNC_ktime_get_ns), INSN(BPF_JMP | BPF_CALL | BPF_X, 2, 0, 0, 0),
		  RETURN_0}},
		{"callx, the register in imm", NULL,
		 {MOV64_IMM(R2, BPF_FUNC_ktime_get_ns), INSN(BPF_JMP | BPF_CALL | BPF_X, 0, 0, 0, 2),
		  RETURN_0}},
		{"callx of two registers", "not zero",
		 {INSN(BPF_JMP | BPF_CALL | BPF_X, 1, 0, 0, 2), RETURN_0}},
		{"callx of r10", "register",
		 {INSN(BPF_JMP | BPF_CALL | BPF_X, 0, 0, 0, 10), RETURN_0}},
		/* liveness asks for the register before anybody walks */
		{"callx of r197", "register",
		 {INSN(BPF_JMP | BPF_CALL | BPF_X, 0, 0, 0, 197), RETURN_0}},
		{"callx of r256 where control cannot get", "register",
		 {MOV64_IMM(R0, 0), JMP_IMM(BPF_JEQ, R0, 0, 1),
		  INSN(BPF_JMP | BPF_CALL | BPF_X, 0, 0, 0, 256), RETURN_0}},
		{"call in 32 bits", "unknown", {INSN(BPF_JMP32 | BPF_CALL, 0, 0, 0, 5), RETURN_0}},
		{"exit with imm", "not zero", {MOV64_IMM(R0, 0), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 1)}},
		{"exit with off", NULL, {MOV64_IMM(R0, 0), INSN(BPF_JMP | BPF_EXIT, 0, 0, 1, 0)}},
		{"unused field where control cannot get", NULL,
		 {MOV64_IMM(R0, 0), JMP_IMM(BPF_JEQ, R0, 0, 1),
		  INSN(BPF_ALU64 | BPF_ADD | BPF_X, 1, 1, 0, 5), EXIT()}},
		{"lddw with off where control cannot get", NULL,
		 {MOV64_IMM(R0, 0), JMP_IMM(BPF_JEQ, R0, 0, 2),
		  INSN(BPF_LD | BPF_IMM | BPF_DW, 0, 0, 1, 0), INSN(0, 0, 0, 0, 0), EXIT()}},
		{"register 11 where control cannot get", "r0 to r10 only",
		 {MOV64_IMM(R0, 0), JMP_IMM(BPF_JEQ, R0, 0, 1), MOV64_IMM(11, 0), EXIT()}},
		{"unknown opcode where control cannot get", "unknown instruction",
		 {MOV64_IMM(R0, 0), JMP_IMM(BPF_JEQ, R0, 0, 1),
		  INSN(0xe0 | BPF_ALU64, 0, 0, 0, 0), EXIT()}},
	};

	(void)unused;
	RUN(rows);
}

static void test_flow(void **unused)
{
	static const struct row rows[] = {
		{"forward out", "leaves the function", {JMP_IMM(BPF_JEQ, R1, 0, 2), RETURN_0}},
		{"forward to the end", NULL, {JMP_IMM(BPF_JEQ, R1, 0, 0), RETURN_0}},
		{"backward out", "leaves the function", {GOTO(-2), RETURN_0}},
		{"into lddw", "middle", {JMP_IMM(BPF_JEQ, R1, 0, 1), LDDW(R0, 0, 1, 1), EXIT()}},
		{"over lddw", NULL, {MOV64_IMM(R0, 0), JMP_IMM(BPF_JEQ, R1, 0, 2), LDDW(R0, 0, 1, 1), EXIT()}},
		{"falls off", "end of the function", {MOV64_IMM(R0, 0)}},
		{"falls off after a branch", "end of the function",
		 {MOV64_IMM(R0, 0), JMP_IMM(BPF_JEQ, R1, 0, -2)}},
		{"ends in goto", NULL, {GOTO(2), MOV64_IMM(R0, 0), EXIT(), GOTO(-3)}},
		{"unreachable", "never be reached", {MOV64_IMM(R0, 0), GOTO(1), MOV64_IMM(R0, 1), EXIT()}},
		{"loop", NULL, {MOV64_IMM(R0, 5), ALU64_IMM(BPF_SUB, R0, 1), JMP_IMM(BPF_JNE, R0, 0, -2), EXIT()}},
		{"recursion", "recursive", {CALL_FUNC(1), EXIT()}, {CALL_FUNC(1), EXIT()}},
		{"call", NULL, {CALL_FUNC(1), EXIT()}, {RETURN_0}},
		{"call of nothing", "no function", {CALL_FUNC(3), EXIT()}},
	};

	(void)unused;
	RUN(rows);
}

static void test_registers(void **unused)
{
	static const struct row rows[] = {
		{"r0 unset at exit", "r0", {EXIT()}},
		{"r0 unset on one path", "r0",
		 {LDX(BPF_DW, R2, R1, 0), JMP_IMM(BPF_JEQ, R2, 0, 1), MOV64_IMM(R0, 0), EXIT()}},
		{"r0 unset where ctx is NULL", "nothing was put into it",
		 {JMP_IMM(BPF_JEQ, R1, 0, 1), MOV64_IMM(R0, 0), EXIT()}},
		{"r2 unset", "r2 is read", {MOV64_REG(R0, R2), EXIT()}},
		{"r6 unset in sum", "r6 is read", {MOV64_IMM(R0, 0), ALU64_REG(BPF_ADD, R0, R6), EXIT()}},
		{"r1 after call", "r1 is read", {CALL(5), MOV64_REG(R0, R1), EXIT()}},
		{"r6 after call", NULL, {MOV64_REG(R6, R1), CALL(5), LDX(BPF_DW, R0, R6, 0), EXIT()}},
		{"unset on a path that never runs", NULL,
		 {MOV64_IMM(R1, 1), JMP_IMM(BPF_JEQ, R1, 1, 1), MOV64_REG(R0, R3), MOV64_IMM(R0, 0), EXIT()}},
		{"argument unset", "r2 is read", {MOV64_IMM(R1, 1), LD_MAP(R1, COUNTS), CALL(1), EXIT()}},
		{"argument of subprogram unset", "r2 is read", {CALL_FUNC(1), EXIT()},
		 {MOV64_REG(R0, R2), EXIT()}},
		{"argument that is not used", NULL, {CALL_FUNC(1), EXIT()}, {MOV64_REG(R0, R1), EXIT()}},
		{"result of void", "r0", {CALL_FUNC(1), EXIT()}, {EXIT()}},
		{"void", NULL, {CALL_FUNC(1), RETURN_0}, {EXIT()}},
		{"poison", "member does not exist", {CALL(BPFCC_POISON), EXIT()}},
		{"poison that never runs", NULL,
		 {MOV64_IMM(R1, 0), JMP_IMM(BPF_JEQ, R1, 0, 1), CALL(BPFCC_POISON), RETURN_0}},
	};

	(void)unused;
	RUN(rows);
}

static void test_stack(void **unused)
{
	static const struct row rows[] = {
		{"512", NULL, {ST(BPF_DW, R10, -512, 0), RETURN_0}},
		{"below 512", "outside of the stack", {ST(BPF_DW, R10, -513, 0), RETURN_0}},
		{"above r10", "outside of the stack", {ST(BPF_DW, R10, 0, 0), RETURN_0}},
		{"across r10", "outside of the stack", {ST(BPF_DW, R10, -4, 0), RETURN_0}},
		{"through a copy", "outside of the stack",
		 {MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -500), ST(BPF_DW, R2, -16, 0), RETURN_0}},
		{"chain of 512", NULL, {ST(BPF_DW, R10, -256, 0), CALL_FUNC(1), RETURN_0},
		 {ST(BPF_DW, R10, -256, 0), RETURN_0}},
		{"chain above 512, as in kernels since 6.13", NULL, {ST(BPF_DW, R10, -256, 0), CALL_FUNC(1), RETURN_0},
		 {ST(BPF_DW, R10, -264, 0), RETURN_0}},
		{"callee above the caller's frame", "outside of the stack",
		 {MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -8), CALL_FUNC(1), RETURN_0},
		 {ST(BPF_DW, R1, 8, 0), RETURN_0}},
		{"callee in the caller's frame", NULL,
		 {MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -8), CALL_FUNC(1), LDX(BPF_DW, R0, R10, -8), EXIT()},
		 {ST(BPF_DW, R1, 0, 0), RETURN_0}},
		{"spilled pointer", NULL,
		 {STX(BPF_DW, R10, R1, -8), LDX(BPF_DW, R2, R10, -8), LDX(BPF_DW, R0, R2, 0), EXIT()}},
		{"half of a spilled pointer", "r2, which is a number",
		 {STX(BPF_DW, R10, R1, -8), ST(BPF_W, R10, -8, 0), LDX(BPF_DW, R2, R10, -8),
		  LDX(BPF_DW, R0, R2, 0), EXIT()}},
		{"callee overwrites a spilled pointer", "r2, which is a number",
		 {STX(BPF_DW, R10, R1, -8), MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -16), CALL_FUNC(1),
		  LDX(BPF_DW, R2, R10, -8), LDX(BPF_DW, R0, R2, 0), EXIT()},
		 {ST(BPF_DW, R1, 8, 0), RETURN_0}},
		{"helper overwrites a spilled pointer", "r2, which is a number",
		 {STX(BPF_DW, R10, R1, -8), MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -16),
		  MOV64_IMM(R2, 16), CALL(16), LDX(BPF_DW, R2, R10, -8), LDX(BPF_DW, R0, R2, 0), EXIT()}},
		{"helper beside a spilled pointer", NULL,
		 {STX(BPF_DW, R10, R1, -8), MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -24),
		  MOV64_IMM(R2, 16), CALL(16), LDX(BPF_DW, R2, R10, -8), LDX(BPF_DW, R0, R2, 0), EXIT()}},
		{"returned pointer into a dead frame", "returns an address on the stack",
		 {CALL_FUNC(1), LDX(BPF_DW, R0, R0, -8), EXIT()}, {MOV64_REG(R0, R10), EXIT()}},
		{"misaligned atomic", "misaligned",
		 {ST(BPF_DW, R10, -16, 0), ATOMIC(BPF_DW, BPF_ADD, R10, R1, -12), RETURN_0}},
	};

	(void)unused;
	RUN(rows);
}

static void test_ctx(void **unused)
{
	static const struct row rows[] = {
		{"first", NULL, {LDX(BPF_DW, R0, R1, 0), EXIT()}},
		{"last", NULL, {LDX(BPF_DW, R0, R1, 160), EXIT()}},
		{"behind", "outside of struct pt_regs", {LDX(BPF_DW, R0, R1, 168), EXIT()}},
		{"before", "outside of struct pt_regs", {LDX(BPF_DW, R0, R1, -8), EXIT()}},
		{"misaligned", "misaligned", {LDX(BPF_DW, R0, R1, 4), EXIT()}},
		{"half a register", NULL, {LDX(BPF_W, R0, R1, 4), EXIT()}},
		{"store", "read-only", {ST(BPF_DW, R1, 0, 0), RETURN_0}},
		{"atomic", "atomic operation on ctx", {ATOMIC(BPF_DW, BPF_ADD, R1, R1, 0), RETURN_0}},
		{"variable offset", "not constant",
		 {LDX(BPF_DW, R2, R1, 0), ALU64_REG(BPF_ADD, R1, R2), LDX(BPF_DW, R0, R1, 0), EXIT()}},
		{"constant offset", NULL, {ALU64_IMM(BPF_ADD, R1, 8), LDX(BPF_DW, R0, R1, 0), EXIT()}},
		{"in a subprogram", NULL, {CALL_FUNC(1), EXIT()}, {LDX(BPF_DW, R0, R1, 160), EXIT()}},
		{"number as address", "bpf_probe_read_user",
		 {LDX(BPF_DW, R2, R1, 0), LDX(BPF_DW, R0, R2, 0), EXIT()}},
		{"32-bit copy of a pointer", "r2, which is a number",
		 {ALU32_REG(BPF_MOV, R2, R1), LDX(BPF_DW, R0, R2, 0), EXIT()}},
		{"multiplied pointer", "r1, which is a number",
		 {ALU64_IMM(BPF_MUL, R1, 1), LDX(BPF_DW, R0, R1, 0), EXIT()}},
		{"two kinds", "through ctx on one path",
		 {LDX(BPF_DW, R2, R1, 0), MOV64_REG(R3, R10), ALU64_IMM(BPF_ADD, R3, -8),
		  JMP_IMM(BPF_JEQ, R2, 0, 1), MOV64_REG(R3, R1), LDX(BPF_DW, R0, R3, 0), EXIT()}},
	};

	(void)unused;
	RUN(rows);
}

static void test_maps(void **unused)
{
	static const struct row rows[] = {
		{"checked", NULL, {LOOKUP, JMP_IMM(BPF_JEQ, R0, 0, 1), ST(BPF_DW, R0, 0, 1), RETURN_0}},
		{"checked the other way", NULL,
		 {LOOKUP, JMP_IMM(BPF_JNE, R0, 0, 2), RETURN_0, ST(BPF_DW, R0, 0, 1), RETURN_0}},
		{"not checked", "may be NULL", {LOOKUP, ST(BPF_DW, R0, 0, 1), RETURN_0}},
		{"used where it is NULL", "r0, which is a number, 0",
		 {LOOKUP, JMP_IMM(BPF_JNE, R0, 0, 1), ST(BPF_DW, R0, 0, 1), RETURN_0}},
		{"checked on one path", "may be NULL",
		 {MOV64_REG(R6, R1), LOOKUP, LDX(BPF_DW, R6, R6, 0), JMP_IMM(BPF_JEQ, R6, 0, 1),
		  JMP_IMM(BPF_JEQ, R0, 0, 1), ST(BPF_DW, R0, 0, 1), RETURN_0}},
		{"copy checked", NULL,
		 {LOOKUP, MOV64_REG(R7, R0), JMP_IMM(BPF_JEQ, R7, 0, 1), ST(BPF_DW, R0, 0, 1), RETURN_0}},
		{"spilled copy", NULL,
		 {LOOKUP, STX(BPF_DW, R10, R0, -16), JMP_IMM(BPF_JEQ, R0, 0, 2), LDX(BPF_DW, R1, R10, -16),
		  ST(BPF_DW, R1, 0, 1), RETURN_0}},
		{"another lookup's check", "may be NULL",
		 {LOOKUP, MOV64_REG(R7, R0), LOOKUP, JMP_IMM(BPF_JEQ, R0, 0, 1), ST(BPF_DW, R7, 0, 1), RETURN_0}},
		{"checked below an offset", "may be NULL",
		 {LOOKUP, MOV64_REG(R7, R0), ALU64_IMM(BPF_ADD, R7, 4), JMP_IMM(BPF_JEQ, R7, 0, 1),
		  ST(BPF_W, R7, 0, 1), RETURN_0}},
		{"32-bit check", "may be NULL",
		 {LOOKUP, INSN(BPF_JMP32 | BPF_JEQ | BPF_K, 0, 0, 1, 0), ST(BPF_DW, R0, 0, 1), RETURN_0}},
		{"NULL or a value", NULL,
		 {MOV64_REG(R8, R1), LDX(BPF_DW, R8, R8, 0), MOV64_IMM(R0, 0), JMP_IMM(BPF_JEQ, R8, 0, 6), LOOKUP,
		  JMP_IMM(BPF_JEQ, R0, 0, 1), ST(BPF_DW, R0, 0, 1), RETURN_0}},
		{"last bytes", NULL, {LOOKUP, JMP_IMM(BPF_JEQ, R0, 0, 1), ST(BPF_W, R0, 4, 1), RETURN_0}},
		{"behind the value", "outside of the value",
		 {LOOKUP, JMP_IMM(BPF_JEQ, R0, 0, 1), ST(BPF_W, R0, 8, 1), RETURN_0}},
		{"across its end", "outside of the value",
		 {LOOKUP, JMP_IMM(BPF_JEQ, R0, 0, 1), ST(BPF_DW, R0, 4, 1), RETURN_0}},
		{"before the value", "outside of the value",
		 {LOOKUP, JMP_IMM(BPF_JEQ, R0, 0, 1), ST(BPF_B, R0, -1, 1), RETURN_0}},
		{"global", NULL, {LD_VALUE(R1, BSS, 0), ST(BPF_DW, R1, 0, 1), RETURN_0}},
		{"behind a global section", "outside of the value",
		 {LD_VALUE(R1, BSS, 4), ST(BPF_DW, R1, 0, 1), RETURN_0}},
		{"rodata load", NULL, {LD_VALUE(R1, RODATA, 0), LDX(BPF_DW, R0, R1, 0), EXIT()}},
		{"rodata store", "read-only", {LD_VALUE(R1, RODATA, 0), ST(BPF_B, R1, 0, 1), RETURN_0}},
		{"rodata or bss store", "read-only",
		 {LDX(BPF_DW, R3, R1, 0), LD_VALUE(R2, BSS, 0), JMP_IMM(BPF_JEQ, R3, 0, 2),
		  LD_VALUE(R2, RODATA, 0), ST(BPF_B, R2, 0, 1), RETURN_0}},
		{"rodata switch that is off", NULL,
		 {LD_VALUE(R2, RODATA, 0), LDX(BPF_W, R2, R2, 0), JMP_IMM(BPF_JEQ, R2, 0, 1), CALL(9999), RETURN_0}},
		{"rodata switch that is on", "helper unknown (9999)",
		 {LD_VALUE(R2, RODATA, 4), LDX(BPF_W, R2, R2, 0), JMP_IMM(BPF_JEQ, R2, 0, 1), CALL(9999), RETURN_0}},
		{"rodata sign", NULL,
		 {LD_VALUE(R2, RODATA, 8), INSN(BPF_LDX | 0x80 | BPF_B, R2, R2, 0, 0),
		  JMP_IMM(BPF_JEQ, R2, -1, 1), CALL(9999), RETURN_0}},
		{"map as memory", "r1, which is map 'counts'", {LD_MAP(R1, COUNTS), LDX(BPF_DW, R0, R1, 0), EXIT()}},
		{"read-only map", "read-only",
		 {KEY_AT(-4), LD_MAP(R1, LOCKED), CALL(1), JMP_IMM(BPF_JEQ, R0, 0, 1), ST(BPF_DW, R0, 0, 1), RETURN_0}},
		{"returned by a subprogram", NULL,
		 {CALL_FUNC(1), JMP_IMM(BPF_JEQ, R0, 0, 1), ST(BPF_DW, R0, 0, 1), RETURN_0}, {LOOKUP, EXIT()}},
		{"returned and not checked", "may be NULL", {CALL_FUNC(1), ST(BPF_DW, R0, 0, 1), RETURN_0},
		 {LOOKUP, EXIT()}},
		{"passed to a subprogram unchecked", "may be NULL",
		 {LOOKUP, MOV64_REG(R1, R0), CALL_FUNC(1), RETURN_0}, {ST(BPF_DW, R1, 0, 1), RETURN_0}},
		{"loop that keeps the last result", "r7, which is a number, 0",
		 {MOV64_IMM(R7, 0), MOV64_IMM(R6, 3), LOOKUP, JMP_IMM(BPF_JEQ, R0, 0, 3),
		  JMP_IMM(BPF_JEQ, R6, 1, 1), GOTO(0), ST(BPF_DW, R7, 0, 1), MOV64_REG(R7, R0),
		  ALU64_IMM(BPF_SUB, R6, 1), JMP_IMM(BPF_JNE, R6, 0, -13), RETURN_0}},
	};

	(void)unused;
	RUN(rows);
}

/* r2 = a number of the target */
#define NUMBER LDX(BPF_DW, R2, R1, 0)
#define INDEX(map) LD_VALUE(R3, map, 0), ALU64_REG(BPF_ADD, R3, R2)

static void test_variable_offsets(void **unused)
{
	static const struct row rows[] = {
		{"any offset", "not bounded can be outside", {NUMBER, INDEX(BSS), ST(BPF_B, R3, 0, 1), RETURN_0}},
		{"masked", NULL, {NUMBER, ALU64_IMM(BPF_AND, R2, 7), INDEX(BSS), ST(BPF_B, R3, 0, 1), RETURN_0}},
		{"masked too widely", "can be outside",
		 {NUMBER, ALU64_IMM(BPF_AND, R2, 15), INDEX(BSS), ST(BPF_B, R3, 0, 1), RETURN_0}},
		{"masked, a wider store", "can be outside",
		 {NUMBER, ALU64_IMM(BPF_AND, R2, 7), INDEX(BSS), ST(BPF_W, R3, 0, 1), RETURN_0}},
		{"masked and shifted", NULL,
		 {NUMBER, ALU64_IMM(BPF_AND, R2, 1), ALU64_IMM(BPF_LSH, R2, 2), INDEX(BSS), ST(BPF_W, R3, 0, 1),
		  RETURN_0}},
		{"compared", NULL,
		 {NUMBER, JMP_IMM(BPF_JGT, R2, 7, 4), INDEX(BSS), ST(BPF_B, R3, 0, 1), RETURN_0}},
		{"compared, off by one", "can be outside",
		 {NUMBER, JMP_IMM(BPF_JGT, R2, 8, 4), INDEX(BSS), ST(BPF_B, R3, 0, 1), RETURN_0}},
		{"compared signed, one end only", "can be outside",
		 {NUMBER, JMP_IMM(BPF_JSGT, R2, 7, 4), INDEX(BSS), ST(BPF_B, R3, 0, 1), RETURN_0}},
		{"compared signed", NULL,
		 {NUMBER, JMP_IMM(BPF_JSGT, R2, 7, 5), JMP_IMM(BPF_JSLT, R2, 0, 4), INDEX(BSS), ST(BPF_B, R3, 0, 1),
		  RETURN_0}},
		{"a copy compared", NULL,
		 {NUMBER, MOV64_REG(R4, R2), JMP_IMM(BPF_JGT, R4, 7, 4), INDEX(BSS), ST(BPF_B, R3, 0, 1), RETURN_0}},
		{"a copy compared that changed", "can be outside",
		 {NUMBER, MOV64_REG(R4, R2), ALU64_IMM(BPF_ADD, R4, 1), JMP_IMM(BPF_JGT, R4, 7, 4), INDEX(BSS),
		  ST(BPF_B, R3, 0, 1), RETURN_0}},
		{"loop with a bound", NULL,
		 {MOV64_IMM(R2, 0), INDEX(BSS), ST(BPF_B, R3, 0, 1), ALU64_IMM(BPF_ADD, R2, 1),
		  JMP_IMM(BPF_JNE, R2, 8, -6), RETURN_0}},
		{"loop with a bound too far", "is outside of the value",
		 {MOV64_IMM(R2, 0), INDEX(BSS), ST(BPF_B, R3, 0, 1), ALU64_IMM(BPF_ADD, R2, 1),
		  JMP_IMM(BPF_JNE, R2, 9, -6), RETURN_0}},
		{"stack, any offset", "can be outside of the stack",
		 {NUMBER, MOV64_REG(R3, R10), ALU64_REG(BPF_ADD, R3, R2), ST(BPF_B, R3, -8, 1), RETURN_0}},
		{"stack, masked", NULL,
		 {NUMBER, ALU64_IMM(BPF_AND, R2, 7), MOV64_REG(R3, R10), ALU64_REG(BPF_ADD, R3, R2),
		  ST(BPF_B, R3, -8, 1), RETURN_0}},
		{"stack, masked too widely", "can be outside of the stack",
		 {NUMBER, ALU64_IMM(BPF_AND, R2, 15), MOV64_REG(R3, R10), ALU64_REG(BPF_ADD, R3, R2),
		  ST(BPF_B, R3, -8, 1), RETURN_0}},
		{"stack of the caller, masked", NULL,
		 {LDX(BPF_DW, R2, R1, 0), MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -8), CALL_FUNC(1), RETURN_0},
		 {ALU64_IMM(BPF_AND, R2, 7), ALU64_REG(BPF_ADD, R1, R2), ST(BPF_B, R1, 0, 1), RETURN_0}},
		{"stack of the caller, masked too widely", "can be outside of the stack",
		 {LDX(BPF_DW, R2, R1, 0), MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -8), CALL_FUNC(1), RETURN_0},
		 {ALU64_IMM(BPF_AND, R2, 15), ALU64_REG(BPF_ADD, R1, R2), ST(BPF_B, R1, 0, 1), RETURN_0}},
		{"size, any", "can be negative",
		 {NUMBER, MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -16), MOV64_IMM(R3, 9), CALL(112), RETURN_0}},
		{"size, compared", NULL,
		 {NUMBER, MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -16), MOV64_IMM(R3, 9),
		  JMP_IMM(BPF_JGT, R2, 16, 1), CALL(112), RETURN_0}},
		{"size, compared with too much", "outside of the stack",
		 {NUMBER, MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -16), MOV64_IMM(R3, 9),
		  JMP_IMM(BPF_JGT, R2, 17, 1), CALL(112), RETURN_0}},
	};

	(void)unused;
	RUN(rows);
}

static void test_helpers(void **unused)
{
	static const struct row rows[] = {
		{"unknown", "helper unknown (9999) is not supported", {CALL(9999), EXIT()}},
		{"kernel's", "bpf_timer_start cannot be had in a process", {CALL(171), EXIT()}},
		{"no map", "must be a map", {KEY_AT(-4), MOV64_IMM(R1, 0), CALL(1), EXIT()}},
		{"key outside of the stack", "outside of the stack",
		 {MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -4), LD_MAP(R1, TABLE), CALL(1), EXIT()}},
		{"key is a number", "r2, which is a number",
		 {MOV64_IMM(R2, 8), LD_MAP(R1, COUNTS), CALL(1), EXIT()}},
		{"key in a value", NULL,
		 {LD_VALUE(R2, BSS, 0), LD_MAP(R1, TABLE), CALL(1), MOV64_IMM(R0, 0), EXIT()}},
		{"value too small", "outside of the value",
		 {LD_VALUE(R2, BSS, 0), MOV64_REG(R3, R2), LD_MAP(R1, TABLE), MOV64_IMM(R4, 0), CALL(2), EXIT()}},
		{"ctx as a key", "not ctx", {MOV64_REG(R2, R1), LD_MAP(R1, COUNTS), CALL(1), EXIT()}},
		{"update of a read-only map", "read-only",
		 {KEY_AT(-4), MOV64_REG(R3, R10), ALU64_IMM(BPF_ADD, R3, -16), LD_MAP(R1, LOCKED), MOV64_IMM(R4, 0),
		  CALL(2), EXIT()}},
		{"buffer of 16", NULL,
		 {MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -16), MOV64_IMM(R2, 16), CALL(16), EXIT()}},
		{"buffer of 17 in 16", "outside of the stack",
		 {MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -16), MOV64_IMM(R2, 17), CALL(16), EXIT()}},
		{"no buffer", "r2, can be 0", {MOV64_IMM(R1, 0), MOV64_IMM(R2, 0), CALL(16), EXIT()}},
		{"no buffer where 0 is valid", NULL,
		 {MOV64_REG(R3, R1), MOV64_IMM(R1, 0), MOV64_IMM(R2, 0), MOV64_IMM(R3, 9), CALL(112), EXIT()}},
		{"negative size", "can be negative",
		 {MOV64_REG(R1, R10), MOV64_IMM(R2, -1), MOV64_IMM(R3, 9), CALL(112), EXIT()}},
		{"read into rodata", "read-only",
		 {LD_VALUE(R1, RODATA, 0), MOV64_IMM(R2, 4), MOV64_IMM(R3, 9), CALL(112), EXIT()}},
		{"printk leaves arguments out", NULL,
		 {LD_VALUE(R1, RODATA, 0), MOV64_IMM(R2, 4), CALL(6), EXIT()}},
		{"gpl helper", "GPL-compatible",
		 {LD_VALUE(R1, RODATA, 0), MOV64_IMM(R2, 4), CALL(6), EXIT()}, .is_not_gpl = true},
		{"other helper without gpl", NULL, {CALL(5), EXIT()}, .is_not_gpl = true},
		{"override", "--allow-override", {MOV64_IMM(R2, 1), CALL(58), EXIT()}},
		{"override allowed", NULL, {MOV64_IMM(R2, 1), CALL(58), EXIT()}, .allow_override = true},
		{"override of NULL", NULL, {MOV64_IMM(R1, 0), MOV64_IMM(R2, 1), CALL(58), EXIT()},
		 .allow_override = true},
		{"override of a number", "must be the program's ctx",
		 {MOV64_IMM(R1, 1), MOV64_IMM(R2, 1), CALL(58), EXIT()}, .allow_override = true},
		{"override at return", "when a function returns", {MOV64_IMM(R2, 1), CALL(58), EXIT()},
		 .allow_override = true, .kind = INLAY_PROG_RETURN},
		{"get_func_ip", NULL, {CALL(173), EXIT()}},
		{"get_func_ip of other ctx", "must be the program's ctx",
		 {ALU64_IMM(BPF_ADD, R1, 8), CALL(173), EXIT()}},
		{"session cookie", NULL, {CALL_KFUNC(1), ST(BPF_DW, R0, 0, 1), RETURN_0},
		 .kind = INLAY_PROG_SESSION},
		{"behind the session cookie", "outside of the memory",
		 {CALL_KFUNC(1), ST(BPF_DW, R0, 8, 1), RETURN_0}, .kind = INLAY_PROG_SESSION},
		{"session cookie elsewhere", "uprobe.session", {CALL_KFUNC(1), RETURN_0}},
		{"session cookie elsewhere, in a subprogram", "uprobe.session", {CALL_FUNC(1), RETURN_0},
		 {CALL_KFUNC(0), RETURN_0}},
	};

	(void)unused;
	RUN(rows);
}

static void expect_kind(const struct bpfcc_object *object, const struct bpfcc_kinds *kinds,
			uint32_t func, uint32_t insn, int reg, const char *expected)
{
	const struct bpfcc_regs *regs = bpfcc_kinds_before(kinds, func, insn);
	char text[64];

	bpfcc_kind_format(object, &regs->r[reg], text, sizeof(text));
	if (strcmp(text, expected))
		fail_msg("function %u, instruction %u, r%d: %s, not %s", func, insn, reg, text,
			 expected);
}

static void inspect_kinds(const struct bpfcc_object *o, const struct bpfcc_kinds *k)
{
	expect_kind(o, k, 0, 0, R1, "ctx");
	expect_kind(o, k, 0, 0, R10, "fp+0");
	expect_kind(o, k, 0, 0, R0, "uninit");
	expect_kind(o, k, 0, 4, R2, "fp-4");
	expect_kind(o, k, 0, 6, R1, "map(counts)");
	expect_kind(o, k, 0, 7, R0, "map_value_or_null(counts)");
	expect_kind(o, k, 0, 7, R1, "uninit");
	expect_kind(o, k, 0, 8, R0, "map_value(counts)");
	expect_kind(o, k, 0, 9, R0, "map_value(counts)+4");
	expect_kind(o, k, 0, 10, R3, "scalar[0,255]");
	expect_kind(o, k, 0, 11, R0, "map_value(counts)+[4,259]");
	expect_kind(o, k, 0, 15, R0, "5");
	/* the path behind the constant condition */
	expect_kind(o, k, 0, 16, R10, "unreached");
	/* nothing reads it any more */
	expect_kind(o, k, 0, 17, R0, "uninit");
	expect_kind(o, k, 0, 11, R6, "ctx");
	/* in the subprogram: ctx, a pointer to the caller's stack, and its own frame */
	expect_kind(o, k, 1, 0, R1, "ctx");
	expect_kind(o, k, 1, 0, R2, "fp(up 1)-4");
	expect_kind(o, k, 1, 1, R2, "fp(up 1)-2");
	expect_kind(o, k, 1, 0, R6, "uninit");
	expect_kind(o, k, 1, 0, R10, "fp+0");
	assert_int_equal(o->funcs[1].nr_args, 2);
	assert_int_equal(bpfcc_kinds_stack_bytes(k, 0), 4);
	assert_int_equal(bpfcc_kinds_stack_bytes(k, 1), 0);
}

/* What the lowering reads. */
static void test_kinds(void **unused)
{
	static const struct row row = {
		"kinds", NULL,
		{/* 0 */ MOV64_REG(R6, R1), /* 1 */ LOOKUP, /* 7 */ JMP_IMM(BPF_JEQ, R0, 0, 4),
		 /* 8 */ ALU64_IMM(BPF_ADD, R0, 4), /* 9 */ LDX(BPF_B, R3, R0, 0),
		 /* 10 */ ALU64_REG(BPF_ADD, R0, R3), /* 11 */ MOV64_IMM(R0, 1),
		 /* 12 */ LD_VALUE(R0, RODATA, 4), /* 14 */ LDX(BPF_W, R0, R0, 0),
		 /* 15 */ JMP_IMM(BPF_JEQ, R0, 5, 1), /* 16 */ CALL(9999), /* 17 */ MOV64_REG(R1, R6),
		 /* 18 */ MOV64_REG(R2, R10), /* 19 */ ALU64_IMM(BPF_ADD, R2, -4), /* 20 */ CALL_FUNC(1),
		 /* 21 */ EXIT()},
		{/* 0 */ ALU64_IMM(BPF_ADD, R2, 2), /* 1 */ LDX(BPF_H, R0, R2, 0),
		 /* 2 */ LDX(BPF_DW, R1, R1, 0), /* 3 */ EXIT()},
	};
	struct messages messages = {0};
	struct bpfcc_diag diag = {.fn = keep_message, .arg = &messages};
	struct bpfcc_arena *arena = bpfcc_arena_new();

	(void)unused;
	if (check(&row, arena, &diag, inspect_kinds))
		fail_msg("%s", messages.text);
	bpfcc_arena_free(arena);
}

/* Nine functions that call each other are one too many; eight are not. */
static void test_depth(void **unused)
{
	struct bpf_insn middle[] = {CALL_FUNC(0), EXIT()}, last[] = {RETURN_0};
	struct bpf_insn code[9][2];

	(void)unused;
	for (uint32_t nr = 8; nr <= 9; nr++) {
		struct bpfcc_arena *arena = bpfcc_arena_new();
		struct bpfcc_func funcs[9];
		struct bpfcc_prog prog = {.func = &funcs[0], .kind = INLAY_PROG_ENTRY};
		struct bpfcc_object object = {.funcs = funcs, .nr_funcs = nr, .progs = &prog,
					      .nr_progs = 1};
		struct messages messages = {0};
		struct bpfcc_diag diag = {.fn = keep_message, .arg = &messages};

		for (uint32_t i = 0; i < nr; i++) {
			memcpy(code[i], i + 1 < nr ? middle : last, sizeof(code[i]));
			if (i + 1 < nr)
				code[i][0].imm = (int)i + 1;
			funcs[i] = (struct bpfcc_func){.name = "f", .section = "s", .insns = code[i],
						       .nr_insns = 2, .nr_args = 1, .index = i};
		}
		assert_int_equal(bpfcc_check(&object, arena, &diag), nr == 9 ? -EINVAL : 0);
		assert_true((nr == 9) == !!strstr(messages.text, "more than 8 deep"));
		bpfcc_arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encoding), cmocka_unit_test(test_flow),
		cmocka_unit_test(test_registers), cmocka_unit_test(test_stack),
		cmocka_unit_test(test_ctx),	 cmocka_unit_test(test_maps),
		cmocka_unit_test(test_helpers),	 cmocka_unit_test(test_variable_offsets),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
