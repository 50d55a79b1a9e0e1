/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hashes everything that changes the emitted code or data: relocated instructions, maps with their
 * initial contents, attach points, licence, BTF, options, helper table, ABI and tool version. Each part
 * goes in with its length, so that no two different objects feed the same bytes. Neither the file's
 * path nor its debug lines count: the same probes built in another directory are the same probes.
 */
#include "bpfcc/object_hash.h"

#include <string.h>

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
	add_text(&h, opts->target);
	add_u64(&h, opts->stats);
	add_u64(&h, (uint64_t)opts->opt_level);
	add_u64(&h, o->nr_maps);
	for (uint32_t i = 0; i < o->nr_maps; i++)
		add_map(&h, &o->maps[i]);
	add_u64(&h, o->nr_funcs);
	for (uint32_t i = 0; i < o->nr_funcs; i++) {
		add_text(&h, o->funcs[i].name);
		add_bytes(&h, o->funcs[i].insns, 8ull * o->funcs[i].nr_insns);
	}
	add_u64(&h, o->nr_progs);
	for (uint32_t i = 0; i < o->nr_progs; i++)
		add_prog(&h, &o->progs[i]);
	add_bytes(&h, o->btf_data, o->btf_bytes);
	bpfcc_sha256_final(&h, digest);
	memcpy(o->hash, digest, sizeof(o->hash));
	return 0;
}
