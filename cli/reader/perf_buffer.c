/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inlay_perf_buffer_*: the ring of a PERF_EVENT_ARRAY, whose records begin with struct
 * inlay_perf_sample.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/reader/ring.h"

struct inlay_perf_buffer {
	struct ring ring;
	struct ring *rings[1];
	struct ring_sleep sleeps[1];
	inlay_perf_buffer_sample_fn sample_cb;
	inlay_perf_buffer_lost_fn lost_cb;
	void *ctx;
	uint64_t lost;		/* told already */
	bool is_busy;
};

int inlay_perf_buffer_new(struct inlay_reader *reader, uint32_t map,
			  inlay_perf_buffer_sample_fn sample_cb, inlay_perf_buffer_lost_fn lost_cb,
			  void *ctx, const struct inlay_perf_buffer_opts *opts,
			  struct inlay_perf_buffer **ret_perf)
{
	struct inlay_perf_buffer *perf;
	int err;

	if (!sample_cb || (opts && opts->sz < sizeof(opts->sz)))
		return -EINVAL;
	perf = calloc(1, sizeof(*perf));
	if (!perf)
		return -ENOMEM;
	perf->sample_cb = sample_cb;
	perf->lost_cb = lost_cb;
	perf->ctx = ctx;
	perf->rings[0] = &perf->ring;
	err = ring_open(reader, map, INLAY_MAP_TYPE_PERF_EVENT_ARRAY, &perf->ring);
	if (err) {
		free(perf);
		return err;
	}
	*ret_perf = perf;
	return 0;
}

void inlay_perf_buffer_free(struct inlay_perf_buffer *perf)
{
	if (!perf)
		return;
	ring_close(&perf->ring);
	free(perf);
}

static void deliver(struct inlay_perf_buffer *perf, const char *data, size_t bytes)
{
	struct inlay_perf_sample sample;

	/* not a sample that a producer made */
	if (bytes < sizeof(sample))
		return;
	memcpy(&sample, data, sizeof(sample));
	bytes -= sizeof(sample);
	if (sample.bytes < bytes)
		bytes = sample.bytes;
	perf->sample_cb(perf->ctx, sample.cpu > INT_MAX ? -1 : (int)sample.cpu,
			(void *)(data + sizeof(sample)), (uint32_t)bytes);
}

static int consume(struct inlay_perf_buffer *perf, size_t max)
{
	uint64_t start = perf->ring.consumer.cons, lost;
	const void *data;
	size_t bytes;
	size_t nr = 0;
	int ret = 0;

	if (perf->is_busy)
		return -EBUSY;
	perf->is_busy = true;
	while (nr < max && perf->ring.consumer.cons - start <= perf->ring.area.size) {
		ret = ring_take(&perf->ring, &data, &bytes);
		if (ret <= 0)
			break;
		nr++;
		deliver(perf, data, bytes);
	}
	if (ret >= 0)
		ret = ring_give_back(&perf->ring);
	lost = ring_lost(&perf->ring);
	if (lost > perf->lost && perf->lost_cb)
		perf->lost_cb(perf->ctx, ring_lost_cpu(&perf->ring), lost - perf->lost);
	perf->lost = lost;
	perf->is_busy = false;
	return ret < 0 ? ret : (int)nr;
}

static int consume_all(void *arg)
{
	return consume(arg, INT_MAX);
}

int inlay_perf_buffer_consume(struct inlay_perf_buffer *perf)
{
	return consume(perf, INT_MAX);
}

int inlay_perf_buffer_consume_n(struct inlay_perf_buffer *perf, size_t n)
{
	return consume(perf, n < INT_MAX ? n : INT_MAX);
}

int inlay_perf_buffer_poll(struct inlay_perf_buffer *perf, int timeout_ms)
{
	const struct ring_set set = { .rings = perf->rings, .nr = 1, .sleeps = perf->sleeps,
				      .consume = consume_all, .arg = perf };

	return ring_poll(&set, timeout_ms);
}
