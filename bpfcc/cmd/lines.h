/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a stream line by line; lines have a bounded length, so that no input takes all memory.
 */
#ifndef INLAY_BPFCC_CMD_LINES_H
#define INLAY_BPFCC_CMD_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define CMD_MAX_LINE_BYTES (64u << 20)

struct cmd_lines {
	int fd;
	/* called before a read that may wait; may be NULL */
	void (*before_wait)(void *arg);
	void *arg;
	char *data;		/* private from here on */
	size_t start, end, room;
	bool is_at_end;
};

struct cmd_line {
	const char *text;	/* without line end; until the next call */
	size_t bytes;
	bool is_too_long;	/* only a part is there */
};

/* 1: a line; 0: the end; -errno */
int cmd_lines_next(struct cmd_lines *lines, struct cmd_line *ret_line);
void cmd_lines_fini(struct cmd_lines *lines);

#endif /* INLAY_BPFCC_CMD_LINES_H */
