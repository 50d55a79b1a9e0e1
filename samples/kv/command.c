/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests: "COMMAND ARGUMENT..." in, one line out. */
#include "kv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 10 };

struct words {
	unsigned int nr;
	char *at[WORDS_MAX];
};

static void split(char *line, struct words *words)
{
	char *save, *word = strtok_r(line, " \r\n", &save);

	for (words->nr = 0; word && words->nr < WORDS_MAX; word = strtok_r(NULL, " \r\n", &save))
		words->at[words->nr++] = word;
}

/* Argument i, empty or 0 if it was not given. */
static const char *text(const struct words *words, unsigned int i)
{
	return i < words->nr ? words->at[i] : "";
}

static long number(const struct words *words, unsigned int i)
{
	return strtol(text(words, i), NULL, 0);
}

static void do_get(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	char value[KV_VALUE_MAX + 1];
	int length = kv_get(s->store, text(w, 1), value, sizeof(value));

	if (length < 0)
		snprintf(out, bytes, "none");
	else
		snprintf(out, bytes, "%d %s", length, value);
}

static void do_set(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	char line[512];
	int n, err = kv_set(s->store, text(w, 1), text(w, 2), (uint16_t)number(w, 3));

	if (!err && s->log_fd >= 0) {
		n = snprintf(line, sizeof(line), "set %s %s\n", text(w, 1), text(w, 2));
		err = kv_log_append(s->log_fd, line, (size_t)n);
	}
	snprintf(out, bytes, "%d", err);
}

static void do_delete(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	snprintf(out, bytes, "%d", kv_delete(s->store, text(w, 1)));
}

static void do_increment(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	snprintf(out, bytes, "%ld", kv_increment(s->store, text(w, 1), w->nr > 2 ? number(w, 2) : 1));
}

static void do_peek(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	const char *value = kv_peek(s->store, text(w, 1));

	snprintf(out, bytes, "%s", value ? value : "none");
}

static void do_sync(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	(void)w;
	snprintf(out, bytes, "%d", s->log_fd < 0 ? 0 : kv_log_sync(s->log_fd));
}

/* Everything in ops.c, with arguments made from one number. */
static void do_types(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	long n = number(w, 1);
	struct kv_filter filter = { .min = 10, .max = 5000000000, .mask = 0xff, .flags = 7,
				    .prefix = "filter" };
	struct kv_range span = kv_span(n, (int32_t)(n & 15));

	(void)s;
	span.step = 3;
	kv_nothing();
	snprintf(out, bytes, "%d %ld %" PRIu64 " %d %d %d %d %u %u %" PRId64 " %.3f %d",
		 kv_mix((signed char)n, (unsigned short)(n * 3), (int)(n * -5),
			(unsigned int)(n * 7919), n * -1000003, (unsigned long)n << 33),
		 kv_weigh((double)n * 0.5, (int)-n, 1.5f, (unsigned char)(n * 7), 2.25,
			  (short)(n * -11)),
		 kv_sum(span, (uint32_t)n), kv_match(filter, (uint64_t)n * n, (int16_t)-n),
		 kv_is_odd((uint8_t)n), kv_narrow(n * 37), kv_short(n * -1117), kv_byte(n * 91),
		 kv_word(n * 0x10001001), kv_negate(n << 35), kv_ratio(n, 7),
		 kv_wide((int)n, 2, 3, 4, 5, 6, 7, (int)-n));
}

static void do_fibonacci(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	(void)s;
	snprintf(out, bytes, "%lu", kv_fibonacci((unsigned int)number(w, 1)));
}

static void do_even(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	(void)s;
	snprintf(out, bytes, "%d", kv_even((int)number(w, 1)));
}

static void do_threads(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	(void)s;
	snprintf(out, bytes, "%d", kv_run_threads((unsigned int)number(w, 1),
						  (unsigned long)number(w, 2)));
}

static void do_children(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	(void)s;
	snprintf(out, bytes, "%d", kv_run_children((unsigned int)number(w, 1),
						   (unsigned long)number(w, 2)));
}

static void do_signals(struct kv_session *s, const struct words *w, char *out, size_t bytes)
{
	(void)s;
	snprintf(out, bytes, "%d", kv_run_signals((unsigned int)number(w, 1)));
}

static const struct {
	const char *name;
	void (*run)(struct kv_session *session, const struct words *words, char *out, size_t bytes);
} commands[] = {
	{ "get", do_get }, { "set", do_set }, { "del", do_delete }, { "incr", do_increment },
	{ "peek", do_peek }, { "sync", do_sync }, { "types", do_types },
	{ "fib", do_fibonacci }, { "even", do_even }, { "threads", do_threads },
	{ "fork", do_children }, { "signal", do_signals },
};

bool kv_command(struct kv_session *session, char *line, char *answer, size_t answer_bytes)
{
	struct words words;

	split(line, &words);
	answer[0] = '\0';
	if (!words.nr)
		return true;
	if (!strcmp(words.at[0], "quit"))
		return false;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, words.at[0])) {
			commands[i].run(session, &words, answer, answer_bytes);
			return true;
		}
	snprintf(answer, answer_bytes, "what is %.40s?", words.at[0]);
	return true;
}
