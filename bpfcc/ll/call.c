/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls: of subprograms, which are real functions, and of helpers and kfuncs by rt/helpers.def. */
#include "bpfcc/ll/impl.h"

#include <stdio.h>

#include "bpfcc/isa.h"

/* What C bodies take as a pointer; the rest are numbers. */
static bool is_pointer_arg(enum bpfcc_arg arg)
{
	switch (arg) {
	case BPFCC_ARG_MAP:
	case BPFCC_ARG_KEY:
	case BPFCC_ARG_VALUE:
	case BPFCC_ARG_VALUE_OR_NULL:
	case BPFCC_ARG_VALUE_W:
	case BPFCC_ARG_MEM_R:
	case BPFCC_ARG_MEM_W:
	case BPFCC_ARG_MEM_RW:
	case BPFCC_ARG_MEM_R_OR_NULL:
	case BPFCC_ARG_MEM_W_OR_NULL:
	case BPFCC_ARG_LONG_OUT:
	case BPFCC_ARG_CONST_STR:
	case BPFCC_ARG_CTX:
	case BPFCC_ARG_CALLBACK_CTX:
	case BPFCC_ARG_RECORD:
	case BPFCC_ARG_DYNPTR:
	case BPFCC_ARG_DYNPTR_RECORD:
	case BPFCC_ARG_DYNPTR_NEW:
	case BPFCC_ARG_DYNPTR_CLONE:
	case BPFCC_ARG_BUFFER_OR_NULL:
	case BPFCC_ARG_DYNPTR_RECORD_NEW:
	case BPFCC_ARG_ITER_NEW:
	case BPFCC_ARG_ITER:
	case BPFCC_ARG_ITER_END:
	case BPFCC_ARG_SPIN_LOCK:
	case BPFCC_ARG_OBJECT:
		return true;
	default:
		return false;
	}
}

static LLVMTypeRef l_result_type(struct lower *l, const struct bpfcc_helper *helper)
{
	switch (helper->ret) {
	case BPFCC_RET_PTR_VALUE_OR_NULL:
	case BPFCC_RET_PTR_MEM:
	case BPFCC_RET_RECORD_OR_NULL:
	case BPFCC_RET_SLICE_OR_NULL:
	case BPFCC_RET_SLICE_R_OR_NULL:
	case BPFCC_RET_OBJECT:
	case BPFCC_RET_ITEM_OR_NULL:
		return l->t_ptr;
	case BPFCC_RET_VOID:
		return l->t_void;
	default:
		return l->t_i64;
	}
}

/*
 * The function behind a helper: of class CALL libinlay's __inlay_<name>_v1, else the external
 * instance in the helper bitcode, which import.c links in.
 */
LLVMValueRef l_call_helper(struct lower *l, const struct bpfcc_helper *helper, LLVMValueRef *v_args)
{
	bool has_frame = helper->flags & BPFCC_HELPER_F_FRAME;
	LLVMTypeRef t_args[BPFCC_MAX_ARGS + 1], t_fn;
	unsigned int nr = 0;
	char name[128];
	LLVMValueRef v_fn;

	if (has_frame)
		t_args[nr++] = l->t_ptr;
	for (uint32_t i = 0; i < BPFCC_MAX_ARGS; i++) {
		enum bpfcc_arg arg = helper->args[i];

		if (arg == BPFCC_ARG_NONE || (has_frame && arg == BPFCC_ARG_CTX))
			continue;
		t_args[nr++] = is_pointer_arg(arg) ? l->t_ptr : l->t_i64;
	}
	t_fn = LLVMFunctionType(l_result_type(l, helper), t_args, nr, false);
	if (helper->class == BPFCC_HELPER_CALL)
		snprintf(name, sizeof(name), "__inlay_%s_v1", helper->name);
	else
		snprintf(name, sizeof(name), HELPER_PREFIX "%s", helper->name);
	v_fn = LLVMGetNamedFunction(l->module, name);
	if (!v_fn) {
		v_fn = LLVMAddFunction(l->module, name, t_fn);
		ll_add_attr(v_fn, LLVMAttributeFunctionIndex, "nounwind");
	}
	return LLVMBuildCall2(l->builder, t_fn, v_fn, v_args, nr, "");
}

static void l_set_result(struct lower_func *lf, LLVMValueRef v)
{
	struct lower *l = lf->l;

	if (LLVMTypeOf(v) == l->t_ptr)
		l_set_ptr(lf, 0, v);
	else if (LLVMTypeOf(v) == l->t_i64)
		l_set_num(lf, 0, v);
	else
		l_set_num(lf, 0, LLVMConstInt(l->t_i64, 0, false));
}

/* Of an array -E2BIG says that the index is beyond the end, which is no want of space. */
static bool may_fill_up(struct lower_func *lf)
{
	const struct bpfcc_reg *map = l_kind(lf, lf->insn, BPF_REG_1);
	uint32_t type;

	if (!map || map->kind != BPFCC_KIND_MAP || map->map < 0)
		return true;
	type = lf->l->object->maps[map->map].type;
	return type != BPF_MAP_TYPE_ARRAY && type != BPF_MAP_TYPE_PERCPU_ARRAY;
}

