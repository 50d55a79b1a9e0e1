/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CO-RE relocations. The only types that exist for a probe in a process are the registers of the
 * target architecture, struct pt_regs, with the kernel's member names; every other type is absent,
 * with the meaning that libbpf gives to absent ones: "exists" is 0, and what needs its layout must
 * not run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/isa.h"
#include "bpfcc/loader.h"

/* numbers of the kernel's enum bpf_core_relo_kind */
enum {
	FIELD_OFFSET,
	FIELD_SIZE,
	FIELD_EXISTS,
	FIELD_SIGNED,
	FIELD_LSHIFT,
	FIELD_RSHIFT,
	TYPE_ID_LOCAL,
	TYPE_ID_TARGET,
	TYPE_EXISTS,
	TYPE_SIZE,
	ENUM_EXISTS,
	ENUM_VALUE,
	TYPE_MATCHES,
};

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

/* What a relocation asks for, resolved against the table above. */
struct answer {
	bool exists;
	uint64_t value;
};

/* "pt_regs" of "pt_regs___x86": a flavour is part of the local name only. */
static size_t essential_bytes(const char *name)
{
	const char *flavor = strstr(name, "___");

	while (flavor && strstr(flavor + 1, "___"))
		flavor = strstr(flavor + 1, "___");
	return flavor && flavor != name ? (size_t)(flavor - name) : strlen(name);
}

static const struct btf_type *skip_modifiers(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (btf_is_mod(t) || btf_is_typedef(t))
		t = btf__type_by_id(btf, t->type);
	return t;
}

/* The member table of a local type's target, or NULL if the type does not exist here. */
static const struct field *target_fields(const struct bpfcc_loader *l, const struct btf_type *t,
					 const char *name)
{
	size_t bytes = essential_bytes(name);

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
	const struct btf_type *t = skip_modifiers(btf, type_id);
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
			t = skip_modifiers(btf, m->type);
		} else if (btf_is_array(t)) {
			if (!*ret_name || *ret_index >= 0)
				return false;
			*ret_index = i;
			t = skip_modifiers(btf, btf_array(t)->type);
		} else {
			return false;
		}
	}
	return !*end && *ret_name;
}

static void answer_field(uint32_t kind, const struct field *fields, const char *name, long index,
			 struct answer *a)
{
	uint64_t bytes;

	for (; fields->name; fields++) {
		if (strcmp(fields->name, name) || index >= (long)fields->nr)
			continue;
		bytes = index >= 0 || !fields->nr ? fields->bytes : fields->bytes * fields->nr;
		a->exists = true;
		switch (kind) {
		case FIELD_OFFSET:
			a->value = fields->offset + (index > 0 ? index * fields->bytes : 0);
			break;
		case FIELD_SIZE:
			a->value = bytes;
			break;
		case FIELD_EXISTS:
			a->value = 1;
			break;
		case FIELD_SIGNED:
			a->value = 0;
			break;
		case FIELD_LSHIFT:
		case FIELD_RSHIFT:
			a->value = bytes < 8 ? 64 - 8 * bytes : 0;
			break;
		}
		return;
	}
}

/* A value of the local type may be absent, but an enumeration that the object itself defines is not
 * compared with any kernel's here: like every type but pt_regs, it does not exist. */
static int resolve(struct bpfcc_loader *l, const struct bpfcc_core_relo *relo, const char *name,
		   struct answer *a, const char **ret_member)
{
	const struct btf_type *t = skip_modifiers(l->btf, relo->type_id);
	const struct field *fields = target_fields(l, t, name);
	long index;

	*ret_member = NULL;
	switch (relo->kind) {
	case FIELD_OFFSET: case FIELD_SIZE: case FIELD_EXISTS:
	case FIELD_SIGNED: case FIELD_LSHIFT: case FIELD_RSHIFT:
		if (local_member(l->btf, relo->type_id, relo->access, ret_member, &index) && fields)
			answer_field(relo->kind, fields, *ret_member, index, a);
		/* absence is an answer, too */
		if (relo->kind == FIELD_EXISTS)
			a->exists = true;
		return 0;
	case TYPE_ID_LOCAL:
		a->exists = true;
		a->value = relo->type_id;
		return 0;
	case TYPE_ID_TARGET:
		/* there is no BTF of the target to number types of */
		return 0;
	case TYPE_EXISTS:
	case TYPE_MATCHES:
		a->exists = true;
		a->value = fields != NULL;
		return 0;
	case TYPE_SIZE:
		a->exists = true;
		a->value = fields ? (l->is_arm64 ? 34 * 8 : 21 * 8) : 0;
		return 0;
	case ENUM_EXISTS:
		a->exists = true;
		return 0;
	case ENUM_VALUE:
		return 0;
	default:
		return -EINVAL;
	}
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

int bpfcc_core_apply(struct bpfcc_loader *l, const struct bpfcc_core_relo *relo,
		     const struct bpfcc_where *where, struct bpf_insn *insns, uint32_t nr_insns,
		     uint32_t at, const char **ret_problem)
{
	const struct btf_type *t = skip_modifiers(l->btf, relo->type_id);
	const char *name = btf__str_by_offset(l->btf, t->name_off), *member;
	struct answer a = {0};

	if (resolve(l, relo, name, &a, &member))
		return bpfcc_error(l->diag, where, NULL, "CO-RE relocation of unknown kind %u",
				   relo->kind);
	if (a.exists) {
		if (patch(insns, nr_insns, at, a.value))
			return 0;
		return bpfcc_error(
		    l->diag, where, NULL,
		    "a CO-RE relocation of an instruction that cannot hold its value");
	}
	if (member && target_fields(l, t, name))
		*ret_problem =
		    bpfcc_arena_printf(l->arena,
				       "\"struct %s\" of this architecture has no member "
				       "\"%s\"",
				       name, member);
	else
		*ret_problem = bpfcc_arena_printf(l->arena,
						  "CO-RE type \"%s\" does not exist in a process: "
						  "only struct pt_regs does",
						  name);
	return *ret_problem ? 0 : -ENOMEM;
}
