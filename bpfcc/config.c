/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --map NAME.max_entries=N, NAME.value_size=N and --set VAR=value: what a loader would change
 * between opening an object and loading it; and --map NAME.ring_bytes=N, for what it would give to
 * perf_buffer__new(). Values are checked against the variable's BTF type. The variables that libbpf
 * would fill in (__kconfig) are set here, too.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/loader.h"

#define MAX_RING_BYTES (1u << 30)

/* ---- --map ---- */

/* A PERF_EVENT_ARRAY's ring has no size in the object. It travels as the map's map_extra. */
static int config_ring(struct bpfcc_loader *l, const char *text, struct bpf_map *map, uint64_t bytes)
{
	uint64_t whole = INLAY_PAGE_BYTES;

	if (bpf_map__type(map) != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return bpfcc_error(l->diag, NULL, "the size of a RINGBUF is its max_entries",
				   "--map %s: the map is no PERF_EVENT_ARRAY", text);
	if (bytes > MAX_RING_BYTES)
		return bpfcc_error(l->diag, NULL, NULL, "--map %s: a ring has at most %u bytes",
				   text, MAX_RING_BYTES);
	while (whole < bytes)
		whole *= 2;
	if (bpf_map__set_map_extra(map, whole))
		return bpfcc_error(l->diag, NULL, NULL, "--map %s: the size cannot be changed", text);
	return 0;
}

/* Loaders choose how long a stack is kept. Where a type says what a value is, it has its size. */
static int config_value(struct bpfcc_loader *l, const char *text, struct bpf_map *map,
			uint32_t bytes)
{
	if (bpf_map__btf_value_type_id(map))
		return bpfcc_error(l->diag, NULL, NULL,
				   "--map %s: the type of the map's value has another size", text);
	if (bpf_map__set_value_size(map, bytes))
		return bpfcc_error(l->diag, NULL, NULL, "--map %s: the size cannot be changed",
				   text);
	return 0;
}

static int config_map(struct bpfcc_loader *l, const char *text)
{
	const char *equals = strchr(text, '='),
		   *dot = equals ? memchr(text, '.', equals - text) : NULL;
	bool is_ring = dot && !strncmp(dot, ".ring_bytes=", 12);
	bool is_value = dot && !strncmp(dot, ".value_size=", 12);
	struct bpfcc_candidate *c;
	unsigned long long nr;
	char *name, *end;

	if (!dot || (!is_ring && !is_value && strncmp(dot, ".max_entries=", 13)) ||
	    !isdigit((unsigned char)equals[1]))
		return bpfcc_error(l->diag, NULL, "write --map NAME.max_entries=N",
				   "--map %s: not understood", text);
	name = bpfcc_arena_strndup(l->arena, text, (size_t)(dot - text));
	if (!name)
		return -ENOMEM;
	c = bpfcc_maps_by_name(l, name);
	if (!c || c->is_global_data)
		return bpfcc_error(l->diag, NULL, NULL, "--map %s: the object has no map \"%s\"",
				   text, name);
	errno = 0;
	nr = strtoull(equals + 1, &end, 0);
	if (*end || errno || !nr || nr > UINT32_MAX)
		return bpfcc_error(l->diag, NULL, "give a number from 1 to 4294967295",
				   "--map %s: \"%s\" is no valid number of %s", text, equals + 1,
				   is_ring || is_value ? "bytes" : "entries");
	if (is_ring)
		return config_ring(l, text, c->map, nr);
	if (is_value)
		return config_value(l, text, c->map, (uint32_t)nr);
	if (bpf_map__set_max_entries(c->map, (uint32_t)nr))
		return bpfcc_error(l->diag, NULL, NULL,
				   "--map %s: the number of entries cannot be changed", text);
	return 0;
}

int bpfcc_config_maps(struct bpfcc_loader *l)
{
	int err = 0;

	for (size_t i = 0; i < l->opts->nr_maps && !err; i++)
		err = config_map(l, l->opts->maps[i]);
	return err;
}

/* ---- --set ---- */

/* One --set while it is being worked on. */
struct set {
	struct bpfcc_loader *l;
	const char *text;	/* whole option */
	const char *rest;	/* what of the left side is still to be read */
	const char *value;
	uint32_t type_id;
	struct bpfcc_candidate *section;
	uint64_t offset;
};

static int refuse(struct set *s, const char *hint, const char *what)
{
	return bpfcc_error(s->l->diag, NULL, hint, "--set %s: %s", s->text, what);
}

static const struct btf_type *resolve_type(struct set *s)
{
	const struct btf_type *t = btf__type_by_id(s->l->btf, s->type_id);

	while (btf_is_mod(t) || btf_is_typedef(t)) {
		s->type_id = t->type;
		t = btf__type_by_id(s->l->btf, s->type_id);
	}
	return t;
}

static bool find_in_section(struct set *s, const struct btf_type *sec, const char *name)
{
	const struct btf_var_secinfo *v = btf_var_secinfos(sec);

	for (uint32_t i = 0; i < btf_vlen(sec); i++) {
		const struct btf_type *var = btf__type_by_id(s->l->btf, v[i].type);

		if (!btf_is_var(var) || strcmp(btf__str_by_offset(s->l->btf, var->name_off), name))
			continue;
		s->type_id = var->type;
		s->offset = v[i].offset;
		return true;
	}
	return false;
}

static int find_variable(struct set *s)
{
	size_t bytes = strcspn(s->text, ".[=");
	char *name = bpfcc_arena_strndup(s->l->arena, s->text, bytes);

	if (!name)
		return -ENOMEM;
	s->rest = s->text + bytes;
	for (uint32_t i = 0; s->l->btf && i < s->l->nr_candidates; i++) {
		struct bpfcc_candidate *c = &s->l->candidates[i];
		int id = btf__find_by_name_kind(
		    s->l->btf, c->is_arena_data ? BPFCC_ARENA_COPY : c->name, BTF_KIND_DATASEC);

		if (!c->is_global_data || !c->data || id < 0)
			continue;
		s->section = c;
		if (find_in_section(s, btf__type_by_id(s->l->btf, (uint32_t)id), name))
			return 0;
	}
	return bpfcc_error(s->l->diag, NULL,
			   "declare it \"const volatile\" at file scope, so that it is kept",
			   "--set %s: the object has no variable \"%s\"", s->text, name);
}

static int enter_member(struct set *s, const struct btf_type *t)
{
	size_t bytes = strcspn(s->rest + 1, ".[=");
	const struct btf_member *m = btf_members(t);

	if (!btf_is_composite(t))
		return refuse(s, NULL, "'.' follows what is no struct or union");
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *name = btf__str_by_offset(s->l->btf, m[i].name_off);

		if (strlen(name) != bytes || memcmp(name, s->rest + 1, bytes) || !bytes)
			continue;
		if (btf_member_bitfield_size(t, i) || btf_member_bit_offset(t, i) % 8)
			return refuse(s, NULL, "a bit-field cannot be set");
		s->offset += btf_member_bit_offset(t, i) / 8;
		s->type_id = m[i].type;
		s->rest += 1 + bytes;
		return 0;
	}
	return refuse(s, NULL, "the struct has no such member");
}

