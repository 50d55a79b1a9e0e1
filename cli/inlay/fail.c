/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages on stderr, and what the errors of the reader library mean to a user. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/inlay/cli.h"
#include "cli/inlay/out.h"

static void say(const char *format, va_list args)
{
	(void)out_flush();
	fputs("inlay: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	return EXIT_REFUSED;
}

int usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	return EXIT_USAGE;
}

int out_of_memory(void)
{
	fail("out of memory");
	return EXIT_INTERNAL;
}

const char *read_error(int error)
{
	switch (error) {
	case -EPERM:
		return "it belongs to another user";
	case -EPROTO:
		return "it was written with another version of the ABI";
	case -EAGAIN:
		return "the target is still making it";
	case -EBADMSG:
		return "it is damaged: a reference in it points outside or its parts contradict "
		       "each other";
	case -ESTALE:
		return "it was cut short while it was being read";
	case -ENODATA:
		return "its values are private to the target: they did not fit into the segment";
	case -EOPNOTSUPP:
		return "maps of its type have no entries to show ('inlay trace' shows the events of "
		       "ring buffers), or this version of inlay does not know the type";
	default:
		return strerror(-error);
	}
}

int fail_read(const char *what, int error)
{
	char name[256];

	if (error == -ENOMEM)
		return out_of_memory();
	return fail("%s: %s", escape(what, name, sizeof(name)), read_error(error));
}
