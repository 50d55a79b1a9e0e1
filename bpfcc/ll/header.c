/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --emit=header: a C header for what the other outputs hold. Programs become functions, maps
 * functions that give their descriptor, writable global sections functions that give a structure
 * of typed variables; which may be set before the programs run.
 *
 * Types come from the object's BTF, written out down to fixed-width integers and anonymous
 * structures: names of the user's types would collide with the headers that they come from. All
 * structures are packed, with their padding as members, so that offsets are the object's. What an
 * object has is called anything: names.h makes identifiers of it.
 */
#include "bpfcc/ll/header.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "bpfcc/ll/impl.h"
#include "bpfcc/ll/names.h"

#define MAX_DEPTH 16
#define MAX_MEMBERS 100000	/* of all structures together; hostile ones could be without end */

struct header {
	FILE *out;
	const struct bpfcc_object *object;
	struct ll_names names;	/* of functions */
	char prefix[128], hash[17];
	unsigned int nr_pads, nr_members;
	bool is_arm64, is_out_of_memory;
};

static void h_type(struct header *h, struct ll_names *scope, uint32_t type, const char *name,
		   int depth);

static void h_indent(struct header *h, int depth)
{
	for (int i = 0; i < depth; i++)
		fputc('\t', h->out);
}

/* Text inside of a comment, which it must neither end nor seem to begin again. */
static void h_comment(struct header *h, const char *text)
{
	for (char before = '\0'; *text; before = *text++) {
		if ((before == '*' && *text == '/') || (before == '/' && *text == '*'))
			fputc(' ', h->out);
		fputc(*text < ' ' || *text > '~' ? '?' : *text, h->out);
	}
}

static void h_names_fini(struct header *h, struct ll_names *scope)
{
	h->is_out_of_memory |= scope->is_out_of_memory;
	ll_names_fini(scope);
}

static void h_pad(struct header *h, struct ll_names *scope, uint32_t bytes, int depth)
{
	char name[32];

	if (!bytes)
		return;
	snprintf(name, sizeof(name), "pad%u_", h->nr_pads++);
	h_indent(h, depth);
	fprintf(h->out, "uint8_t %s[%u];\n", ll_names_add(scope, "", name, NULL), bytes);
}

/*
 * Bits up to `bit`, which is the next member's. In a packed structure a bit-field begins at the bit
 * behind the last one, and anything else at the byte.
 */
static void h_gap(struct header *h, struct ll_names *scope, uint64_t *at, uint64_t bit, int depth)
{
	uint64_t next_byte = (*at + 7) / 8 * 8;
	uint64_t end = bit < next_byte ? bit : next_byte;

	if (end > *at) {
		h_indent(h, depth);
		fprintf(h->out, "uint32_t : %u;\n", (unsigned int)(end - *at));
		*at = end;
	}
	if (bit <= *at)
		return;
	h_pad(h, scope, (uint32_t)((bit - *at) / 8), depth);
	*at += (bit - *at) / 8 * 8;
	if (bit > *at) {
		h_indent(h, depth);
		fprintf(h->out, "uint32_t : %u;\n", (unsigned int)(bit - *at));
		*at = bit;
	}
}

static const struct btf_type *skip_names(const struct header *h, uint32_t type)
{
	const struct btf_type *t = btf__type_by_id(h->object->btf, type);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(h->object->btf, t->type);
	return t;
}

static bool is_signed(const struct btf_type *t)
{
	return btf_is_int(t) ? btf_int_encoding(t) & BTF_INT_SIGNED : btf_kflag(t);
}

static void h_bitfield(struct header *h, struct ll_names *scope, uint32_t type, const char *name,
		       uint32_t bits, int depth)
{
	const struct btf_type *t = skip_names(h, type);

	h_indent(h, depth);
	fprintf(h->out, "%sint%d_t %s : %u;\n", t && is_signed(t) ? "" : "u", bits > 32 ? 64 : 32,
		ll_names_add(scope, "", name, NULL), bits);
}

