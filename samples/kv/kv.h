/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small deterministic key-value server: something to probe.
 *
 * Every function here is external and not inlined, so that a kernel uprobe and an inlaid probe see the
 * same calls, and between them they take and return about everything that C passes around.
 */
#ifndef KV_H
#define KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KV_API __attribute__((noinline))

enum { KV_KEY_MAX = 63, KV_VALUE_MAX = 255, KV_BUCKETS = 256 };

struct kv_store;

/* Fits two registers. */
struct kv_range {
	int64_t first;
	int32_t count;
	int32_t step;
};

/* Does not: travels on the stack. */
struct kv_filter {
	uint64_t min, max;
	uint32_t mask, flags;
	char prefix[16];
};

/* store.c: 0 or a negative number; lengths in bytes */
KV_API struct kv_store *kv_open(void);
KV_API void kv_close(struct kv_store *store);
KV_API int kv_get(struct kv_store *store, const char *key, char *value, size_t value_bytes);
KV_API int kv_set(struct kv_store *store, const char *key, const char *value, uint16_t flags);
KV_API bool kv_delete(struct kv_store *store, const char *key);
KV_API long kv_increment(struct kv_store *store, const char *key, long by);
KV_API const char *kv_peek(const struct kv_store *store, const char *key);
KV_API uint32_t kv_hash(const char *key, uint32_t seed);

/* ops.c: arithmetic on what it is given, for the sake of the types */
KV_API int kv_mix(signed char a, unsigned short b, int c, unsigned int d, long e, unsigned long f);
KV_API long kv_weigh(double weight, int rank, float bias, unsigned char level, double scale, short shift);
KV_API uint64_t kv_sum(struct kv_range range, uint32_t seed);
KV_API int kv_match(struct kv_filter filter, uint64_t value, int16_t nth);
KV_API bool kv_is_odd(uint8_t n);
KV_API signed char kv_narrow(long n);
KV_API int16_t kv_short(long n);
KV_API uint8_t kv_byte(long n);
KV_API uint32_t kv_word(long n);
KV_API int64_t kv_negate(int64_t n);
KV_API struct kv_range kv_span(int64_t first, int32_t count);
KV_API double kv_ratio(long a, long b);
KV_API void kv_nothing(void);
KV_API unsigned long kv_fibonacci(unsigned int n);
KV_API int kv_even(int n);
KV_API int kv_odd(int n);
KV_API int kv_wide(int a, int b, int c, int d, int e, int f, int g, int h);

/* work.c */
KV_API void kv_work(unsigned int worker, unsigned long round);
KV_API void kv_child(unsigned int nth);
KV_API void kv_on_signal(int signal_number);
KV_API int kv_run_threads(unsigned int threads, unsigned long rounds);
KV_API int kv_run_children(unsigned int children, unsigned long rounds);
KV_API int kv_run_signals(unsigned int times);

/* log.c: an append-only log, for the sake of write() and fdatasync() */
KV_API int kv_log_open(const char *path);
KV_API int kv_log_append(int fd, const char *line, size_t bytes);
KV_API int kv_log_sync(int fd);

/* command.c: one request, one line of answer; false: the client is done */
struct kv_session {
	struct kv_store *store;
	int log_fd;	/* -1: none */
};
KV_API bool kv_command(struct kv_session *session, char *line, char *answer, size_t answer_bytes);

#endif /* KV_H */
