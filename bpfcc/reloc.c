/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resolves every reference of a function's instructions into the form that object.h describes.
 * libbpf does this at load time only, into kernel file descriptors, so it is done here from the ELF
 * records.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "bpfcc/helpers.h"
#include "bpfcc/isa.h"
#include "bpfcc/loader.h"

#ifndef R_BPF_64_64
#define R_BPF_64_64 1
#define R_BPF_64_32 10
#endif

struct patch {
	struct bpfcc_loader *l;
	const struct bpfcc_func *func;
	const struct bpfcc_fn *fn;
	struct bpf_insn *insns;
	struct bpfcc_where where;	/* of the instruction at hand */
};

/* Replaces the instruction at `at` by one that must never run; see object.h. */
static int poison(struct patch *p, uint32_t at, const char *text)
{
	struct bpfcc_object *o = p->l->object;
	const struct bpf_insn bad = {.code = BPF_JMP | BPF_CALL,
				     .imm = BPFCC_POISON + (int32_t)o->nr_poisons};
	const char **texts;

	texts = bpfcc_arena_array(p->l->arena, o->nr_poisons + 1, sizeof(*texts));
	if (!texts)
		return -ENOMEM;
	if (o->nr_poisons)
		memcpy(texts, o->poisons, o->nr_poisons * sizeof(*texts));
	texts[o->nr_poisons++] = text;
	o->poisons = texts;
	if (bpfcc_insn_is_lddw(&p->insns[at]) && at + 1 < p->func->nr_insns)
		p->insns[at + 1] = bad;
	p->insns[at] = bad;
	return 0;
}

static void set_lddw(struct bpf_insn *in, uint8_t src_reg, int32_t lo, int32_t hi)
{
	in[0].src_reg = src_reg;
	in[0].imm = lo;
	in[1].imm = hi;
}

/* Name of the object at a place of section .maps: a map may be named or be section plus offset. */
static const char *map_name_at(struct patch *p, uint32_t section, uint64_t offset)
{
	const struct bpfcc_elf *elf = &p->l->elf;

	for (uint32_t i = 0; i < elf->nr_symbols; i++) {
		const struct bpfcc_elf_symbol *s = &elf->symbols[i];

		if (s->section == section && s->value == offset && s->type == STT_OBJECT)
			return s->name;
	}
	return NULL;
}

static int patch_map(struct patch *p, struct bpf_insn *in, const struct bpfcc_elf_symbol *sym)
{
	uint64_t offset = sym->value + (sym->type == STT_SECTION ? (uint32_t)in->imm : 0);
	const char *name = map_name_at(p, sym->section, offset);
	struct bpfcc_candidate *c = name ? bpfcc_maps_by_name(p->l, name) : NULL;
	int err;

	if (!c)
		return bpfcc_error(p->l->diag, &p->where, NULL,
				   "the reference to \"%s\" is to no map that is defined with BTF",
				   sym->name);
	err = bpfcc_maps_use(p->l, c, &p->where);
	if (!err)
		set_lddw(in, BPF_PSEUDO_MAP_FD, c->index, 0);
	return err;
}

static int patch_data(struct patch *p, struct bpf_insn *in, const struct bpfcc_elf_symbol *sym)
{
	const char *section = p->l->elf.sections[sym->section].name;
	struct bpfcc_candidate *c = bpfcc_maps_by_name(p->l, section);
	uint64_t offset = sym->value + (uint32_t)in->imm;
	int err;

	if (!c || !c->is_global_data)
		return bpfcc_error(p->l->diag, &p->where,
				   "put variables into .data, .bss or .rodata, with or without a "
				   "suffix as in SEC(\".data.mine\")",
				   "a reference into section \"%s\" is not supported", section);
	/* libbpf leaves them 0, which is what no one wrote */
	if (p->l->elf.sections[sym->section].nr_rels)
		return bpfcc_error(
		    p->l->diag, &p->where,
		    "use an array of char arrays, or indexes in place of pointers",
		    "section \"%s\" holds addresses of variables, which an eBPF object "
		    "cannot have",
		    section);
	/* one past the end is a valid address in C, and no access there passes the checker */
	if (offset > c->bytes)
		return bpfcc_error(
		    p->l->diag, &p->where, NULL,
		    "a reference to offset %llu of section \"%s\", which has %u bytes",
		    (unsigned long long)offset, section, c->bytes);
	err = c->is_arena_data ? bpfcc_maps_arena(p->l, &p->where, &c) : 0;
	if (!err)
		err = bpfcc_maps_use(p->l, c, &p->where);
	if (!err)
		set_lddw(in, BPF_PSEUDO_MAP_VALUE, c->index, (int32_t)offset);
	return err;
}

