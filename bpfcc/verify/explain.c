/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts: what a register holds, why a program is refused and which path led there, and the trace.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bpfcc/disasm.h"
#include "bpfcc/verify/walk.h"

#define MAX_NOTES 12	/* decisions of the path that are shown, the last ones */

/* ---- registers ---- */

static void offset_text(const struct verify_reg *r, const char *separator, char *buf, size_t bytes)
{
	char num[128];

	if (range_is_const(&r->num)) {
		int64_t off = (int64_t)r->num.umin + r->off;

		if (off)
			snprintf(buf, bytes, "%soffset %" PRId64, separator, off);
		else
			buf[0] = '\0';
		return;
	}
	range_format(&r->num, num, sizeof(num));
	if (r->off)
		snprintf(buf, bytes, "%soffset %d plus %s", separator, r->off, num);
	else
		snprintf(buf, bytes, "%soffset %s", separator, num);
}

static const char *map_name(struct verify *v, uint32_t map)
{
	return map < v->object->nr_maps && v->object->maps[map].name ? v->object->maps[map].name
								     : "?";
}

const char *verify_reg_format(struct verify *v, const struct verify_reg *r, char *buf, size_t bytes)
{
	const char *null = verify_is_pointer(r) && (r->flags & VF_OR_NULL) ? "NULL or " : "";
	char off[192] = "", num[128];

	if (verify_is_pointer(r))
		offset_text(r, ", ", off, sizeof(off));
	switch (r->type) {
	case VT_UNINIT:
		snprintf(buf, bytes, "not set");
		break;
	case VT_SCALAR:
		if (range_is_unknown(&r->num))
			snprintf(buf, bytes, "a number of which nothing is known");
		else
			snprintf(buf, bytes, "a number, %s",
				 range_format(&r->num, num, sizeof(num)));
		break;
	case VT_STACK:
		if (range_is_const(&r->num))
			snprintf(buf, bytes, "%sr10%+" PRId64 "%s", "the address of the stack, ",
				 (int64_t)r->num.umin + r->off,
				 r->frame + 1u < v->cur->nr_frames ? " of a calling function" : "");
		else
			snprintf(buf, bytes, "the address of the stack, r10%+d plus %s", r->off,
				 range_format(&r->num, num, sizeof(num)));
		break;
	case VT_CTX:
		snprintf(buf, bytes, "the program's ctx%s", off);
		break;
	case VT_MAP:
		snprintf(buf, bytes, "%s%smap '%s'", null,
			 r->flags & VF_INNER ? "an inner map of " : "", map_name(v, r->map));
		break;
	case VT_MAP_VALUE:
		snprintf(buf, bytes, "%sa pointer to the value of %smap '%s' (%u bytes)%s", null,
			 r->flags & VF_INNER ? "an inner map of " : "", map_name(v, r->map),
			 r->bytes, off);
		break;
	case VT_MAP_KEY:
		snprintf(buf, bytes, "%sa pointer to a key of map '%s' (%u bytes)%s", null,
			 map_name(v, r->map), r->bytes, off);
		break;
	case VT_MEM:
		snprintf(buf, bytes, "%sa pointer to %s of %u bytes%s", null,
			 r->flags & VF_RECORD ? "a reserved record" : "memory", r->bytes, off);
		break;
	case VT_FUNC:
		snprintf(buf, bytes, "the address of function %s",
			 r->func < v->object->nr_funcs && v->object->funcs[r->func].name
			     ? v->object->funcs[r->func].name : "?");
		break;
	case VT_DYNPTR:
		snprintf(buf, bytes, "%sa dynptr", null);
		break;
	case VT_OPAQUE:
		snprintf(buf, bytes, "%sa pointer to a kernel object", null);
		break;
	default:
		snprintf(buf, bytes, "a pointer into an arena%s", off);
	}
	return buf;
}

/* ---- refusals ---- */

static const char *condition(const struct bpf_insn *in, bool is_taken, char *buf, size_t bytes)
{
	static const struct {
		uint8_t op;
		const char *taken, *not_taken;
	} ops[] = {
	    {BPF_JEQ, "==", "!="},   {BPF_JNE, "!=", "=="},   {BPF_JGT, ">", "<="},
	    {BPF_JGE, ">=", "<"},    {BPF_JLT, "<", ">="},    {BPF_JLE, "<=", ">"},
	    {BPF_JSGT, "s>", "s<="}, {BPF_JSGE, "s>=", "s<"}, {BPF_JSLT, "s<", "s>="},
	    {BPF_JSLE, "s<=", "s>"}, {BPF_JSET, "&", "has no bit of"},
	};
	const char *op = "?", reg = BPF_CLASS(in->code) == BPF_JMP32 ? 'w' : 'r';

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (ops[i].op == BPF_OP(in->code))
			op = is_taken ? ops[i].taken : ops[i].not_taken;
	if (BPF_SRC(in->code) == BPF_X)
		snprintf(buf, bytes, "%c%d %s %c%d", reg, in->dst_reg, op, reg, in->src_reg);
	else
		snprintf(buf, bytes, "%c%d %s %d", reg, in->dst_reg, op, in->imm);
	return buf;
}