/* The bits of member `i`, 0 if it cannot be written out. */
static uint64_t member_bits(const struct header *h, const struct btf_type *t, uint32_t i)
{
	const struct btf_type *m = skip_names(h, btf_members(t)[i].type);
	uint32_t bits = btf_member_bitfield_size(t, i);
	int64_t bytes;

	if (bits)
		return bits <= 64 ? bits : 0;
	/* bit-fields as compilers described them once */
	if (btf_member_bit_offset(t, i) % 8 ||
	    (m && btf_is_int(m) && (btf_int_offset(m) || btf_int_bits(m) != 8 * m->size)))
		return 0;
	bytes = btf__resolve_size(h->object->btf, btf_members(t)[i].type);
	return bytes > 0 ? 8 * (uint64_t)bytes : 0;
}

static void h_members(struct header *h, struct ll_names *scope, const struct btf_type *t, int depth)
{
	uint64_t at = 0, longest = 0, end = 8 * (uint64_t)t->size;

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *name = btf__name_by_offset(h->object->btf, m->name_off);
		uint64_t bit = btf_member_bit_offset(t, i), bits = member_bits(h, t, i);

		if (!bits || bit < at || bit + bits > end || h->nr_members++ >= MAX_MEMBERS)
			continue;
		h_gap(h, scope, &at, bit, depth);
		if (btf_member_bitfield_size(t, i))
			h_bitfield(h, scope, m->type, name, (uint32_t)bits, depth);
		else
			h_type(h, scope, m->type, name, depth);
		at = btf_is_union(t) ? 0 : bit + bits;
		longest = bits > longest ? bits : longest;
	}
	if (!btf_is_union(t))
		h_gap(h, scope, &at, end, depth);
	else if (longest < end)
		h_pad(h, scope, t->size, depth);
}

/* Members of one without a name are in the scope that it is in. */
static void h_struct(struct header *h, struct ll_names *scope, const struct btf_type *t,
		     const char *name, int depth)
{
	struct ll_names own = {0};

	h_indent(h, depth);
	/* ISO C++ has no structures without a name */
	fprintf(h->out, "%s%s __attribute__((packed)) {\n", *name ? "" : "__extension__ ",
		btf_is_union(t) ? "union" : "struct");
	h_members(h, *name ? &own : scope, t, depth + 1);
	h_indent(h, depth);
	fprintf(h->out, "}%s%s;\n", *name ? " " : "", name);
	h_names_fini(h, &own);
}

/* A number's type of that size */
static const char *number_name(uint32_t bytes, bool has_sign)
{
	switch (bytes) {
	case 1:
		return has_sign ? "int8_t" : "uint8_t";
	case 2:
		return has_sign ? "int16_t" : "uint16_t";
	case 4:
		return has_sign ? "int32_t" : "uint32_t";
	case 8:
		return has_sign ? "int64_t" : "uint64_t";
	default:
		return NULL;
	}
}

/* NULL: what is known of it is its size */
static const char *plain_name(const struct header *h, const struct btf_type *t)
{
	const char *name = t ? btf__name_by_offset(h->object->btf, t->name_off) : NULL;

	if (!t)
		return NULL;
	/* of strings, which functions of C take */
	if (btf_is_int(t) && t->size == 1 && name && !strcmp(name, "char"))
		return "char";
	if (btf_is_int(t) || btf_is_any_enum(t))
		return number_name(t->size, is_signed(t));
	if (btf_is_ptr(t))
		return "uint64_t"; /* of a map, or of nothing */
	if (btf_kind(t) == BTF_KIND_FLOAT)
		return t->size == 8 ? "double" : t->size == 4 ? "float" : NULL;
	return NULL;
}

/* `text`: an identifier, with the dimensions of an array behind it, or "" */
static void h_declare(struct header *h, struct ll_names *scope, uint32_t type, const char *text,
		      int depth)
{
	const struct btf_type *t = skip_names(h, type);
	const char *plain = plain_name(h, t);
	char *longer;

	if (t && btf_is_array(t) && depth < MAX_DEPTH && h->nr_members < MAX_MEMBERS) {
		if (asprintf(&longer, "%s[%u]", text, btf_array(t)->nelems) < 0) {
			h->is_out_of_memory = true;
			return;
		}
		h_declare(h, scope, btf_array(t)->type, longer, depth);
		free(longer);
	} else if (t && btf_is_composite(t) && depth < MAX_DEPTH && h->nr_members < MAX_MEMBERS) {
		h_struct(h, scope, t, text, depth);
	} else if (plain) {
		h_indent(h, depth);
		fprintf(h->out, "%s %s;\n", plain, text);
	} else if (!*text) {
		h_pad(h, scope, (uint32_t)btf__resolve_size(h->object->btf, type), depth);
	} else {
		/* where nothing better is known: bytes */
		h_indent(h, depth);
		fprintf(h->out, "uint8_t %s[%lld];\n", text,
			(long long)btf__resolve_size(h->object->btf, type));
	}
}

