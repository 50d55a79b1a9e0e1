/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to pass/: one run over one module. Memory is the run's, freed at its end; a compiler that
 * is out of memory cannot go on, so the allocating functions do not return NULL.
 */
#ifndef INLAY_PASS_PLAN_H
#define INLAY_PASS_PLAN_H

#include <llvm-c/DebugInfo.h>

#include "bpfcc/ll/lower.h"
#include "bpfcc/object.h"
#include "pass/ir.h"
#include "pass/pass.h"
#include "pass/usdt.h"

/* ---- words of struct inlay_frame ---- */

#define PASS_MAX_REGS 34	/* words of the larger pt_regs, arm64's */

/* What is known of the target architecture. Words count in 8 bytes from the frame's start. */
struct pass_arch {
	const char *name;
	unsigned int nr_regs;		/* words of pt_regs; the rest of the frame follows */
	const char *const *reg_names;	/* nr_regs */
	unsigned int nr_args;
	const uint8_t *args;		/* words that hold integer arguments, in order */
	unsigned int rets[2];		/* words that hold an integer result */
	unsigned int sret;		/* word of the hidden result pointer */
	bool sret_is_arg;		/* ... which takes the first argument's register */
	bool sret_is_returned;		/* ... and comes back in rets[0] */
	bool wide_is_even;		/* 128-bit integers start at an even register */
	bool whole_arrays;		/* a structure is in registers as a whole or not at all */
	unsigned int sp, ip, fp;
	unsigned int lr;		/* the return address at entry; nr_regs: on the stack */
};

enum pass_frame_word { /* from nr_regs on */
	FRAME_FUNC_IP,
	FRAME_ATTACH_COOKIE,
	FRAME_SESSION_COOKIE,
	FRAME_IS_RETURN, /* low half; the high half is is_override */
	FRAME_OVERRIDE_RC,
	FRAME_USDT_ARG,
	FRAME_USDT_BYTES = FRAME_USDT_ARG + INLAY_USDT_MAX_ARGS,
	FRAME_USDT_INFO = FRAME_USDT_BYTES + 2,
	FRAME_STACK_FP,
	FRAME_STACK_FIRST,
	FRAME_STACK_HERE,
	FRAME_NR_EXTRA,
};

const struct pass_arch *pass_arch_find(LLVMModuleRef module);

enum pass_extend { EXTEND_ZERO, EXTEND_SIGN32, EXTEND_ZERO32 };

/* How one word of pt_regs is made at a place. */
struct pass_word {
	LLVMValueRef value;	/* NULL: not available here */
	enum pass_extend extend;
	bool is_high;		/* the upper 64 bits of an i128 */
	unsigned int field;	/* of a struct value: index + 1; 0: the value itself */
};

struct pass_words {
	struct pass_word w[PASS_MAX_REGS];
};

/* ---- programs ---- */

/* Set on what was probed: a plugin that runs twice, or again at link time, adds nothing. */
#define MARK_FN "inlay-probed"
#define MARK_CALLS "inlay-probed-calls"
#define MARK_USDT "inlay-probed-usdt"

#define PASS_LIKELY 2000u /* weight of a branch, against 1 */

enum pass_side { PASS_ENTRY, PASS_RETURN };

struct pass_object {
	struct inlay_bpfcc_object *handle;
	const struct bpfcc_object *data;
	LLVMModuleRef lowered;	/* NULL until something of it matched */
};

struct pass_probe {
	struct pass_object *object;
	const struct bpfcc_prog *prog;
	const char *symbol;
	bool is_glob;		/* the name has wildcards */
	bool is_call_only;	/* tagged so, or restricted to a caller */
	bool is_library;	/* the path is a shared library's: call sites only */
	bool is_gated;		/* by the executable's name */
	bool is_late;		/* its sites come after the optimiser */
	bool is_off;		/* the path names another binary than -inlay-binary */
	bool overrides;		/* may call bpf_override_return() */
	bool suppresses;	/* session: the entry run may return something but 0 */
	uint64_t reads[2];	/* frame words, by enum pass_side */
	bool uses_frame;
	bool is_matched;
	unsigned int nr_sites;
	unsigned int nr_skips;
};

static inline bool probe_has(const struct pass_probe *probe, enum pass_side side)
{
	uint32_t kind = probe->prog->kind;

	if (side == PASS_ENTRY)
		return kind == INLAY_PROG_SESSION || kind == INLAY_PROG_ENTRY ||
		       kind == INLAY_PROG_USDT;
	return kind == INLAY_PROG_SESSION || kind == INLAY_PROG_RETURN;
}

