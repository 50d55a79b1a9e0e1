/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CO-RE relocations. A probe in a process has the registers of the target architecture, struct
 * pt_regs, with the kernel's member names, and the target's own types where they are known
 * (target_types.c, core_types.c), and what a process knows of the kernel's structures behind
 * bpf_get_current_task() (task_types.c); every other type is absent, with the meaning that libbpf gives
 * to absent ones: "exists" is 0, and what needs its layout must not run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/core_types.h"
#include "bpfcc/isa.h"
#include "bpfcc/loader.h"

struct field {
	const char *name;
	uint32_t offset, bytes, nr;	/* nr: elements of an array, 0 for a plain field */
};

#define X86(name, i) {name, (i) * 8, 8, 0}
static const struct field x86_fields[] = {
	X86("r15", 0), X86("r14", 1), X86("r13", 2), X86("r12", 3), X86("bp", 4), X86("bx", 5),
	X86("r11", 6), X86("r10", 7), X86("r9", 8), X86("r8", 9), X86("ax", 10), X86("cx", 11),
	X86("dx", 12), X86("si", 13), X86("di", 14), X86("orig_ax", 15), X86("ip", 16),
	/* newer kernels have a union of a 16-bit cs and a 64-bit csx here; so with ss */
	X86("cs", 17), X86("csx", 17), X86("flags", 18), X86("sp", 19), X86("ss", 20),
	X86("ssx", 20), {0},
};
static const struct field arm64_fields[] = {
	{"regs", 0, 8, 31}, {"sp", 31 * 8, 8, 0}, {"pc", 32 * 8, 8, 0}, {"pstate", 33 * 8, 8, 0},
	{0},
};

/* The member table of a local type's target, or NULL if the type does not exist here. */
static const struct field *target_fields(const struct bpfcc_loader *l, const struct btf_type *t,
					 const char *name)
{
	size_t bytes = bpfcc_core_name_bytes(name);

	if (!btf_is_struct(t))
		return NULL;
	if (l->is_arm64) {
		if ((bytes == 7 && !memcmp(name, "pt_regs", 7)) ||
		    (bytes == 12 && !memcmp(name, "user_pt_regs", 12)))
			return arm64_fields;
		return NULL;
	}
	return bytes == 7 && !memcmp(name, "pt_regs", 7) ? x86_fields : NULL;
}

/*
 * Follows "0:3:1" through the local type to a member's name and an array index behind it. Members
 * of anonymous structs and unions are named by the innermost member. false: no such single member.
 */
static bool local_member(const struct btf *btf, uint32_t type_id, const char *access,
			 const char **ret_name, long *ret_index)
{
	const struct btf_type *t = bpfcc_core_skip(btf, type_id, NULL);
	char *end;
	long i = strtol(access, &end, 10);

	*ret_name = NULL;
	*ret_index = -1;
	/* the first number indexes an array of the whole type, which has one element here */
	if (end == access || i)
		return false;
	while (*end == ':') {
		access = end + 1;
		i = strtol(access, &end, 10);
		if (end == access || i < 0)
			return false;
		if (btf_is_composite(t)) {
			const struct btf_member *m;

			if (i >= btf_vlen(t) || *ret_name)
				return false;
			m = &btf_members(t)[i];
			if (*btf__str_by_offset(btf, m->name_off))
				*ret_name = btf__str_by_offset(btf, m->name_off);
			t = bpfcc_core_skip(btf, m->type, NULL);
		} else if (btf_is_array(t)) {
			if (!*ret_name || *ret_index >= 0)
				return false;
			*ret_index = i;
			t = bpfcc_core_skip(btf, btf_array(t)->type, NULL);
		} else {
			return false;
		}
	}
	return !*end && *ret_name;
}

static void answer_field(uint32_t kind, const struct field *fields, const char *name, long index,
			 struct bpfcc_core_answer *a)
{
	uint64_t bytes;

	for (; fields->name; fields++) {
		if (strcmp(fields->name, name) || index >= (long)fields->nr)
			continue;
		bytes = index >= 0 || !fields->nr ? fields->bytes : fields->bytes * fields->nr;
		a->exists = true;
		switch (kind) {
		case BPFCC_CORE_FIELD_OFFSET:
			a->value = fields->offset + (index > 0 ? index * fields->bytes : 0);
			break;
		case BPFCC_CORE_FIELD_SIZE:
			a->value = bytes;
			break;
		case BPFCC_CORE_FIELD_EXISTS:
			a->value = 1;
			break;
		case BPFCC_CORE_FIELD_SIGNED:
			a->value = 0;
			break;
		case BPFCC_CORE_FIELD_LSHIFT:
		case BPFCC_CORE_FIELD_RSHIFT:
			a->value = bytes < 8 ? 64 - 8 * bytes : 0;
			break;
		}
		return;
	}
}

