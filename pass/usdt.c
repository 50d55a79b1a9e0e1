/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs at USDT probes of the target: they run before the probe's nop, with the operands of its
 * inline assembly for arguments. The probe stays what it is for every other tool.
 *
 * Code that computes a probe's arguments often stands behind `if (semaphore)`, a counter that a
 * tracer raises in the running process. Here it reads as raised wherever a program of ours may run:
 * each load of it in the module is or-ed with whether the program is on.
 */
#include <string.h>

#include "bpfcc/ll/util.h"
#include "pass/plan.h"

/* ---- what matches ---- */

static bool is_at(const struct pass_probe *probe, const char *name, LLVMValueRef fn)
{
	return probe->prog->kind == INLAY_PROG_USDT && !probe->is_off && probe->prog->function &&
	       !strcmp(probe->prog->function, name) && match_caller(probe, value_name(fn));
}

/* What clang makes of an operand's type: numbers, addresses, and numbers with a point. */
static unsigned int type_bits(LLVMTypeRef type)
{
	switch (LLVMGetTypeKind(type)) {
	case LLVMPointerTypeKind:
		return 64;
	case LLVMIntegerTypeKind:
		return LLVMGetIntTypeWidth(type);
	case LLVMFloatTypeKind:
		return 32;
	case LLVMDoubleTypeKind:
		return 64;
	default:
		return 0;
	}
}

static void check_types(LLVMValueRef call, struct usdt_probe *note)
{
	for (unsigned int i = 0; i < note->nr_args; i++) {
		struct usdt_arg *arg = &note->args[i];
		LLVMTypeRef type = NULL;

		if (arg->problem || arg->operand < 0)
			continue;
		type = LLVMTypeOf(LLVMGetOperand(call, (unsigned int)arg->operand));
		if (arg->is_indirect ? LLVMGetTypeKind(type) != LLVMPointerTypeKind :
				       !type_bits(type))
			arg->problem = "its type is no number's";
	}
}

/* The variable that the note names as its semaphore, or NULL. */
static LLVMValueRef note_semaphore(struct pass_run *run, LLVMValueRef call,
				   const struct usdt_probe *note)
{
	LLVMValueRef v;

	if (note->semaphore_operand >= 0) {
		v = LLVMGetOperand(call, (unsigned int)note->semaphore_operand);
		return LLVMIsAGlobalVariable(v) ? v : NULL;
	}
	if (!note->semaphore_bytes)
		return NULL;
	return LLVMGetNamedGlobal(run->module,
				  run_printf(run, "%.*s", (int)note->semaphore_bytes,
					     note->semaphore));
}

static void add_semaphore(struct pass_run *run, LLVMValueRef global, struct pass_probe *probe)
{
	struct pass_semaphore *s;

	for (unsigned int i = 0; i < run->nr_semaphores; i++)
		if (run->semaphores[i].global == global && run->semaphores[i].probe == probe)
			return;
	s = run_grow(&run->semaphores, &run->nr_semaphores, &run->cap_semaphores, sizeof(*s));
	s->global = global;
	s->probe = probe;
	probe->is_matched = true; /* its gates come with the object */
}

void usdt_match_call(struct pass_run *run, LLVMValueRef fn, LLVMValueRef call)
{
	const char *at = NULL;
	struct usdt_probe note;

	while (usdt_next(call, &at, &note)) {
		struct pass_place place = { .fn = fn, .call = call };
		struct pass_usdt *usdt = run_alloc(run, sizeof(*usdt));
		LLVMValueRef semaphore;

		check_types(call, &note);
		semaphore = note_semaphore(run, call, &note);
		usdt->note = note;
		usdt->name = run_printf(run, "%.*s:%.*s", (int)note.provider_bytes, note.provider,
					(int)note.name_bytes, note.name);
		place.usdt = usdt;
		for (unsigned int i = 0; i < run->nr_probes; i++) {
			if (!is_at(&run->probes[i], usdt->name, fn))
				continue;
			match_add(run, &place, &run->probes[i]);
			if (semaphore)
				add_semaphore(run, semaphore, &run->probes[i]);
		}
		match_finish(run, &place);
	}
}

static bool is_loaded(LLVMValueRef global)
{
	for (LLVMUseRef use = LLVMGetFirstUse(global); use; use = LLVMGetNextUse(use))
		if (LLVMIsALoadInst(LLVMGetUser(use)))
			return true;
	return false;
}