/* ---- the plan ---- */

/* A row of the alias table: how the IR may call a function that a program names. */
struct pass_alias {
	const char *name;	/* in the IR */
	const char *function;	/* as programs name it */
	const char *args;	/* digits: arguments of `name` as `function` has them; or NULL */
};

/* One USDT probe of a call of inline assembly. */
struct pass_usdt {
	const char *name;		/* "PROVIDER:NAME" */
	struct usdt_probe note;
};

/* A variable that reads as raised where the program may run. */
struct pass_semaphore {
	LLVMValueRef global;
	struct pass_probe *probe;
};

/* One place and the programs that run there, in order. */
struct pass_place {
	LLVMValueRef fn;		/* the probed function; of a call site the caller */
	LLVMValueRef call;		/* NULL: entry and returns of fn */
	const struct pass_usdt *usdt;	/* `call` is inline assembly with this probe in it; or NULL */
	const struct pass_alias *alias;	/* of the callee, or NULL */
	struct pass_probe **probes;
	unsigned int nr_probes;
};

enum pass_event_kind { EVENT_SITE, EVENT_SKIP };

/* A line of the report. */
struct pass_event {
	enum pass_event_kind kind;
	uint32_t site_kind;	/* enum inlay_site_kind */
	const struct pass_probe *probe;
	const char *function, *caller, *file;
	unsigned int line;
	const char *types;
	const char *reason;	/* EVENT_SKIP */
};

struct pass_fn;

struct pass_run {
	LLVMModuleRef module;
	LLVMContextRef context;
	const struct pass_options *options;
	enum pass_point point;
	const struct pass_arch *arch;
	const char *const *paths;	/* of probe objects */
	size_t nr_paths;
	struct pass_object *objects;
	unsigned int nr_objects;
	struct pass_probe *probes;
	unsigned int nr_probes;
	struct pass_place *places;
	unsigned int nr_places, cap_places;
	struct pass_semaphore *semaphores;
	unsigned int nr_semaphores, cap_semaphores;
	LLVMValueRef *late_fns;	/* functions that late programs name, for the late run */
	unsigned int nr_late_fns, cap_late_fns;
	struct pass_event *events;
	unsigned int nr_events, cap_events;
	struct pass_fn *fns, *last_fn;	/* functions that got something, in order of first touch */
	struct pass_fn **fn_table;	/* the same by address: open addressing, a power of two */
	unsigned int nr_fns, fn_slots;
	LLVMValueRef *records, *kept; /* what llvm.used and llvm.compiler.used get at the end */
	unsigned int nr_records, cap_records, nr_kept, cap_kept;
	const char **warnings;	/* about the probe objects */
	unsigned int nr_warnings, cap_warnings;
	void *types_btf;	/* types.c: of the module, once asked for */
	size_t types_bytes;
	bool failed;		/* an error was reported: the module is not used any more */
	void **blocks;		/* what run_alloc() gave */
	unsigned int nr_blocks, cap_blocks;
};

