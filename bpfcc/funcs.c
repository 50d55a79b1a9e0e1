/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of an object file, which of them are programs that Inlay places, and what BTF says
 * of them: source lines and signature.
 */
#include <elf.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/isa.h"
#include "bpfcc/loader.h"

static int compare(const void *a, const void *b)
{
	const struct bpfcc_fn *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* From an assembler, without symbols of functions: each section of code is one. */
static void add_sections(struct bpfcc_loader *l)
{
	for (uint32_t i = 0; i < l->elf.nr_sections; i++) {
		const struct bpfcc_elf_section *s = &l->elf.sections[i];

		if (bpfcc_elf_is_code(&l->elf, i) && s->bytes && s->bytes % 8 == 0)
			l->fns[l->nr_fns++] = (struct bpfcc_fn){.name = s->name, .section = i,
								.bytes = s->bytes,
								.is_global = true, .index = -1};
	}
}

/* Where a call in a function leads, counted in instructions of it; with its relocation, if any. */
static int64_t call_target(const struct bpfcc_elf *elf, const struct bpfcc_fn *fn, uint64_t at,
			   const struct bpf_insn *in, const struct bpfcc_elf_rel *rel)
{
	const struct bpfcc_elf_symbol *sym = rel ? &elf->symbols[rel->symbol] : NULL;

	if (!rel)
		return (int64_t)at + 1 + in->imm;
	if (rel->type != R_BPF_64_32 || sym->section != fn->section || sym->value < fn->offset)
		return -1;
	return (int64_t)((sym->value - fn->offset) / 8) + 1 + in->imm;
}

/*
 * What assembles plain instructions often has one symbol, or none, for a program and all that it
 * calls. Marks in `starts`, one an instruction, where calls of the function lead inside of it.
 */
static int find_inner_starts(struct bpfcc_loader *l, const struct bpfcc_fn *fn, uint8_t *starts)
{
	const struct bpfcc_elf_section *s = &l->elf.sections[fn->section];
	uint64_t nr = fn->bytes / 8;
	const struct bpfcc_elf_rel **rels = bpfcc_arena_array(l->arena, nr, sizeof(*rels));
	struct bpf_insn in;
	int64_t to;

	if (!rels)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->nr_rels; i++)
		if (s->rels[i].offset >= fn->offset && s->rels[i].offset - fn->offset < fn->bytes)
			rels[(s->rels[i].offset - fn->offset) / 8] = &s->rels[i];
	for (uint64_t at = 0; at < nr; at++) {
		memcpy(&in, (const char *)s->data + fn->offset + at * 8, sizeof(in));
		if (!bpfcc_insn_is_call(&in) || in.src_reg != BPF_PSEUDO_CALL)
			continue;
		to = call_target(&l->elf, fn, at, &in, rels[at]);
		if (to > 0 && (uint64_t)to < nr)
			starts[to] = 1;
	}
	return 0;
}

/* Splits the functions of a program of plain memory where find_inner_starts() says. */
static int split_functions(struct bpfcc_loader *l)
{
	struct bpfcc_fn *fns, *fn;
	uint32_t nr = 0;
	uint64_t max = 0;

	for (uint32_t i = 0; i < l->nr_fns; i++)
		max += l->fns[i].bytes / 8;
	fns = bpfcc_arena_array(l->arena, max, sizeof(*fns));
	if (!fns)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->nr_fns; i++) {
		uint64_t nr_insns = l->fns[i].bytes / 8;
		uint8_t *starts = bpfcc_arena_alloc(l->arena, nr_insns);

		if (!starts || find_inner_starts(l, &l->fns[i], starts))
			return -ENOMEM;
		fn = &fns[nr++];
		*fn = l->fns[i];
		for (uint64_t k = 1; k < nr_insns; k++) {
			if (!starts[k])
				continue;
			fn->bytes = l->fns[i].offset + k * 8 - fn->offset;
			fn = &fns[nr++];
			*fn = (struct bpfcc_fn){
				.name = bpfcc_arena_printf(l->arena, "%s.%llu", l->fns[i].name,
							   (unsigned long long)k),
				.section = l->fns[i].section,
				.offset = l->fns[i].offset + k * 8,
				.bytes = (nr_insns - k) * 8,
				.index = -1,
			};
			if (!fn->name)
				return -ENOMEM;
		}
	}
	l->fns = fns;
	l->nr_fns = nr;
	return 0;
}