static int l_helper(struct lower_func *lf, const struct bpfcc_helper *helper)
{
	bool has_frame = helper->flags & BPFCC_HELPER_F_FRAME;
	const struct bpfcc_reg *source = l_kind(lf, lf->insn, BPF_REG_3);
	LLVMValueRef v_args[BPFCC_MAX_ARGS + 1], v_result;
	unsigned int nr = 0;

	if (helper->args[2] == BPFCC_ARG_ADDR && source && source->kind == BPFCC_KIND_CTX) {
		/* the verifier knows it on each path, and paths may differ */
		if (!l_kind(lf, lf->insn, BPF_REG_2)->off_is_known)
			return l_error(lf, "read one member at a time",
				       "bpf_%s of ctx needs one constant size on all paths",
				       helper->name);
		l_copy_ctx(lf);
		return 0;
	}
	if (has_frame)
		v_args[nr++] = lf->v_frame;
	for (int i = 0; i < BPFCC_MAX_ARGS; i++) {
		enum bpfcc_arg arg = helper->args[i];

		if (arg == BPFCC_ARG_NONE || (has_frame && arg == BPFCC_ARG_CTX))
			continue;
		if (is_pointer_arg(arg))
			v_args[nr++] = l_get_ptr(lf, BPF_REG_1 + i);
		else if (arg == BPFCC_ARG_SIZE || arg == BPFCC_ARG_SIZE0)
			/* 32 bits, unsigned: what is above is not the helper's */
			v_args[nr++] =
			    LLVMBuildAnd(lf->l->builder, l_get_num(lf, BPF_REG_1 + i),
					 LLVMConstInt(lf->l->t_i64, 0xffffffff, false), "");
		else
			v_args[nr++] = l_get_num(lf, BPF_REG_1 + i);
	}
	v_result = l_call_helper(lf->l, helper, v_args);
	l_set_result(lf, v_result);
	if (helper->id == BPF_FUNC_map_push_elem ||
	    (helper->id == BPF_FUNC_map_update_elem && may_fill_up(lf)))
		l_count_drop(lf, v_result);
	return 0;
}

static int l_subprogram(struct lower_func *lf, uint32_t index)
{
	struct lower *l = lf->l;
	LLVMValueRef v_args[BPFCC_MAX_ARGS + 2], v_fn;
	uint32_t nr_args;

	if (index >= l->object->nr_funcs || !l->v_subs[index])
		return l_error(lf, NULL, "call of function %u of %u", index, l->object->nr_funcs);
	v_fn = l->v_subs[index];
	nr_args = LLVMCountParams(v_fn) - 1;
	v_args[0] = lf->v_frame;
	if (l->has_tail_calls[index]) {
		/* its last parameter, see l_declare_subs() */
		if (!lf->v_count)
			return l_error(lf, NULL, "a callback makes a tail call");
		v_args[nr_args--] = lf->v_count;
	}
	for (uint32_t i = 0; i < nr_args; i++)
		v_args[i + 1] = l_get_num(lf, BPF_REG_1 + (int)i);
	l_set_num(lf, 0,
		  LLVMBuildCall2(l->builder, LLVMGlobalGetValueType(v_fn), v_fn, v_args,
				 LLVMCountParams(v_fn), ""));
	return 0;
}

/* Helpers that are code made here, not functions. */
static bool l_is_lowered(int32_t id)
{
	return id == BPF_FUNC_set_retval || id == BPF_FUNC_get_retval || id == BPF_FUNC_loop ||
	       id == BPF_FUNC_for_each_map_elem || id == BPF_FUNC_user_ringbuf_drain ||
	       id == BPF_FUNC_tail_call;
}

/* As bpf_override_return(), which has ctx, and takes 64 bits. */
static void l_set_retval(struct lower_func *lf)
{
	struct lower *l = lf->l;
	LLVMValueRef v_rc = LLVMBuildTrunc(l->builder, l_get_num(lf, BPF_REG_1),
					   LLVMInt32TypeInContext(l->context), "");
	LLVMValueRef v_args[] = {lf->v_frame, LLVMBuildSExt(l->builder, v_rc, l->t_i64, "")};

	l_set_result(lf, l_call_helper(l, bpfcc_helper_by_id(BPF_FUNC_override_return), v_args));
}

static int l_lowered_helper(struct lower_func *lf, int32_t id)
{
	if (id == BPF_FUNC_tail_call)
		return l_tail_call(lf);
	if (id == BPF_FUNC_set_retval)
		l_set_retval(lf);
	else if (id == BPF_FUNC_get_retval)
		l_set_result(lf, l_call_helper(lf->l, bpfcc_helper_by_id(id), &lf->v_frame));
	else if (id == BPF_FUNC_loop)
		l_loop(lf);
	else if (id == BPF_FUNC_user_ringbuf_drain)
		l_user_drain(lf);
	else
		l_for_each(lf);
	return 0;
}

