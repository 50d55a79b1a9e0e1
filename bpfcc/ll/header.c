/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --emit=header: a C header for what the other outputs hold. Programs become functions, maps
 * functions that give their descriptor, writable global sections functions that give a structure
 * of typed variables; which may be set before the programs run.
 *
 * Types come from the object's BTF, written out down to fixed-width integers and anonymous
 * structures: names of the user's types would collide with the headers that they come from. All
 * structures are packed, with their padding as members, so that offsets are the object's.
 */
#include "bpfcc/ll/header.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "bpfcc/ll/impl.h"

#define MAX_DEPTH 16

struct header {
	FILE *out;
	const struct bpfcc_object *object;
	char prefix[128], hash[17];
	unsigned int nr_pads;
	bool is_arm64;
};

static void h_type(struct header *h, uint32_t type, const char *name, int depth);

static void h_indent(struct header *h, int depth)
{
	for (int i = 0; i < depth; i++)
		fputc('\t', h->out);
}

static void h_pad(struct header *h, uint32_t bytes, int depth)
{
	if (!bytes)
		return;
	h_indent(h, depth);
	fprintf(h->out, "uint8_t pad%u_[%u];\n", h->nr_pads++, bytes);
}

/* Where nothing better is known: bytes. */
static void h_bytes(struct header *h, int64_t bytes, const char *name, int depth)
{
	h_indent(h, depth);
	fprintf(h->out, "uint8_t %s[%lld];\n", name, bytes > 0 ? (long long)bytes : 0ll);
}

static bool has_bitfields(const struct btf_type *t)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (btf_member_bitfield_size(t, i) || btf_member_bit_offset(t, i) % 8)
			return true;
	return false;
}

static void h_struct(struct header *h, const struct btf_type *t, const char *name, int depth)
{
	const struct btf_member *members = btf_members(t);
	uint32_t at = 0;

	h_indent(h, depth);
	fprintf(h->out, "%s __attribute__((packed)) {\n", btf_is_union(t) ? "union" : "struct");
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *member = btf__name_by_offset(h->object->btf, members[i].name_off);
		uint32_t off = btf_member_bit_offset(t, i) / 8;
		int64_t bytes = btf__resolve_size(h->object->btf, members[i].type);

		if (!btf_is_union(t) && off >= at) {
			h_pad(h, off - at, depth + 1);
			at = off + (bytes > 0 ? (uint32_t)bytes : 0);
		}
		h_type(h, members[i].type, member ? member : "", depth + 1);
	}
	if (!btf_is_union(t) && t->size > at)
		h_pad(h, t->size - at, depth + 1);
	h_indent(h, depth);
	fprintf(h->out, "}%s%s;\n", *name ? " " : "", name);
}

static const char *int_name(const struct btf_type *t)
{
	bool is_signed = btf_int_encoding(t) & BTF_INT_SIGNED;

	if (btf_int_encoding(t) & BTF_INT_BOOL && t->size == 1)
		return "uint8_t";
	switch (t->size) {
	case 1:
		return is_signed ? "int8_t" : "uint8_t";
	case 2:
		return is_signed ? "int16_t" : "uint16_t";
	case 4:
		return is_signed ? "int32_t" : "uint32_t";
	case 8:
		return is_signed ? "int64_t" : "uint64_t";
	default:
		return NULL;
	}
}

/* A name, which may have the dimensions of an array behind it already. */
static void h_array(struct header *h, const struct btf_type *t, const char *name, int depth)
{
	const struct btf_array *array = btf_array(t);
	char *longer;

	if (asprintf(&longer, "%s[%u]", name, array->nelems) < 0)
		return;
	h_type(h, array->type, longer, depth);
	free(longer);
}

