/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs at entries and returns of functions, and what a run of a program is made of: gate, frame
 * words, call, session state. Every inserted call carries a debug location where the function has
 * one (without, inlining at -O0 -g fails: tests/lit/pass/debug.test).
 */
#include <string.h>

#include "bpfcc/ll/util.h"
#include "pass/plan.h"

static struct pass_fn **find_slot(struct pass_fn **table, unsigned int slots, LLVMValueRef fn)
{
	unsigned int i = (unsigned int)((uintptr_t)fn >> 4) * 0x9e3779b1u;

	for (;; i++)
		if (!table[i & (slots - 1)] || table[i & (slots - 1)]->fn == fn)
			return &table[i & (slots - 1)];
}

static void grow_table(struct pass_run *run)
{
	unsigned int slots = run->fn_slots ? run->fn_slots * 2 : 64;
	struct pass_fn **table = run_alloc(run, slots * sizeof(*table));

	for (struct pass_fn *f = run->fns; f; f = f->next)
		*find_slot(table, slots, f->fn) = f;
	run->fn_table = table;
	run->fn_slots = slots;
}

struct pass_fn *site_fn(struct pass_run *run, LLVMValueRef fn)
{
	struct pass_fn **slot;

	if (run->nr_fns * 2 >= run->fn_slots)
		grow_table(run);
	slot = find_slot(run->fn_table, run->fn_slots, fn);
	if (*slot)
		return *slot;
	*slot = run_alloc(run, sizeof(**slot));
	(*slot)->fn = fn;
	run->nr_fns++;
	if (run->last_fn)
		run->last_fn->next = *slot;
	else
		run->fns = *slot;
	return run->last_fn = *slot;
}

/* A coroutine's variables move to its own frame, which may be gone when its ramp returns. */
static void keep_on_stack(struct pass_run *run, LLVMValueRef v_alloca)
{
	static const char kind[] = "coro.outside.frame";
	LLVMMetadataRef none = LLVMMDNodeInContext2(run->context, NULL, 0);

	LLVMSetMetadata(v_alloca,
			LLVMGetMDKindIDInContext(run->context, kind, sizeof(kind) - 1),
			LLVMMetadataAsValue(run->context, none));
}

LLVMValueRef site_alloca(struct pass_run *run, LLVMValueRef fn, LLVMTypeRef type, const char *name)
{
	LLVMBuilderRef b = LLVMCreateBuilderInContext(run->context);
	LLVMValueRef v;

	LLVMPositionBuilderBefore(b, LLVMGetFirstInstruction(LLVMGetEntryBasicBlock(fn)));
	v = LLVMBuildAlloca(b, type, name);
	if (is_coroutine(fn))
		keep_on_stack(run, v);
	LLVMDisposeBuilder(b);
	return v;
}

LLVMMetadataRef site_function_loc(struct pass_run *run, LLVMValueRef fn)
{
	LLVMMetadataRef sp = LLVMGetSubprogram(fn);

	return sp ? LLVMDIBuilderCreateDebugLocation(run->context, LLVMDISubprogramGetLine(sp), 0,
						     sp, NULL) :
		    NULL;
}

/* The instruction's own place, or its function's. */
LLVMMetadataRef site_inst_loc(struct pass_run *run, LLVMValueRef inst)
{
	LLVMMetadataRef loc = LLVMInstructionGetDebugLoc(inst);
	LLVMValueRef fn = LLVMGetBasicBlockParent(LLVMGetInstructionParent(inst));

	if (!LLVMGetSubprogram(fn))
		return NULL;
	return loc ? loc : site_function_loc(run, fn);
}

void site_go_to(struct pass_ins *ins, LLVMValueRef before)
{
	LLVMPositionBuilderBefore(ins->b, before);
	LLVMSetCurrentDebugLocation2(ins->b, ins->loc);
}

void site_begin(struct pass_ins *ins, LLVMValueRef before, LLVMMetadataRef loc)
{
	ins->b = LLVMCreateBuilderInContext(ins->run->context);
	ins->before = before;
	ins->loc = loc;
	site_go_to(ins, before);
}

void site_end(struct pass_ins *ins)
{
	LLVMDisposeBuilder(ins->b);
	ins->b = NULL;
}

