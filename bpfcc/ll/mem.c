/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads, stores, atomics and 64-bit immediates (RFC 9669 section 5). Loads and stores are emitted
 * plain, with a note of what they may touch; place.c then makes them what they have to be.
 */
#include "bpfcc/ll/impl.h"

#include "bpfcc/isa.h"

static LLVMTypeRef l_size_type(struct lower *l, const struct bpf_insn *insn)
{
	return LLVMIntTypeInContext(l->context, 8 * (unsigned int)bpfcc_insn_bytes(insn->code));
}

LLVMValueRef l_address(struct lower_func *lf, int reg, int off)
{
	struct lower *l = lf->l;
	LLVMValueRef v_off = LLVMConstInt(l->t_i64, (unsigned long long)(int64_t)off, true);

	return LLVMBuildGEP2(l->builder, l->t_i8, l_get_ptr(lf, reg), &v_off, 1, "");
}

/* Largest power of two, at most `max`, that divides off. */
static unsigned int offset_align(int64_t off, unsigned int max)
{
	while (max > 1 && off & (max - 1))
		max >>= 1;
	return max;
}

/* Notes what the register analysis knows about the access through `reg`. */
static void l_note_place(struct lower_func *lf, LLVMValueRef v_inst, int reg, int off)
{
	const struct bpfcc_reg *kind = l_kind(lf, lf->insn, reg);
	struct lower *l = lf->l;
	unsigned int place = PLACE_UNKNOWN, align = 1;
	LLVMMetadataRef md;

	if (kind) {
		switch (kind->kind) {
		case BPFCC_KIND_STACK:
			place = PLACE_STACK;
			break;
		case BPFCC_KIND_CTX:
			place = PLACE_CTX;
			align = 8;
			break;
		case BPFCC_KIND_MEM:
			place = PLACE_PRIVATE;
			align = 8;
			break;
		case BPFCC_KIND_ARENA:
			place = PLACE_SHARED;
			break;
		case BPFCC_KIND_MAP_VALUE:
			place = PLACE_SHARED;
			align = 8;
			if (kind->map >= 0 && l->maps[kind->map].flags & INLAY_MAP_RODATA)
				place = PLACE_PRIVATE;
			break;
		default:
			break;
		}
		align = kind->off_is_known ? offset_align(kind->off + off, align) : 1;
	}
	md = LLVMValueAsMetadata(LLVMConstInt(l->t_i32, place | align << 8, false));
	md = LLVMMDNodeInContext2(l->context, &md, 1);
	LLVMSetMetadata(v_inst, l->md_place, LLVMMetadataAsValue(l->context, md));
}

int l_load(struct lower_func *lf, const struct bpf_insn *insn)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMTypeRef t = l_size_type(l, insn);
	const struct bpfcc_reg *src = l_kind(lf, lf->insn, insn->src_reg);
	const struct bpfcc_reg *result = l_kind(lf, lf->insn + 1, insn->dst_reg);
	bool is_fill = t == l->t_i64 && src && src->kind == BPFCC_KIND_STACK && result &&
		       bpfcc_kind_is_pointer(result);
	struct lower_access access;
	LLVMValueRef v;
	int err;

	if (BPF_MODE(insn->code) != BPF_MEM && BPF_MODE(insn->code) != BPFCC_MEMSX)
		return l_error(lf, NULL, "unknown load opcode 0x%02x", insn->code);
	err = l_access_begin(lf, insn, insn->src_reg, &access);
	if (err)
		return err;
	v = LLVMBuildLoad2(b, is_fill ? l->t_ptr : t, access.v_ptr, "");
	LLVMSetAlignment(v, 1);
	l_note_place(lf, v, insn->src_reg, insn->off);
	v = l_access_end(lf, &access, v, LLVMConstNull(t));
	if (is_fill)
		l_set_ptr(lf, insn->dst_reg, v);
	else if (BPF_MODE(insn->code) == BPFCC_MEMSX)
		l_set_num(lf, insn->dst_reg, LLVMBuildSExt(b, v, l->t_i64, ""));
	else
		l_set_num(lf, insn->dst_reg, LLVMBuildZExt(b, v, l->t_i64, ""));
	return 0;
}

/*
 * A helper's copy of a constant part of ctx (r3, r2 bytes) to the program's memory (r1), as loads
 * that the pass can see: what ctx holds is decided at the site. the verifier has checked the bounds.
 */
