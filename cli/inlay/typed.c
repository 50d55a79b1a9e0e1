/* SPDX-License-Identifier: BSD-2-Clause */
/* What BTF types say about bytes; names of types; numbers; JSON. See typed.h. */
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/out.h"
#include "cli/inlay/typed.h"
#include "cli/inlay/typed_impl.h"

const struct btf_type *typed_resolve(const struct btf *btf, uint32_t type_id)
{
	int id = btf && type_id ? btf__resolve_type(btf, type_id) : 0;

	return id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
}

const char *btf_name(const struct btf *btf, uint32_t off)
{
	const char *name = btf__name_by_offset(btf, off);

	return name ? name : "";
}

bool is_char(const struct btf *btf, const struct btf_type *type)
{
	/* clang marks char as signed, not as BTF_INT_CHAR: its name tells. */
	return type && btf_is_int(type) && type->size == 1 &&
	       (btf_int_encoding(type) & BTF_INT_CHAR || !strcmp(btf_name(btf, type->name_off), "char"));
}

bool is_text(const char *bytes, uint64_t n)
{
	/* what is behind the end is no part of it: bpf_probe_read_user_str() leaves it as it was */
	for (uint64_t i = 0; i < n; i++) {
		if (!bytes[i])
			return true;
		if (bytes[i] < 0x20 || bytes[i] > 0x7e)
			return false;
	}
	return false; /* no end */
}

bool read_number(const char *bytes, uint32_t size, bool is_signed, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return false;
	memcpy(&number, bytes, size);
	if (is_signed && size < 8 && number >> (size * 8 - 1))
		number |= ~0ull << (size * 8);
	*ret_number = number;
	return true;
}

bool typed_number(const struct btf *btf, uint32_t type_id, const void *data, size_t size,
		  uint64_t *ret_number, bool *ret_is_signed)
{
	const struct btf_type *type = typed_resolve(btf, type_id);
	uint32_t bytes;

	if (!type)
		return false;
	*ret_is_signed = false;
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		*ret_is_signed = btf_int_encoding(type) & BTF_INT_SIGNED;
		bytes = type->size;
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		bytes = type->size;
		*ret_is_signed = btf_kflag(type);
		break;
	case BTF_KIND_PTR:
		bytes = 8;
		break;
	default:
		return false;
	}
	return bytes <= size && read_number(data, bytes, *ret_is_signed, ret_number);
}

const char *enum_name(const struct btf *btf, const struct btf_type *type, uint64_t number)
{
	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		if (btf_kind(type) == BTF_KIND_ENUM) {
			if ((uint32_t)btf_enum(type)[i].val == (uint32_t)number)
				return btf_name(btf, btf_enum(type)[i].name_off);
		} else if (btf_enum64_value(&btf_enum64(type)[i]) == number) {
			return btf_name(btf, btf_enum64(type)[i].name_off);
		}
	}
	return NULL;
}

bool read_bits(const char *data, uint64_t size, uint64_t bit, uint32_t bits, uint64_t *ret_number)
{
	uint64_t at = bit / 8, shift = bit % 8, bytes = (shift + bits + 7) / 8;
	unsigned __int128 word = 0;

	if (!bits || bits > 64 || at > size || bytes > size - at)
		return false;
	memcpy(&word, data + at, bytes);
	word >>= shift;
	*ret_number = (uint64_t)word;
	if (bits < 64)
		*ret_number &= (1ull << bits) - 1;
	return true;
}

/* ---- Names of types --------------------------------------------------------------------- */

const char *typed_name(const struct btf *btf, uint32_t type_id, char *buffer, size_t bytes)
{
	const struct btf_type *type = btf && type_id ? btf__type_by_id(btf, type_id) : NULL;
	char inner[128], name[128];

	buffer[0] = 0;
	for (int i = 0; type && i < 64; i++) {
		uint32_t kind = btf_kind(type);

		if (kind != BTF_KIND_CONST && kind != BTF_KIND_VOLATILE &&
		    kind != BTF_KIND_RESTRICT && kind != BTF_KIND_TYPE_TAG && kind != BTF_KIND_VAR)
			break;
		type = btf__type_by_id(btf, type->type);
	}
	if (!type)
		return buffer;
	escape(btf_name(btf, type->name_off), name, sizeof(name));
	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
		snprintf(buffer, bytes, "pointer");
		break;
	case BTF_KIND_STRUCT:
		snprintf(buffer, bytes, "struct%s%s", *name ? " " : "", name);
		break;
	case BTF_KIND_UNION:
		snprintf(buffer, bytes, "union%s%s", *name ? " " : "", name);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		snprintf(buffer, bytes, "enum%s%s", *name ? " " : "", name);
		break;
	case BTF_KIND_ARRAY:
		typed_name(btf, btf_array(type)->type, inner, sizeof(inner));
		snprintf(buffer, bytes, "%s[%u]", inner, btf_array(type)->nelems);
		break;
	case BTF_KIND_DATASEC:
		snprintf(buffer, bytes, "variables");
		break;
	default:
		/* __u64 is how bpf programs spell it, u64 how people say it. */
		snprintf(buffer, bytes, "%s", !strncmp(name, "__", 2) ? name + 2 : name);
		break;
	}
	return buffer;
}

/* ---- JSON ------------------------------------------------------------------------------- */