void *run_alloc(struct pass_run *run, size_t bytes); /* zeroed */
char *run_printf(struct pass_run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* `*array` grows by one zeroed element, which is returned. */
void *run_grow(void *array, unsigned int *nr, unsigned int *cap, size_t bytes);

/* Name without the \01 that keeps LLVM from mangling it. */
const char *value_name(LLVMValueRef value);
bool is_ours(const char *name); /* a symbol that Inlay made */
bool has_fn_attr(LLVMValueRef fn, const char *name);
bool has_fn_string_attr(LLVMValueRef fn, const char *name);
unsigned int attr_kind(const char *name);
bool is_coroutine(LLVMValueRef fn); /* not yet split */
/* The function that a call reaches directly, or NULL. */
LLVMValueRef direct_callee(LLVMValueRef call);
bool is_call(LLVMValueRef inst); /* call or invoke */

/* options.c: opens objects and makes the probes; false: an error was reported. */
bool options_load(struct pass_run *run);
void options_unload(struct pass_run *run);

/* types.c: the module's types as BTF, the run's; NULL: it has no debug information. */
const void *types_btf(void *run, size_t *ret_bytes);

/* match.c: fills run->places and the skip events. */
void match_module(struct pass_run *run);
bool match_caller(const struct pass_probe *probe, const char *caller);
/* A place gets a program; a place that got one goes into the plan. */
void match_add(struct pass_run *run, struct pass_place *place, struct pass_probe *probe);
void match_finish(struct pass_run *run, const struct pass_place *place);
/* aliases.c */
const struct pass_alias *alias_find(const char *ir_name);
/* libc.c: what a function of libc returns when it has set errno. */
enum libc_failure { LIBC_UNKNOWN, LIBC_FAILS_MINUS_ONE, LIBC_FAILS_ZERO };
enum libc_failure libc_failure_of(const char *function);

/* import.c */
bool import_lower(struct pass_run *run);	/* objects with a matched program; fills reads */
bool import_link(struct pass_run *run);		/* bodies into the module, then inlines them */
LLVMValueRef import_declare(struct pass_run *run, const struct pass_probe *probe);
LLVMValueRef import_declare_data(struct pass_run *run, const struct pass_object *object,
				 const char *what);

/* Whether the frame escapes: every word may be read. */
static inline bool reads_all(const struct pass_run *run, uint64_t reads)
{
	return reads == (1ull << (run->arch->nr_regs + FRAME_NR_EXTRA)) - 1;
}

/* frame.c: words of its frame that a lowered program reads and writes; bit i = word i. */
void frame_use(const struct pass_run *run, LLVMModuleRef module, const char *symbol,
	       uint64_t *ret_reads, uint64_t *ret_writes);

/* reads.c: fills what the matched programs of a lowered object read of their frame. */
void reads_of_object(struct pass_run *run, struct pass_object *object);

/* args.c */
void args_at_function(const struct pass_run *run, LLVMValueRef fn, struct pass_words *words);
void args_at_call(const struct pass_run *run, LLVMValueRef call, const struct pass_alias *alias,
		  struct pass_words *words);
/* `value` is the result, or NULL to ask what is available only; `at` the function or the call. */
void args_of_result(const struct pass_run *run, LLVMValueRef at, LLVMValueRef value,
		    struct pass_words *words);
LLVMValueRef args_word(LLVMBuilderRef b, const struct pass_word *word);
bool args_can_override(const struct pass_run *run, LLVMValueRef at, const char **ret_why);
LLVMValueRef args_override_value(LLVMBuilderRef b, LLVMValueRef rc, LLVMTypeRef type);
const char *args_describe(struct pass_run *run, LLVMValueRef at);

/* LLVM's numbering puts sp and ip beside what args.c knows; see check.c. */
bool args_is_available(const struct pass_run *run, const struct pass_place *place,
		       enum pass_side side, const struct pass_words *words, unsigned int word);

/* check.c: drops from each place the programs that cannot run there. */
void check_places(struct pass_run *run);

/* site.c */
struct pass_fn {
	struct pass_fn *next;
	LLVMValueRef fn;
	LLVMValueRef frame;	/* alloca, NULL until needed */
	LLVMValueRef outside;	/* copy.c: the definition that fn is a copy of; NULL until needed */
	bool is_overridden;	/* what it returns may be a program's choice */
};
struct pass_fn *site_fn(struct pass_run *run, LLVMValueRef fn);
void site_insert_function(struct pass_run *run, const struct pass_place *place);

/* An insertion: everything goes before `before`. */
struct pass_ins {
	struct pass_run *run;
	struct pass_fn *fn;
	LLVMBuilderRef b;
	LLVMValueRef before;
	LLVMMetadataRef loc;
	const struct pass_words *words;
	uint64_t stored;	/* frame words that already hold their value */
	const struct pass_place *place;
	LLVMValueRef guard;	/* i1 that the program depends on, or NULL */
};

/* State of a session program between its two runs; of an entry program: unused. */
struct pass_session {
	LLVMValueRef cookie, armed;
	bool is_guarded;	/* at a call whose function may count by itself */
};

LLVMValueRef site_alloca(struct pass_run *run, LLVMValueRef fn, LLVMTypeRef type, const char *name);
LLVMMetadataRef site_function_loc(struct pass_run *run, LLVMValueRef fn);
LLVMMetadataRef site_inst_loc(struct pass_run *run, LLVMValueRef inst);
/* A builder before `before`, whose instructions carry `loc`. */
void site_begin(struct pass_ins *ins, LLVMValueRef before, LLVMMetadataRef loc);
void site_end(struct pass_ins *ins);
/* The builder moves before `before`; `ins->before` stays. */
void site_go_to(struct pass_ins *ins, LLVMValueRef before);
/* Before the entry run of a session program whose exit run can follow. */
void site_session_init(struct pass_ins *ins, const struct pass_probe *probe,
		       struct pass_session *session);
/* `session` may be NULL for programs that are none. */
void site_run_entry(struct pass_ins *ins, const struct pass_probe *probe,
		    const struct pass_session *session);
void site_run_return(struct pass_ins *ins, const struct pass_probe *probe,
		     const struct pass_session *session);
/* An exit run that cannot take place is counted in the program's control block. */
void site_miss_return(struct pass_ins *ins, const struct pass_probe *probe,
		      const struct pass_session *session);
bool site_overrides(const struct pass_place *place);
void site_override_reset(struct pass_ins *ins);
LLVMValueRef site_override_test(struct pass_ins *ins); /* i1 */
LLVMValueRef site_override_rc(struct pass_ins *ins);   /* i64 */
bool site_is_musttail(LLVMValueRef inst);

/* late.c: what the early run writes on a function, and what the late run finds of it. */
void late_note(struct pass_run *run, LLVMValueRef fn);
bool late_is_noted(LLVMValueRef fn);
bool late_is_wanted(LLVMModuleRef module);
bool late_has_result(struct pass_run *run, LLVMValueRef fn);
void late_args(struct pass_run *run, LLVMValueRef fn, struct pass_words *words);

/* The program's gates and switch, i1 built with `b`, or NULL: it always runs. Without `b` any value
 * says that there are some. */
LLVMValueRef site_gates(struct pass_ins *ins, const struct pass_probe *probe, LLVMBuilderRef b);

/* usdt.c */
void usdt_match_call(struct pass_run *run, LLVMValueRef fn, LLVMValueRef call);
void usdt_match_semaphores(struct pass_run *run);
/* Why the program cannot run at the probe, or NULL. */
const char *usdt_obstacle(struct pass_run *run, const struct pass_place *place,
			  const struct pass_probe *probe);
const char *usdt_describe(struct pass_run *run, const struct pass_usdt *usdt);
LLVMValueRef usdt_word(struct pass_ins *ins, enum pass_frame_word word);
void usdt_insert(struct pass_run *run, const struct pass_place *place);
void usdt_raise_semaphores(struct pass_run *run);

/* copy.c */
bool copy_is(LLVMValueRef fn); /* available_externally */
/* Why the copy cannot be made the file's own, or NULL. */
const char *copy_obstacle(LLVMValueRef fn);
/* Whether a call leaves the file: the callee is declared, or a copy that calls itself. */
bool copy_is_call_outside(LLVMValueRef caller, LLVMValueRef callee);
/* The address of the definition; of the copy where there is none. */
LLVMValueRef copy_address(struct pass_run *run, LLVMBuilderRef b, LLVMValueRef fn);
/* Probed copies become functions of the file. Their names change: everything is written by then. */
void copies_keep(struct pass_run *run);

/* unwind.c */
/*
 * Where only `*call` unwinds; the call may become an invoke. NULL: it does not unwind, for a reason
 * worth telling if `*ret_why` is set.
 */
LLVMValueRef unwind_place(struct pass_run *run, LLVMValueRef *call, const char **ret_why);

/* call.c */
void call_insert(struct pass_run *run, const struct pass_place *place);

/* attrs.c */
void attrs_drop(struct pass_run *run);

/* record.c */
/* One record and one line of the report; `kind` is an enum inlay_site_kind. */
void record_site(struct pass_run *run, struct pass_probe *probe, const struct pass_place *place,
		 uint32_t kind);
/*
 * Marks tell other files' call sites that this one counts the function at its entry: `defined`
 * is there or not; `body` says whether calls reach this definition or one that replaced it.
 */
void record_defined(struct pass_run *run, const struct pass_probe *probe, LLVMValueRef fn);
LLVMValueRef record_declare_defined(struct pass_run *run, const struct pass_probe *probe,
				    LLVMValueRef fn);
LLVMValueRef record_declare_body(struct pass_run *run, const struct pass_probe *probe,
				 LLVMValueRef fn);
/* For the link's report; true if there was anything to say. */
bool record_skips(struct pass_run *run);
void record_finish(struct pass_run *run);

/* report.c */
void report_skip(struct pass_run *run, struct pass_probe *probe, const char *function,
		 const char *caller, const char *format, ...) __attribute__((format(printf, 5, 6)));
void report_write(struct pass_run *run);

#endif /* INLAY_PASS_PLAN_H */
