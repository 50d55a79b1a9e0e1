/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data that an object puts into a target: regions, descriptors, control blocks, BTF; names and
 * linkage as docs/DESIGN.md section 12 says. Descriptors are constants with initialisers, so that
 * loads from them fold in every importer.
 */
#include "bpfcc/ll/impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/map_image.h"
#include "inlay/abi.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static LLVMValueRef l_u32(struct lower *l, uint32_t n)
{
	return LLVMConstInt(l->t_i32, n, false);
}

static LLVMValueRef l_u64(struct lower *l, uint64_t n)
{
	return LLVMConstInt(l->t_i64, n, false);
}

static LLVMValueRef l_null(struct lower *l)
{
	return LLVMConstNull(l->t_ptr);
}

static LLVMValueRef l_or_null(struct lower *l, LLVMValueRef v)
{
	return v ? v : l_null(l);
}

static LLVMValueRef l_bytes(struct lower *l, const void *data, size_t bytes)
{
	return LLVMConstStringInContext2(l->context, data, bytes, true);
}

/*
 * A program is found by its symbol: a name that is cut or has bytes replaced is told from others by
 * the program's index, behind a dot, which no clean name has.
 */
void l_prog_symbol(const struct bpfcc_object *object, const struct bpfcc_prog *prog, char *buf,
		   size_t size)
{
	char part[160];
	int at = snprintf(buf, size, "__inlay_prog_");

	for (int i = 0; i < 8; i++)
		at += snprintf(buf + at, size - (size_t)at, "%02x", object->hash[i]);
	ll_symbol_part(prog->name, part, sizeof(part));
	at += snprintf(buf + at, size - (size_t)at, "_%s", part);
	if (strcmp(part, prog->name))
		snprintf(buf + at, size - (size_t)at, ".%u", prog->index);
}

/*
 * M of docs/DESIGN.md section 12. Of maps whose names become the same, all but the first are told
 * apart by their number, behind a dot.
 */
void l_map_part(const struct bpfcc_object *object, const struct bpfcc_map *map, char *buf,
		size_t size)
{
	char other[L_MAP_PART_BYTES - 16];

	ll_symbol_part(map->name, buf, sizeof(other));
	for (const struct bpfcc_map *m = object->maps; m < map; m++) {
		ll_symbol_part(m->name, other, sizeof(other));
		if (strcmp(buf, other))
			continue;
		snprintf(buf + strlen(buf), size - strlen(buf), ".%u",
			 (unsigned int)(map - object->maps));
		break;
	}
}

/* "__inlay_<what>_H" or "__inlay_<what>_H_M" */
static void name_of(struct lower *l, const char *what, const struct bpfcc_map *map, char *buf,
		    size_t size)
{
	char part[L_MAP_PART_BYTES] = "";

	if (map)
		l_map_part(l->object, map, part, sizeof(part));
	snprintf(buf, size, "__inlay_%s_%s%s%s", what, l->hash, map ? "_" : "", part);
}

static LLVMValueRef l_global(struct lower *l, const char *what, const struct bpfcc_map *map,
			     LLVMTypeRef t)
{
	char name[256];

	name_of(l, what, map, name, sizeof(name));
	return LLVMAddGlobal(l->module, t, name);
}

static LLVMValueRef l_constant(struct lower *l, const char *what, const struct bpfcc_map *map,
			       LLVMValueRef v_init)
{
	LLVMValueRef v = l_global(l, what, map, LLVMTypeOf(v_init));

	LLVMSetInitializer(v, v_init);
	LLVMSetGlobalConstant(v, true);
	ll_make_odr(l->module, v, NULL);
	return v;
}

static bool is_all_zero(const void *data, size_t bytes)
{
	const unsigned char *p = data;

	for (size_t i = 0; p && i < bytes; i++)
		if (p[i])
			return false;
	return true;
}

/* Memory in .bss.inlay.H.M or .data.inlay.H.M: whole pages, so that backing can be mapped over it.
 */
