/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the loader (object.c, funcs.c, reloc.c, core.c, maps.c, config.c, tags.c, usdt.c): the
 * state while an object is being opened. The steps and their order are in inlay_bpfcc_object_open().
 */
#ifndef INLAY_BPFCC_LOADER_H
#define INLAY_BPFCC_LOADER_H

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bpfcc/arena.h"
#include "bpfcc/btfext.h"
#include "bpfcc/diag.h"
#include "bpfcc/elf.h"
#include "bpfcc/handle.h"
#include "bpfcc/section.h"

/* A function of the file, placed or not. Sorted by section and offset; they do not overlap. */
struct bpfcc_fn {
	const char *name;
	uint32_t section;	/* ELF index */
	uint64_t offset, bytes;
	bool is_global;
	int index;		/* in object.funcs; -1: no placed program reaches it */
	const struct bpfcc_section *placed; /* what the section of a placed program says, or NULL */
};

/* of a map; the kernel has about as much */
#define BPFCC_MAX_VALUE_BYTES (32u << 20)

/* A map of the file, used or not. */
struct bpfcc_candidate {
	struct bpf_map *map;
	const char *name;
	bool is_global_data;	/* a data section */
	bool is_arena_data;	/* ... of variables in address space 1, which are in an arena */
	uint8_t *data;		/* initial contents of a data section, to be changed by --set */
	uint32_t bytes;
	int index;		/* in object.maps; -1: no placed program refers to it */
};

/* libbpf_copy.c: a map's 64-bit map_extra, and the member of its definition that says it */
struct bpfcc_map_extra {
	const char *map;
	uint64_t value;
	uint32_t at;			/* in .BTF */
	struct btf_member was, is;	/* in the file; in libbpf's copy */
};

struct bpfcc_loader {
	struct inlay_bpfcc_object *handle;
	struct bpfcc_object *object;	/* &handle->data */
	struct bpfcc_arena *arena;
	struct bpfcc_diag *diag;
	const struct inlay_bpfcc_opts *opts;
	struct bpfcc_elf elf;
	struct bpf_object *bpf;
	struct btf *btf;		/* NULL if the file has none */
	struct bpfcc_btfext ext;
	struct bpfcc_fn *fns;
	uint32_t nr_fns;
	struct bpfcc_candidate *candidates;
	uint32_t nr_candidates;
	struct bpfcc_map_extra *extras;
	uint32_t nr_extras;
	int *order;			/* fns by object.funcs index */
	bool is_arm64;
	struct btf *target;		/* the target's types; NULL: none are known */
	bool is_target_read;
	struct btf *tasks;		/* task_types.c; NULL until asked for */
};

/* libbpf's part, with its messages in our sink: fills loader->bpf and loader->btf. */
int bpfcc_libbpf_open(struct bpfcc_loader *l, const void *data, size_t size);

/*
 * libbpf_copy.c: what libbpf does not know of arenas. Fills loader->extras; *data becomes a copy if
 * libbpf needs one, in which variables of address space 1 are in BPFCC_ARENA_COPY. Then undoes that
 * in the types.
 */
#define BPFCC_ARENA_SECTION ".addr_space.1"
#define BPFCC_ARENA_COPY ".data.arena"
int bpfcc_libbpf_copy(struct bpfcc_loader *l, const void **data, size_t size);
void bpfcc_libbpf_restore(struct bpfcc_loader *l, void *btf, size_t bytes);

/* funcs.c: the table of functions, and the placed programs among them. */
int bpfcc_funcs_find(struct bpfcc_loader *l);
/* The function that starts at an offset of a section, or NULL. */
struct bpfcc_fn *bpfcc_funcs_at(struct bpfcc_loader *l, uint32_t section, uint64_t offset);
/* Gives fn its place in object.funcs, if it has none yet; the caller relocates it later. */
int bpfcc_funcs_use(struct bpfcc_loader *l, struct bpfcc_fn *fn);
/* Fills in source lines, signature. */
int bpfcc_funcs_describe(struct bpfcc_loader *l, struct bpfcc_func *func,
			 const struct bpfcc_fn *fn);

/* maps.c */
int bpfcc_maps_find(struct bpfcc_loader *l);
struct bpfcc_candidate *bpfcc_maps_by_name(struct bpfcc_loader *l, const char *name);
/* Gives a map its place in object.maps, after checking what the kernel and Inlay would refuse. */
int bpfcc_maps_use(struct bpfcc_loader *l, struct bpfcc_candidate *candidate,
		   const struct bpfcc_where *where);

