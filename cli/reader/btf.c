/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks raw BTF that came out of shared memory before libbpf sees it: libbpf 1.1 checks the sizes of
 * the sections but neither ids nor names, and its printers and resolvers recurse. After btf_check()
 * every id and every name is valid, every type has a size that can be computed, and following
 * "contains by value" edges always ends.
 *
 * Format: the kernel's Documentation/bpf/btf.rst. Only little-endian BTF of this machine is accepted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/btf.h>

#include "cli/reader/reader.h"

enum {
	MAX_TYPES = 1 << 20,
	MAX_DEPTH = 64,		/* of types within types */
};

struct check {
	const char *types;
	uint32_t type_bytes;
	const char *strings;
	uint32_t string_bytes;
	const struct btf_type **by_id;	/* 1 .. nr; [0] is void */
	uint8_t *color;			/* 0 new, 1 on the path, 2 done */
	uint32_t nr;
};

static bool name_is_valid(const struct check *check, uint32_t off)
{
	return off < check->string_bytes;
}

/* Bytes behind struct btf_type; -1 for a kind that we do not know. */
static int64_t extra_bytes(const struct btf_type *type)
{
	uint32_t vlen = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	case BTF_KIND_INT:
		return sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return (int64_t)vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return (int64_t)vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return (int64_t)vlen * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return (int64_t)vlen * sizeof(struct btf_param);
	case BTF_KIND_VAR:
		return sizeof(struct btf_var);
	case BTF_KIND_DATASEC:
		return (int64_t)vlen * sizeof(struct btf_var_secinfo);
	case BTF_KIND_DECL_TAG:
		return sizeof(struct btf_decl_tag);
	default:
		return -1;
	}
}

/* First walk: every type lies in the section; builds by_id. */
static int types_index(struct check *check)
{
	uint32_t off = 0;

	while (off < check->type_bytes) {
		const struct btf_type *type = (const void *)(check->types + off);
		uint32_t left = check->type_bytes - off;
		int64_t extra;

		if (left < sizeof(*type) || check->nr >= MAX_TYPES)
			return -EBADMSG;
		extra = extra_bytes(type);
		if (extra < 0 || (uint64_t)extra > left - sizeof(*type))
			return -EBADMSG;
		check->by_id[++check->nr] = type;
		off += (uint32_t)(sizeof(*type) + (uint64_t)extra);
	}
	return 0;
}

static bool id_is_valid(const struct check *check, uint32_t id)
{
	return id <= check->nr;
}

static bool members_are_valid(const struct check *check, const struct btf_type *type)
{
	const struct btf_member *member = (const void *)(type + 1);

	for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++, member++)
		if (!id_is_valid(check, member->type) || !name_is_valid(check, member->name_off))
			return false;
	return true;
}

static bool list_is_valid(const struct check *check, const struct btf_type *type)
{
	uint32_t vlen = BTF_INFO_VLEN(type->info), i;
	const struct btf_enum *v = (const void *)(type + 1);
	const struct btf_enum64 *v64 = (const void *)(type + 1);
	const struct btf_param *param = (const void *)(type + 1);
	const struct btf_var_secinfo *var = (const void *)(type + 1);

	for (i = 0; i < vlen; i++)
		switch (BTF_INFO_KIND(type->info)) {
		case BTF_KIND_ENUM:
			if (!name_is_valid(check, v[i].name_off))
				return false;
			break;
		case BTF_KIND_ENUM64:
			if (!name_is_valid(check, v64[i].name_off))
				return false;
			break;
		case BTF_KIND_FUNC_PROTO:
			if (!name_is_valid(check, param[i].name_off) ||
			    !id_is_valid(check, param[i].type))
				return false;
			break;
		case BTF_KIND_DATASEC:
			if (!id_is_valid(check, var[i].type))
				return false;
			break;
		}
	return true;
}

/* Second walk: what one type refers to exists. */
static bool type_is_valid(const struct check *check, const struct btf_type *type)
{
	const struct btf_array *array = (const void *)(type + 1);

	if (!name_is_valid(check, type->name_off))
		return false;
	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return id_is_valid(check, type->type);
	case BTF_KIND_ARRAY:
		return id_is_valid(check, array->type) && id_is_valid(check, array->index_type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return members_are_valid(check, type);
	case BTF_KIND_FUNC_PROTO:
		return id_is_valid(check, type->type) && list_is_valid(check, type);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return (type->size == 1 || type->size == 2 || type->size == 4 || type->size == 8) &&
		       list_is_valid(check, type);
	case BTF_KIND_INT:
		return type->size == 1 || type->size == 2 || type->size == 4 || type->size == 8 ||
		       type->size == 16;
	default:
		return list_is_valid(check, type);
	}
}

/* Third walk: no type contains itself; depth first, each type once. */
static bool has_end(struct check *check, uint32_t id, int depth)
{
	const struct btf_type *type;
	const struct btf_member *member;
	const struct btf_array *array;
	bool ok = true;

	if (!id || check->color[id] == 2)
		return true;
	if (check->color[id] == 1 || depth > MAX_DEPTH)
		return false;
	check->color[id] = 1;
	type = check->by_id[id];
	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_VAR:
		ok = has_end(check, type->type, depth + 1);
		break;
	case BTF_KIND_ARRAY:
		array = (const void *)(type + 1);
		ok = has_end(check, array->type, depth + 1);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		member = (const void *)(type + 1);
		for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info) && ok; i++)
			ok = has_end(check, member[i].type, depth + 1);
		break;
	default:
		break;
	}
	check->color[id] = 2;
	return ok;
}

static int check_types(struct check *check)
{
	int err = types_index(check);

	if (err)
		return err;
	for (uint32_t id = 1; id <= check->nr; id++)
		if (!type_is_valid(check, check->by_id[id]))
			return -EBADMSG;
	for (uint32_t id = 1; id <= check->nr; id++)
		if (!has_end(check, id, 0))
			return -EBADMSG;
	return 0;
}

int btf_check(const void *data, uint64_t bytes)
{
	const struct btf_header *header = data;
	struct check check = { 0 };
	uint64_t body;
	int err;

	if (bytes < sizeof(*header) || header->magic != BTF_MAGIC ||
	    header->version != BTF_VERSION || header->hdr_len < sizeof(*header) ||
	    header->hdr_len > bytes)
		return -EBADMSG;
	body = bytes - header->hdr_len;
	if (header->hdr_len % 4 || header->type_off % 4 || header->type_off > body ||
	    header->type_len > body - header->type_off || header->str_off > body ||
	    header->str_len > body - header->str_off || !header->str_len ||
	    (uint64_t)header->type_off + header->type_len > header->str_off)
		return -EBADMSG;
	check.types = (const char *)data + header->hdr_len + header->type_off;
	check.type_bytes = header->type_len;
	check.strings = (const char *)data + header->hdr_len + header->str_off;
	check.string_bytes = header->str_len;
	/* Names start inside the section and the section ends in NUL, so every name ends. */
	if (check.strings[0] || check.strings[check.string_bytes - 1])
		return -EBADMSG;
	check.by_id = calloc(check.type_bytes / sizeof(struct btf_type) + 1, sizeof(*check.by_id));
	check.color = calloc(check.type_bytes / sizeof(struct btf_type) + 1, 1);
	err = check.by_id && check.color ? check_types(&check) : -ENOMEM;
	free(check.by_id);
	free(check.color);
	return err;
}