static LLVMValueRef l_region(struct lower *l, const char *what, const struct bpfcc_map *map,
			     const void *data, size_t data_bytes, uint64_t bytes)
{
	LLVMTypeRef t = LLVMArrayType2(l->t_i8, bytes);
	LLVMValueRef v_init = LLVMConstNull(t), v;
	char section[256], part[L_MAP_PART_BYTES];
	bool is_zero = is_all_zero(data, data_bytes);

	if (!is_zero) {
		LLVMValueRef v_parts[] = {
		    l_bytes(l, data, data_bytes),
		    LLVMConstNull(LLVMArrayType2(l->t_i8, bytes - data_bytes))};

		v_init = LLVMConstStructInContext(l->context, v_parts, 2, true);
	}
	v = l_global(l, what, map, LLVMTypeOf(v_init));
	LLVMSetInitializer(v, v_init);
	if (map)
		l_map_part(l->object, map, part, sizeof(part));
	else
		ll_symbol_part(what, part, sizeof(part));
	snprintf(section, sizeof(section), "%s%s.%s",
		 is_zero ? INLAY_SECTION_BSS_PREFIX : INLAY_SECTION_DATA_PREFIX, l->hash, part);
	LLVMSetSection(v, section);
	LLVMSetAlignment(v, INLAY_PAGE_BYTES);
	ll_make_odr(l->module, v, NULL);
	return v;
}

/* .rodata: private, so that every load from it folds; the runtime copies value_size bytes of it. */
static LLVMValueRef l_rodata(struct lower *l, const struct bpfcc_map *map)
{
	LLVMValueRef v_init = map->data ? l_bytes(l, map->data, map->value_size)
					: LLVMConstNull(LLVMArrayType2(l->t_i8, map->value_size));
	LLVMValueRef v = l_global(l, "region", map, LLVMTypeOf(v_init));

	LLVMSetInitializer(v, v_init);
	LLVMSetGlobalConstant(v, true);
	LLVMSetLinkage(v, LLVMPrivateLinkage);
	LLVMSetAlignment(v, 16);
	return v;
}

/* Memory that whoever runs the code has; see bpfcc_lower_run(). */
void bpfcc_run_memory(uint32_t map, bool is_shard, char *buf, size_t size)
{
	snprintf(buf, size, "__inlay_run_%s_%u", is_shard ? "shard" : "region", map);
}

static LLVMValueRef l_run_memory(struct lower *l, const struct bpfcc_map *map, bool is_shard,
				 uint64_t bytes)
{
	char name[64];
	LLVMValueRef v;

	bpfcc_run_memory(map->index, is_shard, name, sizeof(name));
	v = LLVMAddGlobal(l->module, LLVMArrayType2(l->t_i8, bytes), name);
	LLVMSetAlignment(v, INLAY_PAGE_BYTES);
	return v;
}

/*
 * The slot of a thread's shard, and the function that gives its address to descriptors. With
 * `v_shard` there is one shard for all, and the slot has it from the start.
 */
static LLVMValueRef l_shard_slot(struct lower *l, const struct bpfcc_map *map,
				 LLVMValueRef v_shard)
{
	const char *intrinsic = "llvm.threadlocal.address";
	unsigned int id = LLVMLookupIntrinsicID(intrinsic, strlen(intrinsic));
	LLVMValueRef v_tls = l_global(l, "tls", map, l->t_ptr), v_fn, v;
	char name[256];

	LLVMSetInitializer(v_tls, l_or_null(l, v_shard));
	if (!v_shard)
		LLVMSetThreadLocalMode(v_tls, LLVMInitialExecTLSModel);
	LLVMSetAlignment(v_tls, 8);
	ll_make_odr(l->module, v_tls, NULL);

	name_of(l, "slot", map, name, sizeof(name));
	v_fn = LLVMAddFunction(l->module, name, LLVMFunctionType(l->t_ptr, NULL, 0, false));
	ll_make_odr(l->module, v_fn, NULL);
	ll_add_attr(v_fn, LLVMAttributeFunctionIndex, "alwaysinline");
	ll_add_attr(v_fn, LLVMAttributeFunctionIndex, "nounwind");
	LLVMPositionBuilderAtEnd(l->builder,
				 LLVMAppendBasicBlockInContext(l->context, v_fn, "entry"));
	v = v_tls;
	if (!v_shard)
		v = LLVMBuildCall2(l->builder, LLVMIntrinsicGetType(l->context, id, &l->t_ptr, 1),
				   LLVMGetIntrinsicDeclaration(l->module, id, &l->t_ptr, 1), &v_tls,
				   1, "");
	LLVMBuildRet(l->builder, v);
	return v_fn;
}