/* A variable that libbpf would set from the kernel's configuration; weak: 0 if it is not known. */
static int patch_kconfig(struct patch *p, struct bpf_insn *in, const struct bpfcc_elf_symbol *sym,
			 uint32_t offset)
{
	struct bpfcc_candidate *c = bpfcc_maps_by_name(p->l, ".kconfig");
	int err;

	if (!c || (sym->bind != STB_WEAK && !bpfcc_config_kernel_known(p->l, sym->name)))
		return bpfcc_error(p->l->diag, &p->where,
				   "--set gives it a value; declared __weak it is 0",
				   "a process has no kernel configuration: \"%s\" is not known",
				   sym->name);
	/* BTF of a damaged object may say anything */
	if (offset > c->bytes)
		return bpfcc_error(p->l->diag, &p->where, NULL,
				   "variable \"%s\" lies outside of its section", sym->name);
	err = bpfcc_maps_use(p->l, c, &p->where);
	if (!err)
		set_lddw(in, BPF_PSEUDO_MAP_VALUE, c->index, (int32_t)offset);
	return err;
}

/* An address of something that this file does not define. */
static int patch_extern(struct patch *p, struct bpf_insn *in, const struct bpfcc_elf_symbol *sym)
{
	const struct btf_var_secinfo *kconfig;

	if (bpfcc_kfunc_index(sym->name) >= 0) {
		/* bpf_ksym_exists(): any address that is not NULL */
		set_lddw(in, 0, 1, 0);
		return 0;
	}
	/* BTF says what is declared __kconfig; names alone do not */
	kconfig = bpfcc_config_kernel_var(p->l, sym->name);
	if (kconfig)
		return patch_kconfig(p, in, sym, kconfig->offset);
	if (sym->bind == STB_WEAK) {
		set_lddw(in, 0, 0, 0);
		return 0;
	}
	return bpfcc_error(p->l->diag, &p->where, "declare it __weak to have NULL",
			   "\"%s\" is not defined in the object: kernel symbols do not exist in a "
			   "process",
			   sym->name);
}

/* A callback: the instruction holds the distance from the symbol, in bytes. */
static int patch_func_address(struct patch *p, struct bpf_insn *in,
			      const struct bpfcc_elf_symbol *sym)
{
	int64_t offset = (int64_t)sym->value + in->imm;
	struct bpfcc_fn *fn = NULL;
	int err;

	if (offset >= 0 && offset % 8 == 0)
		fn = bpfcc_funcs_at(p->l, sym->section, (uint64_t)offset);
	if (!fn)
		return bpfcc_error(p->l->diag, &p->where, NULL,
				   "the address is of no function of the object");
	if (fn->placed)
		return bpfcc_error(p->l->diag, &p->where, "move what both need into a function",
				   "program \"%s\" is used as a callback", fn->name);
	err = bpfcc_funcs_use(p->l, fn);
	if (!err)
		set_lddw(in, BPF_PSEUDO_FUNC, (int32_t)fn->index, 0);
	return err;
}

static int patch_address(struct patch *p, uint32_t at, const struct bpfcc_elf_symbol *sym)
{
	struct bpf_insn *in = &p->insns[at];

	if (sym->section == SHN_UNDEF)
		return patch_extern(p, in, sym);
	if (sym->section >= p->l->elf.nr_sections)
		return bpfcc_error(p->l->diag, &p->where, NULL,
				   "a reference to symbol \"%s\", which is in no section",
				   sym->name);
	if (bpfcc_elf_is_code(&p->l->elf, sym->section))
		return patch_func_address(p, in, sym);
	if (!strcmp(p->l->elf.sections[sym->section].name, ".maps"))
		return patch_map(p, in, sym);
	return patch_data(p, in, sym);
}