#define MAX_GUESSES 16

/* Helpers whose numbers are constants of the function: what clang calls through a register at -O0. */
static uint32_t l_guess_helpers(const struct bpfcc_func *func, int32_t ids[MAX_GUESSES])
{
	uint32_t nr = 0, known;

	for (uint32_t i = 0; i < func->nr_insns && nr < MAX_GUESSES; i++) {
		const struct bpf_insn *in = &func->insns[i];
		bool is_move = (BPF_CLASS(in->code) == BPF_ALU || BPF_CLASS(in->code) == BPF_ALU64) &&
			       BPF_OP(in->code) == BPF_MOV && BPF_SRC(in->code) == BPF_K;
		const struct bpfcc_helper *helper = bpfcc_helper_by_id(in->imm);

		if ((is_move || (bpfcc_insn_is_lddw(in) && !in->src_reg)) && in->imm > 0 && helper &&
		    helper->class != BPFCC_HELPER_ABSENT && helper->class != BPFCC_HELPER_LOWERED) {
			for (known = 0; known < nr && ids[known] != in->imm; known++)
				;
			ids[nr] = in->imm;
			nr += known == nr;
		}
		i += bpfcc_insn_is_lddw(in);
	}
	return nr;
}

/* Nothing was proved: the register is compared with what it may hold. */
static int l_callx_unproved(struct lower_func *lf, int reg)
{
	struct lower *l = lf->l;
	LLVMBasicBlockRef b_end = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "");
	int32_t ids[MAX_GUESSES];
	uint32_t nr = l_guess_helpers(lf->func, ids);

	for (uint32_t i = 0; i < nr; i++) {
		LLVMBasicBlockRef b_is, b_next;
		int err;

		b_is = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "");
		b_next = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "");
		LLVMBuildCondBr(l->builder,
				LLVMBuildICmp(l->builder, LLVMIntEQ, l_get_num(lf, reg),
					      LLVMConstInt(l->t_i64, (uint64_t)ids[i], false), ""),
				b_is, b_next);
		LLVMPositionBuilderAtEnd(l->builder, b_is);
		err = l_helper(lf, bpfcc_helper_by_id(ids[i]));
		if (err)
			return err;
		LLVMBuildBr(l->builder, b_end);
		LLVMPositionBuilderAtEnd(l->builder, b_next);
	}
	l_callx(lf, reg);
	LLVMBuildBr(l->builder, b_end);
	LLVMPositionBuilderAtEnd(l->builder, b_end);
	return 0;
}

int l_call(struct lower_func *lf, const struct bpf_insn *insn)
{
	const struct bpfcc_helper *helper;

	if (bpfcc_insn_is_callx(insn)) {
		const struct bpfcc_reg *r = l_kind(lf, lf->insn, bpfcc_insn_callx_reg(insn));

		/* on all paths then, the verifier sees to it */
		if (r && r->kind == BPFCC_KIND_SCALAR && r->off_is_known)
			return l_call(lf, &(struct bpf_insn){.code = BPF_JMP | BPF_CALL,
							     .imm = (int32_t)r->off});
		if (!lf->l->handle->kinds)
			return l_callx_unproved(lf, bpfcc_insn_callx_reg(insn));
		l_callx(lf, bpfcc_insn_callx_reg(insn));
		return 0;
	}
	switch (insn->src_reg) {
	case BPF_PSEUDO_CALL:
		return l_subprogram(lf, (uint32_t)insn->imm);
	case BPF_PSEUDO_KFUNC_CALL:
		helper = bpfcc_kfunc_by_index(insn->imm);
		/* sections of the kernel's: nothing to be done */
		if (helper && helper->class == BPFCC_HELPER_LOWERED) {
			l_set_num(lf, 0, LLVMConstInt(lf->l->t_i64, 0, false));
			return 0;
		}
		break;
	default:
		if (l_is_lowered(insn->imm))
			return l_lowered_helper(lf, insn->imm);
		helper = bpfcc_helper_by_id(insn->imm);
		break;
	}
	if (!helper && bpfcc_poison(lf->l->object, insn))
		return l_error(lf, NULL, "%s", bpfcc_poison(lf->l->object, insn));
	if (!helper)
		return l_error(lf, NULL, "call of unknown helper %d", insn->imm);
	if (helper->class == BPFCC_HELPER_ABSENT && bpfcc_helper_absent_reason(helper))
		return l_error(lf, NULL, "bpf_%s cannot be had in a process: %s", helper->name,
			       bpfcc_helper_absent_reason(helper));
	if (helper->class == BPFCC_HELPER_ABSENT)
		return l_error(lf, "bpfcc --helpers lists what there is",
			       "Inlay's runtime does not have bpf_%s yet", helper->name);
	return l_helper(lf, helper);
}