/* struct inlay_arena_start, or NULL */
static LLVMValueRef l_arena_start(struct lower *l, const struct bpfcc_map *map)
{
	LLVMValueRef v[2], v_start;

	if (!map->arena_bytes)
		return NULL;
	v[0] = l_u64(l, map->arena_bytes);
	v[1] = l_bytes(l, map->arena_data, map->arena_bytes);
	v_start = l_constant(l, "start", map,
			     LLVMConstStructInContext(l->context, v, 2, false));
	LLVMSetAlignment(v_start, 8);
	return v_start;
}

static int l_map_storage(struct lower *l, struct lower_map *m)
{
	const struct bpfcc_map *map = m->map;
	LLVMValueRef v_shard = NULL;
	uint8_t *image;
	size_t image_bytes;
	int err;

	m->region_bytes =
	    inlay_map_region_bytes_extra(map->type, map->key_size, map->value_size,
					 map->max_entries, (uint32_t)map->map_extra);
	m->shard_bytes = inlay_map_shard_bytes(map->type, map->value_size, map->max_entries);
	m->flags = map->flags;
	if (m->flags & INLAY_MAP_RODATA) {
		m->v_region = l_rodata(l, map);
	} else if (l->mode == BPFCC_LOWER_RUN) {
		if (m->region_bytes)
			m->v_region = l_run_memory(l, map, false, m->region_bytes);
		if (m->flags & INLAY_MAP_PERCPU)
			v_shard = l_run_memory(l, map, true, m->shard_bytes);
	} else if (m->region_bytes > INLAY_LINK_REGION_MAX) {
		if (map->nr_inner_maps)
			return bpfcc_error(&l->handle->diag, NULL, "lower max_entries",
					   "'%s' holds maps from the start; above %u bytes that is "
					   "not supported",
					   map->name, INLAY_LINK_REGION_MAX);
		if (!is_all_zero(map->data, map->value_size))
			return bpfcc_error(
			    &l->handle->diag, NULL,
			    "start them as zero and set them in the program, or make "
			    "them const",
			    "'%s' holds %u bytes of variables with initial values; "
			    "above %u bytes that is not supported",
			    map->name, map->value_size, INLAY_LINK_REGION_MAX);
		m->flags |= INLAY_MAP_HUGE;
		m->v_start = l_arena_start(l, map);
		m->v_base = l_global(l, "base", map, l->t_ptr);
		LLVMSetInitializer(m->v_base, l_null(l));
		LLVMSetAlignment(m->v_base, 8);
		ll_make_odr(l->module, m->v_base, NULL);
	} else if (m->region_bytes) {
		err = bpfcc_map_image(l->object, map, &image, &image_bytes);
		if (err)
			return err;
		m->v_region = l_region(l, "region", map, image, image_bytes, m->region_bytes);
		free(image);
	}
	if (m->flags & INLAY_MAP_PERCPU)
		m->v_slot = l_shard_slot(l, map, v_shard);
	return 0;
}

static LLVMTypeRef l_desc_type(struct lower *l)
{
	LLVMTypeRef t[20];
	unsigned int nr = 0;

	for (int i = 0; i < 12; i++)
		t[nr++] = l->t_i32;
	t[nr++] = l->t_i64;
	t[nr++] = l->t_i64;
	for (int i = 0; i < 6; i++)
		t[nr++] = l->t_ptr;
	return LLVMStructTypeInContext(l->context, t, nr, false);
}
_Static_assert(sizeof(struct inlay_map_desc) == 112, "l_desc_type() follows inlay_map_desc");

/* Maps of the table before map `index`: its own place there. */
static uint32_t l_table_index(struct lower *l, uint32_t index)
{
	return bpfcc_map_table_index(l->object, index);
}

