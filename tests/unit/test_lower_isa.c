/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every instruction form, on many operands, in the kernel and as native code: results, memory and
 * r0 must be equal. A form is a few instructions between a common beginning and end:
 *
 *   in   r7 = ctx[0], r8 = ctx[1], r0 = ctx[2]; r9 points to 8 bytes of memory that hold r7
 *   out  ctx[3] = r7, ctx[4] = r8, ctx[5] = r0, ctx[6] = the memory
 *
 * Besides single instructions there are random sequences, always the same ones: what an instruction
 * leaves in the upper half of a register is seen by the next.
 *
 * The kernel runs it as a BPF_PROG_TYPE_SYSCALL program by BPF_PROG_TEST_RUN. All forms become one
 * native object, linked into a shared library. Memory forms run on the stack and in an array map.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpfcc/ll/lower.h"
#include "lower_fixture.h"

#define MAX_BODY 40
#define MAX_FORMS 1200
#define MAX_INSNS 80
#define NR_SEQUENCES 250
#define IN_DST 7
#define IN_SRC 8
#define MEM 9

struct form {
	char name[64];
	struct bpf_insn body[MAX_BODY];
	int nr_body;
	bool in_map; /* memory is a map value instead of stack */
	struct bpf_insn insns[MAX_INSNS];
	int nr_insns;
};

static struct form forms[MAX_FORMS];
static int nr_forms;

static const uint64_t operands[] = {
    0,
    1,
    2,
    3,
    7,
    31,
    32,
    33,
    63,
    64,
    65,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x10000,
    0x7fffffff,
    0x80000000,
    0x80000001,
    0xffffffff,
    0x100000000,
    0x1ffffffff,
    0x0123456789abcdef,
    0xfedcba9876543210,
    0x7fffffffffffffff,
    0x8000000000000000,
    0x8000000000000001,
    0xfffffffffffffffe,
    0xffffffffffffffff,
    0xffffffff80000000,
};
#define NR_OPERANDS (sizeof(operands) / sizeof(operands[0]))

static const int32_t imms[] = {0,    1,	  2,	  7,	      -1,	 -2,
			       -128, 255, 0x7fff, 0x7fffffff, INT32_MIN, INT32_MIN + 1};
#define NR_IMMS (sizeof(imms) / sizeof(imms[0]))

static void add_form(bool in_map, const struct bpf_insn *body, int nr, const char *format, ...)
{
	struct form *form = &forms[nr_forms++];
	va_list args;

	assert_in_range(nr_forms, 1, MAX_FORMS);
	assert_in_range(nr, 1, MAX_BODY);
	va_start(args, format);
	vsnprintf(form->name, sizeof(form->name), format, args);
	va_end(args);
	memcpy(form->body, body, (size_t)nr * sizeof(*body));
	form->nr_body = nr;
	form->in_map = in_map;
}

#define FORM(in_map, name, ...)                                                                    \
	do {                                                                                       \
		const struct bpf_insn body_[] = {__VA_ARGS__};                                     \
		add_form(in_map, body_, sizeof(body_) / sizeof(body_[0]), "%s", name);             \
	} while (0)

static bool is_refused_imm(int op, bool wide, int32_t imm)
{
	if (op == BPF_DIV || op == BPF_MOD)
		return imm == 0;
	if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
		return imm < 0 || imm >= (wide ? 64 : 32);
	return false;
}

