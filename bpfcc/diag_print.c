/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints one message for a terminal. Texts come from the object, which may be hostile: bytes that a
 * terminal would act on are replaced.
 */
#include "bpfcc/diag_print.h"

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		fputc(c == '\t' || (c >= 0x20 && c != 0x7f) ? c : '?', out);
	}
}

static void put_severity(FILE *out, bool is_coloured, enum inlay_bpfcc_severity severity)
{
	static const struct {
		const char *name, *colour;
	} severities[] = {
		[INLAY_BPFCC_NOTE] = {"note", "\033[1;36m"},
		[INLAY_BPFCC_WARNING] = {"warning", "\033[1;35m"},
		[INLAY_BPFCC_ERROR] = {"error", "\033[1;31m"},
	};

	fprintf(out, "%s%s:%s ", is_coloured ? severities[severity].colour : "",
		severities[severity].name, is_coloured ? "\033[0m" : "");
}

static void put_source(FILE *out, const struct inlay_bpfcc_message *m)
{
	const char *text = m->source;

	while (*text == ' ' || *text == '\t')
		text++;
	if (!*text)
		return;
	fprintf(out, "%5u | ", m->line);
	put_text(out, text);
	fputc('\n', out);
}

/* "section S, program P, instruction N: TEXT", as much of it as is known */
static void put_place(FILE *out, const struct inlay_bpfcc_message *m)
{
	const char *comma = "";

	if (!m->section && !m->program)
		return;
	fputs("      = ", out);
	if (m->file && m->line && m->object) {
		put_text(out, m->object);
		fputs(": ", out);
	}
	if (m->section) {
		fputs("section \"", out);
		put_text(out, m->section);
		fputc('"', out);
		comma = ", ";
	}
	if (m->program) {
		fprintf(out, "%sprogram \"", comma);
		put_text(out, m->program);
		fputc('"', out);
		comma = ", ";
	}
	if (m->insn >= 0) {
		fprintf(out, "%sinstruction %d", comma, m->insn);
		if (m->disasm) {
			fputs(": ", out);
			put_text(out, m->disasm);
		}
	}
	fputc('\n', out);
}

void bpfcc_diag_print(FILE *out, bool is_coloured, const struct inlay_bpfcc_message *m)
{
	bool has_line = m->file && *m->file && m->line;

	if (is_coloured)
		fputs("\033[1m", out);
	if (has_line) {
		put_text(out, m->file);
		fprintf(out, ":%u: ", m->line);
	} else if (m->object) {
		put_text(out, m->object);
		fputs(": ", out);
	}
	if (is_coloured)
		fputs("\033[0m", out);
	put_severity(out, is_coloured, m->severity);
	put_text(out, m->text);
	fputc('\n', out);
	if (has_line && m->source)
		put_source(out, m);
	put_place(out, m);
	for (size_t i = 0; i < m->nr_registers; i++) {
		fprintf(out, "      = r%d: ", m->registers[i].number);
		put_text(out, m->registers[i].text);
		fputc('\n', out);
	}
	if (m->hint) {
		fputs("      = help: ", out);
		put_text(out, m->hint);
		fputc('\n', out);
	}
}
