/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpfcc verify of an object file: the programs that Inlay places, one line each.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpfcc/cmd/verify.h"
#include "bpfcc/handle.h"

/* The refusals, in the order of their messages. */
struct refusals {
	struct cmd_verify *command;
	struct refusal {
		char *program;
		struct cmd_verdict verdict;
	} *list;
	size_t nr;
	bool is_out_of_memory;
};

static void on_message(void *arg, const struct inlay_bpfcc_message *m)
{
	struct refusals *r = arg;
	struct refusal *list;
	const char *program = m->program ? m->program : r->command->cmd.opts.program;

	cmd_message(&r->command->cmd.messages, m);
	if (m->severity != INLAY_BPFCC_ERROR || !program)
		return;
	list = realloc(r->list, (r->nr + 1) * sizeof(*list));
	if (!list) {
		r->is_out_of_memory = true;
		return;
	}
	r->list = list;
	list[r->nr] = (struct refusal){.program = strdup(program)};
	r->is_out_of_memory |= !list[r->nr].program;
	if (m->insn >= 0)
		snprintf(list[r->nr].verdict.reason, sizeof(list->verdict.reason),
			 "instruction %d: %s (%s)", m->insn, m->text, m->disasm);
	else
		snprintf(list[r->nr].verdict.reason, sizeof(list->verdict.reason), "%s", m->text);
	r->nr++;
}

int cmd_verify_object(struct cmd_verify *c)
{
	const struct cmd_verdict accepted = {.is_accepted = true};
	struct refusals refusals = {.command = c};
	struct inlay_bpfcc_object *object;
	int err;

	if (!cmd_split_program(&c->cmd))
		return cmd_out_of_memory();
	c->cmd.on_message = on_message;
	c->cmd.on_message_arg = &refusals;
	err = cmd_object_open(&c->cmd, NULL, 0, &object);
	if (refusals.is_out_of_memory)
		err = -ENOMEM;
	for (size_t i = 0; i < refusals.nr; i++) {
		if (err != -ENOMEM)
			cmd_verify_put(c, refusals.list[i].program, &refusals.list[i].verdict,
				       NULL);
		free(refusals.list[i].program);
	}
	free(refusals.list);
	for (uint32_t i = 0; !err && i < object->data.nr_progs; i++)
		cmd_verify_put(c, object->data.progs[i].name, &accepted, NULL);
	inlay_bpfcc_object_free(object);
	return cmd_finish(&c->cmd, err);
}