static void add_alu_forms(void)
{
	static const struct {
		int op, off;
		const char *name;
	} ops[] = {
	    {BPF_ADD, 0, "add"},      {BPF_SUB, 0, "sub"},	{BPF_MUL, 0, "mul"},
	    {BPF_DIV, 0, "div"},      {BPF_DIV, 1, "sdiv"},	{BPF_MOD, 0, "mod"},
	    {BPF_MOD, 1, "smod"},     {BPF_OR, 0, "or"},	{BPF_AND, 0, "and"},
	    {BPF_XOR, 0, "xor"},      {BPF_LSH, 0, "lsh"},	{BPF_RSH, 0, "rsh"},
	    {BPF_ARSH, 0, "arsh"},    {BPF_MOV, 0, "mov"},	{BPF_MOV, 8, "movsx8"},
	    {BPF_MOV, 16, "movsx16"}, {BPF_MOV, 32, "movsx32"},
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		for (int wide = 0; wide < 2; wide++) {
			int class = wide ? BPF_ALU64 : BPF_ALU;
			int op = ops[i].op, off = ops[i].off;

			if (off == 32 && !wide)
				continue;
			add_form(false, &INSN(class | op | BPF_X, IN_DST, IN_SRC, off, 0), 1,
				 "%s%d reg", ops[i].name, wide ? 64 : 32);
			if (op == BPF_MOV && off)
				continue;
			for (size_t k = 0; k < NR_IMMS; k++)
				if (!is_refused_imm(op, wide, imms[k]))
					add_form(false,
						 &INSN(class | op | BPF_K, IN_DST, 0, off, imms[k]),
						 1, "%s%d imm %d", ops[i].name, wide ? 64 : 32,
						 imms[k]);
		}
	}
	FORM(false, "neg64", INSN(BPF_ALU64 | BPF_NEG, IN_DST, 0, 0, 0));
	FORM(false, "neg32", INSN(BPF_ALU | BPF_NEG, IN_DST, 0, 0, 0));
	for (int bits = 16; bits <= 64; bits *= 2) {
		add_form(false, &INSN(BPF_ALU | BPF_END | BPF_TO_LE, IN_DST, 0, 0, bits), 1, "le%d",
			 bits);
		add_form(false, &INSN(BPF_ALU | BPF_END | BPF_TO_BE, IN_DST, 0, 0, bits), 1, "be%d",
			 bits);
		add_form(false, &INSN(BPF_ALU64 | BPF_END, IN_DST, 0, 0, bits), 1, "bswap%d", bits);
	}
	FORM(false, "lddw", LDDW(IN_DST, 0, (int32_t)0x89abcdef, 0x01234567));
	FORM(false, "lddw high", LDDW(IN_DST, 0, -1, INT32_MIN));
	FORM(false, "shift in two steps", ALU64_IMM(BPF_LSH, IN_DST, 32),
	     ALU64_IMM(BPF_ARSH, IN_DST, 29), ALU64_REG(BPF_XOR, IN_DST, IN_SRC));
}

static void add_jump_forms(void)
{
	static const struct {
		int op;
		const char *name;
	} ops[] = {
	    {BPF_JEQ, "jeq"},	{BPF_JNE, "jne"},   {BPF_JGT, "jgt"},	{BPF_JGE, "jge"},
	    {BPF_JLT, "jlt"},	{BPF_JLE, "jle"},   {BPF_JSGT, "jsgt"}, {BPF_JSGE, "jsge"},
	    {BPF_JSLT, "jslt"}, {BPF_JSLE, "jsle"}, {BPF_JSET, "jset"},
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		for (int wide = 0; wide < 2; wide++) {
			int class = wide ? BPF_JMP : BPF_JMP32;
			struct bpf_insn body[] = {
			    MOV64_IMM(0, 1),
			    INSN(class | ops[i].op | BPF_X, IN_DST, IN_SRC, 1, 0),
			    MOV64_IMM(0, 0),
			};

			add_form(false, body, 3, "%s%d reg", ops[i].name, wide ? 64 : 32);
			for (size_t k = 0; k < NR_IMMS; k++) {
				body[1] = INSN(class | ops[i].op | BPF_K, IN_DST, 0, 1, imms[k]);
				add_form(false, body, 3, "%s%d imm %d", ops[i].name, wide ? 64 : 32,
					 imms[k]);
			}
		}
	}
	FORM(false, "goto", MOV64_IMM(0, 1), JUMP(BPF_JEQ, IN_DST, IN_SRC, 1),
	     INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0), MOV64_IMM(0, 2));
	FORM(false, "gotol", MOV64_IMM(0, 1), JUMP(BPF_JEQ, IN_DST, IN_SRC, 1),
	     INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 1), MOV64_IMM(0, 2));
	FORM(false, "bounded loop", MOV64_IMM(0, 0), ALU64_IMM(BPF_AND, IN_DST, 15),
	     JUMP_IMM(BPF_JEQ, IN_DST, 0, 3), ALU64_REG(BPF_ADD, 0, IN_SRC),
	     ALU64_IMM(BPF_SUB, IN_DST, 1), JUMP_IMM(BPF_JNE, IN_DST, 0, -3));
}