static uint32_t desc_stride(const struct bpfcc_map *map)
{
	return map->type == INLAY_MAP_TYPE_ARENA ? (uint32_t)map->map_extra
						 : (uint32_t)inlay_round_up(map->value_size, 8);
}

/* inlay_map_desc.extra */
static uint32_t desc_extra(const struct bpfcc_map *map)
{
	if (map->type == INLAY_MAP_TYPE_ARENA)
		return (uint32_t)(map->map_extra >> 32);
	if (map->type != BPF_MAP_TYPE_ARRAY && map->type != BPF_MAP_TYPE_HASH)
		return (uint32_t)map->map_extra;
	for (uint32_t i = 0; i < map->nr_fields; i++)
		if (map->fields[i].kind == BPFCC_FIELD_LOCK)
			return map->fields[i].off + 1;
	return 0;
}

/*
 * What the numbers in a map of maps stand for: the maps of the table that may be in there, in their places. Not
 * the table itself, as a number comes from memory that others write, and what was proved holds for
 * maps like the template only.
 */
static LLVMValueRef l_inner_table(struct lower *l, const struct bpfcc_map *map)
{
	LLVMValueRef *v_descs = calloc(l->object->nr_maps + 1, sizeof(*v_descs)), v;
	uint32_t nr = 0;

	if (!v_descs)
		return NULL;
	for (uint32_t i = 0; i < l->object->nr_maps; i++)
		if (bpfcc_map_is_in_table(&l->object->maps[i]))
			v_descs[nr++] = bpfcc_map_is_like(map->inner, &l->object->maps[i]) ?
						l->maps[i].v_desc :
						l_null(l);
	v = l_constant(l, "inner", map, LLVMConstArray2(l->t_ptr, v_descs, nr));
	free(v_descs);
	return v;
}

static int l_map_desc(struct lower *l, struct lower_map *m)
{
	const struct bpfcc_map *map = m->map;
	LLVMValueRef v_inner = map->inner ? l_inner_table(l, map) : NULL;
	uint32_t extra = map->inner ? l_table_index(l, l->object->nr_maps) :
				      desc_extra(map);

	if (map->inner && !v_inner)
		return -ENOMEM;

	LLVMValueRef v[] = {
	    l_u32(l, sizeof(struct inlay_map_desc)),
	    l_u32(l, map->type),
	    l_u32(l, map->key_size),
	    l_u32(l, map->value_size),
	    l_u32(l, desc_stride(map)),
	    l_u32(l, map->max_entries),
	    l_u32(l, map->map_flags),
	    l_u32(l, m->flags),
	    l_u32(l, l_table_index(l, map->index)),
	    l_u32(l, map->btf_key_type_id),
	    l_u32(l, map->btf_value_type_id),
	    l_u32(l, extra),
	    l_u64(l, m->region_bytes),
	    l_u64(l, m->shard_bytes),
	    l_or_null(l, m->v_start ? m->v_start : m->v_region),
	    l_or_null(l, m->v_base),
	    l_or_null(l, m->v_slot),
	    ll_string(l->module, map->name),
	    l_or_null(l, l->v_object),
	    l_or_null(l, v_inner),
	};

	LLVMSetInitializer(m->v_desc, LLVMConstStructInContext(l->context, v, NR(v), false));
	return 0;
}

/*
 * Declares the object descriptor and makes storage and descriptors of all maps; code can refer to
 * them afterwards.
 */
