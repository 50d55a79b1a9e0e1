/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checking interpreter itself: each thing that must stop a program does, with the trap that says
 * so, and its good twin runs and gives the right result.
 */
#include "oracle.h"

#define INSN(code_, dst, src, off_, imm_)                                                          \
	((struct bpf_insn){                                                                        \
	    .code = (uint8_t)(code_), .dst_reg = dst, .src_reg = src, .off = off_, .imm = imm_})
#define MOVI(dst, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define MOV(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define ADDI(dst, imm) INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define LD(size, dst, src, off) INSN(BPF_LDX | BPF_MEM | (size), dst, src, off, 0)
#define ST(size, dst, off, src) INSN(BPF_STX | BPF_MEM | (size), dst, src, off, 0)
#define STI(size, dst, off, imm) INSN(BPF_ST | BPF_MEM | (size), dst, 0, off, imm)
#define JNEI(dst, imm, off) INSN(BPF_JMP | BPF_JNE | BPF_K, dst, 0, off, imm)
#define JEQI(dst, imm, off) INSN(BPF_JMP | BPF_JEQ | BPF_K, dst, 0, off, imm)
#define CALL(id) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define SUB(func) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, func)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LDDW(dst, src, low, high) INSN(BPFCC_LDDW, dst, src, 0, low), INSN(0, 0, 0, 0, high)
#define MAP(dst, map) LDDW(dst, BPF_PSEUDO_MAP_FD, map, 0)
#define FUNC(dst, func) LDDW(dst, BPF_PSEUDO_FUNC, func, 0)
#define KEY(dst, off, value) STI(BPF_W, 10, off, value), MOV(dst, 10), ADDI(dst, off)

enum { ARRAY, HASH, RODATA, RING, PROGS, NR_MAPS };

