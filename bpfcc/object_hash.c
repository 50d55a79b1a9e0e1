/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hashes everything that changes what a program does and how its data is read: relocated
 * instructions, maps with their initial contents, attach points, licence, types, helper table, ABI
 * and tool version. Each part goes in with its length, so that no two different objects feed the
 * same bytes. What CO-RE relocations made of the instructions for a target does not count, but what they
 * ask for does: one object is one object in every file of a target, and code that differs has names
 * that differ (bpfcc_object.layout). The file's path, its debug lines and the level of optimisation do not count: the same
 * probes built in another directory are the same probes.
 */
#include "bpfcc/object_hash.h"

#include <string.h>

#include <bpf/btf.h>

#include "bpfcc/btfext.h"
#include "bpfcc/helpers.h"
#include "bpfcc/sha256.h"

static void add_u64(struct bpfcc_sha256 *h, uint64_t value)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	bpfcc_sha256_update(h, bytes, sizeof(bytes));
}

static void add_bytes(struct bpfcc_sha256 *h, const void *data, uint64_t bytes)
{
	add_u64(h, data ? bytes : UINT64_MAX);
	if (data)
		bpfcc_sha256_update(h, data, bytes);
}

static void add_text(struct bpfcc_sha256 *h, const char *text)
{
	add_bytes(h, text, text ? strlen(text) : 0);
}

static void add_map(struct bpfcc_sha256 *h, const struct bpfcc_map *m)
{
	add_text(h, m->name);
	add_u64(h, m->type);
	add_u64(h, m->key_size);
	add_u64(h, m->value_size);
	add_u64(h, m->max_entries);
	add_u64(h, m->map_flags);
	add_u64(h, m->flags);
	add_bytes(h, m->data, m->value_size);
	add_u64(h, m->map_extra);
	if (m->arena_data)
		add_bytes(h, m->arena_data, m->arena_bytes);
	add_u64(h, m->nr_inner_maps);
	for (uint32_t i = 0; i < m->nr_inner_maps; i++)
		add_u64(h, (uint64_t)m->inner_maps[i]);
	for (uint32_t i = 0; m->tail_progs && i < m->max_entries; i++)
		add_u64(h, (uint64_t)m->tail_progs[i]);
}

static void add_prog(struct bpfcc_sha256 *h, const struct bpfcc_prog *p)
{
	add_text(h, p->name);
	add_text(h, p->section);
	add_text(h, p->path);
	add_text(h, p->function);
	add_text(h, p->caller);
	add_u64(h, p->kind);
	add_u64(h, p->flags);
}

static void add_btf_type(struct bpfcc_sha256 *h, const struct btf *btf, const struct btf_type *t)
{
	add_u64(h, t->info);
	add_u64(h, t->size);
	add_text(h, btf__str_by_offset(btf, t->name_off));
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		add_u64(h, *(const uint32_t *)(t + 1));
		break;
	case BTF_KIND_ARRAY:
		add_u64(h, btf_array(t)->type);
		add_u64(h, btf_array(t)->nelems);
		break;
	case BTF_KIND_DECL_TAG:
		add_u64(h, (uint64_t)btf_decl_tag(t)->component_idx);
		break;
	}
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		switch (btf_kind(t)) {
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
			add_text(h, btf__str_by_offset(btf, btf_members(t)[i].name_off));
			add_u64(h, btf_members(t)[i].type);
			add_u64(h, btf_members(t)[i].offset);
			break;
		case BTF_KIND_ENUM:
			add_text(h, btf__str_by_offset(btf, btf_enum(t)[i].name_off));
			add_u64(h, (uint64_t)btf_enum(t)[i].val);
			break;
		case BTF_KIND_ENUM64:
			add_text(h, btf__str_by_offset(btf, btf_enum64(t)[i].name_off));
			add_u64(h, btf_enum64_value(&btf_enum64(t)[i]));
			break;
		case BTF_KIND_FUNC_PROTO:
			add_text(h, btf__str_by_offset(btf, btf_params(t)[i].name_off));
			add_u64(h, btf_params(t)[i].type);
			break;
		case BTF_KIND_DATASEC:
			add_u64(h, btf_var_secinfos(t)[i].type);
			add_u64(h, btf_var_secinfos(t)[i].offset);
			add_u64(h, btf_var_secinfos(t)[i].size);
			break;
		}
	}
}

/* Types by their content: the raw bytes hold offsets into strings, which are of source lines, too.
 */
static void add_btf(struct bpfcc_sha256 *h, const struct btf *btf)
{
	uint32_t nr = btf ? btf__type_cnt(btf) : 0;

	add_u64(h, nr);
	for (uint32_t id = 1; id < nr; id++)
		add_btf_type(h, btf, btf__type_by_id(btf, id));
}

static void add_relos(struct bpfcc_sha256 *h, const struct bpfcc_object *o)
{
	add_u64(h, o->nr_relos);
	for (uint32_t i = 0; i < o->nr_relos; i++) {
		add_text(h, o->relos[i].section);
		add_u64(h, o->relos[i].offset);
		add_u64(h, o->relos[i].type_id);
		add_text(h, o->relos[i].access);
		add_u64(h, o->relos[i].kind);
	}
}

static void hash_layout(struct bpfcc_object *o)
{
	uint8_t digest[BPFCC_SHA256_BYTES];
	struct bpfcc_sha256 h;

	if (!o->has_target_relos)
		return;
	bpfcc_sha256_init(&h);
	for (uint32_t i = 0; i < o->nr_funcs; i++)
		add_bytes(&h, o->funcs[i].insns, 8ull * o->funcs[i].nr_insns);
	bpfcc_sha256_final(&h, digest);
	memcpy(o->layout, digest, sizeof(o->layout));
}

int bpfcc_object_hash(struct bpfcc_object *o, const struct inlay_bpfcc_opts *opts)
{
	uint8_t digest[BPFCC_SHA256_BYTES];
	struct bpfcc_sha256 h;

	bpfcc_sha256_init(&h);
	add_text(&h, INLAY_VERSION);
	add_u64(&h, INLAY_ABI_MAJOR << 16 | INLAY_ABI_MINOR);
	add_text(&h, bpfcc_helpers_abi);
	add_text(&h, o->name);
	add_text(&h, o->license);
	add_u64(&h, opts->stats);
	add_u64(&h, o->nr_maps);
	for (uint32_t i = 0; i < o->nr_maps; i++)
		add_map(&h, &o->maps[i]);
	add_u64(&h, o->nr_funcs);
	for (uint32_t i = 0; i < o->nr_funcs; i++) {
		add_text(&h, o->funcs[i].name);
		if (o->funcs[i].hash_insns)
			add_bytes(&h, o->funcs[i].hash_insns, 8ull * o->funcs[i].nr_hash_insns);
		else
			add_bytes(&h, o->funcs[i].insns, 8ull * o->funcs[i].nr_insns);
	}
	add_relos(&h, o);
	add_u64(&h, o->nr_progs);
	for (uint32_t i = 0; i < o->nr_progs; i++)
		add_prog(&h, &o->progs[i]);
	add_btf(&h, o->btf);
	bpfcc_sha256_final(&h, digest);
	memcpy(o->hash, digest, sizeof(o->hash));
	hash_layout(o);
	return 0;
}
