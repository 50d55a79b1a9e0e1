/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of the walk, copies of states, and what can be put into a register.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/verify/walk.h"

/* ---- memory ---- */

static bool is_within_limit(struct verify *v, uint64_t more)
{
	struct verify_walk *w = v->walk;
	uint64_t bytes = w->bytes + w->pool.bytes + more;

	if (bytes > w->opts.max_bytes) {
		verify_limit(v, "split the program, or bound its loops with constants",
			     "the proof needs more memory than the limit of %llu MiB",
			     (unsigned long long)(w->opts.max_bytes >> 20));
		return false;
	}
	if (bytes > w->stats.bytes)
		w->stats.bytes = bytes;
	return true;
}

static void *no_memory(struct verify *v)
{
	if (!v->err)
		v->err = -ENOMEM;
	return NULL;
}

/* Not zeroed: for copies, which states are for the most part. */
static void *alloc_copy(struct verify *v, size_t bytes)
{
	void *mem;

	if (!is_within_limit(v, bytes))
		return NULL;
	mem = malloc(bytes ? bytes : 1);
	if (!mem)
		return no_memory(v);
	v->walk->bytes += bytes;
	return mem;
}

void *verify_alloc(struct verify *v, size_t bytes)
{
	void *mem = alloc_copy(v, bytes);

	if (mem)
		memset(mem, 0, bytes);
	return mem;
}

void *verify_grow(struct verify *v, void *old, size_t old_bytes, size_t bytes)
{
	void *mem;

	if (!is_within_limit(v, bytes - old_bytes))
		return NULL;
	mem = realloc(old, bytes);
	if (!mem)
		return no_memory(v);
	memset((char *)mem + old_bytes, 0, bytes - old_bytes);
	v->walk->bytes += bytes - old_bytes;
	return mem;
}

void verify_free(struct verify *v, void *mem, size_t bytes)
{
	if (!mem)
		return;
	free(mem);
	v->walk->bytes -= bytes;
}

#define CHUNK_BYTES (64u << 10)

struct verify_chunk {
	struct verify_chunk *next;
	_Alignas(16) char data[];
};

void *verify_pool_alloc(struct verify *v, size_t bytes)
{
	struct verify_pool *pool = &v->walk->pool;
	void *mem;

	bytes = (bytes + 7) & ~(size_t)7;
	if (!pool->chunks || pool->used + bytes > CHUNK_BYTES) {
		struct verify_chunk *chunk;

		if (!is_within_limit(v, CHUNK_BYTES))
			return NULL;
		chunk = malloc(sizeof(*chunk) + CHUNK_BYTES);
		if (!chunk)
			return no_memory(v);
		chunk->next = pool->chunks;
		pool->chunks = chunk;
		pool->used = 0;
		pool->bytes += CHUNK_BYTES;
	}
	mem = pool->chunks->data + pool->used;
	pool->used += bytes;
	memset(mem, 0, bytes);
	return mem;
}

void verify_pool_free(struct verify_pool *pool)
{
	while (pool->chunks) {
		struct verify_chunk *next = pool->chunks->next;

		free(pool->chunks);
		pool->chunks = next;
	}
	pool->bytes = 0;
}

/* ---- states ---- */

static struct verify_frame *copy_frame(struct verify *v, const struct verify_frame *from)
{
	struct verify_frame *f = alloc_copy(v, sizeof(*f));

	if (!f)
		return NULL;
	*f = *from;
	f->slots = NULL;
	if (!from->nr_slots)
		return f;
	f->slots = alloc_copy(v, from->nr_slots * sizeof(*f->slots));
	if (!f->slots) {
		verify_free(v, f, sizeof(*f));
		return NULL;
	}
	memcpy(f->slots, from->slots, from->nr_slots * sizeof(*f->slots));
	return f;
}

static void free_frame(struct verify *v, struct verify_frame *f)
{
	verify_free(v, f->slots, f->nr_slots * sizeof(*f->slots));
	verify_free(v, f, sizeof(*f));
}

static size_t state_bytes(uint32_t max_refs)
{
	return offsetof(struct verify_state, refs) + max_refs * sizeof(struct verify_ref);
}

