/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control that leaves a function: subprograms, callbacks, tail calls, may_goto, callx. Programs of
 * several functions run in the kernel and natively (bpfcc/run/native.h) on the same 64 bytes of
 * context, and results and context must be equal after it. What the kernel does not take, or
 * bounds by time, is compared with what is defined.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bpfcc/run/native.h"
#include "lower_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_INSNS 128
#define MAX_FUNCS 4
#define CTX_WORDS 8
#define BPF_EXIT_R0(n) MOV64_IMM(0, n), EXIT()

struct function {
	const struct bpf_insn *insns;
	size_t nr_insns;
	uint32_t nr_args;
	bool is_prog;
};

/* functions[0] is run; later ones are subprograms, or programs of the PROG_ARRAY */
struct program {
	struct function functions[MAX_FUNCS];
	uint32_t nr_functions;
	uint32_t map_type; /* of map 0 */
	uint32_t key_size, max_entries;
	int32_t tail_progs[8];
	bool is_unverified; /* lowered without what the verifier knows */
	int map_fd, prog_fds[MAX_FUNCS];
	struct lower_fixture fx;
	struct bpfcc_native *native;
};

#define FUNCTION(insns_, nr_args_, is_prog_)                                                       \
	{.insns = insns_, .nr_insns = COUNT(insns_), .nr_args = nr_args_, .is_prog = is_prog_}

/* A function of each for the kernel, which wants types of callbacks. */
static struct btf *new_btf(const struct program *p)
{
	struct btf *btf = btf__new_empty();
	int int_id, proto;
	char name[16];

	assert_non_null(btf);
	int_id = btf__add_int(btf, "long", 8, BTF_INT_SIGNED);
	for (uint32_t i = 0; i < p->nr_functions; i++) {
		proto = btf__add_func_proto(btf, int_id);
		for (uint32_t k = 0; k < p->functions[i].nr_args; k++) {
			snprintf(name, sizeof(name), "a%u", k);
			assert_int_equal(btf__add_func_param(btf, name, int_id), 0);
		}
		snprintf(name, sizeof(name), "f%u", i);
		assert_true(btf__add_func(btf, name, BTF_FUNC_STATIC, proto) > 0);
	}
	assert_int_equal(btf__load_into_kernel(btf), 0);
	return btf;
}

static bool is_call(const struct bpf_insn *in, bool *ret_is_address)
{
	*ret_is_address = bpfcc_insn_is_func_address(in);
	return *ret_is_address || (bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_CALL);
}

/*
 * Function `first`, and with the first of all the subprograms, as one list: distances instead of
 * numbers.
 */
static int kernel_load(struct program *p, uint32_t first)
{
	static char log[1 << 16];
	struct bpf_insn insns[MAX_INSNS];
	struct bpf_func_info infos[MAX_FUNCS];
	uint32_t starts[MAX_FUNCS] = {0}, n = 0, nr_infos = 0, nr_subs;
	struct btf *btf = new_btf(p);
	int fd;
	/* a program of the first type may write its context, one of the second make tail calls */
	bool is_tail = p->map_type == BPF_MAP_TYPE_PROG_ARRAY;
	enum bpf_prog_type type = is_tail ? BPF_PROG_TYPE_RAW_TRACEPOINT : BPF_PROG_TYPE_SYSCALL;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = is_tail ? 0 : BPF_F_SLEEPABLE,
		    .log_buf = log, .log_size = sizeof(log), .log_level = 1);

	for (uint32_t i = first; i < p->nr_functions; i++) {
		const struct function *f = &p->functions[i];

		if (i != first && (f->is_prog || first))
			continue;
		starts[i] = n;
		infos[nr_infos++] =
		    (struct bpf_func_info){.insn_off = n, .type_id = 3 + 2 * i};
		assert_in_range(n + f->nr_insns, 1, MAX_INSNS);
		memcpy(insns + n, f->insns, f->nr_insns * sizeof(*insns));
		n += (uint32_t)f->nr_insns;
	}
	nr_subs = nr_infos;
	for (uint32_t i = 0; i < n; i++) {
		bool is_address;

		if (is_call(&insns[i], &is_address))
			insns[i].imm = (int32_t)starts[insns[i].imm] - (int32_t)i - 1;
		else if (insns[i].code == BPFCC_LDDW && insns[i].src_reg == BPF_PSEUDO_MAP_FD)
			insns[i].imm = p->map_fd;
		i += insns[i].code == BPFCC_LDDW;
	}
	opts.prog_btf_fd = (uint32_t)btf__fd(btf);
	opts.func_info = infos;
	opts.func_info_cnt = nr_subs;
	opts.func_info_rec_size = sizeof(infos[0]);
	fd = bpf_prog_load(type, "calls", "GPL", insns, n, &opts);
	if (fd < 0)
		fail_msg("the kernel refuses it:\n%s", log);
	btf__free(btf);
	return fd;
}