/* One member or variable, which has a size. */
static void h_type(struct header *h, struct ll_names *scope, uint32_t type, const char *name,
		   int depth)
{
	const struct btf_type *t = skip_names(h, type);
	bool has_none = (!name || !*name) && t && btf_is_composite(t);

	h_declare(h, scope, type, has_none ? "" : ll_names_add(scope, "", name ? name : "", NULL),
		  depth);
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

/*
 * ret_names[i]: what vars[i] is called, or NULL. A static variable of a function is
 * FUNCTION.VARIABLE, and gives way to one that has that name in C.
 */
static void name_variables(struct header *h, struct ll_names *scope,
			   const struct btf_var_secinfo *vars, uint32_t nr, const char **ret_names)
{
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < nr; i++) {
			const struct btf_type *var = btf__type_by_id(h->object->btf, vars[i].type);
			const char *name =
			    var ? btf__name_by_offset(h->object->btf, var->name_off) : NULL;

			if (name && !strchr(name, '.') == !pass)
				ret_names[i] = ll_names_add(scope, "", name, NULL);
		}
}

/* names: nr of them, all NULL */
static void h_section(struct header *h, const struct bpfcc_map *map, const char *part,
		      const struct btf_var_secinfo *vars, uint32_t nr, const char **names)
{
	/* ".data": "data" */
	const char *name = ll_names_add(&h->names, h->prefix, part + (part[0] == '_'), "_memory");
	struct ll_names scope = {0};
	uint64_t at = 0;

	name_variables(h, &scope, vars, nr, names);
	fputs("\n/* variables of ", h->out);
	h_comment(h, map->name);
	fprintf(h->out, " */\nstruct %s {\n", name);
	for (uint32_t i = 0; i < nr; i++) {
		const struct btf_type *var = btf__type_by_id(h->object->btf, vars[i].type);
		uint64_t end = 8ull * map->value_size, bit = 8ull * vars[i].offset;
		int64_t bytes = names[i] ? btf__resolve_size(h->object->btf, var->type) : 0;

		/* what its type does not tell, such as a last member of any length, is padding */
		if (bytes <= 0 || bit < at || bit + 8 * (uint64_t)bytes > end)
			continue;
		h_gap(h, &scope, &at, bit, 1);
		h_declare(h, &scope, var->type, names[i], 1);
		at += 8 * (uint64_t)bytes;
	}
	h_gap(h, &scope, &at, 8ull * map->value_size, 1);
	h_names_fini(h, &scope);
	fprintf(h->out,
		"} __attribute__((packed, aligned(8)));\n"
		"INLAY_STATIC_ASSERT(sizeof(struct %s) >= %u, \"layout of %s\");\n"
		"void *%s_memory(void) __asm__(\"__inlay_memory_%s_%s\");\n"
		"/* NULL: above 1 MiB, and the runtime has not started */\n"
		"static inline struct %s *%s(void)\n"
		"{\n\treturn (struct %s *)%s_memory();\n}\n",
		name, map->value_size, name, name, h->hash, part, name, name, name, name);
}

static void h_variables(struct header *h, const struct bpfcc_map *map, const char *part)
{
	const struct btf_type *sec = find_datasec(h->object, map->name);
	uint32_t nr = sec ? btf_vlen(sec) : 0;
	struct btf_var_secinfo *vars;
	const char **names;

	if (!sec)
		return;
	vars = calloc(nr + 1, sizeof(*vars));
	names = calloc(nr + 1, sizeof(*names));
	if (vars && names) {
		memcpy(vars, btf_var_secinfos(sec), nr * sizeof(*vars));
		qsort(vars, nr, sizeof(*vars), compare_var);
		h_section(h, map, part, vars, nr, names);
	} else {
		h->is_out_of_memory = true;
	}
	free(names);
	free(vars);
}

