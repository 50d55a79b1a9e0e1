/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc verify of an object file: the programs that Inlay places, one line each.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/cmd/kernel.h"
#include "bpfcc/cmd/verify.h"
#include "bpfcc/handle.h"

/* Messages of one program; before there is one, of the object. */
struct refusal {
	struct cmd_verify *command;
	struct cmd_verdict verdict;
	char *program;		/* that the first error of an object names */
	bool has_error;
};

static void on_message(void *arg, const struct inlay_bpfcc_message *m)
{
	struct refusal *r = arg;
	struct cmd_verdict *v = &r->verdict;

	cmd_message(&r->command->cmd.messages, m);
	if (m->severity != INLAY_BPFCC_ERROR || r->has_error)
		return;
	r->has_error = true;
	if (m->program || r->command->cmd.opts.program)
		r->program = strdup(m->program ? m->program : r->command->cmd.opts.program);
	if (m->insn >= 0)
		snprintf(v->reason, sizeof(v->reason), "instruction %d: %s (%s)", m->insn, m->text,
			 m->disasm);
	else
		snprintf(v->reason, sizeof(v->reason), "%s", m->text);
}

static void clear(struct refusal *r)
{
	free(r->program);
	*r = (struct refusal){.command = r->command};
}

static void put_stats(struct cmd_verify *c, const struct inlay_bpfcc_stats *s)
{
	char line[256];

	if (!c->is_verbose)
		return;
	snprintf(line, sizeof(line),
		 "%u instructions, %u walked, %u states kept, %u paths pruned, %u bytes of stack, "
		 "%llu KiB",
		 s->insns, s->insns_walked, s->states, s->states_pruned, s->stack_bytes,
		 (unsigned long long)(s->state_bytes + 1023) / 1024);
	cmd_verify_trace(c, line);
}

/* Every program. -EINVAL if one was refused. */
static int verify_programs(struct cmd_verify *c, struct inlay_bpfcc_object *object,
			   struct refusal *refusal, struct cmd_kernel *kernel)
{
	const struct bpfcc_object *o = inlay_bpfcc_object_data(object);
	int result = 0;

	for (uint32_t i = 0; i < o->nr_progs; i++) {
		struct inlay_bpfcc_stats stats = {.sz = sizeof(stats)};
		struct cmd_verdict theirs;
		int err;

		clear(refusal);
		err = inlay_bpfcc_object_verify(object, i, &stats);
		if (err && err != -EINVAL)
			return err;
		put_stats(c, &stats);
		refusal->verdict.is_accepted = !err;
		if (kernel)
			cmd_kernel_program(kernel, o, &o->progs[i], &theirs);
		cmd_verify_put(c, o->progs[i].name, &refusal->verdict, kernel ? &theirs : NULL);
		result = err ? err : result;
	}
	return result;
}

int cmd_verify_object(struct cmd_verify *c)
{
	struct refusal refusal = {.command = c};
	struct inlay_bpfcc_object *object;
	struct cmd_kernel kernel = {0};
	int err;

	if (!cmd_split_program(&c->cmd) || (c->asks_kernel && !cmd_kernel_init(&kernel)))
		return cmd_out_of_memory();
	c->cmd.on_message = on_message;
	c->cmd.on_message_arg = &refusal;
	c->cmd.opts.defer_verify = true;
	if (c->is_verbose) {
		c->cmd.opts.on_trace = cmd_verify_trace;
		c->cmd.opts.on_trace_arg = c;
	}
	err = cmd_object_open(&c->cmd, NULL, 0, &object);
	if (!err)
		err = verify_programs(c, object, &refusal, c->asks_kernel ? &kernel : NULL);
	else if (err == -EINVAL && refusal.program)
		cmd_verify_put(c, refusal.program, &refusal.verdict, NULL);
	clear(&refusal);
	if (c->asks_kernel)
		cmd_kernel_fini(&kernel);
	inlay_bpfcc_object_free(object);
	return cmd_finish(&c->cmd, err);
}