static LLVMTypeRef int_type(const struct pass_ins *ins, unsigned int bits)
{
	return LLVMIntTypeInContext(ins->run->context, bits);
}

static LLVMValueRef offset(struct pass_ins *ins, LLVMValueRef base, uint64_t bytes)
{
	LLVMValueRef index = LLVMConstInt(int_type(ins, 64), bytes, false);

	return LLVMBuildInBoundsGEP2(ins->b, int_type(ins, 8), base, &index, 1, "");
}

/* Sanitizers must not see accesses to what is ours. */
static LLVMValueRef ours(LLVMValueRef access)
{
	ll_set_nosanitize(access);
	return access;
}

static LLVMValueRef frame(struct pass_ins *ins)
{
	unsigned int words = ins->run->arch->nr_regs + FRAME_NR_EXTRA;

	if (!ins->fn->frame)
		ins->fn->frame = site_alloca(ins->run, ins->fn->fn,
					     LLVMArrayType2(int_type(ins, 64), words),
					     "inlay.frame");
	return ins->fn->frame;
}

static LLVMValueRef extra_word(struct pass_ins *ins, enum pass_frame_word word)
{
	return offset(ins, frame(ins), 8ull * (ins->run->arch->nr_regs + word));
}

/* ---- the frame ---- */

static LLVMValueRef call_intrinsic(struct pass_ins *ins, const char *name, bool has_level)
{
	LLVMTypeRef ptr = LLVMPointerTypeInContext(ins->run->context, 0);
	unsigned int id = LLVMLookupIntrinsicID(name, strlen(name));
	/* most are overloaded on the pointer type */
	size_t nr_types = LLVMIntrinsicIsOverloaded(id) ? 1 : 0;
	LLVMValueRef fn = LLVMGetIntrinsicDeclaration(ins->run->module, id, &ptr, nr_types);
	LLVMValueRef level = LLVMConstInt(int_type(ins, 32), 0, false);

	return LLVMBuildCall2(ins->b, LLVMGlobalGetValueType(fn), fn, &level, has_level, "");
}

static LLVMValueRef function_address(struct pass_ins *ins)
{
	if (ins->place->usdt)
		return LLVMConstNull(LLVMPointerTypeInContext(ins->run->context, 0));
	if (ins->place->call)
		return direct_callee(ins->place->call);
	return copy_is(ins->place->fn) ? copy_address(ins->run, ins->b, ins->place->fn) :
					 ins->place->fn;
}

static void keep_own_frame(struct pass_ins *ins)
{
	LLVMAddAttributeAtIndex(ins->place->fn, LLVMAttributeFunctionIndex,
				LLVMCreateEnumAttribute(ins->run->context, attr_kind("noinline"),
							0));
}

/*
 * sp and ip hold only if the function keeps a frame of its own: it is not inlined any more. At the
 * return the call's return address is off the stack, as for a uretprobe. The frame pointer is still the
 * caller's at the entry, and again at the return: the function's frame record holds it.
 */
static LLVMValueRef special_register(struct pass_ins *ins, enum pass_side side, unsigned int word)
{
	const struct pass_arch *arch = ins->run->arch;
	LLVMValueRef v;

	if (word == arch->ip && side == PASS_ENTRY)
		return function_address(ins);
	if (ins->place->call ||
	    (word != arch->sp && word != arch->ip && word != arch->lr && word != arch->fp))
		return NULL;
	keep_own_frame(ins);
	if (word == arch->fp) {
		v = call_intrinsic(ins, "llvm.frameaddress", true);
		return ours(LLVMBuildLoad2(ins->b, int_type(ins, 64), v, ""));
	}
	if (word != arch->sp)
		return call_intrinsic(ins, "llvm.returnaddress", true);
	if (strcmp(arch->name, "x86_64")) /* sp on entry: behind the frame record */
		return call_intrinsic(ins, "llvm.sponentry", false);
	v = call_intrinsic(ins, "llvm.addressofreturnaddress", false);
	return side == PASS_RETURN ? offset(ins, v, 8) : v;
}

static void store_register(struct pass_ins *ins, const struct pass_probe *probe,
			   enum pass_side side, unsigned int word)
{
	struct pass_word w = ins->words->w[word];
	LLVMValueRef v;

