/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A probe object by hand: the descriptors and regions that bpfcc emits, so that the runtime and
 * readers are tested without a compiler. One object for each source file that includes this.
 *
 *	FIXTURE_ARRAY(0, counts, 8, 16)		index, name, value size, entries
 *	FIXTURE_PERCPU_ARRAY(1, per_thread, 8, 4)
 *	FIXTURE_OBJECT("demo", 0x11, FIXTURE_MAP(counts), FIXTURE_MAP(per_thread))
 *
 *	fixture_region_counts[i]++;			what an inlined probe does
 *	fixture_percpu_add(&fixture_desc_per_thread, i, 1);
 *
 * Define FIXTURE_PROGS before including, as initialisers of struct inlay_prog_desc, for other
 * programs than the one entry program "prog".
 */
#ifndef INLAY_FIXTURE_OBJECT_H
#define INLAY_FIXTURE_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "inlay/abi.h"
#include "rt/inlay_rt.h"

#define FIXTURE_PAGES(bytes) \
	(((bytes) + INLAY_PAGE_BYTES - 1) / INLAY_PAGE_BYTES * INLAY_PAGE_BYTES)
#define FIXTURE_STRIDE(bytes) (((bytes) + 7) / 8 * 8)
#define FIXTURE_MAP(name) &fixture_desc_##name

#ifndef FIXTURE_PROGS
#define FIXTURE_PROGS { .name = "prog", .section = "uprobe//bin/x:f", .kind = INLAY_PROG_ENTRY }
#endif

static const struct inlay_object_desc fixture_object;

#define FIXTURE_REGION(sym, map, bytes)                                            \
	static __u64 sym[FIXTURE_PAGES(bytes) / 8] __attribute__((                 \
		used, aligned(INLAY_PAGE_BYTES), section(INLAY_SECTION_BSS_PREFIX "fixture." map)));

#define FIXTURE_DESC(index_, name_, type_, key_, value_, entries_, flags_, region_, bytes_, slot_) \
	static const struct inlay_map_desc fixture_desc_##name_ = {                              \
		.desc_bytes = sizeof(struct inlay_map_desc),                                     \
		.type = (type_),                                                                 \
		.key_size = (key_),                                                              \
		.value_size = (value_),                                                          \
		.value_stride = FIXTURE_STRIDE(value_),                                          \
		.max_entries = (entries_),                                                       \
		.flags = (flags_),                                                               \
		.index = (index_),                                                               \
		.region_bytes = (bytes_),                                                        \
		.region = (region_),                                                             \
		FIXTURE_DESC_SHARD_##slot_(name_, value_, entries_, type_)                       \
		.name = #name_,                                                                  \
		.object = &fixture_object,                                                       \
	};
#define FIXTURE_DESC_SHARD_0(name_, value_, entries_, type_)
#define FIXTURE_DESC_SHARD_1(name_, value_, entries_, type_)                                     \
	.shard_bytes = (type_) == INLAY_MAP_TYPE_PERCPU_ARRAY                                    \
			       ? (__u64)FIXTURE_STRIDE(value_) * (entries_)                      \
			       : (FIXTURE_STRIDE(value_) + sizeof(struct inlay_shard_value)) *   \
					 ((__u64)(entries_) + INLAY_HASH_SPARES),                \
	.shard_slot = fixture_slot_##name_,

#define FIXTURE_SLOT(name_)                                                                      \
	static __thread char *fixture_tls_##name_ __attribute__((tls_model("initial-exec")));    \
	static char **fixture_slot_##name_(void)                                                 \
	{                                                                                        \
		return &fixture_tls_##name_;                                                     \
	}

/* Buckets of a hash map with up to 2^16 entries, as a constant expression. */
#define FIXTURE_POW2_1(n) ((n) | (n) >> 1)
#define FIXTURE_POW2_2(n) (FIXTURE_POW2_1(n) | FIXTURE_POW2_1(n) >> 2)
#define FIXTURE_POW2_4(n) (FIXTURE_POW2_2(n) | FIXTURE_POW2_2(n) >> 4)
#define FIXTURE_BUCKETS(n) \
	((n) <= 1 ? 1u : (FIXTURE_POW2_4((n) - 1u) | FIXTURE_POW2_4((n) - 1u) >> 8) + 1u)
