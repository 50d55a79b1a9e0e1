/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: casts between address spaces, and what is around each access. An address is a number here,
 * of which the low 32 bits count; rt/inline/arena.h says where an access goes, or that it is not
 * made.
 */
#include "bpfcc/ll/impl.h"

#include "bpfcc/isa.h"

static bool is_arena(const struct bpfcc_object *object, uint32_t map)
{
	return map < object->nr_maps && object->maps[map].type == INLAY_MAP_TYPE_ARENA;
}

/* The arenas that a function and all that it calls refer to: *ret_map, if it is one. */
static uint32_t count_arenas(const struct bpfcc_object *object, const struct bpfcc_func *func,
			     uint32_t *ret_map)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < func->nr_insns; i++) {
		const struct bpf_insn *in = &func->insns[i];
		uint32_t map = (uint32_t)in->imm, inner = UINT32_MAX, nr_inner = 0;

		if (bpfcc_insn_is_lddw(in)) {
			i++;
			if ((in->src_reg == BPF_PSEUDO_MAP_FD ||
			     in->src_reg == BPF_PSEUDO_MAP_VALUE) && is_arena(object, map)) {
				inner = map;
				nr_inner = 1;
			}
		}
		if ((bpfcc_insn_is_func_address(in) ||
		     (bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_CALL)) &&
		    (uint32_t)in->imm < object->nr_funcs && &object->funcs[in->imm] != func)
			nr_inner = count_arenas(object, &object->funcs[in->imm], &inner);
		if (nr_inner && (!nr || *ret_map != inner)) {
			nr += nr_inner;
			*ret_map = inner;
		}
	}
	return nr;
}

/*
 * The arena of the programs that the function is part of. The verifier has seen to it that each of
 * them has one; two of them may have two.
 */
static int l_arena_of(struct lower_func *lf, const struct lower_map **ret)
{
	const struct bpfcc_object *object = lf->l->object;
	uint32_t map = UINT32_MAX, found = UINT32_MAX;

	for (uint32_t i = 0; i < object->nr_maps; i++)
		if (is_arena(object, i))
			found = found == UINT32_MAX ? i : UINT32_MAX - 1;
	if (found == UINT32_MAX - 1) {
		found = UINT32_MAX;
		for (uint32_t i = 0; i < object->nr_progs; i++) {
			if (!l_reaches(object, object->progs[i].func, lf->func) ||
			    count_arenas(object, object->progs[i].func, &map) != 1 || map == found)
				continue;
			if (found != UINT32_MAX)
				return l_error(lf, "inline it: static __always_inline",
					       "the function is shared by programs with different "
					       "arenas");
			found = map;
		}
	}
	if (found >= object->nr_maps)
		return l_error(lf, NULL, "an address in an arena, and there is none");
	*ret = &lf->l->maps[found];
	return 0;
}

static LLVMValueRef l_low_half(struct lower *l, LLVMValueRef v)
{
	return LLVMBuildAnd(l->builder, v, LLVMConstInt(l->t_i64, UINT32_MAX, false), "");
}

int l_cast(struct lower_func *lf, const struct bpf_insn *insn)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	const struct lower_map *arena;
	LLVMValueRef v_low, v_zero = LLVMConstInt(l->t_i64, 0, false), v;
	int err;

	/* nothing was proved: which accesses are of an arena is not known */
	if (!l->handle->kinds) {
		for (uint32_t i = 0; i < l->object->nr_maps; i++)
			if (is_arena(l->object, i))
				return l_error(lf, "compile it without --unsafe-no-verify",
					       "an address in an arena, in a program that could not "
					       "be verified");
		l_set_both(lf, insn->dst_reg, l_get_num(lf, insn->src_reg),
			   l_get_ptr(lf, insn->src_reg));
		return 0;
	}
	err = l_arena_of(lf, &arena);
	if (err)
		return err;
	v_low = l_low_half(l, l_get_num(lf, insn->src_reg));
	v = v_low;
	if (insn->imm == BPFCC_CAST_USER && !(arena->map->map_flags & BPFCC_F_NO_USER_CONV)) {
		v = LLVMBuildOr(b, v_low,
				LLVMConstInt(l->t_i64, arena->map->map_extra >> 32 << 32, false), "");
		v = LLVMBuildSelect(b, LLVMBuildICmp(b, LLVMIntEQ, v_low, v_zero, ""), v_zero, v,
				    "");
	}
	l_set_num(lf, insn->dst_reg, v);
	return 0;
}

