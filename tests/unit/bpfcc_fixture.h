/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the tests of bpfcc's front end: messages are kept in a buffer, instructions are written with
 * short macros.
 */
#ifndef INLAY_TESTS_BPFCC_FIXTURE_H
#define INLAY_TESTS_BPFCC_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/bpf.h>

#include "bpfcc/arena.h"
#include "bpfcc/diag.h"
#include "bpfcc/handle.h"
#include "inlay/bpfcc.h"

struct messages {
	char text[4096];	/* one line a message: "error: TEXT [HINT]" */
	unsigned int nr_errors;
};

static inline void keep_message(void *arg, const struct inlay_bpfcc_message *m)
{
	static const char *const severities[] = {"note", "warning", "error"};
	struct messages *messages = arg;
	size_t used = strlen(messages->text);

	messages->nr_errors += m->severity == INLAY_BPFCC_ERROR;
	snprintf(messages->text + used, sizeof(messages->text) - used, "%s: %s%s%s%s\n",
		 severities[m->severity], m->text, m->hint ? " [" : "", m->hint ? m->hint : "",
		 m->hint ? "]" : "");
}

/* Reads a whole file; the caller frees it. */
static inline unsigned char *read_whole(const char *path, size_t *ret_bytes)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*ret_bytes = (size_t)ftell(f);
	rewind(f);
	data = malloc(*ret_bytes);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, *ret_bytes, f), *ret_bytes);
	fclose(f);
	return data;
}

/* ---- instructions ---- */

#define INSN(code_, dst_, src_, off_, imm_)                                                        \
	((struct bpf_insn){.code = (code_), .dst_reg = (dst_), .src_reg = (src_), .off = (off_),   \
			   .imm = (imm_)})
#define MOV64_IMM(dst, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define MOV64_REG(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define ALU64_IMM(op, dst, imm) INSN(BPF_ALU64 | (op) | BPF_K, dst, 0, 0, imm)
#define ALU64_REG(op, dst, src) INSN(BPF_ALU64 | (op) | BPF_X, dst, src, 0, 0)
#define ALU32_IMM(op, dst, imm) INSN(BPF_ALU | (op) | BPF_K, dst, 0, 0, imm)
#define ALU32_REG(op, dst, src) INSN(BPF_ALU | (op) | BPF_X, dst, src, 0, 0)
#define LDX(size, dst, src, off) INSN(BPF_LDX | BPF_MEM | (size), dst, src, off, 0)
#define STX(size, dst, src, off) INSN(BPF_STX | BPF_MEM | (size), dst, src, off, 0)
#define ST(size, dst, off, imm) INSN(BPF_ST | BPF_MEM | (size), dst, 0, off, imm)
#define ATOMIC(size, op, dst, src, off) INSN(BPF_STX | BPF_ATOMIC | (size), dst, src, off, op)
#define JMP_IMM(op, dst, imm, off) INSN(BPF_JMP | (op) | BPF_K, dst, 0, off, imm)
#define JMP_REG(op, dst, src, off) INSN(BPF_JMP | (op) | BPF_X, dst, src, off, 0)
#define GOTO(off) INSN(BPF_JMP | BPF_JA, 0, 0, off, 0)
#define CALL(id) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define CALL_FUNC(index) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, index)
#define CALL_KFUNC(index) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, index)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LDDW(dst, src, lo, hi)                                                                     \
	INSN(BPF_LD | BPF_IMM | BPF_DW, dst, src, 0, lo), INSN(0, 0, 0, 0, hi)
#define LD_MAP(dst, index) LDDW(dst, BPF_PSEUDO_MAP_FD, index, 0)
#define LD_VALUE(dst, index, off) LDDW(dst, BPF_PSEUDO_MAP_VALUE, index, off)
#define R0 0
#define R1 1
#define R2 2
#define R3 3
#define R4 4
#define R5 5
#define R6 6
#define R7 7
#define R8 8
#define R9 9
#define R10 10

#endif /* INLAY_TESTS_BPFCC_FIXTURE_H */
