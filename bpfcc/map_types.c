/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a map of each type may be like: what the kernel's map_alloc_check functions refuse, with their
 * error numbers. Also of types that the runtime does not have yet, for `bpfcc verify`.
 */
#include <errno.h>
#include <stdio.h>

#include "bpfcc/isa.h"
#include "bpfcc/loader.h"

#define MAX_KEY_BYTES 512u
#define MAX_ENTRIES (1u << 30)
#define MAX_PERCPU_VALUE_BYTES (32u << 10) /* the kernel's PCPU_MIN_UNIT_SIZE */
#define MAX_REGION_BYTES (1ull << 40)
#define MAX_LPM_KEY_BYTES 260u /* prefix length and 256 bytes */
#define MAX_STACK 127u /* addresses: kernel.perf_event_max_stack's default */
#define MAX_HASHES 15u
#define PAGE_BYTES 4096u
#define ACCESS_FLAGS                                                                               \
	(BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)
#define PERCPU_FLAGS (ACCESS_FLAGS & ~BPF_F_NUMA_NODE)

enum key_rule { KEY_ANY, KEY_INDEX, KEY_NONE, KEY_LPM };
enum value_rule { VALUE_ANY, VALUE_FD, VALUE_NONE, VALUE_STACK };

static const struct bpfcc_map_type {
	uint32_t type;
	enum key_rule key;
	enum value_rule value;
	uint32_t flags;		/* map_flags that are valid */
	uint32_t layout;	/* enum inlay_map_flags */
	bool is_built;		/* the runtime has it */
} types[] = {
	{BPF_MAP_TYPE_HASH, KEY_ANY, VALUE_ANY,
	 ACCESS_FLAGS | BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED, INLAY_MAP_HASH, true},
	{BPF_MAP_TYPE_ARRAY, KEY_INDEX, VALUE_ANY, ACCESS_FLAGS | BPF_F_MMAPABLE | BPF_F_INNER_MAP,
	 0, true},
	{BPF_MAP_TYPE_PERCPU_ARRAY, KEY_INDEX, VALUE_ANY, PERCPU_FLAGS, INLAY_MAP_PERCPU, true},
	{BPF_MAP_TYPE_PERCPU_HASH, KEY_ANY, VALUE_ANY,
	 PERCPU_FLAGS | BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED, INLAY_MAP_PERCPU | INLAY_MAP_HASH, true},
	{BPF_MAP_TYPE_PROG_ARRAY, KEY_INDEX, VALUE_FD,
	 ACCESS_FLAGS & ~(BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG), 0, true},
	{BPF_MAP_TYPE_PERF_EVENT_ARRAY, KEY_INDEX, VALUE_FD,
	 ACCESS_FLAGS & ~(BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG), INLAY_MAP_RING, true},
	{BPF_MAP_TYPE_STACK_TRACE, KEY_INDEX, VALUE_STACK, ACCESS_FLAGS | BPF_F_STACK_BUILD_ID,
	 INLAY_MAP_HASH, true},
	{BPF_MAP_TYPE_CGROUP_ARRAY, KEY_INDEX, VALUE_FD,
	 ACCESS_FLAGS & ~(BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG), 0, true},
	{BPF_MAP_TYPE_LRU_HASH, KEY_ANY, VALUE_ANY,
	 ACCESS_FLAGS | BPF_F_NO_COMMON_LRU | BPF_F_ZERO_SEED, INLAY_MAP_HASH, true},
	{BPF_MAP_TYPE_LRU_PERCPU_HASH, KEY_ANY, VALUE_ANY,
	 PERCPU_FLAGS | BPF_F_NO_COMMON_LRU | BPF_F_ZERO_SEED, INLAY_MAP_PERCPU | INLAY_MAP_HASH,
	 true},
	{BPF_MAP_TYPE_LPM_TRIE, KEY_LPM, VALUE_ANY, ACCESS_FLAGS | BPF_F_NO_PREALLOC, INLAY_MAP_HASH,
	 true},
	{BPF_MAP_TYPE_ARRAY_OF_MAPS, KEY_INDEX, VALUE_FD,
	 ACCESS_FLAGS & ~(BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG), 0, true},
	{BPF_MAP_TYPE_HASH_OF_MAPS, KEY_ANY, VALUE_FD,
	 BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED,
	 INLAY_MAP_HASH, true},
	{BPF_MAP_TYPE_QUEUE, KEY_NONE, VALUE_ANY, ACCESS_FLAGS, INLAY_MAP_HASH, true},
	{BPF_MAP_TYPE_STACK, KEY_NONE, VALUE_ANY, ACCESS_FLAGS, INLAY_MAP_HASH, true},
	{BPF_MAP_TYPE_BLOOM_FILTER, KEY_NONE, VALUE_ANY, ACCESS_FLAGS | BPF_F_ZERO_SEED, 0, true},
	{BPF_MAP_TYPE_RINGBUF, KEY_NONE, VALUE_NONE, BPF_F_NUMA_NODE, INLAY_MAP_RING, true},
	{BPF_MAP_TYPE_USER_RINGBUF, KEY_NONE, VALUE_NONE, BPF_F_NUMA_NODE, INLAY_MAP_RING, true},
	{BPFCC_MAP_TYPE_ARENA, KEY_NONE, VALUE_NONE,
	 BPF_F_MMAPABLE | BPFCC_F_SEGV_ON_FAULT | BPFCC_F_NO_USER_CONV, 0, true},
};

