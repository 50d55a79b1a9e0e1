/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs around a call to a function that the file does not define: entry programs before it,
 * exit programs after it, in place, so that variadic calls keep their arguments. Whether another
 * file of the target defines the function, and has the programs at its entry, is a link-time
 * constant that the site tests (docs/DESIGN.md section 12).
 */
#include <string.h>

#include "bpfcc/ll/util.h"
#include "pass/plan.h"

struct site {
	struct pass_run *run;
	const struct pass_place *place;
	LLVMValueRef call, callee;
	LLVMValueRef value;		/* what the call returned, or what a program chose */
	struct pass_session *sessions;
};

/* A library's function, and calls that a program asked for, are nobody else's. */
static bool needs_guard(const struct site *s, const struct pass_probe *probe)
{
	return copy_is_call_outside(s->place->fn, s->callee) && !probe->is_library &&
	       !probe->is_call_only;
}

/* i1: the definition that the mark belongs to was replaced by another one. */
static LLVMValueRef is_replaced(struct site *s, struct pass_ins *ins, LLVMValueRef body)
{
	LLVMTypeRef ptr = LLVMPointerTypeInContext(s->run->context, 0);
	LLVMValueRef one = LLVMConstInt(LLVMInt32TypeInContext(s->run->context), 1, false);
	LLVMValueRef reached = LLVMBuildLoad2(ins->b, ptr, body, ""), here;

	here = LLVMBuildInBoundsGEP2(ins->b, ptr, body, &one, 1, "");
	here = LLVMBuildLoad2(ins->b, ptr, here, "");
	ll_set_nosanitize(reached);
	ll_set_nosanitize(here);
	return LLVMBuildICmp(ins->b, LLVMIntNE, reached, here, "");
}

/* At the first place of a block with two ways in: the constant by one, `second` by the other. */
static LLVMValueRef join(struct pass_ins *ins, bool first, LLVMBasicBlockRef from_first,
			 LLVMValueRef second, LLVMBasicBlockRef from_second)
{
	LLVMTypeRef i1 = LLVMInt1TypeInContext(ins->run->context);
	LLVMValueRef phi = LLVMBuildPhi(ins->b, i1, "");

	LLVMAddIncoming(phi, (LLVMValueRef[]){ LLVMConstInt(i1, first, false), second },
			(LLVMBasicBlockRef[]){ from_first, from_second }, 2);
	return phi;
}

/*
 * i1: what is called does not count by itself; NULL: it cannot.
 *	!defined && (!body || body->reached != body->here)
 */
static LLVMValueRef guard(struct site *s, struct pass_ins *ins, const struct pass_probe *probe)
{
	LLVMBasicBlockRef head = LLVMGetInstructionParent(ins->before), undefined;
	LLVMValueRef v, outer, inner;

	if (!needs_guard(s, probe))
		return NULL;
	v = record_declare_defined(s->run, probe, s->callee);
	/* most functions that a target calls by name and probes are its own */
	outer = ir_if_then(LLVMBuildIsNull(ins->b, v, ""), ins->before, 1, PASS_LIKELY, false);
	undefined = LLVMGetInstructionParent(outer);
	site_go_to(ins, outer);
	v = record_declare_body(s->run, probe, s->callee);
	inner = ir_if_then(LLVMBuildIsNotNull(ins->b, v, ""), outer, 1, 1, false);
	site_go_to(ins, inner);
	v = is_replaced(s, ins, v);
	site_go_to(ins, outer);
	v = join(ins, true, undefined, v, LLVMGetInstructionParent(inner));
	site_go_to(ins, ins->before);
	return join(ins, false, head, v, LLVMGetInstructionParent(outer));
}

static bool call_returns(LLVMValueRef call)
{
	return !LLVMGetCallSiteEnumAttribute(call, LLVMAttributeFunctionIndex,
					     attr_kind("noreturn")) &&
	       !has_fn_attr(direct_callee(call), "noreturn");
}

static void insert_before(struct site *s, struct pass_ins *ins)
{
	for (unsigned int i = 0; i < s->place->nr_probes; i++) {
		struct pass_probe *probe = s->place->probes[i];

		if (!probe_has(probe, PASS_ENTRY))
			continue;
		ins->guard = guard(s, ins, probe);
		if (probe->prog->kind == INLAY_PROG_SESSION)
			site_session_init(ins, probe, &s->sessions[i]);
		site_run_entry(ins, probe, &s->sessions[i]);
	}
	ins->guard = NULL;
}

