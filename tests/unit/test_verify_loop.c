/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops that will not end within the limits are refused long before the limits are hit, and no
 * other ones are. Against loops made at random, which the checking interpreter counts out.
 */
#include "bpfcc_fixture.h"

#include "bpfcc/check.h"
#include "bpfcc/run/interp.h"
#include "bpfcc/verify/verify.h"

#define MAX_INSNS 48
#define FEW 100000u	/* a tenth of the limit */

static struct bpfcc_map maps[] = {
	{.name = ".bss", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 64,
	 .max_entries = 1, .flags = INLAY_MAP_GLOBAL},
};

struct proof {
	int err;
	uint32_t nr_walked;
	struct messages messages;
};

static void init_object(struct bpfcc_object *o, struct bpfcc_func *f, struct bpfcc_prog *prog,
			const struct bpf_insn *insns, uint32_t nr)
{
	*f = (struct bpfcc_func){.name = "prog", .section = "uprobe", .insns = insns,
				 .nr_insns = nr, .nr_args = 1};
	*prog = (struct bpfcc_prog){.func = f, .name = "prog", .section = "uprobe",
				    .kind = INLAY_PROG_ENTRY};
	*o = (struct bpfcc_object){.name = "o", .path = "o", .license = "GPL",
				   .is_gpl_compatible = true, .maps = maps, .nr_maps = 1,
				   .funcs = f, .nr_funcs = 1, .progs = prog, .nr_progs = 1};
}

static void prove(struct proof *p, struct bpfcc_object *object, uint32_t max_insns)
{
	const struct bpfcc_verify_opts opts = {.ctx_bytes = 168, .max_insns = max_insns};
	struct bpfcc_diag diag = {.fn = keep_message, .arg = &p->messages, .object = object};
	struct bpfcc_arena *arena = bpfcc_arena_new();
	struct bpfcc_verify *verify;

	memset(p, 0, sizeof(*p));
	assert_int_equal(bpfcc_check(object, arena, &diag), 0);
	p->err = bpfcc_verify_new(object, &opts, arena, &diag, &verify);
	assert_non_null(verify);
	p->nr_walked = bpfcc_verify_stats(verify, 0)->nr_insns_walked;
	bpfcc_verify_free(verify);
	bpfcc_arena_free(arena);
}

/* ---- loops written for it ---- */

struct row {
	const char *name;
	const char *message;	/* NULL: accepted */
	struct bpf_insn insns[MAX_INSNS];
};

#define NUMBER(r, off) LDX(BPF_DW, r, R1, off)
#define RETURN_0 MOV64_IMM(R0, 0), EXIT()
#define PRANDOM CALL(7)
#define JMP32_IMM(op, dst, imm, off) INSN(BPF_JMP32 | (op) | BPF_K, dst, 0, off, imm)
#define MOV32_REG(dst, src) INSN(BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0)