void l_copy_ctx(struct lower_func *lf)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	int64_t bytes = l_kind(lf, lf->insn, BPF_REG_2)->off;

	for (int64_t at = 0, n; at < bytes; at += n) {
		LLVMTypeRef t;
		LLVMValueRef v;

		for (n = 8; n > bytes - at;)
			n >>= 1;
		t = LLVMIntTypeInContext(l->context, 8 * (unsigned int)n);
		v = LLVMBuildLoad2(b, t, l_address(lf, BPF_REG_3, (int)at), "");
		LLVMSetAlignment(v, 1);
		l_note_place(lf, v, BPF_REG_3, (int)at);
		v = LLVMBuildStore(b, v, l_address(lf, BPF_REG_1, (int)at));
		LLVMSetAlignment(v, 1);
		l_note_place(lf, v, BPF_REG_1, (int)at);
	}
	l_set_num(lf, BPF_REG_0, LLVMConstInt(l->t_i64, 0, false));
}

int l_store(struct lower_func *lf, const struct bpf_insn *insn)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMTypeRef t = l_size_type(l, insn);
	const struct bpfcc_reg *src = l_kind(lf, lf->insn, insn->src_reg);
	struct lower_access access;
	LLVMValueRef v;
	int err;

	if (BPF_MODE(insn->code) != BPF_MEM)
		return l_error(lf, NULL, "unknown store opcode 0x%02x", insn->code);
	if (BPF_CLASS(insn->code) == BPF_ST)
		v = LLVMConstInt(t, (unsigned long long)(int64_t)insn->imm, true);
	else if (t == l->t_i64 && src && bpfcc_kind_is_pointer(src))
		v = l_get_ptr(lf, insn->src_reg);
	else
		v = LLVMBuildTrunc(b, l_get_num(lf, insn->src_reg), t, "");
	err = l_access_begin(lf, insn, insn->dst_reg, &access);
	if (err)
		return err;
	v = LLVMBuildStore(b, v, access.v_ptr);
	LLVMSetAlignment(v, 1);
	l_note_place(lf, v, insn->dst_reg, insn->off);
	l_access_end(lf, &access, NULL, NULL);
	return 0;
}

/* load_acquire, store_release */
static int l_ordered(struct lower_func *lf, const struct bpf_insn *insn)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMTypeRef t = l_size_type(l, insn);
	bool is_load = insn->imm == BPF_LOAD_ACQ;
	int reg = is_load ? insn->src_reg : insn->dst_reg;
	struct lower_access access;
	LLVMValueRef v;
	int err = l_access_begin(lf, insn, reg, &access);

	if (err)
		return err;
	if (is_load) {
		v = LLVMBuildLoad2(b, t, access.v_ptr, "");
		LLVMSetOrdering(v, LLVMAtomicOrderingAcquire);
	} else {
		v = LLVMBuildStore(b, LLVMBuildTrunc(b, l_get_num(lf, insn->src_reg), t, ""),
				   access.v_ptr);
		LLVMSetOrdering(v, LLVMAtomicOrderingRelease);
	}
	/* misaligned atomics are refused by the checker, as by the kernel */
	LLVMSetAlignment(v, (unsigned int)bpfcc_insn_bytes(insn->code));
	l_note_place(lf, v, reg, insn->off);
	v = l_access_end(lf, &access, is_load ? v : NULL, LLVMConstNull(t));
	if (is_load)
		l_set_num(lf, insn->dst_reg, LLVMBuildZExt(b, v, l->t_i64, ""));
	return 0;
}

/*
 * Read-modify-write. Orders are the kernel's: without BPF_FETCH relaxed, with it, xchg and cmpxchg
 * fully ordered (Documentation/bpf/standardization/instruction-set.rst; linux/atomic.h).
 */