static void note(struct verify *v, const struct verify_step *step)
{
	const struct bpfcc_func *f = &v->object->funcs[step->func];
	const struct bpf_insn *in = &f->insns[step->insn];
	const struct bpfcc_where where = {.func = f, .insn = (int)step->insn};
	bool is_taken = step->next != step->insn + 1;
	char text[96];

	if (bpfcc_insn_is_branch(in) && BPF_OP(in->code) != 0xe0)
		bpfcc_report(v->diag, INLAY_BPFCC_NOTE, &where, NULL,
			     "the path: the branch is %s, because %s",
			     is_taken ? "taken" : "not taken",
			     condition(in, is_taken, text, sizeof(text)));
	else if (bpfcc_insn_is_branch(in))
		bpfcc_report(v->diag, INLAY_BPFCC_NOTE, &where, NULL,
			     "the path: %s", is_taken ? "the loop's budget is used up"
						      : "the loop goes on");
	else
		bpfcc_report(v->diag, INLAY_BPFCC_NOTE, &where, NULL,
			     "the path: the %s", in->src_reg == BPF_PSEUDO_KFUNC_CALL
						     ? "iterator goes on" : "callback runs");
}

/* The decisions that led here, oldest first; of a loop only the last time round. */
static void explain_path(struct verify *v)
{
	const struct verify_step *steps[MAX_NOTES];
	uint32_t nr = 0;

	for (const struct verify_step *s = v->walk->steps; s && nr < MAX_NOTES; s = s->before) {
		bool is_again = false;

		for (uint32_t i = 0; i < nr; i++)
			is_again |= steps[i]->func == s->func && steps[i]->insn == s->insn;
		if (!is_again)
			steps[nr++] = s;
	}
	while (nr)
		note(v, steps[--nr]);
}

static void refuse(struct verify *v, const char *hint, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void refuse(struct verify *v, const char *hint, const char *format, va_list args)
{
	const struct bpfcc_func *f = &v->object->funcs[v->walk->func];
	struct bpfcc_where where = {.func = f, .insn = (int)v->insn};
	struct inlay_bpfcc_register registers[11];
	char text[512], texts[11][256];
	uint32_t reads = verify_reads(&f->insns[v->insn]);

	if (v->err)
		return; /* one refusal a program, and none for want of memory */
	v->err = -EINVAL;
	vsnprintf(text, sizeof(text), format, args);
	if (v->walk->opts.on_trace)
		verify_trace(v, "%u: refused: %s", v->insn, text);
	if (!v->diag || !v->diag->fn) {
		bpfcc_report(v->diag, INLAY_BPFCC_ERROR, &where, hint, "%s", text);
		return;
	}
	where.registers = registers;
	for (int i = 0; v->cur && v->cur->nr_frames && i < 11; i++) {
		const struct verify_reg *r = verify_reg(v, i);

		if (!(reads & 1u << i))
			continue;
		registers[where.nr_registers].number = i;
		registers[where.nr_registers++].text =
		    verify_reg_format(v, r, texts[i], sizeof(texts[i]));
	}
	bpfcc_report(v->diag, INLAY_BPFCC_ERROR, &where, hint, "%s", text);
	explain_path(v);
}

int verify_refuse(struct verify *v, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	refuse(v, hint, format, args);
	va_end(args);
	return v->err;
}

int verify_limit(struct verify *v, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	refuse(v, hint, format, args);
	va_end(args);
	return v->err;
}

/* ---- the trace ---- */

void verify_trace(struct verify *v, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	v->walk->opts.on_trace(v->walk->opts.trace_arg, line);
}

static bool has_changed(const struct verify_reg *a, const struct verify_reg *b)
{
	return a->type != b->type || a->flags != b->flags || a->off != b->off || a->map != b->map ||
	       !range_equal(&a->num, &b->num);
}

void verify_trace_regs(struct verify *v, const struct verify_reg before[11], uint32_t frames)
{
	const struct bpfcc_func *f = &v->object->funcs[v->walk->func];
	char disasm[160], text[256], line[900];
	const char *separator = " ; ";
	size_t at;

	snprintf(line, sizeof(line), "%s:%u: %s", f->name ? f->name : "", v->insn,
		 bpfcc_disasm(v->object, f, v->insn, disasm, sizeof(disasm)));
	at = strlen(line);
	if (v->cur->nr_frames != frames) {
		verify_trace(v, "%s ; %s", line, v->cur->nr_frames > frames ? "enters" : "returns");
		return;
	}
	for (int i = 0; i < 10 && at < sizeof(line); i++) {
		const struct verify_reg *r = verify_reg(v, i);

		if (!has_changed(&before[i], r))
			continue;
		at += (size_t)snprintf(line + at, sizeof(line) - at, "%sr%d: %s", separator, i,
				       verify_reg_format(v, r, text, sizeof(text)));
		separator = ", ";
	}
	verify_trace(v, "%s", line);
}