static int enter_element(struct set *s, const struct btf_type *t)
{
	unsigned long long i;
	int64_t bytes;
	char *end;

	if (!btf_is_array(t))
		return refuse(s, NULL, "'[' follows what is no array");
	errno = 0;
	i = strtoull(s->rest + 1, &end, 0);
	bytes = btf__resolve_size(s->l->btf, btf_array(t)->type);
	if (end == s->rest + 1 || *end != ']' || errno || !isdigit((unsigned char)s->rest[1]))
		return refuse(s, NULL, "what is between '[' and ']' is no number");
	if (i >= btf_array(t)->nelems || bytes <= 0)
		return refuse(s, NULL, "the index is outside of the array");
	s->offset += i * (uint64_t)bytes;
	s->type_id = btf_array(t)->type;
	s->rest = end + 1;
	return 0;
}

static int store(struct set *s, const void *data, uint64_t bytes)
{
	/* BTF of a damaged object may say anything */
	if (s->offset > s->section->bytes || bytes > s->section->bytes - s->offset)
		return refuse(s, NULL, "the variable lies outside of its section");
	memcpy(s->section->data + s->offset, data, bytes);
	return 0;
}

/* Sign and magnitude, so that the range check sees -1 and 2^64-1 apart. */
static bool read_number(const char *text, bool *ret_negative, uint64_t *ret_value)
{
	static const char escapes[] = "n\nt\tr\r0\0\\\\''";
	char *end;

	*ret_negative = *text == '-';
	if (!strcmp(text, "true") || !strcmp(text, "false")) {
		*ret_value = *text == 't';
		return true;
	}
	if (text[0] == '\'') {
		if (text[1] == '\\' && text[2] && text[3] == '\'' && !text[4]) {
			for (size_t i = 0; i + 1 < sizeof(escapes); i += 2)
				if (escapes[i] == text[2]) {
					*ret_value = (unsigned char)escapes[i + 1];
					return true;
				}
			return false;
		}
		*ret_value = (unsigned char)text[1];
		return text[1] && text[1] != '\\' && text[2] == '\'' && !text[3];
	}
	text += *ret_negative || *text == '+';
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*ret_value = strtoull(text, &end, 0);
	return !*end && !errno;
}

