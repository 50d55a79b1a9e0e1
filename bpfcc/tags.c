/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What section names cannot say: BTF declaration tags "inlay:..." on a program, written by the
 * macros of inlay.bpf.h, and --attach on the command line.
 */
#include <errno.h>
#include <string.h>

#include "bpfcc/loader.h"

#define KNOWN \
	"known are inlay:call, inlay:caller=NAME, inlay:late, inlay:early, inlay:switched, " \
	"inlay:switched=on, inlay:unwind and inlay:function=NAME"

static const struct flag {
	const char *name;
	uint32_t set, clear;
} flags[] = {
	{"call", BPFCC_PROG_CALL, 0},
	{"late", BPFCC_PROG_LATE, 0},
	{"early", 0, BPFCC_PROG_LATE},
	{"switched", BPFCC_PROG_SWITCHED, 0},
	{"switched=on", BPFCC_PROG_SWITCHED | BPFCC_PROG_SWITCHED_ON, 0},
	{"unwind", BPFCC_PROG_UNWIND, 0},
};

/* Why the program's section does not take such a name, or NULL. */
static const char *name_problem(const struct bpfcc_prog *prog, const char *name)
{
	const char *colon = strchr(name, ':');

	if (prog->kind == INLAY_PROG_USDT)
		return colon && colon > name && colon[1] && !strchr(colon + 1, ':') &&
				       !strpbrk(name, "*?[")
			       ? NULL
			       : "a USDT probe is named PROVIDER:NAME";
	if (colon)
		return "that is no function's name";
	if (!(prog->flags & BPFCC_PROG_MULTI) && strpbrk(name, "*?["))
		return "the program's section does not take a pattern";
	return NULL;
}

static const char *name_hint(const struct bpfcc_prog *prog, const char *name)
{
	if (prog->kind == INLAY_PROG_USDT || strchr(name, ':'))
		return NULL;
	return "write SEC(\"uprobe.multi\"), SEC(\"uretprobe.multi\") or SEC(\"uprobe.session\")";
}

static int apply(struct bpfcc_loader *l, struct bpfcc_prog *prog, const char *tag)
{
	const struct bpfcc_where where = {.func = prog->func, .insn = -1};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(flags[i].name, tag))
			continue;
		prog->flags = (prog->flags | flags[i].set) & ~flags[i].clear;
		return 0;
	}
	if (!strncmp(tag, "caller=", 7) && tag[7]) {
		if (prog->caller && strcmp(prog->caller, tag + 7))
			return bpfcc_error(l->diag, &where, "use a pattern, or a second program",
					   "two callers are named, \"%s\" and \"%s\"", prog->caller,
					   tag + 7);
		prog->caller = tag + 7;
		return 0;
	}
	if (!strncmp(tag, "function=", 9) && tag[9]) {
		if (prog->function && strcmp(prog->function, tag + 9))
			return bpfcc_error(l->diag, &where,
					   "leave the function out of the section or of the tag",
					   "tag \"inlay:%s\", but the section or another tag names "
					   "function \"%s\"",
					   tag, prog->function);
		if (name_problem(prog, tag + 9))
			return bpfcc_error(l->diag, &where, name_hint(prog, tag + 9),
					   "tag \"inlay:%s\": %s", tag,
					   name_problem(prog, tag + 9));
		prog->function = tag + 9;
		return 0;
	}
	return bpfcc_error(l->diag, &where, KNOWN, "unknown tag \"inlay:%s\"", tag);
}

