/* SPDX-License-Identifier: BSD-2-Clause */
/* Values as C-like text: on one line while it fits, else a line for each member. See typed.h. */
#include <stdlib.h>
#include <string.h>

#include "cli/inlay/out.h"
#include "cli/inlay/typed_impl.h"

enum { MIN_REPEATS = 4 };	/* equal array elements that are written once */

static void put_value(struct typed *typed, FILE *out, uint32_t type_id, uint64_t at,
		      unsigned int columns, int indent);

static void put_name(FILE *out, const struct btf *btf, uint32_t off)
{
	char safe[128];

	fputs(escape(btf_name(btf, off), safe, sizeof(safe)), out);
}

static void put_number(FILE *out, uint64_t number, bool is_signed)
{
	if (is_signed)
		fprintf(out, "%lld", (long long)number);
	else
		fprintf(out, "%llu", (unsigned long long)number);
}

static void put_int(struct typed *typed, FILE *out, const struct btf_type *type, uint64_t at)
{
	bool is_signed = btf_int_encoding(type) & BTF_INT_SIGNED;
	uint64_t number = 0, high;
	char c;

	if (type->size == 16) {
		memcpy(&number, typed->data + at, 8);
		memcpy(&high, typed->data + at + 8, 8);
		if (high)
			fprintf(out, "0x%llx%016llx", (unsigned long long)high,
				(unsigned long long)number);
		else
			put_number(out, number, false);
		return;
	}
	read_number(typed->data + at, type->size, is_signed, &number);
	c = (char)number;
	if (btf_int_encoding(type) & BTF_INT_BOOL)
		fputs(number ? "true" : "false", out);
	else if (is_char(typed->btf, type) && c > 0x20 && c < 0x7f)
		fprintf(out, c == '\'' || c == '\\' ? "'\\%c'" : "'%c'", c);
	else
		put_number(out, number, is_signed);
}

static void put_enum(struct typed *typed, FILE *out, const struct btf_type *type, uint64_t at)
{
	uint64_t number = 0;
	char safe[128];
	const char *name;

	read_number(typed->data + at, type->size, btf_kflag(type), &number);
	name = enum_name(typed->btf, type, number);
	if (name)
		fputs(escape(name, safe, sizeof(safe)), out);
	else
		put_number(out, number, btf_kflag(type));
}

static void put_bits(struct typed *typed, FILE *out, uint32_t type_id, uint64_t bit, uint32_t bits)
{
	const struct btf_type *type = typed_resolve(typed->btf, type_id);
	bool is_signed = type && btf_is_int(type) && btf_int_encoding(type) & BTF_INT_SIGNED;
	uint64_t number;
	const char *name;
	char safe[128];

	if (!read_bits(typed->data, typed->size, bit, bits, &number)) {
		fputs("?", out);
		return;
	}
	if (is_signed && bits < 64 && number >> (bits - 1))
		number |= ~0ull << bits;
	name = type && btf_is_any_enum(type) ? enum_name(typed->btf, type, number) : NULL;
	if (type && btf_is_int(type) && btf_int_encoding(type) & BTF_INT_BOOL)
		fputs(number ? "true" : "false", out);
	else if (name)
		fputs(escape(name, safe, sizeof(safe)), out);
	else
		put_number(out, number, is_signed);
}

static void start_line(FILE *out, bool is_long, int indent, bool is_first)
{
	if (is_long)
		fprintf(out, "\n%*s", 4 * indent, "");
	else if (!is_first)
		fputc(' ', out);
}

static void put_members(struct typed *typed, FILE *out, const struct btf_type *type, uint64_t at,
			bool is_long, unsigned int columns, int indent)
{
	const struct btf_member *member = btf_members(type);
	uint32_t nr = btf_vlen(type);

	fputs(is_long ? "{" : "{ ", out);
	for (uint32_t i = 0; i < nr; i++, member++) {
		uint64_t bit = at * 8 + btf_member_bit_offset(type, i);
		uint32_t bits = btf_member_bitfield_size(type, i);

		if (typed->budget < 0)
			break;
		start_line(out, is_long, indent + 1, !i);
		if (*btf_name(typed->btf, member->name_off)) {
			fputc('.', out);
			put_name(out, typed->btf, member->name_off);
			fputs(" = ", out);
		}
		if (bits)
			put_bits(typed, out, member->type, bit, bits);
		else
			put_value(typed, out, member->type, bit / 8, columns, indent + 1);
		if (is_long || i + 1 < nr)
			fputc(',', out);
	}
	if (is_long)
		fprintf(out, "\n%*s}", 4 * indent, "");
	else
		fputs(" }", out);
}

static uint32_t repeats(const struct typed *typed, uint64_t at, uint64_t bytes, uint32_t nr)
{
	uint32_t n = 1;

	while (n < nr && is_inside(typed, at + n * bytes, bytes) &&
	       !memcmp(typed->data + at, typed->data + at + n * bytes, bytes))
		n++;
	return n;
}

