/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A segment by hand, in a file of its own directory: what tests of the reader open, cut and damage.
 * Built from abi.h and libbpf's BTF writer alone, so that reader and runtime cannot be wrong together.
 */
#ifndef INLAY_READER_FIXTURE_H
#define INLAY_READER_FIXTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "inlay/inlay.h"

#ifndef IMAGE_BYTES
#define IMAGE_BYTES (256 << 10)
#endif

/* Rows of the maps table. */
enum { MAP_COUNTS, MAP_CONNS, MAP_PER_THREAD, MAP_BY_FUNC, MAP_BSS, MAP_ODD, NR_MAPS };
enum { PROG_FIXED, PROG_SWITCHED, NR_PROGS };

struct image {
	char dir[64];
	char path[128];
	char *bytes;		/* IMAGE_BYTES */
	uint64_t used;
	struct inlay_segment *head;
	/* places of what tests look at */
	uint64_t counts_off, conns_off, ctl_off, btf_off, btf_bytes, bss_off;
	int lock_fd;		/* holds the lock of procs row 0 */
};

/* Types of the object; ids as the maps name them. */
struct types {
	int u32, u64, key, hist, counts_array, bss;
};

struct conn_key {
	uint32_t pid;
	char comm[12];
};

struct conn_value {
	uint64_t slots[8];
	uint32_t last_fd;
	uint8_t is_open;
	uint8_t pad[3];
};

static inline struct btf *fixture_types(struct types *ids)
{
	struct btf *btf = btf__new_empty();
	int chr, flag, text, slots;

	assert_non_null(btf);
	ids->u32 = btf__add_int(btf, "__u32", 4, 0);
	ids->u64 = btf__add_int(btf, "__u64", 8, 0);
	chr = btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	flag = btf__add_int(btf, "_Bool", 1, BTF_INT_BOOL);
	text = btf__add_array(btf, ids->u32, chr, 12);
	slots = btf__add_array(btf, ids->u32, ids->u64, 8);
	ids->key = btf__add_struct(btf, "conn_key", sizeof(struct conn_key));
	assert_false(btf__add_field(btf, "pid", ids->u32, 0, 0));
	assert_false(btf__add_field(btf, "comm", text, 32, 0));
	ids->hist = btf__add_struct(btf, "conn_value", sizeof(struct conn_value));
	assert_false(btf__add_field(btf, "slots", slots, 0, 0));
	assert_false(btf__add_field(btf, "last_fd", ids->u32, 512, 0));
	assert_false(btf__add_field(btf, "is_open", flag, 544, 0));
	slots = btf__add_var(btf, "total", BTF_VAR_GLOBAL_ALLOCATED, ids->u64);
	text = btf__add_var(btf, "limit", BTF_VAR_GLOBAL_ALLOCATED, ids->u32);
	ids->bss = btf__add_datasec(btf, ".bss", 16);
	assert_false(btf__add_datasec_var_info(btf, slots, 0, 8));
	assert_false(btf__add_datasec_var_info(btf, text, 8, 4));
	return btf;
}

/* Space at the end, as if from the runtime: whole pages. */
static inline uint64_t image_take(struct image *image, uint64_t bytes)
{
	uint64_t off = image->used;

	image->used += inlay_round_up(bytes, INLAY_PAGE_BYTES);
	assert_true(image->used <= IMAGE_BYTES);
	return off;
}

static inline struct inlay_table image_table(uint64_t *at, uint32_t row_bytes, uint32_t max,
					     uint32_t nr)
{
	struct inlay_table table = { .off = *at, .entry_bytes = row_bytes, .max = max, .nr = nr };

	*at += (uint64_t)row_bytes * max;
	return table;
}

static inline void *image_row(struct image *image, const struct inlay_table *table, uint32_t i)
{
	return image->bytes + table->off + (uint64_t)i * table->entry_bytes;
}

