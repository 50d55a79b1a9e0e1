/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns the types of DWARF into BTF: structures, unions, classes, enumerations and what their members
 * are made of; functions and variables are of no use here. A type that is in several units comes
 * several times (the question is answered by all of them alike). What BTF cannot say (a class's
 * functions, static members, Rust's variants) is left out.
 */
#include "bpfcc/dwarf_types.h"

#include <bpf/btf.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

/* A DIE that has been given its BTF type, by its offset in .debug_info. */
struct known {
	Dwarf_Off off;
	int id;
};

struct convert {
	struct btf *btf;
	void *known;	/* tsearch() tree of struct known */
	int void_ptr;
	int err;
};

static int compare(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return x->off < y->off ? -1 : x->off > y->off;
}

static int convert_type(struct convert *c, Dwarf_Die *die, int depth);

/* Every id goes through here: the first failure ends the conversion. */
static int ok(struct convert *c, int id)
{
	if (id < 0 && !c->err)
		c->err = id;
	return id < 0 ? 0 : id;
}

static uint64_t number(Dwarf_Die *die, unsigned int name, uint64_t otherwise)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr_integrate(die, name, &attr) || dwarf_formudata(&attr, &value))
		return otherwise;
	return value;
}

static const char *name_of(Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);

	return name ? name : "";
}

/* The type that an attribute refers to; 0: void. */
static int type_of(struct convert *c, Dwarf_Die *die, int depth)
{
	Dwarf_Attribute attr;
	Dwarf_Die type;

	if (!dwarf_attr_integrate(die, DW_AT_type, &attr) || !dwarf_formref_die(&attr, &type))
		return 0;
	return convert_type(c, &type, depth + 1);
}

static int pointer(struct convert *c)
{
	/* what it points to is another question, and would go round in circles */
	if (!c->void_ptr)
		c->void_ptr = ok(c, btf__add_ptr(c->btf, 0));
	return c->void_ptr;
}

static int base_type(struct convert *c, Dwarf_Die *die)
{
	uint64_t encoding = number(die, DW_AT_encoding, 0), bytes = number(die, DW_AT_byte_size, 0);
	int flags = 0;

	if (encoding == DW_ATE_float && (bytes == 2 || bytes == 4 || bytes == 8 || bytes == 12 ||
					  bytes == 16))
		return ok(c, btf__add_float(c->btf, name_of(die), bytes));
	if (encoding == DW_ATE_signed || encoding == DW_ATE_signed_char)
		flags = BTF_INT_SIGNED;
	else if (encoding == DW_ATE_boolean)
		flags = BTF_INT_BOOL;
	if (!bytes || bytes > 16 || bytes & (bytes - 1) || !*name_of(die))
		return 0;
	return ok(c, btf__add_int(c->btf, name_of(die), bytes, flags));
}

/* One dimension after the other; the last is the innermost. */
static int array_dimensions(struct convert *c, Dwarf_Die *range, int element)
{
	uint64_t nr = number(range, DW_AT_count, UINT64_MAX);
	Dwarf_Die next;
	int inner = element;

	if (nr == UINT64_MAX) {
		nr = number(range, DW_AT_upper_bound, UINT64_MAX);
		nr = nr == UINT64_MAX ? 0 : nr + 1;
	}
	if (dwarf_siblingof(range, &next) == 0)
		inner = array_dimensions(c, &next, element);
	return ok(c, btf__add_array(c->btf, element, inner, nr <= UINT32_MAX ? (uint32_t)nr : 0));
}

static int array_type(struct convert *c, Dwarf_Die *die, int depth)
{
	int element = type_of(c, die, depth);
	Dwarf_Die range;

	if (!element)
		return 0;
	if (dwarf_child(die, &range))
		return ok(c, btf__add_array(c->btf, element, element, 0));
	return array_dimensions(c, &range, element);
}