static void kernel_open(struct program *p)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);

	p->map_fd = -1;
	if (p->map_type)
		p->map_fd = bpf_map_create((enum bpf_map_type)p->map_type, "calls", p->key_size,
					   p->map_type == BPF_MAP_TYPE_PROG_ARRAY ? 4 : 8,
					   p->max_entries, &opts);
	for (uint32_t i = 0; i < p->nr_functions; i++)
		p->prog_fds[i] = !i || p->functions[i].is_prog ? kernel_load(p, i) : -1;
	for (uint32_t i = 0; i < p->max_entries && p->map_type == BPF_MAP_TYPE_PROG_ARRAY; i++)
		if (p->tail_progs[i] >= 0)
			assert_int_equal(bpf_map_update_elem(p->map_fd, &i,
							     &p->prog_fds[p->tail_progs[i]], 0),
					 0);
}

static void native_open(struct program *p)
{
	lower_fixture_init(&p->fx, "calls");
	if (p->map_type) {
		lower_fixture_map(&p->fx, "map", p->map_type, p->key_size, 8, p->max_entries);
		if (p->map_type == BPF_MAP_TYPE_PROG_ARRAY)
			p->fx.maps[0].tail_progs = p->tail_progs;
	}
	for (uint32_t i = 0; i < p->nr_functions; i++) {
		const struct function *f = &p->functions[i];
		char *name = bpfcc_arena_printf(p->fx.handle.data.arena, "f%u", i);

		if (f->is_prog || !i)
			lower_fixture_prog(&p->fx, name, f->insns, f->nr_insns);
		else
			lower_fixture_func(&p->fx, name, f->insns, f->nr_insns, f->nr_args);
	}
	if (!p->is_unverified && !lower_fixture_verify(&p->fx, CTX_WORDS * 8))
		fail_msg("%s", p->fx.last_error);
	if (bpfcc_native_new(&p->fx.handle, 0, &p->native))
		fail_msg("%s", p->fx.last_error);
}

static void program_close(struct program *p)
{
	bpfcc_native_free(p->native);
	lower_fixture_fini(&p->fx);
	for (uint32_t i = 0; i < p->nr_functions; i++)
		if (p->prog_fds[i] > 0)
			close(p->prog_fds[i]);
	if (p->map_fd > 0)
		close(p->map_fd);
}

/* Runs it in both ways with a, b, c in the first words of the context. */
static void compare(struct program *p, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t ours[CTX_WORDS] = {a, b, c}, kernels[CTX_WORDS] = {a, b, c};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = kernels, .ctx_size_in = sizeof(kernels));
	uint32_t result;

	assert_int_equal(bpf_prog_test_run_opts(p->prog_fds[0], &opts), 0);
	result = (uint32_t)bpfcc_native_call(p->native, (uintptr_t)ours, sizeof(ours));
	if (result != opts.retval || memcmp(ours, kernels, sizeof(ours)))
		fail_msg("%#lx %#lx %#lx: r0 %#x, kernel %#x; words %#lx %#lx, kernel %#lx %#lx",
			 a, b, c, result, opts.retval, ours[3], ours[4], kernels[3], kernels[4]);
}

static void open_both(struct program *p)
{
	kernel_open(p);
	native_open(p);
}

/* ---- callbacks ---- */

/* context of the callback on the stack: sum, number at which to stop */
static const struct bpf_insn loop_main[] = {
	MOV64_REG(6, 1),
	STORE_IMM(BPF_DW, 10, -16, 0),
	LOAD(BPF_DW, 1, 6, 16),
	STORE(BPF_DW, 10, 1, -8),
	LOAD(BPF_DW, 1, 6, 0),
	LDDW(2, BPF_PSEUDO_FUNC, 1, 0),
	MOV64_REG(3, 10),
	ADD64_IMM(3, -16),
	LOAD(BPF_DW, 4, 6, 8),
	CALL(BPF_FUNC_loop),
	STORE(BPF_DW, 6, 0, 24),
	LOAD(BPF_DW, 1, 10, -16),
	STORE(BPF_DW, 6, 1, 32),
	BPF_EXIT_R0(0),
};