/* ---- bpf_override_return() at a call ---- */

/* The function as programs and manuals know it. */
static const char *callee_function(const struct site *s)
{
	return s->place->alias ? s->place->alias->function : value_name(s->callee);
}

static bool is_libc_path(const char *path)
{
	static const char *const libc[] = { "libc.", "libc-", "libpthread", "librt", "ld-musl" };
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	if (!strcmp(base, "libc"))
		return true;
	for (size_t i = 0; i < sizeof(libc) / sizeof(libc[0]); i++)
		if (!strncmp(base, libc[i], strlen(libc[i])))
			return true;
	return false;
}

/*
 * Whether the program's choice stands for an errno: the program says that it means libc, or the
 * name is one of libc's. Of any other function -28 is a result as good as another.
 */
static bool is_libc_call(const struct site *s)
{
	if (!copy_is_call_outside(s->place->fn, s->callee))
		return false;
	for (unsigned int i = 0; i < s->place->nr_probes; i++) {
		const struct pass_probe *probe = s->place->probes[i];

		if (!probe->overrides)
			continue;
		if (probe->is_library ? is_libc_path(probe->prog->path) :
					libc_failure_of(callee_function(s)) != LIBC_UNKNOWN)
			return true;
	}
	return false;
}

/* What the function returns when it fails: -1 and NULL where nothing is known of it. */
static int64_t failed_result(const struct site *s, LLVMTypeRef type)
{
	switch (libc_failure_of(callee_function(s))) {
	case LIBC_FAILS_MINUS_ONE:
		return -1;
	case LIBC_FAILS_ZERO:
		return 0;
	case LIBC_UNKNOWN:
		break;
	}
	return LLVMGetTypeKind(type) == LLVMPointerTypeKind ? 0 : -1;
}

/*
 * rc in [-4095, -1] stands for an errno: the call fails as the function fails.
 */
static LLVMValueRef libc_result(struct site *s, struct pass_ins *ins, LLVMValueRef rc,
				LLVMTypeRef type)
{
	LLVMTypeRef i64 = LLVMInt64TypeInContext(s->run->context);
	LLVMTypeRef i32 = LLVMInt32TypeInContext(s->run->context);
	LLVMTypeRef ptr = LLVMPointerTypeInContext(s->run->context, 0);
	LLVMTypeRef errno_type = LLVMFunctionType(ptr, NULL, 0, false);
	LLVMValueRef errno_fn = LLVMGetNamedFunction(s->run->module, "__errno_location");
	LLVMValueRef failed, is_error, end, at, v;

	if (!errno_fn)
		errno_fn = LLVMAddFunction(s->run->module, "__errno_location", errno_type);
	v = LLVMBuildAdd(ins->b, rc, LLVMConstInt(i64, 4095, false), "");
	is_error = LLVMBuildICmp(ins->b, LLVMIntULT, v, LLVMConstInt(i64, 4095, false), "");
	end = ir_if_then(is_error, ins->before, 1, 1, false);
	LLVMPositionBuilderBefore(ins->b, end);
	LLVMSetCurrentDebugLocation2(ins->b, ins->loc);
	at = LLVMBuildCall2(ins->b, errno_type, errno_fn, NULL, 0, "");
	v = LLVMBuildTrunc(ins->b, LLVMBuildNeg(ins->b, rc, ""), i32, "");
	ll_set_nosanitize(LLVMBuildStore(ins->b, v, at));
	LLVMPositionBuilderBefore(ins->b, ins->before);
	LLVMSetCurrentDebugLocation2(ins->b, ins->loc);
	failed = LLVMConstInt(i64, (uint64_t)failed_result(s, type), true);
	return LLVMBuildSelect(ins->b, is_error, failed, rc, "");
}

/*
 *	entry programs; if (overridden) value = rc; else value = call();  exit programs
 * Leaves the builder's place where exit programs go, with s->value set.
 */
