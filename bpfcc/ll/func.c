/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions: registers, blocks, entry and exit. A program or subprogram of the object becomes one
 * LLVM function; instructions are lowered one by one, the optimiser does the rest.
 */
#include "bpfcc/ll/impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/isa.h"

/* rounds of may_goto that one call of a function may make: the kernel's BPF_MAX_LOOPS */
#define MAY_GOTO_BUDGET (8u << 20)

int l_error(struct lower_func *lf, const char *hint, const char *format, ...)
{
	struct bpfcc_where where = {.func = lf->func, .insn = (int)lf->insn};
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return bpfcc_error(&lf->l->handle->diag, &where, hint, "%s", text);
}

const struct bpfcc_reg *l_kind(const struct lower_func *lf, uint32_t insn, int reg)
{
	if (!lf->l->handle->kinds || insn >= lf->func->nr_insns)
		return NULL;
	return &bpfcc_kinds_before(lf->l->handle->kinds, lf->func->index, insn)->r[reg];
}

LLVMValueRef l_get_num(struct lower_func *lf, int reg)
{
	return LLVMBuildLoad2(lf->l->builder, lf->l->t_i64, lf->v_num[reg], "");
}

LLVMValueRef l_get_ptr(struct lower_func *lf, int reg)
{
	return LLVMBuildLoad2(lf->l->builder, lf->l->t_ptr, lf->v_ptr[reg], "");
}

void l_set_both(struct lower_func *lf, int reg, LLVMValueRef v_num, LLVMValueRef v_ptr)
{
	LLVMBuildStore(lf->l->builder, v_num, lf->v_num[reg]);
	LLVMBuildStore(lf->l->builder, v_ptr, lf->v_ptr[reg]);
}

void l_set_num(struct lower_func *lf, int reg, LLVMValueRef v)
{
	l_set_both(lf, reg, v, LLVMBuildIntToPtr(lf->l->builder, v, lf->l->t_ptr, ""));
}

void l_set_ptr(struct lower_func *lf, int reg, LLVMValueRef v)
{
	l_set_both(lf, reg, LLVMBuildPtrToInt(lf->l->builder, v, lf->l->t_i64, ""), v);
}

#define UNPROVED_BYTES 64

/*
 * The stack, only as large as it is used, and zero: a program may hand bytes that it never wrote to
 * a helper (the padding of a key), and undefined bytes would be undefined behaviour of the target.
 * What is written before it is read is not cleared in the end.
 *
 * If nothing was proved there is room above r10, too: an access across it is at least one of the stack,
 * and not undefined behaviour that takes the code around it along.
 */
static void l_stack(struct lower_func *lf)
{
	struct lower *l = lf->l;
	uint32_t bytes = l->handle->kinds
			     ? bpfcc_kinds_stack_bytes(l->handle->kinds, lf->func->index)
			     : STACK_BYTES;
	uint32_t above = l->handle->kinds ? 0 : UNPROVED_BYTES, whole;
	LLVMValueRef v_top;

	bytes = (bytes + 15) & ~15u;
	whole = bytes + above;
	lf->v_stack = LLVMBuildAlloca(l->builder, LLVMArrayType2(l->t_i8, whole), "stack");
	LLVMSetAlignment(lf->v_stack, 16);
	if (whole)
		LLVMBuildMemSet(l->builder, lf->v_stack, LLVMConstInt(l->t_i8, 0, false),
				LLVMConstInt(l->t_i64, whole, false), 16);
	v_top = LLVMConstInt(l->t_i64, bytes, false);
	l_set_ptr(lf, FRAME_REG, LLVMBuildGEP2(l->builder, l->t_i8, lf->v_stack, &v_top, 1, ""));
}

/* Address of a counter in the program's control block. */
static LLVMValueRef l_ctl_field(struct lower_func *lf, size_t offset)
{
	struct lower *l = lf->l;
	LLVMValueRef v_off =
	    LLVMConstInt(l->t_i64,
			 lf->counted->index * sizeof(struct inlay_prog_ctl) + offset, false);

	return LLVMBuildGEP2(l->builder, l->t_i8, l->v_ctl, &v_off, 1, "");
}

static void l_ctl_add(struct lower_func *lf, size_t offset, LLVMValueRef v_add)
{
	LLVMValueRef v =
	    LLVMBuildAtomicRMW(lf->l->builder, LLVMAtomicRMWBinOpAdd, l_ctl_field(lf, offset),
			       v_add, LLVMAtomicOrderingMonotonic, false);

	ll_set_nosanitize(v);
}