	if (!w.value && args_is_available(ins->run, ins->place, side, ins->words, word))
		w.value = special_register(ins, side, word);
	if (w.value)
		v = args_word(ins->b, &w);
	else if (reads_all(ins->run, probe->reads[side]))
		v = LLVMConstInt(int_type(ins, 64), 0, false);
	else
		return;
	ours(LLVMBuildStore(ins->b, v, offset(ins, frame(ins), 8ull * word)));
}

/* How many integers and pointers the function gets in registers. */
static LLVMValueRef arg_count(struct pass_ins *ins, enum pass_side side)
{
	const struct pass_arch *arch = ins->run->arch;
	unsigned int nr = 0;

	while (side == PASS_ENTRY && nr < arch->nr_args && ins->words->w[arch->args[nr]].value)
		nr++;
	return LLVMConstInt(int_type(ins, 64), (uint64_t)nr << 16, false);
}

/*
 * A stack begins at the frame record of the function that holds the site, which asking for its
 * address makes it have. At its entry and return that record leads to where a uprobe's walk would
 * go; in the middle of a function, and in one that is always inlined, an address at the site comes
 * first.
 */
static bool is_inside_function(const struct pass_ins *ins)
{
	return ins->place->call || has_fn_attr(ins->place->fn, "alwaysinline");
}

static LLVMValueRef stack_record(struct pass_ins *ins)
{
	if (!is_inside_function(ins))
		keep_own_frame(ins);
	return call_intrinsic(ins, "llvm.frameaddress", true);
}

static LLVMValueRef stack_here(struct pass_ins *ins)
{
	bool is_x86 = !strcmp(ins->run->arch->name, "x86_64");
	const char *text = is_x86 ? "leaq 0(%rip), $0" : "adr $0, .";
	LLVMTypeRef type = LLVMFunctionType(int_type(ins, 64), NULL, 0, false);
	LLVMValueRef v_asm;

	if (!is_inside_function(ins))
		return LLVMConstInt(int_type(ins, 64), 0, false);
	v_asm = LLVMGetInlineAsm(type, text, strlen(text), "=r", 2, true, false,
				 LLVMInlineAsmDialectATT, false);
	return LLVMBuildCall2(ins->b, type, v_asm, NULL, 0, "");
}

static void store_extra(struct pass_ins *ins, enum pass_side side, enum pass_frame_word word,
			const struct pass_session *session)
{
	LLVMValueRef v = LLVMConstInt(int_type(ins, 64), 0, false);

	if (word == FRAME_FUNC_IP)
		v = function_address(ins);
	else if (word == FRAME_SESSION_COOKIE && session && session->cookie)
		v = session->cookie;
	else if (word == FRAME_IS_RETURN)
		v = LLVMConstInt(int_type(ins, 32), side == PASS_RETURN, false);
	else if (word == FRAME_OVERRIDE_RC)
		return;
	else if (word == FRAME_STACK_FP)
		v = stack_record(ins);
	else if (word == FRAME_STACK_FIRST)
		v = side == PASS_ENTRY ? function_address(ins) : v;
	else if (word == FRAME_STACK_HERE)
		v = stack_here(ins);
	else if (word >= FRAME_USDT_ARG && ins->place->usdt)
		v = usdt_word(ins, word);
	else if (word == FRAME_USDT_INFO)
		v = arg_count(ins, side);
	ours(LLVMBuildStore(ins->b, v, extra_word(ins, word)));
}

/* Stores what the program reads and no earlier program at this site has had stored. */
static void fill_frame(struct pass_ins *ins, const struct pass_probe *probe, enum pass_side side,
		       const struct pass_session *session)
{
	unsigned int nr_regs = ins->run->arch->nr_regs;
	uint64_t todo = probe->reads[side] & ~ins->stored;

	for (unsigned int w = 0; w < nr_regs + FRAME_NR_EXTRA; w++) {
		if (!(todo >> w & 1))
			continue;
		if (w < nr_regs)
			store_register(ins, probe, side, w);
		else
			store_extra(ins, side, (enum pass_frame_word)(w - nr_regs), session);
	}
	ins->stored |= todo & ~(1ull << (nr_regs + FRAME_SESSION_COOKIE));
}