static const struct row rows[] = {
	{"what decides stays, something else moves", "does not end",
	 {MOV64_IMM(R0, 0), MOV64_IMM(R2, 3), ALU64_IMM(BPF_ADD, R0, 1),
	  JMP_IMM(BPF_JEQ, R2, 3, -2), RETURN_0}},
	{"the same, and then nothing does", NULL,
	 {MOV64_IMM(R0, 0), MOV64_IMM(R2, 3), ALU64_IMM(BPF_ADD, R0, 1),
	  JMP_IMM(BPF_JEQ, R2, 4, -2), RETURN_0}},
	{"a number gets less known", "does not end",
	 {NUMBER(R6, 0), ALU64_IMM(BPF_AND, R6, 7), MOV64_IMM(R0, 0),
	  ALU64_REG(BPF_ADD, R0, R6), JMP_IMM(BPF_JLT, R0, 1000, -2), RETURN_0}},
	{"the same, and it grows by one at least", NULL,
	 {NUMBER(R6, 0), ALU64_IMM(BPF_AND, R6, 7), MOV64_IMM(R0, 0), ALU64_IMM(BPF_ADD, R6, 1),
	  ALU64_REG(BPF_ADD, R0, R6), JMP_IMM(BPF_JLT, R0, 6000, -2), RETURN_0}},
	{"a bound that is far away", "too complex",
	 {MOV64_IMM(R0, 0), ALU64_IMM(BPF_ADD, R0, 1), JMP_IMM(BPF_JLT, R0, 1000000, -2), EXIT()}},
	{"a bound that is just near enough", NULL,
	 {MOV64_IMM(R0, 0), ALU64_IMM(BPF_ADD, R0, 1), JMP_IMM(BPF_JLT, R0, 499990, -2), EXIT()}},
	{"a counter that misses its end", "too complex",
	 {MOV64_IMM(R0, 1), ALU64_IMM(BPF_ADD, R0, 2), JMP_IMM(BPF_JNE, R0, 1000, -2), EXIT()}},
	{"a counter that does not", NULL,
	 {MOV64_IMM(R0, 0), ALU64_IMM(BPF_ADD, R0, 2), JMP_IMM(BPF_JNE, R0, 100000, -2), EXIT()}},
	{"a counter of 32 bits that wraps around", NULL,
	 {MOV64_IMM(R0, -9000), ALU32_IMM(BPF_ADD, R0, 1), JMP_IMM(BPF_JNE, R0, 5, -2), EXIT()}},
	{"a counter that is stored", "too complex",
	 {ST(BPF_W, R10, -8, 0), LDX(BPF_W, R0, R10, -8), ALU64_IMM(BPF_ADD, R0, 1),
	  STX(BPF_W, R10, R0, -8), JMP_IMM(BPF_JLT, R0, 1000000, -4), EXIT()}},
	{"a counter whose bytes are overwritten", "does not end",
	 {ST(BPF_W, R10, -8, 0), LDX(BPF_W, R0, R10, -8), ALU64_IMM(BPF_ADD, R0, 1),
	  STX(BPF_W, R10, R0, -8), ST(BPF_B, R10, -8, 0), JMP_IMM(BPF_JLT, R0, 1000000, -5),
	  EXIT()}},
	{"two paths in each turn", "does not end",
	 {MOV64_IMM(R7, 0), MOV64_IMM(R8, 0), PRANDOM, JMP_IMM(BPF_JEQ, R0, 0, 1),
	  ALU64_IMM(BPF_ADD, R8, 1), MOV64_IMM(R9, 0), JMP_IMM(BPF_JEQ, R7, 0, -5),
	  RETURN_0}},
	{"branches that are left behind", "branches would wait",
	 {MOV64_IMM(R7, 0), PRANDOM, ALU64_IMM(BPF_ADD, R7, 1), JMP_IMM(BPF_JEQ, R0, 3, 1),
	  JMP_IMM(BPF_JLT, R7, 60000, -4), STX(BPF_DW, R10, R7, -8), RETURN_0}},
	{"fewer of them", NULL,
	 {MOV64_IMM(R7, 0), PRANDOM, ALU64_IMM(BPF_ADD, R7, 1), JMP_IMM(BPF_JEQ, R0, 3, 1),
	  JMP_IMM(BPF_JLT, R7, 6000, -4), STX(BPF_DW, R10, R7, -8), RETURN_0}},
	{"a bound that a copy has", NULL,
	 /* r6 <= 4000, as r6 + 5 is compared */
	 {MOV64_IMM(R8, 0), LD_VALUE(R9, 0, 0), LDX(BPF_DW, R6, R9, 0), MOV64_REG(R7, R6),
	  ALU64_IMM(BPF_ADD, R7, 5), JMP_IMM(BPF_JGT, R7, 4005, 3), JMP_IMM(BPF_JLT, R7, 5, 2),
	  ALU64_IMM(BPF_ADD, R8, 1), JMP_REG(BPF_JLT, R8, R6, -7), RETURN_0}},
	{"a bound that a spilled copy of 32 bits has", NULL,
	 {MOV64_IMM(R8, 0), LD_VALUE(R9, 0, 0), LDX(BPF_W, R6, R9, 0), STX(BPF_DW, R10, R6, -8),
	  LDX(BPF_DW, R7, R10, -8), ALU32_IMM(BPF_ADD, R7, 5), JMP_IMM(BPF_JGT, R7, 4005, 3),
	  JMP_IMM(BPF_JLT, R7, 5, 2), ALU64_IMM(BPF_ADD, R8, 1), JMP_REG(BPF_JLT, R8, R6, -8),
	  RETURN_0}},
	{"the second path finds what the first has walked", NULL,
	 {PRANDOM, MOV64_IMM(R8, 1), JMP_IMM(BPF_JEQ, R0, 0, 1), MOV64_IMM(R8, 2),
	  MOV64_IMM(R7, 0), ALU64_IMM(BPF_ADD, R7, 1), JMP_IMM(BPF_JLT, R7, 300000, -2),
	  RETURN_0}},
};

