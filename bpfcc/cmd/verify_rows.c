/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc verify --raw: rows in, one line a row out, in order. A row that is wrong is refused and the
 * next one is read; nothing is kept from one row to the next. Rows are looked at by several
 * threads, but what was read is answered before more input is waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpfcc/arena.h"
#include "bpfcc/check.h"
#include "bpfcc/cmd/kernel.h"
#include "bpfcc/cmd/lines.h"
#include "bpfcc/cmd/verify.h"
#include "bpfcc/diag.h"
#include "bpfcc/raw.h"
#include "bpfcc/verify/verify.h"

#define CTX_BYTES (21 * 8)	/* struct pt_regs of x86-64, which rows are written for */
#define MAX_THREADS 4		/* each may need what the verifier's limit of memory allows */
#define NR_JOBS 64

/* One row: what was read of it, what became of it. */
struct job {
	char *text;
	size_t bytes;
	bool is_too_long, is_done;
	uint64_t row_nr;
	char name[256];
	struct cmd_verdict verdict, kernel_verdict;
	int err;		/* -ENOMEM, or 0 */
};

struct rows {
	struct cmd_verify *command;
	struct bpfcc_raw_header header;
	struct cmd_kernel kernel;
	/* jobs[i % NR_JOBS]: printed < taken <= added; the lock is for all of this and is_done */
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	struct job jobs[NR_JOBS];
	uint64_t printed, taken, added;
	bool is_over;
	pthread_t threads[MAX_THREADS];
	unsigned int nr_threads;
	int err;		/* the main thread's */
};

/* ---- one row ---- */

/* Receives the messages of a row. */
struct receiver {
	struct cmd_verify *command;
	struct cmd_verdict *verdict;
	const struct bpfcc_raw *raw;
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

static bool explains(const struct cmd_verify *c)
{
	return c->is_verbose || c->cmd.messages.is_json;
}

static void on_message(void *arg, const struct inlay_bpfcc_message *m)
{
	struct receiver *r = arg;
	struct cmd_verdict *v = r->verdict;

	if (explains(r->command))
		cmd_message(&r->command->cmd.messages, m);
	/* the first error is the reason */
	if (r->has_error || m->severity != INLAY_BPFCC_ERROR)
		return;
	r->has_error = true;
	if (m->insn >= 0)
		snprintf(v->reason, sizeof(v->reason), "instruction %u: %s (%s)",
			 flat_insn(r->raw, m), m->text, m->disasm);
	else
		snprintf(v->reason, sizeof(v->reason), "%s", m->text);
}

static int verify(struct cmd_verify *c, struct bpfcc_raw *raw, struct bpfcc_arena *arena,
		  struct bpfcc_diag *diag)
{
	const struct bpfcc_verify_opts opts = {
		.ctx_kind = BPFCC_CTX_PT_REGS,
		.ctx_bytes = CTX_BYTES,
		.allow_override = true,
		.allow_write = true,
		.is_kernel_set = true,
		.no_facts = true,
		.on_trace = c->is_verbose ? cmd_verify_trace : NULL,
		.trace_arg = c,
	};
	struct bpfcc_verify *proof;
	int err = bpfcc_check(&raw->object, arena, diag);