static int enum_type(struct convert *c, Dwarf_Die *die)
{
	uint32_t bytes = (uint32_t)number(die, DW_AT_byte_size, 4);
	int id = ok(c, bytes == 8 ? btf__add_enum64(c->btf, name_of(die), 8, true)
				  : btf__add_enum(c->btf, name_of(die), bytes));
	Dwarf_Die child;

	for (int more = dwarf_child(die, &child); !more && !c->err;
	     more = dwarf_siblingof(&child, &child)) {
		Dwarf_Attribute attr;
		Dwarf_Sword value;

		if (dwarf_tag(&child) != DW_TAG_enumerator ||
		    !dwarf_attr(&child, DW_AT_const_value, &attr) ||
		    dwarf_formsdata(&attr, &value))
			continue;
		ok(c, bytes == 8 ? btf__add_enum64_value(c->btf, name_of(&child), (uint64_t)value)
				 : btf__add_enum_value(c->btf, name_of(&child), value));
	}
	return id;
}

struct member {
	const char *name;
	int type;
	uint32_t bit_offset, bit_size;
};

/* False: a member that is nowhere (a static one) or of a type that BTF does not have. */
static bool read_member(struct convert *c, Dwarf_Die *die, int depth, struct member *m)
{
	uint64_t bit_size = number(die, DW_AT_bit_size, 0), bits;
	int tag = dwarf_tag(die);

	if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
	    dwarf_hasattr(die, DW_AT_external) || dwarf_hasattr(die, DW_AT_const_value))
		return false;
	m->type = type_of(c, die, depth);
	if (!m->type)
		return false;
	/* a base class is as an unnamed member */
	m->name = tag == DW_TAG_inheritance ? "" : name_of(die);
	bits = number(die, DW_AT_data_bit_offset, UINT64_MAX);
	if (bits == UINT64_MAX) {
		bits = number(die, DW_AT_data_member_location, 0) * 8;
		/* DWARF 3, of gcc: counted from the highest bit of the storage unit */
		if (bit_size && dwarf_hasattr(die, DW_AT_bit_offset)) {
			uint64_t unit = number(die, DW_AT_byte_size, 0);

			if (!unit)
				unit = (uint64_t)btf__resolve_size(c->btf, (uint32_t)m->type);
			bits += unit * 8 - number(die, DW_AT_bit_offset, 0) - bit_size;
		}
	}
	if (bit_size > 64 || bits > (bit_size ? 0xffffff : UINT32_MAX))
		return false;
	m->bit_offset = (uint32_t)bits;
	m->bit_size = (uint32_t)bit_size;
	return true;
}

static int composite_type(struct convert *c, Dwarf_Die *die, int depth)
{
	uint32_t bytes = (uint32_t)number(die, DW_AT_byte_size, 0);
	struct member *members = NULL;
	unsigned int nr = 0;
	Dwarf_Die child;
	int id;

	if (dwarf_hasattr_integrate(die, DW_AT_declaration))
		return 0;
	/* libbpf adds members to the last type only: theirs come first */
	for (int more = dwarf_child(die, &child); !more && !c->err;
	     more = dwarf_siblingof(&child, &child)) {
		if (!(nr & (nr - 1))) {
			struct member *larger =
				reallocarray(members, nr ? 2 * nr : 1, sizeof(*members));

			if (!larger) {
				c->err = -ENOMEM;
				break;
			}
			members = larger;
		}
		nr += read_member(c, &child, depth, &members[nr]);
	}
	id = ok(c, dwarf_tag(die) == DW_TAG_union_type ? btf__add_union(c->btf, name_of(die), bytes)
							: btf__add_struct(c->btf, name_of(die), bytes));
	for (unsigned int i = 0; i < nr && !c->err; i++)
		ok(c, btf__add_field(c->btf, members[i].name, members[i].type, members[i].bit_offset,
				     members[i].bit_size));
	free(members);
	return id;
}

static int new_type(struct convert *c, Dwarf_Die *die, int depth)
{
	int inner;

	switch (dwarf_tag(die)) {
	case DW_TAG_base_type:
		return base_type(c, die);
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		return pointer(c);
	case DW_TAG_array_type:
		return array_type(c, die, depth);
	case DW_TAG_enumeration_type:
		return enum_type(c, die);
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return composite_type(c, die, depth);
	case DW_TAG_typedef:
		inner = type_of(c, die, depth);
		return inner && *name_of(die) ? ok(c, btf__add_typedef(c->btf, name_of(die), inner))
					      : inner;
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		return type_of(c, die, depth);
	default:
		return 0;
	}
}