static const struct bpf_insn loop_callback[] = {
	LOAD(BPF_DW, 3, 2, 0), ALU64_REG(BPF_ADD, 3, 1), STORE(BPF_DW, 2, 3, 0),
	LOAD(BPF_DW, 4, 2, 8), MOV64_IMM(0, 0),		 JUMP(BPF_JNE, 1, 4, 1),
	MOV64_IMM(0, 1),       EXIT(),
};

static void test_loop(void **state)
{
	static const uint64_t counts[] = {0, 1, 5, 1000, 8u << 20, (8u << 20) + 1, 1ull << 32 | 3};
	struct program p = {
	    .functions = {FUNCTION(loop_main, 1, true), FUNCTION(loop_callback, 2, false)},
	    .nr_functions = 2,
	};

	(void)state;
	open_both(&p);
	for (size_t i = 0; i < COUNT(counts); i++) {
		compare(&p, counts[i], 0, 3);
		compare(&p, counts[i], 1, 3);
		compare(&p, counts[i], 0, UINT64_MAX);
	}
	program_close(&p);
}

/* Three elements, or as many as fit; then their sum, stopping when it is above ctx[0]. */
static const struct bpf_insn each_main[] = {
	MOV64_REG(6, 1),
	/* map[0..2] = 7, 8, 9 */
	MOV64_IMM(7, 0),
	STORE(BPF_W, 10, 7, -12),
	MOV64_REG(8, 7),
	ADD64_IMM(8, 7),
	STORE(BPF_DW, 10, 8, -24),
	LDDW_MAP(1, 0),
	MOV64_REG(2, 10),
	ADD64_IMM(2, -12),
	MOV64_REG(3, 10),
	ADD64_IMM(3, -24),
	MOV64_IMM(4, 0),
	CALL(BPF_FUNC_map_update_elem),
	ADD64_IMM(7, 1),
	JUMP_IMM(BPF_JLT, 7, 3, -14),
	LOAD(BPF_DW, 1, 6, 0),
	STORE(BPF_DW, 10, 1, -32),
	STORE_IMM(BPF_DW, 10, -40, 0),
	LDDW_MAP(1, 0),
	LDDW(2, BPF_PSEUDO_FUNC, 1, 0),
	MOV64_REG(3, 10),
	ADD64_IMM(3, -40),
	LOAD(BPF_DW, 4, 6, 8),
	CALL(BPF_FUNC_for_each_map_elem),
	STORE(BPF_DW, 6, 0, 24),
	LOAD(BPF_DW, 1, 10, -40),
	STORE(BPF_DW, 6, 1, 32),
	BPF_EXIT_R0(0),
};

/* (map, key, value, {sum, limit}): sum += value + 16 * key; value += 1 */
static const struct bpf_insn each_callback[] = {
	LOAD(BPF_W, 2, 2, 0),
	ALU64_IMM(BPF_LSH, 2, 4),
	LOAD(BPF_DW, 1, 3, 0),
	ALU64_REG(BPF_ADD, 2, 1),
	ADD64_IMM(1, 1),
	STORE(BPF_DW, 3, 1, 0),
	LOAD(BPF_DW, 1, 4, 0),
	ALU64_REG(BPF_ADD, 1, 2),
	STORE(BPF_DW, 4, 1, 0),
	LOAD(BPF_DW, 2, 4, 8),
	MOV64_IMM(0, 0),
	JUMP(BPF_JLE, 1, 2, 1),
	MOV64_IMM(0, 1),
	EXIT(),
};

static void test_for_each(void **state)
{
	static const uint32_t types[] = {BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH,
					 BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		struct program p = {
		    .functions = {FUNCTION(each_main, 1, true), FUNCTION(each_callback, 4, false)},
		    .nr_functions = 2,
		    .map_type = types[i],
		    .key_size = 4,
		    .max_entries = 5,
		};
		bool is_hash = types[i] == BPF_MAP_TYPE_HASH ||
			       types[i] == BPF_MAP_TYPE_PERCPU_HASH;

		open_both(&p);
		compare(&p, UINT64_MAX, 0, 0);
		compare(&p, UINT64_MAX, 0, 0);
		compare(&p, UINT64_MAX, 1, 0);
		if (!is_hash) /* the order of a hash map is nobody's promise */
			compare(&p, 25, 0, 0);
		program_close(&p);
	}
}

