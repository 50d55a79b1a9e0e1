/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction as text. Accepts any bytes: the checker uses it to show what it refuses.
 */
#include "bpfcc/disasm.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "bpfcc/helpers.h"
#include "bpfcc/isa.h"

struct out {
	char *buf;
	size_t bytes, used;
};

static void put(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *format, ...)
{
	va_list args;
	int n;

	if (o->used >= o->bytes)
		return;
	va_start(args, format);
	n = vsnprintf(o->buf + o->used, o->bytes - o->used, format, args);
	va_end(args);
	if (n > 0)
		o->used += (size_t)n;
}

static const char *const alu_ops[16] = {
	[BPF_ADD >> 4] = "+=",	[BPF_SUB >> 4] = "-=",	[BPF_MUL >> 4] = "*=",
	[BPF_DIV >> 4] = "/=",	[BPF_OR >> 4] = "|=",	[BPF_AND >> 4] = "&=",
	[BPF_LSH >> 4] = "<<=", [BPF_RSH >> 4] = ">>=", [BPF_MOD >> 4] = "%=",
	[BPF_XOR >> 4] = "^=",	[BPF_MOV >> 4] = "=",	[BPF_ARSH >> 4] = "s>>=",
};

static const char *const jump_ops[16] = {
	[BPF_JEQ >> 4] = "==",	[BPF_JGT >> 4] = ">",	[BPF_JGE >> 4] = ">=",
	[BPF_JSET >> 4] = "&",	[BPF_JNE >> 4] = "!=",	[BPF_JSGT >> 4] = "s>",
	[BPF_JSGE >> 4] = "s>=", [BPF_JLT >> 4] = "<",	[BPF_JLE >> 4] = "<=",
	[BPF_JSLT >> 4] = "s<", [BPF_JSLE >> 4] = "s<=",
};

static void raw(struct out *o, const struct bpf_insn *in)
{
	const unsigned char *p = (const unsigned char *)in;

	put(o, "<%02x %02x %02x %02x %02x %02x %02x %02x>", p[0], p[1], p[2], p[3], p[4], p[5],
	    p[6], p[7]);
}

static void alu(struct out *o, const struct bpf_insn *in)
{
	bool is64 = BPF_CLASS(in->code) == BPF_ALU64;
	char reg = is64 ? 'r' : 'w';
	const char *op = alu_ops[BPF_OP(in->code) >> 4];
	const char *sign = "";

	switch (BPF_OP(in->code)) {
	case BPF_NEG:
		put(o, "%c%d = -%c%d", reg, in->dst_reg, reg, in->dst_reg);
		return;
	case BPF_END:
		put(o, "r%d = %s%d r%d", in->dst_reg,
		    is64 ? "bswap" : BPF_SRC(in->code) == BPF_TO_BE ? "be" : "le", in->imm,
		    in->dst_reg);
		return;
	}
	if (!op) {
		raw(o, in);
		return;
	}
	if (is64 && BPF_OP(in->code) == BPF_MOV && in->off == BPFCC_CAST_OFF) {
		put(o, "r%d = addr_space_cast(r%d, %u, %u)", in->dst_reg, in->src_reg,
		    (uint32_t)in->imm >> 16, (uint32_t)in->imm & 0xffff);
		return;
	}
	if (in->off == 1 && (BPF_OP(in->code) == BPF_DIV || BPF_OP(in->code) == BPF_MOD))
		sign = "s";
	put(o, "%c%d %s%s ", reg, in->dst_reg, sign, op);
	if (BPF_SRC(in->code) == BPF_K)
		put(o, "%d", in->imm);
	else if (BPF_OP(in->code) == BPF_MOV && in->off)
		put(o, "(s%d)%c%d", in->off, reg, in->src_reg);
	else
		put(o, "%c%d", reg, in->src_reg);
}

static const char *func_name(const struct bpfcc_object *object, int32_t index)
{
	if (!object || index < 0 || (uint32_t)index >= object->nr_funcs)
		return NULL;
	return object->funcs[index].name;
}

static void call(struct out *o, const struct bpfcc_object *object, const struct bpf_insn *in)
{
	const struct bpfcc_helper *helper;
	const char *name = NULL;

	if (in->src_reg == BPF_PSEUDO_CALL) {
		name = func_name(object, in->imm);
	} else if (in->src_reg == BPF_PSEUDO_KFUNC_CALL) {
		helper = bpfcc_kfunc_by_index(in->imm);
		name = helper ? helper->name : NULL;
	} else if (in->imm >= BPFCC_POISON) {
		put(o, "<does not exist>");
		return;
	} else if (!in->src_reg) {
		name = bpfcc_kernel_helper_name(in->imm);
		if (name) {
			put(o, "call %s#%d", name, in->imm);
			return;
		}
	}
	if (name)
		put(o, "call %s", name);
	else
		put(o, "call %d", in->imm);
}

static void jump(struct out *o, const struct bpfcc_object *object, const struct bpf_insn *in)
{
	bool is32 = BPF_CLASS(in->code) == BPF_JMP32;
	char reg = is32 ? 'w' : 'r';

	switch (BPF_OP(in->code)) {
	case BPF_JA:
		put(o, is32 ? "gotol %+d" : "goto %+d", is32 ? in->imm : in->off);
		return;
	case BPF_CALL:
		if (bpfcc_insn_is_callx(in))
			put(o, "callx r%d", bpfcc_insn_callx_reg(in));
		else
			call(o, object, in);
		return;
	case BPF_EXIT:
		put(o, "exit");
		return;
	}
	if (bpfcc_insn_is_may_goto(in)) {
		put(o, "may_goto %+d", in->off);
		return;
	}
	if (!jump_ops[BPF_OP(in->code) >> 4]) {
		raw(o, in);
		return;
	}
	put(o, "if %c%d %s ", reg, in->dst_reg, jump_ops[BPF_OP(in->code) >> 4]);
	if (BPF_SRC(in->code) == BPF_K)
		put(o, "%d", in->imm);
	else
		put(o, "%c%d", reg, in->src_reg);
	put(o, " goto %+d", in->off);
}