/* What the table of registers says. */
static void resolve(struct bpfcc_loader *l, const struct bpfcc_core_relo *relo, const char *name,
		    struct bpfcc_core_answer *a, const char **ret_member)
{
	const struct btf_type *t = bpfcc_core_skip(l->btf, relo->type_id, NULL);
	const struct field *fields = target_fields(l, t, name);
	long index;

	switch (relo->kind) {
	case BPFCC_CORE_TYPE_ID_LOCAL:
		a->exists = true;
		a->value = relo->type_id;
		return;
	case BPFCC_CORE_TYPE_EXISTS:
	case BPFCC_CORE_TYPE_MATCHES:
		a->exists = true;
		a->value = 1;
		return;
	case BPFCC_CORE_TYPE_SIZE:
		a->exists = true;
		a->value = l->is_arm64 ? 34 * 8 : 21 * 8;
		return;
	case BPFCC_CORE_TYPE_ID_TARGET: /* there is no BTF that numbers it */
	case BPFCC_CORE_ENUM_EXISTS:
	case BPFCC_CORE_ENUM_VALUE:
		return;
	default:
		break;
	}
	if (local_member(l->btf, relo->type_id, relo->access, ret_member, &index))
		answer_field(relo->kind, fields, *ret_member, index, a);
	/* absence is an answer, too */
	if (relo->kind == BPFCC_CORE_FIELD_EXISTS)
		a->exists = true;
}

static bool fits_imm(uint64_t value)
{
	return value <= INT32_MAX;
}

/* Writes the value where the instruction has the local one. */
static bool patch(struct bpf_insn *insns, uint32_t nr_insns, uint32_t at, uint64_t value)
{
	struct bpf_insn *in = &insns[at];

	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_SRC(in->code) != BPF_K || !fits_imm(value))
			return false;
		in->imm = (int32_t)value;
		return true;
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		if (value > INT16_MAX)
			return false;
		in->off = (int16_t)value;
		return true;
	case BPF_LD:
		if (!bpfcc_insn_is_lddw(in) || in->src_reg || at + 1 >= nr_insns)
			return false;
		in[0].imm = (int32_t)value;
		in[1].imm = (int32_t)(value >> 32);
		return true;
	default:
		return false;
	}
}

/*
 * As in libbpf: what does not exist answers 0 to these. A size is asked for to use it, so that is an error
 * where nothing is known of any type (no -g): 0 would hide it.
 */
static bool absence_answers(const struct bpfcc_loader *l, uint32_t kind)
{
	if (kind == BPFCC_CORE_TYPE_SIZE || kind == BPFCC_CORE_TYPE_ID_TARGET)
		return l->target;
	return kind == BPFCC_CORE_FIELD_EXISTS || kind == BPFCC_CORE_TYPE_EXISTS ||
	       kind == BPFCC_CORE_TYPE_MATCHES || kind == BPFCC_CORE_ENUM_EXISTS;
}

/* As bpfcc_core_resolve(), for a type of the kernel's of which a process knows something. */
static int resolve_in_tasks(struct bpfcc_loader *l, const struct bpfcc_core_relo *relo,
			    const char *name, struct bpfcc_core_answer *a,
			    const char **ret_problem)
{
	int err;

	if ((!bpfcc_is_task_type(name) && !bpfcc_is_kernel_enum(name)) ||
	    relo->kind == BPFCC_CORE_TYPE_ID_TARGET)
		return -ENOENT;
	err = bpfcc_task_types(l);
	return err ? err : bpfcc_core_resolve(l->btf, relo, l->tasks, a, ret_problem);
}

/* 0: the target has a type of that name, or there is one for tasks; -ENOENT: there is none. */
static int resolve_in_target(struct bpfcc_loader *l, const struct bpfcc_core_relo *relo,
			     const struct bpfcc_where *where, const char *name,
			     struct bpfcc_core_answer *a)
{
	const char *problem = NULL;
	int err = bpfcc_target_types(l);