/*
 * As in kernels: 64-bit arithmetic on an address gives one, of 32 bits. Only where it is one on all
 * paths: what is known of a number, or of another pointer, is of all of its bits.
 */
void l_arena_result(struct lower_func *lf, const struct bpf_insn *insn)
{
	const struct bpfcc_reg *dst = l_kind(lf, lf->insn, insn->dst_reg);

	if (dst && dst->kind == BPFCC_KIND_ARENA && BPF_CLASS(insn->code) == BPF_ALU64 &&
	    BPF_OP(insn->code) != BPF_MOV && BPF_OP(insn->code) != BPF_NEG &&
	    BPF_OP(insn->code) != BPF_END)
		l_set_num(lf, insn->dst_reg, l_low_half(lf->l, l_get_num(lf, insn->dst_reg)));
}

int l_access_begin(struct lower_func *lf, const struct bpf_insn *insn, int reg,
		   struct lower_access *access)
{
	const struct bpfcc_reg *kind = l_kind(lf, lf->insn, reg);
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	bool is_atomic = BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC;
	LLVMTypeRef t_args[] = {l->t_ptr, l->t_i64, l->t_i64, l->t_i64, l->t_i64}, t_fn;
	static const char name[] = HELPER_PREFIX "arena_at";
	const struct lower_map *arena;
	LLVMBasicBlockRef b_there;
	LLVMValueRef v_fn;
	int err;

	*access = (struct lower_access){0};
	if (!kind || kind->kind != BPFCC_KIND_ARENA) {
		access->v_ptr = l_address(lf, reg, insn->off);
		return 0;
	}
	err = l_arena_of(lf, &arena);
	if (err)
		return err;
	t_fn = LLVMFunctionType(l->t_ptr, t_args, 5, false);
	v_fn = LLVMGetNamedFunction(l->module, name);
	if (!v_fn) {
		v_fn = LLVMAddFunction(l->module, name, t_fn);
		ll_add_attr(v_fn, LLVMAttributeFunctionIndex, "nounwind");
	}
	LLVMValueRef v_args[] = {
	    arena->v_desc,
	    l_get_num(lf, reg),
	    LLVMConstInt(l->t_i64, (unsigned long long)(int64_t)insn->off, true),
	    LLVMConstInt(l->t_i64, (unsigned int)bpfcc_insn_bytes(insn->code), false),
	    LLVMConstInt(l->t_i64, is_atomic, false),
	};
	access->v_ptr = LLVMBuildCall2(b, t_fn, v_fn, v_args, 5, "");
	access->b_before = LLVMGetInsertBlock(b);
	b_there = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "there");
	access->b_after = LLVMAppendBasicBlockInContext(l->context, lf->v_fn, "");
	LLVMBuildCondBr(b, LLVMBuildIsNull(b, access->v_ptr, ""), access->b_after, b_there);
	LLVMPositionBuilderAtEnd(b, b_there);
	return 0;
}

LLVMValueRef l_access_end(struct lower_func *lf, const struct lower_access *access,
			  LLVMValueRef v_result, LLVMValueRef v_else)
{
	LLVMBuilderRef b = lf->l->builder;
	LLVMBasicBlockRef b_there = LLVMGetInsertBlock(b);
	LLVMValueRef v_phi;

	if (!access->b_after)
		return v_result;
	LLVMBuildBr(b, access->b_after);
	LLVMPositionBuilderAtEnd(b, access->b_after);
	if (!v_result)
		return NULL;
	v_phi = LLVMBuildPhi(b, LLVMTypeOf(v_result), "");
	LLVMAddIncoming(v_phi, &v_result, &b_there, 1);
	LLVMAddIncoming(v_phi, &v_else, (LLVMBasicBlockRef *)&access->b_before, 1);
	return v_phi;
}