static const uint8_t rodata[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const int32_t tail_progs[] = {-1, 1};
static struct bpfcc_map maps[NR_MAPS] = {
    [ARRAY] = {.name = "array",
	       .type = BPF_MAP_TYPE_ARRAY,
	       .key_size = 4,
	       .value_size = 12,
	       .max_entries = 2},
    [HASH] = {.name = "hash",
	      .type = BPF_MAP_TYPE_HASH,
	      .key_size = 4,
	      .value_size = 8,
	      .max_entries = 2},
    [RODATA] = {.name = ".rodata",
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 8,
		.max_entries = 1,
		.flags = INLAY_MAP_RODATA,
		.data = rodata},
    [RING] = {.name = "ring", .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
    [PROGS] = {.name = "progs",
	       .type = BPF_MAP_TYPE_PROG_ARRAY,
	       .key_size = 4,
	       .value_size = 4,
	       .max_entries = 2,
	       .tail_progs = tail_progs},
};

/* a subprogram, that calls itself never: r0 = r1 + 1; and a callback that adds its index up */
static const struct bpf_insn sub[] = {MOV(0, 1), ADDI(0, 1), EXIT};
static const struct bpf_insn callback[] = {
    LD(BPF_DW, 3, 2, 0), INSN(BPF_ALU64 | BPF_ADD | BPF_X, 3, 1, 0, 0), ST(BPF_DW, 2, 0, 3),
    MOVI(0, 0),		 EXIT};
/* returns the address of its own stack */
static const struct bpf_insn leaky[] = {MOV(0, 10), EXIT};
static const struct bpf_insn deep[] = {SUB(4), EXIT};

/* where a tail call goes: its ctx is the same, its stack is not */
static const struct bpf_insn tail[] = {LD(BPF_DW, 0, 1, 8), LD(BPF_DW, 2, 10, -8),
				       INSN(BPF_ALU64 | BPF_ADD | BPF_X, 0, 2, 0, 0), EXIT};

static const struct bpfcc_interp_opts plain;

static enum bpfcc_trap_kind run_with(const struct bpfcc_interp_opts *opts,
				     const struct bpf_insn *insns, size_t nr, uint64_t *ret_r0)
{
	struct bpfcc_func funcs[] = {
	    {.name = "main", .insns = insns, .nr_insns = (uint32_t)nr},
	    {.name = "sub", .insns = sub, .nr_insns = 3, .index = 1},
	    {.name = "callback", .insns = callback, .nr_insns = 5, .index = 2},
	    {.name = "leaky", .insns = leaky, .nr_insns = 2, .index = 3},
	    {.name = "deep", .insns = deep, .nr_insns = 2, .index = 4},
	    {.name = "tail", .insns = tail, .nr_insns = 4, .index = 5},
	};
	struct bpfcc_prog progs[] = {{.func = funcs, .name = "main"},
				     {.func = &funcs[5], .name = "tail", .index = 1}};
	struct bpfcc_object object = {.name = "test",
				      .maps = maps,
				      .nr_maps = NR_MAPS,
				      .funcs = funcs,
				      .nr_funcs = 6,
				      .progs = progs,
				      .nr_progs = 2};
	uint64_t data[2] = {0x1122334455667788, 7};
	const struct bpfcc_interp_ctx ctx = {.data = data, .bytes = 16, .is_read_only = true};
	struct bpfcc_interp *interp;
	struct bpfcc_trap trap;
	int err;

	assert_int_equal(bpfcc_interp_new(&object, opts, &interp), 0);
	err = bpfcc_interp_call(interp, 0, &ctx, ret_r0, &trap);
	assert_int_equal(err, trap.kind ? -EFAULT : 0);
	assert_int_equal(!trap.kind, !trap.text[0]);
	bpfcc_interp_free(interp);
	return trap.kind;
}

#define TRAPS(opts, kind, ...)                                                                     \
	do {                                                                                       \
		const struct bpf_insn insns_[] = {__VA_ARGS__};                                    \
		uint64_t r0_;                                                                      \
		assert_string_equal(bpfcc_trap_name(run_with(opts, insns_,                         \
							     sizeof(insns_) / sizeof(*insns_),     \
							     &r0_)),                               \
				    bpfcc_trap_name(kind));                                        \
	} while (0)
#define GIVES(result, ...)                                                                         \
	do {                                                                                       \
		const struct bpf_insn insns_[] = {__VA_ARGS__};                                    \
		uint64_t r0_;                                                                      \
		assert_string_equal(bpfcc_trap_name(run_with(&plain, insns_,                       \
							     sizeof(insns_) / sizeof(*insns_),     \
							     &r0_)),                               \
				    bpfcc_trap_name(BPFCC_TRAP_NONE));                             \
		assert_int_equal(r0_, result);                                                     \
	} while (0)

static void test_memory(void **state)
{
	const struct bpfcc_interp_opts strict = {.traps_unset_stack = true, .traps_misaligned = true};

	(void)state;
	GIVES(0x1122334455667788, LD(BPF_DW, 0, 1, 0), EXIT);
	GIVES(0x77, LD(BPF_B, 0, 1, 1), EXIT);
	GIVES((uint64_t)(int8_t)0x88, INSN(BPF_LDX | BPFCC_MEMSX | BPF_B, 0, 1, 0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, LD(BPF_DW, 0, 1, 9), EXIT);
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, LD(BPF_B, 0, 1, -1), EXIT);
	TRAPS(&plain, BPFCC_TRAP_READ_ONLY, STI(BPF_B, 1, 0, 1), EXIT);
	/* stack: 512 bytes below r10, and not a byte more at either end */
	GIVES(5, STI(BPF_DW, 10, -512, 5), LD(BPF_DW, 0, 10, -512), EXIT);
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, STI(BPF_DW, 10, -513, 5), EXIT);
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, STI(BPF_B, 10, 0, 5), EXIT);
	GIVES(0, LD(BPF_DW, 0, 10, -8), EXIT);
	TRAPS(&strict, BPFCC_TRAP_UNSET, STI(BPF_W, 10, -8, 1), LD(BPF_DW, 0, 10, -8), EXIT);
	TRAPS(&strict, BPFCC_TRAP_ALIGNMENT, STI(BPF_W, 10, -7, 1), EXIT);
	GIVES(1, STI(BPF_W, 10, -7, 1), LD(BPF_W, 0, 10, -7), EXIT);
	/* a pointer survives the stack whole, and only whole */
	GIVES(7, ST(BPF_DW, 10, -8, 1), LD(BPF_DW, 2, 10, -8), LD(BPF_DW, 0, 2, 8), EXIT);
	TRAPS(&plain, BPFCC_TRAP_POINTER, ST(BPF_DW, 10, -8, 1), STI(BPF_B, 10, -8, 0),
	      LD(BPF_DW, 2, 10, -8), LD(BPF_DW, 0, 2, 8), EXIT);
	TRAPS(&plain, BPFCC_TRAP_POINTER, MOVI(1, 0), LD(BPF_DW, 0, 1, 0), EXIT);
	/* what was computed from a pointer is none: complement twice */
	TRAPS(&plain, BPFCC_TRAP_POINTER, INSN(BPF_ALU64 | BPF_XOR | BPF_K, 1, 0, 0, -1),
	      INSN(BPF_ALU64 | BPF_XOR | BPF_K, 1, 0, 0, -1), LD(BPF_DW, 0, 1, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_STALE, SUB(3), LD(BPF_DW, 0, 0, -8), EXIT);
}

static void test_registers(void **state)
{
	const struct bpfcc_interp_opts few = {.max_steps = 100};

	(void)state;
	TRAPS(&plain, BPFCC_TRAP_UNSET, EXIT);
	TRAPS(&plain, BPFCC_TRAP_UNSET, MOV(0, 3), EXIT);
	TRAPS(&plain, BPFCC_TRAP_UNSET, MOVI(0, 0), JEQI(7, 0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_UNSET, MOVI(1, 1), SUB(1), MOV(0, 1), EXIT);
	GIVES(42, MOVI(1, 41), SUB(1), EXIT);
	TRAPS(&plain, BPFCC_TRAP_READ_ONLY, ADDI(10, 8), MOVI(0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_DEPTH, MOVI(1, 0), SUB(4), EXIT);
	TRAPS(&few, BPFCC_TRAP_STEPS, INSN(BPF_JMP | BPF_JA, 0, 0, -1, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_UNKNOWN, INSN(BPF_JMP | 0xf0, 1, 0, 0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, MOVI(0, 0));
	/* through a register */
	GIVES(6, MOVI(1, 5), FUNC(2, 1), INSN(BPF_JMP | BPF_CALL | BPF_X, 2, 0, 0, 0), EXIT);
	GIVES(6, MOVI(1, 5), FUNC(2, 1), INSN(BPF_JMP | BPF_CALL | BPF_X, 0, 0, 0, 2), EXIT);
	TRAPS(&plain, BPFCC_TRAP_POINTER, MOVI(1, 5), FUNC(2, 1), ADDI(2, 1),
	      INSN(BPF_JMP | BPF_CALL | BPF_X, 2, 0, 0, 0), EXIT);
	/* a helper, by its number */
	GIVES(2, MOVI(2, BPF_FUNC_ktime_get_ns), INSN(BPF_JMP | BPF_CALL | BPF_X, 2, 0, 0, 0),
	      MOVI(0, 2), EXIT);
	TRAPS(&plain, BPFCC_TRAP_UNKNOWN, MOVI(2, 9999),
	      INSN(BPF_JMP | BPF_CALL | BPF_X, 2, 0, 0, 0), EXIT);
}

static void test_alu(void **state)
{
	const int min = INT32_MIN;

	(void)state;
	/* the corners that the standard defines */
	GIVES(0, MOVI(0, 7), MOVI(1, 0), INSN(BPF_ALU64 | BPF_DIV | BPF_X, 0, 1, 0, 0), EXIT);
	GIVES(7, MOVI(0, 7), MOVI(1, 0), INSN(BPF_ALU64 | BPF_MOD | BPF_X, 0, 1, 0, 0), EXIT);
	GIVES(0x80000000, MOVI(0, min), INSN(BPF_ALU | BPF_DIV | BPF_K, 0, 0, 1, -1), EXIT);
	GIVES(0, MOVI(0, min), INSN(BPF_ALU | BPF_MOD | BPF_K, 0, 0, 1, -1), EXIT);
	GIVES((uint64_t)-3, MOVI(0, -7), INSN(BPF_ALU64 | BPF_DIV | BPF_K, 0, 0, 1, 2), EXIT);
	GIVES((uint64_t)-1, MOVI(0, -7), INSN(BPF_ALU64 | BPF_MOD | BPF_K, 0, 0, 1, 2), EXIT);
	GIVES(2, MOVI(0, 1), MOVI(1, 65), INSN(BPF_ALU64 | BPF_LSH | BPF_X, 0, 1, 0, 0), EXIT);
	GIVES(0xfffffffe, MOVI(0, -4), INSN(BPF_ALU | BPF_ARSH | BPF_K, 0, 0, 0, 1), EXIT);
	GIVES(0xffffff80, MOVI(1, 0x180), INSN(BPF_ALU | BPF_MOV | BPF_X, 0, 1, 8, 0), EXIT);
	GIVES(0x3412, MOVI(0, 0x561234), INSN(BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 16), EXIT);
	GIVES(1, MOVI(1, -1), MOVI(0, 1), INSN(BPF_JMP32 | BPF_JSLT | BPF_K, 1, 0, 1, 0), MOVI(0, 2),
	      EXIT);
	/* atomics: the old value, also of a comparison that fails */
	GIVES(5, STI(BPF_DW, 10, -8, 5), MOVI(1, 3),
	      INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 10, 1, -8, BPF_ADD | BPF_FETCH), MOV(0, 1), EXIT);
	GIVES(8, STI(BPF_DW, 10, -8, 5), MOVI(1, 3),
	      INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 10, 1, -8, BPF_ADD), LD(BPF_DW, 0, 10, -8), EXIT);
	GIVES(5, STI(BPF_DW, 10, -8, 5), MOVI(1, 3), MOVI(0, 4),
	      INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 10, 1, -8, BPF_CMPXCHG), EXIT);
	GIVES(3, STI(BPF_DW, 10, -8, 5), MOVI(1, 3), MOVI(0, 5),
	      INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 10, 1, -8, BPF_CMPXCHG), LD(BPF_DW, 0, 10, -8),
	      EXIT);
}

#define LOOKUP(map, key) KEY(2, -4, key), MAP(1, map), CALL(BPF_FUNC_map_lookup_elem)
#define UPDATE(map, key, value, flags)                                                             \
	KEY(2, -4, key), STI(BPF_DW, 10, -24, value), STI(BPF_W, 10, -16, 0), MOV(3, 10),          \
		ADDI(3, -24), MOVI(4, flags), MAP(1, map), CALL(BPF_FUNC_map_update_elem)

static void test_maps(void **state)
{
	const struct bpfcc_interp_opts strict = {.traps_unset_stack = true};

	(void)state;
	GIVES(0, LOOKUP(ARRAY, 1), JNEI(0, 0, 1), EXIT, LD(BPF_W, 0, 0, 8), EXIT);
	GIVES(0, LOOKUP(ARRAY, 2), EXIT);
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, LOOKUP(ARRAY, 1), LD(BPF_DW, 0, 0, 8), EXIT);
	TRAPS(&plain, BPFCC_TRAP_POINTER, LOOKUP(HASH, 1), LD(BPF_DW, 0, 0, 0), EXIT);
	TRAPS(&strict, BPFCC_TRAP_UNSET, MOV(2, 10), ADDI(2, -4), MAP(1, ARRAY),
	      CALL(BPF_FUNC_map_lookup_elem), EXIT);
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, MOV(2, 10), ADDI(2, -3), MAP(1, ARRAY),
	      CALL(BPF_FUNC_map_lookup_elem), EXIT);
	TRAPS(&plain, BPFCC_TRAP_ARGUMENT, KEY(2, -4, 0), MOV(1, 10),
	      CALL(BPF_FUNC_map_lookup_elem), EXIT);
	/* what was written is there; a value that was deleted can still be read */
	GIVES(9, UPDATE(HASH, 1, 9, 0), LOOKUP(HASH, 1), LD(BPF_DW, 0, 0, 0), EXIT);
	GIVES(9, UPDATE(HASH, 1, 9, 0), LOOKUP(HASH, 1), MOV(6, 0), KEY(2, -4, 1), MAP(1, HASH),
	      CALL(BPF_FUNC_map_delete_elem), LD(BPF_DW, 0, 6, 0), EXIT);
	GIVES((uint64_t)-EEXIST, UPDATE(HASH, 1, 9, 0), UPDATE(HASH, 1, 9, BPF_NOEXIST), EXIT);
	GIVES((uint64_t)-ENOENT, UPDATE(HASH, 1, 9, BPF_EXIST), EXIT);
	/* there is no lock in the value */
	GIVES((uint64_t)-EINVAL, UPDATE(HASH, 1, 9, BPF_F_LOCK), EXIT);
	GIVES((uint64_t)-EINVAL, UPDATE(ARRAY, 1, 9, BPF_F_LOCK), EXIT);
	GIVES((uint64_t)-EEXIST, UPDATE(ARRAY, 1, 9, BPF_F_LOCK | BPF_NOEXIST), EXIT);
	GIVES((uint64_t)-E2BIG, UPDATE(HASH, 1, 9, 0), UPDATE(HASH, 2, 9, 0), UPDATE(HASH, 3, 9, 0),
	      EXIT);
	GIVES((uint64_t)-EINVAL, KEY(2, -4, 1), MAP(1, ARRAY), CALL(BPF_FUNC_map_delete_elem), EXIT);
	GIVES(0x0403, LDDW(1, BPF_PSEUDO_MAP_VALUE, RODATA, 2), LD(BPF_H, 0, 1, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_READ_ONLY, LDDW(1, BPF_PSEUDO_MAP_VALUE, RODATA, 2),
	      STI(BPF_B, 1, 0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, LDDW(1, BPF_PSEUDO_MAP_VALUE, RODATA, 7),
	      LD(BPF_H, 0, 1, 0), EXIT);
}

#define RESERVE MAP(1, RING), MOVI(2, 16), MOVI(3, 0), CALL(BPF_FUNC_ringbuf_reserve)
#define SUBMIT(reg) MOV(1, reg), MOVI(2, 0), CALL(BPF_FUNC_ringbuf_submit)

static void test_records(void **state)
{
	(void)state;
	GIVES(0, RESERVE, MOV(6, 0), STI(BPF_DW, 6, 8, 1), SUBMIT(6), MOVI(0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_HELD, RESERVE, MOVI(0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, RESERVE, STI(BPF_DW, 0, 9, 1), EXIT);
	TRAPS(&plain, BPFCC_TRAP_STALE, RESERVE, MOV(6, 0), SUBMIT(6), STI(BPF_DW, 6, 0, 1), EXIT);
	TRAPS(&plain, BPFCC_TRAP_STALE, RESERVE, MOV(6, 0), SUBMIT(6), SUBMIT(6), EXIT);
	TRAPS(&plain, BPFCC_TRAP_ARGUMENT, RESERVE, MOV(6, 0), ADDI(6, 8), SUBMIT(6), EXIT);
	TRAPS(&plain, BPFCC_TRAP_UNSET, RESERVE, SUBMIT(0), EXIT);
}

#define TAIL_CALL(index) MAP(2, PROGS), MOVI(3, index), CALL(BPF_FUNC_tail_call)

static void test_tail_calls(void **state)
{
	(void)state;
	GIVES(7, STI(BPF_DW, 10, -8, 5), TAIL_CALL(1), MOVI(0, 1), EXIT);
	/* an empty slot, and one behind the last: the program goes on */
	GIVES(1, TAIL_CALL(0), MOVI(0, 1), EXIT);
	GIVES(1, TAIL_CALL(2), MOVI(0, 1), EXIT);
	TRAPS(&plain, BPFCC_TRAP_UNSET, TAIL_CALL(0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_ARGUMENT, MOV(1, 10), TAIL_CALL(1), EXIT);
	TRAPS(&plain, BPFCC_TRAP_HELD, MOV(6, 1), RESERVE, MOV(1, 6), TAIL_CALL(1), EXIT);
}

static void test_locks(void **state)
{
	(void)state;
	GIVES(0, LOOKUP(ARRAY, 0), MOV(6, 0), MOV(1, 6), CALL(BPF_FUNC_spin_lock), MOV(1, 6),
	      CALL(BPF_FUNC_spin_unlock), MOVI(0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_HELD, LOOKUP(ARRAY, 0), MOV(1, 0), CALL(BPF_FUNC_spin_lock),
	      MOVI(0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_HELD, LOOKUP(ARRAY, 0), MOV(6, 0), MOV(1, 6),
	      CALL(BPF_FUNC_spin_lock), MOV(1, 6), CALL(BPF_FUNC_spin_lock), EXIT);
	TRAPS(&plain, BPFCC_TRAP_HELD, LOOKUP(ARRAY, 0), MOV(6, 0), MOV(1, 6),
	      CALL(BPF_FUNC_spin_lock), MOV(1, 6), ADDI(1, 4), CALL(BPF_FUNC_spin_unlock), EXIT);
}

#define KFUNC(name) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, BPFCC_KFUNC_##name)
#define RCU_LOCK KFUNC(bpf_rcu_read_lock)
#define RCU_UNLOCK KFUNC(bpf_rcu_read_unlock)
#define PREEMPT_OFF KFUNC(bpf_preempt_disable)
#define PREEMPT_ON KFUNC(bpf_preempt_enable)

static void test_sections(void **state)
{
	(void)state;
	GIVES(0, RCU_LOCK, PREEMPT_OFF, PREEMPT_OFF, RCU_UNLOCK, PREEMPT_ON, PREEMPT_ON, MOVI(0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_HELD, RCU_LOCK, MOVI(0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_HELD, RCU_LOCK, RCU_LOCK, RCU_UNLOCK, RCU_UNLOCK, MOVI(0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_HELD, RCU_UNLOCK, MOVI(0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_HELD, PREEMPT_OFF, PREEMPT_OFF, PREEMPT_ON, MOVI(0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_HELD, PREEMPT_OFF, PREEMPT_ON, PREEMPT_ON, MOVI(0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_HELD, MOV(6, 1), RCU_LOCK, MOV(1, 6), TAIL_CALL(1), EXIT);
	TRAPS(&plain, BPFCC_TRAP_UNSET, RCU_LOCK, RCU_UNLOCK, EXIT);
}

/* at r10 - 32, of the twelve bytes of a value */
#define DYNPTR                                                                                     	LOOKUP(ARRAY, 0), MOV(1, 0), MOVI(2, 12), MOVI(3, 0), MOV(4, 10), ADDI(4, -32),            		CALL(BPF_FUNC_dynptr_from_mem)
#define SLICE(off, bytes)                                                                          	MOV(1, 10), ADDI(1, -32), MOVI(2, off), MOVI(3, bytes), CALL(BPF_FUNC_dynptr_data)

static void test_dynptrs(void **state)
{
	(void)state;
	GIVES(0, DYNPTR, SLICE(4, 8), LD(BPF_DW, 0, 0, 0), EXIT);
	GIVES(0, DYNPTR, SLICE(5, 8), EXIT);
	/* as long as was asked for, not as long as the memory is */
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, DYNPTR, SLICE(0, 4), LD(BPF_DW, 0, 0, 0), EXIT);
	TRAPS(&plain, BPFCC_TRAP_ARGUMENT, DYNPTR, STI(BPF_B, 10, -20, 0), SLICE(0, 4), EXIT);
	TRAPS(&plain, BPFCC_TRAP_ARGUMENT, SLICE(0, 4), EXIT);
	GIVES((uint64_t)-E2BIG, DYNPTR, MOV(1, 10), ADDI(1, -48), MOVI(2, 16), MOV(3, 10),
	      ADDI(3, -32), MOVI(4, 0), MOVI(5, 0), CALL(BPF_FUNC_dynptr_read), EXIT);
}

#define READ(size)                                                                                 \
	MOV(1, 10), ADDI(1, -16), MOVI(2, size), MOVI(3, 0x1000), CALL(BPF_FUNC_probe_read_user)

static void test_helpers(void **state)
{
	static const uint8_t target[] = {1, 2, 3, 4, 5, 6, 7, 8};
	const struct bpfcc_interp_opts has_target = {
	    .target = target, .target_address = 0x1000, .target_bytes = sizeof(target)};
	const struct bpf_insn read[] = {READ(8), LD(BPF_DW, 0, 10, -16), EXIT};
	uint64_t r0;

	(void)state;
	GIVES((uint64_t)-EFAULT, READ(16), EXIT);
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, READ(17), EXIT);
	TRAPS(&plain, BPFCC_TRAP_BOUNDS, READ(-1), EXIT);
	assert_int_equal(run_with(&has_target, read, sizeof(read) / sizeof(*read), &r0), 0);
	assert_int_equal(r0, 0x0807060504030201);
	TRAPS(&plain, BPFCC_TRAP_UNKNOWN, CALL(99999), EXIT);
	/* 0 + 1 + 2 + 3, through the callback's pointer to this stack */
	GIVES(6, STI(BPF_DW, 10, -8, 0), MOVI(1, 4), FUNC(2, 2), MOV(3, 10), ADDI(3, -8), MOVI(4, 0),
	      CALL(BPF_FUNC_loop), LD(BPF_DW, 0, 10, -8), EXIT);
	TRAPS(&plain, BPFCC_TRAP_ARGUMENT, MOVI(1, 4), MOVI(2, 2), MOVI(3, 0), MOVI(4, 0),
	      CALL(BPF_FUNC_loop), EXIT);
	TRAPS(&plain, BPFCC_TRAP_POINTER, MOVI(1, 4), FUNC(2, 2), MOVI(3, 0), MOVI(4, 0),
	      CALL(BPF_FUNC_loop), EXIT);
}

/* The same seed gives the same run; another one, other answers. */
static void test_seeds(void **state)
{
	const struct bpf_insn insns[] = {CALL(BPF_FUNC_get_prandom_u32), MOV(6, 0),
					 CALL(BPF_FUNC_get_prandom_u32),
					 INSN(BPF_ALU64 | BPF_LSH | BPF_K, 0, 0, 0, 32),
					 INSN(BPF_ALU64 | BPF_OR | BPF_X, 0, 6, 0, 0), EXIT};
	struct bpfcc_interp_opts opts = {.seed = 5};
	uint64_t a, b, c;

	(void)state;
	assert_int_equal(run_with(&opts, insns, 6, &a), 0);
	assert_int_equal(run_with(&opts, insns, 6, &b), 0);
	opts.seed = 6;
	assert_int_equal(run_with(&opts, insns, 6, &c), 0);
	assert_int_equal(a, b);
	assert_int_not_equal(a, c);
}

/* No two things lie at a distance with a bit that is the same for all seeds: it would not look like an address. */
static void test_addresses(void **state)
{
	/* of a stack two things later */
	const struct bpf_insn insns[] = {SUB(3), SUB(3),
					 INSN(BPF_ALU64 | BPF_SUB | BPF_X, 0, 10, 0, 0), EXIT};
	struct bpfcc_interp_opts opts = {0};
	uint64_t first, r0, changed = 0;

	(void)state;
	assert_int_equal(run_with(&opts, insns, 4, &first), 0);
	for (opts.address_seed = 1; opts.address_seed <= 64; opts.address_seed++) {
		assert_int_equal(run_with(&opts, insns, 4, &r0), 0);
		changed |= r0 ^ first;
	}
	assert_int_equal(changed & 0xfffff, 0xffff8);
}

static int stop_at_two(void *arg, const struct bpfcc_interp_view *view)
{
	struct bpfcc_interp_view *last = arg;

	*last = *view;
	return view->insn == 2;
}

static void test_view(void **state)
{
	const struct bpf_insn insns[] = {MOV(6, 10), ADDI(6, -16), MOVI(0, 3), EXIT};
	struct bpfcc_interp_view view;
	struct bpfcc_interp_opts opts = {.on_insn = stop_at_two, .arg = &view};
	uint64_t r0;

	(void)state;
	assert_int_equal(run_with(&opts, insns, 4, &r0), BPFCC_TRAP_ASKED);
	assert_int_equal(view.kinds[6], BPFCC_KIND_STACK);
	assert_int_equal(view.offs[6], -16);
	assert_int_equal(view.kinds[1], BPFCC_KIND_CTX);
	assert_int_equal(view.kinds[0], BPFCC_KIND_UNINIT);
	assert_false(view.is_set[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_memory), cmocka_unit_test(test_registers),
	    cmocka_unit_test(test_alu),	   cmocka_unit_test(test_maps),
	    cmocka_unit_test(test_records), cmocka_unit_test(test_helpers),
	    cmocka_unit_test(test_locks),  cmocka_unit_test(test_sections),
	    cmocka_unit_test(test_dynptrs), cmocka_unit_test(test_tail_calls),
	    cmocka_unit_test(test_seeds),  cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
