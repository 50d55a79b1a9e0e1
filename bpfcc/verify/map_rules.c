/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps and helpers: which go together, what a lookup gives, and keys that are known. The table is
 * the kernel's (check_map_func_compatibility), also for types that the runtime does not have.
 */
#include <stdio.h>

#include <bpf/libbpf.h>

#include "bpfcc/verify/call.h"

/* newer than the headers of Debian 12 */
#define MAP_TYPE_CGRP_STORAGE 32

/* ---- which helper takes which map ---- */

#define ID(helper) (1u << HELPER_##helper)
enum helper_bit {
	HELPER_lookup, HELPER_update, HELPER_delete, HELPER_push, HELPER_pop, HELPER_peek,
	HELPER_each, HELPER_percpu, HELPER_tail, HELPER_perf, HELPER_ring, HELPER_user_ring,
	HELPER_stack, HELPER_cgroup, HELPER_task_storage, HELPER_cgroup_storage, HELPER_arena,
	HELPER_other,
};

static uint32_t bit_of(int32_t id)
{
	switch (id) {
	case BPF_FUNC_map_lookup_elem:
		return ID(lookup);
	case BPF_FUNC_map_update_elem:
		return ID(update);
	case BPF_FUNC_map_delete_elem:
		return ID(delete);
	case BPF_FUNC_map_push_elem:
		return ID(push);
	case BPF_FUNC_map_pop_elem:
		return ID(pop);
	case BPF_FUNC_map_peek_elem:
		return ID(peek);
	case BPF_FUNC_for_each_map_elem:
		return ID(each);
	case BPF_FUNC_map_lookup_percpu_elem:
		return ID(percpu);
	case BPF_FUNC_tail_call:
		return ID(tail);
	case BPF_FUNC_perf_event_read:
	case BPF_FUNC_perf_event_read_value:
	case BPF_FUNC_perf_event_output:
		return ID(perf);
	case BPF_FUNC_ringbuf_output:
	case BPF_FUNC_ringbuf_reserve:
	case BPF_FUNC_ringbuf_query:
	case BPF_FUNC_ringbuf_reserve_dynptr:
		return ID(ring);
	case BPF_FUNC_user_ringbuf_drain:
		return ID(user_ring);
	case BPF_FUNC_get_stackid:
		return ID(stack);
	case BPF_FUNC_current_task_under_cgroup:
		return ID(cgroup);
	case BPF_FUNC_task_storage_get:
	case BPF_FUNC_task_storage_delete:
		return ID(task_storage);
	case 210: /* cgrp_storage_get, cgrp_storage_delete */
	case 211:
		return ID(cgroup_storage);
	default:
		return ID(other);
	}
}

/* A type that is not here is of no use to a probe. */
static uint32_t helpers_of(uint32_t type)
{
	const uint32_t elements = ID(lookup) | ID(update) | ID(delete);

	switch (type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_ARRAY:
		return elements | ID(each);
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return elements | ID(each) | ID(percpu);
	case BPF_MAP_TYPE_LPM_TRIE:
		return elements;
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_XSKMAP:
		return ID(lookup);
	case BPF_MAP_TYPE_PROG_ARRAY:
		return ID(tail);
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
		return ID(perf);
	case BPF_MAP_TYPE_STACK_TRACE:
		return ID(stack);
	case BPF_MAP_TYPE_CGROUP_ARRAY:
		return ID(cgroup);
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		return ID(push) | ID(pop) | ID(peek);
	case BPF_MAP_TYPE_BLOOM_FILTER:
		return ID(push) | ID(peek);
	case BPF_MAP_TYPE_RINGBUF:
		return ID(ring);
	case BPF_MAP_TYPE_USER_RINGBUF:
		return ID(user_ring);
	case BPF_MAP_TYPE_TASK_STORAGE:
		return ID(task_storage);
	case MAP_TYPE_CGRP_STORAGE:
		return ID(cgroup_storage);
	case BPFCC_MAP_TYPE_ARENA:
		return ID(arena);
	default:
		return 0;
	}
}

/* Helpers that change the map behind the argument. */
#define CHANGES (ID(update) | ID(delete) | ID(push) | ID(pop))

int verify_map_rules(struct verify *v, const struct verify_call *c)
{
	/* of the kernel functions only an arena's take a map */
	uint32_t bit = c->helper->id ? bit_of(c->helper->id) : ID(arena);
	const char *type = c->map->type == BPFCC_MAP_TYPE_ARENA ?
				   "arena" :
				   libbpf_bpf_map_type_str((enum bpf_map_type)c->map->type);

	/* Attack: a helper that takes one kind of map for another reads its keys as pointers. */
	if (!(helpers_of(c->map->type) & bit))
		return verify_refuse(v, NULL, "%s is not for maps of type %s, such as \"%s\"",
				     c->name, type ? type : "unknown", c->map->name);
	if ((bit & CHANGES) && (c->map->map_flags & BPF_F_RDONLY_PROG))
		return verify_refuse(v, NULL,
				     "%s changes map \"%s\", which is read-only for programs",
				     c->name, c->map->name);
	return 0;
}

/* ---- values ---- */

const struct bpfcc_map *verify_map_of(struct verify *v, const struct verify_reg *r)
{
	const struct bpfcc_map *map = &v->object->maps[r->map];

	return r->flags & VF_INNER ? map->inner : map;
}