static LLVMValueRef call_program(struct pass_ins *ins, const struct pass_probe *probe,
				 enum pass_side side, const struct pass_session *session)
{
	LLVMValueRef fn = import_declare(ins->run, probe), arg, call;

	if (probe->uses_frame) {
		fill_frame(ins, probe, side, session);
		arg = frame(ins);
	} else {
		arg = LLVMConstNull(LLVMPointerTypeInContext(ins->run->context, 0));
	}
	call = LLVMBuildCall2(ins->b, LLVMGlobalGetValueType(fn), fn, &arg, 1, "");
	return call;
}

/* ---- gates ---- */

static LLVMValueRef load_flag(struct pass_ins *ins, const struct pass_probe *probe,
			      const char *what, uint64_t stride)
{
	LLVMValueRef base = import_declare_data(ins->run, probe->object, what);
	LLVMTypeRef i8 = int_type(ins, 8);
	LLVMValueRef v = LLVMBuildLoad2(ins->b, i8, offset(ins, base, probe->prog->index * stride),
					"");

	LLVMSetVolatile(v, true);
	ours(v);
	return LLVMBuildICmp(ins->b, LLVMIntNE, v, LLVMConstInt(i8, 0, false), "");
}

/* Opens a block that runs only if `cond` holds; the builder goes there. */
static void open_block(struct pass_ins *ins, LLVMValueRef cond, bool is_likely)
{
	LLVMValueRef end = ir_if_then(cond, ins->before, is_likely ? PASS_LIKELY : 1,
				      is_likely ? 1 : PASS_LIKELY, false);

	site_go_to(ins, end);
}

static LLVMValueRef both(LLVMBuilderRef b, LLVMValueRef x, LLVMValueRef y)
{
	return x ? LLVMBuildAnd(b, x, y, "") : y;
}

LLVMValueRef site_gates(struct pass_ins *ins, const struct pass_probe *probe, LLVMBuilderRef b)
{
	bool is_switched = probe->prog->flags & (BPFCC_PROG_SWITCHED | BPFCC_PROG_SWITCHED_ON);
	LLVMValueRef cond = NULL;

	if (!b)
		return probe->is_gated || is_switched ? ins->fn->fn : NULL;
	if (probe->is_gated)
		cond = load_flag(ins, probe, "gates", 1);
	if (is_switched)
		cond = both(b, cond, load_flag(ins, probe, "ctl", sizeof(struct inlay_prog_ctl)));
	return cond;
}

/* True if a block was opened; stores in it do not count for the programs after it. */
static bool open_gates(struct pass_ins *ins, const struct pass_probe *probe)
{
	bool is_switched = probe->prog->flags & (BPFCC_PROG_SWITCHED | BPFCC_PROG_SWITCHED_ON);
	bool is_likely = !is_switched || (probe->prog->flags & BPFCC_PROG_SWITCHED_ON);
	LLVMValueRef cond = site_gates(ins, probe, ins->b);

	/* as at the guard: keep the body away */
	if (ins->guard) {
		is_likely = false;
		cond = cond ? both(ins->b, ins->guard, cond) : ins->guard;
	}
	if (!cond)
		return false;
	open_block(ins, cond, is_likely);
	return true;
}

static bool is_conditional(const struct pass_ins *ins, const struct pass_probe *probe)
{
	return ins->guard || probe->is_gated ||
	       (probe->prog->flags & (BPFCC_PROG_SWITCHED | BPFCC_PROG_SWITCHED_ON));
}

/* ---- runs ---- */

void site_session_init(struct pass_ins *ins, const struct pass_probe *probe,
		       struct pass_session *session)
{
	uint64_t cookie = 1ull << (ins->run->arch->nr_regs + FRAME_SESSION_COOKIE);
	LLVMTypeRef i64 = int_type(ins, 64), i8 = int_type(ins, 8);

	if ((probe->reads[PASS_ENTRY] | probe->reads[PASS_RETURN]) & cookie)
		session->cookie = site_alloca(ins->run, ins->fn->fn, i64, "inlay.cookie");
	session->is_guarded = ins->guard;
	if (probe->suppresses || is_conditional(ins, probe))
		session->armed = site_alloca(ins->run, ins->fn->fn, i8, "inlay.armed");
	if (session->cookie)
		ours(LLVMBuildStore(ins->b, LLVMConstInt(i64, 0, false), session->cookie));
	if (session->armed)
		ours(LLVMBuildStore(ins->b, LLVMConstInt(i8, 0, false), session->armed));
}

