/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of a stream: see lines.h.
 */
#include "bpfcc/cmd/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_BYTES (1u << 18)
#define KEPT_BYTES 4096		/* of a line that is too long */

static int fill(struct cmd_lines *l)
{
	ssize_t n;

	if (l->start) {
		memmove(l->data, l->data + l->start, l->end - l->start);
		l->end -= l->start;
		l->start = 0;
	}
	if (l->end == l->room) {
		size_t room = l->room ? 2 * l->room : FIRST_BYTES;
		char *larger = realloc(l->data, room);

		if (!larger)
			return -ENOMEM;
		l->data = larger;
		l->room = room;
	}
	if (l->before_wait)
		l->before_wait(l->arg);
	do
		n = read(l->fd, l->data + l->end, l->room - l->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	l->end += (size_t)n;
	l->is_at_end = !n;
	return 0;
}

int cmd_lines_next(struct cmd_lines *l, struct cmd_line *ret_line)
{
	size_t looked_at = 0;
	char *end = NULL;
	int err;

	*ret_line = (struct cmd_line){0};
	for (;;) {
		size_t have = l->end - l->start;

		if (have > looked_at)
			end = memchr(l->data + l->start + looked_at, '\n', have - looked_at);
		if (end || l->is_at_end)
			break;
		looked_at = have;
		if (have > CMD_MAX_LINE_BYTES) {
			ret_line->is_too_long = true;
			l->end = l->start + KEPT_BYTES;
			looked_at = KEPT_BYTES;
		}
		err = fill(l);
		if (err)
			return err;
	}
	ret_line->text = l->data + l->start;
	ret_line->bytes = end ? (size_t)(end - ret_line->text) : l->end - l->start;
	if (!end && !ret_line->bytes)
		return 0;
	l->start += ret_line->bytes + (end ? 1 : 0);
	if (ret_line->bytes && ret_line->text[ret_line->bytes - 1] == '\r')
		ret_line->bytes--;
	return 1;
}

void cmd_lines_fini(struct cmd_lines *l)
{
	free(l->data);
	l->data = NULL;
}