int l_maps(struct lower *l)
{
	LLVMTypeRef t_desc = l_desc_type(l);
	uint64_t ctl_bytes =
	    inlay_round_up(l->object->nr_progs * sizeof(struct inlay_prog_ctl), INLAY_PAGE_BYTES);
	LLVMTypeRef t_object[] = {
	    l->t_i32, l->t_i16, l->t_i16, LLVMArrayType2(l->t_i8, INLAY_HASH_BYTES),
	    l->t_ptr, l->t_ptr, l->t_i32, l->t_i32,
	    l->t_ptr, l->t_ptr, l->t_ptr, l->t_i64,
	    l->t_ptr, l->t_ptr, l->t_i64, l->t_ptr};
	int err;

	_Static_assert(sizeof(struct inlay_object_desc) == 112, "t_object follows it");
	if (l->mode != BPFCC_LOWER_RUN) {
		l->v_object = l_global(
		    l, "object", NULL,
		    LLVMStructTypeInContext(l->context, t_object, NR(t_object), false));
		l->v_ctl = l_region(l, "ctl", NULL, NULL, 0, ctl_bytes);
	}
	for (uint32_t i = 0; i < l->object->nr_maps; i++) {
		struct lower_map *m = &l->maps[i];

		m->map = &l->object->maps[i];
		m->v_desc = l_global(l, "desc", m->map, t_desc);
		LLVMSetGlobalConstant(m->v_desc, true);
		ll_make_odr(l->module, m->v_desc, NULL);
	}
	/* a map of maps refers to the descriptors of others */
	for (uint32_t i = 0; i < l->object->nr_maps; i++) {
		err = l_map_storage(l, &l->maps[i]);
		if (!err)
			err = l_map_desc(l, &l->maps[i]);
		if (err)
			return err;
	}
	return 0;
}

/*
 * How other code of the same program reaches maps and variables, for the header (header.c): by
 * functions, because regions are hidden, and their pages must not be copied into an executable.
 */
static void l_accessor(struct lower *l, struct lower_map *m)
{
	bool is_global = m->flags & INLAY_MAP_GLOBAL;
	LLVMBuilderRef b = l->builder;
	LLVMValueRef v_fn, v = m->v_desc;
	char name[256];

	name_of(l, is_global ? "memory" : "map", m->map, name, sizeof(name));
	v_fn = LLVMAddFunction(l->module, name, LLVMFunctionType(l->t_ptr, NULL, 0, false));
	ll_add_attr(v_fn, LLVMAttributeFunctionIndex, "nounwind");
	LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlockInContext(l->context, v_fn, "entry"));
	if (is_global && m->v_region) {
		v = m->v_region;
	} else if (is_global) {
		v = LLVMBuildLoad2(b, l->t_ptr, m->v_base, "");
		LLVMSetOrdering(v, LLVMAtomicOrderingMonotonic);
		LLVMSetAlignment(v, 8);
	}
	LLVMBuildRet(b, v);
}

void l_accessors(struct lower *l)
{
	for (uint32_t i = 0; i < l->object->nr_maps; i++)
		if (!(l->maps[i].flags & INLAY_MAP_RODATA))
			l_accessor(l, &l->maps[i]);
}

static LLVMValueRef l_prog_descs(struct lower *l)
{
	uint32_t nr = l->object->nr_progs;
	LLVMValueRef *v_descs = calloc(nr ? nr : 1, sizeof(*v_descs)), v;
	LLVMTypeRef t[] = {l->t_ptr, l->t_ptr, l->t_ptr, l->t_i32, l->t_i32};
	LLVMTypeRef t_desc = LLVMStructTypeInContext(l->context, t, NR(t), false);

	_Static_assert(sizeof(struct inlay_prog_desc) == 32, "t follows inlay_prog_desc");
	if (!v_descs)
		return NULL;
	for (uint32_t i = 0; i < nr; i++) {
		const struct bpfcc_prog *prog = &l->object->progs[i];
		uint32_t flags = 0;

		if (prog->path)
			flags |= INLAY_PROG_F_PATH;
		if (prog->flags & BPFCC_PROG_SWITCHED)
			flags |= INLAY_PROG_F_SWITCHED;
		if (prog->flags & BPFCC_PROG_SWITCHED_ON)
			flags |= INLAY_PROG_F_SWITCHED_ON;
		if (l->handle->opts.stats)
			flags |= INLAY_PROG_F_STATS;
		LLVMValueRef v_fields[] = {
		    ll_string(l->module, prog->name),
		    ll_string(l->module, prog->section),
		    prog->path ? ll_string(l->module, prog->path) : l_null(l),
		    l_u32(l, prog->kind),
		    l_u32(l, flags),
		};
		v_descs[i] = LLVMConstStructInContext(l->context, v_fields, NR(v_fields), false);
	}
	v = l_constant(l, "progs", NULL, LLVMConstArray2(t_desc, v_descs, nr));
	free(v_descs);
	return v;
}