static int patch_subprogram(struct patch *p, struct bpf_insn *in, uint32_t section, int64_t offset)
{
	struct bpfcc_fn *fn = NULL;
	int32_t helper;
	int err;

	if (offset >= 0 && offset % 8 == 0)
		fn = bpfcc_funcs_at(p->l, section, (uint64_t)offset);
	if (!fn)
		return bpfcc_error(p->l->diag, &p->where, NULL,
				   "the call is to no function of the object");
	if (fn->placed)
		return bpfcc_error(p->l->diag, &p->where, "move what both need into a function",
				   "program \"%s\" is called like a function", fn->name);
	helper = bpfcc_usdt_helper(p->l, fn);
	if (helper) {
		in->src_reg = 0;
		in->imm = helper;
		return 0;
	}
	err = bpfcc_funcs_use(p->l, fn);
	if (err)
		return err;
	in->src_reg = BPF_PSEUDO_CALL;
	in->imm = fn->index;
	return 0;
}

static int patch_call(struct patch *p, uint32_t at, const struct bpfcc_elf_symbol *sym)
{
	struct bpf_insn *in = &p->insns[at];
	int kfunc;

	if (sym->section == SHN_UNDEF) {
		kfunc = bpfcc_kfunc_index(sym->name);
		if (kfunc >= 0) {
			in->src_reg = BPF_PSEUDO_KFUNC_CALL;
			in->off = 0;
			in->imm = kfunc;
			return 0;
		}
		if (sym->bind == STB_WEAK) {
			const char *text = bpfcc_arena_printf(
			    p->l->arena, "function \"%s\" does not exist in a process", sym->name);

			return text ? poison(p, at, text) : -ENOMEM;
		}
		if (bpfcc_kfunc_absent_reason(sym->name))
			return bpfcc_error(
			    p->l->diag, &p->where,
			    "declare it __weak and test it with bpf_ksym_exists() to do without",
			    "kernel function \"%s\" cannot be had in a process: %s", sym->name,
			    bpfcc_kfunc_absent_reason(sym->name));
		return bpfcc_error(
		    p->l->diag, &p->where,
		    "bpfcc --helpers lists what there is; declare it __weak and test it "
		    "with bpf_ksym_exists() to do without",
		    "kernel function \"%s\" is not supported", sym->name);
	}
	if (in->src_reg != BPF_PSEUDO_CALL || !bpfcc_elf_is_code(&p->l->elf, sym->section))
		return bpfcc_error(p->l->diag, &p->where, NULL,
				   "the call refers to \"%s\", which is no function", sym->name);
	/* the instruction holds what is to be added to the symbol, less one, in instructions */
	return patch_subprogram(p, in, sym->section,
				(int64_t)sym->value + ((int64_t)in->imm + 1) * 8);
}

static int apply(struct patch *p, const struct bpfcc_elf_rel *rel, uint8_t *done)
{
	const struct bpfcc_elf_symbol *sym = &p->l->elf.symbols[rel->symbol];
	uint32_t at = (uint32_t)((rel->offset - p->fn->offset) / 8);
	struct bpf_insn *in = &p->insns[at];

	p->where.insn = (int)at;
	if (rel->offset % 8)
		return bpfcc_error(p->l->diag, &p->where, NULL,
				   "a relocation is not at the start of an instruction");
	if (done[at])
		return bpfcc_error(p->l->diag, &p->where, NULL,
				   "two relocations of one instruction");
	done[at] = 1;
	if (rel->type == R_BPF_64_32 && bpfcc_insn_is_call(in))
		return patch_call(p, at, sym);
	if (rel->type == R_BPF_64_64 && bpfcc_insn_is_lddw(in) && at + 1 < p->func->nr_insns)
		return patch_address(p, at, sym);
	return bpfcc_error(p->l->diag, &p->where, NULL,
			   "relocation type %u against \"%s\" is not supported here", rel->type,
			   sym->name);
}

