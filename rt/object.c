/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes a probe object into the segment: rows of the tables, room for its regions, and the regions'
 * pages in place of the link-time ones. An object that is there already (another process under
 * INLAY_SEGMENT, another library of this one) is joined if its layout is the same.
 *
 * Rows are complete before the tables' counts include them. What cannot be taken stays private and
 * is counted in objects_refused; its programs run on.
 */
#include <errno.h>

#include "rt/inlay_rt_internal.h"
#include "rt/sys.h"

static void name_copy(char *dst, size_t dst_bytes, const char *src)
{
	size_t n = str_copy(dst, dst_bytes, src ? src : "");

	/* a row may hold what a process left that died while it filled it */
	while (n < dst_bytes)
		dst[n++] = '\0';
}

static bool is_our_abi(const struct inlay_object_desc *object)
{
	return object->abi_major == INLAY_ABI_MAJOR && object->desc_bytes >= sizeof(*object);
}

static void gates_set(const struct inlay_object_desc *object, const char *unit_path)
{
	__u32 i;

	for (i = 0; i < object->nr_progs; i++) {
		const struct inlay_prog_desc *prog = &object->progs[i];

		if (prog->flags & INLAY_PROG_F_PATH)
			store_relaxed(&object->gates[i],
				      __inlay_gate_is_open(&__inlay_rt.id, prog->path, unit_path));
	}
}

/* In the unit's own page: a new row takes it over, a row that is there has its own switches. */
static void switches_set(const struct inlay_object_desc *object)
{
	const __u32 both = INLAY_PROG_F_SWITCHED | INLAY_PROG_F_SWITCHED_ON;
	__u32 i;

	for (i = 0; i < object->nr_progs; i++)
		if ((object->progs[i].flags & both) == both)
			store_relaxed(&object->ctl[i].on, 1);
}

/* First row with this hash; objects are never removed. */
static int row_find(const struct inlay_object_desc *object)
{
	const struct rt_head *head = __inlay_rt.head;
	__u32 nr = load_acquire(&head->seg.objects.nr), i;

	for (i = 0; i < nr && i < INLAY_SEGMENT_MAX_OBJECTS; i++)
		if (bytes_equal(head->objects[i].hash, object->hash, INLAY_HASH_BYTES))
			return (int)i;
	return -ENOENT;
}

/* ---- a new object ----------------------------------------------------------------------- */

static __u64 region_bytes_shared(const struct inlay_map_desc *map)
{
	return map->flags & INLAY_MAP_RODATA ? inlay_round_up(map->value_size, INLAY_PAGE_BYTES)
					     : map->region_bytes;
}

static struct rt_extent extent_of(const struct inlay_map_desc *map)
{
	return map->flags & INLAY_MAP_HUGE ? __inlay_huge_extent(map) :
					     rt_extent_whole(region_bytes_shared(map));
}

/* What the object takes in the segment at the start, without shards. */
__u64 __inlay_object_bytes(const struct inlay_object_desc *object)
{
	__u64 bytes;
	__u32 i;

	if (!is_our_abi(object))
		return 0;
	bytes = object->ctl_bytes + inlay_round_up(object->btf_bytes, INLAY_PAGE_BYTES);
	for (i = 0; i < object->nr_maps; i++) {
		struct rt_extent extent = extent_of(object->maps[i]);

		bytes += extent.first + extent.last;
	}
	return bytes;
}

/* A huge map without shared memory gets private memory of its own. */
static void huge_map_private(const struct inlay_map_desc *map)
{
	void *at;

	if (!(map->flags & INLAY_MAP_HUGE) || load_relaxed(map->base))
		return;
	at = sys_mmap(NULL, map->region_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!at)
		return;
	__inlay_huge_start(map, at);
	store_release(map->base, at);
}

/*
 * Room in the file for a region, with the contents that it has so far. 0 in *ret_off: none
 * needed.
 */
static int region_make(int fd, const void *region, struct rt_extent extent, __u64 *ret_off)
{
	*ret_off = 0;
	if (!extent.bytes || fd < 0)
		return 0;
	*ret_off = __inlay_segment_alloc(fd, extent);
	if (!*ret_off)
		return -ENOSPC;
	return region ? __inlay_region_save(fd, region, *ret_off, extent.bytes) : 0;
}