/*
 * 32-bit rotations in 64-bit registers, whose upper halves are anything until the end: what narrow.c
 * looks for, alone, in rounds of mixing, and around a loop.
 */
static void add_rotation_forms(void)
{
	for (int left = 1; left < 32; left += 6) {
		struct bpf_insn body[MAX_BODY];
		int n = 0;

		body[n++] = MOV64_REG(4, IN_SRC);
		for (int round = 0; round < 3; round++) {
			body[n++] = ALU64_REG(BPF_ADD, IN_DST, 4);
			body[n++] = ALU64_REG(BPF_XOR, 4, IN_DST);
			body[n++] = MOV64_REG(1, 4);
			body[n++] = ALU64_IMM(BPF_LSH, 1, left);
			body[n++] = INSN(BPFCC_LDDW, 2, 0, 0, -1);
			body[n++] = INSN(0, 0, 0, 0, 0);
			body[n++] = ALU64_REG(BPF_AND, 4, 2);
			body[n++] = ALU64_IMM(BPF_RSH, 4, 32 - left);
			body[n++] = ALU64_REG(BPF_OR, 4, 1);
		}
		body[n++] = ALU64_IMM(BPF_LSH, 4, 32);
		body[n++] = ALU64_IMM(BPF_RSH, 4, 32);
		body[n++] = ALU64_IMM(BPF_LSH, IN_DST, 32);
		body[n++] = ALU64_REG(BPF_OR, IN_DST, 4);
		add_form(false, body, n, "rotations by %d", left);
	}
	FORM(false, "rotation in a loop", MOV64_IMM(5, 9), ALU64_REG(BPF_ADD, IN_DST, IN_SRC),
	     ALU64_IMM(BPF_MUL, IN_DST, 0x9e3779b1), MOV64_REG(1, IN_DST),
	     ALU64_IMM(BPF_LSH, 1, 13), LDDW(2, 0, -1, 0), ALU64_REG(BPF_AND, IN_DST, 2),
	     ALU64_IMM(BPF_RSH, IN_DST, 19), ALU64_REG(BPF_OR, IN_DST, 1),
	     ALU64_IMM(BPF_SUB, 5, 1), JUMP_IMM(BPF_JNE, 5, 0, -11),
	     STORE(BPF_W, MEM, IN_DST, 4), ALU64_IMM(BPF_LSH, IN_DST, 33));
}

