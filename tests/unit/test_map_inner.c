/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of maps: the runtime finds what bpfcc lays out for it, and goes nowhere else whatever stands
 * in the shared memory.
 */
#include "map_fixture.h"

#include "bpfcc/map_image.h"
#include "rt/inlay_rt.h"

enum { NR_MAPS = 40, NR_SLOTS = 300 };

static struct bpfcc_map maps[NR_MAPS];
static struct inlay_map_desc descs[NR_MAPS];
static const struct inlay_map_desc *table[NR_MAPS];
static int32_t slots[NR_SLOTS];
static const struct bpfcc_object object = { .maps = maps, .nr_maps = NR_MAPS };

/* A map of maps in which every third slot is filled; map 5 is no map at run time. */
static void start(struct fixture *f, struct bpfcc_map *map, uint32_t type, uint32_t max_entries)
{
	uint8_t *image;
	size_t bytes;

	for (uint32_t i = 0; i < NR_MAPS; i++)
		maps[i].type = i == 5 ? BPF_MAP_TYPE_PROG_ARRAY : BPF_MAP_TYPE_ARRAY;
	for (uint32_t i = 0; i < NR_MAPS - 1; i++)
		table[i] = i % 2 ? &descs[i] : NULL; /* as if every other one were of another kind */
	for (uint32_t i = 0; i < NR_SLOTS; i++)
		slots[i] = i % 3 ? -1 : (int32_t)(i % NR_MAPS == 5 ? 6 : i % NR_MAPS);
	*map = (struct bpfcc_map){ .type = type, .key_size = 4, .value_size = 4,
				   .max_entries = max_entries, .inner_maps = slots,
				   .nr_inner_maps = NR_SLOTS };
	fixture_init(f, type, 4, 4, max_entries);
	f->desc.inner = table;
	f->desc.extra = NR_MAPS - 1;
	assert_int_equal(bpfcc_map_image(&object, map, &image, &bytes), 0);
	assert_non_null(image);
	assert_true(bytes <= f->desc.region_bytes);
	memcpy(f->desc.region, image, bytes);
	free(image);
}

static void found(void **state)
{
	static const uint32_t types[] = { BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS };

	(void)state;
	for (int t = 0; t < 2; t++) {
		struct bpfcc_map map;
		struct fixture f;

		/* a hash map that is just full, and one that is not */
		for (uint32_t max = t ? 100 : 300; max <= 1000; max *= 3) {
			start(&f, &map, types[t], max);
			for (uint32_t key = 0; key < NR_SLOTS + 10; key++) {
				int32_t slot = key < NR_SLOTS ? slots[key] : -1;
				/* the table is without map 5 */
				int32_t at = slot > 5 ? slot - 1 : slot;
				const void *want = at >= 0 ? table[at] : NULL;

				assert_ptr_equal(__inlay_map_lookup_elem(&f.desc, &key), want);
				assert_ptr_equal(__inlay_map_lookup_elem_v1(&f.desc, &key), want);
			}
			if (t)
				fixture_check(&f.desc, false);
			fixture_fini(&f);
		}
	}
}

/* Numbers from memory that others write: one of the table's maps, or none. */
static void hostile(void **state)
{
	__u64 seed = 5;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct bpfcc_map map;
		struct fixture f;
		__u64 *words;

		start(&f, &map, round % 2 ? BPF_MAP_TYPE_ARRAY_OF_MAPS : BPF_MAP_TYPE_HASH_OF_MAPS,
		      300);
		words = f.desc.region;
		for (__u32 i = 0; i < f.desc.region_bytes / 8; i++)
			if (fixture_random(&seed) % 3)
				words[i] = fixture_random(&seed) >> fixture_random(&seed) % 64;
		for (uint32_t key = 0; key < NR_SLOTS; key++) {
			const struct inlay_map_desc *inner = __inlay_map_lookup_elem(&f.desc, &key);

			assert_true(!inner || (inner >= descs && inner < descs + NR_MAPS &&
					       (inner - descs) % 2 == 1));
		}
		fixture_fini(&f);
	}
}

/* Programs cannot change them; the verifier sees to that, and this is behind it. */
static void unchangeable(void **state)
{
	struct bpfcc_map map;
	struct fixture f;
	__u32 key = 0, value = 1;

	(void)state;
	for (int t = 0; t < 2; t++) {
		start(&f, &map, t ? BPF_MAP_TYPE_ARRAY_OF_MAPS : BPF_MAP_TYPE_HASH_OF_MAPS, 300);
		assert_int_equal(__inlay_map_update_elem(&f.desc, &key, &value, 0),
				 -INLAY_EOPNOTSUPP);
		assert_int_equal(__inlay_map_delete_elem(&f.desc, &key), -INLAY_EOPNOTSUPP);
		fixture_fini(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(hostile),
		cmocka_unit_test(unchangeable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
