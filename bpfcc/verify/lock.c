/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fields of map values that are not the program's: spin locks, which two helpers may take, and
 * timers, lists, kernel pointers, which nobody here may. Where they are the loader found in BTF.
 */
#include "bpfcc/verify/call.h"

bool verify_map_has_lock(struct verify *v, const struct bpfcc_map *map)
{
	(void)v;
	for (uint32_t i = 0; i < map->nr_fields; i++)
		if (map->fields[i].kind == BPFCC_FIELD_LOCK)
			return true;
	return false;
}

/* Attack: a lock that is written over is free for two at once, or for nobody ever again. */
int verify_map_fields(struct verify *v, const struct verify_reg *r, uint64_t bytes)
{
	const struct bpfcc_map *map = verify_map_of(v, r);
	__int128 lo = (__int128)r->off + r->num.smin;
	__int128 hi = (__int128)r->off + r->num.smax + (__int128)bytes;

	for (uint32_t i = 0; map && i < map->nr_fields; i++) {
		const struct bpfcc_map_field *field = &map->fields[i];

		if (hi <= field->off || lo >= (__int128)field->off + field->bytes)
			continue;
		return verify_refuse(v, "access the members around it one by one",
				     "the access may touch the %s at offset %u of the value of \"%s\"",
				     field->kind == BPFCC_FIELD_LOCK ? "lock" : "kernel's field",
				     field->off, map->name);
	}
	return 0;
}

static struct verify_ref *held_lock(struct verify *v)
{
	for (uint32_t i = 0; i < v->cur->nr_refs; i++)
		if (v->cur->refs[i].kind == REF_LOCK)
			return &v->cur->refs[i];
	return NULL;
}

/* Attack: whatever waits, sleeps or runs long with a lock held stops every other probe. */
int verify_lock_calls(struct verify *v, const char *what)
{
	if (!held_lock(v))
		return 0;
	return verify_refuse(v, "do it before bpf_spin_lock() or after bpf_spin_unlock()",
			     "%s is called while a lock is held", what);
}

/* The lock that r points to, exactly. */
static const struct bpfcc_map_field *lock_at(struct verify *v, const struct verify_reg *r)
{
	const struct bpfcc_map *map = verify_map_of(v, r);
	int64_t off = verify_known_off(r);

	for (uint32_t i = 0; map && i < map->nr_fields; i++)
		if (map->fields[i].kind == BPFCC_FIELD_LOCK && map->fields[i].off == off)
			return &map->fields[i];
	return NULL;
}

int verify_lock_arg(struct verify *v, struct verify_call *c, int arg)
{
	struct verify_reg *r = verify_arg(v, arg);
	const struct bpfcc_map_field *field;
	struct verify_ref *held = held_lock(v);
	int ref;

	if (r->type != VT_MAP_VALUE || (r->flags & VF_OR_NULL))
		return verify_refuse_arg(v, c, arg, NULL, "a lock in a map's value");
	field = range_is_const(&r->num) ? lock_at(v, r) : NULL;
	if (!field)
		return verify_refuse(v, "a lock is a member struct bpf_spin_lock of a map's value, "
					"and the map must be declared with BTF: __type(value, T)",
				     "%s of %s is not the address of a lock", verify_arg_name(arg),
				     c->name);
	if (c->helper->id == BPF_FUNC_spin_lock) {
		/* Attack: two programs that take two locks in two orders wait for ever. */
		if (held)
			return verify_refuse(v, "release the other one first",
					     "a second lock is taken while one is held");
		ref = verify_ref_take(v, REF_LOCK);
		if (ref < 0)
			return ref;
		held = verify_ref_find(v, (uint32_t)ref);
		held->map = r->map;
		held->off = field->off;
		held->uid = r->uid;
		return 0;
	}
	if (!held)
		return verify_refuse(v, NULL, "a lock is released, and none is held");
	if (held->map != r->map || held->uid != r->uid || held->off != field->off)
		return verify_refuse(v, NULL, "another lock is released than the one that is held");
	c->release = held->id;
	return 0;
}