static void h_type(struct header *h, uint32_t type, const char *name, int depth)
{
	const struct btf_type *t = btf__type_by_id(h->object->btf, type);
	const char *plain = NULL;
	int64_t bytes;

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(h->object->btf, t->type);
	if (t && btf_is_array(t) && depth < MAX_DEPTH) {
		h_array(h, t, name, depth);
		return;
	}
	if (t && btf_is_composite(t) && depth < MAX_DEPTH && !has_bitfields(t)) {
		h_struct(h, t, name, depth);
		return;
	}
	if (t && btf_is_int(t))
		plain = int_name(t);
	else if (t && btf_is_enum(t))
		plain = t->size == 4 ? "uint32_t" : NULL;
	else if (t && btf_is_ptr(t))
		plain = "uint64_t"; /* of a map, or of nothing */
	else if (t && btf_kind(t) == BTF_KIND_FLOAT)
		plain = t->size == 8 ? "double" : t->size == 4 ? "float" : NULL;
	bytes = btf__resolve_size(h->object->btf, type);
	if (!plain) {
		h_bytes(h, bytes, name, depth);
		return;
	}
	h_indent(h, depth);
	fprintf(h->out, "%s %s;\n", plain, name);
}

static const struct btf_type *find_datasec(const struct bpfcc_object *object, const char *name)
{
	int id = object->btf ? btf__find_by_name_kind(object->btf, name, BTF_KIND_DATASEC) : -1;

	return id > 0 ? btf__type_by_id(object->btf, (uint32_t)id) : NULL;
}