/* ---- tail calls ---- */

/* to program ctx[0], if there is one */
static const struct bpf_insn tail_main[] = {
	MOV64_REG(6, 1),
	LOAD(BPF_DW, 3, 1, 0),
	LDDW_MAP(2, 0),
	CALL(BPF_FUNC_tail_call),
	BPF_EXIT_R0(5),
};
static const struct bpf_insn tail_seven[] = {BPF_EXIT_R0(7)};
/* to itself until that fails */
static const struct bpf_insn tail_self[] = {
	MOV64_IMM(3, 1),
	LDDW_MAP(2, 0),
	CALL(BPF_FUNC_tail_call),
	BPF_EXIT_R0(9),
};
static const struct bpf_insn tail_sub_main[] = {
	CALL_SUB(3),
	ALU64_IMM(BPF_MUL, 0, 3),
	EXIT(),
};

static void test_tail_calls(void **state)
{
	static const uint64_t indexes[] = {0, 1, 2, 3, 4, UINT32_MAX, 1ull << 32, 1ull << 32 | 1};
	struct program p = {
	    .functions = {FUNCTION(tail_main, 1, true), FUNCTION(tail_seven, 1, true),
			  FUNCTION(tail_self, 1, true)},
	    .nr_functions = 3,
	    .map_type = BPF_MAP_TYPE_PROG_ARRAY,
	    .key_size = 4,
	    .max_entries = 4,
	    .tail_progs = {1, 2, -1, -1},
	};

	(void)state;
	open_both(&p);
	for (size_t i = 0; i < COUNT(indexes); i++)
		compare(&p, indexes[i], 0, 0);
	program_close(&p);
}

/* A tail call ends the subprogram that makes it, not its caller. */
static void test_tail_call_of_subprogram(void **state)
{
	struct program p = {
	    .functions = {FUNCTION(tail_sub_main, 1, true), FUNCTION(tail_seven, 1, true),
			  FUNCTION(tail_self, 1, true), FUNCTION(tail_main, 1, false)},
	    .nr_functions = 4,
	    .map_type = BPF_MAP_TYPE_PROG_ARRAY,
	    .key_size = 4,
	    .max_entries = 4,
	    .tail_progs = {1, 2, -1, -1},
	};

	(void)state;
	open_both(&p);
	for (uint64_t i = 0; i < 5; i++)
		compare(&p, i, 0, 0);
	program_close(&p);
}

static uint64_t run_native(struct program *p, uint64_t a, uint64_t b)
{
	uint64_t ctx[CTX_WORDS] = {a, b}, result;

	native_open(p);
	result = bpfcc_native_call(p->native, (uintptr_t)ctx, sizeof(ctx));
	program_close(p);
	return result;
}