static inline struct inlay_seg_map *image_map(struct image *image, uint32_t i, const char *name,
					      uint32_t type, uint32_t key, uint32_t value,
					      uint32_t entries, uint32_t flags)
{
	struct inlay_seg_map *map = image_row(image, &image->head->maps, i);

	snprintf(map->name, sizeof(map->name), "%s", name);
	map->type = type;
	map->key_size = key;
	map->value_size = value;
	map->value_stride = (uint32_t)inlay_round_up(value, 8);
	map->max_entries = entries;
	map->flags = flags;
	map->bytes = inlay_map_region_bytes(type, key, value, entries);
	map->shard_bytes = inlay_map_shard_bytes(type, value, entries);
	if (map->bytes)
		map->off = image_take(image, map->bytes);
	return map;
}

/* A node that is in nobody's hands; the caller links it. */
static inline struct inlay_hash_node *image_node(struct image *image,
						 const struct inlay_seg_map *map, uint32_t nr,
						 const void *key, const void *value)
{
	bool is_percpu = map->type == INLAY_MAP_TYPE_PERCPU_HASH;
	char *at = image->bytes + map->off + inlay_hash_nodes_off(map->max_entries) +
		   (uint64_t)(nr - 1) *
			   inlay_hash_node_bytes(map->key_size, map->value_size, is_percpu);
	struct inlay_hash_node *node = (void *)at;

	node->life = INLAY_NODE_USED | 3ull << 32;
	memcpy(node + 1, key, map->key_size);
	if (value)
		memcpy((char *)(node + 1) + inlay_round_up(map->key_size, 8), value,
		       map->value_size);
	return node;
}

static inline void image_link(struct image *image, const struct inlay_seg_map *map,
			      uint32_t bucket, uint64_t link)
{
	memcpy(image->bytes + map->off + sizeof(struct inlay_hash_header) + 8 * bucket, &link, 8);
}

static inline struct inlay_seg_shard *image_shard(struct image *image, uint32_t map, uint32_t tid,
						  uint32_t state)
{
	struct inlay_seg_map *row = image_row(image, &image->head->maps, map);
	struct inlay_seg_shard *shard = image_row(image, &image->head->shards,
						  image->head->shards.nr++);

	shard->state = state;
	shard->tid = tid;
	shard->map = map;
	shard->bytes = row->shard_bytes;
	shard->off = image_take(image, row->shard_bytes);
	return shard;
}

/* Three keys in one chain, worker1 -> (a deleted node) -> worker2 -> (a dozing node) -> worker3. */
static inline void image_conns(struct image *image, struct inlay_seg_map *map)
{
	static const uint64_t next[] = { 4, 5, 0, 2 | INLAY_LINK_MARK,
					 3 | INLAY_LINK_DOZING | 7ull << INLAY_LINK_TAG_SHIFT };
	struct inlay_hash_header *header = (void *)(image->bytes + map->off);

	for (uint32_t i = 1; i <= 5; i++) {
		struct conn_key key = { .pid = 40 - i };
		struct conn_value value = { .last_fd = i, .is_open = i & 1 };

		snprintf(key.comm, sizeof(key.comm), "worker%u", i);
		value.slots[i] = 10 * i;
		image_node(image, map, i, &key, &value)->next = next[i - 1];
	}
	image_link(image, map, 0, 1);
	header->high = 5;
}

static inline void image_shards(struct image *image)
{
	struct inlay_seg_map *by_func = image_row(image, &image->head->maps, MAP_BY_FUNC);
	uint64_t func = 0x401000;
	struct inlay_hash_header *header = (void *)(image->bytes + by_func->off);

	/* two threads, one of them gone; a row never used; shard values of an older node are stale */
	for (uint32_t i = 0; i < 2; i++) {
		struct inlay_seg_shard *array = image_shard(image, MAP_PER_THREAD, 100 + i,
							    i ? INLAY_SHARD_IDLE :
								INLAY_SHARD_OWNED);
		struct inlay_seg_shard *hash = image_shard(image, MAP_BY_FUNC, 100 + i,
							   INLAY_SHARD_OWNED);
		uint64_t *values = (void *)(image->bytes + array->off);
		struct inlay_shard_value *one = (void *)(image->bytes + hash->off);

		values[0] = 7 + i;
		values[3] = 1000;
		one->gen = i ? 2 : 3;
		*(uint64_t *)(one + 1) = i ? 999 : 21;
	}
	image_shard(image, MAP_PER_THREAD, 0, INLAY_SHARD_FREE);
	image_node(image, by_func, 1, &func, NULL);
	image_link(image, by_func, 0, 1);
	header->high = 1;
}

