/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Site records (struct inlay_site) and the symbols that say which functions are counted at their
 * entry. Early records hold names, not addresses, so they keep no function alive: a static function
 * that is inlined everywhere disappears as it would without them.
 */
#include <stdio.h>
#include <string.h>

#include <llvm-c/Comdat.h>

#include "bpfcc/ll/util.h"
#include "pass/plan.h"

struct record {
	struct pass_run *run;
	LLVMValueRef global;
	LLVMTypeRef type;
};

enum { FIELD_SITE_BYTES, FIELD_VERSION, FIELD_KIND, FIELD_FLAGS, FIELD_FUNCTION, FIELD_CALLER,
       FIELD_FILE, FIELD_LINE, FIELD_PROGRAM, FIELD_OBJECT, FIELD_SECTION, FIELD_TYPES,
       FIELD_PROG_INDEX, FIELD_PAD0, FIELD_HASH, NR_FIELDS };

/* The string's address relative to the field's own. */
static LLVMValueRef reference(struct record *r, unsigned int field, const char *text)
{
	LLVMContextRef c = r->run->context;
	LLVMTypeRef i64 = LLVMInt64TypeInContext(c), i32 = LLVMInt32TypeInContext(c);
	LLVMValueRef index[2] = { LLVMConstInt(i32, 0, false), LLVMConstInt(i32, field, false) };
	LLVMValueRef here, there;

	if (!text)
		return LLVMConstInt(i32, 0, false);
	here = LLVMConstInBoundsGEP2(r->type, r->global, index, 2);
	there = ll_string(r->run->module, text);
	return LLVMConstTrunc(LLVMConstSub(LLVMConstPtrToInt(there, i64),
					   LLVMConstPtrToInt(here, i64)),
			      i32);
}

static LLVMTypeRef record_type(LLVMContextRef c)
{
	LLVMTypeRef i32 = LLVMInt32TypeInContext(c), i8 = LLVMInt8TypeInContext(c);
	LLVMTypeRef fields[NR_FIELDS];

	for (unsigned int i = 0; i < NR_FIELDS; i++)
		fields[i] = i32;
	fields[FIELD_SITE_BYTES] = LLVMInt16TypeInContext(c);
	fields[FIELD_VERSION] = fields[FIELD_KIND] = i8;
	fields[FIELD_HASH] = LLVMArrayType2(i8, INLAY_HASH_BYTES);
	return LLVMStructTypeInContext(c, fields, NR_FIELDS, false);
}

static bool is_local(LLVMValueRef fn)
{
	return LLVMGetLinkage(fn) == LLVMInternalLinkage ||
	       LLVMGetLinkage(fn) == LLVMPrivateLinkage;
}

static uint32_t site_flags(const struct pass_probe *probe, const struct pass_place *place)
{
	LLVMValueRef fn = place->call && !place->usdt ? direct_callee(place->call) : place->fn;
	uint32_t flags = probe->is_late ? INLAY_SITE_F_LATE : INLAY_SITE_F_EARLY;

	if (is_local(fn) || (!place->call && copy_is(fn))) /* a copy becomes the file's own */
		flags |= INLAY_SITE_F_LOCAL;
	if (probe->prog->flags & (BPFCC_PROG_SWITCHED | BPFCC_PROG_SWITCHED_ON))
		flags |= INLAY_SITE_F_SWITCHED;
	if (probe->is_gated)
		flags |= INLAY_SITE_F_PATH;
	if (probe->overrides)
		flags |= INLAY_SITE_F_OVERRIDE;
	return flags;
}

static const char *scope_file(struct pass_run *run, LLVMMetadataRef scope)
{
	LLVMMetadataRef file = scope ? LLVMDIScopeGetFile(scope) : NULL;
	unsigned int n = 0;
	const char *name = file ? LLVMDIFileGetFilename(file, &n) : NULL;

	return n ? run_printf(run, "%.*s", (int)n, name) : NULL;
}

static void find_source(struct pass_run *run, const struct pass_place *place,
			struct pass_event *event)
{
	LLVMMetadataRef sp = LLVMGetSubprogram(place->fn);
	LLVMMetadataRef loc = place->call ? LLVMInstructionGetDebugLoc(place->call) : NULL;

	if (loc) {
		event->line = LLVMDILocationGetLine(loc);
		event->file = scope_file(run, LLVMDILocationGetScope(loc));
	} else if (sp) {
		event->line = LLVMDISubprogramGetLine(sp);
		event->file = scope_file(run, sp);
	}
}

