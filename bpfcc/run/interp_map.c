/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps, in memory of the interpreter's own: arrays by index, everything else as a list of keys and
 * values, per-CPU maps with one CPU. A value that is deleted or replaced lives on until the end: a
 * program may go on using it, as in the kernel.
 *
 * In a wild world a map that holds nothing yet may hold anything: lookups find or do not find.
 */
#include <stdlib.h>
#include <string.h>

#include "bpfcc/run/interp_int.h"

#define MAX_ARRAY 0x1000000u
#define SHOWN_BYTES 32u	/* of a kernel's struct bpf_map, what all kernels have */

static bool is_array(const struct bpfcc_map *map)
{
	return map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       map->type == BPF_MAP_TYPE_ARRAY_OF_MAPS;
}

static bool is_least_recently_used(const struct bpfcc_map *map)
{
	return map->type == BPF_MAP_TYPE_LRU_HASH || map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static int add_instance(struct bpfcc_interp *it, const struct bpfcc_map *map, uint32_t index,
			uint32_t *ret)
{
	struct instance *in;
	uint32_t thing;

	if (it->nr_instances == it->max_instances) {
		uint32_t max = it->max_instances ? 2 * it->max_instances : 16;
		struct instance *larger = realloc(it->instances, max * sizeof(*larger));

		if (!larger)
			return interp_trap(it, BPFCC_TRAP_MEMORY, "out of memory");
		it->instances = larger;
		it->max_instances = max;
	}
	thing = interp_thing(it, THING_MAP, NULL, it->opts.shows_maps ? SHOWN_BYTES : 0);
	if (!thing)
		return -EFAULT;
	it->things[thing].is_read_only = true;
	in = &it->instances[it->nr_instances];
	*in = (struct instance){.map = map, .index = index, .thing = thing};
	it->things[thing].instance = it->nr_instances;
	if (is_array(map)) {
		if (map->max_entries > MAX_ARRAY)
			return interp_trap(it, BPFCC_TRAP_UNKNOWN, "map '%s' is too large", map->name);
		/* zero pages: what is not touched costs nothing */
		in->by_index = calloc(map->max_entries ? map->max_entries : 1, sizeof(uint32_t));
		if (!in->by_index)
			return interp_trap(it, BPFCC_TRAP_MEMORY, "out of memory");
	}
	*ret = it->nr_instances++;
	return interp_is_arena(map) ? interp_arena_init(it, *ret) : 0;
}

int interp_maps_init(struct bpfcc_interp *it)
{
	uint32_t unused;

	for (uint32_t i = 0; i < it->object->nr_maps; i++)
		if (add_instance(it, &it->object->maps[i], i, &unused))
			return -EFAULT;
	return 0;
}

void interp_maps_fini(struct bpfcc_interp *it)
{
	for (uint32_t i = 0; i < it->nr_instances; i++) {
		struct instance *in = &it->instances[i];

		for (uint32_t k = 0; k < in->nr_elements; k++)
			free(in->elements[k].key);
		free(in->elements);
		free(in->by_index);
		interp_arena_fini(in);
	}
	free(it->instances);
}

/* A new value, with `from` in it or zeros. 0: trapped */
static uint32_t new_value(struct bpfcc_interp *it, uint32_t instance, const uint8_t *from)
{
	const struct bpfcc_map *map = it->instances[instance].map;
	uint32_t thing = interp_thing(it, THING_VALUE, NULL, map->value_size);
	struct thing *t;

	if (!thing)
		return 0;
	t = &it->things[thing];
	t->instance = instance;
	t->is_read_only = (map->flags & INLAY_MAP_RODATA) || (map->map_flags & BPF_F_RDONLY_PROG);
	t->is_write_only = map->map_flags & BPF_F_WRONLY_PROG;
	t->is_shared = !map->is_frozen && !(map->flags & INLAY_MAP_RODATA);
	if (from)
		memcpy(t->data, from, map->value_size);
	return thing;
}

/* What a lookup in an XSKMAP gives: a socket's queue_id can be read. */
static uint32_t new_socket(struct bpfcc_interp *it)
{
	uint32_t thing = interp_thing(it, THING_MEM, NULL, sizeof(uint32_t));

	if (thing)
		it->things[thing].is_read_only = true;
	return thing;
}

/* A random number in a value that was not there before. */
static void fill(struct bpfcc_interp *it, uint8_t *data, uint64_t bytes)
{
	for (uint64_t i = 0; it->opts.is_wild && i < bytes; i += 8) {
		uint64_t odd = interp_odd_number(it);

		memcpy(&data[i], &odd, bytes - i < 8 ? bytes - i : 8);
	}
}

/* 0: trapped */
static uint32_t array_value(struct bpfcc_interp *it, uint32_t instance, uint32_t index)
{
	struct instance *in = &it->instances[instance];
	const struct bpfcc_map *map = in->map;
	uint32_t thing = in->by_index[index];

	if (thing)
		return thing;
	thing = new_value(it, instance, index ? NULL : map->data);
	if (!thing)
		return 0;
	if (it->things[thing].is_shared && !map->data)
		fill(it, it->things[thing].data, map->value_size);
	it->instances[instance].by_index[index] = thing;
	return thing;
}

static uint32_t index_of(const uint8_t *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return index;
}

/* Bits of a prefix, with which a key of a trie begins. */
static uint32_t prefix_of(const uint8_t *key)
{
	return index_of(key);
}

/* Whether the first bits are the same in both. */
static bool covers(const uint8_t *prefix, uint32_t bits, const uint8_t *key)
{
	const uint8_t *a = prefix + sizeof(uint32_t), *b = key + sizeof(uint32_t);

	return !memcmp(a, b, bits / 8) &&
	       !(bits % 8 && ((a[bits / 8] ^ b[bits / 8]) & 0xff00 >> bits % 8 & 0xff));
}

static bool is_trie(const struct bpfcc_map *map)
{
	return map->type == BPF_MAP_TYPE_LPM_TRIE;
}

static bool is_prefix_valid(const struct bpfcc_map *map, const uint8_t *key)
{
	return prefix_of(key) <= 8 * (map->key_size - (uint32_t)sizeof(uint32_t));
}

static int find(const struct instance *in, const uint8_t *key)
{
	for (uint32_t i = 0; i < in->nr_elements; i++) {
		const uint8_t *has = in->elements[i].key;

		if (is_trie(in->map) ? prefix_of(has) == prefix_of(key) &&
					       covers(has, prefix_of(key), key)
				     : !memcmp(has, key, in->map->key_size))
			return (int)i;
	}
	return -1;
}

/* The longest prefix that is not longer than the key's. */
static int find_longest(const struct instance *in, const uint8_t *key)
{
	int best = -1;

	for (uint32_t i = 0; i < in->nr_elements; i++) {
		const uint8_t *has = in->elements[i].key;
		uint32_t bits = prefix_of(has);

		if (bits <= prefix_of(key) && covers(has, bits, key) &&
		    (best < 0 || bits > prefix_of(in->elements[best].key)))
			best = (int)i;
	}
	return best;
}

static void remove_at(struct instance *in, uint32_t i)
{
	free(in->elements[i].key);
	memmove(&in->elements[i], &in->elements[i + 1],
		(--in->nr_elements - i) * sizeof(*in->elements));
}

static int append(struct bpfcc_interp *it, uint32_t instance, const uint8_t *key, uint32_t thing)
{
	struct instance *in = &it->instances[instance];
	uint8_t *copy = malloc(in->map->key_size + 1);

	if (copy && in->nr_elements == in->max_elements) {
		uint32_t max = in->max_elements ? 2 * in->max_elements : 16;
		struct element *larger = realloc(in->elements, max * sizeof(*larger));

		if (!larger) {
			free(copy);
			copy = NULL;
		} else {
			in->elements = larger;
			in->max_elements = max;
		}
	}
	if (!copy)
		return interp_trap(it, BPFCC_TRAP_MEMORY, "out of memory");
	if (key)
		memcpy(copy, key, in->map->key_size);
	in->elements[in->nr_elements++] = (struct element){copy, thing};
	return 0;
}

/* Inner maps come into being when they are looked up, in a wild world: nobody puts them in here. */
static int lookup_inner(struct bpfcc_interp *it, uint32_t instance, const uint8_t *key,
			struct value *ret)
{
	const struct bpfcc_map *map = it->instances[instance].map;
	uint32_t inner, number = 0;
	int at = find(&it->instances[instance], key);

	/* what the object has put there: the maps of the object are the first instances */
	if (map->nr_inner_maps)
		memcpy(&number, key, sizeof(number));
	if (number < map->nr_inner_maps && map->inner_maps[number] >= 0) {
		*ret = interp_pointer(it, it->instances[map->inner_maps[number]].thing, 0);
		return 0;
	}

	if (at >= 0) {
		*ret = interp_pointer(it, it->instances[instance].elements[at].thing, 0);
		return 0;
	}
	if (!map->inner || !it->opts.is_wild || interp_random(it) % 4 == 0 ||
	    it->instances[instance].nr_elements >= map->max_entries ||
	    (is_array(map) && index_of(key) >= map->max_entries))
		return 0;
	if (add_instance(it, map->inner, it->instances[instance].index, &inner) ||
	    append(it, instance, key, it->instances[inner].thing))
		return -EFAULT;
	*ret = interp_pointer(it, it->instances[inner].thing, 0);
	return 0;
}

int interp_map_lookup(struct bpfcc_interp *it, uint32_t instance, const uint8_t *key,
		      struct value *ret)
{
	struct instance *in = &it->instances[instance];
	uint32_t thing = 0;
	int at;

	*ret = interp_number(0);
	if (in->map->type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
	    in->map->type == BPF_MAP_TYPE_HASH_OF_MAPS)
		return lookup_inner(it, instance, key, ret);
	if (is_array(in->map)) {
		if (index_of(key) >= in->map->max_entries)
			return 0;
		thing = array_value(it, instance, index_of(key));
		if (!thing)
			return -EFAULT;
		*ret = interp_pointer(it, thing, 0);
		return 0;
	}
	if (is_trie(in->map) && !is_prefix_valid(in->map, key))
		return 0;
	at = is_trie(in->map) ? find_longest(in, key) : find(in, key);
	if (at >= 0) {
		*ret = interp_pointer(it, in->elements[at].thing, 0);
		return 0;
	}
	if (!it->opts.is_wild || interp_random(it) % 3 == 0 || !in->map->value_size)
		return 0;
	thing = in->map->type == BPF_MAP_TYPE_XSKMAP ? new_socket(it) : new_value(it, instance, NULL);
	if (!thing || append(it, instance, key, thing))
		return -EFAULT;
	fill(it, it->things[thing].data, it->things[thing].bytes);
	*ret = interp_pointer(it, thing, 0);
	return 0;
}

static bool has_lock(const struct bpfcc_map *map)
{
	for (uint32_t i = 0; i < map->nr_fields; i++)
		if (map->fields[i].kind == BPFCC_FIELD_LOCK)
			return true;
	return false;
}

int64_t interp_map_update(struct bpfcc_interp *it, uint32_t instance, const uint8_t *key,
			  const uint8_t *value, uint64_t flags)
{
	struct instance *in = &it->instances[instance];
	bool wants_lock = (flags & BPF_F_LOCK) && !has_lock(in->map);
	uint32_t thing;
	int at;

	/* where there is a lock, the flag says how the value is written, not whether */
	flags &= ~(uint64_t)BPF_F_LOCK;
	if (flags > BPF_EXIST || (wants_lock && !is_array(in->map)))
		return -EINVAL;
	if (in->map->inner)
		return -EINVAL;
	if (is_array(in->map)) {
		if (index_of(key) >= in->map->max_entries)
			return -E2BIG;
		if (flags == BPF_NOEXIST)
			return -EEXIST;
		if (wants_lock)
			return -EINVAL;
		thing = array_value(it, instance, index_of(key));
		if (!thing)
			return -EFAULT;
		memcpy(it->things[thing].data, value, it->things[thing].bytes);
		return 0;
	}
	if (is_trie(in->map) && !is_prefix_valid(in->map, key))
		return -EINVAL;
	at = find(in, key);
	if (at >= 0 && flags == BPF_NOEXIST)
		return -EEXIST;
	if (at < 0 && flags == BPF_EXIST)
		return -ENOENT;
	if (at < 0 && in->nr_elements >= in->map->max_entries) {
		if (!is_least_recently_used(in->map))
			return is_trie(in->map) ? -ENOSPC : -E2BIG;
		remove_at(in, 0);
	}
	thing = new_value(it, instance, value);
	if (!thing)
		return -EFAULT;
	in = &it->instances[instance];
	if (at >= 0) {
		in->elements[at].thing = thing;
		return 0;
	}
	return append(it, instance, key, thing);
}

int64_t interp_map_delete(struct bpfcc_interp *it, uint32_t instance, const uint8_t *key)
{
	struct instance *in = &it->instances[instance];
	int at;

	if (is_array(in->map) || (is_trie(in->map) && !is_prefix_valid(in->map, key)))
		return -EINVAL;
	at = find(in, key);
	if (at < 0)
		return -ENOENT;
	remove_at(in, (uint32_t)at);
	return 0;
}

int64_t interp_map_push(struct bpfcc_interp *it, uint32_t instance, const uint8_t *value,
			uint64_t flags)
{
	struct instance *in = &it->instances[instance];
	uint32_t thing;

	if (flags & ~(uint64_t)BPF_EXIST ||
	    (flags && in->map->type == BPF_MAP_TYPE_BLOOM_FILTER))
		return -EINVAL;
	if (in->nr_elements >= in->map->max_entries && in->nr_elements) {
		if (in->map->type != BPF_MAP_TYPE_BLOOM_FILTER && !(flags & BPF_EXIST))
			return -E2BIG;
		remove_at(in, 0);
	}
	thing = new_value(it, instance, value);
	return thing ? append(it, instance, NULL, thing) : -EFAULT;
}

int64_t interp_map_pop(struct bpfcc_interp *it, uint32_t instance, bool is_peek, uint8_t *value)
{
	struct instance *in = &it->instances[instance];
	uint32_t bytes = in->map->value_size, at;

	if (in->map->type == BPF_MAP_TYPE_BLOOM_FILTER) {
		for (uint32_t i = 0; i < in->nr_elements; i++)
			if (!memcmp(it->things[in->elements[i].thing].data, value, bytes))
				return 0;
		return -ENOENT;
	}
	if (!in->nr_elements) {
		memset(value, 0, bytes);
		if (!it->opts.is_wild || interp_random(it) & 1)
			return -ENOENT;
		fill(it, value, bytes);
		return 0;
	}
	at = in->map->type == BPF_MAP_TYPE_STACK ? in->nr_elements - 1 : 0;
	memcpy(value, it->things[in->elements[at].thing].data, bytes);
	if (!is_peek)
		remove_at(in, at);
	return 0;
}

int interp_map_nth(struct bpfcc_interp *it, uint32_t instance, uint32_t n, const uint8_t **ret_key,
		   struct value *ret, uint8_t key_room[4])
{
	struct instance *in = &it->instances[instance];
	uint32_t thing;

	if (is_array(in->map)) {
		if (n >= in->map->max_entries)
			return 0;
		thing = array_value(it, instance, n);
		if (!thing)
			return -EFAULT;
		memcpy(key_room, &n, sizeof(n));
		*ret_key = key_room;
	} else {
		if (n >= in->nr_elements)
			return 0;
		thing = in->elements[n].thing;
		*ret_key = in->elements[n].key;
	}
	*ret = interp_pointer(it, thing, 0);
	return 1;
}

int interp_map_address(struct bpfcc_interp *it, uint32_t map, uint32_t off, struct value *ret)
{
	uint32_t thing;

	if (map < it->object->nr_maps && interp_is_arena(it->instances[map].map)) {
		*ret = interp_number(it->instances[map].map->map_extra + off);
		return 0;
	}
	if (map >= it->object->nr_maps || !is_array(it->instances[map].map) ||
	    !it->instances[map].map->max_entries)
		return interp_trap(it, BPFCC_TRAP_UNKNOWN, "an address in map %u", map);
	thing = array_value(it, map, 0);
	if (!thing)
		return -EFAULT;
	*ret = interp_pointer(it, thing, off);
	return 0;
}

const void *bpfcc_interp_value(const struct bpfcc_interp *it, uint32_t map, const void *key)
{
	const struct instance *in = &it->instances[map];
	int at;

	if (is_array(in->map)) {
		uint32_t index = index_of(key);

		if (index >= in->map->max_entries || !in->by_index[index])
			return NULL;
		return it->things[in->by_index[index]].data;
	}
	at = find(in, key);
	return at < 0 ? NULL : it->things[in->elements[at].thing].data;
}
