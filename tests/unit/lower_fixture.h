/* SPDX-License-Identifier: BSD-2-Clause */
/* Probe objects made by hand, as the loader would fill them, for tests of the lowering. */
#ifndef INLAY_TESTS_LOWER_FIXTURE_H
#define INLAY_TESTS_LOWER_FIXTURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bpfcc/check.h"
#include "bpfcc/handle.h"
#include "bpfcc/isa.h"
#include "bpfcc/verify/verify.h"

#define INSN(code_, dst, src, off_, imm_)                                                          \
	((struct bpf_insn){                                                                        \
	    .code = (uint8_t)(code_), .dst_reg = dst, .src_reg = src, .off = off_, .imm = imm_})
#define MOV64_IMM(dst, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define MOV64_REG(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define ADD64_IMM(dst, imm) INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define ALU64_REG(op, dst, src) INSN(BPF_ALU64 | (op) | BPF_X, dst, src, 0, 0)
#define ALU64_IMM(op, dst, imm) INSN(BPF_ALU64 | (op) | BPF_K, dst, 0, 0, imm)
#define LOAD(size, dst, src, off) INSN(BPF_LDX | (size) | BPF_MEM, dst, src, off, 0)
#define STORE(size, dst, src, off) INSN(BPF_STX | (size) | BPF_MEM, dst, src, off, 0)
#define STORE_IMM(size, dst, off, imm) INSN(BPF_ST | (size) | BPF_MEM, dst, 0, off, imm)
#define JUMP(op, dst, src, off) INSN(BPF_JMP | (op) | BPF_X, dst, src, off, 0)
#define JUMP_IMM(op, dst, imm, off) INSN(BPF_JMP | (op) | BPF_K, dst, 0, off, imm)
#define CALL(id) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define CALL_SUB(func) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, func)
#define CALL_KFUNC(row) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, row)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LDDW(dst, src, low, high) INSN(BPFCC_LDDW, dst, src, 0, low), INSN(0, 0, 0, 0, high)
#define LDDW_MAP(dst, map) LDDW(dst, BPF_PSEUDO_MAP_FD, map, 0)
#define LDDW_VALUE(dst, map, off) LDDW(dst, BPF_PSEUDO_MAP_VALUE, map, off)

struct lower_fixture {
	struct inlay_bpfcc_object handle;
	struct bpfcc_map maps[8];
	struct bpfcc_func *funcs; /* see lower_fixture_grow() */
	struct bpfcc_prog *progs;
	char last_error[512];
};

static inline void lower_fixture_on_message(void *arg, const struct inlay_bpfcc_message *message)
{
	struct lower_fixture *fx = arg;

	if (message->severity == INLAY_BPFCC_ERROR)
		snprintf(fx->last_error, sizeof(fx->last_error), "%s", message->text);
}

/* Room for nr functions and programs; before any is added. */
static inline void lower_fixture_grow(struct lower_fixture *fx, size_t nr)
{
	fx->funcs = bpfcc_arena_array(fx->handle.data.arena, nr, sizeof(*fx->funcs));
	fx->progs = bpfcc_arena_array(fx->handle.data.arena, nr, sizeof(*fx->progs));
	fx->handle.data.funcs = fx->funcs;
	fx->handle.data.progs = fx->progs;
}

static inline void lower_fixture_init(struct lower_fixture *fx, const char *name)
{
	memset(fx, 0, sizeof(*fx));
	fx->handle.opts.sz = sizeof(fx->handle.opts);
	fx->handle.diag.fn = lower_fixture_on_message;
	fx->handle.diag.arg = fx;
	fx->handle.diag.path = name;
	fx->handle.data.name = name;
	fx->handle.data.path = name;
	fx->handle.data.license = "GPL";
	fx->handle.data.is_gpl_compatible = true;
	fx->handle.data.maps = fx->maps;
	fx->handle.data.arena = bpfcc_arena_new();
	lower_fixture_grow(fx, 16);
	for (size_t i = 0; i < INLAY_HASH_BYTES; i++)
		fx->handle.data.hash[i] = (uint8_t)(0x10 + i);
}

static inline uint32_t lower_fixture_map(struct lower_fixture *fx, const char *name, uint32_t type,
					 uint32_t key_size, uint32_t value_size,
					 uint32_t max_entries)
{
	uint32_t index = fx->handle.data.nr_maps++;

	fx->maps[index] = (struct bpfcc_map){
	    .name = name,
	    .type = type,
	    .key_size = key_size,
	    .value_size = value_size,
	    .max_entries = max_entries,
	    .index = index,
	};
	if (type == INLAY_MAP_TYPE_PERCPU_ARRAY || type == INLAY_MAP_TYPE_PERCPU_HASH)
		fx->maps[index].flags |= INLAY_MAP_PERCPU;
	if (type == INLAY_MAP_TYPE_HASH || type == INLAY_MAP_TYPE_PERCPU_HASH)
		fx->maps[index].flags |= INLAY_MAP_HASH;
	return index;
}

static inline struct bpfcc_func *lower_fixture_func(struct lower_fixture *fx, const char *name,
						    const struct bpf_insn *insns, size_t nr_insns,
						    uint32_t nr_args)
{
	uint32_t index = fx->handle.data.nr_funcs++;

	fx->funcs[index] = (struct bpfcc_func){
	    .name = name,
	    .section = "uprobe",
	    .insns = insns,
	    .nr_insns = (uint32_t)nr_insns,
	    .nr_args = nr_args,
	    .index = index,
	};
	return &fx->funcs[index];
}

static inline struct bpfcc_prog *lower_fixture_prog(struct lower_fixture *fx, const char *name,
						    const struct bpf_insn *insns, size_t nr_insns)
{
	uint32_t index = fx->handle.data.nr_progs++;

	fx->progs[index] = (struct bpfcc_prog){
	    .func = lower_fixture_func(fx, name, insns, nr_insns, 1),
	    .name = name,
	    .section = "uprobe",
	    .kind = INLAY_PROG_ENTRY,
	    .index = index,
	};
	return &fx->progs[index];
}

/* What the verifier finds out, as after opening; ctx is ctx_bytes of memory. False: refused. */
static inline bool lower_fixture_verify(struct lower_fixture *fx, uint32_t ctx_bytes)
{
	const struct bpfcc_verify_opts opts = {.ctx_kind = BPFCC_CTX_MEMORY,
					       .ctx_bytes = ctx_bytes};
	struct bpfcc_object *object = &fx->handle.data;
	struct bpfcc_verify *proof = NULL;
	int err = bpfcc_check(object, object->arena, &fx->handle.diag);

	if (!err)
		err = bpfcc_verify_new(object, &opts, object->arena, &fx->handle.diag, &proof);
	if (!err)
		fx->handle.kinds = bpfcc_verify_kinds(proof);
	bpfcc_verify_free(proof);
	return !err;
}

static inline void lower_fixture_fini(struct lower_fixture *fx)
{
	bpfcc_arena_free(fx->handle.data.arena);
}

#endif /* INLAY_TESTS_LOWER_FIXTURE_H */