	if (err)
		return err;
	err = bpfcc_verify_new(&raw->object, &opts, arena, diag, &proof);
	bpfcc_verify_free(proof);
	return err;
}

static int look_at(struct rows *rows, struct job *job, const char *text)
{
	struct bpfcc_raw raw = {0};
	struct receiver receiver = {.command = rows->command,
				    .verdict = &job->verdict,
				    .raw = &raw};
	struct bpfcc_diag diag = {.fn = on_message, .arg = &receiver, .object = &raw.object};
	struct bpfcc_arena *arena = bpfcc_arena_new();
	int err;

	if (!arena)
		return -ENOMEM;
	job->verdict = (struct cmd_verdict){0};
	if (job->is_too_long)
		err = bpfcc_error(&diag, NULL, NULL, "the row is longer than %u bytes",
				  CMD_MAX_LINE_BYTES);
	else
		err = bpfcc_raw_read(&rows->header, text, job->bytes, arena, &diag, &raw);
	diag.path = raw.name;
	if (!err)
		err = verify(rows->command, &raw, arena, &diag);
	job->verdict.is_accepted = !err;
	if (raw.name)
		snprintf(job->name, sizeof(job->name), "%s", raw.name);
	else
		snprintf(job->name, sizeof(job->name), "row %llu",
			 (unsigned long long)job->row_nr);
	if (rows->command->asks_kernel)
		cmd_kernel_row(&rows->kernel, &raw, &job->kernel_verdict);
	bpfcc_arena_free(arena);
	return err == -ENOMEM ? err : 0;
}

static void print(struct rows *rows, const struct job *job)
{
	rows->err = rows->err ? rows->err : job->err;
	if (!rows->err)
		cmd_verify_put(rows->command, job->name, &job->verdict,
			       rows->command->asks_kernel ? &job->kernel_verdict : NULL);
}

/* ---- threads ---- */

static void *worker(void *arg)
{
	struct rows *rows = arg;

	pthread_mutex_lock(&rows->lock);
	for (;;) {
		struct job *job;

		while (rows->taken == rows->added && !rows->is_over)
			pthread_cond_wait(&rows->work, &rows->lock);
		if (rows->taken == rows->added)
			break;
		job = &rows->jobs[rows->taken++ % NR_JOBS];
		pthread_mutex_unlock(&rows->lock);
		job->err = look_at(rows, job, job->text);
		pthread_mutex_lock(&rows->lock);
		job->is_done = true;
		pthread_cond_signal(&rows->done);
	}
	pthread_mutex_unlock(&rows->lock);
	return NULL;
}

/* Prints what is done, in order, until at most `left` rows are waiting. */
static void print_done(struct rows *rows, uint64_t left)
{
	pthread_mutex_lock(&rows->lock);
	while (rows->added != rows->printed) {
		struct job *job = &rows->jobs[rows->printed % NR_JOBS];

		while (!job->is_done && rows->added - rows->printed > left)
			pthread_cond_wait(&rows->done, &rows->lock);
		if (!job->is_done)
			break;
		pthread_mutex_unlock(&rows->lock);
		print(rows, job);
		free(job->text);
		pthread_mutex_lock(&rows->lock);
		rows->printed++;
	}
	pthread_mutex_unlock(&rows->lock);
}

static void before_wait(void *arg)
{
	print_done(arg, 0);
	fflush(stdout);
}

static int add(struct rows *rows, const struct cmd_line *line, uint64_t row_nr)
{
	struct job *job;
	char *text;

	print_done(rows, NR_JOBS - 1);
	text = malloc(line->bytes + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, line->text, line->bytes);
	pthread_mutex_lock(&rows->lock);
	job = &rows->jobs[rows->added % NR_JOBS];
	job->text = text;
	job->bytes = line->bytes;
	job->is_too_long = line->is_too_long;
	job->row_nr = row_nr;
	job->is_done = false;
	rows->added++;
	pthread_cond_signal(&rows->work);
	pthread_mutex_unlock(&rows->lock);
	return 0;
}

/* What explains itself does it in order, and so alone. */
static void start_threads(struct rows *rows)
{
	long nr = sysconf(_SC_NPROCESSORS_ONLN);

	if (explains(rows->command) || rows->command->asks_kernel || nr < 2)
		return;
	while (rows->nr_threads < MAX_THREADS && rows->nr_threads < (unsigned int)nr &&
	       !pthread_create(&rows->threads[rows->nr_threads], NULL, worker, rows))
		rows->nr_threads++;
}

static void end_threads(struct rows *rows)
{
	if (!rows->nr_threads)
		return;
	print_done(rows, 0);
	pthread_mutex_lock(&rows->lock);
	rows->is_over = true;
	pthread_cond_broadcast(&rows->work);
	pthread_mutex_unlock(&rows->lock);
	while (rows->nr_threads)
		pthread_join(rows->threads[--rows->nr_threads], NULL);
}

/* ---- all rows ---- */

static int each_row(struct rows *rows, struct cmd_lines *lines)
{
	struct cmd_line line;
	uint64_t row_nr = 0;
	int got = cmd_lines_next(lines, &line);

	if (got < 0)
		return got;
	if (!got || line.is_too_long || !bpfcc_raw_header(line.text, line.bytes, &rows->header))
		return -EBADMSG;
	start_threads(rows);
	while (!rows->err && (got = cmd_lines_next(lines, &line)) > 0) {
		if (rows->nr_threads) {
			rows->err = add(rows, &line, ++row_nr);
		} else {
			struct job *job = &rows->jobs[0];

			job->bytes = line.bytes;
			job->is_too_long = line.is_too_long;
			job->row_nr = ++row_nr;
			job->err = look_at(rows, job, line.text);
			print(rows, job);
		}
	}
	end_threads(rows);
	return rows->err ? rows->err : got;
}

/* -EBADMSG: what is in it; else it could not be read. */
static void refuse_file(struct cmd_verify *c, int err)
{
	struct inlay_bpfcc_message m = {
		.sz = sizeof(m),
		.severity = INLAY_BPFCC_ERROR,
		.object = strcmp(c->cmd.input, "-") ? c->cmd.input : "<stdin>",
		.insn = -1,
		.text = "the first line does not name the columns \"name\" and \"insns\"",
		.hint = "columns are separated by tabs",
	};
	char text[128];

	if (err != -EBADMSG) {
		snprintf(text, sizeof(text), "cannot read the file: %s", strerror(-err));
		m.text = text;
		m.hint = NULL;
	}
	cmd_message(&c->cmd.messages, &m);
}

int cmd_verify_rows(struct cmd_verify *c)
{
	struct rows *rows = calloc(1, sizeof(*rows));
	struct cmd_lines lines = {.fd = STDIN_FILENO, .before_wait = before_wait, .arg = rows};
	int err;

	if (!rows || (c->asks_kernel && !cmd_kernel_init(&rows->kernel))) {
		free(rows);
		return cmd_out_of_memory();
	}
	rows->command = c;
	pthread_mutex_init(&rows->lock, NULL);
	pthread_cond_init(&rows->work, NULL);
	pthread_cond_init(&rows->done, NULL);
	if (strcmp(c->cmd.input, "-"))
		lines.fd = open(c->cmd.input, O_RDONLY | O_CLOEXEC);
	err = lines.fd < 0 ? -errno : each_row(rows, &lines);
	if (lines.fd > STDIN_FILENO)
		close(lines.fd);
	cmd_lines_fini(&lines);
	if (c->asks_kernel)
		cmd_kernel_fini(&rows->kernel);
	pthread_cond_destroy(&rows->done);
	pthread_cond_destroy(&rows->work);
	pthread_mutex_destroy(&rows->lock);
	free(rows);
	if (err && err != -ENOMEM)
		refuse_file(c, err);
	return cmd_finish(&c->cmd, err);
}