static int set_integer(struct set *s, uint32_t bytes, bool is_signed, bool is_bool)
{
	uint64_t value, max;
	bool negative;

	if (!read_number(s->value, &negative, &value))
		return refuse(s, "write a decimal or 0x number, 'c', true or false",
			      "the value is no number");
	if (bytes > 8)
		return refuse(s, NULL, "the type is too wide to be set");
	max = is_bool ? 1 : UINT64_MAX >> (64 - 8 * bytes);
	if (is_signed)
		max >>= 1;
	if (negative && value && (!is_signed || value > max + 1))
		return refuse(s, NULL, "the value is below what the variable's type can hold");
	if (!negative && value > max)
		return refuse(s, NULL, "the value is above what the variable's type can hold");
	if (negative)
		value = -value;
	return store(s, &value, bytes);
}

static int set_enum(struct set *s, const struct btf_type *t)
{
	bool is_signed = btf_kflag(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		uint32_t off = btf_is_enum(t) ? btf_enum(t)[i].name_off
					      : btf_enum64(t)[i].name_off;
		uint64_t value = btf_is_enum(t) ? (uint64_t)(int64_t)btf_enum(t)[i].val
						: btf_enum64_value(&btf_enum64(t)[i]);

		if (!strcmp(btf__str_by_offset(s->l->btf, off), s->value))
			return store(s, &value, t->size);
	}
	if (isalpha((unsigned char)s->value[0]) || s->value[0] == '_')
		return refuse(s, NULL, "the enumeration has no such name");
	return set_integer(s, t->size, is_signed, false);
}

/* A string into a char array; what is behind it becomes zero. */
static int set_string(struct set *s, const struct btf_type *t)
{
	const struct btf_array *array = btf_array(t);
	const struct btf_type *element;
	size_t bytes = strlen(s->value);
	struct set inner = *s;
	char *text;

	inner.type_id = array->type;
	element = resolve_type(&inner);
	if (!btf_is_int(element) || element->size != 1)
		return refuse(s, "name one element: VAR[0]=...", "the variable is an array");
	if (bytes >= 2 && s->value[0] == '"' && s->value[bytes - 1] == '"') {
		s->value++;
		bytes -= 2;
	}
	if (bytes >= array->nelems)
		return refuse(s, NULL, "the string, with its NUL, is longer than the array");
	text = bpfcc_arena_alloc(s->l->arena, array->nelems);
	if (!text)
		return -ENOMEM;
	memcpy(text, s->value, bytes);
	return store(s, text, array->nelems);
}