static void test_rows(void **unused)
{
	static const struct bpf_insn zero;

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct bpfcc_object object;
		struct bpfcc_func func;
		struct bpfcc_prog prog;
		struct proof p;
		uint32_t n = MAX_INSNS;

		while (!memcmp(&row->insns[n - 1], &zero, sizeof(zero)))
			n--;
		init_object(&object, &func, &prog, row->insns, n);
		prove(&p, &object, 0);
		if (!row->message != !p.err || (p.err && !strstr(p.messages.text, row->message)))
			fail_msg("%s: expected %s, got %d and \"%s\"", row->name,
				 row->message ? row->message : "nothing", p.err, p.messages.text);
		if (row->message && p.nr_walked > FEW)
			fail_msg("%s: refused after %u instructions only", row->name, p.nr_walked);
	}
}

/* ---- loops made at random ---- */

static uint32_t seed;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

#define PICK(array) ((array)[below(sizeof(array) / sizeof((array)[0]))])

static const int32_t numbers[] = {0, 1, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 1000, 5000,
				  9999, 20000, 65535, 100000, -1, -1, -2, -8, -100, -5000};

/* r0 and r6 to r9 are the numbers; those, and three slots of stack, are carried. */
static struct bpf_insn random_insn(void)
{
	static const uint8_t regs[] = {R0, R6, R7, R8, R9};
	static const uint8_t ops[] = {BPF_ADD, BPF_ADD, BPF_ADD, BPF_SUB, BPF_SUB, BPF_MOV, BPF_MUL,
				      BPF_AND, BPF_OR, BPF_XOR, BPF_RSH, BPF_LSH, BPF_ARSH,
				      BPF_MOD, BPF_NEG};
	static const int32_t steps[] = {1, 1, 1, 1, 2, 3, 4, 8, -1, -1, -2, -3};
	static const int32_t shifts[] = {0, 1, 2, 8, 16, 31};
	static const int16_t offs[] = {-8, -16, -24};
	uint8_t op = PICK(ops), dst = PICK(regs), src = PICK(regs);
	uint8_t class = below(3) ? BPF_ALU64 : BPF_ALU;
	int16_t off = PICK(offs);

	if (!below(4)) {
		/* of these, what is stored is known when it is read */
		uint8_t size = off == -24 ? BPF_DW : BPF_W;

		return below(2) ? LDX(size, dst, R10, off) : STX(size, R10, dst, off);
	}
	if (op == BPF_NEG)
		return INSN(class | BPF_NEG, dst, 0, 0, 0);
	if (op == BPF_RSH || op == BPF_LSH || op == BPF_ARSH)
		return INSN(class | op, dst, 0, 0, PICK(shifts));
	if (below(3) == 0)
		return INSN(class | op | BPF_X, dst, src, 0, 0);
	if (op == BPF_ADD || op == BPF_SUB)
		return INSN(class | op, dst, 0, 0, PICK(steps));
	return INSN(class | op, dst, 0, 0, op == BPF_MOD ? 1 + (int32_t)below(100) : PICK(numbers));
}