static void put_array(struct typed *typed, FILE *out, const struct btf_type *type, uint64_t at,
		      bool is_long, unsigned int columns, int indent)
{
	const struct btf_array *array = btf_array(type);
	const struct btf_type *elem = typed_resolve(typed->btf, array->type);
	int64_t size = btf__resolve_size(typed->btf, array->type);
	bool is_wide = is_long && elem && (btf_is_composite(elem) || btf_is_array(elem));
	uint64_t bytes = size > 0 ? (uint64_t)size : 0;

	if (is_char(typed->btf, elem) && is_inside(typed, at, array->nelems)) {
		/* Text that was not ended, or has garbage behind its end, is text nevertheless. */
		escape_quoted(out, typed->data + at, strnlen(typed->data + at, array->nelems));
		return;
	}
	fputc('[', out);
	for (uint32_t i = 0, n; bytes && i < array->nelems; i += n, at += n * bytes) {
		if (!is_inside(typed, at, bytes) || typed->budget < 0)
			break;
		n = repeats(typed, at, bytes, array->nelems - i);
		n = n >= MIN_REPEATS ? n : 1;
		if (i)
			fputc(',', out);
		if (is_wide)
			start_line(out, true, indent + 1, false);
		else if (i)
			fputc(' ', out);
		put_value(typed, out, array->type, at, columns, indent + 1);
		if (n > 1)
			fprintf(out, " <%u times>", n);
	}
	if (is_wide)
		fprintf(out, "\n%*s", 4 * indent, "");
	fputc(']', out);
}

static void put_section(struct typed *typed, FILE *out, const struct btf_type *type, uint64_t at,
			unsigned int columns, int indent)
{
	const struct btf_var_secinfo *var = btf_var_secinfos(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++, var++) {
		const struct btf_type *info = btf__type_by_id(typed->btf, var->type);

		if (!info || typed->budget < 0)
			break;
		fprintf(out, "%s%*s", i ? "\n" : "", i ? 4 * indent : 0, "");
		put_name(out, typed->btf, info->name_off);
		fputs(" = ", out);
		put_value(typed, out, var->type, at + var->offset, columns, indent);
	}
}

static void put_composite(struct typed *typed, FILE *out, const struct btf_type *type, uint64_t at,
			  bool is_long, unsigned int columns, int indent)
{
	if (btf_is_array(type))
		put_array(typed, out, type, at, is_long, columns, indent);
	else
		put_members(typed, out, type, at, is_long, columns, indent);
}

/* Tries one line; if that is too long, a line for each part. */
static void put_fitting(struct typed *typed, FILE *out, const struct btf_type *type, uint64_t at,
			unsigned int columns, int indent)
{
	struct typed trial = *typed;
	char *text = NULL;
	size_t n = 0;
	FILE *line;

	if (columns) {
		line = open_memstream(&text, &n);
		if (line) {
			put_composite(&trial, line, type, at, false, 0, indent);
			fclose(line);
		}
		/* The trial is paid for: nesting must not multiply what a hostile type costs. */
		typed->budget -= typed->budget - trial.budget;
		if (line && n + 4u * (unsigned int)indent <= columns) {
			fwrite(text, 1, n, out);
			free(text);
			return;
		}
		free(text);
	}
	put_composite(typed, out, type, at, columns != 0, columns, indent);
}

static void put_value(struct typed *typed, FILE *out, uint32_t type_id, uint64_t at,
		      unsigned int columns, int indent)
{
	const struct btf_type *type = typed_resolve_var(typed->btf, type_id);
	uint64_t number = 0;

	if (!type || --typed->budget < 0) {
		fputs("?", out);
		return;
	}
	if (btf_is_datasec(type)) {
		put_section(typed, out, type, at, columns, indent);
		return;
	}
	if (btf_is_composite(type) || btf_is_array(type)) {
		put_fitting(typed, out, type, at, columns, indent);
		return;
	}
	if (!is_inside(typed, at, btf_is_ptr(type) ? 8 : type->size)) {
		fputs("?", out);
		return;
	}
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		put_int(typed, out, type, at);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		put_enum(typed, out, type, at);
		break;
	case BTF_KIND_PTR:
		read_number(typed->data + at, 8, false, &number);
		fprintf(out, number ? "0x%llx" : "NULL", (unsigned long long)number);
		break;
	default:
		fputs("?", out);
		break;
	}
}

void typed_text(FILE *out, const struct btf *btf, uint32_t type_id, const void *data, size_t size,
		unsigned int columns, int indent)
{
	/* Trials at each level: the budget of the text is a multiple of the JSON's. */
	struct typed typed = { .btf = btf, .data = data, .size = size,
			       .budget = 16 * budget_for(size) };
	const unsigned char *bytes = data;

	if (btf && type_id) {
		put_value(&typed, out, type_id, 0, columns, indent);
		return;
	}
	for (size_t i = 0; i < size; i++)
		fprintf(out, "%s%02x", i ? " " : "", bytes[i]);
}