/* Behind a map update: one that failed for want of space is a drop of the program. */
void l_count_drop(struct lower_func *lf, LLVMValueRef v_result)
{
	static const int errors[] = { -E2BIG, -ENOMEM, -EBUSY, -ENOSPC };
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMBasicBlockRef b_drop, b_go_on;
	LLVMValueRef v_is_drop = LLVMConstInt(l->t_i1, 0, false);

	if (!lf->counted)
		return;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		LLVMValueRef v_error = LLVMConstInt(l->t_i64, (uint64_t)(int64_t)errors[i], true);

		v_is_drop = LLVMBuildOr(
		    b, v_is_drop, LLVMBuildICmp(b, LLVMIntEQ, v_result, v_error, ""), "");
	}
	b_drop = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "drop");
	b_go_on = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "");
	LLVMBuildCondBr(b, v_is_drop, b_drop, b_go_on);
	LLVMPositionBuilderAtEnd(b, b_drop);
	l_ctl_add(lf, offsetof(struct inlay_prog_ctl, drops), LLVMConstInt(l->t_i64, 1, false));
	LLVMBuildBr(b, b_go_on);
	LLVMPositionBuilderAtEnd(b, b_go_on);
}

/* Whether `func`, or what it calls, is `callee`. The checker has refused recursion. */
bool l_reaches(const struct bpfcc_object *object, const struct bpfcc_func *func,
	       const struct bpfcc_func *callee)
{
	if (func == callee)
		return true;
	for (uint32_t i = 0; i < func->nr_insns; i++) {
		const struct bpf_insn *insn = &func->insns[i];

		if (bpfcc_insn_is_lddw(insn))
			i++;
		else if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL &&
			 (uint32_t)insn->imm < object->nr_funcs &&
			 l_reaches(object, &object->funcs[insn->imm], callee))
			return true;
	}
	return false;
}

/* The program in whose control block a function counts: the only one that calls it, or NULL. */
static const struct bpfcc_prog *counted_prog(const struct bpfcc_object *object,
					     const struct bpfcc_func *func)
{
	const struct bpfcc_prog *found = NULL;

	for (uint32_t i = 0; i < object->nr_progs; i++) {
		if (!l_reaches(object, object->progs[i].func, func))
			continue;
		if (found)
			return NULL;
		found = &object->progs[i];
	}
	return found;
}

/*
 * Globals above INLAY_LINK_REGION_MAX have no memory before the runtime gave them some. A hit until
 * then is a miss; behind this test the base is not NULL, because a base is set once.
 */
static void l_guard_bases(struct lower_func *lf)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;

	for (uint32_t i = 0; i < l->object->nr_maps; i++) {
		struct lower_map *map = &l->maps[i];
		LLVMBasicBlockRef b_miss, b_ready;
		LLVMValueRef v;

		if (!map->v_base || !(map->flags & INLAY_MAP_GLOBAL))
			continue;
		b_miss = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "no_base");
		b_ready = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "base");
		v = LLVMBuildLoad2(b, l->t_ptr, map->v_base, "");
		LLVMSetOrdering(v, LLVMAtomicOrderingMonotonic);
		LLVMSetAlignment(v, 8);
		ll_set_nosanitize(v);
		LLVMBuildCondBr(b, LLVMBuildIsNull(b, v, ""), b_miss, b_ready);
		LLVMPositionBuilderAtEnd(b, b_miss);
		l_ctl_add(lf, offsetof(struct inlay_prog_ctl, misses),
			  LLVMConstInt(l->t_i64, 1, false));
		LLVMBuildRet(b, LLVMConstInt(l->t_i64, 0, false));
		LLVMPositionBuilderAtEnd(b, b_ready);
	}
}

static const struct bpfcc_helper *ktime_helper(void)
{
	return bpfcc_helper_by_id(BPF_FUNC_ktime_get_ns);
}

static bool has_may_goto(const struct bpfcc_func *func)
{
	for (uint32_t i = 0; i < func->nr_insns; i++) {
		if (bpfcc_insn_is_may_goto(&func->insns[i]))
			return true;
		i += bpfcc_insn_is_lddw(&func->insns[i]);
	}
	return false;
}

/* A program is run here, on memory that is no hit's registers: r1 and r2 say where it is. */
static bool is_on_memory(const struct lower *l)
{
	return l->run_func && l->handle->opts.context == INLAY_BPFCC_CONTEXT_MEMORY;
}

static LLVMValueRef l_frame_word(struct lower_func *lf, int word)
{
	LLVMBuilderRef b = lf->l->builder;
	LLVMValueRef v_at = LLVMConstInt(lf->l->t_i64, 8 * (uint64_t)word, false);

	return LLVMBuildLoad2(b, lf->l->t_i64,
			      LLVMBuildGEP2(b, lf->l->t_i8, lf->v_frame, &v_at, 1, ""), "");
}