static LLVMValueRef l_map_table(struct lower *l)
{
	uint32_t nr = 0;
	LLVMValueRef *v_descs = calloc(l->object->nr_maps + 1, sizeof(*v_descs)), v;

	if (!v_descs)
		return NULL;
	for (uint32_t i = 0; i < l->object->nr_maps; i++)
		if (bpfcc_map_is_in_table(&l->object->maps[i]))
			v_descs[nr++] = l->maps[i].v_desc;
	v = l_constant(l, "maps", NULL, LLVMConstArray2(l->t_ptr, v_descs, nr));
	free(v_descs);
	return v;
}

/* The pointer that the runtime finds the object by, and the symbol that two versions collide on. */
static void l_object_anchors(struct lower *l)
{
	char name[256], part[160], comdat[64];
	LLVMValueRef v_ref, v_only;

	name_of(l, "object", NULL, comdat, sizeof(comdat));
	v_ref = l_global(l, "objref", NULL, l->t_ptr);
	LLVMSetInitializer(v_ref, l->v_object);
	LLVMSetGlobalConstant(v_ref, true);
	LLVMSetSection(v_ref, INLAY_SECTION_OBJECTS);
	LLVMSetAlignment(v_ref, 8);
	ll_make_odr(l->module, v_ref, comdat);
	ll_append_used(l->module, &v_ref, 1);

	ll_symbol_part(l->object->name, part, sizeof(part));
	snprintf(name, sizeof(name), "__inlay_only_one_version_of_probe_object_%s", part);
	v_only = LLVMAddGlobal(l->module, l->t_i8, name);
	LLVMSetInitializer(v_only, LLVMConstInt(l->t_i8, 1, false));
	LLVMSetGlobalConstant(v_only, true);
	LLVMSetVisibility(v_only, LLVMHiddenVisibility);
	LLVMSetComdat(v_only, LLVMGetOrInsertComdat(l->module, comdat));
}

void l_object(struct lower *l)
{
	const struct bpfcc_object *object = l->object;
	LLVMTypeRef t_gates = LLVMArrayType2(l->t_i8, object->nr_progs);
	LLVMValueRef v_gates = l_global(l, "gates", NULL, t_gates), v_btf = NULL, v_start;
	uint64_t ctl_bytes =
	    inlay_round_up(object->nr_progs * sizeof(struct inlay_prog_ctl), INLAY_PAGE_BYTES);

	LLVMSetInitializer(v_gates, LLVMConstNull(t_gates));
	ll_make_odr(l->module, v_gates, NULL);
	if (object->btf_data) {
		v_btf = l_constant(l, "btf", NULL, l_bytes(l, object->btf_data, object->btf_bytes));
		LLVMSetAlignment(v_btf, 8);
	}
	v_start = LLVMAddFunction(l->module, "__inlay_rt_start_v1",
				  LLVMFunctionType(l->t_void, NULL, 0, false));

	LLVMValueRef v[] = {
	    l_u32(l, sizeof(struct inlay_object_desc)),
	    LLVMConstInt(l->t_i16, INLAY_ABI_MAJOR, false),
	    LLVMConstInt(l->t_i16, INLAY_ABI_MINOR, false),
	    l_bytes(l, object->hash, INLAY_HASH_BYTES),
	    ll_string(l->module, object->name),
	    ll_string(l->module, object->license ? object->license : ""),
	    l_u32(l, l_table_index(l, object->nr_maps)),
	    l_u32(l, object->nr_progs),
	    l_map_table(l),
	    l_prog_descs(l),
	    l->v_ctl,
	    l_u64(l, ctl_bytes),
	    v_gates,
	    l_or_null(l, v_btf),
	    l_u64(l, object->btf_bytes),
	    v_start,
	};

	LLVMSetInitializer(l->v_object, LLVMConstStructInContext(l->context, v, NR(v), false));
	LLVMSetGlobalConstant(l->v_object, true);
	ll_make_odr(l->module, l->v_object, NULL);
	l_object_anchors(l);
}
