/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program's ELF section name says: libbpf's conventions.
 */
#ifndef INLAY_BPFCC_SECTION_H
#define INLAY_BPFCC_SECTION_H

#include <stdbool.h>
#include <stdint.h>

struct bpfcc_arena;

enum bpfcc_section_kind {
	BPFCC_SECTION_PLACED,	/* a user probe: Inlay's */
	BPFCC_SECTION_KERNEL,	/* left to the companion */
};

struct bpfcc_section {
	enum bpfcc_section_kind kind;
	uint32_t prog_kind;	/* enum inlay_prog_kind */
	bool is_multi;		/* function may be a glob */
	const char *path;	/* NULL: none or "*" */
	const char *function;	/* NULL: none; of usdt "PROVIDER:NAME" */
};

/*
 * 0, -ENOMEM, or -EINVAL with *ret_problem, a constant text that says what is wrong with a user
 * probe's section.
 */
int bpfcc_section_parse(struct bpfcc_arena *arena, const char *name,
			struct bpfcc_section *ret_section, const char **ret_problem);

/*
 * Of a kprobe or kretprobe: the same as a user probe with a bare section, which is what a loader
 * makes of it by bpf_program__attach_uprobe(). False: no such section, and it is as it was.
 */
bool bpfcc_section_from_kprobe(const char *name, struct bpfcc_section *s);

/*
 * Whether a section's path names a shared library: "libc.so.6", "/lib/libssl.so.3", and the short form
 * that tools resolve by themselves, "libc". A directory makes "lib..." a name like any other.
 */
bool bpfcc_path_is_library(const char *path);

#endif /* INLAY_BPFCC_SECTION_H */
