/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints maps, programs and every instruction with its source line and what is known of the
 * registers that it uses.
 */
#include "bpfcc/dump.h"

#include <string.h>

#include "bpfcc/disasm.h"
#include "bpfcc/handle.h"
#include "bpfcc/helpers.h"
#include "bpfcc/isa.h"

static void dump_maps(FILE *out, const struct bpfcc_object *o)
{
	for (uint32_t i = 0; i < o->nr_maps; i++) {
		const struct bpfcc_map *m = &o->maps[i];

		fprintf(out,
			"map %u \"%s\": type %u, key %u bytes, value %u bytes, %u entries%s%s\n", i,
			m->name, m->type, m->key_size, m->value_size, m->max_entries,
			m->flags & INLAY_MAP_RODATA ? ", read-only" : "",
			m->flags & INLAY_MAP_HUGE ? ", not in the image" : "");
	}
}

static void dump_progs(FILE *out, const struct bpfcc_object *o)
{
	static const char *const kinds[] = {"?", "entry", "return", "session", "usdt"};
	static const struct {
		uint32_t flag;
		const char *text;
	} flags[] = {{BPFCC_PROG_MULTI, "multi"},	{BPFCC_PROG_LATE, "late"},
		     {BPFCC_PROG_SWITCHED, "switched"}, {BPFCC_PROG_SWITCHED_ON, "on"},
		     {BPFCC_PROG_CALL, "call"},		{BPFCC_PROG_UNWIND, "unwind"}};

	for (uint32_t i = 0; i < o->nr_progs; i++) {
		const struct bpfcc_prog *p = &o->progs[i];

		fprintf(out, "program %u \"%s\": section \"%s\", %s", i, p->name, p->section,
			kinds[p->kind]);
		if (p->function)
			fprintf(out, ", function \"%s\"", p->function);
		if (p->path)
			fprintf(out, ", path \"%s\"", p->path);
		if (p->caller)
			fprintf(out, ", caller \"%s\"", p->caller);
		for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++)
			if (p->flags & flags[k].flag)
				fprintf(out, ", %s", flags[k].text);
		fputc('\n', out);
	}
	if (o->nr_kernel_progs)
		fprintf(out, "%u kernel-side program%s left to the companion\n", o->nr_kernel_progs,
			o->nr_kernel_progs == 1 ? "" : "s");
}

static void dump_registers(FILE *out, const struct bpfcc_object *o, const struct bpfcc_regs *regs)
{
	const char *comma = " ; ";
	char text[128];

	if (regs->r[10].kind == BPFCC_KIND_UNREACHED) {
		fputs(" ; never runs", out);
		return;
	}
	for (int i = 0; i < 10; i++) {
		const struct bpfcc_reg *r = &regs->r[i];

		if (r->kind == BPFCC_KIND_UNINIT)
			continue;
		fprintf(out, "%sr%d=%s", comma, i, bpfcc_kind_format(o, r, text, sizeof(text)));
		comma = " ";
	}
}

static void dump_func(FILE *out, const struct inlay_bpfcc_object *h, const struct bpfcc_func *f,
		      const struct bpfcc_kinds *kinds)
{
	const char *source = NULL;
	uint32_t line = 0;
	char text[256];

	fprintf(out, "\n%s: %u argument%s", f->name, f->nr_args, f->nr_args == 1 ? "" : "s");
	if (kinds)
		fprintf(out, ", stack %u bytes", bpfcc_kinds_stack_bytes(kinds, f->index));
	fputc('\n', out);
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		if (f->line_nrs && f->line_texts[i] &&
		    (f->line_nrs[i] != line || f->line_texts[i] != source)) {
			line = f->line_nrs[i];
			source = f->line_texts[i];
			fprintf(out, "; %u: %s\n", line, source + strspn(source, " \t"));
		}
		fprintf(out, "%6u: %-*s", i, kinds ? 40 : 0,
			bpfcc_disasm(&h->data, f, i, text, sizeof(text)));
		if (kinds)
			dump_registers(out, &h->data, bpfcc_kinds_before(kinds, f->index, i));
		fputc('\n', out);
		i += bpfcc_insn_is_lddw(&f->insns[i]);
	}
}

void bpfcc_dump_helpers(FILE *out)
{
	static const struct {
		uint32_t flag;
		const char *text;
	} flags[] = {{BPFCC_HELPER_F_GPL, "needs a GPL-compatible licence"},
		     {BPFCC_HELPER_F_OVERRIDE, "needs --allow-override"}};
	const struct bpfcc_helper *helper;

	for (uint32_t row = 0; (helper = bpfcc_helper_row(row)); row++) {
		bool is_kfunc = !helper->id;
		const char *comma = "  ";

		if (helper->class == BPFCC_HELPER_ABSENT)
			continue;
		if (is_kfunc)
			fprintf(out, "   -  %s", helper->name);
		else
			fprintf(out, "%4d  bpf_%s", helper->id, helper->name);
		for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
			if (!(helper->flags & flags[i].flag))
				continue;
			fprintf(out, "%s%s", comma, flags[i].text);
			comma = ", ";
		}
		if (helper->flags & BPFCC_HELPER_F_SESSION)
			fprintf(out, "%sin uprobe.session programs", comma);
		fputc('\n', out);
	}
}

static void dump(FILE *out, const struct inlay_bpfcc_object *h, const struct bpfcc_kinds *kinds)
{
	const struct bpfcc_object *o = &h->data;
	char hash[33];

	inlay_bpfcc_object_hash(h, hash);
	fprintf(out, "object \"%s\": hash %s, licence \"%s\"\n", o->name, hash, o->license);
	dump_maps(out, o);
	dump_progs(out, o);
	for (uint32_t i = 0; i < o->nr_funcs; i++)
		dump_func(out, h, &o->funcs[i], kinds);
}

void bpfcc_dump(FILE *out, const struct inlay_bpfcc_object *h)
{
	dump(out, h, h->kinds);
}

void bpfcc_dump_bytecode(FILE *out, const struct inlay_bpfcc_object *h)
{
	dump(out, h, NULL);
}