void site_run_entry(struct pass_ins *ins, const struct pass_probe *probe,
		    const struct pass_session *session)
{
	uint64_t stored = ins->stored;
	bool is_gated = open_gates(ins, probe);
	LLVMValueRef rc = call_program(ins, probe, PASS_ENTRY, session), zero, is_zero;

	if (session && session->armed) {
		zero = LLVMConstInt(LLVMTypeOf(rc), 0, false);
		is_zero = LLVMBuildICmp(ins->b, LLVMIntEQ, rc, zero, "");
		is_zero = LLVMBuildZExt(ins->b, is_zero, int_type(ins, 8), "");
		ours(LLVMBuildStore(ins->b, is_zero, session->armed));
	}
	if (is_gated) {
		ins->stored = stored;
		site_go_to(ins, ins->before);
	}
}

/* An exit run follows the entry run that armed it; a return program looks at its gates now. */
static bool open_return(struct pass_ins *ins, const struct pass_probe *probe,
			const struct pass_session *session)
{
	LLVMTypeRef i8 = int_type(ins, 8);
	LLVMValueRef v;

	if (!session || probe->prog->kind != INLAY_PROG_SESSION)
		return open_gates(ins, probe);
	if (!session->armed)
		return false;
	v = ours(LLVMBuildLoad2(ins->b, i8, session->armed, ""));
	open_block(ins, LLVMBuildICmp(ins->b, LLVMIntNE, v, LLVMConstInt(i8, 0, false), ""),
		   !session->is_guarded);
	return true;
}

void site_run_return(struct pass_ins *ins, const struct pass_probe *probe,
		     const struct pass_session *session)
{
	uint64_t stored = ins->stored;

	if (open_return(ins, probe, session)) {
		call_program(ins, probe, PASS_RETURN, session);
		ins->stored = stored;
		site_go_to(ins, ins->before);
	} else {
		call_program(ins, probe, PASS_RETURN, session);
	}
}

void site_miss_return(struct pass_ins *ins, const struct pass_probe *probe,
		      const struct pass_session *session)
{
	bool is_open = open_return(ins, probe, session);
	LLVMValueRef ctl = import_declare_data(ins->run, probe->object, "ctl"), at;

	at = offset(ins, ctl,
		    probe->prog->index * sizeof(struct inlay_prog_ctl) +
			    offsetof(struct inlay_prog_ctl, misses));
	ours(LLVMBuildAtomicRMW(ins->b, LLVMAtomicRMWBinOpAdd, at,
				LLVMConstInt(int_type(ins, 64), 1, false),
				LLVMAtomicOrderingMonotonic, false));
	if (is_open)
		site_go_to(ins, ins->before);
}

/* ---- overriding ---- */

bool site_overrides(const struct pass_place *place)
{
	for (unsigned int i = 0; i < place->nr_probes; i++)
		if (place->probes[i]->overrides && probe_has(place->probes[i], PASS_ENTRY))
			return true;
	return false;
}

static LLVMValueRef override_flag(struct pass_ins *ins)
{
	return offset(ins, extra_word(ins, FRAME_IS_RETURN), 4);
}

void site_override_reset(struct pass_ins *ins)
{
	ours(LLVMBuildStore(ins->b, LLVMConstInt(int_type(ins, 32), 0, false),
			    override_flag(ins)));
}

LLVMValueRef site_override_test(struct pass_ins *ins)
{
	LLVMTypeRef i32 = int_type(ins, 32);
	LLVMValueRef v = ours(LLVMBuildLoad2(ins->b, i32, override_flag(ins), ""));

	return LLVMBuildICmp(ins->b, LLVMIntNE, v, LLVMConstInt(i32, 0, false), "");
}

LLVMValueRef site_override_rc(struct pass_ins *ins)
{
	return ours(LLVMBuildLoad2(ins->b, int_type(ins, 64), extra_word(ins, FRAME_OVERRIDE_RC),
				   ""));
}

