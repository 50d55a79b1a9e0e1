/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The types that the module's debug information knows, as BTF for CO-RE relocations: those that its
 * functions' signatures, its variables and other types lead to. Only what layouts need is
 * converted: what a pointer points to has a name of its own.
 *
 * Works on the operands of metadata nodes, whose order is fixed in LLVM 19: a type has file, scope,
 * name, base type, then elements. LLVM-C shows neither a basic type's encoding nor an enumerator's
 * value; both are read from the node's text.
 */
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "pass/plan.h"

enum {
	OP_NAME = 2, OP_BASE = 3, OP_ELEMENTS = 4, /* of types */
	OP_COUNT = 0, OP_UPPER = 2,		   /* of subranges */
	MAX_DEPTH = 64,
};

/* of DWARF 5 */
enum {
	TAG_ARRAY = 0x01, TAG_CLASS = 0x02, TAG_ENUM = 0x04, TAG_MEMBER = 0x0d, TAG_POINTER = 0x0f,
	TAG_REFERENCE = 0x10, TAG_STRUCT = 0x13, TAG_TYPEDEF = 0x16, TAG_UNION = 0x17,
	TAG_INHERITANCE = 0x1c, TAG_BASE = 0x24, TAG_RVALUE_REFERENCE = 0x42,
};

struct node {
	LLVMMetadataRef md;	/* NULL: a free slot */
	int id;			/* of the BTF type; 0: none or not made yet */
	bool is_made;
};

struct types {
	struct pass_run *run;
	struct btf *btf;
	struct node *table;	/* open addressing, a power of two */
	unsigned int nr, slots;
	LLVMMetadataRef *todo;
	unsigned int nr_todo, cap_todo;
	int void_ptr;
	bool failed;
};

/* ---- all nodes ---- */

static struct node *find(struct node *table, unsigned int slots, LLVMMetadataRef md)
{
	unsigned int i = (unsigned int)((uintptr_t)md >> 3) * 0x9e3779b1u;

	for (;; i++)
		if (!table[i & (slots - 1)].md || table[i & (slots - 1)].md == md)
			return &table[i & (slots - 1)];
}

static void grow(struct types *t)
{
	unsigned int slots = t->slots ? 2 * t->slots : 1024;
	struct node *table = run_alloc(t->run, slots * sizeof(*table));

	for (unsigned int i = 0; i < t->slots; i++)
		if (t->table[i].md)
			*find(table, slots, t->table[i].md) = t->table[i];
	t->table = table;
	t->slots = slots;
}

static void add_node(struct types *t, LLVMMetadataRef md)
{
	struct node *slot;

	if (!md)
		return;
	if (2 * t->nr >= t->slots)
		grow(t);
	slot = find(t->table, t->slots, md);
	if (slot->md)
		return;
	slot->md = md;
	t->nr++;
	*(LLVMMetadataRef *)run_grow(&t->todo, &t->nr_todo, &t->cap_todo, sizeof(md)) = md;
}

/* Operand i of a type, of which there are few: a value, or NULL. */
static LLVMValueRef operand(struct types *t, LLVMMetadataRef md, unsigned int i)
{
	LLVMValueRef v = LLVMMetadataAsValue(t->run->context, md), few[16];
	unsigned int n = LLVMGetMDNodeNumOperands(v);

	if (i >= n || n > sizeof(few) / sizeof(few[0]))
		return NULL;
	LLVMGetMDNodeOperands(v, few);
	return few[i];
}

static LLVMMetadataRef as_node(LLVMValueRef v)
{
	return v && LLVMIsAMDNode(v) ? LLVMValueAsMetadata(v) : NULL;
}

static LLVMMetadataRef node_operand(struct types *t, LLVMMetadataRef md, unsigned int i)
{
	return as_node(operand(t, md, i));
}

/* The elements of a type: values, each of which may be NULL. */
static LLVMValueRef *elements(struct types *t, LLVMMetadataRef md, unsigned int *ret_nr)
{
	LLVMValueRef list = operand(t, md, OP_ELEMENTS), *all;

	*ret_nr = list && LLVMIsAMDNode(list) ? LLVMGetMDNodeNumOperands(list) : 0;
	if (!*ret_nr)
		return NULL;
	all = run_alloc(t->run, *ret_nr * sizeof(*all));
	LLVMGetMDNodeOperands(list, all);
	return all;
}