static int add_functions(struct bpfcc_loader *l)
{
	const struct bpfcc_elf *elf = &l->elf;

	l->fns = bpfcc_arena_array(l->arena, (size_t)elf->nr_symbols + elf->nr_sections,
				   sizeof(*l->fns));
	if (!l->fns)
		return -ENOMEM;
	for (uint32_t i = 0; i < elf->nr_symbols; i++) {
		const struct bpfcc_elf_symbol *s = &elf->symbols[i];
		const struct bpfcc_elf_section *sec;
		struct bpfcc_where where = {.insn = -1, .program = s->name};

		if (s->type != STT_FUNC || !bpfcc_elf_is_code(elf, s->section))
			continue;
		sec = &elf->sections[s->section];
		where.section = sec->name;
		if (!s->bytes || s->bytes % 8 || s->value % 8 || s->value > sec->bytes ||
		    s->bytes > sec->bytes - s->value)
			return bpfcc_error(
			    l->diag, &where, NULL,
			    "the function's symbol does not cover whole instructions of "
			    "its section");
		l->fns[l->nr_fns++] = (struct bpfcc_fn){
			.name = s->name,
			.section = s->section,
			.offset = s->value,
			.bytes = s->bytes,
			.is_global = s->bind != STB_LOCAL,
			.index = -1,
		};
	}
	if (!l->nr_fns && l->opts->context == INLAY_BPFCC_CONTEXT_MEMORY)
		add_sections(l);
	qsort(l->fns, l->nr_fns, sizeof(*l->fns), compare);
	for (uint32_t i = 1; i < l->nr_fns; i++) {
		const struct bpfcc_fn *a = &l->fns[i - 1], *b = &l->fns[i];

		if (a->section == b->section && b->offset < a->offset + a->bytes)
			return bpfcc_error(
				l->diag,
				&(struct bpfcc_where){.insn = -1,
						      .section = l->elf.sections[b->section].name,
						      .program = b->name},
				NULL, "the function overlaps function \"%s\"", a->name);
	}
	return l->opts->context == INLAY_BPFCC_CONTEXT_MEMORY ? split_functions(l) : 0;
}

/* Does an --attach name this program? */
static bool is_attached(const struct bpfcc_loader *l, const char *program)
{
	size_t bytes = strlen(program);

	for (size_t i = 0; i < l->opts->nr_attaches; i++)
		if (!strncmp(l->opts->attaches[i], program, bytes) &&
		    l->opts->attaches[i][bytes] == ':')
			return true;
	return false;
}

/* Does a --skip leave it out? */
static bool is_skipped(const struct bpfcc_loader *l, const char *program)
{
	for (size_t i = 0; i < l->opts->nr_skips; i++)
		if (!fnmatch(l->opts->skips[i], program, 0))
			return true;
	return false;
}

/* What is left out must be there: a misspelt name would keep what was to go. */
static int check_skips(struct bpfcc_loader *l)
{
	for (size_t i = 0; i < l->opts->nr_skips; i++) {
		bool is_known = false;

		for (uint32_t k = 0; k < l->nr_fns && !is_known; k++)
			is_known = strcmp(l->elf.sections[l->fns[k].section].name, ".text") &&
				   !fnmatch(l->opts->skips[i], l->fns[k].name, 0);
		if (!is_known)
			return bpfcc_error(l->diag, NULL, NULL,
					   "--skip %s: the object has no program of that name",
					   l->opts->skips[i]);
	}
	return 0;
}