static int compare_var(const void *a, const void *b)
{
	const struct btf_var_secinfo *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int h_variables(struct header *h, const struct bpfcc_map *map, const char *part)
{
	/* ".data": "data" */
	const char *c_name = part + (part[0] == '_');
	const struct btf_type *sec = find_datasec(h->object, map->name);
	struct btf_var_secinfo *vars;
	uint32_t at = 0, nr;

	if (!sec)
		return 0;
	nr = btf_vlen(sec);
	vars = calloc(nr + 1, sizeof(*vars));
	if (!vars)
		return -ENOMEM;
	memcpy(vars, btf_var_secinfos(sec), nr * sizeof(*vars));
	qsort(vars, nr, sizeof(*vars), compare_var);
	fprintf(h->out, "\n/* variables of %s */\nstruct %s%s {\n", map->name, h->prefix, c_name);
	for (uint32_t i = 0; i < nr; i++) {
		const struct btf_type *var = btf__type_by_id(h->object->btf, vars[i].type);
		const char *name =
		    var ? btf__name_by_offset(h->object->btf, var->name_off) : NULL;
		/* a static variable of a function is NAME.VARIABLE */
		char clean[160];

		if (!name || vars[i].offset < at)
			continue;
		ll_symbol_part(name, clean, sizeof(clean));
		h_pad(h, vars[i].offset - at, 1);
		h_type(h, var->type, clean, 1);
		at = vars[i].offset + vars[i].size;
	}
	if (map->value_size > at)
		h_pad(h, map->value_size - at, 1);
	free(vars);
	fprintf(h->out,
		"} __attribute__((packed, aligned(8)));\n"
		"INLAY_STATIC_ASSERT(sizeof(struct %s%s) >= %u, \"layout of %s\");\n"
		"void *%s%s_memory(void) __asm__(\"__inlay_memory_%s_%s\");\n"
		"/* NULL: above 1 MiB, and the runtime has not started */\n"
		"static inline struct %s%s *%s%s(void)\n"
		"{\n\treturn (struct %s%s *)%s%s_memory();\n}\n",
		h->prefix, c_name, map->value_size, map->name, h->prefix, c_name, h->hash, part,
		h->prefix, c_name, h->prefix, c_name, h->prefix, c_name, h->prefix, c_name);
	return 0;
}

static int h_maps(struct header *h)
{
	for (uint32_t i = 0; i < h->object->nr_maps; i++) {
		const struct bpfcc_map *map = &h->object->maps[i];
		char part[128];
		int err;

		ll_symbol_part(map->name, part, sizeof(part));
		if (map->flags & INLAY_MAP_RODATA) {
			fprintf(h->out, "\n/* %s: constants, set when it was compiled (--set) */\n",
				map->name);
		} else if (map->flags & INLAY_MAP_GLOBAL) {
			err = h_variables(h, map, part);
			if (err)
				return err;
		} else {
			fprintf(h->out,
				"\n/* map %s: type %u, key %u bytes, value %u bytes, %u entries; "
				"for __inlay_map_lookup_elem_v1()\n"
				" * and what else inlay_rt.h has */\n"
				"const struct inlay_map_desc *%smap_%s(void) "
				"__asm__(\"__inlay_map_%s_%s\");\n",
				map->name, map->type, map->key_size, map->value_size,
				map->max_entries, h->prefix, part, h->hash, part);
		}
	}
	return 0;
}

static void h_progs(struct header *h)
{
	static const char *const args[2][6] = {
		{"di", "si", "dx", "cx", "r8", "r9"},
		{"regs[0]", "regs[1]", "regs[2]", "regs[3]", "regs[4]", "regs[5]"},
	};

	for (uint32_t i = 0; i < h->object->nr_progs; i++) {
		const struct bpfcc_prog *prog = &h->object->progs[i];
		char symbol[256], part[160];

		l_prog_symbol(h->object, prog, symbol, sizeof(symbol));
		ll_symbol_part(prog->name, part, sizeof(part));
		fprintf(h->out,
			"\n/* program %s, SEC(\"%s\"): on a hit, and on arguments */\n"
			"int %s%s(struct inlay_frame *frame) __asm__(\"%s\");\n"
			"static inline int %s%s_args(uint64_t a1, uint64_t a2, uint64_t a3, "
			"uint64_t a4,\n\t\t\t\t    uint64_t a5, uint64_t a6)\n"
			"{\n\tuint64_t cookie = 0;\n\tstruct inlay_frame frame = {};\n\n"
			"\tframe.session_cookie = (__u64 *)&cookie;\n",
			prog->name, prog->section, h->prefix, part, symbol, h->prefix, part);
		for (unsigned int k = 0; k < 6; k++)
			fprintf(h->out, "\tframe.regs.%s = a%u;\n", args[h->is_arm64][k], k + 1);
		fprintf(h->out, "\treturn %s%s(&frame);\n}\n", h->prefix, part);
	}
}

static int h_all(struct header *h)
{
	int err;

	fprintf(h->out,
		"/* Made by bpfcc %s from %s: do not edit. For the .o or .so of the same object. */\n"
		"#ifndef INLAY_HEADER_%s_%s\n#define INLAY_HEADER_%s_%s\n\n"
		"#include <stdint.h>\n\n#include \"inlay/abi.h\"\n\n"
		"#ifdef __cplusplus\nextern \"C\" {\n#endif\n",
		INLAY_VERSION, h->object->name, h->prefix, h->hash, h->prefix, h->hash);
	h_progs(h);
	err = h_maps(h);
	fputs("\n#ifdef __cplusplus\n}\n#endif\n#endif\n", h->out);
	return err;
}

int bpfcc_header(const struct inlay_bpfcc_object *object, char **ret_text, size_t *ret_bytes)
{
	struct header h = {.object = inlay_bpfcc_object_data(object)};
	const char *target = object->opts.target;
	char part[100];
	int err;

	*ret_text = NULL;
	ll_symbol_part(h.object->name, part, sizeof(part));
	snprintf(h.prefix, sizeof(h.prefix), "%s%s_", part[0] >= '0' && part[0] <= '9' ? "_" : "",
		 part);
	for (int i = 0; i < 8; i++)
		snprintf(h.hash + 2 * i, 3, "%02x", h.object->hash[i]);
#if defined(__aarch64__)
	h.is_arm64 = true;
#endif
	if (target)
		h.is_arm64 = !strncmp(target, "aarch64", 7) || !strncmp(target, "arm64", 5);
	h.out = open_memstream(ret_text, ret_bytes);
	if (!h.out)
		return -ENOMEM;
	err = h_all(&h);
	if (fclose(h.out) && !err)
		err = -ENOMEM;
	if (err) {
		free(*ret_text);
		*ret_text = NULL;
	}
	return err;
}
