/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions as values. In a register or in memory the address of a function is its number + 1,
 * never a code address: what a map holds may be changed by anybody, and a number that is none
 * calls nothing. __inlay_dispatch_H turns a number into a call; where the number is known, as
 * it nearly always is, the call becomes a direct one, which the optimiser can inline.
 *
 * bpf_loop(), bpf_for_each_map_elem() and bpf_user_ringbuf_drain() are loops here, not calls. Their results
 * are the kernel's (kernel/bpf/bpf_iter.c, arraymap.c, hashtab.c, ringbuf.c).
 */
#include "bpfcc/ll/impl.h"

#include <errno.h>
#include <stdio.h>

#include "bpfcc/isa.h"

#define MAX_LOOPS (8u << 20) /* BPF_MAX_LOOPS */
#define NR_ARGS (2 + BPFCC_MAX_ARGS) /* of the dispatcher: frame, number, r1 to r5 */
#define EACH_BYTES 16 /* struct inlay_map_each of rt/inline/map_each.h */
#define INLAY_USER_DRAIN_BYTES 56 /* struct inlay_user_drain of rt/inline/map_ringbuf.h */

static LLVMValueRef l_u64(struct lower *l, uint64_t n)
{
	return LLVMConstInt(l->t_i64, n, false);
}

LLVMValueRef l_func_number(struct lower *l, uint32_t func)
{
	return l_u64(l, func + 1ull);
}

/* Calls subprogram `func` with as many of the values as it takes. */
static LLVMValueRef l_call_sub(struct lower *l, uint32_t func, LLVMValueRef *v_args)
{
	LLVMValueRef v_fn = l->v_subs[func];

	return LLVMBuildCall2(l->builder, LLVMGlobalGetValueType(v_fn), v_fn, v_args,
			      LLVMCountParams(v_fn), "");
}

static LLVMValueRef l_dispatcher(struct lower *l)
{
	LLVMTypeRef t_args[NR_ARGS] = {l->t_ptr, l->t_i64, l->t_i64, l->t_i64,
				       l->t_i64, l->t_i64, l->t_i64};
	char name[64];

	if (!l->v_dispatch) {
		snprintf(name, sizeof(name), "__inlay_dispatch_%s", l->hash);
		l->v_dispatch = LLVMAddFunction(
		    l->module, name, LLVMFunctionType(l->t_i64, t_args, NR_ARGS, false));
		ll_add_attr(l->v_dispatch, LLVMAttributeFunctionIndex, "nounwind");
	}
	return l->v_dispatch;
}

/* Calls function number v_number with r1 to r5. */
LLVMValueRef l_dispatch(struct lower_func *lf, LLVMValueRef v_number, LLVMValueRef *v_regs)
{
	LLVMValueRef v_args[NR_ARGS] = {lf->v_frame, v_number,	v_regs[0], v_regs[1],
					v_regs[2],   v_regs[3], v_regs[4]};
	LLVMValueRef v_fn = l_dispatcher(lf->l);

	return LLVMBuildCall2(lf->l->builder, LLVMGlobalGetValueType(v_fn), v_fn, v_args, NR_ARGS,
			      "");
}

/* The dispatcher's body, once all functions are declared. Those that make tail calls are not in
 * it: the verifier refuses them as callbacks. */
static void l_dispatcher_body(struct lower *l)
{
	LLVMBuilderRef b = l->builder;
	LLVMBasicBlockRef b_entry =
	    LLVMAppendBasicBlockInContext(l->context, l->v_dispatch, "entry");
	LLVMBasicBlockRef b_none = LLVMAppendBasicBlockInContext(l->context, l->v_dispatch, "none");
	LLVMValueRef v_switch, v_args[NR_ARGS];

	LLVMSetLinkage(l->v_dispatch, LLVMInternalLinkage);
	LLVMPositionBuilderAtEnd(b, b_none);
	LLVMBuildRet(b, l_u64(l, 0));
	LLVMPositionBuilderAtEnd(b, b_entry);
	v_switch = LLVMBuildSwitch(b, LLVMGetParam(l->v_dispatch, 1), b_none, l->object->nr_funcs);
	for (uint32_t i = 0; i < l->object->nr_funcs; i++) {
		LLVMBasicBlockRef b_call;

		if (!l->v_subs[i] || !l->is_address_taken[i] || l->has_tail_calls[i])
			continue;
		b_call = LLVMAppendBasicBlockInContext(l->context, l->v_dispatch, "");
		LLVMPositionBuilderAtEnd(b, b_call);
		v_args[0] = LLVMGetParam(l->v_dispatch, 0);
		for (unsigned int k = 1; k <= BPFCC_MAX_ARGS; k++)
			v_args[k] = LLVMGetParam(l->v_dispatch, k + 1);
		LLVMBuildRet(b, l_call_sub(l, i, v_args));
		LLVMAddCase(v_switch, l_func_number(l, i), b_call);
	}
}