static void place(struct out *o, const struct bpf_insn *in, const char *sign, int reg)
{
	put(o, "*(%s%d *)(r%d %c %d)", sign, 8 * bpfcc_insn_bytes(in->code), reg,
	    in->off < 0 ? '-' : '+', in->off < 0 ? -in->off : in->off);
}

static void atomic(struct out *o, const struct bpf_insn *in)
{
	bool is_fetch = in->imm & BPF_FETCH;
	const char *width = BPF_SIZE(in->code) == BPF_DW ? "64" : "";
	char reg = BPF_SIZE(in->code) == BPF_DW ? 'r' : 'w';
	const char *op, *name;

	switch (in->imm) {
	case BPF_LOAD_ACQ:
		put(o, "r%d = load_acquire(", in->dst_reg);
		place(o, in, "u", in->src_reg);
		put(o, ")");
		return;
	case BPF_STORE_REL:
		put(o, "store_release(");
		place(o, in, "u", in->dst_reg);
		put(o, ", %c%d)", reg, in->src_reg);
		return;
	case BPF_XCHG:
		put(o, "%c%d = xchg%s(r%d %+d, %c%d)", reg, in->src_reg, width, in->dst_reg,
		    in->off, reg, in->src_reg);
		return;
	case BPF_CMPXCHG:
		put(o, "%c0 = cmpxchg%s(r%d %+d, %c0, %c%d)", reg, width, in->dst_reg, in->off,
		    reg, reg, in->src_reg);
		return;
	}
	switch (in->imm & ~BPF_FETCH) {
	case BPF_ADD:
		op = "+=", name = "add";
		break;
	case BPF_OR:
		op = "|=", name = "or";
		break;
	case BPF_AND:
		op = "&=", name = "and";
		break;
	case BPF_XOR:
		op = "^=", name = "xor";
		break;
	default:
		raw(o, in);
		return;
	}
	if (is_fetch) {
		put(o, "%c%d = atomic%s_fetch_%s(", reg, in->src_reg,
		    BPF_SIZE(in->code) == BPF_DW ? "64" : "", name);
		place(o, in, "u", in->dst_reg);
		put(o, ", %c%d)", reg, in->src_reg);
	} else {
		put(o, "lock ");
		place(o, in, "u", in->dst_reg);
		put(o, " %s %c%d", op, reg, in->src_reg);
	}
}

static void load(struct out *o, const struct bpfcc_object *object, const struct bpfcc_func *func,
		 uint32_t insn)
{
	const struct bpf_insn *in = &func->insns[insn];
	const char *name;
	uint32_t hi;

	if (in->code != BPFCC_LDDW || insn + 1 >= func->nr_insns) {
		raw(o, in);
		return;
	}
	hi = (uint32_t)in[1].imm;
	name = object && in->imm >= 0 && (uint32_t)in->imm < object->nr_maps
		       ? object->maps[in->imm].name
		       : NULL;
	put(o, "r%d = ", in->dst_reg);
	switch (in->src_reg) {
	case BPF_PSEUDO_MAP_FD:
		if (name)
			put(o, "map(%s) ll", name);
		else
			put(o, "map[%d] ll", in->imm);
		break;
	case BPF_PSEUDO_MAP_VALUE:
		if (name)
			put(o, "%s+%u ll", name, hi);
		else
			put(o, "map_value[%d]+%u ll", in->imm, hi);
		break;
	case BPF_PSEUDO_FUNC:
		name = func_name(object, in->imm);
		if (name)
			put(o, "func(%s) ll", name);
		else
			put(o, "func[%d] ll", in->imm);
		break;
	default:
		put(o, "0x%" PRIx64 " ll", (uint64_t)hi << 32 | (uint32_t)in->imm);
		break;
	}
}

const char *bpfcc_disasm(const struct bpfcc_object *object, const struct bpfcc_func *func,
			 uint32_t insn, char *buf, size_t bytes)
{
	const struct bpf_insn *in = &func->insns[insn];
	struct out o = {.buf = buf, .bytes = bytes};

	buf[0] = '\0';
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		alu(&o, in);
		break;
	case BPF_JMP:
	case BPF_JMP32:
		jump(&o, object, in);
		break;
	case BPF_LD:
		load(&o, object, func, insn);
		break;
	case BPF_LDX:
		put(&o, "r%d = ", in->dst_reg);
		place(&o, in, BPF_MODE(in->code) == BPFCC_MEMSX ? "s" : "u", in->src_reg);
		break;
	case BPF_ST:
		place(&o, in, "u", in->dst_reg);
		put(&o, " = %d", in->imm);
		break;
	case BPF_STX:
		if (BPF_MODE(in->code) == BPF_ATOMIC) {
			atomic(&o, in);
			break;
		}
		place(&o, in, "u", in->dst_reg);
		put(&o, " = %c%d", BPF_SIZE(in->code) == BPF_DW ? 'r' : 'w', in->src_reg);
		break;
	}
	return buf;
}
