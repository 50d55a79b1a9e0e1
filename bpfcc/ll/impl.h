/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State of one lowering, shared by the files of bpfcc/ll. Names: v_ values, t_ types, b_ blocks,
 * l_ emitters. Nothing of it outlives bpfcc_lower().
 */
#ifndef INLAY_BPFCC_LL_IMPL_H
#define INLAY_BPFCC_LL_IMPL_H

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>

#include "bpfcc/handle.h"
#include "bpfcc/helpers.h"
#include "bpfcc/ll/lower.h"
#include "bpfcc/ll/util.h"

#define NR_REGS 11
#define FRAME_REG 10
#define STACK_BYTES 512u

/*
 * What an access may touch; an access that may touch several kinds has several bits. Ends up in the
 * access's metadata (see place.c), so that it survives until addresses are in SSA form.
 */
enum place {
	PLACE_STACK = 1u << 0,
	PLACE_CTX = 1u << 1,
	PLACE_PRIVATE = 1u << 2, /* session cookie, .rodata: nobody else writes it */
	PLACE_SHARED = 1u << 3,	 /* maps and globals: once per hit, in place */
	PLACE_UNKNOWN = 1u << 4,
};

/* Code for one map: everything that instructions may refer to. */
struct lower_map {
	const struct bpfcc_map *map;
	uint32_t flags; /* enum inlay_map_flags, as emitted */
	uint64_t region_bytes, shard_bytes;
	LLVMValueRef v_desc, v_region, v_base, v_slot, v_name;
	LLVMValueRef v_start; /* of a huge arena that starts with variables */
};

struct lower {
	struct inlay_bpfcc_object *handle;
	const struct bpfcc_object *object;
	enum bpfcc_lower_mode mode;
	const struct bpfcc_func *run_func; /* BPFCC_LOWER_RUN */
	LLVMValueRef v_run;
	LLVMContextRef context;
	LLVMModuleRef module;
	LLVMBuilderRef builder;
	LLVMTargetMachineRef machine; /* NULL in BPFCC_LOWER_IMPORT */
	bool is_big_endian;
	char hash[17]; /* H of docs/DESIGN.md section 12 */
	char layout[18]; /* "_L", where CO-RE relocations made a difference to code */

	LLVMTypeRef t_void, t_i1, t_i8, t_i16, t_i32, t_i64, t_ptr;
	unsigned int md_place;

	struct lower_map *maps; /* object->nr_maps */
	LLVMValueRef *v_subs;	/* object->nr_funcs; NULL: not called as a subprogram */
	LLVMValueRef *v_progs;	/* object->nr_progs */
	LLVMValueRef *v_tails;	/* object->nr_progs; NULL: the body is in v_progs; see tail.c */
	LLVMValueRef v_dispatch; /* see callback.c */
	bool *is_address_taken, *has_tail_calls; /* object->nr_funcs */
	LLVMValueRef v_ctl;    /* NULL in BPFCC_LOWER_RUN, as is v_object */
	LLVMValueRef v_object;
};

/* State of one function being lowered. */
struct lower_func {
	struct lower *l;
	const struct bpfcc_func *func;
	const struct bpfcc_prog *prog; /* NULL: a subprogram */
	const struct bpfcc_prog *counted; /* whose control block counts; NULL: several call it */
	bool is_tail_body;
	LLVMValueRef v_fn, v_frame, v_stack, v_start_ns;
	LLVMValueRef v_count;  /* of tail calls; NULL: the function makes none */
	LLVMValueRef v_budget; /* of may_goto; NULL: the function has none */
	/*
	 * Each register in two views, kept equal by every write: as a number and as a pointer. The
	 * view that nobody reads is gone after mem2reg, and what stays is pointer arithmetic on
	 * real pointers, which the optimiser can see through; inttoptr would hide it.
	 */
	LLVMValueRef v_num[NR_REGS], v_ptr[NR_REGS];
	LLVMBasicBlockRef *b_at; /* per instruction: the block that starts there, or NULL */
	uint32_t insn;		 /* being lowered */
	bool is_open;		 /* the current block has no terminator yet */
};