/* A callback that is called in one place is the body of that loop. */
static void l_inline_only_use(struct lower *l, LLVMValueRef v_fn)
{
	static const char name[] = "alwaysinline";
	LLVMUseRef use = LLVMGetFirstUse(v_fn);

	if (use && !LLVMGetNextUse(use))
		LLVMAddCallSiteAttribute(
		    LLVMGetUser(use), LLVMAttributeFunctionIndex,
		    LLVMCreateEnumAttribute(
			l->context, LLVMGetEnumAttributeKindForName(name, sizeof(name) - 1), 0));
}

/* Calls with a number that is known, as mem2reg shows it, become direct. */
void l_resolve_callbacks(struct lower *l)
{
	LLVMUseRef use, next;

	if (!l->v_dispatch)
		return;
	for (use = LLVMGetFirstUse(l->v_dispatch); use; use = next) {
		LLVMValueRef v_call = LLVMGetUser(use), v_number, v_args[NR_ARGS], v;
		uint64_t func;

		next = LLVMGetNextUse(use);
		v_number = LLVMGetOperand(v_call, 1);
		if (!LLVMIsAConstantInt(v_number))
			continue;
		func = LLVMConstIntGetZExtValue(v_number) - 1;
		if (func >= l->object->nr_funcs || !l->v_subs[func] || l->has_tail_calls[func])
			continue;
		LLVMPositionBuilderBefore(l->builder, v_call);
		v_args[0] = LLVMGetOperand(v_call, 0);
		for (unsigned int k = 1; k <= BPFCC_MAX_ARGS; k++)
			v_args[k] = LLVMGetOperand(v_call, k + 1);
		v = l_call_sub(l, (uint32_t)func, v_args);
		LLVMReplaceAllUsesWith(v_call, v);
		LLVMInstructionEraseFromParent(v_call);
	}
	if (LLVMGetFirstUse(l->v_dispatch)) {
		l_dispatcher_body(l);
	} else {
		LLVMDeleteFunction(l->v_dispatch);
		l->v_dispatch = NULL;
	}
	for (uint32_t i = 0; i < l->object->nr_funcs; i++)
		if (l->v_subs[i] && l->is_address_taken[i])
			l_inline_only_use(l, l->v_subs[i]);
}

static LLVMBasicBlockRef l_block(struct lower_func *lf, const char *name)
{
	return LLVMAppendBasicBlockInContext(lf->l->context, lf->v_fn, name);
}

/* Goes on with `v_result` in r0 if v_is_error; else behind. */
static void l_leave_if(struct lower_func *lf, LLVMValueRef v_is_error, int64_t error,
		       LLVMValueRef v_result, LLVMBasicBlockRef b_out)
{
	LLVMBuilderRef b = lf->l->builder;
	LLVMBasicBlockRef b_error = l_block(lf, ""), b_on = l_block(lf, "");

	LLVMBuildCondBr(b, v_is_error, b_error, b_on);
	LLVMPositionBuilderAtEnd(b, b_error);
	LLVMBuildStore(b, l_u64(lf->l, (uint64_t)error), v_result);
	LLVMBuildBr(b, b_out);
	LLVMPositionBuilderAtEnd(b, b_on);
}

/* A variable of the function; mem2reg makes it a value. */
static LLVMValueRef l_variable(struct lower_func *lf, LLVMTypeRef t)
{
	LLVMBuilderRef b = LLVMCreateBuilderInContext(lf->l->context);
	LLVMBasicBlockRef b_entry = LLVMGetEntryBasicBlock(lf->v_fn);
	LLVMValueRef v;

	LLVMPositionBuilderBefore(b, LLVMGetFirstInstruction(b_entry));
	v = LLVMBuildAlloca(b, t, "");
	LLVMDisposeBuilder(b);
	return v;
}