static const char *type_name(uint32_t type)
{
	const char *name = libbpf_bpf_map_type_str((enum bpf_map_type)type);

	if (type == BPFCC_MAP_TYPE_ARENA) /* newer than some libbpf */
		return "arena";
	return name ? name : "unknown";
}

static const struct bpfcc_map_type *type_of(const struct bpfcc_map *m)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == m->type)
			return &types[i];
	return NULL;
}

static int check_key(struct bpfcc_loader *l, const struct bpfcc_map_type *t,
		     const struct bpfcc_map *m, const struct bpfcc_where *where)
{
	switch (t->key) {
	case KEY_INDEX:
		if (m->key_size == 4)
			return 0;
		return bpfcc_error(l->diag, where, "use __type(key, __u32)",
				   "map \"%s\": an array's key_size is 4, not %u (-EINVAL)", m->name,
				   m->key_size);
	case KEY_NONE:
		if (!m->key_size)
			return 0;
		return bpfcc_error(l->diag, where, "leave out its key",
				   "map \"%s\": a map of type %s has no key (-EINVAL)", m->name,
				   type_name(m->type));
	case KEY_LPM:
		if (m->key_size > 4 && m->key_size <= MAX_LPM_KEY_BYTES)
			break;
		return bpfcc_error(l->diag, where,
				   "a key is a __u32 prefix length and up to 256 bytes",
				   "map \"%s\": key_size %u is not in 5..%u (-EINVAL)", m->name,
				   m->key_size, MAX_LPM_KEY_BYTES);
	case KEY_ANY:
		break;
	}
	if (!m->key_size)
		return bpfcc_error(l->diag, where, "give it a key type with __type(key, T)",
				   "map \"%s\": key_size is 0 (-EINVAL)", m->name);
	if (m->key_size > MAX_KEY_BYTES)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": key_size %u is above %u (-E2BIG)", m->name,
				   m->key_size, MAX_KEY_BYTES);
	return 0;
}