static void add_operands(struct types *t, LLVMValueRef node)
{
	unsigned int n = LLVMGetMDNodeNumOperands(node);
	LLVMValueRef few[16], *all = n <= 16 ? few : malloc(n * sizeof(*all));

	if (!all)
		return;
	LLVMGetMDNodeOperands(node, all);
	for (unsigned int i = 0; i < n; i++)
		if (all[i] && LLVMIsAMDNode(all[i]))
			add_node(t, LLVMValueAsMetadata(all[i]));
	if (all != few)
		free(all);
}

static void add_global(struct types *t, LLVMValueRef global)
{
	size_t n;
	LLVMValueMetadataEntry *entries = LLVMGlobalCopyAllMetadata(global, &n);

	for (unsigned int i = 0; i < n; i++)
		add_node(t, LLVMValueMetadataEntriesGetMetadata(entries, i));
	LLVMDisposeValueMetadataEntries(entries);
}

static void add_roots(struct types *t)
{
	static const char units[] = "llvm.dbg.cu";
	LLVMModuleRef m = t->run->module;
	unsigned int n = LLVMGetNamedMetadataNumOperands(m, units);
	LLVMValueRef *cus = run_alloc(t->run, n * sizeof(*cus));

	LLVMGetNamedMetadataOperands(m, units, cus);
	for (unsigned int i = 0; i < n; i++)
		add_node(t, LLVMValueAsMetadata(cus[i]));
	for (LLVMValueRef f = LLVMGetFirstFunction(m); f; f = LLVMGetNextFunction(f))
		add_node(t, LLVMGetSubprogram(f));
	for (LLVMValueRef g = LLVMGetFirstGlobal(m); g; g = LLVMGetNextGlobal(g))
		add_global(t, g);
}

/* ---- BTF ---- */

static int ok(struct types *t, int id)
{
	t->failed |= id < 0;
	return id < 0 ? 0 : id;
}

static const char *string_of(struct types *t, LLVMMetadataRef md, unsigned int i)
{
	LLVMValueRef v = operand(t, md, i);
	unsigned int n;
	const char *text = v && LLVMIsAMDString(v) ? LLVMGetMDString(v, &n) : NULL;

	return text ? run_printf(t->run, "%.*s", (int)n, text) : "";
}

/* What follows `key` in the node's text, or "". */
static char *text_of(struct types *t, LLVMMetadataRef md, const char *key)
{
	char *text = LLVMPrintValueToString(LLVMMetadataAsValue(t->run->context, md));
	const char *at = NULL, *p = text;
	char *copy;

	/* the last one: a name may hold the same */
	while ((p = strstr(p, key)))
		at = p += strlen(key);
	copy = run_printf(t->run, "%.*s", at ? (int)strcspn(at, ",)") : 0, at ? at : "");
	LLVMDisposeMessage(text);
	return copy;
}

static int convert(struct types *t, LLVMMetadataRef md, int depth);

static int base_type(struct types *t, LLVMMetadataRef md)
{
	uint64_t bytes = LLVMDITypeGetSizeInBits(md) / 8;
	const char *name = string_of(t, md, OP_NAME), *encoding = text_of(t, md, "encoding: DW_ATE_");

	if (!bytes || bytes > 16 || bytes & (bytes - 1) || !*name)
		return 0;
	if (!strcmp(encoding, "float"))
		return bytes > 1 ? ok(t, btf__add_float(t->btf, name, bytes)) : 0;
	return ok(t, btf__add_int(t->btf, name, bytes,
				  !strncmp(encoding, "signed", 6)  ? BTF_INT_SIGNED :
				  !strcmp(encoding, "boolean")	   ? BTF_INT_BOOL :
								     0));
}

