/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What linux/bpf.h of Debian 12 does not name yet of the instruction set (RFC 9669, ISA v4), and
 * small questions about one instruction.
 */
#ifndef INLAY_BPFCC_ISA_H
#define INLAY_BPFCC_ISA_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/bpf.h>

#define BPFCC_MEMSX 0x80			/* mode: sign-extending load */
#define BPFCC_LDDW (BPF_LD | BPF_IMM | BPF_DW)
#define BPFCC_JCOND 0xe0			/* jump by something else than a register; may_goto */
#define BPFCC_MAY_GOTO 0			/* its src_reg */
#define BPFCC_CAST_OFF 1			/* off of a move: addr_space_cast; imm says which way */
#define BPFCC_CAST_KERN 1			/* imm: arena address to pointer */
#define BPFCC_CAST_USER (1 << 16)		/* imm: pointer to arena address */
#define BPFCC_MAP_TYPE_ARENA 33			/* BPF_MAP_TYPE_ARENA */
#define BPFCC_F_SEGV_ON_FAULT (1u << 17)	/* BPF_F_*, of an arena's map_flags */
#define BPFCC_F_NO_USER_CONV (1u << 18)

#ifndef BPF_LOAD_ACQ
#define BPF_LOAD_ACQ 0x100
#define BPF_STORE_REL 0x110
#endif

/* bytes that a load, store or atomic moves */
static inline int bpfcc_insn_bytes(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

static inline bool bpfcc_insn_is_lddw(const struct bpf_insn *in)
{
	return in->code == BPFCC_LDDW;
}

/* addr_space_cast */
static inline bool bpfcc_insn_is_cast(const struct bpf_insn *in)
{
	return in->code == (BPF_ALU64 | BPF_MOV | BPF_X) && in->off == BPFCC_CAST_OFF &&
	       (in->imm == BPFCC_CAST_KERN || in->imm == BPFCC_CAST_USER);
}

static inline bool bpfcc_insn_is_jump_class(const struct bpf_insn *in)
{
	return BPF_CLASS(in->code) == BPF_JMP || BPF_CLASS(in->code) == BPF_JMP32;
}

static inline bool bpfcc_insn_is_call(const struct bpf_insn *in)
{
	return in->code == (BPF_JMP | BPF_CALL);
}

/* call of what a register holds: a function's address (lddw BPF_PSEUDO_FUNC), or a helper's id */
static inline bool bpfcc_insn_is_callx(const struct bpf_insn *in)
{
	return in->code == (BPF_JMP | BPF_CALL | BPF_X);
}

/* The register of a callx: in dst_reg; compilers before LLVM 19 and GCC 14 put its number into imm,
 * which may hold anything before the encoding was checked. */
static inline uint8_t bpfcc_insn_callx_reg(const struct bpf_insn *in)
{
	return in->dst_reg || (uint32_t)in->imm > BPF_REG_9 ? in->dst_reg : (uint8_t)in->imm;
}

static inline bool bpfcc_insn_is_exit(const struct bpf_insn *in)
{
	return in->code == (BPF_JMP | BPF_EXIT);
}

/* goto and gotol */
static inline bool bpfcc_insn_is_goto(const struct bpf_insn *in)
{
	return bpfcc_insn_is_jump_class(in) && BPF_OP(in->code) == BPF_JA;
}

/* a conditional jump */
static inline bool bpfcc_insn_is_branch(const struct bpf_insn *in)
{
	return bpfcc_insn_is_jump_class(in) && !bpfcc_insn_is_goto(in) &&
	       BPF_OP(in->code) != BPF_CALL && BPF_OP(in->code) != BPF_EXIT;
}

/* goes to its target once it has run often enough, else on; a branch, too */
static inline bool bpfcc_insn_is_may_goto(const struct bpf_insn *in)
{
	return in->code == (BPF_JMP | BPFCC_JCOND) && in->src_reg == BPFCC_MAY_GOTO;
}

/* lddw of a function's address: a callback, or what callx calls */
static inline bool bpfcc_insn_is_func_address(const struct bpf_insn *in)
{
	return in->code == BPFCC_LDDW && in->src_reg == BPF_PSEUDO_FUNC;
}

/* Where a goto or branch at `insn` goes; not checked against the function's bounds. */
static inline int64_t bpfcc_insn_target(const struct bpf_insn *in, uint32_t insn)
{
	if (in->code == (BPF_JMP32 | BPF_JA))
		return (int64_t)insn + 1 + in->imm;
	return (int64_t)insn + 1 + in->off;
}

/* What runs after `insn`: 0, 1 or 2 instructions. Jumps must be inside of the function. */
static inline int bpfcc_insn_next(const struct bpf_insn *in, uint32_t insn, uint32_t ret_next[2])
{
	if (bpfcc_insn_is_exit(in))
		return 0;
	if (bpfcc_insn_is_goto(in)) {
		ret_next[0] = (uint32_t)bpfcc_insn_target(in, insn);
		return 1;
	}
	ret_next[0] = insn + (bpfcc_insn_is_lddw(in) ? 2 : 1);
	if (!bpfcc_insn_is_branch(in))
		return 1;
	ret_next[1] = (uint32_t)bpfcc_insn_target(in, insn);
	return ret_next[1] == ret_next[0] ? 1 : 2;
}

#endif /* INLAY_BPFCC_ISA_H */