/*
 * Inline functions have a body, and records, in every file that uses them: one copy stays. Not in
 * the function's own comdat, which a retained record would keep in the file and in the link.
 */
static void share_record(struct pass_run *run, LLVMValueRef record, const struct pass_probe *probe,
			 const struct pass_place *place, const struct pass_event *e)
{
	LLVMLinkage linkage = LLVMGetLinkage(place->fn);
	const uint8_t *h = probe->object->data->hash;
	const char *name;

	if (place->call ||
	    (linkage != LLVMLinkOnceAnyLinkage && linkage != LLVMLinkOnceODRLinkage &&
	     linkage != LLVMWeakAnyLinkage && linkage != LLVMWeakODRLinkage &&
	     linkage != LLVMAvailableExternallyLinkage)) {
		LLVMSetLinkage(record, LLVMPrivateLinkage);
		return;
	}
	name = run_printf(run, "__inlay_site_%02x%02x%02x%02x%02x%02x%02x%02x_%u_%u_%s", h[0], h[1],
			  h[2], h[3], h[4], h[5], h[6], h[7], probe->prog->index, e->site_kind,
			  e->function);
	LLVMSetValueName2(record, name, strlen(name));
	ll_make_odr(run->module, record, NULL);
}

/* A late record goes where its function goes: out of the link with it, and no sooner. */
static void tie_record(struct pass_run *run, LLVMValueRef record, LLVMValueRef fn)
{
	LLVMMetadataRef md = LLVMValueAsMetadata(fn);
	LLVMComdatRef comdat = LLVMGetComdat(fn);

	LLVMGlobalSetMetadata(record, LLVMGetMDKindIDInContext(run->context, "associated", 10),
			      LLVMMDNodeInContext2(run->context, &md, 1));
	LLVMSetLinkage(record, LLVMPrivateLinkage);
	if (comdat)
		LLVMSetComdat(record, comdat);
}

/* In llvm.used the linker keeps it too; in llvm.compiler.used the compiler only. */
static void retain(struct pass_run *run, LLVMValueRef global, bool compiler_only)
{
	LLVMValueRef *slot;

	if (compiler_only)
		slot = run_grow(&run->kept, &run->nr_kept, &run->cap_kept, sizeof(*slot));
	else
		slot = run_grow(&run->records, &run->nr_records, &run->cap_records, sizeof(*slot));
	*slot = global;
}

static void emit(struct pass_run *run, const struct pass_probe *probe,
		 const struct pass_place *place, const struct pass_event *e)
{
	LLVMContextRef c = run->context;
	LLVMTypeRef i8 = LLVMInt8TypeInContext(c), i16 = LLVMInt16TypeInContext(c),
		    i32 = LLVMInt32TypeInContext(c);
	const struct bpfcc_object *object = probe->object->data;
	struct record r = { .run = run, .type = record_type(c) };
	LLVMValueRef fields[NR_FIELDS];

	r.global = LLVMAddGlobal(run->module, r.type, "__inlay_site");
	fields[FIELD_SITE_BYTES] = LLVMConstInt(i16, sizeof(struct inlay_site), false);
	fields[FIELD_VERSION] = LLVMConstInt(i8, INLAY_SITE_VERSION, false);
	fields[FIELD_KIND] = LLVMConstInt(i8, e->site_kind, false);
	fields[FIELD_FLAGS] = LLVMConstInt(i32, site_flags(probe, place), false);
	fields[FIELD_FUNCTION] = reference(&r, FIELD_FUNCTION, e->function);
	fields[FIELD_CALLER] = reference(&r, FIELD_CALLER, e->caller);
	fields[FIELD_FILE] = reference(&r, FIELD_FILE, e->file);
	fields[FIELD_LINE] = LLVMConstInt(i32, e->line, false);
	fields[FIELD_PROGRAM] = reference(&r, FIELD_PROGRAM, probe->prog->name);
	fields[FIELD_OBJECT] = reference(&r, FIELD_OBJECT, object->name);
	fields[FIELD_SECTION] = reference(&r, FIELD_SECTION, probe->prog->section);
	fields[FIELD_TYPES] = reference(&r, FIELD_TYPES, e->types);
	fields[FIELD_PROG_INDEX] = LLVMConstInt(i32, probe->prog->index, false);
	fields[FIELD_PAD0] = LLVMConstInt(i32, 0, false);
	fields[FIELD_HASH] = LLVMConstStringInContext2(c, (const char *)object->hash,
						       INLAY_HASH_BYTES, true);
	LLVMSetInitializer(r.global, LLVMConstStructInContext(c, fields, NR_FIELDS, false));
	LLVMSetGlobalConstant(r.global, true);
	if (probe->is_late)
		tie_record(run, r.global, place->fn);
	else
		share_record(run, r.global, probe, place, e);
	LLVMSetSection(r.global, INLAY_SECTION_SITES);
	LLVMSetAlignment(r.global, 8);
	retain(run, r.global, probe->is_late);
}