static void insert_override(struct site *s, struct pass_ins *ins)
{
	LLVMTypeRef type = LLVMGetReturnType(LLVMGetCalledFunctionType(s->call));
	LLVMValueRef cond = site_override_test(ins), rc = site_override_rc(ins), phi = NULL,
		     v = NULL;
	LLVMBasicBlockRef head = LLVMGetInstructionParent(s->call), body, cont, skip;
	LLVMValueRef jump;

	if (LLVMIsAInvokeInst(s->call))
		cont = ir_split_edge(head, LLVMGetNormalDest(s->call));
	else
		cont = ir_split_block(LLVMGetNextInstruction(s->call));
	body = ir_split_block(s->call);

	skip = LLVMInsertBasicBlockInContext(s->run->context, cont, "inlay.skip");
	LLVMPositionBuilderAtEnd(ins->b, skip);
	LLVMSetCurrentDebugLocation2(ins->b, ins->loc);
	jump = LLVMBuildBr(ins->b, cont);
	LLVMPositionBuilderBefore(ins->b, LLVMGetBasicBlockTerminator(head));
	LLVMSetCurrentDebugLocation2(ins->b, ins->loc);
	LLVMBuildCondBr(ins->b, cond, skip, body);
	LLVMInstructionEraseFromParent(LLVMGetBasicBlockTerminator(head));

	ins->before = jump;
	LLVMPositionBuilderBefore(ins->b, jump);
	LLVMSetCurrentDebugLocation2(ins->b, ins->loc);
	if (LLVMGetTypeKind(type) != LLVMVoidTypeKind) {
		if (is_libc_call(s))
			rc = libc_result(s, ins, rc, type);
		v = args_override_value(ins->b, rc, type);
		LLVMPositionBuilderBefore(ins->b, LLVMGetFirstInstruction(cont));
		phi = LLVMBuildPhi(ins->b, type, "");
		LLVMReplaceAllUsesWith(s->call, phi);
		skip = LLVMGetInstructionParent(jump);
		body = LLVMGetInstructionParent(s->call);
		LLVMAddIncoming(phi, (LLVMValueRef[]){ v, s->call },
				(LLVMBasicBlockRef[]){ skip, body }, 2);
		s->value = phi;
	}
	site_fn(s->run, s->callee)->is_overridden = true;
}

/* The first place after the call that only the call leads to. */
static LLVMValueRef after_call(const struct site *s)
{
	LLVMBasicBlockRef block = LLVMGetInstructionParent(s->call);
	LLVMValueRef i;

	if (LLVMIsAInvokeInst(s->call)) {
		block = ir_split_edge(block, LLVMGetNormalDest(s->call));
		return LLVMGetBasicBlockTerminator(block);
	}
	i = LLVMGetNextInstruction(s->call);
	return i;
}

static LLVMValueRef first_after_phis(LLVMBasicBlockRef block)
{
	LLVMValueRef i = LLVMGetFirstInstruction(block);

	while (LLVMIsAPHINode(i))
		i = LLVMGetNextInstruction(i);
	return i;
}

static void run_return(struct site *s, struct pass_ins *ins, unsigned int i)
{
	struct pass_probe *probe = s->place->probes[i];

	if (probe->prog->kind == INLAY_PROG_RETURN)
		ins->guard = guard(s, ins, probe);
	site_run_return(ins, probe, &s->sessions[i]);
	ins->guard = NULL;
}

static void insert_after(struct site *s, struct pass_ins *ins, LLVMValueRef before)
{
	struct pass_words words;
	LLVMValueRef value = s->value ? s->value : s->call;

	if (LLVMGetTypeKind(LLVMTypeOf(value)) == LLVMVoidTypeKind)
		value = NULL;
	args_of_result(s->run, s->call, value, &words);
	ins->words = &words;
	ins->stored = 0;
	site_begin(ins, before, site_inst_loc(s->run, s->call));
	for (unsigned int i = 0; i < s->place->nr_probes; i++)
		if (probe_has(s->place->probes[i], PASS_RETURN))
			run_return(s, ins, i);
	site_end(ins);
}

