/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fills in a message's place (section, program, instruction, source line) and hands it to the
 * caller's callback. Does not print and does not allocate: it also reports that memory is short.
 */
#include "bpfcc/diag.h"

#include <errno.h>
#include <stdarg.h>

#include "bpfcc/disasm.h"

static void report(struct bpfcc_diag *diag, enum inlay_bpfcc_severity severity,
		   const struct bpfcc_where *where, const char *hint, const char *format,
		   va_list args) __attribute__((format(printf, 5, 0)));

static void report(struct bpfcc_diag *diag, enum inlay_bpfcc_severity severity,
		   const struct bpfcc_where *where, const char *hint, const char *format,
		   va_list args)
{
	struct inlay_bpfcc_message m = {.sz = sizeof(m), .severity = severity, .insn = -1};
	const struct bpfcc_func *func = where ? where->func : NULL;
	char text[1024], disasm[256];

	if (!diag)
		return;
	if (severity == INLAY_BPFCC_ERROR)
		diag->nr_errors++;
	if (!diag->fn)
		return;
	vsnprintf(text, sizeof(text), format, args);
	m.text = text;
	m.hint = hint;
	m.object = diag->path;
	if (where) {
		m.section = where->section;
		m.program = where->program;
		m.registers = where->registers;
		m.nr_registers = where->nr_registers;
	}
	if (func) {
		m.section = func->section;
		m.program = func->name;
		if (where->insn >= 0 && (uint32_t)where->insn < func->nr_insns) {
			m.insn = where->insn;
			if (func->line_nrs) {
				m.file = func->line_files[m.insn];
				m.line = func->line_nrs[m.insn];
				m.source = func->line_texts[m.insn];
			}
			bpfcc_disasm(diag->object, func, (uint32_t)m.insn, disasm, sizeof(disasm));
			m.disasm = disasm;
		}
	}
	diag->fn(diag->arg, &m);
}

void bpfcc_report(struct bpfcc_diag *diag, enum inlay_bpfcc_severity severity,
		  const struct bpfcc_where *where, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(diag, severity, where, hint, format, args);
	va_end(args);
}

int bpfcc_error(struct bpfcc_diag *diag, const struct bpfcc_where *where, const char *hint,
		const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(diag, INLAY_BPFCC_ERROR, where, hint, format, args);
	va_end(args);
	return -EINVAL;
}