void record_site(struct pass_run *run, struct pass_probe *probe, const struct pass_place *place,
		 uint32_t kind)
{
	struct pass_event *e =
		run_grow(&run->events, &run->nr_events, &run->cap_events, sizeof(*e));
	const char *name = place->usdt ? place->usdt->name :
			   place->call ? value_name(direct_callee(place->call)) :
					 value_name(place->fn);

	e->kind = EVENT_SITE;
	e->site_kind = kind;
	e->probe = probe;
	e->function = run_printf(run, "%s", name);
	e->caller = place->call ? run_printf(run, "%s", value_name(place->fn)) : NULL;
	e->types = place->usdt ? usdt_describe(run, place->usdt) :
				 args_describe(run, place->call ? place->call : place->fn);
	find_source(run, place, e);
	/* a glob's program runs in a copy if the definition has it, and then that has the record */
	if (place->call || !copy_is(place->fn) || !probe->is_glob)
		emit(run, probe, place, e);
	probe->nr_sites++;
}

/* One a program: that another one is inlaid in a function says nothing about this one. */
static char *mark_name(struct pass_run *run, const char *what, const struct pass_probe *probe,
		       LLVMValueRef fn)
{
	char hash[17];

	for (int i = 0; i < 8; i++)
		snprintf(hash + 2 * i, 3, "%02x", probe->object->data->hash[i]);
	return run_printf(run, "__inlay_%s_%s_%u_%s", what, hash, probe->prog->index,
			  value_name(fn));
}

/* What a call site tests; NULL at run time if nobody defines it. It comes from where the function
 * comes from, so it may be in another library. */
static LLVMValueRef declare_mark(struct pass_run *run, const char *name, LLVMValueRef fn)
{
	LLVMValueRef v = LLVMGetNamedGlobal(run->module, name);

	if (v)
		return v;
	v = LLVMAddGlobal(run->module, LLVMInt8TypeInContext(run->context), name);
	LLVMSetLinkage(v, LLVMExternalWeakLinkage);
	LLVMSetVisibility(v, LLVMGetVisibility(fn));
	return v;
}

LLVMValueRef record_declare_defined(struct pass_run *run, const struct pass_probe *probe,
				    LLVMValueRef fn)
{
	return declare_mark(run, mark_name(run, "defined", probe, fn), fn);
}

LLVMValueRef record_declare_body(struct pass_run *run, const struct pass_probe *probe,
				 LLVMValueRef fn)
{
	return declare_mark(run, mark_name(run, "body", probe, fn), fn);
}

/*
 * Whether another definition may take the function's place in the link or at run time, and calls
 * reach that one: a weak one, and what a shared library exports.
 */
static bool is_replaceable(const struct pass_run *run, LLVMValueRef name_of)
{
	LLVMLinkage linkage = LLVMGetLinkage(name_of);

	if (linkage == LLVMWeakAnyLinkage || linkage == LLVMLinkOnceAnyLinkage)
		return true;
	return LLVMGetVisibility(name_of) == LLVMDefaultVisibility &&
	       LLVMGetModuleFlag(run->module, "PIC Level", 9) &&
	       !LLVMGetModuleFlag(run->module, "PIE Level", 9);
}

static LLVMValueRef make_mark(struct pass_run *run, const char *name, LLVMValueRef init)
{
	LLVMValueRef old = LLVMGetNamedGlobal(run->module, name);
	LLVMValueRef v = LLVMAddGlobal(run->module, LLVMTypeOf(init), "");

	if (old) { /* this file has calls of it, by another of its names */
		LLVMReplaceAllUsesWith(old, v);
		LLVMDeleteGlobal(old);
	}
	LLVMSetValueName2(v, name, strlen(name));
	LLVMSetInitializer(v, init);
	LLVMSetGlobalConstant(v, true);
	return v;
}