static struct verify_state *copy_state(struct verify *v, const struct verify_state *from,
				       uint32_t max_refs)
{
	struct verify_state *s = alloc_copy(v, state_bytes(max_refs));

	if (!s)
		return NULL;
	memcpy(s, from, state_bytes(from->nr_refs));
	s->nr_frames = 0;
	s->max_refs = max_refs;
	for (uint32_t i = 0; i < from->nr_frames; i++) {
		s->frames[i] = copy_frame(v, from->frames[i]);
		if (!s->frames[i]) {
			verify_state_free(v, s);
			return NULL;
		}
		s->nr_frames++;
	}
	return s;
}

struct verify_state *verify_state_new(struct verify *v)
{
	struct verify_state *s = verify_alloc(v, sizeof(*s));

	if (s)
		s->max_refs = VERIFY_MAX_REFS;
	return s;
}

struct verify_state *verify_state_copy(struct verify *v, const struct verify_state *from)
{
	return copy_state(v, from, VERIFY_MAX_REFS);
}

struct verify_state *verify_state_keep(struct verify *v, const struct verify_state *from)
{
	return copy_state(v, from, from->nr_refs);
}

void verify_state_free(struct verify *v, struct verify_state *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->nr_frames; i++)
		free_frame(v, s->frames[i]);
	verify_free(v, s, state_bytes(s->max_refs));
}

struct verify_frame *verify_push_frame(struct verify *v, struct verify_state *s, uint32_t func)
{
	struct verify_frame *f;

	if (s->nr_frames == VERIFY_MAX_FRAMES) {
		verify_refuse(v, "inline some of them: static __always_inline",
			      "calls are nested more than %d deep", VERIFY_MAX_FRAMES);
		return NULL;
	}
	f = verify_alloc(v, sizeof(*f));
	if (!f)
		return NULL;
	f->func = func;
	s->frames[s->nr_frames] = f;
	verify_set_pointer(v, &f->regs[BPF_REG_10], VT_STACK, 0);
	f->regs[BPF_REG_10].frame = (uint8_t)s->nr_frames++;
	f->run_id = ++s->next_id;
	s->insn = 0;
	if (s->nr_frames > v->walk->stats.max_depth)
		v->walk->stats.max_depth = s->nr_frames;
	return f->regs[BPF_REG_10].use ? f : NULL;
}

void verify_pop_frame(struct verify *v, struct verify_state *s)
{
	free_frame(v, s->frames[--s->nr_frames]);
}

/* ---- registers ---- */

int verify_read_reg(struct verify *v, int reg)
{
	struct verify_reg *r = verify_reg(v, reg);

	if (r->type == VT_UNINIT)
		return verify_refuse(
		    v, "give the variable a value on every path; a call leaves r1 to r5 unset",
		    "r%d is read, and nothing was put into it on this path", reg);
	verify_use_mark(v, r->use, USE_READ);
	return v->err;
}

void verify_set_uninit(struct verify_reg *r)
{
	memset(r, 0, sizeof(*r));
}

void verify_set_scalar(struct verify *v, struct verify_reg *r, const struct range *num,
		       struct verify_use *from_a, struct verify_use *from_b)
{
	struct range copy = *num; /* perhaps r's own */

	memset(r, 0, sizeof(*r));
	r->type = VT_SCALAR;
	r->num = copy;
	r->use = verify_use_new(v, from_a, from_b);
}

void verify_set_unknown(struct verify *v, struct verify_reg *r)
{
	const struct range unknown = range_unknown();

	verify_set_scalar(v, r, &unknown, NULL, NULL);
}

void verify_set_pointer(struct verify *v, struct verify_reg *r, enum verify_type type,
			uint32_t flags)
{
	memset(r, 0, sizeof(*r));
	r->type = (uint8_t)type;
	r->flags = (uint16_t)flags;
	r->num = range_const(0);
	r->use = verify_use_new(v, NULL, NULL);
}

void verify_mark_precise(struct verify *v, struct verify_reg *r)
{
	if (r->use)
		verify_use_mark(v, r->use, USE_PRECISE);
}

uint32_t verify_new_id(struct verify *v)
{
	return ++v->cur->next_id;
}