static void h_map(struct header *h, const struct bpfcc_map *map, const char *part)
{
	char want[160];

	snprintf(want, sizeof(want), "map_%s", part);
	fputs("\n/* map ", h->out);
	h_comment(h, map->name);
	fprintf(h->out,
		": type %u, key %u bytes, value %u bytes, %u entries; for "
		"__inlay_map_lookup_elem_v1()\n * and what else inlay_rt.h has */\n"
		"const struct inlay_map_desc *%s(void) __asm__(\"__inlay_map_%s_%s\");\n",
		map->type, map->key_size, map->value_size, map->max_entries,
		ll_names_add(&h->names, h->prefix, want, NULL), h->hash, part);
}

static void h_maps(struct header *h)
{
	for (uint32_t i = 0; i < h->object->nr_maps; i++) {
		const struct bpfcc_map *map = &h->object->maps[i];
		char part[L_MAP_PART_BYTES];

		l_map_part(h->object, map, part, sizeof(part));
		if (map->flags & INLAY_MAP_RODATA) {
			fputs("\n/* ", h->out);
			h_comment(h, map->name);
			fputs(": constants, set when it was compiled (--set) */\n", h->out);
		} else if (map->flags & INLAY_MAP_GLOBAL) {
			h_variables(h, map, part);
		} else {
			h_map(h, map, part);
		}
	}
}

static void h_prog(struct header *h, const struct bpfcc_prog *prog)
{
	static const char *const args[2][6] = {
		{"di", "si", "dx", "cx", "r8", "r9"},
		{"regs[0]", "regs[1]", "regs[2]", "regs[3]", "regs[4]", "regs[5]"},
	};
	const char *name = ll_names_add(&h->names, h->prefix, prog->name, "_args");
	char symbol[256];

	l_prog_symbol(h->object, prog, symbol, sizeof(symbol));
	fputs("\n/* program ", h->out);
	h_comment(h, prog->name);
	fputs(", SEC(\"", h->out);
	h_comment(h, prog->section);
	fprintf(h->out,
		"\"): on a hit, and on arguments */\n"
		"int %s(struct inlay_frame *frame) __asm__(\"%s\");\n"
		"static inline int %s_args(uint64_t a1, uint64_t a2, uint64_t a3, "
		"uint64_t a4,\n\t\t\t\t    uint64_t a5, uint64_t a6)\n"
		"{\n\tuint64_t cookie = 0;\n\tstruct inlay_frame frame;\n\n"
		"\t__builtin_memset(&frame, 0, sizeof(frame));\n"
		"\tframe.session_cookie = (__u64 *)&cookie;\n",
		name, symbol, name);
	for (unsigned int k = 0; k < 6; k++)
		fprintf(h->out, "\tframe.regs.%s = a%u;\n", args[h->is_arm64][k], k + 1);
	fprintf(h->out, "\treturn %s(&frame);\n}\n", name);
}

static void h_all(struct header *h)
{
	fprintf(h->out, "/* Made by bpfcc %s from ", INLAY_VERSION);
	h_comment(h, h->object->name);
	fprintf(h->out,
		": do not edit. For the .o or .so of the same object. */\n"
		"#ifndef INLAY_HEADER_%s_%s\n#define INLAY_HEADER_%s_%s\n\n"
		"#include <stdint.h>\n\n#include \"inlay/abi.h\"\n\n"
		"#ifdef __cplusplus\nextern \"C\" {\n#endif\n",
		h->prefix, h->hash, h->prefix, h->hash);
	for (uint32_t i = 0; i < h->object->nr_progs; i++)
		h_prog(h, &h->object->progs[i]);
	h_maps(h);
	fputs("\n#ifdef __cplusplus\n}\n#endif\n#endif\n", h->out);
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
	h_all(&h);
	h_names_fini(&h, &h.names);
	err = fclose(h.out) || h.is_out_of_memory ? -ENOMEM : 0;
	if (err) {
		free(*ret_text);
		*ret_text = NULL;
	}
	return err;
}
