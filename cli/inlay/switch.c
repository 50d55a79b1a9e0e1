/* SPDX-License-Identifier: BSD-2-Clause */
/* `inlay on` and `inlay off`: the switches of programs. */
#include <string.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/out.h"

static bool selects_prog(const char *selector, const char *object, const char *prog)
{
	size_t n = strlen(object);

	return !strcmp(selector, "all") || !strcmp(selector, prog) ||
	       (!strncmp(selector, object, n) && selector[n] == '.' &&
		!strcmp(selector + n + 1, prog));
}

/* Switches what the selector names in one target; adds to the counters. */
static int switch_in(struct inlay_reader *reader, const char *selector, bool on, int *nr_switched,
		     int *nr_fixed)
{
	struct inlay_segment_info segment = INLAY_SIZED(inlay_segment_info);
	struct inlay_prog_info prog = INLAY_SIZED(inlay_prog_info);
	char object_name[2 * INLAY_NAME_BYTES], name[2 * INLAY_NAME_BYTES];
	int err = inlay_segment_info(reader, &segment);

	for (uint32_t i = 0; !err && i < segment.nr_progs; i++) {
		struct inlay_object_info object = INLAY_SIZED(inlay_object_info);

		err = inlay_segment_prog(reader, i, &prog);
		if (!err)
			err = inlay_segment_object(reader, prog.object, &object);
		if (err || !selects_prog(selector, object.name, prog.name))
			continue;
		if (!(prog.flags & INLAY_PROG_F_SWITCHED)) {
			++*nr_fixed;
			continue;
		}
		err = inlay_segment_prog_switch(reader, i, on);
		if (err)
			break;
		++*nr_switched;
		printf("%u: %s.%s is %s\n", segment.pid,
		       escape(object.name, object_name, sizeof(object_name)),
		       escape(prog.name, name, sizeof(name)), on ? "on" : "off");
	}
	return err;
}

static int switch_progs(const struct args *args, bool on)
{
	struct targets targets;
	int code = targets_open(args, args->target, true, &targets);

	for (int i = 0; i < args->nr_words && !code; i++) {
		int nr_switched = 0, nr_fixed = 0, err = 0;
		char name[160];

		for (size_t k = 0; k < targets.nr && !err; k++)
			err = switch_in(targets.readers[k], args->words[i], on, &nr_switched,
					&nr_fixed);
		escape(args->words[i], name, sizeof(name));
		if (err)
			code = fail_read(args->words[i], err);
		else if (!nr_switched && nr_fixed && strcmp(args->words[i], "all"))
			code = fail("%s is fixed; only programs tagged inlay:switched can be "
				    "switched", name);
		else if (!nr_switched && !strcmp(args->words[i], "all"))
			code = fail("no program of the target can be switched");
		else if (!nr_switched)
			code = fail("there is no program '%s'; 'inlay stat' lists them", name);
	}
	if (targets.nr)
		targets_close(&targets);
	return code;
}

int cmd_on(const struct args *args)
{
	return switch_progs(args, true);
}

int cmd_off(const struct args *args)
{
	return switch_progs(args, false);
}
