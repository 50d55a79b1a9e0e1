/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks the references of BTF: names, types, members. Records and their order are those of the
 * kernel's Documentation/bpf/btf.rst. A chain of modifiers, typedefs and arrays that never ends
 * would send libbpf, and us, around for ever, so it is refused, too.
 */
#include "bpfcc/btfcheck.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <bpf/btf.h>

#include "bpfcc/diag.h"
#include "bpfcc/libbpf_print.h"

struct check {
	struct btf *btf;
	uint32_t nr;
	struct bpfcc_diag *diag;
};

static bool name_ok(const struct check *c, uint32_t off)
{
	return btf__str_by_offset(c->btf, off) != NULL;
}

static bool type_ok(const struct check *c, uint32_t id)
{
	return id < c->nr;
}

static bool members_ok(const struct check *c, const struct btf_type *t)
{
	const struct btf_member *m = btf_members(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (!name_ok(c, m[i].name_off) || !type_ok(c, m[i].type))
			return false;
	return true;
}

static bool params_ok(const struct check *c, const struct btf_type *t)
{
	const struct btf_param *p = btf_params(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (!name_ok(c, p[i].name_off) || !type_ok(c, p[i].type))
			return false;
	return type_ok(c, t->type);
}

static bool vars_ok(const struct check *c, const struct btf_type *t)
{
	const struct btf_var_secinfo *v = btf_var_secinfos(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_type *var;

		if (!type_ok(c, v[i].type))
			return false;
		/* clang lists functions of code sections here, too */
		var = btf__type_by_id(c->btf, v[i].type);
		if (!var || (!btf_is_var(var) && !btf_is_func(var)))
			return false;
	}
	return true;
}

static bool enumerators_ok(const struct check *c, const struct btf_type *t)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		uint32_t off = btf_is_enum(t) ? btf_enum(t)[i].name_off
					      : btf_enum64(t)[i].name_off;

		if (!name_ok(c, off))
			return false;
	}
	return true;
}

static bool record_ok(const struct check *c, const struct btf_type *t)
{
	const struct btf_type *proto;

	if (!name_ok(c, t->name_off))
		return false;
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
		return t->size && t->size <= 16;
	case BTF_KIND_FWD:
		return true;
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
	case BTF_KIND_TYPE_TAG:
		return type_ok(c, t->type);
	case BTF_KIND_ARRAY:
		return type_ok(c, btf_array(t)->type) && type_ok(c, btf_array(t)->index_type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return members_ok(c, t);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return t->size && t->size <= 8 && enumerators_ok(c, t);
	case BTF_KIND_FUNC:
		proto = type_ok(c, t->type) ? btf__type_by_id(c->btf, t->type) : NULL;
		return proto && btf_is_func_proto(proto);
	case BTF_KIND_FUNC_PROTO:
		return params_ok(c, t);
	case BTF_KIND_DATASEC:
		return vars_ok(c, t);
	default:
		return false;
	}
}

/* What a type passes on to without adding a level of naming; 0 at the end of a chain. */
static uint32_t next_in_chain(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_VAR:
		return t->type;
	case BTF_KIND_ARRAY:
		return btf_array(t)->type;
	default:
		return 0;
	}
}

/* libbpf itself gives up after 32 steps */
#define MAX_CHAIN 32

static bool chain_ends(const struct check *c, uint32_t id)
{
	for (int steps = 0; steps < MAX_CHAIN; steps++) {
		id = next_in_chain(btf__type_by_id(c->btf, id));
		if (!id)
			return true;
	}
	return false;
}

static int check_all(struct check *c)
{
	static const char hint[] = "the file is damaged: compile it again";
	const struct bpfcc_where where = {.insn = -1, .section = ".BTF"};

	for (uint32_t id = 1; id < c->nr; id++)
		if (!record_ok(c, btf__type_by_id(c->btf, id)))
			return bpfcc_error(c->diag, &where, hint,
					   "type %u is malformed or refers to what does not exist",
					   id);
	for (uint32_t id = 1; id < c->nr; id++)
		if (!chain_ends(c, id))
			return bpfcc_error(c->diag, &where, hint, "type %u never ends", id);
	return 0;
}

int bpfcc_btf_check(const void *data, size_t bytes, struct bpfcc_diag *diag)
{
	struct check c = {.diag = diag};
	int err;

	if (bytes > UINT32_MAX)
		bytes = 0;
	bpfcc_libbpf_begin(diag);
	c.btf = btf__new(data, (uint32_t)bytes);
	err = c.btf ? 0 : -errno;
	bpfcc_libbpf_end();
	if (err == -ENOMEM)
		return err;
	if (err)
		return bpfcc_error(diag, &(struct bpfcc_where){.insn = -1, .section = ".BTF"},
				   "compile with -g", "the type information is malformed");
	c.nr = btf__type_cnt(c.btf);
	err = check_all(&c);
	btf__free(c.btf);
	return err;
}