static int check_value(struct bpfcc_loader *l, const struct bpfcc_map_type *t,
		       const struct bpfcc_map *m, const struct bpfcc_where *where)
{
	uint32_t element;

	switch (t->value) {
	case VALUE_NONE:
		if (!m->value_size)
			return 0;
		return bpfcc_error(l->diag, where, "leave out its value",
				   "map \"%s\": a map of type %s has no value (-EINVAL)", m->name,
				   type_name(m->type));
	case VALUE_FD:
		if (m->value_size == 4)
			return 0;
		return bpfcc_error(l->diag, where, "use __uint(value_size, sizeof(__u32))",
				   "map \"%s\": value_size is 4 in a map of type %s, not %u (-EINVAL)",
				   m->name, type_name(m->type), m->value_size);
	case VALUE_STACK:
		element = m->map_flags & BPF_F_STACK_BUILD_ID ? sizeof(struct bpf_stack_build_id) : 8;
		if (m->value_size && m->value_size % element == 0 &&
		    m->value_size <= MAX_STACK * element)
			return 0;
		return bpfcc_error(l->diag, where,
				   "a stack is up to 127 addresses; __uint(value_size, N) or --map "
				   "NAME.value_size=N gives its size",
				   "map \"%s\": value_size %u is not %u to %u, a multiple of %u (-EINVAL)",
				   m->name, m->value_size, element, MAX_STACK * element, element);
	case VALUE_ANY:
		break;
	}
	if (!m->value_size)
		return bpfcc_error(l->diag, where, "give it a value type with __type(value, T)",
				   "map \"%s\": value_size is 0 (-EINVAL)", m->name);
	if (m->value_size > BPFCC_MAX_VALUE_BYTES)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": value_size %u is above %u (-E2BIG)", m->name,
				   m->value_size, BPFCC_MAX_VALUE_BYTES);
	if ((m->flags & INLAY_MAP_PERCPU || m->type == BPF_MAP_TYPE_LRU_PERCPU_HASH) &&
	    inlay_round_up(m->value_size, 8) > MAX_PERCPU_VALUE_BYTES)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": a per-CPU value_size of %u is above %u (-E2BIG)",
				   m->name, m->value_size, MAX_PERCPU_VALUE_BYTES);
	return 0;
}

#define ADDRESS_BITS 47 /* of a process, on every machine */

/* An arena's pages, and the address that they have for programs; bpfcc_maps_use() gives one to all. */
static int check_arena(struct bpfcc_loader *l, const struct bpfcc_map *m,
		       const struct bpfcc_where *where)
{
	uint64_t bytes = (uint64_t)m->max_entries * PAGE_BYTES;

	if (m->max_entries > INLAY_ARENA_MAX_PAGES)
		return bpfcc_error(l->diag, where, "max_entries are pages",
				   "map \"%s\": an arena has at most %u pages, 4 GiB (-E2BIG)",
				   m->name, INLAY_ARENA_MAX_PAGES);
	if (m->map_extra % PAGE_BYTES || m->map_extra >> ADDRESS_BITS)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": map_extra 0x%llx, the address of an arena, must be "
				   "a multiple of the page's size below 2^47 (-EINVAL)",
				   m->name, (unsigned long long)m->map_extra);
	if (m->map_extra >> 32 != (m->map_extra + bytes - 1) >> 32)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": its %u pages at map_extra 0x%llx cross a multiple of "
				   "4 GiB (-ERANGE)",
				   m->name, m->max_entries, (unsigned long long)m->map_extra);
	return 0;
}

static int check_entries(struct bpfcc_loader *l, const struct bpfcc_map_type *t,
			 const struct bpfcc_map *m, const struct bpfcc_where *where)
{
	bool is_ring = m->type == BPF_MAP_TYPE_RINGBUF || m->type == BPF_MAP_TYPE_USER_RINGBUF;

	if (!m->max_entries)
		return bpfcc_error(l->diag, where, "give it with __uint(max_entries, N) or --map",
				   "map \"%s\": max_entries is 0 (-EINVAL)", m->name);
	/* a PERF_EVENT_ARRAY's is what --map NAME.ring_bytes=N says */
	if (m->type == BPFCC_MAP_TYPE_ARENA)
		return check_arena(l, m, where);
	if (m->type != BPF_MAP_TYPE_BLOOM_FILTER && m->type != BPF_MAP_TYPE_PERF_EVENT_ARRAY &&
	    m->map_extra)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": map_extra is for bloom filters and arenas (-EINVAL)",
				   m->name);
	if (m->type == BPF_MAP_TYPE_BLOOM_FILTER && m->map_extra > MAX_HASHES)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": a bloom filter has up to %u hash functions (-EINVAL)",
				   m->name, MAX_HASHES);
	if (is_ring && (m->max_entries % PAGE_BYTES || (m->max_entries & (m->max_entries - 1))))
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": the size of a ring buffer is a power of two and a "
				   "multiple of the page's (-EINVAL)",
				   m->name);
	if (!t->is_built)
		return 0;
	if (m->max_entries > MAX_ENTRIES ||
	    inlay_map_region_bytes_extra(m->type, m->key_size, m->value_size, m->max_entries,
					 (uint32_t)m->map_extra) > MAX_REGION_BYTES ||
	    inlay_map_shard_bytes(m->type, m->value_size, m->max_entries) > MAX_REGION_BYTES)
		return bpfcc_error(l->diag, where, "lower max_entries",
				   "map \"%s\": %u entries of %u bytes are too much (-E2BIG)",
				   m->name, m->max_entries, m->value_size);
	return 0;
}