/* One program, by its section's name; with --program that one only, or one that it `is_needed` by. */
static int add_program(struct bpfcc_loader *l, struct bpfcc_fn *fn, bool is_needed)
{
	const char *section = l->elf.sections[fn->section].name, *problem = NULL;
	struct bpfcc_where where = {.insn = -1, .section = section, .program = fn->name};
	struct bpfcc_section *s = bpfcc_arena_alloc(l->arena, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	if (is_skipped(l, fn->name))
		return 0;
	err = bpfcc_section_parse(l->arena, section, s, &problem);
	if (err == -EINVAL)
		return bpfcc_error(
		    l->diag, &where,
		    s->prog_kind == INLAY_PROG_USDT
			? "write SEC(\"usdt/PATH:PROVIDER:NAME\") or SEC(\"usdt/PROVIDER:NAME\")"
			: "write SEC(\"uprobe/PATH:FUNCTION\") or SEC(\"uprobe/FUNCTION\")",
		    "%s", problem);
	if (err)
		return err;
	/* a program of plain memory is placed nowhere: its section may have any name */
	if (l->opts->context == INLAY_BPFCC_CONTEXT_MEMORY && s->kind != BPFCC_SECTION_PLACED)
		*s = (struct bpfcc_section){.kind = BPFCC_SECTION_PLACED,
					    .prog_kind = INLAY_PROG_ENTRY};
	if (s->kind == BPFCC_SECTION_KERNEL && is_attached(l, fn->name))
		bpfcc_section_from_kprobe(section, s);
	switch (s->kind) {
	case BPFCC_SECTION_KERNEL:
		l->object->nr_kernel_progs++;
		return 0;
	case BPFCC_SECTION_PLACED:
		break;
	}
	if (l->opts->program && !is_needed && strcmp(fn->name, l->opts->program))
		return 0;
	if (!fn->is_global)
		return bpfcc_error(l->diag, &where, "remove \"static\"",
				   "a static function cannot be a program");
	fn->placed = s;
	return bpfcc_funcs_use(l, fn);
}

/* Programs that a map of SEC(".maps") holds from the start: a PROG_ARRAY's. */
static int add_values(struct bpfcc_loader *l, const struct bpfcc_elf_symbol *map)
{
	const struct bpfcc_elf_section *maps = &l->elf.sections[map->section];
	int err = 0;

	for (uint32_t i = 0; i < maps->nr_rels && !err; i++) {
		const struct bpfcc_elf_rel *rel = &maps->rels[i];
		const struct bpfcc_elf_symbol *s = &l->elf.symbols[rel->symbol];
		struct bpfcc_fn *fn;

		if (rel->offset < map->value || rel->offset - map->value >= map->bytes)
			continue;
		fn = bpfcc_funcs_at(l, s->section, s->value);
		if (fn && fn->index < 0)
			err = add_program(l, fn, true);
	}
	return err;
}

/*
 * Of one program that is run, what it may make tail calls to. Which functions of .text it calls is
 * not known yet: what any of them refers to is taken along.
 */
static int add_tail_programs(struct bpfcc_loader *l)
{
	int err = 0;

	for (uint32_t i = 0; i < l->object->nr_funcs; i++) {
		const struct bpfcc_fn *fn = &l->fns[l->order[i]];

		for (uint32_t k = 0; k < l->elf.nr_sections && !err; k++) {
			const struct bpfcc_elf_section *sec = &l->elf.sections[k];
			bool is_own = k == fn->section;

			if (!is_own && strcmp(sec->name, ".text"))
				continue;
			for (uint32_t r = 0; r < sec->nr_rels && !err; r++) {
				const struct bpfcc_elf_rel *rel = &sec->rels[r];
				const struct bpfcc_elf_symbol *s = &l->elf.symbols[rel->symbol];

				if ((!is_own || (rel->offset >= fn->offset &&
						 rel->offset - fn->offset < fn->bytes)) &&
				    s->section < l->elf.nr_sections &&
				    !strcmp(l->elf.sections[s->section].name, ".maps"))
					err = add_values(l, s);
			}
		}
		if (err)
			return err;
	}
	return 0;
}

int bpfcc_funcs_find(struct bpfcc_loader *l)
{
	bool is_memory = l->opts->context == INLAY_BPFCC_CONTEXT_MEMORY;
	int err = add_functions(l);

	if (!err)
		err = check_skips(l);
	if (err)
		return err;
	l->object->funcs = bpfcc_arena_array(l->arena, l->nr_fns, sizeof(*l->object->funcs));
	l->order = bpfcc_arena_array(l->arena, l->nr_fns, sizeof(*l->order));
	if (!l->object->funcs || !l->order)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->nr_fns; i++) {
		if (!strcmp(l->elf.sections[l->fns[i].section].name, ".text"))
			continue;
		if (is_memory && l->object->nr_funcs)
			break;
		err = add_program(l, &l->fns[i], false);
		if (err)
			return err;
	}
	/* without a section of their own, functions of .text are what can be run */
	for (uint32_t i = 0; i < l->nr_fns && is_memory && !l->object->nr_funcs; i++) {
		if (!l->fns[i].is_global)
			continue;
		err = add_program(l, &l->fns[i], false);
		if (err)
			return err;
	}
	if (l->opts->program && !l->object->nr_funcs)
		return bpfcc_error(l->diag, NULL, NULL,
				   "the object has no program \"%s\" for Inlay",
				   l->opts->program);
	return is_memory ? add_tail_programs(l) : 0;
}

