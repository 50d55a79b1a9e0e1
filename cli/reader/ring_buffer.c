/* SPDX-License-Identifier: BSD-2-Clause */
/* inlay_ring_buffer_*: the rings of one or several targets, in turn. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/reader/guard.h"
#include "cli/reader/open.h"
#include "cli/reader/ring.h"

struct member {
	struct ring ring;
	inlay_ring_buffer_sample_fn sample_cb;
	void *ctx;
	struct inlay_reader *owned;	/* a segment that inlay_ring_buffer_add_all() opened */
};

struct inlay_ring_buffer {
	struct member **members;	/* each by itself: a ring knows its own address */
	struct ring **rings;
	struct ring_sleep *sleeps;
	size_t nr;
	uint64_t consumed;
	bool is_busy;			/* a callback runs */
};

static int grow(struct inlay_ring_buffer *ring)
{
	size_t nr = ring->nr + 1;
	void *more;

	more = reallocarray(ring->members, nr, sizeof(*ring->members));
	if (!more)
		return -ENOMEM;
	ring->members = more;
	more = reallocarray(ring->rings, nr, sizeof(*ring->rings));
	if (!more)
		return -ENOMEM;
	ring->rings = more;
	more = reallocarray(ring->sleeps, nr, sizeof(*ring->sleeps));
	if (!more)
		return -ENOMEM;
	ring->sleeps = more;
	return 0;
}

int inlay_ring_buffer_add(struct inlay_ring_buffer *ring, struct inlay_reader *reader, uint32_t map,
			  inlay_ring_buffer_sample_fn sample_cb, void *ctx)
{
	struct member *member;
	int err;

	if (!sample_cb)
		return -EINVAL;
	if (ring->is_busy)
		return -EBUSY;
	err = grow(ring);
	if (err)
		return err;
	member = calloc(1, sizeof(*member));
	if (!member)
		return -ENOMEM;
	member->sample_cb = sample_cb;
	member->ctx = ctx;
	err = ring_open(reader, map, INLAY_MAP_TYPE_RINGBUF, &member->ring);
	if (err) {
		free(member);
		return err;
	}
	ring->rings[ring->nr] = &member->ring;
	ring->members[ring->nr++] = member;
	return 0;
}

int inlay_ring_buffer_new(struct inlay_reader *reader, uint32_t map,
			  inlay_ring_buffer_sample_fn sample_cb, void *ctx,
			  const struct inlay_ring_buffer_opts *opts,
			  struct inlay_ring_buffer **ret_ring)
{
	struct inlay_ring_buffer *ring;
	int err = guard_prepare();

	if (opts && opts->sz < sizeof(opts->sz))
		err = -EINVAL;
	if (err)
		return err;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	if (reader)
		err = inlay_ring_buffer_add(ring, reader, map, sample_cb, ctx);
	if (err) {
		inlay_ring_buffer_free(ring);
		return err;
	}
	*ret_ring = ring;
	return 0;
}

void inlay_ring_buffer_free(struct inlay_ring_buffer *ring)
{
	if (!ring)
		return;
	for (size_t i = 0; i < ring->nr; i++) {
		ring_close(&ring->members[i]->ring);
		inlay_segment_close(ring->members[i]->owned);
		free(ring->members[i]);
	}
	free(ring->members);
	free(ring->rings);
	free(ring->sleeps);
	free(ring);
}

/* ---- All targets of an object ----------------------------------------------------------- */

struct everywhere {
	struct inlay_ring_buffer *ring;
	struct inlay_segment_opts opts;
	const char *object, *map;
	inlay_ring_buffer_sample_fn sample_cb;
	void *ctx;
	int nr_added;
};

/* The row of a map by its names; -ENOENT */
static int find_map(struct inlay_reader *reader, const char *object, const char *map,
		    uint32_t *ret_index)
{
	struct inlay_object_info info = INLAY_SIZED(inlay_object_info);
	struct inlay_map_info row = INLAY_SIZED(inlay_map_info);

	for (uint32_t i = 0; !inlay_segment_map(reader, i, &row); i++)
		if (!strcmp(row.name, map) && !inlay_segment_object(reader, row.object, &info) &&
		    !strcmp(info.name, object)) {
			*ret_index = i;
			return 0;
		}
	return -ENOENT;
}