void verify_point_to_value(struct verify *v, const struct verify_call *c, struct verify_reg *r,
			   uint32_t id)
{
	uint32_t flags = c->map_reg.flags & VF_INNER;

	if (c->map->map_flags & BPF_F_RDONLY_PROG)
		flags |= VF_RDONLY;
	verify_set_pointer(v, r, VT_MAP_VALUE, flags);
	r->map = c->map_reg.map;
	r->bytes = c->map->value_size;
	r->uid = c->map_reg.uid;
	/* Attack: the lock of one value is taken for that of another. Only where there are locks, so
	 * that elsewhere states with different values can be equal. */
	if (verify_map_has_lock(v, c->map))
		r->uid = id;
}

/* The element is there for certain: an array's, at an index that is known and inside. */
static bool is_never_null(struct verify *v, const struct verify_call *c)
{
	if (c->helper->id != BPF_FUNC_map_lookup_elem || !c->is_key_known ||
	    c->key >= c->map->max_entries)
		return false;
	/* inner arrays may be shorter than the template */
	if ((c->map_reg.flags & VF_INNER) && (c->map->map_flags & BPF_F_INNER_MAP))
		return false;
	if (c->map->type == BPF_MAP_TYPE_ARRAY)
		/* a large one has no memory before the runtime's start */
		return v->opts->is_kernel_set || !(c->map->flags & INLAY_MAP_HUGE);
	/* here a thread may have no shard, and the lookup gives NULL */
	return c->map->type == BPF_MAP_TYPE_PERCPU_ARRAY && v->opts->is_kernel_set;
}

/* The proof rests on the key's bytes. */
static void mark_key(struct verify *v, const struct verify_call *c)
{
	struct verify_frame *f = v->cur->frames[c->key_frame];

	for (int32_t off = c->key_off; off < c->key_off + 4; off++) {
		struct verify_slot *s = &f->slots[(uint32_t)(-off - 1) / 8];

		verify_use_mark(v, s->use, USE_READ | USE_PRECISE);
		if (s->byte[(uint32_t)(off + VERIFY_STACK_BYTES) % 8] == VB_SPILL)
			verify_use_mark(v, s->spill.use, USE_READ | USE_PRECISE);
	}
}

int verify_set_value(struct verify *v, const struct verify_call *c, struct verify_reg *r)
{
	const struct bpfcc_map *map = c->map;
	uint32_t id = verify_new_id(v);

	if (map->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || map->type == BPF_MAP_TYPE_HASH_OF_MAPS) {
		if (!map->inner)
			return verify_refuse(v, "declare it: __array(values, struct inner_map)",
					     "nothing is known of the maps in \"%s\"", map->name);
		verify_set_pointer(v, r, VT_MAP, VF_INNER | VF_OR_NULL);
		r->map = c->map_reg.map;
		r->uid = id;
		r->id = id;
		return v->err;
	}
	if (map->type == BPF_MAP_TYPE_XSKMAP) {
		/* a socket, of which programs may see struct bpf_xdp_sock */
		verify_set_pointer(v, r, VT_MEM, VF_RDONLY | VF_OR_NULL | VF_WHOLE);
		r->bytes = sizeof(struct bpf_xdp_sock);
		r->id = id;
		return v->err;
	}
	verify_point_to_value(v, c, r, id);
	/* the kernel's own table of devices */
	if (map->type == BPF_MAP_TYPE_DEVMAP || map->type == BPF_MAP_TYPE_DEVMAP_HASH)
		r->flags |= VF_RDONLY;
	if (is_never_null(v, c)) {
		mark_key(v, c);
		return v->err;
	}
	r->flags |= VF_OR_NULL;
	r->id = id;
	return v->err;
}

/* ---- keys ---- */

static bool is_zero_byte(const struct verify_slot *s, uint32_t byte)
{
	return s->byte[byte] == VB_ZERO ||
	       (s->byte[byte] == VB_SPILL && s->spill.type == VT_SCALAR &&
		range_is_const(&s->spill.num) && !s->spill.num.umin);
}

bool verify_constant_key(struct verify *v, const struct verify_reg *r, uint32_t *ret_key)
{
	const struct verify_slot *s;
	uint32_t zeros = 0, first;
	struct verify_frame *f;
	int32_t off;

	if (r->type != VT_STACK || !range_is_const(&r->num))
		return false;
	off = (int32_t)verify_known_off(r);
	f = v->cur->frames[r->frame];
	if (off < -VERIFY_STACK_BYTES || off > -4 || (uint32_t)-off > f->nr_slots * 8)
		return false;
	for (int32_t at = off; at < off + 4; at++)
		zeros += is_zero_byte(&f->slots[(uint32_t)(-at - 1) / 8],
				      (uint32_t)(at + VERIFY_STACK_BYTES) % 8);
	if (zeros == 4) {
		*ret_key = 0;
		return true;
	}
	s = &f->slots[(uint32_t)(-off - 1) / 8];
	first = (uint32_t)(off + VERIFY_STACK_BYTES) % 8;
	if (first > 4 || (first && s->byte[first - 1] == VB_SPILL))
		return false;
	for (uint32_t i = first; i < first + 4; i++)
		if (s->byte[i] != VB_SPILL)
			return false;
	if (s->spill.type != VT_SCALAR || !range_is_const(&s->spill.num))
		return false;
	*ret_key = (uint32_t)s->spill.num.umin;
	return true;
}