static void l_entry(struct lower_func *lf)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMBasicBlockRef b_entry = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "entry");
	LLVMValueRef v_zero = LLVMConstInt(l->t_i64, 0, false);
	unsigned int nr_params = LLVMCountParams(lf->v_fn);

	LLVMPositionBuilderAtEnd(b, b_entry);
	for (int i = 0; i < NR_REGS; i++) {
		lf->v_num[i] = LLVMBuildAlloca(b, l->t_i64, "");
		lf->v_ptr[i] = LLVMBuildAlloca(b, l->t_ptr, "");
	}
	lf->v_frame = LLVMGetParam(lf->v_fn, 0);
	for (int i = 0; i < NR_REGS; i++)
		l_set_both(lf, i, v_zero, LLVMConstNull(l->t_ptr));
	l_stack(lf);
	if (has_may_goto(lf->func)) {
		lf->v_budget = LLVMBuildAlloca(b, l->t_i32, "");
		LLVMBuildStore(b, LLVMConstInt(l->t_i32, MAY_GOTO_BUDGET, false), lf->v_budget);
	}
	if (lf->v_fn == l->v_run && l->has_tail_calls[lf->func->index]) {
		lf->v_count = LLVMBuildAlloca(b, l->t_i32, "");
		LLVMBuildStore(b, LLVMConstInt(l->t_i32, 0, false), lf->v_count);
	} else if (lf->is_tail_body || (!lf->prog && l->has_tail_calls[lf->func->index])) {
		lf->v_count = LLVMGetParam(lf->v_fn, --nr_params);
	}
	if (lf->is_tail_body && is_on_memory(l)) {
		/* bpfcc_native_call() puts them there */
		for (int i = 1; i <= 2; i++)
			l_set_num(lf, i, l_frame_word(lf, i - 1));
	} else if (lf->is_tail_body) {
		l_set_ptr(lf, BPF_REG_1, lf->v_frame);
	} else if (lf->prog) {
		l_set_ptr(lf, BPF_REG_1, lf->v_frame);
		l_guard_bases(lf);
		if (l->handle->opts.stats)
			lf->v_start_ns = l_call_helper(l, ktime_helper(), NULL);
	} else {
		for (unsigned int i = 1; i < nr_params; i++)
			l_set_num(lf, (int)i, LLVMGetParam(lf->v_fn, i));
	}
}

static void l_exit(struct lower_func *lf)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMValueRef v;

	if (lf->v_start_ns) {
		LLVMValueRef v_end = l_call_helper(l, ktime_helper(), NULL);

		l_ctl_add(lf, offsetof(struct inlay_prog_ctl, runs),
			  LLVMConstInt(l->t_i64, 1, false));
		l_ctl_add(lf, offsetof(struct inlay_prog_ctl, time_ns),
			  LLVMBuildSub(b, v_end, lf->v_start_ns, ""));
	}
	v = l_get_num(lf, BPF_REG_0);
	/* a program's result has 32 bits, in the kernel too; above is what its arithmetic left */
	if (lf->prog && !is_on_memory(l))
		v = LLVMBuildAnd(b, v, LLVMConstInt(l->t_i64, 0xffffffff, false), "");
	LLVMBuildRet(b, v);
	lf->is_open = false;
}

/* Blocks start where a jump goes and behind each branch. */
static int l_blocks(struct lower_func *lf)
{
	const struct bpfcc_func *func = lf->func;
	struct lower *l = lf->l;

	lf->b_at = calloc(func->nr_insns + 1, sizeof(LLVMBasicBlockRef));
	if (!lf->b_at)
		return -ENOMEM;
	for (uint32_t i = 0; i < func->nr_insns; i++) {
		const struct bpf_insn *insn = &func->insns[i];
		int64_t target;

		if (bpfcc_insn_is_lddw(insn)) {
			if (++i >= func->nr_insns)
				break;
			continue;
		}
		if (!bpfcc_insn_is_goto(insn) && !bpfcc_insn_is_branch(insn))
			continue;
		target = bpfcc_insn_target(insn, i);
		lf->insn = i;
		if (target < 0 || target >= func->nr_insns)
			return l_error(lf, NULL, "jump out of the function");
		if (!lf->b_at[target])
			lf->b_at[target] = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "");
		if (bpfcc_insn_is_branch(insn) && !lf->b_at[i + 1])
			lf->b_at[i + 1] = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "");
	}
	return 0;
}

