/* SPDX-License-Identifier: BSD-2-Clause */
/* For oracle_gen.h: statements that call helpers and functions. */
#ifndef INLAY_TEST_ORACLE_GEN_CALLS_H
#define INLAY_TEST_ORACLE_GEN_CALLS_H

#include "oracle_gen_base.h"

static inline void gen_lookup(struct gen_func *f)
{
	int map = gen_below(2) ? GEN_MAP_ARRAY : GEN_MAP_HASH, slot = 1 + (int)gen_below(4), to;

	if (!f->is_native && gen_below(3) == 0)
		map = GEN_MAP_PERCPU;

	gen_emit(f, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8 * slot, (int32_t)gen_below(5));
	if (gen_below(2))
		gen_emit(f, BPF_STX | BPF_MEM | BPF_W, 10, gen_number(f), -8 * slot, 0);
	gen_key(f, 2, slot);
	gen_lddw(f, 1, BPF_PSEUDO_MAP_FD, map, 0);
	gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	gen_clobber(f);
	to = 6 + (int)gen_below(4);
	/* no value: a number in its place would end the program's use of it, so leave */
	gen_emit(f, BPF_JMP | BPF_JNE | BPF_K, 0, 0, 2, 0);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, (int32_t)gen_below(9));
	gen_emit(f, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, to, 0, 0, 0);
	f->regs[to] = f->regs[0] = GEN_VALUE;
}

static inline void gen_update(struct gen_func *f)
{
	int map = gen_below(2) ? GEN_MAP_ARRAY : GEN_MAP_HASH;

	gen_emit(f, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, (int32_t)gen_below(5));
	for (int i = 0; i < GEN_VALUE_BYTES / 8; i++)
		gen_emit(f, BPF_STX | BPF_MEM | BPF_DW, 10, gen_number(f), -64 + 8 * i, 0);
	gen_key(f, 2, 1);
	gen_key(f, 3, 8);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, (int32_t)gen_below(4));
	gen_lddw(f, 1, BPF_PSEUDO_MAP_FD, map, 0);
	gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_update_elem);
	gen_clobber(f);
}

static inline void gen_call(struct gen_func *f)
{
	static const int32_t ids[] = {BPF_FUNC_get_prandom_u32, BPF_FUNC_ktime_get_ns,
				      BPF_FUNC_get_smp_processor_id};

	if (!f->is_native && gen_below(3) == 0) {
		gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, ids[gen_below(3)]);
		gen_clobber(f);
		return;
	}
	if (f->is_sub)
		return;
	if (gen_below(4) == 0) {
		/* in the order of an array's indexes; that of a hash map is nobody's promise */
		gen_lddw(f, 1, BPF_PSEUDO_MAP_FD,
			 f->is_native || gen_below(2) ? GEN_MAP_ARRAY : GEN_MAP_HASH, 0);
		gen_lddw(f, 2, BPF_PSEUDO_FUNC, 3, 0);
		gen_key(f, 3, 1 + (int)gen_below(4));
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0);
		gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_for_each_map_elem);
		gen_clobber(f);
		return;
	}
	if (gen_below(2)) {
		int a = gen_number(f);

		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 1, a, 0, 0);
		gen_key(f, 2, 1 + (int)gen_below(4));
		gen_emit(f, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1);
	} else {
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, (int32_t)gen_below(6));
		gen_lddw(f, 2, BPF_PSEUDO_FUNC, 2, 0);
		gen_key(f, 3, 1 + (int)gen_below(4));
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0);
		gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_loop);
	}
	gen_clobber(f);
}

/* A record, taken and given back, mostly. */
static inline void gen_record(struct gen_func *f)
{
	int bytes = 8 * (1 + (int)gen_below(8)), reg = 7 + (int)gen_below(3), number;

	if (f->depth > 2)
		return;
	gen_lddw(f, 1, BPF_PSEUDO_MAP_FD, GEN_MAP_RING, 0);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, bytes);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0);
	gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_reserve);
	gen_clobber(f);
	if (gen_below(16)) {
		gen_emit(f, BPF_JMP | BPF_JNE | BPF_K, 0, 0, 2, 0);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
		gen_emit(f, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	}
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, reg, 0, 0, 0);
	f->regs[0] = f->regs[reg] = GEN_UNSET;
	number = gen_number(f);
	if (number == reg)
		return;
	gen_emit(f, BPF_STX | BPF_MEM | BPF_W, reg, number,
		 (int)gen_below((uint32_t)bytes - (gen_below(8) ? 4 : 3)), 0);
	/* two ways to give it back, or one of them not */
	if (gen_below(3) == 0) {
		gen_emit(f, gen_condition() | BPF_K, number, 0, 4, gen_imm());
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 1, reg, 0, 0);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0);
		gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_submit);
		gen_emit(f, BPF_JMP | BPF_JA, 0, 0, gen_below(8) ? 3 : 0, 0);
	}
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 1, reg, 0, 0);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0);
	gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_discard);
	gen_clobber(f);
	f->regs[0] = GEN_UNSET;
}

/* A dynptr of a value, written or read, at an offset that it may not have. */
static inline void gen_dynptr(struct gen_func *f)
{
	int value = gen_find(f, GEN_VALUE), off, dst;

	if (value < 6)
		return;
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 1, value, 0, 0);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0,
		 1 + (int32_t)gen_below(gen_below(8) ? GEN_VALUE_BYTES : GEN_VALUE_BYTES + 8));
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0);
	gen_key(f, 4, 12);
	gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_dynptr_from_mem);
	gen_clobber(f);
	gen_block(f, (int)gen_below(2));
	gen_key(f, 1, gen_below(16) ? 12 : 13);
	if (gen_below(2)) {
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, (int32_t)gen_below(64));
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 8);
		gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_dynptr_data);
		gen_clobber(f);
		dst = 7 + (int)gen_below(3);
		gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, 0);
		gen_emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1, 0);
		gen_emit(f, BPF_LDX | BPF_MEM | BPF_W, dst, 0, (int)gen_below(gen_below(8) ? 5 : 7),
			 0);
		f->regs[dst] = GEN_NUMBER;
		f->regs[0] = GEN_UNSET;
		return;
	}
	/* dynptr_read(stack - 32, n, dynptr, off, 0) */
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 3, 1, 0, 0);
	gen_key(f, 1, 4);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, (int32_t)gen_below(gen_below(8) ? 33 : 40));
	off = gen_find(f, GEN_NUMBER);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_X, 4, off > 5 ? off : 10, 0, 0);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 5, 0, 0, 0);
	gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_dynptr_read);
	gen_clobber(f);
}

static inline void gen_queue(struct gen_func *f)
{
	static const int32_t ids[] = {BPF_FUNC_map_push_elem, BPF_FUNC_map_pop_elem,
				      BPF_FUNC_map_peek_elem};

	gen_key(f, 2, gen_below(8) ? 3 : 1);
	gen_emit(f, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0);
	gen_lddw(f, 1, BPF_PSEUDO_MAP_FD, GEN_MAP_QUEUE, 0);
	gen_emit(f, BPF_JMP | BPF_CALL, 0, 0, 0, ids[gen_below(3)]);
	gen_clobber(f);
}

#endif /* INLAY_TEST_ORACLE_GEN_CALLS_H */