/* How often a chain goes on: each step adds 1 to a variable, which the last one returns. */
static void test_tail_call_limit(void **state)
{
	static const struct bpf_insn step[] = {
		LDDW_VALUE(6, 1, 0), LOAD(BPF_DW, 7, 6, 0), ADD64_IMM(7, 1), STORE(BPF_DW, 6, 7, 0),
		MOV64_IMM(3, 0), LDDW_MAP(2, 0), CALL(BPF_FUNC_tail_call), LOAD(BPF_DW, 0, 6, 0),
		EXIT(),
	};
	static const int32_t tail_progs[] = {0};
	struct bpfcc_native *native;
	struct lower_fixture fx;

	(void)state;
	lower_fixture_init(&fx, "calls");
	lower_fixture_map(&fx, "map", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1);
	lower_fixture_map(&fx, ".bss", BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	fx.maps[0].tail_progs = tail_progs;
	fx.maps[1].flags = INLAY_MAP_GLOBAL;
	lower_fixture_prog(&fx, "step", step, COUNT(step));
	if (bpfcc_native_new(&fx.handle, 0, &native))
		fail_msg("%s", fx.last_error);
	/* the first run and 33 more */
	assert_int_equal(bpfcc_native_call(native, 0, 0), 34);
	assert_int_equal(bpfcc_native_call(native, 0, 0), 68);
	bpfcc_native_free(native);
	lower_fixture_fini(&fx);
}

/* ---- may_goto, callx, addr_space_cast ---- */

#define MAY_GOTO(off) INSN(BPF_JMP | BPFCC_JCOND, 0, BPFCC_MAY_GOTO, off, 0)

/* counts to ctx[0], or until may_goto ends it */
static const struct bpf_insn may_goto_main[] = {
	LOAD(BPF_DW, 2, 1, 0), MOV64_IMM(0, 0), MAY_GOTO(3), JUMP(BPF_JEQ, 0, 2, 2),
	ADD64_IMM(0, 1),       INSN(BPF_JMP | BPF_JA, 0, 0, -4, 0), EXIT(),
};

static void test_may_goto(void **state)
{
	struct program p = {.functions = {FUNCTION(may_goto_main, 1, true)}, .nr_functions = 1};
	struct program q = p;

	(void)state;
	open_both(&p);
	compare(&p, 0, 0, 0);
	compare(&p, 1, 0, 0);
	compare(&p, 5000, 0, 0);
	program_close(&p);
	/* the kernel looks at the clock instead */
	assert_int_equal(run_native(&q, UINT64_MAX, 0), 8u << 20);
}

static void test_callx(void **state)
{
	static const struct bpf_insn prog[] = {
		LOAD(BPF_DW, 6, 1, 0), LOAD(BPF_DW, 1, 1, 8), LDDW(7, BPF_PSEUDO_FUNC, 1, 0),
		JUMP_IMM(BPF_JEQ, 6, 0, 2), LDDW(7, BPF_PSEUDO_FUNC, 2, 0),
		JUMP_IMM(BPF_JNE, 6, 2, 1), MOV64_REG(7, 6),
		INSN(BPF_JMP | BPF_CALL | BPF_X, 7, 0, 0, 0), EXIT(),
	};
	static const struct bpf_insn add[] = {MOV64_REG(0, 1), ADD64_IMM(0, 100), EXIT()};
	static const struct bpf_insn twice[] = {
		MOV64_REG(0, 1), ALU64_REG(BPF_ADD, 0, 1), EXIT()};
	const struct program p = {
	    .is_unverified = true,
	    .functions = {FUNCTION(prog, 1, true), FUNCTION(add, 1, false),
			  FUNCTION(twice, 1, false)},
	    .nr_functions = 3,
	};
	/* what can be proved: only the addresses */
	static const struct bpf_insn proved[] = {
		LOAD(BPF_DW, 6, 1, 0), LOAD(BPF_DW, 1, 1, 8), LDDW(7, BPF_PSEUDO_FUNC, 1, 0),
		JUMP_IMM(BPF_JEQ, 6, 0, 2), LDDW(7, BPF_PSEUDO_FUNC, 2, 0),
		INSN(BPF_JMP | BPF_CALL | BPF_X, 7, 0, 0, 0), EXIT(),
	};
	struct program copy = p;

	(void)state;
	for (uint64_t i = 0; i < 2; i++) {
		copy.functions[0] = (struct function)FUNCTION(proved, 1, true);
		copy.is_unverified = false;
		assert_int_equal(run_native(&copy, i, 11), i ? 22 : 111);
		copy = p;
	}
	assert_int_equal(run_native(&copy, 0, 11), 111);
	copy = p;
	assert_int_equal(run_native(&copy, 1, 11), 22);
	copy = p;
	/* a number that is no address of a function that may be called */
	copy.functions[0].insns = prog;
	assert_int_equal(run_native(&copy, 2, 11), 111);
}

static void test_addr_space_cast(void **state)
{
	static const struct bpf_insn prog[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 1, BPFCC_CAST_OFF, BPFCC_CAST_KERN),
		LOAD(BPF_DW, 0, 1, 8),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 1, BPFCC_CAST_OFF, BPFCC_CAST_USER),
		LOAD(BPF_DW, 2, 2, 0), ALU64_REG(BPF_SUB, 0, 2), EXIT(),
	};
	struct program p = {
		.functions = {FUNCTION(prog, 1, true)}, .nr_functions = 1, .is_unverified = true};

	(void)state;
	assert_int_equal(run_native(&p, 1ull << 40, (1ull << 40) + 17), 17);
}

/* ---- registers that hold other things on other paths ---- */