/* r0 = bpf_loop(r1: count, r2: function, r3: its context, r4: flags) */
void l_loop(struct lower_func *lf)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMValueRef v_nr = LLVMBuildAnd(b, l_get_num(lf, 1), l_u64(l, 0xffffffff), "");
	LLVMValueRef v_number = l_get_num(lf, 2), v_context = l_get_num(lf, 3);
	LLVMValueRef v_done = l_variable(lf, l->t_i64), v_i, v_next, v_ret;
	LLVMBasicBlockRef b_head = l_block(lf, "loop"), b_body = l_block(lf, "");
	LLVMBasicBlockRef b_out = l_block(lf, "");

	l_leave_if(lf, LLVMBuildICmp(b, LLVMIntNE, l_get_num(lf, 4), l_u64(l, 0), ""), -EINVAL,
		   v_done, b_out);
	l_leave_if(lf, LLVMBuildICmp(b, LLVMIntUGT, v_nr, l_u64(l, MAX_LOOPS), ""), -E2BIG, v_done,
		   b_out);
	LLVMBuildStore(b, l_u64(l, 0), v_done);
	LLVMBuildBr(b, b_head);

	LLVMPositionBuilderAtEnd(b, b_head);
	v_i = LLVMBuildLoad2(b, l->t_i64, v_done, "");
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntULT, v_i, v_nr, ""), b_body, b_out);

	LLVMPositionBuilderAtEnd(b, b_body);
	v_next = LLVMBuildAdd(b, v_i, l_u64(l, 1), "");
	LLVMBuildStore(b, v_next, v_done);
	v_ret = l_dispatch(lf, v_number, (LLVMValueRef[]){v_i, v_context, l_u64(l, 0),
							  l_u64(l, 0), l_u64(l, 0)});
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, v_ret, l_u64(l, 0), ""), b_head, b_out);

	LLVMPositionBuilderAtEnd(b, b_out);
	l_set_num(lf, 0, LLVMBuildLoad2(b, l->t_i64, v_done, ""));
}

/* value = next element, or NULL; the key's address is left in *v_key */
static LLVMValueRef l_next_elem(struct lower_func *lf, LLVMValueRef v_desc, LLVMValueRef v_each,
				LLVMValueRef v_index)
{
	static const char name[] = HELPER_PREFIX "map_each";
	struct lower *l = lf->l;
	LLVMTypeRef t_args[] = {l->t_ptr, l->t_ptr, l->t_ptr};
	LLVMTypeRef t_fn = LLVMFunctionType(l->t_ptr, t_args, 3, false);
	LLVMValueRef v_fn = LLVMGetNamedFunction(l->module, name);
	LLVMValueRef v_args[] = {v_desc, v_each, v_index};

	if (!v_fn)
		v_fn = LLVMAddFunction(l->module, name, t_fn);
	return LLVMBuildCall2(l->builder, t_fn, v_fn, v_args, 3, "");
}

/* r0 = bpf_for_each_map_elem(r1: map, r2: function, r3: its context, r4: flags) */
void l_for_each(struct lower_func *lf)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMValueRef v_desc = l_get_ptr(lf, 1);
	LLVMValueRef v_number = l_get_num(lf, 2), v_context = l_get_num(lf, 3);
	LLVMValueRef v_done = l_variable(lf, l->t_i64), v_value, v_key, v_ret;
	LLVMValueRef v_each = l_variable(lf, LLVMArrayType2(l->t_i64, EACH_BYTES / 8));
	/* 8 bytes: of a map that is not known the callback may read as many, as of a hash map's key */
	LLVMValueRef v_index = l_variable(lf, l->t_i64);
	LLVMBasicBlockRef b_head = l_block(lf, "each"), b_body = l_block(lf, "");
	LLVMBasicBlockRef b_out = l_block(lf, "");

	LLVMSetAlignment(v_each, 8);
	l_leave_if(lf, LLVMBuildICmp(b, LLVMIntNE, l_get_num(lf, 4), l_u64(l, 0), ""), -EINVAL,
		   v_done, b_out);
	LLVMBuildStore(b, l_u64(l, 0), v_done);
	LLVMBuildStore(b, LLVMConstNull(LLVMArrayType2(l->t_i64, EACH_BYTES / 8)), v_each);
	LLVMBuildBr(b, b_head);

	LLVMPositionBuilderAtEnd(b, b_head);
	v_value = l_next_elem(lf, v_desc, v_each, v_index);
	LLVMBuildCondBr(b, LLVMBuildIsNull(b, v_value, ""), b_out, b_body);

	LLVMPositionBuilderAtEnd(b, b_body);
	LLVMBuildStore(b,
		       LLVMBuildAdd(b, LLVMBuildLoad2(b, l->t_i64, v_done, ""), l_u64(l, 1), ""),
		       v_done);
	/* the first member of struct inlay_map_each */
	v_key = LLVMBuildLoad2(b, l->t_i64, v_each, "");
	v_ret = l_dispatch(lf, v_number,
			   (LLVMValueRef[]){LLVMBuildPtrToInt(b, v_desc, l->t_i64, ""), v_key,
					    LLVMBuildPtrToInt(b, v_value, l->t_i64, ""), v_context,
					    l_u64(l, 0)});
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, v_ret, l_u64(l, 0), ""), b_head, b_out);

	LLVMPositionBuilderAtEnd(b, b_out);
	l_set_num(lf, 0, LLVMBuildLoad2(b, l->t_i64, v_done, ""));
}