/* A musttail call is followed by `ret` at once: exit programs that were due count as missed. */
static void insert_misses(struct site *s, struct pass_ins *ins)
{
	for (unsigned int i = 0; i < s->place->nr_probes; i++) {
		struct pass_probe *probe = s->place->probes[i];

		if (!probe_has(probe, PASS_RETURN))
			continue;
		ins->guard = probe->prog->kind == INLAY_PROG_RETURN ? guard(s, ins, probe) : NULL;
		site_miss_return(ins, probe, &s->sessions[i]);
		ins->guard = NULL;
		report_skip(s->run, probe, value_name(s->callee), value_name(s->place->fn),
			    "the call is a musttail call: its return counts as missed");
	}
}

static bool wants_unwinding(const struct pass_probe *probe)
{
	return probe_has(probe, PASS_RETURN) && (probe->prog->flags & BPFCC_PROG_UNWIND);
}

/* Makes the place where exit programs that are tagged so run when the call unwinds; or NULL. */
static LLVMValueRef prepare_unwinding(struct pass_run *run, struct pass_place *place)
{
	LLVMValueRef at = NULL;
	bool is_done = false;
	const char *why = NULL;

	for (unsigned int i = 0; i < place->nr_probes; i++) {
		if (!wants_unwinding(place->probes[i]))
			continue;
		if (!is_done)
			at = unwind_place(run, &place->call, &why);
		is_done = true;
		if (why)
			report_skip(run, place->probes[i], value_name(direct_callee(place->call)),
				    value_name(place->fn), "%s", why);
	}
	return at;
}

static void insert_unwound(struct site *s, struct pass_ins *ins, LLVMValueRef before)
{
	LLVMTypeRef type = LLVMGetReturnType(LLVMGetCalledFunctionType(s->call));
	bool has_value = LLVMGetTypeKind(type) != LLVMVoidTypeKind;
	struct pass_words words;

	args_of_result(s->run, s->call, has_value ? LLVMConstNull(type) : NULL, &words);
	ins->words = &words;
	ins->stored = 0;
	site_begin(ins, before, site_inst_loc(s->run, s->call));
	for (unsigned int i = 0; i < s->place->nr_probes; i++)
		if (wants_unwinding(s->place->probes[i]))
			run_return(s, ins, i);
	site_end(ins);
}

static bool has_return_programs(const struct pass_place *place)
{
	for (unsigned int i = 0; i < place->nr_probes; i++)
		if (probe_has(place->probes[i], PASS_RETURN))
			return true;
	return false;
}

void call_insert(struct pass_run *run, const struct pass_place *planned)
{
	struct pass_place place = *planned;
	bool is_tail = site_is_musttail(place.call), overrides = site_overrides(&place) && !is_tail;
	LLVMValueRef unwound = is_tail ? NULL : prepare_unwinding(run, &place), before = NULL;
	struct site s = {
		.run = run,
		.place = &place,
		.call = place.call,
		.callee = direct_callee(place.call),
		.sessions = run_alloc(run, place.nr_probes * sizeof(*s.sessions)),
	};
	struct pass_words words;
	struct pass_ins ins = {
		.run = run,
		.fn = site_fn(run, place.fn),
		.words = &words,
		.place = &place,
	};

	site_fn(run, s.callee);
	if (is_coroutine(place.fn)) /* a call may free the memory that a shared frame lives in */
		ins.fn->frame = NULL;
	args_at_call(run, s.call, place.alias, &words);
	site_begin(&ins, s.call, site_inst_loc(run, s.call));
	if (overrides)
		site_override_reset(&ins);
	insert_before(&s, &ins);
	if (overrides) {
		insert_override(&s, &ins);
		before = s.value
			     ? first_after_phis(LLVMGetInstructionParent(s.value))
			     : LLVMGetBasicBlockTerminator(LLVMGetInstructionParent(ins.before));
		if (!s.value) /* the block that both ways lead to */
			before = LLVMGetFirstInstruction(LLVMGetSuccessor(before, 0));
	} else if (is_tail) {
		insert_misses(&s, &ins);
	}
	site_end(&ins);
	if (!is_tail && has_return_programs(&place) && call_returns(s.call))
		insert_after(&s, &ins, before ? before : after_call(&s));
	if (unwound)
		insert_unwound(&s, &ins, unwound);
	for (unsigned int i = 0; i < place.nr_probes; i++)
		record_site(run, place.probes[i], &place, INLAY_SITE_CALL);
	LLVMAddTargetDependentFunctionAttr(place.fn, MARK_CALLS, "");
}