/* After the entry programs: leave with what one chose. The exit programs see this `ret` too. */
static void insert_override(struct pass_ins *ins, LLVMValueRef fn)
{
	LLVMTypeRef type = LLVMGetReturnType(LLVMGlobalGetValueType(fn));
	LLVMValueRef cond = site_override_test(ins);
	LLVMValueRef end = ir_if_then(cond, ins->before, 1, PASS_LIKELY, true);

	site_go_to(ins, end);
	if (LLVMGetTypeKind(type) == LLVMVoidTypeKind)
		LLVMBuildRetVoid(ins->b);
	else
		LLVMBuildRet(ins->b, args_override_value(ins->b, site_override_rc(ins), type));
	LLVMInstructionEraseFromParent(end);
	site_go_to(ins, ins->before);
	ins->fn->is_overridden = true;
}

/* ---- functions ---- */

bool site_is_musttail(LLVMValueRef inst)
{
	return inst && LLVMIsACallInst(inst) &&
	       LLVMGetTailCallKind(inst) == LLVMTailCallKindMustTail;
}

/* Allocas of the entry block stay together in front, or they would not be static any more. */
static LLVMValueRef entry_point(LLVMValueRef fn)
{
	LLVMValueRef i = LLVMGetFirstInstruction(LLVMGetEntryBasicBlock(fn));

	while (LLVMIsAAllocaInst(i))
		i = LLVMGetNextInstruction(i);
	return i;
}

/*
 * A glob names functions that the target defines. That it defines the one whose copy this is shows
 * by the mark that a definition leaves in the link.
 */
static LLVMValueRef copy_guard(struct pass_ins *ins, const struct pass_probe *probe)
{
	LLVMValueRef defined;

	if (!copy_is(ins->place->fn) || !probe->is_glob)
		return NULL;
	defined = record_declare_defined(ins->run, probe, ins->place->fn);
	LLVMSetVisibility(defined, LLVMHiddenVisibility);
	return LLVMBuildIsNotNull(ins->b, defined, "");
}

/*
 * Nobody may know what a session's state holds until the coroutine's ramp returns: a value that is
 * carried there instead would be carried in the coroutine's frame.
 */
static void hide_state(struct pass_ins *ins, LLVMValueRef state)
{
	static char code[] = "", constraints[] = "r,~{memory}";
	LLVMTypeRef ptr = LLVMPointerTypeInContext(ins->run->context, 0);
	LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(ins->run->context), &ptr, 1, 0);
	LLVMValueRef v_asm = LLVMGetInlineAsm(type, code, 0, constraints, sizeof(constraints) - 1,
					      true, false, LLVMInlineAsmDialectATT, false);

	if (state && is_coroutine(ins->place->fn))
		LLVMBuildCall2(ins->b, type, v_asm, &state, 1, "");
}

static void insert_entry(struct pass_run *run, const struct pass_place *place,
			 struct pass_session *sessions)
{
	struct pass_words words;
	struct pass_ins ins = {
		.run = run,
		.fn = site_fn(run, place->fn),
		.words = &words,
		.place = place,
	};
	bool overrides = site_overrides(place);

	args_at_function(run, place->fn, &words);
	site_begin(&ins, entry_point(place->fn), site_function_loc(run, place->fn));
	if (overrides)
		site_override_reset(&ins);
	for (unsigned int i = 0; i < place->nr_probes; i++) {
		struct pass_probe *probe = place->probes[i];

		if (!probe_has(probe, PASS_ENTRY))
			continue;
		ins.guard = copy_guard(&ins, probe);
		if (probe->prog->kind == INLAY_PROG_SESSION)
			site_session_init(&ins, probe, &sessions[i]);
		site_run_entry(&ins, probe, &sessions[i]);
		hide_state(&ins, sessions[i].cookie);
		hide_state(&ins, sessions[i].armed);
		record_site(run, probe, place, INLAY_SITE_ENTRY);
	}
	if (overrides)
		insert_override(&ins, place->fn);
	site_end(&ins);
}

