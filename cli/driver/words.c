/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of words, and how text becomes words: @files, quoting, comma lists.
 */
#include "cli/driver/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NESTING_MAX 16	/* of @files; deeper is a file that names itself */

int cc_words_add(struct bpfcc_arena *arena, struct cc_words *words, const char *word)
{
	if (words->nr + 1 >= words->max) {
		size_t max = words->max ? 2 * words->max : 32;
		const char **items = bpfcc_arena_array(arena, max, sizeof(*items));

		if (!items)
			return -ENOMEM;
		if (words->nr > 0)
			memcpy(items, words->items, words->nr * sizeof(*items));
		words->items = items;
		words->max = max;
	}
	words->items[words->nr++] = word;
	words->items[words->nr] = NULL;
	return 0;
}

int cc_words_add_all(struct bpfcc_arena *arena, struct cc_words *words, const char *const *more,
		     size_t nr)
{
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++)
		err = cc_words_add(arena, words, more[i]);
	return err;
}

int cc_words_add_list(struct bpfcc_arena *arena, struct cc_words *words, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, ",");
		char *part;
		int err;

		if (len > 0) {
			part = bpfcc_arena_strndup(arena, text, len);
			if (!part)
				return -ENOMEM;
			err = cc_words_add(arena, words, part);
			if (err)
				return err;
		}
		text += len + (text[len] == ',');
	}
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

/* Copies one word from *text to `to`, quotes and escapes resolved; returns the end of the copy. */
static char *take_word(const char **text, char *to)
{
	const char *from = *text;
	char quote = 0;

	while (*from && (quote || !is_space(*from))) {
		char c = *from++;

		if (c == '\\' && quote != '\'' && *from)
			*to++ = *from++;
		else if (quote ? c == quote : c == '\'' || c == '"')
			quote = quote ? 0 : c;
		else
			*to++ = c;
	}
	*to++ = '\0';
	*text = from;
	return to;
}

int cc_words_add_quoted(struct bpfcc_arena *arena, struct cc_words *words, const char *text)
{
	/* A word and its NUL are never longer than the word was with the space behind it. */
	char *to = bpfcc_arena_alloc(arena, strlen(text) + 1);
	int err = to ? 0 : -ENOMEM;

	while (!err) {
		char *word = to;

		while (is_space(*text))
			text++;
		if (!*text)
			break;
		to = take_word(&text, to);
		err = cc_words_add(arena, words, word);
	}
	return err;
}

int cc_file_read(struct bpfcc_arena *arena, const char *path, char **ret_data, size_t *ret_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t bytes = 0, size;
	struct stat st;
	char *data;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	size = (size_t)st.st_size;
	data = bpfcc_arena_alloc(arena, size + 1);
	while (data && bytes < size) {
		ssize_t got = read(fd, data + bytes, size - bytes);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		bytes += (size_t)got;
	}
	close(fd);
	if (!data)
		return -ENOMEM;
	if (bytes < size)
		return -EIO;
	data[bytes] = '\0';
	*ret_data = data;
	*ret_bytes = bytes;
	return 0;
}

static int expand(struct bpfcc_arena *arena, struct cc_words *words, const char *const *argv,
		  size_t nr, int depth)
{
	if (depth > NESTING_MAX)
		return -ELOOP;
	for (size_t i = 0; i < nr; i++) {
		struct cc_words inner = { 0 };
		size_t bytes;
		char *text;
		int err;

		if (argv[i][0] != '@' || cc_file_read(arena, argv[i] + 1, &text, &bytes)) {
			err = cc_words_add(arena, words, argv[i]);
		} else {
			err = cc_words_add_quoted(arena, &inner, text);
			if (!err)
				err = expand(arena, words, inner.items, inner.nr, depth + 1);
		}
		if (err)
			return err;
	}
	return 0;
}

int cc_words_expand(struct bpfcc_arena *arena, struct cc_words *words, const char *const *argv,
		    size_t nr)
{
	return expand(arena, words, argv, nr, 0);
}
