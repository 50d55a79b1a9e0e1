/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A probe object after loading: maps, programs with relocated instructions, BTF, attach points.
 * Plain data, no LLVM: what the checker, the analyses and the lowering share. Everything is owned
 * by the object's arena and is read-only after object_open() returned.
 */
#ifndef INLAY_BPFCC_OBJECT_H
#define INLAY_BPFCC_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

#include "inlay/abi.h"

struct bpfcc_arena;
struct bpfcc_core_relo;
struct bpfcc_diag;
struct btf;

/* Parts of a map's value that programs may not touch: what the kernel or the helpers keep there. */
enum bpfcc_field_kind { BPFCC_FIELD_LOCK, BPFCC_FIELD_OTHER };

struct bpfcc_map_field {
	uint32_t kind;		/* enum bpfcc_field_kind */
	uint32_t off, bytes;	/* in the value */
};

/* One map: declared with BTF (SEC(".maps")) or a global data section. */
struct bpfcc_map {
	const char *name;	/* ".data", ".bss", ".rodata", ".rodata.str" ... for global sections */
	uint32_t type, key_size, value_size, max_entries, map_flags;
	uint32_t flags;		/* enum inlay_map_flags */
	uint32_t index;
	uint32_t btf_key_type_id, btf_value_type_id;
	const void *data;	/* initial contents, value_size bytes; NULL: zero. --set applied */
	uint64_t map_extra;	/* BLOOM_FILTER: number of hash functions; ARENA: its address */
	/* ARENA: the object's variables in address space 1, which its pages start with; NULL: none */
	const void *arena_data;
	uint32_t arena_bytes;
	bool is_frozen;		/* contents never change (.rodata): loads of it are constants */
	/* maps of maps: what inner maps are like (its `inner` is NULL); key_size, value_size, flags
	 * and, without BPF_F_INNER_MAP, max_entries are those of each. NULL: no map of maps, or no
	 * template was given, which nothing can be looked up in */
	const struct bpfcc_map *inner;
	const int32_t *inner_maps; /* maps of maps filled by the object: by key, indexes in
				 * bpfcc_object.maps, -1: none */
	uint32_t nr_inner_maps;
	const struct bpfcc_map_field *fields; /* from BTF; without it there are none */
	uint32_t nr_fields;
	const int32_t *tail_progs; /* PROG_ARRAY filled by the object: max_entries indexes in
				 * bpfcc_object.progs, -1: empty; NULL: all are */
};

/*
 * Instructions are the kernel's struct bpf_insn, with references resolved like this:
 *   lddw, src_reg BPF_PSEUDO_MAP_FD (1):    imm = map index
 *   lddw, src_reg BPF_PSEUDO_MAP_VALUE (2): imm = map index, imm of the second half = offset in value 0
 *   lddw, src_reg BPF_PSEUDO_FUNC (4):      imm = func index
 *   call, src_reg BPF_PSEUDO_CALL (1):      imm = func index
 *   call, src_reg 0:                        imm = helper id
 *   call, src_reg BPF_PSEUDO_KFUNC_CALL(2): imm = index of the INLAY_KFUNC row in rt/helpers.def
 *   call, src_reg 0, imm >= BPFCC_POISON: something that does not exist (a CO-RE member, a weak
 *     function): the loader refused the object unless control can never get here; the text is
 *     bpfcc_object.poisons[imm - BPFCC_POISON]
 * CO-RE relocations are applied. Jump offsets are relative within the function.
 */
