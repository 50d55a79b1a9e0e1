/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs without an object file: a flat list of instructions as the kernel takes it, and rows of
 * text that describe one program and its maps each, as corpora of verifier tests do.
 * Makes a struct bpfcc_object of them; nothing is verified here.
 *
 * Rows are tab-separated; the first line names the columns. `name` and `insns` must be there, `maps`
 * and `flags` are used, others are ignored:
 *   insns  16 hex digits an instruction: the 8 bytes read as one little-endian number, most
 *          significant digit first. lddw of a map: imm is an index into `maps`; calls within the
 *          program and callbacks: imm is relative to the next instruction
 *   maps   INDEX:NAME:tTYPE:kKEY:vVALUE:nENTRIES:fFLAGS[:iT,K,V,N,F][:dHEX][:z]; each
 *          FLAGS and F hexadecimal, i an inner map's template, d the contents of element 0, z
 *          frozen
 *   flags  prog_flags of the load, hexadecimal
 */
#ifndef INLAY_BPFCC_RAW_H
#define INLAY_BPFCC_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpfcc/object.h"

struct bpfcc_arena;
struct bpfcc_diag;

#define BPFCC_RAW_COLUMNS 4

struct bpfcc_raw_header {
	int at[BPFCC_RAW_COLUMNS];	/* number of the column in a row, from 0; -1: not there */
	int nr;				/* columns of a row */
};

struct bpfcc_raw {
	const char *name;
	uint32_t prog_flags;
	const struct bpf_insn *insns;	/* the program as the row has it: for a kernel */
	uint32_t nr_insns;
	const uint32_t *starts;		/* where each of object.funcs starts in insns */
	struct bpfcc_object object;
};

/* False: the line does not name the columns `name` and `insns`. */
bool bpfcc_raw_header(const char *line, size_t bytes, struct bpfcc_raw_header *ret_header);

/*
 * One row, without its line end. 0, -ENOMEM, or -EINVAL with a message. ret_raw->name is set on
 * -EINVAL, too, if the row has one (else NULL). Everything is the arena's.
 */
int bpfcc_raw_read(const struct bpfcc_raw_header *header, const char *line, size_t bytes,
		   struct bpfcc_arena *arena, struct bpfcc_diag *diag, struct bpfcc_raw *ret_raw);

/*
 * Splits a flat program into functions, as a kernel does: one starts where a call or a callback
 * goes. References become those of object.h. The object has its maps; funcs and progs (one, named
 * "main") are filled in. 0, -ENOMEM, or -EINVAL with a message.
 */
int bpfcc_raw_split(struct bpfcc_raw *raw, struct bpfcc_arena *arena, struct bpfcc_diag *diag);

/*
 * Hex digits in pairs, white space ignored, to bytes in the arena. NULL: *ret_problem says why, or
 * is NULL for lack of memory.
 */
uint8_t *bpfcc_raw_bytes(const char *text, size_t chars, struct bpfcc_arena *arena,
			 size_t *ret_bytes, const char **ret_problem);
/* Bytes as an ELF section has them, a multiple of 8, to instructions. */
void bpfcc_raw_insns(const uint8_t *data, uint32_t nr, struct bpf_insn *ret_insns);

#endif /* INLAY_BPFCC_RAW_H */
