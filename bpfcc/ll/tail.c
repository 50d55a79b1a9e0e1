/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tail calls. A program that makes them, or is reached by them, has its body in
 * __inlay_tail_H_<program>, `i64 (ptr frame, ptr count)`; the program itself calls that with a
 * counter of its own, so that chains end after MAX_TAIL_CALLS as in the kernel, and each step of a
 * chain leaves nothing on the stack (musttail).
 *
 * What a PROG_ARRAY holds is part of the code: a switch over the index. No code address is ever in
 * shared memory.
 */
#include "bpfcc/ll/impl.h"

#include <stdio.h>

#include "bpfcc/isa.h"

#define MAX_TAIL_CALLS 33 /* MAX_TAIL_CALL_CNT */

static bool is_tail_call(const struct bpf_insn *insn)
{
	return bpfcc_insn_is_call(insn) && !insn->src_reg && insn->imm == BPF_FUNC_tail_call;
}

static uint32_t callee_of(const struct lower *l, const struct bpf_insn *insn)
{
	if (bpfcc_insn_is_call(insn) && insn->src_reg == BPF_PSEUDO_CALL &&
	    (uint32_t)insn->imm < l->object->nr_funcs)
		return (uint32_t)insn->imm;
	return UINT32_MAX;
}

/* One look at a function; true if something was learnt. */
static bool l_find_in(struct lower *l, const struct bpfcc_func *func)
{
	bool *has = &l->has_tail_calls[func->index];

	for (uint32_t i = 0; i < func->nr_insns && !*has; i++) {
		const struct bpf_insn *insn = &func->insns[i];
		uint32_t callee;

		if (bpfcc_insn_is_lddw(insn)) {
			i++;
			continue;
		}
		callee = callee_of(l, insn);
		if (is_tail_call(insn) || (callee != UINT32_MAX && l->has_tail_calls[callee])) {
			*has = true;
			return true;
		}
	}
	return false;
}

/* Which functions make tail calls, themselves or by what they call. */
void l_find_tail_calls(struct lower *l)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < l->object->nr_funcs; i++)
			changed |= l_find_in(l, &l->object->funcs[i]);
	}
}

/* Whether a program's body is a function of its own. */
bool l_has_tail_body(struct lower *l, const struct bpfcc_prog *prog)
{
	if (l->has_tail_calls[prog->func->index])
		return true;
	for (uint32_t i = 0; i < l->object->nr_maps; i++) {
		const struct bpfcc_map *map = &l->object->maps[i];

		for (uint32_t k = 0; map->tail_progs && k < map->max_entries; k++)
			if (map->tail_progs[k] == (int32_t)prog->index)
				return true;
	}
	return false;
}

/* The PROG_ARRAY in r2: by the analysis, or by the instruction that put it there. */
static const struct bpfcc_map *l_prog_array(struct lower_func *lf)
{
	const struct bpfcc_object *object = lf->l->object;
	const struct bpfcc_reg *reg = l_kind(lf, lf->insn, BPF_REG_2);
	const struct bpf_insn *insns = lf->func->insns;
	int64_t map = reg && reg->kind == BPFCC_KIND_MAP ? reg->map : -1;

	for (uint32_t i = lf->insn; !reg && i-- > 1 && !lf->b_at[i + 1];) {
		if (insns[i - 1].code != BPFCC_LDDW && insns[i].dst_reg == BPF_REG_2 &&
		    BPF_CLASS(insns[i].code) != BPF_STX && BPF_CLASS(insns[i].code) != BPF_ST)
			break;
		if (bpfcc_insn_is_call(&insns[i]))
			break;
		if (insns[i - 1].code == BPFCC_LDDW && insns[i - 1].dst_reg == BPF_REG_2) {
			if (insns[i - 1].src_reg == BPF_PSEUDO_MAP_FD)
				map = insns[i - 1].imm;
			break;
		}
	}
	if (map < 0 || map >= object->nr_maps ||
	    object->maps[map].type != BPF_MAP_TYPE_PROG_ARRAY)
		return NULL;
	return &object->maps[map];
}

/* Goes on in program `prog`; nothing comes behind. */
static void l_go_to(struct lower_func *lf, const struct bpfcc_prog *prog)
{
	LLVMValueRef v_fn = lf->l->v_tails[prog->index], v_args[] = {lf->v_frame, lf->v_count};
	LLVMBuilderRef b = lf->l->builder;
	LLVMValueRef v = LLVMBuildCall2(b, LLVMGlobalGetValueType(v_fn), v_fn, v_args, 2, "");

	/* out of a subprogram, whose parameters are others, its frame stays */
	if (LLVMGlobalGetValueType(lf->v_fn) == LLVMGlobalGetValueType(v_fn))
		LLVMSetTailCallKind(v, LLVMTailCallKindMustTail);
	LLVMBuildRet(b, v);
}

/* bpf_tail_call(r1: ctx, r2: map, r3: index) */
int l_tail_call(struct lower_func *lf)
{
	const struct bpfcc_map *map = l_prog_array(lf);
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMBasicBlockRef b_on, b_may;
	LLVMValueRef v_index, v_count, v_switch, v_limit;

	if (!map)
		return l_error(lf, "name the map in the call",
			       "the map of a tail call is not known here");
	if (!lf->v_count)
		return l_error(lf, NULL, "a callback makes a tail call");
	v_index = LLVMBuildTrunc(b, l_get_num(lf, BPF_REG_3), l->t_i32, "");
	v_count = LLVMBuildLoad2(b, l->t_i32, lf->v_count, "");
	v_limit = LLVMConstInt(l->t_i32, MAX_TAIL_CALLS, false);
	b_may = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "tail");
	b_on = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "");
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntULT, v_count, v_limit, ""), b_may, b_on);
	LLVMPositionBuilderAtEnd(b, b_may);
	v_switch = LLVMBuildSwitch(b, v_index, b_on, 8);
	for (uint32_t i = 0; map->tail_progs && i < map->max_entries; i++) {
		LLVMBasicBlockRef b_go;

		if (map->tail_progs[i] < 0)
			continue;
		b_go = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "");
		LLVMAddCase(v_switch, LLVMConstInt(l->t_i32, i, false), b_go);
		LLVMPositionBuilderAtEnd(b, b_go);
		LLVMBuildStore(b, LLVMBuildAdd(b, v_count, LLVMConstInt(l->t_i32, 1, false), ""),
			       lf->v_count);
		l_go_to(lf, &l->object->progs[map->tail_progs[i]]);
	}
	LLVMPositionBuilderAtEnd(b, b_on);
	l_set_num(lf, 0, LLVMConstInt(l->t_i64, 0, false));
	return 0;
}

/* The program itself: what its body does, with a counter that starts at 0. */
void l_tail_start(struct lower_func *lf)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMValueRef v_fn = l->v_tails[lf->prog->index], v_args[2];

	v_args[0] = lf->v_frame;
	v_args[1] = LLVMBuildAlloca(b, l->t_i32, "");
	LLVMBuildStore(b, LLVMConstInt(l->t_i32, 0, false), v_args[1]);
	l_set_num(lf, 0,
		  LLVMBuildCall2(b, LLVMGlobalGetValueType(v_fn), v_fn, v_args, 2, ""));
}