static int check_flags(struct bpfcc_loader *l, const struct bpfcc_map_type *t,
		       const struct bpfcc_map *m, const struct bpfcc_where *where)
{
	if (m->map_flags & ~t->flags)
		return bpfcc_error(l->diag, where, NULL,
				   "map \"%s\": map_flags 0x%x are not valid for a map of type %s "
				   "(-EINVAL)",
				   m->name, m->map_flags & ~t->flags, type_name(m->type));
	if ((m->map_flags & BPF_F_RDONLY && m->map_flags & BPF_F_WRONLY) ||
	    (m->map_flags & BPF_F_RDONLY_PROG && m->map_flags & BPF_F_WRONLY_PROG))
		return bpfcc_error(
		    l->diag, where, NULL,
		    "map \"%s\": map_flags ask for read-only and write-only (-EINVAL)", m->name);
	if (m->type == BPFCC_MAP_TYPE_ARENA && !(m->map_flags & BPF_F_MMAPABLE))
		return bpfcc_error(l->diag, where, "__uint(map_flags, BPF_F_MMAPABLE)",
				   "map \"%s\": an arena has the flag BPF_F_MMAPABLE (-EINVAL)",
				   m->name);
	if (m->type == BPF_MAP_TYPE_LPM_TRIE && !(m->map_flags & BPF_F_NO_PREALLOC))
		return bpfcc_error(l->diag, where, "__uint(map_flags, BPF_F_NO_PREALLOC)",
				   "map \"%s\": a map of type %s has the flag BPF_F_NO_PREALLOC "
				   "(-EINVAL)",
				   m->name, type_name(m->type));
	return 0;
}

bool bpfcc_map_type_is_built(uint32_t type)
{
	const struct bpfcc_map_type *t = type_of(&(struct bpfcc_map){.type = type});

	return t && t->is_built;
}

int bpfcc_map_type(struct bpfcc_loader *l, struct bpfcc_map *m, const struct bpfcc_where *where)
{
	const struct bpfcc_map_type *t = type_of(m);
	char built[512], hint[sizeof(built) + 16];
	int at = 0;

	if (t && (t->is_built || (l->opts->kernel_helpers && l->opts->defer_verify))) {
		m->flags = t->layout;
		return 0;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].is_built)
			at += snprintf(built + at, sizeof(built) - (size_t)at, "%s%s",
				       at ? ", " : "", type_name(types[i].type));
	snprintf(hint, sizeof(hint), "supported are %s", built);
	return bpfcc_error(l->diag, where, hint, "map \"%s\": type %s (%u) is not supported",
			   m->name, type_name(m->type),
			   m->type);
}

int bpfcc_map_check(struct bpfcc_loader *l, const struct bpfcc_map *m,
		    const struct bpfcc_where *where)
{
	const struct bpfcc_map_type *t = type_of(m);
	int err = check_flags(l, t, m, where);

	if (!err)
		err = check_entries(l, t, m, where);
	if (!err)
		err = check_value(l, t, m, where);
	return err ? err : check_key(l, t, m, where);
}