/* A constant that readers want a copy of: not padded to pages in the image. */
static int constant_make(int fd, const void *data, __u64 bytes, __u64 *ret_off)
{
	*ret_off = 0;
	if (!data || !bytes || fd < 0)
		return 0;
	*ret_off = __inlay_segment_alloc(fd, rt_extent_whole(bytes));
	return *ret_off ? __inlay_region_write(fd, data, *ret_off, bytes) : -ENOSPC;
}

static int map_row_fill(int fd, struct inlay_seg_map *row, const struct inlay_map_desc *map,
			__u32 object_row)
{
	int err;

	name_copy(row->name, sizeof(row->name), map->name);
	row->type = map->type;
	row->key_size = map->key_size;
	row->value_size = map->value_size;
	row->value_stride = map->value_stride;
	row->max_entries = map->max_entries;
	row->map_flags = map->map_flags;
	row->flags = map->flags;
	row->object = object_row;
	row->btf_key_type_id = map->btf_key_type_id;
	row->btf_value_type_id = map->btf_value_type_id;
	row->bytes = region_bytes_shared(map);
	row->shard_bytes = map->shard_bytes;
	row->extra = map->extra;
	row->drops = 0;
	if (map->flags & INLAY_MAP_RODATA)
		err = constant_make(fd, map->region, map->value_size, &row->off);
	else
		err = region_make(fd, map->flags & INLAY_MAP_HUGE ? NULL : map->region,
				  extent_of(map), &row->off);
	if (!err && row->off && (map->flags & INLAY_MAP_HUGE))
		err = __inlay_huge_make(fd, map, row->off);
	if (fd < 0)
		row->bytes = 0;
	return err;
}

static int rows_fill(int fd, const struct inlay_object_desc *object, __u32 object_row)
{
	struct rt_head *head = __inlay_rt.head;
	struct inlay_seg_object *row = &head->objects[object_row];
	__u32 first_map = load_relaxed(&head->seg.maps.nr);
	__u32 first_prog = load_relaxed(&head->seg.progs.nr);
	__u32 i;
	int err = 0;

	if (object_row >= INLAY_SEGMENT_MAX_OBJECTS || first_map > INLAY_SEGMENT_MAX_MAPS ||
	    object->nr_maps > INLAY_SEGMENT_MAX_MAPS - first_map ||
	    first_prog > INLAY_SEGMENT_MAX_PROGS ||
	    object->nr_progs > INLAY_SEGMENT_MAX_PROGS - first_prog)
		return -E2BIG;
	for (i = 0; i < INLAY_HASH_BYTES; i++)
		row->hash[i] = object->hash[i];
	name_copy(row->name, sizeof(row->name), object->name);
	name_copy(row->license, sizeof(row->license), object->license);
	row->first_map = first_map;
	row->nr_maps = object->nr_maps;
	row->first_prog = first_prog;
	row->nr_progs = object->nr_progs;
	row->btf_bytes = object->btf_bytes;
	row->ctl_bytes = object->ctl_bytes;
	err = region_make(fd, object->ctl, rt_extent_whole(object->ctl_bytes), &row->ctl_off);
	if (!err)
		err = constant_make(fd, object->btf, object->btf_bytes, &row->btf_off);
	for (i = 0; i < object->nr_maps && !err; i++)
		err = map_row_fill(fd, &head->maps[first_map + i], object->maps[i], object_row);
	for (i = 0; i < object->nr_progs && !err; i++) {
		struct inlay_seg_prog *prog = &head->progs[first_prog + i];

		name_copy(prog->name, sizeof(prog->name), object->progs[i].name);
		name_copy(prog->section, sizeof(prog->section), object->progs[i].section);
		prog->kind = object->progs[i].kind;
		prog->flags = object->progs[i].flags;
		prog->object = object_row;
		prog->index = i;
	}
	if (err)
		return err;
	/*
	 * release: readers acquire the counts; the objects' last, as its rows refer to the
	 * others
	 */
	store_release(&head->seg.maps.nr, first_map + object->nr_maps);
	store_release(&head->seg.progs.nr, first_prog + object->nr_progs);
	store_release(&head->seg.objects.nr, object_row + 1);
	return 0;
}

/* ---- an object that is there ------------------------------------------------------------ */