/* What no relocation resolved: calls by distance are valid, other references are not. */
static int apply_unnamed(struct patch *p, const uint8_t *done)
{
	for (uint32_t at = 0; at < p->func->nr_insns; at++) {
		struct bpf_insn *in = &p->insns[at];
		int err = 0;

		p->where.insn = (int)at;
		if (done[at]) {
			at += bpfcc_insn_is_lddw(in);
			continue;
		}
		if (bpfcc_insn_is_call(in) && in->src_reg == BPF_PSEUDO_CALL)
			err = patch_subprogram(p, in, p->fn->section,
					       (int64_t)p->fn->offset +
						       ((int64_t)at + 1 + in->imm) * 8);
		else if (bpfcc_insn_is_call(in) && in->src_reg)
			err = bpfcc_error(p->l->diag, &p->where, NULL,
					  "a call of a kernel function names none");
		else if (bpfcc_insn_is_lddw(in) && in->src_reg)
			err = bpfcc_error(p->l->diag, &p->where,
					  "refer to maps and variables by name",
					  "a reference to a map or function by number");
		else if (bpfcc_insn_is_call(in) && in->imm >= BPFCC_POISON)
			err = bpfcc_error(p->l->diag, &p->where, NULL, "unknown helper %d",
					  in->imm);
		if (err)
			return err;
		at += bpfcc_insn_is_lddw(in);
	}
	return 0;
}

static bool is_in(const struct bpfcc_core_relo *relo, const struct patch *p)
{
	return !strcmp(relo->section, p->func->section) && relo->offset >= p->fn->offset &&
	       relo->offset - p->fn->offset < p->fn->bytes;
}

static bool has_core(const struct patch *p)
{
	for (uint32_t i = 0; i < p->l->ext.nr_relos; i++)
		if (is_in(&p->l->ext.relos[i], p))
			return true;
	return false;
}

static int apply_core(struct patch *p)
{
	const struct bpfcc_btfext *ext = &p->l->ext;

	for (uint32_t i = 0; i < ext->nr_relos; i++) {
		const struct bpfcc_core_relo *relo = &ext->relos[i];
		const char *problem = NULL;
		bool is_missing;
		uint32_t at;
		int err;

		if (!is_in(relo, p))
			continue;
		at = (uint32_t)((relo->offset - p->fn->offset) / 8);
		p->where.insn = (int)at;
		if (relo->offset % 8)
			return bpfcc_error(
			    p->l->diag, &p->where, NULL,
			    "a CO-RE relocation is not at the start of an instruction");
		err = bpfcc_core_apply(p->l, relo, &p->where, p->insns, p->func->nr_insns, at,
				       &problem, &is_missing);
		if (!err && problem)
			err = poison(p, at, problem);
		if (!err && is_missing && problem && !p->func->missing_type)
			p->l->object->funcs[p->fn->index].missing_type = problem;
		if (err)
			return err;
	}
	return 0;
}

int bpfcc_reloc_func(struct bpfcc_loader *l, uint32_t index)
{
	struct bpfcc_func *func = &l->object->funcs[index];
	const struct bpfcc_fn *fn = &l->fns[l->order[index]];
	const struct bpfcc_elf_section *section = &l->elf.sections[fn->section];
	struct patch p = {.l = l, .func = func, .fn = fn, .where = {.func = func, .insn = -1}};
	uint8_t *done;
	int err = 0;

	p.insns = bpfcc_arena_memdup(l->arena, (const char *)section->data + fn->offset, fn->bytes);
	done = bpfcc_arena_alloc(l->arena, func->nr_insns);
	if (!p.insns || !done)
		return -ENOMEM;
	func->insns = p.insns;
	for (uint32_t i = 0; i < section->nr_rels && !err; i++)
		if (section->rels[i].offset >= fn->offset &&
		    section->rels[i].offset - fn->offset < fn->bytes)
			err = apply(&p, &section->rels[i], done);
	if (!err)
		err = apply_unnamed(&p, done);
	if (!err && has_core(&p)) {
		/* what the object says, whatever the target is like */
		func->hash_insns = bpfcc_arena_memdup(l->arena, p.insns, fn->bytes);
		func->nr_hash_insns = func->nr_insns;
		err = func->hash_insns ? apply_core(&p) : -ENOMEM;
	}
	return err;
}