/* Goes to `b_then` when the call of this function has used its budget up, else on. */
static void l_may_goto(struct lower_func *lf, LLVMBasicBlockRef b_then, LLVMBasicBlockRef b_else)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMValueRef v = LLVMBuildLoad2(b, l->t_i32, lf->v_budget, "");
	LLVMValueRef v_zero = LLVMConstInt(l->t_i32, 0, false), v_less;
	LLVMBasicBlockRef b_on = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "");

	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, v, v_zero, ""), b_then, b_on);
	LLVMPositionBuilderAtEnd(b, b_on);
	v_less = LLVMBuildSub(b, v, LLVMConstInt(l->t_i32, 1, false), "");
	LLVMBuildStore(b, v_less, lf->v_budget);
	LLVMBuildBr(b, b_else);
}

static int l_branch(struct lower_func *lf, const struct bpf_insn *insn)
{
	LLVMBasicBlockRef b_then = lf->b_at[bpfcc_insn_target(insn, lf->insn)];
	LLVMValueRef v;

	if (bpfcc_insn_is_goto(insn)) {
		LLVMBuildBr(lf->l->builder, b_then);
	} else if (bpfcc_insn_is_may_goto(insn)) {
		l_may_goto(lf, b_then, lf->b_at[lf->insn + 1]);
	} else {
		v = l_condition(lf, insn);
		if (!v)
			return l_error(lf, NULL, "unknown jump opcode 0x%02x", insn->code);
		LLVMBuildCondBr(lf->l->builder, v, b_then, lf->b_at[lf->insn + 1]);
	}
	lf->is_open = false;
	return 0;
}

static int l_insn(struct lower_func *lf, const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return l_alu(lf, insn);
	case BPF_LD:
		if (!bpfcc_insn_is_lddw(insn))
			return l_error(lf, NULL, "packet access has no meaning in a probe");
		return l_lddw(lf, insn);
	case BPF_LDX:
		return l_load(lf, insn);
	case BPF_ST:
		return l_store(lf, insn);
	case BPF_STX:
		return BPF_MODE(insn->code) == BPF_ATOMIC ? l_atomic(lf, insn) : l_store(lf, insn);
	default:
		if (bpfcc_insn_is_call(insn) || bpfcc_insn_is_callx(insn))
			return l_call(lf, insn);
		if (bpfcc_insn_is_exit(insn)) {
			l_exit(lf);
			return 0;
		}
		return l_branch(lf, insn);
	}
}

/* Opcodes read registers by number: nothing behind this may trust the encoding less than the
 * checker. */
static bool has_valid_registers(const struct bpf_insn *insn)
{
	return insn->dst_reg < NR_REGS &&
	       (insn->src_reg < NR_REGS || BPF_CLASS(insn->code) == BPF_LD);
}

static int l_body(struct lower_func *lf)
{
	const struct bpfcc_func *func = lf->func;
	LLVMBuilderRef b = lf->l->builder;
	int err;

	lf->is_open = true;
	for (uint32_t i = 0; i < func->nr_insns; i++) {
		const struct bpf_insn *insn = &func->insns[i];
		const struct bpfcc_reg *fp;

		lf->insn = i;
		if (lf->b_at[i]) {
			if (lf->is_open)
				LLVMBuildBr(b, lf->b_at[i]);
			LLVMPositionBuilderAtEnd(b, lf->b_at[i]);
			lf->is_open = true;
		}
		if (bpfcc_insn_is_lddw(insn) && i + 1 >= func->nr_insns)
			return l_error(lf, NULL, "half of a 64-bit load at the end");
		if (lf->is_open) {
			fp = l_kind(lf, i, FRAME_REG);
			if (fp && fp->kind == BPFCC_KIND_UNREACHED) {
				LLVMBuildUnreachable(b);
				lf->is_open = false;
			} else if (!has_valid_registers(insn)) {
				return l_error(lf, NULL, "register number above r10");
			} else {
				err = l_insn(lf, insn);
				if (err)
					return err;
			}
		}
		if (bpfcc_insn_is_lddw(insn))
			i++;
	}
	if (lf->is_open || lf->b_at[func->nr_insns])
		return l_error(lf, NULL, "control runs past the end of the function");
	return 0;
}

static int l_function(struct lower *l, const struct bpfcc_func *func, const struct bpfcc_prog *prog,
		      LLVMValueRef v_fn)
{
	struct lower_func lf = {
		.l = l, .func = func, .prog = prog, .v_fn = v_fn,
		.is_tail_body = prog && v_fn == l->v_tails[prog->index],
		.counted = prog ? prog : l->run_func ? NULL : counted_prog(l->object, func),
	};
	int err;

	l_entry(&lf);
	if (prog && l->v_tails[prog->index] && !lf.is_tail_body) {
		l_tail_start(&lf);
		l_exit(&lf);
		return 0;
	}
	err = l_blocks(&lf);
	if (!err)
		err = l_body(&lf);
	free(lf.b_at);
	return err;
}