/* ctx[0] chooses: the stack, or the value of a map; ctx[1] is added there, twice, and read back */
static const struct bpf_insn pointers_main[] = {
	MOV64_REG(6, 1),
	STORE_IMM(BPF_DW, 10, -8, 100),
	STORE_IMM(BPF_DW, 10, -16, 0),
	MOV64_REG(7, 10),
	ADD64_IMM(7, -8),
	LOAD(BPF_DW, 1, 6, 0),
	JUMP_IMM(BPF_JEQ, 1, 0, 7),
	LDDW_MAP(1, 0),
	MOV64_REG(2, 10),
	ADD64_IMM(2, -16),
	CALL(BPF_FUNC_map_lookup_elem),
	JUMP_IMM(BPF_JEQ, 0, 0, 1),
	MOV64_REG(7, 0),
	/* r7: the stack or the map */
	LOAD(BPF_DW, 1, 7, 0),
	LOAD(BPF_DW, 2, 6, 8),
	ALU64_REG(BPF_ADD, 1, 2),
	STORE(BPF_DW, 7, 1, 0),
	/* through the stack, where it was not known to be a pointer */
	STORE(BPF_DW, 10, 7, -24),
	LOAD(BPF_DW, 8, 10, -24),
	INSN(BPF_STX | BPF_DW | BPF_ATOMIC, 8, 2, 0, BPF_ADD | BPF_FETCH),
	STORE(BPF_DW, 6, 2, 24),
	/* of both kinds to one subprogram */
	MOV64_REG(1, 7),
	CALL_SUB(1),
	MOV64_REG(1, 10),
	ADD64_IMM(1, -8),
	CALL_SUB(1),
	STORE(BPF_DW, 6, 0, 32),
	LOAD(BPF_DW, 1, 7, 0),
	STORE(BPF_DW, 6, 1, 40),
	BPF_EXIT_R0(0),
};
static const struct bpf_insn pointers_sub[] = {
	LOAD(BPF_DW, 0, 1, 0), ALU64_IMM(BPF_MUL, 0, 3), STORE(BPF_DW, 1, 0, 0), EXIT(),
};

/* r7 is the stack on one path and a number on the other; r8 the other way round; their sum is a
 * pointer on both */
static const struct bpf_insn mixed_main[] = {
	MOV64_REG(6, 1),
	STORE_IMM(BPF_DW, 10, -8, 100),
	STORE_IMM(BPF_DW, 10, -16, 200),
	LOAD(BPF_DW, 1, 6, 0),
	JUMP_IMM(BPF_JEQ, 1, 0, 3),
	MOV64_REG(7, 10),
	MOV64_IMM(8, -8),
	INSN(BPF_JMP | BPF_JA, 0, 0, 2, 0),
	MOV64_IMM(7, -16),
	MOV64_REG(8, 10),
	ALU64_REG(BPF_ADD, 7, 8),
	LOAD(BPF_DW, 1, 7, 0),
	LOAD(BPF_DW, 2, 6, 8),
	ALU64_REG(BPF_ADD, 1, 2),
	STORE(BPF_DW, 7, 1, 0),
	LOAD(BPF_DW, 1, 10, -8),
	STORE(BPF_DW, 6, 1, 24),
	LOAD(BPF_DW, 1, 10, -16),
	STORE(BPF_DW, 6, 1, 32),
	BPF_EXIT_R0(0),
};

static void test_mixed_registers(void **state)
{
	struct program p = {
	    .functions = {FUNCTION(pointers_main, 1, true), FUNCTION(pointers_sub, 1, false)},
	    .nr_functions = 2,
	    .map_type = BPF_MAP_TYPE_ARRAY,
	    .key_size = 4,
	    .max_entries = 1,
	};
	struct program q = {.functions = {FUNCTION(mixed_main, 1, true)}, .nr_functions = 1};

	(void)state;
	for (int i = 0; i < 2; i++) {
		/* with and without what the verifier knows */
		p.is_unverified = q.is_unverified = i;
		open_both(&p);
		open_both(&q);
		for (uint64_t path = 0; path < 2; path++)
			for (uint64_t k = 1; k < 4; k++) {
				compare(&p, path, 1000 * k, 0);
				compare(&q, path, 1000 * k, 0);
			}
		program_close(&p);
		program_close(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loop),	   cmocka_unit_test(test_for_each),
		cmocka_unit_test(test_tail_calls), cmocka_unit_test(test_tail_call_of_subprogram),
		cmocka_unit_test(test_tail_call_limit), cmocka_unit_test(test_may_goto),
		cmocka_unit_test(test_callx),	   cmocka_unit_test(test_addr_space_cast),
		cmocka_unit_test(test_mixed_registers),
	};

	if (geteuid()) {
		printf("skipped: needs root to run programs in the kernel\n");
		return 77;
	}
	return cmocka_run_group_tests_name("lower_calls", tests, NULL, NULL);
}