static struct bpf_insn random_jump(int16_t off)
{
	static const uint8_t regs[] = {R0, R6, R7, R8, R9};
	static const uint8_t ops[] = {BPF_JLT, BPF_JLT, BPF_JLE, BPF_JGT, BPF_JGE, BPF_JNE, BPF_JNE,
				      BPF_JEQ, BPF_JSLT, BPF_JSLE, BPF_JSGT, BPF_JSGE, BPF_JSET};
	uint8_t class = below(3) ? BPF_JMP : BPF_JMP32, op = PICK(ops);

	if (below(3))
		return INSN(class | op, PICK(regs), 0, off, PICK(numbers));
	return INSN(class | op | BPF_X, PICK(regs), PICK(regs), off, 0);
}

static uint32_t random_loop(struct bpf_insn *insns)
{
	uint32_t n = 0, start, body = 1 + below(6);

	insns[n++] = ST(BPF_DW, R10, -8, 0);
	insns[n++] = ST(BPF_DW, R10, -16, 0);
	insns[n++] = ST(BPF_DW, R10, -24, 0);
	insns[n++] = MOV64_IMM(R0, PICK(numbers));
	for (uint8_t r = R6; r <= R9; r++)
		insns[n++] = MOV64_IMM(r, PICK(numbers));
	start = n;
	for (uint32_t i = 0; i < body; i++)
		insns[n++] = random_insn();
	if (!below(3)) {
		insns[n++] = random_jump(1);
		insns[n++] = random_insn();
	}
	for (uint32_t jumps = 1 + !below(4); jumps; jumps--, n++)
		insns[n] = random_jump((int16_t)(start - n - 1));
	insns[n++] = MOV64_IMM(R0, 0);
	insns[n++] = EXIT();
	return n;
}

#define LIMIT 30000u

/* True if the interpreter leaves it within the steps. */
static bool ends(const struct bpfcc_object *object, uint64_t steps)
{
	const struct bpfcc_interp_opts opts = {.max_steps = steps};
	uint64_t pt_regs[21] = {0}, r0;
	const struct bpfcc_interp_ctx ctx = {.data = pt_regs, .bytes = 168, .is_read_only = true};
	struct bpfcc_interp *interp;
	struct bpfcc_trap trap;
	int err;

	assert_int_equal(bpfcc_interp_new(object, &opts, &interp), 0);
	err = bpfcc_interp_call(interp, 0, &ctx, &r0, &trap);
	if (err && trap.kind != BPFCC_TRAP_STEPS)
		fail_msg("%s: %s", bpfcc_trap_name(trap.kind), trap.text);
	bpfcc_interp_free(interp);
	return !err;
}

/*
 * All numbers are known, so the walk is the run: a loop is accepted if it ends within the limit, and
 * refused if it does not, early or late.
 */
static void test_random(void **unused)
{
	const char *from = getenv("INLAY_TEST_SEED"), *nr_rounds = getenv("INLAY_TEST_ROUNDS");
	uint32_t rounds = nr_rounds ? (uint32_t)atoi(nr_rounds) : 6000;
	uint32_t first = from ? (uint32_t)atoi(from) : 1, nr_long = 0, nr_early = 0;

	(void)unused;
	for (uint32_t i = 0; i < rounds; i++) {
		struct bpf_insn insns[MAX_INSNS];
		struct bpfcc_object object;
		struct bpfcc_func func;
		struct bpfcc_prog prog;
		struct proof p;
		bool is_short;

		seed = (first + i) * 2654435761u;
		init_object(&object, &func, &prog, insns, random_loop(insns));
		prove(&p, &object, LIMIT);
		is_short = ends(&object, LIMIT - 10);
		if (is_short && p.err)
			fail_msg("seed %u: it ends, and is refused: %s", first + i, p.messages.text);
		if (!is_short && !p.err && !ends(&object, LIMIT + 10))
			fail_msg("seed %u: it does not end, and is accepted", first + i);
		nr_long += !is_short || p.nr_walked > LIMIT / 4;
		nr_early += !is_short && p.nr_walked < LIMIT / 2;
	}
	print_message("%u loops, %u long ones, %u refused early\n", rounds, nr_long, nr_early);
	assert_true(nr_early > rounds / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