static inline void image_trace(struct image *image)
{
	struct inlay_trace *trace;

	image->head->trace_off = image_take(image, sizeof(*trace));
	trace = (void *)(image->bytes + image->head->trace_off);
	trace->next_ticket = 3;
	for (uint64_t i = 0; i < 3; i++) {
		struct inlay_trace_record *record = &trace->records[i];

		record->seq = i == 1 ? 2 * i + 1 : 2 * i + 2; /* the second was never finished */
		record->time_ns = 1000 + i;
		record->tid = 7;
		record->text_bytes = (uint32_t)sprintf(record->text, "line %u\n", (unsigned int)i);
	}
}

static inline void image_write(struct image *image)
{
	int fd = open(image->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	image->head->total_bytes = image->used;
	assert_int_equal(write(fd, image->bytes, image->used), (ssize_t)image->used);
	close(fd);
}

static inline void image_lock(struct image *image)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			      .l_start = (off_t)INLAY_PROC_LOCK_BASE, .l_len = 1 };

	image->lock_fd = open(image->path, O_RDWR | O_CLOEXEC);
	assert_true(image->lock_fd >= 0);
	assert_int_equal(fcntl(image->lock_fd, F_OFD_SETLK, &lock), 0);
}

static inline void image_init(struct image *image)
{
	struct inlay_seg_object *object;
	struct inlay_seg_proc *proc;
	struct inlay_seg_map *map;
	struct types ids;
	struct btf *btf = fixture_types(&ids);
	uint64_t at = inlay_round_up(sizeof(struct inlay_segment), 64);
	const void *raw;
	uint32_t raw_bytes;

	memset(image, 0, sizeof(*image));
	image->lock_fd = -1;
	strcpy(image->dir, "/tmp/inlay-reader-XXXXXX");
	assert_non_null(mkdtemp(image->dir));
	snprintf(image->path, sizeof(image->path), "%s/kv.4242.777", image->dir);
	image->bytes = calloc(1, IMAGE_BYTES);
	assert_non_null(image->bytes);
	image->head = (void *)image->bytes;
	*image->head = (struct inlay_segment){
		.magic = INLAY_SEGMENT_MAGIC, .abi_major = INLAY_ABI_MAJOR,
		.abi_minor = INLAY_ABI_MINOR, .state = INLAY_SEGMENT_LIVE,
		.uid = getuid(), .pid = 4242, .starttime = 777, .created_ns = 1,
		.comm = "kv", .exe = "/usr/bin/kv", .exe_base = 0x10000,
	};
	image->head->objects = image_table(&at, sizeof(struct inlay_seg_object), 2, 1);
	image->head->maps = image_table(&at, sizeof(struct inlay_seg_map), 8, NR_MAPS);
	image->head->progs = image_table(&at, sizeof(struct inlay_seg_prog), 4, NR_PROGS);
	image->head->procs = image_table(&at, sizeof(struct inlay_seg_proc), 4, 2);
	image->head->shards = image_table(&at, sizeof(struct inlay_seg_shard), 16, 0);
	image->used = inlay_round_up(at, INLAY_PAGE_BYTES);
	image->head->header_bytes = (uint32_t)image->used;

	raw = btf__raw_data(btf, &raw_bytes);
	image->btf_bytes = raw_bytes;
	image->btf_off = image_take(image, raw_bytes);
	memcpy(image->bytes + image->btf_off, raw, raw_bytes);
	image->ctl_off = image_take(image, NR_PROGS * sizeof(struct inlay_prog_ctl));

	object = image_row(image, &image->head->objects, 0);
	*object = (struct inlay_seg_object){
		.hash = { 0xab, 0xcd }, .name = "conns", .license = "GPL",
		.btf_off = image->btf_off, .btf_bytes = raw_bytes, .nr_maps = NR_MAPS,
		.nr_progs = NR_PROGS, .ctl_off = image->ctl_off, .ctl_bytes = INLAY_PAGE_BYTES,
	};
	for (uint32_t i = 0; i < NR_PROGS; i++) {
		struct inlay_seg_prog *prog = image_row(image, &image->head->progs, i);
		struct inlay_prog_ctl *ctl = (void *)(image->bytes + image->ctl_off);

		snprintf(prog->name, sizeof(prog->name), i ? "switched" : "fixed");
		snprintf(prog->section, sizeof(prog->section), "uprobe/kv:get");
		prog->kind = INLAY_PROG_ENTRY;
		prog->flags = i ? INLAY_PROG_F_SWITCHED : INLAY_PROG_F_STATS;
		prog->index = i;
		ctl[i].misses = 3 + i;
		ctl[i].drops = i;
		ctl[i].runs = 100;
		ctl[i].time_ns = 5000;
	}
	proc = image_row(image, &image->head->procs, 0);
	proc->pid = 4242;
	proc->starttime = 777;
	proc = image_row(image, &image->head->procs, 1);
	proc->pid = 4300; /* died: nobody holds its lock */

	map = image_map(image, MAP_COUNTS, "counts", INLAY_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	map->btf_key_type_id = (uint32_t)ids.u32;
	map->btf_value_type_id = (uint32_t)ids.u64;
	image->counts_off = map->off;
	*(uint64_t *)(image->bytes + map->off) = 11;
	*(uint64_t *)(image->bytes + map->off + 24) = ~0ull;
	map = image_map(image, MAP_CONNS, "conns", INLAY_MAP_TYPE_HASH, sizeof(struct conn_key),
			sizeof(struct conn_value), 8, INLAY_MAP_HASH);
	map->btf_key_type_id = (uint32_t)ids.key;
	map->btf_value_type_id = (uint32_t)ids.hist;
	image->conns_off = map->off;
	image_conns(image, map);
	map = image_map(image, MAP_PER_THREAD, "per_thread", INLAY_MAP_TYPE_PERCPU_ARRAY, 4, 8, 4,
			INLAY_MAP_PERCPU);
	map->btf_key_type_id = (uint32_t)ids.u32;
	map->btf_value_type_id = (uint32_t)ids.u64;
	map = image_map(image, MAP_BY_FUNC, "by_func", INLAY_MAP_TYPE_PERCPU_HASH, 8, 8, 8,
			INLAY_MAP_PERCPU | INLAY_MAP_HASH);
	map->btf_key_type_id = (uint32_t)ids.u64;
	map->btf_value_type_id = (uint32_t)ids.u64;
	map = image_map(image, MAP_BSS, ".bss", INLAY_MAP_TYPE_ARRAY, 4, 16, 1, INLAY_MAP_GLOBAL);
	map->btf_value_type_id = (uint32_t)ids.bss;
	image->bss_off = map->off;
	*(uint64_t *)(image->bytes + map->off) = 1234;
	*(uint32_t *)(image->bytes + map->off + 8) = 9;
	map = image_map(image, MAP_ODD, "odd", 77, 4, 8, 4, 0);
	map->off = 0;
	image_shards(image);
	image_trace(image);
	image_write(image);
	image_lock(image);
	btf__free(btf);
}

static inline void image_fini(struct image *image)
{
	if (image->lock_fd >= 0)
		close(image->lock_fd);
	unlink(image->path);
	rmdir(image->dir);
	free(image->bytes);
}

static inline struct inlay_segment_opts image_opts(const struct image *image, char *reason,
						   size_t bytes)
{
	struct inlay_segment_opts opts = INLAY_SIZED(inlay_segment_opts);

	opts.dir = image->dir;
	opts.reason = reason;
	opts.reason_bytes = bytes;
	return opts;
}

#endif /* INLAY_READER_FIXTURE_H */