json_t *bytes_json(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	json_t *array = json_array();
	char text[8];

	for (size_t i = 0; i < size; i++) {
		snprintf(text, sizeof(text), "0x%02x", bytes[i]);
		if (json_array_append_new(array, json_string(text))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *value_json(struct typed *typed, uint32_t type_id, uint64_t at);

static json_t *int_json(struct typed *typed, const struct btf_type *type, uint64_t at)
{
	bool is_signed = btf_int_encoding(type) & BTF_INT_SIGNED;
	uint32_t bits = btf_int_bits(type);
	char text[40];
	uint64_t number, high;

	if (btf_int_offset(type) || (bits != type->size * 8u && bits < 64)) {
		if (!read_bits(typed->data, typed->size, at * 8 + btf_int_offset(type), bits,
			       &number))
			return json_null();
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)number);
		return json_string(text);
	}
	if (type->size == 16) {
		memcpy(&number, typed->data + at, 8);
		memcpy(&high, typed->data + at + 8, 8);
		if (high)
			snprintf(text, sizeof(text), "0x%llx%016llx", (unsigned long long)high,
				 (unsigned long long)number);
		else
			snprintf(text, sizeof(text), "0x%llx", (unsigned long long)number);
		return json_string(text);
	}
	if (!read_number(typed->data + at, type->size, is_signed, &number))
		return json_null();
	if (btf_int_encoding(type) & BTF_INT_BOOL)
		return json_boolean(number);
	return is_signed ? json_integer((json_int_t)number) : json_u64(number);
}

/* bpftool writes bit fields as hexadecimal text, without a sign. */
static json_t *bits_json(struct typed *typed, uint64_t bit, uint32_t bits)
{
	uint64_t number;
	char text[24];

	if (!read_bits(typed->data, typed->size, bit, bits, &number))
		return json_null();
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)number);
	return json_string(text);
}

static json_t *members_json(struct typed *typed, const struct btf_type *type, uint64_t at)
{
	const struct btf_member *member = btf_members(type);
	json_t *object = json_object();

	for (uint32_t i = 0; object && i < btf_vlen(type); i++, member++) {
		uint64_t bit = at * 8 + btf_member_bit_offset(type, i);
		uint32_t bits = btf_member_bitfield_size(type, i);
		json_t *value = bits ? bits_json(typed, bit, bits) :
				       value_json(typed, member->type, bit / 8);
		json_t *name = json_text(btf_name(typed->btf, member->name_off));

		if (!name || json_object_set_new(object, json_string_value(name), value)) {
			json_decref(object);
			object = NULL;
		}
		json_decref(name);
	}
	return object;
}

static json_t *array_json(struct typed *typed, const struct btf_type *type, uint64_t at)
{
	const struct btf_array *info = btf_array(type);
	int64_t bytes = btf__resolve_size(typed->btf, info->type);
	json_t *array;

	if (is_char(typed->btf, typed_resolve(typed->btf, info->type)) &&
	    is_inside(typed, at, info->nelems) && is_text(typed->data + at, info->nelems))
		return json_string(typed->data + at);
	array = json_array();
	for (uint32_t i = 0; bytes > 0 && i < info->nelems; i++, at += (uint64_t)bytes) {
		if (!is_inside(typed, at, (uint64_t)bytes) || typed->budget < 0)
			break;
		if (json_array_append_new(array, value_json(typed, info->type, at))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* bpftool: {".bss":[{"count":1},{"other":2}]} */
static json_t *section_json(struct typed *typed, const struct btf_type *type, uint64_t at)
{
	const struct btf_var_secinfo *var = btf_var_secinfos(type);
	json_t *array = json_array(), *object = json_object();
	json_t *name = json_text(btf_name(typed->btf, type->name_off));

	for (uint32_t i = 0; i < btf_vlen(type); i++, var++) {
		const struct btf_type *info = btf__type_by_id(typed->btf, var->type);
		json_t *one = json_object(), *label = NULL;

		if (info)
			label = json_text(btf_name(typed->btf, info->name_off));
		if (label)
			json_object_set_new(one, json_string_value(label),
					    value_json(typed, var->type, at + var->offset));
		json_decref(label);
		json_array_append_new(array, one);
	}
	if (name)
		json_object_set_new(object, json_string_value(name), array);
	else
		json_decref(array);
	json_decref(name);
	return object;
}

static json_t *value_json(struct typed *typed, uint32_t type_id, uint64_t at)
{
	const struct btf_type *type = typed_resolve_var(typed->btf, type_id);
	uint64_t number;
	const char *name;

	if (!type || --typed->budget < 0)
		return json_null();
	switch (btf_kind(type)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return members_json(typed, type, at);
	case BTF_KIND_ARRAY:
		return array_json(typed, type, at);
	case BTF_KIND_DATASEC:
		return section_json(typed, type, at);
	default:
		break;
	}
	if (!is_inside(typed, at, btf_kind(type) == BTF_KIND_PTR ? 8 : type->size))
		return json_null();
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		return int_json(typed, type, at);
	case BTF_KIND_PTR:
		read_number(typed->data + at, 8, false, &number);
		return json_u64(number);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		if (!read_number(typed->data + at, type->size, true, &number))
			return json_null();
		name = enum_name(typed->btf, type, number);
		if (name)
			return json_text(name);
		if (!btf_kflag(type))
			read_number(typed->data + at, type->size, btf_kind(type) == BTF_KIND_ENUM,
				    &number);
		return btf_kind(type) == BTF_KIND_ENUM64 && !btf_kflag(type) ?
			       json_u64(number) : json_integer((json_int_t)number);
	default:
		return json_null();
	}
}

json_t *typed_json(const struct btf *btf, uint32_t type_id, const void *data, size_t size)
{
	struct typed typed = { .btf = btf, .data = data, .size = size, .budget = budget_for(size) };

	return value_json(&typed, type_id, 0);
}