static bool map_is_same(const struct inlay_seg_map *row, const struct inlay_map_desc *map)
{
	return row->type == map->type && row->key_size == map->key_size &&
	       row->value_size == map->value_size && row->max_entries == map->max_entries &&
	       row->flags == map->flags && row->shard_bytes == map->shard_bytes &&
	       row->extra == map->extra &&
	       (__inlay_rt.mode < RT_MEMFD || row->bytes == region_bytes_shared(map));
}

static bool rows_are_same(const struct inlay_object_desc *object,
			  const struct inlay_seg_object *row, __u32 first_map)
{
	__u32 i;

	if (row->nr_maps != object->nr_maps || row->nr_progs != object->nr_progs ||
	    row->ctl_bytes != object->ctl_bytes)
		return false;
	for (i = 0; i < object->nr_maps; i++)
		if (!map_is_same(&__inlay_rt.head->maps[first_map + i], object->maps[i]))
			return false;
	return true;
}

/* ---- both ------------------------------------------------------------------------------- */

static int place(int fd, void *region, __u64 off, __u64 bytes)
{
	if (!region || !bytes)
		return 0;
	/* the row came from shared memory: checked where it is used */
	if (!__inlay_segment_holds(fd, off, rt_extent_whole(bytes)))
		return -EINVAL;
	return __inlay_region_map(fd, region, off, bytes);
}

static int regions_place(int fd, const struct inlay_object_desc *object, __u64 ctl_off,
			 __u32 first_map)
{
	int err, first_err;
	__u32 i;

	first_err = place(fd, object->ctl, ctl_off, object->ctl_bytes);
	for (i = 0; i < object->nr_maps; i++) {
		const struct inlay_map_desc *map = object->maps[i];
		__u64 off = load_relaxed(&__inlay_rt.head->maps[first_map + i].off);

		if (map->flags & INLAY_MAP_HUGE)
			err = __inlay_huge_place(fd, map, first_map + i, off);
		else if (map->flags & INLAY_MAP_RODATA)
			err = 0;
		else
			err = place(fd, map->region, off, map->region_bytes);
		if (!first_err)
			first_err = err;
	}
	return first_err;
}

static void maps_register(const struct inlay_object_desc *object, __u32 first_map)
{
	__u32 i;

	for (i = 0; i < object->nr_maps; i++)
		if (object->maps[i]->flags & INLAY_MAP_PERCPU)
			__inlay_shard_map_add(object->maps[i], first_map + i);
}

/* fd: the backing, or -1 for private memory */
static int take(int fd, const struct inlay_object_desc *object)
{
	struct rt_head *head = __inlay_rt.head;
	__u32 first_map = INLAY_SEGMENT_MAX_MAPS;
	int lock_fd, row, err;

	err = __inlay_segment_lock(&lock_fd);
	if (err)
		return err;
	row = row_find(object);
	if (row < 0) {
		row = (int)(load_relaxed(&head->seg.objects.nr) % (INLAY_SEGMENT_MAX_OBJECTS + 1));
		err = rows_fill(fd, object, (__u32)row);
	}
	if (!err) {
		/* read once: another process could change it between check and use */
		first_map = load_relaxed(&head->objects[row].first_map);
		if (first_map > INLAY_SEGMENT_MAX_MAPS - object->nr_maps ||
		    !rows_are_same(object, &head->objects[row], first_map))
			err = -EPROTO;
	}
	__inlay_segment_unlock(lock_fd);
	if (err)
		return err;
	maps_register(object, first_map);
	return fd < 0 ? 0
		      : regions_place(fd, object, load_relaxed(&head->objects[row].ctl_off),
				      first_map);
}

void __inlay_object_add(const struct inlay_object_desc *object, const char *unit_path)
{
	int fd = -1, err = 0;
	__u32 i;

	if (__inlay_rt.mode == RT_OFF)
		return;
	if (is_our_abi(object))
		switches_set(object);
	if (!is_our_abi(object) || object->nr_maps > INLAY_SEGMENT_MAX_MAPS)
		err = -EPROTO;
	if (!err && __inlay_rt.mode >= RT_MEMFD)
		err = fd = __inlay_backing_dup();
	if (err >= 0)
		err = take(fd, object);
	if (fd >= 0)
		sys_close(fd);
	if (err)
		add_relaxed(&__inlay_rt.head->seg.objects_refused, 1);
	if (!is_our_abi(object))
		return;
	for (i = 0; i < object->nr_maps; i++)
		huge_map_private(object->maps[i]);
	gates_set(object, unit_path);
}