/* Reports at the instruction being lowered; returns -EINVAL. */
int l_error(struct lower_func *lf, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* func.c: registers */
LLVMValueRef l_get_num(struct lower_func *lf, int reg);
LLVMValueRef l_get_ptr(struct lower_func *lf, int reg);
void l_set_num(struct lower_func *lf, int reg, LLVMValueRef v);
void l_set_ptr(struct lower_func *lf, int reg, LLVMValueRef v);
void l_set_both(struct lower_func *lf, int reg, LLVMValueRef v_num, LLVMValueRef v_ptr);
/* Kind before the current instruction; NULL if the object was not analysed. */
const struct bpfcc_reg *l_kind(const struct lower_func *lf, uint32_t insn, int reg);
/* func.c: counts a drop if the result of a map update says so */
void l_count_drop(struct lower_func *lf, LLVMValueRef v_result);
/* func.c: declares all functions, then lowers all bodies */
int l_functions(struct lower *l);

/* alu.c, mem.c, call.c: one instruction each; 0 or -EINVAL after a message */
int l_alu(struct lower_func *lf, const struct bpf_insn *insn);
LLVMValueRef l_condition(struct lower_func *lf, const struct bpf_insn *insn);
int l_load(struct lower_func *lf, const struct bpf_insn *insn);
int l_store(struct lower_func *lf, const struct bpf_insn *insn);
int l_atomic(struct lower_func *lf, const struct bpf_insn *insn);
int l_lddw(struct lower_func *lf, const struct bpf_insn *insn);
/* mem.c: the register's address plus off */
LLVMValueRef l_address(struct lower_func *lf, int reg, int off);
/* mem.c: a helper's copy of a part of ctx */
void l_copy_ctx(struct lower_func *lf);
int l_call(struct lower_func *lf, const struct bpf_insn *insn);

/* arena.c */
int l_cast(struct lower_func *lf, const struct bpf_insn *insn);
/* Behind an operation of 64 bits. */
void l_arena_result(struct lower_func *lf, const struct bpf_insn *insn);
/*
 * Around an access through `reg`. In an arena it is made if its bytes are there; else the result is
 * v_else. A store's v_result is NULL.
 */
struct lower_access {
	LLVMValueRef v_ptr;
	LLVMBasicBlockRef b_before, b_after; /* NULL: not in an arena */
};
int l_access_begin(struct lower_func *lf, const struct bpf_insn *insn, int reg,
		   struct lower_access *access);
LLVMValueRef l_access_end(struct lower_func *lf, const struct lower_access *access,
			  LLVMValueRef v_result, LLVMValueRef v_else);
/* func.c: whether `func`, or what it calls, is `callee` */
bool l_reaches(const struct bpfcc_object *object, const struct bpfcc_func *func,
	       const struct bpfcc_func *callee);

/* callback.c: functions as values, and the helpers that call them */
LLVMValueRef l_func_number(struct lower *l, uint32_t func);
LLVMValueRef l_dispatch(struct lower_func *lf, LLVMValueRef v_number, LLVMValueRef *v_regs);
void l_resolve_callbacks(struct lower *l);
void l_loop(struct lower_func *lf);
void l_for_each(struct lower_func *lf);
void l_user_drain(struct lower_func *lf);
void l_callx(struct lower_func *lf, int reg);

/* tail.c */
void l_find_tail_calls(struct lower *l);
bool l_has_tail_body(struct lower *l, const struct bpfcc_prog *prog);
int l_tail_call(struct lower_func *lf);
void l_tail_start(struct lower_func *lf);
/* Calls helper `helper` with the arguments given; returns its result or NULL. */
LLVMValueRef l_call_helper(struct lower *l, const struct bpfcc_helper *helper,
			   LLVMValueRef *v_args);

/* symbols.c: descriptors, regions and everything else of docs/DESIGN.md section 12 */
int l_maps(struct lower *l);
void l_object(struct lower *l);
void l_accessors(struct lower *l);
void l_prog_symbol(const struct bpfcc_object *object, const struct bpfcc_prog *prog, char *buf,
		   size_t size);
#define L_MAP_PART_BYTES 144
void l_map_part(const struct bpfcc_object *object, const struct bpfcc_map *map, char *buf,
		size_t size);

/* place.c: decides, on SSA form, how each access is made; and which map calls have a known map */
void l_place_accesses(struct lower *l);
/* before: pointers that became numbers and were added to are pointers again */
void l_place_pointers(struct lower *l);
/* after helpers were inlined: their accesses to the stack; after all: memset and memcpy */
void l_place_private(struct lower *l);
void l_place_intrinsics(struct lower *l);
void l_place_short_loads(struct lower *l);
/* for a target, whose own passes come afterwards: loops that fill or copy stay loops */
void l_place_loops(struct lower *l);

/* import.c: links helper bodies in */
#define HELPER_PREFIX "__inlay_h_"
int l_import_helpers(struct lower *l);

/* specialise.c: bodies of a helper whose first argument is a map, for each constant map */
int l_specialise(struct lower *l, const char *helper, const char *short_name);

#endif /* INLAY_BPFCC_LL_IMPL_H */
