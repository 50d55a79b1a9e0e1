/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Section .BTF.ext: source lines and CO-RE relocation records of each code section.
 * Format: kernel Documentation/bpf/btf.rst, "BTF.ext".
 */
#ifndef INLAY_BPFCC_BTFEXT_H
#define INLAY_BPFCC_BTFEXT_H

#include <stddef.h>
#include <stdint.h>

struct bpfcc_arena;
struct bpfcc_diag;
struct btf;

struct bpfcc_line {
	const char *section;
	uint32_t offset;	/* bytes from the start of the section */
	const char *file, *text;
	uint32_t line;
};

struct bpfcc_core_relo {
	const char *section;
	uint32_t offset;
	uint32_t type_id;	/* in the object's BTF */
	const char *access;	/* "0:1:2" */
	uint32_t kind;		/* enum bpf_core_relo_kind */
};

struct bpfcc_btfext {
	struct bpfcc_line *lines;
	uint32_t nr_lines;
	struct bpfcc_core_relo *relos;
	uint32_t nr_relos;
};

/* Strings point into `btf`. 0, -EINVAL, -ENOMEM. */
int bpfcc_btfext_read(const void *data, size_t bytes, const struct btf *btf,
		      struct bpfcc_arena *arena, struct bpfcc_diag *diag,
		      struct bpfcc_btfext *ret_ext);

#endif /* INLAY_BPFCC_BTFEXT_H */