	l->object->has_target_relos = true;
	if (!err)
		err = l->target ? bpfcc_core_resolve(l->btf, relo, l->target, a, &problem)
				: -ENOENT;
	/*
	 * The target's own come first: a "struct cred" may be anybody's. Where its C library has other
	 * names for members of what system calls are given, the kernel's do.
	 */
	if (err == -ENOENT || (!err && !a->exists && bpfcc_is_shared_type(name)))
		err = resolve_in_tasks(l, relo, name, a, &problem);
	if (err == -EINVAL && problem)
		return bpfcc_error(l->diag, where, NULL, "%s", problem);
	if (err == -E2BIG)
		return bpfcc_error(l->diag, where, "name the layout with a file of types: --target-btf",
				   "the target has several types \"%s\", which do not agree", name);
	if (!a->exists && absence_answers(l, relo->kind) && (!err || err == -ENOENT))
		a->exists = true; /* no is an answer */
	return err;
}

static const char *why_missing(const struct bpfcc_loader *l, const char *name)
{
	if (l->opts->target_btf)
		return bpfcc_arena_printf(l->arena, "the types of %s have no \"%s\"",
					  l->opts->target_btf, name);
	if (l->target)
		return bpfcc_arena_printf(l->arena,
					  "the debug information of this file has no whole type \"%s\"",
					  name);
	if (l->opts->on_target_btf)
		return bpfcc_arena_printf(l->arena,
					  "type \"%s\" is not known: this file is compiled without debug "
					  "information (-g), and no file of types is named",
					  name);
	return bpfcc_arena_printf(l->arena,
				  "CO-RE type \"%s\" does not exist in a process: only struct pt_regs "
				  "does, what a process knows of a struct task_struct, and types "
				  "that --target-btf gives (in a build by inlay-cc: -g)",
				  name);
}

/* The root's own name: of a typedef that of the typedef. */
static const char *root_name(const struct bpfcc_loader *l, const struct bpfcc_core_relo *relo)
{
	const struct btf_type *t = btf__type_by_id(l->btf, relo->type_id);
	const char *name = btf__str_by_offset(l->btf, t->name_off);

	return name && *name ? name : "(unnamed)";
}

int bpfcc_core_apply(struct bpfcc_loader *l, const struct bpfcc_core_relo *relo,
		     const struct bpfcc_where *where, struct bpf_insn *insns, uint32_t nr_insns,
		     uint32_t at, const char **ret_problem, bool *ret_is_missing)
{
	const struct btf_type *t = bpfcc_core_skip(l->btf, relo->type_id, NULL);
	const char *name = btf__str_by_offset(l->btf, t->name_off), *member = NULL;
	bool is_registers = target_fields(l, t, name);
	struct bpfcc_core_answer a = {0};
	long index;
	int err = 0;

	*ret_is_missing = false;
	if (relo->kind > BPFCC_CORE_TYPE_MATCHES)
		return bpfcc_error(l->diag, where, NULL, "CO-RE relocation of unknown kind %u",
				   relo->kind);
	if (is_registers || relo->kind == BPFCC_CORE_TYPE_ID_LOCAL)
		resolve(l, relo, name, &a, &member);
	else
		err = resolve_in_target(l, relo, where, root_name(l, relo), &a);
	if (err && err != -ENOENT)
		return err;
	if (a.exists) {
		if (patch(insns, nr_insns, at, a.value))
			return 0;
		return bpfcc_error(
		    l->diag, where, NULL,
		    "a CO-RE relocation of an instruction that cannot hold its value");
	}
	if (!is_registers && relo->kind <= BPFCC_CORE_FIELD_RSHIFT)
		local_member(l->btf, relo->type_id, relo->access, &member, &index);
	if (is_registers && member) {
		*ret_problem =
		    bpfcc_arena_printf(l->arena,
				       "\"struct %s\" of this architecture has no member "
				       "\"%s\"",
				       name, member);
	} else if (err == -ENOENT) {
		*ret_is_missing = true;
		*ret_problem = why_missing(l, root_name(l, relo));
	} else if (member && !l->target && bpfcc_is_task_type(root_name(l, relo))) {
		*ret_problem = bpfcc_arena_printf(
		    l->arena, "member \"%s\" of \"struct %s\" is the kernel's: a process knows only %s",
		    member, root_name(l, relo), bpfcc_task_members(l, root_name(l, relo)));
	} else if (member) {
		*ret_problem =
		    bpfcc_arena_printf(l->arena, "\"%s\" of the target has no member \"%s\" that fits",
				       root_name(l, relo), member);
	} else {
		*ret_problem = bpfcc_arena_printf(l->arena,
						  "\"%s\" of the target does not have what is asked for",
						  root_name(l, relo));
	}
	return *ret_problem ? 0 : -ENOMEM;
}