#define BPFCC_POISON 0x0bad0000
struct bpfcc_func {
	const char *name;
	const char *section;	/* ELF section, for messages */
	const struct bpf_insn *insns;
	uint32_t nr_insns;
	uint32_t nr_args;	/* of a subprogram, from BTF; 5 if unknown; 1 (ctx) for a program */
	bool is_void;		/* from BTF: r0 is not a result */
	bool is_global;		/* not static */
	uint32_t index;		/* position in bpfcc_object.funcs */
	/* what the object has, before CO-RE relocations; NULL: the same as insns */
	const struct bpf_insn *hash_insns;
	uint32_t nr_hash_insns;
	/* a relocation asks for a type that is not known here: a message; NULL: there is none */
	const char *missing_type;
	/* source line of an instruction; NULL/0 if unknown. Arrays of nr_insns, or NULL */
	const char *const *line_files;
	const char *const *line_texts;
	const uint32_t *line_nrs;
};

enum bpfcc_prog_flags {
	BPFCC_PROG_MULTI = 1u << 0,	/* uprobe.multi: `function` is a glob */
	BPFCC_PROG_LATE = 1u << 1,	/* tag inlay:late */
	BPFCC_PROG_SWITCHED = 1u << 2,	/* tag inlay:switched */
	BPFCC_PROG_SWITCHED_ON = 1u << 3, /* tag inlay:switched=on */
	BPFCC_PROG_CALL = 1u << 4,	/* tag inlay:call: call sites only, also for globs */
	BPFCC_PROG_UNWIND = 1u << 5,	/* tag inlay:unwind: exit program runs on unwinding too */
};

/* One program that Inlay can place. Kernel-side programs are not in this list. */
struct bpfcc_prog {
	const struct bpfcc_func *func;
	const char *name;
	const char *section;
	uint32_t kind;		/* enum inlay_prog_kind */
	uint32_t flags;		/* enum bpfcc_prog_flags */
	uint32_t index;
	const char *path;	/* binary part, or NULL */
	/* exact name or glob (*, ?, [set]), or the "PROVIDER:NAME" of a USDT probe; NULL: nothing
	 * named, no site */
	const char *function;
	const char *caller;	/* tag inlay:caller=NAME or glob; NULL: any */
	/* with opts.partial_types: why the program cannot be placed here (its body is empty); or NULL */
	const char *unresolved;
};

struct bpfcc_object {
	const char *name;	/* file name without directory, ".bpf.o" and ".o" */
	const char *path;	/* as given */
	const char *license;
	bool is_gpl_compatible;
	/*
	 * On plain memory (CONTEXT_MEMORY): no kernel will see it, and what the instruction set defines
	 * is accepted, also what kernels take for mistakes
	 */
	bool is_plain;
	uint8_t hash[INLAY_HASH_BYTES];	/* {bytecode, map layout, --set/--map, helper ABI, tool version} */
	struct bpfcc_map *maps;
	uint32_t nr_maps;
	struct bpfcc_func *funcs;	/* every program and subprogram that a placed program reaches */
	uint32_t nr_funcs;
	struct bpfcc_prog *progs;
	uint32_t nr_progs;
	uint32_t nr_kernel_progs;	/* programs left to the companion */
	const char **poisons;		/* see BPFCC_POISON */
	uint32_t nr_poisons;
	const struct bpfcc_core_relo *relos;	/* of the whole file */
	uint32_t nr_relos;
	bool has_target_relos;		/* some of them ask for types of the target */
	uint8_t layout[8];	/* then: hash of what that made of the instructions */
	const void *btf_data;		/* raw BTF; NULL if none */
	uint32_t btf_bytes;
	struct btf *btf;		/* the same, parsed by libbpf; NULL if none */
	struct bpfcc_arena *arena;
	void *impl;			/* libbpf and ELF handles */
};

/* Why what a call calls does not exist. NULL: it does, as far as the object says. */
static inline const char *bpfcc_poison(const struct bpfcc_object *o, const struct bpf_insn *call)
{
	if (call->src_reg || call->imm < BPFCC_POISON ||
	    (uint32_t)(call->imm - BPFCC_POISON) >= o->nr_poisons)
		return NULL;
	return o->poisons[call->imm - BPFCC_POISON];
}

#endif /* INLAY_BPFCC_OBJECT_H */
