/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the subcommands share: see cmd.h. Messages as JSON are made in json.c.
 */
#include "bpfcc/cmd/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool add(struct cmd_list *list, const char *item)
{
	const char **items = realloc(list->items, (list->nr + 1) * sizeof(*items));

	if (!items)
		return false;
	items[list->nr++] = item;
	list->items = items;
	return true;
}

bool cmd_object_option(struct cmd *c, int option)
{
	bool has_memory = true;

	switch (option) {
	case CMD_OPT_SET:
		has_memory = add(&c->sets, optarg);
		break;
	case CMD_OPT_MAP:
		has_memory = add(&c->maps, optarg);
		break;
	case CMD_OPT_ATTACH:
		has_memory = add(&c->attaches, optarg);
		break;
	case CMD_OPT_SKIP:
		has_memory = add(&c->skips, optarg);
		break;
	case CMD_OPT_OVERRIDE:
		c->opts.allow_override = true;
		break;
	case CMD_OPT_WRITE:
		c->opts.allow_write = true;
		break;
	case CMD_OPT_TARGET:
		c->opts.target = optarg;
		break;
	case CMD_OPT_TARGET_BTF:
		c->opts.target_btf = optarg;
		break;
	case CMD_OPT_NO_VERIFY:
		c->opts.unsafe_no_verify = true;
		break;
	default:
		return false;
	}
	c->is_out_of_memory |= !has_memory;
	return true;
}

static int fill_opts(struct cmd *c)
{
	if (c->is_out_of_memory)
		return -ENOMEM;
	c->opts.sz = sizeof(c->opts);
	c->opts.on_message = c->on_message ? c->on_message : cmd_message;
	c->opts.on_message_arg = c->on_message ? c->on_message_arg : &c->messages;
	c->opts.sets = c->sets.items;
	c->opts.nr_sets = c->sets.nr;
	c->opts.maps = c->maps.items;
	c->opts.nr_maps = c->maps.nr;
	c->opts.attaches = c->attaches.items;
	c->opts.nr_attaches = c->attaches.nr;
	c->opts.skips = c->skips.items;
	c->opts.nr_skips = c->skips.nr;
	return 0;
}

int cmd_object_open(struct cmd *c, const void *data, size_t bytes,
		    struct inlay_bpfcc_object **ret_object)
{
	int err = fill_opts(c);

	*ret_object = NULL;
	return err ? err : inlay_bpfcc_object_open(c->input, data, bytes, &c->opts, ret_object);
}

int cmd_program_open(struct cmd *c, const void *insns, size_t bytes,
		     struct inlay_bpfcc_object **ret_object)
{
	int err = fill_opts(c);

	*ret_object = NULL;
	return err ? err : inlay_bpfcc_program_open(c->input, insns, bytes, &c->opts, ret_object);
}

bool cmd_split_program(struct cmd *c)
{
	const char *colon = strrchr(c->input, ':');
	char *path;

	if (!colon || !access(c->input, F_OK))
		return true;
	path = strndup(c->input, (size_t)(colon - c->input));
	if (!path)
		return false;
	c->opts.program = colon + 1;
	c->input = path;
	return true;
}

int cmd_finish(struct cmd *c, int err)
{
	cmd_messages_flush(&c->messages);
	free(c->sets.items);
	free(c->maps.items);
	free(c->attaches.items);
	free(c->skips.items);
	c->sets = c->maps = c->attaches = c->skips = (struct cmd_list){0};
	if (!err && (fflush(stdout) || ferror(stdout)))
		return cmd_fail("cannot write to the standard output: %s", strerror(errno));
	if (!err && c->messages.is_out_of_memory)
		err = -ENOMEM;
	if (!err)
		return EXIT_SUCCESS;
	if (err == -ENOMEM)
		return cmd_out_of_memory();
	/* every refusal has a message */
	if (!c->messages.has_error) {
		fprintf(stderr, "bpfcc: internal error: %s\n", strerror(-err));
		return EXIT_INTERNAL;
	}
	return EXIT_REFUSED;
}

int cmd_usage(const char *command, const char *problem, const char *what)
{
	fprintf(stderr, "bpfcc: error: %s%s%s\n", problem, what ? ": " : "", what ? what : "");
	fprintf(stderr, "      = help: bpfcc%s%s --help\n", command ? " " : "",
		command ? command : "");
	return EXIT_USAGE;
}

int cmd_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("bpfcc: error: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_REFUSED;
}

int cmd_out_of_memory(void)
{
	return cmd_fail("out of memory");
}

void cmd_put_text(FILE *out, const char *text)
{
	for (; text && *text; text++) {
		unsigned char c = (unsigned char)*text;

		putc(c >= 0x20 && c != 0x7f ? c : '?', out);
	}
}

char *cmd_read_all(FILE *in, size_t limit, size_t *ret_bytes)
{
	size_t room = 1 << 16, used = 0;
	char *data = malloc(room), *larger;

	while (data) {
		used += fread(data + used, 1, room - used - 1, in);
		if (ferror(in) || used > limit) {
			if (!ferror(in))
				errno = EFBIG;
			free(data);
			return NULL;
		}
		if (used < room - 1) {
			data[used] = '\0';
			*ret_bytes = used;
			return data;
		}
		room *= 2;
		larger = realloc(data, room);
		if (!larger)
			free(data);
		data = larger;
	}
	errno = ENOMEM;
	return NULL;
}
