/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory pool of one compilation. Chunks are kept in a list and freed together; a request
 * larger than a chunk gets a chunk of its own.
 */
#include "bpfcc/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (64u << 10)

struct chunk {
	struct chunk *next;
	size_t used, bytes;
	alignas(max_align_t) char data[];
};

struct bpfcc_arena {
	struct chunk *chunks;
};

static unsigned int fail_countdown;

void bpfcc_arena_fail_after(unsigned int nr)
{
	fail_countdown = nr;
}

/* calloc, with the failures that tests ask for */
static void *request(size_t bytes)
{
	if (fail_countdown == 1)
		return NULL;
	if (fail_countdown)
		fail_countdown--;
	return calloc(1, bytes);
}

struct bpfcc_arena *bpfcc_arena_new(void)
{
	return request(sizeof(struct bpfcc_arena));
}

void bpfcc_arena_free(struct bpfcc_arena *arena)
{
	struct chunk *chunk, *next;

	if (!arena)
		return;
	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

void *bpfcc_arena_alloc(struct bpfcc_arena *arena, size_t bytes)
{
	struct chunk *chunk = arena->chunks;
	size_t room;
	void *ret;

	/* a failure that a test asked for hits requests that a chunk would satisfy, too */
	if (fail_countdown == 1)
		return NULL;
	if (bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!chunk || chunk->bytes - chunk->used < bytes) {
		room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
		chunk = request(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->bytes = room;
		/* keep filling a chunk that has more room left than the new one will have */
		if (arena->chunks && bytes > CHUNK_BYTES / 2) {
			chunk->next = arena->chunks->next;
			arena->chunks->next = chunk;
		} else {
			chunk->next = arena->chunks;
			arena->chunks = chunk;
		}
	} else if (fail_countdown) {
		fail_countdown--;
	}
	ret = chunk->data + chunk->used;
	chunk->used += bytes;
	return ret;
}

void *bpfcc_arena_array(struct bpfcc_arena *arena, size_t nr, size_t bytes)
{
	size_t total;

	if (__builtin_mul_overflow(nr, bytes, &total))
		return NULL;
	return bpfcc_arena_alloc(arena, total);
}

void *bpfcc_arena_memdup(struct bpfcc_arena *arena, const void *data, size_t bytes)
{
	void *ret = bpfcc_arena_alloc(arena, bytes);

	if (ret && bytes)
		memcpy(ret, data, bytes);
	return ret;
}

char *bpfcc_arena_strndup(struct bpfcc_arena *arena, const char *text, size_t bytes)
{
	char *ret = bpfcc_arena_alloc(arena, bytes + 1);

	if (ret)
		memcpy(ret, text, bytes);
	return ret;
}

char *bpfcc_arena_strdup(struct bpfcc_arena *arena, const char *text)
{
	return bpfcc_arena_strndup(arena, text, strlen(text));
}

char *bpfcc_arena_printf(struct bpfcc_arena *arena, const char *format, ...)
{
	va_list args;
	char *ret;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		return NULL;
	ret = bpfcc_arena_alloc(arena, (size_t)n + 1);
	if (!ret)
		return NULL;
	va_start(args, format);
	vsnprintf(ret, (size_t)n + 1, format, args);
	va_end(args);
	return ret;
}