/* By its usual name, PROVIDER_NAME_semaphore: the probe itself may be in another file. */
void usdt_match_semaphores(struct pass_run *run)
{
	for (unsigned int i = 0; i < run->nr_probes; i++) {
		struct pass_probe *probe = &run->probes[i];
		LLVMValueRef global;
		char *name, *colon;

		if (probe->prog->kind != INLAY_PROG_USDT || probe->is_off || !probe->prog->function)
			continue;
		name = run_printf(run, "%s_semaphore", probe->prog->function);
		colon = strchr(name, ':');
		if (!colon)
			continue;
		*colon = '_';
		global = LLVMGetNamedGlobal(run->module, name);
		if (global && is_loaded(global))
			add_semaphore(run, global, probe);
	}
}

/* ---- what can run ---- */

const char *usdt_obstacle(struct pass_run *run, const struct pass_place *place,
			  const struct pass_probe *probe)
{
	const struct usdt_probe *note = &place->usdt->note;
	uint64_t reads = probe->reads[PASS_ENTRY];

	if (probe->overrides)
		return "it calls bpf_override_return(), but a USDT probe is no function to be left";
	if (reads_all(run, reads))
		return NULL; /* what is not there reads as 0, or as an error by its number */
	for (unsigned int w = 0; w < run->arch->nr_regs; w++)
		if (reads >> w & 1)
			return run_printf(run,
					  "it reads register %s, but registers hold nothing certain at "
					  "a USDT probe: use bpf_usdt_arg()",
					  run->arch->reg_names[w]);
	if (reads >> (run->arch->nr_regs + FRAME_FUNC_IP) & 1)
		return "it calls bpf_get_func_ip(), but the probe's address is not known to it";
	for (unsigned int i = 0; i < note->nr_args; i++)
		if (note->args[i].problem && reads >> (run->arch->nr_regs + FRAME_USDT_ARG + i) & 1)
			return run_printf(run, "it reads argument %u, which cannot be had: %s", i,
					  note->args[i].problem);
	return NULL;
}

/* "(s32, u8, u64)": sizes and signs as the probe declares them. */
const char *usdt_describe(struct pass_run *run, const struct pass_usdt *usdt)
{
	const char *text = "";

	for (unsigned int i = 0; i < usdt->note.nr_args; i++) {
		const struct usdt_arg *arg = &usdt->note.args[i];

		text = run_printf(run, "%s%s%s", text, i ? ", " : "",
				  arg->problem ? "?" :
				  run_printf(run, "%c%u", arg->is_signed ? 's' : 'u',
					     8 * arg->bytes));
	}
	return run_printf(run, "(%s)", text);
}

/* ---- values ---- */

static LLVMTypeRef int_type(struct pass_ins *ins, unsigned int bits)
{
	return LLVMIntTypeInContext(ins->run->context, bits);
}

static LLVMValueRef resize(struct pass_ins *ins, LLVMValueRef v, unsigned int bits, bool is_signed)
{
	unsigned int width = LLVMGetIntTypeWidth(LLVMTypeOf(v));
	LLVMTypeRef type = int_type(ins, bits);

	if (width > bits)
		return LLVMBuildTrunc(ins->b, v, type, "");
	if (width == bits)
		return v;
	return is_signed ? LLVMBuildSExt(ins->b, v, type, "") : LLVMBuildZExt(ins->b, v, type, "");
}

static LLVMValueRef arg_value(struct pass_ins *ins, unsigned int i)
{
	const struct usdt_arg *arg = &ins->place->usdt->note.args[i];
	LLVMTypeRef i64 = int_type(ins, 64), type;
	unsigned int bits = 8 * arg->bytes;
	LLVMValueRef v;

	if (i >= ins->place->usdt->note.nr_args || arg->problem)
		return LLVMConstInt(i64, 0, false);
	if (arg->operand < 0) {
		v = LLVMConstInt(i64, (unsigned long long)arg->constant, true);
	} else {
		v = LLVMGetOperand(ins->place->call, (unsigned int)arg->operand);
		if (arg->is_indirect) {
			v = LLVMBuildLoad2(ins->b, int_type(ins, bits), v, "");
			LLVMSetAlignment(v, 1);
			ll_set_nosanitize(v);
		}
		type = LLVMTypeOf(v);
		if (LLVMGetTypeKind(type) == LLVMPointerTypeKind)
			v = LLVMBuildPtrToInt(ins->b, v, i64, "");
		else if (LLVMGetTypeKind(type) != LLVMIntegerTypeKind)
			v = LLVMBuildBitCast(ins->b, v, int_type(ins, type_bits(type)), "");
	}
	return resize(ins, resize(ins, v, bits, arg->is_signed), 64, arg->is_signed);
}

