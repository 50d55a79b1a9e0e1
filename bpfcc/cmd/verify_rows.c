/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc verify --raw: rows in, one line a row out, in order. A row that is wrong is refused and the
 * next one is read; nothing is kept from one row to the next.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpfcc/arena.h"
#include "bpfcc/check.h"
#include "bpfcc/cmd/kernel.h"
#include "bpfcc/cmd/verify.h"
#include "bpfcc/diag.h"
#include "bpfcc/verify/verify.h"
#include "bpfcc/raw.h"

#define MAX_LINE_BYTES (64u << 20)	/* a program of a million instructions has 16 MB of digits */
#define CTX_BYTES (21 * 8)		/* struct pt_regs of x86-64, which rows are written for */

/* Reads lines of a bounded length. */
struct reader {
	int fd;
	char *data;
	size_t start, end, room;
	bool is_at_end;
};

struct line {
	const char *text;	/* until the next call */
	size_t bytes;
	bool is_too_long;	/* only the beginning is there */
};

static int fill(struct reader *r)
{
	ssize_t n;

	if (r->start) {
		memmove(r->data, r->data + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	if (r->end == r->room) {
		size_t room = r->room ? 2 * r->room : 1 << 16;
		char *larger = realloc(r->data, room);

		if (!larger)
			return -ENOMEM;
		r->data = larger;
		r->room = room;
	}
	/* whoever feeds us may wait for the answer to what was read */
	fflush(stdout);
	do
		n = read(r->fd, r->data + r->end, r->room - r->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	r->end += (size_t)n;
	r->is_at_end = !n;
	return 0;
}

/* 1: a line; 0: the end; -errno */
static int next_line(struct reader *r, struct line *ret_line)
{
	size_t looked_at = 0;
	char *end = NULL;
	int err;

	*ret_line = (struct line){0};
	for (;;) {
		size_t have = r->end - r->start;

		if (have > looked_at)
			end = memchr(r->data + r->start + looked_at, '\n', have - looked_at);
		if (end || r->is_at_end)
			break;
		looked_at = have;
		if (have > MAX_LINE_BYTES) {
			ret_line->is_too_long = true;
			r->end = r->start + 4096;
			looked_at = 4096;
		}
		err = fill(r);
		if (err)
			return err;
	}
	ret_line->text = r->data + r->start;
	ret_line->bytes = end ? (size_t)(end - ret_line->text) : r->end - r->start;
	if (!end && !ret_line->bytes)
		return 0;
	r->start += ret_line->bytes + (end ? 1 : 0);
	if (ret_line->bytes && ret_line->text[ret_line->bytes - 1] == '\r')
		ret_line->bytes--;
	return 1;
}

/* The first error of a row, and where it is. */
struct row {
	struct cmd_verify *command;
	const struct bpfcc_raw *raw;
	struct cmd_verdict verdict;
	bool has_error;
};

/* Instruction of the row, from the one of a function. */
static uint32_t flat_insn(const struct bpfcc_raw *raw, const struct inlay_bpfcc_message *m)
{
	for (uint32_t i = 0; i < raw->object.nr_funcs; i++)
		if (m->program && raw->object.funcs && raw->object.funcs[i].name &&
		    !strcmp(raw->object.funcs[i].name, m->program))
			return raw->starts[i] + (uint32_t)m->insn;
	return (uint32_t)m->insn;
}

static void on_message(void *arg, const struct inlay_bpfcc_message *m)
{
	struct row *row = arg;
	struct cmd_verdict *v = &row->verdict;

	if (row->command->is_verbose || row->command->cmd.messages.is_json)
		cmd_message(&row->command->cmd.messages, m);
	if (row->has_error || m->severity == INLAY_BPFCC_NOTE)
		return;
	row->has_error = true;
	if (m->insn >= 0)
		snprintf(v->reason, sizeof(v->reason), "instruction %u: %s (%s)",
			 flat_insn(row->raw, m), m->text, m->disasm);
	else
		snprintf(v->reason, sizeof(v->reason), "%s", m->text);
}

static int verify(struct bpfcc_raw *raw, struct bpfcc_arena *arena, struct bpfcc_diag *diag)
{
	const struct bpfcc_verify_opts opts = {.ctx_bytes = CTX_BYTES, .allow_override = true,
					       .allow_write = true, .is_kernel_set = true};
	struct bpfcc_verify *proof;
	int err = bpfcc_check(&raw->object, arena, diag);

	if (err)
		return err;
	err = bpfcc_verify_new(&raw->object, &opts, arena, diag, &proof);
	bpfcc_verify_free(proof);
	return err;
}

/* 0 or -ENOMEM */
static int look_at(struct cmd_verify *c, const struct bpfcc_raw_header *header,
		   const struct line *line, uint64_t row_nr, struct cmd_kernel *kernel)
{
	struct bpfcc_arena *arena = bpfcc_arena_new();
	struct bpfcc_raw raw = {0};
	struct row row = {.command = c, .raw = &raw};
	struct bpfcc_diag diag = {.fn = on_message, .arg = &row, .object = &raw.object};
	struct cmd_verdict theirs;
	char number[32];
	int err;

	if (!arena)
		return -ENOMEM;
	if (line->is_too_long)
		err = bpfcc_error(&diag, NULL, NULL, "the row is longer than %u bytes",
				  MAX_LINE_BYTES);
	else
		err = bpfcc_raw_read(header, line->text, line->bytes, arena, &diag, &raw);
	diag.path = raw.name;
	if (!err)
		err = verify(&raw, arena, &diag);
	if (!err && row.has_error)
		err = -EINVAL;
	row.verdict.is_accepted = !err;
	if (err != -ENOMEM) {
		snprintf(number, sizeof(number), "row %llu", (unsigned long long)row_nr);
		if (kernel)
			cmd_kernel_row(kernel, &raw, &theirs);
		cmd_verify_put(c, raw.name ? raw.name : number, &row.verdict,
			       kernel ? &theirs : NULL);
	}
	bpfcc_arena_free(arena);
	return err == -ENOMEM ? err : 0;
}

static int rows(struct cmd_verify *c, struct reader *reader, struct cmd_kernel *kernel)
{
	struct bpfcc_raw_header header;
	struct line line;
	uint64_t row_nr = 0;
	int got = next_line(reader, &line);

	if (got < 0)
		return got;
	if (!got || line.is_too_long || !bpfcc_raw_header(line.text, line.bytes, &header))
		return -EBADMSG;
	while ((got = next_line(reader, &line)) > 0) {
		got = look_at(c, &header, &line, ++row_nr, kernel);
		if (got)
			break;
	}
	return got;
}

int cmd_verify_rows(struct cmd_verify *c)
{
	struct reader reader = {.fd = STDIN_FILENO};
	struct cmd_kernel kernel = {0};
	int err;

	if (c->asks_kernel && !cmd_kernel_init(&kernel))
		return cmd_out_of_memory();
	if (strcmp(c->cmd.input, "-"))
		reader.fd = open(c->cmd.input, O_RDONLY | O_CLOEXEC);
	err = reader.fd < 0 ? -errno : rows(c, &reader, c->asks_kernel ? &kernel : NULL);
	if (reader.fd > STDIN_FILENO)
		close(reader.fd);
	free(reader.data);
	if (c->asks_kernel)
		cmd_kernel_fini(&kernel);
	cmd_messages_flush(&c->cmd.messages);
	if (err == -EBADMSG)
		return cmd_fail("%s: the first line does not name the columns \"name\" and "
				"\"insns\"",
				c->cmd.input);
	if (err && err != -ENOMEM)
		return cmd_fail("%s: cannot read the file: %s", c->cmd.input, strerror(-err));
	return cmd_finish(&c->cmd, err);
}