static int config_set(struct bpfcc_loader *l, const char *text)
{
	struct set s = {.l = l, .text = text};
	const char *equals = strchr(text, '=');
	const struct btf_type *t;
	int err;

	if (!equals || equals == text)
		return refuse(&s, "write --set VAR=value", "not understood");
	s.value = equals + 1;
	err = find_variable(&s);
	while (!err && *s.rest != '=') {
		t = resolve_type(&s);
		if (*s.rest == '.')
			err = enter_member(&s, t);
		else if (*s.rest == '[')
			err = enter_element(&s, t);
		else
			err = refuse(&s, "write --set VAR[INDEX].MEMBER=value", "not understood");
	}
	if (err)
		return err;
	t = resolve_type(&s);
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		return set_integer(&s, t->size, btf_int_encoding(t) & BTF_INT_SIGNED,
				   btf_int_encoding(t) & BTF_INT_BOOL);
	case BTF_KIND_PTR:
		return set_integer(&s, 8, false, false);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return set_enum(&s, t);
	case BTF_KIND_ARRAY:
		return set_string(&s, t);
	default:
		return refuse(&s, "name one member: VAR.member=...",
			      "a variable of this type cannot be set as a whole");
	}
}

int bpfcc_config_sets(struct bpfcc_loader *l)
{
	int err = 0;

	for (size_t i = 0; i < l->opts->nr_sets && !err; i++)
		err = config_set(l, l->opts->sets[i]);
	return err;
}

/* ---- __kconfig ---- */

/*
 * What the helpers and map types of Inlay are like is Linux 6.18, whatever runs it. A constant of
 * ours: a program must not depend on the machine that it is compiled on.
 */
static const struct {
	const char *name, *set;
} kernel_values[] = {
	{"LINUX_KERNEL_VERSION", "LINUX_KERNEL_VERSION=0x61200"},
	{"LINUX_HAS_BPF_COOKIE", "LINUX_HAS_BPF_COOKIE=1"},
	{"LINUX_HAS_SYSCALL_WRAPPER", "LINUX_HAS_SYSCALL_WRAPPER=1"},
};

const struct btf_var_secinfo *bpfcc_config_kernel_var(const struct bpfcc_loader *l,
						      const char *name)
{
	int id = l->btf ? btf__find_by_name_kind(l->btf, ".kconfig", BTF_KIND_DATASEC) : -ENOENT;
	const struct btf_type *sec, *var;

	if (id < 0)
		return NULL;
	sec = btf__type_by_id(l->btf, (uint32_t)id);
	for (uint32_t i = 0; i < btf_vlen(sec); i++) {
		var = btf__type_by_id(l->btf, btf_var_secinfos(sec)[i].type);
		if (btf_is_var(var) && !strcmp(btf__str_by_offset(l->btf, var->name_off), name))
			return &btf_var_secinfos(sec)[i];
	}
	return NULL;
}

bool bpfcc_config_kernel_known(const struct bpfcc_loader *l, const char *name)
{
	size_t bytes = strlen(name);

	for (size_t i = 0; i < sizeof(kernel_values) / sizeof(kernel_values[0]); i++)
		if (!strcmp(kernel_values[i].name, name))
			return true;
	for (size_t i = 0; i < l->opts->nr_sets; i++)
		/* what is set has a '=' */
		if (!strncmp(l->opts->sets[i], name, bytes) &&
		    strchr("=.[", l->opts->sets[i][bytes]))
			return true;
	return false;
}

int bpfcc_config_kernel(struct bpfcc_loader *l)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(kernel_values) / sizeof(kernel_values[0]) && !err; i++)
		if (bpfcc_config_kernel_var(l, kernel_values[i].name))
			err = config_set(l, kernel_values[i].set);
	return err;
}