static void add_memory_forms(bool in_map)
{
	static const struct {
		int size, bytes;
		const char *name;
	} sizes[] = {{BPF_B, 1, "u8"}, {BPF_H, 2, "u16"}, {BPF_W, 4, "u32"}, {BPF_DW, 8, "u64"}};
	static const struct {
		int imm;
		const char *name;
	} atomics[] = {
	    {BPF_ADD, "add"},
	    {BPF_OR, "or"},
	    {BPF_AND, "and"},
	    {BPF_XOR, "xor"},
	    {BPF_ADD | BPF_FETCH, "fetch add"},
	    {BPF_OR | BPF_FETCH, "fetch or"},
	    {BPF_AND | BPF_FETCH, "fetch and"},
	    {BPF_XOR | BPF_FETCH, "fetch xor"},
	    {BPF_XCHG, "xchg"},
	    {BPF_CMPXCHG, "cmpxchg"},
	};
	const char *where = in_map ? "map" : "stack";

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int off = 0; off < 8; off += sizes[i].bytes) {
			add_form(in_map, &LOAD(sizes[i].size, 0, MEM, off), 1, "%s load %s+%d",
				 where, sizes[i].name, off);
			add_form(in_map, &STORE(sizes[i].size, MEM, IN_SRC, off), 1,
				 "%s store %s+%d", where, sizes[i].name, off);
			add_form(in_map, &STORE_IMM(sizes[i].size, MEM, off, -2), 1,
				 "%s store %s+%d imm", where, sizes[i].name, off);
			if (sizes[i].bytes < 8)
				add_form(
				    in_map,
				    &INSN(BPF_LDX | sizes[i].size | BPFCC_MEMSX, 0, MEM, off, 0), 1,
				    "%s load s%s+%d", where, sizes[i].name + 1, off);
		}
		add_form(in_map,
			 &INSN(BPF_STX | sizes[i].size | BPF_ATOMIC, 0, MEM, 0, BPF_LOAD_ACQ), 1,
			 "%s load_acquire %s", where, sizes[i].name);
		add_form(in_map,
			 &INSN(BPF_STX | sizes[i].size | BPF_ATOMIC, MEM, IN_SRC, 0, BPF_STORE_REL),
			 1, "%s store_release %s", where, sizes[i].name);
	}
	for (size_t i = 0; i < sizeof(atomics) / sizeof(atomics[0]); i++)
		for (int wide = 0; wide < 2; wide++)
			add_form(in_map,
				 &INSN(BPF_STX | (wide ? BPF_DW : BPF_W) | BPF_ATOMIC, MEM, IN_SRC,
				       0, atomics[i].imm),
				 1, "%s atomic %s %d", where, atomics[i].name, wide ? 64 : 32);
	/* read, change, write back: what becomes one instruction */
	add_form(in_map,
		 (struct bpf_insn[]){LOAD(BPF_DW, 1, MEM, 0), ALU64_REG(BPF_ADD, 1, IN_SRC),
				     STORE(BPF_DW, MEM, 1, 0)},
		 3, "%s read-modify-write", where);
}

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint32_t pick(uint32_t nr)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % nr;
}

static struct bpf_insn random_alu(void)
{
	static const int ops[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV,  BPF_MOD, BPF_OR, BPF_AND,
				  BPF_XOR, BPF_LSH, BPF_RSH, BPF_ARSH, BPF_MOV, BPF_NEG};
	static const uint8_t regs[] = {0, 1, 2, 3, 4, 5, IN_DST, IN_SRC};
	int op = ops[pick(sizeof(ops) / sizeof(ops[0]))];
	bool wide = pick(2);
	int32_t imm = imms[pick(NR_IMMS)];
	uint8_t dst = regs[pick(8)], src = regs[pick(8)];
	int class = wide ? BPF_ALU64 : BPF_ALU;
	int off = (op == BPF_DIV || op == BPF_MOD) && pick(2);

	if (op == BPF_NEG)
		return INSN(class | op, dst, 0, 0, 0);
	if (op == BPF_MOV && pick(2))
		return INSN(class | op | BPF_X, dst, src, 8 << pick(wide ? 3 : 2), 0);
	if (pick(2) || is_refused_imm(op, wide, imm))
		return INSN(class | op | BPF_X, dst, src, off, 0);
	return INSN(class | op | BPF_K, dst, 0, off, imm);
}

/* A jump over at most `left` instructions, or an access to the 8 bytes of memory. */
static struct bpf_insn random_other(int left)
{
	static const int jumps[] = {BPF_JEQ, BPF_JNE,  BPF_JGT, BPF_JSLT,
				    BPF_JLE, BPF_JSGE, BPF_JSET};
	static const int sizes[] = {BPF_B, BPF_H, BPF_W, BPF_DW};
	uint32_t size = pick(4);
	int16_t off = (int16_t)(pick(8u >> size) << size);
	int class = pick(2) ? BPF_JMP : BPF_JMP32;

	switch (pick(4)) {
	case 0:
		return LOAD(sizes[size], (uint8_t)pick(6), MEM, off);
	case 1:
		return STORE(sizes[size], MEM, (uint8_t)pick(6), off);
	case 2:
		return INSN(class | jumps[pick(7)] | BPF_K, pick(6), 0, pick((uint32_t)left + 1),
			    imms[pick(NR_IMMS)]);
	default:
		return INSN(class | jumps[pick(7)] | BPF_X, pick(6), pick(6),
			    pick((uint32_t)left + 1), 0);
	}
}