/* 0: BTF has no such type, or it could not be made. */
static int convert_type(struct convert *c, Dwarf_Die *die, int depth)
{
	struct known key = {.off = dwarf_dieoffset(die)}, *entry;
	void *slot;

	if (c->err || depth > MAX_DEPTH)
		return 0;
	slot = tfind(&key, &c->known, compare);
	if (slot)
		return (*(struct known **)slot)->id;
	key.id = new_type(c, die, depth);
	if (c->err)
		return 0;
	entry = malloc(sizeof(*entry));
	if (!entry) {
		c->err = -ENOMEM;
		return 0;
	}
	*entry = key;
	slot = tsearch(entry, &c->known, compare);
	if (!slot) {
		free(entry);
		c->err = -ENOMEM;
	} else if (*(struct known **)slot != entry) {
		free(entry);
	}
	return key.id;
}

/* Types are at the top of a unit, in namespaces, and inside of other types and functions. */
static void convert_scope(struct convert *c, Dwarf_Die *scope, int depth)
{
	Dwarf_Die die;

	if (depth > MAX_DEPTH || dwarf_child(scope, &die))
		return;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
		case DW_TAG_union_type:
		case DW_TAG_enumeration_type:
			convert_type(c, &die, 0);
			convert_scope(c, &die, depth + 1);
			break;
		case DW_TAG_typedef:
			convert_type(c, &die, 0);
			break;
		case DW_TAG_namespace:
		case DW_TAG_subprogram:
		case DW_TAG_lexical_block:
			convert_scope(c, &die, depth + 1);
			break;
		}
	} while (!c->err && !dwarf_siblingof(&die, &die));
}

static int convert_file(struct convert *c, Dwarf *dwarf)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die unit, skeleton;
	uint8_t type;
	bool has_units = false;

	while (!c->err && dwarf_get_units(dwarf, cu, &cu, NULL, &type, &unit, &skeleton) == 0) {
		/* -gsplit-dwarf: the types are elsewhere, and libdw looks there */
		convert_scope(c, type == DW_UT_skeleton && dwarf_tag(&skeleton) ? &skeleton : &unit,
			      0);
		has_units = true;
	}
	return c->err ? c->err : has_units ? 0 : -ENODATA;
}

/* What is not in the file is not looked for, on this machine or another. */
static int find_nothing(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			const char *file, const char *link, GElf_Word crc, char **ret_path)
{
	(void)module, (void)userdata, (void)name, (void)base;
	(void)file, (void)link, (void)crc, (void)ret_path;
	return -1;
}

int bpfcc_dwarf_types(const char *path, struct btf **ret_btf, const char **ret_why)
{
	/* libdwfl, because it relocates the DWARF of object files */
	static const Dwfl_Callbacks callbacks = {.find_debuginfo = find_nothing,
						 .section_address = dwfl_offline_section_address};
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwfl_Module *module = dwfl ? dwfl_report_offline(dwfl, "", path, -1) : NULL;
	struct convert c = {0};
	Dwarf_Addr bias;
	Dwarf *dwarf;
	int err = 0;

	*ret_btf = NULL;
	if (module)
		dwfl_report_end(dwfl, NULL, NULL);
	dwarf = module ? dwfl_module_getdwarf(module, &bias) : NULL;
	if (!dwarf)
		err = -ENODATA;
	c.btf = err ? NULL : btf__new_empty();
	if (!err)
		err = c.btf ? convert_file(&c, dwarf) : -ENOMEM;
	if (err == -ENODATA)
		*ret_why = "it has neither BTF nor DWARF";
	else if (err && err != -ENOMEM)
		*ret_why = "its types cannot be said in BTF";
	if (err && err != -ENOMEM)
		err = -EINVAL;
	if (err) {
		btf__free(c.btf);
		c.btf = NULL;
	}
	tdestroy(c.known, free);
	if (dwfl)
		dwfl_end(dwfl);
	*ret_btf = c.btf;
	return err;
}