static uint32_t subrange_count(struct types *t, LLVMMetadataRef md)
{
	LLVMValueRef count = operand(t, md, OP_COUNT), upper = operand(t, md, OP_UPPER);
	uint64_t n = 0;

	if (count && LLVMIsAConstantInt(count))
		n = LLVMConstIntGetZExtValue(count);
	else if (upper && LLVMIsAConstantInt(upper))
		n = LLVMConstIntGetZExtValue(upper) + 1;
	return n <= INT32_MAX ? (uint32_t)n : 0; /* -1: as many as there is room for */
}

static int array_type(struct types *t, LLVMMetadataRef md, int depth)
{
	LLVMMetadataRef base = node_operand(t, md, OP_BASE);
	int element = base ? convert(t, base, depth + 1) : 0, id = element;
	unsigned int n;
	LLVMValueRef *dims = elements(t, md, &n);

	if (!element || !n)
		return 0;
	while (n-- > 0) {
		LLVMMetadataRef dim = as_node(dims[n]);

		id = ok(t, btf__add_array(t->btf, element, id, dim ? subrange_count(t, dim) : 0));
	}
	return id;
}

static int enum_type(struct types *t, LLVMMetadataRef md)
{
	uint32_t bytes = (uint32_t)(LLVMDITypeGetSizeInBits(md) / 8);
	const char *name = string_of(t, md, OP_NAME);
	unsigned int n;
	LLVMValueRef *list = elements(t, md, &n);
	LLVMMetadataRef e;
	int id = ok(t, bytes == 8 ? btf__add_enum64(t->btf, name, 8, true) :
				    btf__add_enum(t->btf, name, bytes));

	for (unsigned int i = 0; i < n && !t->failed; i++) {
		long long value;

		e = as_node(list[i]);
		if (!e)
			continue;
		value = (long long)strtoull(text_of(t, e, ", value: "), NULL, 10);
		name = string_of(t, e, 0);
		ok(t, bytes == 8 ? btf__add_enum64_value(t->btf, name, (uint64_t)value) :
				   btf__add_enum_value(t->btf, name, value));
	}
	return id;
}

struct member {
	const char *name;
	int type;
	uint32_t bit_offset, bit_size;
};

static bool read_member(struct types *t, LLVMMetadataRef md, int depth, struct member *m)
{
	unsigned int tag = LLVMGetDINodeTag(md);
	uint64_t bits = 0, size = 0;
	LLVMMetadataRef base;

	if (tag != TAG_MEMBER && tag != TAG_INHERITANCE)
		return false;
	if (LLVMDITypeGetFlags(md) & LLVMDIFlagStaticMember)
		return false;
	base = node_operand(t, md, OP_BASE);
	m->type = base ? convert(t, base, depth + 1) : 0;
	if (!m->type)
		return false;
	/* a base class is as an unnamed member */
	m->name = tag == TAG_MEMBER ? string_of(t, md, OP_NAME) : "";
	bits = LLVMDITypeGetOffsetInBits(md);
	if (LLVMDITypeGetFlags(md) & LLVMDIFlagBitField)
		size = LLVMDITypeGetSizeInBits(md);
	if (size > 64 || bits > (size ? 0xffffff : UINT32_MAX))
		return false;
	m->bit_offset = (uint32_t)bits;
	m->bit_size = (uint32_t)size;
	return true;
}

static int composite_type(struct types *t, LLVMMetadataRef md, int depth)
{
	unsigned int n, nr = 0;
	LLVMValueRef *list = elements(t, md, &n);
	struct member *members = run_alloc(t->run, (n + 1) * sizeof(*members));
	uint32_t bytes = (uint32_t)(LLVMDITypeGetSizeInBits(md) / 8);
	const char *name = string_of(t, md, OP_NAME);
	LLVMMetadataRef e;
	int id;

	if (LLVMDITypeGetFlags(md) & LLVMDIFlagFwdDecl)
		return 0;
	/* libbpf adds members to the last type only: their types come first */
	for (unsigned int i = 0; i < n && !t->failed; i++) {
		e = as_node(list[i]);
		if (e && LLVMGetMetadataKind(e) == LLVMDIDerivedTypeMetadataKind)
			nr += read_member(t, e, depth, &members[nr]);
	}
	id = ok(t, LLVMGetDINodeTag(md) == TAG_UNION ? btf__add_union(t->btf, name, bytes) :
						       btf__add_struct(t->btf, name, bytes));
	for (unsigned int i = 0; i < nr && !t->failed; i++)
		ok(t, btf__add_field(t->btf, members[i].name, members[i].type,
				     members[i].bit_offset, members[i].bit_size));
	return id;
}