/*
 * { what the name reaches, the body here }: different where this definition lost. The linker treats
 * it as the function: the same linkage, visibility and comdat, so that it never points to a body
 * that was left out.
 */
static void define_body(struct pass_run *run, const char *name, LLVMValueRef fn,
			LLVMValueRef name_of)
{
	LLVMValueRef v, fields[2] = { name_of };
	LLVMComdatRef comdat = LLVMGetComdat(fn);

	fields[1] = LLVMAddAlias2(run->module, LLVMGlobalGetValueType(fn), 0, fn, "__inlay_self");
	LLVMSetLinkage(fields[1], LLVMPrivateLinkage);
	v = make_mark(run, name, LLVMConstStructInContext(run->context, fields, 2, false));
	LLVMSetLinkage(v, LLVMGetLinkage(name_of));
	LLVMSetVisibility(v, LLVMGetVisibility(name_of));
	if (comdat)
		LLVMSetComdat(v, comdat);
}

static void define(struct pass_run *run, const struct pass_probe *probe, LLVMValueRef fn,
		   LLVMValueRef name_of)
{
	LLVMValueRef v;

	if (is_local(name_of))
		return;
	if (!probe->is_glob && is_replaceable(run, name_of)) {
		define_body(run, mark_name(run, "body", probe, name_of), fn, name_of);
		return;
	}
	v = make_mark(run, mark_name(run, "defined", probe, name_of),
		      LLVMConstInt(LLVMInt8TypeInContext(run->context), 1, false));
	ll_make_odr(run->module, v, NULL);
	/* what a glob names is asked by copies alone (site.c): not worth a dynamic symbol each */
	if (!probe->is_glob)
		LLVMSetVisibility(v, LLVMGetVisibility(name_of));
	retain(run, v, true);
}

/* Under each name that another file may call it by: an alias is the same code. */
void record_defined(struct pass_run *run, const struct pass_probe *probe, LLVMValueRef fn)
{
	LLVMValueRef a, next;

	/* There is no call after the optimiser, and a copy defines nothing. */
	if (probe->is_late || copy_is(fn))
		return;
	define(run, probe, fn, fn);
	for (a = LLVMGetFirstGlobalAlias(run->module); a; a = next) {
		next = LLVMGetNextGlobalAlias(a);
		if (LLVMAliasGetAliasee(a) == fn)
			define(run, probe, fn, a);
	}
}

/* One string with the others' NULs in it: "object\0program\0function\0reason\0". */
static void emit_skip(struct pass_run *run, const struct pass_event *e)
{
	const char *parts[] = { e->probe->object->data->name, e->probe->prog->name, e->function,
				e->reason };
	size_t bytes = 0, n;
	LLVMValueRef v, init;
	char *text;

	for (int i = 0; i < 4; i++)
		bytes += strlen(parts[i]) + 1;
	text = run_alloc(run, bytes);
	bytes = 0;
	for (int i = 0; i < 4; i++, bytes += n)
		memcpy(text + bytes, parts[i], n = strlen(parts[i]) + 1);
	init = LLVMConstStringInContext2(run->context, text, bytes, true);
	v = LLVMAddGlobal(run->module, LLVMTypeOf(init), "__inlay_skip");
	LLVMSetInitializer(v, init);
	LLVMSetGlobalConstant(v, true);
	LLVMSetLinkage(v, LLVMPrivateLinkage);
	LLVMSetSection(v, INLAY_SECTION_SKIPS);
	LLVMSetAlignment(v, 1);
	retain(run, v, false);
}

/*
 * The link wants to say why a program matched nothing. So a file says what it left out of programs
 * that have no site in it: a few places each, as a glob may name thousands.
 */
bool record_skips(struct pass_run *run)
{
	enum { PLACES_MAX = 2 };
	unsigned int *nr = run_alloc(run, run->nr_probes * sizeof(*nr));
	bool is_changed = false;

	for (unsigned int i = 0; i < run->nr_events; i++) {
		const struct pass_event *e = &run->events[i];

		if (e->kind != EVENT_SKIP || e->probe->nr_sites ||
		    nr[e->probe - run->probes]++ >= PLACES_MAX)
			continue;
		emit_skip(run, e);
		is_changed = true;
	}
	return is_changed;
}

void record_finish(struct pass_run *run)
{
	if (run->nr_records)
		ir_retain(run->module, run->records, run->nr_records, false);
	if (run->nr_kept)
		ir_retain(run->module, run->kept, run->nr_kept, true);
}