#define FIXTURE_HINT_WORDS(entries) (((__u64)(entries) + INLAY_HASH_SPARES + 63) / 64)
#define FIXTURE_HASH_BYTES(key, value, entries)                                                  \
	FIXTURE_PAGES(sizeof(struct inlay_hash_header) + 8ull * FIXTURE_BUCKETS(entries) +       \
		      (sizeof(struct inlay_hash_node) + FIXTURE_STRIDE(key) +                    \
		       FIXTURE_STRIDE(value)) * ((__u64)(entries) + INLAY_HASH_SPARES) +         \
		      16 * (FIXTURE_HINT_WORDS(entries) + (FIXTURE_HINT_WORDS(entries) + 63) / 64))

#define FIXTURE_ARRAY(index_, name_, value_, entries_)                                           \
	FIXTURE_REGION(fixture_region_##name_, #name_,                                           \
		       (__u64)FIXTURE_STRIDE(value_) * (entries_))                               \
	FIXTURE_DESC(index_, name_, INLAY_MAP_TYPE_ARRAY, 4, value_, entries_, 0,                \
		     fixture_region_##name_, sizeof(fixture_region_##name_), 0)

#define FIXTURE_GLOBAL(index_, name_, bytes_)                                                    \
	FIXTURE_REGION(fixture_region_##name_, #name_, bytes_)                                   \
	FIXTURE_DESC(index_, name_, INLAY_MAP_TYPE_ARRAY, 4, bytes_, 1, INLAY_MAP_GLOBAL,        \
		     fixture_region_##name_, sizeof(fixture_region_##name_), 0)

#define FIXTURE_HASH(index_, name_, key_, value_, entries_)                                      \
	FIXTURE_REGION(fixture_region_##name_, #name_, FIXTURE_HASH_BYTES(key_, value_, entries_)) \
	FIXTURE_DESC(index_, name_, INLAY_MAP_TYPE_HASH, key_, value_, entries_, INLAY_MAP_HASH, \
		     fixture_region_##name_, sizeof(fixture_region_##name_), 0)

#define FIXTURE_PERCPU_ARRAY(index_, name_, value_, entries_)                                    \
	FIXTURE_SLOT(name_)                                                                      \
	FIXTURE_DESC(index_, name_, INLAY_MAP_TYPE_PERCPU_ARRAY, 4, value_, entries_,            \
		     INLAY_MAP_PERCPU, NULL, 0, 1)

#define FIXTURE_PERCPU_HASH(index_, name_, key_, value_, entries_)                               \
	FIXTURE_SLOT(name_)                                                                      \
	FIXTURE_REGION(fixture_region_##name_, #name_, FIXTURE_HASH_BYTES(key_, 0, entries_))    \
	FIXTURE_DESC(index_, name_, INLAY_MAP_TYPE_PERCPU_HASH, key_, value_, entries_,          \
		     INLAY_MAP_HASH | INLAY_MAP_PERCPU, fixture_region_##name_,                  \
		     sizeof(fixture_region_##name_), 1)

/* An ARRAY whose region is not in the image. */
#define FIXTURE_HUGE_ARRAY(index_, name_, value_, entries_)                                      \
	static void *fixture_base_##name_;                                                       \
	static const struct inlay_map_desc fixture_desc_##name_ = {                              \
		.desc_bytes = sizeof(struct inlay_map_desc),                                     \
		.type = INLAY_MAP_TYPE_ARRAY,                                                    \
		.key_size = 4,                                                                   \
		.value_size = (value_),                                                          \
		.value_stride = FIXTURE_STRIDE(value_),                                          \
		.max_entries = (entries_),                                                       \
		.flags = INLAY_MAP_HUGE,                                                         \
		.index = (index_),                                                               \
		.region_bytes = FIXTURE_PAGES((__u64)FIXTURE_STRIDE(value_) * (entries_)),       \
		.base = &fixture_base_##name_,                                                   \
		.name = #name_,                                                                  \
		.object = &fixture_object,                                                       \
	};

/* A .rodata section: a private constant that is not padded. */
#define FIXTURE_RODATA(index_, name_, text_)                                                     \
	static const char fixture_rodata_##name_[] = text_;                                      \
	FIXTURE_DESC(index_, name_, INLAY_MAP_TYPE_ARRAY, 4, sizeof(text_), 1,                   \
		     INLAY_MAP_GLOBAL | INLAY_MAP_RODATA, (void *)fixture_rodata_##name_,        \
		     FIXTURE_PAGES(sizeof(text_)), 0)

#define FIXTURE_OBJECT_ABI(name_, hash_, major_, ...)                                            \
	static const struct inlay_map_desc *const fixture_maps[] = { __VA_ARGS__ };              \
	static const struct inlay_prog_desc fixture_progs[] = { FIXTURE_PROGS };                 \
	enum { FIXTURE_NR_PROGS = sizeof(fixture_progs) / sizeof(fixture_progs[0]) };            \
	static struct inlay_prog_ctl                                                             \
		fixture_ctl[FIXTURE_PAGES(FIXTURE_NR_PROGS * sizeof(struct inlay_prog_ctl)) /    \
			    sizeof(struct inlay_prog_ctl)]                                       \
		__attribute__((used, aligned(INLAY_PAGE_BYTES),                                  \
			       section(INLAY_SECTION_BSS_PREFIX "fixture.ctl")));                \
	static unsigned char fixture_gates[FIXTURE_NR_PROGS];                                    \
	static const char fixture_btf[] = "not really BTF";                                      \
	static const struct inlay_object_desc fixture_object = {                                 \
		.desc_bytes = sizeof(struct inlay_object_desc),                                  \
		.abi_major = (major_),                                                           \
		.abi_minor = INLAY_ABI_MINOR,                                                    \
		.hash = { (hash_), 0xf1, 0x5e },                                                 \
		.name = (name_),                                                                 \
		.license = "GPL",                                                                \
		.nr_maps = sizeof(fixture_maps) / sizeof(fixture_maps[0]),                       \
		.nr_progs = FIXTURE_NR_PROGS,                                                    \
		.maps = fixture_maps,                                                            \
		.progs = fixture_progs,                                                          \
		.ctl = fixture_ctl,                                                              \
		.ctl_bytes = sizeof(fixture_ctl),                                                \
		.gates = fixture_gates,                                                          \
		.btf = fixture_btf,                                                              \
		.btf_bytes = sizeof(fixture_btf),                                                \
		.runtime = __inlay_rt_start_v1,                                                  \
	};                                                                                       \
	static const struct inlay_object_desc *fixture_objref                                    \
		__attribute__((used, retain, section(INLAY_SECTION_OBJECTS))) = &fixture_object;

#define FIXTURE_OBJECT(name_, hash_, ...) \
	FIXTURE_OBJECT_ABI(name_, hash_, INLAY_ABI_MAJOR, __VA_ARGS__)

/* What an inlined per-CPU counter does. Returns 0 if the hit was dropped. */
static inline int fixture_percpu_add(const struct inlay_map_desc *desc, __u32 index, __u64 n)
{
	char **slot = desc->shard_slot();
	char *shard = __atomic_load_n(slot, __ATOMIC_RELAXED);
	__u64 *value;

	if (!shard)
		shard = __inlay_shard_get_v1(desc);
	if (!shard)
		return 0;
	value = (__u64 *)(shard + (__u64)index * desc->value_stride);
	__atomic_store_n(value, __atomic_load_n(value, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
	return 1;
}

#endif /* INLAY_FIXTURE_OBJECT_H */