static int add_one(void *arg, const char *path, struct inlay_reader *lent, int error,
		   const char *reason)
{
	struct inlay_segment_info info = INLAY_SIZED(inlay_segment_info);
	struct everywhere *all = arg;
	struct inlay_reader *reader;
	uint32_t map;
	int err;

	(void)error;
	(void)reason;
	if (!lent || inlay_segment_info(lent, &info) || !info.nr_alive ||
	    find_map(lent, all->object, all->map, &map))
		return 0;
	/* what has ended or was damaged meanwhile is no target */
	if (inlay_segment_open(path, &all->opts, &reader))
		return 0;
	err = inlay_ring_buffer_add(all->ring, reader, map, all->sample_cb, all->ctx);
	if (err) {
		inlay_segment_close(reader);
		return err == -ENOMEM ? err : 0;
	}
	all->ring->members[all->ring->nr - 1]->owned = reader;
	all->nr_added++;
	return 0;
}

int inlay_ring_buffer_add_all(struct inlay_ring_buffer *ring, const struct inlay_segment_opts *opts,
			      const char *object, const char *map,
			      inlay_ring_buffer_sample_fn sample_cb, void *ctx)
{
	struct everywhere all = { .ring = ring, .object = object, .map = map,
				  .sample_cb = sample_cb, .ctx = ctx };
	struct inlay_segment_opts look;
	int err;

	if (!sample_cb)
		return -EINVAL;
	if (ring->is_busy)
		return -EBUSY;
	err = opts_load(opts, &all.opts);
	if (err)
		return err;
	all.opts.sz = sizeof(all.opts);
	look = all.opts;
	look.is_unlocked = true;
	look.is_writable = false;
	all.opts.is_writable = true;
	all.opts.reason = NULL;
	err = inlay_segment_list(&look, add_one, &all);
	return err ? err : all.nr_added;
}

/* ---- Consuming -------------------------------------------------------------------------- */

/* At most `max` records of one ring, and no more than fit into it: others wait, too. */
static int consume_one(struct inlay_ring_buffer *ring, struct member *member, size_t max,
		       size_t *nr)
{
	uint64_t start = member->ring.consumer.cons;
	const void *data;
	size_t bytes;
	int ret = 0, err;

	while (*nr < max && member->ring.consumer.cons - start <= member->ring.area.size) {
		ret = ring_take(&member->ring, &data, &bytes);
		if (ret <= 0)
			return ret;
		*nr += 1;
		ring->consumed++;
		ring->is_busy = true;
		ret = member->sample_cb(member->ctx, (void *)data, bytes);
		ring->is_busy = false;
		if (ret < 0)
			break;
	}
	err = ring_give_back(&member->ring);
	return ret < 0 ? ret : err;
}

static int consume(struct inlay_ring_buffer *ring, size_t max)
{
	size_t nr = 0;

	if (ring->is_busy)
		return -EBUSY;
	for (size_t i = 0; i < ring->nr && nr < max; i++) {
		int ret = consume_one(ring, ring->members[i], max, &nr);

		if (ret < 0)
			return ret;
	}
	return (int)nr;
}

static int consume_all(void *arg)
{
	return consume(arg, INT_MAX);
}

int inlay_ring_buffer_consume(struct inlay_ring_buffer *ring)
{
	return consume(ring, INT_MAX);
}

int inlay_ring_buffer_consume_n(struct inlay_ring_buffer *ring, size_t n)
{
	return consume(ring, n < INT_MAX ? n : INT_MAX);
}

int inlay_ring_buffer_poll(struct inlay_ring_buffer *ring, int timeout_ms)
{
	const struct ring_set set = { .rings = ring->rings, .nr = ring->nr, .sleeps = ring->sleeps,
				      .consume = consume_all, .arg = ring };

	return ring_poll(&set, timeout_ms);
}

/* ---- Counts ----------------------------------------------------------------------------- */

int inlay_ring_buffer_stats(struct inlay_ring_buffer *ring, struct inlay_ring_stats *ret_stats)
{
	struct inlay_ring_stats stats = { .consumed = ring->consumed };

	for (size_t i = 0; i < ring->nr; i++) {
		uint64_t lost, dead;

		ring_counts(ring->rings[i], &lost, &dead);
		stats.lost += lost;
		stats.dead += dead;
	}
	return fill_sized(ret_stats, &stats, sizeof(stats));
}

uint64_t inlay_ring_buffer_lost(struct inlay_ring_buffer *ring)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ring->nr; i++)
		sum += ring_lost(ring->rings[i]);
	return sum;
}