/* With `has_count` there is one more parameter: where tail calls are counted. */
static LLVMValueRef l_declare(struct lower *l, const char *name, uint32_t nr_args, bool has_count)
{
	LLVMTypeRef t_args[BPFCC_MAX_ARGS + 2] = {l->t_ptr, l->t_i64, l->t_i64,
						  l->t_i64, l->t_i64, l->t_i64};
	LLVMValueRef v_fn;

	if (has_count)
		t_args[++nr_args] = l->t_ptr;
	v_fn = LLVMAddFunction(l->module, name,
			       LLVMFunctionType(l->t_i64, t_args, nr_args + 1, false));

	ll_add_attr(v_fn, LLVMAttributeFunctionIndex, "nounwind");
	return v_fn;
}

static void l_declare_sub(struct lower *l, uint32_t index)
{
	uint32_t nr_args = l->object->funcs[index].nr_args;
	char name[256], part[128];

	if (l->v_subs[index])
		return;
	ll_symbol_part(l->object->funcs[index].name, part, sizeof(part));
	snprintf(name, sizeof(name), "__inlay_sub_%s%s_%s", l->hash, l->layout, part);
	l->v_subs[index] =
	    l_declare(l, name, nr_args < BPFCC_MAX_ARGS ? nr_args : BPFCC_MAX_ARGS,
		      l->has_tail_calls[index]);
}

/* Subprograms are those functions that somebody calls, or whose address somebody takes. */
static void l_declare_subs(struct lower *l)
{
	for (uint32_t i = 0; i < l->object->nr_funcs; i++) {
		const struct bpfcc_func *func = &l->object->funcs[i];

		for (uint32_t j = 0; j < func->nr_insns; j++) {
			const struct bpf_insn *insn = &func->insns[j];
			uint32_t callee = (uint32_t)insn->imm;
			bool is_address = bpfcc_insn_is_func_address(insn);

			j += bpfcc_insn_is_lddw(insn);
			if (callee >= l->object->nr_funcs)
				continue;
			if (is_address)
				l->is_address_taken[callee] = true;
			if (is_address ||
			    (bpfcc_insn_is_call(insn) && insn->src_reg == BPF_PSEUDO_CALL))
				l_declare_sub(l, callee);
		}
	}
}

/* BPFCC_LOWER_RUN: the function that is run takes r1 and r2, whatever it was. */
static int l_run_function(struct lower *l)
{
	l->v_run = l_declare(l, BPFCC_RUN_SYMBOL, 2, false);
	return l_function(l, l->run_func, NULL, l->v_run);
}

int l_functions(struct lower *l)
{
	char name[256], part[128];
	int err;

	l_find_tail_calls(l);
	l_declare_subs(l);
	for (uint32_t i = 0; i < l->object->nr_progs; i++) {
		const struct bpfcc_prog *prog = &l->object->progs[i];

		l_prog_symbol(l->object, prog, name, sizeof(name));
		if (!l->run_func)
			l->v_progs[i] = l_declare(l, name, 0, false);
		if (!l_has_tail_body(l, prog))
			continue;
		ll_symbol_part(prog->name, part, sizeof(part));
		snprintf(name, sizeof(name), "__inlay_tail_%s%s_%s.%u", l->hash, l->layout, part, i);
		l->v_tails[i] = l_declare(l, name, 0, true);
	}
	for (uint32_t i = 0; i < l->object->nr_funcs; i++) {
		if (!l->v_subs[i])
			continue;
		err = l_function(l, &l->object->funcs[i], NULL, l->v_subs[i]);
		if (err)
			return err;
		ll_make_odr(l->module, l->v_subs[i], NULL);
	}
	for (uint32_t i = 0; i < l->object->nr_progs; i++) {
		if (!l->v_tails[i])
			continue;
		err = l_function(l, l->object->progs[i].func, &l->object->progs[i], l->v_tails[i]);
		if (err)
			return err;
		ll_make_odr(l->module, l->v_tails[i], NULL);
	}
	if (l->run_func)
		return l_run_function(l);
	for (uint32_t i = 0; i < l->object->nr_progs; i++) {
		err = l_function(l, l->object->progs[i].func, &l->object->progs[i], l->v_progs[i]);
		if (err)
			return err;
	}
	return 0;
}