static uint64_t arg_sizes(const struct usdt_probe *note, unsigned int first)
{
	uint64_t word = 0;

	for (unsigned int i = first; i < first + 8 && i < note->nr_args; i++)
		if (!note->args[i].problem)
			word |= (uint64_t)note->args[i].bytes << 8 * (i - first);
	return word;
}

LLVMValueRef usdt_word(struct pass_ins *ins, enum pass_frame_word word)
{
	const struct usdt_probe *note = &ins->place->usdt->note;
	uint64_t value = 1 | note->nr_args << 8; /* is_usdt, nr_usdt_args */

	if (word < FRAME_USDT_BYTES)
		return arg_value(ins, word - FRAME_USDT_ARG);
	if (word < FRAME_USDT_INFO)
		value = arg_sizes(note, 8 * (word - FRAME_USDT_BYTES));
	return LLVMConstInt(int_type(ins, 64), value, false);
}

/* ---- insertion ---- */

void usdt_insert(struct pass_run *run, const struct pass_place *place)
{
	struct pass_words words;
	struct pass_ins ins = {
		.run = run,
		.fn = site_fn(run, place->fn),
		.words = &words,
		.place = place,
	};

	memset(&words, 0, sizeof(words));
	if (is_coroutine(place->fn)) /* as at calls */
		ins.fn->frame = NULL;
	site_begin(&ins, place->call, site_inst_loc(run, place->call));
	for (unsigned int i = 0; i < place->nr_probes; i++) {
		site_run_entry(&ins, place->probes[i], NULL);
		record_site(run, place->probes[i], place, INLAY_SITE_USDT);
	}
	site_end(&ins);
	LLVMAddTargetDependentFunctionAttr(place->fn, MARK_USDT, "");
}

/* i1, or NULL for always: whether a program that has this semaphore is on. */
static LLVMValueRef any_on(struct pass_run *run, struct pass_ins *ins, LLVMValueRef global)
{
	LLVMValueRef any = NULL, on;

	for (unsigned int i = 0; i < run->nr_semaphores; i++)
		if (run->semaphores[i].global == global &&
		    !site_gates(ins, run->semaphores[i].probe, NULL))
			return NULL;
	for (unsigned int i = 0; i < run->nr_semaphores; i++) {
		if (run->semaphores[i].global != global)
			continue;
		on = site_gates(ins, run->semaphores[i].probe, ins->b);
		any = any ? LLVMBuildOr(ins->b, any, on, "") : on;
	}
	return any;
}

static void raise(struct pass_run *run, LLVMValueRef global, LLVMValueRef load)
{
	LLVMValueRef fn = LLVMGetBasicBlockParent(LLVMGetInstructionParent(load)), on, raised;
	LLVMTypeRef type = LLVMTypeOf(load);
	struct pass_place place = { .fn = fn };
	struct pass_ins ins = { .run = run, .fn = site_fn(run, fn), .place = &place };

	if (LLVMGetTypeKind(type) != LLVMIntegerTypeKind)
		return;
	site_begin(&ins, LLVMGetNextInstruction(load), site_inst_loc(run, load));
	on = any_on(run, &ins, global);
	if (!on)
		on = LLVMConstInt(LLVMInt1TypeInContext(run->context), 1, false);
	raised = LLVMBuildZExt(ins.b, on, type, "");
	raised = LLVMBuildOr(ins.b, load, raised, "inlay.semaphore");
	LLVMReplaceAllUsesWith(load, raised);
	LLVMSetOperand(raised, 0, load); /* which was replaced, too */
	site_end(&ins);
}

void usdt_raise_semaphores(struct pass_run *run)
{
	for (unsigned int i = 0; i < run->nr_semaphores; i++) {
		LLVMValueRef global = run->semaphores[i].global;
		unsigned int nr = 0, n = 0, k = 0;
		LLVMValueRef *loads;
		LLVMUseRef use;

		while (k < i && run->semaphores[k].global != global)
			k++;
		if (k < i)
			continue; /* done with an earlier program's */
		for (use = LLVMGetFirstUse(global); use; use = LLVMGetNextUse(use))
			nr += LLVMIsALoadInst(LLVMGetUser(use)) != NULL;
		loads = run_alloc(run, nr * sizeof(*loads));
		for (use = LLVMGetFirstUse(global); use; use = LLVMGetNextUse(use))
			if (LLVMIsALoadInst(LLVMGetUser(use)))
				loads[n++] = LLVMGetUser(use);
		for (n = 0; n < nr; n++)
			raise(run, global, loads[n]);
	}
}