static void add_sequences(void)
{
	for (int i = 0; i < NR_SEQUENCES; i++) {
		struct bpf_insn body[MAX_BODY];
		int n = 0;

		for (uint8_t reg = 1; reg <= 5; reg++)
			body[n++] = MOV64_REG(reg, reg & 1 ? IN_DST : IN_SRC);
		while (n < MAX_BODY) {
			body[n] = pick(3) ? random_alu() : random_other(MAX_BODY - n - 1);
			n++;
		}
		add_form(i & 1, body, n, "random sequence %d", i);
	}
}

static void build(struct form *form, int map)
{
	struct bpf_insn *out = form->insns;
	int n = 0;

	out[n++] = MOV64_REG(6, 1);
	out[n++] = LOAD(BPF_DW, IN_DST, 6, 0);
	if (form->in_map) {
		out[n++] = STORE_IMM(BPF_W, 10, -12, 0);
		out[n++] = MOV64_REG(2, 10);
		out[n++] = ADD64_IMM(2, -12);
		out[n++] = INSN(BPFCC_LDDW, 1, BPF_PSEUDO_MAP_FD, 0, map);
		out[n++] = INSN(0, 0, 0, 0, 0);
		out[n++] = CALL(BPF_FUNC_map_lookup_elem);
		out[n++] = JUMP_IMM(BPF_JNE, 0, 0, 2);
		out[n++] = MOV64_IMM(0, 1);
		out[n++] = EXIT();
		out[n++] = MOV64_REG(MEM, 0);
	} else {
		out[n++] = MOV64_REG(MEM, 10);
		out[n++] = ADD64_IMM(MEM, -8);
	}
	out[n++] = STORE(BPF_DW, MEM, IN_DST, 0);
	out[n++] = LOAD(BPF_DW, IN_SRC, 6, 8);
	out[n++] = LOAD(BPF_DW, 0, 6, 16);
	for (int i = 0; i < form->nr_body; i++)
		out[n++] = form->body[i];
	out[n++] = STORE(BPF_DW, 6, IN_DST, 24);
	out[n++] = STORE(BPF_DW, 6, IN_SRC, 32);
	out[n++] = STORE(BPF_DW, 6, 0, 40);
	out[n++] = LOAD(BPF_DW, 1, MEM, 0);
	out[n++] = STORE(BPF_DW, 6, 1, 48);
	out[n++] = MOV64_IMM(0, 0);
	out[n++] = EXIT();
	assert_in_range(n, 1, MAX_INSNS);
	form->nr_insns = n;
}

static int kernel_load(struct form *form, int map_fd)
{
	static char log[1 << 16];
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE, .log_buf = log,
		    .log_size = sizeof(log), .log_level = 0);
	int fd;

	build(form, map_fd);
	fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "isa", "GPL", form->insns, (size_t)form->nr_insns,
			   &opts);
	if (fd < 0) {
		opts.log_level = 1;
		bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "isa", "GPL", form->insns,
			      (size_t)form->nr_insns, &opts);
		print_error("%s: the kernel refuses it:\n%s\n", form->name, log);
	}
	return fd;
}

static void *native_load(struct lower_fixture *fx, const char *dir)
{
	char object[256], library[256], command[1024];
	void *handle;

	snprintf(object, sizeof(object), "%s/isa.o", dir);
	snprintf(library, sizeof(library), "%s/isa.so", dir);
	if (inlay_bpfcc_object_emit(&fx->handle, INLAY_BPFCC_OBJ, object))
		fail_msg("emit: %s", fx->last_error);
	snprintf(command, sizeof(command),
		 "echo 'void __inlay_rt_start_v1(void) {}' | %s -shared -fPIC -o %s -x c - -x none "
		 "%s",
		 INLAY_TEST_CLANG, library, object);
	assert_int_equal(system(command), 0);
	handle = dlopen(library, RTLD_NOW);
	if (!handle)
		fail_msg("%s", dlerror());
	return handle;
}

