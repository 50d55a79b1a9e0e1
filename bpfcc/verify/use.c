/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which values mattered: nodes that point to where a value came from, and marks that travel along.
 * A node gets each mark once, so all marks together cost what all nodes together do.
 */
#include <errno.h>
#include <stdlib.h>

#include "bpfcc/verify/walk.h"

struct verify_use *verify_use_new(struct verify *v, struct verify_use *a, struct verify_use *b)
{
	struct verify_use *use = verify_pool_alloc(v, sizeof(*use));

	if (!use)
		return NULL;
	if (a)
		use->from[use->nr_from++] = a;
	if (b && b != a)
		use->from[use->nr_from++] = b;
	return use;
}

struct verify_use *verify_use_same(struct verify *v, struct verify_use *use,
				   struct verify_use *also)
{
	struct verify_use *same = verify_use_new(v, use, also);

	if (same)
		same->flags = USE_SAME;
	return same;
}

#define MARKS (USE_READ | USE_PRECISE | USE_LOOP)

static void push(struct verify *v, struct verify_use *use, uint32_t flags)
{
	struct verify_walk *w = v->walk;

	if ((use->flags & flags) == flags)
		return;
	if (w->nr_marks == w->max_marks) {
		uint32_t max = w->max_marks ? 2 * w->max_marks : 256;
		struct verify_mark *marks = verify_grow(v, w->marks,
							w->max_marks * sizeof(*marks),
							max * sizeof(*marks));

		if (!marks)
			return;
		w->marks = marks;
		w->max_marks = max;
	}
	w->marks[w->nr_marks++] = (struct verify_mark){use, flags};
}

/* A number that a proof rests on rests itself on all that it was made from. */
static void spread(struct verify *v, struct verify_use *use, uint32_t flags)
{
	uint32_t onward = flags & USE_PRECISE ? USE_PRECISE | USE_READ : 0;

	if (use->flags & USE_SAME)
		onward |= flags & USE_READ;
	onward |= flags & USE_LOOP;
	for (uint32_t i = 0; onward && i < use->nr_from; i++)
		push(v, use->from[i], onward);
}

void verify_use_mark(struct verify *v, struct verify_use *use, uint32_t flags)
{
	struct verify_walk *w = v->walk;
	uint32_t bottom = w->nr_marks;

	if (!use)
		return; /* memory was short */
	if (flags & USE_PRECISE)
		flags |= USE_READ;
	push(v, use, flags);
	while (w->nr_marks > bottom) {
		struct verify_mark m = w->marks[--w->nr_marks];
		uint32_t fresh = m.flags & ~m.use->flags;

		if (!fresh)
			continue;
		m.use->flags |= fresh;
		spread(v, m.use, fresh);
	}
}

void verify_use_link(struct verify *v, struct verify_use *use, struct verify_use *other)
{
	struct verify_use *more;

	if (!use || !other || use == other)
		return;
	if (use->nr_from == 2) {
		/* the second edge becomes a node that has room */
		more = verify_use_same(v, use->from[1], other);
		if (!more)
			return;
		/* what it leads to has the marks of `use` already */
		more->flags |= use->flags & MARKS;
		use->from[1] = more;
	} else {
		use->from[use->nr_from++] = other;
	}
	if (use->flags & MARKS)
		verify_use_mark(v, other, use->flags & MARKS);
}