int bpfcc_tags_apply(struct bpfcc_loader *l, struct bpfcc_prog *prog)
{
	int err, id = l->btf ? btf__find_by_name_kind(l->btf, prog->name, BTF_KIND_FUNC) : -ENOENT;

	if (id < 0)
		return 0;
	for (uint32_t i = 1; i < btf__type_cnt(l->btf); i++) {
		const struct btf_type *t = btf__type_by_id(l->btf, i);
		const char *tag;

		if (!btf_is_decl_tag(t) || t->type != (uint32_t)id)
			continue;
		tag = btf__str_by_offset(l->btf, t->name_off);
		if (strncmp(tag, "inlay:", 6))
			continue;
		if (btf_decl_tag(t)->component_idx != -1)
			return bpfcc_error(l->diag,
					   &(struct bpfcc_where){.func = prog->func, .insn = -1},
					   "put it on the program itself",
					   "tag \"%s\" on an argument has no meaning", tag);
		err = apply(l, prog, tag + 6);
		if (err)
			return err;
	}
	if (prog->caller && !(prog->flags & BPFCC_PROG_CALL))
		prog->flags |= BPFCC_PROG_CALL;
	return 0;
}

/* Was its function given by one of the first nr_before options? */
static bool is_attached(const struct bpfcc_loader *l, const struct bpfcc_prog *prog,
			size_t nr_before)
{
	size_t bytes = strlen(prog->name);

	for (size_t i = 0; i < nr_before; i++)
		if (!strncmp(l->opts->attaches[i], prog->name, bytes) &&
		    l->opts->attaches[i][bytes] == ':')
			return true;
	return false;
}

/*
 * A loader attaches by itself where the section names a binary; elsewhere a function in it is a
 * label, which what the user says replaces.
 */
static bool is_open(const struct bpfcc_loader *l, const struct bpfcc_prog *prog, size_t nr_before)
{
	if (!prog->function)
		return true;
	return prog->kind != INLAY_PROG_USDT && strchr(prog->section, '/') &&
	       !strchr(prog->section, ':') && !is_attached(l, prog, nr_before);
}

static int attach(struct bpfcc_loader *l, size_t option)
{
	const char *text = l->opts->attaches[option];
	const char *colon = strchr(text, ':'), *function = colon ? colon + 1 : NULL;
	bool is_second;

	if (!colon || colon == text || !*function)
		return bpfcc_error(l->diag, NULL, "write --attach PROGRAM:FUNCTION",
				   "--attach %s: not understood", text);
	for (uint32_t i = 0; i < l->object->nr_progs; i++) {
		struct bpfcc_prog *prog = &l->object->progs[i];
		const struct bpfcc_where where = {.func = prog->func, .insn = -1};

		if (strlen(prog->name) != (size_t)(colon - text) ||
		    memcmp(prog->name, text, (size_t)(colon - text)))
			continue;
		is_second = is_attached(l, prog, option);
		if (!is_open(l, prog, option) && strcmp(prog->function, function))
			return bpfcc_error(l->diag, &where,
					   is_second ? "a pattern gives a program several functions"
						     : "only a section without a binary leaves it "
						       "open",
					   "--attach %s: the program is for function \"%s\"", text,
					   prog->function);
		if (prog->kind != INLAY_PROG_USDT && strchr(function, ':'))
			return bpfcc_error(l->diag, NULL, "write --attach PROGRAM:FUNCTION",
					   "--attach %s: not understood", text);
		/* a loader may attach one program to as many functions as it likes */
		if (prog->kind != INLAY_PROG_USDT && strpbrk(function, "*?["))
			prog->flags |= BPFCC_PROG_MULTI;
		if (name_problem(prog, function))
			return bpfcc_error(l->diag, &where, name_hint(prog, function),
					   "--attach %s: %s", text, name_problem(prog, function));
		prog->function = bpfcc_arena_strdup(l->arena, function);
		return prog->function ? 0 : -ENOMEM;
	}
	return bpfcc_error(l->diag, NULL, NULL,
			   "--attach %s: the object has no user probe program of that name", text);
}

int bpfcc_tags_attach(struct bpfcc_loader *l)
{
	int err = 0;

	for (size_t i = 0; i < l->opts->nr_attaches && !err; i++)
		err = attach(l, i);
	return err;
}