static bool same(const struct form *form, int prog_fd, uint64_t (*native)(void *))
{
	for (size_t i = 0; i < NR_OPERANDS * NR_OPERANDS; i++) {
		uint64_t in[7] = {operands[i % NR_OPERANDS], operands[i / NR_OPERANDS]};
		/* large enough for any word of the frame that the code might touch */
		uint64_t ours[64], kernels[7];
		LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = kernels,
			    .ctx_size_in = sizeof(kernels)); /* written back to ctx_in */

		in[2] = i % 3 ? in[0] : in[1]; /* r0: cmpxchg finds what it expects, or not */
		memset(ours, 0, sizeof(ours));
		memcpy(ours, in, sizeof(in));
		memcpy(kernels, in, sizeof(in));
		assert_int_equal(bpf_prog_test_run_opts(prog_fd, &opts), 0);
		native(ours);
		if (!memcmp(ours, kernels, sizeof(kernels)))
			continue;
		print_error("%s: dst %#lx src %#lx r0 %#lx\n", form->name, in[0], in[1], in[2]);
		for (int k = 3; k < 7; k++)
			print_error("  %s kernel %#lx native %#lx\n",
				    (const char *[]){"dst", "src", "r0 ", "mem"}[k - 3], kernels[k],
				    ours[k]);
		return false;
	}
	return true;
}

static void run(struct lower_fixture *fx)
{
	char dir[] = "/tmp/inlay-test-isa-XXXXXX", command[512];
	LIBBPF_OPTS(bpf_map_create_opts, map_opts);
	int map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "isa", 4, 8, 1, &map_opts);
	int *prog_fds = calloc((size_t)nr_forms, sizeof(int)), nr_bad = 0;
	void *library;

	assert_true(map_fd >= 0);
	for (int i = 0; i < nr_forms; i++) {
		prog_fds[i] = kernel_load(&forms[i], map_fd);
		nr_bad += prog_fds[i] < 0;
		build(&forms[i], 0);
	}
	assert_non_null(mkdtemp(dir));
	library = native_load(fx, dir);
	for (int i = 0; i < nr_forms; i++) {
		const char *symbol = bpfcc_prog_symbol(&fx->handle, &fx->progs[i]);
		uint64_t (*native)(void *) = (uint64_t(*)(void *))dlsym(library, symbol);

		assert_non_null(native);
		if (prog_fds[i] >= 0) {
			nr_bad += !same(&forms[i], prog_fds[i], native);
			close(prog_fds[i]);
		}
	}
	dlclose(library);
	close(map_fd);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	free(prog_fds);
	print_message("%d forms, %zu operand pairs each\n", nr_forms, NR_OPERANDS * NR_OPERANDS);
	assert_int_equal(nr_bad, 0);
}

static void test_isa(void **state)
{
	struct lower_fixture fx;

	(void)state;
	add_alu_forms();
	add_jump_forms();
	add_rotation_forms();
	add_memory_forms(false);
	add_memory_forms(true);
	add_sequences();
	lower_fixture_init(&fx, "isa");
	lower_fixture_map(&fx, "memory", INLAY_MAP_TYPE_ARRAY, 4, 8, 1);
	lower_fixture_grow(&fx, (size_t)nr_forms);
	for (int i = 0; i < nr_forms; i++) {
		char *name = bpfcc_arena_printf(fx.handle.data.arena, "form%d", i);

		build(&forms[i], 0);
		lower_fixture_prog(&fx, name, forms[i].insns, (size_t)forms[i].nr_insns);
	}
	if (!lower_fixture_verify(&fx, 7 * 8))
		fail_msg("%s", fx.last_error);
	run(&fx);
	lower_fixture_fini(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_isa)};

	if (geteuid()) {
		printf("skipped: needs root to run programs in the kernel\n");
		return 77;
	}
	return cmocka_run_group_tests_name("lower_isa", tests, NULL, NULL);
}