struct bpfcc_fn *bpfcc_funcs_at(struct bpfcc_loader *l, uint32_t section, uint64_t offset)
{
	struct bpfcc_fn key = {.section = section, .offset = offset};

	return bsearch(&key, l->fns, l->nr_fns, sizeof(*l->fns), compare);
}

int bpfcc_funcs_use(struct bpfcc_loader *l, struct bpfcc_fn *fn)
{
	struct bpfcc_func *func;

	if (fn->index >= 0)
		return 0;
	fn->index = (int)l->object->nr_funcs++;
	l->order[fn->index] = (int)(fn - l->fns);
	func = &l->object->funcs[fn->index];
	func->name = fn->name;
	func->section = l->elf.sections[fn->section].name;
	func->nr_insns = (uint32_t)(fn->bytes / 8);
	func->is_global = fn->is_global;
	func->index = (uint32_t)fn->index;
	func->nr_args = fn->placed ? 1 : 5;
	return bpfcc_funcs_describe(l, func, fn);
}

static void read_signature(struct bpfcc_loader *l, struct bpfcc_func *func)
{
	const struct btf_type *t;
	int id = l->btf ? btf__find_by_name_kind(l->btf, func->name, BTF_KIND_FUNC) : -ENOENT;

	if (id < 0)
		return;
	t = btf__type_by_id(l->btf, btf__type_by_id(l->btf, (uint32_t)id)->type);
	func->is_void = t->type == 0;
}

/*
 * Spreads the line records, which say where a line starts, over the instructions. Records of a
 * section are in order of their offsets; one that is not only makes a message less exact.
 */
int bpfcc_funcs_describe(struct bpfcc_loader *l, struct bpfcc_func *func,
			 const struct bpfcc_fn *fn)
{
	const struct bpfcc_line *current = NULL;
	const char **files, **texts;
	uint32_t *nrs, at = 0;

	read_signature(l, func);
	files = bpfcc_arena_array(l->arena, func->nr_insns, sizeof(*files));
	texts = bpfcc_arena_array(l->arena, func->nr_insns, sizeof(*texts));
	nrs = bpfcc_arena_array(l->arena, func->nr_insns, sizeof(*nrs));
	if (!files || !texts || !nrs)
		return -ENOMEM;
	for (uint32_t i = 0; i <= l->ext.nr_lines; i++) {
		const struct bpfcc_line *line = i < l->ext.nr_lines ? &l->ext.lines[i] : NULL;
		uint32_t end = func->nr_insns;

		if (line && (strcmp(line->section, func->section) || line->offset < fn->offset ||
			     line->offset - fn->offset >= fn->bytes))
			continue;
		if (line)
			end = (uint32_t)((line->offset - fn->offset) / 8);
		for (; current && at < end; at++) {
			files[at] = current->file;
			texts[at] = current->text;
			nrs[at] = current->line;
		}
		at = end > at ? end : at;
		current = line;
	}
	func->line_files = files;
	func->line_texts = texts;
	func->line_nrs = nrs;
	return 0;
}
