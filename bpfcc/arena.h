/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One memory pool per compilation: everything allocated from it is freed together. Not thread-safe.
 */
#ifndef INLAY_BPFCC_ARENA_H
#define INLAY_BPFCC_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct bpfcc_arena;

/* NULL if out of memory */
struct bpfcc_arena *bpfcc_arena_new(void);
void bpfcc_arena_free(struct bpfcc_arena *arena);

/* Zeroed, aligned for any type; NULL if out of memory or nr * bytes overflows, not for 0 bytes. */
void *bpfcc_arena_alloc(struct bpfcc_arena *arena, size_t bytes);
void *bpfcc_arena_array(struct bpfcc_arena *arena, size_t nr, size_t bytes);
void *bpfcc_arena_memdup(struct bpfcc_arena *arena, const void *data, size_t bytes);
char *bpfcc_arena_strdup(struct bpfcc_arena *arena, const char *text);
char *bpfcc_arena_strndup(struct bpfcc_arena *arena, const char *text, size_t bytes);
char *bpfcc_arena_printf(struct bpfcc_arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For tests: the nr-th request from now (1 = the next) and all after it fail; 0: none fails. */
void bpfcc_arena_fail_after(unsigned int nr);

#endif /* INLAY_BPFCC_ARENA_H */