/* A step of a drain, in libinlay (rt/map_ringbuf_user.c). */
static LLVMValueRef l_drain_step(struct lower_func *lf, const char *name, LLVMTypeRef t_ret,
				 LLVMValueRef *v_args, unsigned int nr)
{
	struct lower *l = lf->l;
	LLVMTypeRef t_args[3], t_fn;
	LLVMValueRef v_fn = LLVMGetNamedFunction(l->module, name);

	for (unsigned int i = 0; i < nr; i++)
		t_args[i] = LLVMTypeOf(v_args[i]);
	t_fn = LLVMFunctionType(t_ret, t_args, nr, false);
	if (!v_fn) {
		v_fn = LLVMAddFunction(l->module, name, t_fn);
		ll_add_attr(v_fn, LLVMAttributeFunctionIndex, "nounwind");
	}
	return LLVMBuildCall2(l->builder, t_fn, v_fn, v_args, nr, "");
}

/* r0 = bpf_user_ringbuf_drain(r1: map, r2: function, r3: its context, r4: flags) */
void l_user_drain(struct lower_func *lf)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMValueRef v_desc = l_get_ptr(lf, 1), v_number = l_get_num(lf, 2);
	LLVMValueRef v_context = l_get_num(lf, 3), v_zero = l_u64(l, 0), v_ret, v_is_sample;
	LLVMValueRef v_result = l_variable(lf, l->t_i64);
	LLVMValueRef v_drain = l_variable(lf, LLVMArrayType2(l->t_i64, INLAY_USER_DRAIN_BYTES / 8));
	LLVMValueRef v_dynptr = l_variable(lf, LLVMArrayType2(l->t_i64, 2));
	LLVMBasicBlockRef b_head = l_block(lf, "drain"), b_body = l_block(lf, "");
	LLVMBasicBlockRef b_end = l_block(lf, ""), b_begun = l_block(lf, ""), b_out = l_block(lf, "");

	LLVMSetAlignment(v_drain, 8);
	LLVMSetAlignment(v_dynptr, 8);
	v_ret = l_drain_step(lf, "__inlay_user_ringbuf_begin_v1", l->t_i64,
			     (LLVMValueRef[]){v_desc, l_get_num(lf, 4), v_drain}, 3);
	LLVMBuildStore(b, v_ret, v_result);
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, v_ret, v_zero, ""), b_begun, b_out);

	LLVMPositionBuilderAtEnd(b, b_begun);
	LLVMBuildBr(b, b_head);

	LLVMPositionBuilderAtEnd(b, b_head);
	v_is_sample = l_drain_step(lf, "__inlay_user_ringbuf_next_v1", l->t_i64,
				   (LLVMValueRef[]){v_drain, v_dynptr}, 2);
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntNE, v_is_sample, v_zero, ""), b_body, b_end);

	LLVMPositionBuilderAtEnd(b, b_body);
	v_ret = l_dispatch(lf, v_number,
			   (LLVMValueRef[]){LLVMBuildPtrToInt(b, v_dynptr, l->t_i64, ""), v_context,
					    v_zero, v_zero, v_zero});
	l_drain_step(lf, "__inlay_user_ringbuf_done_v1", l->t_void, &v_drain, 1);
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, v_ret, v_zero, ""), b_head, b_end);

	LLVMPositionBuilderAtEnd(b, b_end);
	v_ret = l_drain_step(lf, "__inlay_user_ringbuf_end_v1", l->t_i64, &v_drain, 1);
	LLVMBuildStore(b, v_ret, v_result);
	LLVMBuildBr(b, b_out);

	LLVMPositionBuilderAtEnd(b, b_out);
	l_set_num(lf, 0, LLVMBuildLoad2(b, l->t_i64, v_result, ""));
}

/* r0 = function number in `reg`, called with r1 to r5 */
void l_callx(struct lower_func *lf, int reg)
{
	LLVMValueRef v_regs[BPFCC_MAX_ARGS];

	for (int i = 0; i < BPFCC_MAX_ARGS; i++)
		v_regs[i] = l_get_num(lf, BPF_REG_1 + i);
	l_set_num(lf, 0, l_dispatch(lf, l_get_num(lf, reg), v_regs));
}