static int new_type(struct types *t, LLVMMetadataRef md, int depth)
{
	LLVMMetadataRef base;
	const char *name;
	int id;

	switch (LLVMGetDINodeTag(md)) {
	case TAG_BASE:
		return base_type(t, md);
	case TAG_POINTER:
	case TAG_REFERENCE:
	case TAG_RVALUE_REFERENCE:
		if (!t->void_ptr)
			t->void_ptr = ok(t, btf__add_ptr(t->btf, 0));
		return t->void_ptr;
	case TAG_ARRAY:
		return array_type(t, md, depth);
	case TAG_ENUM:
		return enum_type(t, md);
	case TAG_STRUCT:
	case TAG_CLASS:
	case TAG_UNION:
		return composite_type(t, md, depth);
	default: /* typedef, const, volatile ...: what they stand for */
		if (LLVMGetMetadataKind(md) != LLVMDIDerivedTypeMetadataKind)
			return 0;
		base = node_operand(t, md, OP_BASE);
		id = base ? convert(t, base, depth + 1) : 0;
		name = string_of(t, md, OP_NAME);
		return id && *name && LLVMGetDINodeTag(md) == TAG_TYPEDEF ?
			       ok(t, btf__add_typedef(t->btf, name, id)) :
			       id;
	}
}

static bool is_type(LLVMMetadataRef md)
{
	LLVMMetadataKind kind = LLVMGetMetadataKind(md);

	return kind == LLVMDIBasicTypeMetadataKind || kind == LLVMDIDerivedTypeMetadataKind ||
	       kind == LLVMDICompositeTypeMetadataKind;
}

/* 0: BTF has no such type, or it could not be made. */
static int convert(struct types *t, LLVMMetadataRef md, int depth)
{
	struct node *node = find(t->table, t->slots, md);
	int id;

	if (t->failed || depth > MAX_DEPTH || !node->md || !is_type(md))
		return 0;
	if (node->is_made)
		return node->id;
	id = new_type(t, md, depth);
	/* nothing was added to the table meanwhile: every node was in it before */
	node->is_made = true;
	node->id = id;
	return id;
}

static bool is_wanted(LLVMMetadataRef md)
{
	unsigned int tag;

	if (!is_type(md))
		return false;
	tag = LLVMGetDINodeTag(md);
	return tag == TAG_STRUCT || tag == TAG_CLASS || tag == TAG_UNION || tag == TAG_ENUM ||
	       tag == TAG_TYPEDEF;
}

const void *types_btf(void *arg, size_t *ret_bytes)
{
	struct pass_run *run = arg;
	struct types t = { .run = run };
	uint32_t bytes = 0;

	if (run->types_btf || !LLVMGetNamedMetadataNumOperands(run->module, "llvm.dbg.cu")) {
		*ret_bytes = run->types_bytes;
		return run->types_btf;
	}
	add_roots(&t);
	for (unsigned int i = 0; i < t.nr_todo; i++)
		add_operands(&t, LLVMMetadataAsValue(run->context, t.todo[i]));
	t.btf = btf__new_empty();
	for (unsigned int i = 0; t.btf && i < t.nr_todo; i++)
		if (is_wanted(t.todo[i]))
			convert(&t, t.todo[i], 0);
	if (t.btf && !t.failed) {
		const void *data = btf__raw_data(t.btf, &bytes);

		if (data) {
			run->types_btf = run_alloc(run, bytes);
			memcpy(run->types_btf, data, bytes);
			run->types_bytes = bytes;
		}
	}
	btf__free(t.btf);
	free(t.todo);
	*ret_bytes = run->types_bytes;
	return run->types_btf;
}