int l_atomic(struct lower_func *lf, const struct bpf_insn *insn)
{
	struct lower *l = lf->l;
	LLVMBuilderRef b = l->builder;
	LLVMTypeRef t = l_size_type(l, insn);
	LLVMAtomicOrdering order = LLVMAtomicOrderingSequentiallyConsistent;
	LLVMAtomicRMWBinOp op = LLVMAtomicRMWBinOpXchg;
	int result = insn->src_reg;
	LLVMValueRef v, v_old, v_src, v_keep;
	struct lower_access access;
	int err;

	if (insn->imm == BPF_LOAD_ACQ || insn->imm == BPF_STORE_REL)
		return l_ordered(lf, insn);
	if (bpfcc_insn_bytes(insn->code) < 4)
		return l_error(lf, NULL, "atomic operation on %d bytes",
			       bpfcc_insn_bytes(insn->code));
	v_keep = l_get_num(lf, insn->imm == BPF_CMPXCHG ? 0 : insn->src_reg);
	/* Attack: upper bits that the verifier takes for zeros, made or not */
	v_keep = LLVMBuildZExt(b, LLVMBuildTrunc(b, v_keep, t, ""), l->t_i64, "");
	err = l_access_begin(lf, insn, insn->dst_reg, &access);
	if (err)
		return err;
	v_src = LLVMBuildTrunc(b, l_get_num(lf, insn->src_reg), t, "");
	if (insn->imm == BPF_CMPXCHG) {
		v = LLVMBuildAtomicCmpXchg(b, access.v_ptr, LLVMBuildTrunc(b, l_get_num(lf, 0), t, ""),
					   v_src, order, order, false);
		v_old = LLVMBuildExtractValue(b, v, 0, "");
		result = 0;
	} else {
		switch (insn->imm & ~BPF_FETCH) {
		case BPF_ADD:
			op = LLVMAtomicRMWBinOpAdd;
			break;
		case BPF_OR:
			op = LLVMAtomicRMWBinOpOr;
			break;
		case BPF_AND:
			op = LLVMAtomicRMWBinOpAnd;
			break;
		case BPF_XOR:
			op = LLVMAtomicRMWBinOpXor;
			break;
		default:
			if (insn->imm != BPF_XCHG)
				return l_error(lf, NULL, "unknown atomic operation 0x%x",
					       insn->imm);
		}
		if (!(insn->imm & BPF_FETCH)) {
			order = LLVMAtomicOrderingMonotonic;
			result = -1;
		}
		v = v_old = LLVMBuildAtomicRMW(b, op, access.v_ptr, v_src, order, false);
	}
	l_note_place(lf, v, insn->dst_reg, insn->off);
	if (result < 0) {
		l_access_end(lf, &access, NULL, NULL);
		return 0;
	}
	/* of one that is not made, the register stays as it is, as in kernels; of 4 bytes, its low half */
	l_set_num(lf, result, l_access_end(lf, &access, LLVMBuildZExt(b, v_old, l->t_i64, ""),
					   v_keep));
	return 0;
}

/* Address of byte `off` of value 0 of a map, as global variables are reached. */
static LLVMValueRef l_map_value(struct lower *l, struct lower_map *map, int32_t off)
{
	LLVMValueRef v_off = LLVMConstInt(l->t_i64, (unsigned long long)(int64_t)off, true);
	LLVMValueRef v_base = map->v_region;

	if (map->v_base) {
		/* not NULL: the program's entry checked it, see l_guard_bases() */
		v_base = LLVMBuildLoad2(l->builder, l->t_ptr, map->v_base, "");
		LLVMSetOrdering(v_base, LLVMAtomicOrderingMonotonic);
		LLVMSetAlignment(v_base, 8);
		ll_set_nosanitize(v_base);
	}
	return LLVMBuildGEP2(l->builder, l->t_i8, v_base, &v_off, 1, "");
}

int l_lddw(struct lower_func *lf, const struct bpf_insn *insn)
{
	struct lower *l = lf->l;
	uint32_t map = (uint32_t)insn->imm;

	switch (insn->src_reg) {
	case 0:
		l_set_num(lf, insn->dst_reg,
			  LLVMConstInt(l->t_i64,
				       (uint32_t)insn[0].imm | (uint64_t)insn[1].imm << 32, false));
		return 0;
	case BPF_PSEUDO_MAP_FD:
		if (map >= l->object->nr_maps)
			return l_error(lf, NULL, "reference to map %u of %u", map,
				       l->object->nr_maps);
		l_set_ptr(lf, insn->dst_reg, l->maps[map].v_desc);
		return 0;
	case BPF_PSEUDO_MAP_VALUE:
		if (map >= l->object->nr_maps)
			return l_error(lf, NULL, "reference to map %u of %u", map,
				       l->object->nr_maps);
		if (l->object->maps[map].type == INLAY_MAP_TYPE_ARENA) {
			l_set_num(lf, insn->dst_reg,
				  LLVMConstInt(l->t_i64, l->object->maps[map].map_extra +
							     (uint32_t)insn[1].imm, false));
			return 0;
		}
		if (!l->maps[map].v_region && !l->maps[map].v_base)
			return l_error(lf, NULL, "direct access to the values of map '%s'",
				       l->object->maps[map].name);
		l_set_ptr(lf, insn->dst_reg, l_map_value(l, &l->maps[map], insn[1].imm));
		return 0;
	case BPF_PSEUDO_FUNC:
		if ((uint32_t)insn->imm >= l->object->nr_funcs)
			return l_error(lf, NULL, "reference to function %u of %u",
				       (uint32_t)insn->imm, l->object->nr_funcs);
		l_set_num(lf, insn->dst_reg, l_func_number(l, (uint32_t)insn->imm));
		return 0;
	default:
		return l_error(lf, NULL, "unknown 64-bit load from source %d", insn->src_reg);
	}
}
