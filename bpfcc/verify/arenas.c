/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: which one a program uses, casts between address spaces, arithmetic on their addresses.
 *
 * An address in an arena needs no bounds: compiled code looks at each access (rt/inline/arena.h), by
 * the low 32 bits of whatever the register holds. So all that has to be known of a pointer is that
 * it is one, and into which arena.
 */
#include <errno.h>

#include "bpfcc/verify/walk.h"

#define MAX_DEPTH 16

static int note_arena(struct verify *v, const struct bpfcc_func *func, uint32_t insn)
{
	const struct bpf_insn *in = &func->insns[insn];
	const struct bpfcc_where where = {.func = func, .insn = (int)insn};
	uint32_t map = (uint32_t)in->imm;

	if ((in->src_reg != BPF_PSEUDO_MAP_FD && in->src_reg != BPF_PSEUDO_MAP_VALUE) ||
	    map >= v->object->nr_maps || v->object->maps[map].type != BPFCC_MAP_TYPE_ARENA)
		return 0;
	/* Attack: an access does not say which arena it is of. */
	if (v->arena_map >= 0 && v->arena_map != (int32_t)map)
		return bpfcc_error(v->diag, &where, "put what belongs together into one of them",
				   "the program uses two arenas, \"%s\" and \"%s\"",
				   v->object->maps[v->arena_map].name, v->object->maps[map].name);
	v->arena_map = (int32_t)map;
	return 0;
}

/* As in kernels: what any function of the program refers to, reached or not. */
static int search(struct verify *v, const struct bpfcc_func *func, bool *seen)
{
	seen[func->index] = true;
	for (uint32_t i = 0; i < func->nr_insns; i++) {
		const struct bpf_insn *in = &func->insns[i];
		uint32_t callee = (uint32_t)in->imm;
		bool is_call = bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_CALL;
		int err = 0;

		if (bpfcc_insn_is_lddw(in)) {
			is_call = in->src_reg == BPF_PSEUDO_FUNC;
			err = is_call ? 0 : note_arena(v, func, i++);
			i += is_call;
		}
		if (!err && is_call && callee < v->object->nr_funcs && !seen[callee])
			err = search(v, &v->object->funcs[callee], seen);
		if (err)
			return err;
	}
	return 0;
}

int verify_arena_find(struct verify *v, const struct bpfcc_func *func)
{
	bool *seen;

	v->arena_map = -1;
	for (uint32_t i = 0; i < v->object->nr_maps; i++) {
		if (v->object->maps[i].type != BPFCC_MAP_TYPE_ARENA)
			continue;
		seen = bpfcc_arena_alloc(v->arena, v->object->nr_funcs);
		return seen ? search(v, func, seen) : -ENOMEM;
	}
	return 0;
}

static void set_address(struct verify *v, struct verify_reg *dst, struct verify_use *a,
			struct verify_use *b)
{
	verify_set_pointer(v, dst, VT_ARENA, 0);
	dst->map = (uint32_t)v->arena_map;
	if (!v->err)
		dst->use = verify_use_new(v, a, b);
}

int verify_cast(struct verify *v, const struct bpf_insn *in)
{
	struct verify_reg *dst = verify_reg(v, in->dst_reg), *src = verify_reg(v, in->src_reg);
	struct verify_use *use;
	int err = verify_read_reg(v, in->src_reg);

	if (err)
		return err;
	if (v->arena_map < 0)
		return verify_refuse(v, "refer to it: asm volatile(\"\" :: \"r\"(&arena));",
				     "addr_space_cast is of an address in an arena, and the program "
				     "uses none");
	use = src->use;
	if (in->imm == BPFCC_CAST_KERN) {
		set_address(v, dst, use, NULL);
	} else {
		const struct range num = range_unknown();

		verify_set_scalar(v, dst, &num, use, NULL);
	}
	return v->err;
}

bool verify_arena_alu(struct verify *v, const struct bpf_insn *in, struct verify_reg *dst,
		      const struct verify_reg *src)
{
	uint8_t op = BPF_OP(in->code);

	/* what is left in it is an address again, whatever was done */
	if (dst->type == VT_ARENA && op != BPF_NEG && op != BPF_END) {
		set_address(v, dst, dst->use, src ? src->use : NULL);
		return true;
	}
	if (src && src->type == VT_ARENA && dst->type == VT_SCALAR && op == BPF_ADD &&
	    BPF_CLASS(in->code) == BPF_ALU64) {
		set_address(v, dst, dst->use, src->use);
		return true;
	}
	return false;
}