/* maps.c: the arena of the object that its variables of address space 1 are in */
int bpfcc_maps_arena(struct bpfcc_loader *l, const struct bpfcc_where *where,
		     struct bpfcc_candidate **ret_arena);

/* map_types.c: sets m->flags; an error if Inlay does not have the type. Then the sizes. */
int bpfcc_map_type(struct bpfcc_loader *l, struct bpfcc_map *m, const struct bpfcc_where *where);
/* The runtime has maps of that type. */
bool bpfcc_map_type_is_built(uint32_t type);
int bpfcc_map_check(struct bpfcc_loader *l, const struct bpfcc_map *m,
		    const struct bpfcc_where *where);
/* map_fields.c: m->fields */
int bpfcc_map_fields(struct bpfcc_loader *l, struct bpfcc_map *m, const struct bpfcc_where *where);

/* map_progs.c: m->tail_progs of a PROG_ARRAY, after make_progs() */
int bpfcc_map_progs(struct bpfcc_loader *l, struct bpfcc_map *m, const struct bpfcc_where *where);

/*
 * The same file: calls fn for each slot of the member `values` of a map's definition that refers to
 * something.
 */
typedef int (*bpfcc_map_values_fn)(struct bpfcc_loader *l, struct bpfcc_map *m, uint64_t index,
				   const struct bpfcc_elf_symbol *sym,
				   const struct bpfcc_where *where, void *arg);
int bpfcc_map_values(struct bpfcc_loader *l, struct bpfcc_map *m, const struct bpfcc_where *where,
		     bpfcc_map_values_fn fn, void *arg);

/* map_inner.c: m->inner_maps of a map of maps; m has its place already */
int bpfcc_map_inners(struct bpfcc_loader *l, struct bpfcc_map *m, const struct bpfcc_where *where);

/* config.c: --map and --set. */
int bpfcc_config_maps(struct bpfcc_loader *l);
int bpfcc_config_sets(struct bpfcc_loader *l);
/* The __kconfig variables whose values are known; before the sets, which may change them. */
int bpfcc_config_kernel(struct bpfcc_loader *l);
bool bpfcc_config_kernel_known(const struct bpfcc_loader *l, const char *name);
/* Where the __kconfig variable of that name is in section .kconfig; NULL: there is none. */
const struct btf_var_secinfo *bpfcc_config_kernel_var(const struct bpfcc_loader *l,
						      const char *name);

/* reloc.c: the instructions of object.funcs[index]; finds more functions and maps. */
int bpfcc_reloc_func(struct bpfcc_loader *l, uint32_t index);

/*
 * core.c: applies one CO-RE relocation to insns[at]. *ret_problem is set, to the arena's text, if
 * what it asks for does not exist: an error only if the instruction can run. *ret_is_missing: because
 * its type is not known at all.
 */
int bpfcc_core_apply(struct bpfcc_loader *l, const struct bpfcc_core_relo *relo,
		     const struct bpfcc_where *where, struct bpf_insn *insns, uint32_t nr_insns,
		     uint32_t at, const char **ret_problem, bool *ret_is_missing);

/* target_types.c: fills l->target, once. */
int bpfcc_target_types(struct bpfcc_loader *l);

/* task_types.c: fills l->tasks, once; whether there is a structure of that name among them. */
int bpfcc_task_types(struct bpfcc_loader *l);
bool bpfcc_is_task_type(const char *name);
/* One that the process itself has: system calls are given it. */
bool bpfcc_is_shared_type(const char *name);
/* kernel_enums.c: adds to l->tasks what says what the kernel can do; whether that is a name among it. */
int bpfcc_add_kernel_enums(struct btf *btf);
bool bpfcc_is_kernel_enum(const char *name);
/* Names of the members that it has, for people. */
const char *bpfcc_task_members(struct bpfcc_loader *l, const char *name);

/* usdt.c: the number of the helper that stands for a function of usdt.bpf.h; 0: it is none. */
int32_t bpfcc_usdt_helper(const struct bpfcc_loader *l, const struct bpfcc_fn *fn);

/* tags.c: BTF declaration tags "inlay:..." of a program, and --attach. */
int bpfcc_tags_apply(struct bpfcc_loader *l, struct bpfcc_prog *prog);
int bpfcc_tags_attach(struct bpfcc_loader *l);

#endif /* INLAY_BPFCC_LOADER_H */