/* One way out: a `ret`, the musttail call before it, or a `resume`. */
static void insert_exit(struct pass_run *run, const struct pass_place *place,
			struct pass_session *sessions, LLVMValueRef exit)
{
	LLVMTypeRef type = LLVMGetReturnType(LLVMGlobalGetValueType(place->fn));
	bool is_unwind = LLVMGetInstructionOpcode(exit) == LLVMResume;
	LLVMValueRef tail = LLVMGetPreviousInstruction(exit), value = NULL;
	bool is_tail = !is_unwind && site_is_musttail(tail);
	uint64_t rets = 1ull << run->arch->rets[0] | 1ull << run->arch->rets[1];
	struct pass_words words;
	struct pass_ins ins = {
		.run = run,
		.fn = site_fn(run, place->fn),
		.words = &words,
		.place = place,
	};

	if (LLVMGetTypeKind(type) != LLVMVoidTypeKind)
		value = is_unwind || is_tail ? LLVMConstNull(type) : LLVMGetOperand(exit, 0);
	args_of_result(run, place->fn, value, &words);
	site_begin(&ins, is_tail ? tail : exit, site_inst_loc(run, exit));
	for (unsigned int i = 0; i < place->nr_probes; i++) {
		struct pass_probe *probe = place->probes[i];

		if (!probe_has(probe, PASS_RETURN) ||
		    (is_unwind && !(probe->prog->flags & BPFCC_PROG_UNWIND)))
			continue;
		ins.guard = probe->prog->kind == INLAY_PROG_RETURN ? copy_guard(&ins, probe) : NULL;
		if (is_tail && probe->reads[PASS_RETURN] & rets) {
			site_miss_return(&ins, probe, &sessions[i]);
			report_skip(run, probe, value_name(place->fn), NULL,
				    "one return is a musttail call and counts as missed");
		} else {
			site_run_return(&ins, probe, &sessions[i]);
		}
	}
	site_end(&ins);
}

static bool is_exit(LLVMValueRef terminator)
{
	return terminator && (LLVMGetInstructionOpcode(terminator) == LLVMRet ||
			      LLVMGetInstructionOpcode(terminator) == LLVMResume);
}

/*
 * Of a coroutine the ramp is probed: what follows coro.end runs in it only. By then the coroutine
 * may be gone, and nothing of it may be used: exits have a frame of their own, and what a session
 * keeps is outside the coroutine's.
 */
static void insert_exits(struct pass_run *run, const struct pass_place *place,
			 struct pass_session *sessions)
{
	unsigned int n = LLVMCountBasicBlocks(place->fn), nr = 0;
	LLVMValueRef *exits = run_alloc(run, n * sizeof(*exits));
	LLVMBasicBlockRef bb;

	for (bb = LLVMGetFirstBasicBlock(place->fn); bb; bb = LLVMGetNextBasicBlock(bb))
		if (is_exit(LLVMGetBasicBlockTerminator(bb)))
			exits[nr++] = LLVMGetBasicBlockTerminator(bb);
	for (unsigned int i = 0; i < nr; i++) {
		if (is_coroutine(place->fn))
			site_fn(run, place->fn)->frame = NULL;
		if (!is_coroutine(place->fn) || LLVMGetInstructionOpcode(exits[i]) == LLVMRet)
			insert_exit(run, place, sessions, exits[i]);
	}
	for (unsigned int i = 0; nr && i < place->nr_probes; i++)
		if (probe_has(place->probes[i], PASS_RETURN))
			record_site(run, place->probes[i], place, INLAY_SITE_RETURN);
}

static bool wants_unwinding(const struct pass_place *place)
{
	for (unsigned int i = 0; i < place->nr_probes; i++)
		if ((place->probes[i]->prog->flags & BPFCC_PROG_UNWIND) &&
		    probe_has(place->probes[i], PASS_RETURN))
			return true;
	return false;
}

void site_insert_function(struct pass_run *run, const struct pass_place *place)
{
	struct pass_session *sessions = run_alloc(run, place->nr_probes * sizeof(*sessions));

	if (wants_unwinding(place) && !is_coroutine(place->fn))
		ir_make_cleanups(place->fn);
	insert_entry(run, place, sessions);
	insert_exits(run, place, sessions);
	LLVMAddTargetDependentFunctionAttr(place->fn, MARK_FN, "");
	for (unsigned int i = 0; i < place->nr_probes; i++)
		record_defined(run, place->probes[i], place->fn);
}
