/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages: as text for a terminal, or as JSON for editors, one object a line. The notes that
 * follow a message are members of it, so it is printed when the next one comes. docs/bpfcc.md has
 * the schema.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "bpfcc/cmd/cmd.h"
#include "bpfcc/diag_print.h"

static const char *const severities[] = {
	[INLAY_BPFCC_NOTE] = "note",
	[INLAY_BPFCC_WARNING] = "warning",
	[INLAY_BPFCC_ERROR] = "error",
};

/* Names come from the object and may be any bytes: JSON is UTF-8, others become '?'. */
static json_t *text(const char *bytes)
{
	json_t *string;
	char *copy;

	if (!bytes)
		return NULL;
	string = json_string(bytes);
	if (string)
		return string;
	copy = strdup(bytes);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	string = json_string(copy);
	free(copy);
	return string;
}

static bool put(json_t *object, const char *key, json_t *value)
{
	return value && !json_object_set_new(object, key, value);
}

/* Members that are not known are left out. */
static bool put_text(json_t *object, const char *key, const char *value)
{
	return !value || put(object, key, text(value));
}

static bool put_registers(json_t *object, const struct inlay_bpfcc_message *m)
{
	json_t *registers;
	char name[8];

	if (!m->nr_registers)
		return true;
	registers = json_object();
	if (!registers)
		return false;
	for (size_t i = 0; i < m->nr_registers; i++) {
		snprintf(name, sizeof(name), "r%d", m->registers[i].number);
		if (!put_text(registers, name, m->registers[i].text)) {
			json_decref(registers);
			return false;
		}
	}
	return put(object, "registers", registers);
}

static json_t *message_json(const struct inlay_bpfcc_message *m)
{
	json_t *object = json_object();

	if (object && put_text(object, "severity", severities[m->severity]) &&
	    put_text(object, "text", m->text) && put_text(object, "hint", m->hint) &&
	    put_text(object, "object", m->object) && put_text(object, "section", m->section) &&
	    put_text(object, "program", m->program) &&
	    (m->insn < 0 || put(object, "insn", json_integer(m->insn))) &&
	    put_text(object, "disasm", m->disasm) && put_text(object, "file", m->file) &&
	    (!m->line || put(object, "line", json_integer(m->line))) &&
	    put_text(object, "source", m->source) && put_registers(object, m))
		return object;
	json_decref(object);
	return NULL;
}

static bool add_note(json_t *message, json_t *note)
{
	json_t *notes = json_object_get(message, "notes");

	if (!notes) {
		notes = json_array();
		if (!put(message, "notes", notes))
			return false;
	}
	return !json_array_append_new(notes, note);
}

static void keep(struct cmd_messages *messages, const struct inlay_bpfcc_message *m)
{
	json_t *object = message_json(m);

	if (!object) {
		messages->is_out_of_memory = true;
	} else if (m->severity == INLAY_BPFCC_NOTE && messages->pending) {
		messages->is_out_of_memory |= !add_note(messages->pending, object);
	} else {
		cmd_messages_flush(messages);
		messages->pending = object;
	}
}

void cmd_message(void *arg, const struct inlay_bpfcc_message *message)
{
	struct cmd_messages *messages = arg;

	messages->has_error |= message->severity == INLAY_BPFCC_ERROR;
	if (messages->is_json) {
		keep(messages, message);
		return;
	}
	fflush(stdout);
	bpfcc_diag_print(stderr, isatty(STDERR_FILENO) == 1, message);
}

void cmd_messages_flush(struct cmd_messages *messages)
{
	if (!messages->pending)
		return;
	json_dumpf(messages->pending, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(messages->pending);
	messages->pending = NULL;
}
